"""The record: URLs, migrations, transactions, the event log, secrets, and what several processes may do to it."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from botkit import accounts
from botkit.store import Store, StoreError, conversation_table, event_table, iso, metadata, parse_time, sqlite_driver
from botkit.store.engine import SAFE_SQLITE
from botkit.store.event_data import AgentMessage, CustomerMessage

pytestmark = pytest.mark.databases("sqlite", "postgresql")
FILE = pytest.mark.databases("sqlite")
NOON = datetime(2026, 11, 20, 12, 0, 0, 123000, tzinfo=UTC)


@pytest.fixture
def store(database: str):
    store = Store(database, clock=lambda: NOON)
    yield store
    store.close()


def opened(store: Store) -> str:
    with store.write() as conn:
        return store.open_conversation(conn, "0" * 64, "tr", "/cart")


def message(text: object = "") -> CustomerMessage:
    return CustomerMessage(str(text), "m")


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent)


@pytest.mark.parametrize(
    ("url", "cure"),
    [
        ("botkit.db", "sqlite:///botkit.db"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("mysql://localhost/shop", "SQLite or PostgreSQL"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_with_the_cure(url: str, cure: str) -> None:
    with pytest.raises(StoreError, match=cure):
        Store(url)


def test_a_password_in_the_url_is_not_shown() -> None:
    pytest.importorskip("psycopg")
    assert "hush" not in repr(Store("postgresql://botkit:hush@localhost/botkit"))


def test_the_sqlite_in_use_is_one_without_the_wal_bug() -> None:
    assert sqlite_driver().sqlite_version_info >= SAFE_SQLITE


def test_migrating_makes_the_tables_of_this_release_and_may_be_repeated(no_tables: str) -> None:
    store = Store(no_tables)
    for _ in range(2):
        store.migrate()
    with store.read() as conn:
        assert compare_metadata(MigrationContext.configure(conn, opts={"compare_type": True}), metadata) == []
    store.close()


def test_a_database_of_the_first_release_keeps_what_it_has(store: Store) -> None:
    """Back to the first tables and up again: accounts, tokens and conversations are still there."""
    accounts.add_agent(store, "Ada", "admin", "long secret words")
    token, conversation_id = accounts.issue_token(store, "Ada"), opened(store)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent.parent / "botkit" / "migrations"))
    config.set_main_option("path_separator", "os")
    with store.write() as conn:
        config.attributes["connection"] = conn
        command.downgrade(config, "0001")
    store.migrate()
    with store.read() as conn:
        assert compare_metadata(MigrationContext.configure(conn, opts={"compare_type": True}), metadata) == []
        assert len(store.events(conn, conversation_id)) == 1
    ada = accounts.authenticate(store, "Ada", "long secret words")
    assert ada is not None
    assert accounts.agent_by_token(store, token) == ada


@FILE
def test_migrating_makes_the_folder_of_the_file(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/new/100%/record.db")
    store.migrate()
    assert opened(store)
    store.close()


def test_many_processes_may_migrate_a_fresh_database_at_once(no_tables: str) -> None:
    code = "import sys; from botkit.store import Store; Store(sys.argv[1]).migrate(); print('done')"
    processes = [python(code, no_tables) for _ in range(3)]
    assert [process.communicate()[0].strip() for process in processes] == ["done"] * 3


def test_a_database_of_a_newer_release_is_refused(store: Store) -> None:
    with store.write() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="another release"):
        store.migrate()


def test_a_file_that_is_no_database_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(b"not a database, whatever it is" * 100)
    with pytest.raises(StoreError, match=r"photo\.jpg.* not usable as a database"):
        Store(f"sqlite:///{file}").migrate()


def test_a_database_that_was_never_migrated_says_so(no_tables: str) -> None:
    store = Store(no_tables)
    with pytest.raises(StoreError, match="migrate"), store.read() as conn:
        store.events(conn, "none")
    store.close()


@FILE
def test_the_file_is_kept_as_promised(store: Store) -> None:
    with store.read() as conn:
        pragma = {name: conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")}
        foreign_keys = conn.exec_driver_sql("PRAGMA foreign_keys").scalar()
    assert pragma == {"journal_mode": "wal", "synchronous": 2}
    assert foreign_keys == 1


def test_a_conversation_begins_with_its_first_event(store: Store) -> None:
    conversation_id = opened(store)
    with store.read() as conn:
        (event,) = store.events(conn, conversation_id)
    assert event.as_dict() == {
        "seq": 1,
        "kind": "conversation.opened",
        "at": "2026-11-20T12:00:00.123Z",
        "actor": "system",
        "data": {"lang": "tr", "page": "/cart"},
    }


def test_events_count_without_gaps_and_come_back_as_written(store: Store) -> None:
    conversation_id, other = opened(store), opened(store)
    data = CustomerMessage("Mağaza açık mı? فروشگاه باز است؟ 🙂", "m", None)
    with store.write() as conn:
        for _ in range(3):
            written = store.append(conn, conversation_id, "customer", data)
            store.append(conn, other, "customer", message())
    assert written.seq == 4
    with store.read() as conn:
        assert [event.seq for event in store.events(conn, conversation_id)] == [1, 2, 3, 4]
        assert store.events(conn, conversation_id, after=3) == [written]
        assert store.events(conn, "nobody") == []
        assert store.heads(conn, [conversation_id, other, "nobody"]) == {conversation_id: 4, other: 4}


def test_an_event_of_no_conversation_is_an_error(store: Store) -> None:
    with pytest.raises(KeyError), store.write() as conn:
        store.append(conn, "nobody", "customer", message())


def test_a_client_id_is_unique_for_its_author_in_its_conversation(store: Store) -> None:
    conversation_id = opened(store)
    with store.write() as conn:
        first = store.append(conn, conversation_id, "customer", message(1), client_id="a")
        store.append(conn, conversation_id, "agent:Mina", AgentMessage("2", "a", 1), client_id="a")
        assert store.sent_before(conn, conversation_id, "customer", "a") == first
        assert store.sent_before(conn, conversation_id, "customer", "b") is None
    with pytest.raises(sa.exc.IntegrityError), store.write() as conn:
        store.append(conn, conversation_id, "customer", message(3), client_id="a")
    with store.read() as conn:
        assert [event.seq for event in store.events(conn, conversation_id)] == [1, 2, 3]


def test_an_exception_undoes_the_whole_transaction(store: Store) -> None:
    conversation_id = opened(store)
    with pytest.raises(RuntimeError), store.write() as conn:  # noqa: PT012 - the block is what is tested
        store.append(conn, conversation_id, "customer", message())
        raise RuntimeError
    with store.write() as conn:
        assert store.append(conn, conversation_id, "customer", message()).seq == 2


def test_a_reader_sees_one_state_and_waits_for_no_writer(store: Store) -> None:
    conversation_id = opened(store)
    with store.read() as reader:
        assert len(store.events(reader, conversation_id)) == 1
        with store.write() as conn:
            store.append(conn, conversation_id, "customer", message())
        assert len(store.events(reader, conversation_id)) == 1
    with store.read() as reader:
        assert len(store.events(reader, conversation_id)) == 2


def test_an_error_shows_no_data(store: Store) -> None:
    values = {"conversation_id": "nobody", "seq": 1, "kind": "message", "at": NOON, "actor": "customer"}
    with pytest.raises(sa.exc.IntegrityError) as caught, store.write() as conn:
        conn.execute(event_table.insert().values(**values, data={"text": "my card is 4111"}))
    assert "4111" not in str(caught.value)


@FILE
def test_a_full_disk_refuses_the_write_and_recovers(store: Store) -> None:
    conversation_id = opened(store)
    acknowledged = 1

    def limit_pages(conn: sa.Connection, pages: int) -> None:
        conn.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    with store.read() as conn:
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
    with pytest.raises(StoreError, match="room"):  # noqa: PT012 - written until it is full
        for _ in range(1000):
            with store.write() as conn:
                limit_pages(conn, pages + 4)
                store.append(conn, conversation_id, "customer", message("x" * 1000))
            acknowledged += 1
    with store.read() as conn:
        assert len(store.events(conn, conversation_id)) == acknowledged
    with store.write() as conn:
        limit_pages(conn, 1_000_000)
        assert store.append(conn, conversation_id, "customer", message()).seq == acknowledged + 1


def test_threads_and_processes_write_one_sequence_without_gaps(database: str) -> None:
    store = Store(database)
    conversation_id = opened(store)
    code = """
