"""A ticket's life: opened, claimed, waiting for the customer, released, handed on, closed, reopened.

Each step is one transaction and goes through `machine`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit import language, people
from botkit.desk import crew
from botkit.desk.hours import due
from botkit.desk.machine import actor, change, held, insert, locked, row_of, rows, tell, update
from botkit.desk.mentions import write_note
from botkit.desk.nouns import (
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
from botkit.desk.priority import Priority, priority, rank
from botkit.desk.queue import count
from botkit.desk.texts import checked_text
from botkit.people import Agent
from botkit.store import (
    BOT,
    CUSTOMER,
    SYSTEM,
    Store,
    TicketRow,
    conversation_table,
    event_data,
    event_table,
    iso,
    ticket_table,
)
from botkit.store.event_data import (
    CustomerMessage,
    Option,
    TicketBreached,
    TicketClaimed,
    TicketOpened,
    TicketPending,
    TicketReleased,
    TicketReopened,
    TicketResumed,
    TicketTransferred,
)
from botkit.vocabulary import Channel, Outcome, Reason, Verdict

MEMORY: Final = timedelta(hours=24)
RETURNS: Final = timedelta(days=30)
"""How far back the tickets of a customer count who comes again."""
MOST_REOPENINGS: Final = 3
MOST_TAGS: Final = 20
WARN_SHARE: Final = 0.5
"""The part of a target after which a ticket without a reply is warned of."""
_TAG = re.compile(r"[^\W_][\w.:-]{0,39}")


def open_ticket(
    store: Store,
    conn: Connection,
    conversation_id: str,
    reason: Reason,
    lang: str | None,
    page: str | None,
    candidates: Sequence[Option],
    at: datetime | None = None,
    *,
    topics: Sequence[str] = (),
    shop: Mapping[str, object] | None = None,
    channel: Channel = "live",
    policy: Policy | None = None,
) -> int:
    """Put a conversation in the queue, inside the caller's transaction; the ticket's id. A conversation that is
    there already keeps its ticket and its place.

    `topics` are what the likely article is filed under, `shop` has the hours in which a reply is due."""
    store.hold(conn, conversation_id)
    open_one = open_ticket_of(conn, conversation_id)
    if open_one is not None:
        return open_one.id
    at, policy = at or store.now(), policy or Policy()
    known = sa.select(conversation_table.c.tags).where(conversation_table.c.id == conversation_id)
    tags = tuple(conn.execute(known).scalar_one())
    urgent = _priority(conn, conversation_id, reason, topics, tags, at, policy)
    new = TicketRow(
        conversation_id=conversation_id,
        state="waiting",
        reason=reason,
        lang=lang,
        page=page,
        candidates=tuple(candidates),
        opened_at=at,
        channel=channel,
        tags=tags,
        topics=_topics(topics, urgent),
        rank_at=at,
        unanswered_since=at,
    )
    return insert(store, conn, _ranked(new, urgent, shop, at, policy), BOT, TicketOpened(0, reason)).id


_OPEN: Final = sa.select(ticket_table).where(  # asked at every message, so made once
    ticket_table.c.conversation_id == sa.bindparam("conversation"), ticket_table.c.state != "closed"
)


_LAST: Final = (
    sa.select(ticket_table)
    .where(ticket_table.c.conversation_id == sa.bindparam("conversation"))
    .order_by(ticket_table.c.id.desc())
    .limit(1)
)


def open_ticket_of(conn: Connection, conversation_id: str) -> TicketRow | None:
    """The row of the conversation's ticket that is not closed, if it has one."""
    return next(iter(rows(conn, _OPEN, {"conversation": conversation_id})), None)


def closed_ticket_of(conn: Connection, conversation_id: str, now: datetime) -> TicketRow | None:
    """The row of the conversation's last ticket, if it was closed within a day and its customer may come back to it:
    not as spam, and not after three returns."""
    row = last_ticket_of(conn, conversation_id)
    if row is None or row.state != "closed" or row.outcome == "spam" or row.reopened >= MOST_REOPENINGS:
        return None
    return row if row.closed_at is not None and row.closed_at > now - MEMORY else None


def last_ticket_of(conn: Connection, conversation_id: str) -> TicketRow | None:
    """The row of the conversation's newest ticket, if it has had one."""
    return next(iter(rows(conn, _LAST, {"conversation": conversation_id})), None)


def returns_to(conn: Connection, ticket_id: int, now: datetime) -> str | None:
    """Who has a closed ticket if it is taken up again now: its last owner where they are on duty, else nobody."""
    owner = row_of(conn, ticket_id).owner
    return owner if owner and crew.on_duty(conn, owner, now) else None


