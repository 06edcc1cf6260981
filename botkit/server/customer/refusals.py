"""Owns how a customer's text is refused: as JSON, with what is wrong with it."""

from __future__ import annotations

from flask import Response

from botkit import chat, desk
from botkit.server.http.context import here
from botkit.server.http.errors import ApiError


def not_taken(error: desk.MessageError) -> Response:
    """A text that cannot be taken."""
    text = error.message
    return ApiError(400, error.code, f"{text[:1].upper()}{text[1:]}.", error.field).response()


def too_much(full: chat.TooMuch) -> Response:
    """A conversation that is full for now."""
    here().metrics.limited("messages")
    text = "This conversation has taken as much as it may within an hour; send it again later."
    return ApiError(429, "too_much", text, retry_after=full.seconds).response()
