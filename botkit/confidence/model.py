"""The model itself: the signals of a search, and what their weights make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from botkit.index import FEATURES, FROM_STORED, MEANINGS, STORED, Index, Search

LEXICAL = (
    "score",
    "score_margin",
    "runner_up",
    "others_mean",
    "word",
    "word_margin",
    "char",
    "char_margin",
    "coverage",
    "article_grams",
    "known_words",
    "known_grams",
    "word_rank",
    "entropy",
    "length",
    "same_language",
    "language_probability",
    "phrasings",
    "articles",
    "languages",
    "rows",
    "other_domains",
    "unknown_domains",
)
"""signals that words alone give, of a search whose question has no vector"""
PAIRS = (
    ("known_grams", "fused_margin"),
    ("out_of_domain", "phrasings"),
    ("coverage", "phrasings"),
    ("passage_dense", "others_mean"),
    ("known_grams", "class_probability"),
    ("passage_dense", "entropy"),
    ("coverage", "vote"),
    ("other_domains", "article_grams"),
)
"""signals that say more together: their products, each standardised first. Chosen one after the other by how well a
model does on kinds of bots that it was not fitted on (eval/pairs.py); the last by what it does on other trades'
questions (eval/elsewhere, development half)."""
TEMPERATURE = 0.2
"""of the softmax over scores that shares what the first article leaves"""
TIE = 0.02
"""scores this close are as good as the same: rounding, which is not the same on every machine, orders them"""
EXACT, HIGHEST = 0.97, 0.995
"""the least probability of an article one of whose phrasings the question is, to the letter; and the most of any"""


def features(search: Search, names: Sequence[str] = FEATURES) -> np.ndarray:
    """Some signals of a search that found something, in the order of `names`, float64."""
    return np.array([getattr(search.signals, name) for name in names], np.float64)


def with_pairs(
    standardised: np.ndarray, pairs: Sequence[tuple[str, str]], names: Sequence[str] = FEATURES
) -> np.ndarray:
    """Standardised signals of shape (rows, names) and after them the products of some pairs of them."""
    one, other = (np.array([names.index(pair[side]) for pair in pairs], np.int64) for side in (0, 1))
    return np.concatenate([standardised, standardised[:, one] * standardised[:, other]], axis=1)


class Contribution(NamedTuple):
    """What one term added to the log-odds: its name, the signal's value where it is one, and what that measures."""

    name: str
    log_odds: float
    value: float | None
    meaning: str


