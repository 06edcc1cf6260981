"""Owns how the desk's refusals are told to programs: a lost claim is 409 with `owner`."""

from __future__ import annotations

from flask import Response

from botkit import desk
from botkit.server.http.errors import ApiError
from botkit.store import iso


def refused(error: desk.DeskError) -> Response:
    """A refusal of the desk as JSON."""
    stored = _sentence(error)
    if isinstance(error, desk.NoTicket):
        return ApiError(404, error.code, stored).response()
    if isinstance(error, desk.NotOwner):
        return ApiError(409, error.code, stored, owner=error.owner).response()
    if isinstance(error, desk.Away):
        return ApiError(409, error.code, stored, until=iso(error.until)).response()
    if isinstance(error, desk.TicketClosed):
        return ApiError(409, error.code, stored).response()
    if isinstance(error, desk.NotAllowed):
        return ApiError(403, error.code, stored).response()
    return ApiError(400, error.code, stored).response()


def not_taken(error: desk.MessageError) -> Response:
    """A text that cannot be taken."""
    return ApiError(400, error.code, _sentence(error), error.field).response()


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
