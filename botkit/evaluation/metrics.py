"""Figures of outcomes: shares, ranking, confidence, intervals, and the paired difference of two systems.

A figure that nothing can be told about is None, never 0. Formulas with their sources are in `figures`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from botkit import confidence
from botkit.evaluation.runner import DEPTH, Evaluation, Outcome

DRAWS = 1000
BINS = 15
DELTA = 0.10
"""how often the bound of the error may fail"""
RISKS = (0.05, 0.10, 0.20)
_BLOCK = 2_000_000
"""entries of the table of weights that is in memory at once"""


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The quality of what was said; shares in [0, 1], None where there is nothing to count.

    `questions` = `in_scope` + `near` + `far` (out of scope, near and far) + `rejected` (only wrong
    articles are known; these count in `rejected_first` alone: the share whose first candidate is one of
    them). Keys that need a threshold or a probability are left out for a system that only ranks.

    Over in-scope questions:
    - `accuracy_at_1`, `accuracy_at_3`: a right article is first, or among the first three.
    - `mrr_at_10`: mean of 1 / rank of the first right article, 0 beyond ten (Voorhees 1999).
    - `ndcg_at_10`: DCG / ideal DCG, DCG = sum over right ranks i of 1 / log2(i + 1) (Järvelin and
      Kekäläinen 2002).
    - `answered`: an article was given as the answer. `asked_back_with_it`: a right article was among
      the choices of a question back. `precision_in_scope`: right among the answered.
    Over all:
    - `precision`: right among all answered; what is answered out of scope is wrong.
    - `near_answered`, `far_answered`: of those out of scope.
    - `bound`: of the error among all answered, see `bound`. `kinds`: replies by kind.
    Of the confidence c that the first article is right, over all (out of scope it never is):
    - `auroc`: P(c of a right one > c of a wrong one) + ½ P(equal) (Hanley and McNeil 1982).
    - `aurc`: mean over k of the error among the k surest, ties shared evenly (Geifman et al. 2019).
    - `coverage_at_5`, `_10`, `_20`: the largest share of all questions that some threshold answers
      with at most so many per cent wrong (El-Yaniv and Wiener 2010), chosen on these very questions.
    - `answered_at_90`: the share of in-scope questions that the threshold of `coverage_at_10` answers.
    - `ece`: sum over 15 bins of equal mass of |bin| / n · |mean c - share right| (Naeini et al. 2015;
      equal mass: Nguyen and O'Connor 2015). `brier`: mean of (c - right)² (Brier 1950).
    `intervals`: 95 % by percentile bootstrap over questions, 1,000 seeded draws (Efron 1979).
    """
    table = _Table(outcomes)
    rejected = [o for o in outcomes if o.label.scope == "rejected"]
    result: dict[str, Any] = {
        "questions": len(outcomes),
        "in_scope": int(table.inside.sum()),
        "near": int(table.near.sum()),
        "far": int(table.far.sum()),
        "rejected": len(rejected),
        "accuracy_at_1": _mean(table.right[table.inside]),
        "accuracy_at_3": _mean(table.three[table.inside]),
        "mrr_at_10": _mean(table.reciprocal[table.inside]),
        "ndcg_at_10": _mean(table.gain[table.inside]),
        "rejected_first": _mean(np.array([o.right is False for o in rejected], bool)),
    }
    if table.answers:
        errors, answered = int((table.answered & ~table.right).sum()), int(table.answered.sum())
        result |= {
            "answered": _mean(table.answered[table.inside]),
            "precision_in_scope": _mean(table.right[table.inside & table.answered]),
            "precision": _mean(table.right[table.answered]),
            "asked_back_with_it": _mean(table.offered[table.inside]),
            "near_answered": _mean(table.answered[table.near]),
            "far_answered": _mean(table.answered[table.far]),
            "bound": {"errors": errors, "answered": answered, "delta": DELTA, "upper": bound(errors, answered)},
            "kinds": dict(sorted(Counter(o.kind for o in outcomes if o.kind).items())),
        }
    risks, covered = _coverage(table)
    result |= {
        "auroc": _number(confidence.area(table.sure[table.right].tolist(), table.sure[~table.right].tolist())),
        "aurc": _mean(risks),
        **{f"coverage_at_{100 * risk:.0f}": share for risk, (share, _) in covered.items()},
        "answered_at_90": covered[0.10][1],
    }
    if table.answers:
        result |= {"ece": ece(table.sure, table.right), "brier": _mean((table.sure - table.right) ** 2)}
    result["intervals"] = {
        name: _interval(values) for name, values in _bootstrap([table], _estimates(table.answers)).items()
    }
    return result


def bound(errors: int, answered: int, delta: float = DELTA) -> float | None:
    """The exact upper bound of the share of errors: the truth lies above it in at most `delta` of all
    samples (Clopper and Pearson 1934): the 1 - delta quantile of Beta(errors + 1, answered - errors).
    None where nothing was answered."""
    return confidence.upper_bound(errors, answered, delta) if answered else None


