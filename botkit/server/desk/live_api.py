"""Owns an agent's side of what is live: the stream of the desk, typing, and how far a ticket was read."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, request, stream_with_context
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection

from botkit import desk, presence
from botkit.accounts import Agent
from botkit.server.desk import schemas, session
from botkit.server.http import models, requests
from botkit.server.http.context import here
from botkit.server.http.errors import ApiError
from botkit.server.http.openapi import describe
from botkit.server.http.rate_limits import check
from botkit.server.streaming import signals
from botkit.server.streaming.feed import Subscription
from botkit.server.streaming.sse import event, place, streamed, until_over, wants_stream
from botkit.store import Event, Store

blueprint = Blueprint("live_api", __name__, url_prefix="/api/v1")

_TICKET_ID = {"ticket_id": "The ticket's number."}
_CURSOR = re.compile(r"[1-9][0-9]{0,9}:[0-9]{1,10}")
MOST_WATCHED = 20
"""Tickets that one stream may watch beside the agent's own."""


class DeskEventsQuery(models.In):
    """What to tell beside the agent's own tickets."""

    watch: str = Field("", description="Numbers of tickets to follow too, separated by commas.", max_length=240)


class Chat(BaseModel):
    """A ticket that the agent has or watches, as `ticket` events tell it."""

    ticket: int
    conversation: str
    state: str
    owner: str | None
    last: int = Field(description="The conversation's last `seq`.")
    unread: int = Field(description="The customer's messages after what this agent has read.")
    customer: signals.Signals


class Mention(BaseModel):
    """A colleague's note that names the agent."""

    id: int
    ticket: int
    conversation: str
    seq: int = Field(description="The note's number in the conversation.")
    at: str
    by: str = Field(description="Who wrote it.")
    text: str
    seen: bool = Field(description="The agent has opened the ticket since.")


class DeskNow(BaseModel):
    """What the stream tells first, when it is asked for as JSON."""

    queue: dict[str, int]
    tickets: list[Chat]
    mentions: list[Mention] = Field(description="Those that the agent has not seen, the newest first.")


@blueprint.get("/desk/events")
@describe(query=DeskEventsQuery, gives={200: DeskNow}, errors=(503,), security="desk", tag="desk")
def desk_events() -> Any:
    """Follow the queue and one's own tickets.

    With `Accept: text/event-stream` a stream: `queue` whenever the counts change, `ticket` whenever one of the agent's
    open tickets or a watched one does, `gone` when one is not theirs any more, `mention` for each note that names
    the agent and was not seen yet, and again once it was, and every event of their conversations. Its `id` names how
    far each of them has come: sent back as `Last-Event-ID`, the stream goes on from there. Without one it begins now.
    Its agent counts as present meanwhile, unless the token may only read. As JSON: how things stand.
    """
    agent = session.caller()
    watched = _watched(requests.query(DeskEventsQuery).watch)
    store = here().store
    if not wants_stream():
        with store.read() as conn:
            counts, chats = presence.desk_counts(conn).counts, presence.chats(conn, agent.name, watched)
            rooms = presence.rooms(conn, [each.conversation for each in chats])
            mentions = desk.mentions_of(conn, agent)
        return {
            "queue": dict(counts),
            "tickets": [_told(store, each, rooms) for each in chats],
            "mentions": [each.as_dict() for each in mentions],
        }
    check("signal")
    cursors = _cursors()
    unseen = not agent.may_write
    subscription = place(lambda line: here().feed.subscribe_agent(agent.name, line, unseen=unseen))
    following = _Following(store, agent, watched, cursors, subscription)
    return streamed(subscription, stream_with_context(until_over(subscription, following.look)))


_Mentions = dict[int, dict[str, Any]]


