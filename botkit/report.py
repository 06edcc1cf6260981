"""Read-only questions to the log: how each episode ended, what share of them needed no person, and what agents and
customers judged.

An episode is one problem of one customer. It begins with the first real question of a conversation, and with the first
one after a ticket was closed or after the window of quiet while no ticket is open; small talk alone makes none. It has
exactly one outcome, the first of these that applies:

    human               a person replied, or the customer asked for one
    confirmed           the last feedback is positive
    open                not yet quiet for the window and not ended otherwise: counted apart, in no denominator
    assumed             the bot's last turn was an answer, without negative feedback, then quiet for the window
    unresolved-silent   no answer, or a bad one, then gone; also a handover by the bot that nobody took

A customer who goes on with a closed ticket goes on with its episode.

This house writes nothing and never guesses: a measure stands beside its formula, its numerator and its denominator.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from botkit import language
from botkit.corpus import Label
from botkit.store import (
    Event,
    Store,
    as_event,
    conversation_table,
    event_table,
    iso,
    satisfaction_table,
    ticket_table,
)
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
LONG_WINDOW_HOURS: Final = 72
DURABLE: Final = timedelta(days=7)
_UNTOLD: Final = tuple(  # no step of anybody's
    each.KIND for each in (Note, Satisfaction, TicketOffered, TicketWarned, TicketBreached)
)
STANDS_ALONE: Final = 4
"""words from which on a text without a cue is a question by itself, whatever was said before it"""


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
    found = []
    for lang, page, events in _conversations(store, since, now):
        for episode in of_conversation(events, now, lang, page, window_hours):
            if (since is None or episode.started >= since) and (until is None or episode.started < until):
                found.append(episode)
    return sorted(found, key=lambda episode: (episode.started, episode.conversation))


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
        found = episodes(store, since, until, now, window_hours)
        languages = sorted({episode.lang for episode in found})
        return {
            "window_hours": window_hours,
            **_figures(found, now, window_hours),
            "languages": {
                lang: _figures([e for e in found if e.lang == lang], now, window_hours) for lang in languages
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
    given, closed = satisfaction_table.c, ticket_table.c

    def within(at: sa.ColumnElement[Any]) -> list[sa.ColumnElement[bool]]:
        return [at <= (now or store.now()), *([at >= since] if since else []), *([at < until] if until else [])]

    with store.read() as conn:
        groups = sa.select(given.lang, given.score, sa.func.count().label("number")).where(*within(given.at))
        rows = conn.execute(groups.group_by(given.lang, given.score)).all()
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


def labels(store: Store, since: datetime | None = None, until: datetime | None = None) -> list[Label]:
    """What agents and customers judged at `since` or later and before `until`, as judged questions.

    From a ticket closed with an article: the question that led to the handover and that article as `relevant`; closed
    as one that no article answers: the question with none. A closing that says neither says nothing; nor does spam. Of
    a ticket that was closed again after its customer went on, the last closing that says something counts. From
    feedback: the question and the answered article, as `relevant` or `rejected`.

    A question is what a customer typed, and only if it stands by itself: for a pick, a "none of these" or a request
    for a person it is the one before; a text that leans on the turn before makes no label. Each (text, language) is
    there once, by an agent's verdict before a customer's, then by the latest; articles that were rejected one after
    the other are all named. The id is the conversation's and the number of the question's event in it.
    """
    end = until or store.now()
    verdicts = [
        verdict
        for lang, _, events in _conversations(store, since, end)
        for verdict in _verdicts(events, lang)
        if (since is None or verdict[0] >= since) and (until is None or verdict[0] < until)
    ]
    best: dict[tuple[str, str | None], Label] = {}
    for _, label in sorted(verdicts, key=lambda verdict: verdict[0]):
        key = (label.text, label.lang)
        known = best.get(key)
        if known is not None and known.source == "agent" and label.source != "agent":
            continue
        if known is not None and known.relevant is None and label.relevant is None:
            label = replace(label, rejected=known.rejected | label.rejected)
        best[key] = label
    return list(best.values())


def table(figures: Mapping[str, Any]) -> str:
    """A summary as text, for a terminal: a column per language, the formula of each measure beside it."""
    begin, end = figures["since"] or "the beginning", figures["until"] or figures["now"]
    parts = [f"Episodes that started from {begin} to {end}, as of {figures['now']}"]
    for block in (figures, figures["long_window"]):
        columns = {"all": block, **block["languages"]}
        lines = [["", *columns]]
        for name in ("episodes", "open"):
            lines.append([name, *(str(column[name]) for column in columns.values())])
        for outcome in OUTCOMES:
            lines.append([outcome, *(str(column["outcomes"][outcome]) for column in columns.values())])
        for number, measure in enumerate(block["measures"]):
            values = [_percent(column["measures"][number]) for column in columns.values()]
            lines.append([measure["name"], *values, f"= {measure['formula']}"])
        low_high = [f"{m['name']} {_interval(m)}" for m in block["measures"] if m["value"] is not None]
        text = _aligned(lines)
        if low_high:
            text += "\n95 % intervals, all languages: " + ", ".join(low_high)
        parts.append(f"Quiet for {block['window_hours']} h counts as the end\n{text}")
    said = figures["satisfaction"]
    if said["count"]:
        counts = ", ".join(f"{score}: {number}" for score, number in said["scores"].items())
        parts.append(f"Satisfaction: {said['mean']:.1f} of 5, {said['count']} of {said['asked']} asked ({counts})")
    return "\n\n".join(parts) + "\n"


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


def _conversations(
    store: Store, since: datetime | None, now: datetime
) -> Iterator[tuple[str, str | None, list[Event]]]:
    said, talk = event_table.c, conversation_table.c
    query = (
        sa.select(event_table, talk.lang, talk.page)
        .join(conversation_table, talk.id == said.conversation_id)
        .where(said.at <= now, said.kind.not_in(_UNTOLD))
        .order_by(said.conversation_id, said.seq)
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


def _verdicts(events: Sequence[Event], lang: str) -> Iterator[tuple[datetime, Label]]:
    """The verdicts of a conversation, each with its time."""
    talk = _Talk(events)
    handed: _Reply | None = None
    for event in events:
        data = event.data
        if isinstance(data, BotReply) and data.kind == "handoff" and data.reason != "reopened":
            handed = _Reply(event, data)
        elif isinstance(data, Feedback) and data.reply_id in talk.replies:
            talk.opinions[data.reply_id] = data.helpful
            reply = talk.replies[data.reply_id]
            relevant = frozenset({reply.data.article or ""})
            known = {"relevant": relevant} if data.helpful else {"relevant": None, "rejected": relevant}
            yield from _label(event, talk.question(reply), lang, source="customer", **known)
        elif isinstance(data, TicketClosed) and handed and data.outcome != "spam":
            if not data.article and not data.no_article:
                continue
            relevant = frozenset({data.article} if data.article else ())
            yield from _label(event, talk.question(handed), lang, source="agent", relevant=relevant)


def _label(
    verdict: Event, asked: _Asked | None, lang: str, **known: Any
) -> Iterator[tuple[datetime, Label]]:
    if asked is not None:
        event = asked.event
        yield verdict.at, Label(f"{event.conversation}-{event.seq}", asked.text, asked.lang or lang or None, **known)


def _leans(text: str, lang: str) -> bool:
    """Whether a text that was searched for with the turn before it means little without. The search takes it along for
    any text it is unsure of; here, where nothing mends a mistake, a cue or its shortness must say so too."""
    cues = language.lean(text, lang)
    return cues.opens or cues.refers or not cues.things or cues.words < STANDS_ALONE


class _Reply(NamedTuple):
    """A reply of the bot's, and its event."""

    event: Event
    data: BotReply


