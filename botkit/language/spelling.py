"""Arabic, Persian and Bulgarian typed in Latin letters, written in their own with words that are known.

Latin spellings guess what a script writes, and everybody guesses otherwise, so that no table of letters leads back. But
a help centre's vocabulary is small: of its words that have the consonants of a Latin one, the one that sounds most like
it is nearly always meant. A word like no known one is written letter by letter; encoders read that as a misspelling.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from botkit.language.forms import ARABIC_MARKS, normal
from botkit.language.latin import native

# What a letter may sound like. A, W and Y are vowels, ? is hamza and ayn: both are often left out. X is щ.
_SOUNDS = {
    "ا": "A", "آ": "A", "أ": "A", "إ": "A", "ى": "A", "ة": "A", "و": "W", "ؤ": "W", "ي": "Y", "ی": "Y", "ئ": "Y",
    "ء": "?", "ع": "?", "ب": "b", "پ": "p", "ت": "t", "ط": "t", "ث": "st", "س": "s", "ص": "s", "ج": "jg", "چ": "C",
    "ح": "h", "ه": "h", "خ": "x", "د": "d", "ذ": "zds", "ز": "z", "ض": "dz", "ظ": "zd", "ر": "r", "ژ": "z", "ش": "S",
    "غ": "g", "ق": "g?", "ک": "g", "ك": "g", "گ": "g", "ف": "f", "ل": "l", "م": "m", "ن": "n",
    "а": "A", "ъ": "AWY", "я": "A", "о": "W", "у": "W", "ю": "W", "е": "Y", "и": "Y", "й": "Yj", "ь": "Y", "б": "b",
    "в": "v", "г": "g", "д": "d", "ж": "j", "з": "z", "к": "k", "л": "l", "м": "m", "н": "n", "п": "p", "р": "r",
    "с": "s", "т": "t", "ф": "f", "х": "h", "ц": "c", "ч": "C", "ш": "S", "щ": "X",
}  # fmt: skip
# What people type for a sound, longer spellings first; the digits are letters that look like them.
_ARABIC = (
    ("3'", "g"), ("7'", "x"), ("sh", "S"), ("ch", "C"), ("kh", "x"), ("gh", "g"), ("th", "s"), ("dh", "z"), ("zh", "z"),
    ("ee", "Y"), ("ei", "Y"), ("ey", "Y"), ("ai", "Y"), ("ay", "Y"), ("oo", "W"), ("ou", "W"), ("au", "W"), ("aw", "W"),
    ("aa", "A"), ("2", "?"), ("3", "?"), ("4", "S"), ("5", "x"), ("6", "t"), ("7", "h"), ("8", "g"), ("9", "s"),
    ("q", "g"), ("k", "g"), ("c", "g"), ("v", "W"), ("w", "W"), ("y", "Y"),
)  # fmt: skip
_CYRILLIC = (
    ("sht", "X"), ("6t", "X"), ("sh", "S"), ("ch", "C"), ("zh", "j"), ("ts", "c"), ("tz", "c"), ("yu", "W"),
    ("iu", "W"), ("ju", "W"), ("ya", "A"), ("ia", "A"), ("ja", "A"), ("4", "C"), ("6", "S"), ("q", "A"), ("x", "h"),
    ("w", "v"), ("y", "Y"),
)  # fmt: skip
_TYPED = {"ar": _ARABIC, "fa": _ARABIC, "bg": _CYRILLIC}
# Arabic and Persian letter by letter, for a word that is not known.
_WRITTEN = (
    ("3'", "غ"), ("7'", "خ"), ("sh", "ش"), ("ch", "چ"), ("kh", "خ"), ("gh", "غ"), ("th", "ث"), ("dh", "ذ"), ("zh", "ژ"),
    ("aa", "ا"), ("ee", "ي"), ("oo", "و"), ("ou", "و"), ("2", "ء"), ("3", "ع"), ("4", "ش"), ("5", "خ"), ("6", "ط"),
    ("7", "ح"), ("8", "ق"), ("9", "ص"), ("b", "ب"), ("p", "پ"), ("t", "ت"), ("j", "ج"), ("d", "د"), ("r", "ر"),
    ("z", "ز"), ("s", "س"), ("f", "ف"), ("q", "ق"), ("c", "ك"), ("k", "ك"), ("g", "گ"), ("l", "ل"), ("m", "م"),
    ("n", "ن"), ("h", "ه"), ("w", "و"), ("v", "و"), ("o", "و"), ("u", "و"), ("y", "ي"), ("i", "ي"), ("x", "خ"),
    ("a", "ا"), ("e", ""),
)  # fmt: skip
_VOWELS = {"A": "ae", "W": "ou", "Y": "ie"}
_SILENT = str.maketrans("", "", "AWY?aeiou")
_ARTICLE = re.compile(r"\b[eai]?l[- ]+(?=[a-z0-9']{2})")
_WORD = re.compile(r"[^\W\d_]+(?:\u200c[^\W\d_]+)*")
SPELLED = tuple(_TYPED)
ENOUGH = 0.4
"""the distance of a known word, for each sound, from which on it is another one"""
MOST_WAYS = 32
"""ways to pronounce a word that are looked at"""
COMMON = 0.08
"""by how much a word is nearer for each time that it is e times as frequent"""


class Speller:
    """The words of some texts in a language, found by what they sound like."""

    def __init__(self, texts: Iterable[str], lang: str) -> None:
        self.lang = lang
        counts = Counter(word for text in texts for word in _WORD.findall(ARABIC_MARKS.sub("", text).lower()))
        self._known = set(counts)
        self._words: dict[str, list[tuple[str, float, Sequence[str]]]] = defaultdict(list)
        for word, count in counts.items():
            for sounds in self._pronounced(word):
                entry = (word, COMMON * math.log(count), sounds)
                for key in {_key(way) for way in itertools.islice(itertools.product(*sounds), MOST_WAYS)}:
                    self._words[key].append(entry)

    def spell(self, text: str) -> str:
        """The text in its own script."""
        text = normal(text)
        if self.lang == "ar":
            text = _ARTICLE.sub("el", text)
        return " ".join(self._spelled(word) for word in re.findall(r"[^\W_]+(?:'[^\W_]+)?", text))

    def _pronounced(self, word: str) -> list[list[str]]:
        """The sounds that each letter may stand for; a last h may be silent."""
        if not all(letter in _SOUNDS or letter == "\u200c" for letter in word):
            return []
        sounds = [_SOUNDS[letter] for letter in word if letter in _SOUNDS]
        return [sounds, [*sounds[:-1], "A"]] if word.endswith("ه") else [sounds]

    def _spelled(self, word: str) -> str:
        if word.isdigit() or not word.isascii() or word in self._known:
            return word
        written = self._written(word)
        if written in self._known:
            return written
        heard = word
        for typed, sound in _TYPED[self.lang]:
            heard = heard.replace(typed, sound)
        heard = re.sub(r"(.)\1+", r"\1", re.sub(r"(?<=[aeA])h$", "", heard))
        near = [(_distance(heard, sounds) - more, known) for known, more, sounds in self._words.get(_key(heard), ())]
        best = min(near, default=(math.inf, ""))
        return best[1] if best[0] <= ENOUGH * len(heard) else written

    def _written(self, word: str) -> str:
        """Letter by letter."""
        if self.lang == "bg":
            return native(word, "bg")
        found = re.sub("^[aei]", "ا", re.sub("[aeh]+$" if self.lang == "fa" else "[aeh]*a[h]?$", "ه", word))
        for typed, letter in _WRITTEN:
            found = found.replace(typed, letter)
        return native(found, self.lang)


def _key(sounds: Iterable[str]) -> str:
    """The consonants, doubled ones once."""
    return re.sub(r"(.)\1+", r"\1", "".join(sounds).translate(_SILENT))


def _distance(heard: str, sounds: Sequence[str]) -> float:
    """How unlike what was typed is to a word: an edit distance that forgives vowels."""
    line = [0.0]
    for other in sounds:
        line.append(line[-1] + (0.5 if other in "AWY?" else 1.0))
    for sound in heard:
        left_out = 0.25 if sound in "aeiou" else 0.6 if sound in "AWY?" else 0.9
        before, line = line, [line[0] + left_out]
        for place, other in enumerate(sounds):
            line.append(
                min(
                    line[-1] + (0.5 if other in "AWY?" else 1.0),
                    before[place + 1] + left_out,
                    before[place] + _unlike(sound, other),
                )
            )
    return line[-1]


def _unlike(sound: str, other: str) -> float:
    if sound in other:
        return 0.0
    if any(sound in _VOWELS.get(each, "") for each in other):
        return 0.1
    return 0.4 if other == "?" and sound in "aeiouAWY" else 1.0
