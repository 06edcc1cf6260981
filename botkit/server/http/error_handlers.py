"""Owns the handlers of every error that leaves the server: JSON for programs, a page in the reader's language.

It never shows a traceback, a file name or a customer's words.
"""

import logging

from flask import Flask, Response, g, has_request_context, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected, HTTPException

from botkit.server.http import templates
from botkit.server.http.errors import UNAVAILABLE, ApiError
from botkit.store import StoreError

log = logging.getLogger("botkit.server")

# Statuses that werkzeug and Flask raise by themselves, in the words of this API.
_CODES = {
    400: ("bad_request", "The request could not be read."),
    401: ("unauthorized", "Send a bearer token: Authorization: Bearer TOKEN."),
    403: ("forbidden", "This is not allowed."),
    404: ("not_found", "Nothing is served at this address."),
    405: ("method_not_allowed", "This address does not take that method; see the Allow header."),
    406: ("not_acceptable", "This address answers in JSON only."),
    408: ("timeout", "The request took too long to arrive."),
    413: ("too_large", "The request body is too large."),
    414: ("address_too_long", "The address is too long."),
    415: ("unsupported_media_type", "Send JSON with Content-Type: application/json."),
    429: ("too_many_requests", "Too many requests from your address; wait and try again."),
    500: ("internal", "Something went wrong on our side; please try again."),
    503: ("unavailable", UNAVAILABLE),
}


def install(app: Flask) -> None:
    """Answer every failure of `app`: JSON under /api/ and for programs, a page for browsers."""
    app.register_error_handler(ApiError, _api_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(StoreError, _store_error)
    app.register_error_handler(ParseException, _broken_body)
    app.register_error_handler(ClientDisconnected, _lost_line)
    app.register_error_handler(Exception, _unexpected)


def _api_error(error: ApiError) -> Response:
    return error.response() if _wants_json() else _page(error)


def _store_error(error: StoreError) -> Response:
    # Disk full, locked for too long, server gone: it passes, and nothing that was acknowledged is lost.
    log.error("the database: %s, request %s", error, g.get("request_id", "-"))
    return _api_error(ApiError(503, "unavailable", UNAVAILABLE, retry_after=2))


def _lost_line(_error: ClientDisconnected) -> Response:
    """The client took too long over the request's body, or is gone."""
    code, message = _CODES[408]
    return _api_error(ApiError(408, code, message))


def _broken_body(_error: ParseException) -> Response:
    """A body in pieces that are none. gunicorn ends the connection: where the next request begins nobody knows."""
    code, message = _CODES[400]
    return _api_error(ApiError(400, code, message))


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    code, message = _CODES.get(status, ("error", error.name))
    response = _api_error(ApiError(status, code, message))
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    # The type and the place are for the log; the text of an exception may quote a customer.
    log.error(
        "unexpected %s at %s %s, request %s",
        type(error).__name__,
        request.method,
        request.url_rule.rule if request.url_rule else "no route",
        g.get("request_id", "-"),
        exc_info=error,
    )
    code, message = _CODES[500]
    return _api_error(ApiError(500, code, message))


def _wants_json() -> bool:
    if not has_request_context() or request.path.startswith(("/api/", "/openapi", "/metrics")):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json"


def _page(error: ApiError) -> Response:
    return templates.error_page(error)
