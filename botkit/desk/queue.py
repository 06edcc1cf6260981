"""Reading the desk: the queue in its order, one ticket with all that belongs to it, and how long one waits. Writes
nothing."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit.desk.model import Change, DeskError, HandoverContext, Suggestion, Ticket, Visit, as_ticket
from botkit.desk.transitions import row_of, rows
from botkit.store import (
    CUSTOMER,
    Event,
    Store,
    TicketRow,
    conversation_table,
    event_table,
    iso,
    satisfaction_table,
    ticket_state_table,
    ticket_table,
)
from botkit.store.event_data import CustomerMessage
from botkit.vocabulary import STATES, State

if TYPE_CHECKING:
    from botkit.index import Index

NEWEST: Final = 2**31 - 1
"""What every event is before."""
MOST_VISITS: Final = 10
"""Earlier conversations of a visitor that an agent is shown, the newest."""
_ORDER: Final[Mapping[State, tuple[sa.ColumnElement[Any], ...]]] = {
    "waiting": (ticket_table.c.rank_at, ticket_table.c.id),
    "claimed": (ticket_table.c.opened_at, ticket_table.c.id),
    "pending": (ticket_table.c.opened_at, ticket_table.c.id),
    "closed": (ticket_table.c.closed_at.desc(), ticket_table.c.id),
}


def position(conn: Connection, ticket_id: int) -> int:
    """The ticket's place in the queue, 1 for the next one; 0 once it is not waiting any more."""
    me = conn.execute(sa.select(ticket_table).where(ticket_table.c.id == ticket_id)).one_or_none()
    if me is None or me.state != "waiting":
        return 0
    before = sa.or_(
        ticket_table.c.rank_at < me.rank_at,
        sa.and_(ticket_table.c.rank_at == me.rank_at, ticket_table.c.id <= ticket_id),
    )
    return count(conn, ticket_table.c.state == "waiting", before)


def waiting(conn: Connection) -> int:
    """How many tickets wait."""
    return count(conn, ticket_table.c.state == "waiting")


def usual_wait(conn: Connection, now: datetime) -> float | None:
    """The median wait, in seconds, of those claimed in the last two hours; None when fewer than three were."""
    rows = conn.execute(
        sa.select(ticket_table.c.opened_at, ticket_table.c.claimed_at)
        .where(ticket_table.c.state != "waiting", ticket_table.c.claimed_at > now - timedelta(hours=2))
        .order_by(ticket_table.c.claimed_at.desc())
        .limit(50)
    ).all()
    if len(rows) < 3:
        return None
    return float(statistics.median((row.claimed_at - row.opened_at).total_seconds() for row in rows))


def queue(
    store: Store,
    state: str | None = None,
    language: str | None = None,
    limit: int = 50,
    offset: int = 0,
    *,
    owner: str | None = None,
) -> list[Ticket]:
    """Tickets: the waiting ones in the order of the queue, then those in somebody's hands, then those that wait for
    their customer, then the closed, newest first; `owner` asks for one agent's."""
    if state is not None and state not in STATES:
        raise DeskError(f"invalid state {state!r}: expected one of {', '.join(STATES)}")
    table = ticket_table.c
    where: list[sa.ColumnElement[bool]] = [] if language is None else [table.lang == language]
    where += [] if owner is None else [table.owner == owner]
    result: list[TicketRow] = []
    with store.read() as conn:
        # State by state, so that each is read along its index and nothing is sorted.
        for each in STATES if state is None else (state,):
            query = sa.select(ticket_table).where(table.state == each, *where).order_by(*_ORDER[each])
            result += rows(conn, query.limit(limit - len(result)).offset(offset))
            if len(result) >= limit:
                break
            if state is None and offset:
                offset = 0 if result else max(0, offset - count(conn, table.state == each, *where))
        texts = last_texts(conn, [row.conversation_id for row in result])
    now = store.now()
    return [as_ticket(row, now, texts.get(row.conversation_id, "")) for row in result]


def counts(store: Store, *, owner: str | None = None) -> dict[str, int]:
    """How many tickets there are in each state that is not closed; `owner` asks for one agent's."""
    query = sa.select(ticket_table.c.state, sa.func.count()).where(
        ticket_table.c.state.in_([state for state in STATES if state != "closed"])
    )
    query = query if owner is None else query.where(ticket_table.c.owner == owner)
    with store.read() as conn:
        result = {row[0]: row[1] for row in conn.execute(query.group_by(ticket_table.c.state))}
    return {state: result.get(state, 0) for state in STATES if state != "closed"}


