"""What helps an agent: passages for the customer's last words, canned replies filled in, what was before, a draft of
the article that was missing. By the API and by the desk's pages."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from desk_shop import PASSWORD, sign_in
from flask import Flask
from flask.testing import FlaskClient
from moving import Clock
from quiet import quiet

from botkit import accounts, corpus, desk, language
from botkit.accounts import Agent
from botkit.index import Live
from botkit.server import create_app
from botkit.store import Store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(live: Live, store: Store) -> Flask:
    return create_app(index=live, store=store, settings=quiet())


@dataclass
class Customer:
    """Somebody in a chat, by the customer's own API."""

    app: Flask
    lang: str = "en"

    def __post_init__(self) -> None:
        begun = self.app.test_client().post("/api/v1/conversations", json={"lang": self.lang, "page": "/cart"}).json
        assert begun is not None
        self.id, self.headers = begun["id"], {"Authorization": f"Bearer {begun['token']}"}

    def _post(self, what: str, body: dict[str, Any]) -> None:
        address = f"/api/v1/conversations/{self.id}/{what}"
        assert self.app.test_client().post(address, json=body, headers=self.headers).status_code == 200

    def say(self, *texts: str) -> Customer:
        for text in texts:
            self._post("messages", {"client_id": str(uuid.uuid4()), "text": text})
        return self

    def person(self) -> Customer:
        self._post("handoff", {})
        return self

    @property
    def ticket(self) -> int:
        tickets = desk.queue(self.app.extensions["botkit"].store, limit=500)
        return max(t.id for t in tickets if t.conversation == self.id)


@pytest.fixture
def customer(app: Flask) -> Callable[..., Customer]:
    return lambda *texts, lang="en": Customer(app, lang).say(*texts).person()


@pytest.fixture
def ask(app: Flask, store: Store, sara: Agent) -> Callable[..., Any]:
    bearer = {"Authorization": f"Bearer {accounts.issue_token(store, 'Sara')}"}

    def get(ticket: int, **query: str) -> Any:
        answer = app.test_client().get(f"/api/v1/desk/tickets/{ticket}/assist", query_string=query, headers=bearer)
        return answer.json if answer.status_code == 200 else answer.status_code

    return get


# ---------------------------------------------------------------- passages


def test_the_customer_s_last_words_are_searched_for(customer: Callable[..., Customer], ask: Callable[..., Any]) -> None:
    """As they come in; greetings and the wish for a person say nothing, so the words before them still count."""
    someone = customer("Where is my order?")
    first = ask(someone.ticket)
    assert (first["query"], first["lang"]) == ("Where is my order?", "en")
    assert first["candidates"][0]["article"] == "orders/track-order"
    assert first["candidates"][0]["confidence"] > 0.5
    someone.say("When will I get my refund?")
    assert ask(someone.ticket)["candidates"][0]["article"] == "returns/refund-time"
    someone.say("hello?", "thank you", "I want to talk to a person", "…")
    assert ask(someone.ticket)["query"] == "When will I get my refund?"


def test_words_that_lean_are_read_with_the_turn_before(
    customer: Callable[..., Customer], ask: Callable[..., Any]
) -> None:
    """By themselves they would mean nothing."""
    someone = customer("How do I return something?")
    someone.say("and how long does that take?")
    result = ask(someone.ticket)
    assert result["query"] == "and how long does that take?"
    assert any(each["article"].startswith("returns/") for each in result["candidates"][:2])


def test_who_said_nothing_gets_no_passages_and_all_canned_replies(
    customer: Callable[..., Customer], ask: Callable[..., Any]
) -> None:
    result = ask(customer().ticket)
    assert (result["query"], result["candidates"]) == (None, [])
    assert [each["id"] for each in result["replies"]] == ["sent", "thanks"]


def test_passages_come_in_the_customer_s_language_or_are_labelled(
    customer: Callable[..., Customer], ask: Callable[..., Any]
) -> None:
    """An agent may search in any language; where there is no translation, the article's own language is told."""
    someone = customer("أين طلبي؟", lang="ar")
    assert {"article": "orders/track-order", "lang": "ar"}.items() <= ask(someone.ticket)["candidates"][0].items()
    assert ask(someone.ticket, q="where is my order")["candidates"][0]["lang"] == "ar"
    only_english = ask(someone.ticket, q="Can I cancel my order?")["candidates"][0]
    assert (only_english["article"], only_english["lang"]) == ("orders/cancel-order", "en")


