"""The keys beside the database: made once, private, needed, replaced; and nothing of them in the database itself."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from moving import Clock

from botkit import accounts
from botkit.accounts import Agent
from botkit.accounts.accounts import sha256
from botkit.accounts.passwords import hashed
from botkit.cli import main
from botkit.store import KeysError, Store, guess_table, key_file, second_factor_table, secret_table

GOOD = "copper pan and cezve"
HERE = "192.0.2.1"
both = pytest.mark.databases("sqlite", "postgresql")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mina(store: Store) -> Agent:
    return accounts.add_agent(store, "Mina", "admin", GOOD)


def switched_on(store: Store, clock: Clock, agent: Agent) -> tuple[Agent, pyotp.TOTP]:
    phone = pyotp.TOTP(accounts.begin_factor(store, agent))
    assert accounts.confirm_factor(store, agent, phone.at(clock.now))
    clock.forward(30)
    result = accounts.agent(store, agent.id)
    assert result is not None
    return result, phone


@pytest.fixture
def again(store: Store, clock: Clock) -> Iterator[Callable[[], Store]]:
    """The same database, as another process opens it."""
    opened: list[Store] = []

    def come() -> Store:
        url = store.url.render_as_string(hide_password=False)
        opened.append(Store(url, clock, keys=store.key_file.path))
        return opened[-1]

    yield come
    for each in opened:
        each.close()


# ---------------------------------------------------------------- the file


@both
def test_the_file_is_made_once_by_whoever_comes_first_and_is_private(database: str, tmp_path: Path) -> None:
    code = """
import os, sys
from botkit.store import Store
os.umask(0)
print(Store(sys.argv[1], keys=sys.argv[2]).keys.current.id)
"""
    file = tmp_path / "somewhere.keys"
    command = [sys.executable, "-c", code, database, str(file)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    ids = {process.communicate()[0].strip() for process in started}
    store = Store(database, keys=file)
    assert ids == {store.keys.current.id}
    store.close()
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.glob(".*keys*")] == []


@pytest.mark.parametrize(
    ("database", "keys", "where"),
    [
        ("sqlite:////var/lib/botkit/desk.db", "", "/var/lib/botkit/desk.keys"),
        ("sqlite:////var/lib/botkit/desk.db", "/etc/botkit.keys", "/etc/botkit.keys"),
        ("postgresql+psycopg://botkit@localhost/botkit", "", f"{os.getcwd()}/botkit.keys"),
    ],
)
def test_the_file_is_found_from_the_settings_alone(database: str, keys: str, where: str) -> None:
    assert str(key_file(database, keys)) == where


@pytest.mark.parametrize("umask", [0, 0o077])
def test_the_database_s_files_are_their_owner_s_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    code = """
import os, sys
from botkit import accounts
from botkit.store import Store
os.umask(int(sys.argv[2]))
store = Store(f"sqlite:///{sys.argv[1]}/botkit.db")
store.migrate()
accounts.add_agent(store, "Mina", "admin", "copper pan and cezve")
store.keys
print({name: oct(os.stat(f"{sys.argv[1]}/{name}").st_mode & 0o777) for name in sorted(os.listdir(sys.argv[1]))})
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path), str(umask)], capture_output=True, text=True)
    names = ("botkit.db", "botkit.db-shm", "botkit.db-wal", "botkit.db.lock", "botkit.keys")
    assert done.stdout.strip() == str(dict.fromkeys(names, "0o600")), done.stderr


def test_looser_files_are_tightened_with_a_word_in_the_log(
    store: Store, clock: Clock, caplog: pytest.LogCaptureFixture, again: Callable[[], Store]
) -> None:
    file = Path(str(store.url.database))
    assert store.keys
    for path in (file, store.key_file.path):
        path.chmod(0o664)
    with caplog.at_level(logging.WARNING, "botkit.store"):
        other = again()
        other.migrate()
        assert other.keys
    for path in (file, store.key_file.path):
        assert path.stat().st_mode & 0o777 == 0o600
        assert f"{path} could be read by others (664)" in caplog.text


# ---------------------------------------------------------------- what is in it, and in the database


@both
def test_a_copy_of_the_database_opens_no_second_factor(
    store: Store, clock: Clock, mina: Agent, again: Callable[[], Store]
) -> None:
    mina, phone = switched_on(store, clock, mina)
    with store.read() as conn:
        kept = repr([conn.execute(sa.select(table)).all() for table in (second_factor_table, secret_table)])
    assert phone.secret not in kept
    key = json.loads(store.key_file.path.read_text())["keys"][0]["key"]
    assert key not in kept
    assert accounts.sign_in_with_code(again(), mina, phone.at(clock.now), HERE)


