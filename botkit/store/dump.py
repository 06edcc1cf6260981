"""The record as text: all tables of one moment as JSON lines, and back into any database that botkit runs on.

A copy of a database file while it is written to lacks what is still in its log, and SQLite's own backup begins anew
with every writer. So the rows are read in one transaction, as they were when it began, whatever is written meanwhile. A
row is a JSON array in the order of `columns`. The schema is the one that the rows had: it is made first, and brought to
this release's state when they are in.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from botkit.files import sync
from botkit.store.engine import sqlite_driver
from botkit.store.errors import StoreError
from botkit.store.schema import metadata
from botkit.store.store import Store

BATCH: Final = 500


@dataclass(frozen=True)
class Snapshot:
    """The record in one moment. `columns`: of each table, in an order in which they can be filled."""

    revision: str
    dialect: str
    columns: Mapping[str, tuple[str, ...]]
    _tables: Mapping[str, sa.Table]
    _conn: Connection

    def rows(self, table: str) -> Iterator[bytes]:
        """The lines of a table, in the order of its key."""
        result = self._tables[table]
        query = sa.select(result).order_by(*result.primary_key.columns).execution_options(yield_per=BATCH)
        for row in self._conn.execute(query):
            yield json.dumps(list(row), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


@contextlib.contextmanager
def snapshot(store: Store) -> Iterator[Snapshot]:
    """The record of this moment, for as long as the block. StoreError: it is damaged, or no release's that is known."""
    with store.read() as conn:
        revision = MigrationContext.configure(conn).get_current_revision()
        if revision is None:
            raise StoreError(f"{store!r} has no record: name the database that `botkit serve` uses")
        if revision not in store.revisions():
            raise StoreError(f"{store!r} was made by a newer release of botkit ({revision}): back it up with that one")
        _sound(store, conn)
        tables = _tables(conn)
        columns = {name: tuple(table.columns.keys()) for name, table in tables.items()}
        yield Snapshot(revision, conn.dialect.name, columns, tables, conn)


def has_record(store: Store) -> bool:
    """Whether there is a record already, be it an empty one."""
    file = _file(store)
    if file is not None and not file.exists():
        return False
    with store.read() as conn:
        there = set(sa.inspect(conn).get_table_names())
    return bool(there & {"alembic_version", *metadata.tables})


def set_aside(store: Store, name: str) -> str:
    """Keep the record that is there under another name, beside its place; where it is now. StoreError: it is in use."""
    file = _file(store)
    if file is None:
        return _schema_aside(store, name)
    kept = file.with_name(f"{file.name}.{name}")
    store.close()  # its own connections are no use by others
    with contextlib.closing(sqlite_driver().connect(file, timeout=1)) as raw:
        try:
            mode = raw.execute("PRAGMA journal_mode=DELETE").fetchone()[0]  # the log becomes part of the file
        except sqlite_driver().Error as error:
            mode = str(error)
    if mode != "delete":
        raise StoreError(f"{store!r} is in use ({mode}): stop the server first")
    os.rename(file, kept)
    sync(file.parent)
    return str(kept)


def restore(
    store: Store,
    revision: str,
    columns: Mapping[str, Sequence[str]],
    rows: Callable[[str], Iterable[bytes]],
    finish: Callable[[Store], None],
) -> dict[str, int]:
    """Fill the place of a record where there is none; how many rows each table got. `finish` is called before anybody
    else can see a file's record. StoreError: what is given is no record of this or an older release."""
    if revision not in store.revisions():
        raise StoreError(f"the backup is of a newer release of botkit (schema {revision}): restore it with that one")
    file = _file(store)
    if file is None:
        return _filled(store, revision, columns, rows, finish)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    parts = [draft, *(draft.with_name(draft.name + end) for end in ("-wal", "-shm", ".lock"))]
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with contextlib.closing(store.elsewhere(draft)) as filled:
            counts = _filled(filled, revision, columns, rows, finish)
            with filled.read() as conn:
                _sound(filled, conn)
        with contextlib.closing(sqlite_driver().connect(draft)) as raw:
            raw.execute("PRAGMA journal_mode=DELETE")  # one file, whole by itself
        with draft.open("rb") as stream:
            os.fsync(stream.fileno())
        if file.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        os.rename(draft, file)
        sync(file.parent)
    except OSError as error:
        raise StoreError(f"{store!r} cannot be written: {error.strerror}: see that nothing is at its place") from error
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    return counts


