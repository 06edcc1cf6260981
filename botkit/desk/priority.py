"""How urgent a ticket is, in points with their reasons. Pure: what is known comes in, nothing is read.

The queue is ordered by points plus the time waited, at one point for every 30 seconds. Since everybody's time runs
alike, that order never changes by waiting: it is the order of `rank_at`, the time of the opening less 30 seconds for
every point, which a database keeps sorted. A ticket can be overtaken only by those opened within its own lack of
points: at most `MOST` of them, 50 minutes, so that nothing starves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from botkit import language
from botkit.store.kept import Kept
from botkit.store.ticket_row import Points
from botkit.vocabulary import Concern, Reason

SECONDS_PER_POINT: Final = 30
MOST: Final = 100
MOST_RETURNS: Final = 3

POINTS: Final[Mapping[Concern, int]] = {
    "data_request": 30,  # a law's clock runs
    "complaint": 30,
    "asked": 20,  # for a person
    "refund": 20,
    "policy": 10,  # an editor says that a person must act
    "came_again": 10,  # each time before, up to three
    "misunderstood": 10,  # twice, or answered badly
}
_OF_REASON: Final[Mapping[Reason, Concern]] = {
    "customer_request": "asked",
    "policy": "policy",
    "repeated_miss": "misunderstood",
    "negative_feedback": "misunderstood",
}
# What an editor calls such articles: in an id, a category or a tag.
_CALLED: Final[Mapping[Concern, Collection[str]]] = {
    "complaint": {"complaint", "complaints"},
    "refund": {"refund", "refunds", "chargeback", "double-charge"},
    "data_request": {"data-request", "privacy", "gdpr", "personal-data"},
}


@dataclass(frozen=True)
class Priority(Kept):
    """The points of a ticket, and what each is for."""

    value: int = 0
    reasons: tuple[Points, ...] = ()


def priority(
    reason: Reason,
    texts: Iterable[str] = (),
    topics: Iterable[str] = (),
    came: int = 0,
    tags: Sequence[str] = (),
    points: Mapping[str, int] | None = None,
    tables: language.Tables = language.SHIPPED,
    angry: bool = False,
) -> Priority:
    """The priority of a handover for a reason. `texts` are the customer's words, `topics` what the likely article is
    filed under, `came` how often this customer's matters were handed over lately; `tags` count as `points` says, and
    `tables` are the languages'. Who was `angry` with the bot counts as one who complains."""
    result: set[str] = {_OF_REASON[reason]} if reason in _OF_REASON else set()
    result |= {"complaint"} if angry else set()
    for text in texts:
        result |= language.concerns(text, tables)
    named = set(topics)
    result |= {concern for concern, names in _CALLED.items() if not named.isdisjoint(names)}
    reasons = [Points(name, POINTS[name]) for name in POINTS if name in result]
    if came:
        reasons.append(Points("came_again", POINTS["came_again"] * min(came, MOST_RETURNS)))
    for tag in tags:
        if points and points.get(tag):
            reasons.append(Points("tag", points[tag], tag=tag))
    value = max(0, min(MOST, sum(each.points for each in reasons)))
    return Priority(value, tuple(reasons))


def rank(since: datetime, value: int) -> datetime:
    """The time by which the queue is ordered: as if a ticket of this value had waited since then with none."""
    return since - timedelta(seconds=SECONDS_PER_POINT * value)
