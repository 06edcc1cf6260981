"""One customer's turn: is a person in charge? If not, what does the bot say, and does a person take over?

This module writes what a customer says and what the bot says into the record, and opens a ticket where the reply is a
handover. Message, reply and ticket are one transaction; the search runs before it, never inside. It decides nothing
about articles (`answer` does) and nothing about the queue (`desk` does), and it shows each side what that side may see.

While a ticket waits or a person has it, the bot is silent; after the ticket is closed the bot answers again, unless
the customer's words go on with what the person did: then the ticket is taken up again (see `_goes_on`). A handover
says where in the queue the customer is and, when nobody is on, when somebody will be: never more.
"""

from __future__ import annotations

import hashlib
import html
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit import answer, desk, formatting, language, live, people
from botkit.answer import Before, Reply
from botkit.desk import MessageError
from botkit.index import Index
from botkit.store import BOT, CUSTOMER, Event, Store, added, as_event, event_table

__all__ = [
    "Caps",
    "Conversation",
    "Forbidden",
    "MessageError",
    "NotFound",
    "Started",
    "TooMuch",
    "Turn",
    "conversation",
    "feedback",
    "request_person",
    "say",
    "start",
    "view",
]

LONGEST_PAGE: Final = 500
LONGEST_NAME: Final = 80
MEMORY: Final = timedelta(hours=24)  # what was missed or disliked longer ago is another matter
LIKELY: Final = 0.15  # the least probability, the disliked answer being wrong, at which another one is offered
MATTERS: Final = 0.3  # a candidate less likely than this says nothing about what the matter is
_LARGEST: Final = 17_000  # bytes of an event of a customer's: 4,000 characters of four
LEAST: Final = 0.02  # and before that: below it the figures say nothing about the order

_PUBLIC_REPLY: Final = (
    "id", "to", "kind", "text", "html", "lang", "direction", "article", "confidence",
    "source", "reason", "topic", "question_lang", "version", "queue",
)  # fmt: skip
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PUBLIC_TICKET: Final = (
    "ticket.opened", "ticket.claimed", "ticket.released", "ticket.transferred",
)  # fmt: skip
_PUBLIC_OPTION: Final = ("article", "title", "lang", "url")


class NotFound(Exception):
    """There is no such conversation, or no such answer in it."""


class TooMuch(Exception):
    """The customer has added as much to the conversation as may be within an hour; more may come in `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"the conversation is full for {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True)
class Caps:
    """What a customer may add to one conversation within an hour: messages and other events, and bytes of them. 0: any
    number."""

    events: int = 0
    bytes: int = 0

    def check(self, store: Store, conn: Connection, row: sa.Row[Any]) -> None:
        """TooMuch, if nothing may come now."""
        if not (self.events or self.bytes):
            return
        if row.last_seq < self.events and row.last_seq * _LARGEST < self.bytes:
            return
        at, hour = store.now(), timedelta(hours=1)
        # An event of the customer's is followed by few others, so that what counts is not far back.
        window = 5 * (self.events or 1000)
        done = added(conn, row.id, CUSTOMER, at - hour, row.last_seq - window)
        if (self.events and done.events >= self.events) or (self.bytes and done.bytes >= self.bytes):
            raise TooMuch(max(1, math.ceil((done.since + hour - at).total_seconds())) if done.since else 1)


class Forbidden(Exception):
    """The token is not this conversation's."""


@dataclass(frozen=True)
class Started:
    """A new conversation. The token opens it and is told this once."""

    id: str
    token: str


@dataclass(frozen=True)
class Turn:
    """What came of a customer's step, as the customer sees it: `message` and `reply` are `view`s of their events with
    the event's data beside `seq` and `at`. No reply: a person is in charge."""

    message: dict[str, Any] | None
    reply: dict[str, Any] | None


@dataclass(frozen=True)
class Conversation:
    """A conversation as its customer knows it; `last_seq` is the number of its newest event."""

    id: str
    lang: str | None
    page: str | None
    opened_at: datetime
    last_seq: int


