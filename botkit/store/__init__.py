"""The record: one database, its schema, its migrations and the append-only event log of every conversation.

This house owns the engine (nobody else creates one), the connection's settings, the rule that a write is one
short transaction, and the tables that more than one house adds to: `conversation`, `event` and `secret`. It never
decides what an event means; `chat`, `desk` and `people` do, in the tables drawn here and through `append`.

    conversation  id PK | token_hash | lang | page | tags | opened_at | changed_at | last_seq
                  visitor: SHA-256 of the key that a browser keeps | customer: the name that the shop gives
    event         (conversation_id, seq) PK | kind | at | actor | client_id | data
                  unique (conversation_id, actor, client_id): a message is stored once however often it is sent
    secret        name PK | value | made_at: `keys` is the id of the key that was last used; no secret is in it any more
    agent         id PK | name | key unique | role | password_hash | stamp | added_at | disabled_at     (people)
                  password_until
    agent_token   id PK | hash unique | agent_id -> agent | name | scope | prefix | issued_at           (people)
                  expires_at | used_at
    agent_session id PK | hash unique | agent_id -> agent | half | browser | system | made_at           (people)
                  seen_at | ends_at | ended_at | told
    second_factor agent_id PK -> agent | secret: encrypted | begun_at | confirmed_at | last_step        (people)
    recovery_code hash PK | agent_id -> agent                                                           (people)
    guess         (who, place) PK | failures | last_at | until | known_at                               (people)
    audit         id PK | at | actor | action | target | detail                                         (people)
    outbox        id PK | message_id unique | kind | payload | made_at | due_at | tries | lease         (outbox)
                  leased_until | done_at | gave_up_at | reason | failed_at | away | early
    outbox_kind   kind PK | since | well_at | probe_at                                                  (outbox)
    ticket        id PK | conversation_id | state | reason | lang | page | candidates | opened_at       (desk)
                  claimed_at | closed_at | owner | outcome | article
                  unique (conversation_id) where state <> 'closed': one open ticket a conversation
                  its priority, clock, offer and absence are told in `docs/record.md`
    ticket_state  (ticket_id, n) PK | change | state | owner | actor | at | note                        (desk)
    seat          agent_id PK -> agent | languages | skills | share | status | seen_at | missed         (desk)
                  time_zone | shifts | holidays
    absence       id PK | agent_id -> agent | delegate | starts_at | ends_at | stage | next_at          (desk)
    satisfaction  ticket_id PK -> ticket | score | comment | lang | at                                  (desk)
    mention       id PK | agent_id -> agent | (conversation_id, seq) -> event | ticket_id -> ticket     (desk)
                  at | seen_at
    mark          (conversation_id, actor) PK | delivered | read | typing_until | online_until         (live)

Times are UTC, in milliseconds, kept as text of a fixed width (`2026-11-21T20:28:00.123Z`): they sort as they are
and read the same on SQLite, on PostgreSQL and in JSON.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from botkit.store.bounds import PAGE_BYTES, Added, added, rows_after, rows_before
from botkit.store.changes import CHANNEL, Changes
from botkit.store.errors import KeysError, StoreError
from botkit.store.event_data import CUSTOMER, ConversationOpened, EventData, read
from botkit.store.files import PRIVATE, make_private, tighten
from botkit.store.keys import KeyFile, Keys, key_file
from botkit.store.preparation import Preparation
from botkit.store.schema import (
    absence_table,
    agent_session_table,
    agent_table,
    agent_token_table,
    audit_table,
    conversation_table,
    event_table,
    guess_table,
    iso,
    mark_table,
    mention_table,
    metadata,
    outbox_kind_table,
    outbox_table,
    parse_time,
    recovery_code_table,
    satisfaction_table,
    seat_table,
    second_factor_table,
    secret_table,
    ticket_state_table,
    ticket_table,
)
from botkit.store.ticket_row import TicketRow

__all__ = [
    "BOT",
    "CUSTOMER",
    "SYSTEM",
    "Added",
    "Changes",
    "Event",
    "EventData",
    "Keys",
    "KeysError",
    "Store",
    "StoreError",
    "TicketRow",
    "absence_table",
    "added",
    "agent_session_table",
    "agent_table",
    "agent_token_table",
    "as_event",
    "audit_table",
    "conversation_table",
    "event_table",
    "exclusive",
    "guess_table",
    "iso",
    "key_file",
    "mark_table",
    "mention_table",
    "metadata",
    "outbox_kind_table",
    "outbox_table",
    "parse_time",
    "recovery_code_table",
    "satisfaction_table",
    "seat_table",
    "second_factor_table",
    "secret_table",
    "sqlite_driver",
    "ticket_state_table",
    "ticket_table",
]

SAFE_SQLITE: Final = (3, 51, 3)  # older ones can corrupt a file in WAL mode when the log is reset
BUSY_SECONDS: Final = 30
CONNECT_SECONDS: Final = 5  # to reach a PostgreSQL server, unless the URL says otherwise
_NO_TABLE: Final = "42P01"  # PostgreSQL's word for it
BOT: Final = "bot"
SYSTEM: Final = "system"


@dataclass(frozen=True)
class Event:
    """One line of a conversation's log. `seq` counts from 1 without gaps within the conversation; `stored` is `data` as
    it was written, by whichever release, and `kind` may be one that only a newer release knows."""

    conversation: str
    seq: int
    kind: str
    at: datetime
    actor: str
    data: EventData
    stored: Mapping[str, object]

    def as_dict(self) -> dict[str, object]:
        return {
            "seq": self.seq,
            "kind": self.kind,
            "at": iso(self.at),
            "actor": self.actor,
            "data": dict(self.stored),
        }


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
        self.url, self._file = _read_url(url)
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
        given = {"conversation": conversation_id, "by": actor, "client": client_id}
        row = conn.execute(_SENT, given).one_or_none()
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
        found = self.key_file.read(self.now())
        if found is not None and found == self._settled:
            return found
        try:
            with self.read() as conn:
                mark = conn.execute(_MARK).scalar()
            if found is None or mark not in found.ids:
                with self.write() as conn:
                    found = self.settle_keys(conn)
        except KeysError:
            raise
        except StoreError:
            if found is None:
                raise
            return found
        self._settled = found
        return found

    def settle_keys(self, conn: Connection, *, adopt: bool = False) -> Keys:
        """The same inside the caller's write transaction. `adopt`: take the file's keys, new ones where there are none
        that can be read, whatever the database was used with."""
        exclusive(conn, 6274912)
        mark = conn.execute(_MARK).scalar()
        try:
            found = self.key_file.read(self.now())
        except KeysError:
            if not adopt:
                raise
            found = None
        if found is None and mark is not None and not adopt:
            raise self.key_file.missing()
        if found is None:
            found = self.key_file.make(self.now())
        if mark is not None and mark not in found.ids and not adopt:
            raise self.key_file.wrong(mark)
        if mark is None:
            conn.execute(secret_table.insert().values(name="keys", value=found.current.id, made_at=self.now()))
        elif mark not in found.ids:
            self.mark_keys(conn, found)
        return found

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
            self._engine: sa.Engine = _engine(self.url, self._file)
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


def as_event(row: sa.Row[Any]) -> Event:
    """The event in a row of the event table."""
    data = read(row.kind, row.actor, row.data)
    return Event(row.conversation_id, row.seq, row.kind, row.at, row.actor, data, row.data)


def exclusive(conn: Connection, number: int) -> None:
    """Let no other transaction that asks with this number go on before this one ends."""
    if conn.dialect.name == "postgresql":  # SQLite's writers already queue
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({number:d})")


_owning = threading.Lock()


def _migrations() -> Any:
    from alembic.config import Config

    config = Config()
    folder = str(Path(__file__).parent.parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _read_url(url: str) -> tuple[sa.URL, Path | None]:
    try:
        parsed = sa.make_url(url)
    except ArgumentError as error:
        raise StoreError(
            f"invalid database URL {url!r}: write sqlite:///botkit.db for a file here, sqlite:////var/lib/botkit.db "
            "for a file by its full path, or postgresql+psycopg://user@host/name"
        ) from error
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        return parsed, None
    if backend != "sqlite":
        raise StoreError(f"{url!r}: botkit keeps its record in SQLite or PostgreSQL, not in {backend!r}")
    name = parsed.database or ""
    if name in ("", ":memory:") or name.startswith("file:"):
        raise StoreError(f"{url!r} names no file: write sqlite:///botkit.db or sqlite:////full/path/botkit.db")
    return parsed, Path(name).absolute()


def _engine(url: sa.URL, file: Path | None) -> sa.Engine:
    def dumps(data: Any) -> str:
        return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    if file is None:
        try:
            return sa.create_engine(
                url,
                json_serializer=dumps,
                hide_parameters=True,
                pool_size=8,
                max_overflow=24,
                pool_pre_ping=True,
                connect_args={} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_SECONDS},
            )
        except (ImportError, NoSuchModuleError) as error:
            raise StoreError(
                f"PostgreSQL needs a driver that is not here ({error}): pip install 'psycopg[binary]'"
            ) from error
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(file)),
        module=sqlite_driver(),
        json_serializer=dumps,
        hide_parameters=True,  # a customer's words are no part of an error
        pool_size=8,
        max_overflow=24,
        connect_args={"timeout": BUSY_SECONDS},
    )

    @sa.event.listens_for(engine, "do_connect")
    def _connecting(*_: Any) -> None:
        with contextlib.suppress(OSError):  # SQLite says by itself what is in the way
            make_private(file)  # the log and its index get the mode of the file

    @sa.event.listens_for(engine, "connect")
    def _connected(raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # the driver would begin transactions by itself, and too late
        for pragma in ("synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_SECONDS * 1000}"):
            raw.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begun(conn: Connection) -> None:
        writes = conn.get_execution_options().get("botkit_writes")
        if writes:
            conn.exec_driver_sql(f"PRAGMA synchronous={writes}")  # the connection's last writer may have been lax
        conn.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def sqlite_driver() -> ModuleType:
    """The SQLite to use: Python's own where it is new enough to keep a WAL file whole, or pysqlite3's."""
    import sqlite3

    found = [f"Python's sqlite3 has {sqlite3.sqlite_version}"]
    if sqlite3.sqlite_version_info >= SAFE_SQLITE:
        return sqlite3
    try:
        from pysqlite3 import dbapi2
    except ImportError:
        found.append("pysqlite3 is not installed")
    else:
        if dbapi2.sqlite_version_info >= SAFE_SQLITE:
            driver: ModuleType = dbapi2
            return driver
        found.append(f"pysqlite3 has {dbapi2.sqlite_version}")
    raise StoreError(
        f"SQLite {'.'.join(map(str, SAFE_SQLITE))} or newer is needed, since older ones can damage the file; "
        f"{' and '.join(found)}: pip install 'pysqlite3>=0.6.1', or use a PostgreSQL URL"
    )
