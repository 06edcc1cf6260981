"""Relevance judgements from the log: what agents and customers said of an answer, with the question it is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from botkit import language
from botkit.corpus import Label
from botkit.language import SHIPPED, Tables
from botkit.reports.episodes import WINDOW_HOURS, conversations
from botkit.store import Event, Store
from botkit.store.event_data import BotReply, CustomerMessage, Feedback, TicketClosed

STANDS_ALONE: Final = 4
"""words from which on a text without a cue is a question by itself, whatever was said before it"""


def labels(
    store: Store, since: datetime | None = None, until: datetime | None = None, tables: Tables = SHIPPED
) -> list[Label]:
    """What agents and customers judged at `since` or later and before `until`, as judged questions.

    From a ticket closed with an article: the question that led to the handover and that article as `relevant`; closed
    as one that no article answers: the question with none. A closing that says neither says nothing; nor does spam. Of
    a ticket that was closed again after its customer went on, the last closing that says something counts. From
    feedback: the question and the answered article, as `relevant` or `rejected`.

    A question is what a customer typed, and only if it stands by itself: for a pick, a "none of these" or a request
    for a person it is the one before; a text that leans on the turn before makes no label. Each (text, language) is
    there once, by an agent's verdict before a customer's, then by the latest; articles that were rejected one after
    the other are all named. The id is the conversation's and the number of the question's event in it. `tables` are
    the languages'.
    """
    end = until or store.now()
    verdicts = [
        verdict
        for lang, _, events in conversations(store, since, end)
        for verdict in _verdicts(events, lang, tables)
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


def _verdicts(events: Sequence[Event], lang: str, tables: Tables) -> Iterator[tuple[datetime, Label]]:
    """The verdicts of a conversation, each with its time."""
    talk = _Talk(events, tables)
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


def _depends(text: str, lang: str, tables: Tables) -> bool:
    """Whether a text that was searched for with the turn before it means little without. The search takes it along for
    any text it is unsure of; here, where nothing mends a mistake, a cue or its shortness must say so too."""
    cues = language.context_cues(text, lang, tables)
    return cues.continuation or cues.reference or not cues.content_words or cues.words < STANDS_ALONE


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

    def __init__(self, events: Sequence[Event], tables: Tables) -> None:
        self.tables = tables
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
        text = message.data
        if not isinstance(text, CustomerMessage):
            return None
        picked = text.choice or (data.source and data.understood == data.source.title)
        if picked or (data.kind == "handoff" and language.neither(text.text, self.tables)):
            before = self._before(message)
            offered = [option.article for option in before.data.options] if before else []
            asked_back = before is not None and before.data.kind == "clarify"
            if before is None or not asked_back or (picked and data.article not in offered):
                return None
            return self.question(before)
        lang = data.question_lang
        depends = data.understood and _depends(text.text, lang, self.tables)
        return None if depends else _Asked(message, text.text, lang)

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
