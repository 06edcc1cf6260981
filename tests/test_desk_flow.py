"""One customer and two agents in three browsers, over a running server with its real streams: Sara works in English,
Leila from right to left in Arabic.

Nothing here waits for a time: every step waits for what a person would see next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, Route, expect
from quiet import quiet
from test_browser import open_chat, say, served

from botkit import accounts, language
from botkit.index import Live
from botkit.server import create_app
from botkit.store import Store

PASSWORD = "copper pan and cezve"
EN, AR = language.messages("en"), language.messages("ar")
SAID = ".message:is(.agent, .customer) .words"
TOLD = ".entry:is(.agent, .customer) .words"


@pytest.fixture
def app(live: Live, store: Store) -> Flask:
    for name, role in (("Sara", "agent"), ("Leila", "agent"), ("Boss", "supervisor")):
        accounts.add_agent(store, name, role, PASSWORD)
    return create_app(index=live, store=store, settings=quiet(), demo=True)


@pytest.fixture
def come(browser: Browser, app: Flask) -> Iterator[Callable[..., Page]]:
    """A new browser on a page, signed in at the desk where a name is given. What a page complains about in its console
    fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    with served(app) as port:

        def visit(path: str, name: str = "") -> Page:
            context = browser.new_context(base_url=f"http://127.0.0.1:{port}", locale="en-GB", reduced_motion="reduce")
            context.set_default_timeout(10_000)
            contexts.append(context)
            page = context.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
            page.goto(path)
            if name:
                page.locator("#name").fill(name)
                page.locator("#password").fill(PASSWORD)
                page.locator("#password").press("Enter")
                expect(page.locator("#name")).to_have_count(0)
            return page

        yield visit
        for context in contexts:
            context.close()
    assert complaints == []


def answer(page: Page, text: str) -> None:
    expect(page.locator("#reply")).to_be_visible()  # on the ticket's page: the page before may have had its script
    expect(page.locator("html.js")).to_have_count(1)  # the keys are there once the script is
    page.locator("#reply").fill(text)
    page.locator("#reply").press("Control+Enter")
    expect(page.locator(".entry.agent .words").last).to_have_text(text)
    expect(page.locator("#reply")).to_have_value("")


def end(page: Page, outcome: str, verdict: str, button: str) -> None:
    page.locator(f"#close input[value={outcome}]").check()
    page.locator(f"#close [value='{verdict}']").check()
    page.get_by_role("button", name=button, exact=True).click()


def asks_for_a_person(come: Callable[..., Page], words: str) -> tuple[Page, FrameLocator]:
    page = come("/demo/en")
    chat = open_chat(page)
    say(chat, words)
    expect(chat.locator(".message.bot")).to_have_count(1)
    if chat.locator("#person").is_visible():  # unless the bot gave up by itself
        chat.locator("#person").click()
    expect(chat.locator("#presence")).to_have_text(EN["widget.waiting"])
    return page, chat


