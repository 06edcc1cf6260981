"""An editor's folder of markdown, read into articles; every finding has a file, a line and a cure.

    corpora/<name>/corpus.toml              name, languages, category titles, the shop's facts
    corpora/<name>/<lang>/<path>.md         one article; its id is the path, in every language
    corpora/<name>/<lang>/<path>.md         with `kind: faq`: each `## heading` is an article, <path>#<anchor>
    corpora/<name>/replies/<lang>/<path>.md a canned reply, which agents insert; never an article, never searched
    corpora/<name>/languages/<lang>.toml    what botkit must know of a language, or other words for what it knows
    corpora/<name>/messages/<lang>/*.toml   the interface's texts in a language

This package owns the article format and makes the safe HTML, once. It also owns the format of judged
questions (`labels`), and writes those. It knows nothing of vectors and never writes an article.
"""

from botkit.corpus.drafts import draft
from botkit.corpus.labels import Dialogue, Label, Turn, add_label, dialogues, labels, questions, write_labels
from botkit.corpus.loading import check, code, digest, load
from botkit.corpus.model import VARIABLE, VARIABLES, Article, CannedReply, Corpus, CorpusError, Finding, Passage

__all__ = [
    "VARIABLE",
    "VARIABLES",
    "Article",
    "CannedReply",
    "Corpus",
    "CorpusError",
    "Dialogue",
    "Finding",
    "Label",
    "Passage",
    "Turn",
    "add_label",
    "check",
    "code",
    "dialogues",
    "digest",
    "draft",
    "labels",
    "load",
    "questions",
    "write_labels",
]
