"""The intent classifier over the phrasings: which article a text is like, learned from all phrasings at once, in two
ways.

Kernel ridge regression of one-hot articles with the kernel

    k(x, y) = exp((cos(x, y) - 1) / WIDTH) + CHARS * cos(tf-idf of character n-grams of x and y)

solved in its dual form. A score near 1 says "this article", near 0 "not this one"; a text like nothing that was
learned scores near 0 everywhere: it knows what is familiar.

Multinomial logistic regression, every article weighing the same, with the kernel

    l(x, y) = cos(x, y) + CHARS * cos(tf-idf of character n-grams of x and y)

on LANDMARKS rows (Nyström's approximation, exact up to so many). Its probabilities are shared out among the articles
whatever the text: it knows neighbours from one another.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from botkit.index.lexical import Lexical
from botkit.index.terms import Bags

# `eval/constants.py --only classifier` tries others of these and of the two below that are no limits.
WIDTH = 0.5
CHARS = 0.25
RIDGE = 0.1
MOST_ROWS = 16_000
MOST_WEIGHTS = 20_000_000
INVERSE_PENALTY = 20.0
LANDMARKS = 2_500
TEMPERATURE = 0.12
MOST_CHOICES = 3_000_000
"""rows times articles beyond which the logistic regression would take minutes, and is left out"""


class Classifier:
    """`dual` has a row of weights for each article, one weight a phrasing; articles and phrasings in the index's
    order. `weights` are the phrasings' tf-idf, for the same terms and rows as `chars` has them. `choice` has a row of
    weights for each article, one weight a landmark, and `landmarks` their rows; both are empty where there were too
    many articles."""

    PARTS = ("dual", "offset", "weights", "choice", "bias", "landmarks")

    def __init__(
        self,
        dual: np.ndarray,
        offset: np.ndarray,
        weights: np.ndarray,
        choice: np.ndarray,
        bias: np.ndarray,
        landmarks: np.ndarray,
        chars: Lexical,
    ) -> None:
        self.dual, self.offset, self.weights, self.chars = dual, offset, weights, chars
        self.choice, self.bias, self.landmarks = choice, bias, landmarks

    @classmethod
    def fit(cls, vectors: np.ndarray, grams: Bags, group: np.ndarray, groups: int, chars: Lexical) -> Classifier | None:
        """None where there are too few articles to learn anything, or too many rows to solve for.

        `vectors` are the phrasings', of length 1; `grams` their n-grams, counted; `group` their articles' numbers.
        """
        rows = len(group)
        if groups < 2 or rows > MOST_ROWS or rows * groups > MOST_WEIGHTS:
            return None
        table = _tfidf(grams, chars)
        dual, offset = _ridge(vectors, table, group, groups)
        choice, bias, landmarks = _logistic(vectors, table, group, groups)
        by_term = table.tocsc()
        by_term.sort_indices()
        return cls(dual, offset, by_term.data.astype(np.float32), choice, bias, landmarks, chars)

    def scores(self, cosines: np.ndarray, grams: Sequence[str], groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For a text, from its cosine to every phrasing and its n-grams: the ridge regression's score of some
        articles, and the logistic regression's probability of every article. Where that was left out, the scores'
        softmax over these articles stands for it."""
        shared = self._of_grams(grams)
        familiar = self.dual[groups] @ (np.exp((cosines - 1.0) / WIDTH) + shared) + self.offset[groups]
        logits = np.full(len(self.offset), -np.inf, np.float32)
        if len(self.landmarks):
            logits = self.choice @ (cosines + shared)[self.landmarks] + self.bias
        else:
            logits[groups] = familiar / TEMPERATURE
        likely = np.exp(logits - logits.max())
        return np.asarray(familiar), np.asarray(likely / likely.sum())

    def _of_grams(self, grams: Sequence[str]) -> np.ndarray:
        """CHARS times the tf-idf cosine of a text's n-grams to every phrasing's, float32."""
        result = np.zeros(self.chars.size, np.float32)
        counts = [(self.chars.column[g], n) for g, n in Counter(grams).items() if g in self.chars.column]
        if counts:
            columns = np.array([column for column, _ in counts])
            weights = (1.0 + np.log([n for _, n in counts])) * self.chars.idf[columns]
            weights *= CHARS / np.linalg.norm(weights)
            for column, weight in zip(columns.tolist(), weights.tolist(), strict=True):
                a, b = self.chars.starts[column], self.chars.starts[column + 1]
                result[self.chars.rows[a:b]] += np.float32(weight) * self.weights[a:b]
        return result

    def write(self, folder: Path) -> None:
        for name in self.PARTS:
            np.save(folder / f"head.{name}.npy", getattr(self, name))

    @classmethod
    def read(cls, folder: Path, chars: Lexical) -> Classifier | None:
        """What `write` wrote, mapped, so that the processes of a server share it; None where nothing was written."""
        if not (folder / "head.dual.npy").exists():
            return None
        # Plain arrays over the mapped files: each slice of a memmap would pay for being one, too.
        parts = {name: np.asarray(np.load(folder / f"head.{name}.npy", mmap_mode="r")) for name in cls.PARTS}
        return cls(**parts, chars=chars)


