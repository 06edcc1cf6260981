"""How a text hangs on what was said before it: cues, a pick out of things offered, a refusal of all of them.

This module reads one text, and the titles it may name. What was said before, and what a cue is worth, is not known
here; the words are in the tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from botkit.language.normalise import folded, folded_rule, folded_words
from botkit.language.tables import SHIPPED, Tables
from botkit.language.transliteration import normalise_script


@dataclass(frozen=True)
class ContextCues:
    """What in a text's words points back."""

    continuation: bool
    """it begins or ends as a continuation does: "and ...", "what about ...", « ... چی؟»"""
    reference: bool
    """it has a pronoun, or a demonstrative that no noun follows"""
    topic_shift: bool
    """it announces another subject: "by the way", "another question" """
    words: int
    content_words: tuple[str, ...]
    """its words that name a thing, folded: neither grammar nor what anything can be asked for (its price, its time,
    whether it is possible). A text without any says nothing by itself."""


def context_cues(text: str, lang: str, tables: Tables = SHIPPED) -> ContextCues:
    """The cues of a text in a language; in one without a table there are none, and all its words name things."""
    bare = folded(normalise_script(text, lang, tables), lang, tables)
    result = bare.split()
    if not tables[lang].followup.grammar:
        return ContextCues(False, False, False, len(result), tuple(result))
    cues = tables.made(_Cues, lang)
    topic_shift = bool(cues.topic_shifts.search(bare))
    at_either_end = cues.openings.search(bare) or cues.endings.search(bare) or cues.opens(bare)
    continuation = not topic_shift and bool(at_either_end)
    reference = bool(cues.pointers.search(bare)) or any(cues.points(word) for word in result)
    named = tuple(word for word in result if not cues.is_plain(word))
    return ContextCues(continuation, reference, topic_shift, len(result), named)


def ordinal(text: str, tables: Tables = SHIPPED) -> int | None:
    """Which of several things offered a text picks: 1 for the first, -1 for the last; None when it says more than
    that. In any language that there is a table of.

    >>> ordinal("the second one please"), ordinal("sonuncusu"), ordinal("the second fastest delivery")
    (2, -1, None)
    """
    words = tables.made(_Ordinals)
    result = words.unended(text, tables)
    if not 0 < len(result) <= 8:
        return None
    picked = {words.places[word] for word in result if word in words.places}
    if len(picked) == 2 and not words.ones.isdisjoint(result):  # "the second one"
        picked -= {1}
    plain = all(word in words.places or word in words.beside for word in result)
    return picked.pop() if plain and len(picked) == 1 else None


def neither(text: str, tables: Tables = SHIPPED) -> bool:
    """Whether a text refuses all that was offered: "none of these". In any language that there is a table of."""
    return folded(re.sub("[!.,،]+", " ", text[:100]), tables=tables) in tables.made(_refusals)


def named(text: str, titles: Sequence[str], lang: str, tables: Tables = SHIPPED) -> int | None:
    """Which title a text names, by its place: all of the text's things that any title has must be of that one alone,
    and most of them in it. None if there is no such one. Words are alike when they begin alike.

    >>> named("the refund", ["When will I get my refund?", "Who pays for the return?"], "en")
    0
    """
    rule = tables[lang].prefixes.title_words
    prefix = re.compile(folded_rule(rule, tables)) if rule else None

    def content_words(said: str) -> list[str]:
        result = context_cues(said, lang, tables).content_words
        return [prefix.sub("", word) for word in result] if prefix else list(result)

    asked = content_words(text)
    held = [content_words(title) for title in titles]
    owners = [{i for i, words in enumerate(held) if any(_alike(word, w) for w in words)} for word in asked]
    result = {i for owner in owners if len(owner) == 1 for i in owner}
    if len(result) != 1:
        return None
    (one,) = result
    return one if sum(one in owner for owner in owners) * 2 > len(asked) else None


def _alike(a: str, b: str) -> bool:
    stem = min(max(min(len(a), len(b)) - 1, 4), 5)
    return a == b or (min(len(a), len(b)) >= 4 and a[:stem] == b[:stem])


