"""Hits to a calibrated probability that the first article answers.

A logistic regression on some twenty-five cheap figures of a search. It fits itself on what the
corpus says of itself: each phrasing is asked without itself there, each of the articles' tests as it
is (the right answer is its own article), and every other one with its whole article left out
(nothing is right). The model is plain numbers and is stored with the index; nothing here decides
what to do with a probability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from botkit import language
from botkit.index import Index, Search

FEATURES = (
    "top",
    "z",
    "gap10",
    "csls",
    "dense",
    "dense_margin",
    "passage_dense",
    "passage_margin",
    "score",
    "score_margin",
    "word",
    "word_margin",
    "char",
    "char_margin",
    "head",
    "head_margin",
    "coverage",
    "known_words",
    "known_grams",
    "agreement",
    "word_rank",
    "entropy",
    "vote",
    "centroid",
    "length",
    "same_language",
    "language_probability",
    "phrasings",
)
ANSWER, CLARIFY = 0.88, 0.55
"""Thresholds until they are certified on judged questions."""
OUT_OF_SCOPE_SHARE = 0.35
MOST_ROWS = 1000
"""own phrasings, and as many tests, that a model is fitted on"""
EXACT = 0.97
"""the least probability of an article one of whose phrasings the question is, to the letter"""


def features(search: Search) -> np.ndarray:
    """The figures of a search in the order of FEATURES, float64."""
    hit, signals = search.hits[0], search.signals
    table = {
        **signals,
        "dense": hit.dense,
        "passage_dense": hit.passage_dense,
        "score": hit.score,
        "word": hit.word,
        "char": hit.char,
        "head": hit.head,
        "same_language": float(hit.lang == search.lang),
    }
    return np.array([table[name] for name in FEATURES], np.float64)


@dataclass(frozen=True)
class Confidence:
    """A fitted model: p = sigmoid(weights . (x - mean) / scale + intercept)."""

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    intercept: float
    temperature: float
    """of the softmax that shares what the first article leaves among the others"""
    recovery: float
    """how often the right article is among the next nine when it exists but is not first"""
    answer: float
    clarify: float

    @classmethod
    def of(cls, index: Index) -> Confidence:
        """The model stored with an index."""
        table = index.confidence
        order = [table["features"].index(name) for name in FEATURES]
        mean, scale, weights = (np.array(table[name], np.float64)[order] for name in ("mean", "scale", "weights"))
        rest = {name: table[name] for name in ("intercept", "temperature", "recovery", "answer", "clarify")}
        return cls(mean, scale, weights, **rest)

    def probabilities(self, search: Search) -> list[float]:
        """For each hit, the probability that it answers; the first is the model's own."""
        if not search.hits:
            return []
        x = (features(search) - self.mean) / self.scale
        first = float(1.0 / (1.0 + np.exp(-np.clip(self.weights @ x + self.intercept, -30, 30))))
        if search.signals["exact"]:
            first = max(first, EXACT)
        scores = np.array([hit.score for hit in search.hits])
        share = np.exp((scores - scores[0]) / self.temperature)
        rest = share[1:].sum()
        others = (1 - first) * self.recovery * share[1:] / rest if rest > 0 else share[1:]
        return [first, *np.minimum(others, first).tolist()]

    def contributions(self, search: Search) -> dict[str, float]:
        """What each figure added to the log-odds of one search, the intercept included."""
        x = (features(search) - self.mean) / self.scale
        return {"intercept": self.intercept, **dict(zip(FEATURES, (self.weights * x).tolist(), strict=True))}


