"""The human queue: tickets opened, claimed, handed on and closed, what agents write, and when the team is on.

This house owns `ticket` and is its only writer. A ticket is always in one of three states, and every change of
it is one compare-and-set and one event in the conversation's log, in the same transaction:

    waiting --claim--> claimed --close--> closed
       ^                 |  \\__ transfer: another owner
       +----release------+

    ticket   id | conversation_id | state | reason, lang, page, candidates: the bot's view when it handed over
             opened_at | claimed_at: the first claim | closed_at | owner: an agent's name
             outcome, article: the agent's verdict at closing

It never answers by itself and never decides that a customer should be handed over.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit import language, people
from botkit.desk.assistance import Assist, Canned, Chat, Earlier, advise, chats, draft, earlier
from botkit.desk.hours import Opening, opening
from botkit.desk.texts import LONGEST_TEXT, MessageError, checked_client_id, checked_text
from botkit.people import Agent
from botkit.store import CUSTOMER, Event, Store, event_table, iso, ticket_table

if TYPE_CHECKING:
    from botkit.index import Index

__all__ = [
    "LONGEST_TEXT",
    "OUTCOMES",
    "STATES",
    "AlreadyClaimed",
    "Assist",
    "Canned",
    "Chat",
    "DeskError",
    "Earlier",
    "MessageError",
    "NoTicket",
    "NotOwner",
    "Opening",
    "Packet",
    "Suggestion",
    "Ticket",
    "TicketClosed",
    "advise",
    "assist",
    "chats",
    "checked_client_id",
    "checked_text",
    "claim",
    "close",
    "counts",
    "draft",
    "earlier",
    "note",
    "open_ticket",
    "open_ticket_of",
    "opening",
    "position",
    "queue",
    "release",
    "say",
    "ticket",
    "transfer",
    "usual_wait",
    "waiting",
]

STATES: Final = ("waiting", "claimed", "closed")
OUTCOMES: Final = ("solved", "not_solved", "spam")


class DeskError(Exception):
    """A ticket cannot be changed like this. `code` is for programs, the text for people."""

    code = "desk"


class NoTicket(DeskError):
    """There is no such ticket."""

    code = "no_ticket"

    def __init__(self, ticket_id: int) -> None:
        super().__init__(f"there is no ticket {ticket_id}")


class NotOwner(DeskError):
    """Somebody else, or nobody, owns the ticket; `owner` is the name or None."""

    code = "not_owner"

    def __init__(self, owner: str | None) -> None:
        self.owner = owner
        who = f"belongs to {owner}" if owner else "belongs to nobody yet: claim it first"
        super().__init__(f"the ticket {who}")


class AlreadyClaimed(NotOwner):
    """A claim came second; `owner` is who was first."""

    code = "already_claimed"


class TicketClosed(DeskError):
    """The ticket is closed."""

    code = "ticket_closed"

    def __init__(self, ticket_id: int) -> None:
        super().__init__(f"ticket {ticket_id} is closed: the customer's next question goes to the bot")


@dataclass(frozen=True)
class Ticket:
    """One handover. `waited` is the seconds from its opening to its first claim, its closing or now; `last_text`
    is the customer's last message."""

    id: int
    conversation: str
    state: str
    reason: str
    lang: str | None
    page: str | None
    candidates: tuple[Mapping[str, Any], ...]
    opened_at: datetime
    claimed_at: datetime | None
    closed_at: datetime | None
    owner: str | None
    outcome: str | None
    article: str | None
    waited: float
    last_text: str = ""

    def as_dict(self) -> dict[str, Any]:
        table = asdict(self)
        for name in ("opened_at", "claimed_at", "closed_at"):
            table[name] = iso(table[name]) if table[name] else None
        table["candidates"] = [dict(candidate) for candidate in self.candidates]
        return table


@dataclass(frozen=True)
class Suggestion:
    """An article's text that an agent may send as it is."""

    article: str
    title: str
    text: str
    lang: str
    url: str


@dataclass(frozen=True)
class Packet:
    """Everything an agent needs: the ticket, the whole conversation and suggested replies, likeliest first."""

    ticket: Ticket
    transcript: tuple[Event, ...]
    suggestions: tuple[Suggestion, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            **self.ticket.as_dict(),
            "transcript": [event.as_dict() for event in self.transcript],
            "suggestions": [asdict(suggestion) for suggestion in self.suggestions],
        }


