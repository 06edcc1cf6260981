"""A channel: the rows of one kind with their vectors, words and n-grams, ready to be asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from botkit.index.lexical import Lexical

_kernels: Any = faiss  # what its stubs leave out


class Channel:
    """The rows of one kind: vectors, words, n-grams. Rows of one article stand together."""

    def __init__(self, folder: Path, name: str, arrays: Mapping[str, np.ndarray], groups: int) -> None:
        self.vectors: Any = faiss.read_index(str(folder / f"{name}.faiss"), faiss.IO_FLAG_MMAP_IFC)
        flat = isinstance(self.vectors, faiss.IndexFlat) and self.vectors.ntotal > 0
        vectors: Any = self.vectors
        self._matrix = (  # the same memory as the FAISS index's, seen as an array
            faiss.rev_swig_ptr(vectors.get_xb(), vectors.ntotal * vectors.d).reshape(-1, vectors.d) if flat else None
        )
        self.group, self.lang, self.means = (arrays[f"{name}.{part}"] for part in ("group", "lang", "means"))
        self.words, self.chars = (read_lexical(folder, f"{name}.{kind}") for kind in ("words", "chars"))
        self.starts = np.searchsorted(self.group, np.arange(groups + 1))
        self.size = len(self.group)

    def nearest(self, vector: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """(cosines, rows), best first; FAISS's padding with -1 ends here."""
        if not self.size or not k:
            return np.zeros(0, np.float32), np.zeros(0, np.int64)
        faiss.omp_set_num_threads(1)  # of this thread: to share one short search out takes longer than to do it
        cosines, rows = self.vectors.search(vector[None, :], min(k, self.size))
        result = rows[0] >= 0
        return cosines[0][result], rows[0][result]

    def rows_of(self, groups: np.ndarray) -> np.ndarray:
        if not len(groups):
            return np.zeros(0, np.int64)
        return np.concatenate([np.arange(self.starts[g], self.starts[g + 1]) for g in groups])

    def all_cosines(self, vector: np.ndarray) -> np.ndarray:
        """Of a vector and every row of a flat index, by FAISS's own kernel: a BLAS that takes the processor for an
        older one needs ten times as long."""
        if self._matrix is None:
            return np.zeros(0, np.float32)
        result, asked = np.empty(self.size, np.float32), np.ascontiguousarray(vector, np.float32)
        pointers = (faiss.swig_ptr(result), faiss.swig_ptr(asked), self.vectors.get_xb())
        _kernels.fvec_inner_products_ny(*pointers, self.vectors.d, self.size)
        return result

    def cosines(self, vector: np.ndarray, rows: np.ndarray) -> np.ndarray:
        if not len(rows):
            return np.zeros(0, np.float32)
        if self._matrix is None:
            return np.asarray(self.vectors.reconstruct_batch(rows) @ vector, np.float32)
        if 4 * len(rows) > self.size:  # cheaper than gathering the rows
            return np.asarray(self.all_cosines(vector)[rows])
        return np.asarray(self._matrix[rows] @ vector, np.float32)


def read_lexical(folder: Path, name: str) -> Lexical:
    """The BM25 of one kind of terms, as `writing` left it."""
    terms = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    with np.load(folder / f"{name}.npz", allow_pickle=False) as table:
        return Lexical(terms, table["idf"], table["starts"], table["rows"], table["weights"], int(table["size"]))
