"""Owns the figures for Prometheus: requests by route, replies by kind, and the state of index and queue.

Under several workers the counts are summed across processes: the master names a folder in
PROMETHEUS_MULTIPROC_DIR before it forks, and prometheus-client keeps its counts there. That library reads the
variable when it is imported, so it is imported here, when an application is made, and nowhere else. Labels hold
route patterns, kinds and languages, never what a customer sent.
"""

import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

log = logging.getLogger("botkit.server")

State = Callable[[], dict[str, tuple[str, float, dict[str, str]]]]

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "botkit_http_request_seconds",
            "Time to answer a request, by method, route pattern and status.",
            ("method", "route", "status"),
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self._replies = Counter(
            "botkit_replies", "Replies by kind and language.", ("kind", "lang"), registry=self._registry
        )
        self._limited = Counter(
            "botkit_limited", "Requests refused by a rate limit.", ("limit",), registry=self._registry
        )

        self._forwarded = Counter(
            "botkit_forwarded_unread",
            "Requests with X-Forwarded-For while trusted_proxies is 0: all visitors of a proxy share one address.",
            registry=self._registry,
        )
        _starts(self._registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    def reply(self, kind: str, lang: str) -> None:
        """Count one reply of the bot."""
        self._replies.labels(kind, lang).inc()

    def limited(self, limit: str) -> None:
        """Count one refusal by a rate limit."""
        self._limited.labels(limit).inc()

    def forwarded(self) -> None:
        """Count one request whose X-Forwarded-For was not read."""
        self._forwarded.inc()

    def exposition(self, state: State) -> tuple[bytes, str]:
        """The text for a scraper and its content type. `state` gives gauges read now: name -> (help, value,
        labels)."""
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess

        shown = CollectorRegistry()
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            multiprocess.MultiProcessCollector(shown)  # type: ignore[no-untyped-call]
        else:
            shown = self._registry
        gauges = CollectorRegistry()
        gauges.register(_Gauges(state))
        return generate_latest(shown) + generate_latest(gauges), CONTENT_TYPE_LATEST


def failed_start() -> None:
    """Count, in the master, a start of a worker that failed; the workers tell it. What fails here must stop nothing."""
    global _failed
    try:
        if _failed is None:
            from prometheus_client import CollectorRegistry

            _failed = _starts(CollectorRegistry())
        _failed.inc()
    except (ImportError, MemoryError, OSError, ValueError) as error:
        log.error("a failed start is not counted: %s", error)


_failed: Any = None


def _starts(registry: Any) -> Any:
    from prometheus_client import Counter

    return Counter("botkit_worker_start_failures", "Starts of a worker process that failed.", registry=registry)


class _Gauges:
    """Values that are read when asked for and are the same in every process."""

    def __init__(self, state: State) -> None:
        self._state = state

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        for name, (explained, value, labels) in self._state().items():
            family = GaugeMetricFamily(name, explained, labels=list(labels))
            family.add_metric(list(labels.values()), value)
            yield family