class _Asked(NamedTuple):
    """A question of the customer's: its event, its text and its language."""

    event: Event
    text: str
    lang: str


class _Talk:
    """A conversation's turns, and which question of the customer's a reply of the bot's is about."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = {event.seq: event for event in events}
        self.replies = {e.data.id: _Reply(e, e.data) for e in events if isinstance(e.data, BotReply)}
        self.opinions: dict[str, bool] = {}
        """what is thought of an answer, as far as it was told"""

    def question(self, reply: _Reply) -> _Asked | None:
        """The question; None where no message says by itself what the reply is about."""
        event, data = reply
        if data.after:
            return self.question(self.replies[data.after])
        message = self.events.get(data.to) if data.to else None
        if message is None or data.reason == "customer_request":
            before = self._before(message or event)
            # Whoever was helped and then asks for a person has another matter.
            helped = before is None or self.opinions.get(before.data.id)
            return None if before is None or helped else self.question(before)
        said = message.data
        if not isinstance(said, CustomerMessage):
            return None
        picked = said.choice or (data.source and data.understood == data.source.title)
        if picked or (data.kind == "handoff" and language.neither(said.text)):
            before = self._before(message)
            offered = [option.article for option in before.data.options] if before else []
            asked_back = before is not None and before.data.kind == "clarify"
            if before is None or not asked_back or (picked and data.article not in offered):
                return None
            return self.question(before)
        lang = data.question_lang
        return None if data.understood and _leans(said.text, lang) else _Asked(message, said.text, lang)

    def _before(self, event: Event) -> _Reply | None:
        """The bot's last turn before an event in the same matter, small talk aside."""
        for seq in range(event.seq - 1, 0, -1):
            earlier = self.events.get(seq)  # notes are not there
            if earlier is None:
                continue
            quiet = event.at - earlier.at >= timedelta(hours=WINDOW_HOURS)
            if quiet or isinstance(earlier.data, TicketClosed):
                return None
            if isinstance(earlier.data, BotReply) and earlier.data.kind != "smalltalk":
                return _Reply(earlier, earlier.data)
        return None


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


def _percent(measure: Mapping[str, Any]) -> str:
    return "-" if measure["value"] is None else f"{100 * measure['value']:.0f} %"


def _interval(measure: Mapping[str, Any]) -> str:
    return f"{100 * measure['low']:.0f}-{100 * measure['high']:.0f} %"


def _aligned(lines: Iterable[Sequence[str]]) -> str:
    rows = [list(line) for line in lines]
    count = len(rows[0])
    widths = [max(len(row[i]) for row in rows) for i in range(count)]
    text = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(row[i].rjust(max(widths[i], 5)) for i in range(1, count)), *row[count:]]
        text.append("  ".join(cells).rstrip())
    return "\n".join(text)
