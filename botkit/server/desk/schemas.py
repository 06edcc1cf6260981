"""Owns the shapes of tickets in the desk's API, as pydantic models."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from botkit import vocabulary
from botkit.server.http.models import MAX_ID, MAX_LANG, MAX_TEXT, In
from botkit.vocabulary import State

TICKET = "<int:ticket_id>"


class TicketsQuery(In):
    """Which tickets."""

    state: State | None = None
    language: str | None = Field(None, description="Tickets in this language alone.", max_length=MAX_LANG)
    limit: int = Field(50, ge=1, le=200)
    offset: int = Field(0, ge=0)


class Reason(BaseModel):
    """Something that makes a ticket urgent."""

    model_config = ConfigDict(extra="allow")

    reason: str
    points: int


class Priority(BaseModel):
    """What orders the queue: points, with what each is for; a waiting ticket gains one every 30 seconds."""

    value: int
    reasons: list[Reason]


class Ticket(BaseModel):
    """One handover. `candidates` are what the bot considered, with the probability of each."""

    model_config = ConfigDict(extra="allow")

    id: int
    conversation: str
    state: State
    reason: str
    lang: str | None
    page: str | None
    candidates: list[dict[str, Any]]
    opened_at: str
    claimed_at: str | None
    closed_at: str | None
    owner: str | None
    outcome: str | None
    article: str | None
    waited: float = Field(description="Seconds from its opening to its first claim, its closing or now.")
    last_text: str = Field(description="The customer's last message.")
    no_article: bool = Field(description="Closed with the verdict that no article answers.")
    channel: str
    tags: list[str]
    topics: list[str] = Field(description="What it is about, as far as the bot knows.")
    priority: Priority
    first_reply_at: str | None
    due_at: str | None = Field(description="When a first reply is due.")
    warned_at: str | None
    breached_at: str | None
    unanswered_since: str | None = Field(description="Since when the customer waits for the next word of a person.")
    pending_until: str | None = Field(description="Until when it waits for its customer.")
    offered_to: str | None
    offer_until: str | None
    home: str | None = Field(description="Whom an absence took it from.")
    reopened: int = Field(description="How often its customer came back to it.")


class Tickets(BaseModel):
    """Tickets in the order of the queue, and how many there are in each open state."""

    tickets: list[Ticket]
    counts: dict[str, int]


class Visit(BaseModel):
    """An earlier conversation from the same browser, with its last ticket, if it had one."""

    conversation: str
    opened_at: str
    last_text: str = Field(description="The customer's last words in it.")
    ticket: int | None
    reason: str | None
    state: str | None
    outcome: str | None
    owner: str | None


class TicketQuery(In):
    """Which part of the conversation."""

    before: int | None = Field(None, ge=1, le=2**31 - 1, description="The part that ends before this `seq`.")


class HandoverContext(Ticket):
    """A ticket with its conversation and suggested replies, the likeliest first."""

    transcript: list[dict[str, Any]] = Field(description="The newest part: at most 200 events or 256 kB.")
    before: int | None = Field(description="Ask with this `before` for the part before; null: it begins here.")
    suggestions: list[dict[str, Any]]
    history: list[dict[str, Any]] = Field(description="Every change of the ticket, with who made it and when.")
    satisfaction: dict[str, Any] | None = Field(description="What the customer said of it afterwards.")
    customer: str | None = Field(description="The customer's name, where the shop's own program gave it.")
    earlier: list[Visit] = Field(description="Conversations from the same browser before, the newest first.")


class AssistQuery(In):
    """What the agent is looking for."""

    q: str | None = Field(
        None,
        description="Words to search for, or `/` and the beginning of a shortcut. Without it the customer's last "
        "words are searched for.",
        max_length=MAX_TEXT,
    )


class Passage(BaseModel):
    """What an article says that may answer, and how likely it does."""

    article: str
    title: str
    text: str
    lang: str = Field(description="The customer's language where there is a translation.")
    url: str
    confidence: float = Field(description="The probability that it answers.")
    audience: Literal["customer", "agent"] = Field(description="`agent`: to be read by agents, not to be sent.")


class CannedReply(BaseModel):
    """A text that agents say often. Variables that nobody knows stay in it, as `{order}`."""

    id: str
    lang: str
    title: str
    shortcut: str
    text: str
    tags: list[str]


class Assist(BaseModel):
    """What an agent may say, best first."""

    query: str | None = Field(description="The words that were searched for; null when there were none.")
    lang: str = Field(description="The customer's language.")
    candidates: list[Passage]
    replies: list[CannedReply]


class Nothing(In):
    """Nothing needs to be said."""


class Transfer(In):
    """To whom, and a word for them."""

    to: str = Field(description="The colleague's name.", max_length=80)
    note: str = Field("", max_length=MAX_TEXT)


class AgentMessage(In):
    """Words for the customer. Sending the same `client_id` again gives the first message and stores nothing."""

    client_id: str = Field(description="Made by the client, one per message, best a UUID.", max_length=64)
    text: str = Field(max_length=MAX_TEXT)


class Note(In):
    """Words for colleagues."""

    text: str = Field(description="`@Name` mentions a colleague.", max_length=MAX_TEXT)
    client_id: str | None = Field(None, max_length=64)
    whisper: bool = Field(False, description="Mention the ticket's owner, whoever it is.")


class Verdict(In):
    """How it ended, and which article would have answered."""

    outcome: vocabulary.Verdict
    article: str | None = Field(None, description="The id of the one that would have answered.", max_length=MAX_ID)
    no_article: bool = Field(False, description="No article answers: a gap. Without either nothing is said of it.")
    tags: list[str] = Field(default_factory=list, description="Added to the ticket's own.", max_length=20)


class BulkVerdict(In):
    """Tickets to close for one reason."""

    tickets: list[int] = Field(min_length=1, max_length=500)
    outcome: vocabulary.Verdict
    reason: str = Field(max_length=MAX_TEXT)


class Closed(BaseModel):
    """The tickets that were closed now."""

    closed: list[int]


class Written(BaseModel):
    """What was stored."""

    event: dict[str, Any]
