"""Hits to a calibrated probability that the first article answers.

Two logistic regressions on cheap figures of a search, of which the lower speaks: one on all of them
says whether this is the right article, one on the words alone whether the question is about anything
that the corpus knows. They fit themselves on what the corpus says of itself: each phrasing is asked
without itself there, each of the articles' tests as it is (the right answer is its own article), and
some with their whole article left out, or with all that is like it (nothing is right). The model is
plain numbers and is stored with the index; nothing here decides what to do with a probability.
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
FAMILIAR = ("word", "char", "coverage", "known_words", "known_grams")
"""the figures that tell a question about something else altogether"""
ANSWER, CLARIFY = 0.85, 0.55
"""Thresholds until they are certified on judged questions."""
OUT_OF_SCOPE_SHARE = 0.35
MOST_ROWS = 1000
"""own phrasings, and as many tests, that a model is fitted on"""
FEWEST_QUESTIONS = 300
"""ten for each figure: fitted on fewer, a model is sure of nonsense"""
SURE = 30.0
"""log-odds of a regression that has nothing to say"""
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
    """A fitted model: p = sigmoid(min over both regressions of weights . (x - mean) / scale + intercept)."""

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    """shape (2, figures): is this the right article, is the question familiar"""
    intercepts: np.ndarray
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
        mean, scale = (np.array(table[name], np.float64)[order] for name in ("mean", "scale"))
        weights = np.array([table["weights"], table["familiar_weights"]], np.float64)[:, order]
        intercepts = np.array([table["intercept"], table["familiar_intercept"]], np.float64)
        rest = {name: table[name] for name in ("temperature", "recovery", "answer", "clarify")}
        return cls(mean, scale, weights, intercepts, **rest)

    def probabilities(self, search: Search) -> list[float]:
        """For each hit, the probability that it answers; the first is the model's own."""
        if not search.hits:
            return []
        x = (features(search) - self.mean) / self.scale
        odds = float((self.weights @ x + self.intercepts).min())
        first = float(1.0 / (1.0 + np.exp(-np.clip(odds, -30, 30))))
        if search.signals["exact"]:
            first = max(first, EXACT)
        scores = np.array([hit.score for hit in search.hits])
        share = np.exp((scores - scores[0]) / self.temperature)
        rest = share[1:].sum()
        others = (1 - first) * self.recovery * share[1:] / rest if rest > 0 else share[1:]
        return [first, *np.minimum(others, first).tolist()]

    def contributions(self, search: Search) -> dict[str, float]:
        """What each figure added to the log-odds of one search in the regression that spoke, the
        intercept included."""
        x = (features(search) - self.mean) / self.scale
        speaks = int((self.weights @ x + self.intercepts).argmin())
        parts = dict(zip(FEATURES, (self.weights[speaks] * x).tolist(), strict=True))
        return {"intercept": float(self.intercepts[speaks]), **parts}


def fit(index: Index, seed: int = 0) -> dict[str, Any]:
    """The model's numbers for an index, from its own phrasings and tests.

    An article with a single phrasing, or a corpus with a single article, cannot be asked without
    itself: there the numbers of a plain default remain.
    """
    searches, truths, far = _own_questions(index, seed)
    right = np.array([bool(s.hits) and s.hits[0].article == truth for s, truth in zip(searches, truths, strict=True)])
    if len(right) < FEWEST_QUESTIONS or right.all() or not right.any():
        return _default()
    from sklearn.linear_model import LogisticRegression

    table = np.array([features(s) if s.hits else np.zeros(len(FEATURES)) for s in searches])
    mean, scale = table.mean(axis=0), np.maximum(table.std(axis=0), 1e-6)
    outside = np.array([truth is None for truth in truths])
    model = LogisticRegression(C=0.3, max_iter=1000)
    model.fit((table - mean) / scale, right, sample_weight=_balanced(outside))
    familiar = np.array([name in FAMILIAR for name in FEATURES])
    known = LogisticRegression(C=0.3, max_iter=1000)
    known_weights, known_intercept = np.zeros(len(FEATURES)), SURE
    told = ~outside | far
    if far.sum() >= FEWEST_QUESTIONS / 3:
        known.fit(((table - mean) / scale)[told][:, familiar], ~far[told], sample_weight=_balanced(far[told]))
        known_weights[familiar], known_intercept = known.coef_[0], float(known.intercept_[0])
    inside = [(s, t) for s, t, r in zip(searches, truths, right, strict=True) if t is not None and not r]
    recovered = sum(any(h.article == t for h in s.hits[1:]) for s, t in inside)
    return {
        "features": list(FEATURES),
        "mean": mean.tolist(),
        "scale": scale.tolist(),
        "weights": model.coef_[0].tolist(),
        "intercept": float(model.intercept_[0]),
        "familiar_weights": known_weights.tolist(),
        "familiar_intercept": known_intercept,
        "temperature": index.ranking.temperature,
        "recovery": (recovered + 1) / (len(inside) + 2),
        "answer": ANSWER,
        "clarify": CLARIFY,
        "fitted_on": {"questions": len(right), "right": int(right.sum()), "out_of_scope": int(outside.sum())},
    }


def _balanced(outside: np.ndarray) -> np.ndarray:
    """Weights that make what is out of scope its share of all, whatever its number; of mean 1."""
    share = np.where(
        outside, OUT_OF_SCOPE_SHARE / max(outside.sum(), 1), (1 - OUT_OF_SCOPE_SHARE) / max((~outside).sum(), 1)
    )
    return np.asarray(share * len(share))


def _own_questions(index: Index, seed: int) -> tuple[list[Search], list[str | None], np.ndarray]:
    """Searches for what the corpus itself asks, the article that should be first (None: none), and
    which of them are far from everything that was left."""
    if len(index.ids) < 2:
        return [], [], np.zeros(0, bool)
    rng = np.random.default_rng(seed)
    rows = index.own_phrasings()
    per_article = np.bincount([group for group, _ in rows], minlength=len(index.ids))
    askable = [row for row, (group, _) in enumerate(rows) if per_article[group] > 1]
    found: list[tuple[Search, str | None]] = []
    distant: list[int] = []
    asked = rng.permutation(askable)[:MOST_ROWS].tolist()
    for number, (row, (search, without_article)) in enumerate(zip(asked, index.ask_itself(asked), strict=True)):
        found.append((search, index.ids[rows[row][0]]))
        if number % 2 == 0:
            found.append((without_article(), None))
    # Out of scope, near: the right article is not there. Far: neither is anything like it.
    neighbourhood = min(10, len(index.ids) // 3)
    places = {article_id: i for i, article_id in enumerate(index.ids)}
    tests = index.own_tests()
    chosen = [tests[i] for i in rng.permutation(len(tests))[:MOST_ROWS]]
    shares = [index.shares(text, lang) for _, lang, text in chosen]
    vectors = index.encode([language.native(text, lang) for _, lang, text in chosen])
    for number, ((article, _, text), share, vector) in enumerate(zip(chosen, shares, vectors, strict=True)):
        search = index.rank(text, vector, share)
        found.append((search, index.ids[article]))
        alike = {places[hit.article] for hit in search.hits[:neighbourhood]} if number % 2 else set()
        distant.extend([len(found)] if alike else [])
        found.append((index.rank(text, vector, share, without=sorted({article, *alike})), None))
    far = np.zeros(len(found), bool)
    far[distant] = True
    return [search for search, _ in found], [truth for _, truth in found], far


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
        "familiar_weights": [0.0] * len(FEATURES),
        "familiar_intercept": SURE,
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
