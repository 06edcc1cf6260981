"""The interface's texts, from the message catalogues of the package and of a corpus."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from botkit.language.tables import LANGUAGES, SHIPPED, Tables

PACKAGE = Path(__file__).parent.parent


def web_folder() -> Path:
    """The folder with templates, static files and message catalogues: beside the package in a
    checkout, inside it in an installed wheel."""
    inside = PACKAGE / "web"
    return inside if inside.is_dir() else PACKAGE.parent / "web"


def messages(lang: str, tables: Tables = SHIPPED) -> Mapping[str, str]:
    """The interface's texts in a language, keyed `file.key`, the forms of a text that counts
    `file.key.category`; English where a text is in no catalogue of the language."""
    return tables.made(_messages, lang if lang in tables.interface else LANGUAGES[0])


def _messages(tables: Tables, lang: str) -> Mapping[str, str]:
    texts = _catalogue(lang if lang in LANGUAGES else LANGUAGES[0])
    own = tables.added.texts
    added = {**own.get(LANGUAGES[0], {}), **own.get(lang, {})} if lang not in LANGUAGES else own.get(lang, {})
    added = {key: text for key, text in added.items() if key in texts or f"{key.rpartition('.')[0]}.other" in texts}
    return MappingProxyType({**texts, **added}) if added else texts


def keyed(name: str, table: Mapping[str, Any]) -> dict[str, str]:
    """The texts of one file of a catalogue, `name` without its ending, as `messages` has them."""
    texts: dict[str, str] = {}
    for key, value in table.items():
        forms = {f".{form}": text for form, text in value.items()} if isinstance(value, Mapping) else {"": value}
        texts |= {f"{name}.{key}{form}": text for form, text in forms.items()}
    return texts


@functools.cache
def _catalogue(lang: str) -> Mapping[str, str]:
    """The package's texts in one of its languages."""
    texts: dict[str, str] = {}
    for file in sorted((web_folder() / "messages" / lang).glob("*.toml")):
        texts |= keyed(file.stem, tomllib.loads(file.read_text(encoding="utf-8")))
    return MappingProxyType(texts)
