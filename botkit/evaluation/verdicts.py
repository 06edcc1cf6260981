"""An editor's verdict on a question: the articles to choose from, and a label of what was typed. Keeps nothing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from botkit import language
from botkit.confidence import Confidence
from botkit.corpus import Label
from botkit.index import Index

OFFERED = 3
NONE = "0"
"""what says that no article answers"""


class BadVerdict(ValueError):
    """What was typed is no verdict; the text says what would be."""


@dataclass(frozen=True)
class Candidate:
    """An article that may answer, with its title in the question's language where there is one, and the probability
    that it does."""

    article: str
    title: str
    probability: float


def candidates(index: Index, question: Label) -> list[Candidate]:
    """The three likeliest articles for a question, best first; fewer if the index has no more."""
    search = index.search(language.clean(question.text), question.lang)
    likely = zip(search.hits, Confidence.of(index).probabilities(search), strict=True)
    return [Candidate(hit.article, _title(index, hit.article, search.lang), p) for hit, p in likely][:OFFERED]


def verdict(index: Index, question: Label, offered: Sequence[Candidate], typed: str) -> Label:
    """The label that an editor's words make of a question.

    `typed` has the number of a candidate, an article's id, or several of both where more than one article answers;
    or 0: none does. Raises BadVerdict, with the nearest ids for one that is unknown.
    """
    words = re.split(r"[\s,]+", typed.strip())
    judged = replace(question, rejected=frozenset(), source="editor")
    if words == [NONE]:
        return replace(judged, relevant=frozenset(), qtype="near")
    return replace(judged, relevant=frozenset(_article(index, offered, word) for word in words), qtype=None)


def _article(index: Index, offered: Sequence[Candidate], word: str) -> str:
    if word.isdecimal():
        if not 1 <= int(word) <= len(offered):
            raise BadVerdict(f"no candidate {word}: type one of the numbers shown, or an article's id")
        return offered[int(word) - 1].article
    if word not in index.ids:
        near = [i for i in index.ids if len(word) > 2 and word.lower() in i.lower()][:OFFERED]
        near += difflib.get_close_matches(word, [i for i in index.ids if i not in near], OFFERED - len(near) or 1, 0.4)
        result = "".join(f"\n  {i}  {_title(index, i, index.default_language)}" for i in near[:OFFERED])
        raise BadVerdict(f"no article `{word}`." + (f" Did you mean{result}" if result else " See `botkit ask`."))
    return word


def _title(index: Index, article_id: str, lang: str) -> str:
    article = index.best_translation(article_id, lang)
    return article.title if article is not None else article_id
