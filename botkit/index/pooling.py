"""Values of rows to values of articles: by log-sum-exp, or by the best."""

from __future__ import annotations

import numpy as np


def pool(values: np.ndarray, slots: np.ndarray, size: int, temperature: float) -> np.ndarray:
    """t * log(sum(exp(f / t))) of the values of each slot; -inf for a slot without any."""
    best = best_of(values, slots, size)
    total = np.bincount(slots, np.exp((values - best[slots]) / temperature), size) if len(slots) else np.zeros(size)
    with np.errstate(divide="ignore"):
        return np.where(total > 0, best + temperature * np.log(np.maximum(total, 1e-300)), -np.inf)


def best_of(values: np.ndarray, slots: np.ndarray, size: int, nothing: float = -np.inf) -> np.ndarray:
    """The largest value of each slot; `slots` ascend, as rows of ascending articles do."""
    result = np.full(size, nothing)
    if len(slots):
        starts = np.flatnonzero(np.diff(slots, prepend=-1))
        result[slots[starts]] = np.maximum.reduceat(values, starts)
    return result
