"""Owns tickets over HTTP: how they are read, and everything an agent does to them.

It reads the request, calls `desk` and tells its refusals. It decides nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint

from botkit import accounts, desk
from botkit.server.desk import refusals, session
from botkit.server.desk.schemas import (
    TICKET,
    AgentMessage,
    Assist,
    AssistQuery,
    BulkVerdict,
    Closed,
    HandoverContext,
    Note,
    Nothing,
    Ticket,
    TicketQuery,
    Tickets,
    TicketsQuery,
    Transfer,
    Verdict,
    Written,
)
from botkit.server.http import rate_limits, requests
from botkit.server.http.context import here
from botkit.server.http.languages import known_language
from botkit.server.http.openapi import describe

blueprint = Blueprint("tickets_api", __name__, url_prefix="/api/v1/desk/tickets")
blueprint.register_error_handler(desk.DeskError, refusals.refused)
blueprint.register_error_handler(desk.MessageError, refusals.not_taken)

_ID = {"ticket_id": "The ticket's number."}


@blueprint.get("")
@describe(query=TicketsQuery, gives={200: Tickets}, security="desk", tag="desk")
def tickets() -> dict[str, Any]:
    """List tickets: waiting ones in the order of the queue, then claimed ones, then closed ones, newest first."""
    agent = session.caller()
    wanted = requests.query(TicketsQuery)
    store = here().store
    lang = known_language(wanted.language, here().index)
    result = desk.queue(store, wanted.state, lang, wanted.limit, wanted.offset)
    asked = {"state": wanted.state, "language": lang, "limit": wanted.limit, "offset": wanted.offset or None}
    accounts.audit_read(store, agent, "", "ticket.listed", found=len(result), **asked, token=agent.token)
    return {"tickets": [ticket.as_dict() for ticket in result], "counts": desk.counts(store)}


@blueprint.get(f"/{TICKET}")
@describe(query=TicketQuery, gives={200: HandoverContext}, errors=(404,), security="desk", tag="desk", parameters=_ID)
def ticket(ticket_id: int) -> dict[str, Any]:
    """Read a ticket: the conversation, what the bot considered, suggested replies.

    Of a long conversation it is the newest part; `before` leads to the part before. Where its notes mention the agent,
    that counts as seen, unless the token may only read.
    """
    agent = session.caller()
    wanted = requests.query(TicketQuery)
    handover = desk.ticket(here().store, ticket_id, here().index)
    accounts.audit_read(here().store, agent, f"ticket:{ticket_id}")
    if wanted.before is not None:
        events, before = desk.transcript_before(here().store, ticket_id, wanted.before)
        return replace(handover, transcript=tuple(events), before=before).as_dict()
    if agent.may_write:
        desk.saw(here().store, agent, ticket_id, handover.transcript[-1].seq)
    return handover.as_dict()


@blueprint.get(f"/{TICKET}/assist")
@describe(query=AssistQuery, gives={200: Assist}, errors=(404,), security="desk", tag="desk", parameters=_ID)
def assist(ticket_id: int) -> dict[str, Any]:
    """Find what to say: passages of articles with their probabilities, and canned replies.

    Without `q` for the customer's last words, together with the turn before where they lean on it. Everything comes in
    the customer's language where there is a translation, otherwise in another one, as `lang` says.
    """
    agent = session.caller()
    wanted = requests.query(AssistQuery)
    with rate_limits.asking(f"agent:{agent.name}") as deadline:
        result = desk.assist(here().store, here().index, ticket_id, wanted.q or None, agent, deadline)
    return result.as_dict()


@blueprint.post(f"/{TICKET}/claim")
@describe(body=Nothing, gives={200: Ticket}, errors=(404, 409), security="desk", tag="desk", parameters=_ID)
def claim(ticket_id: int) -> dict[str, Any]:
    """Take a waiting ticket. Who comes second gets 409 with the `owner`."""
    agent = session.caller()
    requests.body(Nothing, optional=True)
    return desk.claim(here().store, ticket_id, agent).as_dict()


@blueprint.post(f"/{TICKET}/release")
@describe(body=Nothing, gives={200: Ticket}, errors=(404, 409), security="desk", tag="desk", parameters=_ID)
def release(ticket_id: int) -> dict[str, Any]:
    """Put a ticket back in its place in the queue."""
    agent = session.caller()
    requests.body(Nothing, optional=True)
    return desk.release(here().store, ticket_id, agent).as_dict()


@blueprint.post(f"/{TICKET}/transfer")
@describe(body=Transfer, gives={200: Ticket}, errors=(404, 409), security="desk", tag="desk", parameters=_ID)
def transfer(ticket_id: int) -> dict[str, Any]:
    """Give a ticket to a colleague. A supervisor may give any, a waiting one too, to anybody and take it over.

    If that colleague is absent, `owner` is who stands in for them and `home` the colleague, who gets it back; where
    nobody stands in, it is 409 with `until`.
    """
    agent = session.caller()
    body = requests.body(Transfer)
    return desk.transfer(here().store, ticket_id, agent, body.to, body.note).as_dict()


@blueprint.post(f"/{TICKET}/messages")
@describe(body=AgentMessage, gives={200: Written}, errors=(404, 409), security="desk", tag="desk", parameters=_ID)
def say(ticket_id: int) -> dict[str, Any]:
    """Write to the customer. Only the ticket's owner can."""
    agent = session.caller()
    body = requests.body(AgentMessage)
    return {"event": desk.say(here().store, ticket_id, agent, body.client_id, body.text).as_dict()}


@blueprint.post(f"/{TICKET}/notes")
@describe(body=Note, gives={200: Written}, errors=(404,), security="desk", tag="desk", parameters=_ID)
def note(ticket_id: int) -> dict[str, Any]:
    """Write a note that only colleagues see."""
    agent = session.caller()
    body = requests.body(Note)
    write = desk.whisper if body.whisper else desk.note
    return {"event": write(here().store, ticket_id, agent, body.text, body.client_id).as_dict()}


@blueprint.post(f"/{TICKET}/pending")
@describe(body=Nothing, gives={200: Ticket}, errors=(404, 409), security="desk", tag="desk", parameters=_ID)
def wait_for_customer(ticket_id: int) -> dict[str, Any]:
    """Let a ticket wait for its customer. Their next message, or a claim of its owner, takes it up again."""
    agent = session.caller()
    requests.body(Nothing, optional=True)
    return desk.wait_for_customer(here().store, ticket_id, agent, here().policy).as_dict()


@blueprint.post("/close")
@describe(body=BulkVerdict, gives={200: Closed}, errors=(403,), security="desk", tag="desk")
def close_many() -> dict[str, Any]:
    """Close many tickets for one reason, as a supervisor. What is closed already is passed over."""
    agent = session.caller()
    body = requests.body(BulkVerdict)
    return {"closed": desk.close_many(here().store, body.tickets, agent, body.outcome, body.reason)}


@blueprint.post(f"/{TICKET}/close")
@describe(body=Verdict, gives={200: Ticket}, errors=(404, 409), security="desk", tag="desk", parameters=_ID)
def close(ticket_id: int) -> dict[str, Any]:
    """End a ticket with a verdict; the customer's next question goes to the bot."""
    agent = session.caller()
    body = requests.body(Verdict)
    return desk.close(
        here().store,
        ticket_id,
        agent,
        body.outcome,
        body.article or None,
        no_article=body.no_article,
        tags=body.tags,
    ).as_dict()
