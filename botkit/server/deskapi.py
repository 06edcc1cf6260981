"""Owns the desk's HTTP API: tickets as JSON, and everything an agent does to them.

It reads the request, calls `desk` and tells its refusals: a lost claim is 409 with `owner`. It decides nothing.
"""

from __future__ import annotations

from typing import Any, Literal

from flask import Blueprint, Response
from pydantic import BaseModel, ConfigDict, Field

from botkit import desk, live
from botkit.people import Agent
from botkit.store import Event

from . import intake, signin
from .api import known_language
from .context import here
from .errors import ApiError
from .openapi import describe
from .schemas import MAX_ID, MAX_TEXT, In

blueprint = Blueprint("deskapi", __name__, url_prefix="/api/v1/desk/tickets")

TICKET = "<int(max=2147483647):ticket_id>"
_ID = {"ticket_id": "The ticket's number."}


class TicketsQuery(In):
    """Which tickets."""

    state: Literal["waiting", "claimed", "closed"] | None = None
    language: str | None = Field(None, description="Tickets in this language alone.")
    limit: int = Field(50, ge=1, le=200)
    offset: int = Field(0, ge=0, le=2**31 - 1)


class Ticket(BaseModel):
    """One handover. `candidates` are what the bot considered, with the probability of each."""

    model_config = ConfigDict(extra="allow")

    id: int
    conversation: str
    state: Literal["waiting", "claimed", "closed"]
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


class Tickets(BaseModel):
    """Tickets in the order of the queue, and how many there are in each open state."""

    tickets: list[Ticket]
    counts: dict[str, int]


class Packet(Ticket):
    """A ticket with the whole conversation and suggested replies, the likeliest first."""

    transcript: list[dict[str, Any]]
    suggestions: list[dict[str, Any]]


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

    text: str = Field(max_length=MAX_TEXT)
    client_id: str | None = Field(None, max_length=64)


class Verdict(In):
    """How it ended, and which article would have answered."""

    outcome: Literal["solved", "not_solved", "spam"]
    article: str | None = Field(None, description="An article's id; null when none would.", max_length=MAX_ID)


class Written(BaseModel):
    """What was stored."""

    event: dict[str, Any]


@blueprint.errorhandler(desk.DeskError)
def _refused(error: desk.DeskError) -> Response:
    said = _sentence(error)
    if isinstance(error, desk.NoTicket):
        return ApiError(404, error.code, said).response()
    if isinstance(error, desk.NotOwner):
        return ApiError(409, error.code, said, owner=error.owner).response()
    if isinstance(error, desk.TicketClosed):
        return ApiError(409, error.code, said).response()
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
    signin.caller()
    wanted = intake.query(TicketsQuery)
    store = here().store
    lang = known_language(wanted.language, here().index)
    found = desk.queue(store, wanted.state, lang, wanted.limit, wanted.offset)
    return {"tickets": [ticket.as_dict() for ticket in found], "counts": desk.counts(store)}


@blueprint.get(f"/{TICKET}")
@describe(gives={200: Packet}, errors=(404,), security="desk", tag="desk", parameters=_ID)
def ticket(ticket_id: int) -> dict[str, Any]:
    """Read a ticket: the whole conversation, what the bot considered, suggested replies."""
    signin.caller()
    return desk.ticket(here().store, ticket_id, here().index).as_dict()


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
    """Give a ticket to a colleague."""
    agent = signin.caller()
    given = intake.body(Transfer)
    return desk.transfer(here().store, ticket_id, agent, given.to, given.note).as_dict()


@blueprint.post(f"/{TICKET}/messages")
@describe(body=AgentMessage, gives={200: Written}, errors=(404, 409), security="desk", tag="desk", parameters=_ID)
def say(ticket_id: int) -> dict[str, Any]:
    """Write to the customer. Only the ticket's owner can."""
    agent = signin.caller()
    given = intake.body(AgentMessage)
    return {"event": said(ticket_id, agent, given.client_id, given.text).as_dict()}


def said(ticket_id: int, agent: Agent, client_id: str, text: str) -> Event:
    """An agent's words to the customer, stored; whoever has sent them does not type them any more."""
    event = desk.say(here().store, ticket_id, agent, client_id, text)
    live.typing(here().store, event.conversation, event.actor, on=False)
    return event


@blueprint.post(f"/{TICKET}/notes")
@describe(body=Note, gives={200: Written}, errors=(404,), security="desk", tag="desk", parameters=_ID)
def note(ticket_id: int) -> dict[str, Any]:
    """Write a note that only colleagues see."""
    agent = signin.caller()
    given = intake.body(Note)
    return {"event": desk.note(here().store, ticket_id, agent, given.text, given.client_id).as_dict()}


@blueprint.post(f"/{TICKET}/close")
@describe(body=Verdict, gives={200: Ticket}, errors=(404, 409), security="desk", tag="desk", parameters=_ID)
def close(ticket_id: int) -> dict[str, Any]:
    """End a ticket with a verdict; the customer's next question goes to the bot."""
    agent = signin.caller()
    given = intake.body(Verdict)
    return desk.close(here().store, ticket_id, agent, given.outcome, given.article or None).as_dict()