def test_a_conversation_from_hand_to_hand(come: Callable[..., Page]) -> None:
    sara, leila = come("/desk?lang=en", "Sara"), come("/desk?lang=ar", "Leila")
    expect(leila.locator("html")).to_have_attribute("dir", "rtl")
    _, chat = asks_for_a_person(come, "Where is my order?")

    # Both see it come, both reach for it before either has heard of the other.
    held: list[Route] = []
    for agent, t in ((sara, EN), (leila, AR)):
        expect(agent.locator(".ticket-text")).to_have_text("Where is my order?")
        agent.context.route("**/claim", lambda route: held.append(route))
        agent.get_by_role("button", name=t["desk.claim"]).click()
    expect(sara.locator("form.busy")).to_have_count(1)
    expect(leila.locator("form.busy")).to_have_count(1)
    for route in held:
        route.continue_()
        route.request.response()
    assert len(held) == 2
    expect(sara.locator("#state")).to_have_text(EN["desk.state_claimed"].format(name="Sara"))
    expect(leila.locator("#flashes .notice")).to_have_text(AR["desk.already_claimed"].format(name="Sara"))
    expect(leila.locator("#state")).to_have_text(AR["desk.state_claimed"].format(name="Sara"))
    expect(leila.locator("#reply")).to_have_count(0)
    expect(chat.locator("#presence")).to_have_text(EN["widget.with_team"])

    # Each side sees the other type and read; who reads along is not shown.
    expect(sara.locator("#other")).to_contain_text(EN["live.here"])  # the page listens to keys from here on
    sara.locator("#reply").press_sequentially("Good m")
    expect(chat.locator(".typing")).to_have_text(EN["widget.typing_team"])
    answer(sara, "Good morning, I am looking.")
    expect(chat.locator(".message.agent .words")).to_have_text("Good morning, I am looking.")
    expect(chat.locator(".typing")).to_have_count(0)
    expect(sara.locator("#other")).to_have_text(f"{EN['live.here']} · {EN['live.read']}")
    chat.locator("#input").press_sequentially("When will I get my ref")
    expect(sara.locator("#other")).to_have_text(f"{EN['live.typing']} · {EN['live.read']}")
    chat.locator("#input").press_sequentially("und?")
    chat.locator("#input").press("Enter")
    expect(chat.locator(".came")).to_have_text(EN["widget.read"])

    # What the customer asks meanwhile is answered by a key.
    expect(sara.locator("#assist .candidate-head a").first).to_have_attribute("href", "/help/en/returns/refund-time")
    sara.locator("#reply").focus()
    sara.keyboard.press("Alt+1")
    inserted = sara.locator("#reply").input_value()
    assert inserted
    sara.keyboard.press("Control+Enter")
    expect(chat.locator(".message.agent .words").last).to_have_text(inserted)
    expect(sara.locator("#other")).to_have_text(f"{EN['live.here']} · {EN['live.read']}")

    # A note for the team names a colleague, who finds it on the ticket; then it is hers.
    sara.locator("#note").fill("@Leila the customer paid twice")
    sara.locator("#note").press("Control+Enter")
    expect(sara.locator(".entry.note .words")).to_have_text("@Leila the customer paid twice")
    expect(leila.locator(".entry.note .words")).to_have_text("@Leila the customer paid twice")
    expect(leila.locator(".entry.note .entry-head")).to_contain_text(AR["desk.note_by"].format(name="Sara"))
    leila.goto("/desk")
    sara.locator("#pass-on summary").click()
    sara.locator("#to").select_option("Leila")
    sara.locator("#transfer-note").fill("She speaks Arabic, please take over")
    sara.get_by_role("button", name=EN["desk.transfer"], exact=True).click()
    expect(sara.locator("#tabs")).to_be_visible()
    expect(leila.locator("#tab-mine .count")).to_have_text("1")
    leila.locator("#tab-mine").click()
    leila.locator(".ticket-main").click()
    expect(leila.locator(".entry.note .words").last).to_have_text("She speaks Arabic, please take over")
    answer(leila, "أهلًا، معك ليلى.")
    expect(leila.locator(".entry.agent .words").last).to_have_css("direction", "rtl")
    expect(chat.locator(".message.agent .words").last).to_have_text("أهلًا، معك ليلى.")
    expect(chat.locator("#log")).not_to_contain_text("paid twice")
    expect(chat.locator("#log")).not_to_contain_text("She speaks Arabic")

    # Closed with a verdict; the next word goes on with the same matter, so it is open again, and hers.
    end(leila, "not_solved", "article:returns/refund-time", AR["desk.close_button"])
    expect(leila.locator("#tabs")).to_be_visible()
    expect(chat.locator("#presence")).to_have_text(EN["widget.assistant"])
    say(chat, "It still does not work")
    expect(leila.locator("#tab-mine .count")).to_have_text("1")
    leila.locator("#tab-mine").click()
    leila.locator(".ticket-main").click()
    expect(leila.locator(".entry.event").last).to_contain_text(AR["desk.event_reopened"])
    answer(leila, "تم الآن.")
    end(leila, "solved", "article:returns/refund-time", AR["desk.close_button"])
    expect(leila.locator("#tabs")).to_be_visible()

    # The customer says how it was; the ticket and the overview show it.
    asked = chat.get_by_role("group", name=EN["widget.rate_question"]).last
    asked.get_by_label(EN["widget.rate_4"], exact=True).check()
    chat.locator(".rating textarea").last.fill("Quick & kind")
    chat.locator(".rating").last.get_by_role("button", name=EN["widget.rate_send"]).click()
    expect(chat.locator(".rating").last).to_have_text(EN["widget.rate_thanks"])
    leila.locator("#tab-closed").click()
    leila.locator(".ticket-main").click()
    rated = AR["desk.event_rated"].format(score=4, comment="Quick & kind")
    expect(leila.locator(".entry.event").last).to_contain_text(rated)
    boss = come("/desk/overview?lang=en", "Boss")
    expect(boss.locator(".figures")).to_contain_text(EN["desk.score.one"].format(mean="4.0", n="1"))


