"""Measures of episodes and of customers' scores, each beside its formula, its numerator and its denominator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from botkit.reports.episodes import OUTCOMES, WINDOW_HOURS, Episode, episodes
from botkit.store import Store, iso, satisfaction_table, ticket_table

LONG_WINDOW_HOURS: Final = 72
DURABLE: Final = timedelta(days=7)


def summary(
    store: Store,
    since: datetime | None = None,
    until: datetime | None = None,
    now: datetime | None = None,
    window_hours: float = WINDOW_HOURS,
) -> dict[str, Any]:
    """The figures, ready for JSON: those of all languages, per language in `languages`, and both again with the long
    window in `long_window`. Each figure set is `{episodes, open, outcomes, reasons, measures}`; `episodes` is the sum
    of the outcomes, `open` is beside it."""
    now = now or store.now()

    def figures(window_hours: float) -> dict[str, Any]:
        result = episodes(store, since, until, now, window_hours)
        languages = sorted({episode.lang for episode in result})
        return {
            "window_hours": window_hours,
            **_figures(result, now, window_hours),
            "languages": {
                lang: _figures([e for e in result if e.lang == lang], now, window_hours) for lang in languages
            },
        }

    return {
        "since": iso(since) if since else None,
        "until": iso(until) if until else None,
        "now": iso(now),
        **figures(window_hours),
        "long_window": figures(LONG_WINDOW_HOURS),
        "satisfaction": satisfaction(store, since, until, now),
    }


def satisfaction(
    store: Store, since: datetime | None = None, until: datetime | None = None, now: datetime | None = None
) -> dict[str, Any]:
    """What customers said of the team at `since` or later and before `until`: `count`, `mean`, `scores`, and
    `languages` with the same for each. The mean stands beside how many said nothing: `asked` counts closings after
    which they could."""
    event, closed = satisfaction_table.c, ticket_table.c

    def within(at: sa.ColumnElement[Any]) -> list[sa.ColumnElement[bool]]:
        return [at <= (now or store.now()), *([at >= since] if since else []), *([at < until] if until else [])]

    with store.read() as conn:
        groups = sa.select(event.lang, event.score, sa.func.count().label("number")).where(*within(event.at))
        rows = conn.execute(groups.group_by(event.lang, event.score)).all()
        asked = conn.execute(
            sa.select(sa.func.count())
            .select_from(ticket_table)
            .where(closed.state == "closed", closed.outcome.in_(("solved", "not_solved")), *within(closed.closed_at))
        ).scalar_one()

    def summed(chosen: Sequence[sa.Row[Any]]) -> dict[str, Any]:
        scores = dict.fromkeys((1, 2, 3, 4, 5), 0)
        for row in chosen:
            scores[row.score] += row.number
        count = sum(scores.values())
        mean = sum(score * number for score, number in scores.items()) / count if count else None
        return {"count": count, "mean": mean, "scores": {str(score): number for score, number in scores.items()}}

    languages = sorted({row.lang or "" for row in rows})
    return {
        "asked": int(asked),
        **summed(rows),
        "languages": {lang: summed([row for row in rows if (row.lang or "") == lang]) for lang in languages},
    }


def _figures(found: Sequence[Episode], now: datetime, window_hours: float) -> dict[str, Any]:
    ended = [episode for episode in found if episode.outcome != "open"]
    outcomes = {outcome: sum(e.outcome == outcome for e in ended) for outcome in OUTCOMES}
    human, confirmed, assumed, silent = outcomes.values()
    total = len(ended)
    old = [episode for episode in ended if now - episode.ended >= DURABLE]
    lasting = [
        episode
        for episode in old
        if episode.outcome in ("confirmed", "assumed")
        and (episode.next_started is None or episode.next_started - episode.ended >= DURABLE)
    ]
    handed = [episode for episode in ended if episode.handed_over]
    reasons: dict[str, int] = {}
    for episode in handed:
        reasons[str(episode.reason)] = reasons.get(str(episode.reason), 0) + 1
    quiet = f"assumed: answered, then quiet for {window_hours} h"
    return {
        "episodes": total,
        "open": len(found) - total,
        "outcomes": outcomes,
        "reasons": dict(sorted(reasons.items())),
        "measures": [
            _measure(
                "containment",
                confirmed + assumed + silent,
                total,
                "(confirmed + assumed + unresolved-silent) / episodes",
            ),
            _measure("resolution", confirmed + assumed, total, f"(confirmed + assumed) / episodes; {quiet}"),
            _measure("confirmed", confirmed, total, "confirmed / episodes"),
            _measure("human", human, total, "human / episodes"),
            _measure("unresolved", silent, total, "unresolved-silent / episodes"),
            _measure("handed_over", len(handed), total, "episodes with a ticket / episodes"),
            _measure(
                "durable",
                len(lasting),
                len(old),
                "(confirmed + assumed, no new episode within 7 days) / episodes that ended 7 days ago or earlier",
            ),
        ],
    }


def _measure(name: str, numerator: int, denominator: int, formula: str) -> dict[str, Any]:
    low, high = _wilson(numerator, denominator)
    return {
        "name": name,
        "numerator": numerator,
        "denominator": denominator,
        "value": numerator / denominator if denominator else None,
        "low": low,
        "high": high,
        "formula": formula,
    }


def _wilson(successes: int, trials: int) -> tuple[float | None, float | None]:
    """The 95 % interval of a share (Wilson 1927): honest for few episodes and near 0 and 1."""
    if not trials:
        return None, None
    z, share = 1.959964, successes / trials
    middle = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)
