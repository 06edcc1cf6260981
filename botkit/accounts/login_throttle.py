"""How often one may guess: failures counted in the database, across processes and restarts, with growing delays.

A try counts as failed before it is made, so that many at once are no way around; what succeeds is taken back. Three
counts are kept: of the name from this address, of the name from anywhere, and of the address at any name. Names that
nobody has are counted like others, so a refusal does not tell which there are. Names and addresses are kept as keyed
hashes: people type passwords into the wrong field.

    guess   (who, place) | failures: one is forgiven each hour | last_at | until: no try before | known_at: last success

From a device (by what its browser keeps) or an address where an agent signed in before, a try counts for that name
from there alone: neither guesses from elsewhere nor those at other names from the same address keep its owner out.
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
VOUCHED: Final = timedelta(hours=1)
"""How long an account that was unlocked is let in from an address that is not."""
_PURPOSE: Final = "guesses"
_WHATS: Final = ("password", "code")


class TooManyGuesses(Exception):
    """No try is taken now; `seconds` is how long to wait, `what` is what was guessed too often: `here` (the name from
    this place), `name` (from anywhere) or `address` (any name from this one)."""

    def __init__(self, seconds: int, what: str) -> None:
        super().__init__(f"too many wrong tries: wait {seconds} s")
        self.seconds = seconds
        self.what = what


@dataclass(frozen=True)
class _Rule:
    """After so many free failures the wait is `first` seconds, and doubles to at most `longest`."""

    what: str
    free: int
    first: float
    longest: float

    def wait(self, failures: float) -> float:
        over = round(failures) - self.free
        return 0.0 if over < 0 else min(self.longest, self.first * (1 << min(over, 30)))


HERE: Final = _Rule("here", 5, 60.0, 900.0)
"""One name from one device or address."""
ANYWHERE: Final = _Rule("name", 30, 30.0, 300.0)
"""One name from all addresses together."""
ADDRESS: Final = _Rule("address", 50, 60.0, 900.0)
"""One address at all names together."""


@dataclass(frozen=True)
class Guess:
    """One try under way. `who` is a name as compared, with what is guessed: its password or its code. `place` and
    `device` are `who` with where it comes from; `known`: the one of them from where this succeeded before."""

    who: str
    place: str
    device: str
    address: str
    known: str = ""

    def counts(self) -> tuple[tuple[str, str, _Rule], ...]:
        """What it counts for."""
        if self.known:
            return ((self.who, self.known, HERE),)
        return (self.who, self.place, HERE), (self.who, "", ANYWHERE), ("", self.address, ADDRESS)


def known(store: Store, key: str, address: str, device: str, what: str = "password") -> bool:
    """Whether this succeeded from there before."""
    guess = _guess(store.keys, key, address, device, what)
    with store.read() as conn:
        return bool(_known(conn, guess, store.now()))


def begin(store: Store, key: str, address: str, device: str = "", what: str = "password") -> Guess:
    """Count a try at the account with this key from an address and, if it has one, a device; or TooManyGuesses."""
    guess = _guess(store.keys, key, address, device, what)
    with store.write() as conn:
        now = store.now()
        conn.execute(
            guess_table.delete().where(
                guess_table.c.last_at < now - FORGOTTEN,
                sa.or_(guess_table.c.known_at.is_(None), guess_table.c.known_at < now - KNOWN),
            )
        )
        guess = replace(guess, known=_known(conn, guess, now))
        counted = [(_held(conn, who, place, now), rule) for who, place, rule in guess.counts()]
        if any(rule is ANYWHERE and row.known_at and row.known_at > now - VOUCHED for row, rule in counted):
            counted = [(row, rule) for row, rule in counted if rule is not ADDRESS]
        waits = [((row.until - now).total_seconds(), rule.what) for row, rule in counted if row.until is not None]
        longest, why = max(waits, default=(0.0, ""))
        if longest > 0:
            raise TooManyGuesses(math.ceil(longest), why)
        for row, rule in counted:
            failures = _left(row, now) + 1
            wait = rule.wait(failures)
            _set(conn, row, failures=failures, last_at=now, until=now + timedelta(seconds=wait) if wait else None)
    return guess


def succeeded(store: Store, conn: Connection, guess: Guess) -> None:
    """Take the try back, and know address and device from now on, inside the caller's transaction."""
    now = store.now()
    for who, place, rule in guess.counts():
        row = _held(conn, who, place, now)
        failures = 0.0 if rule is HERE else max(0.0, _left(row, now) - 1)
        _set(conn, row, failures=failures, last_at=now, until=None)
    for place in filter(None, (guess.place, guess.device)):
        _set(conn, _held(conn, guess.who, place, now), last_at=now, known_at=now)


