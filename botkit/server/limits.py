"""Owns how often one address may knock: token buckets that count across the worker processes.

The buckets lie in memory that the master maps before it forks, so all workers see one count and nothing is
written to disk or to the database. It keeps no address: a bucket is found by a keyed hash that dies with the
server.
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
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, TypeVar

from flask import request

from .addresses import of_one_customer
from .errors import ApiError

View = TypeVar("View", bound=Callable[..., Any])

WEIGHS_ONE = 500
"""Characters of a question that counts as one."""
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
            found, until = _SLOT.unpack_from(self._memory, slot * _SLOT.size)
            if found == owner:
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


def caller() -> str:
    """The address that counts: an IPv4 address, or the /64 that one IPv6 customer is given."""
    return of_one_customer(request.remote_addr)


def check(name: str, cost: float = 1.0, who: str | None = None) -> None:
    """Count this request against a limit of its address or of `who`, as so many; ApiError 429 for one too many.

    "request": any at all; "question": a customer's text; "suggestion": one for each key; "conversation": a beginning;
    "signal": a stream, a word that somebody types or has read; "login"; "desk": an agent's to the desk's API.
    """
    from .context import here  # here, because the context holds the buckets

    context, settings = here(), here().settings
    asked = settings.rate_per_minute
    allowed, seconds, burst = {
        "request": (settings.requests_per_minute, 60.0, settings.requests_per_minute // 6),
        "question": (asked, 60.0, settings.rate_burst),
        "suggestion": (4 * asked, 60.0, 4 * settings.rate_burst),
        "conversation": (settings.conversations_per_hour, 3600.0, 0),
        "signal": (4 * asked, 60.0, 0),
        "login": (settings.logins_per_minute, 60.0, 0),
        "desk": (settings.desk_rate_per_minute, 60.0, 0),
    }[name]
    if allowed <= 0:  # switched off in the settings
        return
    wait = context.rates.take(name, who or caller(), allowed / seconds, min(burst or allowed, allowed), cost)
    if wait > 0:
        context.metrics.limited(name)
        whose = "with this token or account" if who else "from your address"
        raise ApiError(
            429,
            "too_many_requests",
            f"Too many requests {whose}; try again in {math.ceil(wait)} s.",
            retry_after=math.ceil(wait),
        )


def weigh(*texts: str) -> None:
    """Count a question that was counted as one by its length: what is longer takes longer to understand."""
    more = sum(len(text) for text in texts) / WEIGHS_ONE - 1.0
    if more > 0.0:
        check("question", more)


def asking(who: str | None = None) -> AbstractContextManager[float]:
    """A turn to ask the encoder, of the caller's address or of `who`: see `fair.Turns.turn`."""
    from .context import here

    return here().turns.turn(who or caller())


def limited(name: str) -> Callable[[View], View]:
    """Decorate a view with `check(name)`."""

    def decorate(view: View) -> View:
        @wraps(view)
        def counted(*args: Any, **kwargs: Any) -> Any:
            check(name)
            return view(*args, **kwargs)

        return counted  # type: ignore[return-value]

    return decorate
