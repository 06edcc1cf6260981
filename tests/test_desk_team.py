"""The desk's API for the team: presence, profiles, absences, the overview, closing in bulk, what customers rate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from quiet import quiet

from botkit import accounts, desk, language
from botkit.config import ConfigError, Settings
from botkit.index import Live
from botkit.server import create_app, options
from botkit.store import Store, iso

PASSWORD = "copper pan and cezve"


@pytest.fixture
def app(live: Live, store: Store) -> Flask:
    return create_app(index=live, store=store, settings=quiet(priority_tags="vip=30"))


Caller = Callable[..., tuple[int, Any]]


@pytest.fixture
def caller(app: Flask, store: Store) -> Callable[..., Caller]:
    """Make an agent; a function that calls the desk's API as they do."""

    def make(name: str, role: str = "agent") -> Caller:
        accounts.add_agent(store, name, role, PASSWORD)
        headers = {"Authorization": f"Bearer {accounts.issue_token(store, name)}"}

        def call(path: str, **body: Any) -> tuple[int, Any]:
            get = body.pop("get", False)
            client, address = app.test_client(), f"/api/v1/desk/{path}"
            answer = client.get(address, headers=headers) if get else client.post(address, json=body, headers=headers)
            return answer.status_code, answer.json

        return call

    return make


class Customer:
    """Somebody at the customer's API."""

    def __init__(self, client: FlaskClient, lang: str = "en", **more: Any) -> None:
        headers = more.pop("headers", {})
        begun = client.post("/api/v1/conversations", json={"lang": lang, **more}, headers=headers)
        assert begun.status_code == 201, begun.text
        assert begun.json is not None
        self.client, self.id = client, begun.json["id"]
        self.headers = {"Authorization": f"Bearer {begun.json['token']}"}

    def post(self, action: str, **body: Any) -> tuple[int, Any]:
        answer = self.client.post(f"/api/v1/conversations/{self.id}/{action}", json=body, headers=self.headers)
        return answer.status_code, answer.json

    def get(self, action: str) -> Any:
        return self.client.get(f"/api/v1/conversations/{self.id}/{action}", headers=self.headers).json


def test_presence_brings_an_offer_and_the_claim_takes_it(
    app: Flask, store: Store, caller: Callable[..., Caller]
) -> None:
    sara = caller("Sara")
    Customer(app.test_client()).post("handoff")
    status, profile = sara("presence", status="available")
    assert (status, profile["agent"], profile["present"], profile["on_duty"]) == (200, "Sara", True, True)
    desk.tick(store)
    (ticket,) = sara("tickets?state=waiting", get=True)[1]["tickets"]
    assert ticket["offered_to"] == "Sara"
    assert ticket["priority"]["reasons"][0] == {"reason": "asked", "points": 20}
    assert ticket["due_at"] > ticket["opened_at"]
    assert sara(f"tickets/{ticket['id']}/claim")[1]["offered_to"] is None
    assert sara("presence", status="sleeping")[0] == 400
    assert sara("presence")[1]["status"] == "available"
    assert app.test_client().post("/api/v1/desk/presence").status_code == 401


def test_a_browser_at_the_desk_is_present_until_it_signs_out(app: Flask, store: Store) -> None:
    accounts.add_agent(store, "Sara", "agent", PASSWORD)
    browser = app.test_client()
    browser.post("/desk/login", data={"name": "Sara", "password": PASSWORD})
    assert not desk.profile(store, "Sara").present
    browser.get("/desk")
    assert desk.profile(store, "Sara").on_duty
    browser.post("/desk/logout")
    assert not desk.profile(store, "Sara").present


def test_seats_and_absences_are_arranged_by_oneself_or_a_supervisor(
    store: Store, caller: Callable[..., Caller]
) -> None:
    sara, omid, boss = caller("Sara"), caller("Omid"), caller("Boss", "supervisor")
    arranged = {"languages": ["fa", "en"], "skills": ["refund"], "share": 2, "shifts": {"mon": ["09:00", "17:00"]}}
    status, profile = sara("agents/Sara", **arranged)
    assert status == 200
    assert {name: profile[name] for name in arranged} == arranged
    assert omid("agents/Sara", share=9)[0] == 403
    assert boss("agents/Sara", share=9)[1]["share"] == 9
    assert sara("agents/Sara", languages=["xx"])[0] == 400
    assert sara("agents/Nobody", share=1)[0] in (400, 403)
    now = store.now()
    when = {"starts_at": iso(now), "ends_at": iso(now + timedelta(hours=1))}
    assert omid("agents/Sara/absences", **when)[0] == 403
    assert sara("agents/Sara/absences", starts_at="soon", ends_at="later")[0] == 400
    status, result = sara("agents/Sara/absences", delegate="Omid", **when)
    assert status == 200
    (absence,) = result["absences"]
    assert (absence["agent"], absence["delegate"], absence["stage"]) == ("Sara", "Omid", "away")
    (profile,) = [each for each in omid("agents", get=True)[1]["agents"] if each["agent"] == "Sara"]
    assert profile["absent_until"] == when["ends_at"]
    assert omid(f"absences/{absence['id']}/end")[0] == 403
    assert sara(f"absences/{absence['id']}/end")[1]["absences"] == []
    assert sara("absences", get=True)[1]["absences"] == []
    assert sara("absences/99/end")[0] == 400


