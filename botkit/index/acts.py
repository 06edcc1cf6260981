"""The acts of a dialogue, recognised by their examples: what a line is like, in meaning and in letters.

A line is compared with every example in the languages of the index: half the cosine of the centred vectors, half that
of tf-idf over character n-grams. An act's likeness is the weighted mean of its three nearest examples. What may be
made of that, beside what the search found, is not decided here.

The default encoder's vectors of the examples ship with botkit in eight bits (`eval/acts.py` writes them); any other
encoder's are made once for each process.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from botkit import encoder as encoders
from botkit import language
from botkit.index.cache import keep, key_of
from botkit.index.embedding_cache import EmbeddingCache
from botkit.index.reference_texts import SHIPPED
from botkit.index.versions import write_json
from botkit.vocabulary import Act

VECTORS, TERMS, TABLES = "acts.vectors.npy", "acts.terms.json", "acts.npz"
NEAREST = np.array([0.5, 0.3, 0.2], np.float32)
"""the weights of an act's nearest examples"""
LONGEST = 12
"""words of a line that can be an act; what is longer says a matter"""
_FILE = "acts.npz"


@dataclass(frozen=True)
class Likeness:
    """What a line is most like among the acts, how much, and how much it is like a question that only looks like one;
    both in [-1, 1]."""

    act: Act
    act_likeness: float
    question_likeness: float


def act_vectors(model: encoders.Encoder, lang: str) -> np.ndarray:
    """The vectors of a language's examples, in the order of `language.act_examples`, shape (examples, dimensions)."""
    key = encoders.identity(model), lang
    if key not in _known:
        cache = EmbeddingCache(model, SHIPPED, name=_FILE)
        _known[key] = cache.encode_query([_read(text, lang) for _, text in _lines(lang)])
    return _known[key]


_known: dict[tuple[str, str], np.ndarray] = {}


def ship(model: encoders.Encoder) -> None:
    """Write the vectors that `act_vectors` finds, in eight bits: it moves a cosine by less than 0.01."""
    texts = list(dict.fromkeys(_read(text, lang) for lang in language.LANGUAGES for _, text in _lines(lang)))
    vectors = np.round(model.encode_query(texts) * 127).astype(np.int8)
    keys = np.array([key_of("query", text) for text in texts])
    keep(SHIPPED / _FILE, encoders.identity(model), {"keys": keys, "vectors": vectors})


def _lines(lang: str) -> list[tuple[str, str]]:
    """(act or QUESTIONS, text) of each example."""
    return [(name, text) for name, texts in language.act_examples(lang).items() for text in texts]


def _read(text: str, lang: str) -> str:
    return language.normalise_script(language.clean(text), lang)


def write_acts(
    draft: Path, model: encoders.Encoder, languages: Sequence[str], means: np.ndarray, tables: language.Tables
) -> None:
    """Write what `Acts.read` reads; nothing where no language of the index has examples. `means` are its languages'
    mean vectors."""
    lines = [(name, lang, text) for lang in languages for name, text in _lines(lang)]
    if not lines:
        return
    parts = []
    for lang, mean in zip(languages, means, strict=True):
        if language.act_examples(lang):
            moved = act_vectors(model, lang) - mean
            parts.append(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9))
    np.save(draft / VECTORS, np.concatenate(parts).astype(np.float16))
    bags = [Counter(language.ngrams(_read(text, lang), lang, tables=tables)) for _, lang, text in lines]
    terms = sorted({term for bag in bags for term in bag})
    column = {term: number for number, term in enumerate(terms)}
    frequency = np.zeros(len(terms), np.float64)
    for bag in bags:
        frequency[[column[term] for term in bag]] += 1
    idf = np.log((1 + len(bags)) / (1 + frequency)) + 1
    postings: list[list[tuple[int, float]]] = [[] for _ in terms]
    for row, bag in enumerate(bags):
        weights = {column[term]: (1 + np.log(times)) * idf[column[term]] for term, times in bag.items()}
        length = float(np.sqrt(sum(weight**2 for weight in weights.values()))) or 1.0
        for number, weight in weights.items():
            postings[number].append((row, weight / length))
    names = [*language.ACTS, language.QUESTIONS]
    np.savez(
        draft / TABLES,
        act=np.array([names.index(name) for name, _, _ in lines], np.int16),
        lang=np.array([languages.index(lang) for _, lang, _ in lines], np.int16),
        idf=idf.astype(np.float32),
        starts=np.cumsum([0, *(len(each) for each in postings)]).astype(np.int64),
        rows=np.array([row for each in postings for row, _ in each], np.int32),
        weights=np.array([weight for each in postings for _, weight in each], np.float32),
    )
    write_json(draft / TERMS, terms)


class Acts:
    """The examples of an index, ready to be compared with."""

    def __init__(self, vectors: np.ndarray, terms: Sequence[str], table: Mapping[str, np.ndarray]) -> None:
        self.vectors, self.act, self.lang = vectors, table["act"], table["lang"]
        self._column = {term: number for number, term in enumerate(terms)}
        self._idf, self._starts = table["idf"], table["starts"]
        self._rows, self._weights = table["rows"], table["weights"]
        self._unseen = float(self._idf.max())

    @classmethod
    def read(cls, folder: Path) -> Acts | None:
        """What `write_acts` wrote, the vectors mapped; None where nothing was written."""
        if not (folder / VECTORS).exists():
            return None
        with np.load(folder / TABLES, allow_pickle=False) as stored:
            table = {name: stored[name] for name in stored.files}
        terms = json.loads((folder / TERMS).read_text(encoding="utf-8"))
        return cls(np.load(folder / VECTORS, mmap_mode="r"), terms, table)

    def likeness(self, vector: np.ndarray, grams: Sequence[str], languages: np.ndarray) -> np.ndarray:
        """How like each example of some languages a line is, float32 of shape (examples,); -1 for other languages."""
        chosen = np.flatnonzero(np.isin(self.lang, languages))
        result = np.full(len(self.act), -1.0, np.float32)
        if len(chosen):
            meaning = self.vectors[chosen].astype(np.float32) @ vector
            result[chosen] = 0.5 * meaning + 0.5 * self._letters(grams)[chosen]
        return result

    def nearest(self, likeness: np.ndarray) -> Likeness | None:
        """The act that a line is most like; None where nothing was compared."""
        if not (likeness > -1.0).any():
            return None
        means = np.full(len(language.ACTS), -1.0, np.float32)
        for number in range(len(means)):
            own = likeness[self.act == number]
            best = np.sort(own[own > -1.0])[::-1][: len(NEAREST)]
            if len(best):
                means[number] = float(best @ NEAREST[: len(best)] / NEAREST[: len(best)].sum())
        first = int(np.argmax(means))
        questions = likeness[self.act == len(language.ACTS)]
        return Likeness(language.ACTS[first], float(means[first]), float(questions.max(initial=-1.0)))

    def _letters(self, grams: Sequence[str]) -> np.ndarray:
        result = np.zeros(len(self.act), np.float32)
        length = 0.0
        for term, times in Counter(grams).items():
            column = self._column.get(term)
            weight = float(1 + np.log(times)) * (self._unseen if column is None else float(self._idf[column]))
            length += weight**2
            if column is not None:
                a, b = self._starts[column : column + 2]
                result[self._rows[a:b]] += weight * self._weights[a:b]
        return result / np.float32(max(np.sqrt(length), 1e-9))
