"""Owns how long to wait before the next try of what failed: longer each time, never all at the same moment."""

from __future__ import annotations

import random
from collections.abc import Iterator


def delays(first: float, most: float) -> Iterator[float]:
    """Seconds to wait before each next try, without end: doubled from `first` up to `most`, each shortened by up to a
    quarter by chance, so that processes that failed together do not come back together."""
    wait = first
    while True:
        yield wait * random.uniform(0.75, 1.0)
        wait = min(2 * wait, most)
