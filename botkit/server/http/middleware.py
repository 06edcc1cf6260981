"""Owns what happens around every request: its id and its limit, the refusal of foreign pages, headers, the log."""

from __future__ import annotations

import logging
import re
import time
import uuid
from urllib.parse import urlsplit, urlunsplit

from flask import Response, g, request

from botkit.server.http.context import here
from botkit.server.http.errors import ApiError
from botkit.server.http.rate_limits import check

log = logging.getLogger("botkit.server")

access = logging.getLogger("botkit.access")

MAX_BODY = 128 * 1024
"""Bytes of a request's body. The longest message is 4,000 characters: 48 KiB when each is an escaped pair."""

WEIGHS_ONE_MORE = 16 * 1024
"""Bytes of a body for which a request counts as one more: a form of the most bytes takes 60 ms to read."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_YEAR = 31_536_000


# Before a request.

_PROBES = ("/healthz", "/readyz")
"""What a supervisor or a balancer asks, from one address and as often as it likes: a 429 would read as ill."""


def begin_request() -> None:
    """Give the request its id and its start, and count it against its address."""
    g.started = time.perf_counter()
    value = request.headers.get("X-Request-Id", "")
    g.request_id = value if re.fullmatch(r"[A-Za-z0-9-]{8,64}", value) else uuid.uuid4().hex
    context = here()
    if "X-Forwarded-For" in request.headers and not context.settings.trusted_proxies:
        context.metrics.forwarded()
        if not context.rates.take("told", "forwarded", 1 / 86_400, 1):  # once a day, in all processes together
            log.warning(
                "a request has X-Forwarded-For, but trusted_proxies is 0: if a proxy of yours sends it, all visitors "
                "share one address and its limits. Set trusted_proxies = 1, or how many proxies there are."
            )
    if request.path not in _PROBES:
        length = MAX_BODY if "Transfer-Encoding" in request.headers else request.content_length or 0
        check("request", 1.0 + min(length, MAX_BODY) / WEIGHS_ONE_MORE)


def refuse_foreign_pages() -> None:
    """Another site's page must not act with a visitor's cookies. Programs send neither header and may."""
    if request.method in _SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        foreign = site not in ("same-origin", "none")
    else:
        foreign = origin is not None and _host_of(origin) != request.host
    if foreign:
        raise ApiError(403, "foreign_origin", "A page of another site may not do this.")


def _host_of(origin: str) -> str | None:
    """The host and port of an Origin; None where it has none that can be read."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None


# After a request.


def add_headers(response: Response) -> Response:
    """Add what every response carries: security, caching, the request's id."""
    context = here()
    framed = request.path == "/widget"
    ancestors = " ".join(("'self'", *context.embed_origins)) if framed else "'none'"
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
        f"frame-ancestors {ancestors}"
    )
    headers = response.headers
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if not framed:
        headers["X-Frame-Options"] = "DENY"
    # The loader runs on the shop's own pages, so that site must be able to fetch it.
    public = request.path.startswith("/static/widget/")
    headers["Cross-Origin-Resource-Policy"] = "cross-origin" if public or framed else "same-origin"
    if request.is_secure:
        headers["Strict-Transport-Security"] = f"max-age={_YEAR}"
    headers["X-Request-Id"] = g.get("request_id", "-")
    if "Location" in headers:
        headers["Location"] = _here(headers["Location"])
    _cache(response)
    return response


def _here(address: str) -> str:
    """Where to go on this site: werkzeug, when it corrects an address, takes the host that the request names, and
    anybody can make that up."""
    parts = urlsplit(address)
    return urlunsplit(("", "", "/" + parts.path.lstrip("/"), parts.query, parts.fragment))


def _cache(response: Response) -> None:
    if request.path.startswith("/static/"):
        marked = response.status_code in (200, 304) and "v" in request.args
        response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable" if marked else "no-cache"
    elif "Cache-Control" not in response.headers:
        personal = request.path.startswith(("/api/", "/desk", "/widget", "/metrics", "/reports"))
        response.headers["Cache-Control"] = "no-store" if personal or response.status_code >= 400 else "no-cache"


def log_request(response: Response) -> Response:
    """Count the response and write its line of the access log."""
    seconds = time.perf_counter() - g.get("started", time.perf_counter())
    # The pattern, not the address: a search carries a customer's words in it.
    route = request.url_rule.rule if request.url_rule else "none"
    method = request.method if request.method in (*_SAFE_METHODS, "POST", "PUT", "PATCH", "DELETE") else "other"
    here().metrics.request(method, route, response.status_code, seconds)
    access.info("%s %s %d %.1f ms %s", method, route, response.status_code, seconds * 1000, g.get("request_id", "-"))
    return response
