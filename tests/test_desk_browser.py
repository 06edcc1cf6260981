"""The page of a ticket in a browser: two agents, one of them in Arabic, and customers who write by the API.

Nothing here waits for a time: every step waits for what an agent would see next.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from quiet import quiet
from test_browser import served

from botkit import accounts, desk, language
from botkit.index import Live
from botkit.server import create_app
from botkit.store import Store

PASSWORD = "copper pan and cezve"
HOSTILE = "<img src=x onerror=\"document.title='hacked'\"><b>bold</b> & {order}"
EN, AR = language.messages("en"), language.messages("ar")


@pytest.fixture
def app(live: Live, store: Store) -> Flask:
    for name in ("Sara", "Omid"):
        accounts.add_agent(store, name, "agent", PASSWORD)
    return create_app(index=live, store=store, settings=quiet())


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    with served(app) as port:
        yield f"http://127.0.0.1:{port}"


class Customer:
    """Somebody in a chat who has asked for a person."""

    def __init__(self, app: Flask, text: str, lang: str = "en") -> None:
        self._client = app.test_client()
        begun = self._client.post("/api/v1/conversations", json={"lang": lang, "page": "/orders/7"}).json
        assert begun is not None
        self.id, self._headers = begun["id"], {"Authorization": f"Bearer {begun['token']}"}
        self.say(text)
        self._post("handoff", {})
        tickets = desk.queue(app.extensions["botkit"].store, limit=500)
        self.ticket = next(t.id for t in tickets if t.conversation == self.id)

    def say(self, text: str) -> None:
        self._post("messages", {"client_id": str(uuid.uuid4()), "text": text})

    def _post(self, what: str, body: dict[str, Any]) -> None:
        address = f"/api/v1/conversations/{self.id}/{what}"
        assert self._client.post(address, json=body, headers=self._headers).status_code == 200

    def heard(self) -> list[str]:
        """What agents have said to the customer."""
        events = self._client.get(f"/api/v1/conversations/{self.id}/events", headers=self._headers).json
        assert events is not None
        return [e["data"]["text"] for e in events["events"] if e["kind"] == "message" and e["actor"] == "agent"]


@pytest.fixture
def customer(app: Flask) -> Callable[..., Customer]:
    return lambda text="Where is my order?", lang="en": Customer(app, text, lang)


@pytest.fixture
def agent(browser: Browser, site: str) -> Iterator[Callable[..., Page]]:
    """Sign an agent in and open a page. What a page complains about in its console fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def come(name: str, path: str, lang: str = "en", **options: Any) -> Page:
        context = browser.new_context(base_url=site, **({"locale": "en-GB"} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        page.goto(f"/desk?lang={lang}")
        page.locator("#name").fill(name)
        page.locator("#password").fill(PASSWORD)
        page.locator("#password").press("Enter")
        expect(page.locator("#tabs")).to_be_visible()
        page.goto(path)
        return page

    yield come
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def owned(store: Store, customer: Callable[..., Customer], agent: Callable[..., Page]) -> Callable[..., Any]:
    """A customer whose ticket an agent has taken, and the agent's page."""

    def make(text: str = "Where is my order?", spoken: str = "en", name: str = "Sara", **options: Any) -> Any:
        someone = customer(text, spoken)
        desk.claim(store, someone.ticket, next(each for each in accounts.agents(store) if each.name == name))
        return someone, agent(name, f"/desk/tickets/{someone.ticket}", **options)

    return make


# ---------------------------------------------------------------- what is said


def test_an_answer_is_inserted_by_a_key_and_sent(owned: Callable[..., Any]) -> None:
    """As the customer's words come in, the passages follow; the customer gets what the article says."""
    someone, page = owned()
    someone.say("When will I get my refund?")
    expect(page.locator("#assist .candidate-head a").first).to_have_attribute("href", "/help/en/returns/refund-time")
    page.locator("#reply").focus()
    page.keyboard.press("Alt+1")
    expect(page.locator("#reply")).to_be_focused()
    expect(page.locator("#reply")).not_to_have_value("")
    text = page.locator("#reply").input_value()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".entry.agent .words")).to_have_text(text)
    expect(page.locator("#reply")).to_have_value("")
    assert someone.heard() == [text]


