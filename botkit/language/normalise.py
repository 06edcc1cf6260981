"""Normal forms of a text, its words and its n-grams; scripts and directions.

What differs by language (its digits, letters, script, stemmer) comes from the tables. The bare letters are the same for
all, so that texts of two languages compare.
"""

from __future__ import annotations

import functools
import re
import threading
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from botkit.language.tables import SHIPPED, Tables
from botkit.vocabulary import Direction

_ZWNJ = "\u200c"
_DROPPED = re.compile(
    # controls but tab and newline, lone surrogates, soft hyphen, zero-width and bidi marks, BOM
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\ud800-\udfff\u061c\u200b\u200d-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\uffff]"
)
ARABIC_MARKS = re.compile("[\u0640\u064b-\u065f\u0670\u06d6-\u06ed]")  # tatweel, harakat, Quranic marks
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_DOTTED_I = re.compile("i\u0307+")
_FOLDED = str.maketrans(
    {"ı": "i", "ي": "ی", "ى": "ی", "ك": "ک", "ة": "ه", "ۀ": "ه", "ß": "ss", "ø": "o", "đ": "d", "ł": "l"}
)


def direction(lang: str, tables: Tables = SHIPPED) -> Direction:
    """Which way a language is written."""
    return tables[lang if tables.known(lang) else lang.split("-")[0]].direction


def clean(text: str) -> str:
    """A customer's text made safe to store and show: composed form, without NULs, controls, lone
    surrogates, bidi overrides and zero-width marks. Newlines and the zero-width non-joiner, which
    Persian spelling needs, stay. Surrounding blanks go.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _DROPPED.sub("", text)).strip(" \t\n" + _ZWNJ)


def normal(text: str, lang: str | None = None, tables: Tables = SHIPPED) -> str:
    """The lower-case form that all matching starts from: compatibility form, no marks, ASCII
    digits, a space for the zero-width non-joiner, and the letters that the language reads as others
    (Persian ones for Arabic ones, the Turkish dotless ı)."""
    text = unicodedata.normalize("NFKC", _DROPPED.sub("", text).replace(_ZWNJ, " "))
    text = ARABIC_MARKS.sub("", text).translate(tables.made(_digits))
    letters = tables.made(_letters, tables.known(lang))
    if letters:
        text = text.translate(letters)
    lower = _DOTTED_I.sub("i", text.lower()).replace("’", "'")
    return unicodedata.normalize("NFKC", lower)  # a small letter may combine with a mark that its capital did not


def _digits(tables: Tables) -> Mapping[int, str]:
    return {ord(char): str(value) for table in tables for ten in table.digits for value, char in enumerate(ten)}


def _letters(tables: Tables, lang: str) -> Mapping[int, str]:
    return str.maketrans(dict(tables[lang].letters))


def words(text: str, lang: str | None = None, tables: Tables = SHIPPED) -> list[str]:
    """The stems of a text, in order. A language without a stemmer keeps its words as they are."""
    table = tables[lang]
    result = [
        w.split("'")[0] if table.apostrophe_ends_word else w.replace("'", "")
        for w in _WORD.findall(normal(text, lang, tables))
    ]
    stem = _stemmer(table.stemmer)
    return [stem(w) for w in result if w]


def ngrams(text: str, lang: str | None = None, sizes: Sequence[int] = (3, 4), tables: Tables = SHIPPED) -> list[str]:
    """Character n-grams of a text's words, each word between blanks, letters folded to their bare
    forms. They need no language and are what forgives a typing error."""
    grams: list[str] = []
    for word in folded(text, lang, tables).split():
        padded = f" {word} "
        for size in sizes:
            if len(padded) < size:
                continue
            grams.extend(padded[i : i + size] for i in range(len(padded) - size + 1))
    return grams


def folded(text: str, lang: str | None = None, tables: Tables = SHIPPED) -> str:
    """Words only, every letter without its marks: ş as s, ı as i, أ as ا, ة as ه, ي as ی."""
    bare = unicodedata.normalize("NFKD", normal(text, lang, tables).translate(_FOLDED))
    bare = "".join(c for c in bare if not unicodedata.combining(c)).translate(_FOLDED)
    return " ".join(w.replace("'", "") for w in _WORD.findall(bare))


def folded_words(words: Iterable[str], tables: Tables = SHIPPED) -> frozenset[str]:
    """The words of a table as they are in folded texts."""
    return frozenset(folded(" ".join(words), tables=tables).split())


def folded_rule(rule: str, tables: Tables = SHIPPED) -> str:
    """A regular expression whose letters are as those of folded texts."""
    return "".join(char if char.isascii() else folded(char, tables=tables) for char in rule)


@functools.lru_cache(maxsize=32)
def _stemmer(name: str) -> Any:
    if not name:
        return lambda word: word
    import snowballstemmer

    algorithm = snowballstemmer.stemmer(name)
    lock = threading.Lock()  # a snowball stemmer keeps the word it works on in itself

    @functools.lru_cache(maxsize=50_000)
    def stem(word: str) -> str:
        with lock:
            return str(algorithm.stemWord(word))

    return stem


def stemmer_version() -> str:
    """The release of the stemmers, written into an index: stems differ between releases."""
    from importlib.metadata import version

    return version("snowballstemmer")


def script(text: str) -> str:
    """The script most letters of a text are in: `latin`, `arabic`, `cyrillic`, `other`, or `` when
    there are no letters."""
    counts = {"latin": 0, "arabic": 0, "cyrillic": 0, "other": 0}
    for char in text:
        if not char.isalpha():
            continue
        point = ord(char)
        if point < 0x250 or 0x1E00 <= point < 0x1F00:
            counts["latin"] += 1
        elif 0x400 <= point < 0x530:
            counts["cyrillic"] += 1
        elif 0x600 <= point < 0x780 or 0xFB50 <= point < 0xFF00:
            counts["arabic"] += 1
        else:
            counts["other"] += 1
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else ""


def script_of(lang: str, tables: Tables = SHIPPED) -> str:
    """The script a language is written in."""
    return tables[lang].script


def typed_in_latin(text: str, lang: str, tables: Tables = SHIPPED) -> bool:
    """Whether a text in a language of another script is typed in Latin letters."""
    return script_of(lang, tables) != "latin" and script(text) == "latin"