def start(
    store: Store,
    lang: str | None = None,
    page: str | None = None,
    languages: Sequence[str] = language.LANGUAGES,
    tags: Sequence[str] = (),
    visitor: str | None = None,
    customer: str | None = None,
) -> Started:
    """Begin a conversation on a page in a language. One that is not in `languages` is left open, and the customer's
    words decide. Of the page only the path is kept: what follows it can name people and orders. `tags` are what the
    shop's own program knows of the customer, and `customer` the name it knows them by; desk.DeskError for what is no
    tag. `visitor` is a random key that the browser keeps: only its hash is stored, by which the desk knows that
    somebody comes again. It opens nothing."""
    if lang is not None and lang not in languages:
        primary = lang.replace("_", "-").split("-")[0].lower()
        lang = primary if primary in languages else None
    tags = desk.checked_tags(tags)
    token, token_hash = people.new_token()
    with store.write() as conn:
        conversation_id = store.open_conversation(
            conn,
            token_hash,
            lang,
            _path(page),
            tags,
            visitor=hashlib.sha256(visitor.encode()).hexdigest() if visitor else None,
            customer=_display_name(customer) if customer else None,
        )
    return Started(conversation_id, token)


def _display_name(name: str) -> str | None:
    """A customer's name as it is shown and put into canned replies: one line, without the braces of their variables."""
    return " ".join(re.sub(r"[{}]", "", language.clean(name)).split())[:LONGEST_NAME].strip() or None


def conversation(store: Store, conversation_id: str, token: str) -> Conversation:
    """The conversation that this token opens; NotFound or Forbidden."""
    with store.read() as conn:
        row = _found(store.conversation(conn, conversation_id))
    if not people.matches(token, row.token_hash):
        raise Forbidden("the token is not this conversation's: start a new one")
    return Conversation(row.id, row.lang, row.page, row.opened_at, row.last_seq)


def say(
    store: Store,
    index: Index,
    conversation_id: str,
    client_id: str,
    text: str,
    *,
    choice: str | None = None,
    answer_threshold: float = 0.0,
    clarify_threshold: float = 0.0,
    policy: desk.Policy | None = None,
    asking: Callable[[], AbstractContextManager[float | None]] = nullcontext,
    caps: Caps = Caps(),
) -> Turn:
    """Take a customer's message and answer it, unless a person is in charge.

    The same `client_id` gives the first message and its reply again and stores nothing. `choice` is the article that
    the customer picked from a `clarify`: exactly that one answers. A threshold of 0 is the index's own. MessageError:
    the text or the id cannot be taken; NotFound: no such conversation. When this returns, the turn is on disk.
    `policy` are the desk's rules. `asking` is entered for as long as the bot thinks, and gives the encoder's deadline
    as in `Index.search_many`. TooMuch: `caps` let no more in.
    """
    policy = policy or desk.Policy()
    client_id, text = desk.checked_client_id(client_id), desk.checked_text(text)
    choice = language.clean(choice) or None if choice else None
    with store.read() as conn:
        row = _found(store.conversation(conn, conversation_id))
        first = store.sent_before(conn, conversation_id, CUSTOMER, client_id)
        if first is not None:
            return _turn(store, conn, first)
        caps.check(store, conn, row)
        seen = _standing(store, conn, row, policy)
    while True:
        reply = None if seen.ticket else _chosen(index, choice, seen)
        if reply is None and not seen.ticket:
            with asking() as deadline:
                reply = answer.reply(
                    index,
                    text,
                    lang=seen.lang,
                    page=seen.page,
                    misses=seen.misses,
                    answer_threshold=answer_threshold,
                    clarify_threshold=clarify_threshold,
                    before=seen.before,
                    deadline=deadline,
                )
            if choice is None and _goes_on(index, seen, text, reply):
                reply = _taken_up(index, reply)
        with store.write() as conn:
            held = store.hold(conn, conversation_id)
            first = store.sent_before(conn, conversation_id, CUSTOMER, client_id)
            if first is not None:
                return _turn(store, conn, first)
            now = _standing(store, conn, held, policy)
            if now == seen:
                return _write_turn(store, conn, index, now, client_id, text, choice, reply, policy)
        seen = now  # somebody else's step came between the search and the writing: think again


def request_person(
    store: Store, index: Index, conversation_id: str, *, policy: desk.Policy | None = None
) -> Turn:
    """Hand the conversation to a person because the customer asks: always granted. Asking again changes nothing and
    tells the place in the queue as it is now."""
    policy = policy or desk.Policy()
    with store.write() as conn:
        now = _standing(store, conn, store.hold(conn, conversation_id), policy)
        if now.ticket:
            handed = _last_reply(conn, conversation_id, "handoff")
            if handed is None:  # a ticket without a handover cannot be, but it must not be an error to ask
                return Turn(None, None)
            shown = _flat(handed)
            shown["queue"] = _queue(store, conn, index, now.lang, desk.position(conn, now.ticket))
            return Turn(None, shown)
        reply = _handover(index, "bot.handoff_request", now, "customer_request")
        return Turn(None, _flat(_write_reply(store, conn, index, now, reply, {"to": None}, policy)))


