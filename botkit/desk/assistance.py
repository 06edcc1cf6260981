"""What helps an agent to answer: likely passages for the customer's last words, canned replies ready to send, how a
conversation went before, and the agent's other chats. Read-only; the agent decides what is said."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from botkit import corpus, language
from botkit.accounts import Agent
from botkit.desk.queue import last_texts, ticket
from botkit.language import SHIPPED, Tables
from botkit.store import CUSTOMER, Event, Store, conversation_table, event_table, ticket_table
from botkit.store.event_data import (
    AgentMessage,
    BotReply,
    CustomerMessage,
    TicketClosed,
    TicketOpened,
    TicketReopened,
)
from botkit.vocabulary import Outcome, Reason, State

if TYPE_CHECKING:  # reports and accounts need no search, and its libraries take their time to load
    from botkit.answer import Before, Candidate
    from botkit.index import Index

LIKELY: Final = 5
"""Passages that are shown at most."""

LOOKED_AT: Final = 200
"""Events of a chat, the newest, among which what waits for an answer is counted."""
LONGEST_PHRASING: Final = 160
PHRASINGS: Final = 6
_ADDRESS = re.compile(r"\S+@\S+|https?://\S+|\+?\d[\d\s()./-]{5,}\d")
_ORDER = re.compile(r"(?<![\w-])[A-Za-z]{1,5}-?\d{4,12}(?![\w-])|#\s?\d{3,12}\b")


@dataclass(frozen=True)
class Canned:
    """A canned reply with its variables filled in; those that nobody knows stay in their braces."""

    id: str
    lang: str
    title: str
    shortcut: str
    text: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Assist:
    """What an agent may say. `query` are the words that were searched for, None when there were none; `lang` is the
    customer's language, in which everything is that has a translation."""

    query: str | None
    lang: str
    candidates: tuple[Candidate, ...]
    replies: tuple[Canned, ...]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Earlier:
    """A ticket that the same customer had before: `outcome` and `by` are None while it is not closed."""

    ticket: int
    opened_at: datetime
    reason: Reason | None
    outcome: Outcome | None = None
    by: str | None = None


@dataclass(frozen=True)
class Chat:
    """An agent's own chat. `unanswered` are the sequence numbers of what the customer said since the agent spoke
    last; `text` is the last of it, or else the customer's last words."""

    ticket: int
    state: State
    lang: str | None
    text: str
    unanswered: tuple[int, ...]


def assist(
    store: Store,
    index: Index,
    ticket_id: int,
    text: str | None = None,
    agent: Agent | None = None,
    deadline: float | None = None,
) -> Assist:
    """What the agent may say now: passages for the customer's last words, or for `text` that the agent searches, and
    canned replies with what is known filled in."""
    handover = ticket(store, ticket_id)
    return advise(index, handover.transcript, handover.ticket.lang, agent, text, handover.customer, deadline)


def advise(
    index: Index,
    transcript: Sequence[Event],
    lang: str | None,
    agent: Agent | None = None,
    text: str | None = None,
    customer: str | None = None,
    deadline: float | None = None,
) -> Assist:
    """Passages and canned replies for a conversation whose customer speaks `lang` and is called `customer`, if known.

    Without `text` the customer's last words are searched for, together with what they lean on, and all canned replies
    are given. With it, the agent is searching: for passages and canned replies, or after a `/` for shortcuts alone.
    `deadline` is the encoder's, as in `Index.search_many`.
    """
    from botkit import answer

    spoken = lang if lang in index.languages else index.default_language
    ready = canned(index, spoken, known(index, spoken, transcript, agent, customer))
    if text is None:
        result = asked(transcript, index.tables)
        if result is None:
            return Assist(None, spoken, (), tuple(ready))
        words, before = result
        passages = answer.candidates(
            index, words, lang=spoken, before=before, page=spoken, limit=LIKELY, deadline=deadline
        )
        return Assist(words, spoken, tuple(passages), tuple(ready))
    text = language.clean(text)
    if text.startswith("/"):
        return Assist(text, spoken, (), tuple(_begin(ready, text)))
    if not language.words(text, tables=index.tables):
        return Assist(None, spoken, (), tuple(ready))
    passages = answer.candidates(index, text, lang=spoken, limit=LIKELY, deadline=deadline)
    return Assist(text, spoken, tuple(passages), tuple(_having(ready, text, index.tables)))


def asked(
    transcript: Iterable[Event], tables: Tables = SHIPPED
) -> tuple[str, Before | None] | None:
    """The customer's last words that say something, with the turn before them; None when there are none. Greetings,
    thanks and the wish for a person say nothing about the matter."""
    words: str | None = None
    result: BotReply | None = None
    before: Before | None = None
    for event in transcript:
        data = event.data
        if isinstance(data, TicketClosed):
            result, before = None, None
        elif isinstance(data, CustomerMessage):
            text = data.text
            if not _about_something(text, tables):
                continue
            before = turn_before(words, result) if words is not None else None
            words, result = text, None
        elif isinstance(data, BotReply) and data.kind != "smalltalk":
            result = data
    return None if words is None else (words, before)


def canned(index: Index, lang: str, values: Mapping[str, str]) -> list[Canned]:
    """Every canned reply in a language, or where it has no translation in another, its variables filled in."""
    result: dict[str, Canned] = {}
    for code in dict.fromkeys((lang, index.default_language, *index.languages)):
        for each in index.replies(code):
            ready = Canned(each.id, each.lang, each.title, each.shortcut, each.filled(values), each.tags)
            result.setdefault(each.id, ready)
    return sorted(result.values(), key=lambda each: (each.lang != lang, each.id))


