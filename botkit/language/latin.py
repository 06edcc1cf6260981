"""Bulgarian, Arabic and Persian typed in Latin letters."""

from __future__ import annotations

import re

from botkit.language.everyday import written
from botkit.language.forms import folded, normal, script, typed_in_latin

_PERSIAN = str.maketrans("كيى", "کیی")
# How people type Bulgarian on a Latin keyboard. Longer spellings first.
_CYRILLIC = (
    ("sht", "щ"),
    ("6t", "щ"),
    ("sh", "ш"),
    ("ch", "ч"),
    ("zh", "ж"),
    ("ts", "ц"),
    ("tz", "ц"),
    ("yu", "ю"),
    ("iu", "ю"),
    ("ju", "ю"),
    ("ya", "я"),
    ("ia", "я"),
    ("ja", "я"),
    ("jo", "йо"),
    ("yo", "йо"),
    ("dj", "дж"),
    ("kv", "кв"),
    ("4", "ч"),
    ("6", "ш"),
    ("a", "а"),
    ("b", "б"),
    ("v", "в"),
    ("w", "в"),
    ("g", "г"),
    ("d", "д"),
    ("e", "е"),
    ("j", "ж"),
    ("z", "з"),
    ("i", "и"),
    ("k", "к"),
    ("l", "л"),
    ("m", "м"),
    ("n", "н"),
    ("o", "о"),
    ("p", "п"),
    ("r", "р"),
    ("s", "с"),
    ("t", "т"),
    ("u", "у"),
    ("f", "ф"),
    ("h", "х"),
    ("x", "х"),
    ("c", "ц"),
    ("y", "ъ"),
    ("q", "я"),
)
# Consonants as they sound, so that a text and its Latin spelling meet: vowels, hamza, ayn, waw and
# yeh are left out, since Latin spellings of them differ most.
_SOUND_OF = {
    "ب": "b",
    "پ": "p",
    "ت": "t",
    "ط": "t",
    "ث": "s",
    "س": "s",
    "ص": "s",
    "ج": "j",
    "چ": "ç",
    "ح": "h",
    "ه": "h",
    "خ": "x",
    "د": "d",
    "ذ": "z",
    "ز": "z",
    "ض": "d",
    "ظ": "z",
    "ر": "r",
    "ژ": "z",
    "ش": "ş",
    "غ": "k",
    "ق": "k",
    "ک": "k",
    "گ": "k",
    "ف": "f",
    "ل": "l",
    "م": "m",
    "ن": "n",
    "б": "b",
    "в": "v",
    "г": "g",
    "д": "d",
    "ж": "j",
    "з": "z",
    "к": "k",
    "л": "l",
    "м": "m",
    "н": "n",
    "п": "p",
    "р": "r",
    "с": "s",
    "т": "t",
    "ф": "f",
    "х": "h",
    "ц": "c",
    "ч": "ç",
    "ш": "ş",
    "щ": "şt",
}
_LATIN_SOUNDS = (
    ("sh", "ş"),
    ("ch", "ç"),
    ("kh", "x"),
    ("gh", "k"),
    ("th", "s"),
    ("dh", "z"),
    ("zh", "z"),
    ("3'", "k"),
    ("7'", "x"),
    ("2", ""),
    ("3", ""),
    ("4", "ş"),
    ("5", "x"),
    ("6", "t"),
    ("7", "h"),
    ("8", "k"),
    ("9", "s"),
    ("q", "k"),
    ("g", "k"),
    ("c", "k"),
    ("v", ""),
    ("w", ""),
    ("y", ""),
)


def native(text: str, lang: str) -> str:
    """A text as it is compared: Bulgarian typed in Latin letters is in Cyrillic, Persian typed on an Arabic keyboard in
    its own letters, and everyday words are as they are written."""
    return written(_in_own_letters(text, lang), lang)


def _in_own_letters(text: str, lang: str) -> str:
    if lang == "fa":
        return text.translate(_PERSIAN)
    if lang != "bg" or not typed_in_latin(text, lang):
        return text
    found = []
    for word in normal(text).split():
        word = re.sub("(?<=[aeiouy])j(?![aeiouyq])|(?<=[aeo])j(?=d)|^j(?=o)", "й", word)
        for latin, cyrillic in _CYRILLIC if not word.isdigit() else ():
            word = word.replace(latin, cyrillic)
        found.append(word)
    return " ".join(found)


def sounds(text: str, lang: str) -> list[str]:
    """The consonants of each word, whole and as trigrams, the same for a text in its own script and
    typed in Latin letters."""
    latin = script(text) == "latin"
    if lang == "bg":
        text, latin = _in_own_letters(text, lang), False
    grams: list[str] = []
    for word in folded(text, lang).split():
        if word.isdigit():
            continue
        if latin:
            for spelling, sound in _LATIN_SOUNDS:
                word = word.replace(spelling, sound)
            bare = re.sub("[aeiou]", "", word)
        else:
            bare = "".join(
                _SOUND_OF.get(letter, "") for letter in (word[:-1] if lang == "fa" and word.endswith("ه") else word)
            )
        bare = re.sub(r"(.)\1+", r"\1", bare)
        if bare:
            padded = f" {bare} "
            grams.append(padded)
            grams.extend(padded[i : i + 3] for i in range(len(padded) - 2) if len(padded) > 3)
    return grams
