"""Whatever lies on the disk or is typed: a finding with file and line, or a message, and never a traceback."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st
from small import FRUIT, article, write

from botkit import cli, corpus
from botkit.corpus import Finding, files
from botkit.corpus.frontmatter import front_matter, parts_of
from botkit.corpus.model import Bad

DEEP = "[" * 5000 + "]" * 5000


def checked(folder: Path) -> list[Finding]:
    """The findings of a corpus, all of them fit to be printed."""
    _, result = corpus.check(folder)
    for each in result:
        str(each).encode("utf-8")
        assert each.line >= 1
    corpus.digest(folder)
    return result


def said(folder: Path, file: str) -> list[str]:
    """What is said of one file."""
    return [f"{each.line}: {each.message}" for each in checked(folder) if each.file.endswith(file)]


HEADS = {
    "base 60 without end": "questions: [1:59:59" + ":59" * 5000 + "]",
    "a number without end": f"title: {'9' * 90_000}",
    "a number in hexadecimal": f"questions: [0x{'f' * 5000}]",
    "no numbers": "title: .inf\nquestions: [.nan, -.inf, 1e999, 1_000, 0o17, 0b1, +1]",
    "no days": "updated: 2026-02-30",
    "a day with a time": "updated: 2026-02-03 10:00:00 +99:99",
    "a day of another calendar": "updated: ١٤٠٥-٠٢-٠٣",
    "the last day": "valid_from: 9999-12-31",
    "a day in a list": "valid_from: [2026-01-01]",
    "no text": "title: {a: b}",
    "no list": "questions: {a: b}",
    "a list in a list": "questions: [[a]]",
    "nested": "questions: " + DEEP,
    "nested mappings": "questions: " + "{a: " * 5000 + "}" * 5000,
    "nested by indentation": "\n".join(" " * n + "a:" for n in range(300)),
    "bomb": "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]",
    "itself": "a: &a [*a]",
    "twice": "tags: [a]\ntags: [b]",
    "a list as a key": "? [a, b]\n: x",
    "a mapping as a key": "? {a: b}\n: x",
    "merged": "<<: {tags: [a]}",
    "a tag": "tags: !!python/object/apply:os.system [x]",
    "another tag": "tags: !!binary aGk=",
    "two documents": "tags: [a]\n--- \ntags: [b]",
    "a directive": "%YAML 9.9",
    "tabs": "tags:\n\t- a",
    "control characters": "tags: [\x01\x1b[31m]",
    "surrogates, escaped": 'tags: ["\\ud800"]',
    "NUL, escaped": 'title: "\\0"',
    "a category that is none": "category: [a, b]",
    "nothing": "category:\nquestions:\nupdated:",
    "reserved": "tags: @x",
    "unclosed": 'tags: "x',
    "lines of another kind": "tags: [a]\u2028title: x\u0085",
}


@pytest.mark.parametrize("case", HEADS)
def test_odd_front_matter_gives_findings_of_its_lines(case: str, tmp_path: Path) -> None:
    value = HEADS[case] if "title:" in HEADS[case] else f"title: x\n{HEADS[case]}"
    write(tmp_path, {**FRUIT, "en/odd.md": f"---\n{value}\n---\nA text.\n"})
    write(tmp_path, {"replies/en/odd.md": f"---\nshortcut: /odd\n{value}\n---\nA text.\n"})
    lines = value.count("\n") + 5
    for file in ("en/odd.md", "replies/en/odd.md"):
        for each in said(tmp_path, file):
            assert 1 <= int(each.partition(":")[0]) <= lines


def test_a_value_is_the_text_that_stands_there(tmp_path: Path) -> None:
    """No editor means a number in base 60, or a truth, by what customers ask."""
    head = "title: 1.10\nquestions: [1:59:59, 007, yes, no, on, 2026-02-03, 0x1f, '12']\nupdated: 2026-2-3"
    write(tmp_path, {"en/a.md": f"---\n{head}\n---\nA text.\n"})
    result = corpus.load(tmp_path).articles[0]
    assert result.title == "1.10"
    assert result.updated == "2026-02-03"
    assert result.questions == ("1:59:59", "007", "yes", "no", "on", "2026-02-03", "0x1f", "12")


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@example(b"---\n---\n")
@example(b"---\n? \n---\n")
@example(b"---\n\xef\xbb\xbftitle: x\n---\n")
@example(b"---\ntitle: x\n... \n---\n")
@example("---\ntitle: \u2028\n---\n".encode())
def test_any_bytes_are_an_article_or_findings(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = write(Path(name), {**FRUIT, "en/any.md": content})
        result, findings = corpus.check(folder)
        assert result is not None
        there = "any" in {article.id for article in result.articles}
        assert there or any(each.file.endswith("any.md") for each in findings)
        for each in findings:
            str(each).encode()


@given(st.text(alphabet="-?:,[]{}#&*!|>'\"%@` \n\tabtitle01.~<=\u00e9\u2028", max_size=80))
def test_any_yaml_is_read_or_refused(head: str) -> None:
    try:
        meta, lines = front_matter(head)
    except Bad:
        return
    assert isinstance(meta, dict)
    assert set(meta) <= set(lines)
    json.dumps(meta)


@given(st.binary(max_size=120))
def test_any_bytes_are_a_corpus_toml_or_findings(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = write(Path(name), {**FRUIT, "corpus.toml": content})
        checked(folder)


@given(st.text(max_size=60))
def test_the_parts_of_a_text_are_found_or_refused(text: str) -> None:
    try:
        head, body, line = parts_of(f"---\n{text}")
    except Bad:
        return
    assert len(head) + len(body) <= len(text) + 4
    assert line >= 2


@pytest.mark.parametrize(
    "text",
    [
        f"shop = {DEEP}",
        "shop.en.open = " + "{a=" * 300 + "1" + "}" * 300,
        ".".join(["shop"] * 3000) + " = 1",
        f"name = {'9' * 5000}",
        f"name = 0x{'f' * 5000}",
        "default_language = []",
        "[shop.en]\nday = 2026-01-01",
        "[shop.en]\nshare = inf",
        "[categories.a]\nen = 7",
        "languages = [[1]]",
        "name = 'a\x00b'",
        "a = 1\na = 2",
        'name = "\\ud800"',
    ],
)
def test_an_odd_corpus_toml_is_a_finding(text: str, tmp_path: Path) -> None:
    write(tmp_path, {**FRUIT, "corpus.toml": text})
    assert [each for each in checked(tmp_path) if each.level == "error" and each.file.endswith("corpus.toml")]


LINKS = ("ok.md%00", "%2e%2e/%00", "a" * 5000 + ".md", "a/" * 3000 + "b.md", "%ff.md", "%5c.md", "loop.md/a.md")
ELSEWHERE = ("//[", "http://[x", "https://[::1", "mailto:%00", "javascript:%00")


@pytest.mark.parametrize("link", LINKS + ELSEWHERE)
def test_an_odd_link_is_a_finding_of_its_line(link: str, tmp_path: Path) -> None:
    write(tmp_path, {**FRUIT, "en/links.md": article(body=f"A text.\n\nSee [this]({link}).")})
    (tmp_path / "en/loop.md").symlink_to("loop.md")
    result = said(tmp_path, "en/links.md")
    assert all(each.startswith("6: ") for each in result)
    assert result or link in ELSEWHERE


def test_what_is_no_file_is_a_finding_and_nobody_waits_for_it(tmp_path: Path) -> None:
    write(tmp_path, {**FRUIT, "en/x.md/inner.md": article("Inner")})
    top = tmp_path / "en"
    os.mkfifo(top / "pipe.md")
    (top / "loop.md").symlink_to("loop.md")
    (top / "gone.md").symlink_to("nothing.md")
    (top / "null.md").symlink_to("/dev/zero")
    os.symlink("..", top / "up")
    (top / os.fsdecode(b"\xff\xfe.md")).write_text(article("Bytes"))
    (top / "a\x1b[31mb.md").write_text(article("Colour"))
    (top / "two\nlines.md").write_text(article("Lines"))
    os.mkfifo(tmp_path / "corpus.toml")
    assert "is no file" in said(tmp_path, "corpus.toml")[0]
    (tmp_path / "corpus.toml").unlink()
    results = checked(tmp_path)
    details = {Path(each.file).name: each.message for each in results}
    for name, message in {
        "pipe.md": "is no file that can be read",
        "loop.md": "is not followed",
        "gone.md": "cannot be read (No such file",
        "null.md": "is not followed",
        "x.md": "a folder named like a file",
        "up": "is not followed",
        os.fsdecode(b"\xff\xfe.md"): "its name is not UTF-8",
        "two\nlines.md": "cannot be part of an article's id",
    }.items():
        assert message in details[name], (name, details)
    assert not any("\x1b" in str(each) or "\n" in str(each) for each in results)
    result = CliRunner().invoke(cli.main, ["check", str(tmp_path)])
    assert result.exit_code == 1
    assert r"\udcff\udcfe.md:1: its name is not UTF-8" in result.output


def test_what_goes_away_or_is_closed_while_it_is_read_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, FRUIT)
    there = os.open

    def away(path: object, *arguments: int, **named: int) -> int:
        name = os.fspath(path)  # type: ignore[call-overload]
        if str(name).endswith("pear.md"):
            os.unlink(name)
        if str(name).endswith("plum.md"):
            raise PermissionError(13, "Permission denied", name)
        return there(path, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", away)
    result = {Path(each.file).name: each.message for each in checked(tmp_path)}
    assert "No such file" in result["pear.md"]
    assert "Permission denied" in result["plum.md"]


def test_what_another_account_closed_to_us_is_a_finding(tmp_path: Path) -> None:
    """As an account that is not root: nothing is closed to that one."""
    write(tmp_path, {**FRUIT, "en/closed.md": article("Closed"), "en/shut/in.md": article("In")})
    assert checked(tmp_path) == []  # and all libraries are loaded, which another account may not find
    for place in (tmp_path / "en/closed.md", tmp_path / "en/shut"):
        place.chmod(0)
    tmp_path.chmod(0o755)
    child = os.fork()
    if child == 0:  # a child may give up what it may; nothing of it comes back but its status
        try:
            os.chdir(tmp_path)  # the folders above may be closed
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            result = {each.file: each.message for each in checked(Path())}
            closed = "cannot be read (Permission denied)" in result["en/closed.md"]
            os._exit(0 if closed and "cannot be looked into" in result["en/shut"] else 1)
        finally:
            os._exit(2)
    _, status = os.waitpid(child, 0)
    (tmp_path / "en/shut").chmod(0o755)
    assert os.waitstatus_to_exitcode(status) == 0


# ---------------------------------------------------------------- lines of JSON

LINES: dict[str, bytes] = {
    "no JSON": b"{",
    "bytes": b'{"id": "a", "text": "\xff"}',
    "no text": b'{"id": "a"}',
    "a list": b"[1]",
    "deep": b"[" * 100_000,
    "a text that is none": b'{"id": "a", "text": ["x"]}',
    "a language that is none": b'{"id": "a", "text": "x", "lang": ["en"]}',
    "a number without end": b'{"id": "a", "text": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("case", LINES)
@pytest.mark.parametrize("command", ["ask", "eval", "judge", "index", "labels"])
def test_an_odd_line_is_named_by_its_number(case: str, command: str, index_folder: Path, tmp_path: Path) -> None:
    good = b'{"id": "q1", "text": "where is my order", "relevant": []}\n'
    file = tmp_path / "lines.jsonl"
    file.write_bytes(good + LINES[case] + b"\n")
    corpus_folder = write(tmp_path / "corpus", FRUIT)
    arguments = {
        "ask": ["ask", "--index", str(index_folder), "--jsonl", str(file)],
        "eval": ["eval", str(file), "--index", str(index_folder)],
        "judge": ["judge", str(file), "--index", str(index_folder), "--out", str(tmp_path / "out.jsonl")],
        "index": ["index", str(corpus_folder), "--out", str(tmp_path / "index"), "--labels", str(file)],
        "labels": ["labels", "--database", f"sqlite:///{tmp_path}/a.db", "--out", str(file)],
    }[command]
    result = CliRunner().invoke(cli.main, arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert f"{file}:2:" in result.stderr


def test_a_question_with_anything_in_it_is_answered(index_folder: Path, tmp_path: Path) -> None:
    rows = [{"id": "\ud800", "text": "a\0b \ud83d"}, {"id": None, "text": ""}, {"text": "\ufdfa" * 10, "lang": "xx"}]
    file, out = tmp_path / "q.jsonl", tmp_path / "out/a.jsonl"
    file.write_text("\n\n".join(map(json.dumps, rows)))
    for options in ([], ["--out", str(out)]):
        result = CliRunner().invoke(cli.main, ["ask", "--index", str(index_folder), "--jsonl", str(file), *options])
        assert result.exit_code == 0, result.output
        details = [json.loads(line) for line in (out.read_text() if options else result.stdout).splitlines()]
        assert [each["id"] for each in details] == ["\ud800", None, None]


# ---------------------------------------------------------------- commands

GARBAGE: list[Callable[[Path], list[str]]] = [
    lambda f: ["check", f"{f}/none"],
    lambda f: ["check", f"{f}/file"],
    lambda f: ["check", f"{f}/folder"],
    lambda f: ["check", f"{f}/loop"],
    lambda f: ["index", f"{f}/folder", "--out", f"{f}/file"],
    lambda f: ["index", f"{f}/fruit", "--out", f"{f}/file/index"],
    lambda f: ["index", f"{f}/fruit", "--out", f"{f}/index", "--labels", f"{f}/folder"],
    lambda f: ["index", f"{f}/fruit", "--out", f"{f}/index", "--labels", f"{f}/pipe"],
    lambda f: ["ask", "x", "--index", f"{f}/file"],
    lambda f: ["ask", "x", "--index", f"{f}/folder"],
    lambda f: ["ask", "--jsonl", f"{f}/folder"],
    lambda f: ["eval", f"{f}/file", "--index", f"{f}/folder"],
    lambda f: ["eval", f"{f}/pipe", "--index", f"{f}/folder"],
    lambda f: ["eval", f"{f}/loop"],
    lambda f: ["judge", f"{f}/file", "--out", f"{f}/folder"],
    lambda f: ["report", "--database", f"sqlite:///{f}/file"],
    lambda f: ["report", "--database", f"sqlite:///{f}/folder"],
    lambda f: ["report", "--database", f"sqlite:///{f}/file/x.db"],
    lambda f: ["report", "--database", "mysql://x"],
    lambda f: ["report", "--database", "::::"],
    lambda f: ["report", "--database", "postgresql://127.0.0.1:99999/x"],
    lambda f: ["report", "--database", f"sqlite:///{f}/a.db", "--since", "9999-12-31T23:59:59-14:00"],
    lambda f: ["report", "--database", f"sqlite:///{f}/a.db", "--since", "yesterday"],
    lambda f: ["labels", "--database", f"sqlite:///{f}/a.db", "--out", f"{f}/file/x"],
    lambda f: ["user", "add", "", "--temporary", "--database", f"sqlite:///{f}/a.db"],
    lambda f: ["user", "add", "\udcff", "--temporary", "--database", f"sqlite:///{f}/a.db"],
    lambda f: ["user", "add", "x" * 5000, "--temporary", "--database", f"sqlite:///{f}/a.db"],
    lambda f: ["user", "add", "A", "--role", "\udcff", "--temporary", "--database", f"sqlite:///{f}/a.db"],
    lambda f: ["user", "token", "\udcff", "--database", f"sqlite:///{f}/a.db"],
    lambda f: ["user", "role", "A", "x", "--database", f"sqlite:///{f}/a.db"],
    lambda f: ["outbox", "retry", "9" * 40, "--database", f"sqlite:///{f}/a.db"],
    lambda f: ["outbox", "list", "--limit", "9" * 40, "--database", f"sqlite:///{f}/a.db"],
    lambda f: ["outbox", "list", "--limit", "-1", "--database", f"sqlite:///{f}/a.db"],
    lambda f: ["outbox", "run", "--once", "--database", f"sqlite:///{f}/a.db"],
    lambda f: ["backup", "--out", f"{f}/folder", "--database", f"sqlite:///{f}/a.db"],
    lambda f: ["backup", "--out", f"{f}/x.zip", "--database", f"sqlite:///{f}/file"],
    lambda f: ["restore", f"{f}/file"],
    lambda f: ["restore", f"{f}/none", "--check"],
    lambda f: ["restore", f"{f}/loop", "--check"],
    lambda f: ["serve", "--index", f"{f}/folder", "--database", f"sqlite:///{f}/a.db"],
    lambda f: ["serve", "--port", "99999"],
    lambda f: ["serve", "--port", "9" * 5000],
    lambda f: ["--config", f"{f}/file", "report"],
    lambda f: ["--config", f"{f}/none", "report"],
    lambda f: ["--config", f"{f}/loop", "report"],
]


@pytest.mark.parametrize("number", range(len(GARBAGE)))
def test_every_command_says_what_is_wrong_and_ends_with_1_or_2(number: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\xff\x00garbage\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    write(tmp_path / "fruit", FRUIT)
    result = CliRunner().invoke(cli.main, GARBAGE[number](tmp_path))
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code in (1, 2)
    assert result.output.strip()


SETTINGS = (
    "port = inf",
    "port = -1",
    "port = 99999",
    "workers = 0",
    f"workers = {'9' * 30}",
    f"workers = 0x{'f' * 5000}",
    f"workers = {'9' * 5000}",
    f"answer_threshold = 0x{'f' * 5000}",
    "answer_threshold = nan",
    "port = 2026-01-01",
    "port = [1]",
    "index = true",
    'index = "a\\u0000b"',
    "[port]",
    f"index = {DEEP}",
    'index = "\\ud800"',
    "prot = 1",
    "=",
)


@pytest.mark.parametrize("text", SETTINGS)
def test_an_odd_setting_is_named(text: str, tmp_path: Path) -> None:
    file = tmp_path / "botkit.toml"
    file.write_text(text)
    result = CliRunner().invoke(cli.main, ["--config", str(file), "report"])
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 1
    assert str(file) in result.output


def test_a_name_that_no_file_can_have_is_no_file() -> None:
    assert not files.is_file(Path("a\0b"))
    assert not files.within(Path("a\0b"), Path())
    with pytest.raises(Bad, match="cannot be read"):
        files.content(Path("a\0b"))
