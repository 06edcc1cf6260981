"""The interface's texts, from the message catalogues."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

PACKAGE = Path(__file__).parent.parent


def web_folder() -> Path:
    """The folder with templates, static files and message catalogues: beside the package in a
    checkout, inside it in an installed wheel."""
    inside = PACKAGE / "web"
    return inside if inside.is_dir() else PACKAGE.parent / "web"


@functools.lru_cache(maxsize=32)
def messages(lang: str) -> Mapping[str, str]:
    """The interface's texts in a language, keyed `file.key`, the forms of a text that counts
    `file.key.category`; English where the language has no catalogue."""
    folder = web_folder() / "messages" / lang
    if not re.fullmatch(r"[a-z]{2,3}", lang) or not folder.is_dir():
        folder = web_folder() / "messages" / "en"
    texts: dict[str, str] = {}
    for file in sorted(folder.glob("*.toml")):
        for key, value in tomllib.loads(file.read_text(encoding="utf-8")).items():
            forms = {f".{form}": text for form, text in value.items()} if isinstance(value, dict) else {"": value}
            texts |= {f"{file.stem}.{key}{form}": text for form, text in forms.items()}
    return MappingProxyType(texts)