class _Following:
    """What an agent's stream has told so far."""

    def __init__(
        self, store: Store, agent: Agent, watched: list[int], cursors: dict[int, int], subscription: Subscription
    ) -> None:
        self._store = store
        self._agent = agent
        self._watched = watched
        self._cursors = cursors
        self._subscription = subscription
        self._tickets: dict[int, dict[str, Any]] = {}
        self._mentions: _Mentions = {}
        self._queue: dict[str, int] | None = None

    def look(self) -> str:
        """What is new. The stream ends when its agent is not let in any more, in whatever way that came about."""
        # Read before it is asked: nothing is told that was said after the right had ended.
        result = self._read() if self._subscription.moved() else None
        if not self._still_may():
            self._subscription.end()
            return ""
        return "" if result is None else self._tell(*result)

    def _read(
        self,
    ) -> tuple[dict[str, int], list[presence.Chat], dict[str, presence.Room], dict[int, list[Event]], _Mentions]:
        """The queue, the chats, who is in them, what was said in them, and the mentions, of one state."""
        with self._store.read() as conn:
            chats = presence.chats(conn, self._agent.name, self._watched)
            return (
                dict(self._subscription.counts or presence.desk_counts(conn).counts),
                chats,
                presence.rooms(conn, [each.conversation for each in chats]),
                self._new(conn, chats),
                {each.id: each.as_dict() for each in reversed(desk.mentions_of(conn, self._agent))},
            )

    def _tell(
        self,
        counts: dict[str, int],
        chats: list[presence.Chat],
        rooms: dict[str, presence.Room],
        new: dict[int, list[Event]],
        mentions: _Mentions,
    ) -> str:
        """What of it the agent has not been told."""
        store, parts = self._store, list[str]()
        self._subscription.conversations = frozenset(each.conversation for each in chats)
        followed = {each.ticket for each in chats}
        self._cursors = {ticket: seq for ticket, seq in self._cursors.items() if ticket in followed}
        for ticket in sorted(set(self._tickets) - followed):
            del self._tickets[ticket]
            parts.append(event({"ticket": ticket}, "gone"))
        for each in chats:
            for happened in new.get(each.ticket, ()):
                self._cursors[each.ticket] = happened.seq
                result = {"ticket": each.ticket, "conversation": each.conversation, **happened.as_dict()}
                parts.append(event(result, None, self._cursor()))
            shown = _told(store, each, rooms)
            if self._tickets.get(each.ticket) != shown:
                self._tickets[each.ticket] = shown
                parts.append(event(shown, "ticket", self._cursor()))
        before, self._mentions = self._mentions, mentions
        parts += [event(each, "mention") for number, each in mentions.items() if number not in before]
        parts += [event(each | {"seen": True}, "mention") for number, each in before.items() if number not in mentions]
        if counts != self._queue:
            self._queue = counts
            parts.append(event(counts, "queue"))
        return "".join(parts)

    def _still_may(self) -> bool:
        try:
            agent = session.caller()
        except ApiError:
            return False
        if (agent.id, agent.stamp) != (self._agent.id, self._agent.stamp):
            return False
        if agent.may_write:  # a display in the warehouse takes no conversations
            session.seen(agent)
        return True

    def _new(self, conn: Connection, chats: list[presence.Chat]) -> dict[int, list[Event]]:
        """The events that each chat has not told yet; after one that has more of them, the others have to wait."""
        new: dict[int, list[Event]] = {}
        full = False
        for each in chats:
            if self._cursors.setdefault(each.ticket, each.last) >= each.last:
                continue
            if not full:
                new[each.ticket], full = self._store.page(conn, each.conversation, self._cursors[each.ticket])
            if full:
                self._subscription.wake()
        return new

    def _cursor(self) -> str:
        return ",".join(f"{ticket}:{seq}" for ticket, seq in sorted(self._cursors.items()))


def _told(store: Store, each: presence.Chat, rooms: dict[str, presence.Room]) -> dict[str, Any]:
    room = rooms.get(each.conversation, presence.Room())
    return {
        "ticket": each.ticket,
        "conversation": each.conversation,
        "state": each.state,
        "owner": each.owner,
        "last": each.last,
        "unread": each.unread,
        "customer": room.for_agent(store.now()).as_dict(),
    }


def _watched(text: str) -> list[int]:
    numbers = [part.strip() for part in text.split(",") if part.strip()]
    if len(numbers) > MOST_WATCHED or not all(re.fullmatch(r"[0-9]{1,9}", number) for number in numbers):
        raise ApiError(400, "invalid", f"watch: at most {MOST_WATCHED} numbers of tickets, like 12,15.", "watch")
    return [int(number) for number in numbers]


def _cursors() -> dict[int, int]:
    """From a Last-Event-ID, how far each ticket had come."""
    parts = [part for part in request.headers.get("Last-Event-ID", "").split(",") if part]
    if len(parts) > 500 or not all(_CURSOR.fullmatch(part) for part in parts):
        raise ApiError(400, "invalid", "Last-Event-ID: send the last `id` that came, like 12:40,15:3.")
    return {int(ticket): int(seq) for ticket, seq in (part.split(":") for part in parts)}


@blueprint.post(f"/desk/tickets/{schemas.TICKET}/typing")
@describe(
    body=signals.Typing,
    gives={200: signals.Signals},
    errors=(404, 413, 415),
    security="desk",
    tag="desk",
    parameters=_TICKET_ID,
)
def agent_types(ticket_id: int) -> dict[str, Any]:
    """Say that the agent is typing to the customer, who learns it from the ticket's owner alone."""
    agent = session.caller()
    body = requests.body(signals.Typing)
    conversation_id = _conversation(ticket_id)
    presence.typing(here().store, conversation_id, f"agent:{agent.name}", body.on)
    return _customer(here().store, conversation_id)


@blueprint.post(f"/desk/tickets/{schemas.TICKET}/seen")
@describe(
    body=signals.Seen,
    gives={200: signals.Signals},
    errors=(404, 413, 415),
    security="desk",
    tag="desk",
    parameters=_TICKET_ID,
)
def agent_saw(ticket_id: int) -> dict[str, Any]:
    """Say how far the conversation has arrived at the agent, and whether it was read. `unread` counts from there."""
    agent = session.caller()
    body = requests.body(signals.Seen)
    conversation_id = _conversation(ticket_id)
    presence.seen(here().store, conversation_id, f"agent:{agent.name}", body.seq, body.read)
    return _customer(here().store, conversation_id)


def _conversation(ticket_id: int) -> str:
    result = presence.conversation_of(here().store, ticket_id)
    if result is None:
        raise ApiError(404, desk.NoTicket.code, f"No such ticket: {ticket_id}.")
    return result


def _customer(store: Store, conversation_id: str) -> dict[str, Any]:
    with store.read() as conn:
        room = presence.rooms(conn, [conversation_id]).get(conversation_id, presence.Room())
    return room.for_agent(store.now()).as_dict()
