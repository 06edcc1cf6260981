"""A start that cannot fail for good: damaged versions, a record that is away, workers that do not come up."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from editions import damage, published
from served import Answer, Served

from botkit.index.versions import version_folder
from botkit.store import Store, StoreError

if TYPE_CHECKING:
    import postgres

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="workers are found in Linux's /proc")
QUESTION = {"text": "how do i return something", "lang": "en"}


@pytest.fixture
def folder(index_folder: Path, tmp_path: Path) -> Path:
    """A copy of the small index, with one published version."""
    copied = shutil.copytree(index_folder, tmp_path / "index", ignore=shutil.ignore_patterns("cache"))
    (copied / "PUBLISHED").write_text((copied / "CURRENT").read_text())
    return copied


def served(tmp_path: Path, index: Path, database: str = "sqlite:///botkit.db", workers: int = 2) -> Served:
    return Served(tmp_path, "serve", "--index", index, "--database", database, "--workers", workers)


def ready(server: Served, version: str, status: str = "ok") -> bool:
    """Whether every worker serves this version: twenty answers in a row come from all of two."""
    answers = [server.get("/readyz") for _ in range(20)]
    return all(a is not None and a.status == 200 and a.json["index"] == version for a in answers) and all(
        a is not None and a.json["status"] == status for a in answers
    )


# ---------------------------------------------------------------- the index


def test_workers_that_die_while_the_published_version_is_damaged_serve_the_one_before(
    tmp_path: Path, folder: Path
) -> None:
    """Told as degraded, in the log and in the metrics; well again with the next good publication."""
    first = version_folder(folder).name
    with served(tmp_path, folder) as server:
        server.until(lambda: ready(server, first), "not ready")
        damaged = published(folder, "damaged", whole=False).name
        server.until(lambda: ready(server, first, "degraded"), "the damage is not told")
        server.kill_workers(2)
        server.until(lambda: ready(server, first, "degraded"), "not served on")
        result = server.until(lambda: server.get("/readyz"))
        assert result.json["reasons"] == [f"index: the published version is damaged or missing, {first} is served"]
        asked = server.until(lambda: server.ask("POST", "/api/v1/ask", QUESTION))
        assert (asked.status, asked.json["version"]) == (200, first)
        figures = server.until(lambda: server.get("/metrics")).text
        assert "botkit_index_problem 1.0" in figures
        assert f'botkit_index_info{{version="{first}"}} 1.0' in figures
        assert f"version {first} is served" in server.log
        assert f"{damaged}/articles.jsonl: damaged" in server.log
        good = published(folder, "good").name
        server.until(lambda: ready(server, good), "not well again")
        assert "botkit_index_problem 0.0" in server.until(lambda: server.get("/metrics")).text


def test_without_any_good_version_what_needs_none_is_served(tmp_path: Path, folder: Path) -> None:
    """Health, the sign-in and static files; all else is 503 with a time to come back, as a page for people."""
    only = version_folder(folder)
    whole = damage(only)
    with served(tmp_path, folder) as server:
        server.serves()
        server.kill_workers(2)
        server.serves()
        assert server.status("GET", "/desk/login") == 200
        assert server.status("GET", "/static/widget/loader.js") == 200
        asked = server.ask("POST", "/api/v1/ask", QUESTION)
        assert unavailable(asked)
        page = server.get("/help/fa/", Accept="text/html")
        assert page is not None
        assert (page.status, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
        assert '<html lang="fa" dir="rtl">' in page.text
        result = server.get("/readyz")
        assert result is not None
        assert (result.status, result.headers["retry-after"]) == (503, "5")
        assert result.json == {"status": "unavailable", "reasons": ["index: no version can be opened"]}
        assert "botkit_index_problem 1.0" in server.until(lambda: server.get("/metrics")).text
        assert "no version can be served" in server.log
        (only / "articles.jsonl").write_bytes(whole)
        server.until(lambda: ready(server, only.name), "not well by itself")
        assert server.status("POST", "/api/v1/ask", QUESTION) == 200


# ---------------------------------------------------------------- the record


@contextmanager
def no_file(database: str) -> Iterator[None]:
    """A file stands where the database's folder should be."""
    place = Path(database.removeprefix("sqlite:///")).parent
    place.write_text("in the way")
    yield
    place.unlink()


