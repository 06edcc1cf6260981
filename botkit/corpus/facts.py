"""corpus.toml: the shop's name, its languages, the titles of its categories, and what is known of the shop."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from botkit.corpus import files
from botkit.corpus.model import Bad, Corpus

LANG: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z]{2,4})?")
MAX_BYTES: Final = 500_000
MAX_NESTING: Final = 5
_KNOWN: Final = ("name", "languages", "default_language", "default", "categories", "shop")

Say = Callable[..., None]


def facts(folder: Path, say: Say) -> Corpus | None:
    """A corpus without articles, as far as its corpus.toml can be used; each finding is told to
    `say(file, line, message, level)`."""
    file = folder / "corpus.toml"
    try:
        table = _table(file)
        found_langs = sorted(p.name for p in folder.iterdir() if p.is_dir() and LANG.fullmatch(p.name))
    except Bad as bad:
        say(file, bad.line, bad.message)
        return None
    except OSError as error:
        say(folder, 1, f"cannot be looked into ({error.strerror}). Let this account read it.")
        return None
    for key in table:
        if key not in _KNOWN:
            say(file, 1, f"unknown key `{key}`. Known keys: {', '.join(_KNOWN)}.")
    languages = table.get("languages", found_langs)
    if not isinstance(languages, list) or not all(isinstance(x, str) and LANG.fullmatch(x) for x in languages):
        say(file, 1, '`languages` must be a list of language codes, like ["en", "tr"].')
        return None
    if not languages:
        say(
            folder,
            1,
            "an empty corpus: no corpus.toml with `languages` and no language folder. "
            "Make a folder like en/ and put the first article in it.",
        )
        return None
    for name in found_langs:
        if name not in languages:
            say(
                folder / name,
                1,
                f"the folder `{name}` is not among `languages` of corpus.toml and is left out. Add it there.",
                "warning",
            )
    default = table.get("default_language", table.get("default", languages[0]))
    if default not in languages:
        say(file, 1, f"default_language `{default}` is not among languages {languages}. Choose one of them.")
        return None
    name = table.get("name", folder.absolute().name)
    categories, shop = table.get("categories", {}), table.get("shop", {})
    if not isinstance(categories, dict) or not all(
        isinstance(titles, dict) and all(isinstance(title, str) for title in titles.values())
        for titles in categories.values()
    ):
        say(file, 1, '`categories` must be tables of titles, like [categories.returns] en = "Returns".')
        categories = {}
    if not isinstance(shop, dict) or not all(isinstance(v, dict) for v in shop.values()):
        say(file, 1, "`shop` must be a table per language, like [shop.en].")
        shop = {}
    return Corpus(str(name), tuple(languages), str(default), (), categories, shop)


def _table(file: Path) -> dict[str, Any]:
    if not file.exists() and not file.is_symlink():
        return {}
    text = files.text(files.content(file, MAX_BYTES))
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise Bad(1, f"nested too deep; {MAX_NESTING} levels are the limit. Keep to the known keys.") from None
    except ValueError as error:
        match = re.search(r"line (\d+)", str(error))
        raise Bad(int(match[1]) if match else 1, f"not valid TOML: {error}. Correct that line.") from None
    for key, value in table.items():
        _check(value, key)
    return table


def _is_share(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _check(value: Any, key: str) -> None:
    """Bad for what an index cannot hold. Goes by levels, since nesting may be deeper than Python's own."""
    level, depth = [value], 1
    while level:
        if depth > MAX_NESTING:
            raise Bad(1, f"`{key}` is nested too deep; {MAX_NESTING} levels are the limit. Keep to the known keys.")
        for each in level:
            whole = isinstance(each, int) and abs(each) <= 2**53
            if not whole and not isinstance(each, (dict, list, str)) and not _is_share(each):
                raise Bad(1, f"`{key}` has a day, a time or a number of no use in it. Put it in quotes, as a text.")
        level = [
            item
            for each in level
            if isinstance(each, (dict, list))
            for item in (each.values() if isinstance(each, dict) else each)
        ]
        depth += 1
