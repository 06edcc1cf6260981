"""The customer's API over HTTP, with a real index and a real database; every answer fits its published model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from botkit.server.customer import schemas
from botkit.server.http import models

DOCUMENT = Path(__file__).parent.parent / "docs" / "http-api.md"


class Customer:
    """A conversation from the customer's side."""

    def __init__(self, client: FlaskClient, **begun: Any) -> None:
        response = client.post("/api/v1/conversations", json=begun)
        assert response.status_code == 201
        started = schemas.Started.model_validate(response.json)
        self.client, self.id, self.token, self.sent = client, started.id, started.token, 0

    def post(self, what: str, body: dict[str, Any] | None = None, token: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        return self.client.post(f"/api/v1/conversations/{self.id}/{what}", json=body or {}, headers=headers)

    def says(self, text: str, client_id: str | None = None, **more: Any) -> schemas.Turn:
        self.sent += 1
        body = {"client_id": client_id or f"message-{self.sent:04}", "text": text, **more}
        response = self.post("messages", body)
        assert response.status_code == 200, response.json
        return schemas.Turn.model_validate(response.json)

    def events(self, after: int = 0) -> schemas.Events:
        response = self.client.get(
            f"/api/v1/conversations/{self.id}/events?after={after}",
            headers={"Authorization": f"Bearer {self.token}"},
        )
        assert response.status_code == 200
        return schemas.Events.model_validate(response.json)


def ask(client: FlaskClient, text: str, **more: Any) -> schemas.Reply:
    response = client.post("/api/v1/ask", json={"text": text, **more})
    assert response.status_code == 200
    return schemas.Reply.model_validate(response.json)


def test_a_question_finds_its_article(client: FlaskClient) -> None:
    reply = ask(client, "where is my order", lang="en")
    assert reply.article == "orders/track-order"
    assert reply.kind in ("answer", "clarify")
    assert reply.options[0].article == "orders/track-order"
    assert 0 <= (reply.confidence or 0) <= 1


def test_a_question_in_arabic_is_answered_in_arabic(client: FlaskClient) -> None:
    reply = ask(client, "أين طلبي؟", lang="ar")
    assert (reply.article, reply.lang, reply.direction) == ("orders/track-order", "ar", "rtl")


def test_asking_for_a_person_is_granted_without_a_conversation_too(client: FlaskClient) -> None:
    reply = ask(client, "I want to talk to a human", lang="en")
    assert (reply.kind, reply.reason) == ("handoff", "customer_request")


def test_a_question_may_lean_on_the_turn_before(client: FlaskClient) -> None:
    first = ask(client, "how do I return something", lang="en")
    assert first.understood is None
    before = {"text": "how do I return something", "article": first.article, "lang": first.lang}
    reply = ask(client, "and how long do I have?", lang="en", before=before)
    assert reply.article == first.article
    assert reply.understood == "how do I return something and how long do I have?"
    picked = ask(client, "the second one", before={"text": "x", "options": ["orders/track-order", first.article]})
    assert (picked.kind, picked.article, picked.confidence) == ("answer", first.article, None)


@pytest.mark.parametrize(
    ("before", "field"),
    [
        ({}, "before.text"),
        ({"text": ""}, "before.text"),
        ({"text": "x" * 4001}, "before.text"),
        ({"text": "x", "lang": "tlh"}, "before.lang"),
        ({"text": "x", "options": ["a"] * 11}, "before.options"),
        ({"text": "x", "options": "a"}, "before.options"),
        ({"text": "x", "titel": "a"}, "before.titel"),
        ("x", "before"),
    ],
)
def test_a_turn_before_that_is_none_is_400(client: FlaskClient, before: Any, field: str) -> None:
    response = client.post("/api/v1/ask", json={"text": "and then?", "before": before})
    assert response.status_code == 400
    assert models.ErrorBody.model_validate(response.json).error.field == field


def test_agents_articles_are_not_for_customers(client: FlaskClient) -> None:
    reply = ask(client, "manual refund steps, refund override code", lang="en")
    assert "returns/staff" not in [option.article for option in reply.options]
    assert client.get("/help/en/returns/staff").status_code == 404
    result = client.get("/api/v1/search?q=refund+override+code").json
    assert result is not None
    assert "returns/staff" not in [hit["article"] for hit in result["hits"]]


def test_a_language_tag_with_a_region_is_its_language(client: FlaskClient) -> None:
    assert ask(client, "where is my order", lang="en-GB").lang == "en"


def test_a_conversation_keeps_what_was_said(client: FlaskClient) -> None:
    customer = Customer(client, lang="en", page="/orders/12?name=Ada")
    turn = customer.says("where is my order")
    assert turn.reply is not None
    assert turn.message is not None
    assert turn.message.text == "where is my order"
    assert turn.reply.to == turn.message.seq
    events = customer.events()
    assert [event.kind for event in events.events][-2:] == ["message", "reply"]
    assert events.last == turn.reply.seq
    assert customer.events(after=events.last).events == []
    assert [event.seq for event in customer.events(after=turn.message.seq).events] == [turn.reply.seq]


def test_a_message_sent_twice_is_stored_once(client: FlaskClient) -> None:
    customer = Customer(client, lang="en")
    first = customer.says("where is my order", client_id="the-same-id")
    again = customer.says("quite another text", client_id="the-same-id")
    assert again == first
    assert [event.kind for event in customer.events().events].count("message") == 1


def test_a_person_can_always_be_had(client: FlaskClient) -> None:
    customer = Customer(client, lang="en")
    customer.says("where is my order")
    turn = schemas.Turn.model_validate(customer.post("handoff").json)
    assert turn.reply is not None
    assert turn.reply.kind == "handoff"
    assert turn.reply.queue is not None
    assert turn.reply.queue.position == 1
    assert turn.reply.queue.email == "help@shop.example"
    assert customer.says("are you there?").reply is None, "the bot is silent while a person is awaited"


def test_an_answer_that_did_not_help_leads_on(client: FlaskClient) -> None:
    customer = Customer(client, lang="en")
    reply = customer.says("Where is my order?", choice="orders/track-order").reply
    assert reply is not None
    assert reply.kind == "answer"
    noted = schemas.Feedback.model_validate(customer.post("feedback", {"reply_id": reply.id, "helpful": False}).json)
    assert noted.reply is not None
    assert noted.reply.kind in ("clarify", "handoff")


def test_a_choice_answers_exactly_that_article(client: FlaskClient) -> None:
    reply = Customer(client, lang="en").says("How do I get an invoice?", choice="orders/invoice").reply
    assert reply is not None
    assert (reply.kind, reply.article) == ("answer", "orders/invoice")


def test_feedback_on_what_was_never_said_is_404(client: FlaskClient) -> None:
    response = Customer(client).post("feedback", {"reply_id": "r999", "helpful": True})
    assert response.status_code == 404
    assert response.json["error"]["field"] == "reply_id"


@pytest.mark.parametrize("what", ["messages", "feedback", "handoff"])
def test_only_the_token_opens_a_conversation(client: FlaskClient, what: str) -> None:
    """A wrong token and an unknown conversation look the same."""
    mine, other = Customer(client), Customer(client)
    bodies = {
        "messages": {"client_id": "message-0001", "text": "hi"},
        "feedback": {"reply_id": "r1", "helpful": True},
    }
    body = bodies.get(what, {})
    wrong = mine.post(what, body, token=other.token)
    mine.id = "0" * 32
    unknown = mine.post(what, body)
    assert wrong.status_code == unknown.status_code == 404
    assert wrong.json == unknown.json
    bare = client.post(f"/api/v1/conversations/{other.id}/{what}", json=body)
    assert bare.status_code == 401
    assert bare.headers["WWW-Authenticate"] == "Bearer"


def test_events_need_the_token_too(client: FlaskClient) -> None:
    mine, other = Customer(client), Customer(client)
    address = f"/api/v1/conversations/{mine.id}/events"
    assert client.get(address).status_code == 401
    assert client.get(address, headers={"Authorization": f"Bearer {other.token}"}).status_code == 404


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "99999999999999999999", ""])
def test_a_position_that_is_none_is_400(client: FlaskClient, after: str) -> None:
    mine = Customer(client)
    response = client.get(
        f"/api/v1/conversations/{mine.id}/events?after={after}", headers={"Authorization": f"Bearer {mine.token}"}
    )
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["error"]["field"] == "after"


