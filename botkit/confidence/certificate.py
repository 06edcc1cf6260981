"""The promise behind a threshold: at most a share alpha of what is answered is wrong, with probability 1 - delta.

Thresholds are tested one after another in an order that does not look at who was right, each by the exact
binomial test of Clopper and Pearson (1934); testing in a fixed order and stopping at the first failure keeps the
whole procedure at delta (Angelopoulos et al. 2022, "Learn then test"). Choosing the threshold that merely looks best
would break its promise in a third to a half of all draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

ALPHA, DELTA = 0.10, 0.10
LEAST_THRESHOLD = 0.30
"""below it a reply is a guess, whatever can be certified"""
STEPS = np.round(np.arange(0.98, LEAST_THRESHOLD - 0.001, -0.02), 2)
START = 0.25
"""the share of the questions that the first threshold tested answers at least: enough to bear an error"""


def upper_bound(wrong: int, answered: int, delta: float = DELTA) -> float:
    """Clopper and Pearson's upper bound of a share, at level 1 - delta; 1.0 for nothing answered."""
    from scipy.stats import beta

    return 1.0 if wrong >= answered else float(beta.ppf(1.0 - delta, wrong + 1, answered - wrong))


def least_without_error(alpha: float = ALPHA, delta: float = DELTA) -> int:
    """How many answers, none wrong, certify alpha: the least n with (1 - alpha)^n <= delta."""
    return int(np.ceil(np.log(delta) / np.log1p(-alpha)))


def certify(
    probabilities: Sequence[float] | np.ndarray,
    right: Sequence[bool] | np.ndarray,
    alpha: float = ALPHA,
    delta: float = DELTA,
) -> dict[str, Any]:
    """The loosest threshold that keeps the promise on judged questions, or why there is none yet.

    `probabilities` must come from a model that was not fitted on these very questions; `right` says whether the
    first article was (never, out of scope). The table has certified, alpha, delta, labels and, when certified,
    threshold, answered, wrong and bound; when not, `labels_more`, the estimate of how many more questions like
    these would do, or None when more of them would not.
    """
    p, good = np.asarray(probabilities, np.float64), np.asarray(right, bool)
    table: dict[str, Any] = {"certified": False, "alpha": alpha, "delta": delta, "labels": len(p)}
    least = max(least_without_error(alpha, delta), int(START * len(p)))
    tested = [(float(t), int((p >= t).sum()), int((~good[p >= t]).sum())) for t in STEPS if (p >= t).sum() >= least]
    for threshold, answered, wrong in tested:
        bound = upper_bound(wrong, answered, delta)
        if bound > alpha:
            break
        table |= {"certified": True, "threshold": threshold, "answered": answered, "wrong": wrong, "bound": bound}
    return table if table["certified"] else table | {"labels_more": _more(p, good, alpha, delta)}


def _more(p: np.ndarray, good: np.ndarray, alpha: float, delta: float) -> int | None:
    """How many more labels would certify some threshold if they came out as these did."""
    least = least_without_error(alpha, delta)
    if len(p) < least:
        return int(2 * least - len(p))
    result = []
    for t in STEPS:
        answered = p >= t
        share, errors = float(answered.mean()), float((~good[answered]).mean()) if answered.any() else 1.0
        if share < 0.02 or errors >= 0.8 * alpha:
            continue
        n = next((n for n in range(least, 5000, 5) if upper_bound(int(np.ceil(errors * n)), n, delta) <= alpha), None)
        if n is not None:
            result.append(int(np.ceil(max(n, START * len(p)) / share)) - len(p))
    return max(min(result), 10) if result else None
