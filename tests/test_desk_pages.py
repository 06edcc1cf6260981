"""The desk's pages and its API, as they are asked: by a browser without JavaScript, and by a program with a token."""

from __future__ import annotations

import gzip
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from desk_shop import PASSWORD
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape
from quiet import quiet
from werkzeug.test import TestResponse

from botkit import accounts, desk, language
from botkit.index import Live
from botkit.server import create_app
from botkit.store import Store

HOSTILE = '<script>alert("x")</script> <img src=x onerror=alert(1)> & "quotes"'


@pytest.fixture
def app(live: Live, store: Store) -> Flask:
    """The application as it runs on plain http; sign-ins are limited by name here, as they are for everybody."""
    return create_app(index=live, store=store, settings=quiet())


@pytest.fixture
def waiting(app: Flask) -> Callable[..., int]:
    """Make a customer who has said something and asked for a person; the number of the ticket."""

    def make(text: str = "Where is my order?", lang: str = "en", page: str = "/cart") -> int:
        customer = app.test_client()
        begun = customer.post("/api/v1/conversations", json={"lang": lang, "page": page}).json
        assert begun is not None
        headers = {"Authorization": f"Bearer {begun['token']}"}
        address = f"/api/v1/conversations/{begun['id']}"
        message = {"client_id": str(uuid.uuid4()), "text": text}
        assert customer.post(f"{address}/messages", json=message, headers=headers).status_code == 200
        assert customer.post(f"{address}/handoff", json={}, headers=headers).status_code == 200
        store = app.extensions["botkit"].store
        return next(t.id for t in desk.queue(store, limit=500) if t.conversation == begun["id"])

    return make


def sign_in(app: Flask, name: str, password: str = PASSWORD, **form: str) -> tuple[FlaskClient, TestResponse]:
    browser = app.test_client()
    return browser, browser.post("/desk/login", data={"name": name, "password": password, **form})


# ---------------------------------------------------------------- signing in


def test_without_a_session_every_page_leads_to_the_sign_in_and_back(app: Flask, sara: accounts.Agent) -> None:
    answer = app.test_client().get("/desk/tickets/7?lang=tr")
    assert answer.status_code == 303
    assert answer.location == "/desk/login?next=%2Fdesk%2Ftickets%2F7%3Flang%3Dtr"
    _, answer = sign_in(app, "Sara", next="/desk/tickets/7")
    assert (answer.status_code, answer.location) == (303, "/desk/tickets/7")


@pytest.mark.parametrize(
    "elsewhere",
    [
        *("https://evil.example/desk", "//evil.example/desk", "/desk\\@evil.example", "/deskevil", "/desk/login", "x"),
        *("/desk\n/x", "/desk/\r\nSet-Cookie: a=b", "/desk/\t//evil.example", "/desk/\u2028x", "/desk/\x85"),
    ],
)
def test_after_signing_in_nobody_is_sent_elsewhere(app: Flask, sara: accounts.Agent, elsewhere: str) -> None:
    _, answer = sign_in(app, "Sara", next=elsewhere)
    assert answer.location == "/desk"


def test_a_session_cookie_is_out_of_reach_of_scripts_and_of_other_sites(app: Flask, sara: accounts.Agent) -> None:
    _, answer = sign_in(app, "sara")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_on_https_the_session_cookie_is_secure(live: Live, store: Store, sara: accounts.Agent) -> None:
    app = create_app(index=live, store=store, settings=quiet(base_url="https://help.shop.example"))
    _, answer = sign_in(app, "Sara")
    assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("name", "password"), [("Sara", "wrong password"), ("Nobody", PASSWORD), ("", ""), ("\x00", "\x00")]
)
def test_a_wrong_name_or_password_is_refused_in_the_same_words(
    app: Flask, sara: accounts.Agent, name: str, password: str
) -> None:
    browser, answer = sign_in(app, name, password)
    assert answer.status_code == 401
    assert language.messages("en")["desk.wrong"] in answer.text
    assert browser.get("/desk").status_code == 303