def test_a_text_that_is_too_long_or_empty_says_so(client: FlaskClient) -> None:
    for text, code in (("", "empty"), (" \u200b ", "empty"), ("a" * 4001, "too_long")):
        response = client.post("/api/v1/ask", json={"text": text})
        assert response.status_code == 400
        assert response.json is not None
        assert (response.json["error"]["code"], response.json["error"]["field"]) == (code, "text")


def test_search_gives_the_words_that_match(client: FlaskClient) -> None:
    result = schemas.SearchResult.model_validate(client.get("/api/v1/search?q=print+the+label&lang=en").json)
    first = result.hits[0]
    assert first.article == "returns/how-to-return"
    assert first.match == "good"
    assert first.url.startswith("/help/en/returns/how-to-return")
    marked = {first.snippet[mark.start : mark.end].lower() for mark in first.marks}
    assert "label" in marked


def test_search_says_when_nothing_fits(client: FlaskClient) -> None:
    result = schemas.SearchResult.model_validate(client.get("/api/v1/search?q=xqzvbw+kjhgf&lang=en").json)
    assert all(hit.match != "good" for hit in result.hits)


def test_search_of_one_language_has_no_other(client: FlaskClient) -> None:
    result = schemas.SearchResult.model_validate(client.get("/api/v1/search?q=refund&lang=ar").json)
    assert {hit.lang for hit in result.hits} <= {"ar"}


