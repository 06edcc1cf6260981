"""The terms of many texts, counted: taken from the last build where a text is the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from botkit.index.cache import keep, key_of, recall


@dataclass(frozen=True)
class Bags:
    """Row i has the terms `terms[ids[n]]`, each `counts[n]` times, for n from starts[i] to starts[i + 1]."""

    terms: Sequence[str]
    starts: np.ndarray
    ids: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, rows: Iterable[Iterable[str]], known: Sequence[str] = ()) -> Bags:
        """Count rows of terms. The terms of `known` come first, whether or not a row has them."""
        number = {term: i for i, term in enumerate(known)}
        starts, ids, counts = [0], [], []
        for row in rows:
            for term, times in Counter(row).items():
                ids.append(number.setdefault(term, len(number)))
                counts.append(times)
            starts.append(len(ids))
        return cls(list(number), np.array(starts, np.int64), np.array(ids, np.int32), np.array(counts, np.int32))

    @property
    def size(self) -> int:
        return len(self.starts) - 1

    def take(self, rows: np.ndarray) -> Bags:
        """Some rows, in that order."""
        lengths = np.diff(self.starts)[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        places = np.arange(starts[-1]) + np.repeat(self.starts[rows] - starts[:-1], lengths)
        return Bags(self.terms, starts, self.ids[places], self.counts[places])

    def after(self, other: Bags) -> Bags:
        """The rows of another and then these, whose terms begin with the other's."""
        return Bags(
            self.terms,
            np.concatenate([other.starts, self.starts[1:] + other.starts[-1]]),
            np.concatenate([other.ids, self.ids]),
            np.concatenate([other.counts, self.counts]),
        )


def counted(
    file: Path, maker: str, texts: Sequence[tuple[str, str]], analyse: Callable[[str, str], Iterable[str]]
) -> Bags:
    """The terms of (text, language) pairs in order; `maker` names the version of `analyse`.

    Only texts that the last build did not have are analysed.
    """
    keys = [key_of(lang, text) for text, lang in texts]
    first = {key: text for key, text in zip(reversed(keys), reversed(texts), strict=True)}
    stored = recall(file, maker)
    old = Bags((), np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32))
    known: list[str] = []
    if stored:
        known = stored["keys"].tolist()
        terms = stored["terms"].tobytes().decode("utf-8")
        old = Bags(terms.split("\n") if terms else [], stored["starts"], stored["ids"], stored["counts"])
    place = {key: i for i, key in enumerate(known)}
    new = [key for key in first if key not in place]
    bags = Bags.of((analyse(*first[key]) for key in new), old.terms).after(old)
    place |= {key: len(known) + i for i, key in enumerate(new)}
    if new or len(known) > 2 * len(first):
        kept = bags.take(np.array([place[key] for key in first], np.int64))
        used, ids = np.unique(kept.ids, return_inverse=True)
        keep(
            file,
            maker,
            {
                "keys": np.array(list(first)),
                "terms": np.frombuffer("\n".join(bags.terms[i] for i in used).encode("utf-8"), np.uint8),
                "starts": kept.starts,
                "ids": ids.astype(np.int32),
                "counts": kept.counts,
            },
        )
    return bags.take(np.array([place[key] for key in keys], np.int64))
