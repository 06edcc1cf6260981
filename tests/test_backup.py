"""Backups: whole while the server writes, checked to the last byte, restored to either database, over nothing."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import sqlite3
import stat
import sys
import threading
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from desk_shop import PASSWORD, handed_over, writes

from botkit import accounts, cli, desk, outbox
from botkit.cli import archive
from botkit.store import Store, conversation_table, dump, event_table, iso
from eval import serving

COMMAND = [sys.executable, "-c", "from botkit.cli import main; main()"]


def run(*arguments: object, fails: bool = False) -> Result:
    """A command in this process; a traceback fails the test."""
    result = CliRunner().invoke(cli.main, [str(each) for each in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert (result.exit_code != 0) is fails, result.output
    return result


@pytest.fixture
def shop(store: Store) -> Store:
    """A record with something in most of its tables."""
    outbox.kinds(store, ["webhook"])
    sara, nur = (accounts.add_agent(store, name, "supervisor", PASSWORD) for name in ("Sara", "Nur"))
    tickets = [handed_over(store, f"Nerede? کجاست {n} 🫖\n\t\"'", "tr", tags=["vip"]) for n in range(4)]
    for ticket in tickets[1:]:
        desk.claim(store, ticket, sara)
    desk.note(store, tickets[1], sara, "@Nur look")
    desk.say(store, tickets[1], sara, "c-1", "on its way")
    writes(store, tickets[1])
    desk.close(store, tickets[2], sara, "solved", None)
    desk.arrange(store, sara, "Nur", languages=["tr", "fa"], capacity=3)
    accounts.issue_token(store, "Nur")
    accounts.begin_factor(store, nur)
    starts = store.now() + timedelta(days=2)
    desk.plan_absence(store, sara, "Nur", starts, starts + timedelta(days=1), "Sara")
    return store


@pytest.fixture
def empty(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], str]:
    """The URL of a place for a record, on either database; the keys of one on a server lie in the test's own folder."""
    monkeypatch.chdir(tmp_path)

    def made(dialect: str) -> str:
        if dialect == "sqlite":
            return f"sqlite:///{tmp_path}/fresh/shop.db"
        url: str = request.getfixturevalue("postgresql").new()
        return url

    return made


def lines(url: str) -> dict[str, list[bytes]]:
    """The rows of every table."""
    with contextlib.closing(Store(url)) as store, dump.snapshot(store) as result:
        return {table: list(result.rows(table)) for table in result.columns}


def backed_up(store: Store, place: Path, *options: object) -> Path:
    run("backup", "--out", place, "--database", store.url.render_as_string(hide_password=False), *options)
    return place


# ---------------------------------------------------------------- under load


class Writers:
    """Customers who write through a real server, and know what it acknowledged."""

    def __init__(self, port: int, count: int = 3) -> None:
        self.port = port
        self.told: list[tuple[str, int, str]] = []
        self.tokens: dict[str, str] = {}
        self.changed = threading.Condition()
        self.over = False
        self.wrong: list[str] = []
        self.threads = [threading.Thread(target=self._write, args=(n,), daemon=True) for n in range(count)]

    def __enter__(self) -> Writers:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over = True
        for thread in self.threads:
            thread.join(60)

    def more(self, number: int = 25) -> list[tuple[str, int, str]]:
        """What is acknowledged, after so many more have been."""
        with self.changed:
            wanted = len(self.told) + number
            assert self.changed.wait_for(lambda: len(self.told) >= wanted or bool(self.wrong), 60), "nobody is answered"
            assert not self.wrong
            return list(self.told)

    def _write(self, who: int) -> None:
        api, count = serving.Api(self.port), 0
        while not self.over:
            status, result = api("POST", "/api/v1/conversations", {"lang": "en"})
            if status != 201:
                self.wrong.append(f"{status}: {result}")
                return
            path = f"/api/v1/conversations/{result['id']}"
            self.tokens[result["id"]] = result["token"]
            api("POST", f"{path}/handoff", {}, result["token"])
            for _ in range(10):
                count += 1
                text = f"{who}-{count} is my parcel late?"
                message = {"client_id": str(count), "text": text}
                status, answer = api("POST", f"{path}/messages", message, result["token"])
                with self.changed:
                    if status == 200:
                        self.told.append((result["id"], answer["message"]["seq"], text))
                    else:
                        self.wrong.append(f"{status}: {answer}")
                    self.changed.notify_all()
        api.close()