def test_an_editor_is_told_where_the_work_is(app: Flask, store: Store, lang: str) -> None:
    """In the reader's language, with the commands; there is no session."""
    accounts.add_agent(store, "Edith", "editor", PASSWORD)
    browser = app.test_client()
    browser.get(f"/desk/login?lang={lang}")
    answer = browser.post("/desk/login", data={"name": "Edith", "password": PASSWORD})
    assert answer.status_code == 403
    result = language.messages(lang)["desk.no_place"]
    assert str(escape(result)) in answer.text
    assert all(f"botkit {command}" in result for command in ("check", "index", "eval"))
    assert language.messages(lang)["accounts.role_agent"] in result
    assert browser.get("/desk").status_code == 303


def test_an_analyst_sees_the_overview_without_words_and_nothing_else(
    app: Flask, store: Store, waiting: Callable[..., int]
) -> None:
    """Figures, the team, and which conversations are late: not what customers wrote. What was seen is noted."""
    ticket = waiting("My card is 4111")
    accounts.add_agent(store, "Ana", "analyst", PASSWORD)
    browser, answer = sign_in(app, "Ana")
    assert answer.status_code == 303
    page = browser.get("/desk", follow_redirects=True)
    assert (page.status_code, page.request.path) == (200, "/desk/overview")
    assert language.messages("en")["desk.ticket"].format(id=ticket) in page.text
    for hidden in ("4111", f"/desk/tickets/{ticket}", "/desk/overview/take", "/desk/team"):
        assert hidden not in page.text
    assert browser.get("/desk/account").status_code == 200
    for address in (f"/desk/tickets/{ticket}", "/desk/team", "/desk/accounts", "/desk/audit", "/desk/outbox"):
        gone_to = browser.get(address, follow_redirects=True).request.path
        assert gone_to == "/desk/overview", address
    assert browser.post("/desk/overview/take", data={"ticket": ticket}).status_code == 403
    browser.post(f"/desk/tickets/{ticket}/claim")
    assert desk.ticket(store, ticket).ticket.owner is None
    for address in ("tickets", "overview", "events"):
        assert browser.get(f"/api/v1/desk/{address}").status_code in (401, 403)
    known = [(line.actor, line.action) for line in accounts.audited(store, action="overview.read")]
    assert known == [("agent:Ana", "overview.read")]
    assert "Ana" not in [profile.agent for profile in desk.profiles(store)]


def test_an_analyst_with_a_given_password_chooses_another_first(app: Flask, store: Store) -> None:
    accounts.add_agent(store, "Ana", "analyst", PASSWORD, temporary=True)
    browser, _ = sign_in(app, "Ana")
    assert browser.get("/desk/overview", follow_redirects=True).request.path == "/desk/account"
    browser.post("/desk/account/password", data={"current": PASSWORD, "new": f"{PASSWORD}!"})
    assert browser.get("/desk", follow_redirects=True).request.path == "/desk/overview"


def test_guessing_at_one_name_is_stopped_and_leaves_other_names_open(
    app: Flask, sara: accounts.Agent, omid: accounts.Agent
) -> None:
    answers = [sign_in(app, "Sara", f"guess number {n}")[1].status_code for n in range(7)]
    assert answers == [401] * 5 + [429] * 2
    _, refused = sign_in(app, " SARA ")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert sign_in(app, "Omid")[1].status_code == 303


