"""Owns the Flask application, its blueprints, limits, headers and health.

It adapts HTTP to the packages behind it and decides nothing about answers, conversations or tickets.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import re
import time
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, g, jsonify, make_response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from botkit import language
from botkit.config import Settings

from . import cookies, errors, intake, options, rendering
from .context import Context, here
from .errors import ApiError
from .fair import Turns
from .limits import Rates, check
from .metrics import Metrics
from .streams import Feed

if TYPE_CHECKING:
    from botkit.index import Live
    from botkit.store import Store

__all__ = ["ApiError", "Context", "Rates", "create_app", "here"]

access = logging.getLogger("botkit.access")
log = logging.getLogger("botkit.server")

MAX_BODY = 128 * 1024
"""Bytes of a request's body. The longest message is 4,000 characters: 48 KiB when each is an escaped pair."""

WEIGHS_ONE_MORE = 16 * 1024
"""Bytes of a body for which a request counts as one more: a form of the most bytes takes 60 ms to read."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_YEAR = 31_536_000


def create_app(
    *, index: Live, store: Store, settings: Settings | None = None, rates: Rates | None = None, demo: bool = False
) -> Flask:
    """The application over a live index and a migrated store, by the settings, or by the usual ones.

    `rates` is the memory in which limits are counted, made before the workers are forked, or None for one process.
    With `demo`, the pages of the demo shop are served too.
    Raises ConfigError for an origin, a role or a tag's points that cannot be read.
    """
    from botkit import chat, desk

    settings = settings or Settings()
    policy = options.policy(settings)

    def tick() -> None:
        index.follow()  # here, so that no request has to wait for a new version
        desk.tick(store, policy=policy)

    web = language.web_folder()
    app = Flask("botkit", template_folder=str(web / "templates"), static_folder=str(web / "static"))
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_BODY,
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(telephone=rendering.telephone, with_code=rendering.with_code)
    proxies = settings.trusted_proxies
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    app.extensions["botkit"] = Context(
        live=index,
        store=store,
        settings=settings,
        demo=demo,
        rates=rates or Rates(),
        metrics=Metrics(),
        feed=Feed(store, settings.streams, tick, settings.streams_per_address),
        turns=Turns(settings.encoder_seconds),
        base_url=settings.base_url.rstrip("/"),
        embed_origins=options.embed_origins(settings),
        second_factor_roles=options.second_factor_roles(settings),
        policy=policy,
        caps=chat.Caps(settings.messages_per_hour, 1000 * settings.kilobytes_per_hour),
    )
    errors.install(app)
    app.before_request(_begin)
    intake.install(app)
    app.before_request(_refuse_foreign_pages)
    app.after_request(_headers)
    cookies.install(app)
    app.after_request(_account)

    # Here, so that `botkit.server.run` can be imported without them.
    from . import accounts, api, deskdoors, livedoors, pages, supervisor, trail
    from . import demo as demo_pages

    app.register_blueprint(api.blueprint)
    app.register_blueprint(livedoors.blueprint)
    app.register_blueprint(pages.blueprint)
    if demo:
        app.register_blueprint(demo_pages.blueprint)
    app.register_blueprint(deskdoors.blueprint)
    app.register_blueprint(accounts.blueprint)
    app.register_blueprint(supervisor.blueprint)
    app.register_blueprint(trail.blueprint)
    app.add_url_rule("/healthz", view_func=_healthz)
    app.add_url_rule("/readyz", view_func=_readyz)
    app.add_url_rule("/metrics", view_func=_metrics)
    return app


# Before a request.

_PROBES = ("/healthz", "/readyz")
"""What a supervisor or a balancer asks, from one address and as often as it likes: a 429 would read as ill."""


def _begin() -> None:
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if re.fullmatch(r"[A-Za-z0-9-]{8,64}", given) else uuid.uuid4().hex
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


def _refuse_foreign_pages() -> None:
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


def _headers(response: Response) -> Response:
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


def _account(response: Response) -> Response:
    seconds = time.perf_counter() - g.get("started", time.perf_counter())
    # The pattern, not the address: a search carries a customer's words in it.
    route = request.url_rule.rule if request.url_rule else "none"
    method = request.method if request.method in (*_SAFE_METHODS, "POST", "PUT", "PATCH", "DELETE") else "other"
    here().metrics.request(method, route, response.status_code, seconds)
    access.info("%s %s %d %.1f ms %s", method, route, response.status_code, seconds * 1000, g.get("request_id", "-"))
    return response


# Health.


def _healthz() -> Response:
    return jsonify({"status": "ok"})


def _readyz() -> tuple[Response, int]:
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
    told: dict[str, Any] = {"status": ("degraded" if reasons else "ok") if ready else "unavailable"}
    told |= {"index": version} if version else {}
    response = jsonify(told | ({"reasons": reasons} if reasons else {}))
    if reasons:
        log.error("%s: %s", told["status"], "; ".join(filter(None, (context.live.problem, away))))
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


def _metrics() -> Response:
    context = here()
    if not context.settings.metrics_token:
        if not _from_here():
            text = "Metrics are for this machine alone: set metrics_token to read them elsewhere."
            raise ApiError(403, "forbidden", text)
    elif not hmac.compare_digest(intake.bearer(), context.settings.metrics_token):
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
    from botkit import outbox
    from botkit.store import StoreError

    try:
        counts = outbox.counts(store)
        problem = 0.0
    except StoreError:  # the other figures are wanted most when the database is away
        counts, problem = {}, 1.0
    told = {"botkit_database_problem": ("1 while the database cannot be used.", problem, dict[str, str]())}
    if not counts:
        return told
    return told | {
        "botkit_outbox_waiting": ("Deliveries to other systems that wait.", float(counts["waiting"]), {}),
        "botkit_outbox_given_up": ("Deliveries that were given up.", float(counts["given_up"]), {}),
    }
