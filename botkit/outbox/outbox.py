"""The outbox's rows: put with the change that caused them, taken under a lease, tried, marked and swept away."""

from __future__ import annotations

import logging
import random
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit.store import Store, StoreError, iso, outbox_kind_table, outbox_table

log = logging.getLogger("botkit.outbox")

LEASE: Final = timedelta(seconds=60)
"""How long a worker may take for one; every sender must be done or have failed well before."""
WAITS: Final = (5, 30, 120, 600, 1800, 7200, 18000, 36000)
"""Seconds from one try to the next, lengthened by up to a fifth by chance: nine tries in nearly a day."""
PROBE: Final = timedelta(seconds=3)
"""How long after one look whether a receiver is back comes the next; one row at a time."""
PAUSE: Final = timedelta(seconds=2)
"""How long after the begin of a try that failed a row is left alone, whatever else has arrived."""
EARLY: Final = 8
"""How often a row may be tried because others have arrived, between two of its own tries."""
KEPT: Final = timedelta(days=30)
"""How long what was delivered can still be looked up."""
STATES: Final = ("waiting", "delivered", "given_up")

Sender = Callable[["Delivery"], None]


class NotDelivered(Exception):
    """A try failed; the text is the reason that is kept. `final`: no other try can help. `after`: seconds that the
    receiver asks to be left alone. `away`: nobody was there to take it, so that any other would have failed as well."""

    def __init__(self, reason: str, *, final: bool = False, after: float = 0.0, away: bool = False) -> None:
        super().__init__(reason)
        self.final = final
        self.after = after
        self.away = away


@dataclass(frozen=True)
class Delivery:
    """One thing to deliver. `tries` counts the one under way."""

    id: int
    message_id: str
    kind: str
    payload: Mapping[str, Any]
    made_at: datetime
    due_at: datetime
    tries: int
    state: str
    reason: str | None

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "made_at": iso(self.made_at), "due_at": iso(self.due_at)}


def kinds(store: Store, taken: Iterable[str]) -> None:
    """Say which kinds are delivered from now on. Rows of another kind are not kept any more; those that wait, wait."""
    wanted = set(taken)
    with store.write() as conn:
        there = set(conn.execute(sa.select(outbox_kind_table.c.kind)).scalars())
        conn.execute(outbox_kind_table.delete().where(outbox_kind_table.c.kind.not_in(wanted)))
        for kind in sorted(wanted - there):
            conn.execute(outbox_kind_table.insert().values(kind=kind, since=store.now()))


def put(conn: Connection, kind: str, payload: Mapping[str, Any], at: datetime) -> str | None:
    """Keep something for delivery from `at` on, inside the caller's transaction: its message id. None: nobody delivers
    this kind, and nothing was kept."""
    taken = sa.select(outbox_kind_table.c.kind).where(outbox_kind_table.c.kind == kind)
    if conn.execute(taken).one_or_none() is None:
        return None
    message_id = f"msg_{secrets.token_hex(16)}"
    conn.execute(
        outbox_table.insert().values(
            message_id=message_id, kind=kind, payload=dict(payload), made_at=at, due_at=at, tries=0
        )
    )
    return message_id


def deliveries(store: Store, state: str | None = None, limit: int = 100) -> list[Delivery]:
    """What is in the outbox, newest first: all, or only what is in one of STATES."""
    query = sa.select(outbox_table).order_by(outbox_table.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(_IN[state])
    with store.read() as conn:
        return [_delivery(row) for row in conn.execute(query)]


def counts(store: Store) -> dict[str, int]:
    """How many wait, and how many were given up."""
    box = outbox_table.c
    query = sa.select(sa.func.count(), sa.func.count(box.gave_up_at)).where(box.done_at.is_(None))
    with store.read() as conn:
        there, given_up = conn.execute(query).one()
    return {"waiting": there - given_up, "given_up": given_up}


def retry(store: Store, ids: Iterable[int] | None = None) -> int:
    """Give what was given up, all or those with these ids, its tries again, beginning now; how many there were."""
    query = outbox_table.update().where(_IN["given_up"])
    if ids is not None:
        query = query.where(outbox_table.c.id.in_(list(ids)))
    with store.write() as conn:
        return conn.execute(query.values(gave_up_at=None, tries=0, early=0, due_at=store.now())).rowcount


def work(store: Store, senders: Mapping[str, Sender], chance: Callable[[], float] = random.random) -> bool:
    """Send the one that is due first, with the sender of its kind; whether there was one."""
    taken = _take(store, senders)
    if taken is None:
        return False
    delivery = taken.delivery
    if delivery.tries > len(WAITS) + 1:  # its senders never came back to say how it went
        _mark(store, taken, gave_up_at=store.now(), reason="the worker ended while sending, each time")
        return True
    try:
        senders[delivery.kind](delivery)
    except NotDelivered as failure:
        _failed(store, taken, failure, chance)
    except Exception as error:  # a fault of the sender must not stop the others behind it
        log.error("delivery %s failed: %s", delivery.message_id, type(error).__name__, exc_info=error)
        _failed(store, taken, NotDelivered(f"the sender failed: {type(error).__name__}"), chance)
    else:
        now = store.now()
        well = _receiver(delivery).values(well_at=now, probe_at=None)
        _mark(store, taken, well, done_at=now, reason=None)
    return True


class Worker:
    """A thread that works the outbox off until it is stopped. Any number may run, in any number of processes."""

    def __init__(self, store: Store, senders: Mapping[str, Sender], every: float = 1.0) -> None:
        self._store = store
        self._senders = dict(senders)
        self._every = every
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self.run, name="botkit-outbox", daemon=True)

    def start(self) -> Worker:
        self._thread.start()
        return self

    def stop(self, timeout: float | None = None) -> None:
        """End after the one in hand."""
        self._stopped.set()
        self._thread.join(timeout)

    def run(self) -> None:
        """Work in this thread until stopped."""
        swept = None
        while not self._stopped.is_set():
            try:
                now = self._store.now()
                if swept is None or now - swept > timedelta(hours=1):
                    _sweep(self._store)
                    swept = now
                while not self._stopped.is_set() and work(self._store, self._senders):
                    pass
            except StoreError as error:  # a full disk or a server that is away: it passes
                log.error("the outbox waits: %s", error)
            except Exception as error:
                log.error("the outbox waits: %s", type(error).__name__, exc_info=error)
            self._stopped.wait(self._every)


