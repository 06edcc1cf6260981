"""The one way in which a ticket changes: a compare-and-set, a line of its history, an event with its webhook, and a
line of the audit log, in one transaction.

Nobody else updates `ticket` or adds to `ticket_state`. Every writer locks the conversation first, then reads the
ticket, decides, and changes it; the version that was decided on is part of the condition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit import accounts
from botkit.accounts import Agent
from botkit.desk.model import NoTicket, NotOwner, TicketClosed
from botkit.outbox import webhooks
from botkit.store import Store, TicketRow, ticket_state_table, ticket_table
from botkit.store.event_data import TicketEvent
from botkit.vocabulary import CHANGES, Change

_AUDITED = ("from", "to", "outcome", "article")
"""What the audit log keeps of it: never what somebody wrote."""

_TICKET: Final = sa.select(ticket_table).where(ticket_table.c.id == sa.bindparam("ticket"))


def actor(agent: Agent) -> str:
    """An agent's name as the log has it."""
    return f"agent:{agent.name}"


def row_of(conn: Connection, ticket_id: int) -> TicketRow:
    """The ticket's row, or NoTicket."""
    result = rows(conn, _TICKET, {"ticket": ticket_id})
    if not result:
        raise NoTicket(ticket_id)
    return result[0]


def rows(conn: Connection, query: sa.Executable, values: Mapping[str, object] | None = None) -> list[TicketRow]:
    """The tickets that a query for whole rows finds."""
    return [TicketRow.from_json(row._asdict()) for row in conn.execute(query, values)]


def locked(store: Store, conn: Connection, ticket_id: int) -> TicketRow:
    """The ticket's row, which cannot change any more until the transaction ends."""
    store.hold(conn, row_of(conn, ticket_id).conversation_id)
    return row_of(conn, ticket_id)


def held(store: Store, conn: Connection, ticket_id: int, agent: Agent, closed_too: bool = False) -> TicketRow:
    """The locked row of a ticket that this agent may change: its owner, or who may overrule; a waiting one belongs to
    nobody yet."""
    row = locked(store, conn, ticket_id)
    if row.state == "closed" and not closed_too:
        raise TicketClosed(ticket_id)
    if row.state != "waiting" and row.owner != agent.name and not agent.may("overrule"):
        raise NotOwner(row.owner)
    return row


def insert(store: Store, conn: Connection, new: TicketRow, by: str, data: TicketEvent) -> TicketRow:
    """Keep a new ticket and write it down; its row, with its id."""
    values = new.as_json() | {"next_at": _next_at(new)}
    del values["id"]
    row = _returned(conn, ticket_table.insert().values(**values))
    data = replace(data, ticket=row.id)
    remember(conn, row, _change(data), by, row.opened_at)
    tell(store, conn, row, by, data, row.opened_at)
    return row


def change(
    store: Store,
    conn: Connection,
    row: TicketRow,
    to: TicketRow,
    by: str,
    data: TicketEvent,
    *,
    at: datetime,
    note: str = "",
) -> TicketRow:
    """Do to the ticket that was decided on what makes `to` of it, and write it down; the row as it is now."""
    row = update(conn, row, replace(to, version=row.version + 1))
    remember(conn, row, _change(data), by, at, note)
    tell(store, conn, row, by, data, at)
    audited = {name: value for name, value in data.as_json().items() if name in _AUDITED}
    accounts.audit(store, conn, by, data.KIND, f"ticket:{row.id}", **audited)
    return row


def tell(store: Store, conn: Connection, row: TicketRow, by: str, data: TicketEvent, at: datetime) -> None:
    """Say in the conversation's log, and to whoever is told by webhook, what happened to a ticket, which is as `row`
    has it. All of the desk's events about tickets go through here."""
    store.append(conn, row.conversation_id, by, data, at)
    webhooks.announce(conn, data.KIND, row, at)


def update(conn: Connection, row: TicketRow, to: TicketRow) -> TicketRow:
    """Make `to` of the ticket if it is still the version that was decided on; its row as it is now. Only what is
    written down in the history counts a version further."""
    before = row.as_json()
    values = {name: value for name, value in to.as_json().items() if value != before[name]}
    values["next_at"] = _next_at(to)
    return _returned(
        conn,
        ticket_table.update()
        .where(ticket_table.c.id == row.id, ticket_table.c.version == row.version, ticket_table.c.state == row.state)
        .values(**values),
    )


def remember(
    conn: Connection, row: TicketRow, what: Change, by: str, at: datetime, note: str = ""
) -> None:
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


def _returned(conn: Connection, statement: sa.Insert | sa.Update) -> TicketRow:
    return TicketRow.from_json(conn.execute(statement.returning(ticket_table)).one()._asdict())


def _change(data: TicketEvent) -> Change:
    """What was done, as the history says it."""
    what = data.KIND.removeprefix("ticket.")
    return next(each for each in CHANGES if each == what)


def _next_at(ticket: TicketRow) -> datetime | None:
    """When the tick must look at the ticket next: its clock, the end of an offer, or of a wait for the customer."""
    moments = []
    if ticket.state != "closed" and ticket.first_reply_at is None:
        if ticket.warned_at is None:
            moments.append(ticket.warn_at)
        if ticket.breached_at is None:
            moments.append(ticket.due_at)
    if ticket.state == "waiting":
        moments.append(ticket.offer_until)
    if ticket.state == "pending":
        moments.append(ticket.pending_until)
    return min((moment for moment in moments if moment is not None), default=None)
