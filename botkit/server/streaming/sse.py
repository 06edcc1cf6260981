"""Owns server-sent events: how a stream is asked for, gets its place, and is written.

A stream is read with a request like any other, so that its token travels in a header and never in an address: browsers
use `fetch` and read the body, since an EventSource cannot send one. What a stream tells is what polling tells, in the
same order and under the same numbers.
"""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flask import Response, request

from botkit.server.http.errors import ApiError
from botkit.server.streaming.feed import Full, Subscription
from botkit.store import StoreError

log = logging.getLogger("botkit.server")


def wants_stream() -> bool:
    """Whether the request asks for server-sent events; who does not say gets JSON."""
    kinds = ["application/json", "text/event-stream"]
    return request.accept_mimetypes.best_match(kinds, default=kinds[0]) == kinds[1]


def place(enter: Any) -> Subscription:
    """A place among the open streams; ApiError 503 when all are taken."""
    line = request.environ.get("gunicorn.socket") or request.environ.get("werkzeug.socket")
    try:
        result: Subscription = enter(line if isinstance(line, socket.socket) else None)
    except Full as full:
        raise ApiError(
            503,
            "streams_full",
            "All live streams are taken: ask for JSON every few seconds, and for a stream again later.",
            retry_after=full.seconds,
        ) from None
    return result


def streamed(subscription: Subscription, text: Iterator[str]) -> Response:
    """The response of a stream, whose place is free again when it ends."""
    response = Response(text, mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"  # nginx would keep it until it has a page full
    response.headers["Vary"] = "Accept"
    response.call_on_close(subscription.leave)
    return response


RETRY = 1.0
"""Seconds after which a client should come back."""


def event(data: Mapping[str, Any], kind: str | None = None, number: object = None) -> str:
    """One server-sent event. Without a number the client's cursor stays where it is."""
    head = (f"event: {kind}\n" if kind else "") + (f"id: {number}\n" if number is not None else "")
    return f"{head}data: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"


BEGIN = f"retry: {RETRY * 1000:.0f}\n\n"
BEAT = ":\n\n"


def until_over(subscription: Subscription, look: Callable[[], str]) -> Iterator[str]:
    """The text of a stream: what `look` gives at the beginning and at each wake-up, heartbeats between."""
    try:
        yield BEGIN
        while not subscription.over:
            text = look()
            if text:
                yield text
            if not subscription.wait() and not subscription.over:
                yield BEAT
    except StoreError as error:
        log.warning("a stream ends: %s", error)
