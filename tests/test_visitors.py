"""Who comes again: a key that the browser keeps joins its conversations for the desk, and opens nothing."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from desk_shop import sign_in
from flask import Flask
from flask.testing import FlaskClient
from moving import Clock
from playwright.sync_api import Browser, expect
from quiet import quiet
from test_browser import served

from botkit import accounts, chat, desk
from botkit.accounts import Agent
from botkit.index import Live
from botkit.server import create_app
from botkit.store import Store, conversation_table

KEY, OTHER = "k" * 22, "another_key-" * 3
HOSTILE = '<b onclick="x">\u202eLeyla</b>\n {order}'


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shop_token(store: Store, sara: Agent) -> dict[str, str]:
    return {"Authorization": f"Bearer {accounts.issue_token(store, 'Sara')}"}


@pytest.fixture
def desk_page(app: Flask, sara: Agent) -> FlaskClient:
    client = app.test_client()
    sign_in(client)
    return client


class Customer:
    """Somebody in a chat, by the customer's own API."""

    def __init__(self, app: Flask, headers: Any = None, **given: Any) -> None:
        self.app = app
        begun = app.test_client().post("/api/v1/conversations", json={"lang": "en", **given}, headers=headers).json
        assert begun is not None
        self.id, self.headers = begun["id"], {"Authorization": f"Bearer {begun['token']}"}

    def says(self, text: str) -> Customer:
        body = {"client_id": str(uuid.uuid4()), "text": text}
        return self.post("messages", body)

    def post(self, what: str, body: Any) -> Customer:
        address = f"/api/v1/conversations/{self.id}/{what}"
        assert self.app.test_client().post(address, json=body, headers=self.headers).status_code == 200
        return self

    @property
    def ticket(self) -> int:
        tickets = desk.queue(self.app.extensions["botkit"].store, limit=500)
        return max(t.id for t in tickets if t.conversation == self.id)


def test_the_desk_knows_what_came_from_the_same_browser(
    app: Flask, store: Store, clock: Clock, sara: Agent, shop_token: dict[str, str], desk_page: FlaskClient
) -> None:
    first = Customer(app, visitor=KEY).says("My copper pan is dented <i>badly</i>").post("handoff", {})
    desk.claim(store, first.ticket, sara)
    desk.close(store, first.ticket, sara, "solved")
    clock.forward(days=2)
    second = Customer(app, visitor=KEY).says("hello")
    Customer(app, visitor=OTHER).says("somebody else's words").post("handoff", {})
    Customer(app).says("a nameless one's words").post("handoff", {})
    clock.forward(hours=1)
    third = Customer(app, visitor=KEY).says("It is dented again").post("handoff", {})
    clock.forward(seconds=1)
    Customer(app, visitor=KEY).says("a later one").post("handoff", {})
    handover = app.test_client().get(f"/api/v1/desk/tickets/{third.ticket}", headers=shop_token).json
    assert handover is not None
    assert [(each["conversation"], each["ticket"], each["outcome"], each["owner"]) for each in handover["earlier"]] == [
        (second.id, None, None, None),
        (first.id, first.ticket, "solved", "Sara"),
    ]
    assert handover["earlier"][1]["last_text"] == "My copper pan is dented <i>badly</i>"
    assert {"reason": "came_again", "points": 10} in handover["priority"]["reasons"]
    sign_in(desk_page)  # another day
    page = desk_page.get(f"/desk/tickets/{third.ticket}").text
    assert f'<a href="/desk/tickets/{first.ticket}">' in page
    assert "My copper pan is dented &lt;i&gt;badly&lt;/i&gt;" in page
    assert "a nameless one" not in page
    assert "somebody else" not in page
    kept = hashlib.sha256(KEY.encode()).hexdigest()
    assert not any(secret in page + str(handover) for secret in (KEY, kept))


@pytest.mark.databases("sqlite", "postgresql")
def test_coming_again_counts_for_thirty_days(app: Flask, store: Store, clock: Clock, sara: Agent) -> None:
    def points() -> list[int]:
        result = Customer(app, visitor=KEY).says("Where is my order?").post("handoff", {}).ticket
        reasons = desk.ticket(store, result).ticket.priority.reasons
        return [each.points for each in reasons if each.reason == "came_again"]

    assert points() == []
    clock.forward(days=20)
    assert points() == [10]
    clock.forward(days=20)
    assert points() == [10]
    assert points() == [20]
    clock.forward(days=31)
    assert points() == []


@pytest.mark.databases("sqlite", "postgresql")
def test_a_key_opens_nothing_and_only_its_hash_is_kept(app: Flask, store: Store) -> None:
    first = Customer(app, visitor=KEY).says("my secret words")
    second = Customer(app, visitor=KEY)
    client = app.test_client()
    address = f"/api/v1/conversations/{first.id}/events"
    assert client.get(address, headers=second.headers).status_code == 404
    assert client.get(address, headers={"Authorization": f"Bearer {KEY}"}).status_code == 404
    own = client.get(f"/api/v1/conversations/{second.id}/events", headers=second.headers)
    assert "secret" not in own.text
    with store.read() as conn:
        assert set(conn.execute(sa.select(conversation_table.c.visitor)).scalars()) == {
            hashlib.sha256(KEY.encode()).hexdigest()
        }


