"""What a chat is made of: a conversation, a turn, what a customer may add, and how each of them is refused."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit.answer import Before
from botkit.store import CUSTOMER, Store, added
from botkit.store.event_data import Option

_LARGEST: Final = 17_000  # bytes of an event of a customer's: 4,000 characters of four


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


@dataclass(frozen=True)
class Standing:
    """What a reply depends on. `ticket` is the open one's id, 0 for none, and `taken` whether a person has it: then
    that person is in charge, and the rest is left out. `closed` is the id of the ticket that may be taken up again, and
    `just` whether it was closed a short while ago; `spoken` and `candidates` are the language and the candidates of the
    bot's last reply, small talk aside, `last` its name in the record, and `before` that reply with the text that it is
    about and what the bot said last of all: None when nothing was said in this matter."""

    id: str
    lang: str | None
    page: str | None
    ticket: int = 0
    taken: bool = False
    misses: int = 0
    spoken: str | None = None
    candidates: tuple[Option, ...] = ()
    before: Before | None = None
    last: str = ""
    closed: int = 0
    just: bool = False


def existing(row: sa.Row[Any] | None) -> sa.Row[Any]:
    """The row of a conversation; NotFound without one."""
    if row is None:
        raise NotFound("no such conversation")
    return row