def test_a_session_ends_with_the_password_the_account_and_the_sign_out(
    app: Flask, store: Store, sara: accounts.Agent, omid: accounts.Agent
) -> None:
    first, _ = sign_in(app, "Sara")
    assert first.get("/desk").status_code == 200
    accounts.set_password(store, "Sara", "another good password")
    assert first.get("/desk").status_code == 303
    second, _ = sign_in(app, "Omid")
    third, _ = sign_in(app, "Omid")
    assert second.post("/desk/logout").location == "/desk/login"
    assert second.get("/desk").status_code == 303
    accounts.disable(store, "Omid")
    assert third.get("/desk").status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://blog.shop.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_forged_origin_is_refused_at_every_form_and_at_the_api(
    app: Flask, store: Store, sara: accounts.Agent, waiting: Callable[..., int], headers: dict[str, str]
) -> None:
    ticket = waiting()
    browser, _ = sign_in(app, "Sara")
    for address in ("/desk/login", "/desk/logout", f"/desk/tickets/{ticket}/claim", f"/desk/tickets/{ticket}/messages"):
        assert browser.post(address, headers=headers).status_code == 403
    assert browser.post(f"/api/v1/desk/tickets/{ticket}/claim", headers=headers, json={}).status_code == 403
    assert desk.ticket(store, ticket).ticket.state == "waiting"
    assert browser.get("/desk").status_code == 200


# ---------------------------------------------------------------- the pages, without JavaScript


def test_the_queue_shows_who_waits_why_and_in_which_language(
    app: Flask, sara: accounts.Agent, waiting: Callable[..., int]
) -> None:
    english, arabic = waiting("Where is my parcel LZ-10423?"), waiting("أين طلبي؟", "ar", "/orders/7")
    browser, _ = sign_in(app, "Sara")
    page = browser.get("/desk").text
    assert page.index(f"/desk/tickets/{english}") < page.index(f"/desk/tickets/{arabic}")
    assert '<bdi dir="ltr">LZ-10423</bdi>' in page
    assert "/orders/7" in page
    assert language.messages("en")["desk.reason_customer_request"] in page
    filtered = browser.get("/desk?language=ar").text
    assert f"/desk/tickets/{arabic}" in filtered
    assert f"/desk/tickets/{english}" not in filtered
    assert f"/desk/tickets/{english}" not in browser.get("/desk?show=claimed").text


def test_a_ticket_goes_from_the_queue_to_its_end_by_forms_alone(
    app: Flask, store: Store, sara: accounts.Agent, omid: accounts.Agent, waiting: Callable[..., int]
) -> None:
    ticket = waiting("How do I return something?")
    address = f"/desk/tickets/{ticket}"
    browser, _ = sign_in(app, "Sara")
    page = browser.get(address).text
    assert f'action="{address}/claim"' in page
    assert f'action="{address}/messages"' not in page

    assert browser.post(f"{address}/claim").location == address
    page = browser.get(address).text
    client_id = re.search(r'name="client_id" value="([^"]+)"', page)
    assert client_id is not None

    words = {"client_id": client_id[1], "text": "Good morning, may I have the order number?"}
    assert [browser.post(f"{address}/messages", data=words).location for _ in range(2)] == [address] * 2
    browser.post(f"{address}/notes", data={"text": "A regular customer"})
    page = browser.get(address).text
    assert page.count("Good morning, may I have the order number?") == 1
    assert "A regular customer" in page

    assert browser.post(f"{address}/transfer", data={"to": "Omid", "note": "Yours, I think"}).location == "/desk"
    colleague, _ = sign_in(app, "Omid")
    assert f'action="{address}/close"' in colleague.get(address).text
    assert colleague.post(f"{address}/release").location == "/desk"
    assert desk.ticket(store, ticket).ticket.state == "waiting"
    colleague.post(f"{address}/claim")
    done = colleague.post(f"{address}/close", data={"outcome": "solved", "article": "returns/how-to-return"})
    assert done.location == "/desk"
    result = desk.ticket(store, ticket).ticket
    assert (result.state, result.outcome, result.article) == ("closed", "solved", "returns/how-to-return")
    assert language.messages("en")["desk.closed_lead"] in colleague.get(address).text


