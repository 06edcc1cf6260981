"""Owns the shapes of the customer's API, as pydantic models: what is accepted and what is given back."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from botkit.server.http.models import LARGEST, MAX_ID, MAX_LANG, MAX_TEXT, In
from botkit.server.streaming.signals import Signals
from botkit.vocabulary import Direction, ReplyKind

MAX_PAGE = 500
MAX_OPTIONS = 10


class Before(In):
    """The turn before, for a question that leans on it: "and to Germany?", "the second one"."""

    text: str = Field(
        description="What the customer said then: the reply's `understood`, or else the customer's own words; at most "
        "4,000 characters."
    )
    article: str | None = Field(None, description="The article that was answered or picked.", max_length=MAX_ID)
    options: list[str] = Field(
        default_factory=list,
        description="The articles that a reply of kind `clarify` offered, in the order shown.",
        max_length=MAX_OPTIONS,
    )
    lang: str | None = Field(None, description="The language of that reply.", max_length=MAX_LANG)


class Ask(In):
    """A question outside any conversation."""

    text: str = Field(description="What the customer wrote; at most 4,000 characters.")
    lang: str | None = Field(
        None, description="The page's language; a text in another one is still understood.", max_length=MAX_LANG
    )
    page: str | None = Field(None, description="The path of the page the customer is on.", max_length=MAX_PAGE)
    before: Before | None = Field(None, description="The turn before, if the question is still about it.")


class StartConversation(In):
    """A new conversation."""

    lang: str | None = Field(None, description="The page's language.", max_length=MAX_LANG)
    page: str | None = Field(None, description="The path of the page the customer is on.", max_length=MAX_PAGE)
    tags: list[str] = Field(
        default_factory=list,
        description="What the shop's own program knows of the customer, like `vip`: they may bring priority and lead "
        "to agents with that skill. They are taken only with an agent's token, since a visitor could send them too.",
        max_length=20,
    )
    visitor: str | None = Field(
        None,
        description="A random key that this browser keeps: agents see its earlier conversations beside the new one. It "
        "opens nothing, and only its hash is stored.",
        pattern=r"^[A-Za-z0-9_-]{22,64}$",
    )
    customer: str | None = Field(
        None,
        description="The name by which the shop's own program knows the customer; with an agent's token alone.",
        max_length=80,
    )


class SendMessage(In):
    """A customer's words. Sending the same `client_id` again returns the first message and its reply."""

    client_id: str = Field(description="Made by the client, one per message, best a UUID.")
    text: str = Field(description="What the customer wrote; at most 4,000 characters.")
    choice: str | None = Field(
        None, description="The article chosen from a reply of kind `clarify`.", max_length=MAX_ID
    )


class SendFeedback(In):
    """Whether a reply helped."""

    reply_id: str = Field(description="The reply's `id`.", max_length=80)
    helpful: bool


class AskForPerson(In):
    """A person is wanted. Nothing needs to be said."""


class EventsQuery(In):
    """Where to go on reading."""

    after: int = Field(0, ge=0, le=LARGEST, description="The last `seq` that is already known.")


class SearchQuery(In):
    """Words to look for."""

    q: str = Field(description="The words; at most 300 characters count.", max_length=MAX_TEXT)
    lang: str | None = Field(
        None, description="Articles of this language alone; without it, of all.", max_length=MAX_LANG
    )
    limit: int = Field(10, ge=1, le=50)


class SuggestQuery(In):
    """The beginning of a question."""

    q: str = Field(description="What is typed so far.", max_length=MAX_TEXT)
    lang: str | None = Field(None, description="The page's language.", max_length=MAX_LANG)
    limit: int = Field(6, ge=1, le=20)


class Option(BaseModel):
    """A candidate article with the probability that it answers."""

    article: str
    title: str
    confidence: float
    lang: str
    url: str


class Source(BaseModel):
    """Where an answer comes from."""

    title: str
    url: str
    lang: str


class Reply(BaseModel):
    """What a turn ended in. `html` is safe to show; `text` is the same without markup."""

    kind: ReplyKind
    text: str
    html: str
    lang: str
    direction: Direction
    article: str | None = Field(description="The best candidate whatever the kind; null when there is none.")
    confidence: float | None = Field(description="The probability that this article answers.")
    options: list[Option] = Field(description="For `clarify` the choices, otherwise the top candidates.")
    source: Source | None
    reason: str | None = Field(description="For `handoff`: why a person takes over.")
    topic: str | None = Field(description="For `smalltalk`: the act that it is said to, like greeting or solved.")
    understood: str | None = Field(
        description="The text that was searched for, where it is not the customer's own: with the turn before it, or "
        "the title that was picked."
    )
    question_lang: str
    version: str = Field(description="The index version that answered.")