def test_the_overview_and_closing_in_bulk_are_for_supervisors(app: Flask, caller: Callable[..., Caller]) -> None:
    sara, boss = caller("Sara"), caller("Boss", "supervisor")
    for lang in ("en", "fa"):
        Customer(app.test_client(), lang).post("handoff")
    assert sara("overview", get=True)[0] == 403
    result = boss("overview", get=True)[1]
    assert result["counts"] == {"waiting": 2, "claimed": 0, "pending": 0}
    assert result["waiting"]["languages"] == {"en": 1, "fa": 1}
    ids = [ticket["id"] for ticket in boss("tickets", get=True)[1]["tickets"]]
    assert sara("tickets/close", tickets=ids, outcome="spam", reason="bots")[0] == 403
    assert boss("tickets/close", tickets=ids, outcome="spam", reason=" ")[0] == 400
    assert boss("tickets/close", tickets=[*ids, 999], outcome="spam", reason="bots")[1] == {"closed": sorted(ids)}
    line = boss(f"tickets/{ids[0]}", get=True)[1]["history"][-1]
    assert (line["change"], line["actor"], line["note"]) == ("closed", "agent:Boss", "bots")


def test_a_ticket_waits_for_its_customer_and_closes_with_a_verdict_through_the_api(
    app: Flask, caller: Callable[..., Caller]
) -> None:
    sara, boss = caller("Sara"), caller("Boss", "supervisor")
    customer = Customer(app.test_client())
    customer.post("handoff")
    (ticket,) = sara("tickets", get=True)[1]["tickets"]
    address = f"tickets/{ticket['id']}"
    assert sara(f"{address}/pending")[0] == 409
    sara(f"{address}/claim")
    assert sara(f"{address}/pending")[1]["state"] == "pending"
    assert [each["id"] for each in sara("tickets?state=pending", get=True)[1]["tickets"]] == [ticket["id"]]
    customer.post("messages", client_id="m1", text="here I am")
    assert sara(address, get=True)[1]["state"] == "claimed"
    assert boss(f"{address}/notes", text="Be generous", whisper=True)[1]["event"]["data"]["mentions"] == ["Sara"]
    assert sara(f"{address}/close", outcome="solved", article="a", no_article=True)[0] == 400
    closed = sara(f"{address}/close", outcome="solved", no_article=True, tags=["press"])[1]
    assert (closed["state"], closed["no_article"], closed["tags"]) == ("closed", True, ["press"])


def test_a_customer_is_asked_once_in_their_language(
    app: Flask, caller: Callable[..., Caller], lang: str
) -> None:
    sara = caller("Sara")
    customer = Customer(app.test_client(), lang)
    begun = customer.get("satisfaction")
    spoken = lang if lang in ("en", "ar", "fa") else "en"  # this shop has no other
    assert (begun["ask"], begun["given"], begun["lang"]) == (False, None, spoken)
    assert customer.post("satisfaction", score=5)[1]["error"]["code"] == "nothing_closed"
    customer.post("handoff")
    (ticket,) = sara("tickets?state=waiting", get=True)[1]["tickets"]
    sara(f"tickets/{ticket['id']}/claim")
    sara(f"tickets/{ticket['id']}/close", outcome="solved")
    assert customer.get("events")["events"][-1]["data"] == {"ask": "satisfaction"}
    asked = customer.get("satisfaction")
    assert asked["ask"] is True
    assert asked["texts"]["question"] == language.messages(spoken)["widget.rate_question"]
    assert len(asked["texts"]["scores"]) == 5
    assert customer.post("satisfaction", score=0)[0] == 400
    value = {"score": 4, "comment": "<b>fine</b>"}
    assert [customer.post("satisfaction", **value) for _ in range(2)] == [(200, value)] * 2
    status, refused = customer.post("satisfaction", score=1)
    assert (status, refused["error"]["code"]) == (409, "already_rated")
    result = customer.get("satisfaction")
    assert (result["ask"], result["given"]) == (False, value)
    assert sara(f"tickets/{ticket['id']}", get=True)[1]["satisfaction"]["score"] == 4
    stranger = app.test_client()
    assert stranger.get(f"/api/v1/conversations/{customer.id}/satisfaction").status_code == 401