@pytest.mark.parametrize(
    ("lang", "found", "hour"),
    [
        ("en", "2 canned replies", r"\d\d:\d\d"),
        ("ar", "ردان جاهزان", r"\d{1,2}:\d\d [صم]"),
        ("tr", "2 hazır yanıt", r"\d\d:\d\d"),
        ("fa", "۲ پاسخ آماده", r"[۰-۹]{1,2}:[۰-۹]{2}"),
        ("bg", "2 готови отговора", r"\d{1,2}:\d\d"),
    ],
)
def test_scripts_count_and_tell_the_time_in_the_readers_language(
    owned: Callable[..., Any], lang: str, found: str, hour: str
) -> None:
    """On a phone, whatever language the browser itself is in; nothing makes the page wider than that."""
    _, page = owned(lang=lang, locale="en-US", viewport={"width": 390, "height": 844})
    day = r"(?:.*\d[^\d]{1,8})?"  # a test may be run at midnight
    expect(page.locator("#transcript time").first).to_have_text(re.compile(f"^{day}{hour}$"))
    page.locator("#reply").focus()
    page.keyboard.type("/")
    expect(page.locator("#status")).to_have_text(found)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_slash_opens_the_canned_replies(owned: Callable[..., Any]) -> None:
    """A listbox steered by arrows, Enter and Escape; variables are filled in, and what is missing must be filled in
    before it can be sent."""
    someone, page = owned("Where is order LZ-10423?")
    reply, options = page.locator("#reply"), page.locator("#canned-list [role=option]")
    reply.focus()
    page.keyboard.type("Good morning. /")
    expect(options).to_have_count(2)
    expect(reply).to_have_attribute("aria-activedescendant", "canned-option-0")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#canned-list")).to_be_hidden()
    page.keyboard.type("th")
    expect(options).to_have_count(1)
    page.keyboard.press("Enter")
    expect(reply).to_have_value("Good morning. Thank you for waiting. This is Sara.")
    page.keyboard.type(" /sent")
    expect(options).to_have_count(1)
    options.first.click()
    expect(reply).to_have_value(
        "Good morning. Thank you for waiting. This is Sara. Order LZ-10423 is with the courier. "
        "We are here Monday to Friday, 9 am to 5 pm, and {customer} may write any time."
    )
    page.keyboard.press("Control+Enter")
    expect(page.locator("#flashes")).to_have_text(EN["desk.fill_first"].format(what="{customer}"))
    page.keyboard.type("you")  # what is missing is selected
    page.keyboard.press("Control+Enter")
    expect(page.locator(".entry.agent .words")).to_contain_text("and you may write any time.")
    assert len(someone.heard()) == 1


def test_a_path_that_is_typed_opens_nothing(owned: Callable[..., Any]) -> None:
    _, page = owned()
    with page.expect_response("**/assist?q=/"):
        page.locator("#reply").focus()
    page.keyboard.type("See /orders/7 and/or ")
    page.keyboard.type("1/2")
    expect(page.locator("#canned-list")).to_be_hidden()
    expect(page.locator("#reply")).to_have_value("See /orders/7 and/or 1/2")


def test_a_search_while_typing_finds_articles_and_canned_replies(owned: Callable[..., Any]) -> None:
    someone, page = owned()
    page.keyboard.press("Alt+KeyS")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("courier")
    expect(page.locator("#found")).to_have_attribute("data-found", "courier")
    expect(page.locator("#found ul .shortcut")).to_have_text("/sent")
    page.locator("#q").fill("refund")
    expect(page.locator("#found")).to_have_attribute("data-found", "refund")
    page.locator("#found ol a[role=button]").first.click()
    expect(page.locator("#reply")).not_to_have_value("")
    someone.say("Hello?")  # news do not take the search away
    expect(page.locator(".entry.customer")).to_have_count(2)
    expect(page.locator("#found")).to_have_attribute("data-found", "refund")
    page.locator("#q").fill("")
    expect(page.locator("#found li")).to_have_count(0)


