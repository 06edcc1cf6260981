"""The pictures of the README, taken of the demo shop in Chromium: the chat in Arabic, and a conversation at the desk.

    python eval/screenshots.py --index indexes/lalezar --out docs/images

Chromium is that of the tests (BOTKIT_CHROMIUM names another).
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from botkit import accounts
from botkit.store import Store
from eval import common, serving

CHROMIUM = os.environ.get("BOTKIT_CHROMIUM", "/usr/bin/chromium")
PASSWORD = "a tray of tulip glasses"
ASKED = ("كم تكلفة التوصيل إلى الرياض؟",)
HANDED_OVER = ("Two of the six bowls arrived broken", "I want to talk to a person")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, default=common.ROOT / "indexes" / "lalezar", help="the demo's index")
    parser.add_argument("--out", type=Path, default=common.ROOT / "docs" / "images", help="folder for the pictures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="botkit-screenshots-") as folder:
        database, port = Path(folder) / "botkit.db", serving.free_port()
        store = Store(f"sqlite:///{database}")
        store.migrate()
        accounts.add_agent(store, "Sara", "agent", PASSWORD)
        store.close()
        with (
            serving.started(serving.botkit(options.index, database, port, 1), port, "hello"),
            sync_playwright() as playwright,
        ):
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            site = f"http://127.0.0.1:{port}"
            chat(browser, site, options.out / "chat.png")
            desk(browser, site, options.out / "desk.png")
            browser.close()


def chat(browser: Browser, site: str, file: Path) -> None:
    """The widget's frame on a phone, with an answer."""
    page = browser.new_page(base_url=site, viewport={"width": 380, "height": 640}, reduced_motion="reduce")
    page.goto("/widget?lang=ar")
    say(page, ASKED)
    page.screenshot(path=file)


def desk(browser: Browser, site: str, file: Path) -> None:
    """A conversation that was handed over, as its agent sees it, with a suggested reply put into the answer."""
    customer = browser.new_page(base_url=site, reduced_motion="reduce")
    customer.goto("/widget?lang=en&page=/orders/LZ-20418")
    say(customer, HANDED_OVER)
    page = browser.new_page(base_url=site, viewport={"width": 1180, "height": 750}, reduced_motion="reduce")
    page.goto("/desk/login?lang=en")
    page.get_by_label("Name").fill("Sara")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto("/desk/tickets/1")
    page.locator("form[action$='/claim'] button").first.click()
    page.goto("/desk/tickets/1")
    page.get_by_role("button", name="Insert").first.click()
    expect(page.locator("#reply")).not_to_be_empty()
    page.get_by_role("button", name="Send", exact=True).scroll_into_view_if_needed()
    page.screenshot(path=file)


def say(page: Page, texts: tuple[str, ...]) -> None:
    """Type into the chat, each text when the one before is answered."""
    for text in texts:
        with page.expect_response(lambda answer: answer.url.endswith("/messages")):
            page.locator("textarea").fill(text)
            page.keyboard.press("Enter")
    page.wait_for_timeout(500)  # until what came is painted


if __name__ == "__main__":
    main()
