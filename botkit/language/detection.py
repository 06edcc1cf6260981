"""Which of a few languages a short text is in."""

from __future__ import annotations

import copy
import functools
import importlib.metadata
import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from botkit import derived
from botkit.language.normalise import folded, folded_words, normal, script, script_of, typed_in_latin
from botkit.language.tables import SHIPPED, Tables


@dataclass(frozen=True)
class Guess:
    """Which languages a text may be in: `shares` sums to 1 over the languages asked for."""

    shares: Mapping[str, float]

    @property
    def best(self) -> str:
        return max(self.shares, key=lambda lang: self.shares[lang])

    @property
    def probability(self) -> float:
        return self.shares[self.best]


@dataclass(frozen=True)
class Odds:
    """How much likelier each piece of evidence makes a language. `eval/constants.py --only detection` tries others."""

    page: float = 6.0
    """the language of the page, and `before` that of the turn before: both less than a function word and an identifier
    that agree"""
    before: float = 12.0
    foreign: float = 0.1
    """a language that there is no text in"""
    word: float = 3.0
    """each of its commonest words, up to four"""
    latin: float = 0.1
    """Latin letters where another script is expected, and `latin_word`: each of its commonest words so typed"""
    latin_word: float = 4.0


ODDS = Odds()


def detect(
    text: str,
    languages: Sequence[str],
    page: str | None = None,
    before: str | None = None,
    foreign: Sequence[str] = (),
    tables: Tables = SHIPPED,
) -> Guess:
    """Which of `languages` a text is in, with the language of the page it was typed on and that of the turn before it
    as a prior.

    A language written in another script than the text's is left out, but for those two when the text is in Latin
    letters: people type Arabic, Persian and Bulgarian in Latin letters too. Restricting the candidates matters more
    than the identifier. `foreign` are others that a customer may write in all the same.
    """
    languages = [*languages, *(lang for lang in foreign if lang not in languages)]
    if len(languages) == 1:
        return Guess({languages[0]: 1.0})
    prior = {lang: ODDS.foreign if lang in foreign else 1.0 for lang in languages}
    if page in prior:
        prior[page] = ODDS.page
    if before in prior:
        prior[before] = ODDS.before
    known = script(text)
    if not known or known == "other":
        return _shares(prior)
    fitting = [lang for lang in languages if script_of(lang, tables) == known]
    if not fitting:
        return _shares(prior)
    likelihood = _identify(text, tuple(sorted(fitting)), tuple(sorted(languages)), tables)
    scores = {lang: prior[lang] * likelihood[lang] for lang in fitting}
    for typed in {str(lang) for lang in (page, before) if lang in prior}:
        if not typed_in_latin(text, typed, tables):
            continue
        # A text that reads like none of the Latin-letter languages is this one, typed in Latin.
        result = normal(text, tables=tables).split()
        common = tables.made(_function_words)
        plain = sum(w.strip("?!.,") in common.get(lang, ()) for w in result for lang in fitting)
        latin = tables.made(_latin_words, tables.known(typed))
        own = sum(w.strip("?!.,") in latin for w in result)
        own += 2 * sum(bool(_DIGIT_LETTERS.search(w)) for w in result)
        # Who wrote in its own script before hardly changes to Latin, so that counts no more than the page.
        as_latin = ODDS.latin_word ** (min(own, 4) - min(plain, 4))
        scores[typed] = min(prior[typed], ODDS.page) * ODDS.latin * as_latin
    floor = {lang: 1e-3 for lang in languages}
    return _shares({lang: max(scores.get(lang, 0.0), floor[lang]) for lang in languages})


def _shares(scores: Mapping[str, float]) -> Guess:
    total = sum(scores.values())
    return Guess({lang: score / total for lang, score in scores.items()})


_DIGIT_LETTERS = re.compile(r"[a-z][2-9][a-z]?|[2-9][a-z]{2}")


def _function_words(tables: Tables) -> Mapping[str, frozenset[str]]:
    """The commonest words of each language that has them listed, as typed and without marks."""
    result = {}
    for lang in tables.codes:
        listed = tables[lang].detection.function_words
        if listed:
            result[lang] = frozenset(normal(" ".join(listed), lang, tables).split()) | folded_words(listed, tables)
    return result


