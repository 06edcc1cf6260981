"""What the desk talks about: tickets and packets, its rules, and why a change is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from botkit.desk.priority import SECONDS_PER_POINT
from botkit.language import SHIPPED, Tables
from botkit.store import Event, iso

STATES: Final = ("waiting", "claimed", "pending", "closed")
OUTCOMES: Final = ("solved", "not_solved", "spam")
LAPSED: Final = "lapsed"  # the outcome that nobody gives: the customer did not come back


@dataclass(frozen=True)
class Policy:
    """The shop's rules for its desk; the settings' defaults.

    `live_reply` and `mail_reply` are the seconds, counted in opening hours, until a first reply is due, the `_high`
    ones those of tickets whose priority is at least `high`. `points` are those that an integrator's tags bring.
    `tables` are the language tables by which customers' words are read.
    """

    offer_seconds: int = 60  # 0: nothing is offered, everybody takes from the queue
    reopen_minutes: int = 30
    pending_hours: int = 24
    unattended_minutes: int = 30  # 0: a ticket stays with its owner however long they are gone
    high: int = 40
    live_reply: int = 30
    live_reply_high: int = 30
    mail_reply: int = 900
    mail_reply_high: int = 600
    points: Mapping[str, int] = field(default_factory=dict)
    tables: Tables = field(default=SHIPPED, compare=False)

    def reply_seconds(self, channel: str, priority: int) -> int:
        """The time for a first reply on a channel."""
        high = priority >= self.high
        if channel == "mail":
            return self.mail_reply_high if high else self.mail_reply
        return self.live_reply_high if high else self.live_reply


class DeskError(Exception):
    """A ticket cannot be changed like this. `code` is for programs, the text for people."""

    code = "desk"


class NoTicket(DeskError):
    """There is no such ticket."""

    code = "no_ticket"

    def __init__(self, ticket_id: int) -> None:
        super().__init__(f"no such ticket: {ticket_id}")


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


class Away(DeskError):
    """A ticket cannot be given to `name`, who is away until `until`, and nobody else stands in."""

    code = "away"

    def __init__(self, name: str, until: datetime) -> None:
        self.name, self.until = name, until
        super().__init__(f"{name} is away until {iso(until)} and nobody else stands in: choose another colleague")


class NotAllowed(DeskError):
    """The role does not reach so far."""

    code = "not_allowed"

    def __init__(self) -> None:
        super().__init__("only a supervisor or an admin may do this")


class NotRated(DeskError):
    """A score cannot be taken. `code` says why: nothing_closed, or already_rated."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


@dataclass(frozen=True)
class Ticket:
    """One handover. `waited` is the seconds from its opening to its first claim, its closing or now; `last_text`
    is the customer's last message. `priority` has the `value` that orders the queue, now, and the `reasons` with
    their points. `due_at` is when a first reply is due, `unanswered_since` when the customer began to wait for the
    next word of a person; `home` is whom an absence took the ticket from."""

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
    no_article: bool = False
    channel: str = "live"
    tags: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    priority: Mapping[str, Any] = field(default_factory=dict)
    first_reply_at: datetime | None = None
    due_at: datetime | None = None
    warned_at: datetime | None = None
    breached_at: datetime | None = None
    unanswered_since: datetime | None = None
    pending_until: datetime | None = None
    offered_to: str | None = None
    offer_until: datetime | None = None
    home: str | None = None
    reopened: int = 0

    def as_dict(self) -> dict[str, Any]:
        table = asdict(self)
        for name, value in table.items():
            if isinstance(value, datetime):
                table[name] = iso(value)
        for name in ("tags", "topics"):
            table[name] = list(table[name])
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
class Change:
    """A line of a ticket's history: what was done, by whom, and the state and owner from then on."""

    n: int
    change: str
    state: str
    owner: str | None
    actor: str
    at: datetime
    note: str

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "at": iso(self.at)}


@dataclass(frozen=True)
class Visit:
    """An earlier conversation from the same browser, with the customer's last words, and its last ticket if it had
    one: `reason`, `state`, `outcome` and `owner` are the ticket's."""

    conversation: str
    opened_at: datetime
    last_text: str
    ticket: int | None = None
    reason: str | None = None
    state: str | None = None
    outcome: str | None = None
    owner: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "opened_at": iso(self.opened_at)}


@dataclass(frozen=True)
class Packet:
    """Everything an agent needs: the ticket, the newest part of the conversation (what is earlier ends before the event
    `before`; None: nothing is) and suggested replies, likeliest first. `history` is the ticket's, `satisfaction` what
    the customer said of it afterwards, `customer` the name that the shop gave, `earlier` what came from the same
    browser before, the newest first."""

    ticket: Ticket
    transcript: tuple[Event, ...]
    suggestions: tuple[Suggestion, ...]
    history: tuple[Change, ...] = ()
    satisfaction: Mapping[str, Any] | None = None
    customer: str | None = None
    earlier: tuple[Visit, ...] = ()
    before: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            **self.ticket.as_dict(),
            "transcript": [event.as_dict() for event in self.transcript],
            "before": self.before,
            "suggestions": [asdict(suggestion) for suggestion in self.suggestions],
            "history": [change.as_dict() for change in self.history],
            "satisfaction": dict(self.satisfaction) if self.satisfaction else None,
            "customer": self.customer,
            "earlier": [visit.as_dict() for visit in self.earlier],
        }


def as_ticket(row: sa.Row[Any], now: datetime, last_text: str = "") -> Ticket:
    """The ticket in a row of its table, as it stands at `now`."""
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
        last_text=last_text,
        no_article=row.no_article,
        channel=row.channel,
        tags=tuple(row.tags),
        topics=tuple(row.topics),
        priority=_priority(row, now),
        first_reply_at=row.first_reply_at,
        due_at=row.due_at,
        warned_at=row.warned_at,
        breached_at=row.breached_at,
        unanswered_since=row.unanswered_since,
        pending_until=row.pending_until,
        offered_to=row.offered_to if row.offer_until and row.offer_until > now else None,
        offer_until=row.offer_until if row.offer_until and row.offer_until > now else None,
        home=row.home,
        reopened=row.reopened,
    )


def _priority(row: sa.Row[Any], now: datetime) -> dict[str, Any]:
    reasons = [dict(reason) for reason in row.priority_reasons]
    value = int(row.priority)
    if row.state == "waiting":
        aged = int((now - row.rank_at).total_seconds() / SECONDS_PER_POINT) - value
        if aged > 0:
            reasons.append({"reason": "waited", "points": aged})
            value += aged
    return {"value": value, "reasons": reasons}
