"""What agents write: to the customer, and to each other.

A message is stored once however often it is sent, and nobody but the ticket's owner speaks to the customer.
"""

from __future__ import annotations

from dataclasses import replace

from botkit import presence
from botkit.accounts import Agent
from botkit.desk.mentions import write_note
from botkit.desk.model import NotOwner, TicketClosed
from botkit.desk.texts import checked_client_id, checked_text
from botkit.desk.transitions import actor, locked, update
from botkit.store import Event, Store
from botkit.store.event_data import AgentMessage


def say(store: Store, ticket_id: int, agent: Agent, client_id: str, text: str) -> Event:
    """Send the customer a message; only the ticket's owner can. Sent again under its client id, it is the first
    one that comes back, whatever has become of the ticket."""
    text, client_id = checked_text(text), checked_client_id(client_id)
    with store.write() as conn:
        row = locked(store, conn, ticket_id)
        before = store.sent_before(conn, row.conversation_id, actor(agent), client_id)
        if before is not None:
            return before
        if row.state == "closed":
            raise TicketClosed(ticket_id)
        if row.owner != agent.name:
            raise NotOwner(row.owner)
        at = store.now()
        if row.first_reply_at is None or row.unanswered_since is not None:
            # A first reply after its time is a breach, whether or not the tick came in between to say so.
            late = row.first_reply_at is None and row.due_at is not None and at > row.due_at
            to = replace(
                row,
                first_reply_at=row.first_reply_at or at,
                breached_at=row.breached_at or (at if late else None),
                unanswered_since=None,
            )
            update(conn, row, to)
        data = AgentMessage(text, client_id, row.id)
        presence.has_written(conn, row.conversation_id, actor(agent))
        return store.append(conn, row.conversation_id, actor(agent), data, at, client_id=client_id)


def note(store: Store, ticket_id: int, agent: Agent, text: str, client_id: str | None = None) -> Event:
    """Write something for colleagues only, on a ticket of any state and owner. `@Name` mentions a colleague, who
    is told; the event's `mentions` has who was."""
    return _note(store, ticket_id, agent, text, client_id, to_owner=False)


def whisper(store: Store, ticket_id: int, agent: Agent, text: str, client_id: str | None = None) -> Event:
    """Say something to the ticket's owner alone, as far as notes are for one: a note that mentions them."""
    return _note(store, ticket_id, agent, text, client_id, to_owner=True)


def _note(
    store: Store, ticket_id: int, agent: Agent, text: str, client_id: str | None, *, to_owner: bool
) -> Event:
    text = checked_text(text)
    if client_id is not None:
        client_id = checked_client_id(client_id)
    with store.write() as conn:
        row = locked(store, conn, ticket_id)
        if client_id is not None:
            before = store.sent_before(conn, row.conversation_id, actor(agent), client_id)
            if before is not None:
                return before
        if to_owner and row.owner is None:
            raise NotOwner(None)
        return write_note(store, conn, row, agent, text, store.now(), client_id, owner_too=to_owner)