@contextlib.contextmanager
def served(url: str, index: Path, folder: Path) -> Iterator[int]:
    """A real server; its port."""
    port = serving.free_port()
    free = {"BOTKIT_RATE_PER_MINUTE": "0", "BOTKIT_CONVERSATIONS_PER_HOUR": "0"}
    options = ["serve", "--index", str(index), "--database", url, "--port", str(port), "--workers", "1"]
    with serving.started([*COMMAND, *options], port, "where is my order", free | {"TMPDIR": str(folder)}):
        yield port


def judged(url: str, told: list[tuple[str, int, str]]) -> None:
    """All that was acknowledged is there, under its number, and no conversation has a gap."""
    with contextlib.closing(Store(url)) as store, store.read() as conn:
        events = conn.execute(sa.select(event_table)).all()
        there = {(row.conversation_id, row.seq, row.data.get("text")) for row in events if row.kind == "message"}
        assert [each for each in told if each not in there] == []
        for row in conn.execute(sa.select(conversation_table)):
            seqs = sorted(event.seq for event in events if event.conversation_id == row.id)
            assert seqs == list(range(1, row.last_seq + 1))
        if conn.dialect.name == "sqlite":
            assert conn.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            assert conn.exec_driver_sql("PRAGMA foreign_key_check").all() == []


@pytest.mark.databases("sqlite", "postgresql")
def test_what_was_acknowledged_before_a_backup_began_is_in_it(
    database: str, dialect: str, empty: Callable[[str], str], index_folder: Path, tmp_path: Path
) -> None:
    """Of a real server, while customers write on; and the restored one goes on from there."""
    made: list[tuple[Path, list[tuple[str, int, str]]]] = []
    with served(database, index_folder, tmp_path) as port, Writers(port) as writers:
        for n in range(2):
            result = writers.more()
            made.append((backed_up(Store(database), tmp_path / f"{n}.zip"), result))
        writers.more(1)
    assert not writers.wrong
    for kind, (place, result) in zip(({"sqlite", "postgresql"} - {dialect}, {dialect}), made, strict=True):
        url = empty(*kind)
        run("restore", place, "--database", url, "--indexes", tmp_path / place.stem)
        judged(url, result)
    conversation, seq, text = result[-1]
    with served(url, index_folder, tmp_path) as port, contextlib.closing(serving.Api(port)) as api:
        events = f"/api/v1/conversations/{conversation}/events"
        status, answer = api("GET", events, token=writers.tokens[conversation])
        assert status == 200
        assert (seq, text) in [(each["seq"], each["data"].get("text")) for each in answer["events"]]


# ---------------------------------------------------------------- what comes back


@pytest.mark.databases("sqlite", "postgresql")
@pytest.mark.parametrize("to", ["sqlite", "postgresql"])
def test_every_row_comes_back_on_either_database(
    shop: Store, empty: Callable[[str], str], tmp_path: Path, to: str
) -> None:
    before = lines(shop.url.render_as_string())
    place = backed_up(shop, tmp_path / "a.zip")
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    url = empty(to)
    run("restore", place, "--database", url)
    after = lines(url)
    assert before.keys() == after.keys()
    assert {name for name, rows in before.items() if rows} >= {"ticket", "ticket_state", "mention", "absence", "seat"}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"agent", "audit"}  # everybody has to sign in again, and the log says so
    assert after["audit"][: len(before["audit"])] == before["audit"]
    with contextlib.closing(Store(url)) as store:
        store.migrate()
        ticket = handed_over(store)  # numbers go on where they were
        assert ticket == 5
        assert accounts.add_agent(store, "New", "agent", PASSWORD).id == 3


