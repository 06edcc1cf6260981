"""A linear head over the phrasings: which article a text is like, learned from all phrasings at once.

Ridge regression of one-hot articles on `[vector | character n-gram tf-idf]`, solved in its dual
form. Unlike a logistic regression it gives, in closed form, what it would have said about each
phrasing had that phrasing, or its whole article, not been there; the confidence model is fitted on
those. (Leave-one-out by the inverse of K + lambda I: Cawley and Talbot 2003; in blocks the same way.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from botkit.index.lexical import Lexical
from botkit.index.terms import Bags

DENSE_SHARE = 0.5
"""weight of the cosine kernel beside the n-gram kernel"""
RIDGE = 1.0
SHARPNESS = 8.0
"""of the softmax that turns regression scores into probabilities"""
FEWEST_PHRASINGS = 3.0
"""a head learns nothing where an article has fewer phrasings on average, all languages counted"""
MOST_ROWS = 16_000
MOST_WEIGHTS = 40_000_000


@dataclass(frozen=True)
class OwnScores:
    """The head's log-probabilities for its own rows, shape (rows, articles): with the row left out,
    and with its whole article left out."""

    without_row: np.ndarray
    without_article: np.ndarray


class Head:
    """scores = vector @ dense + grams @ sparse + offset; articles in the index's order."""

    def __init__(self, dense: np.ndarray, sparse: np.ndarray, offset: np.ndarray, chars: Lexical) -> None:
        self.dense, self.sparse, self.offset, self.chars = dense, sparse, offset, chars

    @classmethod
    def fit(
        cls, vectors: np.ndarray, grams: Bags, group: np.ndarray, groups: int, chars: Lexical
    ) -> tuple[Head, OwnScores] | None:
        """None where the corpus is too small, too large or has too few phrasings per article."""
        rows = len(group)
        if (
            groups < 2
            or rows < FEWEST_PHRASINGS * groups
            or rows > MOST_ROWS
            or len(chars.column) * groups > MOST_WEIGHTS
        ):
            return None
        table = _tfidf(grams, chars)
        kernel = DENSE_SHARE * (vectors @ vectors.T) + (table @ table.T).toarray()
        kernel[np.diag_indices(rows)] += RIDGE
        inverse = np.linalg.inv(kernel.astype(np.float32))
        target = np.zeros((rows, groups), np.float32)
        target[np.arange(rows), group] = 1.0
        offset = target.mean(axis=0)
        dual = inverse @ (target - offset)
        without_row = target - dual / np.diag(inverse)[:, None]
        without_article = np.empty_like(target)
        for number in range(groups):
            own = np.flatnonzero(group == number)
            if len(own):
                block = inverse[np.ix_(own, own)]
                without_article[own] = target[own] - np.linalg.solve(block, dual[own])
        head = cls(
            (DENSE_SHARE * vectors.T @ dual).astype(np.float32), np.asarray(table.T @ dual, np.float16), offset, chars
        )
        return head, OwnScores(_log_softmax(without_row), _log_softmax(without_article))

    def log_probabilities(self, vector: np.ndarray, grams: Sequence[str]) -> np.ndarray:
        """log p(article), float32 of shape (articles,)."""
        columns, weights = _weights(grams, self.chars)
        scores = vector @ self.dense + self.offset
        if len(columns):
            scores = scores + weights @ self.sparse[columns].astype(np.float32)
        return np.asarray(_log_softmax(scores[None, :])[0])

    def arrays(self) -> dict[str, np.ndarray]:
        return {"dense": self.dense, "sparse": self.sparse, "offset": self.offset}

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], chars: Lexical) -> Head:
        return cls(arrays["dense"], arrays["sparse"], arrays["offset"], chars)


def _weights(grams: Sequence[str], chars: Lexical) -> tuple[np.ndarray, np.ndarray]:
    """Columns and tf-idf weights, of length 1, of one text."""
    found = [(chars.column[g], n) for g, n in Counter(grams).items() if g in chars.column]
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    columns = np.array([c for c, _ in found])
    weights = (1.0 + np.log(np.array([n for _, n in found], np.float32))) * chars.idf[columns]
    return columns, (weights / np.linalg.norm(weights)).astype(np.float32)


def _tfidf(grams: Bags, chars: Lexical) -> Any:
    """The rows' weights, each row of length 1, as a sparse matrix."""
    from scipy.sparse import csr_matrix

    columns = np.array([chars.column.get(term, 0) for term in grams.terms], np.int32)[grams.ids]
    weights = (1.0 + np.log(grams.counts.astype(np.float32))) * chars.idf[columns]
    table = csr_matrix((weights, columns, grams.starts), shape=(grams.size, len(chars.column)), dtype=np.float32)
    lengths = np.sqrt(np.asarray(table.multiply(table).sum(axis=1)).ravel())
    table.data /= np.repeat(np.maximum(lengths, 1e-9), np.diff(grams.starts)).astype(np.float32)
    return table


def _log_softmax(scores: np.ndarray) -> np.ndarray:
    scaled = SHARPNESS * scores
    top = scaled.max(axis=1, keepdims=True)
    return np.asarray(scaled - top - np.log(np.exp(scaled - top).sum(axis=1, keepdims=True)), np.float32)