def test_a_question_that_no_article_answers_becomes_a_draft(come: Callable[..., Page]) -> None:
    asks_for_a_person(come, "Do you engrave bowls?")
    leila = come("/desk?lang=ar", "Leila")
    leila.get_by_role("button", name=AR["desk.claim"]).click()
    answer(leila, "Yes, for ten pounds.")
    end(leila, "solved", "none", AR["desk.close_button"])
    expect(leila.locator(".entry.event").last).to_contain_text(AR["desk.event_no_article"])
    with leila.expect_download() as download:
        leila.get_by_role("link", name=AR["desk.draft_download"]).click()
    text = download.value.path().read_text(encoding="utf-8")
    assert "Do you engrave bowls?" in text
    assert "Yes, for ten pounds." in text


def test_a_line_that_is_cut_for_both_catches_up_in_order_and_once(come: Callable[..., Page]) -> None:
    customer, chat = asks_for_a_person(come, "Where is my order?")
    sara = come("/desk?lang=en", "Sara")
    sara.get_by_role("button", name=EN["desk.claim"]).click()
    answer(sara, "one")
    expect(chat.locator(".message.agent")).to_have_count(1)

    # The customer is in a tunnel while Sara goes on.
    customer.context.set_offline(True)
    expect(chat.locator("#status")).to_have_text(EN["widget.offline"])
    answer(sara, "two")
    answer(sara, "three")
    chat.locator("#input").fill("four, from a tunnel")
    chat.locator("#input").press("Enter")
    expect(chat.locator(".message.waiting")).to_have_count(1)
    customer.context.set_offline(False)
    expect(chat.locator(".message.waiting")).to_have_count(0)
    expect(chat.locator(SAID)).to_have_text(["Where is my order?", "one", "two", "three", "four, from a tunnel"])
    expect(sara.locator(".entry.customer .words").last).to_have_text("four, from a tunnel")

    # Now Sara's line is cut, and the customer goes on.
    sara.context.set_offline(True)
    say(chat, "five")
    say(chat, "six")
    sara.locator("#reply").fill("seven, from the train")
    sara.locator("#reply").press("Control+Enter")
    expect(sara.locator("#flashes .notice")).to_have_text(EN["desk.will_send"])
    expect(sara.locator(".entry.customer")).to_have_count(2)
    sara.context.set_offline(False)
    expect(sara.locator("#reply")).to_have_value("")

    # And both at once.
    expect(chat.locator(".message.agent .words").last).to_have_text("seven, from the train")
    customer.context.set_offline(True)
    sara.context.set_offline(True)
    chat.locator("#input").fill("eight")
    chat.locator("#input").press("Enter")
    expect(chat.locator(".message.waiting")).to_have_count(1)
    sara.locator("#reply").fill("nine")
    sara.locator("#reply").press("Control+Enter")
    expect(sara.locator("#flashes .notice")).to_have_text(EN["desk.will_send"])
    customer.context.set_offline(False)
    expect(chat.locator(".message.waiting")).to_have_count(0)
    sara.context.set_offline(False)
    expect(sara.locator("#reply")).to_have_value("")
    story = ["one", "two", "three", "four, from a tunnel", "five", "six", "seven, from the train", "eight", "nine"]
    expect(sara.locator(TOLD)).to_have_text(["Where is my order?", *story])
    expect(chat.locator(SAID)).to_have_text(["Where is my order?", *story])
    for page in (customer, sara):  # nothing of it was only for the moment
        page.reload()
    expect(sara.locator(TOLD)).to_have_text(["Where is my order?", *story])
    expect(chat.locator(SAID)).to_have_text(["Where is my order?", *story])