@pytest.fixture
def away(dialect: str, request: pytest.FixtureRequest) -> Callable[[str], AbstractContextManager[None]]:
    """A block in which the database cannot be reached."""
    if dialect == "sqlite":
        return no_file
    server: postgres.Server = request.getfixturevalue("postgresql")
    return lambda _: server.away()


@pytest.mark.databases("sqlite", "postgresql")
def test_a_server_starts_without_its_database_and_has_it_as_soon_as_it_is_there(
    dialect: str,
    no_tables: str,
    away: Callable[[str], AbstractContextManager[None]],
    tmp_path: Path,
    index_folder: Path,
) -> None:
    """Its tables are made then. Meanwhile everything is served that needs none of it, by workers that may die."""
    database = no_tables if dialect == "postgresql" else f"sqlite:///{tmp_path}/record/botkit.db"
    with away(database):
        server = served(tmp_path, index_folder, database)
        with ended_if_failed(server):
            served_without_database(server)
            server.kill_workers(2)
            served_without_database(server)
    with server:
        server.until(lambda: server.status("POST", "/api/v1/conversations", {}) == 201, "the database is not used")
        server.until(lambda: ready(server, version_folder(index_folder).name), "not ready")
        assert "botkit_database_problem 0.0" in server.until(lambda: server.get("/metrics")).text


@pytest.mark.databases("postgresql")
@pytest.mark.usefixtures("dialect")
def test_a_database_that_goes_and_comes_back_is_waited_for(
    database: str, postgresql: postgres.Server, tmp_path: Path, index_folder: Path
) -> None:
    with served(tmp_path, index_folder, database) as server:
        begun = server.until(lambda: server.ask("POST", "/api/v1/conversations", {})).json
        with postgresql.away():
            served_without_database(server)
            server.kill_workers(2)
            served_without_database(server)
        own = {"Authorization": f"Bearer {begun['token']}"}
        events = f"/api/v1/conversations/{begun['id']}/events?after=0"
        server.until(lambda: server.status("GET", events, **own) == 200, "the record is not read again")
        assert server.status("POST", "/api/v1/conversations", {}) == 201


def served_without_database(server: Served) -> None:
    server.serves()
    for path in ("/help/en/", "/help/ar/search?q=return", "/widget", "/static/widget/loader.js", "/api"):
        assert server.status("GET", path) == 200, path
    assert server.status("GET", "/api/v1/suggest?q=how&lang=en") == 200
    assert server.status("POST", "/api/v1/ask", QUESTION) == 200
    assert unavailable(server.ask("POST", "/api/v1/conversations", {}))
    result = server.get("/readyz")
    assert result is not None
    assert (result.status, result.json["reasons"]) == (503, ["database: it cannot be used"])
    assert "botkit_database_problem 1.0" in server.until(lambda: server.get("/metrics")).text
    assert "botkit.server: unexpected" not in server.log  # a failure of any other kind


def unavailable(answer: Answer | None) -> bool:
    """Whether it says to come back, and when."""
    assert answer is not None
    assert int(answer.headers["retry-after"]) >= 1
    return (answer.status, answer.json["error"]["code"]) == (503, "unavailable")


@contextmanager
def ended_if_failed(server: Served) -> Iterator[None]:
    try:
        yield
    except BaseException:
        server.__exit__()
        raise


