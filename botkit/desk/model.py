"""What the desk talks about: tickets and handover contexts, its rules, and why a change is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Final

from botkit.desk.priority import SECONDS_PER_POINT, Priority
from botkit.language import SHIPPED, Tables
from botkit.store import Event, TicketRow, iso
from botkit.store.kept import slots
from botkit.store.ticket_row import Points, TicketFields
from botkit.vocabulary import VERDICTS, Outcome, Reason, State
from botkit.vocabulary import Change as ChangeKind

OUTCOMES: Final = VERDICTS
AUTO_CLOSED: Final = "lapsed"
WITHDRAWN: Final = "withdrawn"


@dataclass(frozen=True)
class Policy:
    """The shop's rules for its desk; the settings' defaults.

    `live_reply` and `mail_reply` are the seconds, counted in opening hours, until a first reply is due, the `_high`
    ones those of tickets whose priority is at least `high`. `misses` and `unhelpful` are how many questions in a row
    that were not understood, and answers that did not help, hand over. `points` are those that an integrator's tags
    bring. `tables` are the language tables by which customers' words are read.
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
    misses: int = 2
    unhelpful: int = 2
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


@dataclass(frozen=True, kw_only=True)
class Ticket(TicketFields):
    """One handover, as it stands now. `waited` is the seconds from its opening to its first claim, its closing or now;
    `last_text` is the customer's last message. `priority` is what orders the queue, now."""

    conversation: str
    waited: float
    last_text: str = ""
    priority: Priority = field(default_factory=Priority)

    def as_dict(self) -> dict[str, object]:
        table = self.as_json()
        return {name: iso(value) if isinstance(value, datetime) else value for name, value in table.items()}


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
    change: ChangeKind
    state: State
    owner: str | None
    actor: str
    at: datetime
    note: str

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "at": iso(self.at)}


@dataclass(frozen=True)
class Visit:
    """An earlier conversation from the same browser, with the customer's last words, and its last ticket if it had
    one: `reason`, `state`, `outcome` and `owner` are the ticket's."""

    conversation: str
    opened_at: datetime
    last_text: str
    ticket: int | None = None
    reason: Reason | None = None
    state: State | None = None
    outcome: Outcome | None = None
    owner: str | None = None

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "opened_at": iso(self.opened_at)}


@dataclass(frozen=True)
class HandoverContext:
    """Everything an agent needs: the ticket, the newest part of the conversation (what is earlier ends before the event
    `before`; None: nothing is) and suggested replies, likeliest first. `history` is the ticket's, `satisfaction` what
    the customer said of it afterwards, `customer` the name that the shop gave, `earlier` what came from the same
    browser before, the newest first."""

    ticket: Ticket
    transcript: tuple[Event, ...]
    suggestions: tuple[Suggestion, ...]
    history: tuple[Change, ...] = ()
    satisfaction: Mapping[str, object] | None = None
    customer: str | None = None
    earlier: tuple[Visit, ...] = ()
    before: int | None = None

    def as_dict(self) -> dict[str, object]:
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


def as_ticket(row: TicketRow, now: datetime, last_text: str = "") -> Ticket:
    """The ticket in a row of its table, as it stands at `now`."""
    offered = row.offer_until is not None and row.offer_until > now
    until = row.claimed_at or row.closed_at or now
    same = {slot.name: getattr(row, slot.name) for slot in slots(TicketFields)}
    if not offered:
        same |= {"offered_to": None, "offer_until": None}
    return Ticket(
        **same,
        conversation=row.conversation_id,
        waited=max(0.0, (until - row.opened_at).total_seconds()),
        last_text=last_text,
        priority=_priority(row, now),
    )


def _priority(row: TicketRow, now: datetime) -> Priority:
    priority = Priority(row.priority, row.priority_reasons)
    aged = int((now - row.rank_at).total_seconds() / SECONDS_PER_POINT) - priority.value
    if row.state != "waiting" or aged <= 0:
        return priority
    return Priority(priority.value + aged, (*priority.reasons, Points("waited", aged)))