def coming(
    conn: Connection,
    conversation_id: str,
    reason: Reason,
    *,
    topics: Sequence[str] = (),
    at: datetime,
    policy: Policy,
    ticket_id: int = 0,
) -> int:
    """The place in the queue that a ticket would have if it were opened now, or this one taken up again."""
    known = sa.select(conversation_table.c.tags).where(conversation_table.c.id == conversation_id)
    tags = conn.execute(known).scalar_one()
    if reason == "reopened":
        row = row_of(conn, ticket_id)
        reason, topics, tags = row.reason, row.topics, row.tags
    place = rank(at, _priority(conn, conversation_id, reason, topics, tags, at, policy).value)
    return count(conn, ticket_table.c.state == "waiting", ticket_table.c.rank_at <= place) + 1


def reopen(
    store: Store,
    conn: Connection,
    ticket_id: int,
    at: datetime | None = None,
    *,
    shop: Mapping[str, object] | None = None,
    policy: Policy | None = None,
) -> Ticket:
    """Take a closed ticket up again because its customer goes on, inside the caller's transaction: its last owner has
    it if they are there, else it waits in the queue. The clock of a first reply begins again."""
    at, policy = at or store.now(), policy or Policy()
    row = locked(store, conn, ticket_id)
    if row.state != "closed":
        return as_ticket(row, at)
    back = returns_to(conn, ticket_id, at)
    urgent = _priority(conn, row.conversation_id, row.reason, row.topics, row.tags, at, policy)
    again = replace(
        row,
        state="claimed" if back else "waiting",
        owner=back,
        closed_at=None,
        outcome=None,
        article=None,
        no_article=False,
        reopened=row.reopened + 1,
        first_reply_at=None,
        warned_at=None,
        breached_at=None,
        unanswered_since=at,
    )
    again = _ranked(again, urgent, shop, at, policy)
    return as_ticket(change(store, conn, row, again, CUSTOMER, TicketReopened(row.id, back), at=at), at)


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
            crew.took(conn, agent)
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
        to = people.agent_named(conn, to_agent)
        if to is None or not to.may("desk"):
            raise DeskError(f"{to_agent!r} is nobody who works at the desk: choose one of the agents")
        if to.name == row.owner:
            return as_ticket(row, at)
        there = to if to.name == agent.name else crew.stand_in(conn, to, at)
        home = None if there is not None and there.name == to.name else to.name
        if there is None or there.name == row.owner:
            raise Away(to.name, crew.absent_until(conn, to, at))
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
    given = checked_outcome(outcome)
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
        return as_ticket(end(store, conn, row, actor(agent), given, at, article, no_article, tags), at)


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


def lapse(store: Store, conn: Connection, row: TicketRow, at: datetime) -> TicketRow:
    """Close a ticket whose customer did not come back."""
    return end(store, conn, row, SYSTEM, LAPSED, at)


def checked_outcome(outcome: str) -> Verdict:
    """How an agent says that a ticket ended; DeskError for what is none."""
    for each in OUTCOMES:
        if each == outcome:
            return each
    raise DeskError(f"invalid outcome {outcome!r}: expected one of {', '.join(OUTCOMES)}")


def checked_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Tags as they are kept: lower case, each once. DeskError for what is none."""
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


def _ranked(
    row: TicketRow, urgent: Priority, shop: Mapping[str, object] | None, at: datetime, policy: Policy
) -> TicketRow:
    """With its place in the queue and its clock, which begin at a time."""
    seconds = policy.reply_seconds(row.channel, urgent.value)
    return replace(
        row,
        priority=urgent.value,
        priority_reasons=urgent.reasons,
        rank_at=rank(at, urgent.value),
        warn_at=due(shop or {}, at, seconds * WARN_SHARE),
        due_at=due(shop or {}, at, seconds),
    )


def _priority(
    conn: Connection,
    conversation_id: str,
    reason: Reason,
    topics: Sequence[str],
    tags: Sequence[str],
    at: datetime,
    policy: Policy,
) -> Priority:
    said, earlier = event_table.c, ticket_table.c
    stored = conn.execute(
        sa.select(said.data)
        .where(
            said.conversation_id == conversation_id,
            said.kind == CustomerMessage.KIND,
            said.actor == CUSTOMER,
            said.at > at - MEMORY,
        )
        .order_by(said.seq.desc())
        .limit(5)
    ).scalars()
    texts = [CustomerMessage.from_json(data).text for data in stored]
    talk = conversation_table.c
    visitor = conn.execute(sa.select(talk.visitor).where(talk.id == conversation_id)).scalar()
    theirs = earlier.conversation_id == conversation_id
    if visitor is not None:
        theirs = earlier.conversation_id.in_(sa.select(talk.id).where(talk.visitor == visitor))
    count = sa.select(sa.func.count() + sa.func.coalesce(sa.func.sum(earlier.reopened), 0))
    came = conn.execute(
        count.select_from(ticket_table).where(theirs, earlier.opened_at > at - RETURNS)
    ).scalar_one()
    return priority(reason, texts, topics, int(came), tags, policy.points)


def _topics(topics: Sequence[str], urgent: Priority) -> tuple[str, ...]:
    concerns = (each.reason for each in urgent.reasons if each.reason in ("complaint", "refund", "data_request"))
    return tuple(dict.fromkeys([*topics, *concerns]))[:MOST_TAGS]