def test_second_factors_go_on_since_the_keys_come_too(shop: Store, tmp_path: Path) -> None:
    nur = next(agent for agent in accounts.agents(shop) if agent.name == "Nur")
    place = backed_up(shop, tmp_path / "a.zip")
    url = f"sqlite:///{tmp_path}/fresh/shop.db"
    run("restore", place, "--database", url)
    assert (tmp_path / "fresh" / "shop.keys").stat().st_mode & 0o777 == 0o600
    with contextlib.closing(Store(url)) as store:
        assert accounts.pending_factor(store, nur) == accounts.pending_factor(shop, nur) is not None


def test_everybody_has_to_sign_in_again_and_customers_go_on(shop: Store, tmp_path: Path) -> None:
    stamps = {agent.name: agent.stamp for agent in accounts.agents(shop)}
    place = backed_up(shop, tmp_path / "a.zip")
    url = f"sqlite:///{tmp_path}/fresh/shop.db"
    run("restore", place, "--database", url)
    with contextlib.closing(Store(url)) as store:
        assert all(agent.stamp != stamps[agent.name] for agent in accounts.agents(store))
        assert accounts.sign_in(store, "Sara", PASSWORD, "127.0.0.1").name == "Sara"
        result = [line.action for line in accounts.audited(store, limit=3)]
        assert result == ["sign_in", "account.sessions_ended", "account.sessions_ended"]


def test_keys_that_are_kept_elsewhere_are_asked_for(shop: Store, tmp_path: Path) -> None:
    place = backed_up(shop, tmp_path / "a.zip", "--without-keys")
    result = run("restore", place, "--database", f"sqlite:///{tmp_path}/fresh/shop.db").output
    assert f"Put its key file at {tmp_path}/fresh/shop.keys" in result
    assert not (tmp_path / "fresh/shop.keys").exists()


@pytest.mark.databases("sqlite", "postgresql")
def test_a_record_of_an_older_release_is_backed_up_as_it_is_and_restored_to_this_one(
    no_tables: str, empty: Callable[[str], str], dialect: str, tmp_path: Path
) -> None:
    with contextlib.closing(Store(no_tables)) as store:
        store.migrate("0001")
        with store.write() as conn:
            result = {"at": iso(store.now()), "data": '{"text": "hello"}'}
            conn.execute(sa.text("INSERT INTO conversation VALUES ('c1', 'x', 'en', '/', :at, :at, 1)"), result)
            conn.execute(sa.text("INSERT INTO event VALUES ('c1', 1, 'message', :at, 'customer', NULL, :data)"), result)
        place = backed_up(store, tmp_path / "a.zip")
        with store.read() as conn:
            assert conn.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() == "0001"
    url = empty(dialect)
    run("restore", place, "--database", url)
    with contextlib.closing(Store(url)) as store, store.read() as conn:
        assert [event.stored for event in store.events(conn, "c1")] == [{"text": "hello"}]
        (row,) = conn.execute(sa.select(conversation_table)).all()
        assert row.tags == []