def feedback(
    store: Store,
    index: Index,
    conversation_id: str,
    reply_id: str,
    helpful: bool,
    *,
    policy: desk.Policy | None = None,
    caps: Caps = Caps(),
) -> dict[str, Any]:
    """Note whether an answer helped; `{"reply_id", "helpful", "reply"}`.

    An answer that did not help brings the other likely articles as a `clarify`; the second in a row, or one without
    another candidate, brings a person. The same again stores nothing; another opinion counts from now on. NotFound:
    no such answer. TooMuch: `caps` let no more in.
    """
    policy = policy or desk.Policy()
    with store.write() as conn:
        row = _found(store.hold(conn, conversation_id))
        now = _standing(store, conn, row, policy)
        about = _reply_event(conn, conversation_id, reply_id)
        if about is None or about.data["kind"] != "answer":
            raise NotFound(f"no answer {reply_id[:80]!r} in this conversation")
        given = _opinions(conn, conversation_id, store.now())
        result: dict[str, Any] = {"reply_id": reply_id, "helpful": helpful, "reply": None}
        earlier = next((event for event in given if event.data["reply_id"] == reply_id), None)
        if earlier is not None and earlier.data["helpful"] == helpful:
            followed = _event(conn, conversation_id, earlier.seq + 1)
            if followed is not None and followed.data.get("after") == reply_id:
                result["reply"] = _flat(followed)
            return result
        caps.check(store, conn, row)
        store.append(conn, conversation_id, "feedback", CUSTOMER, {"reply_id": reply_id, "helpful": helpful})
        if helpful or now.ticket:
            return result
        others = _others(about.data)
        before = next((event for event in given if event.data["reply_id"] != reply_id), None)
        if others and (before is None or before.data["helpful"]):
            reply = _offer(index, about.data, others)
        else:
            now = replace(now, spoken=about.data["lang"], candidates=tuple(about.data["options"]))
            reply = _handover(index, "chat.sorry", now, "negative_feedback")
        event = _write_reply(store, conn, index, now, reply, {"to": None, "after": reply_id}, policy)
        result["reply"] = _flat(event)
        return result


def view(event: Event, audience: str) -> dict[str, Any] | None:
    """The event as one side may see it, or None: `agent` sees everything, `customer` neither notes nor who an agent is
    nor the candidates behind a reply."""
    if audience == "agent":
        return event.as_dict()
    if audience != "customer":
        raise ValueError(f"invalid audience {audience!r}: expected customer or agent")
    data: dict[str, Any]
    if event.kind == "message":
        data = {name: event.data[name] for name in ("text", "client_id", "choice") if event.data.get(name)}
        if event.actor != CUSTOMER:
            data.pop("client_id", None)
    elif event.kind == "reply":
        data = {name: event.data[name] for name in _PUBLIC_REPLY if name in event.data}
        options = event.data["options"] if event.data["kind"] == "clarify" else []
        data["options"] = [{name: option[name] for name in _PUBLIC_OPTION} for option in options]
    elif event.kind in ("conversation.opened", "feedback"):
        data = dict(event.data)
    elif event.kind == "satisfaction":
        data = {name: event.data[name] for name in ("score", "comment")}
    elif event.kind == "ticket.closed":
        data = {"ask": "satisfaction"} if desk.asks(event) else {}
    elif event.kind == "ticket.reopened":
        data = {"attended": bool(event.data.get("owner"))}
    elif event.kind in _PUBLIC_TICKET:
        data = {}
    else:
        return None
    actor = "agent" if event.actor.startswith("agent:") else event.actor
    return {**event.as_dict(), "actor": actor, "data": data}


@dataclass(frozen=True)
class _Standing:
    """What a reply depends on. `ticket` is the open one's id, 0 for none; `closed` that of the one that may be taken up
    again, and `just` whether it was closed a short while ago; `spoken` and `candidates` are the language
    and the candidates of the bot's last reply, small talk aside, and `before` that reply with the text that it is
    about: None when it is another matter. With an open ticket a person is in charge, and the rest is left out."""

    id: str
    lang: str | None
    page: str | None
    ticket: int = 0
    misses: int = 0
    spoken: str | None = None
    candidates: tuple[Mapping[str, Any], ...] = ()
    before: Before | None = None
    closed: int = 0
    just: bool = False