class Started(BaseModel):
    """A conversation's id and the bearer token that opens it. The token is told once."""

    id: str
    token: str


class Message(BaseModel):
    """A customer's message as it was stored."""

    seq: int
    at: str = Field(description="UTC, ISO 8601.")
    text: str
    client_id: str
    choice: str | None = None


class Queue(BaseModel):
    """Where a handover stands."""

    position: int
    open_now: bool
    next_open: str | None = Field(description="When somebody will be there; null when unknown or open.")
    wait_seconds: int | None = Field(description="The usual wait; null when there is no experience.")
    hours: str
    email: str
    phone: str


class Choice(BaseModel):
    """An article to choose: send its title as `text` and its id as `choice`."""

    article: str
    title: str
    lang: str
    url: str


class ConversationReply(BaseModel):
    """What the bot said in a conversation."""

    id: str
    seq: int
    at: str = Field(description="UTC, ISO 8601.")
    to: int | None = Field(description="The `seq` of the message it answers.")
    kind: ReplyKind
    text: str
    html: str = Field(description="Safe to show.")
    lang: str
    direction: Direction
    article: str | None
    confidence: float | None
    options: list[Choice] = Field(description="For `clarify` the choices, for some `smalltalk` what to begin with.")
    source: Source | None
    reason: str | None
    topic: str | None
    question_lang: str
    version: str
    queue: Queue | None = Field(None, description="For `handoff`.")
    automatic: bool = Field(False, description="Whether it was given while a ticket waited for a person.")


class Turn(BaseModel):
    """The stored message and the bot's reply; null once a person is in charge."""

    message: Message | None
    reply: ConversationReply | None


class Event(BaseModel):
    """Something that happened in a conversation, as its customer may see it.

    `kind` is conversation.opened, message, reply, feedback, satisfaction, or ticket.opened, .claimed, .released,
    .transferred, .closed and .reopened; `actor` is customer, bot, agent or system. The data of a closing have
    `ask: "satisfaction"` where the customer may be asked how it was, those of a reopening `attended`: whether the
    person who had it has it again.
    """

    seq: int
    kind: str
    at: str = Field(description="UTC, ISO 8601.")
    actor: Literal["customer", "bot", "agent", "system"]
    data: dict[str, Any]


class Events(BaseModel):
    """Events after the one asked for, oldest first. Ask again with `after` = `last`."""

    events: list[Event]
    last: int
    more: bool = Field(description="There are further events now: ask again at once.")
    signals: Signals


class Rate(In):
    """How the team did, once after each conversation with it."""

    score: int = Field(description="1 is very bad, 5 very good.", ge=1, le=5)
    comment: str = Field("", description="A word, if there is one.", max_length=MAX_TEXT)


class Rated(BaseModel):
    """What the customer said of the team."""

    score: int
    comment: str


class RatingTexts(BaseModel):
    """How to ask, in the customer's language; `scores` are the names of 1 to 5."""

    question: str
    comment: str
    send: str
    thanks: str
    scores: list[str]


class Rating(BaseModel):
    """Whether the customer may be asked now, and what they said."""

    ask: bool
    given: Rated | None
    lang: str
    texts: RatingTexts


class Feedback(BaseModel):
    """What was noted; `reply` when a poor answer led to other articles or to a person."""

    reply_id: str
    helpful: bool
    reply: ConversationReply | None


class Mark(BaseModel):
    """A stretch of a snippet that matches, in characters from its start."""

    start: int
    end: int


class Found(BaseModel):
    """An article that a search found."""

    article: str
    title: str
    lang: str
    category: str
    url: str
    match: Literal["good", "near", "far"] = Field(
        description="How much it shares with the words: `good` is found, `near` may be meant, `far` is only nearest."
    )
    snippet: str
    marks: list[Mark]


class SearchResult(BaseModel):
    """Articles, best first."""

    query: str
    hits: list[Found]


class Suggestion(BaseModel):
    """A question that begins like the one typed."""

    article: str
    text: str
    url: str


class Suggestions(BaseModel):
    """Questions that begin like the one typed."""

    suggestions: list[Suggestion]
