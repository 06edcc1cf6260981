"""Both ways live: who is typing, who is there, up to where each side has received and read, and what has changed.

This module owns `mark` and is its only writer. A mark is one actor's state in one conversation: never an event, never
history, and gone without harm. So it is written without waiting for the disk, and only when it says something new: a
word every few seconds from somebody who types, nothing from somebody who reads what was read before.

    mark   (conversation_id, actor) PK: `customer` or `agent:NAME`
           delivered, read: the last seq that has arrived at, and been seen by, this actor
           typing_until, online_until: true up to this moment, unless it is moved or taken back

For the streams it also answers, in a few cheap queries, what a poller compares: the desk's counts, the mentions
and the marks. It keeps no cursor over all conversations. Ids and times are given before a commit, so "everything after
N" would miss what commits late; each conversation's own `seq` has no such gap, and is all that is compared.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from botkit.store import (
    CUSTOMER,
    Store,
    agent_table,
    conversation_table,
    event_table,
    iso,
    mark_table,
    mention_table,
    ticket_table,
)

TYPING: Final = timedelta(seconds=6)  # how long one word that somebody types is believed
ONLINE: Final = timedelta(seconds=75)  # how long an open stream is believed after it was last heard of
GRACE: Final = timedelta(seconds=6)  # and after it has ended: a page that is left is often followed by another
_CHUNK: Final = 500
_MARK: Final = (
    mark_table.c.delivered,
    mark_table.c.read,
    sa.type_coerce(mark_table.c.typing_until, sa.String),
    sa.type_coerce(mark_table.c.online_until, sa.String),
)

_ROOMS: Final = (
    sa.select(mark_table.c.conversation_id, mark_table.c.actor, *_MARK, ticket_table.c.owner)
    .select_from(
        mark_table.outerjoin(
            ticket_table,
            sa.and_(
                ticket_table.c.conversation_id == mark_table.c.conversation_id, ticket_table.c.state != "closed"
            ),
        )
    )
    .where(mark_table.c.conversation_id.in_(sa.bindparam("ids", expanding=True)))
)
_ONE_MARK: Final = sa.select(*_MARK).where(
    mark_table.c.conversation_id == sa.bindparam("conversation"), mark_table.c.actor == sa.bindparam("actor")
)


@dataclass(frozen=True)
class Signals:
    """The other side of a conversation, as one side may see it. `delivered` and `read` are sequence numbers."""

    typing: bool = False
    online: bool = False
    delivered: int = 0
    read: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Mark:
    """What is known of one actor in one conversation. The times are texts, as stored: they are compared ten times a
    second for every stream, and sort as they are."""

    delivered: int = 0
    read: int = 0
    typing_until: str | None = None
    online_until: str | None = None

    def signals(self, now: datetime) -> Signals:
        at = iso(now)
        return Signals((self.typing_until or "") > at, (self.online_until or "") > at, self.delivered, self.read)


@dataclass(frozen=True)
class Room:
    """A conversation's marks, and the agent who has it, if one has."""

    owner: str | None = None
    marks: Mapping[str, Mark] = field(default_factory=dict)

    def for_customer(self, now: datetime) -> Signals:
        """The agent in charge, and no other: a colleague or supervisor who reads along is not shown."""
        mark = self.marks.get(f"agent:{self.owner}") if self.owner else None
        return mark.signals(now) if mark else Signals()

    def for_agent(self, now: datetime) -> Signals:
        """The customer."""
        mark = self.marks.get(CUSTOMER)
        return mark.signals(now) if mark else Signals()


@dataclass(frozen=True)
class Chat:
    """A ticket that an agent has or watches. `unread` counts the customer's messages after the agent's read mark."""

    ticket: int
    conversation: str
    state: str
    owner: str | None
    last: int
    unread: int


@dataclass(frozen=True)
class DeskCounts:
    """The queue's open tickets. `counts` says how many there are in each state; `of` changes for an agent's name when
    one of that agent's tickets comes, goes or changes state."""

    counts: Mapping[str, int]
    of: Mapping[str | None, Collection[Any]]


def typing(store: Store, conversation_id: str, actor: str, on: bool = True) -> None:
    """Somebody types, or has stopped. Said again within a few seconds it writes nothing."""
    now = store.now()
    with store.read() as conn:
        until = _mark(conn, conversation_id, actor).typing_until or ""
    if until > iso(now + TYPING / 2) if on else until <= iso(now):
        return
    _set(store, conversation_id, actor, typing_until=now + TYPING if on else None)


def has_written(conn: Connection, conversation_id: str, actor: str) -> None:
    """Whoever has sent a message types it no more: inside the transaction that stores it."""
    mine = mark_table.c.conversation_id == conversation_id, mark_table.c.actor == actor
    conn.execute(mark_table.update().where(*mine, mark_table.c.typing_until.is_not(None)).values(typing_until=None))


def seen(store: Store, conversation_id: str, actor: str, seq: int, read: bool = True) -> None:
    """The conversation has arrived at the actor up to `seq`, and was read up to there unless `read` is false. Marks
    only grow, and never past the last event."""
    with store.read() as conn:
        mark, last = _mark(conn, conversation_id, actor), store.heads(conn, [conversation_id]).get(conversation_id, 0)
    seq = min(seq, last)
    if seq <= (mark.read if read else mark.delivered):
        return
    with store.write(durable=False) as conn:
        table = mark_table.c
        grown = {"delivered": _greater(table.delivered, seq)} | ({"read": _greater(table.read, seq)} if read else {})
        first = {"delivered": seq, "read": seq if read else 0}
        _upsert(conn, [_row(conversation_id, actor, **first)], grown)


