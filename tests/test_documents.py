"""The documents: their links lead somewhere, their commands and settings exist, and what a stranger needs is there."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask.testing import FlaskClient

from botkit import config
from botkit.cli import main

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
DECISIONS = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
PICTURES = 250_000
"""Bytes that the README's pictures have together at most: a page that is opened on a phone."""


def named(file: Path) -> str:
    return str(file.relative_to(ROOT))


def prose(text: str) -> str:
    """A document without its blocks of code."""
    return FENCE.sub("", text)


def anchors(text: str) -> set[str]:
    """Where a link into a document can lead: its headings, as GitHub names them."""
    heads = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\s-]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def blocks(file: Path, kind: str) -> Iterator[str]:
    for result, text in FENCE.findall(file.read_text(encoding="utf-8")):
        if result == kind:
            yield text


@pytest.mark.parametrize("file", DOCUMENTS, ids=named)
def test_every_link_leads_somewhere(file: Path) -> None:
    """To a file of the repository, and to a heading that it has."""
    text = re.sub(r"`[^`\n]*`", "", prose(file.read_text(encoding="utf-8")))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, fragment = target.partition("#")
        other = (file.parent / path).resolve() if path else file
        assert other.exists(), target
        if fragment:
            assert fragment in anchors(other.read_text(encoding="utf-8")), target


def test_a_stranger_finds_everything_on_one_page() -> None:
    """Licence, pictures, both commands, an own shop, TLS, backup, upgrade; and it stays short enough to be read."""
    assert len(README.splitlines()) <= 150
    for wanted in (
        "(LICENSE)", "(docs/images/", "make run", "make test", "botkit serve", "loader.js", "(docs/deploy.md",
        "#backup-and-restore", "#upgrade", "(CONTRIBUTING.md)", "(SECURITY.md)", "(docs/results.md)",
        "(docs/architecture.md)",
    ):  # fmt: skip
        assert wanted in README, wanted


def test_the_pictures_are_there_and_light() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert len(pictures) == 2
    assert sum((ROOT / picture).stat().st_size for picture in pictures) <= PICTURES


def commands(file: Path) -> Iterator[list[str]]:
    """What a document tells to type that begins with botkit, word for word."""
    for text in [*blocks(file, "sh"), *blocks(file, "cron"), *blocks(file, "ini"), *blocks(file, "yaml")]:
        joined = re.sub(r"<<'?END'?.*?^END$", "", text.replace("\\\n", " "), flags=re.MULTILINE | re.DOTALL)
        for line in joined.splitlines():
            for part in re.split(r"&&|\|\||[|;&<>]|\$\(|`", line.partition(" #")[0]):
                words = re.sub(r"sudo (-u \S+)?|ExecStart\w*=|[\"']", "", part).split()
                while words and re.fullmatch(r"[A-Z_]+=\S*|[\d*]+", words[0]):  # variables, and the times of cron
                    del words[0]
                if words[1:] and re.fullmatch(r"(\S*/)?botkit", words[0]):
                    yield words[1:]


@pytest.mark.parametrize("file", DOCUMENTS, ids=named)
def test_every_command_exists_with_its_options(file: Path) -> None:
    for words in commands(file):
        command: click.Command = main
        rest = list(words)
        if rest[0] == "--config":
            rest = rest[2:]
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            value = command.commands.get(rest[0])
            assert value is not None, shlex.join(words)
            command, rest = value, rest[1:]
        known = {name for parameter in command.params for name in parameter.opts} | {"--help", "--version"}
        for option in rest:
            if re.match(r"--?[a-z]", option):
                assert option.partition("=")[0] in known, shlex.join(words)


def test_commands_are_found_in_the_documents() -> None:
    """Else the test above would pass for nothing."""
    result = [" ".join(words) for words in commands(ROOT / "docs" / "deploy.md")]
    assert "backup --out before-the-upgrade.zip" in result
    assert any(words.startswith("serve") for words in result)
    assert any(words.startswith("restore") for words in result)


@pytest.mark.parametrize("file", DOCUMENTS, ids=named)
def test_every_setting_exists(file: Path) -> None:
    """In blocks that are a botkit.toml, and as variables of the environment."""
    text = file.read_text(encoding="utf-8")
    for block in blocks(file, "toml"):
        if block.startswith("# botkit.toml"):
            assert set(tomllib.loads(block)) <= set(config.Settings.__dataclass_fields__)
    names = set(re.findall(r"\bBOTKIT_([A-Z_]+[A-Z])\b", text)) - {"CHROMIUM", "POSTGRESQL"}
    assert {name.lower() for name in names} <= set(config.Settings.__dataclass_fields__)


def test_every_figure_to_watch_is_served(client: FlaskClient) -> None:
    """The names in the documents are those of /metrics."""
    client.get("/healthz")
    client.post("/api/v1/ask", json={"text": "where is my order", "lang": "en"})
    served = set(re.findall(r"^# TYPE (botkit_\w+) ", client.get("/metrics").text, re.MULTILINE))
    for file in DOCUMENTS:
        for name in set(re.findall(r"\bbotkit_(?!req\b|conn\b)[a-z]\w+", file.read_text(encoding="utf-8"))):
            assert name in served or re.sub(r"_(count|sum|bucket|total)$", "", name) in served, (named(file), name)


# ---------------------------------------------------------------- decisions


def records() -> list[tuple[int, str, str, str]]:
    """(number, title, date, status with its links) of each."""
    result = re.findall(r"^## (\d+)\. (.+)\n\n(\d{4}-\d\d-\d\d) · (.+) · .+$", DECISIONS, re.MULTILINE)
    return [(int(number), title, day, status) for number, title, day, status in result]


def test_decisions_are_numbered_dated_and_have_a_status() -> None:
    """One by one, by date; what replaces a record is a later one."""
    assert len(records()) == len(re.findall(r"^## \d", DECISIONS, re.MULTILINE))
    assert [number for number, *_ in records()] == list(range(1, len(records()) + 1))
    days = [day for _, _, day, _ in records()]
    assert days == sorted(days)
    for number, title, _, status in records():
        match = re.fullmatch(r"accepted|(?:superseded|amended) by (\[\d+\]\(\S+\))(?: and \[\d+\]\(\S+\))*", status)
        assert match, title
        assert all(int(other) > number for other in re.findall(r"\[(\d+)\]", status)), title


def test_the_contents_have_every_decision() -> None:
    """Each once, by its title, and those that hold no more are marked."""
    lines = re.findall(r"^- \[(\d+)\. (.+)\]\(#(\S+)\)( \*\(superseded\)\*)?$", DECISIONS, re.MULTILINE)
    listed = sorted((int(number), title, bool(over)) for number, title, _, over in lines)
    assert listed == [(number, title, status.startswith("superseded")) for number, title, _, status in records()]
    for number, _, anchor, _ in lines:
        assert anchor.startswith(f"{number}-")
