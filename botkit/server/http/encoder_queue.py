"""Owns the order in which questions reach the encoder: a few at a time in a process, waiting ones by turns of address.

Whoever floods the queue waits for themselves: addresses are served round robin, each in the order of its own
questions. Nobody is refused here: who has waited too long, or finds the queue full, goes on without the encoder.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WAIT_SHARE = 0.75
"""The part of a question's time that may pass in the queue: the rest is for the encoder."""
PER_ADDRESS = 16
"""Questions of one address that may wait. One who types sends one; a school's network has more of them."""
IN_ALL = 128
"""Questions that may wait in a process."""


class Turns:
    """The queue of one process.

    `seconds`: what a question may take from its arrival until the encoder is done with it; 0: as long as it needs.
    `at_once`: how many ask the encoder at the same time; 0: one for each core. `clock` gives seconds that only grow.
    """

    def __init__(self, seconds: float = 2.0, at_once: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._free = at_once or len(os.sched_getaffinity(0))
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, deque[threading.Event]] = OrderedDict()  # the next address first
        self._count = 0

    def __len__(self) -> int:
        """How many wait."""
        return self._count

    @contextmanager
    def turn(self, address: str) -> Iterator[float]:
        """Wait until it is this address's turn to ask the encoder, and hold the place for the block.

        Yields the seconds that the encoder may still take; 0: do not ask it. Without a limit that is the longest wait
        there is, not none at all: an encoder that fails must not fail the question.
        """
        began = self._clock()
        held = self._take(address)
        try:
            allowed = self.seconds or threading.TIMEOUT_MAX
            yield max(0.0, allowed - (self._clock() - began)) if held else 0.0
        finally:
            if held:
                self._pass_on()

    def _take(self, address: str) -> bool:
        mine = threading.Event()
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return True
            line = self._waiting.get(address)
            if self._count >= IN_ALL or (line is not None and len(line) >= PER_ADDRESS):
                return False
            self._waiting.setdefault(address, deque()).append(mine)
            self._count += 1
        if mine.wait(self.seconds * WAIT_SHARE or None):
            return True
        with self._lock:
            if mine.is_set():  # given in the moment in which the time was over
                return True
            line = self._waiting[address]
            line.remove(mine)
            self._count -= 1
            if not line:
                del self._waiting[address]
            return False

    def _pass_on(self) -> None:
        """Give the place to the next address, which goes behind all others."""
        with self._lock:
            if not self._waiting:
                self._free += 1
                return
            address, line = self._waiting.popitem(last=False)
            line.popleft().set()
            self._count -= 1
            if line:
                self._waiting[address] = line