def ece(sure: np.ndarray, right: np.ndarray) -> float | None:
    """Expected calibration error over bins of equal mass; see `figures`."""
    if not len(sure):
        return None
    return float(sum(len(c) * abs(c.mean() - r.mean()) for c, r in bins(sure, right)) / len(sure))


def bins(sure: np.ndarray, right: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Probabilities and marks, in bins of equal mass, the least sure first; no bin is empty."""
    parts = np.array_split(np.argsort(sure, kind="stable"), BINS)
    return [(sure[part], right[part]) for part in parts if len(part)]


def risk_curve(outcomes: Sequence[Outcome]) -> list[tuple[float, float]]:
    """(coverage, error among the so many surest), from the surest question to all of them."""
    table = _Table(outcomes)
    risks, _ = _coverage(table)
    return [((k + 1) / len(risks), float(risk)) for k, risk in enumerate(risks)]


def sureness(outcomes: Sequence[Outcome]) -> tuple[np.ndarray, np.ndarray]:
    """The confidence (float64) and whether the first article is right (bool), of those where that is known."""
    table = _Table(outcomes)
    return table.sure, table.right


def compare(a: Evaluation, b: Evaluation) -> dict[str, Any]:
    """What changed from `a` to `b` on the same questions.

    `differences` has for accuracy_at_1, answered, precision and auroc the values before and after,
    their difference and its 95 % interval by paired bootstrap: each draw takes the same questions of
    both. `changed` lists the questions whose first article or kind of reply is another, `better`,
    `worse` or `other`. Raises ValueError unless both were asked the same questions.
    """
    if [o.label for o in a.outcomes] != [o.label for o in b.outcomes]:
        raise ValueError("the two evaluations are of different questions. Ask both systems the same ones.")
    before, after = _Table(a.outcomes), _Table(b.outcomes)
    estimates = _estimates(before.answers and after.answers)
    points = [{name: estimate(table, table.once) for name, estimate in estimates.items()} for table in (before, after)]
    differences: dict[str, Any] = {}
    for name, values in _bootstrap([before, after], estimates).items():
        old, new = (_number(point[name][0]) for point in points)
        differences[name] = {
            "before": old,
            "after": new,
            "difference": None if old is None or new is None else new - old,
            "interval": _interval(values),
        }
    changed = []
    for old_one, new_one in zip(a.outcomes, b.outcomes, strict=True):
        if (old_one.article, old_one.kind, old_one.answered) != (new_one.article, new_one.kind, new_one.answered):
            gain = _grade(new_one) - _grade(old_one)
            changed.append(
                {
                    "id": old_one.label.id,
                    "lang": old_one.label.lang,
                    "text": old_one.label.text,
                    "relevant": _sorted(old_one.label.relevant),
                    "change": "better" if gain > 0 else "worse" if gain < 0 else "other",
                    "before": _said(old_one),
                    "after": _said(new_one),
                }
            )
    return {
        "before": {"system": a.system, "version": a.version},
        "after": {"system": b.system, "version": b.version},
        "questions": len(a.outcomes),
        "differences": differences,
        "changed": sorted(changed, key=lambda c: ("worse", "better", "other").index(str(c["change"]))),
    }


# ---------------------------------------------------------------- outcomes as columns


class _Table:
    """Outcomes with a known truth, a column each."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        known = [o for o in outcomes if o.label.relevant is not None]
        scope = np.array([o.label.scope for o in known], object)
        self.inside, self.near, self.far = (scope == name for name in ("in", "near", "far"))
        ranks = [[i for i, a in enumerate(o.ranked[:DEPTH], 1) if a in (o.label.relevant or ())] for o in known]
        self.right = np.array([bool(o.right) for o in known], bool)
        self.three = np.array([bool(result) and result[0] <= 3 for result in ranks], bool)
        self.reciprocal = np.array([1.0 / result[0] if result else 0.0 for result in ranks])
        ideal = np.cumsum(1.0 / np.log2(np.arange(2, DEPTH + 2)))
        most = [min(len(o.label.relevant or ()), DEPTH) for o in known]
        self.gain = np.array(
            [sum(1.0 / np.log2(i + 1) for i in result) / ideal[m - 1] if m else 0.0 for result, m in zip(ranks, most)]  # noqa: B905
        )
        self.sure = np.array([o.confidence for o in known], np.float64)
        self.answers = bool(outcomes) and all(o.answered is not None for o in outcomes)
        self.answered = np.array([bool(o.answered) for o in known], bool)
        self.offered = np.array([o.offered for o in known], bool)
        self.once = np.ones((1, len(known)))
        order = np.argsort(self.sure, kind="stable")
        self.order, self.starts = order, np.flatnonzero(np.diff(self.sure[order], prepend=-np.inf))


def _coverage(table: _Table) -> tuple[np.ndarray, dict[float, tuple[float | None, float | None]]]:
    """The error among the k surest, for each k; and for each risk the largest coverage, of all and of
    those in scope."""
    if not len(table.sure):
        return np.zeros(0), dict.fromkeys(RISKS, (None, None))
    _, group, sizes = np.unique(-table.sure, return_inverse=True, return_counts=True)
    shared = np.bincount(group, weights=~table.right) / sizes
    order = np.argsort(group, kind="stable")
    risks = np.cumsum(shared[group[order]]) / np.arange(1, len(order) + 1)
    ends = np.cumsum(sizes)
    inside = np.cumsum(np.bincount(group, weights=table.inside))
    result: dict[float, tuple[float | None, float | None]] = {}
    for risk in RISKS:
        held = np.flatnonzero(risks[ends - 1] <= risk + 1e-12)
        k = int(held[-1]) if len(held) else None
        of_all = float(ends[k] / len(order)) if k is not None else 0.0
        of_inside = float(inside[k] / inside[-1]) if k is not None and inside[-1] else 0.0
        result[risk] = of_all, of_inside if inside[-1] else None
    return risks, result


# ---------------------------------------------------------------- bootstrap

_Estimate = Callable[[_Table, np.ndarray], np.ndarray]


def _estimates(answers: bool) -> dict[str, _Estimate]:
    """Figures of weighted questions: tables of weights of shape (draws, questions) to (draws,)."""
    result: dict[str, _Estimate] = {"accuracy_at_1": lambda t, w: _weighted(w, t.right & t.inside, t.inside)}
    if answers:
        result["answered"] = lambda t, w: _weighted(w, t.answered & t.inside, t.inside)
        result["precision"] = lambda t, w: _weighted(w, t.answered & t.right, t.answered)
    result["auroc"] = _areas
    return result


def _weighted(weights: np.ndarray, marks: np.ndarray, among: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.asarray((weights @ marks) / (weights @ among))


def _areas(table: _Table, weights: np.ndarray) -> np.ndarray:
    """AUROC for each row of weights, from the weight of right and wrong at each value of the confidence."""
    if not len(table.sure):
        return np.full(len(weights), np.nan)
    right = table.right[table.order]
    sorted_weights = weights[:, table.order]
    positive = np.add.reduceat(sorted_weights * right, table.starts, axis=1)
    negative = np.add.reduceat(sorted_weights * ~right, table.starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    with np.errstate(invalid="ignore"):
        return np.asarray((positive * below).sum(axis=1) / (positive.sum(axis=1) * negative.sum(axis=1)))


def _bootstrap(tables: Sequence[_Table], estimates: Mapping[str, _Estimate]) -> dict[str, np.ndarray]:
    """Each figure in every draw of the questions; with two tables, the second's less the first's."""
    count = len(tables[0].sure)
    if not count:
        return {name: np.zeros(0) for name in estimates}
    rng = np.random.default_rng(0)
    result: dict[str, list[np.ndarray]] = {name: [] for name in estimates}
    step = max(1, min(DRAWS, _BLOCK // count))
    for start in range(0, DRAWS, step):
        draws = min(step, DRAWS - start)
        chosen = rng.integers(count, size=(draws, count)) + count * np.arange(draws)[:, None]
        weights = np.bincount(chosen.ravel(), minlength=draws * count).reshape(draws, count).astype(np.float64)
        for name, estimate in estimates.items():
            values = [estimate(table, weights) for table in tables]
            result[name].append(values[-1] - values[0] if len(values) > 1 else values[0])
    return {name: np.concatenate(parts) for name, parts in result.items()}


def _interval(values: np.ndarray) -> list[float] | None:
    kept = values[~np.isnan(values)]
    if not len(kept):
        return None
    low, high = np.quantile(kept, [0.025, 0.975])
    return [float(low), float(high)]


# ---------------------------------------------------------------- small parts


def _grade(outcome: Outcome) -> float:
    """How good it is for the customer: a wrong answer is the worst, a right one the best."""
    if outcome.answered is None:
        return float(outcome.right is True)
    if outcome.label.scope in ("near", "far"):
        return 0.0 if outcome.answered else 1.0 if outcome.kind == "clarify" else 2.0
    if outcome.label.scope == "rejected":
        return float(not (outcome.answered and outcome.wrong))
    if outcome.answered:
        return 4.0 if outcome.right else 0.0
    return (2.0 if outcome.offered else 1.0) + 0.5 * bool(outcome.right)


def _said(outcome: Outcome) -> dict[str, Any]:
    return {
        "article": outcome.article,
        "confidence": outcome.confidence,
        "kind": outcome.kind,
        "right": outcome.right,
    }


def _sorted(ids: frozenset[str] | None) -> list[str] | None:
    return None if ids is None else sorted(ids)


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
