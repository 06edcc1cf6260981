"""Owns a conversation over HTTP: its start, messages, events, feedback, the wish for a person, the rating.

Each view reads the request, calls one package and gives back JSON. The conversation's own token opens it.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from botkit import accounts, chat, desk, language, presence
from botkit.server.customer import live_api, schemas
from botkit.server.customer.access import authorise
from botkit.server.customer.ask_api import count
from botkit.server.http import requests
from botkit.server.http.context import here
from botkit.server.http.errors import ApiError
from botkit.server.http.openapi import describe
from botkit.server.http.rate_limits import asking, limited, weigh
from botkit.server.streaming import sse

blueprint = Blueprint("conversations_api", __name__, url_prefix="/api/v1")

_ID = {"conversation_id": "The conversation's id."}


@blueprint.post("/conversations")
@describe(body=schemas.StartConversation, gives={201: schemas.Started}, errors=(401, 413, 415), tag="conversations")
@limited("conversation")
def start() -> tuple[dict[str, Any], int]:
    """Start a conversation.

    Keep the token: it opens this conversation and is told only here. In a language that the help does not have,
    the customer's own words decide.
    """
    wanted = requests.body(schemas.StartConversation, optional=True)
    page = language.clean(wanted.page) or None if wanted.page else None
    trusted = "tags" if wanted.tags else "customer" if wanted.customer else None
    if trusted:
        agent = accounts.agent_by_token(here().store, requests.bearer())
        if agent is None:
            text = "Tags and the customer's name need an agent's token: Authorization: Bearer TOKEN."
            raise ApiError(401, "unauthorized", text, trusted)
        if not agent.may_write:
            raise ApiError(403, "scope", "This token may only read: take one with the scope answer.", trusted)
    known = {"visitor": wanted.visitor, "customer": wanted.customer}
    try:
        started = chat.start(here().store, wanted.lang, page, here().index.languages, wanted.tags, **known)
    except desk.DeskError as error:
        raise ApiError(400, "invalid", f"{str(error).capitalize()}.", "tags") from None
    return {"id": started.id, "token": started.token}, 201


@blueprint.post("/conversations/<conversation_id>/messages")
@describe(
    body=schemas.SendMessage,
    gives={200: schemas.Turn},
    errors=(404, 413, 415),
    security="conversation",
    tag="conversations",
    parameters=_ID,
)
@limited("question")
def say(conversation_id: str) -> dict[str, Any]:
    """Send a customer's message and get the reply.

    The same `client_id` again gives the first message and its reply again and stores nothing. `reply` is null
    while a person is in charge; their words arrive as events.
    """
    authorise(conversation_id)
    sent = requests.body(schemas.SendMessage)
    weigh(sent.text)
    context = here()
    turn = chat.say(
        context.store,
        context.index,
        conversation_id,
        sent.client_id,
        sent.text,
        choice=sent.choice,
        asking=asking,
        caps=context.caps,
        policy=context.policy,
        **context.thresholds,
    )
    return _turn(turn)


@blueprint.get("/conversations/<conversation_id>/events")
@describe(
    query=schemas.EventsQuery,
    gives={200: schemas.Events},
    errors=(404, 503),
    security="conversation",
    tag="conversations",
    parameters=_ID,
)
def events(conversation_id: str) -> Any:
    """Read what happened after an event.

    `seq` has no gaps in the record, but events that are not for the customer are left out. As JSON: at most 200 events
    or 256 kB; while `more` is true, ask again at once with `after` = `last`, otherwise every few seconds while the chat
    is open. With `Accept: text/event-stream`: a stream of the same events as they happen, the
    `id` of each being its `seq`, and of `signals` whenever the other side's change. It ends after five minutes at most;
    open the next with the last `id` as `Last-Event-ID` or `after`. 503: no stream is free, so poll.
    """
    wanted = requests.query(schemas.EventsQuery)
    authorise(conversation_id)
    if sse.wants_stream():
        return live_api.customer_stream(conversation_id, wanted.after)
    store = here().store
    with store.read() as connection:
        result, more = store.page(connection, conversation_id, wanted.after)
        room = presence.rooms(connection, [conversation_id]).get(conversation_id, presence.Room())
    live_api.polled(store, conversation_id, room)
    shown = [view for event in result if (view := chat.view(event, "customer")) is not None]
    return {
        "events": shown,
        "last": result[-1].seq if result else wanted.after,
        "more": more,
        "signals": room.for_customer(store.now()).as_dict(),
    }


@blueprint.post("/conversations/<conversation_id>/feedback")
@describe(
    body=schemas.SendFeedback,
    gives={200: schemas.Feedback},
    errors=(404, 413, 415),
    security="conversation",
    tag="conversations",
    parameters=_ID,
)
@limited("question")
def feedback(conversation_id: str) -> dict[str, Any]:
    """Say whether a reply helped."""
    authorise(conversation_id)
    body = requests.body(schemas.SendFeedback)
    context = here()
    try:
        noted = chat.feedback(
            context.store,
            context.index,
            conversation_id,
            body.reply_id,
            body.helpful,
            policy=context.policy,
            caps=context.caps,
        )
    except chat.NotFound:
        raise ApiError(404, "not_found", "No such answer in this conversation.", "reply_id") from None
    if noted["reply"] is not None:
        count(noted["reply"])
    return noted


@blueprint.post("/conversations/<conversation_id>/handoff")
@describe(
    body=schemas.AskForPerson,
    gives={200: schemas.Turn},
    errors=(404, 413, 415),
    security="conversation",
    tag="conversations",
    parameters=_ID,
)
@limited("question")
def handoff(conversation_id: str) -> dict[str, Any]:
    """Ask for a person.

    Always granted: the reply has the place in the queue, or the opening hours when nobody is on.
    """
    authorise(conversation_id)
    requests.body(schemas.AskForPerson, optional=True)
    context = here()
    return _turn(chat.request_person(context.store, context.index, conversation_id, policy=context.policy))


@blueprint.get("/conversations/<conversation_id>/satisfaction")
@describe(
    gives={200: schemas.Rating}, errors=(404,), security="conversation", tag="conversations", parameters=_ID
)
def rating(conversation_id: str) -> dict[str, Any]:
    """Read whether to ask how the team did, and the words to ask with.

    Ask when an event `ticket.closed` says so, and here `ask` is true.
    """
    lang = authorise(conversation_id).lang or here().index.default_language
    ask, value = desk.rating(here().store, conversation_id)
    words = language.messages(lang, here().tables)
    texts = {name: words[f"widget.rate_{name}"] for name in ("question", "comment", "send", "thanks")}
    return {
        "ask": ask,
        "given": {"score": value.score, "comment": value.comment} if value else None,
        "lang": lang,
        "texts": texts | {"scores": [words[f"widget.rate_{score}"] for score in desk.SCORES]},
    }


@blueprint.post("/conversations/<conversation_id>/satisfaction")
@describe(
    body=schemas.Rate,
    gives={200: schemas.Rated},
    errors=(404, 409, 413, 415),
    security="conversation",
    tag="conversations",
    parameters=_ID,
)
@limited("question")
def rate(conversation_id: str) -> dict[str, Any]:
    """Say how the team did.

    Once after each conversation with a person: 409 when nothing was closed, or another score is there already.
    """
    authorise(conversation_id)
    body = requests.body(schemas.Rate)
    try:
        stored = desk.rate(here().store, conversation_id, body.score, body.comment)
    except desk.NotRated as error:
        text = str(error)
        raise ApiError(409, error.code, f"{text[:1].upper()}{text[1:]}.") from None
    return {"score": stored.score, "comment": stored.comment}


def _turn(turn: chat.Turn) -> dict[str, Any]:
    if turn.reply is not None:
        count(turn.reply)
    return {"message": turn.message, "reply": turn.reply}
