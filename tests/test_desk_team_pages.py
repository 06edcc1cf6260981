"""The pages of the team: profiles, absences and being there, through forms as a browser without JavaScript sends them,
and in a browser for those who read by ear."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from desk_shop import handed_over
from flask import Flask
from flask.testing import FlaskClient
from moving import Clock
from quiet import quiet
from test_browser import served
from werkzeug.test import TestResponse

from botkit import accounts, desk, language
from botkit.index import Live
from botkit.server import create_app
from botkit.store import Store, iso

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PASSWORD = "copper pan and cezve"
EN = language.messages("en")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: str, clock: Clock) -> Iterator[Store]:
    opened = Store(database, clock=clock)
    for name, role in (("Sara", "agent"), ("Leila @ 2", "agent"), ("Boss", "supervisor"), ("Ed", "editor")):
        accounts.add_agent(opened, name, role, PASSWORD)
    yield opened
    opened.close()


@pytest.fixture
def signed_in(app: Flask) -> Callable[[str], FlaskClient]:
    def sign_in(name: str) -> FlaskClient:
        client = app.test_client()
        assert client.post("/desk/login", data={"name": name, "password": PASSWORD}).status_code == 303
        client.get("/desk?lang=en")
        return client

    return sign_in


def arranged(client: FlaskClient, name: str, **changes: Any) -> TestResponse:
    """What the form of a profile sends."""
    form = {"language": ["en"], "skills": "", "share": "4", "time_zone": "Europe/Sofia", "holidays": ""}
    address = f"/desk/team/{name}"
    return client.post(address, data=form | changes, follow_redirects=True)


def planned(client: FlaskClient, name: str, begin: str, end: str, delegate: str = "") -> TestResponse:
    form = {"name": name, "starts_at": begin, "ends_at": end, "delegate": delegate}
    return client.post("/desk/absences", data=form, follow_redirects=True)


def test_without_a_session_the_pages_lead_to_the_sign_in(client: FlaskClient, store: Store) -> None:
    for address in ("/desk/team", "/desk/team/Sara"):
        assert client.get(address).headers["Location"].startswith("/desk/login?next=%2Fdesk%2Fteam")
    for address in ("/desk/team/Sara", "/desk/absences", "/desk/absences/1/end", "/desk/presence"):
        assert client.post(address, data={"name": "Sara"}).headers["Location"].startswith("/desk/login")
    assert desk.absences(store) == []


def test_a_seat_is_arranged_by_a_form_and_shown_to_the_team(
    signed_in: Callable[[str], FlaskClient], store: Store
) -> None:
    """Several spans a day, digits of any script; what a page shows can be sent back as it is."""
    sara = signed_in("Sara")
    answer = arranged(
        sara,
        "Sara",
        language=["en", "ar"],
        skills="Refund,  cookware، refund",
        share="2",
        holidays="2026-12-26, ٢٠٢٦-١٢-٢٥",
        **{"shift-mon": "9:00-12:00, 13:00 – 17:00", "shift-fri": "۲۲:۰۰-۰۲:۰۰"},
    )
    assert EN["team.saved"] in answer.text
    profile = desk.profile(store, "Sara")
    assert (profile.languages, profile.skills, profile.capacity) == (("en", "ar"), ("refund", "cookware"), 2)
    assert profile.shifts == {"mon": [["09:00", "12:00"], ["13:00", "17:00"]], "fri": [["22:00", "02:00"]]}
    assert (profile.time_zone, profile.holidays) == ("Europe/Sofia", ("2026-12-25", "2026-12-26"))
    field = r'<input id="[\w-]+" name="(shift-\w+|skills|share|time_zone)".*?value="(.*?)"'
    fields = dict(re.findall(field, answer.text))
    assert fields["shift-mon"] == "09:00–12:00, 13:00–17:00"
    arranged(sara, "Sara", language=["en", "ar"], holidays="2026-12-25, 2026-12-26", **fields)
    assert desk.profile(store, "Sara") == profile
    page = signed_in("Leila @ 2").get("/desk/team").text
    hours, days = "09:00–12:00 and 13:00–17:00", ("25 Dec 2026", "26 Dec 2026")
    for text in ("refund", hours, EN["team.day_fri"], "Europe/Sofia", *days, "العربية"):
        assert text in page
    assert "Ed<" not in page  # who does not work at the desk has no profile


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("shift-mon", "nine to five", "wrong_hours"),
        ("shift-mon", "09:00-25:00", "wrong_hours"),
        ("holidays", "Christmas", "wrong_days"),
        ("holidays", "2026-02-30", "wrong_days"),
        ("time_zone", "Mars/Olympus", "wrong_zone"),
        ("time_zone", "../../etc/passwd", "wrong_zone"),
        ("share", "many", "wrong_share"),
        ("share", "-1", "wrong_share"),
    ],
)
def test_what_cannot_be_meant_is_told_and_stays_in_the_form(
    signed_in: Callable[[str], FlaskClient], store: Store, field: str, typed: str, told: str
) -> None:
    before = desk.profile(store, "Sara")
    answer = arranged(signed_in("Sara"), "Sara", skills="kept <b>", **{field: typed})
    assert answer.status_code == 400
    assert EN[f"team.{told}"].format(most=50) in answer.text
    assert typed in answer.text
    assert "kept &lt;b&gt;" in answer.text
    assert desk.profile(store, "Sara").skills == before.skills


def test_a_colleagues_seat_is_for_supervisors(signed_in: Callable[[str], FlaskClient], store: Store) -> None:
    sara, boss, name = signed_in("Sara"), signed_in("Boss"), "Leila @ 2"
    assert sara.get(f"/desk/team/{name}").status_code == 403
    assert arranged(sara, name, share="9").status_code == 403
    assert planned(sara, name, "2026-12-01T09:00", "2026-12-02T09:00").status_code == 403
    assert (desk.profile(store, name).capacity, desk.absences(store)) == (4, [])
    assert f'href="/desk/team/{name.replace(" ", "%20").replace("@", "%40")}"' in boss.get("/desk/team").text
    assert arranged(boss, name, share="9").status_code == 200
    assert desk.profile(store, name).capacity == 9
    assert boss.get("/desk/team/Nobody").status_code == 404
    assert boss.get("/desk/team/Ed").status_code == 404


def test_an_absence_hands_the_conversations_over_and_brings_them_back(
    signed_in: Callable[[str], FlaskClient], store: Store, clock: Clock
) -> None:
    """Its times are on the clock of the profile; it is ended by a button, on the page of the team."""
    sara = signed_in("Sara")
    arranged(sara, "Sara")
    ticket = handed_over(store)
    desk.claim(store, ticket, next(each for each in accounts.agents(store) if each.name == "Sara"))
    assert "Europe/Sofia" in sara.get("/desk/team/Sara").text
    answer = planned(sara, "Sara", "2026-11-20T13:00", "2026-11-21T09:00", "Leila @ 2")
    assert EN["team.planned"] in answer.text
    (absence,) = desk.absences(store)
    assert absence["starts_at"] == "2026-11-20T11:00:00.000Z"  # two hours ahead of UTC, so it has begun an hour ago
    assert (absence["delegate"], absence["stage"]) == ("Leila @ 2", "away")
    assert desk.ticket(store, ticket).ticket.owner == "Leila @ 2"
    clock.forward(minutes=5)
    page = signed_in("Boss").get("/desk/team").text
    assert EN["team.under_way"] in page
    assert iso(clock() + timedelta(hours=18, minutes=55)) in page
    assert f"/desk/absences/{absence['id']}/end" not in signed_in("Leila @ 2").get("/desk/team").text
    assert signed_in("Leila @ 2").post(f"/desk/absences/{absence['id']}/end").status_code == 403
    answer = sara.post(f"/desk/absences/{absence['id']}/end", follow_redirects=True)
    assert EN["team.ended"] in answer.text
    assert EN["team.no_absences"] in answer.text
    assert desk.ticket(store, ticket).ticket.owner == "Sara"
    answer = sara.post(f"/desk/absences/{absence['id']}/end", follow_redirects=True)
    assert EN["desk.not_done"] in answer.text


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("2026-12-02T09:00", "2026-12-01T09:00"),
        ("2026-11-01T09:00", "2026-11-02T09:00"),
        ("2026-12-01T09:00", "2036-12-01T09:00"),
        ("tomorrow", "2026-12-01T09:00"),
        ("", ""),
        ("0001-01-01T00:00", "2026-12-01T09:00"),
    ],
)
def test_an_absence_that_cannot_be_is_told(
    signed_in: Callable[[str], FlaskClient], store: Store, begin: str, end: str
) -> None:
    answer = planned(signed_in("Sara"), "Sara", begin, end)
    assert answer.status_code == 400
    assert EN["team.wrong_times"] in answer.text
    assert f'value="{begin}"' in answer.text
    assert desk.absences(store) == []


def test_a_break_stops_offers_until_the_agent_is_back(
    signed_in: Callable[[str], FlaskClient], store: Store, lang: str
) -> None:
    """By a button on the queue, where it is seen first, and on the page of the team."""
    sara, words = signed_in("Sara"), language.messages(lang)
    page = sara.get(f"/desk?lang={lang}").text
    assert words["desk.duty_on"] in page
    assert words["desk.go_away"] in page
    page = sara.post("/desk/presence", data={"status": "away"}, follow_redirects=True).text
    assert words["desk.duty_away"] in page
    assert words["desk.duty_away"] in sara.get("/desk/team").text
    handed_over(store)
    assert desk.tick(store).offered == 0
    answer = sara.post("/desk/presence", data={"status": "available", "back": "team"})
    assert answer.headers["Location"] == "/desk/team"
    assert words["desk.duty_on"] in sara.get("/desk").text
    assert desk.tick(store).offered == 1


def test_who_let_three_offers_pass_can_come_back(
    signed_in: Callable[[str], FlaskClient], store: Store, clock: Clock
) -> None:
    sara, policy = signed_in("Sara"), desk.Policy(offer_seconds=20)
    handed_over(store)
    for _ in range(3):
        sara.get("/desk")
        desk.tick(store, policy=policy)
        clock.forward(seconds=31)
        desk.tick(store, policy=desk.Policy(offer_seconds=0))
    assert EN["desk.duty_away"] in sara.get("/desk").text
    assert sara.post("/desk/presence", data={"status": "nonsense"}).status_code == 303
    assert EN["desk.duty_away"] in sara.get("/desk").text
    sara.post("/desk/presence", data={"status": "available"})
    assert desk.profile(store, "Sara").on_duty


def test_who_is_there_outside_their_hours_is_not_on_a_break(
    signed_in: Callable[[str], FlaskClient], store: Store
) -> None:
    """It is noon on a Friday, two o'clock in Sofia."""
    sara, boss = signed_in("Sara"), signed_in("Boss")
    arranged(sara, "Sara", **{"shift-fri": "16:00-20:00"})
    for page in ("/desk/team", "/desk/overview"):
        assert EN["desk.team_off"] in boss.get(page).text
    arranged(sara, "Sara", **{"shift-fri": "14:00-20:00"})
    assert EN["desk.team_off"] not in boss.get("/desk/team").text


