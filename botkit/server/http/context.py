"""Owns what a request may reach: the live index, the store and the settings that endpoints need, per application.

`here()` is the only way from a view to them. It owns no state of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import current_app, g

from botkit.config import Settings
from botkit.language import SHIPPED, Tables
from botkit.server.http.encoder_queue import Turns
from botkit.server.http.errors import UNAVAILABLE, ApiError
from botkit.server.http.metrics import Metrics
from botkit.server.http.token_buckets import Rates

if TYPE_CHECKING:  # the master imports this package before it forks; the index's libraries start threads
    from botkit.chat import Caps
    from botkit.desk import Policy
    from botkit.index import Index, Live
    from botkit.server.streaming.feed import Feed
    from botkit.store import Store


@dataclass(frozen=True)
class Context:
    """What `create_app` was given, and what it made of it, in one place."""

    live: Live
    store: Store
    settings: Settings
    demo: bool
    rates: Rates
    metrics: Metrics
    feed: Feed
    turns: Turns
    base_url: str
    embed_origins: tuple[str, ...]
    second_factor_roles: frozenset[str]
    policy: Policy
    caps: Caps

    @property
    def thresholds(self) -> dict[str, Any]:
        """The probabilities from which the bot answers and asks back; 0 takes the index's own."""
        settings = self.settings
        return {"answer_threshold": settings.answer_threshold, "clarify_threshold": settings.clarify_threshold}

    @property
    def session_life(self) -> timedelta:
        """How long a sign-in lasts, however much it is used."""
        return timedelta(hours=self.settings.session_hours)

    @property
    def session_idle(self) -> timedelta:
        """How long it lasts unused."""
        return timedelta(minutes=self.settings.session_idle_minutes)

    @property
    def index(self) -> Index:
        """The newest good index. Take it once per request, so that one answer comes from one version. ApiError 503
        while there is none."""
        from botkit.index import IndexProblem

        try:
            return self.live.current()
        except IndexProblem:  # told in the log as often as it is tried again
            raise ApiError(503, "unavailable", UNAVAILABLE, retry_after=5) from None

    @property
    def tables(self) -> Tables:
        """What is known of languages: with what the open index adds, if one is open. Looked up once a request."""
        if "tables" not in g:
            g.tables = self.live.current().tables if self.live.version is not None else SHIPPED
        tables: Tables = g.tables
        return tables

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the interface speaks or the open index has articles in."""
        spoken = self.live.current().languages if self.live.version is not None else ()
        return tuple(dict.fromkeys((*self.tables.interface, *spoken)))


def here() -> Context:
    """The context of the application that handles this request."""
    context: Context = current_app.extensions["botkit"]
    return context
