"""A ticket's life once it is open: claimed, waiting for the customer, released, handed on, closed.

Each step is one transaction and goes through `transitions`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.engine import Connection

from botkit import accounts, language
from botkit.accounts import Agent
from botkit.desk import agents
from botkit.desk.mentions import write_note
from botkit.desk.model import (
    AUTO_CLOSED,
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
from botkit.store import CUSTOMER, SYSTEM, Store, TicketRow, event_data, iso
from botkit.store.event_data import (
    TicketBreached,
    TicketClaimed,
    TicketPending,
    TicketReleased,
    TicketResumed,
    TicketTransferred,
)
from botkit.vocabulary import Outcome, Verdict

MOST_TAGS: Final = 20
_TAG = re.compile(r"[^\W_][\w.:-]{0,39}")


def heard(store: Store, conn: Connection, ticket_id: int, at: datetime | None = None) -> None:
    """Note, inside the caller's transaction, which holds the conversation, that the customer wrote on an open ticket:
    somebody waits for an answer from now on, and a ticket that waited for the customer is its owner's turn again."""
    at = at or store.now()
    row = row_of(conn, ticket_id)
    since = row.unanswered_since or at
    if row.state == "pending":
        to = replace(row, state="claimed", pending_until=None, unanswered_since=since)
        change(store, conn, row, to, CUSTOMER, TicketResumed(row.id), at=at)
    elif row.state != "closed" and row.unanswered_since is None:
        update(conn, row, replace(row, unanswered_since=since))


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
            to = replace(row, state="claimed", pending_until=None)
            row = change(store, conn, row, to, actor(agent), TicketResumed(row.id), at=at)
        elif row.state == "waiting":
            to = _given(row, agent.name, at)
            row = change(store, conn, row, to, actor(agent), TicketClaimed(row.id), at=at)
            agents.took(conn, agent)
        return as_ticket(row, at)


def wait_for_customer(store: Store, ticket_id: int, agent: Agent, policy: Policy | None = None) -> Ticket:
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
            to = replace(row, state="pending", pending_until=until, unanswered_since=None)
            row = change(store, conn, row, to, actor(agent), TicketPending(row.id, iso(until)), at=at)
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
    row: TicketRow,
    by: str,
    at: datetime,
    home: str | None = None,
    unattended: str = "",
) -> TicketRow:
    """Let an owned ticket wait again; `home` is whom it comes back to, `unattended` says that its owner was gone."""
    absent = bool(home) and not unattended
    to = replace(
        row,
        state="waiting",
        owner=None,
        pending_until=None,
        home=home,
        passed_by=(row.owner,) if row.owner else (),
        unanswered_since=row.unanswered_since or at,
    )
    data = TicketReleased(row.id, row.owner, absent=absent, unattended=bool(unattended))
    return change(store, conn, row, to, by, data, at=at, note=unattended)


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
    row: TicketRow,
    to: str,
    by: str,
    at: datetime,
    note: str = "",
    home: str | None = None,
) -> TicketRow:
    """Make somebody the owner of a ticket that is not closed; `home` is whom it comes back to."""
    data = TicketTransferred(row.id, row.owner, to, absent=bool(home))
    return change(store, conn, row, _given(row, to, at, home), by, data, at=at, note=note)


def breach(store: Store, conn: Connection, row: TicketRow, at: datetime) -> TicketRow:
    """Mark that a first reply did not come in time."""
    row = update(conn, row, replace(row, breached_at=at, warned_at=row.warned_at or at))
    assert row.due_at is not None
    tell(store, conn, row, SYSTEM, TicketBreached(row.id, iso(row.due_at), row.owner), at)
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
    verdict = checked_outcome(outcome)
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
        return as_ticket(end(store, conn, row, actor(agent), verdict, at, article, no_article, tags), at)


def end(
    store: Store,
    conn: Connection,
    row: TicketRow,
    by: str,
    outcome: Outcome,
    at: datetime,
    article: str | None = None,
    no_article: bool = False,
    tags: Sequence[str] = (),
    note: str = "",
) -> TicketRow:
    """Close a ticket of any open state, inside the caller's transaction."""
    to = replace(
        row,
        state="closed",
        outcome=outcome,
        article=article,
        no_article=no_article,
        tags=tuple(dict.fromkeys([*row.tags, *tags])),
        closed_at=at,
        pending_until=None,
        offered_to=None,
        offer_until=None,
        home=None,
        unanswered_since=None,
    )
    data = event_data.TicketClosed(row.id, outcome, article, no_article, tuple(tags), note)
    return change(store, conn, row, to, by, data, at=at, note=note)


def auto_close(store: Store, conn: Connection, row: TicketRow, at: datetime) -> TicketRow:
    """Close a ticket whose customer did not come back."""
    return end(store, conn, row, SYSTEM, AUTO_CLOSED, at)


def checked_outcome(outcome: str) -> Verdict:
    """How an agent says that a ticket ended; DeskError for anything else."""
    for each in OUTCOMES:
        if each == outcome:
            return each
    raise DeskError(f"invalid outcome {outcome!r}: expected one of {', '.join(OUTCOMES)}")


def checked_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Tags as they are kept: lower case, each once. DeskError for an invalid one."""
    cleaned = tuple(dict.fromkeys(tag.strip().casefold() for tag in tags if tag.strip()))
    if len(cleaned) > MOST_TAGS or not all(_TAG.fullmatch(tag) for tag in cleaned):
        raise DeskError(f"tags are up to {MOST_TAGS} words of up to 40 letters, digits and . _ : - each")
    return cleaned


def _given(row: TicketRow, to: str, at: datetime, home: str | None = None) -> TicketRow:
    return replace(
        row,
        state="claimed" if row.state == "waiting" else row.state,
        owner=to,
        claimed_at=row.claimed_at or at,
        offered_to=None,
        offer_until=None,
        passed_by=(),
        home=home,
    )
