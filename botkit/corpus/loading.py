"""Loading a corpus: all articles and replies of a folder with every finding, and hashes of what they depend on."""

from __future__ import annotations

import functools
import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

from botkit import language
from botkit.corpus import files, languages
from botkit.corpus.model import Bad, Corpus, CorpusError, Finding
from botkit.corpus.reader import Reader


def load(folder: Path | str) -> Corpus:
    """The corpus in `folder`. Raises CorpusError with every error found, not the first alone."""
    corpus, findings = check(folder)
    errors = [f for f in findings if f.level == "error"]
    if corpus is None or errors:
        raise CorpusError(errors)
    return corpus


def check(folder: Path | str, known: dict[str, dict[str, Any]] | None = None) -> tuple[Corpus | None, list[Finding]]:
    """The corpus as far as it can be read, and all findings, sorted by file and line.

    `known` is what an earlier check left in it, ready for JSON: a file with the same path and bytes
    is taken from there. It is brought up to date.
    """
    reader = Reader(Path(folder), known or {})
    result = reader.read()
    if known is not None:
        known.clear()
        known.update(reader.seen)
    return result


@functools.cache
def code() -> str:
    """A hash of what reads a file: this code, language's, and the libraries that parse."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    others = [f"{name} {version(name)}" for name in ("markdown-it-py", "nh3", "PyYAML")] + [language.code()]
    return hashlib.sha256(b"\0".join([f.read_bytes() for f in files] + [x.encode() for x in others])).hexdigest()


def digest(folder: Path | str) -> str:
    """A hash of every source file of a corpus, its name and its bytes; of one that cannot be read, its name."""
    result = hashlib.sha256()
    top = Path(folder)
    articles = (file for file, problem, _ in files.named(top, ".md") if not problem)
    for file in [top / "corpus.toml", *articles, *languages.sources(top)]:
        try:
            data = files.content(file)
        except Bad:
            data = b""
        name = file.relative_to(top).as_posix()
        result.update(f"{name}\0{len(data)}\0".encode("utf-8", "surrogatepass"))
        result.update(data)
    return result.hexdigest()[:16]
