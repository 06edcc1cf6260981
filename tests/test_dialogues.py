"""Dialogues held turn by turn: what each turn is judged by, and what the turns before change."""

from pathlib import Path

import pytest
import shop

from botkit.corpus import Dialogue, Turn
from botkit.evaluation.dialogues import TurnOutcome, converse, turn_figures
from botkit.index import Index

ROOT = Path(__file__).parent.parent
RUG, TOWEL, REFUND, TRACK = (frozenset({a}) for a in ("care/rug", "care/towel", "returns/refund", "orders/track"))
LONGER = "and how long does that take?"
DIALOGUES = [
    Dialogue("a", "en", (Turn("How do I wash a rug?", RUG), Turn(LONGER, RUG, "followup"))),
    Dialogue(
        "b",
        "en",
        (
            Turn("When do I get my money back?", REFUND),
            Turn(LONGER, REFUND, "followup"),
            Turn("track my parcel please", TRACK, "standalone"),
        ),
    ),
    Dialogue("c", "en", (Turn("wash something", RUG | TOWEL), Turn("the second one", None, "choice", 2))),
    Dialogue("d", "en", (Turn("wash something", RUG | TOWEL), Turn("the last one", None, "choice", -1))),
    Dialogue("e", "en", (Turn("Where is my order?", TRACK), Turn("the first", None, "choice", 1))),
    Dialogue("f", "en", (Turn("How do I wash a rug?", RUG), Turn("thanks", frozenset(), "standalone"))),
]
ASKING_BACK = {"answer_threshold": 0.96, "clarify_threshold": 0.01}  # only what is a phrasing to the letter is sure


@pytest.fixture(scope="module")
def index() -> Index:
    return shop.index()


def by_place(outcomes: list[TurnOutcome]) -> dict[tuple[str, int], TurnOutcome]:
    result: dict[tuple[str, int], TurnOutcome] = {}
    for outcome in outcomes:
        place = sum(known == outcome.dialogue for known, _ in result)
        result[outcome.dialogue, place] = outcome
    return result


def test_each_turn_is_asked_with_the_replies_before_it(index: Index) -> None:
    """In the order of the dialogues; the progress counts turns."""
    done: list[tuple[int, int]] = []
    outcomes = converse(index, DIALOGUES, progress=lambda *each: done.append(each), **ASKING_BACK)
    assert [o.turn for o in outcomes] == [turn for dialogue in DIALOGUES for turn in dialogue.turns]
    assert done[-1] == (13, 13)
    result = by_place(outcomes)
    assert [result[place].right for place in (("a", 0), ("a", 1), ("b", 1), ("b", 2))] == [True] * 4
    assert result["a", 1].reply.understood == f"How do I wash a rug? {LONGER}"
    assert result["b", 2].reply.understood is None
    assert not result["f", 1].answered


def test_a_pick_is_right_when_the_bot_gives_what_stands_there(index: Index) -> None:
    """Judged by the bot's own offer; where it offered nothing, not at all."""
    result = by_place(converse(index, DIALOGUES, **ASKING_BACK))
    for name, place in (("c", 1), ("d", -1)):
        offered = result[name, 0].reply
        assert offered.kind == "clarify"
        assert result[name, 1].reply.article == offered.options[place].article
        assert result[name, 1].right is True
    assert result["e", 0].reply.kind == "answer"
    assert (result["e", 1].right, result["e", 1].among_three) == (None, None)


def test_without_context_each_turn_is_a_first_one(index: Index) -> None:
    """So that gain and pollution can both be seen."""
    on, off = (converse(index, DIALOGUES, context=context, **ASKING_BACK) for context in (True, False))
    assert [o.reply for o in off if o.kind == "first"] == [o.reply for o in on if o.kind == "first"]
    assert all(o.reply.understood is None for o in off)
    assert not any(o.right for o in off if o.kind == "choice")
    alone = converse(index, [Dialogue("x", "en", (Turn(LONGER, RUG),))], **ASKING_BACK)[0]
    assert by_place(off)["b", 1].reply == alone.reply


def test_figures_by_hand(index: Index) -> None:
    """Shares of what can be judged, for each kind of turn; nothing to count is None."""
    result = turn_figures(converse(index, DIALOGUES, **ASKING_BACK))
    assert {kind: (f["turns"], f["judged"]) for kind, f in result.items()} == {
        "first": (6, 6),
        "followup": (2, 2),
        "standalone": (2, 2),
        "choice": (3, 2),
        "later": (7, 6),
    }
    assert result["followup"]["accuracy_at_1"] == 1.0
    assert result["followup"]["leaning"] == 1.0
    assert result["standalone"]["accuracy_at_1"] == 0.5
    assert (result["choice"]["answered"], result["choice"]["precision"]) == (1.0, 1.0)
    assert set(turn_figures([])["followup"].values()) == {0, None}
    assert converse(index, []) == []
