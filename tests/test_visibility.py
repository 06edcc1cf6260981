"""What may not be shown today is shown nowhere: expired, not yet valid, or for agents alone, in each place that shows,
suggests, quotes or sends an article."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from desk_shop import PASSWORD, handed_over
from flask import Flask
from flask.testing import FlaskClient
from quiet import quiet
from small import FRUIT, article, write

from botkit import accounts, build, desk
from botkit.index import Live
from botkit.server import create_app
from botkit.store import Store
from botkit.store.event_data import CustomerMessage, Option

YESTERDAY, TOMORROW = (date.today() + timedelta(days=days) for days in (-1, 1))
HIDDEN = {
    "expired": {"valid_until": str(YESTERDAY)},
    "early": {"valid_from": str(TOMORROW)},
    "staff": {"audience": "agent"},
}


def secret(name: str) -> str:
    return f"half price with the code MELON{name.upper()}"




@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index with an article that is over, one that is not yet valid, and one for agents; each also as an entry of a
    file of short questions, and named by an article that may be seen."""
    root = tmp_path_factory.mktemp("visibility")
    files: dict[str, str | bytes] = {**FRUIT}
    for name, keys in HIDDEN.items():
        lines = {"questions": f"[melon {name} sale]", "pages": '["/orders/*"]', "category": "sale", **keys}
        files[f"en/{name}.md"] = article(f"Melon {name}", f"Melons: {secret(name)}.", **lines)
    files["en/shown.md"] = article("Which melons are sweet?", "The heavy ones.", related=f"[{', '.join(HIDDEN)}]")
    report = build.publish(write(root / "corpus", files), root / "index", say=lambda _: None)
    assert report.version
    shutil.rmtree(root / "corpus")
    return root / "index"


@pytest.fixture
def app(folder: Path, store: Store) -> Flask:
    return create_app(index=Live(folder), store=store, settings=quiet(base_url="https://shop.example"))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.mark.parametrize("name", HIDDEN)
def test_customers_see_it_on_no_page_and_in_no_answer(client: FlaskClient, name: str) -> None:
    pages = (
        "/help/en/",
        "/help/en/sale",
        "/help/en/shown",
        "/help/en/search?q=melon+sale",
        "/sitemap.xml",
        "/widget?lang=en",
    )
    asked = (
        client.get(f"/api/v1/search?lang=en&q=melon+{name}+sale"),
        client.get("/api/v1/suggest?lang=en&q=melon"),
        client.post("/api/v1/ask", json={"text": f"melon {name} sale", "lang": "en"}),
        *(client.get(page) for page in pages),
    )
    for answer in asked:
        assert secret(name) not in answer.text
        assert f"Melon {name}" not in answer.text
        assert f"/help/en/{name}" not in answer.text
    assert client.get(f"/help/en/{name}").status_code == 404


@pytest.mark.parametrize("name", HIDDEN)
def test_a_choice_that_was_offered_before_it_was_over_leads_nowhere(client: FlaskClient, name: str) -> None:
    result = client.post("/api/v1/conversations", json={"lang": "en"}).get_json()
    headers, path = {"Authorization": f"Bearer {result['token']}"}, f"/api/v1/conversations/{result['id']}/messages"
    sent = {"client_id": "c-1", "text": f"Melon {name}", "choice": name}
    assert secret(name) not in client.post(path, json=sent, headers=headers).text
    before = {"text": "melon", "options": [name, "pear"], "lang": "en"}
    assert (
        secret(name)
        not in client.post("/api/v1/ask", json={"text": "the first one", "lang": "en", "before": before}).text
    )


@pytest.mark.parametrize("name", HIDDEN)
def test_no_agent_is_offered_it_to_send(app: Flask, store: Store, name: str) -> None:
    """Neither as a suggestion that the bot left at the handover, nor by a link, nor in a file to download."""
    accounts.add_agent(store, "Mina", "agent", PASSWORD)
    ticket_id = handed_over(store, "melon sale")
    with store.write() as conn:
        candidates = [Option(each, "", 0.9, "en", "") for each in (name, "pear")]
        conversation_id = store.open_conversation(conn, "1" * 64, "en", "/")
        store.append(conn, conversation_id, "customer", CustomerMessage("melon sale", "m"))
        ticket_id = desk.open_ticket(store, conn, conversation_id, "no_answer", "en", "/", candidates)
    browser = app.test_client()
    browser.post("/desk/login", data={"name": "Mina", "password": PASSWORD})
    browser.post(f"/desk/tickets/{ticket_id}/claim")
    for address in ("", f"?insert={name}", "/draft.md"):
        page = browser.get(f"/desk/tickets/{ticket_id}{address}").text
        composer = page.partition("<textarea")[2].partition("</textarea>")[0]
        assert secret(name) not in composer
        if name != "staff":  # what is for agents they may read
            assert secret(name) not in page
    result = browser.get(f"/api/v1/desk/tickets/{ticket_id}").get_json()
    assert [each["article"] for each in result["suggestions"]] == ["pear"]
    help_ = browser.get(f"/api/v1/desk/tickets/{ticket_id}/assist?q=melon+{name}").get_json()
    offered = {each["article"]: each["audience"] for each in help_["candidates"]}
    assert offered.get(name) == ("agent" if name == "staff" else None)


def test_what_was_once_answered_keeps_its_name_in_the_record(folder: Path) -> None:
    index = Live(folder).current()
    for name in HIDDEN:
        assert index.title(name, "en") == f"Melon {name}"
        assert index.article(name, "en") is None
    assert index.title("nothing", "en") is None
