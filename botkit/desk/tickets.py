"""A ticket's life once it is open: claimed, waiting for the customer, released, handed on, closed.

Each step is one transaction and goes through `transitions`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit import accounts, language
from botkit.accounts import Agent
from botkit.desk import agents
from botkit.desk.mentions import write_note
from botkit.desk.model import (
    LAPSED,
    OUTCOMES,
    AlreadyClaimed,
    Away,
    DeskError,
    NotAllowed,
    NotOwner,
    Policy,
    Ticket,
    TicketClosed,
    as_ticket,
)
from botkit.desk.texts import checked_text
from botkit.desk.transitions import actor, change, held, locked, row_of, tell, update
from botkit.store import CUSTOMER, SYSTEM, Store, iso

MOST_TAGS: Final = 20
_TAG = re.compile(r"[^\W_][\w.:-]{0,39}")


def heard(store: Store, conn: Connection, ticket_id: int, at: datetime | None = None) -> None:
    """Note, inside the caller's transaction, which holds the conversation, that the customer wrote on an open ticket:
    somebody waits for an answer from now on, and a ticket that waited for the customer is its owner's turn again."""
    at = at or store.now()
    row = row_of(conn, ticket_id)
    since = row.unanswered_since or at
    if row.state == "pending":
        change(
            store, conn, row, "resumed", CUSTOMER, at=at, state="claimed", pending_until=None, unanswered_since=since
        )
    elif row.state != "closed" and row.unanswered_since is None:
        update(conn, row, unanswered_since=since)


def claim(store: Store, ticket_id: int, agent: Agent) -> Ticket:
    """Make the agent a waiting ticket's owner, offered to somebody or not. AlreadyClaimed tells who was first; one's
    own claim may repeat, and takes up a ticket that waited for the customer."""
    with store.read() as conn:  # who is late need not wait for the writers' turn to hear it
        row = row_of(conn, ticket_id)
    if row.owner is not None and row.owner != agent.name and row.state != "closed":
        raise AlreadyClaimed(row.owner)
    with store.write() as conn:
        at = store.now()
        row = locked(store, conn, ticket_id)
        if row.state == "closed":
            raise TicketClosed(ticket_id)
        if row.state != "waiting" and row.owner != agent.name:
            raise AlreadyClaimed(row.owner)
        if row.state == "pending":
            row = change(store, conn, row, "resumed", actor(agent), at=at, state="claimed", pending_until=None)
        elif row.state == "waiting":
            row = _give(store, conn, row, agent.name, "claimed", actor(agent), {}, at)
            agents.took(conn, agent)
        return as_ticket(row, at)


def pend(store: Store, ticket_id: int, agent: Agent, policy: Policy | None = None) -> Ticket:
    """Let a claimed ticket wait for the customer: it keeps its owner and leaves their load until the customer writes.
    After the policy's hours without a word it is closed."""
    policy = policy or Policy()
    with store.write() as conn:
        at = store.now()
        row = held(store, conn, ticket_id, agent)
        if row.state == "waiting":
            raise NotOwner(None)
        if row.state == "claimed":
            until = at + timedelta(hours=policy.pending_hours)
            row = change(
                store,
                conn,
                row,
                "pending",
                actor(agent),
                {"until": iso(until)},
                at=at,
                state="pending",
                pending_until=until,
                unanswered_since=None,
            )
        return as_ticket(row, at)


def release(store: Store, ticket_id: int, agent: Agent) -> Ticket:
    """Put a claimed ticket back where it was in the queue."""
    with store.write() as conn:
        at = store.now()
        row = held(store, conn, ticket_id, agent)
        if row.state != "waiting":
            row = put_back(store, conn, row, actor(agent), at)
        return as_ticket(row, at)


def put_back(
    store: Store,
    conn: Connection,
    row: sa.Row[Any],
    by: str,
    at: datetime,
    home: str | None = None,
    unattended: str = "",
) -> sa.Row[Any]:
    """Let an owned ticket wait again; `home` is whom it comes back to, `unattended` says that its owner was gone."""
    why = "unattended" if unattended else "absent" if home else ""
    data = {"from": row.owner} | ({why: True} if why else {})
    return change(
        store,
        conn,
        row,
        "released",
        by,
        data,
        at=at,
        note=unattended,
        state="waiting",
        owner=None,
        pending_until=None,
        home=home,
        passed_by=[row.owner] if row.owner else [],
        unanswered_since=row.unanswered_since or at,
    )


def transfer(store: Store, ticket_id: int, agent: Agent, to_agent: str, note: str = "") -> Ticket:
    """Give a claimed ticket to another agent, with a note for them if there is one. Who may overrule gives any ticket
    that is not closed to anybody: a waiting one too, and to themselves.

    Whoever is absent gets none: their delegate has it instead, until they are back (`home`), or it is refused with
    Away."""
    note = checked_text(note, "note") if note.strip() else ""
    with store.write() as conn:
        at = store.now()
        row = held(store, conn, ticket_id, agent)
        if row.state == "waiting" and not agent.may("overrule"):
            raise NotOwner(None)
        to = accounts.agent_named(conn, to_agent)
        if to is None or not to.may("desk"):
            raise DeskError(f"{to_agent!r} is nobody who works at the desk: choose one of the agents")
        if to.name == row.owner:
            return as_ticket(row, at)
        there = to if to.name == agent.name else agents.stand_in(conn, to, at)
        home = None if there is not None and there.name == to.name else to.name
        if there is None or there.name == row.owner:
            raise Away(to.name, agents.absent_until(conn, to, at))
        row = hand_on(store, conn, row, there.name, actor(agent), at, note=note, home=home)
        if note:
            write_note(store, conn, row, agent, note, at)
        return as_ticket(row, at)


