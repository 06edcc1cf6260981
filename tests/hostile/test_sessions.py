"""Sign-ins at a real server with two workers: what ends them, who is kept out, and what the files give away."""

from __future__ import annotations

import http.client
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest
from desk_shop import PASSWORD
from served import Served

from botkit import accounts
from botkit.store import Store

GUESSER, OFFICE = "127.0.0.7", "127.0.0.8"
SHUT = (303, 401)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server and its database are."""
    return tmp_path_factory.mktemp("sessions")


@pytest.fixture(scope="module")
def server(index_folder: Path, folder: Path) -> Iterator[Served]:
    old = os.umask(0o022)  # the usual one: files are everybody's to read unless somebody sees to it
    try:
        with Served(folder, "serve", "--index", index_folder, "--workers", 2) as served:
            served.until(lambda: served.status("GET", "/readyz") == 200, "not ready")
            yield served
    finally:
        os.umask(old)


@pytest.fixture
def store(folder: Path, server: Served) -> Iterator[Store]:
    with closing(Store(f"sqlite:///{folder / 'botkit.db'}")) as opened:
        yield opened


def sign_in(server: Served, name: str, password: str = PASSWORD, source: str = OFFICE) -> tuple[int, dict[str, str]]:
    """The status, and the header of the session that it began."""
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20, source_address=(source, 0))
    form = urlencode({"name": name, "password": password})
    line.request("POST", "/desk/login", form, {"Content-Type": "application/x-www-form-urlencoded"})
    answer = line.getresponse()
    line.close()
    return answer.status, {
        "Cookie": "; ".join(each.partition(";")[0] for each in answer.headers.get_all("Set-Cookie", []))
    }


def shut_out(server: Served, **headers: str) -> bool:
    """Whether neither worker lets these in: each takes some of so many connections."""
    return all(server.status("GET", path, **headers) in SHUT for path in ("/desk", "/api/v1/desk/tickets") * 8)


def test_a_session_that_was_signed_out_of_opens_nothing_any_more(server: Served, store: Store) -> None:
    """Whoever has copied the cookie, or finds it in a backup of the browser."""
    accounts.add_agent(store, "Ali", "agent", PASSWORD)
    (first, kept), (second, other) = sign_in(server, "Ali"), sign_in(server, "Ali")
    assert (first, second) == (303, 303)
    assert server.status("GET", "/desk", **kept) == 200
    assert server.status("POST", "/desk/logout", **kept) == 303
    assert shut_out(server, **kept)
    assert server.status("GET", "/desk", **other) == 200


def test_guesses_at_many_names_keep_nobody_out_of_where_they_have_signed_in(server: Served, store: Store) -> None:
    """Not even from the guesser's own address, as in one office; and the guesser has to wait."""
    accounts.add_agent(store, "Mina", "agent", PASSWORD)
    assert sign_in(server, "Mina", source=GUESSER)[0] == 303
    statuses = [sign_in(server, f"nobody {number}", "guess", GUESSER)[0] for number in range(60)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert sign_in(server, "Mina", source=GUESSER)[0] == 303
    assert sign_in(server, "Mina", "wrong again", GUESSER)[0] in (401, 429)


def test_the_database_and_its_copies_forge_no_session_and_are_nobody_else_s_to_read(
    server: Served, folder: Path, store: Store
) -> None:
    accounts.add_agent(store, "Nur", "admin", PASSWORD)
    status, session = sign_in(server, "Nur")
    assert status == 303
    for file in folder.glob("botkit.db*"):
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
    with closing(sqlite3.connect(f"file:{folder / 'botkit.db'}?mode=ro", uri=True)) as copy:
        rows = "\n".join(copy.iterdump())
    assert PASSWORD not in rows
    opens = [each.partition("=")[2] for each in session["Cookie"].split("; ")]
    assert not any(part in rows for value in opens for part in value.split(".") if len(part) > 8)


def test_a_new_password_ends_sessions_and_tokens(server: Served, store: Store) -> None:
    accounts.add_agent(store, "Omid", "agent", PASSWORD)
    token = accounts.issue_token(store, "Omid")
    status, session = sign_in(server, "Omid")
    assert status == 303
    bearer = {"Authorization": f"Bearer {token}"}
    assert server.status("GET", "/api/v1/desk/tickets", **bearer) == 200
    accounts.set_password(store, "Omid", "another good password")
    assert shut_out(server, **session)
    assert server.status("GET", "/api/v1/desk/tickets", **bearer) == 401
