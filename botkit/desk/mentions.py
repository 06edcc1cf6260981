"""Notes, and the colleagues whom they name: who was, where, and whether they have seen it.

This module owns `mention` and is its only writer. A mention is written with the note that names somebody, in one
transaction, and counts as seen once that colleague has opened the ticket. Nobody mentions themselves, and nobody is
mentioned who may not see the desk.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit import accounts
from botkit.accounts import Agent
from botkit.desk import agents
from botkit.desk.transitions import actor
from botkit.store import Event, Store, TicketRow, event_table, iso, mention_table
from botkit.store.event_data import Note

MOST: Final = 100
"""Mentions that are told at once, the newest ones: nobody reads more."""


@dataclass(frozen=True)
class Mention:
    """A note that names an agent: on which ticket, by whom, and what it says."""

    id: int
    ticket: int
    conversation: str
    seq: int
    at: datetime
    by: str
    text: str
    seen: bool

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"at": iso(self.at)}


def mentions(store: Store, agent: Agent, *, seen_too: bool = False) -> list[Mention]:
    """Where this agent was mentioned, the newest first; what they have seen only where that is asked for."""
    with store.read() as conn:
        return mentions_of(conn, agent, seen_too=seen_too)


def mentions_of(conn: Connection, agent: Agent, *, seen_too: bool = False) -> list[Mention]:
    """`mentions`, seen from inside a transaction."""
    mention, event = mention_table.c, event_table.c
    query = (
        sa.select(mention_table, event.actor, event.data)
        .join(event_table, sa.and_(event.conversation_id == mention.conversation_id, event.seq == mention.seq))
        .where(mention.agent_id == agent.id)
        .order_by(mention.id.desc())
        .limit(MOST)
    )
    if not seen_too:
        query = query.where(mention.seen_at.is_(None))
    return [
        Mention(
            id=row.id,
            ticket=row.ticket_id,
            conversation=row.conversation_id,
            seq=row.seq,
            at=row.at,
            by=row.actor.removeprefix("agent:"),
            text=Note.from_json(row.data).text,
            seen=row.seen_at is not None,
        )
        for row in conn.execute(query)
    ]


def saw(store: Store, agent: Agent, ticket_id: int, seq: int) -> None:
    """The agent has opened a ticket and seen its conversation up to `seq`. Writes nothing where nothing is new."""
    mention = mention_table.c
    where = sa.and_(
        mention.agent_id == agent.id, mention.seen_at.is_(None), mention.ticket_id == ticket_id, mention.seq <= seq
    )
    with store.read() as conn:
        if conn.execute(sa.select(mention.id).where(where).limit(1)).first() is None:
            return
    with store.write() as conn:
        conn.execute(mention_table.update().where(where).values(seen_at=store.now()))


def write_note(
    store: Store,
    conn: Connection,
    row: TicketRow,
    agent: Agent,
    text: str,
    at: datetime,
    client_id: str | None = None,
    owner_too: bool = False,
) -> Event:
    """Add a note to a ticket's conversation and mention whom it names, inside the caller's transaction. `owner_too`
    mentions the ticket's owner as well."""
    named = agents.mentioned(conn, text) if "@" in text else {}
    if owner_too and row.owner is not None:
        owner = accounts.agent_named(conn, row.owner)
        if owner is not None and owner.may("desk"):
            named = {owner.name: owner.id} | named
    named.pop(agent.name, None)
    data = Note(row.id, text, tuple(named))
    event = store.append(conn, row.conversation_id, actor(agent), data, at, client_id=client_id)
    for agent_id in named.values():
        conn.execute(
            mention_table.insert().values(
                agent_id=agent_id, conversation_id=row.conversation_id, seq=event.seq, ticket_id=row.id, at=at
            )
        )
    return event
