"""Owns a customer's side of what is live: the stream of a conversation, typing, and how far it was read."""

from __future__ import annotations

import logging
import re
from typing import Any

from flask import Blueprint, Response, request

from botkit import chat, presence
from botkit.server.customer import access
from botkit.server.http import requests
from botkit.server.http.context import here
from botkit.server.http.errors import ApiError
from botkit.server.http.openapi import describe
from botkit.server.http.rate_limits import caller, check, limited
from botkit.server.streaming import signals
from botkit.server.streaming.sse import event, place, streamed, until_over
from botkit.store import CUSTOMER, Store, StoreError

log = logging.getLogger("botkit.server")
blueprint = Blueprint("live_api", __name__, url_prefix="/api/v1")


def customer_stream(conversation_id: str, after: int) -> Response:
    """The conversation's stream for its customer, who is authorised already."""
    check("signal")
    store = here().store
    after = _last_event_id(after)
    subscription = place(lambda line: here().feed.subscribe(conversation_id, line, caller()))
    cursor, details = after, None

    def look() -> str:
        nonlocal cursor, details
        with store.read() as conn:
            result, more = store.page(conn, conversation_id, cursor)
            room = presence.rooms(conn, [conversation_id]).get(conversation_id, presence.Room())
        parts = []
        for each in result:
            cursor = each.seq
            shown = chat.view(each, "customer")
            if shown is not None:
                parts.append(event(shown, None, cursor))
        if more:
            subscription.wake()
        signals = room.for_customer(store.now())
        if signals != details:
            details = signals
            parts.append(event(signals.as_dict(), "signals"))
        return "".join(parts)

    return streamed(subscription, until_over(subscription, look))


def polled(store: Store, conversation_id: str, room: presence.Room) -> None:
    """Note that a customer who polls is there. Reading must go on where that cannot be written."""
    try:
        presence.stay(store, conversation_id, CUSTOMER, room)
    except StoreError as error:
        log.warning("who is there could not be written: %s", error)


def _last_event_id(after: int) -> int:
    value = request.headers.get("Last-Event-ID")
    if value is None or value == "":
        return after
    if not re.fullmatch(r"[0-9]{1,10}", value):
        raise ApiError(400, "invalid", "Last-Event-ID: send the last `id` that came, a number.")
    return max(after, int(value))


@blueprint.post("/conversations/<conversation_id>/typing")
@describe(
    body=signals.Typing,
    gives={200: signals.Signals},
    errors=(404, 413, 415),
    security="conversation",
    tag="conversations",
    parameters={"conversation_id": "The conversation's id."},
)
@limited("signal")
def customer_types(conversation_id: str) -> dict[str, Any]:
    """Say that the customer is typing.

    Believed for six seconds: say it again every three or so while it goes on, and `on: false` when it ends without a
    message. It is no event and is kept nowhere. The answer is about the other side.
    """
    access.authorise(conversation_id)
    body = requests.body(signals.Typing)
    presence.typing(here().store, conversation_id, CUSTOMER, body.on)
    return _other_side(here().store, conversation_id)


@blueprint.post("/conversations/<conversation_id>/seen")
@describe(
    body=signals.Seen,
    gives={200: signals.Signals},
    errors=(404, 413, 415),
    security="conversation",
    tag="conversations",
    parameters={"conversation_id": "The conversation's id."},
)
@limited("signal")
def customer_saw(conversation_id: str) -> dict[str, Any]:
    """Say how far the conversation has arrived at the customer, and whether it was read."""
    access.authorise(conversation_id)
    body = requests.body(signals.Seen)
    presence.seen(here().store, conversation_id, CUSTOMER, body.seq, body.read)
    return _other_side(here().store, conversation_id)


def _other_side(store: Store, conversation_id: str) -> dict[str, Any]:
    with store.read() as conn:
        room = presence.rooms(conn, [conversation_id]).get(conversation_id, presence.Room())
    return room.for_customer(store.now()).as_dict()
