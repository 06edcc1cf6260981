"""Versions of an index on disk: named by their content, checked by checksum, published by rename."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botkit.files import checksum, sync

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
        raise IndexProblem(f"no index at `{folder}`. {cure}")
    name = current.read_text(encoding="utf-8", errors="replace").strip()
    if not name.isalnum() or not (folder / name / "manifest.json").is_file():
        raise IndexProblem(f"{current} names the version `{name}`, which is not there. {cure}")
    return folder / name


def published(folder: Path) -> list[Path]:
    """The versions that were published before and are still there, the latest first; a version folder has none.

    Where CURRENT is there and no list, as an earlier release left it, these are all versions, the newest first. Whether
    they are whole, `verify` says.
    """
    try:
        names = (folder / "PUBLISHED").read_text(encoding="utf-8", errors="replace").split()
        return [folder / name for name in reversed(names) if name.isalnum() and _is_version(folder / name)]
    except OSError:
        return sorted(_versions(folder), key=_changed, reverse=True) if (folder / "CURRENT").is_file() else []


def offered(folder: Path) -> None:
    """Raise IndexProblem, with the cure, where a folder has no version that could be tried, whole or not."""
    if not published(folder):
        version_folder(folder)


def _versions(folder: Path) -> list[Path]:
    try:
        return [result for result in folder.iterdir() if _is_version(result)]
    except OSError:
        return []


def _is_version(folder: Path) -> bool:
    return (folder / "manifest.json").is_file() and not folder.name.startswith(".")


def _changed(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:  # removed just now
        return 0.0


def verify(version: Path) -> dict[str, Any]:
    """The manifest of a version whose every file has the bytes it was sealed with. Raises IndexProblem."""
    cure = "Build the index again with `botkit index`."
    file = version / "manifest.json"
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise IndexProblem(f"{file}: cannot be read ({error}). {cure}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        result = manifest.get("format") if isinstance(manifest, dict) else None
        raise IndexProblem(f"{file}: format {result!r} is not {FORMAT}, which this botkit reads. {cure}")
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
        sync(file)
    sync(draft)
    if final.exists():
        try:
            verify(final)
            shutil.rmtree(draft)
            return final
        except IndexProblem:  # the same content once, damaged since
            shutil.rmtree(final)
    draft.rename(final)
    sync(final.parent)
    return final


def publish_folder(version: Path, keep: int) -> None:
    """Make a version the current one, by rename; older ones past `keep` are removed. When this returns, a power cut
    undoes nothing of it."""
    top = version.parent
    before = [other.name for other in reversed(published(top)) if other != version]
    os.utime(version)
    _replace(top / "PUBLISHED", "".join(f"{name}\n" for name in (*before, version.name)))
    _replace(top / "CURRENT", version.name + "\n")
    sync(top)
    old = sorted((p for p in _versions(top) if p != version), key=_changed, reverse=True)
    for folder in old[keep - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)


def _replace(file: Path, text: str) -> None:
    """Write a file anew, whole or not at all."""
    pending = file.with_name(f".{file.name}-{os.getpid()}")
    with pending.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    pending.replace(file)


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
