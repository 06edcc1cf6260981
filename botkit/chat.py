"""One customer's turn: is a person in charge? If not, what does the bot say, and does a person take over?

This house writes what a customer says and what the bot says into the record, and opens a ticket where the reply is a
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
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit import answer, desk, language, live, people
from botkit.answer import Before, Reply
from botkit.desk import MessageError
from botkit.index import Index
from botkit.store import BOT, CUSTOMER, Event, Store, added, as_event, event_data, event_table
from botkit.store.event_data import (
    BotReply,
    ConversationOpened,
    CustomerMessage,
    Feedback,
    Message,
    Option,
    Queue,
    Satisfaction,
    Source,
    TicketClaimed,
    TicketClosed,
    TicketOpened,
    TicketReleased,
    TicketReopened,
    TicketTransferred,
)
from botkit.vocabulary import Reason

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
_PUBLIC_TICKET: Final = (TicketOpened, TicketClaimed, TicketReleased, TicketTransferred)
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
            if choice is None and _goes_on(seen, text, reply):
                reply = _taken_up(reply)
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
            handed = _last_handover(conn, conversation_id)
            if handed is None:  # a ticket without a handover cannot be, but it must not be an error to ask
                return Turn(None, None)
            shown = _flat(handed)
            shown["queue"] = _queue(store, conn, index, now.lang, desk.position(conn, now.ticket)).as_json()
            return Turn(None, shown)
        reply = _handover(index, "bot.handoff_request", now, "customer_request")
        return Turn(None, _flat(_write_reply(store, conn, index, now, reply, policy)))


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
        about = _reply(conn, conversation_id, reply_id)
        if about is None or about.kind != "answer":
            raise NotFound(f"no answer {reply_id[:80]!r} in this conversation")
        given = _opinions(conn, conversation_id, store.now())
        result: dict[str, Any] = {"reply_id": reply_id, "helpful": helpful, "reply": None}
        earlier = next(((seq, opinion) for seq, opinion in given if opinion.reply_id == reply_id), None)
        if earlier is not None and earlier[1].helpful == helpful:
            followed = _event(conn, conversation_id, earlier[0] + 1)
            if followed is not None and isinstance(followed.data, BotReply) and followed.data.after == reply_id:
                result["reply"] = _flat(followed)
            return result
        caps.check(store, conn, row)
        store.append(conn, conversation_id, CUSTOMER, Feedback(reply_id, helpful))
        if helpful or now.ticket:
            return result
        others = _others(about)
        before = next((opinion for _, opinion in given if opinion.reply_id != reply_id), None)
        if others and (before is None or before.helpful):
            reply = _offer(index, about, others)
        else:
            now = replace(now, spoken=about.lang, candidates=about.options)
            reply = _handover(index, "chat.sorry", now, "negative_feedback")
        event = _write_reply(store, conn, index, now, reply, policy, after=reply_id)
        result["reply"] = _flat(event)
        return result


def view(event: Event, audience: str) -> dict[str, Any] | None:
    """The event as one side may see it, or None: `agent` sees everything, `customer` neither notes nor who an agent is
    nor the candidates behind a reply."""
    if audience == "agent":
        return event.as_dict()
    if audience != "customer":
        raise ValueError(f"invalid audience {audience!r}: expected customer or agent")
    data, stored = event.data, event.stored
    shown: dict[str, object] = {}
    if isinstance(data, Message):
        shown = {name: stored[name] for name in ("text", "client_id", "choice") if stored.get(name)}
        if not isinstance(data, CustomerMessage):
            shown.pop("client_id", None)
    elif isinstance(data, BotReply):
        shown = {name: stored[name] for name in _PUBLIC_REPLY if name in stored}
        options = [option.as_json() for option in data.options] if data.kind == "clarify" else []
        shown["options"] = [{name: option[name] for name in _PUBLIC_OPTION} for option in options]
    elif isinstance(data, ConversationOpened | Feedback):
        shown = dict(stored)
    elif isinstance(data, Satisfaction):
        shown = {"score": data.score, "comment": data.comment}
    elif isinstance(data, TicketClosed):
        shown = {"ask": "satisfaction"} if desk.asks(event) else {}
    elif isinstance(data, TicketReopened):
        shown = {"attended": bool(data.owner)}
    elif not isinstance(data, _PUBLIC_TICKET):
        return None
    actor = "agent" if event.actor.startswith("agent:") else event.actor
    return {**event.as_dict(), "actor": actor, "data": shown}


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
    candidates: tuple[Option, ...] = ()
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
            said.kind.in_((BotReply.KIND, Message.KIND, TicketClosed.KIND)),
            said.at > store.now() - MEMORY,
        )
        .order_by(said.seq.desc())
        .limit(40)
    ).all()
    misses = 0
    last: BotReply | None = None
    asked: str | None = None
    counting = True
    for kind, stored, actor, seq in recent:
        data = event_data.read(kind, actor, stored)
        if isinstance(data, TicketClosed):
            break
        # A reply that follows from a judgement is about the message before it.
        if isinstance(data, CustomerMessage) and last is not None and asked is None and seq <= (last.to or seq):
            asked = last.understood or data.text
        if not isinstance(data, BotReply) or data.kind == "smalltalk":
            continue
        last = last or data
        counting = counting and data.kind == "clarify"
        misses += counting
    return _Standing(
        id=row.id,
        lang=row.lang,
        page=row.page,
        misses=misses,
        spoken=last.lang if last is not None else None,
        candidates=last.options if last is not None else (),
        before=None if asked is None or last is None else _before(asked, last),
        closed=closed.id if closed is not None else 0,
        just=closed is not None and closed.closed_at is not None and closed.closed_at > since,
    )


def _before(text: str, told: BotReply) -> Before:
    """The turn before, from its reply's record."""
    offered = told.options if told.kind == "clarify" else ()
    return Before(
        text=text,
        article=told.article if told.source else None,
        options=tuple(option.article for option in offered),
        lang=told.lang,
    )


