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
from botkit.language.forms import folded, normal, script, script_of, typed_in_latin


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


PAGE, BEFORE = 6.0, 12.0
"""how much likelier a text is in the language of its page, and of the turn before it: both less than a function
word and an identifier that agree"""


FOREIGN = 0.1
"""how likely a language is that there is no text in, beside one that there is"""


def detect(
    text: str,
    languages: Sequence[str],
    page: str | None = None,
    before: str | None = None,
    foreign: Sequence[str] = (),
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
    prior = {lang: FOREIGN if lang in foreign else 1.0 for lang in languages}
    if page in prior:
        prior[page] = PAGE
    if before in prior:
        prior[before] = BEFORE
    seen = script(text)
    if not seen or seen == "other":
        return _shares(prior)
    fitting = [lang for lang in languages if script_of(lang) == seen]
    if not fitting:
        return _shares(prior)
    likelihood = _identify(text, tuple(sorted(fitting)), tuple(sorted(languages)))
    scores = {lang: prior[lang] * likelihood[lang] for lang in fitting}
    for typed in {str(lang) for lang in (page, before) if lang in prior}:
        if not typed_in_latin(text, typed):
            continue
        # A text that reads like none of the Latin-letter languages is this one, typed in Latin.
        found = normal(text).split()
        plain = sum(w.strip("?!.,") in _FUNCTION_WORDS.get(lang, ()) for w in found for lang in fitting)
        own = sum(w.strip("?!.,") in _LATIN_TYPED.get(typed, ()) for w in found)
        own += 2 * sum(bool(_DIGIT_LETTERS.search(w)) for w in found)
        # Who wrote in its own script before hardly changes to Latin, so that counts no more than the page.
        scores[typed] = min(prior[typed], PAGE) * 0.1 * 4.0 ** (min(own, 4) - min(plain, 4))
    floor = {lang: 1e-3 for lang in languages}
    return _shares({lang: max(scores.get(lang, 0.0), floor[lang]) for lang in languages})


def _shares(scores: Mapping[str, float]) -> Guess:
    total = sum(scores.values())
    return Guess({lang: score / total for lang, score in scores.items()})


_DIGIT_LETTERS = re.compile(r"[a-z][2-9][a-z]?|[2-9][a-z]{2}")
_LATIN_TYPED = {
    "ar": frozenset(
        (
            "ana enta el al elly fi fe w we min men mesh mish msh mo mu ma la leh lesh lish kif keef ezay ezzay "
            "kam bkam wain wen fen fein feen aby abi abgha 3ayez 3awez bedi badi biddi momken mumkin law lw hal "
            "ya b bel lel ily da di dah hada hatha inti shu sho eh esh aysh metta emta imta mata laken bas 3andi "
            "3ala ely wa la2 a3raf"
        ).split()
    ),
    "fa": frozenset(
        (
            "man mn to ma shoma ke ki chi che chera chetor chetori chjori chejori kojast koja kei key chand "
            "chanta ta az ro ra be ba baraye vase hast nist ast shod shode nashod mishe mishavad mikham mikhastam "
            "mikonam konam bedam karde kardam dar va ya ye yek in on age agar ham hanuz hanooz bayad nemishe "
            "nemiad nayoomad nayumad dare daram darid darin mishan chegadr cheghadr cheghadre cheghad dige khoone "
            "hazine peyk khodam inja onja salam lotfan"
        ).split()
    ),
    "bg": frozenset(
        (
            "mi e da se si na li za ot do i v s ne ste sa sam sum sym su sme az vi go gi ya kak kade kude kyde "
            "koga kolko kakvo koi koq koqto iskam moje moje moga mozhe ima nqma niama oshte o6te veche ve4e mnogo "
            "tova tazi tozi no ili pri sled bez trqbva triabva tryabva kam kum kym kato zashto za6to dali vie me "
            "vas moia moqta moya"
        ).split()
    ),
}
_FUNCTION_WORDS = {
    "en": frozenset(
        (
            "the a an is are was do does did can could i my me you your it this that what where when how why who "
            "which to of for in on at with and or not no have has if be will would should there from"
        ).split()
    ),
    "tr": frozenset(
        (
            "bir ve mi mı mu mü ne nasıl nasil neden niye nerede nerde var yok icin için ile bu benim hala daha "
            "kaç kac olur olmaz değil degil gibi ama çok cok ne zaman bana"
        ).split()
    ),
    "ar": frozenset(
        folded(
            "في من على إلى هل ما متى كيف لماذا أنا عن هذا هذه اللي وين ليش لو أبي أبغى بدي عندي شو إيش مش مو أو "
            "ثم كم لكن بعد قبل عندكم لم لا أن التي الذي أريد ممكن"
        ).split()
    ),
    "fa": frozenset(
        folded(
            "که از به در را رو این آن است هست برای با چه چی چرا چطور کی کجا کجاست شما یه یک هم اگه اگر میشه بدم "
            "کنم شده کردم کردین میده هنوز چقدر چند تا ام اس داره دارم نشده نیست میخوام کنید"
        ).split()
    ),
}


def _identify(text: str, languages: tuple[str, ...], of: tuple[str, ...]) -> dict[str, float]:
    """P(text | language), up to a factor, among those languages of a corpus that share a script."""
    if len(languages) == 1:
        return {languages[0]: 1.0}
    scores = {lang: 1e-3 for lang in languages}
    for lang, probability in _identifier(languages, of).rank(normal(text)):
        scores[lang] = max(float(probability), 1e-3)
    for lang, strength in _evidence(text).items():
        if lang in scores:
            scores[lang] *= strength
    return scores


def _evidence(text: str) -> dict[str, float]:
    """Letters that only one of two neighbouring languages has."""
    strengths: dict[str, float] = {}
    if re.search("[پچژگ]", text):
        strengths["fa"] = 20.0
    if re.search("[ةىأإآؤ]", text) and not re.search("[پچژگ]", text):
        strengths["ar"] = 3.0
    if re.search("[ğışĞİŞ]", text):
        strengths["tr"] = 20.0
    found = folded(text).split()
    for lang, everyday in _FUNCTION_WORDS.items():
        strengths[lang] = strengths.get(lang, 1.0) * 3.0 ** min(4, sum(w in everyday for w in found))
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
    figures = (whole.nb_ptc, whole.nb_pc, whole.tk_nextmove, whole.tk_row, np.array(whole.tk_output, np.int32))
    for name, table in zip(_TABLES, figures, strict=True):
        np.save(folder / f"{name}.npy", np.asarray(table))
    (folder / "classes.json").write_text(json.dumps(list(whole.nb_classes)), encoding="utf-8")
