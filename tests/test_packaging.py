"""The wheel: whole, and at work in a folder that knows nothing of this checkout."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from small import FRUIT, write

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as it would be published, built without the network."""
    return built(ROOT, tmp_path_factory.mktemp("dist"))


def built(source: Path, folder: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder],
        cwd=source,
        check=True,
        capture_output=True,
        text=True,
    )
    return next(folder.glob("botkit-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel unpacked, as an installer would."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def python(installed: Path, cwd: Path, code: str, *arguments: object) -> str:
    """What some code prints, run from `cwd` with the unpacked wheel before this checkout."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(installed)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_has_everything_that_runs_and_nothing_else(wheel: Path) -> None:
    """Modules, the languages' tables, the shipped confidence numbers, migrations, templates, static files, catalogues;
    no tests, corpora, indexes or caches."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    kinds = (".py", ".mako", ".json", ".npz", ".toml")
    tracked = {p.relative_to(ROOT).as_posix() for p in (ROOT / "botkit").rglob("*") if p.suffix in kinds}
    assert "botkit/confidence/shipped.npz" in tracked
    assert tracked <= names
    web = {f"botkit/{p.relative_to(ROOT).as_posix()}" for p in (ROOT / "web").rglob("*") if p.is_file()}
    assert web <= names
    assert any(name.startswith("botkit/migrations/versions/0001") for name in names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"botkit"}
    assert not [name for name in names if name.endswith((".pyc", ".db")) or "__pycache__" in name]


def test_the_wheel_says_what_it_needs_and_how_it_is_called(installed: Path) -> None:
    """Metadata for an installer."""
    (folder,) = installed.glob("botkit-*.dist-info")
    metadata = (folder / "METADATA").read_text(encoding="utf-8")
    assert "Requires-Dist: faiss-cpu" in metadata
    assert "License-Expression: MIT" in metadata
    assert "MIT License" in (folder / "licenses" / "LICENSE").read_text(encoding="utf-8")
    assert "Requires-Python: >=3.11" in metadata
    assert "botkit = botkit.cli:main" in (folder / "entry_points.txt").read_text(encoding="utf-8")


def test_the_wheel_works_elsewhere(installed: Path, tmp_path: Path) -> None:
    """Index and ask from another folder, with the web files inside the package and a database migrated."""
    write(tmp_path / "corpus", FRUIT)
    command = "from botkit.cli import main; main()"
    assert "3 articles" in python(installed, tmp_path, command, "index", "corpus", "--out", "index")
    assert python(installed, tmp_path, command, "ask", "--index", "index", "storing apples").startswith("answer  apple")
    where = python(installed, tmp_path, "import botkit.language as l; print(l.web_folder())").strip()
    assert Path(where) == installed / "botkit/web"
    assert python(installed, tmp_path, command, "user", "list", "--database", "sqlite:///record.db") == ""
    assert (tmp_path / "record.db").exists()


def test_the_wheel_serves_its_pages(installed: Path, tmp_path: Path) -> None:
    """Templates, static files and messages are found inside it."""
    write(tmp_path / "corpus", FRUIT)
    code = """
from botkit import build
from botkit.index import Live
from botkit.server import create_app
from botkit.store import Store
build.publish("corpus", "index")
store = Store("sqlite:///record.db")
store.migrate()
client = create_app(index=Live("index"), store=store).test_client()
paths = ("/help/en/", "/help/en/apple", "/widget", "/desk/login", "/static/site.css", "/healthz")
print([client.get(path, follow_redirects=True).status_code for path in paths])
"""
    assert python(installed, tmp_path, code).strip() == "[200, 200, 200, 200, 200, 200]"


def test_the_container_file_copies_what_the_wheel_is_made_of(wheel: Path, tmp_path: Path) -> None:
    """Whatever its first stage copies goes to the builder, and gives the same wheel."""
    recipe = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    let_in = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    copied = {name for line in re.findall(r"^COPY (?!--)(.+) \S+$", recipe, re.MULTILINE) for name in line.split()}
    assert copied == set(let_in)
    source = tmp_path / "src"
    source.mkdir()
    for name in copied:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(built(source, tmp_path / "dist")) as other:
        assert {(each.filename, each.CRC) for each in one.infolist()} == {
            (each.filename, each.CRC) for each in other.infolist()
        }