def test_tags_are_believed_with_an_agents_token_alone(
    app: Flask, store: Store, caller: Callable[..., Caller]
) -> None:
    sara = caller("Sara")
    client = app.test_client()
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        assert client.post("/api/v1/conversations", json={"tags": ["vip"]}, headers=headers).status_code == 401
    shop = {"Authorization": f"Bearer {accounts.issue_token(store, 'Sara')}"}
    assert client.post("/api/v1/conversations", json={"tags": ["two words"]}, headers=shop).status_code == 400
    first = Customer(client)
    first.post("handoff")
    customer = Customer(client, tags=["VIP", "new"], headers=shop)
    assert customer.post("handoff")[1]["reply"]["queue"]["position"] == 1
    tickets = sara("tickets?state=waiting", get=True)[1]["tickets"]
    assert [ticket["tags"] for ticket in tickets] == [["vip", "new"], []]
    assert {"reason": "tag", "tag": "vip", "points": 30} in tickets[0]["priority"]["reasons"]
    assert "vip" not in str(customer.get("events"))


def test_the_rules_of_the_desk_are_settings() -> None:
    rules = options.policy(Settings(priority_tags="VIP=30, press = 5,", high_priority=55, offer_seconds=0))
    assert (rules.points, rules.high, rules.offer_seconds) == ({"vip": 30, "press": 5}, 55, 0)
    assert options.policy(Settings()) == desk.Policy()
    with pytest.raises(ConfigError, match=r"invalid priority tag 'vip': expected NAME=POINTS"):
        options.policy(Settings(priority_tags="vip"))


# ---------------------------------------------------------------- the supervisor's page


def signed_in(app: Flask, name: str) -> FlaskClient:
    browser = app.test_client()
    assert browser.post("/desk/login", data={"name": name, "password": PASSWORD}).status_code == 303
    return browser


def test_the_supervisors_page_shows_the_desk_in_every_language(
    app: Flask, store: Store, caller: Callable[..., Caller], lang: str
) -> None:
    sara, _ = caller("Sara"), caller("Boss", "supervisor")
    customer = Customer(app.test_client())
    customer.post("messages", client_id="m1", text="<b>I want to complain</b>")
    customer.post("handoff")
    sara("presence", status="available")
    page = signed_in(app, "Boss").get(f"/desk/overview?lang={lang}").text
    words = language.messages(lang)
    for key in ("overview", "team", "team_on", "group_next", "take_over", "priority_complaint"):
        assert words[f"desk.{key}"] in page, key
    assert "Sara" in page
    assert "&lt;b&gt;I want to complain" in page


def test_a_supervisor_takes_passes_on_and_closes_what_is_ticked(
    app: Flask, store: Store, caller: Callable[..., Caller]
) -> None:
    caller("Sara")
    caller("Boss", "supervisor")
    for _ in range(3):
        Customer(app.test_client()).post("handoff")
    one, two, three = (ticket.id for ticket in desk.queue(store))
    boss = signed_in(app, "Boss")
    words = language.messages("en")

    def told(action: str, **form: Any) -> str:
        return boss.post(f"/desk/overview/{action}", data=form, follow_redirects=True).text

    assert words["desk.tick_some"] in told("take")
    told("take", ticket=[one])
    told("pass_on", ticket=[two, three], to="Sara")
    assert [desk.ticket(store, each).ticket.owner for each in (one, two, three)] == ["Boss", "Sara", "Sara"]
    assert words["desk.some_not_done.one"].format(n=1) in told("pass_on", ticket=[one], to="Nobody")
    assert words["desk.give_reason"] in told("close", ticket=[one], outcome="spam", reason=" ")
    told("close", ticket=[one, two, "x", 10**12], outcome="spam", reason="bots")
    assert [desk.ticket(store, each).ticket.state for each in (one, two, three)] == ["closed", "closed", "claimed"]
    assert words["desk.some_not_done.one"].format(n=1) in told("close", ticket=[two], outcome="spam", reason="bots")


def test_the_supervisors_page_is_for_supervisors(app: Flask, caller: Callable[..., Caller]) -> None:
    caller("Sara")
    caller("Boss", "supervisor")
    assert app.test_client().get("/desk/overview").status_code == 303
    sara = signed_in(app, "Sara")
    assert sara.get("/desk/overview").status_code == 403
    assert sara.post("/desk/overview/close").status_code == 403
    assert "/desk/overview" not in sara.get("/desk").text
    assert "/desk/overview" in signed_in(app, "Boss").get("/desk").text
