"""Reading a conversation's log: the event at a number, the last reply, what the customer thought of answers."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit.store import Event, as_event, event_table
from botkit.store.event_data import BotReply, Feedback, TicketClosed

MEMORY: Final = timedelta(hours=24)  # what was missed or disliked longer ago is another matter


def opinions(conn: Connection, conversation_id: str, now: datetime) -> list[tuple[int, Feedback]]:
    """The feedback of this matter with its number, newest first."""
    columns = event_table.c
    rows = conn.execute(
        sa.select(event_table)
        .where(
            columns.conversation_id == conversation_id,
            columns.kind.in_((Feedback.KIND, TicketClosed.KIND)),
            columns.at > now - MEMORY,
        )
        .order_by(columns.seq.desc())
    )
    result: list[tuple[int, Feedback]] = []
    for event in map(as_event, rows):
        if not isinstance(event.data, Feedback):
            break
        result.append((event.seq, event.data))
    return result


def last_handover(conn: Connection, conversation_id: str) -> Event | None:
    """The bot's last reply that handed over."""
    event = event_table.c
    rows = conn.execute(
        sa.select(event_table)
        .where(event.conversation_id == conversation_id, event.kind == BotReply.KIND)
        .order_by(event.seq.desc())
        .limit(40)
    )
    events = map(as_event, rows)
    return next((e for e in events if isinstance(e.data, BotReply) and e.data.kind == "handoff"), None)


def reply_called(conn: Connection, conversation_id: str, reply_id: str) -> BotReply | None:
    """A reply of the bot's, by its id."""
    if not re.fullmatch(r"r[1-9][0-9]{0,8}", reply_id):
        return None
    event = event_at(conn, conversation_id, int(reply_id[1:]))
    return event.data if event is not None and isinstance(event.data, BotReply) else None


def event_at(conn: Connection, conversation_id: str, seq: int) -> Event | None:
    """The event with this number."""
    event = event_table.c
    row = conn.execute(
        sa.select(event_table).where(event.conversation_id == conversation_id, event.seq == seq)
    ).one_or_none()
    return None if row is None else as_event(row)