def test_html_that_a_customer_types_stays_text_everywhere(owned: Callable[..., Any]) -> None:
    """In the transcript, the words searched for, the list of chats, and the reply."""
    _, page = owned(HOSTILE)
    expect(page.locator(".entry.customer .words")).to_have_text(HOSTILE)
    expect(page.locator(".chat-text")).to_have_text(HOSTILE)
    expect(page.locator(".asked q")).to_have_text(HOSTILE)
    page.locator("#note").fill(HOSTILE)
    page.get_by_role("button", name=EN["desk.add_note"]).click()
    expect(page.locator(".entry.note .words")).to_have_text(HOSTILE)
    assert "hacked" not in page.title()
    assert page.locator("img[src=x], b:text-is('bold')").count() == 0


# ---------------------------------------------------------------- how it ends


def test_a_verdict_with_one_click_on_a_candidate(owned: Callable[..., Any], store: Store) -> None:
    someone, page = owned()
    page.keyboard.press("Alt+KeyC")
    expect(page.locator("#close input[value=solved]")).to_be_focused()
    page.keyboard.press("Space")
    page.locator("#close label", has=page.locator("[value='article:orders/track-order']")).click()
    page.locator("#tags").fill("late, courier")
    someone.say("When will I get my refund?")  # news do not undo what was filled in
    expect(page.locator("#close [value='article:returns/refund-time']")).to_be_attached()
    expect(page.locator("#tags")).to_have_value("late, courier")
    page.get_by_role("button", name=EN["desk.close_button"], exact=True).click()
    expect(page.locator("#tabs")).to_be_visible()
    handover = desk.ticket(store, someone.ticket)
    assert (handover.ticket.outcome, handover.ticket.article) == ("solved", "orders/track-order")
    assert handover.transcript[-1].data.tags == ("late", "courier")


def test_none_leads_to_a_draft_for_the_editor(owned: Callable[..., Any]) -> None:
    someone, page = owned("Do you engrave bowls?")
    page.get_by_label(EN["desk.outcome_not_solved"], exact=True).check()
    page.get_by_label(EN["desk.no_article"], exact=True).check()
    page.get_by_role("button", name=EN["desk.close_button"], exact=True).click()
    expect(page.locator(".entry.event").last).to_contain_text(EN["desk.event_no_article"])
    with page.expect_download() as download:
        page.get_by_role("link", name=EN["desk.draft_download"]).click()
    assert download.value.suggested_filename == f"ticket-{someone.ticket}.md"
    assert 'title: "Do you engrave bowls?"' in Path(download.value.path()).read_text(encoding="utf-8")


def test_choosing_another_article_is_a_verdict(owned: Callable[..., Any], store: Store) -> None:
    someone, page = owned()
    page.get_by_label(EN["desk.outcome_solved"], exact=True).check()
    page.locator("#article").select_option("orders/invoice")
    expect(page.locator("#verdict-other")).to_be_checked()
    page.get_by_role("button", name=EN["desk.close_button"], exact=True).click()
    expect(page.locator("#tabs")).to_be_visible()
    assert desk.ticket(store, someone.ticket).ticket.article == "orders/invoice"


# ---------------------------------------------------------------- a line that comes and goes


def test_what_is_typed_survives_a_reload(owned: Callable[..., Any]) -> None:
    """Each ticket has its own, the reply and the note apart."""
    someone, page = owned()
    page.locator("#reply").fill("Half a sentence")
    page.locator("#note").fill("Half a note")
    page.reload()
    expect(page.locator("#reply")).to_have_value("Half a sentence")
    expect(page.locator("#note")).to_have_value("Half a note")
    page.locator("#reply").press("Control+Enter")
    expect(page.locator(".entry.agent")).to_have_count(1)
    page.reload()
    expect(page.locator("#reply")).to_have_value("")
    expect(page.locator("#note")).to_have_value("Half a note")
    assert someone.heard() == ["Half a sentence"]


def test_what_is_sent_without_a_line_goes_out_by_itself_when_it_is_back(owned: Callable[..., Any]) -> None:
    someone, page = owned()
    page.context.set_offline(True)
    page.locator("#reply").fill("One moment, please.")
    page.locator("#reply").press("Control+Enter")
    expect(page.locator("#flashes")).to_have_text(EN["desk.will_send"])
    expect(page.locator("#reply")).to_have_value("One moment, please.")
    page.context.set_offline(False)
    expect(page.locator(".entry.agent")).to_have_count(1)
    expect(page.locator("#reply")).to_have_value("")
    expect(page.locator("#flashes .notice")).to_have_count(0)
    assert someone.heard() == ["One moment, please."]