def waits(store: Store, conn: Connection, guess: Guess) -> int:
    """The seconds that a try which has failed makes the next one from there wait; 0: none."""
    who, place, _ = guess.counts()[0]
    mine = guess_table.c
    until = conn.execute(sa.select(mine.until).where(mine.who == who, mine.place == place)).scalar()
    return 0 if until is None else max(0, math.ceil((until - store.now()).total_seconds()))


def forget(conn: Connection, keys: Keys, key: str) -> int:
    """Forget all guesses at an account, inside the caller's transaction; how many places had to wait."""
    gone = 0
    for what in _WHATS:
        mine = guess_table.c.who == keys.digest(_PURPOSE, what, key)
        gone += conn.execute(
            guess_table.update().where(mine, guess_table.c.until.is_not(None)).values(until=None)
        ).rowcount
        conn.execute(guess_table.update().where(mine).values(failures=0.0))
    return gone


def vouch(store: Store, conn: Connection, keys: Keys, key: str) -> None:
    """Let no lock of an address keep an account out for VOUCHED, inside the caller's transaction."""
    now = store.now()
    for what in _WHATS:
        _set(conn, _held(conn, keys.digest(_PURPOSE, what, key), "", now), last_at=now, known_at=now)


def forget_address(conn: Connection, keys: Keys, address: str, names: list[str]) -> int:
    """Forget guesses from an address at any name, and at each of `names`; how many counts had to wait."""
    mine = guess_table.c
    pairs = [keys.digest(_PURPOSE, what, name, address) for name in names for what in _WHATS]
    here = sa.or_(
        sa.and_(mine.who == "", mine.place == keys.digest(_PURPOSE, "address", address)), mine.place.in_(pairs)
    )
    gone = conn.execute(guess_table.update().where(here, mine.until.is_not(None)).values(until=None)).rowcount
    conn.execute(guess_table.update().where(here).values(failures=0.0))
    return gone


def locked(conn: Connection, keys: Keys, names: list[str], now: datetime) -> dict[str, int]:
    """Which of these accounts somebody has to wait for, somewhere or everywhere, and how many seconds at most."""
    hashes = {keys.digest(_PURPOSE, what, name): name for name in names for what in _WHATS}
    result: dict[str, int] = {}
    for row in conn.execute(sa.select(guess_table.c.who, guess_table.c.until).where(guess_table.c.until > now)):
        if row.who in hashes:
            seconds = math.ceil((row.until - now).total_seconds())
            result[hashes[row.who]] = max(seconds, result.get(hashes[row.who], 0))
    return result


def locked_addresses(conn: Connection, keys: Keys, addresses: list[str], now: datetime) -> dict[str, int]:
    """Which of these addresses have to wait at any name, and how many seconds."""
    mine = guess_table.c
    query = sa.select(mine.place, mine.until).where(mine.who == "", mine.until > now)
    until = {row.place: row.until for row in conn.execute(query)}
    places = {each: keys.digest(_PURPOSE, "address", each) for each in addresses}
    return {each: math.ceil((until[place] - now).total_seconds()) for each, place in places.items() if place in until}


def _guess(keys: Keys, key: str, address: str, device: str, what: str) -> Guess:
    who, place = (keys.digest(_PURPOSE, what, key, *more) for more in ((), (address,)))
    by_device = keys.digest(_PURPOSE, what, key, "device", device) if device else ""
    return Guess(who, place, by_device, keys.digest(_PURPOSE, "address", address))


def _known(conn: Connection, guess: Guess, now: datetime) -> str:
    """The device or else the address from where this succeeded before; empty for neither."""
    mine = guess_table.c
    places = [each for each in (guess.device, guess.place) if each]
    query = sa.select(mine.place).where(mine.who == guess.who, mine.place.in_(places), mine.known_at > now - KNOWN)
    result = set(conn.execute(query).scalars())
    return next((each for each in places if each in result), "")


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