import sys
from botkit.store import Store
from botkit.store.event_data import CustomerMessage
store = Store(sys.argv[1])
for n in range(40):
    with store.write() as conn:
        store.append(conn, sys.argv[2], "customer", CustomerMessage(str(n), "m"))
print("done")
"""
    processes = [python(code, database, conversation_id) for _ in range(2)]

    def write() -> None:
        for n in range(20):
            with store.write() as conn:
                store.append(conn, conversation_id, "customer", message(n))

    run_together(4, write)
    assert [process.communicate()[0].strip() for process in processes] == ["done"] * 2
    with store.read() as conn:
        assert [event.seq for event in store.events(conn, conversation_id)] == list(range(1, 162))
    store.close()


def test_a_reader_that_follows_the_sequence_misses_nothing(store: Store) -> None:
    conversation_id = opened(store)
    finished = threading.Event()
    known: list[int] = []

    def follow() -> None:
        while True:
            last_look = finished.is_set()
            with store.read() as conn:
                known.extend(event.seq for event in store.events(conn, conversation_id, known[-1] if known else 0))
            if last_look:
                return

    def write() -> None:
        for n in range(25):
            with store.write() as conn:
                store.append(conn, conversation_id, "customer", message(n))

    follower = threading.Thread(target=follow)
    follower.start()
    run_together(4, write)
    finished.set()
    follower.join()
    assert known == list(range(1, 102))


def test_a_store_made_before_a_fork_works_in_both_processes(store: Store) -> None:
    """Servers that load the application before they fork their workers rely on it."""
    conversation_id = opened(store)
    code = """
