"""What a supervisor sees and does: the whole desk at a glance, tickets closed in bulk. What customers said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit.accounts import Agent
from botkit.desk import agents, scheduler
from botkit.desk.agents import AgentProfile
from botkit.desk.arrivals import last_ticket_of
from botkit.desk.model import DeskError, NotAllowed, NotRated, Policy, Ticket, as_ticket
from botkit.desk.queue import count, last_texts
from botkit.desk.texts import checked_text
from botkit.desk.tickets import checked_outcome, end
from botkit.desk.transitions import actor, locked, rows
from botkit.store import CUSTOMER, Event, Store, TicketRow, event_data, iso, satisfaction_table, ticket_table

SHOWN: Final = 50
MOST_AT_ONCE: Final = 500
RECENT: Final = timedelta(days=7)
SCORES: Final = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Overview:
    """The desk now. `agents` are those who may work there, each with `load`; `waiting` counts by `languages` and by
    `priorities` (high, normal); `breached` are the open tickets whose first reply is late, the latest first in time;
    `unanswered` those in somebody's hands whose customer waits for the next word, the longest first; `satisfaction`
    that of the last seven days."""

    agents: tuple[tuple[AgentProfile, int], ...]
    counts: dict[str, int]
    languages: dict[str, int]
    priorities: dict[str, int]
    oldest: Ticket | None
    breached_count: int
    breached: tuple[Ticket, ...]
    unanswered: tuple[Ticket, ...]
    satisfaction: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return {
            "agents": [{**profile.as_dict(), "load": load} for profile, load in self.agents],
            "counts": self.counts,
            "waiting": {"languages": self.languages, "priorities": self.priorities},
            "oldest": self.oldest.as_dict() if self.oldest else None,
            "breached_count": self.breached_count,
            "breached": [ticket.as_dict() for ticket in self.breached],
            "unanswered": [ticket.as_dict() for ticket in self.unanswered],
            "satisfaction": self.satisfaction,
        }


@dataclass(frozen=True)
class Satisfaction:
    """What a customer said of a ticket afterwards."""

    ticket: int
    score: int
    comment: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def overview(store: Store, policy: Policy | None = None) -> Overview:
    """The whole desk at a glance."""
    policy, now, table = policy or Policy(), store.now(), ticket_table.c
    is_open = table.state.in_(("waiting", "claimed", "pending"))
    late = sa.and_(is_open, table.breached_at.is_not(None), table.first_reply_at.is_(None))
    with store.read() as conn:
        load = scheduler.loads(conn, now)
        profiles = agents.everybody(conn, now)
        states = conn.execute(sa.select(table.state, sa.func.count()).where(is_open).group_by(table.state)).all()
        high = sa.case((table.priority >= policy.high, "high"), else_="normal")
        groups = conn.execute(
            sa.select(table.lang, high, sa.func.count()).where(table.state == "waiting").group_by(table.lang, high)
        ).all()
        tickets = sa.select(ticket_table)
        first = tickets.where(table.state == "waiting").order_by(table.opened_at, table.id).limit(1)
        oldest = next(iter(rows(conn, first)), None)
        breached = rows(conn, tickets.where(late).order_by(table.due_at, table.id).limit(SHOWN))
        unanswered = rows(
            conn,
            tickets.where(table.state == "claimed", table.unanswered_since.is_not(None))
            .order_by(table.unanswered_since, table.id)
            .limit(SHOWN),
        )
        breached_count = count(conn, late)
        satisfaction = _summed(conn, now - RECENT)
        shown = [*breached, *unanswered, *([oldest] if oldest is not None else [])]
        texts = last_texts(conn, [row.conversation_id for row in shown])

    def told(row: TicketRow) -> Ticket:
        return as_ticket(row, now, texts.get(row.conversation_id, ""))

    by_state: dict[str, int] = {state: number for state, number in states}
    languages: dict[str, int] = {}
    priorities = {"high": 0, "normal": 0}
    for lang, level, number in groups:
        languages[lang or ""] = languages.get(lang or "", 0) + number
        priorities[level] += number
    return Overview(
        agents=tuple((profile, load.get(profile.agent, 0)) for profile in profiles),
        counts={state: by_state.get(state, 0) for state in ("waiting", "claimed", "pending")},
        languages=dict(sorted(languages.items())),
        priorities=priorities,
        oldest=told(oldest) if oldest is not None else None,
        breached_count=breached_count,
        breached=tuple(told(row) for row in breached),
        unanswered=tuple(told(row) for row in unanswered),
        satisfaction=satisfaction,
    )


def close_many(store: Store, ticket_ids: Sequence[int], agent: Agent, outcome: str, reason: str) -> list[int]:
    """Close tickets of any open state for one reason, which their history keeps; the ids of those that were closed
    now. What is closed or unknown is passed over. NotAllowed, DeskError, MessageError."""
    if not agent.may("overrule"):
        raise NotAllowed
    verdict = checked_outcome(outcome)
    if len(ticket_ids) > MOST_AT_ONCE:
        raise DeskError(f"{len(ticket_ids)} tickets are too many at once: take up to {MOST_AT_ONCE}")
    reason = checked_text(reason, "reason")
    wanted = sorted(set(ticket_ids))
    closed = []
    with store.read() as conn:
        known = set(conn.execute(sa.select(ticket_table.c.id).where(ticket_table.c.id.in_(wanted))).scalars())
    for ticket_id in (each for each in wanted if each in known):
        with store.write() as conn:
            row = locked(store, conn, ticket_id)
            if row.state != "closed":
                end(store, conn, row, actor(agent), verdict, store.now(), note=reason)
                closed.append(ticket_id)
    return closed


def rate(store: Store, conversation_id: str, score: int, comment: str = "") -> Satisfaction:
    """Take what the customer says of their last ticket, once: the same again changes nothing. NotRated: no ticket of
    theirs was closed by a person, or it has another score already; MessageError: the comment is too long."""
    if score not in SCORES:
        raise DeskError("a score is 1, 2, 3, 4 or 5")
    comment = checked_text(comment, "comment") if comment.strip() else ""
    with store.write() as conn:
        store.hold(conn, conversation_id)
        row = _ratable(conn, conversation_id)
        if row is None:
            raise NotRated("nothing_closed", "nothing to rate: no conversation with the team has ended here")
        rated = conn.execute(
            sa.select(satisfaction_table).where(satisfaction_table.c.ticket_id == row.id)
        ).one_or_none()
        satisfaction = Satisfaction(row.id, score, comment)
        if rated is not None:
            if (rated.score, rated.comment) != (score, comment):
                raise NotRated("already_rated", "this conversation with the team was rated before")
            return satisfaction
        at = store.now()
        conn.execute(
            satisfaction_table.insert().values(ticket_id=row.id, score=score, comment=comment, lang=row.lang, at=at)
        )
        store.append(conn, conversation_id, CUSTOMER, event_data.Satisfaction(row.id, score, comment), at)
        return satisfaction


def rating(store: Store, conversation_id: str) -> tuple[bool, Satisfaction | None]:
    """Whether the customer may rate their last ticket now, and what they said of it."""
    with store.read() as conn:
        row = _ratable(conn, conversation_id)
        if row is None:
            return False, None
        rated = conn.execute(
            sa.select(satisfaction_table).where(satisfaction_table.c.ticket_id == row.id)
        ).one_or_none()
    return rated is None, None if rated is None else Satisfaction(row.id, rated.score, rated.comment)


def asks(event: Event) -> bool:
    """Whether a closing is one after which the customer is asked how it was: not spam, and a person was there."""
    closed = event.data
    return isinstance(closed, event_data.TicketClosed) and closed.outcome != "spam" and event.actor.startswith("agent:")


def _ratable(conn: Connection, conversation_id: str) -> TicketRow | None:
    row = last_ticket_of(conn, conversation_id)
    return row if row is not None and row.state == "closed" and row.outcome in ("solved", "not_solved") else None


def _summed(conn: Connection, since: Any) -> dict[str, Any]:
    rows = conn.execute(
        sa.select(satisfaction_table.c.score, sa.func.count())
        .where(satisfaction_table.c.at >= since)
        .group_by(satisfaction_table.c.score)
    ).all()
    scores = {score: 0 for score in SCORES} | {score: number for score, number in rows}
    total = sum(scores.values())
    return {
        "since": iso(since),
        "count": total,
        "mean": sum(score * number for score, number in scores.items()) / total if total else None,
        "scores": {str(score): number for score, number in scores.items()},
    }
