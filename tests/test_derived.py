"""Files made once on a machine: whole or not there, checked at each start, and no harm where they cannot be kept."""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from botkit import derived
from botkit.derived import DerivedError

# What a package would have: a module with a function that makes files. The folder counts how often it ran.
MAKER = """
def make(source, folder):
    with source.with_name("runs").open("a") as runs:
        runs.write("x")
    (folder / "upper").write_text(source.read_text().upper())

def fail(source, folder):
    raise ValueError("nothing to be made of this")
"""
ASKING = """
import sys
from pathlib import Path
from botkit import derived
print(derived.folder("words", Path(sys.argv[1]), "1", "maker", "make"))
"""


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package's data, its maker beside it, and a cache folder of the test's own."""
    (tmp_path / "maker.py").write_text(MAKER)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "source"
    file.write_text("a b c")
    return file


@pytest.fixture
def made(source: Path) -> Callable[..., Path]:
    def make(version: str = "1", function: str = "make") -> Path:
        return derived.folder("words", source, version, "maker", function)

    return make


def runs(source: Path) -> int:
    return len(source.with_name("runs").read_text())


def test_a_folder_is_made_once(source: Path, made: Callable[..., Path]) -> None:
    first = made()
    assert (first / "upper").read_text() == "A B C"
    assert made() == first
    assert runs(source) == 1


def test_another_source_or_version_is_another_folder(source: Path, made: Callable[..., Path]) -> None:
    first = made()
    assert made("2") != first
    source.write_text("d e f g")
    assert (made() / "upper").read_text() == "D E F G"


@pytest.mark.parametrize("harm", ["changed", "gone", "facts"])
def test_a_damaged_folder_is_made_anew(harm: str, source: Path, made: Callable[..., Path]) -> None:
    first = made()
    if harm == "changed":
        (first / "upper").write_text("A B X")
    elif harm == "gone":
        (first / "upper").unlink()
    else:
        (first / "facts.json").write_text("{")
    assert (made() / "upper").read_text() == "A B C"
    assert runs(source) == 2


def test_many_processes_that_start_at_once_find_one_folder(source: Path) -> None:
    asking = [sys.executable, "-c", ASKING, str(source)]
    environ = {"PYTHONPATH": ":".join(filter(None, sys.path)), "XDG_CACHE_HOME": str(source.parent / "cache")}
    started = [subprocess.Popen(asking, stdout=subprocess.PIPE, text=True, env=environ) for _ in range(4)]
    folders = {process.communicate()[0].strip() for process in started}
    assert [process.returncode for process in started] == [0] * 4
    (folder,) = folders
    assert derived.whole(Path(folder))
    assert [p.name for p in Path(folder).parent.iterdir()] == [Path(folder).name]  # nothing half-made is left


def test_what_cannot_be_made_is_told_with_its_reason(source: Path, made: Callable[..., Path]) -> None:
    with pytest.raises(DerivedError, match="nothing to be made of this") as caught:
        made(function="fail")
    assert str(source) in str(caught.value)
    assert list((source.parent / "cache" / "botkit").iterdir()) == []


def test_without_a_cache_folder_temporary_files_serve(
    source: Path, made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service may have no home. What belongs to somebody else is not read."""
    spare = source.parent / "tmp"
    spare.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spare))
    monkeypatch.setenv("XDG_CACHE_HOME", str(source))  # a file
    first = made()
    assert first.is_relative_to(spare)
    assert made() == first
    (spare / first.parent.name).chmod(0o777)
    with pytest.raises(DerivedError, match="somebody else"):
        made()
