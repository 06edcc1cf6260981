"""What customers type as they speak, in the words and endings that are written.

Dialects, chat spellings and short forms are many, an article is written once, and encoders have read far more of the
written language. Questions and rows are both brought to it before anything is compared, so a question in one dialect
also finds a phrasing in another. Only words that mean one thing to a shop are in the tables; what stays is left to
n-grams.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from botkit.language.normalise import folded, normal
from botkit.language.tables import SHIPPED, Tables

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


def normalise_colloquial(text: str, lang: str, tables: Tables = SHIPPED) -> str:
    """A text with the everyday words and endings of its language as they are written; the rest as it is. What is
    written already stays."""
    lang = tables.known(lang)
    table = tables[lang].colloquial
    for typed, standard in tables.made(_rewrites, lang):
        text = typed.sub(standard, text)
    known, endings = tables.made(_words, lang), tables.made(_endings, lang)
    if not known and not endings:
        return text
    exceptions = tables.made(_exceptions, lang) if table.exceptions else ()

    def replaced(match: re.Match[str]) -> str:
        word = match[0]
        if len(word) == 1 and text[match.end() : match.end() + 1] == ".":  # of an abbreviation
            return word
        value = known.get(folded(word, lang, tables))
        if value is not None:
            return value
        lower = normal(word, lang, tables)
        if endings and lower not in exceptions:
            for typed, standard in endings:
                changed = typed.sub(standard, lower)
                if changed != lower:
                    return changed
        return word

    return _WORD.sub(replaced, text)


def _words(tables: Tables, lang: str) -> Mapping[str, str]:
    """Written words by the folded typed ones."""
    words = tables[lang].colloquial.words.items()
    return {folded(typed, lang, tables): standard for standard, several in words for typed in several}


def _endings(tables: Tables, lang: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(typed), standard) for typed, standard in tables[lang].colloquial.endings)


def _rewrites(tables: Tables, lang: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(typed), standard) for typed, standard in tables[lang].colloquial.rewrites)


def _exceptions(tables: Tables, lang: str) -> frozenset[str]:
    return frozenset(normal(word, lang, tables) for word in tables[lang].colloquial.exceptions)