@dataclass(frozen=True)
class _Taken:
    """What is in hand. `early`: before it was due, which is none of its own tries; `probe`: to see who is there."""

    delivery: Delivery
    lease: str
    at: datetime
    early: bool
    probe: bool


def _take(store: Store, senders: Mapping[str, Sender]) -> _Taken | None:
    box, kind = outbox_table.c, outbox_kind_table.c
    now = store.now()
    mine = kind.kind.in_(sorted(senders))

    def first(probing: sa.ColumnElement[bool]) -> sa.Select[tuple[int]]:
        arrived = sa.and_(box.failed_at < kind.well_at, box.failed_at <= now - PAUSE, box.early < EARLY)
        return (
            sa.select(box.id)
            .select_from(outbox_table.outerjoin(outbox_kind_table, kind.kind == box.kind))
            .where(
                _IN["waiting"],
                sa.or_(box.due_at <= now, arrived, sa.and_(box.away, probing)),
                box.kind.in_(sorted(senders)),
                sa.or_(box.leased_until.is_(None), box.leased_until < now),
            )
            .order_by(box.due_at, box.id)
            .limit(1)
        )

    with store.read() as conn:  # no turn among the writers for a look that mostly finds nothing
        if conn.execute(first(kind.probe_at <= now)).one_or_none() is None:
            return None
    lease = secrets.token_hex(16)
    with store.write() as conn:
        looks = outbox_kind_table.update().where(mine, kind.probe_at <= now).values(probe_at=now + PROBE)
        probed = conn.execute(looks.returning(kind.kind)).scalars().all()  # no other worker looks for them now
        chosen = first(box.kind.in_(probed)).with_for_update(skip_locked=True, of=outbox_table)
        row = conn.execute(
            outbox_table.update()
            .where(box.id == chosen.scalar_subquery())
            .values(lease=lease, leased_until=now + LEASE, tries=box.tries + 1)
            .returning(outbox_table)
        ).one_or_none()
    return None if row is None else _Taken(_delivery(row), lease, now, row.due_at > now, row.kind in probed)


def _failed(store: Store, taken: _Taken, failure: NotDelivered, chance: Callable[[], float]) -> None:
    now, delivery = store.now(), taken.delivery
    if failure.final or (delivery.tries > len(WAITS) and not taken.early):
        _mark(store, taken, gave_up_at=now, reason=str(failure))
        return
    quiet = now + timedelta(seconds=min(failure.after, float(WAITS[-1])))
    # A try may hang while others arrive: they tell of it whatever was well after it began.
    values: dict[str, Any] = {"reason": str(failure), "away": failure.away, "failed_at": taken.at}
    if taken.early:
        values |= {"tries": delivery.tries - 1, "early": outbox_table.c.early + (0 if taken.probe else 1)}
        due = delivery.due_at
    else:
        values["early"] = 0
        due = now + timedelta(seconds=WAITS[delivery.tries - 1] * (1 + 0.2 * chance()))
    look = None
    if failure.after > 0:  # it wants quiet: this row waits for its time, and those that look for longer
        values |= {"away": False, "failed_at": None}
        look = _receiver(delivery).values(probe_at=quiet)
    elif failure.away:
        look = _receiver(delivery).where(outbox_kind_table.c.probe_at.is_(None)).values(probe_at=now + PROBE)
    _mark(store, taken, look, due_at=max(due, quiet), **values)


def _receiver(delivery: Delivery) -> sa.Update:
    return outbox_kind_table.update().where(outbox_kind_table.c.kind == delivery.kind)


# Whoever lost the lease has nothing to say of the row any more: somebody else has it in hand.
def _mark(store: Store, taken: _Taken, receiver: sa.Update | None = None, **values: Any) -> None:
    """Say how it went with the row, and what that tells of its receiver."""
    mine = sa.and_(outbox_table.c.id == taken.delivery.id, outbox_table.c.lease == taken.lease)
    with store.write() as conn:
        conn.execute(outbox_table.update().where(mine).values(lease=None, leased_until=None, **values))
        if receiver is not None:
            conn.execute(receiver)


def _sweep(store: Store) -> None:
    with store.write() as conn:
        conn.execute(outbox_table.delete().where(outbox_table.c.done_at < store.now() - KEPT))


_IN: Final = {
    "waiting": sa.and_(outbox_table.c.done_at.is_(None), outbox_table.c.gave_up_at.is_(None)),
    "delivered": outbox_table.c.done_at.is_not(None),
    "given_up": outbox_table.c.gave_up_at.is_not(None),
}


def _delivery(row: sa.Row[Any]) -> Delivery:
    state = "delivered" if row.done_at else "given_up" if row.gave_up_at else "waiting"
    return Delivery(
        row.id, row.message_id, row.kind, row.payload, row.made_at, row.due_at, row.tries, state, row.reason
    )
