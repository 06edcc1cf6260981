"""Reading a conversation's log: the event at a number, the last reply, what the customer thought of answers."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit.store import Event, as_event, event_table

MEMORY: Final = timedelta(hours=24)  # what was missed or disliked longer ago is another matter


def opinions(conn: Connection, conversation_id: str, now: datetime) -> list[Event]:
    """The feedback of this matter, newest first."""
    said = event_table.c
    rows = conn.execute(
        sa.select(event_table)
        .where(
            said.conversation_id == conversation_id,
            said.kind.in_(("feedback", "ticket.closed")),
            said.at > now - MEMORY,
        )
        .order_by(said.seq.desc())
    )
    found: list[Event] = []
    for row in rows:
        if row.kind == "ticket.closed":
            break
        found.append(as_event(row))
    return found


def last_reply(conn: Connection, conversation_id: str, kind: str) -> Event | None:
    """The bot's last reply of a kind."""
    said = event_table.c
    rows = conn.execute(
        sa.select(event_table)
        .where(said.conversation_id == conversation_id, said.kind == "reply")
        .order_by(said.seq.desc())
        .limit(40)
    )
    return next((as_event(row) for row in rows if row.data["kind"] == kind), None)


def reply_event(conn: Connection, conversation_id: str, reply_id: str) -> Event | None:
    """The event of a reply, by the reply's id."""
    if not re.fullmatch(r"r[1-9][0-9]{0,8}", reply_id):
        return None
    event = event_at(conn, conversation_id, int(reply_id[1:]))
    return event if event is not None and event.kind == "reply" else None


def event_at(conn: Connection, conversation_id: str, seq: int) -> Event | None:
    """The event with this number."""
    said = event_table.c
    row = conn.execute(
        sa.select(event_table).where(said.conversation_id == conversation_id, said.seq == seq)
    ).one_or_none()
    return None if row is None else as_event(row)
