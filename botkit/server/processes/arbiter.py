"""Owns what becomes of workers that cannot start: gunicorn's master would end with the first of them, and the port with
it. Here it waits, longer each time, and tries again, while those that serve go on."""

from __future__ import annotations

import logging
import mmap
import os
import time
from typing import Any

from gunicorn.arbiter import Arbiter

from botkit import backoff
from botkit.server.http import metrics

log = logging.getLogger("botkit.server")

FIRST, MOST = 0.5, 15.0
"""Seconds until the next try of a worker that could not start: at first, and at most."""


class PatientArbiter(Arbiter):  # type: ignore[misc]
    """gunicorn's master, which no worker that fails to start ends, whatever it died of.

    `expect` before the fork, `started` in the worker once it serves, and `ended` tell it how starts go.
    """

    # The exit statuses of a worker on which gunicorn's master ends. None is negative, so no status is one of these.
    WORKER_BOOT_ERROR = APP_LOAD_ERROR = -1

    def __init__(self, app: Any) -> None:
        self._waits = backoff.delays(FIRST, MOST)
        self._due = 0.0
        self._failed_age = 0  # of the youngest worker that failed to start
        self._stopping = False
        super().__init__(app)

    def spawn_workers(self) -> None:
        """Called by gunicorn's loop about once a second as long as workers are missing."""
        if time.monotonic() >= self._due:
            super().spawn_workers()

    def spawn_worker(self) -> Any:
        try:
            return super().spawn_worker()
        except (OSError, MemoryError) as error:  # no process, no memory, no room for its sign of life
            if os.getpid() != self.pid:
                os._exit(1)
            self._put_off(f"no process can be started ({error})")
            return None

    def stop(self, graceful: bool = True) -> None:
        self._stopping = True
        super().stop(graceful)

    def expect(self, worker: Any) -> None:
        """A byte that the master and the worker share: whether it has started."""
        worker.has_started = mmap.mmap(-1, 1)

    def ended(self, worker: Any) -> None:
        """Put the next start off where this worker never served."""
        if self._stopping or worker.has_started[0]:
            return
        if any(other.has_started[0] and other.age > self._failed_age for other in self.WORKERS.values()):
            self._waits = backoff.delays(FIRST, MOST)  # a start went well since the last failure
        self._failed_age = worker.age
        self._put_off(f"worker {worker.pid} could not start, its reason stands above")

    def _put_off(self, why: str) -> None:
        wait = next(self._waits)
        self._due = time.monotonic() + wait
        log.critical("%s; tried again in %.1f s, %d workers are there", why, wait, len(self.WORKERS))
        metrics.failed_start()


def started(worker: Any) -> None:
    """Say, in the worker, that it serves."""
    worker.has_started[0] = 1
