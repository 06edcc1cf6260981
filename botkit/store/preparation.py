"""What must be done to a database before anything else uses it, done as soon as it is there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from botkit import backoff
from botkit.store.errors import StoreError

FIRST, MOST = 0.5, 2.0
"""Seconds between two tries: at first, and at most."""


class Preparation:
    """A task that is done once, by the first thread that comes, and again after a wait where it failed; or none."""

    def __init__(self, task: Callable[[], object] | None) -> None:
        self._task = task
        self._lock = threading.Lock()
        self._by: int | None = None  # the thread that does it
        self._waits, self._due = backoff.delays(FIRST, MOST), 0.0
        self._why = "the database is being brought into order: try again in a moment"

    def need(self) -> None:
        """Return when it is done, at once inside the task itself. Raises StoreError while it is not: it may take
        minutes, and nobody should wait for it."""
        if self._task is None or self._by == threading.get_ident():
            return
        if not self._lock.acquire(blocking=False):
            raise StoreError(self._why)
        try:
            if self._task is not None:
                self._try(self._task)
        finally:
            self._lock.release()

    def _try(self, task: Callable[[], object]) -> None:
        if time.monotonic() < self._due:
            raise StoreError(self._why)
        self._by = threading.get_ident()
        try:
            task()
            self._task = None
        except Exception as error:
            self._why = str(error) if isinstance(error, StoreError) else f"{type(error).__name__}: {error}"
            self._due = time.monotonic() + next(self._waits)
            raise StoreError(self._why) from error
        finally:
            self._by = None
