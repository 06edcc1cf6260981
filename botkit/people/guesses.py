"""How often one may guess: failures counted in the database, across processes and restarts, with growing delays.

A try counts as failed before it is made, so that many at once are no way around; what succeeds is taken back. Three
counts are kept: of the name from this address, of the name from anywhere, and of the address at any name. Names that
nobody has are counted like others, so a refusal does not tell which there are. Names and addresses are kept as keyed
hashes: people type passwords into the wrong field.

    guess   (who, place) | failures: one is forgiven each hour | last_at | until: no try before | known_at: last success

From an address where an agent signed in before, what is guessed elsewhere does not count: nobody can keep the owner
of an account out by guessing at it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from botkit.store import Keys, Store, guess_table

FORGOTTEN: Final = timedelta(days=7)
KNOWN: Final = timedelta(days=90)
_PURPOSE: Final = "guesses"


class TooManyGuesses(Exception):
    """No try is taken now; `seconds` is how long to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many wrong tries: wait {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True)
class _Rule:
    """After so many free failures the wait is `first` seconds, and doubles to at most `longest`."""

    free: int
    first: float
    longest: float

    def wait(self, failures: float) -> float:
        over = round(failures) - self.free
        return 0.0 if over < 0 else min(self.longest, self.first * (1 << min(over, 30)))


HERE: Final = _Rule(5, 60.0, 900.0)
"""One name from one address."""
ANYWHERE: Final = _Rule(30, 30.0, 300.0)
"""One name from all addresses together."""
ADDRESS: Final = _Rule(50, 60.0, 900.0)
"""One address at all names together."""


@dataclass(frozen=True)
class Guess:
    """One try under way. `who` is a name as compared, with what is guessed: its password or its code; `known`: it
    comes from an address where this succeeded before."""

    who: str
    place: str
    address: str
    known: bool = False

    def counts(self) -> tuple[tuple[str, str, _Rule], ...]:
        return (self.who, self.place, HERE), (self.who, "", ANYWHERE), ("", self.address, ADDRESS)


def begin(store: Store, key: str, address: str, what: str = "password") -> Guess:
    """Count a try at the account with this key from an address, or TooManyGuesses."""
    guess = _guess(store.keys, key, address, what)
    with store.write() as conn:
        now = store.now()
        conn.execute(
            guess_table.delete().where(
                guess_table.c.last_at < now - FORGOTTEN,
                sa.or_(guess_table.c.known_at.is_(None), guess_table.c.known_at < now - KNOWN),
            )
        )
        rows = [_held(conn, who, place, now) for who, place, _ in guess.counts()]
        known = rows[0].known_at is not None and rows[0].known_at > now - KNOWN
        counted = [
            (row, rule)
            for row, (_, _, rule) in zip(rows, guess.counts(), strict=True)
            if not (known and rule is ANYWHERE)
        ]
        wait = max(((row.until - now).total_seconds() for row, _ in counted if row.until is not None), default=0.0)
        if wait > 0:
            raise TooManyGuesses(math.ceil(wait))
        for row, rule in counted:
            failures = _left(row, now) + 1
            wait = rule.wait(failures)
            _set(conn, row, failures=failures, last_at=now, until=now + timedelta(seconds=wait) if wait else None)
    return replace(guess, known=known)


def succeeded(store: Store, conn: Connection, guess: Guess) -> None:
    """Take the try back and know the address from now on, inside the caller's transaction."""
    now = store.now()
    for who, place, rule in guess.counts():
        row = _held(conn, who, place, now)
        if rule is HERE:
            _set(conn, row, failures=0.0, last_at=now, until=None, known_at=now)
        elif rule is ADDRESS or not guess.known:
            _set(conn, row, failures=max(0.0, _left(row, now) - 1), last_at=now, until=None)


def waits(store: Store, conn: Connection, guess: Guess) -> int:
    """The seconds that a try which has failed makes the next one from there wait; 0: none."""
    until = conn.execute(
        sa.select(guess_table.c.until).where(guess_table.c.who == guess.who, guess_table.c.place == guess.place)
    ).scalar()
    return 0 if until is None else max(0, math.ceil((until - store.now()).total_seconds()))


def forget(conn: Connection, keys: Keys, key: str) -> int:
    """Forget all guesses at an account, inside the caller's transaction; how many places had to wait."""
    gone = 0
    for what in ("password", "code"):
        mine = guess_table.c.who == keys.digest(_PURPOSE, what, key)
        gone += conn.execute(
            guess_table.update().where(mine, guess_table.c.until.is_not(None)).values(until=None)
        ).rowcount
        conn.execute(guess_table.update().where(mine).values(failures=0.0))
    return gone


def locked(conn: Connection, keys: Keys, names: list[str], now: datetime) -> set[str]:
    """Which of these accounts somebody has to wait for, somewhere or everywhere."""
    hashes = {keys.digest(_PURPOSE, what, name): name for name in names for what in ("password", "code")}
    rows = conn.execute(sa.select(guess_table.c.who).where(guess_table.c.until > now).distinct())
    return {hashes[row.who] for row in rows if row.who in hashes}


def _guess(keys: Keys, key: str, address: str, what: str) -> Guess:
    who, place = (keys.digest(_PURPOSE, what, key, *more) for more in ((), (address,)))
    return Guess(who, place, keys.digest(_PURPOSE, "address", address))


def _left(row: sa.Row[Any], now: datetime) -> float:
    forgiven: float = max(0.0, (now - row.last_at).total_seconds()) / 3600
    return max(0.0, float(row.failures) - forgiven)


def _held(conn: Connection, who: str, place: str, now: datetime) -> sa.Row[Any]:
    """The row of a count, made if it is not there, locked until the transaction ends."""
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    new = insert(guess_table).values(who=who, place=place, failures=0.0, last_at=now)
    conn.execute(new.on_conflict_do_nothing())
    mine = sa.and_(guess_table.c.who == who, guess_table.c.place == place)
    return conn.execute(sa.select(guess_table).where(mine).with_for_update()).one()


def _set(conn: Connection, row: sa.Row[Any], **values: Any) -> None:
    conn.execute(
        guess_table.update().where(guess_table.c.who == row.who, guess_table.c.place == row.place).values(**values)
    )