def _latin_words(tables: Tables, lang: str) -> frozenset[str]:
    return frozenset(normal(" ".join(tables[lang].detection.latin_words), tables=tables).split())


@dataclass(frozen=True)
class _Letters:
    """Letters of a language that its neighbours do not have."""

    own: frozenset[str]
    against: frozenset[str]
    weight: float


def _telling(tables: Tables) -> Mapping[str, _Letters]:
    each = {lang: tables[lang].detection for lang in tables.codes}
    return {
        lang: _Letters(frozenset(words.letters), frozenset(words.letters_against), words.letters_weight)
        for lang, words in each.items()
        if words.letters
    }


def _identify(text: str, languages: tuple[str, ...], of: tuple[str, ...], tables: Tables) -> dict[str, float]:
    """P(text | language), up to a factor, among those languages of a corpus that share a script."""
    if len(languages) == 1:
        return {languages[0]: 1.0}
    scores = {lang: 1e-3 for lang in languages}
    for lang, probability in _identifier(languages, of).rank(normal(text, tables=tables)):
        scores[lang] = max(float(probability), 1e-3)
    for lang, strength in _evidence(text, tables).items():
        if lang in scores:
            scores[lang] *= strength
    return scores


def _evidence(text: str, tables: Tables) -> dict[str, float]:
    """What speaks for each language beside the identifier: letters that its neighbours do not have, and its commonest
    words."""
    letters, result = set(text), folded(text, tables=tables).split()
    strengths: dict[str, float] = {}
    for lang, telling in tables.made(_telling).items():
        if not letters.isdisjoint(telling.own) and letters.isdisjoint(telling.against):
            strengths[lang] = telling.weight
    for lang, common in tables.made(_function_words).items():
        strengths[lang] = strengths.get(lang, 1.0) * ODDS.word ** min(4, sum(w in common for w in result))
    return strengths


_loading = threading.Lock()


@functools.lru_cache(maxsize=32)
def _identifier(languages: tuple[str, ...], of: tuple[str, ...]) -> Any:
    with _loading:  # many first questions at once would each load it
        identifier = copy.copy(_loaded(of))
    known = set(identifier.labels)
    identifier.set_languages([lang for lang in languages if lang in known] or None)
    return identifier


@functools.lru_cache(maxsize=4)
def _loaded(languages: tuple[str, ...]) -> Any:
    """The identifier of a corpus's languages. Its automaton and tables, 70 MB, are mapped, so that processes share them
    and none unpacks them at its start."""
    from py3langid import langid

    model = Path(langid.MODEL_DIR) / langid.MODEL_FILE
    folder = derived.folder("langid", model, f"1 {importlib.metadata.version('py3langid')}", __name__, prepare.__name__)
    classes = json.loads((folder / "classes.json").read_text(encoding="utf-8"))
    of = [place for place, lang in enumerate(classes) if lang in languages] or list(range(len(classes)))
    likely, prior, moves, rows, features = (
        np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _TABLES
    )
    # Memory views: numpy's own numbers, one at a time, would take three times as long.
    return langid.LanguageIdentifier(
        likely[:, of],
        prior[of],
        [classes[place] for place in of],
        memoryview(moves),
        memoryview(features),
        norm_probs=True,
        tk_row=memoryview(rows),
    )


_TABLES = ("likely", "prior", "moves", "rows", "features")


def prepare(model: Path, folder: Path) -> None:
    """Write the tables of py3langid's model as arrays that can be mapped."""
    from py3langid import langid

    whole = langid.LanguageIdentifier.from_model_file(model)
    arrays = (whole.nb_ptc, whole.nb_pc, whole.tk_nextmove, whole.tk_row, np.array(whole.tk_output, np.int32))
    for name, table in zip(_TABLES, arrays, strict=True):
        np.save(folder / f"{name}.npy", np.asarray(table))
    (folder / "classes.json").write_text(json.dumps(list(whole.nb_classes)), encoding="utf-8")
