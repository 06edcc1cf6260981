"""What each kind of event has to say: one frozen dataclass a kind, which `Store.append` takes and readers get back.

`docs/record.md` says who writes which. Times are text, as stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from botkit.store.kept import Kept, kept
from botkit.vocabulary import Direction, Kind, Outcome, Reason, ReplyKind

CUSTOMER: Final = "customer"


@dataclass(frozen=True)
class EventData(Kept):
    """The base of all. By itself it is what is known of an event of a newer release: nothing."""

    KIND: ClassVar[Kind]


@dataclass(frozen=True)
class ConversationOpened(EventData):
    """A conversation began, on a page in a language."""

    KIND = "conversation.opened"

    lang: str | None
    page: str | None


@dataclass(frozen=True)
class Message(EventData):
    """Words of a person. `client_id` was made by who sent them."""

    KIND = "message"

    text: str
    client_id: str


@dataclass(frozen=True)
class CustomerMessage(Message):
    """`choice` is the article that was picked from a question back."""

    choice: str | None = None


@dataclass(frozen=True)
class AgentMessage(Message):
    """`ticket` is the one that its author owned."""

    ticket: int


@dataclass(frozen=True)
class Option(Kept):
    """An article that the bot considered, with the probability that it answers: what `answer.Option` has."""

    article: str
    title: str
    confidence: float
    lang: str
    url: str


@dataclass(frozen=True)
class Source(Kept):
    """The article that an answer quotes: what `answer.Source` has."""

    title: str
    url: str
    lang: str


@dataclass(frozen=True)
class Queue(Kept):
    """Where a handover stands. `next_open` is in the shop's local time, None when unknown or open now; `wait_seconds`
    the usual wait, None without experience."""

    position: int
    open_now: bool
    next_open: str | None
    wait_seconds: int | None
    hours: str
    email: str
    phone: str


@dataclass(frozen=True)
class BotReply(EventData):
    """What the bot said: what `answer.Reply` tells, and its place in the conversation.

    `id` is `r` and its number; `to` the number of the message that it answers; `after` the id of the reply whose bad
    feedback caused it; `queue` comes with a handover; `automatic`: it was given while a ticket waited for a person.
    """

    KIND = "reply"

    kind: ReplyKind = field(metadata=kept(read_as="smalltalk"))
    text: str
    html: str
    lang: str
    version: str
    question_lang: str
    article: str | None
    confidence: float | None
    options: tuple[Option, ...]
    source: Source | None
    reason: Reason | None
    topic: str | None
    understood: str | None
    direction: Direction = field(metadata=kept(read_as="ltr"))
    id: str
    to: int | None
    after: str | None = field(default=None, metadata=kept(unless_default=True))
    queue: Queue | None = field(default=None, metadata=kept(unless_default=True))
    automatic: bool = field(default=False, metadata=kept(unless_default=True))


@dataclass(frozen=True)
class Feedback(EventData):
    """Whether an answer helped."""

    KIND = "feedback"

    reply_id: str
    helpful: bool


@dataclass(frozen=True)
class Satisfaction(EventData):
    """What the customer said of a ticket afterwards; `score` is 1 to 5."""

    KIND = "satisfaction"

    ticket: int
    score: int
    comment: str


@dataclass(frozen=True)
class Note(EventData):
    """Words for colleagues; `mentions` are those whom it names."""

    KIND = "note"

    ticket: int
    text: str
    mentions: tuple[str, ...] = field(default=(), metadata=kept(unless_default=True))


@dataclass(frozen=True)
class TicketEvent(EventData):
    """Something that happened to a ticket."""

    ticket: int


@dataclass(frozen=True)
class TicketOpened(TicketEvent):
    """The bot handed over."""

    KIND = "ticket.opened"

    reason: Reason | None


@dataclass(frozen=True)
class TicketClaimed(TicketEvent):
    """Its actor took it."""

    KIND = "ticket.claimed"


@dataclass(frozen=True)
class TicketPending(TicketEvent):
    """It waits for its customer, at most until then."""

    KIND = "ticket.pending"

    until: str


@dataclass(frozen=True)
class TicketResumed(TicketEvent):
    """The customer wrote, or the owner took it up."""

    KIND = "ticket.resumed"


@dataclass(frozen=True)
class TicketReleased(TicketEvent):
    """It waits again. `absent`: because an absence of its owner began; `unattended`: because the owner was gone while
    the customer waited."""

    KIND = "ticket.released"

    owner_before: str | None = field(metadata=kept(name="from"))
    absent: bool = field(default=False, metadata=kept(unless_default=True))
    unattended: bool = field(default=False, metadata=kept(unless_default=True))


@dataclass(frozen=True)
class TicketTransferred(TicketEvent):
    """It has another owner. `absent`: who stands in for somebody who is away."""

    KIND = "ticket.transferred"

    owner_before: str | None = field(metadata=kept(name="from"))
    to: str
    absent: bool = field(default=False, metadata=kept(unless_default=True))


@dataclass(frozen=True)
class TicketClosed(TicketEvent):
    """It ended. `article` would have answered, `no_article`: none does; `note` is the reason of a closing in bulk."""

    KIND = "ticket.closed"

    outcome: Outcome | None
    article: str | None
    no_article: bool = field(default=False, metadata=kept(unless_default=True))
    tags: tuple[str, ...] = field(default=(), metadata=kept(unless_default=True))
    note: str = field(default="", metadata=kept(unless_default=True))


@dataclass(frozen=True)
class TicketReopened(TicketEvent):
    """Its customer went on with it; `owner` has it again, if anybody."""

    KIND = "ticket.reopened"

    owner: str | None = field(default=None, metadata=kept(unless_default=True))


@dataclass(frozen=True)
class TicketOffered(TicketEvent):
    """Somebody may take it first, until then."""

    KIND = "ticket.offered"

    to: str
    until: str


@dataclass(frozen=True)
class TicketWarned(TicketEvent):
    """Its first reply will be late."""

    KIND = "ticket.warned"

    due: str
    owner: str | None


@dataclass(frozen=True)
class TicketBreached(TicketEvent):
    """Its first reply is late."""

    KIND = "ticket.breached"

    due: str
    owner: str | None


_CLASSES: Final[tuple[type[EventData], ...]] = (
    ConversationOpened,
    CustomerMessage,
    BotReply,
    Feedback,
    Satisfaction,
    Note,
    TicketOpened,
    TicketClaimed,
    TicketPending,
    TicketResumed,
    TicketReleased,
    TicketTransferred,
    TicketClosed,
    TicketReopened,
    TicketOffered,
    TicketWarned,
    TicketBreached,
)
_BY_KIND: Final[Mapping[str, type[EventData]]] = {each.KIND: each for each in _CLASSES}


def read(kind: str, actor: str, stored: Mapping[str, object]) -> EventData:
    """The data of an event of any release, from its columns."""
    if kind == Message.KIND and actor != CUSTOMER:
        return AgentMessage.from_json(stored)
    return _BY_KIND.get(kind, EventData).from_json(stored)