def test_whoever_opens_a_conversation_is_in_the_audit_log(
    app: Flask, store: Store, sara: accounts.Agent, omid: accounts.Agent, waiting: Callable[..., int]
) -> None:
    ticket = waiting()
    browser, _ = sign_in(app, "Sara")
    for _ in range(3):  # as its script does every few seconds
        browser.get(f"/desk/tickets/{ticket}")
    token = {"Authorization": f"Bearer {accounts.issue_token(store, 'Omid')}"}
    app.test_client().get(f"/api/v1/desk/tickets/{ticket}", headers=token)
    browser.get(f"/desk/tickets/{ticket + 1}")  # not there
    read = [(line.actor, line.target) for line in accounts.audited(store, action="ticket.read")]
    assert read == [("agent:Omid", f"ticket:{ticket}"), ("agent:Sara", f"ticket:{ticket}")]


def test_a_suggested_reply_can_be_inserted_without_javascript(
    app: Flask, sara: accounts.Agent, waiting: Callable[..., int], live: Live
) -> None:
    ticket = waiting("How do I return something?")
    browser, _ = sign_in(app, "Sara")
    browser.post(f"/desk/tickets/{ticket}/claim")
    page = browser.get(f"/desk/tickets/{ticket}").text
    link = re.search(r'href="(/desk/tickets/\d+\?insert=([^"#]+)#reply)"', page)
    assert link is not None
    article = live.current().article(link[2].replace("%2F", "/").replace("%23", "#"), "en")
    assert article is not None
    area = re.search(r"<textarea id=\"reply\"[^>]*>([^<]*)</textarea>", browser.get(link[1]).text)
    assert area is not None
    assert article.text.split()[0] in area[1]


def test_a_refusal_is_told_on_the_page(
    app: Flask, sara: accounts.Agent, omid: accounts.Agent, waiting: Callable[..., int]
) -> None:
    ticket = waiting()
    address = f"/desk/tickets/{ticket}"
    first, _ = sign_in(app, "Sara")
    second, _ = sign_in(app, "Omid")
    first.post(f"{address}/claim")
    texts = language.messages("en")
    for action, form, result in (
        ("claim", {}, texts["desk.already_claimed"].format(name="Sara")),
        ("messages", {"text": "Hello"}, texts["desk.others_lead"].format(name="Sara")),
        ("close", {"outcome": "solved"}, texts["desk.others_lead"].format(name="Sara")),
        ("close", {"outcome": "nonsense"}, texts["desk.not_done"]),
        ("notes", {"text": " \u200b "}, texts["desk.empty"]),
    ):
        answer = second.post(f"{address}/{action}", data=form, follow_redirects=True)
        assert result in answer.text.replace("&#39;", "'"), action
    assert second.get(f"/desk/tickets/{ticket + 1}").status_code == 404
    assert second.post(f"/desk/tickets/{2**40}/claim").status_code == 404


def test_html_in_what_a_customer_or_an_agent_says_stays_text(
    app: Flask, sara: accounts.Agent, waiting: Callable[..., int]
) -> None:
    ticket = waiting(HOSTILE, page="/<b>cart</b>")
    browser, refused = sign_in(app, HOSTILE)
    assert "<img src=x" not in refused.text
    browser, _ = sign_in(app, "Sara")
    browser.post(f"/desk/tickets/{ticket}/claim")
    browser.post(f"/desk/tickets/{ticket}/messages", data={"client_id": "a-client-id", "text": HOSTILE})
    browser.post(f"/desk/tickets/{ticket}/notes", data={"text": HOSTILE})
    for page in (browser.get(f"/desk/tickets/{ticket}").text, browser.get("/desk?show=mine").text):
        assert "&lt;script&gt;" in page
        for markup in ("<script>", "<img src=x", "<b>cart"):
            assert markup not in page