def open_ticket(
    store: Store,
    conn: Connection,
    conversation_id: str,
    reason: str,
    lang: str | None,
    page: str | None,
    candidates: Sequence[Mapping[str, Any]],
    at: datetime | None = None,
) -> int:
    """Put a conversation in the queue, inside the caller's transaction; the ticket's id. A conversation that is
    there already keeps its ticket and its place."""
    open_one = open_ticket_of(conn, conversation_id)
    if open_one is not None:
        return int(open_one.id)
    at = at or store.now()
    ticket_id = conn.execute(
        ticket_table.insert()
        .values(
            conversation_id=conversation_id,
            state="waiting",
            reason=reason,
            lang=lang,
            page=page,
            candidates=[dict(candidate) for candidate in candidates],
            opened_at=at,
        )
        .returning(ticket_table.c.id)
    ).scalar_one()
    store.append(conn, conversation_id, "ticket.opened", "bot", {"ticket": ticket_id, "reason": reason}, at)
    return int(ticket_id)


def open_ticket_of(conn: Connection, conversation_id: str) -> sa.Row[Any] | None:
    """The row of the conversation's waiting or claimed ticket, if it has one."""
    return conn.execute(
        sa.select(ticket_table).where(
            ticket_table.c.conversation_id == conversation_id, ticket_table.c.state != "closed"
        )
    ).one_or_none()


def position(conn: Connection, ticket_id: int) -> int:
    """The ticket's place in the queue, 1 for the next one; 0 once it is not waiting any more."""
    me = conn.execute(sa.select(ticket_table).where(ticket_table.c.id == ticket_id)).one_or_none()
    if me is None or me.state != "waiting":
        return 0
    before = sa.or_(
        ticket_table.c.opened_at < me.opened_at,
        sa.and_(ticket_table.c.opened_at == me.opened_at, ticket_table.c.id <= ticket_id),
    )
    return _count(conn, ticket_table.c.state == "waiting", before)


def waiting(conn: Connection) -> int:
    """How many tickets wait."""
    return _count(conn, ticket_table.c.state == "waiting")


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
) -> list[Ticket]:
    """Tickets: the waiting ones in the order of the queue, then the claimed, then the closed, newest first."""
    if state is not None and state not in STATES:
        raise DeskError(f"there is no state {state!r}: ask for one of {', '.join(STATES)}")
    table = ticket_table.c
    rank = sa.case((table.state == "waiting", 0), (table.state == "claimed", 1), else_=2)
    query = sa.select(ticket_table).order_by(
        rank,
        sa.case((table.state == "closed", None), else_=table.opened_at),
        table.closed_at.desc(),
        table.id,
    )
    if state is not None:
        query = query.where(table.state == state)
    if language is not None:
        query = query.where(table.lang == language)
    with store.read() as conn:
        rows = conn.execute(query.limit(limit).offset(offset)).all()
        texts = _last_texts(conn, [row.conversation_id for row in rows])
    now = store.now()
    return [replace(_ticket(row, now), last_text=texts.get(row.conversation_id, "")) for row in rows]


def counts(store: Store) -> dict[str, int]:
    """How many tickets are waiting and claimed."""
    query = sa.select(ticket_table.c.state, sa.func.count()).where(ticket_table.c.state != "closed")
    with store.read() as conn:
        found = {row[0]: row[1] for row in conn.execute(query.group_by(ticket_table.c.state))}
    return {"waiting": found.get("waiting", 0), "claimed": found.get("claimed", 0)}


def ticket(store: Store, ticket_id: int, index: Index | None = None) -> Packet:
    """What the agent who takes this ticket needs to know. Without an index there are no suggested replies."""
    with store.read() as conn:
        row = _row(conn, ticket_id)
        transcript = tuple(store.events(conn, row.conversation_id))
    texts = [str(e.data["text"]) for e in transcript if e.kind == "message" and e.actor == CUSTOMER]
    found = replace(_ticket(row, store.now()), last_text=texts[-1] if texts else "")
    return Packet(found, transcript, _suggestions(index, found) if index is not None else ())


def assist(
    store: Store, index: Index, ticket_id: int, text: str | None = None, agent: Agent | None = None
) -> Assist:
    """What the agent may say now: passages for the customer's last words, or for `text` that the agent searches, and
    canned replies with what is known filled in."""
    packet = ticket(store, ticket_id)
    return advise(index, packet.transcript, packet.ticket.lang, agent, text)