def test_the_index_and_the_settings_come_back_and_serve(
    shop: Store, index_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    monkeypatch.chdir(old)
    (old / "botkit.toml").write_text(f'index = "{index_folder}"\nport = 8123\n')
    place = backed_up(shop, tmp_path / "a.zip")
    monkeypatch.chdir(new)
    result = run("restore", place).output
    assert "change it" in result
    assert (new / "botkit.toml").read_bytes() == (old / "botkit.toml").read_bytes()
    assert (new / "botkit.db").exists()
    version = (index_folder / "CURRENT").read_text().strip()
    assert (new / "indexes/tiny/CURRENT").read_text().strip() == version
    answer = run("ask", "where is my order", "--index", "indexes/tiny")
    assert "answer" in answer.output or "clarify" in answer.output


# ---------------------------------------------------------------- never over anything


@pytest.mark.databases("sqlite", "postgresql")
def test_a_place_that_is_taken_is_refused_and_kept_aside_when_forced(
    shop: Store, dialect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = shop.url.render_as_string()
    place = backed_up(shop, tmp_path / "a.zip")
    handed_over(shop)
    before = lines(url)
    assert "has a record already" in run("restore", place, "--database", url, fails=True).output
    result = run("restore", place, "--database", url, "--force", fails=True).output
    assert "in use" in result
    assert lines(url) == before
    shop.close()
    result = run("restore", place, "--database", url, "--force").output
    assert len(lines(url)["ticket"]) == 4
    kept = result.partition("what was there is kept: ")[2].split("\n")[0]
    if dialect == "sqlite":
        assert len(lines(f"sqlite:///{kept}")["ticket"]) == 5
    else:
        with shop.read() as conn:
            name = kept.removeprefix("the schema ")
            assert conn.exec_driver_sql(f"SELECT count(*) FROM {name}.ticket").scalar() == 5


def test_files_that_are_there_are_refused_and_kept_aside_when_forced(
    shop: Store, index_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "botkit.toml").write_text("port = 8001\n")
    place = backed_up(shop, tmp_path / "a.zip", "--index", index_folder)
    (tmp_path / "botkit.toml").write_text("port = 8002\n")
    (tmp_path / "indexes/tiny").mkdir(parents=True)
    (tmp_path / "indexes/tiny/mine").write_text("x")
    url = f"sqlite:///{tmp_path}/fresh/shop.db"
    result = run("restore", place, "--database", url, fails=True).output
    assert "indexes/tiny is there already; botkit.toml is there already" in result
    assert not (tmp_path / "fresh").exists()
    run("restore", place, "--database", url, "--force")
    assert (tmp_path / "botkit.toml").read_text() == "port = 8001\n"
    assert [each.read_text() for each in tmp_path.glob("botkit.toml.before-*")] == ["port = 8002\n"]
    assert [each.read_text() for each in tmp_path.glob("indexes/tiny.before-*/mine")] == ["x"]


def test_an_archive_is_never_written_over_another(shop: Store, tmp_path: Path) -> None:
    place = backed_up(shop, tmp_path / "a.zip")
    before = place.read_bytes()
    result = run("backup", "--out", place, "--database", shop.url.render_as_string(), fails=True).output
    assert "there already" in result
    assert place.read_bytes() == before


def test_a_backup_that_fails_leaves_nothing_and_says_why(shop: Store, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/none.db"
    assert "has no record" in run("backup", "--out", tmp_path / "out/a.zip", "--database", url, fails=True).output
    (tmp_path / "file").write_text("")
    url = shop.url.render_as_string()
    result = run("backup", "--out", tmp_path / "file/a.zip", "--database", url, fails=True).output
    assert "cannot be written" in result
    result = run(
        "backup", "--out", tmp_path / "b.zip", "--index", tmp_path / "no", "--database", shop.url.render_as_string(),
        fails=True,
    ).output  # fmt: skip
    assert "left out: no index" in result
    run("restore", tmp_path / "b.zip", "--check")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_damaged_record_is_not_backed_up(shop: Store, tmp_path: Path) -> None:
    shop.close()
    with contextlib.closing(sqlite3.connect(str(shop.url.database))) as raw:
        raw.execute("PRAGMA foreign_keys=OFF")
        raw.execute("DELETE FROM conversation")
        raw.commit()
    result = run("backup", "--out", tmp_path / "a.zip", "--database", shop.url.render_as_string(), fails=True).output
    assert "is damaged" in result
    assert not (tmp_path / "a.zip").exists()


def test_the_newest_good_ones_are_kept(shop: Store, tmp_path: Path) -> None:
    folder = tmp_path / "nightly"
    folder.mkdir()
    good = backed_up(shop, tmp_path / "a.zip").read_bytes()
    names = [f"botkit-2026010{n}T030000Z.zip" for n in range(1, 6)]
    for name in names:
        (folder / name).write_bytes(good)
    (folder / names[3]).write_bytes(good[:-40])
    (folder / "mine.zip").write_bytes(good)
    result = run(
        "backup", "--out-dir", folder, "--keep", 3, "--database", shop.url.render_as_string()
    ).output
    assert f"{names[3]}: not a whole archive" in result
    left = sorted(each.name for each in folder.iterdir())
    assert left[:3] == names[2:5]  # two good ones and the one that is told of, which counts for nothing
    assert left[-1] == "mine.zip"
    assert len(left) == 5


# ---------------------------------------------------------------- archives that are not what they were


def test_any_byte_that_is_not_what_it_was_is_noticed(shop: Store, tmp_path: Path) -> None:
    place = backed_up(shop, tmp_path / "a.zip")
    whole = place.read_bytes()
    with archive.opened(place) as result:
        content = {name: b"".join(result.pieces(name)) for name in result.members}
    harmed, refused = tmp_path / "harmed.zip", 0
    for at in range(0, len(whole), 23):
        harmed.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            with archive.opened(harmed) as result:
                read = {name: b"".join(result.pieces(name)) for name in result.members}
        except archive.ArchiveProblem:
            refused += 1
        else:
            assert read == content  # it was a time or a mark that nobody reads
    assert refused > len(whole) / 23 / 2
    for size in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        harmed.write_bytes(whole[:size])
        assert "whole archive" in run("restore", harmed, "--check", fails=True).output


def test_a_damaged_member_is_named(shop: Store, tmp_path: Path) -> None:
    place = backed_up(shop, tmp_path / "a.zip")
    with zipfile.ZipFile(place) as file:
        at = file.getinfo("database/event.jsonl").header_offset + 80
    data = bytearray(place.read_bytes())
    data[at] ^= 0xFF
    place.write_bytes(bytes(data))
    url = f"sqlite:///{tmp_path}/fresh/shop.db"
    for result in (run("restore", place, "--check", fails=True), run("restore", place, "--database", url, fails=True)):
        assert "the member `database/event.jsonl` is damaged" in result.output
    assert not (tmp_path / "fresh").exists()


def rewritten(place: Path, change: Callable[[dict[str, Any], dict[str, bytes]], Mapping[str, bytes] | None]) -> Path:
    """An archive as somebody else would make it: `change` alters the manifest and the members, and returns members to
    write beside those of the manifest."""
    with archive.opened(place) as result:
        members = {name: b"".join(result.pieces(name)) for name in result.members}
        manifest = json.loads(json.dumps(result.facts))
    extra = change(manifest, members) or {}
    out = place.with_name("rewritten.zip")
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of two members of one name
        for name, content in [*members.items(), *extra.items()]:
            file.writestr(name, content)
        file.writestr(archive.MANIFEST, json.dumps(manifest))
    return out


def told_of(name: str, content: bytes) -> dict[str, Any]:
    return {name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}}


def test_what_is_not_of_the_manifest_is_refused(shop: Store, index_folder: Path, tmp_path: Path) -> None:
    place = backed_up(shop, tmp_path / "a.zip", "--index", index_folder)

    def member(name: str) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
        def change(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
            members[name] = b"x"
            manifest["members"] |= told_of(name, b"x")

        return change

    def replaced(name: str, content: bytes) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
        def change(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
            members[name] = content
            manifest["members"] |= told_of(name, content)
            manifest["counts"]["conversation"] = content.count(b"\n")

        return change

    def fact(**values: Any) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
        return lambda manifest, members: manifest.update(values)

    def bomb(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        members["database/event.jsonl"] = b"[]\n" * 10_000_000

    def huge(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        manifest["members"]["botkit.toml"] = {"bytes": 10**16, "sha256": "0" * 64}
        members["botkit.toml"] = b"\0" * 10

    conversation = "database/conversation.jsonl"
    cases: list[tuple[Callable[..., Any], str]] = [
        (member("../outside"), "`manifest.json` is damaged"),
        (member("/etc/outside"), "`manifest.json` is damaged"),
        (member("indexes/../../outside"), "`manifest.json` is damaged"),
        (member("indexes/.hidden"), "`manifest.json` is damaged"),
        (member("a\\b"), "`manifest.json` is damaged"),
        (member("attachments/one.png"), "does not know what to do with `attachments/one.png`"),
        (lambda manifest, members: {"stowaway": b"x"}, "`stowaway` is not in the manifest"),
        (lambda manifest, members: {conversation: b""}, "two members of one name"),
        (lambda manifest, members: members.pop(conversation) and None, f"`{conversation}` is missing"),
        (bomb, "`database/event.jsonl` is damaged"),
        (huge, "is damaged"),
        (replaced(conversation, b"x" * 100), f"`{conversation}` ends within a line"),
        (fact(counts={}), "the manifest is not of a backup"),
        (fact(format=2), "format 2 is not 1"),
        (fact(format=None), "format None is not 1"),
        (fact(members=[]), "`manifest.json` is damaged"),
        (fact(schema="9999"), "made by a newer botkit"),
        (fact(schema=7), "the manifest is not of a backup"),
        (fact(columns={}), "the manifest is not of a backup"),
        (fact(counts=[]), "the manifest is not of a backup"),
        (fact(indexes={"../outside": "x"}), "the manifest is not of a backup"),
        (fact(indexes={}), "does not know what to do with `indexes/tiny/"),
    ]
    url = f"sqlite:///{tmp_path}/fresh/shop.db"
    for change, reason in cases:
        harmed = rewritten(place, change)
        result = run("restore", harmed, "--database", url, "--indexes", tmp_path / "indexes", fails=True).output
        assert reason in result, result
        assert not (tmp_path / "fresh").exists()
        assert not (tmp_path / "indexes").exists()
    rows: list[tuple[bytes, str]] = [
        (b"{}\n", "invalid row: line 1 of the table conversation"),
        (b"[1]\n", "invalid row: line 1 of the table conversation"),
        (b"[" * 100_000 + b"\n", "invalid row: line 1 of the table conversation"),
        (b"[" + b"null," * 9 + b"null]\n", "lines 1 to 1 of the table conversation cannot be rows"),
        (b'["c", "x", "en", "/", [], "t", "t", ' + b"9" * 40 + b", null, null]\n", "cannot be rows"),
    ]
    for content, reason in rows:
        harmed = rewritten(place, replaced(conversation, content))
        result = run("restore", harmed, "--database", url, "--indexes", tmp_path / "indexes", fails=True).output
        assert reason in result, result
        assert list((tmp_path / "fresh").iterdir()) == []


def test_what_the_disk_has_no_room_for_is_refused(
    shop: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = backed_up(shop, tmp_path / "a.zip")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=9))
    result = run("restore", place, "--database", f"sqlite:///{tmp_path}/fresh/shop.db", fails=True).output
    assert "Make room" in result


def test_a_link_and_a_folder_in_an_archive_are_refused(shop: Store, tmp_path: Path) -> None:
    place = backed_up(shop, tmp_path / "a.zip")
    for mode in (stat.S_IFLNK | 0o777, stat.S_IFDIR | 0o755):
        out = tmp_path / "linked.zip"
        with zipfile.ZipFile(place) as old, zipfile.ZipFile(out, "w") as new:
            for info in old.infolist():
                content = old.read(info)
                if info.filename == "database/guess.jsonl":
                    info.external_attr = mode << 16
                    info.filename += "/" if stat.S_ISDIR(mode) else ""
                new.writestr(info, content)
        assert "is a link, a folder" in run("restore", out, "--check", fails=True).output


def test_a_check_reads_all_and_changes_nothing(shop: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = backed_up(shop, tmp_path / "a.zip")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    result = run("restore", place, "--check").output
    assert "4 conversations" in result
    assert result.strip().endswith("whole")
    assert list(elsewhere.iterdir()) == []
    assert "cannot be read" in run("restore", tmp_path / "none.zip", "--check", fails=True).output
