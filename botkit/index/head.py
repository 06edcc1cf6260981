"""A head over the phrasings: which article a text is like, learned from all phrasings at once.

Kernel ridge regression of one-hot articles with the kernel

    k(x, y) = exp((cos(x, y) - 1) / WIDTH) + CHARS * cos(tf-idf of character n-grams of x and y)

solved in its dual form. A score near 1 says "this article", near 0 "not this one"; a text like nothing that was
learned scores near 0 everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from botkit.index.lexical import Lexical
from botkit.index.terms import Bags

WIDTH = 0.5
CHARS = 0.25
RIDGE = 0.1
MOST_ROWS = 16_000
MOST_WEIGHTS = 20_000_000


class Head:
    """`dual` has a row of weights for each article, one weight a phrasing; articles and phrasings in the index's
    order. `weights` are the phrasings' tf-idf, for the same terms and rows as `chars` has them."""

    def __init__(self, dual: np.ndarray, offset: np.ndarray, weights: np.ndarray, chars: Lexical) -> None:
        self.dual, self.offset, self.weights, self.chars = dual, offset, weights, chars

    @classmethod
    def fit(cls, vectors: np.ndarray, grams: Bags, group: np.ndarray, groups: int, chars: Lexical) -> Head | None:
        """None where there are too few articles to learn anything, or too many rows to solve for.

        `vectors` are the phrasings', of length 1; `grams` their n-grams, counted; `group` their articles' numbers.
        """
        from scipy.linalg import cho_factor, cho_solve

        rows = len(group)
        if groups < 2 or rows > MOST_ROWS or rows * groups > MOST_WEIGHTS:
            return None
        table = _tfidf(grams, chars)
        kernel = np.exp((vectors @ vectors.T - 1.0) / WIDTH, dtype=np.float32)
        for start in range(0, rows, 1024):  # whole, the sparse product of 16,000 rows would take gigabytes
            kernel[start : start + 1024] += CHARS * (table[start : start + 1024] @ table.T).toarray()
        kernel[np.diag_indices(rows)] += RIDGE
        target = np.zeros((rows, groups), np.float32)
        target[np.arange(rows), group] = 1.0
        offset = target.mean(axis=0)
        factor = cho_factor(kernel, lower=True, overwrite_a=True, check_finite=False)
        dual = np.asarray(cho_solve(factor, target - offset, check_finite=False), np.float32)
        by_term = table.tocsc()
        by_term.sort_indices()
        return cls(np.ascontiguousarray(dual.T), offset, by_term.data.astype(np.float32), chars)

    def scores(self, kernel: np.ndarray, groups: np.ndarray) -> np.ndarray:
        """Scores of some articles for a text whose `kernel` with every phrasing is known, float32."""
        return np.asarray(self.dual[groups] @ kernel + self.offset[groups])

    def kernel(self, cosines: np.ndarray, grams: Sequence[str]) -> np.ndarray:
        """The kernel of a text and every phrasing, float32, from its cosine to each and its own n-grams."""
        found = np.exp((cosines - 1.0) / WIDTH)
        counts = [(self.chars.column[g], n) for g, n in Counter(grams).items() if g in self.chars.column]
        if counts:
            columns = np.array([column for column, _ in counts])
            weights = (1.0 + np.log([n for _, n in counts])) * self.chars.idf[columns]
            weights *= CHARS / np.linalg.norm(weights)
            for column, weight in zip(columns.tolist(), weights.tolist(), strict=True):
                a, b = self.chars.starts[column], self.chars.starts[column + 1]
                found[self.chars.rows[a:b]] += np.float32(weight) * self.weights[a:b]
        return found

    def write(self, folder: Path) -> None:
        for name in ("dual", "offset", "weights"):
            np.save(folder / f"head.{name}.npy", getattr(self, name))

    @classmethod
    def read(cls, folder: Path, chars: Lexical) -> Head | None:
        """The head that `write` wrote, mapped, so that the processes of a server share it; None if there is none."""
        if not (folder / "head.dual.npy").exists():
            return None
        names = ("dual", "offset", "weights")
        dual, offset, weights = (np.load(folder / f"head.{name}.npy", mmap_mode="r") for name in names)
        return cls(dual, offset, weights, chars)


def _tfidf(grams: Bags, chars: Lexical) -> Any:
    """The rows' weights, each row of length 1, as a sparse matrix."""
    from scipy.sparse import csr_matrix

    columns = np.array([chars.column.get(term, 0) for term in grams.terms], np.int32)[grams.ids]
    weights = (1.0 + np.log(grams.counts.astype(np.float32))) * chars.idf[columns]
    table = csr_matrix((weights, columns, grams.starts), shape=(grams.size, len(chars.column)), dtype=np.float32)
    lengths = np.sqrt(np.asarray(table.multiply(table).sum(axis=1)).ravel())
    table.data /= np.repeat(np.maximum(lengths, 1e-9), np.diff(grams.starts)).astype(np.float32)
    return table