# ---------------------------------------------------------------- the tables, made ready


class _Cues:
    """The cues of a language, folded."""

    def __init__(self, tables: Tables, lang: str) -> None:
        words = tables[lang].followup
        self._plain = folded_words((*words.grammar, *words.asked_of_anything), tables)
        self._particles = [re.compile(folded_rule(rule, tables)) for rule in tables[lang].prefixes.particles]
        self._agreeing = folded_words(words.agreeing, tables)
        agreeing = "|".join(sorted(self._agreeing)) or "(?!)"
        self.openings = re.compile(rf"^(({agreeing}) )*{_any(words.openings, tables)}\b")
        self.endings = re.compile(rf"\b{_any(words.endings, tables)}$")
        demonstratives, followers = (
            "|".join(sorted(folded_words(part, tables))) or "(?!)"
            for part in (words.demonstratives, words.demonstrative_followers)
        )
        self.pointers = re.compile(rf"\b{_any(words.pointers, tables)}\b|\b({demonstratives})( ({followers})\b|$)")
        self.topic_shifts = re.compile(
            rf"\b{_any(words.topic_shifts, tables)}\b|^{_any(words.topic_shifts_at_start, tables)}\b"
        )
        self._prefixes = tuple(sorted(folded_words(words.opening_prefixes, tables)))
        self._not_prefixed = folded_words(words.not_prefixed, tables)
        after = "|".join(sorted(folded_words(words.openings_after, tables)))
        self._after = re.compile(rf"^\w+( \w+)? ({after})\b") if after else None
        self._attached = tuple(sorted(folded_words(words.attached_pronouns, tables)))
        self._not_attached = folded_words(words.not_attached, tables)

    def opens(self, bare: str) -> bool:
        """By an opening that is no word of its own, or stands after the first: the Arabic "and", the Persian "too"."""
        if self._prefixes:
            first = next((w for w in bare.split() if w not in self._agreeing), "")
            if len(first) > 2 and first.startswith(self._prefixes) and first not in self._not_prefixed:
                return True
        return bool(self._after and self._after.search(bare))

    def points(self, word: str) -> bool:
        """By an attached pronoun: ارجعها, پولش."""
        return len(word) >= 4 and word.endswith(self._attached) and word not in self._not_attached

    def is_plain(self, word: str) -> bool:
        """Whether a word names no thing, with what is written together with it or without."""
        if word in self._plain or (word.isdigit() and len(word) < 3):
            return True
        for particle in self._particles:
            word = particle.sub("", word)
            if word in self._plain:
                return True
        return False


class _Ordinals:
    """The ordinals of all languages together, folded."""

    def __init__(self, tables: Tables) -> None:
        each = [table.ordinals for table in tables]
        ranks = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
        self.places = {
            word: number
            for number, name in ranks.items()
            for words in each
            for word in folded_words(getattr(words, name), tables)
        }
        self.beside = folded_words((word for words in each for word in words.beside), tables)
        self.ones = folded_words((word for words in each for word in words.ones), tables)
        endings = "|".join(words.number_endings for words in each if words.number_endings)
        self._endings = re.compile(rf"(\d)[.'’-]?({endings or '(?!)'})\b")

    def unended(self, text: str, tables: Tables) -> list[str]:
        """The words of a short text, numbers without their endings ("2.si", "2-то")."""
        return folded(self._endings.sub(r"\1", text), tables=tables).split() if len(text) <= 80 else []


def _refusals(tables: Tables) -> frozenset[str]:
    return frozenset(folded(phrase, tables=tables) for table in tables for phrase in table.followup.refusals)


def _any(phrases: Iterable[str], tables: Tables) -> str:
    """A group that finds any of some phrases, the longest first; nothing where there are none."""
    result = sorted((folded(phrase, tables=tables) for phrase in phrases), key=len, reverse=True)
    return f"({'|'.join(result) or '(?!)'})"