@pytest.mark.parametrize("delegate", ["Nobody", "Sara", "Ed"])
def test_a_stand_in_is_somebody_else_at_the_desk(
    signed_in: Callable[[str], FlaskClient], store: Store, delegate: str
) -> None:
    answer = planned(signed_in("Sara"), "Sara", "2026-12-01T09:00", "2026-12-02T09:00", delegate)
    assert EN["desk.not_done"] in answer.text
    assert desk.absences(store) == []


@pytest.mark.parametrize("name", ["team"])
def test_the_words_are_there_in_every_language_and_all_are_used(name: str) -> None:
    web = language.web_folder()
    files = [*(web / "templates" / "desk").glob("*.html"), web.parent / "botkit" / "server" / "desk" / "team_pages.py"]
    used = "\n".join(file.read_text(encoding="utf-8") for file in files)
    keys = {key for key in EN if key.startswith(f"{name}.")}
    for lang in language.LANGUAGES:
        texts = language.messages(lang)
        assert {key for key in texts if key.startswith(f"{name}.")} == keys
        for key in keys:
            assert texts[key].strip()
            assert re.findall(r"\{\w+\}", texts[key]) == re.findall(r"\{\w+\}", EN[key])
    for key in keys:
        assert key in used or key.startswith("team.day_"), f"{key} is never said"
    assert set(re.findall(r'"(team\.[a-z_]+)"', used)) - {"team.day_"} <= keys