def test_suggestions_begin_like_the_words_typed(client: FlaskClient) -> None:
    result = schemas.Suggestions.model_validate(client.get("/api/v1/suggest?q=where+is&lang=en").json)
    assert any(one.text == "Where is my order?" for one in result.suggestions)
    assert client.get("/api/v1/suggest?q=&lang=en").json == {"suggestions": []}
    assert client.get("/api/v1/suggest?lang=en").status_code == 400


def test_the_document_names_every_route_and_no_other(app: Flask) -> None:
    """docs/http-api.md and the routes are the same list."""
    text = DOCUMENT.read_text(encoding="utf-8")
    result = set(re.findall(r"^#+ `(GET|POST) (/api/v1/[^`?]+)", text, flags=re.MULTILINE))
    routes = {
        (method, re.sub(r"<(?:[^:>]+:)?([^>]+)>", "{id}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
        for method in (rule.methods or set()) & {"GET", "POST"}
    }
    assert {(method, re.sub(r"\{[^}]+\}", "{id}", path)) for method, path in result} == routes


def test_the_documents_examples_work(client: FlaskClient) -> None:
    """Every curl of a customer's route, run in order against the application."""
    text = DOCUMENT.read_text(encoding="utf-8")
    known: dict[str, str] = {}
    ran = 0
    for example in re.findall(r"```sh\n(curl .*?)```", text, flags=re.DOTALL):
        command = example.replace("\\\n", " ")
        for name, value in known.items():
            command = command.replace(f"${name}", value)
        address = re.search(r"http://localhost:8000(\S*?)['\"]?(?:\s|$)", command)
        assert address is not None, example
        if "/desk/" in address.group(1):
            continue
        body = re.search(r"-d '(.*?)'", command, flags=re.DOTALL)
        headers = dict(re.findall(r"-H ['\"]([^:'\"]+): ([^'\"]+)['\"]", command))
        response = client.open(
            address.group(1), method="POST" if body else "GET", data=body.group(1) if body else None, headers=headers
        )
        assert response.status_code in (200, 201), (example, response.get_data(as_text=True))
        result = response.json or {}
        if "token" in result:
            known |= {"ID": result["id"], "TOKEN": result["token"]}
        if result.get("reply"):
            known["REPLY"] = result["reply"]["id"]
        ran += 1
    assert ran >= 8
