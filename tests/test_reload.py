"""The version that a process answers from: the newest good one, and nothing left of those before it."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from editions import damage, published, sealed

from botkit import answer
from botkit.encoder import Encoder
from botkit.index import IndexProblem, Live
from botkit.index.versions import publish_folder, version_folder
from botkit.server.processes import run


@pytest.fixture
def folder(index_folder: Path, tmp_path: Path) -> Path:
    """A copy of the small index, with one published version."""
    copied = shutil.copytree(index_folder, tmp_path / "index", ignore=shutil.ignore_patterns("cache"))
    (copied / "PUBLISHED").write_text((copied / "CURRENT").read_text())
    return copied


@pytest.fixture
def encoder(live: Live) -> Encoder:
    return live.current().encoder


@pytest.fixture
def without_gc() -> Iterator[None]:
    """Nothing is freed but by its last user."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# ---------------------------------------------------------------- a start


def test_a_start_passes_over_damaged_versions_to_the_last_published_good_one(folder: Path, encoder: Encoder) -> None:
    """By publication: a version that is published again is newer than one that was built after it."""
    first = version_folder(folder)
    second, third = published(folder, "second"), published(folder, "third")
    publish_folder(second, keep=5)
    published(folder, "fourth", whole=False)
    running = Live(folder, encoder)
    assert running.current().version == second.name
    assert running.problem is not None
    assert "articles.jsonl: damaged" in running.problem
    damage(second)
    assert Live(folder, encoder).current().version == third.name
    damage(third)
    assert Live(folder, encoder).current().version == first.name


@pytest.mark.parametrize("content", [b"", b"0123456789ab\n", b"\xff\xfe", None])
def test_a_start_with_a_broken_current_takes_the_last_published_version(
    content: bytes | None, folder: Path, encoder: Encoder
) -> None:
    """Empty, naming nothing, not a text, or gone."""
    second = published(folder, "second")
    if content is None:
        (folder / "CURRENT").unlink()
    else:
        (folder / "CURRENT").write_bytes(content)
    running = Live(folder, encoder)
    assert running.current().version == second.name
    assert running.problem is not None


def test_what_was_never_published_is_never_served(folder: Path, encoder: Encoder) -> None:
    """A build whose tests failed leaves its version behind."""
    sealed(folder, "failed")
    damage(version_folder(folder))
    running = Live(folder, encoder)
    with pytest.raises(IndexProblem, match="damaged"):
        running.current()
    assert running.version is None


def test_a_folder_of_an_earlier_release_has_its_versions_by_time(folder: Path, encoder: Encoder) -> None:
    first = version_folder(folder)
    published(folder, "second", whole=False)
    (folder / "PUBLISHED").unlink()
    assert Live(folder, encoder).current().version == first.name


def test_without_any_good_version_it_tries_again_later_each_time(
    folder: Path, encoder: Encoder, caplog: pytest.LogCaptureFixture
) -> None:
    """And has it when the damage is mended."""
    only, now = version_folder(folder), [0.0]
    whole = damage(only)
    running = Live(folder, encoder, clock=lambda: now[0])
    tries: list[float] = []
    while now[0] < 300.0:
        caplog.clear()
        with pytest.raises(IndexProblem, match="damaged"):
            running.current()
        if caplog.records:
            assert "no version can be served" in caplog.text
            tries.append(now[0])
        now[0] += 0.25
    waits = [later - earlier for earlier, later in itertools.pairwise([0.0, *tries])]
    assert waits[0] <= 1.0
    assert 0.5 < waits[1] / waits[0] <= 4.0
    assert all(40.0 < wait <= 60.25 for wait in waits[6:])
    assert 9 <= len(tries) <= 12
    (only / "articles.jsonl").write_bytes(whole)
    now[0] += 60.0
    assert running.current().version == only.name
    assert running.problem is None


def test_a_good_version_is_taken_at_once_whatever_the_wait(folder: Path, encoder: Encoder) -> None:
    """A publication is not waited for."""
    kept = shutil.copytree(version_folder(folder), folder.parent / "kept" / version_folder(folder).name)
    damage(version_folder(folder))
    running = Live(folder, encoder, clock=lambda: 0.0)
    with pytest.raises(IndexProblem):
        running.current()
    shutil.rmtree(version_folder(folder))
    publish_folder(shutil.copytree(kept, folder / kept.name), keep=5)
    assert running.current().version == kept.name


# ---------------------------------------------------------------- what is given back


def mapped(folder: Path) -> set[str]:
    """The versions of an index folder that this process has files of in its memory."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    paths = [Path(line.split(maxsplit=5)[5].removesuffix(" (deleted)")) for line in lines if str(folder) in line]
    return {path.relative_to(folder).parts[0] for path in paths}


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux tells what is mapped")
@pytest.mark.usefixtures("without_gc")
def test_old_versions_are_gone_when_the_last_request_on_them_is(folder: Path, encoder: Encoder) -> None:
    """Object and files, without a search for garbage; what still uses one keeps that one alone."""
    swaps: list[str | None] = []
    running = Live(folder, encoder, swapped=lambda: swaps.append(running.version))
    first = running.current()
    known = [weakref.ref(first)]
    versions = [first.version]
    for number in range(8):
        for lang in ("en", "ar", "fa"):
            assert answer.reply(running.current(), "kalaye man koja ast", lang=lang).version == versions[-1]
            running.current().suggest("ho", lang)
            running.current().search("return", lang)
        versions.append(published(folder, f"number {number}").name)
        known.append(weakref.ref(running.current()))
        assert swaps == versions[1:]
        assert [ref() is not None for ref in known] == [True, *[False] * number, True]
        assert mapped(folder) == {versions[0], versions[-1]}
    assert first.search("return", "en").hits
    del first
    assert known[0]() is None
    assert mapped(folder) == {versions[-1]}


def test_a_version_that_stands_outside_searches_for_garbage_goes_all_the_same(folder: Path, encoder: Encoder) -> None:
    """As a worker starts: what is there by then is frozen, and given back with the first swap."""
    running = Live(folder, encoder, swapped=run.settle)
    first, knot = weakref.ref(running.current()), Knot()
    gc.freeze()
    try:
        left = weakref.ref(knot)
        del knot
        published(folder, "second")
        assert running.current() is not None
        assert first() is None
        assert left() is None
        assert gc.get_freeze_count() > 10_000, "the new version is left out of the next searches"
    finally:
        gc.unfreeze()


class Knot:
    """What only a search for garbage finds."""

    def __init__(self) -> None:
        self.itself = self


# ---------------------------------------------------------------- the disk


def test_a_publication_is_on_the_disk_when_it_returns(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files before the names that lead to them, and the folders with those names after."""
    synced: list[str] = []
    real = os.fsync

    def watched(number: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{number}"))
        name = "" if path == folder else path.relative_to(folder).parts[0].split("-")[0]
        current = (folder / "CURRENT").read_text().strip()
        synced.append(f"{name or 'folder'}, then {current}")
        real(number)

    monkeypatch.setattr(os, "fsync", watched)
    before = version_folder(folder).name
    after = published(folder, "second").name
    whole = [f".draft, then {before}"] * (len(list((folder / after).iterdir())) + 1)  # its files and their names
    assert synced == [
        *whole,
        f"folder, then {before}",
        f".PUBLISHED, then {before}",
        f".CURRENT, then {before}",
        f"folder, then {after}",
    ]
