"""The one way in which a ticket changes: a compare-and-set, a line of its history, an event with its webhook, and a
line of the audit log, in one transaction.

Nobody else updates `ticket` or adds to `ticket_state`. Every writer locks the conversation first, then reads the
ticket, decides, and changes it; the version that was decided on is part of the condition.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit import accounts
from botkit.accounts import Agent
from botkit.desk.model import NoTicket, NotOwner, TicketClosed
from botkit.outbox import webhooks
from botkit.store import Store, ticket_state_table, ticket_table

EVENTS = {
    "opened": "ticket.opened",
    "claimed": "ticket.claimed",
    "pending": "ticket.pending",
    "resumed": "ticket.resumed",
    "released": "ticket.released",
    "transferred": "ticket.transferred",
    "closed": "ticket.closed",
    "reopened": "ticket.reopened",
}
"""What can be done to a ticket, and the event that tells it."""
_AUDITED = ("from", "to", "outcome", "article")
"""What the audit log keeps of it: never what somebody wrote."""

_TICKET: Final = sa.select(ticket_table).where(ticket_table.c.id == sa.bindparam("ticket"))


def actor(agent: Agent) -> str:
    """An agent's name as the log has it."""
    return f"agent:{agent.name}"


def row_of(conn: Connection, ticket_id: int) -> sa.Row[Any]:
    """The ticket's row, or NoTicket."""
    row = conn.execute(_TICKET, {"ticket": ticket_id}).one_or_none()
    if row is None:
        raise NoTicket(ticket_id)
    return row


def locked(store: Store, conn: Connection, ticket_id: int) -> sa.Row[Any]:
    """The ticket's row, which cannot change any more until the transaction ends."""
    store.hold(conn, row_of(conn, ticket_id).conversation_id)
    return row_of(conn, ticket_id)


def held(store: Store, conn: Connection, ticket_id: int, agent: Agent, closed_too: bool = False) -> sa.Row[Any]:
    """The locked row of a ticket that this agent may change: its owner, or who may overrule; a waiting one belongs to
    nobody yet."""
    row = locked(store, conn, ticket_id)
    if row.state == "closed" and not closed_too:
        raise TicketClosed(ticket_id)
    if row.state != "waiting" and row.owner != agent.name and not agent.may("overrule"):
        raise NotOwner(row.owner)
    return row


def change(
    store: Store,
    conn: Connection,
    row: sa.Row[Any],
    what: str,
    by: str,
    data: Mapping[str, Any] | None = None,
    *,
    at: datetime,
    note: str = "",
    **values: Any,
) -> sa.Row[Any]:
    """Do it to the ticket that was decided on, and write it down; the row as it is now."""
    row = update(conn, row, **values)
    remember(conn, row, what, by, at, note)
    tell(store, conn, row, EVENTS[what], by, data or {}, at)
    audited = {name: value for name, value in (data or {}).items() if name in _AUDITED}
    accounts.audit(store, conn, by, EVENTS[what], f"ticket:{row.id}", **audited)
    return row


def tell(
    store: Store, conn: Connection, row: sa.Row[Any], kind: str, by: str, data: Mapping[str, Any], at: datetime
) -> None:
    """Say in the conversation's log, and to whoever is told by webhook, what happened to a ticket, which is as `row`
    has it. All of the desk's events about tickets go through here."""
    store.append(conn, row.conversation_id, kind, by, {"ticket": row.id, **data}, at)
    webhooks.announce(conn, kind, row, at)


def update(conn: Connection, row: sa.Row[Any], **values: Any) -> sa.Row[Any]:
    """Change the ticket if it is still the version that was decided on; its row as it is now. What is written down in
    the history counts a version further, everything else keeps it."""
    values["next_at"] = _next_at({**row._mapping, **values})
    if "state" in values or "owner" in values:
        values["version"] = row.version + 1
    return conn.execute(
        ticket_table.update()
        .where(ticket_table.c.id == row.id, ticket_table.c.version == row.version, ticket_table.c.state == row.state)
        .values(**values)
        .returning(ticket_table)
    ).one()


def remember(conn: Connection, row: sa.Row[Any], what: str, by: str, at: datetime, note: str = "") -> None:
    """Add what was done to the ticket's history, under the version that it led to."""
    conn.execute(
        ticket_state_table.insert().values(
            ticket_id=row.id,
            n=row.version,
            change=what,
            state=row.state,
            owner=row.owner,
            actor=by,
            at=at,
            note=note,
        )
    )


def _next_at(ticket: Mapping[str, Any]) -> datetime | None:
    """When the tick must look at the ticket next: its clock, the end of an offer, or of a wait for the customer."""
    moments = []
    if ticket["state"] != "closed" and ticket["first_reply_at"] is None:
        if ticket["warned_at"] is None:
            moments.append(ticket["warn_at"])
        if ticket["breached_at"] is None:
            moments.append(ticket["due_at"])
    if ticket["state"] == "waiting":
        moments.append(ticket["offer_until"])
    if ticket["state"] == "pending":
        moments.append(ticket["pending_until"])
    return min((moment for moment in moments if moment is not None), default=None)
