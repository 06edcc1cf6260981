"""What people type that is no question for an article: the acts of a dialogue, with examples in each language.

The examples stand in `acts/<lang>.toml`, as they are typed. They are read where an index is built; what is said to an
act stands in the interface's catalogues, under `acts.<act>_1` and so on.
"""

from __future__ import annotations

import functools
import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, get_args

from botkit.vocabulary import Act

ACTS: Final[tuple[Act, ...]] = get_args(Act)
QUESTIONS: Final = "questions"
"""the lines that look like an act and are questions"""
FOLDER: Final = Path(__file__).parent / "acts"


@functools.cache
def act_examples(lang: str) -> Mapping[str, tuple[str, ...]]:
    """The examples of each act, and of QUESTIONS, in a language; none in one without a file."""
    file = FOLDER / f"{lang}.toml"
    if not lang.isalpha() or not file.is_file():
        return MappingProxyType({})
    raw = tomllib.loads(file.read_text(encoding="utf-8"))
    return MappingProxyType({name: tuple(raw[name]) for name in (*ACTS, QUESTIONS)})


@functools.cache
def acts_digest() -> str:
    """A checksum of all examples."""
    digest = hashlib.sha256()
    for file in sorted(FOLDER.glob("*.toml")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