def known(
    index: Index, lang: str, transcript: Iterable[Event], agent: Agent | None, customer: str | None = None
) -> dict[str, str]:
    """What is known of the variables of canned replies: the agent, the shop, the customer's name where the shop gave
    it, and the order they named last."""
    shop = index.shop(lang)
    values = {name: str(shop.get(name) or "") for name in ("hours", "email", "phone", "address")}
    values |= {"shop": str(shop.get("name") or index.name), "agent": agent.name if agent else ""}
    if customer:
        values["customer"] = customer
    for event in transcript:
        if isinstance(event.data, CustomerMessage):
            for result in _ORDER.findall(_ascii(event.data.text)):
                values["order"] = result.replace(" ", "").upper()
    return values


def earlier(transcript: Iterable[Event], ticket_id: int) -> list[Earlier]:
    """The tickets that this conversation had before this one, oldest first."""
    result: dict[int, Earlier] = {}
    for event in transcript:
        data = event.data
        if isinstance(data, TicketOpened) and data.ticket < ticket_id:
            result[data.ticket] = Earlier(data.ticket, event.at, data.reason)
        elif isinstance(data, TicketClosed) and data.ticket in result:
            by = event.actor.removeprefix("agent:") if event.actor.startswith("agent:") else None
            result[data.ticket] = replace(result[data.ticket], outcome=data.outcome, by=by)
    return list(result.values())


def chats(store: Store, agent: Agent) -> list[Chat]:
    """The chats that an agent has in hand, by the order in which they came."""
    event, talk, held = event_table.c, conversation_table.c, ticket_table.c
    mine = (
        sa.select(held.id, held.state, held.lang, held.conversation_id)
        .where(held.owner == agent.name, held.state != "closed")
        .order_by(held.claimed_at, held.id)
    )
    with store.read() as conn:
        rows = conn.execute(mine).all()
        ids = [row.conversation_id for row in rows]
        last = last_texts(conn, ids)
        words = conn.execute(
            sa.select(event.conversation_id, event.seq, event.actor)
            .join(conversation_table, talk.id == event.conversation_id)
            .where(
                event.conversation_id.in_(ids),
                event.kind == "message",
                event.seq > talk.last_seq - LOOKED_AT,
            )
            .order_by(event.conversation_id, event.seq)
        ).all()
    open_ones: dict[str, list[int]] = {}
    for word in words:
        if word.actor == CUSTOMER:
            open_ones.setdefault(word.conversation_id, []).append(word.seq)
        else:
            open_ones[word.conversation_id] = []
    return [
        Chat(
            row.id,
            row.state,
            row.lang,
            last.get(row.conversation_id, ""),
            tuple(open_ones.get(row.conversation_id, ())),
        )
        for row in rows
    ]


def draft(transcript: Iterable[Event], ticket_id: int, tables: Tables = SHIPPED) -> str:
    """An article to be written, from a ticket that no article would have answered: the customer's words as its
    phrasings, the agents' as its first body. Order numbers, addresses and telephone numbers are left out, as far as
    they can be told; an editor reads it before it is published."""
    asked_so: list[str] = []
    texts: list[str] = []
    over = False
    for event in transcript:
        data = event.data
        if isinstance(data, TicketClosed):
            over = over or data.ticket == ticket_id
            if not over:
                asked_so, texts = [], []
        elif isinstance(data, TicketReopened) and data.ticket == ticket_id:
            over = False
        elif isinstance(data, AgentMessage) and not over:
            texts.append(_unnamed(data.text))
        elif isinstance(data, CustomerMessage) and not over:
            text = " ".join(_unnamed(data.text).split())
            if _about_something(text, tables):
                asked_so.append(text if len(text) <= LONGEST_PHRASING else text[:LONGEST_PHRASING].rsplit(" ", 1)[0])
    phrasings = list(dict.fromkeys(asked_so))[:PHRASINGS] or ["…"]
    return corpus.draft(phrasings[0], phrasings[1:], "\n\n".join(texts) or "…")


def _about_something(text: str, tables: Tables) -> bool:
    small = language.smalltalk(text, tables) or language.wants_person(text, tables)
    return bool(language.words(text, tables=tables)) and not small


def _unnamed(text: str) -> str:
    return _ADDRESS.sub("…", _ORDER.sub("…", text))


def turn_before(words: str, told: BotReply | None) -> Before:
    """A turn as what was before the next one: the customer's words, and the record of the reply to them, if any."""
    from botkit.answer import Before

    if told is None:
        return Before(words)
    return Before(
        text=told.understood or words,
        article=told.article if told.source else None,
        options=tuple(option.article for option in told.options) if told.kind == "clarify" else (),
        lang=told.lang or None,
    )


def _begin(ready: Sequence[Canned], typed: str) -> list[Canned]:
    """Those whose shortcut begins as typed, then those with a word of the title that does."""
    start = typed[1:].casefold()
    first = [each for each in ready if each.shortcut[1:].casefold().startswith(start)]
    others = [
        each
        for each in ready
        if each not in first
        and any(word.casefold().startswith(start) for word in (each.id, *each.title.split(), *each.tags))
    ]
    return first + others


def _having(ready: Sequence[Canned], typed: str, tables: Tables) -> list[Canned]:
    """Those that have every word typed, or a word that begins so."""

    def words(each: Canned) -> list[str]:
        return language.folded(" ".join((each.title, each.text, each.id, *each.tags)), each.lang, tables).split()

    result = []
    for each in ready:
        wanted, having = language.folded(typed, each.lang, tables).split(), words(each)
        if wanted and all(any(word.startswith(want) for word in having) for want in wanted):
            result.append(each)
    return result


def _ascii(text: str) -> str:
    """With the digits of any script as those of order numbers."""
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text)