def test_a_line_that_hangs_is_noticed_and_gone_on_without(owned: Callable[..., Any]) -> None:
    """Nothing comes back and nothing fails: for the news of the page, and for what is sent. The page's patience is cut
    from fifteen seconds to one, so that this need not wait for it."""
    someone, page = owned()
    page.add_init_script(
        "const long = AbortSignal.timeout; AbortSignal.timeout = (ms) => long.call(AbortSignal, ms / 15)"
    )
    page.reload()
    held: list[Route] = []
    page.route(f"**/desk/tickets/{someone.ticket}", lambda route: held.append(route))
    expect(page.locator("#status")).to_have_text(EN["desk.offline"])
    page.route(f"**/desk/tickets/{someone.ticket}/messages", lambda route: held.append(route))
    page.locator("#reply").fill("One moment, please.")
    page.locator("#reply").press("Control+Enter")
    expect(page.locator("#flashes")).to_have_text(EN["desk.will_send"])
    page.unroute(f"**/desk/tickets/{someone.ticket}/messages")
    page.unroute(f"**/desk/tickets/{someone.ticket}")
    someone.say("Are you there?")
    expect(page.locator(".entry.customer")).to_have_count(2)
    expect(page.locator(".entry.agent .words")).to_have_text("One moment, please.")
    expect(page.locator("#status")).not_to_have_text(EN["desk.offline"])
    assert someone.heard() == ["One moment, please."]


def test_the_keys_can_be_switched_off_and_stay_so(owned: Callable[..., Any]) -> None:
    """For those who speak to the computer, or whose hand slips; by keyboard, and back on."""
    _, page = owned("When will I get my refund?", lang="ar")
    dialog, insert = page.locator("#keys"), page.locator("#assist [data-key='1']")
    page.keyboard.press("?")
    expect(dialog).to_be_visible()
    expect(page.get_by_role("checkbox", name=AR["desk.keys_use"])).to_be_checked()
    expect(insert).to_have_attribute("aria-keyshortcuts", "Alt+1")
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#keys-use")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    for _ in range(2):
        expect(insert).not_to_have_attribute("aria-keyshortcuts", "Alt+1")
        expect(insert.locator("kbd")).to_be_hidden()
        for key in ("?", "Alt+KeyR", "Alt+1"):
            page.keyboard.press(key)
        expect(dialog).to_be_hidden()
        expect(page.locator("#reply")).not_to_be_focused()
        expect(page.locator("#reply")).to_have_value("")
        page.reload()
    page.locator("#keys-open").click()
    page.locator("#keys-use").check()
    page.keyboard.press("Escape")
    page.keyboard.press("Alt+KeyR")
    expect(page.locator("#reply")).to_be_focused()