def test_a_database_of_a_newer_release_is_told_with_the_cure_and_the_rest_is_served(
    database: str, tmp_path: Path, index_folder: Path
) -> None:
    store = Store(database)
    with store.write() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with served(tmp_path, index_folder, database, workers=1) as server:
        served_without_database(server)
        assert "run the newer botkit" in server.log


@pytest.mark.databases("sqlite", "postgresql")
def test_a_store_is_prepared_by_its_first_use_and_refuses_until_it_is(no_tables: str) -> None:
    """The reason comes with each refusal; a failed try is not repeated at once, and nothing is done twice."""
    tries: list[str] = []

    def prepare(own: Store) -> None:
        tries.append("try")
        if len(tries) == 1:
            raise OSError("no room")
        own.migrate()

    store = Store(no_tables, prepare=prepare)
    for _ in range(20):
        with pytest.raises(StoreError, match="OSError: no room"), store.read():
            pass
    assert tries == ["try"]
    while True:  # the wait is half a second at most
        try:
            with store.read() as conn:
                assert store.events(conn, "none") == []
            break
        except StoreError:
            assert tries == ["try"]
    with store.write() as conn:
        store.open_conversation(conn, "hash", "en", None)
    assert tries == ["try", "try"]
    store.close()


# ---------------------------------------------------------------- workers

FAILS = """
import itertools, os, signal, sys
from contextlib import suppress
from pathlib import Path
from botkit import server
from botkit.config import Settings
from botkit.server.processes import run

folder, index, database, _, port = sys.argv[1:]
WAYS = {way}

def number():
    for number in itertools.count(1):
        with suppress(FileExistsError):
            Path(folder, f"start-{number}").mkdir()
            return number

def factory():
    from botkit.index import Live
    from botkit.store import Store

    WAYS.get(number(), lambda: None)()
    store = Store(database)
    store.migrate()
    settings = Settings(rate_per_minute=0, requests_per_minute=0)
    return server.create_app(index=Live(index), store=store, settings=settings)

def fail(error):
    raise error

run.run(factory, "127.0.0.1", int(port), workers={workers}, threads=2, streams=2)
"""


def failing(tmp_path: Path, index: Path, ways: str, workers: int) -> Served:
    code = FAILS.replace("{way}", ways).replace("{workers}", str(workers))
    return Served(tmp_path, tmp_path, index, f"sqlite:///{tmp_path}/botkit.db", code=code)


def failures(server: Served) -> float:
    answer = server.get("/metrics")
    lines = answer.text.splitlines() if answer is not None else []
    return next((float(line.split()[1]) for line in lines if line.startswith("botkit_worker_start_failures_total")), -1)


def test_a_worker_that_cannot_start_is_tried_again_whatever_it_died_of(tmp_path: Path, index_folder: Path) -> None:
    """An exception, a kill, an exit with gunicorn's own word for it: the server stays, and serves in the end."""
    ways = """{
        1: lambda: fail(MemoryError("no memory for the model")),
        2: lambda: os.kill(os.getpid(), signal.SIGKILL),
        3: lambda: os._exit(3),
    }"""
    with failing(tmp_path, index_folder, ways, workers=1) as server:
        server.serves()
        assert server.status("POST", "/api/v1/ask", QUESTION) == 200
        assert failures(server) == 3
        assert server.log.count("could not start") == 3
        assert "no memory for the model" in server.log


def test_the_others_serve_while_one_cannot_start(tmp_path: Path, index_folder: Path) -> None:
    ways = "dict.fromkeys(range(2, 5), lambda: fail(ImportError('half installed')))"
    with failing(tmp_path, index_folder, ways, workers=2) as server:
        server.serves()
        (first,) = server.until(lambda: len(result := server.workers()) == 1 and result, "one alone")
        while failures(server) < 3:
            assert server.status("POST", "/api/v1/ask", QUESTION) == 200
        server.until(lambda: len(server.workers()) == 2, "the second worker")
        assert first in server.workers()
        assert "half installed" in server.log
