"""The page of a place at the desk, by forms alone: breaks, languages, load, and absences in whole days."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_shop import Clock, handed_over
from flask import Flask
from flask.testing import FlaskClient

from botkit import desk, language, people
from botkit.index import Live
from botkit.server import create_app
from botkit.store import Store

PASSWORD = "copper pan and cezve"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/record.db", clock=clock)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def app(live: Live, store: Store) -> Flask:
    for name, role in (("Sara", "agent"), ("Omid", "agent"), ("Boss", "supervisor")):
        people.add_agent(store, name, role, PASSWORD)
    return create_app(index=live, store=store, rate_per_minute=0, conversations_per_hour=0, logins_per_minute=0)


def signed_in(app: Flask, name: str) -> FlaskClient:
    browser = app.test_client()
    assert browser.post("/desk/login", data={"name": name, "password": PASSWORD}).status_code == 303
    return browser


def test_a_break_stops_offers_until_the_agent_is_back(app: Flask, store: Store, lang: str) -> None:
    sara, words = signed_in(app, "Sara"), language.messages(lang)
    page = sara.get(f"/desk?lang={lang}").text
    assert words["desk.duty_on"] in page
    assert words["desk.go_away"] in page
    page = sara.post("/desk/presence", data={"status": "away"}, follow_redirects=True).text
    assert words["desk.duty_away"] in page
    handed_over(store)
    assert desk.tick(store).offered == 0
    page = sara.post("/desk/presence", data={"status": "available"}, follow_redirects=True).text
    assert words["desk.duty_on"] in page
    assert desk.tick(store).offered == 1


def test_who_let_three_offers_pass_can_come_back(app: Flask, store: Store, clock: Clock) -> None:
    policy = desk.Policy(offer_seconds=20)
    sara, words = signed_in(app, "Sara"), language.messages("en")
    handed_over(store)
    for _ in range(3):
        sara.get("/desk?lang=en")
        desk.tick(store, policy=policy)
        clock.forward(seconds=31)
        desk.tick(store, policy=desk.Policy(offer_seconds=0))
    assert words["desk.duty_away"] in sara.get("/desk").text
    assert sara.post("/desk/presence", data={"status": "nonsense"}).status_code == 303
    assert words["desk.duty_away"] in sara.get("/desk").text
    sara.post("/desk/presence", data={"status": "available"})
    assert desk.seat(store, "Sara").on_duty


def test_agents_arrange_their_own_place_and_supervisors_everybodys(app: Flask, store: Store) -> None:
    sara, boss = signed_in(app, "Sara"), signed_in(app, "Boss")
    assert sara.get("/desk/seat").status_code == 200
    sara.post("/desk/seat", data={"language": ["en", "xx"], "share": "2"})
    seat = desk.seat(store, "Sara")
    assert (seat.languages, seat.share) == (("en",), 2)
    words = language.messages("en")
    said = sara.post("/desk/seat?lang=en", data={"share": "99"}, follow_redirects=True).text
    assert words["desk.not_done"] in said
    assert sara.get("/desk/seat?agent=Omid").status_code == 403
    assert sara.post("/desk/seat", data={"agent": "Omid", "share": "1"}).status_code == 403
    page = boss.get("/desk/seat?agent=Omid").text
    assert "<bdi>Omid</bdi>" in page
    assert boss.post("/desk/seat", data={"agent": "Omid", "share": "1"}).status_code == 303
    assert desk.seat(store, "Omid").share == 1
    assert boss.get("/desk/seat?agent=Nobody").status_code == 404
    assert app.test_client().get("/desk/seat").status_code == 303
    assert app.test_client().post("/desk/presence", data={"status": "away"}).location.startswith("/desk/login")


def test_an_absence_is_whole_days_where_the_shop_is_and_ends_by_the_page(app: Flask, store: Store) -> None:
    zone = (app.extensions["botkit"].index.shop("en") or {})["time_zone"]
    assert zone == "Europe/London"
    sara, words = signed_in(app, "Sara"), language.messages("en")
    form = {"first": "2026-11-20", "last": "2026-11-21", "delegate": "Omid"}
    ticket = handed_over(store)
    desk.claim(store, ticket, next(each for each in people.agents(store) if each.name == "Sara"))
    page = sara.post("/desk/seat/absences?lang=en", data=form, follow_redirects=True).text
    (absence,) = desk.absences(store, "Sara")
    assert absence["starts_at"].startswith("2026-11-20T00:00")
    assert absence["ends_at"].startswith("2026-11-22T00:00")
    assert "2026-11-20 – 2026-11-21" in page
    assert words["desk.absence_to"].replace("{name}", "Omid") in page
    assert desk.ticket(store, ticket).ticket.owner == "Omid"
    assert words["desk.duty_off"] in sara.get("/desk").text
    sara.post(f"/desk/seat/absences/{absence['id']}/end", data={})
    assert desk.absences(store, "Sara") == []
    assert desk.ticket(store, ticket).ticket.owner == "Sara"


@pytest.mark.parametrize(
    "form",
    [
        {"first": "2026-11-21", "last": "2026-11-20"},
        {"first": "tomorrow", "last": "2026-11-20"},
        {"first": "2026-11-20", "last": "9999-12-31"},
        {"first": "2026-11-20", "last": "2026-11-21", "delegate": "Nobody"},
        {"first": "2026-11-20", "last": "2026-11-21", "delegate": "Sara"},
        {},
    ],
)
def test_an_absence_that_is_none_is_refused(app: Flask, store: Store, form: dict[str, str]) -> None:
    sara = signed_in(app, "Sara")
    said = sara.post("/desk/seat/absences?lang=en", data=form, follow_redirects=True).text
    assert language.messages("en")["desk.not_done"] in said
    assert desk.absences(store) == []
