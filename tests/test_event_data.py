"""What the record keeps is typed, and reads what every release wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from botkit import answer, chat, desk, reports
from botkit.server.customer import schemas
from botkit.server.desk import schemas as desk_schemas
from botkit.store import Store, conversation_table, event_data, event_table
from botkit.store.event_data import (
    AgentMessage,
    BotReply,
    CustomerMessage,
    EventData,
    Option,
    Queue,
    Source,
    TicketClosed,
    TicketOpened,
    TicketReleased,
    TicketTransferred,
)
from botkit.store.kept import slots
from botkit.vocabulary import Kind

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
CLASSES = [
    each
    for each in vars(event_data).values()
    if isinstance(each, type) and issubclass(each, EventData) and "KIND" in vars(each)
]
OLD: list[tuple[str, str, dict[str, Any]]] = [
    ("conversation.opened", "system", {"lang": "en", "page": "/cart"}),
    ("message", "customer", {"text": "where is it", "client_id": "m1", "choice": None}),
    (
        "reply",
        "bot",
        {
            "kind": "handoff",
            "text": "A person will answer.",
            "html": "<p>A person will answer.</p>",
            "lang": "en",
            "version": "v1",
            "question_lang": "en",
            "article": "orders/track",
            "confidence": 0.2,
            "options": [
                {"article": "orders/track", "title": "Where is it?", "confidence": 0.2, "lang": "en", "url": "/x"}
            ],
            "source": None,
            "reason": "no_answer",
            "id": "r3",
            "to": 2,
        },
    ),
    ("ticket.opened", "bot", {"ticket": 1}),
    ("ticket.claimed", "agent:Mina", {"ticket": 1}),
    ("message", "agent:Mina", {"text": "Tomorrow", "client_id": "a1", "ticket": 1}),
    ("ticket.transferred", "agent:Mina", {"ticket": 1, "to": "Nur"}),
    ("ticket.released", "agent:Nur", {"ticket": 1}),
    ("ticket.closed", "agent:Nur", {"ticket": 1, "outcome": "solved"}),
    ("feedback", "customer", {"reply_id": "r3", "helpful": False}),
]
"""A conversation as the first release wrote it: without what came later."""


@pytest.fixture
def old(store: Store) -> str:
    """Its id, in a database."""
    with store.write() as conn:
        row = {"id": "c1", "token_hash": "x", "lang": "en", "page": "/cart", "opened_at": AT, "changed_at": AT}
        conn.execute(conversation_table.insert().values(**row, last_seq=len(OLD)))
        for seq, (kind, actor, data) in enumerate(OLD, 1):
            event = {"conversation_id": "c1", "seq": seq, "kind": kind, "at": AT, "actor": actor, "data": data}
            conn.execute(event_table.insert().values(**event))
    return "c1"


def test_each_kind_of_event_has_its_class() -> None:
    assert {each.KIND for each in CLASSES} == set(get_args(Kind))
    for each in CLASSES:
        actor = "customer" if each is not AgentMessage else "agent:Mina"
        read = event_data.read(each.KIND, actor, {})
        assert isinstance(read, each), "and can be read, whatever is missing"
        assert event_data.read(each.KIND, actor, read.as_json()) == read


@pytest.mark.parametrize("each", CLASSES)
def test_a_field_that_is_not_declared_cannot_be_written(each: type[EventData]) -> None:
    known = event_data.read(each.KIND, "agent:Mina" if each is AgentMessage else "customer", {})
    value = {field.name: getattr(known, field.name) for field in fields(known)}
    assert type(known)(**value) == known
    with pytest.raises(TypeError, match="nickname"):
        type(known)(**value, nickname="x")


def test_what_is_written_is_what_every_release_wrote() -> None:
    """Names, their order, and what is left out where it says nothing."""
    assert list(CustomerMessage("a", "m").as_json().items()) == [("text", "a"), ("client_id", "m"), ("choice", None)]
    assert list(AgentMessage("a", "m", 3).as_json()) == ["text", "client_id", "ticket"]
    assert TicketReleased(3, "Mina").as_json() == {"ticket": 3, "from": "Mina"}
    assert TicketReleased(3, "Mina", absent=True).as_json() == {"ticket": 3, "from": "Mina", "absent": True}
    assert TicketTransferred(3, None, "Nur").as_json() == {"ticket": 3, "from": None, "to": "Nur"}
    assert TicketClosed(3, "solved", None).as_json() == {"ticket": 3, "outcome": "solved", "article": None}
    assert list(BotReply.from_json({"id": "r3", "to": 2}).as_json()) == [
        "kind", "text", "html", "lang", "version", "question_lang", "article", "confidence", "options", "source",
        "reason", "topic", "understood", "direction", "id", "to",
    ]  # fmt: skip


def test_a_conversation_of_the_first_release_still_reads(store: Store, old: str) -> None:
    with store.read() as conn:
        events = store.events(conn, old)
    assert [event.as_dict()["data"] for event in events] == [data for _, _, data in OLD], "nothing is added"
    reply = events[2].data
    assert isinstance(reply, BotReply)
    assert reply.options == (Option("orders/track", "Where is it?", 0.2, "en", "/x"),)
    assert (reply.topic, reply.understood, reply.direction, reply.after, reply.queue) == (None, None, "ltr", None, None)
    assert events[3].data == TicketOpened(1, None)
    assert events[6].data == TicketTransferred(1, None, "Nur")
    assert events[8].data == TicketClosed(1, "solved", None)
    shown = [chat.view(event, "customer") for event in events]
    assert [view["kind"] for view in shown if view] == [kind for kind, _, _ in OLD]
    (episode,) = reports.of_conversation(events, AT, "en")
    assert (episode.outcome, episode.reason, episode.questions) == ("human", "no_answer", 1)
    assert desk.earlier(events, 2) == [desk.Earlier(1, AT, None, "solved", "Nur")]


def test_what_a_newer_release_wrote_is_passed_over_and_kept() -> None:
    """As after going back to an older release."""
    assert event_data.read("ticket.merged", "system", {"into": 3}) == EventData()
    assert event_data.read("ticket.claimed", "agent:Mina", {"ticket": 3, "colour": "red"}).as_json() == {"ticket": 3}


def test_each_field_of_an_event_is_in_the_documentation() -> None:
    text = (Path(__file__).parent.parent / "docs" / "record.md").read_text(encoding="utf-8")
    lines = text.partition("## Events")[2].partition("\n## ")[0].splitlines()
    for each in CLASSES:
        actor = {CustomerMessage: "`customer`", AgentMessage: "`agent:NAME`"}.get(each, "")
        line = next(line for line in lines if f"`{each.KIND}`" in line.partition(" | ")[0] and f"| {actor}" in line)
        if each is not BotReply:  # which is told in words
            assert {slot.key for slot in slots(each)} <= set(re.findall(r"`([a-z_]+)`", line)), line


# ---------------------------------------------------------------- what is told elsewhere is the same


def names(cls: type[Any]) -> list[str]:
    return list(cls.model_fields) if hasattr(cls, "model_fields") else [slot.key for slot in slots(cls)]


def test_a_reply_is_kept_as_the_bot_made_it() -> None:
    made = answer.Reply("answer", "a", "<p>a</p>", "en", "v1", "en", "ltr").as_dict()
    assert {*made, "id", "to", "after", "queue"} == set(names(BotReply))
    assert [field.name for field in fields(answer.Option)] == names(Option)
    assert [field.name for field in fields(answer.Source)] == names(Source)


def test_the_api_tells_replies_as_they_are_kept() -> None:
    assert names(schemas.Option) == names(Option)
    assert names(schemas.Source) == names(Source)
    assert names(schemas.Queue) == names(Queue)
    kept = {"id", "to", "after", "queue"}
    assert set(names(schemas.Reply)) == set(names(BotReply)) - kept
    assert set(names(schemas.ConversationReply)) == set(names(BotReply)) - {"after", "understood"} | {"seq", "at"}
    assert set(names(schemas.Choice)) == set(names(Option)) - {"confidence"}


def test_the_api_tells_tickets_as_the_desk_has_them() -> None:
    assert sorted(names(desk_schemas.Ticket)) == sorted(names(desk.Ticket))
    hints, result = get_type_hints(desk.Ticket), get_type_hints(desk_schemas.Ticket)
    for name in names(desk.Ticket):
        assert _published(hints[name]) == _published(result[name]), name
    assert names(desk_schemas.Visit) == [field.name for field in fields(desk.Visit)]
    ticket = {field.name for field in fields(desk.HandoverContext)} - {"ticket"}
    assert set(names(desk_schemas.HandoverContext)) - set(names(desk_schemas.Ticket)) == ticket


def _published(hint: Any) -> tuple[object, bool]:
    """A type as JSON has it, and whether it may be null."""
    parts = [part for part in get_args(hint) if part is not NoneType]
    optional = NoneType in get_args(hint)
    one = parts[0] if optional else hint
    if get_origin(one) in (tuple, list):
        return list, optional
    if get_origin(one) is Literal or one in (str, datetime):
        return str, optional
    return one if one in (int, bool, float) else Mapping, optional
