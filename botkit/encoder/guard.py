"""Keep an encoder that fails or hangs from taking its callers with it.

A server's question waits for its vector until a deadline and goes on without one. What is under way cannot be stopped;
so there are few threads for it, and while all of them are overdue nobody waits for another.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError

import numpy as np

log = logging.getLogger("botkit.encoder")

THREADS = 2
QUIET = 60.0
"""Seconds between two lines of the log on the same trouble."""


class Guard:
    """`encode` within a deadline, or None. `failures` and `late` count what did not come."""

    def __init__(self, encode: Callable[[Sequence[str]], np.ndarray]) -> None:
        self._encode = encode
        self._pool = ThreadPoolExecutor(THREADS, "encoder")
        self._lock = threading.Lock()
        self._overdue = 0
        self._said = -QUIET
        self.failures = 0
        self.late = 0

    def encode(self, texts: Sequence[str], deadline: float) -> np.ndarray | None:
        """Vectors of the texts, float32 (texts, dimensions), within `deadline` seconds; None when the encoder is late,
        raises or gives numbers that are none."""
        if deadline <= 0:
            return None
        if self._overdue >= THREADS:
            self.late += 1
            return None
        future = self._pool.submit(self._encode, list(texts))
        try:
            vectors = future.result(timeout=deadline)
        except TimeoutError:
            if not future.cancel():  # it runs: until it ends, its thread is no help to anybody
                with self._lock:
                    self._overdue += 1
                future.add_done_callback(self._returned)
            self.late += 1
            self._say(f"the encoder took longer than {deadline:g} s")
            return None
        except Exception as error:  # a library's own kinds, none of which may end a question
            self.failures += 1
            self._say(f"the encoder failed: {type(error).__name__}: {error}"[:300])
            return None
        if not np.isfinite(vectors).all():
            self.failures += 1
            self._say("the encoder gave vectors that are not finite")
            return None
        return vectors

    def _returned(self, _future: Future[np.ndarray]) -> None:
        with self._lock:
            self._overdue -= 1

    def _say(self, what: str) -> None:
        now = time.monotonic()
        if now - self._said >= QUIET:
            self._said = now
            log.error("%s; answered by words alone", what)
