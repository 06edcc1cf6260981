"""The pages of accounts in a real browser: from a first sign-in to a second factor, whole for a screen reader."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyotp
import pytest
from quiet import quiet
from werkzeug.serving import make_server

from botkit import accounts, language
from botkit.index import Live
from botkit.server import create_app
from botkit.store import Store

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PASSWORD = "copper pan and cezve"


@pytest.fixture
def site(live: Live, store: Store) -> Iterator[str]:
    app = create_app(index=live, store=store, settings=quiet(second_factor_roles="admin"), demo=True)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("lang", "scheme"), [("en", "light"), ("ar", "dark")])
def test_from_a_first_sign_in_to_a_second_factor(
    browser: Browser, site: str, store: Store, lang: str, scheme: Any
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    texts, value = language.messages(lang), accounts.new_password()
    boss = accounts.add_agent(store, "Boss", "admin", value, temporary=True)
    context = browser.new_context(base_url=site, locale=lang, color_scheme=scheme, reduced_motion="reduce")
    page, complaints = context.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)

    def check(what: str) -> None:
        page.evaluate(script)
        ask = "axe.run().then(({violations}) => violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
        assert page.evaluate(ask) == [], what

    def sign_in(password: str) -> None:
        page.goto(f"/desk/login?lang={lang}")
        page.fill("#name", "Boss")
        page.fill("#password", password)
        page.press("#password", "Enter")

    sign_in(value)
    page.wait_for_url("**/desk/account")
    check("a temporary password")
    page.fill("#current", value)
    page.fill("#new", PASSWORD)
    page.press("#new", "Enter")
    page.fill("#factor-password", PASSWORD)
    check("a second factor is due")
    page.press("#factor-password", "Enter")
    page.wait_for_selector(".secret")
    check("the key")
    secret = accounts.pending_factor(store, boss)
    assert secret is not None
    assert page.locator(".secret").inner_text().replace(" ", "") == secret
    page.fill("#code", pyotp.TOTP(secret).at(store.now()))
    page.press("#code", "Enter")
    code = page.locator(".codes code").first.inner_text()
    check("recovery codes")
    page.get_by_role("button", name=texts["desk.sign_out"], exact=True).click()
    sign_in(PASSWORD)
    page.wait_for_url("**/desk/login/code**")
    check("the code at a sign-in")
    page.fill("#code", code)
    page.press("#code", "Enter")
    page.wait_for_url("**/desk")
    page.get_by_role("link", name=texts["accounts.team"]).click()
    page.fill("#name", "Sara")
    page.press("#name", "Enter")
    page.wait_for_selector(".told")
    check("an account just made")
    page.set_viewport_size({"width": 380, "height": 800})
    for address in ("/desk/accounts", "/desk/accounts/2", "/desk/account", "/desk/audit", "/desk/outbox"):
        page.goto(address)
        check(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 380, address  # tables scroll by themselves
    context.close()
    assert complaints == []
