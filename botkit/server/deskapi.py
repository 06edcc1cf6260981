"""Owns the desk's HTTP API: tickets as JSON, and everything an agent does to them.

It reads the request, calls `desk` and tells its refusals: a lost claim is 409 with `owner`. It decides nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from flask import Blueprint, Response
from pydantic import BaseModel, ConfigDict, Field

from botkit import desk, people
from botkit.store import iso

from . import intake, limits, signin
from .api import known_language
from .context import here
from .errors import ApiError
from .openapi import describe
from .schemas import MAX_ID, MAX_LANG, MAX_TEXT, In

blueprint = Blueprint("deskapi", __name__, url_prefix="/api/v1/desk/tickets")

TICKET = "<int:ticket_id>"
_ID = {"ticket_id": "The ticket's number."}


class TicketsQuery(In):
    """Which tickets."""

    state: Literal["waiting", "claimed", "pending", "closed"] | None = None
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
    state: Literal["waiting", "claimed", "pending", "closed"]
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


class Packet(Ticket):
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

    outcome: Literal["solved", "not_solved", "spam"]
    article: str | None = Field(None, description="The id of the one that would have answered.", max_length=MAX_ID)
    no_article: bool = Field(False, description="No article answers: a gap. Without either nothing is said of it.")
    tags: list[str] = Field(default_factory=list, description="Added to the ticket's own.", max_length=20)


class BulkVerdict(In):
    """Tickets to close for one reason."""

    tickets: list[int] = Field(min_length=1, max_length=500)
    outcome: Literal["solved", "not_solved", "spam"]
    reason: str = Field(max_length=MAX_TEXT)


class Closed(BaseModel):
    """The tickets that were closed now."""

    closed: list[int]


class Written(BaseModel):
    """What was stored."""

    event: dict[str, Any]


@blueprint.errorhandler(desk.DeskError)
def refused(error: desk.DeskError) -> Response:
    """A refusal of the desk as JSON."""
    said = _sentence(error)
    if isinstance(error, desk.NoTicket):
        return ApiError(404, error.code, said).response()
    if isinstance(error, desk.NotOwner):
        return ApiError(409, error.code, said, owner=error.owner).response()
    if isinstance(error, desk.Away):
        return ApiError(409, error.code, said, until=iso(error.until)).response()
    if isinstance(error, desk.TicketClosed):
        return ApiError(409, error.code, said).response()
    if isinstance(error, desk.NotAllowed):
        return ApiError(403, error.code, said).response()
    return ApiError(400, error.code, said).response()


@blueprint.errorhandler(desk.MessageError)
def _not_taken(error: desk.MessageError) -> Response:
    return ApiError(400, error.code, _sentence(error), error.field).response()


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


@blueprint.get("")
@describe(query=TicketsQuery, gives={200: Tickets}, security="desk", tag="desk")
def tickets() -> dict[str, Any]:
    """List tickets: waiting ones in the order of the queue, then claimed ones, then closed ones, newest first."""
    agent = signin.caller()
    wanted = intake.query(TicketsQuery)
    store = here().store
    lang = known_language(wanted.language, here().index)
    found = desk.queue(store, wanted.state, lang, wanted.limit, wanted.offset)
    asked = {"state": wanted.state, "language": lang, "limit": wanted.limit, "offset": wanted.offset or None}
    people.audit_read(store, agent, "", "ticket.listed", found=len(found), **asked, token=agent.token)
    return {"tickets": [ticket.as_dict() for ticket in found], "counts": desk.counts(store)}


@blueprint.get(f"/{TICKET}")
@describe(query=TicketQuery, gives={200: Packet}, errors=(404,), security="desk", tag="desk", parameters=_ID)
def ticket(ticket_id: int) -> dict[str, Any]:
    """Read a ticket: the conversation, what the bot considered, suggested replies.

    Of a long conversation it is the newest part; `before` leads to the part before. Where its notes mention the agent,
    that counts as seen, unless the token may only read.
    """
    agent = signin.caller()
    wanted = intake.query(TicketQuery)
    packet = desk.ticket(here().store, ticket_id, here().index)
    people.audit_read(here().store, agent, f"ticket:{ticket_id}")
    if wanted.before is not None:
        events, before = desk.transcript_before(here().store, ticket_id, wanted.before)
        return replace(packet, transcript=tuple(events), before=before).as_dict()
    if agent.may_write:
        desk.saw(here().store, agent, ticket_id, packet.transcript[-1].seq)
    return packet.as_dict()


@blueprint.get(f"/{TICKET}/assist")
@describe(query=AssistQuery, gives={200: Assist}, errors=(404,), security="desk", tag="desk", parameters=_ID)
def assist(ticket_id: int) -> dict[str, Any]:
    """Find what to say: passages of articles with their probabilities, and canned replies.

    Without `q` for the customer's last words, together with the turn before where they lean on it. Everything comes in
    the customer's language where there is a translation, otherwise in another one, as `lang` says.
    """
    agent = signin.caller()
    wanted = intake.query(AssistQuery)
    with limits.asking(f"agent:{agent.name}") as deadline:
        found = desk.assist(here().store, here().index, ticket_id, wanted.q or None, agent, deadline)
    return found.as_dict()


@blueprint.post(f"/{TICKET}/claim")
@describe(body=Nothing, gives={200: Ticket}, errors=(404, 409), security="desk", tag="desk", parameters=_ID)
def claim(ticket_id: int) -> dict[str, Any]:
    """Take a waiting ticket. Who comes second gets 409 with the `owner`."""
    agent = signin.caller()
    intake.body(Nothing, optional=True)
    return desk.claim(here().store, ticket_id, agent).as_dict()


@blueprint.post(f"/{TICKET}/release")
@describe(body=Nothing, gives={200: Ticket}, errors=(404, 409), security="desk", tag="desk", parameters=_ID)
def release(ticket_id: int) -> dict[str, Any]:
    """Put a ticket back in its place in the queue."""
    agent = signin.caller()
    intake.body(Nothing, optional=True)
    return desk.release(here().store, ticket_id, agent).as_dict()


@blueprint.post(f"/{TICKET}/transfer")
@describe(body=Transfer, gives={200: Ticket}, errors=(404, 409), security="desk", tag="desk", parameters=_ID)
def transfer(ticket_id: int) -> dict[str, Any]:
    """Give a ticket to a colleague. A supervisor may give any, a waiting one too, to anybody and take it over.

    If that colleague is absent, `owner` is who stands in for them and `home` the colleague, who gets it back; where
    nobody stands in, it is 409 with `until`.
    """
    agent = signin.caller()
    given = intake.body(Transfer)
    return desk.transfer(here().store, ticket_id, agent, given.to, given.note).as_dict()


@blueprint.post(f"/{TICKET}/messages")
@describe(body=AgentMessage, gives={200: Written}, errors=(404, 409), security="desk", tag="desk", parameters=_ID)
def say(ticket_id: int) -> dict[str, Any]:
    """Write to the customer. Only the ticket's owner can."""
    agent = signin.caller()
    given = intake.body(AgentMessage)
    return {"event": desk.say(here().store, ticket_id, agent, given.client_id, given.text).as_dict()}