def test_articles_for_agents_are_found_at_the_desk_alone(
    app: Flask, customer: Callable[..., Customer], ask: Callable[..., Any]
) -> None:
    """`audience: agent`: suggested here, never shown to customers."""
    words = "book a refund in the till"
    first = ask(customer("hello").ticket, q=words)["candidates"][0]
    assert (first["article"], first["audience"]) == ("returns/staff", "agent")
    public = app.test_client().get("/api/v1/search", query_string={"q": words}).json
    assert public is not None
    assert "returns/staff" not in {hit["article"] for hit in public["hits"]}


def test_an_article_for_agents_is_read_and_not_sent(
    browser_of_sara: FlaskClient, store: Store, sara: Agent, customer: Callable[..., Customer]
) -> None:
    """It is labelled, has no link to insert it, and names no verdict."""
    ticket = customer("How do I book a refund in the till?").ticket
    desk.claim(store, ticket, sara)
    page = browser_of_sara.get(f"/desk/tickets/{ticket}").text
    assert "For colleagues only: open the till" in page
    assert language.messages("en")["desk.team_only"] in page
    assert "insert=returns/staff" not in page
    assert 'value="article:returns/staff"' not in page
    inserted = browser_of_sara.get(f"/desk/tickets/{ticket}?insert=returns/staff").text
    area = re.search(r'<textarea id="reply"[^>]*>([^<]*)</textarea>', inserted)
    assert area is not None
    assert area[1] == ""


def test_assist_is_for_agents_and_their_tickets(app: Flask, customer: Callable[..., Customer], ask: Any) -> None:
    someone = customer("Where is my order?")
    address = f"/api/v1/desk/tickets/{someone.ticket}/assist"
    assert app.test_client().get(address).status_code == 401
    assert app.test_client().get(address, headers=someone.headers).status_code == 401
    assert ask(someone.ticket + 1) == 404
    assert ask(someone.ticket, q="x" * 5000) == 400
    assert ask(someone.ticket, other="x") == 400


@pytest.mark.parametrize("typed", ["…", "   ", "\u200b", "<script>", "'; drop table ticket; --", "🙂", "/\\", "%00"])
def test_whatever_is_searched_for_is_answered(
    typed: str, customer: Callable[..., Customer], ask: Callable[..., Any]
) -> None:
    assert ask(customer("Where is my order?").ticket, q=typed)["lang"] == "en"


# ---------------------------------------------------------------- canned replies


def test_canned_replies_come_filled_in(customer: Callable[..., Customer], ask: Callable[..., Any]) -> None:
    """With the agent, the shop and the order that the customer named last; what nobody knows stays in its braces."""
    someone = customer("Order LZ-10423 is late", "sorry, it is lz-20418")
    texts = {each["id"]: each["text"] for each in ask(someone.ticket)["replies"]}
    assert texts == {
        "thanks": "Thank you for waiting. This is Sara.",
        "sent": "Order LZ-20418 is with the courier. We are here Monday to Friday, 9 am to 5 pm, "
        "and {customer} may write any time.",
    }
    assert "Order {order} is" in {each["id"]: each["text"] for each in ask(customer("hi").ticket)["replies"]}["sent"]


@pytest.mark.parametrize(
    ("said", "order"),
    [
        ("LZ-10423", "LZ-10423"),
        ("my order #4711 please", "#4711"),
        ("طلبي LZ-٢٠٤١٨ تأخر", "LZ-20418"),
        ("سفارش LZ-۲۰۴۱۸", "LZ-20418"),
        ("call 020 7946 0150", None),
        ("since 2024-11-20", None),
        ("for 3 weeks", None),
    ],
)
def test_an_order_number_is_told_from_other_numbers(
    said: str, order: str | None, customer: Callable[..., Customer], ask: Callable[..., Any]
) -> None:
    result = {each["id"]: each["text"] for each in ask(customer(said).ticket, q="/sent")["replies"]}
    assert (order or "{order}") in result["sent"]