def _ridge(vectors: np.ndarray, table: Any, group: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights of shape (articles, rows) and what is added to each article's score."""
    from scipy.linalg import cho_factor, cho_solve

    rows = len(group)
    kernel = np.exp((vectors @ vectors.T - 1.0) / WIDTH, dtype=np.float32)
    for start in range(0, rows, 1024):  # whole, the sparse product of 16,000 rows would take gigabytes
        kernel[start : start + 1024] += CHARS * (table[start : start + 1024] @ table.T).toarray()
    kernel[np.diag_indices(rows)] += RIDGE
    target = np.zeros((rows, groups), np.float32)
    target[np.arange(rows), group] = 1.0
    offset = target.mean(axis=0)
    factor = cho_factor(kernel, lower=True, overwrite_a=True, check_finite=False)
    dual = np.asarray(cho_solve(factor, target - offset, check_finite=False), np.float32)
    return np.ascontiguousarray(dual.T), offset


def _logistic(
    vectors: np.ndarray, table: Any, group: np.ndarray, groups: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights of shape (articles, landmarks), what is added to each article's log-odds, and the landmarks' rows: even
    steps through the rows, which lie by article. An article without rows is as good as impossible."""
    rows, known = len(group), np.unique(group)
    if len(known) < 2 or rows * groups > MOST_CHOICES:
        return np.zeros((groups, 0), np.float32), np.zeros(groups, np.float32), np.zeros(0, np.int64)
    from scipy.linalg import cholesky, solve_triangular
    from sklearn.linear_model import LogisticRegression

    landmarks = np.unique(np.linspace(0, rows - 1, min(rows, LANDMARKS)).round().astype(np.int64))
    kernel = vectors @ vectors[landmarks].T + CHARS * (table @ table[landmarks].T).toarray()
    square = kernel[landmarks].astype(np.float64)
    square[np.diag_indices(len(landmarks))] += 1e-3
    root = cholesky(square, lower=True, check_finite=False)
    solved = solve_triangular(root, kernel.T.astype(np.float64), lower=True, check_finite=False).T
    number = np.searchsorted(known, group)
    with warnings.catch_warnings():
        # One phrasing an article looks like numbers to be predicted, and the last digits are not worth the wait.
        warnings.simplefilter("ignore")
        model = LogisticRegression(C=INVERSE_PENALTY, class_weight="balanced", max_iter=200).fit(
            np.ascontiguousarray(solved, np.float32), number
        )
    coefficients, bias = model.coef_, model.intercept_
    if len(known) == 2:  # it tells the second one's log-odds alone
        coefficients, bias = np.vstack([-coefficients, coefficients]) / 2, np.concatenate([-bias, bias]) / 2
    choice = np.zeros((groups, len(landmarks)), np.float32)
    choice[known] = solve_triangular(root.T, coefficients.T.astype(np.float64), lower=False, check_finite=False).T
    added = np.full(groups, -30.0, np.float32)
    added[known] = bias
    return choice, added, landmarks


def _tfidf(grams: Bags, chars: Lexical) -> Any:
    """The rows' weights, each row of length 1, as a sparse matrix."""
    from scipy.sparse import csr_matrix

    columns = np.array([chars.column.get(term, 0) for term in grams.terms], np.int32)[grams.ids]
    weights = (1.0 + np.log(grams.counts.astype(np.float32))) * chars.idf[columns]
    table = csr_matrix((weights, columns, grams.starts), shape=(grams.size, len(chars.column)), dtype=np.float32)
    lengths = np.sqrt(np.asarray(table.multiply(table).sum(axis=1)).ravel())
    table.data /= np.repeat(np.maximum(lengths, 1e-9), np.diff(grams.starts)).astype(np.float32)
    return table
