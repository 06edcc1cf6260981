"""BM25 over rows of terms, compiled at build time into a sparse matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from botkit.index.terms import Bags

K1, B = 1.2, 0.75


class Lexical:
    """BM25 over rows of terms, compiled from rank_bm25's statistics into a sparse matrix."""

    def __init__(
        self,
        terms: Sequence[str],
        idf: np.ndarray,
        starts: np.ndarray,
        rows: np.ndarray,
        weights: np.ndarray,
        size: int,
    ) -> None:
        self.column = {term: i for i, term in enumerate(terms)}
        self.idf, self.starts, self.rows, self.weights, self.size = idf, starts, rows, weights, size
        self.unseen = float(idf.max()) if len(idf) else 1.0

    @classmethod
    def build(cls, rows: Sequence[Sequence[str]] | Bags) -> Lexical:
        """Compile rows of terms. A row without terms, and no rows at all, are fine."""
        from scipy.sparse import csr_matrix

        bags = rows if isinstance(rows, Bags) else Bags.of(rows)
        result = np.bincount(bags.ids, minlength=len(bags.terms))
        used = sorted(np.flatnonzero(result).tolist(), key=bags.terms.__getitem__)
        if not used:
            empty = np.zeros(0, np.float32)
            return cls((), empty, np.zeros(1, np.int64), np.zeros(0, np.int32), empty, bags.size)
        terms = [bags.terms[i] for i in used]
        column = np.zeros(len(bags.terms), np.int32)
        column[used] = np.arange(len(used))
        bm25 = _statistics(bags, terms, result[used])
        idf = np.array([bm25.idf[t] for t in terms], np.float32)
        table = csr_matrix((bags.counts, column[bags.ids], bags.starts), shape=(bags.size, len(terms))).tocsc()
        starts, docs, freqs = table.indptr.astype(np.int64), table.indices, table.data.astype(np.float64)
        doc_len = np.array(bm25.doc_len, np.float64)
        norm = bm25.k1 * (1 - bm25.b + bm25.b * doc_len[docs] / bm25.avgdl)
        weights = np.repeat(idf, np.diff(starts)) * freqs * (bm25.k1 + 1) / (freqs + norm)
        return cls(terms, idf, starts, docs.astype(np.int32), weights.astype(np.float32), bags.size)

    def scores(self, terms: Sequence[str]) -> np.ndarray:
        """BM25 of every row, float32 of shape (rows,). A term counts as often as it is asked."""
        result = np.zeros(self.size, np.float32)
        for term, times in Counter(terms).items():
            col = self.column.get(term)
            if col is not None:
                a, b = self.starts[col], self.starts[col + 1]
                result[self.rows[a:b]] += times * self.weights[a:b]
        return result

    def bound(self, terms: Sequence[str]) -> float:
        """The most a row could score: idf * (k1 + 1) over the question's terms, a term that the
        index never saw counted at the largest idf."""
        total = sum(times * self._idf(term) for term, times in Counter(terms).items())
        return float(total * (K1 + 1)) or 1.0

    def known(self, terms: Sequence[str]) -> float:
        """The share of the question's idf mass that the index knows."""
        distinct = set(terms)
        whole = sum(self._idf(t) for t in distinct)
        return float(sum(self._idf(t) for t in distinct if t in self.column) / whole) if whole else 0.0

    def coverage(self, terms: Sequence[str], row_terms: Sequence[str]) -> float:
        """The share of the question's idf mass that one row has."""
        distinct = set(terms)
        whole = sum(self._idf(t) for t in distinct)
        return float(sum(self._idf(t) for t in distinct & set(row_terms)) / whole) if whole else 0.0

    def held(self, terms: Sequence[str], first: int, last: int) -> float:
        """The share of the question's idf mass that the rows from `first` up to `last` have between them."""
        distinct = set(terms)
        whole = sum(self._idf(t) for t in distinct)
        if not whole:
            return 0.0
        columns = [self.column[t] for t in distinct if t in self.column]
        result = (np.searchsorted(self.rows[self.starts[c] : self.starts[c + 1]], (first, last)) for c in columns)
        return float(sum(self.idf[c] for c, (a, b) in zip(columns, result, strict=True) if a < b) / whole)

    def _idf(self, term: str) -> float:
        col = self.column.get(term)
        return self.unseen if col is None else float(self.idf[col])


def okapi(rows: Sequence[Sequence[str]]) -> Any:
    """rank_bm25's Okapi over rows of terms with idf = ln(1 + (N - n + .5) / (n + .5)), which is never
    negative: the oracle of `Lexical` in tests."""
    return _okapi()(rows, k1=K1, b=B)


def _statistics(bags: Bags, terms: Sequence[str], found: np.ndarray) -> Any:
    """The same for rows that are counted already: its lengths and idf, without the rows themselves."""

    class Counted(_okapi()):  # type: ignore[misc]
        def _initialize(self, corpus: Bags) -> dict[str, int]:
            self.corpus_size = corpus.size
            self.doc_len = np.add.reduceat(np.append(corpus.counts, 0), corpus.starts[:-1]) * np.minimum(
                np.diff(corpus.starts), 1
            )
            self.avgdl = int(self.doc_len.sum()) / self.corpus_size
            return dict(zip(terms, found.tolist(), strict=True))

    return Counted(bags, k1=K1, b=B)


def _okapi() -> Any:
    from rank_bm25 import BM25Okapi

    class Okapi(BM25Okapi):  # type: ignore[misc]
        def _calc_idf(self, nd: Mapping[str, int]) -> None:
            n = np.fromiter(nd.values(), float, len(nd))
            idf = np.log(1.0 + (self.corpus_size - n + 0.5) / (n + 0.5))
            self.idf = dict(zip(nd, idf.tolist(), strict=True))

    return Okapi
