"""What a search gives back, and the constants that rank it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from botkit.index.acts import Likeness
from botkit.index.signals import Signals


@dataclass(frozen=True)
class Ranking:
    """The ranking's constants, chosen on development questions only: `eval/ablation.py` tries others of each."""

    dense: float = 0.5
    """a: the dense share of a row's score"""
    dense_latin: float = 0.1
    """a for Arabic or Persian typed in Latin letters, whose spelling in their own is a guess"""
    dense_foreign: float = 0.8
    """a for a question in a language that no article is in"""
    words: float = 0.2
    """w: the words' share of the lexical part; character n-grams have the rest"""
    temperature: float = 0.07
    """of the log-sum-exp that pools an article's phrasings"""
    passages: float = 0.4
    """weight of the passage channel beside the phrasings', where articles have enough of those"""
    passages_alone: float = 1.0
    """the same where articles have one phrasing in a language: what they say is then the best that is known of them"""
    language: float = 0.02
    """b: what a row of an unlikely language loses, per nat"""
    classifier: float = 1.6
    """weight of the classifier's score, which is near 1 for the right article and 0 for the others"""
    class_probability: float = 0.3
    """weight of the classifier's probability of the article"""
    lone: float = 0.1
    """by how much both weights of the classifier are multiplied where articles have one phrasing in a language"""
    enough: float = 3.0
    """phrasings of an article in a language that both weights are whole from"""
    rows: int = 200
    """rows of each channel's search that make an article a candidate"""
    candidates: int = 30
    """articles whose rows are all scored"""

    def stored(self) -> dict[str, float]:
        """The constants under the names that manifests have for them, some of which are older."""
        return {_IN_MANIFEST.get(name, name): value for name, value in vars(self).items()}

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Ranking:
        """From a manifest."""
        return cls(**{each.name: stored[_IN_MANIFEST.get(each.name, each.name)] for each in fields(cls)})


_IN_MANIFEST = {"classifier": "head", "class_probability": "choice"}


MATCHES: Mapping[str, Mapping[str, float]] = {
    "good": {"word": 0.2, "char": 0.3, "dense": 0.42, "passage_dense": 0.5},
    "near": {"word": 0.08, "char": 0.12, "dense": 0.34},
}
"""From which value of any of these on a hit has to do with the words typed, or may have. `eval/matches.py` measures
what each lets through, and prints the values that let through as much of what is about something else."""


@dataclass(frozen=True)
class Hit:
    """An article found. Its numbers are those of its best row in each channel, all on fixed scales: cosines after
    centring in [-1, 1], lexical scores as shares of what the question could reach, the intent classifier's score, near
    1 for the right article and 0 for others (or where there is no classifier), and its probability."""

    article: str
    score: float
    lang: str
    phrasing: str
    anchor: str
    dense: float
    passage_dense: float
    word: float
    char: float
    classifier: float
    class_probability: float

    @property
    def match(self) -> str:
        """How much the hit shares with the words typed, `good`, `near` or `far`: a search always has nearest articles,
        for nonsense too. Keywords name no single article, so the probability that it answers is no measure here."""
        levels = (level for level, least in MATCHES.items() if any(getattr(self, f) >= v for f, v in least.items()))
        return next(levels, "far")


@dataclass(frozen=True)
class Search:
    """What a question found: hits, best first, and the signals of the search; None where nothing was found.
    `encoded` is false where the encoder did not answer and words alone have found them."""

    text: str
    shares: Mapping[str, float]
    hits: tuple[Hit, ...]
    signals: Signals | None = None
    encoded: bool = True
    likeness: Likeness | None = None
    """the act of a dialogue that the text is most like, where it may be one"""

    @property
    def exact(self) -> bool:
        """Whether the question is a phrasing to the letter."""
        return self.signals is not None and bool(self.signals.exact)

    @property
    def lang(self) -> str:
        """The language the question is most likely in."""
        return max(self.shares, key=lambda lang: self.shares[lang])
