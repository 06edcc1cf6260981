"""What is known of each language, as data: one TOML file a language, checked where it is read.

The package's own are in `data/`, with what each key means. A corpus may bring tables that add a language or replace
keys, and texts of the interface (`Tables.of`). Nothing is read at import: what is first asked for a language reads the
files, in some 10 ms. What the words are good for, the other modules know.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from botkit.language import schema
from botkit.language.schema import Table

LANGUAGES = ("en", "ar", "tr", "fa", "bg")
"""The languages that the package has tables and catalogues of; texts of the first stand in for those of any other."""
DATA = Path(__file__).parent / "data"
CODE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z]{2,4})?")
"""what may be a language's code"""

T = TypeVar("T")


class LanguageError(Exception):
    """A language's table cannot be used; the text has the file, the key and the cure."""


def checked(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """As much of a raw table as can be used, and what cannot: (key, what is wrong and what helps)."""
    result, problems = schema.checked(raw)
    known = domain_names()
    unknown = sorted(set(result.get("domains", ())) - set(known))
    problems += [(f"domains.{name}", f"unknown domain `{name}`. Use one of {', '.join(known)}.") for name in unknown]
    if unknown:
        result["domains"] = {name: words for name, words in result["domains"].items() if name in known}
    return result, problems


@functools.cache
def shipped(lang: str) -> Mapping[str, Any]:
    """The package's raw table of a language, or what little is known of one that has none. Raises LanguageError."""
    file = DATA / f"{lang}.toml"
    if lang not in LANGUAGES:
        return {key: values[lang] for key, values in _others().items() if lang in values}
    try:
        raw, problems = checked_file(file)
    except (OSError, ValueError) as error:
        raise LanguageError(f"{file}: cannot be read ({error}). Install botkit again, or correct the file.") from error
    if problems:
        raise LanguageError("\n".join(f"{file}: {message}" for _, message in problems))
    return raw


def checked_file(file: Path) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """`checked` for a file. Raises OSError and ValueError."""
    return checked(tomllib.loads(file.read_text(encoding="utf-8")))


def domain_names() -> tuple[str, ...]:
    """The other domains that words are known of, in the order in which an index numbers them."""
    return tuple(_first()["domains"])


@functools.cache
def _first() -> Mapping[str, Any]:
    return tomllib.loads((DATA / f"{LANGUAGES[0]}.toml").read_text(encoding="utf-8"))


@functools.cache
def _others() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((DATA / "others.toml").read_text(encoding="utf-8"))


@functools.cache
def code() -> str:
    """A hash of what reads a text: this package's code and data."""
    files = [*sorted(Path(__file__).parent.glob("*.py")), *sorted(DATA.glob("*.toml"))]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


# ---------------------------------------------------------------- all languages together


@dataclass(frozen=True)
class Additions:
    """What a corpus brings of its own: raw tables, and texts of the interface, keyed `file.key`, both by language."""

    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.tables or self.texts)

    def json(self) -> str:
        """For `Additions.of`."""
        table = {"tables": self.tables, "texts": self.texts}
        return json.dumps(table, ensure_ascii=False, sort_keys=True, indent=1) + "\n"

    @classmethod
    def of(cls, text: str) -> Additions:
        """What `json` wrote, as far as this version of botkit can use it."""
        table = json.loads(text)
        return cls({lang: checked(raw)[0] for lang, raw in table["tables"].items()}, table["texts"])


class Tables:
    """The tables of all languages: the package's with a corpus's own over them. Immutable, safe to share.

    `names` are the shop's, which may stand beside a greeting. Any code has a table; `codes` are those that have words.
    """

    def __init__(self, added: Additions | None = None, names: Iterable[str] = ()) -> None:
        self.added, self.names = added or Additions(), tuple(names)
        self.codes = (*LANGUAGES, *sorted(set(self.added.tables) - set(LANGUAGES)))
        self.interface = (*LANGUAGES, *sorted(set(self.added.texts) - set(LANGUAGES)))
        """the languages that the interface speaks"""
        self._made: dict[Hashable, Any] = {}

    @classmethod
    def of(cls, added: Additions | None = None, names: Iterable[str] = ()) -> Tables:
        """The tables with a corpus's additions; the same for the same, so that what is made of them is made once."""
        return _shared(added.json() if added else "", tuple(sorted(set(names))))

    @property
    def digest(self) -> str:
        """A name for what a corpus has added; empty where that is nothing."""
        return hashlib.sha256(self.added.json().encode()).hexdigest()[:16] if self.added else ""

    def known(self, lang: str | None) -> str:
        """A language's code where anything is known of it; else none, so that nothing is kept for codes at will."""
        return lang if lang is not None and lang in self.made(_known) else ""

    def __getitem__(self, lang: str | None) -> Table:
        return self.made(_table, self.known(lang))

    def __iter__(self) -> Iterator[Table]:
        """The tables that have words, in order."""
        return (self[lang] for lang in self.codes)

    def made(self, make: Callable[..., T], *of: Hashable) -> T:
        """What a module makes of these tables, `make(tables, *of)`, made once."""
        key = (make, *of)
        value = self._made.get(key)
        if value is None:
            value = self._made.setdefault(key, make(self, *of))  # by two threads at worst
        return value  # type: ignore[no-any-return]


@functools.lru_cache(maxsize=8)
def _shared(added: str, names: tuple[str, ...]) -> Tables:
    return Tables(Additions.of(added) if added else None, names)


def _known(tables: Tables) -> frozenset[str]:
    return frozenset((*tables.codes, *(lang for values in _others().values() for lang in values)))


def _table(tables: Tables, lang: str) -> Table:
    return schema.built(schema.merged(shipped(lang), tables.added.tables.get(lang, {})))


SHIPPED = Tables()
