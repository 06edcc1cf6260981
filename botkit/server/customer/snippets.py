"""Owns the few lines of an article that a search shows, and which words in them match.

It works on plain text and gives offsets; whoever shows them escapes the text and sets the marks.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from botkit import language

LENGTH = 220
LOOKED_AT = 20_000
"""Characters of a text in which words are looked for."""
_WORD = re.compile(r"[^\W_]+(?:['’\u200c][^\W_]+)*")


@dataclass(frozen=True)
class Snippet:
    """A cut of a text; `marks` are (start, end) in characters of `text`."""

    text: str
    marks: tuple[tuple[int, int], ...]

    @property
    def html(self) -> Markup:
        """The text escaped, with each match in <mark>."""
        parts: list[str] = []
        at = 0
        for start, end in self.marks:
            parts += (escape(self.text[at:start]), Markup("<mark>"), escape(self.text[start:end]), Markup("</mark>"))
            at = end
        parts.append(escape(self.text[at:]))
        return Markup("").join(parts)


def snippet(
    text: str, query: str, lang: str, tables: language.Tables = language.SHIPPED, length: int = LENGTH
) -> Snippet:
    """The cut of `text`, about `length` characters, that holds most different words of `query`. What is far down in a
    long text is not looked at."""
    text = " ".join(text[:LOOKED_AT].split()).removeprefix("• ")
    wanted = _forms(query, lang, tables)
    result: list[tuple[int, int, frozenset[str]]] = []
    if wanted:
        known: dict[str, frozenset[str]] = {}
        for match in _WORD.finditer(text):
            word = match.group()
            common = known.get(word)
            if common is None:
                common = known[word] = _forms(word, lang, tables) & wanted
            if common:
                result.append((match.start(), match.end(), common))
    start, end = _window(text, result, length)
    cut = text[start:end].strip()
    shift = start + (len(text[start:end]) - len(text[start:end].lstrip()))
    marks = [(s - shift, e - shift) for s, e, _ in result if s >= shift and e <= shift + len(cut)]
    before, after = ("… " if start > 0 else ""), (" …" if end < len(text) else "")
    return Snippet(before + cut + after, tuple((s + len(before), e + len(before)) for s, e in marks))


def _forms(text: str, lang: str, tables: language.Tables) -> frozenset[str]:
    stems, common = language.words(text, lang, tables), tables.made(_common, tables.known(lang))
    return frozenset(stem for stem in stems if len(stem) > 1 and stem not in common)


def _common(tables: language.Tables, lang: str) -> frozenset[str]:
    """Stems too common to be worth a mark."""
    return frozenset(stem for word in tables[lang].common_words for stem in language.words(word, lang, tables))


def _window(text: str, found: Sequence[tuple[int, int, frozenset[str]]], length: int) -> tuple[int, int]:
    """Where to cut, between words."""
    if len(text) <= length:
        return 0, len(text)
    start = 0
    if found:
        best, last, within = 0, 0, Counter[str]()  # the forms from each word on, within three quarters of the cut
        for at, (first, _, forms) in enumerate(found):
            last = max(last, at)
            while last < len(found) and found[last][1] <= first + length * 3 // 4:
                within.update(found[last][2])
                last += 1
            if len(within) > best:
                best, start = len(within), first
            if last > at:
                within -= Counter(forms)
        start = max(0, min(start - length // 4, len(text) - length))
    end = min(len(text), start + length)
    if start > 0:
        start = text.find(" ", start) + 1 or start
    if end < len(text):
        end = text.rfind(" ", start, end) if text.rfind(" ", start, end) > start else end
    return start, end
