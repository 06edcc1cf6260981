"""A ticket as it is kept. Each of its fields is declared here, once: the table, the transitions, what agents read and
what the HTTP API gives are made from it, or checked against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from botkit.store.event_data import Option
from botkit.store.kept import Kept, kept
from botkit.vocabulary import Channel, Outcome, Reason, State, Urgency


@dataclass(frozen=True)
class Points(Kept):
    """What a ticket's urgency is for; `tag` where it is one."""

    reason: Urgency = field(metadata=kept(read_as="waited"))
    tag: str | None = field(default=None, metadata=kept(unless_default=True), kw_only=True)
    points: int


def _column(**options: object) -> Mapping[str, object]:
    """How a field is a column, beyond its type: `length` of a short text, `primary_key`, `references`, `index`."""
    return {"column": options}


@dataclass(frozen=True, kw_only=True)
class TicketFields(Kept):
    """What is the same in the table and to whoever reads a ticket.

    `id` is 0 until it is kept. `topics` are what the likely article is filed under. `due_at` is when a first reply is
    due, `unanswered_since` when the customer began to wait for the next word of a person; `home` is whom an absence
    took the ticket from, `reopened` how often its customer came back to it.
    """

    id: int = field(default=0, metadata=_column(primary_key=True))
    state: State = field(metadata=_column(length=16))
    reason: Reason = field(metadata=_column(length=32))
    lang: str | None = field(metadata=_column(length=8))
    page: str | None
    candidates: tuple[Option, ...]
    opened_at: datetime
    claimed_at: datetime | None = None
    closed_at: datetime | None = None
    owner: str | None = field(default=None, metadata=_column(length=64))
    outcome: Outcome | None = field(default=None, metadata=_column(length=16))
    article: str | None = None
    no_article: bool = False
    channel: Channel = field(default="live", metadata=_column(length=16))
    tags: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    first_reply_at: datetime | None = None
    due_at: datetime | None = None
    warned_at: datetime | None = None
    breached_at: datetime | None = None
    unanswered_since: datetime | None = None
    pending_until: datetime | None = None
    offered_to: str | None = field(default=None, metadata=_column(length=64))
    offer_until: datetime | None = None
    home: str | None = field(default=None, metadata=_column(length=64))
    reopened: int = 0


@dataclass(frozen=True, kw_only=True)
class TicketRow(TicketFields):
    """A row of the table `ticket`. `version` counts its changes; `next_at` is when `desk.tick` must look at it next."""

    conversation_id: str = field(metadata=_column(length=32, references="conversation.id", index=True))
    version: int = 1
    priority: int = 0
    priority_reasons: tuple[Points, ...] = ()
    rank_at: datetime
    warn_at: datetime | None = None
    passed_by: tuple[str, ...] = ()
    next_at: datetime | None = field(default=None, metadata=_column(index=True))
