"""Owns the token buckets that count across the worker processes.

The buckets lie in memory that the master maps before it forks, so all workers see one count and nothing is written to
disk or to the database. It keeps no address: a bucket is found by a keyed hash that dies with the server.
"""

import fcntl
import hashlib
import math
import mmap
import os
import secrets
import struct
import tempfile
import threading
import time
import weakref
from collections.abc import Callable

_SLOTS = 1 << 16
_PROBES = 8
_SLOT = struct.Struct("<Qd")  # whose bucket it is; the time at which it will be empty again


class Rates:
    """Shared buckets. Make it before forking; `take` is safe between threads and between processes.

    `clock` gives seconds that only grow and are the same in all processes.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(16)
        self._memory = mmap.mmap(-1, _SLOTS * _SLOT.size)
        self._threads = threading.Lock()
        # Only locked, never written: the kernel lets go of a lock when its process dies, however it dies.
        self._file, name = tempfile.mkstemp(prefix="botkit-rates-")
        os.unlink(name)
        weakref.finalize(self, os.close, self._file)

    def take(self, name: str, address: str, per_second: float, burst: float, cost: float = 1.0) -> float:
        """Take `cost` tokens from the bucket of `address` for `name`; 0.0 if there were so many, else seconds to wait.
        What costs more than a full bucket holds takes a full one."""
        cost = min(cost, burst)
        owner = self._owner(name, address)
        first = owner % _SLOTS
        with self._threads:
            fcntl.lockf(self._file, fcntl.LOCK_EX, 1, first // _PROBES)
            try:
                return self._take(owner, first - first % _PROBES, per_second, burst, cost)
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, first // _PROBES)

    def _take(self, owner: int, first: int, per_second: float, burst: float, cost: float) -> float:
        now = self._clock()
        place, oldest = first, math.inf
        full_at = now
        for slot in range(first, first + _PROBES):
            result, until = _SLOT.unpack_from(self._memory, slot * _SLOT.size)
            if result == owner:
                place, full_at = slot, max(now, until)
                break
            if until < oldest:  # the bucket that matters least gives way
                place, oldest = slot, until
        filled = full_at + cost / per_second
        wait = filled - now - burst / per_second
        if wait > 1e-9:
            return wait
        _SLOT.pack_into(self._memory, place * _SLOT.size, owner, filled)
        return 0.0

    def _owner(self, name: str, address: str) -> int:
        digest = hashlib.blake2b(f"{name}\0{address}".encode(), key=self._key, digest_size=8).digest()
        return int.from_bytes(digest, "little") or 1
