"""The Flask application over a live index and a migrated store: it puts the parts together and decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from botkit import language
from botkit.config import Settings
from botkit.server import options
from botkit.server.health import healthz, metrics, readyz
from botkit.server.http import cookies, error_handlers, requests, templates
from botkit.server.http.context import Context
from botkit.server.http.encoder_queue import Turns
from botkit.server.http.metrics import Metrics
from botkit.server.http.middleware import MAX_BODY, add_headers, begin_request, log_request, refuse_foreign_pages
from botkit.server.http.token_buckets import Rates
from botkit.server.streaming.feed import Feed
from botkit.store import Store

if TYPE_CHECKING:
    from botkit.index import Live

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
    app.jinja_env.filters.update(telephone=templates.telephone, with_code=templates.with_code)
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
    error_handlers.install(app)
    app.before_request(begin_request)
    requests.install(app)
    app.before_request(refuse_foreign_pages)
    app.after_request(add_headers)
    cookies.install(app)
    app.after_request(log_request)

    # Here, so that `botkit.server.processes.run` can be imported without them.
    from botkit.server.customer import blueprint as for_customers
    from botkit.server.customer import demo_pages
    from botkit.server.desk import blueprint as for_agents

    app.register_blueprint(for_customers)
    if demo:
        app.register_blueprint(demo_pages.blueprint)
    app.register_blueprint(for_agents)
    app.add_url_rule("/healthz", view_func=healthz)
    app.add_url_rule("/readyz", view_func=readyz)
    app.add_url_rule("/metrics", view_func=metrics)
    return app
