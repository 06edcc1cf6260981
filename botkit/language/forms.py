"""Normal forms of a text, its words and its n-grams; scripts and directions."""

from __future__ import annotations

import functools
import re
import threading
import unicodedata
from collections.abc import Sequence
from typing import Any

LANGUAGES = ("en", "ar", "tr", "fa", "bg")
"""The languages that the interface speaks. A corpus may hold any others besides."""

_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "ckb", "ps", "yi"})
_SCRIPT = {"ar": "arabic", "fa": "arabic", "ur": "arabic", "bg": "cyrillic", "ru": "cyrillic", "uk": "cyrillic"}
_STEMMERS = {
    "en": "english",
    "ar": "arabic",
    "tr": "turkish",
    "fa": "persian",
    "de": "german",
    "fr": "french",
    "es": "spanish",
    "it": "italian",
    "nl": "dutch",
    "pt": "portuguese",
    "ru": "russian",
}

_ZWNJ = "\u200c"
_DROPPED = re.compile(
    # controls but tab and newline, lone surrogates, soft hyphen, zero-width and bidi marks, BOM
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\ud800-\udfff\u061c\u200b\u200d-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\uffff]"
)
ARABIC_MARKS = re.compile("[\u0640\u064b-\u065f\u0670\u06d6-\u06ed]")  # tatweel, harakat, Quranic marks
_DIGITS = {ord(c): str(unicodedata.digit(c)) for c in "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹"}
_PERSIAN_LETTERS = str.maketrans({"ي": "ی", "ى": "ی", "ك": "ک", "ۀ": "ه", "ة": "ه"})
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_DOTTED_I = re.compile("i\u0307+")
_FOLDED = str.maketrans(
    {"ı": "i", "ي": "ی", "ى": "ی", "ك": "ک", "ة": "ه", "ۀ": "ه", "ß": "ss", "ø": "o", "đ": "d", "ł": "l"}
)


def direction(lang: str) -> str:
    """`rtl` or `ltr`."""
    return "rtl" if lang.split("-")[0] in _RIGHT_TO_LEFT else "ltr"


def clean(text: str) -> str:
    """A customer's text made safe to store and show: composed form, without NULs, controls, lone
    surrogates, bidi overrides and zero-width marks. Newlines and the zero-width non-joiner, which
    Persian spelling needs, stay. Surrounding blanks go.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _DROPPED.sub("", text)).strip(" \t\n" + _ZWNJ)


def normal(text: str, lang: str | None = None) -> str:
    """The lower-case form that all matching starts from: compatibility form, no marks, ASCII
    digits, a space for the zero-width non-joiner, Persian letters for Persian, the dotless ı for
    Turkish."""
    text = unicodedata.normalize("NFKC", _DROPPED.sub("", text).replace(_ZWNJ, " "))
    text = ARABIC_MARKS.sub("", text).translate(_DIGITS)
    if lang == "fa":
        text = text.translate(_PERSIAN_LETTERS)
    if lang == "tr":
        text = text.replace("I", "ı").replace("İ", "i")
    lower = _DOTTED_I.sub("i", text.lower()).replace("’", "'")
    return unicodedata.normalize("NFKC", lower)  # a small letter may combine with a mark that its capital did not


def words(text: str, lang: str | None = None) -> list[str]:
    """The stems of a text, in order. A language without a stemmer keeps its words as they are."""
    found = [w.split("'")[0] if lang == "tr" else w.replace("'", "") for w in _WORD.findall(normal(text, lang))]
    stem = _stemmer(lang)
    return [stem(w) for w in found if w]


def ngrams(text: str, lang: str | None = None, sizes: Sequence[int] = (3, 4)) -> list[str]:
    """Character n-grams of a text's words, each word between blanks, letters folded to their bare
    forms. They need no language and are what forgives a typing error."""
    grams: list[str] = []
    for word in folded(text, lang).split():
        padded = f" {word} "
        for size in sizes:
            if len(padded) < size:
                continue
            grams.extend(padded[i : i + size] for i in range(len(padded) - size + 1))
    return grams


def folded(text: str, lang: str | None = None) -> str:
    """Words only, every letter without its marks: ş as s, ı as i, أ as ا, ة as ه, ي as ی."""
    bare = unicodedata.normalize("NFKD", normal(text, lang).translate(_FOLDED))
    bare = "".join(c for c in bare if not unicodedata.combining(c)).translate(_FOLDED)
    return " ".join(w.replace("'", "") for w in _WORD.findall(bare))


@functools.lru_cache(maxsize=16)
def _stemmer(lang: str | None) -> Any:
    if lang not in _STEMMERS:
        return lambda word: word
    import snowballstemmer

    algorithm = snowballstemmer.stemmer(_STEMMERS[lang])
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


def script_of(lang: str) -> str:
    """The script a language is written in."""
    return _SCRIPT.get(lang, "latin")


def typed_in_latin(text: str, lang: str) -> bool:
    """Whether a text in a language of another script is typed in Latin letters."""
    return script_of(lang) != "latin" and script(text) == "latin"
