"""The model's numbers for an index: those shipped with botkit, moved or refitted by judged questions.

The shipped numbers come from simulated bots (`eval/simulate.py`). Fewer than SHIFT labels change nothing, from there
on they move the intercept, and from REFIT on the model is fitted anew on the simulated rows and the labels together.
The threshold is certified on the labels by a model that has not seen them, where needed by cross-fitting.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from botkit import encoder, language
from botkit.confidence.certificate import ALPHA, DELTA, certify
from botkit.confidence.model import PAIRS, Confidence, features, with_pairs
from botkit.corpus import Label
from botkit.index import FEATURES, STORED, Index

FOLDER = Path(__file__).parent
ROWS, NUMBERS = FOLDER / "shipped.npz", FOLDER / "shipped.json"
OUT_OF_SCOPE, FEW = 0.15, 2.0
"""the share of questions that no article answers, to which the simulated bots' questions are weighted; and the articles
at which a bot has half of what it would have with many: it is asked for more than it has"""
INVERSE_PENALTY = 0.3
ANSWER, CLARIFY = 0.85, 0.50
"""thresholds until one is certified, chosen on development questions"""
SHIFT, REFIT = 30, 100
"""labels that move the intercept, and that refit the whole"""
LABEL_WEIGHT = 10.0
"""simulated questions that a label counts as much as"""
WEIGHTS = {"golden": 1.0, "editor": 1.0, "agent": 1.0, "customer": 0.3}
"""by who judged: a customer's click says less than a colleague's"""
FOLDS = 5
FEWEST_OF_A_LANGUAGE = 60
"""labels of one language that it can have a certificate of its own from"""


@dataclass(frozen=True)
class Rows:
    """Signals of searches (rows, FEATURES), whether the first article was right and whether one of the first three
    was, and the weight of each."""

    table: np.ndarray
    right: np.ndarray
    among: np.ndarray
    weight: np.ndarray

    def target(self, part: str) -> np.ndarray:
        """What one of the regressions is to say."""
        return self.right if part == "first" else self.among

    def take(self, chosen: np.ndarray) -> Rows:
        return Rows(self.table[chosen], self.right[chosen], self.among[chosen], self.weight[chosen])

    def after(self, other: Rows) -> Rows:
        """The rows of another and then these."""
        pairs = zip(vars(other).values(), vars(self).values(), strict=True)
        return Rows(*(np.concatenate(pair) for pair in pairs))


def fit(index: Index, labels: Sequence[Label] = (), *, alpha: float = ALPHA, delta: float = DELTA) -> dict[str, Any]:
    """The numbers for an index: `Confidence.of` reads them, and `certificate` in them is the promise.

    Labels whose `split` is `test` are left alone. At most `alpha` of the answered are wrong, with probability
    1 - `delta`; where that cannot be certified the usual threshold stays and `certificate` says so.
    """
    base = shipped(index)
    judged = [label for label in labels if label.split != "test"]
    rows, known = judged_rows(index, judged)
    numbers, apart = _with_labels(base, rows)
    overall = certify(apart, rows.right, alpha, delta)
    by_language = {}
    for lang in index.languages:
        mine = np.array([judged[i].lang == lang for i in known], bool)
        if mine.sum() >= FEWEST_OF_A_LANGUAGE:
            by_language[lang] = certify(apart[mine], rows.right[mine], alpha, delta)
    if overall["certified"]:
        numbers["answer"] = overall["threshold"]
        numbers["clarify"] = min(CLARIFY, overall["threshold"])
    return numbers | {"certificate": overall, "certificates": by_language}


def shipped(index: Index) -> dict[str, Any]:
    """The numbers that ship with botkit. `calibrated` is false for an encoder that they were not made with: the
    signals are on the same scales, so that they order as well, but what they promise is not known."""
    numbers: dict[str, Any] = json.loads(NUMBERS.read_text(encoding="utf-8"))
    return numbers | {"calibrated": numbers["encoder"] == encoder.identity(index.encoder), "labels": 0}


def learn(
    rows: Rows,
    parts: Sequence[str] = ("first", "among"),
    names: Sequence[str] = FEATURES,
    pairs: Sequence[tuple[str, str]] = PAIRS,
) -> dict[str, Any]:
    """Logistic regressions on standardised signals and the products of pairs of them: is the first article right, is
    one of the first three."""
    from sklearn.linear_model import LogisticRegression

    mean, scale = rows.table.mean(axis=0), np.maximum(rows.table.std(axis=0), 1e-6)
    terms = with_pairs((rows.table - mean) / scale, pairs, names)
    result: dict[str, Any] = {
        "features": [STORED[name] for name in names],
        "mean": mean.tolist(),
        "scale": scale.tolist(),
        "pairs": [[STORED[one], STORED[other]] for one, other in pairs],
    }
    for name in parts:
        model = LogisticRegression(C=INVERSE_PENALTY, solver="newton-cholesky", max_iter=100)
        model.fit(terms, rows.target(name), sample_weight=rows.weight)
        result[name] = {"weights": model.coef_[0].tolist(), "intercept": float(model.intercept_[0])}
    return result


def simulated() -> Rows:
    """The rows that ship: every bot counts the same, and in each what is out of scope its share."""
    with np.load(ROWS, allow_pickle=False) as stored:
        order = [stored["figures"].tolist().index(STORED[name]) for name in FEATURES]
        table = stored["table"].astype(np.float64)[:, order]
        right, place, inside, bot = (stored[name] for name in ("right", "place", "inside", "bot"))
    articles = np.exp(table[:, FEATURES.index("articles")])
    return Rows(table, right, (place > 0) & (place <= 3), balanced(inside, bot, articles))


def balanced(inside: np.ndarray, bot: np.ndarray, articles: np.ndarray) -> np.ndarray:
    """Weights of mean 1: each bot's add up to the same, those of what it answers to `1 - OUT_OF_SCOPE` of it where it
    has many articles."""
    weight = np.zeros(len(bot))
    answered = (1 - OUT_OF_SCOPE) * articles / (articles + FEW)
    for marks, share in ((inside, answered), (~inside, 1 - answered)):
        count = np.bincount(bot[marks], minlength=int(bot.max()) + 1)
        weight[marks] = share[marks] / count[bot[marks]]
    return np.asarray(weight / weight.mean())


def judged_rows(index: Index, labels: Sequence[Label]) -> tuple[Rows, list[int]]:
    """Rows of labels, asked on a page in their language, and the places of those that tell something: where only
    wrong articles are known, the first must be one of them."""
    searches = index.search_many([language.clean(label.text) for label in labels], [label.lang for label in labels])
    table, right, among, weight, known = [], [], [], [], []
    for place, (label, search) in enumerate(zip(labels, searches, strict=True)):
        order = [hit.article for hit in search.hits]
        if not order or search.exact or (label.relevant is None and order[0] not in label.rejected):
            continue
        relevant = label.relevant or frozenset()
        table.append(features(search))
        right.append(order[0] in relevant)
        among.append(bool(relevant & set(order[:3])))
        weight.append(WEIGHTS[label.source])
        known.append(place)
    shape = (len(known), len(FEATURES))
    marks = (np.array(right, bool), np.array(among, bool), np.array(weight, np.float64))
    return Rows(np.array(table, np.float64).reshape(shape), *marks), known


def _with_labels(base: Mapping[str, Any], rows: Rows) -> tuple[dict[str, Any], np.ndarray]:
    """The numbers that labels make of the shipped ones, and the probabilities of the labels' first articles by
    numbers that have not seen them."""
    count = len(rows.right)
    if count < SHIFT:
        return dict(base), _probabilities(base, rows)
    prior = simulated() if count >= REFIT else None
    fold = np.random.default_rng(0).permutation(count) % FOLDS
    apart = np.zeros(count)
    for number in range(FOLDS):
        numbers = _adapted(base, rows.take(fold != number), prior, ("first",))
        apart[fold == number] = _probabilities(numbers, rows.take(fold == number))
    return _adapted(base, rows, prior), apart


def _adapted(
    base: Mapping[str, Any], rows: Rows, prior: Rows | None, parts: Sequence[str] = ("first", "among")
) -> dict[str, Any]:
    """The numbers after some labels; only `parts` of them are meant to be used."""
    numbers = dict(base)
    if prior is not None:
        heavy = Rows(rows.table, rows.right, rows.among, rows.weight * LABEL_WEIGHT)
        numbers |= learn(heavy.after(prior), parts)
    for name in parts:
        odds = Confidence.read(numbers).odds(rows.table)[0 if name == "first" else 1]
        moved = _shift(odds, rows.target(name), rows.weight)
        numbers[name] = numbers[name] | {"intercept": numbers[name]["intercept"] + moved}
    return numbers | {"labels": len(rows.right), "refitted": prior is not None}


def _shift(odds: np.ndarray, target: np.ndarray, weight: np.ndarray) -> float:
    """What to add to log-odds so that their probabilities are right on average: the most likely, given a prior of
    mean 0 and deviation 1, by Newton's method."""
    moved = 0.0
    for _ in range(20):
        p = 1 / (1 + np.exp(-(odds + moved)))
        step = ((weight * (target - p)).sum() - moved) / ((weight * p * (1 - p)).sum() + 1)
        moved += float(np.clip(step, -1, 1))
    return moved


def _probabilities(numbers: Mapping[str, Any], rows: Rows) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-Confidence.read(numbers).odds(rows.table)[0])))


def summary(numbers: Mapping[str, Any]) -> str:
    """One line on how a model was fitted and what it promises."""
    labels, certificate = numbers.get("labels", 0), numbers.get("certificate", {})
    how = "as shipped"
    if labels:
        how = f"{'refitted' if numbers.get('refitted') else 'shifted'} with {labels} labels"
    if certificate.get("certified"):
        return (
            f"{how}; certified: at most {certificate['alpha']:.0%} of the answers are wrong from "
            f"{certificate['threshold']:.2f} on ({certificate['wrong']} of {certificate['answered']} were)"
        )
    more = certificate.get("labels_more")
    return f"{how}; uncertified" + (f", about {more} labels more" if more else "")