@pytest.mark.parametrize("spoken", ["en", "ar", "bg"])
def test_on_a_phone_the_heads_of_a_ticket_keep_to_two_lines(
    owned: Callable[..., Any], store: Store, spoken: str
) -> None:
    """Also a supervisor's, with all that they reach; the button of the keys stands beside what else is on its line."""
    accounts.set_role(store, "Sara", "admin")
    _, page = owned(lang=spoken, viewport={"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    assert page.locator(".desk-head").bounding_box()["height"] < 110  # type: ignore[index]
    back, button = page.locator(".back").bounding_box(), page.locator("#keys-open").bounding_box()
    assert back is not None
    assert button is not None
    assert abs(back["y"] + back["height"] / 2 - button["y"] - button["height"] / 2) < 8


def test_a_message_whose_acknowledgement_is_lost_is_said_once(owned: Callable[..., Any]) -> None:
    """Even if the page is closed before it can try again."""
    someone, page = owned()
    tries: list[str] = []

    line = {"up": True}

    def lose_the_first(route: Route) -> None:
        if not line["up"]:
            return route.abort()  # or the page would try again before it is closed
        if route.request.method == "POST":
            tries.append(route.request.post_data or "")
        if route.request.method == "POST" and len(tries) == 1:
            line["up"] = False
            route.fetch(max_redirects=0)  # it arrives and is stored ...
            return route.abort()  # ... but the agent never hears of it
        return route.continue_()

    page.context.route(re.compile(rf"/desk/tickets/{someone.ticket}(/messages)?$"), lose_the_first)
    page.locator("#reply").fill("One moment, please.")
    page.locator("#reply").press("Control+Enter")
    expect(page.locator("#flashes .notice")).to_be_visible()
    line["up"] = True
    page.reload()
    expect(page.locator(".entry.agent")).to_have_count(1)
    expect(page.locator("#reply")).to_have_value("")
    assert len(tries) == 2
    assert tries[0] == tries[1]
    assert someone.heard() == ["One moment, please."]


def test_a_message_that_is_changed_after_it_failed_is_another_one(owned: Callable[..., Any]) -> None:
    """The server would take the new wording for the old one, and throw it away."""
    someone, page = owned()
    ids: list[str] = []

    def fail_the_first(route: Route) -> None:
        ids.append((route.request.post_data_json or {})["client_id"])
        if len(ids) == 1:
            route.abort()
        else:
            route.continue_()

    page.context.route(f"**/desk/tickets/{someone.ticket}/messages", fail_the_first)
    page.locator("#reply").fill("One moment")
    page.locator("#reply").press("Control+Enter")
    expect(page.locator("#flashes .notice")).to_be_visible()
    page.locator("#reply").fill("Two moments")
    page.locator("#reply").press("Control+Enter")
    expect(page.locator(".entry.agent .words")).to_have_text("Two moments")
    assert len(set(ids)) == 2
    assert someone.heard() == ["Two moments"]


def test_what_is_sent_while_the_last_is_on_its_way_goes_next(owned: Callable[..., Any]) -> None:
    """Another form, or more words of the same; the same once more is not sent twice."""
    someone, page = owned()
    held: list[Route] = []
    page.context.route("**/messages", lambda route: held.append(route))
    page.locator("#reply").fill("One moment, please.")
    page.locator("#reply").press("Control+Enter")
    page.locator("#reply").press("Control+Enter")
    expect(page.locator("#answer.busy")).to_be_visible()
    page.locator("#note").fill("She is in a hurry")
    page.locator("#note").press("Control+Enter")
    for route in held:
        route.continue_()
    expect(page.locator(".entry.note .words")).to_have_text("She is in a hurry")
    expect(page.locator("#note")).to_have_value("")
    expect(page.locator("#reply")).to_have_value("")
    assert len(held) == 1
    assert someone.heard() == ["One moment, please."]


# ---------------------------------------------------------------- several at once


def test_several_chats_stand_beside_with_what_is_unread(
    owned: Callable[..., Any], customer: Callable[..., Customer], store: Store
) -> None:
    """What was looked at is not unread any more; Alt+J goes to the chat that waits for an answer."""
    one, page = owned()
    other = customer("When will I get my refund?")
    sara = next(each for each in accounts.agents(store) if each.name == "Sara")
    desk.claim(store, other.ticket, sara)
    desk.say(store, other.ticket, sara, "a-client-id", "One moment.")
    link = page.locator(f"#chat-{other.ticket}")
    expect(link).to_be_visible()
    expect(link.locator(".count")).to_have_count(0)
    other.say("Are you there?")
    expect(link.locator(".count.hot [aria-hidden]")).to_have_text("1")
    page.keyboard.press("Alt+KeyJ")
    expect(page.locator("#talk-title")).to_have_text(EN["desk.ticket"].format(id=other.ticket))
    expect(page.locator(f"#chat-{one.ticket}")).not_to_have_attribute("aria-current", "page")
    page.wait_for_load_state()  # a page that was left before its scripts ran has not been looked at
    page.locator(f"#chat-{one.ticket}").click()
    expect(page.locator("#talk-title")).to_have_text(EN["desk.ticket"].format(id=one.ticket))
    expect(page.locator(f"#chat-{other.ticket}.unread")).to_have_count(0)


def test_sound_and_notifications_are_asked_for_by_a_click_alone(owned: Callable[..., Any]) -> None:
    """Nothing asks before, and what was chosen is remembered."""
    _, page = owned()
    asking = "Notification.requestPermission = () => { window.asked = true; return Promise.resolve('denied'); };"
    page.evaluate(f"() => {{ {asking} }}")
    expect(page.locator("#sound")).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("window.asked") is None
    page.locator("#sound").click()
    expect(page.locator("#sound")).to_have_attribute("aria-pressed", "true")
    page.locator("#notify").click()
    expect(page.locator("#status")).to_have_text(EN["desk.notify_refused"])
    expect(page.locator("#notify")).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("window.asked") is True
    page.reload()
    expect(page.locator("#sound")).to_have_attribute("aria-pressed", "true")


# ---------------------------------------------------------------- for everybody


def test_the_keyboard_alone_takes_answers_and_closes(
    customer: Callable[..., Customer], agent: Callable[..., Page], store: Store
) -> None:
    someone = customer()
    page = agent("Sara", f"/desk/tickets/{someone.ticket}")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("Alt+KeyR")
    expect(page.locator("#claim")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#reply")).to_be_focused()
    page.keyboard.type("Is it late?")  # a question mark in a reply is a question mark
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".entry.agent")).to_have_count(1)
    page.keyboard.press("Alt+KeyN")
    page.keyboard.type("Regular")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".entry.note")).to_have_count(1)
    page.keyboard.press("Alt+KeyC")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("#tabs")).to_be_visible()
    assert desk.ticket(store, someone.ticket).ticket.outcome == "solved"


