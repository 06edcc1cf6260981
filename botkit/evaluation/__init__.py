"""How good an index is, on judged questions: what it says to them, figures of that, and a report.

    evaluate(index, labels)       ask as the server does           -> Evaluation
    judge(name, labels, ranked)   what another system ranked       -> Evaluation
    figures(outcomes)             shares, ranking, confidence, intervals
    converse(index, dialogues)    turn by turn, the bot's own replies as context
    hold(index, name, dialogues)  the same twice, with that context and without   -> Held
    compare(before, after)        paired differences and the questions that changed
    Report                        sets of evaluations as a text, as JSON, as one HTML file

This package measures and never changes what it measures: it fits nothing, writes no index and reads no record.
"""

from botkit.evaluation.dialogues import Held, converse, hold, turn_figures
from botkit.evaluation.formats import percent
from botkit.evaluation.metrics import bound, compare, ece, figures
from botkit.evaluation.report import Report, Set, dialogues_table, machine, table
from botkit.evaluation.runner import Evaluation, Outcome, evaluate, joined, judge

__all__ = [
    "Evaluation",
    "Held",
    "Outcome",
    "Report",
    "Set",
    "bound",
    "compare",
    "converse",
    "dialogues_table",
    "ece",
    "evaluate",
    "figures",
    "hold",
    "joined",
    "judge",
    "machine",
    "percent",
    "table",
    "turn_figures",
]