def _goes_on(seen: _Standing, text: str, reply: Reply) -> bool:
    """Whether words after the end of a ticket go on with it, rather than being a question for the bot.

    Thanks and a wish for a person never do, nor does what is said after the bot has spoken again. A text that leans on
    what was said before does for a short while whatever the bot would say, and for a day when the bot is not sure of
    an answer; one that stands by itself only when it comes at once and the bot has nothing to say to it.
    """
    if not seen.closed or seen.spoken is not None:
        return False
    if reply.kind == "smalltalk" or reply.reason == "customer_request":
        return False
    cues = language.lean(text, reply.question_lang)
    leans = not cues.turns and (cues.opens or cues.refers or not cues.things)
    if seen.just:
        return leans or (reply.kind == "handoff" and reply.reason != "policy")
    return leans and reply.kind != "answer"


def _taken_up(reply: Reply) -> Reply:
    """The reply in place of the one that the bot would have given alone."""
    again = replace(reply, kind="handoff", reason="reopened", source=None, article=None, confidence=None, options=())
    return _worded(again, language.messages(reply.lang)["chat.reopened"])


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
    data = CustomerMessage(text, client_id, choice)
    message = store.append(conn, now.id, CUSTOMER, data, client_id=client_id)
    live.has_written(conn, now.id, CUSTOMER)
    if reply is None:
        desk.heard(store, conn, now.ticket)
        return Turn(_flat(message), None)
    return Turn(_flat(message), _flat(_write_reply(store, conn, index, now, reply, policy, to=message.seq)))


