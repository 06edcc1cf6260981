"""Versions of an index on disk: named by their content, checked by checksum, published by rename."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FORMAT = 5


class IndexProblem(Exception):
    """An index is missing, damaged or foreign; the text names it and the cure."""


def version_folder(folder: Path) -> Path:
    """The folder of the published version. Raises IndexProblem that says how to build one."""
    if (folder / "manifest.json").is_file():
        return folder
    current = folder / "CURRENT"
    cure = f"Build one with `botkit index CORPUS --out {folder}`."
    if not current.is_file():
        raise IndexProblem(f"there is no index at `{folder}`. {cure}")
    name = current.read_text(encoding="utf-8", errors="replace").strip()
    if not name.isalnum() or not (folder / name / "manifest.json").is_file():
        raise IndexProblem(f"{current} names the version `{name}`, which is not there. {cure}")
    return folder / name


def verify(version: Path) -> dict[str, Any]:
    """The manifest of a version whose every file has the bytes it was sealed with. Raises IndexProblem."""
    cure = "Build the index again with `botkit index`."
    file = version / "manifest.json"
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise IndexProblem(f"{file}: cannot be read ({error}). {cure}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else None
        raise IndexProblem(f"{file}: format {found!r} is not {FORMAT}, which this botkit reads. {cure}")
    if checksum(file)[:12] != version.name:
        raise IndexProblem(
            f"{file}: damaged or foreign, its checksum is not the version's name `{version.name}`. {cure}"
        )
    for name, expected in manifest["files"].items():
        try:
            actual = checksum(version / name)
        except OSError:
            raise IndexProblem(f"{version / name}: missing. {cure}") from None
        if actual != expected:
            raise IndexProblem(f"{version / name}: damaged, its checksum is not the manifest's. {cure}")
    return manifest


def seal_folder(draft: Path, manifest: dict[str, Any]) -> Path:
    """Give a draft folder its manifest and its name, a hash of its content; equal content is one
    version. Returns the version's folder."""
    files = {f.name: checksum(f) for f in sorted(draft.iterdir()) if f.name != "manifest.json"}
    write_json(draft / "manifest.json", {**manifest, "files": files})
    final = draft.parent / checksum(draft / "manifest.json")[:12]
    for file in draft.iterdir():
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
    if final.exists():
        try:
            verify(final)
            shutil.rmtree(draft)
            return final
        except IndexProblem:  # the same content once, damaged since
            shutil.rmtree(final)
    draft.rename(final)
    return final


def publish_folder(version: Path, keep: int) -> None:
    """Make a version the current one, by rename; older ones past `keep` are removed."""
    top = version.parent
    pending = top / f".CURRENT-{os.getpid()}"
    with pending.open("w", encoding="utf-8") as stream:
        stream.write(version.name + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    pending.replace(top / "CURRENT")
    os.utime(version)
    old = sorted(
        (p for p in top.iterdir() if (p / "manifest.json").is_file() and p != version),
        key=lambda p: p.stat().st_mtime,
        reverse=True,
    )
    for folder in old[keep - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def building(folder: Path | str) -> Iterator[None]:
    """Hold an index folder's build lock: one build at a time. Raises IndexProblem when it is held."""
    top = Path(folder)
    try:
        top.mkdir(parents=True, exist_ok=True)
        lock = (top / ".lock").open("w")
    except OSError as error:
        raise IndexProblem(f"{top}: cannot be written ({error.strerror}). Give a folder that can.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise IndexProblem(f"{top}: another build is running. Wait until it ends.") from None
        for leftover in top.glob(".draft-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield


def write_json(file: Path, table: Any) -> None:
    file.write_text(json.dumps(table, ensure_ascii=False, sort_keys=True, indent=1) + "\n", encoding="utf-8")


def checksum(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