def test_a_slash_finds_shortcuts_and_words_find_texts(
    customer: Callable[..., Customer], ask: Callable[..., Any]
) -> None:
    ticket = customer("Where is my order?").ticket

    def ids(q: str) -> list[str]:
        return [each["id"] for each in ask(ticket, q=q)["replies"]]

    assert ids("/") == ["sent", "thanks"]
    assert ids("/th") == ids("/THANKS") == ids("/wait") == ["thanks"]
    assert ids("/nothing") == []
    assert ids("courier order") == ["sent"]
    assert ids("marmalade") == []
    assert ask(ticket, q="/th")["candidates"] == []


def test_canned_replies_come_in_the_customer_s_language(
    customer: Callable[..., Customer], ask: Callable[..., Any]
) -> None:
    result = ask(customer("أين طلبي؟", lang="ar").ticket, q="/")["replies"]
    assert {(each["id"], each["lang"], each["shortcut"]) for each in result} == {
        ("sent", "ar", "/أرسل"),
        ("thanks", "ar", "/شكرا"),
    }


# ---------------------------------------------------------------- the page


@pytest.fixture
def browser_of_sara(app: Flask, sara: Agent) -> FlaskClient:
    client = app.test_client()
    sign_in(client)
    return client


def test_the_page_has_passages_canned_replies_and_a_search_without_a_script(
    browser_of_sara: FlaskClient, store: Store, sara: Agent, customer: Callable[..., Customer]
) -> None:
    """Each is a link that brings the page again with the text in the reply."""
    ticket = customer("Where is my order?").ticket
    desk.claim(store, ticket, sara)
    address = f"/desk/tickets/{ticket}"

    def reply(query: str) -> str:
        text = re.search(r'<textarea id="reply"[^>]*>([^<]*)</textarea>', browser_of_sara.get(address + query).text)
        assert text is not None
        return text[1]

    page = browser_of_sara.get(address).text
    assert f'href="{address}?insert=orders/track-order#reply"' in page
    assert f'href="{address}?canned=thanks#reply"' in page
    assert reply("") == ""
    assert reply("?canned=thanks") == "Thank you for waiting. This is Sara."
    assert reply("?insert=orders/track-order").strip()
    assert reply("?insert=nothing&canned=") == ""
    text = browser_of_sara.get(address + "?q=refund").text
    assert 'data-found="refund"' in text
    assert f'href="{address}?insert=returns/refund-time#reply"' in text
    assert reply("?insert=returns/refund-time").strip()


def test_the_page_is_not_searched_for_again_while_nothing_changes(
    browser_of_sara: FlaskClient, customer: Callable[..., Customer]
) -> None:
    """What was sent before is answered with 304 until the customer says something."""
    someone = customer("Where is my order?")
    address = f"/desk/tickets/{someone.ticket}"
    tag = browser_of_sara.get(address).headers["ETag"]
    same = browser_of_sara.get(address, headers={"If-None-Match": tag})
    assert (same.status_code, same.headers["ETag"], same.data) == (304, tag, b"")
    someone.say("When will I get my refund?")
    fresh = browser_of_sara.get(address, headers={"If-None-Match": tag})
    assert fresh.status_code == 200
    assert "returns/refund-time" in fresh.text


def test_the_handover_context_names_earlier_conversations(
    browser_of_sara: FlaskClient, store: Store, clock: Clock, sara: Agent, customer: Callable[..., Customer]
) -> None:
    someone = customer("Where is my order?")
    first = someone.ticket
    desk.claim(store, first, sara)
    desk.close(store, first, sara, "solved", "orders/track-order", tags=["late"])
    clock.forward(days=1)
    someone.say("It is broken").person()
    assert someone.ticket != first
    sign_in(browser_of_sara)  # another day
    page = browser_of_sara.get(f"/desk/tickets/{someone.ticket}").text
    assert f'<li><div><a href="/desk/tickets/{first}">' in page
    assert f'<li><a href="/desk/tickets/{first}">' not in browser_of_sara.get(f"/desk/tickets/{first}").text
    assert "#late" in page


def test_the_handover_context_tells_what_the_assistant_dealt_with_alone(
    browser_of_sara: FlaskClient, clock: Clock, customer: Callable[..., Customer], app: Flask
) -> None:
    """An earlier question, how it ended and with which article; not the matter of this ticket."""
    someone = Customer(app).say("Where is my order?")
    clock.forward(days=2)
    someone.say("How do I return something?").person()
    sign_in(browser_of_sara)  # another day
    page = browser_of_sara.get(f"/desk/tickets/{someone.ticket}").text
    earlier = page[page.index('class="earlier"') : page.index('id="assist"')]
    assert "<q dir=\"auto\">Where is my order?</q>" in earlier
    assert language.messages("en")["desk.matter_assumed"] in earlier
    assert "return something" not in earlier


