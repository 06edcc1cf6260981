"""Text to the token ids of multilingual-e5-small: a unigram tokeniser over a mapped trie.

The most likely split of a text into pieces of the vocabulary (Kudo 2018), found by Viterbi's algorithm. The pieces lie
in a MARISA trie on disk that processes map and share, two megabytes; the same vocabulary in the `tokenizers` package
takes 220 MB of each process, and serves the tests as the oracle.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path

import marisa_trie
import numpy as np

from botkit.encoder.weights import Vocabulary

VERSION = 1
"""of the files that `write` makes"""
_SPACE = "\u2581"
"""what stands for a blank, and before the first word"""
_UNKNOWN = 10.0
"""by how much a character without a piece is less likely than the least likely piece"""
_SPACES = re.compile("  +")


class Tokeniser:
    """The tokeniser of a folder that `write` filled. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        facts = json.loads((folder / "tokens.json").read_text(encoding="utf-8"))
        self.start, self.end, self._unknown = facts["start"], facts["end"], facts["unknown"]
        self._longest: int = facts["longest"]
        self._normal: Mapping[int, str] = {ord(one): other for one, other in facts["normal"].items()}
        self._pieces = marisa_trie.Trie()
        self._pieces.mmap(str(folder / "pieces.trie"))
        # The number of a piece in the trie to its id and score: two mapped arrays.
        self._ids = np.load(folder / "ids.npy", mmap_mode="r", allow_pickle=False)
        self._scores = np.load(folder / "scores.npy", mmap_mode="r", allow_pickle=False)
        self._unlikely = float(self._scores.min()) - _UNKNOWN

    def encode(self, text: str, characters: int, most: int) -> list[int]:
        """The ids of a text, first and last those of its ends: of the first `characters` of what it becomes when
        normalised (one character may become eighteen), and at most `most`."""
        text = _SPACES.sub(" ", text.translate(self._normal))[:characters]
        text = (text if text.startswith(" ") else " " + text).replace(" ", _SPACE)
        return [self.start, *self._split(text)[: most - 2], self.end]

    def _split(self, text: str) -> list[int]:
        size, find = len(text), self._pieces.iter_prefixes_with_ids
        scores, ids, longest, unlikely = self._scores, self._ids, self._longest, self._unlikely
        best = [0.0] + [-math.inf] * size
        came = [(0, self._unknown)] * (size + 1)  # from where, and by which token
        for at in range(size):
            here = best[at]
            for piece, number in find(text[at : at + longest]):
                to, score = at + len(piece), here + scores.item(number)
                if score > best[to]:
                    best[to], came[to] = score, (at, number)
            if here + unlikely > best[at + 1]:
                best[at + 1], came[at + 1] = here + unlikely, (at, -1)
        result, at = [], size
        while at:
            at, number = came[at]
            result.append(self._unknown if number < 0 else ids.item(number))
        return result[::-1]


def write(vocabulary: Vocabulary, folder: Path) -> None:
    """Make the files that a Tokeniser maps."""
    known = {piece: number for number, piece in enumerate(vocabulary.pieces) if piece and number != vocabulary.unknown}
    trie = marisa_trie.Trie(known)
    order = np.array([known[piece] for piece in map(trie.restore_key, range(len(trie)))], np.int32)
    trie.save(str(folder / "pieces.trie"))
    np.save(folder / "ids.npy", order)
    np.save(folder / "scores.npy", vocabulary.scores[order])
    facts = {
        "start": vocabulary.start,
        "end": vocabulary.end,
        "unknown": vocabulary.unknown,
        "longest": max(map(len, known)),
        "normal": vocabulary.normal,
    }
    (folder / "tokens.json").write_text(json.dumps(facts, ensure_ascii=True, sort_keys=True), encoding="utf-8")
