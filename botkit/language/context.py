"""How a text hangs on what was said before it: cues, a pick out of things offered, a refusal of all of them.

This module reads one text, and the titles it may name. What was said before, and what a cue is worth, is not known
here; the words are in `cues`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from botkit.language import cues
from botkit.language.forms import folded
from botkit.language.latin import native


@dataclass(frozen=True)
class Lean:
    """What in a text's words points back."""

    opens: bool
    """it begins or ends as a continuation does: "and ...", "what about ...", « ... چی؟»"""
    refers: bool
    """it has a pronoun, or a demonstrative that no noun follows"""
    turns: bool
    """it announces another subject: "by the way", "another question" """
    words: int
    things: tuple[str, ...]
    """its words that name a thing, folded: neither grammar nor what anything can be asked for (its price, its time,
    whether it is possible). A text without any says nothing by itself."""


def lean(text: str, lang: str) -> Lean:
    """The cues of a text in one of the five languages; in any other there are none, and all its words name things."""
    bare = folded(native(text, lang), lang)
    found = bare.split()
    if lang not in _PLAIN:
        return Lean(False, False, False, len(found), tuple(found))
    turns = bool(_TURNINGS[lang].search(bare))
    opens = not turns and bool(_OPENINGS[lang].search(bare) or _ENDINGS[lang].search(bare) or _opens(bare, lang))
    refers = bool(_POINTERS[lang].search(bare)) or any(_points(word, lang) for word in found)
    return Lean(opens, refers, turns, len(found), tuple(w for w in found if not _is_plain(w, lang)))


def ordinal(text: str) -> int | None:
    """Which of several things offered a text picks: 1 for the first, -1 for the last; None when it says more than
    that. In any of the five languages.

    >>> ordinal("the second one please"), ordinal("sonuncusu"), ordinal("the second fastest delivery")
    (2, -1, None)
    """
    found = _unended(text)
    if not 0 < len(found) <= 8:
        return None
    picked = {_ORDINALS[word] for word in found if word in _ORDINALS}
    if len(picked) == 2 and not _ONES.isdisjoint(found):  # "the second one"
        picked -= {1}
    plain = all(word in _ORDINALS or word in _PICKING for word in found)
    return picked.pop() if plain and len(picked) == 1 else None


def neither(text: str) -> bool:
    """Whether a text refuses all that was offered: "none of these". In any of the five languages."""
    return folded(re.sub("[!.,،]+", " ", text[:100])) in _REFUSALS


def named(text: str, titles: Sequence[str], lang: str) -> int | None:
    """Which title a text names, by its place: all of the text's things that any title has must be of that one alone,
    and most of them in it. None if there is no such one. Words are alike when they begin alike.

    >>> named("the refund", ["When will I get my refund?", "Who pays for the return?"], "en")
    0
    """
    asked = [_unprefixed(word, lang) for word in lean(text, lang).things]
    held = [[_unprefixed(word, lang) for word in lean(title, lang).things] for title in titles]
    owners = [{i for i, words in enumerate(held) if any(_alike(word, w) for w in words)} for word in asked]
    found = {i for owner in owners if len(owner) == 1 for i in owner}
    if len(found) != 1:
        return None
    (one,) = found
    return one if sum(one in owner for owner in owners) * 2 > len(asked) else None


def _alike(a: str, b: str) -> bool:
    stem = min(max(min(len(a), len(b)) - 1, 4), 5)
    return a == b or (min(len(a), len(b)) >= 4 and a[:stem] == b[:stem])


def _unprefixed(word: str, lang: str) -> str:
    """An Arabic word without what is written together with it."""
    return re.sub("^(و|ف)?(ب|ک)?(ال|لل)(?=...)", "", word) if lang == "ar" else word


def _is_plain(word: str, lang: str) -> bool:
    plain = _PLAIN[lang]
    if word in plain or (word.isdigit() and len(word) < 3):
        return True
    if lang == "ar":  # and, so, with, for and as are written together with the next word
        bare = re.sub("^(و|ف)(?=..)", "", word)
        return bare in plain or re.sub("^(ب|ل|ک)(?=..)", "", bare) in plain
    return False


def _opens(bare: str, lang: str) -> bool:
    """The openings that are no words of their own: the Arabic "and", the Persian "too"."""
    if lang == "ar":
        first = next((w for w in bare.split() if w not in _AGREEING["ar"]), "")
        return len(first) > 2 and first.startswith("و") and first not in _ARABIC_W
    return lang == "fa" and bool(re.search(r"^\w+( \w+)? (هم|ham)\b", bare))


def _points(word: str, lang: str) -> bool:
    """An attached pronoun: ارجعها, پولش."""
    return lang in cues.ATTACHED and len(word) >= 4 and word.endswith(_ATTACHED[lang]) and word not in _UNATTACHED


def _unended(text: str) -> list[str]:
    """The words of a short text, without Turkish and Bulgarian endings of numbers ("2.si", "2-то")."""
    if len(text) > 80:
        return []
    return folded(
        re.sub(r"(\d)[.'’-]?(si|sı|su|sü|inci|ıncı|nci|ncı|yi|yı|[вр]?ия|[вр]?о?то|[вр]?а?та|ви|ри)\b", r"\1", text)
    ).split()


# ---------------------------------------------------------------- the words, folded


def _set(*texts: str) -> frozenset[str]:
    return frozenset(word for text in texts for word in folded(text).split())


def _phrases(text: str) -> list[str]:
    return sorted((folded(phrase) for phrase in text.split(",")), key=len, reverse=True)


def _any(text: str) -> str:
    return f"({'|'.join(_phrases(text))})"


def _pointers(lang: str) -> re.Pattern[str]:
    words, followers = ("|".join(sorted(_set(part))) for part in cues.DEMONSTRATIVES[lang])
    return re.compile(rf"\b{_any(cues.POINTERS[lang])}\b|\b({words})( ({followers})\b|$)")


def _turnings(lang: str) -> re.Pattern[str]:
    starts = cues.TURNING_STARTS.get(lang)
    return re.compile(rf"\b{_any(cues.TURNINGS[lang])}\b" + (rf"|^{_any(starts)}\b" if starts else ""))


_PLAIN = {lang: _set(*texts) for lang, texts in cues.PLAIN.items()}
_AGREEING = {lang: _set(text) for lang, text in cues.AGREEING.items()}
_OPENINGS = {
    lang: re.compile(rf"^(({'|'.join(sorted(_AGREEING[lang]))}) )*{_any(text)}\b")
    for lang, text in cues.OPENINGS.items()
}
_ENDINGS = {lang: re.compile(rf"\b{_any(text)}$") for lang, text in cues.ENDINGS.items()}
_POINTERS = {lang: _pointers(lang) for lang in cues.POINTERS}
_TURNINGS = {lang: _turnings(lang) for lang in cues.TURNINGS}
_ATTACHED = {lang: tuple(folded(ending) for ending in endings) for lang, endings in cues.ATTACHED.items()}
_UNATTACHED, _ARABIC_W = _set(*cues.UNATTACHED), _set(cues.ARABIC_W)
_ORDINALS = {word: number for number, text in cues.ORDINALS.items() for word in folded(text).split()}
_PICKING, _ONES = _set(*cues.PICKING), _set(cues.ONES)
_REFUSALS = frozenset(phrase for text in cues.REFUSALS for phrase in _phrases(text))
