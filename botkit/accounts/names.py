"""Names of accounts: which may be given, as what they are compared, and which look alike."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Final

from botkit.accounts.model import AccountError

LONGEST: Final = 64
_NAME: Final = re.compile(r"[^\W_][\w.@+ -]{0,62}[^\W_]|[^\W_]")


def checked_name(name: str) -> str:
    """The name as it is kept, or PeopleError."""
    name = unicodedata.normalize("NFKC", name).strip()
    if not _NAME.fullmatch(name):
        raise AccountError(
            "bad_name",
            f"{name[:80]!r} cannot be a name: use up to 64 letters, digits, blanks and . _ - + @, "
            "beginning and ending with a letter or digit",
        )
    return name


def key_of(name: str) -> str:
    """A name as it is compared."""
    # İ and I of a Turkish keyboard are one letter here: a name must not differ by the dot alone.
    folded = unicodedata.normalize("NFKC", name).strip().casefold().replace("i\u0307", "i").replace("ı", "i")
    return "".join(char for char in folded if char.isprintable())[:LONGEST]


def alike(one: str, other: str) -> bool:
    """Whether two names are taken for each other."""
    return not _skeletons(one).isdisjoint(_skeletons(other))


def _skeletons(name: str) -> set[str]:
    """A name as it looks (after Unicode UTS 39, a letter at a time, so that Berna and Bema may both work here), with
    each I read as the l that it resembles and as the capital that it is."""
    table = _alike()
    drawn = "".join(table.get(char, char) for char in unicodedata.normalize("NFKC", name))
    return {key_of(" ".join(each.split())) for each in (drawn, drawn.replace("I", "l"))}


@functools.cache
def _alike() -> dict[str, str]:
    """Characters that look like a Latin letter, or like another way to write an Arabic one, and which."""
    from confusable_homoglyphs.confusables import confusables_data  # a megabyte, needed when a name is given

    same = {"1": "l", "|": "l", "0": "o", "ي": "ی", "ى": "ی", "ك": "ک"}
    result = dict(same)
    for char, others in confusables_data.items():
        latin = [
            other["c"] for other in others if other["c"].isascii() and other["c"].isalnum() and len(other["c"]) == 1
        ]
        if latin and not char.isascii():
            result.setdefault(char, same.get(latin[0], latin[0]))
    return result
