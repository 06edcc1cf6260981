"""Owns how often the desk's own work is done: by whichever request or poller comes, at most once a second a process.

It starts no thread. What is done, and that two processes may do it at once, is `desk.tick`'s matter.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the master imports this house before it forks
    from botkit.desk import Policy
    from botkit.store import Store

EVERY = 1.0

log = logging.getLogger("botkit.server")


class Pulse:
    """A heart that beats when it is asked to, and not more often than once in `every` seconds."""

    def __init__(self, every: float = EVERY) -> None:
        self._every = every
        self._lock = threading.Lock()
        self._last: float | None = None

    def beat(self, store: Store, policy: Policy) -> bool:
        """Tick if it is time and nobody else does; whether it was done. A database that cannot be reached now is told
        in the log: the request that came along is not about it."""
        from botkit import desk
        from botkit.store import StoreError

        now = time.monotonic()
        if self._last is not None and now - self._last < self._every:
            return False
        if not self._lock.acquire(blocking=False):
            return False
        try:
            self._last = now
            desk.tick(store, policy=policy)
            return True
        except StoreError as error:
            log.error("the desk's own work was not done: %s", error)
            return False
        finally:
            self._lock.release()