@both
def test_a_second_factor_that_was_moved_to_another_account_opens_nothing(
    store: Store, clock: Clock, mina: Agent
) -> None:
    mina, phone = switched_on(store, clock, mina)
    nima = accounts.add_agent(store, "Nima", "agent", GOOD)
    with store.write() as conn:
        conn.execute(second_factor_table.update().values(agent_id=nima.id))
    moved = accounts.agent(store, nima.id)
    assert moved is not None
    with pytest.raises(KeysError, match="from another account"):
        accounts.sign_in_with_code(store, moved, phone.at(clock.now), HERE)


@both
def test_a_missing_file_is_told_with_the_cure_and_comes_back_from_a_backup(
    store: Store, clock: Clock, mina: Agent, again: Callable[[], Store]
) -> None:
    mina, phone = switched_on(store, clock, mina)
    backup = store.key_file.path.rename(store.key_file.path.with_suffix(".saved"))
    other = again()
    other.migrate()  # what needs no keys goes on
    with pytest.raises(KeysError, match=r"botkit\.keys is not there.*restore it from the backup, or run `botkit keys"):
        accounts.sign_in(other, "Mina", GOOD, HERE)
    assert not store.key_file.path.exists()
    shutil.copy(backup, store.key_file.path)
    assert accounts.sign_in_with_code(other, mina, phone.at(clock.now), HERE)


@both
@pytest.mark.parametrize("text", [None, b"", b"{}", b'{"keys": []}', b'{"keys": [{"key": "AAAA"}]}', b"\xff\x00"])
def test_a_wrong_or_damaged_file_is_told_and_can_be_replaced_at_the_price_of_second_factors(
    store: Store, clock: Clock, mina: Agent, tmp_path: Path, text: bytes | None, again: Callable[[], Store]
) -> None:
    mina, _ = switched_on(store, clock, mina)
    if text is None:  # another shop's
        code = "import sys; from botkit.store import Store; s = Store(sys.argv[1]); s.migrate(); s.keys"
        subprocess.run([sys.executable, "-c", code, f"sqlite:///{tmp_path}/other.db"], check=True)
        text = (tmp_path / "other.keys").read_bytes()
    store.key_file.path.write_bytes(text)
    other = again()
    with pytest.raises(KeysError, match="botkit keys reset"):
        accounts.sign_in(other, "Mina", GOOD, HERE)
    assert accounts.reset_keys(other) == 1
    result = accounts.sign_in(other, "Mina", GOOD, HERE)
    assert result is not None
    assert not result.second_factor
    assert accounts.audited(other, action="keys.reset")[0].detail == {"factors": 1}


@both
def test_keys_are_replaced_while_another_process_goes_on(
    store: Store, clock: Clock, mina: Agent, again: Callable[[], Store]
) -> None:
    mina, phone = switched_on(store, clock, mina)
    server, old = again(), store.keys.current
    assert server.keys.current == old
    signed = server.keys.sign("mail", {"ticket": 7})
    assert accounts.rotate_keys(store, timedelta(hours=12)) == 1
    assert server.keys.current != old
    assert accounts.sign_in_with_code(server, mina, phone.at(clock.now), HERE)
    assert server.keys.signed("mail", signed, timedelta(days=1)) == {"ticket": 7}
    clock.forward(12 * 3600)
    assert [key.id for key in server.keys.keys] == [store.keys.current.id]
    assert server.keys.signed("mail", signed, timedelta(days=1)) is None
    assert accounts.sign_in_with_code(server, mina, phone.at(clock.now), HERE)
    assert accounts.rotate_keys(store, timedelta(hours=12)) == 1
    assert len(json.loads(store.key_file.path.read_text())["keys"]) == 2  # the first is gone from the file too
    assert len(accounts.audited(store, action="keys.rotated")) == 2


@both
def test_a_rotation_that_fails_in_the_middle_loses_nothing(
    store: Store, clock: Clock, mina: Agent, again: Callable[[], Store]
) -> None:
    mina, phone = switched_on(store, clock, mina)
    with store.write() as conn:
        conn.execute(second_factor_table.update().values(secret="damaged"))
        sealed = store.keys.encrypt("second factor", f"{mina.id}:{phone.secret}")
    with pytest.raises(KeysError):
        accounts.rotate_keys(store, timedelta(0))
    with store.write() as conn:
        conn.execute(second_factor_table.update().values(secret=sealed))
    assert accounts.sign_in_with_code(again(), mina, phone.at(clock.now), HERE)


def test_keys_are_read_while_the_database_is_away(store: Store, clock: Clock, postgresql_url_of_nothing: str) -> None:
    made = store.keys
    assert Store(postgresql_url_of_nothing, clock, keys=store.key_file.path).keys == made


@pytest.fixture
def postgresql_url_of_nothing() -> str:
    return "postgresql+psycopg://nobody@127.0.0.1:23998/nothing?connect_timeout=2"