# The bot's words, and the ticket that they announce. The reply is always the event right after what caused it.
def _write_reply(
    store: Store,
    conn: Connection,
    index: Index,
    now: _Standing,
    reply: Reply,
    policy: desk.Policy,
    *,
    to: int | None = None,
    after: str | None = None,
) -> Event:
    said = _said(reply, f"r{_found(store.conversation(conn, now.id)).last_seq + 1}", to, after)
    if reply.kind != "handoff":
        return store.append(conn, now.id, BOT, said)
    at, shop = store.now(), index.shop(now.lang or index.default_language)
    if reply.reason == "reopened" and desk.returns_to(conn, now.closed, at):
        reply = _worded(reply, language.messages(reply.lang)["chat.reopened_owner"])
        event = store.append(conn, now.id, BOT, replace(said, text=reply.text, html=reply.html), at)
        desk.reopen(store, conn, now.closed, at, shop=shop, policy=policy)
        return event
    # Who asks for a person says nothing about the problem: that was said before.
    asked = reply.reason == "customer_request" and now.candidates
    candidates = now.candidates if asked else said.options
    reason, topics = reply.reason or "no_answer", _topics(index, reply, candidates)
    place = desk.coming(conn, now.id, reason, topics=topics, at=at, policy=policy, ticket_id=now.closed)
    queue = _queue(store, conn, index, now.lang or reply.lang, place)
    if not queue.open_now and reply.source is None and reply.reason not in ("negative_feedback", "reopened"):
        # The bot's usual words hand over at once, which nobody would be there to keep.
        key = "chat.away_request" if reply.reason == "customer_request" else "chat.away_unsure"
        reply = _worded(reply, language.messages(reply.lang)[key])
    lines, contacts = _about_queue(queue, reply.lang, at)
    said = replace(
        said,
        text="\n\n".join([reply.text, *lines, *contacts]),
        # The addresses travel in `queue`, for a client to show as links.
        html=reply.html + "".join(f"<p>{html.escape(line)}</p>" for line in lines),
        queue=queue,
    )
    event = store.append(conn, now.id, BOT, said, at)
    if reply.reason == "reopened":
        desk.reopen(store, conn, now.closed, at, shop=shop, policy=policy)
        return event
    lang = reply.question_lang or now.lang or reply.lang
    desk.open_ticket(
        store, conn, now.id, reason, lang, now.page, candidates, at, topics=topics, shop=shop, policy=policy
    )
    return event


def _said(reply: Reply, name: str, to: int | None, after: str | None) -> BotReply:
    """The reply as the record has it, under its name there."""
    source = reply.source
    return BotReply(
        kind=reply.kind,
        text=reply.text,
        html=reply.html,
        lang=reply.lang,
        version=reply.version,
        question_lang=reply.question_lang,
        article=reply.article,
        confidence=reply.confidence,
        options=tuple(Option(o.article, o.title, o.confidence, o.lang, o.url) for o in reply.options),
        source=Source(source.title, source.url, source.lang) if source else None,
        reason=reply.reason,
        topic=reply.topic,
        understood=reply.understood,
        direction=reply.direction,
        id=name,
        to=to,
        after=after,
    )


def _topics(index: Index, reply: Reply, candidates: Sequence[Option]) -> tuple[str, ...]:
    """What the likely article is filed under: its category, its tags and the parts of its id."""
    first = candidates[0] if candidates else None
    if first is None or not (reply.reason == "policy" or first.confidence >= MATTERS):
        return ()
    found = index.article(first.article, first.lang, for_agent=True)
    if found is None:
        return ()
    named = (found.category, *found.tags, *re.split("[/#]", found.id))
    return tuple(dict.fromkeys(name.casefold() for name in named if name))


def _worded(reply: Reply, text: str) -> Reply:
    return replace(reply, text=text, html=f"<p>{html.escape(text)}</p>")


def _handover(index: Index, key: str, now: _Standing, reason: Reason) -> Reply:
    lang = now.spoken or now.lang or index.default_language
    text = language.messages(lang)[key]
    return Reply(
        kind="handoff",
        text=text,
        html=f"<p>{html.escape(text)}</p>",
        lang=lang,
        version=index.version,
        question_lang=lang,
        options=_options(now.candidates),
        reason=reason,
    )


def _offer(index: Index, disliked: BotReply, others: Sequence[Option]) -> Reply:
    lang = disliked.lang
    text = language.messages(lang)["chat.others"]
    return Reply(
        kind="clarify",
        text=text,
        html=f"<p>{html.escape(text)}</p>",
        lang=lang,
        version=index.version,
        question_lang=disliked.question_lang,
        article=others[0].article,
        confidence=others[0].confidence,
        options=_options(others),
    )


def _others(disliked: BotReply) -> list[Option]:
    rest = 1.0 - min(disliked.confidence or 0.0, 0.99)
    found = [option for option in disliked.options if option.article != disliked.article]
    return [option for option in found if option.confidence >= max(LEAST, LIKELY * rest)]