@pytest.mark.parametrize("key", ["short", "k" * 65, "k" * 21 + "!", "k" * 22 + "\n", "ключ" * 8, ["k" * 22], ""])
def test_what_is_no_key_is_refused(client: FlaskClient, key: Any) -> None:
    answer = client.post("/api/v1/conversations", json={"visitor": key})
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]["field"] == "visitor"


def test_a_name_is_taken_from_the_shops_own_program_alone(
    app: Flask, store: Store, sara: Agent, shop_token: dict[str, str], desk_page: FlaskClient
) -> None:
    assert app.test_client().post("/api/v1/conversations", json={"customer": "Leyla"}).status_code == 401
    wrong = {"Authorization": "Bearer nonsense"}
    refused = app.test_client().post("/api/v1/conversations", json={"customer": "Leyla"}, headers=wrong)
    assert (refused.status_code, (refused.json or {})["error"]["field"]) == (401, "customer")
    long = app.test_client().post("/api/v1/conversations", json={"customer": "L" * 81}, headers=shop_token)
    assert long.status_code == 400
    named = Customer(app, shop_token, customer=HOSTILE).says("Where is my order?").post("handoff", {})
    cleaned = '<b onclick="x">Leyla</b> order'
    assert desk.ticket(store, named.ticket).customer == cleaned
    page = desk_page.get(f"/desk/tickets/{named.ticket}").text
    assert '<bdi dir="auto">&lt;b onclick=&#34;x&#34;&gt;Leyla&lt;/b&gt; order</bdi>' in page
    assert "<b onclick" not in page
    nobody = Customer(app, shop_token, customer=" \u202e{} ").says("Hi").post("handoff", {})
    assert desk.ticket(store, nobody.ticket).customer is None
    assert "Leyla" not in str(
        app.test_client().get(f"/api/v1/conversations/{named.id}/events", headers=named.headers).json
    )


def test_the_name_fills_canned_replies(live: Live, store: Store, sara: Agent) -> None:
    started = chat.start(store, "en", customer="Leyla Demir")
    with store.write() as conn:
        ticket_id = desk.open_ticket(store, conn, started.id, "no_answer", "en", None, [])
    index = live.current()
    filled = {each.id: each.text for each in desk.assist(store, index, ticket_id, agent=sara).replies}
    empty = {each.id: each.text for each in desk.advise(index, (), "en", sara).replies}
    asking = [name for name, text in empty.items() if "{customer}" in text]
    assert asking
    for name in asking:
        assert filled[name] == empty[name].replace("{customer}", "Leyla Demir")


def test_a_database_of_the_release_before_goes_on(tmp_path: Path) -> None:
    old = Store(f"sqlite:///{tmp_path}/old.db")
    old.migrate("0004")
    at = "2026-11-20T12:00:00.000Z"
    with old.write() as conn:
        conn.execute(
            sa.text(
                "INSERT INTO conversation (id, token_hash, tags, opened_at, changed_at, last_seq)"
                " VALUES ('c1', 'x', '[]', :at, :at, 0)"
            ),
            {"at": at},
        )
    old.migrate()
    with old.write() as conn:
        ticket_id = desk.open_ticket(old, conn, "c1", "no_answer", "en", None, [])
    handover = desk.ticket(old, ticket_id)
    assert (handover.customer, handover.earlier) == (None, ())
    old.close()


@pytest.fixture
def site(live: Live, store: Store) -> Iterator[str]:
    app = create_app(index=live, store=store, settings=quiet())
    with served(app) as port:
        yield f"http://127.0.0.1:{port}"


def visitors(store: Store) -> list[str | None]:
    table = conversation_table.c
    with store.read() as conn:
        return list(conn.execute(sa.select(table.visitor).order_by(table.opened_at, table.id)).scalars())


@pytest.mark.parametrize("kept", [True, False])
def test_the_widget_keeps_a_key_where_it_may_keep_anything(
    browser: Browser, site: str, store: Store, clock: Clock, kept: bool
) -> None:
    """Two conversations, with a reload between, have one key; what else lies under its name is replaced; and a
    browser that keeps nothing has none."""
    context = browser.new_context(base_url=site)
    refuse = (
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })"
    )
    context.add_init_script(
        "localStorage.getItem('botkit.visitor') ?? localStorage.setItem('botkit.visitor', '7')" if kept else refuse
    )
    page = context.new_page()
    for number in (1, 2):
        page.goto("/widget?lang=en&page=/cart")
        page.evaluate("() => { try { localStorage.removeItem('botkit.conversation') } catch { /* refused */ } }")
        context.clear_cookies()
        page.reload()
        page.locator("#input").fill(f"Where is my order {number}?")
        page.locator("#input").press("Enter")
        expect(page.locator("#log .bot").last).to_be_visible()
        expect(page.locator("#log")).to_contain_text(f"order {number}?")
        clock.forward(seconds=1)
    result = visitors(store)
    assert len(result) == 2
    if kept:
        key = page.evaluate("JSON.parse(localStorage.getItem('botkit.visitor'))")
        assert result == [hashlib.sha256(key.encode()).hexdigest()] * 2
        assert len(key) == 24
    else:
        assert result == [None, None]
    context.close()