def test_what_is_signed_is_for_one_purpose_and_a_time_and_cannot_be_changed(store: Store) -> None:
    signed = store.keys.sign("mail", ["a", 1])
    assert store.keys.signed("mail", signed, timedelta(minutes=1)) == ["a", 1]
    assert store.keys.signed("other", signed, timedelta(minutes=1)) is None
    assert store.keys.signed("mail", signed, timedelta(seconds=-1)) is None
    for text in (signed[:-2], f"x{signed}", "", "a.b.c", "\x00"):
        assert store.keys.signed("mail", text, timedelta(minutes=1)) is None


# ---------------------------------------------------------------- a database of the release before


SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def before(no_tables: str, clock: Clock, tmp_path: Path) -> Iterator[Store]:
    """A database whose secrets lie in it: Mina has a second factor and a token."""
    store = Store(no_tables, clock, keys=tmp_path / "botkit.keys")
    store.migrate("0006")
    at = "2026-11-20T12:00:00.000Z"
    with store.write() as conn:
        for text in (
            "INSERT INTO agent (name, key, role, password_hash, stamp, added_at) "
            f"VALUES ('Mina', 'mina', 'admin', '{hashed(GOOD)}', 1, '{at}')",
            f"INSERT INTO second_factor VALUES (1, '{SECRET}', '{at}', '{at}', 0)",
            f"INSERT INTO agent_token VALUES ('{sha256('bk_old')}', 1, '{at}')",
            f"INSERT INTO secret VALUES ('session', 'the key of the cookies', '{at}'), ('guesses', 'another', '{at}')",
            f"INSERT INTO guess VALUES ('x', 'y', 5.0, '{at}', '{at}', NULL)",
        ):
            conn.exec_driver_sql(text)
    yield store
    store.close()


@both
def test_a_database_of_the_release_before_goes_on_and_its_secrets_move_out(before: Store, clock: Clock) -> None:
    before.migrate()
    result = accounts.sign_in(before, "Mina", GOOD, HERE)
    assert result is not None
    assert result.second_factor
    assert accounts.sign_in_with_code(before, result, pyotp.TOTP(SECRET).at(clock.now), HERE)
    assert accounts.agent_by_token(before, "bk_old") == result
    with before.read() as conn:
        assert [row.name for row in conn.execute(sa.select(secret_table))] == ["keys"]
        assert SECRET not in repr(conn.execute(sa.select(second_factor_table)).all())
        assert "x" not in [row.who for row in conn.execute(sa.select(guess_table))]
    before.migrate()
    assert before.keys.ids


def test_nothing_of_them_is_left_in_the_file(before: Store) -> None:
    """Neither in its free pages nor in its log."""
    file = Path(str(before.url.database))
    assert SECRET.encode() in file.read_bytes() + Path(f"{file}-wal").read_bytes()
    before.migrate()
    left = file.read_bytes() + Path(f"{file}-wal").read_bytes()
    assert SECRET.encode() not in left
    assert b"the key of the cookies" not in left


# ---------------------------------------------------------------- the command line


def test_the_commands_replace_keys_and_reset_what_is_lost(store: Store, clock: Clock, mina: Agent) -> None:
    switched_on(store, clock, mina)
    url = f"sqlite:///{store.url.database}"
    command = CliRunner(env={"BOTKIT_KEYS": str(store.key_file.path)})
    done = command.invoke(main, ["keys", "rotate", "--database", url])
    assert (done.exit_code, "1 second factors are encrypted with it" in done.output) == (0, True)
    store.key_file.path.unlink()
    lost = command.invoke(main, ["user", "unlock", "Mina", "--database", url])
    assert lost.exit_code == 1
    assert "restore it from the backup" in lost.output
    assert command.invoke(main, ["keys", "reset", "--database", url], input="n\n").exit_code == 1
    done = command.invoke(main, ["keys", "reset", "--yes", "--database", url])
    assert (done.exit_code, "1 second factors are switched off" in done.output) == (0, True)
    assert command.invoke(main, ["user", "unlock", "Mina", "--database", url]).exit_code == 0


@pytest.mark.parametrize("command", [["report"], ["labels"], ["outbox", "list"], ["user", "list"]])
def test_every_command_takes_the_keys_that_the_settings_name(before: Store, tmp_path: Path, command: list[str]) -> None:
    """The first to open an older database moves its secrets: to the file that the server will read them with."""
    named, url = tmp_path / "named.keys", f"sqlite:///{before.url.database}"
    done = CliRunner(env={"BOTKIT_KEYS": str(named)}).invoke(main, [*command, "--database", url])
    assert done.exit_code == 0, done.output
    assert named.exists()
    assert not key_file(url, "").exists()