def take_over(store: Store, ticket_id: int, agent: Agent, note: str = "") -> Ticket:
    """Make a supervisor the owner, whoever had it."""
    if not agent.may("overrule"):
        raise NotAllowed
    return transfer(store, ticket_id, agent, agent.name, note)


def hand_on(
    store: Store,
    conn: Connection,
    row: sa.Row[Any],
    to: str,
    by: str,
    at: datetime,
    note: str = "",
    home: str | None = None,
) -> sa.Row[Any]:
    """Make somebody the owner of a ticket that is not closed; `home` is whom it comes back to."""
    data = {"from": row.owner, "to": to} | ({"absent": True} if home else {})
    return _give(store, conn, row, to, "transferred", by, data, at, note=note, home=home)


def breach(store: Store, conn: Connection, row: sa.Row[Any], at: datetime) -> sa.Row[Any]:
    """Mark that a first reply did not come in time."""
    row = update(conn, row, breached_at=at, warned_at=row.warned_at or at)
    tell(store, conn, row, "ticket.breached", SYSTEM, {"due": iso(row.due_at), "owner": row.owner}, at)
    return row


def close(
    store: Store,
    ticket_id: int,
    agent: Agent,
    outcome: str,
    article: str | None = None,
    *,
    no_article: bool = False,
    tags: Sequence[str] = (),
) -> Ticket:
    """End the ticket with the agent's verdict: how it ended, and which article would have answered. `no_article`
    says that none does; neither says nothing. `tags` are added to the ticket's. The customer's next question goes to
    the bot again."""
    if outcome not in OUTCOMES:
        raise DeskError(f"invalid outcome {outcome!r}: expected one of {', '.join(OUTCOMES)}")
    article = language.clean(article)[:300] or None if article else None
    if article and no_article:
        raise DeskError("an article is named and said not to be there: say one of both")
    tags = checked_tags(tags)
    with store.write() as conn:
        at = store.now()
        row = held(store, conn, ticket_id, agent, closed_too=True)
        if row.state == "closed":
            if (row.outcome, row.article, row.no_article) != (outcome, article, no_article):
                raise TicketClosed(ticket_id)
            return as_ticket(row, at)
        if row.state == "waiting":
            raise NotOwner(None)
        return as_ticket(end(store, conn, row, actor(agent), outcome, at, article, no_article, tags), at)


def end(
    store: Store,
    conn: Connection,
    row: sa.Row[Any],
    by: str,
    outcome: str,
    at: datetime,
    article: str | None = None,
    no_article: bool = False,
    tags: Sequence[str] = (),
    note: str = "",
) -> sa.Row[Any]:
    """Close a ticket of any open state, inside the caller's transaction."""
    data: dict[str, Any] = {"outcome": outcome, "article": article}
    data |= {"no_article": True} if no_article else {}
    data |= {"tags": list(tags)} if tags else {}
    data |= {"note": note} if note else {}
    return change(
        store,
        conn,
        row,
        "closed",
        by,
        data,
        at=at,
        note=note,
        state="closed",
        outcome=outcome,
        article=article,
        no_article=no_article,
        tags=list(dict.fromkeys([*row.tags, *tags])),
        closed_at=at,
        pending_until=None,
        offered_to=None,
        offer_until=None,
        home=None,
        unanswered_since=None,
    )


def lapse(store: Store, conn: Connection, row: sa.Row[Any], at: datetime) -> sa.Row[Any]:
    """Close a ticket whose customer did not come back."""
    return end(store, conn, row, SYSTEM, LAPSED, at)


def checked_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Tags as they are kept: lower case, each once. DeskError for what is none."""
    cleaned = tuple(dict.fromkeys(tag.strip().casefold() for tag in tags if tag.strip()))
    if len(cleaned) > MOST_TAGS or not all(_TAG.fullmatch(tag) for tag in cleaned):
        raise DeskError(f"tags are up to {MOST_TAGS} words of up to 40 letters, digits and . _ : - each")
    return cleaned


def _give(
    store: Store,
    conn: Connection,
    row: sa.Row[Any],
    to: str,
    what: str,
    by: str,
    data: Mapping[str, Any],
    at: datetime,
    note: str = "",
    home: str | None = None,
) -> sa.Row[Any]:
    return change(
        store,
        conn,
        row,
        what,
        by,
        data,
        at=at,
        note=note,
        state="claimed" if row.state == "waiting" else row.state,
        owner=to,
        claimed_at=row.claimed_at or at,
        offered_to=None,
        offer_until=None,
        passed_by=[],
        home=home,
    )
