"""Owns /healthz, /readyz and /metrics: what a supervisor, a balancer and Prometheus ask."""

from __future__ import annotations

import hmac
import ipaddress
import logging
from typing import Any

from flask import Response, jsonify, make_response, request

from botkit import outbox
from botkit.server.http import requests
from botkit.server.http.context import here
from botkit.server.http.errors import ApiError
from botkit.store import Store, StoreError

log = logging.getLogger("botkit.server")


def healthz() -> Response:
    """Whether the process answers at all."""
    return jsonify({"status": "ok"})


def readyz() -> tuple[Response, int]:
    """503 until an index is open and the database answers. A published version that is refused while another one is
    served is told, not fatal."""
    context = here()
    context.live.follow()
    version, reasons = context.live.version, []
    if version is None:
        reasons.append("index: no version can be opened")
    elif context.live.problem:
        reasons.append(f"index: the published version is damaged or missing, {version} is served")
    away = _database_problem(context.store)
    if away:
        reasons.append("database: it cannot be used")
    ready = version is not None and not away
    result: dict[str, Any] = {"status": ("degraded" if reasons else "ok") if ready else "unavailable"}
    result |= {"index": version} if version else {}
    response = jsonify(result | ({"reasons": reasons} if reasons else {}))
    if reasons:
        log.error("%s: %s", result["status"], "; ".join(filter(None, (context.live.problem, away))))
    if not ready:
        response.headers["Retry-After"] = "5"
    return response, 200 if ready else 503


def _database_problem(store: Store) -> str | None:
    try:
        with store.read() as connection:
            store.events(connection, "none")
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def metrics() -> Response:
    """The figures for Prometheus, on this machine or with the token."""
    context = here()
    if not context.settings.metrics_token:
        if not _from_here():
            text = "Metrics are for this machine alone: set metrics_token to read them elsewhere."
            raise ApiError(403, "forbidden", text)
    elif not hmac.compare_digest(requests.bearer(), context.settings.metrics_token):
        raise ApiError(403, "forbidden", "This token does not open the metrics.")
    figures, content_type = context.metrics.exposition(_state)
    response = make_response(figures)
    response.headers["Content-Type"] = content_type
    return response


def _from_here() -> bool:
    """Whether the request comes from this machine and was passed on by no proxy, which would be here for others."""
    if any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")):
        return False
    before = request.environ.get("werkzeug.proxy_fix.orig", request.environ)
    try:
        return ipaddress.ip_address(before.get("REMOTE_ADDR") or "").is_loopback
    except ValueError:
        return False


def _state() -> dict[str, tuple[str, float, dict[str, str]]]:
    context = here()
    version = context.live.version
    used = {"botkit_index_info": ("1 for the index version in use.", 1.0, {"version": version})} if version else {}
    return {
        **used,
        "botkit_streams": ("Live streams open in the process that answers this.", float(len(context.feed)), {}),
        "botkit_questions_waiting": ("Questions that wait for the encoder, here.", float(len(context.turns)), {}),
        "botkit_index_problem": (
            "1 while the published index version cannot be served.",
            float(bool(context.live.problem)),
            {},
        ),
        **_deliveries(context.store),
    }


def _deliveries(store: Store) -> dict[str, tuple[str, float, dict[str, str]]]:
    try:
        counts = outbox.counts(store)
        problem = 0.0
    except StoreError:  # the other figures are wanted most when the database is away
        counts, problem = {}, 1.0
    result = {"botkit_database_problem": ("1 while the database cannot be used.", problem, dict[str, str]())}
    if not counts:
        return result
    return result | {
        "botkit_outbox_waiting": ("Deliveries to other systems that wait.", float(counts["waiting"]), {}),
        "botkit_outbox_given_up": ("Deliveries that were given up.", float(counts["given_up"]), {}),
    }
