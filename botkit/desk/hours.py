"""When the team is on, by the shop's own hours and time zone. Pure: the time comes in, nothing is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Opening:
    """Whether the team is on, or when it will be: an aware time in the shop's zone, None if unknown."""

    open_now: bool
    next_open: datetime | None


def opening(shop: Mapping[str, Any], now: datetime) -> Opening:
    """Whether the shop's team is on at `now`, by its `time_zone` and `open` table.

    `open` gives a day's hours as a pair, or as a list of pairs; a pair whose end is not after its beginning ends
    the next day. Where the hours are not given or cannot be read, nobody is promised.
    """
    try:
        zone = ZoneInfo(str(shop["time_zone"]))
        week = {day: _spans(shop["open"].get(day, ())) for day in _WEEK}
    except (KeyError, AttributeError, TypeError, ValueError, ZoneInfoNotFoundError, OSError):
        return Opening(False, None)
    here = now.astimezone(zone)
    coming: list[datetime] = []
    for ahead in range(-1, 8):
        date = here.date() + timedelta(days=ahead)
        for begin, minutes in week[_WEEK[date.weekday()]]:
            since = datetime.combine(date, begin)
            until = since + timedelta(minutes=minutes)
            # By the wall's clock on both sides, so that a day of 23 or 25 hours opens and closes on time.
            if since <= here.replace(tzinfo=None) < until:
                return Opening(True, None)
            if since > here.replace(tzinfo=None):
                coming.append(since.replace(tzinfo=zone))
    return Opening(False, min(coming, default=None))


def _spans(hours: Any) -> list[tuple[time, int]]:
    pairs = [hours] if hours and isinstance(hours[0], str) else list(hours)
    spans = []
    for begin, end in pairs:
        first, last = _minute(begin), _minute(end)
        spans.append((time(first // 60, first % 60), last - first if last > first else last - first + 1440))
    return spans


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    value = int(hour) * 60 + int(minute)
    if not (0 <= value <= 1440 and 0 <= int(minute) < 60):
        raise ValueError(text)
    return value


def due(shop: Mapping[str, Any], since: datetime, seconds: float) -> datetime:
    """When so many seconds of the team's time have passed since then. Where the shop's hours are not given, or it
    never opens, every hour counts: a clock that runs too early is seen, one that does not run is not."""
    if not opening(shop, since).open_now and opening(shop, since).next_open is None:
        return since + timedelta(seconds=seconds)
    at, left = since, timedelta(seconds=seconds)
    for _ in range(400):  # spans of opening hours; a target of weeks is none
        state = opening(shop, at)
        if not state.open_now:
            if state.next_open is None:
                break
            at = state.next_open.astimezone(UTC)
            continue
        ends = _closes(shop, at)
        if at + left <= ends:
            return at + left
        left -= ends - at
        at = ends
    return at + left


def _closes(shop: Mapping[str, Any], now: datetime) -> datetime:
    """The end of the hours that are on at `now`, on the wall's clock as `opening` reads it."""
    zone = ZoneInfo(str(shop["time_zone"]))
    here = now.astimezone(zone)
    wall = here.replace(tzinfo=None)
    ends = []
    for ahead in (-1, 0):
        date = here.date() + timedelta(days=ahead)
        for begin, minutes in _spans(shop["open"].get(_WEEK[date.weekday()], ())):
            since = datetime.combine(date, begin)
            if since <= wall < since + timedelta(minutes=minutes):
                ends.append(since + timedelta(minutes=minutes))
    # A whole second at least, so that the hour that comes twice in autumn cannot hold the caller up.
    return max(max(ends).replace(tzinfo=zone).astimezone(UTC), now + timedelta(seconds=1))
