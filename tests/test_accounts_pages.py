"""The pages of accounts, by a browser without JavaScript: the team's, one's own, the second step of signing in."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pyotp
import pytest
from desk_shop import PASSWORD, handed_over
from flask import Flask
from flask.testing import FlaskClient
from moving import Clock
from quiet import quiet
from werkzeug.test import TestResponse

from botkit import accounts, desk, language, outbox
from botkit.accounts import Agent
from botkit.config import ConfigError
from botkit.index import Live
from botkit.server import create_app
from botkit.store import Store

OWN = "a tray of tulip glasses"
HOSTILE = '<script>alert("x")</script>'


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(live: Live, store: Store) -> Flask:
    return create_app(index=live, store=store, settings=quiet())


@pytest.fixture
def boss(store: Store) -> Agent:
    return accounts.add_agent(store, "Boss", "admin", PASSWORD)


def sign_in(app: Flask, name: str, password: str = PASSWORD, **form: str) -> tuple[FlaskClient, TestResponse]:
    browser = app.test_client()
    return browser, browser.post("/desk/login", data={"name": name, "password": password, **form})


def ends_at(browser: FlaskClient, address: str) -> str:
    return browser.get(address, follow_redirects=True).request.path


def said(page: TestResponse) -> str:
    return html.unescape(page.text)


def texts(key: str, lang: str = "en") -> str:
    return language.messages(lang)[f"accounts.{key}"]


def texts_team(key: str) -> str:
    return language.messages("en")[f"team.{key}"]


def secret_on(page: TestResponse) -> str:
    match = re.search(r'class="secret" dir="ltr"><code>([^<]+)</code>', page.text)
    assert match is not None
    return match[1]


# ---------------------------------------------------------------- the team


def test_an_account_is_made_handed_over_and_made_one_s_own(app: Flask, store: Store, boss: Agent) -> None:
    admin, _ = sign_in(app, "Boss")
    made = admin.post("/desk/accounts", data={"name": "Sara", "role": "agent"})
    assert made.status_code == 200
    assert made.headers["Cache-Control"] == "no-store"
    value = secret_on(made)
    assert value not in admin.get("/desk/accounts/2").text  # it is told once

    browser, answer = sign_in(app, "Sara", value, next="/desk/tickets/7")
    assert answer.location == "/desk/account"
    for page in ("/desk", "/desk/tickets/7"):
        assert ends_at(browser, page) == "/desk/account"
    assert browser.get("/api/v1/desk/tickets").status_code == 401
    assert texts("due_password") in browser.get("/desk/account").text

    done = browser.post("/desk/account/password", data={"current": value, "new": OWN})
    assert done.location == "/desk/account"
    assert texts("password_changed") in browser.get("/desk/account").text
    assert browser.get("/desk").status_code == 200
    assert accounts.authenticate(store, "Sara", value) is None
    assert sign_in(app, "Sara", OWN)[1].location == "/desk"


@pytest.mark.parametrize(
    ("name", "role", "problem"),
    [
        ("boss", "agent", "name_taken"),
        ("-x", "agent", "bad_name"),
        (HOSTILE, "agent", "bad_name"),
        ("Al", "boss", "no_role"),
    ],
)
def test_an_account_that_cannot_be_made_says_why(
    app: Flask, store: Store, boss: Agent, name: str, role: str, problem: str
) -> None:
    admin, _ = sign_in(app, "Boss")
    answer = admin.post("/desk/accounts", data={"name": name, "role": role})
    assert answer.status_code == 400
    assert texts(f"problem_{problem}") in said(answer)
    assert "<script>alert" not in answer.text
    assert len(accounts.agents(store)) == 1


def test_a_closed_account_s_browser_and_token_are_shut_out_at_the_next_request(
    app: Flask, store: Store, boss: Agent, sara: Agent
) -> None:
    admin, _ = sign_in(app, "Boss")
    browser, _ = sign_in(app, "Sara")
    token = {"Authorization": f"Bearer {secret_on(admin.post(f'/desk/accounts/{sara.id}/token'))}"}
    program = app.test_client()
    assert browser.get("/desk").status_code == 200
    assert browser.get("/api/v1/desk/tickets").status_code == 200
    assert program.get("/api/v1/desk/tickets", headers=token).status_code == 200
    assert admin.post(f"/desk/accounts/{sara.id}/disable").location == f"/desk/accounts/{sara.id}"
    assert browser.get("/desk").location == "/desk/login?next=%2Fdesk"
    assert browser.get("/desk/account").location.startswith("/desk/login")
    assert browser.get("/api/v1/desk/tickets").status_code == 401
    assert program.get("/api/v1/desk/tickets", headers=token).status_code == 401
    assert sign_in(app, "Sara")[1].status_code == 401
    admin.post(f"/desk/accounts/{sara.id}/enable")
    assert browser.get("/desk").status_code == 303  # the old session stays ended
    assert program.get("/api/v1/desk/tickets", headers=token).status_code == 401  # and so does the token


@pytest.mark.parametrize("action", ["role", "password", "sessions"])
def test_what_an_admin_changes_ends_the_account_s_sessions(app: Flask, boss: Agent, sara: Agent, action: str) -> None:
    admin, _ = sign_in(app, "Boss")
    browser, _ = sign_in(app, "Sara")
    admin.post(f"/desk/accounts/{sara.id}/{action}", data={"role": "supervisor"})
    assert browser.get("/desk").status_code == 303


def test_an_admin_unlocks_whom_guesses_locked(app: Flask, boss: Agent, sara: Agent) -> None:
    admin, _ = sign_in(app, "Boss")
    for _ in range(5):
        sign_in(app, "Sara", "wrong password")
    assert sign_in(app, "Sara")[1].status_code == 429
    locked = texts("is_locked").partition("{")[0]
    assert locked in admin.get("/desk/accounts").text
    admin.post(f"/desk/accounts/{sara.id}/unlock")
    assert locked not in admin.get("/desk/accounts").text
    assert sign_in(app, "Sara")[1].status_code == 303


@pytest.mark.parametrize("action", ["role", "disable", "password", "factor-off"])
def test_an_admin_stays_one(app: Flask, store: Store, boss: Agent, action: str) -> None:
    """Nobody takes the last admin away by mistake: none can do it to themselves."""
    admin, _ = sign_in(app, "Boss")
    admin.post(f"/desk/accounts/{boss.id}/{action}", data={"role": "agent"})
    assert texts("problem_oneself") in said(admin.get("/desk/account"))
    assert accounts.agent(store, boss.id) == boss


def test_only_admins_reach_accounts_and_supervisors_the_log_too(app: Flask, store: Store, sara: Agent) -> None:
    accounts.add_agent(store, "Sam", "supervisor", PASSWORD)
    agent, _ = sign_in(app, "Sara")
    supervisor, _ = sign_in(app, "Sam")
    for address in ("/desk/accounts", "/desk/accounts/1", "/desk/outbox"):
        assert app.test_client().get(address).location.startswith("/desk/login?next=%2Fdesk%2F")
        assert (agent.get(address).status_code, supervisor.get(address).status_code) == (403, 403)
    for address in ("/desk/accounts", "/desk/accounts/1/disable", "/desk/accounts/1/token", "/desk/outbox/retry"):
        assert app.test_client().post(address).location.startswith("/desk/login")
        assert (agent.post(address).status_code, supervisor.post(address).status_code) == (403, 403)
    assert (agent.get("/desk/audit").status_code, supervisor.get("/desk/audit").status_code) == (403, 200)
    assert "/desk/accounts" not in agent.get("/desk").text
    assert accounts.agents(store)[0].disabled is False


def test_an_account_or_an_action_that_is_not_there_is_404(app: Flask, boss: Agent) -> None:
    admin, _ = sign_in(app, "Boss")
    for address in ("/desk/accounts/99", "/desk/accounts/99999999999", "/desk/accounts/x"):
        assert admin.get(address).status_code == 404
    assert admin.post("/desk/accounts/1/nonsense").status_code == 404


def test_a_forged_origin_changes_no_account(app: Flask, store: Store, boss: Agent, sara: Agent) -> None:
    admin, _ = sign_in(app, "Boss")
    for address in (
        "/desk/accounts",
        f"/desk/accounts/{sara.id}/disable",
        "/desk/account/sessions",
        "/desk/login/code",
        "/desk/outbox/retry",
    ):
        assert admin.post(address, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert accounts.agents(store) == [boss, sara]


# ---------------------------------------------------------------- one's own account


def test_a_password_is_changed_with_the_old_one_and_ends_the_other_sessions(app: Flask, sara: Agent) -> None:
    here, _ = sign_in(app, "Sara")
    there, _ = sign_in(app, "Sara")
    for form, problem in (
        ({"current": "wrong password", "new": OWN}, "wrong_password"),
        ({"current": PASSWORD, "new": "short"}, "short"),
        ({"current": PASSWORD, "new": "x" * 257}, "long"),
    ):
        answer = here.post("/desk/account/password", data=form, follow_redirects=True)
        assert texts(f"problem_{problem}") in said(answer)
    here.post("/desk/account/password", data={"current": PASSWORD, "new": OWN})
    assert here.get("/desk").status_code == 200
    assert there.get("/desk").status_code == 303


def test_a_session_left_somewhere_is_ended_from_another(app: Flask, sara: Agent) -> None:
    here, _ = sign_in(app, "Sara")
    there, _ = sign_in(app, "Sara")
    here.post("/desk/account/sessions")
    assert here.get("/desk").status_code == 200
    assert there.get("/desk").status_code == 303


def test_one_s_sessions_are_on_one_s_page_and_each_can_be_ended(app: Flask, sara: Agent) -> None:
    here, _ = sign_in(app, "Sara")
    phone = app.test_client()
    agent = {"User-Agent": "Mozilla/5.0 (Linux; Android 16) Chrome/143.0 Mobile Safari/537.36"}
    phone.post("/desk/login", data={"name": "Sara", "password": PASSWORD}, headers=agent)
    page = said(here.get("/desk/account"))
    assert page.index(texts("session_here")) != page.index("Chrome on Android")
    (number,) = re.findall(r'action="/desk/account/sessions"><input type="hidden" name="id" value="(\d+)"', page)
    # Two of one browser differ by their times alone, to who hears the page too.
    assert f'id="session-{number}"' in page
    assert f'aria-describedby="session-{number}"' in page
    answer = here.post("/desk/account/sessions", data={"id": number}, follow_redirects=True)
    assert texts("session_ended") in said(answer)
    assert (here.get("/desk").status_code, phone.get("/desk").status_code) == (200, 303)


@pytest.mark.parametrize("number", ["", "0", "-1", "9" * 40, "x", "\0"])
def test_nobody_ends_a_session_or_a_token_of_somebody_else(
    app: Flask, store: Store, boss: Agent, sara: Agent, number: str
) -> None:
    sign_in(app, "Boss")
    accounts.issue_token(store, "Boss")
    browser, _ = sign_in(app, "Sara")
    theirs = str(accounts.sessions(store, boss, timedelta(hours=1))[0].id)
    token = str(accounts.tokens(store, boss)[0].id)
    for path, value in (("sessions", theirs), ("tokens", token), ("sessions", number), ("tokens", number)):
        assert browser.post(f"/desk/account/{path}", data={"id": value}).status_code == 303
    assert len(accounts.sessions(store, boss, timedelta(hours=1))) == 1
    assert len(accounts.tokens(store, boss)) == 1


def test_a_token_is_made_for_a_purpose_shown_once_and_revoked_by_its_owner(
    app: Flask, store: Store, boss: Agent, sara: Agent
) -> None:
    admin, _ = sign_in(app, "Boss")
    browser, _ = sign_in(app, "Sara")
    form = {"label": HOSTILE, "scope": "read", "days": "30"}
    token = secret_on(admin.post(f"/desk/accounts/{sara.id}/token", data=form))
    bearer = {"Authorization": f"Bearer {token}"}
    program = app.test_client()
    assert program.get("/api/v1/desk/tickets", headers=bearer).status_code == 200
    refused = program.post("/api/v1/desk/presence", json={"status": "away"}, headers=bearer)
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (403, "scope")
    page = browser.get("/desk/account").text
    assert token not in page
    assert HOSTILE not in page
    assert html.escape(HOSTILE, quote=False).replace('"', "&#34;") in page
    assert texts("scope_read") in html.unescape(page)
    assert texts("never_used") not in html.unescape(page)
    browser.post("/desk/account/tokens", data={"id": str(accounts.tokens(store, sara)[0].id)})
    assert program.get("/api/v1/desk/tickets", headers=bearer).status_code == 401


@pytest.mark.parametrize(
    ("field", "given", "problem"), [("scope", "all", "no_scope"), ("days", "0", "no_days"), ("days", "x", "no_days")]
)
def test_a_token_that_cannot_be_made_says_why(
    app: Flask, store: Store, boss: Agent, sara: Agent, field: str, given: str, problem: str
) -> None:
    admin, _ = sign_in(app, "Boss")
    form = {"label": "display", "scope": "read", "days": "30"} | {field: given}
    answer = admin.post(f"/desk/accounts/{sara.id}/token", data=form, follow_redirects=True)
    assert texts(f"problem_{problem}") in said(answer)
    assert accounts.tokens(store, sara) == []


def test_a_password_that_everybody_tries_is_refused_in_one_s_own_words(app: Flask, sara: Agent) -> None:
    browser, _ = sign_in(app, "Sara")
    for new, problem in (("password123", "common"), ("Sara12345", "own_name")):
        answer = browser.post("/desk/account/password", data={"current": PASSWORD, "new": new}, follow_redirects=True)
        assert texts(f"problem_{problem}") in said(answer)
    assert sign_in(app, "Sara")[1].status_code == 303


def test_an_admin_lets_an_address_try_again(app: Flask, boss: Agent, sara: Agent) -> None:
    admin, _ = sign_in(app, "Boss")
    for n in range(51):
        sign_in(app, f"nobody {n}", "wrong password")
    refused = sign_in(app, "Sara")[1]
    assert refused.status_code == 429
    assert language.messages("en")["desk.too_many_address"].partition("{")[0] in said(refused)
    page = admin.get("/desk/accounts").text
    assert '<bdi dir="ltr">127.0.0.1</bdi>' in page
    admin.post("/desk/accounts/unlock", data={"address": "127.0.0.1"})
    assert '<bdi dir="ltr">127.0.0.1</bdi>' not in admin.get("/desk/accounts").text
    assert sign_in(app, "Sara")[1].status_code == 303


def test_a_supervisor_signs_out_a_lost_phone_but_no_admin(app: Flask, store: Store, boss: Agent, sara: Agent) -> None:
    accounts.add_agent(store, "Sam", "supervisor", PASSWORD)
    (sam, _), (lost, _), (admin, _) = sign_in(app, "Sam"), sign_in(app, "Sara"), sign_in(app, "Boss")
    assert texts_team("signed_out") in said(sam.post("/desk/team/Sara/sign-out", follow_redirects=True))
    assert lost.get("/desk").status_code == 303
    assert sam.post("/desk/team/Boss/sign-out").status_code == 403
    assert sam.post("/desk/team/Nobody/sign-out").status_code == 404
    assert sam.post("/desk/team/Sam/sign-out").status_code == 303
    assert (admin.get("/desk").status_code, sam.get("/desk").status_code) == (200, 200)


@pytest.mark.parametrize(("base", "scheme", "name"), [
    ("", "http", "botkit_session"),
    ("", "https", "__Host-botkit_session"),
    ("https://help.shop.example", "https", "__Host-botkit_session"),
])  # fmt: skip
def test_a_session_s_cookie_is_no_script_s_and_over_https_no_other_host_s(
    live: Live, store: Store, sara: Agent, base: str, scheme: str, name: str
) -> None:
    browser = create_app(index=live, store=store, settings=quiet(base_url=base)).test_client()
    answer = browser.post("/desk/login", base_url=f"{scheme}://localhost", data={"name": "Sara", "password": PASSWORD})
    sent = {each.partition("=")[0]: each for each in answer.headers.getlist("Set-Cookie")}
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(sent[name].split("; "))
    assert ("Secure" in sent[name].split("; ")) == (scheme == "https")
    assert "Domain" not in sent[name]
    assert browser.get("/desk", base_url=f"{scheme}://localhost").status_code == 200


def test_whoever_forges_or_copies_a_cookie_is_nobody(app: Flask, store: Store, sara: Agent) -> None:
    browser, _ = sign_in(app, "Sara")
    cookie = browser.get_cookie("botkit_session")
    assert cookie is not None
    forged = ("", "x", cookie.value[:-1], cookie.value + "x", cookie.value.swapcase(), '{"agent": 1}', "\ud800")
    for text in forged:
        other = app.test_client()
        answer = other.get(
            "/desk", headers={"Cookie": f"botkit_session={text}".encode("utf-8", "surrogatepass").decode("latin-1")}
        )
        assert answer.status_code == 303
    copied = app.test_client()
    copied.set_cookie("botkit_session", cookie.value)
    assert copied.get("/desk").status_code == 200
    assert browser.post("/desk/logout").status_code == 303
    assert copied.get("/desk").status_code == 303


def test_what_a_program_lists_is_in_the_log_with_its_token(app: Flask, store: Store, sara: Agent) -> None:
    token = accounts.issue_token(store, "Sara", label="display", scope="read")
    bearer = {"Authorization": f"Bearer {token}"}
    for _ in range(3):  # a display asks every few seconds: once an hour it is noted
        app.test_client().get("/api/v1/desk/tickets?limit=20", headers=bearer)
    (line,) = accounts.audited(store, action="ticket.listed")
    assert line.actor == "agent:Sara"
    assert line.detail == {"limit": 20, "found": 0, "token": accounts.tokens(store, sara)[0].id} | {
        key: value for key, value in line.detail.items() if key in ("state", "language")
    }


def test_each_list_that_a_program_reads_is_noted_once_an_hour(store: Store, clock: Clock, sara: Agent) -> None:
    def noted(**asked: object) -> int:
        accounts.audit_read(store, sara, "", "ticket.listed", found=int(clock().timestamp()), **asked)
        return len(accounts.audited(store, action="ticket.listed"))

    assert [noted(limit=50, token=1), noted(limit=50, token=1, state=None)] == [1, 1]
    assert [noted(limit=50, token=2), noted(limit=50, token=1, state="closed"), noted(limit=50)] == [2, 3, 4]
    clock.forward(3601)
    assert noted(limit=50, token=1) == 5


def test_a_token_that_may_only_read_changes_nothing_by_reading(app: Flask, store: Store, sara: Agent) -> None:
    """A display is nobody at the desk: it is offered nothing, and what names its agent stays to be seen."""
    ticket = handed_over(store)
    desk.note(store, ticket, accounts.add_agent(store, "Omid", "agent", PASSWORD), "look, @Sara")
    for scope, there in (("read", False), ("answer", True)):
        headers = {"Authorization": f"Bearer {accounts.issue_token(store, 'Sara', scope=scope)}"}
        program = app.test_client()
        assert program.get(f"/api/v1/desk/tickets/{ticket}", headers=headers).status_code == 200
        stream = program.get(
            f"/api/v1/desk/events?watch={ticket}", headers=headers | {"Accept": "text/event-stream"}, buffered=False
        )
        result = iter(stream.response)
        assert [next(result) for _ in range(2)]
        stream.close()
        assert desk.profile(store, "Sara").present is there
        assert (desk.mentions(store, sara) == []) is there


def test_a_program_that_asks_too_often_is_told_and_its_owner_s_browser_is_not(
    live: Live, store: Store, sara: Agent
) -> None:
    app = create_app(index=live, store=store, settings=quiet(desk_rate_per_minute=5))
    browser, _ = sign_in(app, "Sara")
    bearer = {"Authorization": f"Bearer {accounts.issue_token(store, 'Sara')}"}
    program = app.test_client()
    statuses = [program.get("/api/v1/desk/agents", headers=bearer).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    assert browser.get("/api/v1/desk/agents").status_code == 200
    assert browser.get("/desk").status_code == 200


def test_whoever_sits_down_at_an_open_session_cannot_guess_its_password(app: Flask, sara: Agent) -> None:
    browser, _ = sign_in(app, "Sara")
    for n in range(5):
        browser.post("/desk/account/password", data={"current": f"guess {n}", "new": OWN})
    answer = browser.post("/desk/account/password", data={"current": PASSWORD, "new": OWN}, follow_redirects=True)
    assert language.messages("en")["desk.too_many_here"].format(time="in 60 seconds") in said(answer)
    assert browser.get("/desk").status_code == 200


# ---------------------------------------------------------------- the second factor


def set_up(browser: FlaskClient, clock: Clock, password: str = PASSWORD) -> tuple[pyotp.TOTP, list[str]]:
    browser.post("/desk/account/factor", data={"password": password})
    page = browser.get("/desk/account")
    phone = pyotp.TOTP(secret_on(page).replace(" ", ""))
    assert f"secret={phone.secret}" in page.text
    shown = browser.post("/desk/account/factor/confirm", data={"code": phone.at(clock.now)})
    codes = re.findall(r"<li><code>([a-z0-9-]{19})</code></li>", shown.text)
    assert len(codes) == 10
    assert codes[0] not in browser.get("/desk/account").text
    clock.forward(30)
    return phone, codes


def test_a_sign_in_asks_for_the_code_and_nothing_opens_before(app: Flask, clock: Clock, boss: Agent) -> None:
    first, _ = sign_in(app, "Boss")
    other, _ = sign_in(app, "Boss")
    phone, codes = set_up(first, clock)
    assert first.get("/desk").status_code == 200
    assert other.get("/desk").status_code == 303  # begun without a code

    browser, answer = sign_in(app, "Boss", next="/desk/accounts")
    assert answer.location == "/desk/login/code?next=%2Fdesk%2Faccounts"
    for address in ("/desk", "/desk/account", "/desk/accounts"):
        assert ends_at(browser, address) == "/desk/login/code"
    assert browser.get("/api/v1/desk/tickets").status_code == 401
    assert browser.post("/desk/account/factor/off", data={"password": PASSWORD}).location.startswith("/desk/login")
    wrong = browser.post("/desk/login/code", data={"code": "000000"})
    assert (wrong.status_code, texts("wrong_code") in said(wrong)) == (401, True)
    right = browser.post("/desk/login/code", data={"code": phone.at(clock.now), "next": "/desk/accounts"})
    assert right.location == "/desk/accounts"
    assert browser.get("/desk/accounts").status_code == 200

    other, _ = sign_in(app, "Boss")
    assert other.get("/desk/login").location == "/desk/login/code?next=%2Fdesk"
    other.post("/desk/logout")  # another account
    assert other.get("/desk/login").status_code == 200

    late, _ = sign_in(app, "Boss")
    assert late.post("/desk/login/code", data={"code": phone.at(clock.now)}).status_code == 401  # seen before
    assert late.post("/desk/login/code", data={"code": codes[0]}).location == "/desk"


def test_a_password_counts_for_ten_minutes_only_while_the_code_is_looked_for(
    app: Flask, store: Store, clock: Clock, boss: Agent
) -> None:
    first, _ = sign_in(app, "Boss")
    phone, _ = set_up(first, clock)
    slow, _ = sign_in(app, "Boss")
    clock.forward(600)
    assert slow.post("/desk/login/code", data={"code": phone.at(clock.now)}).location.startswith("/desk/login?next=")
    changed, _ = sign_in(app, "Boss")
    accounts.set_password(store, "Boss", OWN)
    assert changed.post("/desk/login/code", data={"code": phone.at(clock.now)}).location.startswith("/desk/login?next=")
    assert changed.get("/desk/login/code").location.startswith("/desk/login?next=")


def test_guessed_codes_are_refused_after_five(app: Flask, clock: Clock, boss: Agent) -> None:
    first, _ = sign_in(app, "Boss")
    phone, _ = set_up(first, clock)
    browser, _ = sign_in(app, "Boss")
    ends = [browser.post("/desk/login/code", data={"code": f"{n:06}"}).status_code for n in range(6)]
    assert ends == [401] * 5 + [429]
    refused = browser.post("/desk/login/code", data={"code": phone.at(clock.now)})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")


def test_the_password_or_an_admin_switches_it_off(app: Flask, clock: Clock, boss: Agent, sara: Agent) -> None:
    browser, _ = sign_in(app, "Sara")
    set_up(browser, clock)
    browser.post("/desk/account/factor/off", data={"password": "wrong password"})
    assert sign_in(app, "Sara")[1].location.startswith("/desk/login/code")
    browser.post("/desk/account/factor/off", data={"password": PASSWORD})
    browser, answer = sign_in(app, "Sara")
    assert answer.location == "/desk"
    set_up(browser, clock)
    admin, _ = sign_in(app, "Boss")
    admin.post(f"/desk/accounts/{sara.id}/factor-off")
    assert browser.get("/desk").status_code == 303
    assert sign_in(app, "Sara")[1].location == "/desk"


def test_new_recovery_codes_end_the_old_ones(app: Flask, clock: Clock, boss: Agent) -> None:
    first, _ = sign_in(app, "Boss")
    _, codes = set_up(first, clock)
    shown = first.post("/desk/account/factor/codes", data={"password": PASSWORD})
    fresh = re.findall(r"<li><code>([a-z0-9-]{19})</code></li>", shown.text)
    browser, _ = sign_in(app, "Boss")
    assert browser.post("/desk/login/code", data={"code": codes[0]}).status_code == 401
    assert browser.post("/desk/login/code", data={"code": fresh[0]}).location == "/desk"


def test_a_role_that_needs_a_second_factor_sets_it_up_before_anything_else(
    live: Live, store: Store, clock: Clock, boss: Agent, sara: Agent
) -> None:
    app = create_app(index=live, store=store, settings=quiet(second_factor_roles="admin"))
    browser, answer = sign_in(app, "Boss", next="/desk/accounts")
    assert answer.location == "/desk/account"
    assert ends_at(browser, "/desk") == ends_at(browser, "/desk/accounts") == "/desk/account"
    assert browser.get("/api/v1/desk/tickets").status_code == 401
    assert texts("due_factor") in browser.get("/desk/account").text
    set_up(browser, clock)
    page = browser.get("/desk/account").text
    assert "/desk/account/factor/off" not in page
    assert browser.get("/desk/accounts").status_code == 200
    assert sign_in(app, "Sara")[1].location == "/desk"
    with pytest.raises(ConfigError, match="no such role 'boss'"):
        create_app(index=live, store=store, settings=quiet(second_factor_roles="boss"))


# ---------------------------------------------------------------- the log


def test_the_log_shows_who_did_what_by_filters_and_pages(app: Flask, store: Store, boss: Agent, sara: Agent) -> None:
    admin, _ = sign_in(app, "Boss")
    sign_in(app, "Sara", "wrong password")
    admin.post(f"/desk/accounts/{sara.id}/disable")
    page = said(admin.get("/desk/audit"))
    rows = page[page.index("<tbody>") : page.index("</tbody>")]
    assert rows.index(texts("did_account_disabled")) < rows.index(texts("did_sign_in_failed"))
    assert "address: 127.0.0.1" in rows
    one = said(admin.get("/desk/audit?action=account.disabled&actor=agent:Boss"))
    assert one[one.index("<tbody>") : one.index("</tbody>")].count("<tr>") == 1
    assert language.messages("en")["desk.nothing"] in admin.get("/desk/audit?since=2027-01-01").text
    assert admin.get("/desk/audit?since=nonsense&before=x").status_code == 200
    with store.write() as conn:
        for n in range(60):
            accounts.audit(store, conn, None, "export", f"file {n}")
    first = admin.get("/desk/audit?action=export")
    older = re.search(r'href="([^"]+before[^"]+)"', first.text)
    assert older is not None
    second = admin.get(html.unescape(older[1]))
    assert ("file 59" in first.text, "file 10" in first.text) == (True, True)
    assert ("file 9<" in second.text, "file 10<" in second.text) == (True, False)


def test_the_log_has_no_password_code_or_token(app: Flask, store: Store, clock: Clock, boss: Agent) -> None:
    browser, _ = sign_in(app, "Boss")
    phone, codes = set_up(browser, clock)
    token = secret_on(browser.post(f"/desk/accounts/{boss.id}/token"))
    value = secret_on(browser.post("/desk/accounts", data={"name": "Sara", "role": "agent"}))
    sign_in(app, PASSWORD, PASSWORD)
    kept = repr(accounts.audited(store, limit=1000))
    for secret in (PASSWORD, phone.secret, token, value, *codes):
        assert secret not in kept


@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "%00", HOSTILE, "x" * 20_000, "\u202e\u2066", "-1", "9" * 40, "NaN", "'; DROP --"]
)
def test_whatever_is_sent_is_a_page_or_a_clear_4xx(
    app: Flask, store: Store, clock: Clock, boss: Agent, text: str
) -> None:
    browser, _ = sign_in(app, "Boss")
    for field in ("actor", "action", "since", "before"):
        assert browser.get("/desk/audit", query_string={field: text}).status_code == 200
    assert browser.get("/desk/outbox", query_string={"state": text}).status_code == 200
    for address, form in (
        ("/desk/accounts", {"name": text, "role": text}),
        ("/desk/accounts/1/token", {}),
        ("/desk/accounts/1/role", {"role": text}),
        ("/desk/outbox/retry", {"id": text}),
        ("/desk/account/password", {"current": PASSWORD, "new": text[:7]}),
        ("/desk/account/factor/confirm", {"code": text}),
        ("/desk/account/factor/codes", {"password": PASSWORD}),
        ("/desk/login/code", {"code": text, "next": text}),
    ):
        answer = browser.post(address, data=form)
        assert answer.status_code < 500
        assert "<script>alert" not in browser.get("/desk/account").text
    set_up(browser, clock)
    half, _ = sign_in(app, "Boss")
    assert half.post("/desk/login/code", data={"code": text, "next": text}).status_code == 401
    assert accounts.agents(store)[0].role == "admin"


# ---------------------------------------------------------------- deliveries


def test_what_was_given_up_is_shown_with_its_reason_and_tried_again(app: Flask, store: Store, boss: Agent) -> None:
    def refuse(_: outbox.Delivery) -> None:
        raise outbox.NotDelivered("HTTP 410: the receiver wants no more of this", final=True)

    outbox.kinds(store, ["webhook"])
    with store.write() as conn:
        ids = [outbox.put(conn, "webhook", {"type": "ticket.opened"}, store.now()) for _ in range(3)]
    while outbox.work(store, {"webhook": refuse}):
        pass
    admin, _ = sign_in(app, "Boss")
    page = admin.get("/desk/outbox").text
    assert page.count("HTTP 410: the receiver wants no more of this") == 3
    assert all(str(each) in page for each in ids)
    assert admin.post("/desk/outbox/retry", data={"id": "2"}).location == "/desk/outbox?state=waiting"
    assert [each.id for each in outbox.deliveries(store, "waiting")] == [2]
    admin.post("/desk/outbox/retry", data={"id": "two"})
    assert outbox.counts(store) == {"waiting": 1, "given_up": 2}
    admin.post("/desk/outbox/retry")
    assert outbox.counts(store) == {"waiting": 3, "given_up": 0}
    assert str(ids[0]) in admin.get("/desk/outbox?state=waiting").text
    counts = [line.detail["count"] for line in accounts.audited(store, action="outbox.retried")]
    assert counts == [2, 0, 1]


# ---------------------------------------------------------------- the words


def test_every_page_speaks_every_language(app: Flask, clock: Clock, boss: Agent, lang: str) -> None:
    browser, _ = sign_in(app, "Boss")
    frame = f'<html lang="{lang}" dir="{language.direction(lang)}">'
    for address, key in (
        ("/desk/accounts", "rights"),
        ("/desk/accounts/1", "issue_token"),
        ("/desk/account", "factor_lead"),
        ("/desk/audit", "audit"),
        ("/desk/outbox", "outbox_lead"),
    ):
        page = browser.get(f"{address}?lang={lang}")
        assert frame in page.text
        assert texts(key, lang) in said(page)
    set_up(browser, clock)
    half, _ = sign_in(app, "Boss")
    page = half.get(f"/desk/login/code?lang={lang}")
    assert frame in page.text
    assert texts("code_lead", lang) in said(page)


def test_every_word_is_used_and_every_used_word_is_there() -> None:
    web = language.web_folder()
    files = [*(web / "templates" / "desk").glob("*.html"), *(web.parent / "botkit" / "server" / "desk").glob("*.py")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    keys = {key.split(".")[1] for key in language.messages("en") if key.startswith("accounts.")}
    built = ("role_", "may_", "told_", "actor_", "outbox_", "problem_", "did_", "scope_")
    used = set(re.findall(r"[\"']accounts\.([a-z_0-9]+)[\"']", text)) | set(re.findall(r'done\("([a-z_]+)"', text))
    used |= {f"problem_{code}" for code in re.findall(r'refused\("([a-z_]+)"', text)}
    assert used - set(built) <= keys, used - set(built) - keys
    assert {key for key in keys - used if not key.startswith(built)} == set()
    assert {f"did_{action.replace('.', '_')}" for action in accounts.ACTIONS} == {
        k for k in keys if k.startswith("did_")
    }
    assert {f"may_{what}" for what in accounts.MAY} == {k for k in keys if k.startswith("may_")}
    assert {f"role_{role}" for role in accounts.ROLES} == {k for k in keys if k.startswith("role_")}
    codes = re.findall(
        r'PeopleError\(\s*"([a-z_]+)"',
        "".join(file.read_text(encoding="utf-8") for file in (web.parent / "botkit" / "people").glob("*.py")),
    )
    assert {f"problem_{code}" for code in codes} <= keys


def test_a_sign_in_lasts_as_long_as_the_settings_say(live: Live, store: Store, clock: Clock, sara: Agent) -> None:
    """Unused and in any case."""
    app = create_app(index=live, store=store, settings=quiet(session_hours=3, session_idle_minutes=50))
    (used, answer), (unused, _) = sign_in(app, "Sara"), sign_in(app, "Sara")
    assert "Max-Age=10800" in next(each for each in answer.headers.getlist("Set-Cookie") if "botkit_session" in each)
    for _ in range(5):
        clock.forward(30 * 60)
        assert used.get("/desk").status_code == 200
    assert unused.get("/desk").status_code == 303
    clock.forward(30 * 60)
    assert used.get("/desk").location == "/desk/login?next=%2Fdesk"
