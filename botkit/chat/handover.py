"""The bot's words when a person takes over, and the ticket that they announce.

A handover says where in the queue the customer is and, when nobody is on, when somebody will be: never more. The reply
is always the event right after what caused it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from botkit import answer, desk, formatting, language
from botkit.answer import Reply
from botkit.chat.model import Standing, existing
from botkit.index import Index
from botkit.store import BOT, Event, Store
from botkit.store.event_data import BotReply, Option, Queue, Source
from botkit.vocabulary import Reason

LIKELY: Final = 0.15
"""The least probability, the disliked answer being wrong, at which another one is offered; `LEAST` the least before
that, below which the order says nothing. `eval/constants.py --only offers` tries others of both."""
LEAST: Final = 0.02
MATTERS: Final = 0.3
"""A candidate less likely than this says nothing about what the matter is: a rule of the desk, not a fitted number."""
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def write_reply(
    store: Store,
    conn: Connection,
    index: Index,
    now: Standing,
    reply: Reply,
    policy: desk.Policy,
    *,
    to: int | None = None,
    after: str | None = None,
) -> Event:
    """Write the bot's reply, and open or reopen the ticket that it announces. `to` is the number of the message that it
    answers, `after` the id of the reply whose bad feedback caused it."""
    stored = _said(reply, f"r{existing(store.conversation(conn, now.id)).last_seq + 1}", to, after)
    stored = replace(stored, automatic=bool(now.ticket))
    if reply.kind != "handoff":
        return store.append(conn, now.id, BOT, stored)
    at, shop = store.now(), index.shop(now.lang or index.default_language)
    policy, words = replace(policy, tables=index.tables), language.messages(reply.lang, index.tables)
    if reply.reason == "reopened" and desk.returns_to(conn, now.closed, at):
        reply = worded(reply, words["chat.reopened_owner"])
        event = store.append(conn, now.id, BOT, replace(stored, text=reply.text, html=reply.html), at)
        desk.reopen(store, conn, now.closed, at, shop=shop, policy=policy)
        return event
    # Who asks for a person says nothing about the problem: that was said before.
    asked = reply.reason == "customer_request" and now.candidates
    candidates = now.candidates if asked else stored.options
    reason, topics = reply.reason or "no_answer", _topics(index, reply, candidates)
    place = desk.coming(conn, now.id, reason, topics=topics, at=at, policy=policy, ticket_id=now.closed)
    queue = queue_state(store, conn, index, now.lang or reply.lang, place)
    if not queue.open_now and reply.source is None and reply.reason not in ("negative_feedback", "reopened"):
        # The bot's usual words hand over at once, which nobody would be there to keep.
        key = "chat.away_request" if reply.reason == "customer_request" else "chat.away_unsure"
        reply = worded(reply, words[key])
    shop = index.shop(now.lang or reply.lang)
    lines, contacts = _about_queue(queue, formatting.of(reply.lang, shop, index.tables), shop, at)
    stored = replace(
        stored,
        text="\n\n".join([reply.text, *lines, *contacts]),
        # The addresses travel in `queue`, for a client to show as links.
        html=reply.html + "".join(f"<p>{html.escape(line)}</p>" for line in lines),
        queue=queue,
    )
    event = store.append(conn, now.id, BOT, stored, at)
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
    result = index.article(first.article, first.lang, for_agent=True)
    if result is None:
        return ()
    named = (result.category, *result.tags, *re.split("[/#]", result.id))
    return tuple(dict.fromkeys(name.casefold() for name in named if name))


def worded(reply: Reply, text: str) -> Reply:
    """The reply in other words; a blank line parts paragraphs."""
    return replace(reply, text=text, html="".join(f"<p>{html.escape(part)}</p>" for part in text.split("\n\n")))


def handover(index: Index, key: str, now: Standing, reason: Reason) -> Reply:
    """The reply that hands over, in the words of a message."""
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


def offer(index: Index, disliked: BotReply, others: Sequence[Option]) -> Reply:
    """The reply that offers other articles in place of one that did not help."""
    lang = disliked.lang
    text = language.messages(lang, index.tables)["chat.others"]
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
        direction=language.direction(lang, index.tables),
    )


def other_candidates(disliked: BotReply) -> list[Option]:
    """The candidates beside a disliked answer that are likely enough to be offered."""
    rest = 1.0 - min(disliked.confidence or 0.0, 0.99)
    result = [option for option in disliked.options if option.article != disliked.article]
    return [option for option in result if option.confidence >= max(LEAST, LIKELY * rest)]


def _options(candidates: Iterable[Option]) -> tuple[answer.Option, ...]:
    return tuple(answer.Option(o.article, o.title, o.confidence, o.lang, o.url) for o in candidates)


def queue_state(store: Store, conn: Connection, index: Index, lang: str | None, position: int) -> Queue:
    """What a handover tells of the queue: the place, the wait, the team's hours and addresses."""
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


def about_queue(store: Store, conn: Connection, index: Index, lang: str, position: int) -> str:
    """Where a ticket stands that waits already, in words."""
    shop = index.shop(lang)
    queue = queue_state(store, conn, index, lang, position)
    lines, contacts = _about_queue(queue, formatting.of(lang, shop, index.tables), shop, store.now())
    return "\n\n".join([*lines, *contacts])


def _about_queue(
    queue: Queue, words: formatting.Format, shop: Mapping[str, Any], now: datetime
) -> tuple[list[str], list[str]]:
    """What a handover adds to the bot's words: where the customer stands, and how else to reach the shop."""
    if queue.open_now:
        place = queue.position
        line = words.say("chat.queue_next") if place == 1 else words.say("chat.queue_position", position=place)
        wait = queue.wait_seconds
        if wait is not None:
            line += " " + words.say("chat.queue_wait", n=max(1, round(wait / 60)))
        return [line], []
    if queue.next_open is None:
        line = words.say("chat.back_unknown")
    else:
        back = datetime.fromisoformat(queue.next_open)
        days = (back.date() - now.astimezone(back.tzinfo).date()).days
        key = {0: "chat.back_today", 1: "chat.back_tomorrow"}.get(days, "chat.back_day")
        day = words.say(f"chat.day_{_DAYS[back.weekday()]}")
        # The customer may live by another clock.
        zone = words.zone(ZoneInfo(shop["time_zone"]))
        line = words.say(key, day=day, time=words.clock(back.time()), zone=zone)
    email, phone = queue.email, queue.phone
    contacts = []
    if email or phone:
        key = "chat.contact_both" if email and phone else "chat.contact_email" if email else "chat.contact_phone"
        # Isolated, since the groups of a number change places in a line that runs from right to left.
        contacts = [words.say(key, email=f"\u2066{email}\u2069", phone=f"\u2066{phone}\u2069")]
    return [f"{line} {words.say('chat.kept')}"], contacts