def claim(store: Store, ticket_id: int, agent: Agent) -> Ticket:
    """Make the agent a waiting ticket's owner. AlreadyClaimed tells who was first; one's own claim may repeat."""
    with store.write() as conn:
        at = store.now()
        row = conn.execute(
            ticket_table.update()
            .where(ticket_table.c.id == ticket_id, ticket_table.c.state == "waiting")
            .values(
                state="claimed",
                owner=agent.name,
                claimed_at=sa.func.coalesce(ticket_table.c.claimed_at, iso(at)),
            )
            .returning(ticket_table)
        ).one_or_none()
        if row is None:
            row = _row(conn, ticket_id)
            if row.state == "closed":
                raise TicketClosed(ticket_id)
            if row.owner != agent.name:
                raise AlreadyClaimed(row.owner)
            return _ticket(row, at)
        _tell(store, conn, row, "ticket.claimed", agent, {}, at)
        return _ticket(row, at)


def release(store: Store, ticket_id: int, agent: Agent) -> Ticket:
    """Put a claimed ticket back where it was in the queue."""
    with store.write() as conn:
        row = _held(conn, ticket_id, agent)
        if row.state == "waiting":
            return _ticket(row, store.now())
        data = {"from": row.owner}
        row = _set(conn, row, state="waiting", owner=None)
        _tell(store, conn, row, "ticket.released", agent, data)
        return _ticket(row, store.now())


def transfer(store: Store, ticket_id: int, agent: Agent, to_agent: str, note: str = "") -> Ticket:
    """Give a claimed ticket to another agent, with a note for them if there is one."""
    note = checked_text(note, "note") if note.strip() else ""
    with store.write() as conn:
        row = _held(conn, ticket_id, agent)
        if row.state == "waiting":
            raise NotOwner(None)
        to = people.agent_named(conn, to_agent)
        if to is None or not to.may("desk"):
            raise DeskError(f"{to_agent!r} is nobody who works at the desk: choose one of the agents")
        if to.name == row.owner:
            return _ticket(row, store.now())
        data = {"from": row.owner, "to": to.name}
        row = _set(conn, row, owner=to.name)
        _tell(store, conn, row, "ticket.transferred", agent, data)
        if note:
            store.append(conn, row.conversation_id, "note", _actor(agent), {"ticket": row.id, "text": note})
        return _ticket(row, store.now())


def say(store: Store, ticket_id: int, agent: Agent, client_id: str, text: str) -> Event:
    """Send the customer a message; only the ticket's owner can. Sent again under its client id, it is the first
    one that comes back, whatever has become of the ticket."""
    text, client_id = checked_text(text), checked_client_id(client_id)
    with store.write() as conn:
        row = _locked(store, conn, ticket_id)
        before = store.sent_before(conn, row.conversation_id, _actor(agent), client_id)
        if before is not None:
            return before
        if row.state == "closed":
            raise TicketClosed(ticket_id)
        if row.owner != agent.name:
            raise NotOwner(row.owner)
        data = {"text": text, "client_id": client_id, "ticket": row.id}
        return store.append(conn, row.conversation_id, "message", _actor(agent), data, client_id=client_id)


def note(store: Store, ticket_id: int, agent: Agent, text: str, client_id: str | None = None) -> Event:
    """Write something for colleagues only, on a ticket of any state and owner."""
    text = checked_text(text)
    if client_id is not None:
        client_id = checked_client_id(client_id)
    with store.write() as conn:
        row = _locked(store, conn, ticket_id)
        if client_id is not None:
            before = store.sent_before(conn, row.conversation_id, _actor(agent), client_id)
            if before is not None:
                return before
        data = {"ticket": row.id, "text": text}
        return store.append(conn, row.conversation_id, "note", _actor(agent), data, client_id=client_id)


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
    """End the ticket with the agent's verdict: how it ended, and which article would have answered; `no_article` says
    that there is none and one should be written, neither that nobody looked. `tags` are words to find it by.
    The customer's next question goes to the bot again."""
    if outcome not in OUTCOMES:
        raise DeskError(f"there is no outcome {outcome!r}: choose one of {', '.join(OUTCOMES)}")
    article = language.clean(article)[:300] or None if article else None
    with store.write() as conn:
        row = _held(conn, ticket_id, agent, closed_too=True)
        at = store.now()
        if row.state == "closed":
            if (row.outcome, row.article) != (outcome, article):
                raise TicketClosed(ticket_id)
            return _ticket(row, at)
        if row.state == "waiting":
            raise NotOwner(None)
        row = _set(conn, row, state="closed", outcome=outcome, article=article, closed_at=at)
        data: dict[str, Any] = {"outcome": outcome, "article": article}
        if no_article and article is None:
            data["no_article"] = True
        if tags:
            data["tags"] = [tag for each in tags if (tag := language.clean(each)[:40])][:10]
        _tell(store, conn, row, "ticket.closed", agent, data, at)
        return _ticket(row, at)


