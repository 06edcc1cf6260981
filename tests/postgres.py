"""A PostgreSQL server of the tests' own: in a folder of its own, reached by a socket in it alone, gone at the end."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

FASTER = "fsync=off synchronous_commit=off full_page_writes=off autovacuum=off shared_buffers=32MB max_connections=300"
"""What is kept when the power fails is no question here."""


def programs() -> Path | None:
    """The folder of PostgreSQL's programs: the one in BOTKIT_POSTGRESQL, that on the path, or Debian's newest."""
    named, result = os.environ.get("BOTKIT_POSTGRESQL"), shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    folders = [Path(named)] if named else [*([Path(result).parent] if result else []), *reversed(debian)]
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


# Waits until nobody holds the other end of its input, which is also so when the tests were killed.
_AFTERWARDS = 'cat >/dev/null; "$0" stop --pgdata=data --mode=immediate --wait; rm -rf "$PWD"'


class Server:
    """A running server; `stop` ends it and leaves nothing behind."""

    def __init__(self, programs: Path) -> None:
        self._programs, self._made = programs, 0
        self._folder = Path(tempfile.mkdtemp(prefix="botkit-pg-"))  # a socket's address must be short
        self._owner = _unprivileged() if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
        if self._owner:
            os.chown(self._folder, self._owner.pw_uid, self._owner.pw_gid)
        try:
            trusting = ("--username=botkit", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
            self._run("initdb", "--pgdata=data", *trusting)
            self._start()
        except subprocess.CalledProcessError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise RuntimeError(f"PostgreSQL does not start: {error.stdout}{error.stderr}") from error
        command = ["sh", "-c", _AFTERWARDS, str(programs / "pg_ctl")]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
        self._watcher = subprocess.Popen(command, cwd=self._folder, stdin=subprocess.PIPE, **quiet, **self._as())

    def new(self, template: str = "template0") -> str:
        """The URL of a new database, empty or with what another one has."""
        self._made += 1
        name = f"test_{self._made}"
        self._say(f"CREATE DATABASE {name} TEMPLATE {_name(template)}")
        return f"postgresql+psycopg://botkit@/{name}?host={self._folder}"

    def drop(self, url: str) -> None:
        """Remove a database, whoever may still be connected to it."""
        self._say(f"DROP DATABASE {_name(url)} WITH (FORCE)")

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Stopped, its clients cut off, for as long as the block."""
        self._run("pg_ctl", "stop", "--pgdata=data", "--mode=fast", "--wait")
        try:
            yield
        finally:
            self._start()

    def stop(self) -> None:
        assert self._watcher.stdin is not None
        self._watcher.stdin.close()
        self._watcher.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        options = [f"-c {each}" for each in FASTER.split()] + ["-c listen_addresses=", f"-k {self._folder}"]
        self._run("pg_ctl", "start", "--pgdata=data", "--wait", "--log=log", "--options=" + " ".join(options))

    def _say(self, statement: str) -> None:
        with psycopg.connect(host=str(self._folder), user="botkit", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._programs / program, *arguments]
        subprocess.run(command, cwd=self._folder, check=True, capture_output=True, text=True, **self._as())

    def _as(self) -> dict[str, Any]:
        """As whom its programs run."""
        return {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []} if self._owner else {}


def _name(url: str) -> str:
    """The database's name in its URL."""
    return url.partition("?")[0].rpartition("/")[2]


def _unprivileged() -> pwd.struct_passwd:
    known = {each.pw_name: each for each in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]
