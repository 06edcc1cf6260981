"""Versions of an index in no time: copies of a published one that differ in the shop's name, and damaged ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from botkit.index.versions import publish_folder, seal_folder, version_folder


def sealed(folder: Path, name: str) -> Path:
    """A copy of the published version, under another name of the shop; it is not published."""
    source, draft = version_folder(folder), folder / ".draft-copy"
    shutil.copytree(source, draft)
    manifest = json.loads((draft / "manifest.json").read_text())
    (draft / "manifest.json").unlink()
    del manifest["files"]
    facts = json.loads((draft / "facts.json").read_text())
    (draft / "facts.json").write_text(json.dumps(facts | {"name": name}))
    return seal_folder(draft, manifest)


def published(folder: Path, name: str, *, whole: bool = True) -> Path:
    """The same, published; with `whole` False a byte of it is flipped before."""
    version = sealed(folder, name)
    if not whole:
        damage(version)
    publish_folder(version, keep=5)
    return version


def damage(version: Path) -> bytes:
    """Flip a byte in the middle of the articles; what was there before."""
    file = version / "articles.jsonl"
    before = file.read_bytes()
    middle = len(before) // 2
    file.write_bytes(before[:middle] + bytes([before[middle] ^ 1]) + before[middle + 1 :])
    return before