def _actor(agent: Agent) -> str:
    return f"agent:{agent.name}"


def _tell(
    store: Store,
    conn: Connection,
    row: sa.Row[Any],
    kind: str,
    agent: Agent,
    data: Mapping[str, Any],
    at: datetime | None = None,
) -> None:
    store.append(conn, row.conversation_id, kind, _actor(agent), {"ticket": row.id, **data}, at)


def _row(conn: Connection, ticket_id: int) -> sa.Row[Any]:
    row = conn.execute(sa.select(ticket_table).where(ticket_table.c.id == ticket_id)).one_or_none()
    if row is None:
        raise NoTicket(ticket_id)
    return row


# The conversation is what every writer of it locks first; the ticket is read once it cannot change any more.
def _locked(store: Store, conn: Connection, ticket_id: int) -> sa.Row[Any]:
    store.hold(conn, _row(conn, ticket_id).conversation_id)
    return _row(conn, ticket_id)


def _held(conn: Connection, ticket_id: int, agent: Agent, closed_too: bool = False) -> sa.Row[Any]:
    row = conn.execute(sa.select(ticket_table).where(ticket_table.c.id == ticket_id).with_for_update()).one_or_none()
    if row is None:
        raise NoTicket(ticket_id)
    if row.state == "closed" and not closed_too:
        raise TicketClosed(ticket_id)
    if row.state != "waiting" and row.owner != agent.name and not agent.may("overrule"):
        raise NotOwner(row.owner)
    return row


# The state and owner that the decision was made on are part of the condition: it changes that, or nothing.
def _set(conn: Connection, row: sa.Row[Any], **values: Any) -> sa.Row[Any]:
    return conn.execute(
        ticket_table.update()
        .where(
            ticket_table.c.id == row.id,
            ticket_table.c.state == row.state,
            ticket_table.c.owner.is_not_distinct_from(row.owner),
        )
        .values(**values)
        .returning(ticket_table)
    ).one()


def _count(conn: Connection, *where: sa.ColumnElement[bool]) -> int:
    return int(conn.execute(sa.select(sa.func.count()).select_from(ticket_table).where(*where)).scalar_one())


def _last_texts(conn: Connection, conversation_ids: Sequence[str]) -> dict[str, str]:
    said = event_table.c
    last = (
        sa.select(said.conversation_id, sa.func.max(said.seq).label("seq"))
        .where(said.conversation_id.in_(conversation_ids), said.kind == "message", said.actor == CUSTOMER)
        .group_by(said.conversation_id)
        .subquery()
    )
    rows = conn.execute(
        sa.select(said.conversation_id, said.data).join(
            last, sa.and_(last.c.conversation_id == said.conversation_id, last.c.seq == said.seq)
        )
    )
    return {row.conversation_id: str(row.data["text"]) for row in rows}


def _ticket(row: sa.Row[Any], now: datetime) -> Ticket:
    until = row.claimed_at or row.closed_at or now
    return Ticket(
        id=row.id,
        conversation=row.conversation_id,
        state=row.state,
        reason=row.reason,
        lang=row.lang,
        page=row.page,
        candidates=tuple(row.candidates),
        opened_at=row.opened_at,
        claimed_at=row.claimed_at,
        closed_at=row.closed_at,
        owner=row.owner,
        outcome=row.outcome,
        article=row.article,
        waited=max(0.0, (until - row.opened_at).total_seconds()),
    )


def _suggestions(index: Index, found: Ticket) -> tuple[Suggestion, ...]:
    made = []
    for candidate in found.candidates[:3]:
        article_id, lang = str(candidate["article"]), found.lang or str(candidate.get("lang", ""))
        article = index.article(article_id, lang) or index.best_translation(article_id, lang)
        if article is not None:  # it may be gone from a newer index
            made.append(Suggestion(article.id, article.title, article.text, article.lang, article.url))
    return tuple(made)