def test_an_unchanged_page_is_not_sent_twice(app: Flask, sara: accounts.Agent, waiting: Callable[..., int]) -> None:
    ticket = waiting()
    browser, _ = sign_in(app, "Sara")
    for address, action in (("/desk", "claim"), (f"/desk/tickets/{ticket}", "release")):
        tag = browser.get(address).headers["ETag"]
        assert browser.get(address, headers={"If-None-Match": tag}).status_code == 304
        browser.post(f"/desk/tickets/{ticket}/{action}")
        assert browser.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_the_desk_speaks_every_language(
    app: Flask, sara: accounts.Agent, waiting: Callable[..., int], lang: str
) -> None:
    ticket = waiting()
    browser, _ = sign_in(app, "Sara")
    page = browser.get(f"/desk?lang={lang}").text
    assert f'<html lang="{lang}" dir="{language.direction(lang)}">' in page
    assert language.messages(lang)["desk.waiting"] in page
    assert f'<html lang="{lang}"' in browser.get(f"/desk/tickets/{ticket}").text  # it is remembered
    browser.post("/desk/logout")
    assert language.messages(lang)["desk.sign_in"] in browser.get("/desk/login").text


# ---------------------------------------------------------------- the API


@pytest.fixture
def bearer(store: Store, sara: accounts.Agent) -> dict[str, str]:
    return {"Authorization": f"Bearer {accounts.issue_token(store, 'Sara')}"}


def test_the_api_takes_a_token_or_a_session_and_nothing_else(
    app: Flask, store: Store, bearer: dict[str, str], waiting: Callable[..., int]
) -> None:
    waiting()
    stranger = app.test_client()
    assert stranger.get("/api/v1/desk/tickets").status_code == 401
    assert stranger.get("/api/v1/desk/tickets", headers={"Authorization": "Bearer nonsense"}).status_code == 401
    assert stranger.get("/api/v1/desk/tickets", headers=bearer).status_code == 200
    browser, _ = sign_in(app, "Sara")
    assert browser.get("/api/v1/desk/tickets").status_code == 200
    assert browser.get("/api/v1/desk/tickets", headers={"Authorization": "Bearer nonsense"}).status_code == 401
    accounts.add_agent(store, "Ana", "analyst", PASSWORD)
    analyst = {"Authorization": f"Bearer {accounts.issue_token(store, 'Ana')}"}
    assert stranger.get("/api/v1/desk/tickets", headers=analyst).status_code == 403
    accounts.disable(store, "Sara")
    assert stranger.get("/api/v1/desk/tickets", headers=bearer).status_code == 401


def test_a_lost_claim_is_409_with_the_owner(
    app: Flask, store: Store, bearer: dict[str, str], omid: accounts.Agent, waiting: Callable[..., int]
) -> None:
    ticket = waiting()
    client = app.test_client()
    late = {"Authorization": f"Bearer {accounts.issue_token(store, 'Omid')}"}
    first = client.post(f"/api/v1/desk/tickets/{ticket}/claim", headers=bearer)
    assert (first.status_code, first.json and first.json["owner"]) == (200, "Sara")
    assert client.post(f"/api/v1/desk/tickets/{ticket}/claim", headers=bearer).status_code == 200
    lost = client.post(f"/api/v1/desk/tickets/{ticket}/claim", headers=late)
    assert lost.status_code == 409
    assert lost.json is not None
    assert lost.json["error"]["code"] == "already_claimed"
    assert lost.json["error"]["owner"] == "Sara"


