"""A colleague who is named in a note learns of it: on every page of the desk, over the stream, once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from desk_shop import PASSWORD, handed_over
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect
from quiet import quiet
from streaming import Stream
from test_browser import served

from botkit import accounts, desk, language
from botkit import presence as marks
from botkit.accounts import Agent
from botkit.index import Live
from botkit.server import create_app
from botkit.store import Store, mention_table

HOSTILE = "@Omid <img src=x onerror=\"document.title='hacked'\"> &amp; look"


def told(store: Store, agent: Agent) -> list[tuple[int, str, str]]:
    return [(each.ticket, each.by, each.text) for each in desk.mentions(store, agent)]


@pytest.mark.databases("sqlite", "postgresql")
def test_a_note_tells_whom_it_names_and_nobody_else(store: Store, sara: Agent, omid: Agent) -> None:
    nura = accounts.add_agent(store, "Nura", "supervisor", PASSWORD)
    nur = accounts.add_agent(store, "Nur", "agent", PASSWORD)
    gone, editor = (accounts.add_agent(store, *who, PASSWORD) for who in (("Gone", "agent"), ("Ed", "editor")))
    accounts.disable(store, "Gone")
    ticket_id = handed_over(store)
    note = desk.note(store, ticket_id, sara, "@nura: ask a@omid.example, @Gone, @Ed or @Sara herself", "one")
    assert desk.note(store, ticket_id, sara, "another text", "one") == note  # sent again: told once
    assert note.data.mentions == ("Nura",)
    assert told(store, nura) == [(ticket_id, "Sara", note.data.text)]
    assert [told(store, each) for each in (omid, nur, gone, editor, sara)] == [[]] * 5


@pytest.mark.databases("sqlite", "postgresql")
def test_a_whisper_and_a_word_at_passing_on_tell_too(store: Store, sara: Agent, omid: Agent) -> None:
    boss = accounts.add_agent(store, "Boss", "supervisor", PASSWORD)
    ticket_id = handed_over(store)
    desk.claim(store, ticket_id, sara)
    desk.whisper(store, ticket_id, boss, "Offer a voucher")
    desk.transfer(store, ticket_id, sara, "Omid", "@Boss knows this customer")
    desk.whisper(store, ticket_id, omid, "to myself")
    assert told(store, sara) == [(ticket_id, "Boss", "Offer a voucher")]
    assert told(store, boss) == [(ticket_id, "Sara", "@Boss knows this customer")]
    assert told(store, omid) == []


def test_what_is_undone_mentions_nobody(store: Store, sara: Agent, omid: Agent) -> None:
    """The note and its mention are one transaction."""
    ticket_id = handed_over(store)
    with store.write() as conn:
        conn.execute(sa.text("CREATE TRIGGER no BEFORE INSERT ON mention BEGIN SELECT RAISE(ABORT, 'no'); END"))
    with pytest.raises(sa.exc.IntegrityError):
        desk.note(store, ticket_id, sara, "@Omid look")
    assert [event.kind for event in desk.ticket(store, ticket_id).transcript].count("note") == 0


def test_it_is_seen_when_the_ticket_is_opened(
    store: Store, sara: Agent, omid: Agent, signed_in: Callable[[str], FlaskClient]
) -> None:
    first, second = handed_over(store), handed_over(store)
    for ticket_id in (first, second):
        desk.note(store, ticket_id, sara, HOSTILE)
    browser = signed_in("Omid")
    for path in ("/desk", "/desk/team", "/desk/account", f"/desk/team/{omid.name}"):
        page = browser.get(path).text
        assert page.count("data-mention=") == 2, path
        assert "&lt;img src=x" in page
        assert "<img src=x" not in page
    hidden = browser.get(f"/desk/tickets/{first}", headers={"X-Page-Hidden": "1"})
    assert hidden.text.count("data-mention=") == 2
    signed_in("Sara").get(f"/desk/tickets/{first}")  # a colleague's eyes are not theirs
    assert len(told(store, omid)) == 2
    same = browser.get(f"/desk/tickets/{first}", headers={"If-None-Match": hidden.headers["ETag"]})
    assert same.status_code == 200  # the header has changed by it
    assert [each[0] for each in told(store, omid)] == [second]
    token = accounts.issue_token(store, "Omid")
    browser.get(f"/api/v1/desk/tickets/{second}", headers={"Authorization": f"Bearer {token}"})
    assert told(store, omid) == []
    listed = browser.get("/desk/mentions").text
    assert listed.count(f'#event-{desk.ticket(store, first).transcript[-1].seq}"') == 2
    assert "data-mention=" not in listed


def test_the_page_of_mentions_speaks_every_language(
    store: Store, sara: Agent, omid: Agent, signed_in: Callable[[str], FlaskClient], lang: str
) -> None:
    browser = signed_in("Omid")
    assert language.messages(lang)["desk.no_mentions"] in browser.get(f"/desk/mentions?lang={lang}").text
    desk.note(store, handed_over(store), sara, "@Omid")
    page = browser.get(f"/desk/mentions?lang={lang}").text
    assert re.search(rf'<span class="tag warn">{language.messages(lang)["desk.mention_new"]}<', page)


def test_pollers_look_for_all_agents_at_once_along_an_index(store: Store, sara: Agent, omid: Agent) -> None:
    ticket_id = handed_over(store)
    desk.note(store, ticket_id, sara, "@Omid one")
    with store.read() as conn:
        before = marks.mentions(conn)
    desk.saw(store, omid, ticket_id, 99)
    desk.note(store, ticket_id, sara, "@Omid two")
    with store.read() as conn:
        after = marks.mentions(conn)
        plan = conn.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT agent.name, count(*), sum(mention.id) FROM mention"
            " JOIN agent ON agent.id = mention.agent_id WHERE mention.seen_at IS NULL GROUP BY agent.name"
        ).all()
        assert conn.execute(sa.select(sa.func.count()).select_from(mention_table)).scalar_one() == 2
    assert before.keys() == after.keys() == {"Omid"}
    assert before != after  # one seen and one new leave the same number
    assert any("ix_mention_unseen" in str(line[-1]) for line in plan)


@pytest.fixture
def site(live: Live, store: Store) -> Iterator[int]:
    app = create_app(index=live, store=store, settings=quiet())
    with served(app) as port:
        yield port
    app.extensions["botkit"].feed.close()


def test_the_stream_and_the_poll_tell_the_same(
    site: int, store: Store, sara: Agent, omid: Agent, client: FlaskClient
) -> None:
    """Also of a ticket that is not theirs; once when it comes, once when it has been seen elsewhere."""
    ticket_id = handed_over(store)
    desk.note(store, ticket_id, sara, "@Omid before")
    headers = {"Authorization": f"Bearer {accounts.issue_token(store, 'Omid')}"}
    with Stream(site, "/api/v1/desk/events", **headers) as board:
        begun = board.until(lambda sent: sent.kind == "queue")
        assert [sent.data["text"] for sent in begun if sent.kind == "mention"] == ["@Omid before"]
        desk.note(store, ticket_id, sara, "@Omid now")
        news = board.until(lambda sent: sent.kind == "mention")[-1].data
        assert (news["ticket"], news["by"], news["text"], news["seen"]) == (ticket_id, "Sara", "@Omid now", False)
        polled = client.get("/api/v1/desk/events", headers=headers).json
        assert polled is not None
        assert [each["text"] for each in polled["mentions"]] == ["@Omid now", "@Omid before"]
        assert polled["mentions"][0] == news
        desk.saw(store, omid, ticket_id, news["seq"])
        known = [board.until(lambda sent: sent.kind == "mention")[-1].data for _ in range(2)]
        assert [(each["text"], each["seen"]) for each in known] == [("@Omid before", True), ("@Omid now", True)]
    assert client.get("/api/v1/desk/events", headers=headers).json == {
        "queue": {"waiting": 1, "claimed": 0},
        "tickets": [],
        "mentions": [],
    }


@pytest.mark.parametrize(("lang", "path"), [("en", "/desk"), ("ar", "/desk/team")])
def test_a_mention_comes_to_an_open_page_and_goes_when_it_is_read(
    site: int, store: Store, sara: Agent, omid: Agent, browser: Browser, lang: str, path: str
) -> None:
    """With a notice for a screen reader; by the keyboard alone; also on pages where nothing else is live."""
    texts, ticket_id = language.messages(lang), handed_over(store)
    context = browser.new_context(base_url=f"http://127.0.0.1:{site}", viewport={"width": 375, "height": 700})
    page: Page = context.new_page()
    page.goto(f"/desk?lang={lang}")
    page.locator("#name").fill("Omid")
    page.locator("#password").fill(PASSWORD)
    page.locator("#password").press("Enter")
    expect(page.locator("#tabs")).to_be_visible()
    page.goto(path)
    expect(page.locator("#mentions .count")).to_have_count(0)
    desk.note(store, ticket_id, sara, HOSTILE)
    expect(page.locator("#mentions .count")).to_have_text("1")
    expect(page.locator("#status")).to_have_text(
        texts["desk.news_mention"].replace("{name}", "Sara").replace("{id}", str(ticket_id))
    )
    page.locator("#mentions summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#mentions q")).to_have_text(HOSTILE)
    box = page.locator(".mentions-box").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 375
    result = Axe().run(page)
    assert result.violations_count == 0, result.generate_report()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab") if page.evaluate("document.activeElement.className") == "mentions-box card" else None
    page.keyboard.press("Enter")
    expect(page.locator("#talk-title")).to_be_visible()
    expect(page.locator("#mentions .count")).to_have_count(0)
    assert desk.mentions(store, omid) == []
    assert page.title() != "hacked"
    context.close()
