"""Owns what a request may reach: the live index, the store and the settings that doors need, per application.

`here()` is the only way from a view to them. It owns no state of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import current_app

from .errors import UNAVAILABLE, ApiError
from .fair import Turns
from .limits import Rates
from .metrics import Metrics

if TYPE_CHECKING:  # the master imports this house before it forks; the index's libraries start threads
    from botkit.chat import Caps
    from botkit.desk import Policy
    from botkit.index import Index, Live
    from botkit.store import Store

    from .streams import Feed


@dataclass(frozen=True)
class Context:
    """What `create_app` was given, in one place."""

    live: Live
    store: Store
    rates: Rates
    metrics: Metrics
    feed: Feed
    turns: Turns
    requests_per_minute: int
    rate_per_minute: int
    rate_burst: int
    conversations_per_hour: int
    logins_per_minute: int
    base_url: str
    embed_origins: tuple[str, ...]
    metrics_token: str
    thresholds: Mapping[str, Any]
    policy: Policy
    behind_proxies: bool
    caps: Caps
    session_life: timedelta
    session_idle: timedelta
    desk_rate_per_minute: int
    token_days: int
    second_factor_roles: frozenset[str] = frozenset()

    @property
    def index(self) -> Index:
        """The newest good index. Take it once per request, so that one answer comes from one version. ApiError 503
        while there is none."""
        from botkit.index import IndexProblem

        try:
            return self.live.current()
        except IndexProblem:  # told in the log as often as it is tried again
            raise ApiError(503, "unavailable", UNAVAILABLE, retry_after=5) from None


def here() -> Context:
    """The context of the application that handles this request."""
    context: Context = current_app.extensions["botkit"]
    return context