def _standing(store: Store, conn: Connection, row: sa.Row[Any] | None, policy: desk.Policy) -> _Standing:
    row = _found(row)
    ticket = desk.open_ticket_of(conn, row.id)
    if ticket is not None:
        return _Standing(row.id, row.lang, row.page, ticket.id)
    closed = desk.closed_ticket_of(conn, row.id, store.now())
    since = store.now() - timedelta(minutes=policy.reopen_minutes)
    said = event_table.c
    recent = conn.execute(
        sa.select(said.kind, said.data, said.actor, said.seq)
        .where(
            said.conversation_id == row.id,
            said.kind.in_(("reply", "message", "ticket.closed")),
            said.at > store.now() - MEMORY,
        )
        .order_by(said.seq.desc())
        .limit(40)
    ).all()
    misses = 0
    last: Mapping[str, Any] = {}
    asked: str | None = None
    counting = True
    for kind, data, actor, seq in recent:
        if kind == "ticket.closed":
            break
        if kind == "message":
            # A reply that follows from a judgement is about the message before it.
            if last and asked is None and actor == CUSTOMER and seq <= (last["to"] or seq):
                asked = last.get("understood") or data["text"]
            continue
        if data["kind"] == "smalltalk":
            continue
        last = last or data
        counting = counting and data["kind"] == "clarify"
        misses += counting
    return _Standing(
        id=row.id,
        lang=row.lang,
        page=row.page,
        misses=misses,
        spoken=last.get("lang"),
        candidates=tuple(last.get("options", ())),
        before=None if asked is None else _before(asked, last),
        closed=closed.id if closed is not None else 0,
        just=closed is not None and closed.closed_at > since,
    )


def _before(text: str, told: Mapping[str, Any]) -> Before:
    """The turn before, from its reply's record."""
    offered = told["options"] if told["kind"] == "clarify" else ()
    return Before(
        text=text,
        article=told["article"] if told["source"] else None,
        options=tuple(option["article"] for option in offered),
        lang=told["lang"],
    )


def _goes_on(index: Index, seen: _Standing, text: str, reply: Reply) -> bool:
    """Whether words after the end of a ticket go on with it, rather than being a question for the bot.

    Thanks and a wish for a person never do, nor does what is said after the bot has spoken again. A text that leans on
    what was said before does for a short while whatever the bot would say, and for a day when the bot is not sure of
    an answer; one that stands by itself only when it comes at once and the bot has nothing to say to it.
    """
    if not seen.closed or seen.spoken is not None:
        return False
    if reply.kind == "smalltalk" or reply.reason == "customer_request":
        return False
    cues = language.lean(text, reply.question_lang, index.tables)
    leans = not cues.turns and (cues.opens or cues.refers or not cues.things)
    if seen.just:
        return leans or (reply.kind == "handoff" and reply.reason != "policy")
    return leans and reply.kind != "answer"


def _taken_up(index: Index, reply: Reply) -> Reply:
    """The reply in place of the one that the bot would have given alone."""
    again = replace(reply, kind="handoff", reason="reopened", source=None, article=None, confidence=None, options=())
    return _worded(again, language.messages(reply.lang, index.tables)["chat.reopened"])


def _chosen(index: Index, choice: str | None, seen: _Standing) -> Reply | None:
    """The picked article's reply. None, so that its title is asked like any text, when it is gone from the index."""
    if choice is None:
        return None
    return answer.choose(index, choice, lang=seen.spoken or seen.lang or index.default_language)


def _write_turn(
    store: Store,
    conn: Connection,
    index: Index,
    now: _Standing,
    client_id: str,
    text: str,
    choice: str | None,
    reply: Reply | None,
    policy: desk.Policy,
) -> Turn:
    data = {"text": text, "client_id": client_id, "choice": choice}
    message = store.append(conn, now.id, "message", CUSTOMER, data, client_id=client_id)
    live.has_written(conn, now.id, CUSTOMER)
    if reply is None:
        desk.heard(store, conn, now.ticket)
        return Turn(_flat(message), None)
    return Turn(_flat(message), _flat(_write_reply(store, conn, index, now, reply, {"to": message.seq}, policy)))


