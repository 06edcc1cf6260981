"""The store: its transactions, the log's events in them, and the reading of conversations.

It is the only writer of `conversation`, `event` and `secret`, and never decides what an event means.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from botkit.store.bounds import PAGE_BYTES, rows_after, rows_before
from botkit.store.changes import CHANNEL, Changes
from botkit.store.engine import BUSY_SECONDS, exclusive, new_engine, read_url, sqlite_driver
from botkit.store.errors import KeysError, StoreError
from botkit.store.event_data import ConversationOpened, EventData
from botkit.store.events import SYSTEM, Event, as_event
from botkit.store.files import PRIVATE, tighten
from botkit.store.keys import KeyFile, Keys, key_file
from botkit.store.preparation import Preparation
from botkit.store.schema import conversation_table, event_table, secret_table

_NO_TABLE: Final = "42P01"  # PostgreSQL's word for it


# The statements of every message, made once: to make one costs more than to run it.
_conversation, _event = conversation_table.c, event_table.c
_CONVERSATION: Final = sa.select(conversation_table).where(_conversation.id == sa.bindparam("conversation"))
_HOLD: Final = _CONVERSATION.with_for_update()
_COUNT: Final = (
    conversation_table.update()
    .where(_conversation.id == sa.bindparam("conversation"))
    .values(last_seq=_conversation.last_seq + 1, changed_at=sa.bindparam("at"))
    .returning(_conversation.last_seq)
)
_APPEND: Final = event_table.insert()
_AFTER: Final = (
    sa.select(event_table)
    .where(_event.conversation_id == sa.bindparam("conversation"), _event.seq > sa.bindparam("after"))
    .order_by(_event.seq)
)
_HEADS: Final = sa.select(_conversation.id, _conversation.last_seq).where(
    _conversation.id.in_(sa.bindparam("ids", expanding=True))
)
_MARK: Final = sa.select(secret_table.c.value).where(secret_table.c.name == "keys")
_SENT: Final = sa.select(event_table).where(
    _event.conversation_id == sa.bindparam("conversation"),
    _event.actor == sa.bindparam("by"),
    _event.client_id == sa.bindparam("client"),
)


class Store:
    """The database behind a URL: `sqlite:////absolute/file.db`, `sqlite:///relative.db` or `postgresql+psycopg://...`.

    Making one opens nothing. `clock` gives the aware time of whatever is written without a time of its own. `keys` is
    the key file; without one it is where `key_file` says. `prepare`, if given, brings the database into order: it is
    called at the first use, and while it fails every use is a StoreError with its reason, tried again after growing
    waits.
    """

    def __init__(
        self,
        url: str,
        clock: Callable[[], datetime] | None = None,
        *,
        keys: Path | str | None = None,
        prepare: Callable[[Store], object] | None = None,
    ) -> None:
        self._clock = clock or (lambda: datetime.now(UTC))
        self._prepared = Preparation(None if prepare is None else lambda: prepare(self))
        self.url, self._file = read_url(url)
        self.key_file = KeyFile(key_file(url, str(keys or "")))
        self._settled: Keys | None = None
        self._here = threading.local()
        self._pid: int | None = None
        self._own()

    def __repr__(self) -> str:
        return f"Store({self.url.render_as_string(hide_password=True)})"

    def now(self) -> datetime:
        """The clock's time, cut to the milliseconds that the database keeps."""
        at = self._clock().astimezone(UTC)
        return at.replace(microsecond=at.microsecond // 1000 * 1000)

    def migrate(self, revision: str = "head") -> None:
        """Bring the schema to this release's state, or to that of an older one; a fresh database gets its tables. Safe
        to call at every start."""
        from alembic import command
        from alembic.runtime.migration import MigrationContext
        from alembic.util.exc import CommandError

        config = _migrations()
        if self._file:
            self._use_wal()
        with self.write() as conn:
            exclusive(conn, 6274911)
            config.attributes["connection"] = conn
            config.attributes["keys"] = lambda: self.settle_keys(conn)
            before = MigrationContext.configure(conn).get_current_revision()
            try:
                command.upgrade(config, revision)
            except CommandError as error:
                raise StoreError(
                    f"{self!r} was made by another release of botkit ({error}): "
                    "run the newer botkit, or restore a copy of the database from before the change"
                ) from error
            changed = before != MigrationContext.configure(conn).get_current_revision()
        if self._file and changed:
            # What was deleted is gone from the log too; where somebody still reads it, a later checkpoint does that.
            with contextlib.closing(self._engine.raw_connection()) as raw, contextlib.suppress(sqlite_driver().Error):
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def revisions(self) -> frozenset[str]:
        """The schemas that this release knows, its own and those of older ones."""
        from alembic.script import ScriptDirectory

        return frozenset(each.revision for each in ScriptDirectory.from_config(_migrations()).walk_revisions())

    def elsewhere(self, file: Path) -> Store:
        """The same on another SQLite file, with the same keys."""
        url = sa.URL.create("sqlite", database=str(file)).render_as_string()
        return Store(url, self._clock, keys=self.key_file.path)

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the database from its first query on. Waits for no writer."""
        shared = getattr(self._here, "conn", None)
        if shared is not None:
            yield shared
            return
        self._own()
        self._prepared.need()
        with self._explained("read"), self._engine.connect() as conn:
            if self._file is None:
                conn.execution_options(isolation_level="REPEATABLE READ")  # else each query would see another state
            with conn.begin():
                yield conn

    @contextlib.contextmanager
    def reads_together(self) -> Iterator[None]:
        """All reads of this thread inside the block see one state of the database, in one transaction. What the block
        itself writes is not in it: write before."""
        with self.read() as conn:
            outer, self._here.conn = getattr(self._here, "conn", None), conn
            try:
                yield
            finally:
                self._here.conn = outer

    @contextlib.contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Connection]:
        """A connection inside one write transaction, committed at the end of the block, undone by an exception.

        On SQLite it is the only writer from its first line on: threads of a process wait for a lock in memory,
        processes for a lock on a file beside the database, since waiting inside SQLite is by polling and unfair.
        Keep the block short and without slow work. What is not `durable` does not wait for the disk: it may be lost
        when the power fails, not when a process dies, and it never leaves a database that is half changed.
        """
        self._own()
        self._prepared.need()
        with (
            self._explained("written"),
            self._turn(),
            self._engine.connect().execution_options(botkit_writes="FULL" if durable else "NORMAL") as conn,
            conn.begin(),
        ):
            if self._file is None and not durable:
                conn.exec_driver_sql("SET LOCAL synchronous_commit TO off")
            yield conn
            if self._file is None:
                conn.exec_driver_sql(f"NOTIFY {CHANNEL}")  # once a transaction, at its commit

    def open_conversation(
        self,
        conn: Connection,
        token_hash: str,
        lang: str | None,
        page: str | None,
        tags: Sequence[str] = (),
        *,
        visitor: str | None = None,
        customer: str | None = None,
    ) -> str:
        """Write a new conversation and its first event; its id is returned and cannot be guessed. `tags` and the name
        `customer` are what the shop's own program says of the customer, who never sees them; `visitor` is the hash of
        the key by which a browser is known again."""
        conversation_id, at = secrets.token_hex(16), self.now()
        conn.execute(
            conversation_table.insert().values(
                id=conversation_id,
                token_hash=token_hash,
                lang=lang,
                page=page,
                tags=list(tags),
                opened_at=at,
                changed_at=at,
                last_seq=0,
                visitor=visitor,
                customer=customer,
            )
        )
        self.append(conn, conversation_id, SYSTEM, ConversationOpened(lang, page), at)
        return conversation_id

    def conversation(self, conn: Connection, conversation_id: str) -> sa.Row[Any] | None:
        """The conversation's row."""
        return conn.execute(_CONVERSATION, {"conversation": conversation_id}).one_or_none()

    def hold(self, conn: Connection, conversation_id: str) -> sa.Row[Any] | None:
        """The conversation's row, locked until the transaction ends, so that what is decided on it stays true."""
        return conn.execute(_HOLD, {"conversation": conversation_id}).one_or_none()

    def append(
        self,
        conn: Connection,
        conversation_id: str,
        actor: str,
        data: EventData,
        at: datetime | None = None,
        *,
        client_id: str | None = None,
    ) -> Event:
        """Add the conversation's next event, inside the caller's transaction. KeyError: no such conversation.

        The sequence number is taken by an update of the conversation's row, which holds that row until the commit:
        numbers therefore become visible in their order, on PostgreSQL too, and a reader at N misses nothing.
        """
        at = at or self.now()
        seq = conn.execute(_COUNT, {"conversation": conversation_id, "at": at}).scalar()
        if seq is None:
            raise KeyError(conversation_id)
        stored = data.as_json()
        row = {"conversation_id": conversation_id, "seq": seq, "kind": data.KIND, "at": at, "actor": actor}
        conn.execute(_APPEND, row | {"client_id": client_id, "data": stored})
        return Event(conversation_id, seq, data.KIND, at, actor, data, stored)

    def events(self, conn: Connection, conversation_id: str, after: int = 0) -> list[Event]:
        """The conversation's events with a number above `after`, in order; empty for an unknown conversation."""
        rows = conn.execute(_AFTER, {"conversation": conversation_id, "after": after})
        return [as_event(row) for row in rows]

    def page(
        self, conn: Connection, conversation_id: str, after: int = 0, most_bytes: int = PAGE_BYTES
    ) -> tuple[list[Event], bool]:
        """The first events after a number, as many as are read at once, and whether there are more."""
        rows, more = rows_after(conn, conversation_id, after, most_bytes)
        return [as_event(row) for row in rows], more

    def page_before(self, conn: Connection, conversation_id: str, before: int) -> tuple[list[Event], bool]:
        """The last events before a number, in order, and whether there are earlier ones."""
        rows, more = rows_before(conn, conversation_id, before)
        return [as_event(row) for row in rows], more

    def sent_before(self, conn: Connection, conversation_id: str, actor: str, client_id: str) -> Event | None:
        """The event that this author already stored under this client id, if there is one."""
        value = {"conversation": conversation_id, "by": actor, "client": client_id}
        row = conn.execute(_SENT, value).one_or_none()
        return None if row is None else as_event(row)

    def heads(self, conn: Connection, conversation_ids: Iterable[str]) -> dict[str, int]:
        """The last sequence number of each of these conversations: one cheap query for a poller of many streams."""
        ids = list(conversation_ids)
        heads: dict[str, int] = {}
        for start in range(0, len(ids), 500):
            heads.update((row[0], row[1]) for row in conn.execute(_HEADS, {"ids": ids[start : start + 500]}))
        return heads

    def watch(self) -> Changes:
        """What tells, for next to nothing, whether anybody has written since it was last asked. Close it after use."""
        self._own()
        self._prepared.need()
        with self._explained("watched"):
            return Changes(self._engine)

    @property
    def keys(self) -> Keys:
        """The keys beside the database, made at their first use with it; KeysError when they are not its own.

        Take them before a transaction begins: the first time, they need one. A database that is away is no obstacle
        where the file is there.
        """
        result = self.key_file.read(self.now())
        if result is not None and result == self._settled:
            return result
        try:
            with self.read() as conn:
                mark = conn.execute(_MARK).scalar()
            if result is None or mark not in result.ids:
                with self.write() as conn:
                    result = self.settle_keys(conn)
        except KeysError:
            raise
        except StoreError:
            if result is None:
                raise
            return result
        self._settled = result
        return result

    def settle_keys(self, conn: Connection, *, adopt: bool = False) -> Keys:
        """The same inside the caller's write transaction. `adopt`: take the file's keys, new ones where there are none
        that can be read, whatever the database was used with."""
        exclusive(conn, 6274912)
        mark = conn.execute(_MARK).scalar()
        try:
            result = self.key_file.read(self.now())
        except KeysError:
            if not adopt:
                raise
            result = None
        if result is None and mark is not None and not adopt:
            raise self.key_file.missing()
        if result is None:
            result = self.key_file.make(self.now())
        if mark is not None and mark not in result.ids and not adopt:
            raise self.key_file.wrong(mark)
        if mark is None:
            conn.execute(secret_table.insert().values(name="keys", value=result.current.id, made_at=self.now()))
        elif mark not in result.ids:
            self.mark_keys(conn, result)
        return result

    def mark_keys(self, conn: Connection, keys: Keys) -> None:
        """Note that the database is used with the current one of these keys from now on."""
        conn.execute(
            secret_table.update().where(secret_table.c.name == "keys").values(value=keys.current.id, made_at=self.now())
        )

    def close(self) -> None:
        """Give the connections back; the next use opens new ones."""
        self._engine.dispose()

    # A connection, and a lock on a file, may not be shared across a fork: each process makes its own.
    def _own(self) -> None:
        if self._pid == os.getpid():
            return
        with _owning:
            if self._pid == os.getpid():
                return
            if self._pid is not None:
                self._engine.dispose(close=False)
            self._engine: sa.Engine = new_engine(self.url, self._file)
            self._writers = threading.Lock()
            self._lock_file: int | None = None
            self._pid = os.getpid()

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        if self._file is None:
            yield
            return
        if not self._writers.acquire(timeout=BUSY_SECONDS):
            raise StoreError(
                f"{self!r}: other writers held the database for {BUSY_SECONDS} s: look for a stuck process"
            )
        try:
            if self._lock_file is None:
                try:
                    self._lock_file = os.open(f"{self._file}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
                except OSError as error:
                    raise StoreError(f"{self!r}: {error}: this account must be able to write to its folder") from error
            fcntl.flock(self._lock_file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._lock_file, fcntl.LOCK_UN)
        finally:
            self._writers.release()

    @contextlib.contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except (IntegrityError, DataError):
            raise
        except DBAPIError as error:
            if "no such table" in str(error.orig) or getattr(error.orig, "sqlstate", None) == _NO_TABLE:
                raise StoreError(f"{self!r} has no tables yet: call migrate() first, as `botkit serve` does") from error
            if isinstance(error, ProgrammingError):
                raise
            raise StoreError(
                f"{self!r} could not be {what}: {error.orig}. Check that the disk has room, that the file or server "
                "is there and may be used by this account, and that nothing else holds it locked"
            ) from error
        except PoolTimeout as error:
            raise StoreError(f"{self!r} could not be {what}: all of its connections are in use") from error

    # Switching a file to WAL needs it for oneself, and SQLite does not wait for that by itself.
    def _use_wal(self) -> None:
        self._own()
        assert self._file is not None
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            tighten(Path(f"{self._file}{end}") for end in ("", "-wal", "-shm", ".lock"))
            with self._turn(), contextlib.closing(self._engine.raw_connection()) as raw:
                mode = raw.cursor().execute("PRAGMA journal_mode=WAL").fetchone()[0]
        except OSError as error:
            raise StoreError(f"{self!r}: {error}: this account must be able to write to its folder") from error
        except sqlite_driver().Error as error:  # a raw connection's errors come unwrapped
            raise StoreError(f"{self!r} is not usable as a database: {error}") from error
        if mode != "wal":
            raise StoreError(f"{self!r} does not keep a write-ahead log (it says {mode!r}): put it on a local disk")


_owning = threading.Lock()


def _migrations() -> Any:
    from alembic.config import Config

    config = Config()
    folder = str(Path(__file__).parent.parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
