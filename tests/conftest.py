"""What every test may ask for: a small real corpus, an index built from it, a fresh store, the application.

The corpus folder and the index are made once a run by the real modules, for all its processes; whoever changes one
copies it first.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from desk_shop import PASSWORD
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings
from quiet import quiet

from botkit import accounts, build, language
from botkit.accounts import Agent
from botkit.index import Live
from botkit.server import create_app
from botkit.store import Store

if TYPE_CHECKING:
    import postgres
    from playwright.sync_api import Browser

# The same examples at every run, and no verdict from how long one takes.
settings.register_profile("botkit", derandomize=True, deadline=None, database=None)
settings.load_profile("botkit")

CORPUS = Path(__file__).parent / "corpus"
CHROMIUM = Path(os.environ.get("BOTKIT_CHROMIUM", "/usr/bin/chromium"))


def built_once(file: Path, build: Callable[[], object]) -> None:
    """Build what several processes of one run share, in the first that needs it; `file` says that it is there."""
    with file.with_name(f"{file.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            build()
            file.touch()


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run, the same in all of its processes."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def corpus_folder(shared_folder: Path) -> Path:
    """A shop's help in English, Arabic and Persian: a dozen articles, one file of short questions."""
    folder = shared_folder / "corpora" / "tiny"
    built_once(shared_folder / "corpus", lambda: shutil.copytree(CORPUS, folder))
    return folder


@pytest.fixture(scope="session")
def index_folder(corpus_folder: Path, shared_folder: Path) -> Path:
    """The index of `corpus_folder`, built and published with the default encoder."""
    folder = shared_folder / "indexes" / "tiny"
    built_once(shared_folder / "index", lambda: build.publish(corpus_folder, folder, allow_failing_tests=True))
    return folder


@pytest.fixture(scope="session")
def live(index_folder: Path) -> Live:
    """The published index, opened once; nothing changes it."""
    return Live(index_folder)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`@pytest.mark.databases("sqlite", "postgresql")`, on a test or its module: once on each of these."""
    marker = metafunc.definition.get_closest_marker("databases")
    if marker and "dialect" in metafunc.fixturenames:
        metafunc.parametrize("dialect", marker.args)


@pytest.fixture
def dialect() -> str:
    """Which kind of database the test is given."""
    return "sqlite"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgres.Server]:
    """A PostgreSQL server of the tests' own."""
    import postgres

    programs = postgres.programs()
    if programs is None:
        cure = "PostgreSQL is not there: install it, or name the folder of its programs in BOTKIT_POSTGRESQL"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(cure)
    server = postgres.Server(programs)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with this release's tables, to be copied: to make them takes longer."""
    file = tmp_path_factory.mktemp("migrated") / "botkit.db"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_database(postgresql: postgres.Server) -> str:
    """The same on PostgreSQL."""
    url = postgresql.new()
    _migrate(url)
    return url


def _migrate(url: str) -> None:
    store = Store(url)
    store.migrate()
    store.close()


@pytest.fixture
def no_tables(
    dialect: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The URL of a database of the test's own, without tables; its keys are the test's own, too."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'botkit.db'}"
    else:
        monkeypatch.chdir(tmp_path)
        yield from _on_server(request.getfixturevalue("postgresql"))


@pytest.fixture
def database(
    dialect: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The URL of a database of the test's own, with this release's tables; its keys are the test's own, too."""
    if dialect == "sqlite":
        yield f"sqlite:///{shutil.copy(request.getfixturevalue('migrated_file'), tmp_path / 'botkit.db')}"
    else:
        monkeypatch.chdir(tmp_path)
        yield from _on_server(request.getfixturevalue("postgresql"), request.getfixturevalue("migrated_database"))


def _on_server(server: postgres.Server, *template: str) -> Iterator[str]:
    url = server.new(*template)
    yield url
    server.drop(url)


@pytest.fixture
def clock() -> Callable[[], datetime] | None:
    """The store's clock: the machine's. A file whose tests move the time gives one of its own."""
    return None


@pytest.fixture
def store(database: str, clock: Callable[[], datetime] | None) -> Iterator[Store]:
    """An empty database of the test's own."""
    opened = Store(database, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def app(live: Live, store: Store) -> Flask:
    """The application with its limits off; a test of a limit makes its own."""
    return create_app(index=live, store=store, settings=quiet(base_url="https://help.shop.example"), demo=True)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript, or a program."""
    return app.test_client()


@pytest.fixture
def signed_in(app: Flask) -> Callable[[str], FlaskClient]:
    """A colleague's browser at the desk, by the colleague's name."""

    def come(name: str) -> FlaskClient:
        client = app.test_client()
        assert client.post("/desk/login", data={"name": name, "password": PASSWORD}).status_code == 303
        return client

    return come


# ---------------------------------------------------------------- colleagues, hired by the test that asks for them


@pytest.fixture
def ali(store: Store) -> Agent:
    return accounts.add_agent(store, "Ali", "agent", PASSWORD)


@pytest.fixture
def mina(store: Store) -> Agent:
    return accounts.add_agent(store, "Mina", "agent", PASSWORD)


@pytest.fixture
def nur(store: Store) -> Agent:
    return accounts.add_agent(store, "Nur", "agent", PASSWORD)


@pytest.fixture
def omid(store: Store) -> Agent:
    return accounts.add_agent(store, "Omid", "agent", PASSWORD)


@pytest.fixture
def sara(store: Store) -> Agent:
    return accounts.add_agent(store, "Sara", "agent", PASSWORD)


@pytest.fixture
def boss(store: Store) -> Agent:
    return accounts.add_agent(store, "Boss", "supervisor", PASSWORD)


# ---------------------------------------------------------------- languages and the browser


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
