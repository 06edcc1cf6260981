"""Owns which version a running process answers from: the published one, or while that is damaged the newest good one.

A version is never changed in place: a new one is opened beside the old one, put in its place in one step, and the old
one goes with the last request that uses it. Nothing here ends a process: without any good version there is no index,
and it is tried again, after growing waits, as long as somebody asks.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from botkit import backoff, encoder
from botkit.index import index
from botkit.index.versions import IndexProblem, published

log = logging.getLogger("botkit.index")

FIRST, MOST = 1.0, 60.0
"""Seconds between two looks at a version that is damaged: at first, and at most."""


class Live:
    """The published version of a folder, followed while a server runs.

    `current()` gives it. While it is damaged or missing, that is the last good one, after a start the newest other good
    one by publication, and `problem` says why. Making one opens what there is and raises nothing. `swapped` is called
    after another version took the place of an old one; `clock` gives seconds.
    """

    def __init__(
        self,
        folder: Path | str,
        encoder: encoder.Encoder | None = None,
        *,
        swapped: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = Path(folder)
        self.problem: str | None = None
        self._encoder, self._swapped, self._clock = encoder, swapped, clock
        self._lock = threading.Lock()
        self._index: index.Index | None = None
        self._stamp = self._look()
        self._waits: Iterator[float] = iter(())
        self._due = 0.0
        self._open(self._stamp, changed=True)

    def current(self) -> index.Index:
        """The version to answer from. Take it once for each piece of work. Raises IndexProblem when there is none."""
        self.follow()
        if self._index is None:
            raise IndexProblem(self.problem or f"{self.folder}: no version is open")
        return self._index

    @property
    def version(self) -> str | None:
        """The name of the version that is open, if one is."""
        result = self._index
        return result.version if result is not None else None

    def follow(self) -> None:
        """Open what was published since the last look, and try again what was damaged. Raises nothing; while one thread
        opens a version, others go on with what they have."""
        if not self._wanted(self._look()) or not self._lock.acquire(blocking=False):
            return
        try:
            stamp = self._look()
            if self._wanted(stamp):
                self._open(stamp, changed=stamp != self._stamp)
        finally:
            self._lock.release()

    def _wanted(self, stamp: tuple[int, int] | None) -> bool:
        return stamp != self._stamp or (self.problem is not None and self._clock() >= self._due)

    def _open(self, stamp: tuple[int, int] | None, changed: bool) -> None:
        result, problem = self._opened(self.folder)
        if problem is not None:
            if changed:
                self._waits = backoff.delays(FIRST, MOST)
            self._due = self._clock() + next(self._waits)
            if self._index is None:
                result = next(filter(None, (self._opened(other)[0] for other in published(self.folder))), None)
        before, self._stamp, self.problem = self.version, stamp, problem
        old, self._index = self._index, result or self._index
        replaced = old is not None and old is not self._index
        del old, result  # whoever is told of the swap shall find it done
        if problem is not None:
            served = f"version {self.version} is served" if self.version else "no version can be served"
            log.error("the published index is refused, %s; it is tried again: %s", served, problem)
        elif before != self.version:
            log.info("index version %s is open", self.version)
        if replaced:
            self._swapped()

    def _opened(self, folder: Path) -> tuple[index.Index | None, str | None]:
        """A version, or why it cannot be opened. Whatever is wrong with it, the process goes on."""
        encoder = self._index.encoder if self._encoder is None and self._index is not None else self._encoder
        try:
            return index.Index.open(folder, encoder), None
        except IndexProblem as error:
            return None, str(error)
        except Exception as error:
            log.error("%s cannot be opened", folder, exc_info=error)
            return None, f"{folder}: {type(error).__name__}: {error}"

    def _look(self) -> tuple[int, int] | None:
        try:
            known = (self.folder / "CURRENT").stat()
        except OSError:
            return None
        return known.st_mtime_ns, known.st_ino