# The bot's words, and the ticket that they announce. The reply is always the event right after what caused it.
def _write_reply(
    store: Store,
    conn: Connection,
    index: Index,
    now: _Standing,
    reply: Reply,
    extra: Mapping[str, Any],
    policy: desk.Policy,
) -> Event:
    data = {**reply.as_dict(), "id": f"r{_found(store.conversation(conn, now.id)).last_seq + 1}", **extra}
    if reply.kind != "handoff":
        return store.append(conn, now.id, "reply", BOT, data)
    at, shop = store.now(), index.shop(now.lang or index.default_language)
    policy, words = replace(policy, tables=index.tables), language.messages(reply.lang, index.tables)
    if reply.reason == "reopened" and desk.returns_to(conn, now.closed, at):
        reply = _worded(reply, words["chat.reopened_owner"])
        event = store.append(conn, now.id, "reply", BOT, {**data, "text": reply.text, "html": reply.html}, at)
        desk.reopen(store, conn, now.closed, at, shop=shop, policy=policy)
        return event
    # Who asks for a person says nothing about the problem: that was said before.
    asked = reply.reason == "customer_request" and now.candidates
    candidates = now.candidates if asked else data["options"]
    reason, topics = reply.reason or "no_answer", _topics(index, reply, candidates)
    place = desk.coming(conn, now.id, reason, topics=topics, at=at, policy=policy, ticket_id=now.closed)
    queue = _queue(store, conn, index, now.lang or reply.lang, place)
    if not queue["open_now"] and reply.source is None and reply.reason not in ("negative_feedback", "reopened"):
        # The bot's usual words hand over at once, which nobody would be there to keep.
        key = "chat.away_request" if reply.reason == "customer_request" else "chat.away_unsure"
        reply = _worded(reply, words[key])
    shop = index.shop(now.lang or reply.lang)
    lines, contacts = _about_queue(queue, formatting.of(reply.lang, shop, index.tables), shop, at)
    data["text"] = "\n\n".join([reply.text, *lines, *contacts])
    # The addresses travel in `queue`, for a client to show as links.
    data["html"] = reply.html + "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    data["queue"] = queue
    event = store.append(conn, now.id, "reply", BOT, data, at)
    if reply.reason == "reopened":
        desk.reopen(store, conn, now.closed, at, shop=shop, policy=policy)
        return event
    lang = reply.question_lang or now.lang or reply.lang
    desk.open_ticket(
        store, conn, now.id, reason, lang, now.page, candidates, at, topics=topics, shop=shop, policy=policy
    )
    return event


