"""Parts of a conversation's log, bounded in number and bytes: however much is said, what is read at once is small."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit.store.schema import event_table

PAGE_EVENTS: Final = 200
PAGE_BYTES: Final = 256 * 1024
"""Bytes of the events' data. One event is always given, however long it is."""

_event = event_table.c
_size = sa.func.octet_length(sa.cast(_event.data, sa.Text)).label("size")
_of = _event.conversation_id == sa.bindparam("conversation")
_AFTER: Final = (
    sa.select(event_table, _size).where(_of, _event.seq > sa.bindparam("at")).order_by(_event.seq)
).limit(PAGE_EVENTS + 1)
_BEFORE: Final = (
    sa.select(event_table, _size).where(_of, _event.seq < sa.bindparam("at")).order_by(_event.seq.desc())
).limit(PAGE_EVENTS + 1)


class Page(NamedTuple):
    """Rows of the event table in their order, and whether there are more in the direction that was read."""

    rows: Sequence[sa.Row[Any]]
    more: bool


def rows_after(conn: Connection, conversation_id: str, seq: int, most_bytes: int = PAGE_BYTES) -> Page:
    """The first rows after this number."""
    return _page(conn, _AFTER, conversation_id, seq, most_bytes)


def rows_before(conn: Connection, conversation_id: str, seq: int, most_bytes: int = PAGE_BYTES) -> Page:
    """The last rows before this number."""
    rows, more = _page(conn, _BEFORE, conversation_id, seq, most_bytes)
    return Page(rows[::-1], more)


def _page(conn: Connection, query: sa.Select[Any], conversation_id: str, seq: int, most_bytes: int) -> Page:
    rows: list[sa.Row[Any]] = []
    left = most_bytes
    with conn.execute(query, {"conversation": conversation_id, "at": seq}) as result:
        for row in result:
            left -= row.size
            if rows and (left < 0 or len(rows) == PAGE_EVENTS):
                return Page(rows, True)
            rows.append(row)
    return Page(rows, False)


class Added(NamedTuple):
    """What somebody added to a conversation: how many events, how many bytes of data, and when the first came."""

    events: int
    bytes: int
    since: datetime | None


def added(conn: Connection, conversation_id: str, actor: str, since: datetime, after: int) -> Added:
    """What this author added since then, looked for behind the event `after` alone."""
    row = conn.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(_size), 0), sa.func.min(_event.at)).where(
            _of, _event.seq > sa.bindparam("at"), _event.actor == actor, _event.at > since
        ),
        {"conversation": conversation_id, "at": after},
    ).one()
    return Added(int(row[0]), int(row[1]), row[2])
