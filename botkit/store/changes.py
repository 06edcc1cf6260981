"""Whether anybody has written to the database since one last looked: what keeps a poller from reading tables in vain.

SQLite counts the commits of all other connections, of other processes too, in a number that costs microseconds to
read. PostgreSQL tells those that LISTEN; such a word is a hint that may be lost with its connection, so a poller there
also looks without one, about once a second.
"""

from __future__ import annotations

import time
from typing import Any, Final

import sqlalchemy as sa

CHANNEL: Final = "botkit"


class Changes:
    """A connection of its own that only listens. For one thread."""

    def __init__(self, engine: sa.Engine) -> None:
        self._raw = engine.raw_connection()
        driver: Any = self._raw.driver_connection
        self._driver = driver
        self._raw.detach()  # it never goes back into the pool: it listens
        self._listens = engine.dialect.name == "postgresql"
        self._version: int | None = None
        if self._listens:
            self._driver.autocommit = True
            self._driver.execute(f"LISTEN {CHANNEL}")

    def wait(self, seconds: float) -> bool:
        """Let this time pass; whether anybody wrote since the last call. The first call says yes."""
        if self._listens:
            first, self._version = self._version is None, 0
            # All words of this time, and not only the first: one look for them together.
            return bool(sum(1 for _ in self._driver.notifies(timeout=seconds))) or first
        time.sleep(seconds)
        before = self._version
        self._version = self._driver.execute("PRAGMA data_version").fetchone()[0]
        return self._version != before

    def close(self) -> None:
        self._raw.close()
