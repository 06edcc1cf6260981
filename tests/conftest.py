"""What every test may ask for: a small real corpus, an index built from it, a fresh store, the application.

The corpus folder and the index are made once a session by the real modules; whoever changes one copies it first.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings

from botkit import language, publish
from botkit.index import Live
from botkit.server import create_app
from botkit.store import Store

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# The same examples at every run, and no verdict from how long one takes.
settings.register_profile("botkit", derandomize=True, deadline=None, database=None)
settings.load_profile("botkit")

CORPUS = Path(__file__).parent / "corpus"
CHROMIUM = Path(os.environ.get("BOTKIT_CHROMIUM", "/usr/bin/chromium"))


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop's help in English, Arabic and Persian: a dozen articles, one file of short questions."""
    folder = tmp_path_factory.mktemp("corpora") / "tiny"
    shutil.copytree(CORPUS, folder)
    return folder


@pytest.fixture(scope="session")
def index_folder(corpus_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of `corpus_folder`, built and published with the default encoder."""
    folder = tmp_path_factory.mktemp("indexes") / "tiny"
    publish.publish(corpus_folder, folder, allow_failing_tests=True)
    return folder


@pytest.fixture(scope="session")
def live(index_folder: Path) -> Live:
    """The published index, opened once; nothing changes it."""
    return Live(index_folder)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty database in a file of its own."""
    opened = Store(f"sqlite:///{tmp_path / 'botkit.db'}")
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def app(live: Live, store: Store) -> Flask:
    """The application with its limits off; a test of a limit makes its own."""
    return create_app(
        index=live,
        store=store,
        base_url="https://help.shop.example",
        rate_per_minute=0,
        conversations_per_hour=0,
        logins_per_minute=0,
    )


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript, or a program."""
    return app.test_client()


@pytest.fixture(params=language.LANGUAGES)
def lang(request: pytest.FixtureRequest) -> str:
    """Each language of the interface."""
    return str(request.param)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, the one browser of all tests: Playwright can be started once in a process."""
    missing = f"{CHROMIUM} is not there: install chromium, or name it in BOTKIT_CHROMIUM, to run the tests in a browser"
    if not CHROMIUM.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=20_000)  # a busy machine may need seconds for one step
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
        )
        yield opened
        opened.close()
