"""An editor's folder of markdown, read into articles; every finding has a file, a line and a cure.

    corpora/<name>/corpus.toml              name, languages, category titles, the shop's facts
    corpora/<name>/<lang>/<path>.md         one article; its id is the path, in every language
    corpora/<name>/<lang>/<path>.md         with `kind: faq`: each `## heading` is an article, <path>#<anchor>

This house owns the article format and makes the safe HTML, once. It knows nothing of vectors and
never writes.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from botkit.corpus.nouns import Article, Corpus, CorpusError, Finding, Passage
from botkit.corpus.reader import Reader

__all__ = ["Article", "Corpus", "CorpusError", "Finding", "Passage", "check", "digest", "load"]


def load(folder: Path | str) -> Corpus:
    """The corpus in `folder`. Raises CorpusError with every error found, not the first alone."""
    corpus, findings = check(folder)
    errors = [f for f in findings if f.level == "error"]
    if corpus is None or errors:
        raise CorpusError(errors)
    return corpus


def check(folder: Path | str) -> tuple[Corpus | None, list[Finding]]:
    """The corpus as far as it can be read, and all findings, sorted by file and line."""
    return Reader(Path(folder)).read()


def digest(folder: Path | str) -> str:
    """A hash of every source file of a corpus, its name and its bytes."""
    found = hashlib.sha256()
    top = Path(folder)
    for file in sorted([*top.glob("corpus.toml"), *top.rglob("*.md")]):
        if file.is_file():
            found.update(f"{file.relative_to(top).as_posix()}\0{file.stat().st_size}\0".encode())
            found.update(file.read_bytes())
    return found.hexdigest()[:16]