def _filled(
    store: Store,
    revision: str,
    columns: Mapping[str, Sequence[str]],
    rows: Callable[[str], Iterable[bytes]],
    finish: Callable[[Store], None],
) -> dict[str, int]:
    store.migrate(revision)
    counts = {}
    with store.write() as conn:
        tables = _tables(conn)
        if strange := {name: sorted(set(named)) for name, named in columns.items() if name not in tables
                       or set(named) != set(tables[name].columns.keys())}:  # fmt: skip
            raise StoreError(f"the backup has tables or columns that schema {revision} has not: {strange}")
        for table in reversed(tables.values()):
            conn.execute(table.delete())
        for name, table in tables.items():
            if name in columns:
                counts[name] = _fill(conn, table, columns[name], rows(name))
    store.migrate()
    finish(store)
    return counts


def _fill(conn: Connection, table: sa.Table, names: Sequence[str], lines: Iterable[bytes]) -> int:
    clean = conn.dialect.name == "postgresql"  # which holds no NUL, where an older release let one into a file
    count, remaining = 0, iter(lines)
    while batch := list(islice(remaining, BATCH)):
        result = []
        for line in batch:
            count += 1
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, list) or len(row) != len(names):
                raise StoreError(f"invalid row: line {count} of the table {table.name}")
            if clean:
                row = [each.replace("\0", "") if isinstance(each, str) else each for each in row]
            result.append(dict(zip(names, row, strict=True)))
        try:
            conn.execute(table.insert(), result)
        except (SQLAlchemyError, OverflowError, TypeError) as error:
            first = count - len(batch) + 1
            details = type(getattr(error, "orig", error)).__name__
            raise StoreError(f"lines {first} to {count} of the table {table.name} cannot be rows: {details}") from error
    number = next((column for column in table.primary_key if isinstance(column.type, sa.Integer)), None)
    if clean and number is not None and len(table.primary_key) == 1:
        sequence = sa.func.pg_get_serial_sequence(table.name, number.name)
        last = sa.select(sa.func.max(number)).scalar_subquery()
        conn.execute(sa.select(sa.func.setval(sequence, last)).where(sequence.is_not(None), last.is_not(None)))
    return count


def _tables(conn: Connection) -> dict[str, sa.Table]:
    """The record's tables as the database has them, each after those that it points to."""
    result = sa.MetaData()
    there = set(sa.inspect(conn).get_table_names())
    result.reflect(conn, only=sorted(there & set(metadata.tables)))  # a server's database may hold others too
    tables = {table.name: table for table in result.sorted_tables if table.name in metadata.tables}
    for table in tables.values():
        for column in table.columns:
            if isinstance(column.type, sa.JSON):
                column.type = sa.JSON(none_as_null=bool(column.nullable))
    return tables


def _sound(store: Store, conn: Connection) -> None:
    if conn.dialect.name != "sqlite":
        return
    sound = conn.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
    stray = conn.exec_driver_sql("PRAGMA foreign_key_check").first()
    if sound != "ok" or stray is not None:
        result = sound if sound != "ok" else f"a row of {stray[0]} points nowhere" if stray else ""
        raise StoreError(f"{store!r} is damaged ({result}): restore it from the newest backup")


def _schema_aside(store: Store, name: str) -> str:
    schema = f"botkit_{name}".replace("-", "_").lower()
    with store.write() as conn:
        others = conn.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).scalar_one()
        if others:
            raise StoreError(f"{store!r} is in use by {others} connections: stop the server first")
        conn.execute(sa.schema.CreateSchema(schema))
        there = set(sa.inspect(conn).get_table_names())
        for table in sorted(there & {"alembic_version", *metadata.tables}):
            conn.exec_driver_sql(f'ALTER TABLE "{table}" SET SCHEMA "{schema}"')
    return f"the schema {schema}"


def _file(store: Store) -> Path | None:
    named = store.url.database if store.url.get_backend_name() == "sqlite" else None
    return Path(named).absolute() if named else None