def present(store: Store, here: Iterable[tuple[str, str]], gone: Iterable[tuple[str, str]] = ()) -> None:
    """These actors have a stream of their conversation open, those have none any more: one transaction for all."""
    now = store.now()
    rows = [_row(*pair, online_until=now + ONLINE) for pair in sorted(here)]
    rows += [_row(*pair, online_until=now + GRACE) for pair in sorted(gone)]
    if rows:
        with store.write(durable=False) as conn:
            _upsert(conn, rows, ("online_until",))


def stay(store: Store, conversation_id: str, actor: str, room: Room) -> None:
    """An actor without a stream has just asked for what is new. Written about twice in the time that it is believed."""
    until = room.marks.get(actor, Mark()).online_until or ""
    if until < iso(store.now() + ONLINE / 2):
        present(store, [(conversation_id, actor)])


def rooms(conn: Connection, conversation_ids: Iterable[str]) -> dict[str, Room]:
    """The marks and owners of these conversations; one of which nothing is known is left out."""
    ids, result = list(conversation_ids), dict[str, tuple[str | None, dict[str, Mark]]]()
    for start in range(0, len(ids), _CHUNK):
        for row in conn.execute(_ROOMS, {"ids": ids[start : start + _CHUNK]}):
            conversation_id, actor, *mark_of, owner = row
            result.setdefault(conversation_id, (owner, {}))[1][actor] = Mark(*mark_of)
    return {conversation_id: Room(*room) for conversation_id, room in result.items()}


def desk_counts(conn: Connection) -> DeskCounts:
    """How many open tickets there are, and a figure for each agent that changes when theirs do."""
    table = ticket_table.c
    number = sa.cast(table.id, sa.BigInteger)
    rows = conn.execute(
        sa.select(table.state, table.owner, sa.func.count(), sa.func.sum(number), sa.func.sum(number * number % 999983))
        .where(table.state != "closed")
        .group_by(table.state, table.owner)
    )
    counts: dict[str, int] = {"waiting": 0, "claimed": 0}
    of: dict[str | None, set[Any]] = {}
    for state, owner, count, *figures in rows:
        counts[state] = counts.get(state, 0) + count
        of.setdefault(owner, set()).add((state, count, *map(int, figures)))
    return DeskCounts(counts, of)


def mentions(conn: Connection) -> dict[str, tuple[int, int]]:
    """A figure for each agent that changes when they are mentioned, and when they have seen it: nothing for those
    with nothing new. One query for all, along an index of the unseen alone."""
    table = mention_table.c
    rows = conn.execute(
        sa.select(agent_table.c.name, sa.func.count(), sa.func.sum(sa.cast(table.id, sa.BigInteger)))
        .join(agent_table, agent_table.c.id == table.agent_id)
        .where(table.seen_at.is_(None))
        .group_by(agent_table.c.name)
    )
    return {name: (int(count), int(figure)) for name, count, figure in rows}


def chats(conn: Connection, name: str, watched: Collection[int] = ()) -> list[Chat]:
    """The open tickets of this agent and the watched ones, with what is unread."""
    ticket, event, mark = ticket_table.c, event_table.c, mark_table.c
    read = (
        sa.select(mark.read)
        .where(mark.conversation_id == event.conversation_id, mark.actor == f"agent:{name}")
        .scalar_subquery()
    )
    unread = (
        sa.select(sa.func.count())
        .select_from(event_table)
        .where(
            event.conversation_id == ticket.conversation_id,
            event.seq > sa.func.coalesce(read, 0),
            event.kind == "message",
            event.actor == CUSTOMER,
        )
        .scalar_subquery()
    )
    own = sa.and_(ticket.owner == name, ticket.state != "closed")
    rows = conn.execute(
        sa.select(ticket.id, ticket.conversation_id, ticket.state, ticket.owner, conversation_table.c.last_seq, unread)
        .join(conversation_table, conversation_table.c.id == ticket.conversation_id)
        .where(sa.or_(own, ticket.id.in_(watched)))
        .order_by(ticket.id)
    )
    return [Chat(*row) for row in rows]


def conversation_of(store: Store, ticket_id: int) -> str | None:
    """The conversation that a ticket is about; None for no such ticket."""
    with store.read() as conn:
        query = sa.select(ticket_table.c.conversation_id).where(ticket_table.c.id == ticket_id)
        return conn.execute(query).scalar()


def _mark(conn: Connection, conversation_id: str, actor: str) -> Mark:
    row = conn.execute(_ONE_MARK, {"conversation": conversation_id, "actor": actor}).one_or_none()
    return Mark() if row is None else Mark(*row)


def _set(store: Store, conversation_id: str, actor: str, **values: Any) -> None:
    with store.write(durable=False) as conn:
        _upsert(conn, [_row(conversation_id, actor, **values)], tuple(values))


def _row(conversation_id: str, actor: str, **values: Any) -> dict[str, Any]:
    return {"conversation_id": conversation_id, "actor": actor, "delivered": 0, "read": 0, **values}


def _greater(column: sa.Column[int], seq: int) -> sa.ColumnElement[int]:
    return sa.case((column < seq, seq), else_=column)


def _upsert(conn: Connection, rows: list[dict[str, Any]], change: Collection[str] | Mapping[str, Any]) -> None:
    insert = (postgresql if conn.dialect.name == "postgresql" else sqlite).insert(mark_table)
    values = change if isinstance(change, Mapping) else {name: insert.excluded[name] for name in change}
    keys = [mark_table.c.conversation_id, mark_table.c.actor]
    conn.execute(insert.on_conflict_do_update(index_elements=keys, set_=dict(values)), rows)
