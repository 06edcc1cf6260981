"""Corpora of a few lines, written where a test wants them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

FRUIT = {
    "en/apple.md": "---\ntitle: Which apples keep longest?\nquestions: [apples for the winter, storing apples]\n---\n"
    "Bramley and Cox, in a cool cellar.\n",
    "en/pear.md": "---\ntitle: When is a pear ripe?\nquestions: [my pears are hard, ripening pears]\n---\n"
    "When its neck gives under the thumb.\n",
    "en/plum.md": "---\ntitle: How do I dry plums?\nquestions: [making prunes, plums in the oven]\n---\n"
    "Halved, for ten hours at 60 degrees.\n",
}
"""Three articles in one language, without a corpus.toml."""


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a folder, each at its path; returns the folder."""
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return folder


def article(title: str = "A title", body: str = "A text.", **keys: str) -> str:
    """The text of an article's file; `keys` are lines of its front matter, as YAML."""
    head = "".join(f"{key}: {value}\n" for key, value in {"title": title, **keys}.items())
    return f"---\n{head}---\n{body}\n"
