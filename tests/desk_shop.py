"""A desk to test with: everybody's password, a clock moved by hand, and conversations that the bot handed over."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from botkit import desk
from botkit.store import Store
from botkit.store.event_data import CustomerMessage

PASSWORD = "copper pan and cezve"


def sign_in(browser: FlaskClient, name: str = "Sara") -> None:
    """Begin a session of an account with the usual password: a sign-in lasts for a day's work."""
    assert browser.post("/desk/login", data={"name": name, "password": PASSWORD}).status_code == 303


def handed_over(
    store: Store, text: str = "where is it", lang: str | None = "en", reason: str = "no_answer", **more: Any
) -> int:
    """A conversation whose bot gave up; the ticket's id."""
    tags = more.pop("tags", ())
    with store.write() as conn:
        conversation_id = store.open_conversation(conn, "0" * 64, lang, "/orders/17", tags)
        store.append(conn, conversation_id, "customer", CustomerMessage(text, "m"))
        return desk.open_ticket(store, conn, conversation_id, reason, lang, "/orders/17", [], **more)


def writes(store: Store, ticket_id: int, text: str = "hello?") -> None:
    """The customer of a ticket that is not closed writes, as `chat.say` takes it."""
    conversation_id = desk.ticket(store, ticket_id).ticket.conversation
    with store.write() as conn:
        store.append(conn, conversation_id, "customer", CustomerMessage(text, "m"))
        desk.heard(store, conn, ticket_id)


def order(store: Store) -> list[int]:
    """The tickets that wait, the next one first."""
    return [ticket.id for ticket in desk.queue(store, "waiting", limit=1000)]


def kinds(store: Store, ticket_id: int) -> list[str]:
    """What happened in the ticket's conversation."""
    return [event.kind for event in desk.ticket(store, ticket_id).transcript]
