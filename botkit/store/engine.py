"""The database behind a URL: SQLite with a driver that keeps its file whole, or PostgreSQL. Nobody else makes one."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from botkit.store.errors import StoreError
from botkit.store.files import make_private

SAFE_SQLITE: Final = (3, 51, 3)  # older ones can corrupt a file in WAL mode when the log is reset
BUSY_SECONDS: Final = 30
CONNECT_SECONDS: Final = 5  # to reach a PostgreSQL server, unless the URL says otherwise


def exclusive(conn: Connection, number: int) -> None:
    """Let no other transaction that asks with this number go on before this one ends."""
    if conn.dialect.name == "postgresql":  # SQLite's writers already queue
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({number:d})")


def read_url(url: str) -> tuple[sa.URL, Path | None]:
    """A database URL, and its file if it is SQLite's. StoreError for any other."""
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


def new_engine(url: sa.URL, file: Path | None) -> sa.Engine:
    """The engine for a URL, with the settings that every connection gets."""
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

    result = [f"Python's sqlite3 has {sqlite3.sqlite_version}"]
    if sqlite3.sqlite_version_info >= SAFE_SQLITE:
        return sqlite3
    try:
        from pysqlite3 import dbapi2
    except ImportError:
        result.append("pysqlite3 is not installed")
    else:
        if dbapi2.sqlite_version_info >= SAFE_SQLITE:
            driver: ModuleType = dbapi2
            return driver
        result.append(f"pysqlite3 has {dbapi2.sqlite_version}")
    raise StoreError(
        f"SQLite {'.'.join(map(str, SAFE_SQLITE))} or newer is needed, since older ones can damage the file; "
        f"{' and '.join(result)}: pip install 'pysqlite3>=0.6.1', or use a PostgreSQL URL"
    )