def test_a_ticket_is_worked_through_the_api(
    app: Flask, bearer: dict[str, str], omid: accounts.Agent, waiting: Callable[..., int]
) -> None:
    ticket = waiting("How do I return something?")
    client = app.test_client()

    def ask(action: str = "", **body: Any) -> Any:
        address = f"/api/v1/desk/tickets/{ticket}" + (f"/{action}" if action else "")
        answer = client.post(address, json=body, headers=bearer) if action else client.get(address, headers=bearer)
        return answer.status_code, answer.json

    status, handover = ask()
    assert status == 200
    assert handover["state"] == "waiting"
    assert handover["reason"] in ("customer_request", "no_answer", "low_confidence")
    assert handover["candidates"][0].keys() >= {"article", "title", "confidence"}
    assert handover["suggestions"][0]["text"]
    assert [event["kind"] for event in handover["transcript"]][:2] == ["conversation.opened", "message"]
    assert ask("messages", client_id="first-message", text="Hello")[0] == 409
    assert ask("claim")[0] == 200
    sent = [ask("messages", client_id="first-message", text="Hello") for _ in range(2)]
    assert sent[0] == sent[1]
    assert sent[0][1]["event"]["data"]["text"] == "Hello"
    assert ask("notes", text="Careful")[0] == 200
    assert ask("messages", client_id="second-message", text="\u200b")[1]["error"]["field"] == "text"
    assert ask("transfer", to="Nobody")[0] == 400
    assert ask("release")[1]["state"] == "waiting"
    assert ask("close", outcome="solved")[0] == 409
    assert ask("claim")[0] == 200
    assert ask("close", outcome="maybe")[0] == 400
    status, closed = ask("close", outcome="not_solved", article=None)
    assert (status, closed["outcome"], closed["article"]) == (200, "not_solved", None)
    assert ask("messages", client_id="third-message", text="Hello?")[1]["error"]["code"] == "ticket_closed"
    listed = client.get("/api/v1/desk/tickets?state=closed&language=en", headers=bearer).json
    assert listed is not None
    assert [result["id"] for result in listed["tickets"]] == [ticket]
    assert client.get("/api/v1/desk/tickets?state=lost", headers=bearer).status_code == 400
    assert client.get("/api/v1/desk/tickets/999", headers=bearer).status_code == 404
    assert client.get("/api/v1/desk/tickets/99999999999999999999", headers=bearer).status_code == 404


# ---------------------------------------------------------------- the words


def test_every_word_of_the_catalogues_is_used_and_every_used_word_is_there() -> None:
    web = language.web_folder()
    sources = {
        "desk": [
            *(web / "templates" / "desk").glob("*.html"),
            *(web.parent / "botkit" / "server" / "desk").glob("*.py"),
        ],
        "widget": [web / "templates" / "widget.html", *(web / "static" / "widget").glob("*.js")],
    }
    built = {
        "desk": (
            *("reason_", "state_", "outcome_", "priority_", "event_", "team_", "group_", "matter_", "duty_"),
            *("too_many_", "in_seconds", "in_minutes"),
        ),
        "widget": (),
    }
    for name, files in sources.items():
        text = "\n".join(file.read_text(encoding="utf-8") for file in files)
        keys = {key.removeprefix(f"{name}.") for key in language.messages("en") if key.startswith(f"{name}.")}
        for key in keys:
            stem = key.partition(".")[0].removesuffix("_team")
            assert re.search(rf"\b{stem}\b", text) or key.startswith(built[name]), f"{name}.{key} is never said"
        if name == "desk":
            used = set(re.findall(r'"desk\.([a-z_]+)"', text)) - set(built["desk"])
        else:
            used = set(re.findall(r'\bsay\("([a-z_]+)"', text)) | set(re.findall(r"widget\.([a-z_]+)", text)) - {"html"}
        assert used <= {key.partition(".")[0] for key in keys}, used - keys


def test_the_launcher_has_the_catalogues_words() -> None:
    script = (language.web_folder() / "static" / "widget" / "loader.js").read_text(encoding="utf-8")
    for lang in language.LANGUAGES:
        texts = language.messages(lang)
        words = [language.direction(lang), *(texts[f"widget.{key}"] for key in ("chat", "open", "close"))]
        quoted = ", ".join(f'"{word}"' for word in words)
        assert f"{lang}: [{quoted}]" in script


def test_the_widget_keeps_its_weight(app: Flask) -> None:
    static = language.web_folder() / "static"

    def weight(*names: str) -> int:
        return sum(len(gzip.compress((static / name).read_bytes(), 9)) for name in names)

    loader = weight("widget/loader.js")
    frame = len(gzip.compress(app.test_client().get("/widget?lang=ar&page=/cart").data, 9))
    scripts = ("frame.js", "conversation.js", "rating.js", "words.js")
    modules = weight(*(f"widget/{name}" for name in (*scripts, "frame.css")))
    assert loader <= 5 * 1024
    assert loader + frame + modules + weight("site.css") <= 40 * 1024