def ticket(store: Store, ticket_id: int, index: Index | None = None) -> HandoverContext:
    """What the agent who takes this ticket needs to know, with the newest part of the conversation. Without an index
    there are no suggested replies."""
    with store.read() as conn:
        row = row_of(conn, ticket_id)
        transcript, more = store.page_before(conn, row.conversation_id, NEWEST)
        lines = conn.execute(
            sa.select(ticket_state_table)
            .where(ticket_state_table.c.ticket_id == ticket_id)
            .order_by(ticket_state_table.c.n)
        ).all()
        talk, columns = conversation_table.c, satisfaction_table.c
        who = conn.execute(
            sa.select(talk.visitor, talk.customer, columns.score, columns.comment, columns.at)
            .select_from(conversation_table.outerjoin(satisfaction_table, columns.ticket_id == ticket_id))
            .where(talk.id == row.conversation_id)
        ).one()
        earlier = _visits(conn, row, who.visitor) if who.visitor else ()
        text = [event.data.text for event in transcript if isinstance(event.data, CustomerMessage)]
        last = text[-1] if text else None
        if last is None:
            last = last_texts(conn, [row.conversation_id]).get(row.conversation_id, "")
    result = as_ticket(row, store.now(), last)
    history = tuple(Change(*line[1:]) for line in lines)
    score = None if who.score is None else {"score": who.score, "comment": who.comment, "at": iso(who.at)}
    suggestions = _suggestions(index, result) if index is not None else ()
    before = transcript[0].seq if more else None
    return HandoverContext(result, tuple(transcript), suggestions, history, score, who.customer, earlier, before)


def transcript_before(store: Store, ticket_id: int, seq: int) -> tuple[list[Event], int | None]:
    """A part of the conversation before that event, and before which event the next part ends; None: it begins here."""
    with store.read() as conn:
        events, more = store.page_before(conn, row_of(conn, ticket_id).conversation_id, seq)
    return events, events[0].seq if more else None


def count(conn: Connection, *where: sa.ColumnElement[bool]) -> int:
    """How many tickets these are."""
    return int(conn.execute(sa.select(sa.func.count()).select_from(ticket_table).where(*where)).scalar_one())


def last_texts(conn: Connection, conversation_ids: Sequence[str]) -> dict[str, str]:
    """The last message of each customer, by conversation."""
    event = event_table.c
    last = (
        sa.select(event.conversation_id, sa.func.max(event.seq).label("seq"))
        .where(event.conversation_id.in_(conversation_ids), event.kind == "message", event.actor == CUSTOMER)
        .group_by(event.conversation_id)
        .subquery()
    )
    rows = conn.execute(
        sa.select(event.conversation_id, event.data).join(
            last, sa.and_(last.c.conversation_id == event.conversation_id, last.c.seq == event.seq)
        )
    )
    return {row.conversation_id: CustomerMessage.from_json(row.data).text for row in rows}


def _visits(conn: Connection, row: TicketRow, visitor: str) -> tuple[Visit, ...]:
    talk, table = conversation_table.c, ticket_table.c
    before = conn.execute(
        sa.select(talk.id, talk.opened_at)
        .where(talk.visitor == visitor, talk.id != row.conversation_id, talk.opened_at <= row.opened_at)
        .order_by(talk.opened_at.desc(), talk.id)
        .limit(MOST_VISITS)
    ).all()
    ids = [each.id for each in before]
    texts = last_texts(conn, ids)
    had = conn.execute(
        sa.select(table.conversation_id, table.id, table.reason, table.state, table.outcome, table.owner)
        .where(table.conversation_id.in_(ids))
        .order_by(table.id)
    )
    last = {each.conversation_id: each[1:] for each in had}
    return tuple(
        Visit(each.id, each.opened_at, texts.get(each.id, ""), *last.get(each.id, ()))
        for each in before
        if each.id in texts or each.id in last
    )


def _suggestions(index: Index, found: Ticket) -> tuple[Suggestion, ...]:
    made = []
    for candidate in found.candidates[:3]:
        article_id, lang = candidate.article, found.lang or candidate.lang
        article = index.article(article_id, lang) or index.best_translation(article_id, lang)
        if article is not None:  # it may be gone from a newer index, or over by now
            made.append(Suggestion(article.id, article.title, article.text, article.lang, article.url))
    return tuple(made)