def test_an_agent_in_arabic_and_one_in_english_see_the_same_ticket(
    owned: Callable[..., Any], agent: Callable[..., Page]
) -> None:
    """The owner works from right to left; the colleague reads along and writes a note."""
    someone, omid = owned("أين طلبي LZ-10423؟", "ar", "Omid", lang="ar")
    expect(omid.locator("html")).to_have_attribute("dir", "rtl")
    expect(omid.locator(".entry.customer bdi")).to_have_text("LZ-10423")
    omid.locator("#reply").focus()
    omid.keyboard.type("/شك")
    expect(omid.locator("#canned-list [role=option]")).to_have_count(1)
    omid.keyboard.press("Enter")
    expect(omid.locator("#reply")).to_have_value("شكرًا على انتظارك، معك Omid.")
    expect(omid.locator("#reply")).to_have_css("direction", "rtl")
    omid.keyboard.press("Control+Enter")
    sara = agent("Sara", f"/desk/tickets/{someone.ticket}")
    expect(sara.locator("#state")).to_have_text(EN["desk.state_claimed"].format(name="Omid"))
    expect(sara.locator(".entry.agent .words")).to_have_text("شكرًا على انتظارك، معك Omid.")
    expect(sara.locator("[data-insert]")).to_have_count(0)
    sara.locator("#note").fill("I know this customer")
    sara.locator("#note").press("Control+Enter")
    expect(omid.locator(".entry.note")).to_contain_text("I know this customer")
    expect(omid.locator(".entry.note .entry-head")).to_contain_text(AR["desk.note_by"].format(name="Sara"))
    assert someone.heard() == ["شكرًا على انتظارك، معك Omid."]


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768), (768, 1024), (320, 560)])
@pytest.mark.parametrize("lang", ["en", "ar"])
def test_it_fits_every_screen(owned: Callable[..., Any], lang: str, size: tuple[int, int]) -> None:
    _, page = owned("x" * 300, lang=lang, viewport={"width": size[0], "height": size[1]})
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.locator("#reply").focus()
    page.keyboard.type("/")
    expect(page.locator("#canned-list [role=option]").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


@pytest.mark.parametrize("lang", ["en", "ar"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_a_ticket(owned: Callable[..., Any], lang: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    _, page = owned("Can I cancel my order?", "ar", lang=lang, color_scheme=scheme, reduced_motion="reduce")

    def check(what: str) -> None:
        page.evaluate(script)
        ask = "axe.run().then(({violations}) => violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
        assert page.evaluate(ask) == [], what

    check("a ticket in hand")
    page.locator("#reply").focus()
    page.keyboard.type("/")
    expect(page.locator("#canned-list [role=option]").first).to_be_visible()
    check("the canned replies")
    page.keyboard.press("Escape")
    page.locator("#q").fill("refund")
    expect(page.locator("#found li").first).to_be_visible()
    page.locator("#canned-all summary").click()
    page.locator("#passage-1 summary").click()
    check("a search")
    page.locator("#keys-open").click()
    check("the keys")
    page.keyboard.press("Escape")
    page.locator("#close input[value=solved]").check()
    page.locator("#close input[value=none]").check()
    page.locator("#close button").click()
    expect(page.locator(".gap")).to_be_visible()
    check("closed")
