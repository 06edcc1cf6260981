"""What a corpus consists of: small frozen classes that every other package uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from html import escape
from typing import Any, Final

from botkit.language import Additions, Tables

VARIABLES: Final = ("customer", "agent", "order", "shop", "hours", "email", "phone", "address")
"""What a canned reply may leave to be filled in when it is said."""
_UNSHOWN: Final = re.compile("[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What would change a terminal or its line, or cannot be written to it: a name or a value of a file may have it."""
VARIABLE: Final = re.compile(r"\{([^\W\d]\w*)\}")


@dataclass(frozen=True)
class Passage:
    """A part of an article between two headings. `anchor` is empty for the part above the first."""

    anchor: str
    heading: str
    text: str
    html: str


@dataclass(frozen=True)
class Article:
    """One answer in one language. `id` is the same in every language."""

    id: str
    lang: str
    title: str
    passages: tuple[Passage, ...]
    questions: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    category: str = ""
    pages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    action: str = "answer"
    audience: str = "customer"
    updated: str | None = None
    valid_from: str | None = None
    valid_until: str | None = None
    file: str = ""

    @property
    def phrasings(self) -> tuple[str, ...]:
        """Every way the article is asked for: its title, then its questions."""
        return tuple(dict.fromkeys((self.title, *self.questions)))

    @property
    def text(self) -> str:
        return "\n\n".join(f"{p.heading}\n{p.text}".strip() for p in self.passages)

    @property
    def html(self) -> str:
        """The whole body with its headings and anchors, safe to show."""
        parts = []
        for passage in self.passages:
            if passage.heading:
                parts.append(f'<h2 id="{escape(passage.anchor)}">{escape(passage.heading)}</h2>')
            parts.append(passage.html)
        return "\n".join(parts)

    @property
    def url(self) -> str:
        return f"/help/{self.lang}/{self.id}"

    def table(self) -> dict[str, Any]:
        """The article as plain lists and texts, for JSON."""
        return vars(self) | {"passages": [vars(passage) for passage in self.passages]}

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Article:
        """The article that `table` gave."""
        lists = {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
        return cls(**{**table, **lists, "passages": tuple(Passage(**p) for p in table["passages"])})

    def passage(self, anchor: str) -> Passage | None:
        return next((p for p in self.passages if p.anchor == anchor), None)

    def valid_on(self, day: date) -> bool:
        """Whether `valid_from` and `valid_until` let the article be shown on a day."""
        stamp = day.isoformat()
        return (self.valid_from or "") <= stamp <= (self.valid_until or "9999")


@dataclass(frozen=True)
class CannedReply:
    """A text that agents say often, in one language. `id` is the same in every language; `shortcut` is what an agent
    types for it, such as `/thanks`; `text` may have variables, such as `{order}`."""

    id: str
    lang: str
    title: str
    shortcut: str
    text: str
    tags: tuple[str, ...] = ()
    file: str = ""

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with the variables that `values` knows; one that is unknown or empty stays in its braces."""
        return VARIABLE.sub(lambda found: values.get(found[1]) or found[0], self.text)

    def table(self) -> dict[str, Any]:
        """The reply as plain lists and texts, for JSON."""
        return dict(vars(self))

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> CannedReply:
        """The reply that `table` gave."""
        return cls(**{**table, "tags": tuple(table["tags"])})


@dataclass(frozen=True)
class Corpus:
    """All articles of a folder, with what `corpus.toml` says."""

    name: str
    languages: tuple[str, ...]
    default_language: str
    articles: tuple[Article, ...]
    categories: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    shop: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    replies: tuple[CannedReply, ...] = ()
    additions: Additions = field(default_factory=Additions)

    @cached_property
    def tables(self) -> Tables:
        """What is known of languages here: what the package knows, and what the corpus adds."""
        return Tables.of(self.additions)


@dataclass(frozen=True, order=True)
class Finding:
    """Something `check` has to say, about a line of a file."""

    file: str
    line: int
    message: str
    level: str = "error"

    def __str__(self) -> str:
        mark = "" if self.level == "error" else f"{self.level}: "
        text = f"{self.file}:{self.line}: {mark}{self.message}"
        return _UNSHOWN.sub(lambda found: ascii(found[0])[1:-1], text)


class CorpusError(Exception):
    """The corpus cannot be read; `findings` has every error with file and line."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(map(str, self.findings)))


class Bad(Exception):
    """One finding that ends the reading of one file."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message