@blueprint.post(f"/{TICKET}/notes")
@describe(body=Note, gives={200: Written}, errors=(404,), security="desk", tag="desk", parameters=_ID)
def note(ticket_id: int) -> dict[str, Any]:
    """Write a note that only colleagues see."""
    agent = signin.caller()
    given = intake.body(Note)
    write = desk.whisper if given.whisper else desk.note
    return {"event": write(here().store, ticket_id, agent, given.text, given.client_id).as_dict()}


@blueprint.post(f"/{TICKET}/pending")
@describe(body=Nothing, gives={200: Ticket}, errors=(404, 409), security="desk", tag="desk", parameters=_ID)
def pend(ticket_id: int) -> dict[str, Any]:
    """Let a ticket wait for its customer. Their next message, or a claim of its owner, takes it up again."""
    agent = signin.caller()
    intake.body(Nothing, optional=True)
    return desk.pend(here().store, ticket_id, agent, here().policy).as_dict()


@blueprint.post("/close")
@describe(body=BulkVerdict, gives={200: Closed}, errors=(403,), security="desk", tag="desk")
def close_many() -> dict[str, Any]:
    """Close many tickets for one reason, as a supervisor. What is closed already is passed over."""
    agent = signin.caller()
    given = intake.body(BulkVerdict)
    return {"closed": desk.close_many(here().store, given.tickets, agent, given.outcome, given.reason)}


@blueprint.post(f"/{TICKET}/close")
@describe(body=Verdict, gives={200: Ticket}, errors=(404, 409), security="desk", tag="desk", parameters=_ID)
def close(ticket_id: int) -> dict[str, Any]:
    """End a ticket with a verdict; the customer's next question goes to the bot."""
    agent = signin.caller()
    given = intake.body(Verdict)
    return desk.close(
        here().store,
        ticket_id,
        agent,
        given.outcome,
        given.article or None,
        no_article=given.no_article,
        tags=given.tags,
    ).as_dict()
