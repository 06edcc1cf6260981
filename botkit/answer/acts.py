"""Whether a line is an act of the dialogue rather than a question, and what is said to it."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from botkit import language
from botkit.answer.model import Before
from botkit.index import Search
from botkit.vocabulary import Act

FEATURES: Final = ("act", "question", "phrasing", "confidence", "words")


@dataclass(frozen=True)
class Weights:
    """A logistic regression, fitted by `eval/acts.py --fit` on the examples and on development questions: how like the
    nearest act, the nearest question that only looks like one and the nearest phrasing of an article the line is, the
    log-odds that the search found an answer, and the logarithm of the number of words."""

    intercept: float = 2.21
    act: float = 20.53
    question: float = -7.83
    phrasing: float = -7.39
    confidence: float = -0.35
    words: float = -4.61
    least: float = 1.2
    """log-odds from which on it is an act"""
    alike: float = 0.3
    """how like the nearest act it must be besides, so that what is like nothing is none"""


WEIGHTS = Weights()


def features(search: Search, confidence: float) -> np.ndarray:
    """The features of a search that has a likeness, in the order of FEATURES; `confidence` is the probability that its
    first hit answers."""
    assert search.likeness is not None
    phrasing = max((0.5 * (hit.dense + hit.char) for hit in search.hits), default=-1.0)
    sure = min(max(confidence, 0.005), 0.995)
    words = math.log1p(len(search.text.split()))
    likeness = search.likeness
    return np.array(
        [likeness.act_likeness, likeness.question_likeness, phrasing, math.log(sure / (1 - sure)), words], np.float64
    )


def log_odds(search: Search, confidence: float) -> float:
    """The log-odds that a line is an act; minus infinity where it cannot be one."""
    if search.likeness is None:
        return -math.inf
    weights = np.array([getattr(WEIGHTS, name) for name in FEATURES])
    return float(WEIGHTS.intercept + weights @ features(search, confidence))


def recognised(search: Search, confidence: float) -> Act | None:
    """The act that a line is; None for a question."""
    near = search.likeness
    if near is None or search.exact or near.act_likeness < WEIGHTS.alike:
        return None
    return near.act if log_odds(search, confidence) >= WEIGHTS.least else None


_OF_LISTS: Final[Mapping[str, Act]] = {
    "greeting": "greeting",
    "thanks": "thanks",
    "goodbye": "goodbye",
    "robot": "identity",
}
"""Small talk that a language's lists know, in any language, and the act that it is."""
ASKED_WHAT: Final = ("greeting", "opener", "help", "presence", "how_are_you", "identity", "capability", "restart")
"""Acts whose reply asks what it is about."""


def act_of(search: Search, text: str, confidence: float, tables: language.Tables) -> Act | None:
    """The act that a text is, by the lists of its language or by the examples; None for a question."""
    listed = language.smalltalk(text, tables)
    if listed == "wordless":
        return None
    if listed is not None and listed in _OF_LISTS:
        # "good evening" is a greeting and a goodbye to the lists: the examples know more of it, where they are sure.
        near = recognised(search, confidence)
        return near if near in ("solved", "no_more") else _OF_LISTS[listed]
    return recognised(search, confidence)


def meant(act: Act, turn: Before | None) -> Act | Literal["which"]:
    """An act read against what the bot said last: "yes" after an answer confirms it, after a choice it names none."""
    last = turn.last if turn else ""
    if last == "clarify" and act in ("yes", "ok"):
        return "which"
    if last == "clarify" and act == "no":
        return "not_that"
    if last == "answer" and act in ("yes", "no"):
        return "solved" if act == "yes" else "unhelpful"
    if last in ASKED_WHAT and act in ("yes", "no"):
        return "opener" if act == "yes" else "no_more"
    return act


def said(act: Act, lang: str, text: str, turn: Before | None, tables: language.Tables) -> str:
    """What is said to an act: one of its texts, another one than just before."""
    texts = language.messages(lang, tables)
    if not language.act_examples(lang) and act in _OF_LISTS.values():  # a corpus's own language has the usual four
        return texts[next(f"bot.{name}" for name, each in _OF_LISTS.items() if each == act)]
    choices = [texts[key] for number in range(1, 4) if (key := f"acts.{act}_{number}") in texts]
    first = zlib.crc32(text.encode("utf-8", "surrogatepass")) % len(choices)
    ordered = [*choices[first:], *choices[:first]]
    return next((each for each in ordered if turn is None or each != turn.said), ordered[0])
