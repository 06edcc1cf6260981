"""Vectors of texts, kept from one build of a folder to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from botkit import encoder as encoders
from botkit.index.cache import keep, key_of, recall

PART = 256
"""texts that are embedded at once: an encoder runs those of one length together"""


class Unreadable(Exception):
    """An encoder has no vector for `text`; the message is its own."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(reason)
        self.text = text


class EmbeddingCache:
    """An encoder that embeds a text once for all builds of a folder; `forget` what half of them no longer ask."""

    FILE = "vectors.npz"

    def __init__(self, model: encoders.Encoder, cache: Path, *, forget: bool = True, name: str = FILE) -> None:
        self.model, self.identity, self._forget = model, encoders.identity(model), forget
        self._file = cache / name
        stored = recall(self._file, self.identity)
        self._known: dict[str, np.ndarray] = {}
        if stored:
            vectors = stored["vectors"]
            if vectors.dtype == np.int8:  # in eight bits, of length 1
                vectors = vectors.astype(np.float32) / 127
            self._known = dict(zip(stored["keys"].tolist(), vectors, strict=True))
        self._asked: dict[str, None] = {}
        self._new = False

    def learn(
        self, queries: Sequence[str], documents: Sequence[str], progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Embed what is not known yet; `progress` gets (done, all) texts. Raises Unreadable for a text that the encoder
        fails at."""
        missing = [
            (encode, text)
            for kind, encode, texts in (
                ("query", self.encode_query, queries),
                ("document", self.encode_document, documents),
            )
            for text in dict.fromkeys(texts)
            if key_of(kind, text) not in self._known
        ]
        for start in range(0, len(missing), PART):
            part = missing[start : start + PART]
            for encode in (self.encode_query, self.encode_document):
                texts = [text for wanted, text in part if wanted == encode]
                if texts:
                    self._learn(encode, texts)
            if progress:
                progress(start + len(part), len(missing))

    def _learn(self, encode: Callable[[Sequence[str]], np.ndarray], texts: Sequence[str]) -> None:
        """Embed texts; where that fails, each by itself, to find the one it fails at."""
        try:
            encode(texts)
        except Exception as error:  # whatever a model library raises
            if len(texts) == 1:
                raise Unreadable(texts[0], f"{type(error).__name__}: {error}") from error
            for text in texts:
                self._learn(encode, [text])

    def encode_query(self, texts: Sequence[str]) -> np.ndarray:
        return self._encode("query", self.model.encode_query, texts)

    def encode_document(self, texts: Sequence[str]) -> np.ndarray:
        return self._encode("document", self.model.encode_document, texts)

    def save(self) -> None:
        """Write what is new. Once a build asked for less than half of it, the rest is forgotten."""
        if self._forget and len(self._known) > 2 * len(self._asked):
            self._known = {key: self._known[key] for key in self._asked}
            self._new = True
        if self._new:
            vectors = np.array(list(self._known.values()), np.float32)
            keep(self._file, self.identity, {"keys": np.array(list(self._known)), "vectors": vectors})
            self._new = False

    def _encode(self, kind: str, encode: Callable[[Sequence[str]], np.ndarray], texts: Sequence[str]) -> np.ndarray:
        keys = [key_of(kind, text) for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        if new:
            vectors = encode(list(new.values()))
            if not np.isfinite(vectors).all():
                raise ValueError("the encoder gave a vector that is not finite")
            self._known.update(zip(new, vectors, strict=True))
            self._new = True
        self._asked.update(dict.fromkeys(keys))
        if keys:
            return np.array([self._known[key] for key in keys], np.float32)
        return encode([])
