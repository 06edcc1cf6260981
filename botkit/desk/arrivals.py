"""A ticket's arrival: opened, or taken up again because its customer goes on, with its urgency and its clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit.desk import agents
from botkit.desk.hours import due
from botkit.desk.model import WITHDRAWN, Policy, Ticket, as_ticket
from botkit.desk.priority import Priority, priority, rank
from botkit.desk.queue import count
from botkit.desk.tickets import MOST_TAGS
from botkit.desk.transitions import change, insert, locked, row_of, rows
from botkit.store import BOT, CUSTOMER, Store, TicketRow, conversation_table, event_table, ticket_table
from botkit.store.event_data import BotReply, CustomerMessage, Option, TicketOpened, TicketReopened
from botkit.vocabulary import Channel, Reason

MEMORY: Final = timedelta(hours=24)
RETURNS: Final = timedelta(days=30)
"""How far back the tickets of a customer count who comes again."""
MOST_REOPENINGS: Final = 3
WARN_SHARE: Final = 0.5
"""The part of a target after which a ticket without a reply is warned of."""


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
    not as spam, not taken back, and not after three returns."""
    row = last_ticket_of(conn, conversation_id)
    if row is None or row.state != "closed" or row.outcome in ("spam", WITHDRAWN) or row.reopened >= MOST_REOPENINGS:
        return None
    return row if row.closed_at is not None and row.closed_at > now - MEMORY else None


def last_ticket_of(conn: Connection, conversation_id: str) -> TicketRow | None:
    """The row of the conversation's newest ticket, if it has had one."""
    return next(iter(rows(conn, _LAST, {"conversation": conversation_id})), None)


def returns_to(conn: Connection, ticket_id: int, now: datetime) -> str | None:
    """Who has a closed ticket if it is taken up again now: its last owner where they are on duty, else nobody."""
    owner = row_of(conn, ticket_id).owner
    return owner if owner and agents.on_duty(conn, owner, now) else None


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


def _priority(
    conn: Connection,
    conversation_id: str,
    reason: Reason,
    topics: Sequence[str],
    tags: Sequence[str],
    at: datetime,
    policy: Policy,
) -> Priority:
    event, earlier = event_table.c, ticket_table.c
    stored = conn.execute(
        sa.select(event.data)
        .where(
            event.conversation_id == conversation_id,
            event.kind == CustomerMessage.KIND,
            event.actor == CUSTOMER,
            event.at > at - MEMORY,
        )
        .order_by(event.seq.desc())
        .limit(5)
    ).scalars()
    talk = conversation_table.c
    visitor = conn.execute(sa.select(talk.visitor).where(talk.id == conversation_id)).scalar()
    theirs = earlier.conversation_id == conversation_id
    if visitor is not None:
        theirs = earlier.conversation_id.in_(sa.select(talk.id).where(talk.visitor == visitor))
    count = sa.select(sa.func.count() + sa.func.coalesce(sa.func.sum(earlier.reopened), 0))
    came = conn.execute(
        count.select_from(ticket_table).where(theirs, earlier.opened_at > at - RETURNS)
    ).scalar_one()
    texts = [CustomerMessage.from_json(data).text for data in stored]
    replied = conn.execute(
        sa.select(event.data)
        .where(event.conversation_id == conversation_id, event.kind == BotReply.KIND, event.at > at - MEMORY)
        .order_by(event.seq.desc())
        .limit(10)
    ).scalars()
    angry = any(BotReply.from_json(data).topic in ("anger", "insult") for data in replied)
    return priority(reason, texts, topics, int(came), tags, policy.points, policy.tables, angry=angry)


def _topics(topics: Sequence[str], urgent: Priority) -> tuple[str, ...]:
    concerns = (each.reason for each in urgent.reasons if each.reason in ("complaint", "refund", "data_request"))
    return tuple(dict.fromkeys([*topics, *concerns]))[:MOST_TAGS]


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