def _options(candidates: Iterable[Option]) -> tuple[answer.Option, ...]:
    return tuple(answer.Option(o.article, o.title, o.confidence, o.lang, o.url) for o in candidates)


def _queue(store: Store, conn: Connection, index: Index, lang: str | None, position: int) -> Queue:
    shop, now = index.shop(lang or index.default_language), store.now()
    opening = desk.opening(shop, now)
    wait = desk.usual_wait(conn, now)
    return Queue(
        position=position,
        open_now=opening.open_now,
        next_open=opening.next_open.isoformat(timespec="minutes") if opening.next_open else None,
        wait_seconds=None if wait is None else round(wait),
        hours=shop.get("hours", ""),
        email=shop.get("email", ""),
        phone=shop.get("phone", ""),
    )


def _about_queue(queue: Queue, lang: str, now: datetime) -> tuple[list[str], list[str]]:
    """What a handover adds to the bot's words: where the customer stands, and how else to reach the shop."""
    words = language.messages(lang)

    def number(text: object) -> str:
        return str(text).translate(str.maketrans("0123456789", words["chat.digits"]))

    if queue.open_now:
        place = queue.position
        line = words["chat.queue_next"] if place == 1 else words["chat.queue_position"].format(position=number(place))
        wait = queue.wait_seconds
        if wait is not None:
            line += " " + words["chat.queue_wait"].format(minutes=number(max(1, round(wait / 60))))
        return [line], []
    if queue.next_open is None:
        line = words["chat.back_unknown"]
    else:
        back = datetime.fromisoformat(queue.next_open)
        days = (back.date() - now.astimezone(back.tzinfo).date()).days
        key = {0: "chat.back_today", 1: "chat.back_tomorrow"}.get(days, "chat.back_day")
        day = words[f"chat.day_{_DAYS[back.weekday()]}"]
        line = words[key].format(day=day, time=number(f"{back:%H:%M}"))
    email, phone = queue.email, queue.phone
    contacts = []
    if email or phone:
        key = "chat.contact_both" if email and phone else "chat.contact_email" if email else "chat.contact_phone"
        # Isolated, since the groups of a number change places in a line that runs from right to left.
        contacts = [words[key].format(email=f"\u2066{email}\u2069", phone=f"\u2066{phone}\u2069")]
    return [f"{line} {words['chat.kept']}"], contacts


def _turn(store: Store, conn: Connection, message: Event) -> Turn:
    reply = _event(conn, message.conversation, message.seq + 1)
    if reply is None or not isinstance(reply.data, BotReply) or reply.data.to != message.seq:
        return Turn(_flat(message), None)
    return Turn(_flat(message), _flat(reply))


def _flat(event: Event) -> dict[str, Any]:
    shown = view(event, "customer")
    assert shown is not None
    return {**shown.pop("data"), **{name: shown[name] for name in ("seq", "at")}}


def _opinions(conn: Connection, conversation_id: str, now: datetime) -> list[tuple[int, Feedback]]:
    """The feedback of this matter with its number, newest first."""
    said = event_table.c
    rows = conn.execute(
        sa.select(event_table)
        .where(
            said.conversation_id == conversation_id,
            said.kind.in_((Feedback.KIND, TicketClosed.KIND)),
            said.at > now - MEMORY,
        )
        .order_by(said.seq.desc())
    )
    found: list[tuple[int, Feedback]] = []
    for event in map(as_event, rows):
        if not isinstance(event.data, Feedback):
            break
        found.append((event.seq, event.data))
    return found


def _last_handover(conn: Connection, conversation_id: str) -> Event | None:
    said = event_table.c
    rows = conn.execute(
        sa.select(event_table)
        .where(said.conversation_id == conversation_id, said.kind == BotReply.KIND)
        .order_by(said.seq.desc())
        .limit(40)
    )
    events = map(as_event, rows)
    return next((e for e in events if isinstance(e.data, BotReply) and e.data.kind == "handoff"), None)


def _reply(conn: Connection, conversation_id: str, reply_id: str) -> BotReply | None:
    if not re.fullmatch(r"r[1-9][0-9]{0,8}", reply_id):
        return None
    event = _event(conn, conversation_id, int(reply_id[1:]))
    return event.data if event is not None and isinstance(event.data, BotReply) else None


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