@dataclass(frozen=True)
class Confidence:
    """Two logistic regressions on standardised signals z = (x - mean) / scale and the products of some pairs of them:
    p = sigmoid(weights . (z, products) + intercept). `lexical` is the model of searches without a vector."""

    names: tuple[str, ...]
    mean: np.ndarray
    scale: np.ndarray
    pairs: tuple[tuple[str, str], ...]
    weights: np.ndarray
    """shape (2, signals and pairs): the first article is right; one of the first three is"""
    intercepts: np.ndarray
    answer: float
    clarify: float
    lexical: Confidence | None = None

    @classmethod
    def of(cls, index: Index) -> Confidence:
        """The model stored with an index."""
        return cls.read(index.confidence)

    @classmethod
    def read(cls, numbers: Mapping[str, Any]) -> Confidence:
        """The model of published numbers, which name their signals, in whatever order."""
        usual = (numbers["answer"], numbers["clarify"])
        words = cls._read(numbers["lexical"], LEXICAL, *usual) if "lexical" in numbers else None
        return replace(cls._read(numbers, FEATURES, *usual), lexical=words)

    @classmethod
    def _read(cls, numbers: Mapping[str, Any], names: tuple[str, ...], answer: float, clarify: float) -> Confidence:
        order = [numbers["features"].index(STORED[name]) for name in names]
        mean, scale = (np.array(numbers[name], np.float64)[order] for name in ("mean", "scale"))
        both = (numbers["first"], numbers["among"])
        pairs = tuple((FROM_STORED[one], FROM_STORED[other]) for one, other in numbers["pairs"])
        order += range(len(order), len(order) + len(pairs))
        weights = np.array([part["weights"] for part in both], np.float64)[:, order]
        intercepts = np.array([part["intercept"] for part in both], np.float64)
        return cls(names, mean, scale, pairs, weights, intercepts, answer, clarify)

    def odds(self, table: np.ndarray) -> np.ndarray:
        """Log-odds of both regressions, shape (2, rows), for signals of shape (rows, signals).

        The first article's are no higher than its lead over the second allows: evens for two of one score, and hardly
        bounded from a few times TIE on. Without a second the whole score is the lead (`score_margin` is 0 then).
        """
        result = self.weights @ self._terms(table).T + self.intercepts[:, None]
        lead = table[:, self.names.index("score")] - table[:, self.names.index("runner_up")]
        result[0] = np.minimum(result[0], np.log1p(2 * np.expm1(np.clip(lead / TIE, 0, 30))))
        return np.asarray(result)

    def _terms(self, table: np.ndarray) -> np.ndarray:
        return with_pairs((table - self.mean) / self.scale, self.pairs, self.names)

    def probabilities(self, search: Search) -> list[float]:
        """For each hit, the probability that it answers; the first is the model's own.

        What the second regression leaves for the next two is shared among them as their scores are, and what is left
        of all among the others; none is likelier than one before it.
        """
        if not search.hits:
            return []
        if not search.encoded and self.lexical is not None:
            return self.lexical.probabilities(search)
        odds = self.odds(features(search, self.names)[None, :])[:, 0]
        first, among = (float(p) for p in HIGHEST / (1.0 + np.exp(-np.clip(odds, -30, 30))))
        if search.exact:
            first = max(first, EXACT)
        among = max(first, among)
        scores = np.array([hit.score for hit in search.hits])
        share = np.exp((scores - scores[0]) / TEMPERATURE)
        result = np.empty(len(scores))
        result[0] = first
        for places, mass in ((slice(1, 3), among - first), (slice(3, None), (1 - among) / 2)):
            total = share[places].sum()
            result[places] = mass * share[places] / total if total > 0 else 0.0
        return [float(p) for p in np.minimum.accumulate(result)]

    def contributions(self, search: Search) -> list[Contribution]:
        """What each signal and each pair of them added to the log-odds that the first article is right, the intercept
        included; and what a tie with the second took. The weightiest first."""
        if not search.encoded and self.lexical is not None:
            return self.lexical.contributions(search)
        values = features(search, self.names)
        added = (self.weights[0] * self._terms(values[None, :])[0]).tolist()
        single = [
            Contribution(name, log_odds, value, MEANINGS[name])
            for name, log_odds, value in zip(self.names, added, values.tolist(), strict=False)
        ]
        pairs = [
            Contribution(f"{one} × {other}", log_odds, None, "both together")
            for (one, other), log_odds in zip(self.pairs, added[len(single) :], strict=True)
        ]
        whole = [Contribution("intercept", float(self.intercepts[0]), None, "an average search"), *single, *pairs]
        taken = float(self.odds(values[None, :])[0, 0]) - sum(each.log_odds for each in whole)
        tie = Contribution("tie", taken, None, "the second hit has nearly the same score")
        return sorted([*whole, tie] if taken < -1e-9 else whole, key=lambda each: -abs(each.log_odds))


def area(positive: Sequence[float], negative: Sequence[float]) -> float:
    """AUROC: how often a right reply has the higher probability than a wrong one."""
    if not len(positive) or not len(negative):
        return float("nan")
    both = np.concatenate([positive, negative])
    order = both.argsort(kind="stable")
    ranks = np.empty(len(both))
    ranks[order] = np.arange(1, len(both) + 1)
    for value in np.unique(both):
        same = both == value
        ranks[same] = ranks[same].mean()
    return float(
        (ranks[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2) / (len(positive) * len(negative))
    )