@pytest.mark.parametrize(("lang", "scheme"), [("en", "light"), ("ar", "dark")])
def test_axe_finds_nothing_and_it_fits_a_phone(
    browser: Browser, live: Live, store: Store, lang: str, scheme: Any
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    t, boss = language.messages(lang), next(each for each in accounts.agents(store) if each.name == "Boss")
    desk.arrange(store, boss, "Sara", skills=["refund"], shifts={"mon": ["09:00", "17:00"]}, holidays=["2026-12-25"])
    desk.plan_absence(store, boss, "Sara", store.now() - timedelta(hours=1), store.now() + timedelta(days=2), "Boss")
    desk.tick(store)
    app = create_app(index=live, store=store, settings=quiet())
    with served(app) as port:
        context = browser.new_context(
            base_url=f"http://127.0.0.1:{port}", locale=lang, color_scheme=scheme, reduced_motion="reduce"
        )
        page = context.new_page()

        def check(what: str) -> None:
            page.evaluate(script)
            ask = "axe.run().then(({violations}) => violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
            assert page.evaluate(ask) == [], what

        page.goto(f"/desk/login?lang={lang}")
        page.fill("#name", "Boss")
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.get_by_role("link", name=t["desk.team"], exact=True).click()
        page.wait_for_selector(".absences")
        check("the team")
        page.get_by_role("link", name="Sara", exact=True).first.click()
        page.fill("#shift-tue", "nine")
        page.press("#shift-tue", "Enter")
        page.wait_for_selector(".notice.bad")
        check("a seat with a mistake")
        page.set_viewport_size({"width": 380, "height": 800})
        for address in ("/desk/team", "/desk/team/Sara"):
            page.goto(address)
            check(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= 380, address
        context.close()
