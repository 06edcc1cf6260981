"""Episodes: a conversation's log folded into problems, each with its outcome. The package says what those are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from botkit.store import Event, Store, as_event, conversation_table, event_table, iso
from botkit.store.event_data import (
    AgentMessage,
    BotReply,
    CustomerMessage,
    Feedback,
    Note,
    Satisfaction,
    TicketBreached,
    TicketClosed,
    TicketOffered,
    TicketOpened,
    TicketReopened,
    TicketWarned,
)
from botkit.vocabulary import Reason, ReplyKind

OUTCOMES: Final = ("human", "confirmed", "assumed", "unresolved-silent")
WINDOW_HOURS: Final = 24
_UNTOLD: Final = tuple(  # no step of anybody's
    each.KIND for each in (Note, Satisfaction, TicketOffered, TicketWarned, TicketBreached)
)


@dataclass(frozen=True)
class Episode:
    """One problem of one customer. `started` and `ended` are its first and last event; `questions` counts the
    customer's messages, `lang` is the language of the first question, `reason` that of its handover, `articles` those
    that answered, `next_started` when the same customer came back, `version` the index that answered last."""

    conversation: str
    started: datetime
    ended: datetime
    lang: str
    outcome: str
    page: str | None
    questions: int
    handed_over: bool
    reason: str | None
    articles: tuple[str, ...]
    version: str | None
    next_started: datetime | None

    def as_dict(self) -> dict[str, Any]:
        table = dict(self.__dict__, articles=list(self.articles))
        for name in ("started", "ended", "next_started"):
            table[name] = iso(table[name]) if table[name] else None
        return table


def episodes(
    store: Store,
    since: datetime | None = None,
    until: datetime | None = None,
    now: datetime | None = None,
    window_hours: float = WINDOW_HOURS,
) -> list[Episode]:
    """The episodes that started at `since` or later and before `until`, as they stand at `now`: what happened after
    `now` is not looked at. In the order of their start."""
    now = now or store.now()
    result = []
    for lang, page, events in conversations(store, since, now):
        for episode in of_conversation(events, now, lang, page, window_hours):
            if (since is None or episode.started >= since) and (until is None or episode.started < until):
                result.append(episode)
    return sorted(result, key=lambda episode: (episode.started, episode.conversation))


def of_conversation(
    events: Sequence[Event],
    now: datetime,
    lang: str = "",
    page: str | None = None,
    window_hours: float = WINDOW_HOURS,
) -> list[Episode]:
    """The episodes of one conversation, from its own events; `lang` and `page` are where it began."""
    window = timedelta(hours=window_hours)
    drafts = _fold([event for event in events if event.kind not in _UNTOLD and event.at <= now], lang, window)
    return [_episode(draft, page, after, now, window) for draft, after in zip(drafts, [*drafts, None][1:], strict=True)]


@dataclass
class _Draft:
    conversation: str
    started: datetime
    ended: datetime
    lang: str
    questions: int = 0
    asked: bool = False  # for a person
    replied: bool = False  # by a person
    ticket: bool = False  # one was opened
    closed: bool = False  # an agent ended it
    reason: Reason | None = None
    last_kind: ReplyKind | None = None  # of the bot's turns, small talk aside
    opinion: bool | None = None  # the last feedback
    articles: list[str] = field(default_factory=list)
    version: str | None = None


def conversations(
    store: Store, since: datetime | None, now: datetime
) -> Iterator[tuple[str, str | None, list[Event]]]:
    """Conversations that changed since a time, each with its events up to `now`."""
    event, talk = event_table.c, conversation_table.c
    query = (
        sa.select(event_table, talk.lang, talk.page)
        .join(conversation_table, talk.id == event.conversation_id)
        .where(event.at <= now, event.kind.not_in(_UNTOLD))
        .order_by(event.conversation_id, event.seq)
    )
    if since is not None:
        query = query.where(talk.changed_at >= since)
    with store.read() as conn:
        current: list[Event] = []
        about: tuple[str, str | None] = ("", None)
        for row in conn.execute(query.execution_options(yield_per=2000)):
            if current and current[0].conversation != row.conversation_id:
                yield *about, current
                current = []
            current.append(as_event(row))
            about = (row.lang or "", row.page)
        if current:
            yield *about, current


def _fold(events: Sequence[Event], lang: str, window: timedelta) -> list[_Draft]:
    replies = {event.data.to: event.data for event in events if isinstance(event.data, BotReply) and event.data.to}
    drafts: list[_Draft] = []
    of_reply: dict[str, _Draft] = {}
    now: _Draft | None = None
    in_queue = False

    def begin(event: Event, spoken: str) -> _Draft:
        draft = _Draft(event.conversation, event.at, event.at, spoken or lang)
        drafts.append(draft)
        return draft

    for event in events:
        data = event.data
        speaks = isinstance(data, CustomerMessage) or (isinstance(data, BotReply) and not data.to)
        if speaks and now and not in_queue and event.at - now.ended >= window:
            now = None
        if isinstance(data, CustomerMessage):
            reply = replies.get(event.seq)
            if reply is not None and reply.reason == "reopened" and drafts:
                now = drafts[-1]  # the same problem goes on
                now.closed = False
            idle = reply is not None and reply.kind == "smalltalk"
            if now is None and not idle:
                now = begin(event, reply.question_lang if reply else "")
            if now and not idle:
                now.questions += 1
        elif isinstance(data, AgentMessage) and now:
            now.replied = True
        elif isinstance(data, BotReply) and data.kind != "smalltalk":
            if now is None:  # a person was asked for without a word
                now = begin(event, data.question_lang)
            _take_reply(now, data)
            of_reply[data.id] = now
        elif isinstance(data, TicketOpened | TicketReopened):
            in_queue = True
        elif isinstance(data, TicketClosed):
            in_queue = False
            if now:
                now.closed, now.ended = True, event.at
            now = None
        elif isinstance(data, Feedback):
            about = of_reply.get(data.reply_id)
            if about:
                about.opinion = data.helpful
                if about is not now:
                    continue
        if now:
            now.ended = event.at
    return drafts


def _take_reply(draft: _Draft, data: BotReply) -> None:
    draft.last_kind, draft.version = data.kind, data.version
    if data.kind == "answer":
        draft.opinion = None if draft.opinion is False else draft.opinion
        draft.articles.append(data.article or "")
    if data.kind == "handoff" and data.reason != "reopened":
        draft.ticket, draft.reason = True, data.reason
        draft.asked = draft.asked or data.reason == "customer_request"


def _episode(draft: _Draft, page: str | None, after: _Draft | None, now: datetime, window: timedelta) -> Episode:
    quiet = draft.closed or after is not None or now - draft.ended >= window
    if draft.replied or draft.asked:
        outcome = "human"
    elif draft.opinion:
        outcome = "confirmed"
    elif not quiet:
        outcome = "open"
    elif draft.last_kind == "answer" and draft.opinion is not False:
        outcome = "assumed"
    else:
        outcome = "unresolved-silent"
    return Episode(
        conversation=draft.conversation,
        started=draft.started,
        ended=draft.ended,
        lang=draft.lang,
        outcome=outcome,
        page=page,
        questions=draft.questions,
        handed_over=draft.ticket,
        reason=draft.reason,
        articles=tuple(draft.articles),
        version=draft.version,
        next_started=after.started if after else None,
    )
