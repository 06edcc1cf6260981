"""The steps of a customer: a conversation begun, a message said and answered, a person asked for, a judgement given.

Message, reply and ticket are one transaction; the search runs before it, never inside. While a ticket waits or a person
has it, the bot is silent; after the ticket is closed the bot answers again, unless the customer's words go on with what
the person did: then the ticket is taken up again (see `_goes_on`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit import accounts, answer, desk, language, presence
from botkit.answer import Reply
from botkit.chat.handover import handover, offer, other_candidates, queue_state, worded, write_reply
from botkit.chat.log import MEMORY, event_at, last_handover, opinions, reply_called
from botkit.chat.model import Caps, Conversation, Forbidden, NotFound, Standing, Started, Turn, existing
from botkit.chat.view import flat
from botkit.index import Index
from botkit.store import CUSTOMER, Event, Store, event_data, event_table
from botkit.store.event_data import BotReply, CustomerMessage, Feedback, Message, TicketClosed

LONGEST_PAGE: Final = 500
LONGEST_NAME: Final = 80


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
    token, token_hash = accounts.new_token()
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
        row = existing(store.conversation(conn, conversation_id))
    if not accounts.matches(token, row.token_hash):
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
        row = existing(store.conversation(conn, conversation_id))
        first = store.sent_before(conn, conversation_id, CUSTOMER, client_id)
        if first is not None:
            return _turn(store, conn, first)
        caps.check(store, conn, row)
        known = _standing(store, conn, row, policy)
    while True:
        reply = None if known.ticket else _chosen(index, choice, known)
        if reply is None and not known.ticket:
            with asking() as deadline:
                reply = answer.reply(
                    index,
                    text,
                    lang=known.lang,
                    page=known.page,
                    misses=known.misses,
                    answer_threshold=answer_threshold,
                    clarify_threshold=clarify_threshold,
                    before=known.before,
                    deadline=deadline,
                )
            if choice is None and _goes_on(index, known, text, reply):
                reply = _taken_up(index, reply)
        with store.write() as conn:
            held = store.hold(conn, conversation_id)
            first = store.sent_before(conn, conversation_id, CUSTOMER, client_id)
            if first is not None:
                return _turn(store, conn, first)
            now = _standing(store, conn, held, policy)
            if now == known:
                return _write_turn(store, conn, index, now, client_id, text, choice, reply, policy)
        known = now  # somebody else's step came between the search and the writing: think again


def request_person(
    store: Store, index: Index, conversation_id: str, *, policy: desk.Policy | None = None
) -> Turn:
    """Hand the conversation to a person because the customer asks: always granted. Asking again changes nothing and
    tells the place in the queue as it is now."""
    policy = policy or desk.Policy()
    with store.write() as conn:
        now = _standing(store, conn, store.hold(conn, conversation_id), policy)
        if now.ticket:
            handed = last_handover(conn, conversation_id)
            if handed is None:  # a ticket without a handover cannot be, but it must not be an error to ask
                return Turn(None, None)
            shown = flat(handed)
            shown["queue"] = queue_state(store, conn, index, now.lang, desk.position(conn, now.ticket)).as_json()
            return Turn(None, shown)
        reply = handover(index, "bot.handoff_request", now, "customer_request")
        return Turn(None, flat(write_reply(store, conn, index, now, reply, policy)))


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
        row = existing(store.hold(conn, conversation_id))
        now = _standing(store, conn, row, policy)
        about = reply_called(conn, conversation_id, reply_id)
        if about is None or about.kind != "answer":
            raise NotFound(f"no answer {reply_id[:80]!r} in this conversation")
        value = opinions(conn, conversation_id, store.now())
        result: dict[str, Any] = {"reply_id": reply_id, "helpful": helpful, "reply": None}
        earlier = next(((seq, opinion) for seq, opinion in value if opinion.reply_id == reply_id), None)
        if earlier is not None and earlier[1].helpful == helpful:
            followed = event_at(conn, conversation_id, earlier[0] + 1)
            if followed is not None and isinstance(followed.data, BotReply) and followed.data.after == reply_id:
                result["reply"] = flat(followed)
            return result
        caps.check(store, conn, row)
        store.append(conn, conversation_id, CUSTOMER, Feedback(reply_id, helpful))
        if helpful or now.ticket:
            return result
        others = other_candidates(about)
        before = next((opinion for _, opinion in value if opinion.reply_id != reply_id), None)
        if others and (before is None or before.helpful):
            reply = offer(index, about, others)
        else:
            now = replace(now, spoken=about.lang, candidates=about.options)
            reply = handover(index, "chat.sorry", now, "negative_feedback")
        event = write_reply(store, conn, index, now, reply, policy, after=reply_id)
        result["reply"] = flat(event)
        return result


def _standing(store: Store, conn: Connection, row: sa.Row[Any] | None, policy: desk.Policy) -> Standing:
    row = existing(row)
    ticket = desk.open_ticket_of(conn, row.id)
    if ticket is not None:
        return Standing(row.id, row.lang, row.page, ticket.id)
    closed = desk.closed_ticket_of(conn, row.id, store.now())
    since = store.now() - timedelta(minutes=policy.reopen_minutes)
    event = event_table.c
    recent = conn.execute(
        sa.select(event.kind, event.data, event.actor, event.seq)
        .where(
            event.conversation_id == row.id,
            event.kind.in_((BotReply.KIND, Message.KIND, TicketClosed.KIND)),
            event.at > store.now() - MEMORY,
        )
        .order_by(event.seq.desc())
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
            asked = data.text
        if not isinstance(data, BotReply) or data.kind == "smalltalk":
            continue
        last = last or data
        counting = counting and data.kind == "clarify"
        misses += counting
    return Standing(
        id=row.id,
        lang=row.lang,
        page=row.page,
        misses=misses,
        spoken=last.lang if last is not None else None,
        candidates=last.options if last is not None else (),
        before=None if asked is None or last is None else desk.turn_before(asked, last),
        closed=closed.id if closed is not None else 0,
        just=closed is not None and closed.closed_at is not None and closed.closed_at > since,
    )


def _goes_on(index: Index, seen: Standing, text: str, reply: Reply) -> bool:
    """Whether words after the end of a ticket go on with it, rather than being a question for the bot.

    Thanks and a wish for a person never do, nor does what is said after the bot has spoken again. A text that leans on
    what was said before does for a short while whatever the bot would say, and for a day when the bot is not sure of
    an answer; one that stands by itself only when it comes at once and the bot has nothing to say to it.
    """
    if not seen.closed or seen.spoken is not None:
        return False
    if reply.kind == "smalltalk" or reply.reason == "customer_request":
        return False
    cues = language.context_cues(text, reply.question_lang, index.tables)
    depends = not cues.topic_shift and (cues.continuation or cues.reference or not cues.content_words)
    if seen.just:
        return depends or (reply.kind == "handoff" and reply.reason != "policy")
    return depends and reply.kind != "answer"


def _taken_up(index: Index, reply: Reply) -> Reply:
    """The reply in place of the one that the bot would have given alone."""
    again = replace(reply, kind="handoff", reason="reopened", source=None, article=None, confidence=None, options=())
    return worded(again, language.messages(reply.lang, index.tables)["chat.reopened"])


def _chosen(index: Index, choice: str | None, seen: Standing) -> Reply | None:
    """The picked article's reply. None, so that its title is asked like any text, when it is gone from the index."""
    if choice is None:
        return None
    return answer.choose(index, choice, lang=seen.spoken or seen.lang or index.default_language)


def _write_turn(
    store: Store,
    conn: Connection,
    index: Index,
    now: Standing,
    client_id: str,
    text: str,
    choice: str | None,
    reply: Reply | None,
    policy: desk.Policy,
) -> Turn:
    data = CustomerMessage(text, client_id, choice)
    message = store.append(conn, now.id, CUSTOMER, data, client_id=client_id)
    presence.has_written(conn, now.id, CUSTOMER)
    if reply is None:
        desk.heard(store, conn, now.ticket)
        return Turn(flat(message), None)
    return Turn(flat(message), flat(write_reply(store, conn, index, now, reply, policy, to=message.seq)))


def _turn(store: Store, conn: Connection, message: Event) -> Turn:
    reply = event_at(conn, message.conversation, message.seq + 1)
    if reply is None or not isinstance(reply.data, BotReply) or reply.data.to != message.seq:
        return Turn(flat(message), None)
    return Turn(flat(message), flat(reply))


def _path(page: str | None) -> str | None:
    if not page:
        return None
    page = re.sub(r"^[a-z][a-z0-9+.-]*://[^/?#]*", "", language.clean(page), flags=re.IGNORECASE)
    return re.split("[?#]", page, maxsplit=1)[0][:LONGEST_PAGE] or "/"