def fit(index: Index, seed: int = 0) -> dict[str, Any]:
    """The model's numbers for an index, from its own phrasings and tests.

    An article with a single phrasing, or a corpus with a single article, cannot be asked without
    itself: there the numbers of a plain default remain.
    """
    searches, truths = _own_questions(index, seed)
    right = np.array([bool(s.hits) and s.hits[0].article == truth for s, truth in zip(searches, truths, strict=True)])
    if len(right) < 40 or right.all() or not right.any():
        return _default()
    from sklearn.linear_model import LogisticRegression

    table = np.array([features(s) if s.hits else np.zeros(len(FEATURES)) for s in searches])
    mean, scale = table.mean(axis=0), np.maximum(table.std(axis=0), 1e-6)
    outside = np.array([truth is None for truth in truths])
    weight = np.where(
        outside, OUT_OF_SCOPE_SHARE / max(outside.sum(), 1), (1 - OUT_OF_SCOPE_SHARE) / max((~outside).sum(), 1)
    )
    model = LogisticRegression(C=0.3, max_iter=1000)
    model.fit((table - mean) / scale, right, sample_weight=weight * len(weight))
    inside = [(s, t) for s, t, r in zip(searches, truths, right, strict=True) if t is not None and not r]
    recovered = sum(any(h.article == t for h in s.hits[1:]) for s, t in inside)
    return {
        "features": list(FEATURES),
        "mean": mean.tolist(),
        "scale": scale.tolist(),
        "weights": model.coef_[0].tolist(),
        "intercept": float(model.intercept_[0]),
        "temperature": index.ranking.temperature,
        "recovery": (recovered + 1) / (len(inside) + 2),
        "answer": ANSWER,
        "clarify": CLARIFY,
        "fitted_on": {"questions": len(right), "right": int(right.sum()), "out_of_scope": int(outside.sum())},
    }


def _own_questions(index: Index, seed: int) -> tuple[list[Search], list[str | None]]:
    """Searches for what the corpus itself asks, and the article that should be first (None: none)."""
    if len(index.ids) < 2:
        return [], []
    rng = np.random.default_rng(seed)
    rows = index.own_phrasings()
    per_article = np.bincount([group for group, _ in rows], minlength=len(index.ids))
    askable = [row for row, (group, _) in enumerate(rows) if per_article[group] > 1]
    found: list[tuple[Search, str | None]] = []
    asked = rng.permutation(askable)[:MOST_ROWS].tolist()
    for number, (row, (search, without_article)) in enumerate(zip(asked, index.ask_itself(asked), strict=True)):
        found.append((search, index.ids[rows[row][0]]))
        if number % 2 == 0:
            found.append((without_article(), None))
    tests = index.own_tests()
    chosen = [tests[i] for i in rng.permutation(len(tests))[:MOST_ROWS]]
    shares = [index.shares(text, lang) for _, lang, text in chosen]
    vectors = index.encode([language.native(text, lang) for _, lang, text in chosen])
    for number, ((article, _, text), share, vector) in enumerate(zip(chosen, shares, vectors, strict=True)):
        found.append((index.rank(text, vector, share), index.ids[article]))
        if number % 2 == 0:
            found.append((index.rank(text, vector, share, without_article=article), None))
    return [search for search, _ in found], [truth for _, truth in found]


def _default() -> dict[str, Any]:
    """Numbers that lean on the cosine and the words alone, for a corpus too small to fit on."""
    weights = dict.fromkeys(FEATURES, 0.0) | {"top": 1.4, "known_words": 0.7, "coverage": 0.7, "score_margin": 0.6}
    mean = dict.fromkeys(FEATURES, 0.0) | {"top": 0.55, "known_words": 0.7, "coverage": 0.5, "score_margin": 0.08}
    scale = dict.fromkeys(FEATURES, 1.0) | {"top": 0.2, "known_words": 0.3, "coverage": 0.3, "score_margin": 0.08}
    return {
        "features": list(FEATURES),
        "mean": [mean[f] for f in FEATURES],
        "scale": [scale[f] for f in FEATURES],
        "weights": [weights[f] for f in FEATURES],
        "intercept": 0.3,
        "temperature": 0.07,
        "recovery": 0.5,
        "answer": ANSWER,
        "clarify": CLARIFY,
        "fitted_on": {"questions": 0, "right": 0, "out_of_scope": 0},
    }


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


def summary(numbers: Mapping[str, Any]) -> str:
    """One line on how a model was fitted."""
    fitted = numbers.get("fitted_on", {})
    return (
        f"{fitted.get('questions', 0)} own questions, {fitted.get('right', 0)} right, "
        f"{fitted.get('out_of_scope', 0)} without their article"
    )