def test_an_agent_s_chats_stand_beside_with_what_is_unanswered(
    browser_of_sara: FlaskClient, store: Store, sara: Agent, customer: Callable[..., Customer]
) -> None:
    """Counted from the agent's own last words; a colleague's chats and closed ones are not there."""
    one, other, gone = (customer(text) for text in ("Where is my order?", "My refund?", "An invoice, please"))
    for someone in (one, other, gone):
        desk.claim(store, someone.ticket, sara)
    desk.close(store, gone.ticket, sara, "solved")
    desk.say(store, one.ticket, sara, "a-client-id", "One moment.")
    other.say("Are you there?")
    assert [(chat.ticket, len(chat.unanswered)) for chat in desk.chats(store, sara)] == [
        (one.ticket, 0),
        (other.ticket, 2),
    ]
    page = browser_of_sara.get(f"/desk/tickets/{one.ticket}").text
    assert f'data-chat="{other.ticket}"' in page
    assert f'data-chat="{gone.ticket}"' not in page
    omid = accounts.add_agent(store, "Omid", "agent", PASSWORD)
    assert desk.chats(store, omid) == []


@pytest.mark.parametrize(
    ("form", "article", "missing"),
    [
        ({"verdict": "article:orders/track-order"}, "orders/track-order", False),
        ({"verdict": "article:none"}, "none", False),
        ({"verdict": "none"}, None, True),
        ({"verdict": "other", "article": "returns/refund-time"}, "returns/refund-time", False),
        ({"verdict": "", "article": "returns/refund-time"}, None, False),
        ({"article": "returns/refund-time"}, "returns/refund-time", False),
        ({}, None, False),
    ],
)
def test_a_verdict_is_one_click(
    form: dict[str, str],
    article: str | None,
    missing: bool,
    browser_of_sara: FlaskClient,
    store: Store,
    sara: Agent,
    customer: Callable[..., Customer],
) -> None:
    """On an article, on "none", on another one, or on nothing: four different things in the record."""
    ticket = customer("Where is my order?").ticket
    desk.claim(store, ticket, sara)
    tags = {"tags": "late, courier،  vip"}
    browser_of_sara.post(f"/desk/tickets/{ticket}/close", data={"outcome": "solved", **tags, **form})
    handover = desk.ticket(store, ticket)
    closing = handover.transcript[-1]
    assert closing.kind == "ticket.closed"
    assert handover.ticket.article == closing.data.article == article
    assert closing.data.no_article is missing
    assert closing.data.tags == ("late", "courier", "vip")


def test_a_missing_article_leads_to_a_draft(
    browser_of_sara: FlaskClient, store: Store, sara: Agent, customer: Callable[..., Customer], tmp_path: Path
) -> None:
    """With the customer's words as phrasings and the agent's as its body, without what names the customer, and read
    by `botkit check` as it is."""
    someone = customer("hello", 'Do you engrave the "LZ-10423" bowls?', "call me: 020 7946 0150, mina@mail.example")
    ticket = someone.ticket
    desk.claim(store, ticket, sara)
    desk.say(store, ticket, sara, "a-client-id", "Yes, up to twelve letters.\n\nIt takes three days.")
    desk.note(store, ticket, sara, "Secret")
    address = f"/desk/tickets/{ticket}"
    assert f'href="{address}/draft.md"' not in browser_of_sara.get(address).text
    done = browser_of_sara.post(f"{address}/close", data={"outcome": "solved", "verdict": "none"})
    assert done.location == address
    assert f'href="{address}/draft.md"' in browser_of_sara.get(address).text
    draft = browser_of_sara.get(f"{address}/draft.md")
    assert draft.headers["Content-Disposition"] == f'attachment; filename="ticket-{ticket}.md"'
    (tmp_path / "en").mkdir()
    (tmp_path / "en/new.md").write_bytes(draft.data)
    result, text = corpus.check(tmp_path)
    assert text == []
    assert result is not None
    assert result.articles[0].title == 'Do you engrave the "…" bowls?'
    assert result.articles[0].questions == ("call me: …, …",)
    assert result.articles[0].text == "Yes, up to twelve letters.\nIt takes three days."
    assert "Secret" not in draft.text