import os, sys
from botkit.store import Store
from botkit.store.event_data import CustomerMessage
store = Store(sys.argv[1])
def write(who):
    with store.write() as conn:
        store.append(conn, sys.argv[2], "customer", CustomerMessage(who, "m"))
write("before")
child = os.fork()
write("parent" if child else "child")
if child and os.waitpid(child, 0)[1] == 0:
    print("done")
"""
    assert python(code, store.url, conversation_id).communicate()[0].strip() == "done"
    with store.read() as conn:
        result = [event.data.text for event in store.events(conn, conversation_id, after=1)]
    assert sorted(result) == ["before", "child", "parent"]


def test_times_are_utc_and_sort_as_text(store: Store) -> None:
    tehran = timezone(timedelta(hours=3, minutes=30))
    assert iso(datetime(2026, 1, 1, 2, 0, tzinfo=tehran)) == "2025-12-31T22:30:00.000Z"
    assert parse_time("2026-01-01") == datetime(2026, 1, 1, tzinfo=UTC)
    assert parse_time("2026-01-01T02:00:00+03:30") == datetime(2025, 12, 31, 22, 30, tzinfo=UTC)
    with pytest.raises(ValueError, match="yesterday"):
        parse_time("yesterday")
    conversation_id = opened(store)
    with store.read() as conn:
        row = conn.execute(sa.select(conversation_table).where(conversation_table.c.id == conversation_id)).one()
        assert row.opened_at == NOON
        later = sa.select(conversation_table).where(conversation_table.c.opened_at > NOON)
        assert conn.execute(later).all() == []


def run_together(count: int, work: Callable[[], None]) -> None:
    gate = threading.Barrier(count)
    failures: list[BaseException] = []

    def run() -> None:
        gate.wait()
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_reads_together_see_one_state_and_cost_one_transaction(store: Store) -> None:
    """What another thread commits meanwhile is seen after the block, by it and by everybody else at once."""
    begun = []

    def begins(conn: sa.Connection) -> None:
        begun.append(conn)

    def known() -> int:
        with store.read() as conn:
            return int(conn.execute(sa.select(sa.func.count()).select_from(conversation_table)).scalar_one())

    def add() -> None:
        with store.write() as conn:
            store.open_conversation(conn, "0" * 64, "en", "/")

    sa.event.listen(sa.Engine, "begin", begins)
    try:
        add()
        begun.clear()
        with store.reads_together():
            assert [known(), known()] == [1, 1]
            assert len(begun) == 1
            with store.reads_together(), ThreadPoolExecutor(1) as other:
                other.submit(add).result()
                assert other.submit(known).result() == 2
            assert known() == 1
        assert known() == 2
        with pytest.raises(RuntimeError), store.reads_together():
            raise RuntimeError
        assert known() == 2
    finally:
        sa.event.remove(sa.Engine, "begin", begins)