def _topics(index: Index, reply: Reply, candidates: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What the likely article is filed under: its category, its tags and the parts of its id."""
    first = candidates[0] if candidates else None
    if first is None or not (reply.reason == "policy" or float(first["confidence"] or 0.0) >= MATTERS):
        return ()
    found = index.article(first["article"], first["lang"], for_agent=True)
    if found is None:
        return ()
    named = (found.category, *found.tags, *re.split("[/#]", found.id))
    return tuple(dict.fromkeys(name.casefold() for name in named if name))


def _worded(reply: Reply, text: str) -> Reply:
    return replace(reply, text=text, html=f"<p>{html.escape(text)}</p>")


def _handover(index: Index, key: str, now: _Standing, reason: str) -> Reply:
    lang = now.spoken or now.lang or index.default_language
    text = language.messages(lang, index.tables)[key]
    return Reply(
        kind="handoff",
        text=text,
        html=f"<p>{html.escape(text)}</p>",
        lang=lang,
        version=index.version,
        question_lang=lang,
        options=_options(now.candidates),
        reason=reason,
        direction=language.direction(lang, index.tables),
    )


def _offer(index: Index, disliked: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> Reply:
    lang = disliked["lang"]
    text = language.messages(lang, index.tables)["chat.others"]
    return Reply(
        kind="clarify",
        text=text,
        html=f"<p>{html.escape(text)}</p>",
        lang=lang,
        version=index.version,
        question_lang=disliked["question_lang"],
        article=others[0]["article"],
        confidence=others[0]["confidence"],
        options=_options(others),
        direction=language.direction(lang, index.tables),
    )


def _others(disliked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rest = 1.0 - min(float(disliked["confidence"] or 0.0), 0.99)
    found = [option for option in disliked["options"] if option["article"] != disliked["article"]]
    return [option for option in found if float(option["confidence"]) >= max(LEAST, LIKELY * rest)]


def _options(candidates: Iterable[Mapping[str, Any]]) -> tuple[answer.Option, ...]:
    return tuple(answer.Option(**candidate) for candidate in candidates)


def _queue(store: Store, conn: Connection, index: Index, lang: str | None, position: int) -> dict[str, Any]:
    shop, now = index.shop(lang or index.default_language), store.now()
    opening = desk.opening(shop, now)
    wait = desk.usual_wait(conn, now)
    return {
        "position": position,
        "open_now": opening.open_now,
        "next_open": opening.next_open.isoformat(timespec="minutes") if opening.next_open else None,
        "wait_seconds": None if wait is None else round(wait),
        "hours": shop.get("hours", ""),
        "email": shop.get("email", ""),
        "phone": shop.get("phone", ""),
    }


def _about_queue(
    queue: Mapping[str, Any], words: formatting.Format, shop: Mapping[str, Any], now: datetime
) -> tuple[list[str], list[str]]:
    """What a handover adds to the bot's words: where the customer stands, and how else to reach the shop."""
    if queue["open_now"]:
        place = int(queue["position"])
        line = words.say("chat.queue_next") if place == 1 else words.say("chat.queue_position", position=place)
        wait = queue["wait_seconds"]
        if wait is not None:
            line += " " + words.say("chat.queue_wait", n=max(1, round(wait / 60)))
        return [line], []
    if queue["next_open"] is None:
        line = words.say("chat.back_unknown")
    else:
        back = datetime.fromisoformat(queue["next_open"])
        days = (back.date() - now.astimezone(back.tzinfo).date()).days
        key = {0: "chat.back_today", 1: "chat.back_tomorrow"}.get(days, "chat.back_day")
        day = words.say(f"chat.day_{_DAYS[back.weekday()]}")
        # The customer may live by another clock.
        zone = words.zone(ZoneInfo(shop["time_zone"]))
        line = words.say(key, day=day, time=words.clock(back.time()), zone=zone)
    email, phone = queue["email"], queue["phone"]
    contacts = []
    if email or phone:
        key = "chat.contact_both" if email and phone else "chat.contact_email" if email else "chat.contact_phone"
        # Isolated, since the groups of a number change places in a line that runs from right to left.
        contacts = [words.say(key, email=f"\u2066{email}\u2069", phone=f"\u2066{phone}\u2069")]
    return [f"{line} {words.say('chat.kept')}"], contacts


def _turn(store: Store, conn: Connection, message: Event) -> Turn:
    reply = _event(conn, message.conversation, message.seq + 1)
    if reply is None or reply.kind != "reply" or reply.data["to"] != message.seq:
        return Turn(_flat(message), None)
    return Turn(_flat(message), _flat(reply))


def _flat(event: Event) -> dict[str, Any]:
    shown = view(event, "customer")
    assert shown is not None
    return {**shown.pop("data"), **{name: shown[name] for name in ("seq", "at")}}


def _opinions(conn: Connection, conversation_id: str, now: datetime) -> list[Event]:
    """The feedback of this matter, newest first."""
    said = event_table.c
    rows = conn.execute(
        sa.select(event_table)
        .where(
            said.conversation_id == conversation_id,
            said.kind.in_(("feedback", "ticket.closed")),
            said.at > now - MEMORY,
        )
        .order_by(said.seq.desc())
    )
    found: list[Event] = []
    for row in rows:
        if row.kind == "ticket.closed":
            break
        found.append(as_event(row))
    return found


def _last_reply(conn: Connection, conversation_id: str, kind: str) -> Event | None:
    said = event_table.c
    rows = conn.execute(
        sa.select(event_table)
        .where(said.conversation_id == conversation_id, said.kind == "reply")
        .order_by(said.seq.desc())
        .limit(40)
    )
    return next((as_event(row) for row in rows if row.data["kind"] == kind), None)


def _reply_event(conn: Connection, conversation_id: str, reply_id: str) -> Event | None:
    if not re.fullmatch(r"r[1-9][0-9]{0,8}", reply_id):
        return None
    event = _event(conn, conversation_id, int(reply_id[1:]))
    return event if event is not None and event.kind == "reply" else None


def _event(conn: Connection, conversation_id: str, seq: int) -> Event | None:
    said = event_table.c
    row = conn.execute(
        sa.select(event_table).where(said.conversation_id == conversation_id, said.seq == seq)
    ).one_or_none()
    return None if row is None else as_event(row)


def _found(row: sa.Row[Any] | None) -> sa.Row[Any]:
    if row is None:
        raise NotFound("no such conversation")
    return row


def _path(page: str | None) -> str | None:
    if not page:
        return None
    page = re.sub(r"^[a-z][a-z0-9+.-]*://[^/?#]*", "", language.clean(page), flags=re.IGNORECASE)
    return re.split("[?#]", page, maxsplit=1)[0][:LONGEST_PAGE] or "/"