def test_a_draft_has_this_ticket_s_words_alone(
    store: Store, clock: Clock, sara: Agent, customer: Callable[..., Customer]
) -> None:
    """Not those of an earlier ticket nor what was asked since; those after it was opened again are its own."""
    someone = customer("Where is my order?")
    first = someone.ticket
    desk.claim(store, first, sara)
    desk.close(store, first, sara, "solved")
    clock.forward(days=1)
    second = someone.say("Do you engrave bowls?").person().ticket
    desk.claim(store, second, sara)
    desk.close(store, second, sara, "solved", no_article=True)
    someone.say("It still does not work")  # this opens it again
    someone.say("And spoons as well, please?")
    desk.claim(store, second, sara)
    desk.close(store, second, sara, "solved", no_article=True)
    clock.forward(days=1)
    someone.say("When will I get my refund?")
    text = desk.draft(desk.ticket(store, second).transcript, second)
    assert re.findall(r'"(.*)"', text) == ["Do you engrave bowls?", "And spoons as well, please?"]


def test_a_draft_is_for_agents(app: Flask, customer: Callable[..., Customer]) -> None:
    ticket = customer("Where is my order?").ticket
    assert app.test_client().get(f"/desk/tickets/{ticket}/draft.md").status_code == 303


# ---------------------------------------------------------------- what a ticket knows


def test_the_page_tells_what_makes_a_ticket_urgent_and_when_a_reply_is_due(
    browser_of_sara: FlaskClient, store: Store, sara: Agent, customer: Callable[..., Customer]
) -> None:
    """With the points of each reason; the clock goes once somebody has answered."""
    ticket = customer("This is outrageous, I want my money back").ticket
    address, texts = f"/desk/tickets/{ticket}", language.messages("en")
    page = browser_of_sara.get(address).text
    for name in ("priority_complaint", "priority_refund", "priority_asked", "due"):
        assert texts[f"desk.{name}"] in page, name
    assert "+20" in page
    desk.claim(store, ticket, sara)
    desk.say(store, ticket, sara, "a-client-id", "One moment.")
    assert texts["desk.due"] not in browser_of_sara.get(address).text


def test_a_ticket_waits_for_its_customer_and_stays_in_hand(
    browser_of_sara: FlaskClient, store: Store, sara: Agent, customer: Callable[..., Customer]
) -> None:
    someone = customer("Where is my order?")
    address = f"/desk/tickets/{someone.ticket}"
    desk.claim(store, someone.ticket, sara)
    assert browser_of_sara.post(f"{address}/pending").location == address
    page = browser_of_sara.get(address).text
    assert language.messages("en")["desk.event_pending"] in page
    assert f'action="{address}/messages"' in page
    assert [chat.state for chat in desk.chats(store, sara)] == ["pending"]
    someone.say("Here is the photo")
    assert language.messages("en")["desk.event_resumed"] in browser_of_sara.get(address).text


def test_a_supervisor_whispers_and_takes_over(
    app: Flask, store: Store, sara: Agent, customer: Callable[..., Customer]
) -> None:
    """From the page of a ticket that somebody else has; an agent is offered neither."""
    ticket = customer("Where is my order?").ticket
    address = f"/desk/tickets/{ticket}"
    desk.claim(store, ticket, sara)
    accounts.add_agent(store, "Boss", "supervisor", PASSWORD)
    accounts.add_agent(store, "Omid", "agent", PASSWORD)
    boss, omid = app.test_client(), app.test_client()
    for client, name in ((boss, "Boss"), (omid, "Omid")):
        client.post("/desk/login", data={"name": name, "password": PASSWORD})
    assert f'action="{address}/take"' not in omid.get(address).text
    assert 'name="whisper"' not in omid.get(address).text
    assert omid.post(f"{address}/take").status_code == 303
    assert desk.ticket(store, ticket).ticket.owner == "Sara"
    assert 'name="whisper"' in boss.get(address).text
    boss.post(f"{address}/notes", data={"text": "Offer a new one", "whisper": "1"})
    assert desk.ticket(store, ticket).transcript[-1].data.mentions == ("Sara",)
    assert f'action="{address}/take"' in boss.get(address).text
    boss.post(f"{address}/take")
    assert desk.ticket(store, ticket).ticket.owner == "Boss"
