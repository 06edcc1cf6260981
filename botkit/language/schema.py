"""What a language's table holds: its keys, how each is written, and what is wrong with one that is not.

The dataclasses are the schema, for the package's files and for a corpus's. What each key is for, the comments in the
files say.
"""

from __future__ import annotations

import difflib
import functools
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, get_args, get_type_hints

from botkit import vocabulary


@dataclass(frozen=True)
class Kind:
    """How a value is written: `expected` says so to whoever wrote it otherwise, `read` raises ValueError."""

    expected: str
    read: Callable[[Any], Any]


def _is(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise ValueError
    return value


def _words(value: Any) -> tuple[str, ...]:
    return tuple(_is(value, str).split())


def _lines(value: Any) -> tuple[str, ...]:
    return tuple(filter(None, _is(value, str).split("\n")))


def _list(value: Any) -> tuple[str, ...]:
    return tuple(_is(each, str) for each in _is(value, list))


def _rule(value: Any) -> str:
    try:
        re.compile(_is(value, str))
    except re.error as error:
        raise ValueError(f"“{value[:60]}” is not a regular expression ({error})") from None
    return str(value)


def _rules(value: Any) -> tuple[str, ...]:
    return tuple(_rule(each) for each in _is(value, list))


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    result = tuple(_list(each) for each in _is(value, list))
    if any(len(each) != 2 for each in result):
        raise ValueError
    return tuple((a, b) for a, b in result)


def _rule_pairs(value: Any) -> tuple[tuple[str, str], ...]:
    result = _pairs(value)
    for typed, written in result:
        try:
            re.compile(_rule(typed)).sub(written, "")
            if re.compile(typed).groups < max((int(n) for n in re.findall(r"\\(\d)", written)), default=0):
                raise ValueError(f"“{written}” names a group that “{typed[:60]}” does not have")
        except (re.error, IndexError) as error:
            raise ValueError(f"“{written}” cannot stand for “{typed[:60]}” ({error})") from None
    return result


def _strings(value: Any) -> dict[str, str]:
    return {key: _is(each, str) for key, each in _is(value, dict).items()}


def _words_of(value: Any) -> dict[str, list[str]]:
    return {key: several.split() for key, several in _strings(value).items()}


def _choice(*names: str) -> Kind:
    def read(value: Any) -> str:
        if value not in names:
            raise ValueError
        return str(value)

    return Kind(f"one of {', '.join(names)}", read)


def _digits(value: Any) -> tuple[str, ...]:
    result = _list(value)
    if any(len(each) != 10 for each in result):
        raise ValueError
    return result


def _letters(value: Any) -> dict[str, str]:
    result = _strings(value)
    if any(len(letter) != 1 for letter in result):
        raise ValueError
    return result


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not 0 < value < math.inf:
        raise ValueError
    return float(value)


def _stemmer(value: Any) -> str:
    import snowballstemmer

    if value and value not in snowballstemmer.algorithms():
        raise ValueError(f"there is no stemmer {value!r}")
    return str(_is(value, str))


Text = Annotated[str, Kind("a text in quotes", lambda value: _is(value, str))]
Flag = Annotated[bool, Kind("true or false", lambda value: _is(value, bool))]
Number = Annotated[float, Kind("a number above 0, like 3.0", _number)]
Words = Annotated[tuple[str, ...], Kind('words parted by blanks, in one text, like "hello hi"', _words)]
Lines = Annotated[tuple[str, ...], Kind("a text with one question on each line", _lines)]
Phrases = Annotated[tuple[str, ...], Kind('a list of phrases, like ["by the way", "btw"]', _list)]
Rule = Annotated[str, Kind("a regular expression in quotes", _rule)]
Rules = Annotated[tuple[str, ...], Kind("a list of regular expressions", _rules)]
Pairs = Annotated[tuple[tuple[str, str], ...], Kind('a list of pairs, like [["sh", "ш"]]', _pairs)]
Rewrites = Annotated[
    tuple[tuple[str, str], ...], Kind("a list of pairs: a regular expression, and what to write", _rule_pairs)
]
WordsOf = Annotated[Mapping[str, list[str]], Kind('lines like "written" = "typed typd"', _words_of)]
Letters = Annotated[Mapping[str, str], Kind('letters and what each stands for, like { "ك" = "ک" }', _letters)]
Digits = Annotated[tuple[str, ...], Kind('a list of texts of ten digits each, like ["٠١٢٣٤٥٦٧٨٩"]', _digits)]
Stemmer = Annotated[str, Kind("the name of a Snowball stemmer, or an empty text", _stemmer)]
Script = Annotated[str, _choice("latin", "arabic", "cyrillic", "other")]
Direction = Annotated[vocabulary.Direction, _choice(*get_args(vocabulary.Direction))]


@dataclass(frozen=True)
class Detection:
    function_words: Words = ()
    letters: Text = ""
    letters_weight: Number = 1.0
    letters_against: Text = ""
    latin_words: Words = ()


@dataclass(frozen=True)
class SmallTalk:
    greeting: Words = ()
    thanks: Words = ()
    goodbye: Words = ()
    fillers: Words = ()
    robot: Phrases = ()
    robot_rules: Rules = ()


@dataclass(frozen=True)
class Person:
    phrases: Phrases = ()
    alone: Phrases = ()
    rules: Rules = ()


@dataclass(frozen=True)
class Concerns:
    complaint: Phrases = ()
    refund: Phrases = ()
    data_request: Phrases = ()


@dataclass(frozen=True)
class FollowUp:
    grammar: Words = ()
    asked_of_anything: Words = ()
    openings: Phrases = ()
    agreeing: Words = ()
    opening_prefixes: Words = ()
    not_prefixed: Words = ()
    openings_after: Words = ()
    endings: Phrases = ()
    pointers: Phrases = ()
    demonstratives: Words = ()
    demonstrative_followers: Words = ()
    attached_pronouns: Words = ()
    not_attached: Words = ()
    topic_shifts: Phrases = ()
    topic_shifts_at_start: Phrases = ()
    refusals: Phrases = ()


@dataclass(frozen=True)
class Ordinals:
    first: Words = ()
    second: Words = ()
    third: Words = ()
    fourth: Words = ()
    last: Words = ()
    ones: Words = ()
    beside: Words = ()
    number_endings: Rule = ""


@dataclass(frozen=True)
class Prefixes:
    particles: Rules = ()
    title_words: Rule = ""
    domain_words: Rule = ""


@dataclass(frozen=True)
class Colloquial:
    rewrites: Rewrites = ()
    endings: Rewrites = ()
    exceptions: Words = ()
    words: WordsOf = field(default_factory=dict)


@dataclass(frozen=True)
class Latin:
    keyboard: Letters = field(default_factory=dict)
    rules: Rewrites = ()
    letters: Pairs = ()


@dataclass(frozen=True)
class Consonants:
    letters: Letters = field(default_factory=dict)
    latin: Pairs = ()
    silent_last: Words = ()


@dataclass(frozen=True)
class Spelling:
    letters: Letters = field(default_factory=dict)
    vowel_last: Words = ()
    latin: Pairs = ()
    joins: Rewrites = ()
    rules: Rewrites = ()
    written: Pairs = ()


@dataclass(frozen=True)
class OutOfDomain:
    questions: Lines = ()


@dataclass(frozen=True)
class Table:
    """What is known of one language. The comments in `data/en.toml` say what each key is for."""

    script: Script = "latin"
    direction: Direction = "ltr"
    stemmer: Stemmer = ""
    digits: Digits = ()
    letters: Letters = field(default_factory=dict)
    apostrophe_ends_word: Flag = False
    common_words: Words = ()
    detection: Detection = field(default_factory=Detection)
    smalltalk: SmallTalk = field(default_factory=SmallTalk)
    person: Person = field(default_factory=Person)
    concerns: Concerns = field(default_factory=Concerns)
    followup: FollowUp = field(default_factory=FollowUp)
    ordinals: Ordinals = field(default_factory=Ordinals)
    prefixes: Prefixes = field(default_factory=Prefixes)
    colloquial: Colloquial = field(default_factory=Colloquial)
    latin: Latin = field(default_factory=Latin)
    consonants: Consonants = field(default_factory=Consonants)
    spelling: Spelling = field(default_factory=Spelling)
    domains: WordsOf = field(default_factory=dict)
    out_of_domain: OutOfDomain = field(default_factory=OutOfDomain)


def checked(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """As much of a raw table as can be used, and what cannot: (key, what is wrong and what helps)."""
    problems: list[tuple[str, str]] = []
    return _checked(raw, Table, "", problems), problems


def _checked(raw: Mapping[str, Any], section: type, path: str, problems: list[tuple[str, str]]) -> dict[str, Any]:
    known = kinds(section)
    result: dict[str, Any] = {}
    for key, value in raw.items():
        wanted, name = known.get(key), f"{path}{key}"
        if wanted is None:
            near = difflib.get_close_matches(key, known, n=1)
            cure = f"Did you mean `{path}{near[0]}`?" if near else f"Known keys here: {', '.join(known)}."
            problems.append((name, f"unknown key `{name}`. {cure}"))
        elif not isinstance(wanted, Kind):
            if isinstance(value, dict):
                result[key] = _checked(value, wanted, f"{name}.", problems)
            else:
                problems.append((name, f"`{name}` must be a section. Write [{name}] and its keys below."))
        else:
            try:
                wanted.read(value)
                result[key] = value
            except (ValueError, TypeError) as error:
                why = f": {error}" if str(error) else ""
                problems.append((name, f"`{name}` must be {wanted.expected}{why}. Correct it or take it out."))
    return result


def merged(raw: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """A raw table with another's keys in place of its own; tables within it key by key."""
    both = dict(raw)
    for key, value in over.items():
        before = both.get(key)
        both[key] = merged(before, value) if isinstance(value, dict) and isinstance(before, dict) else value
    return both


def built(raw: Mapping[str, Any]) -> Table:
    """The table of a raw one that has been checked."""
    table: Table = _built(raw, Table)
    return table


def _built(raw: Mapping[str, Any], section: type) -> Any:
    known = kinds(section)
    result = {}
    for key, value in raw.items():
        kind = known[key]
        result[key] = kind.read(value) if isinstance(kind, Kind) else _built(value, kind)
    return section(**result)


@functools.cache
def kinds(section: type) -> Mapping[str, Kind | type]:
    """How each key of a section is written, in order; for a section within it, its type."""
    hints = get_type_hints(section, include_extras=True)
    return {name: hint.__metadata__[0] if hasattr(hint, "__metadata__") else hint for name, hint in hints.items()}
