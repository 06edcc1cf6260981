"""Languages of another script typed in Latin letters: brought to their own, compared by their consonants, or written
with words that are known.

Some spellings say exactly which letters are meant. Others guess what a script writes, and everybody guesses otherwise,
so that no table of letters leads back. But a help centre's vocabulary is small: of its words that have the consonants
of a Latin one, the one that sounds most like it is nearly always meant. A word like no known one is written letter by
letter; encoders read that as a misspelling.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from botkit.language.colloquial import normalise_colloquial
from botkit.language.normalise import ARABIC_MARKS, folded, normal, script, typed_in_latin
from botkit.language.schema import Pairs
from botkit.language.tables import SHIPPED, Tables

_VOWELS = {"A": "ae", "W": "ou", "Y": "ie"}
_SILENT = str.maketrans("", "", "AWY?aeiou")
_WORD = re.compile(r"[^\W\d_]+(?:\u200c[^\W\d_]+)*")
MOST_WAYS = 32
"""ways to pronounce a word that are looked at"""


@dataclass(frozen=True)
class Costs:
    """The edit distance between what was typed in Latin letters and a word, in sounds. `eval/constants.py --only
    spelling` tries others."""

    most: float = 0.4
    """for each sound: from there on it is another word"""
    frequent: float = 0.08
    """by how much a word is nearer for each time that it is e times as frequent"""
    vowel_untyped: float = 0.5
    untyped: float = 1.0
    """a sound of the word that was not typed"""
    short_vowel_typed: float = 0.25
    long_vowel_typed: float = 0.6
    typed: float = 0.9
    """what was typed and is not in the word"""
    like_vowel: float = 0.1
    """one vowel for another that it is often written for"""
    catch: float = 0.4
    """a vowel for a catch in the throat"""


COSTS = Costs()


def normalise_script(text: str, lang: str, tables: Tables = SHIPPED) -> str:
    """A text as it is compared: in the letters of its language where Latin ones or those of another keyboard say
    exactly which are meant, and with everyday words as they are written."""
    return normalise_colloquial(_in_own_letters(text, lang, tables), lang, tables)


def _in_own_letters(text: str, lang: str, tables: Tables) -> str:
    lang = tables.known(lang)
    keyboard = tables.made(_keyboard, lang)
    if keyboard:
        text = text.translate(keyboard)
    table = tables[lang].latin
    if not table.letters or not typed_in_latin(text, lang, tables):
        return text
    return " ".join(_replaced(word, table.rules, table.letters) for word in normal(text, tables=tables).split())


def _keyboard(tables: Tables, lang: str) -> Mapping[int, str]:
    return str.maketrans(dict(tables[lang].latin.keyboard))


def _replaced(word: str, rules: Pairs, letters: Pairs) -> str:
    """A word after rules and then letters; a number stays one."""
    for typed, meant in rules:
        word = re.sub(typed, meant, word)
    for typed, meant in letters if not word.isdigit() else ():
        word = word.replace(typed, meant)
    return word


# ---------------------------------------------------------------- consonants


def phonetic_keys(text: str, lang: str, tables: Tables = SHIPPED) -> list[str]:
    """The consonants of each word, whole and as trigrams, the same for a text in its own script and
    typed in Latin letters."""
    lang = tables.known(lang)
    table = tables[lang]
    latin = script(text) == "latin"
    if table.latin.letters:
        text, latin = _in_own_letters(text, lang, tables), False
    heard = tables.made(_consonants, lang)
    grams: list[str] = []
    for word in folded(text, lang, tables).split():
        if word.isdigit():
            continue
        if latin:
            for spelling, sound in table.consonants.latin:
                word = word.replace(spelling, sound)
            bare = re.sub("[aeiou]", "", word)
        else:
            last = word[-1:] in table.consonants.silent_last
            bare = "".join(heard.get(letter, "") for letter in (word[:-1] if last else word))
        bare = re.sub(r"(.)\1+", r"\1", bare)
        if bare:
            padded = f" {bare} "
            grams.append(padded)
            grams.extend(padded[i : i + 3] for i in range(len(padded) - 2) if len(padded) > 3)
    return grams


def _consonants(tables: Tables, lang: str) -> Mapping[str, str]:
    """The sound of each folded letter: by the language's own table, else by another's."""
    result: dict[str, str] = {}
    for table in (*tables, tables[lang]):
        result |= {folded(letter, tables=tables): sound for letter, sound in table.consonants.letters.items()}
    return result


# ---------------------------------------------------------------- words that are known


def spelled(tables: Tables = SHIPPED) -> tuple[str, ...]:
    """The languages that a `Speller` can be made for."""
    return tuple(lang for lang in tables.codes if tables[lang].spelling.latin)


class Speller:
    """The words of some texts in a language, found by what they sound like."""

    def __init__(self, texts: Iterable[str], lang: str, tables: Tables = SHIPPED) -> None:
        self.lang, self.tables = lang, tables
        self._table = tables[lang].spelling
        self._sounds = tables.made(_sounds, tables.known(lang))
        counts = Counter(word for text in texts for word in _WORD.findall(ARABIC_MARKS.sub("", text).lower()))
        self._known = set(counts)
        self._words: dict[str, list[tuple[str, float, Sequence[str]]]] = defaultdict(list)
        for word, count in counts.items():
            for sounds in self._pronounced(word):
                entry = (word, COSTS.frequent * math.log(count), sounds)
                for key in {_key(way) for way in itertools.islice(itertools.product(*sounds), MOST_WAYS)}:
                    self._words[key].append(entry)

    def spell(self, text: str) -> str:
        """The text in its own script."""
        text = normal(text, tables=self.tables)
        for typed, joined in self._table.joins:
            text = re.sub(typed, joined, text)
        return " ".join(self._spelled(word) for word in re.findall(r"[^\W_]+(?:'[^\W_]+)?", text))

    def _pronounced(self, word: str) -> list[list[str]]:
        """The sounds that each letter may stand for; a last one may be a vowel or silent."""
        if not all(letter in self._sounds or letter == "\u200c" for letter in word):
            return []
        sounds = [self._sounds[letter] for letter in word if letter in self._sounds]
        return [sounds, [*sounds[:-1], "A"]] if word[-1:] in self._table.vowel_last else [sounds]

    def _spelled(self, word: str) -> str:
        if word.isdigit() or not word.isascii() or word in self._known:
            return word
        by_letters = self._by_letters(word)
        if by_letters in self._known:
            return by_letters
        heard = word
        for typed, sound in self._table.latin:
            heard = heard.replace(typed, sound)
        heard = re.sub(r"(.)\1+", r"\1", re.sub(r"(?<=[aeA])h$", "", heard))
        near = [(_distance(heard, sounds) - more, known) for known, more, sounds in self._words.get(_key(heard), ())]
        best = min(near, default=(math.inf, ""))
        return best[1] if best[0] <= COSTS.most * len(heard) else by_letters

    def _by_letters(self, word: str) -> str:
        if not self.tables[self.lang].latin.letters:
            word = _replaced(word, self._table.rules, self._table.written)
        return normalise_script(word, self.lang, self.tables)


def _sounds(tables: Tables, lang: str) -> Mapping[str, str]:
    """What each letter may sound like: by the language's own table, else by another's."""
    result: dict[str, str] = {}
    for table in (*tables, tables[lang]):
        result |= table.spelling.letters
    return result


def _key(sounds: Iterable[str]) -> str:
    """The consonants, doubled ones once."""
    return re.sub(r"(.)\1+", r"\1", "".join(sounds).translate(_SILENT))


def _distance(heard: str, sounds: Sequence[str]) -> float:
    """How unlike what was typed is to a word: an edit distance that forgives vowels."""
    costs, line = COSTS, [0.0]
    untyped = [costs.vowel_untyped if other in "AWY?" else costs.untyped for other in sounds]
    for cost in untyped:
        line.append(line[-1] + cost)
    for sound in heard:
        left_out = (
            costs.short_vowel_typed if sound in "aeiou" else costs.long_vowel_typed if sound in "AWY?" else costs.typed
        )
        before, line = line, [line[0] + left_out]
        for place, other in enumerate(sounds):
            line.append(
                min(
                    line[-1] + untyped[place],
                    before[place + 1] + left_out,
                    before[place] + _unlike(sound, other),
                )
            )
    return line[-1]


def _unlike(sound: str, other: str) -> float:
    if sound in other:
        return 0.0
    if any(sound in _VOWELS.get(each, "") for each in other):
        return COSTS.like_vowel
    return COSTS.catch if other == "?" and sound in "aeiouAWY" else 1.0
