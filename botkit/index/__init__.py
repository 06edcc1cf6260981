"""Rows to FAISS and BM25, and a question to hits; versions on disk, published atomically.

A *row* is one phrasing or one passage of an article in one language. Phrasings are one channel
(query prefix on both sides), passages another (document prefix on the stored side). In each, every
row gets

    f = a * cos + (1 - a) * (w * word / ub_word + (1 - w) * char / ub_char) + b * log P(row's language)

on a fixed scale, so that scores of two questions compare. Phrasings are pooled per article by
log-sum-exp and passages by their best, channels are summed, and a linear head's log-probability is
added. A score orders hits; it is never a confidence.

    indexes/<name>/CURRENT             the published version's name
    indexes/<name>/<version>/          never edited after it is written
        manifest.json                  format, encoder, counts, SHA-256 of every file
        facts.json, articles.jsonl     what pages show
        rows.npz                       row -> article, language; means; densities; centroids
        phrasings.faiss, passages.faiss
        {phrasings,passages}.{words,chars}.{npz,json}, sounds.{npz,json}
        head.npz                       the linear head, where there are phrasings enough
        confidence.json                the confidence model's numbers
    indexes/<name>/cache/              files, vectors and terms of earlier builds by content; may be deleted

This house is the only importer of faiss and rank_bm25.
"""

from __future__ import annotations

import copy
import functools
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from botkit import encoder as encoders
from botkit import language
from botkit.corpus import Article, Corpus
from botkit.index.building import centre, write_rows
from botkit.index.cache import keep_table, recall_table
from botkit.index.head import Head, OwnScores
from botkit.index.lexical import Lexical, okapi
from botkit.index.memory import Memory
from botkit.index.rows import CHANNELS, PASSAGES, PHRASINGS, Row, rows_of
from botkit.index.versions import (
    FORMAT,
    IndexProblem,
    building,
    publish_folder,
    seal_folder,
    verify,
    version_folder,
    write_json,
)

__all__ = [
    "Hit",
    "Index",
    "IndexProblem",
    "Lexical",
    "Live",
    "Ranking",
    "Search",
    "build",
    "building",
    "discard",
    "keep_table",
    "okapi",
    "publish",
    "recall_table",
    "seal",
    "verify",
    "version_folder",
]


LEAD = 0.05
"""by how much a section must fit better than the text above the first heading to be quoted instead"""
EXACT = 10.0
"""what a question that is a phrasing to the letter gains: it is first, whatever the rest says"""


@dataclass(frozen=True)
class Ranking:
    """The ranking's constants, chosen on development questions only."""

    dense: float = 0.5
    """a: the dense share of a row's score"""
    dense_latin: float = 0.1
    """a for Arabic or Persian typed in Latin letters, which the encoders hardly read"""
    words: float = 0.2
    """w: the words' share of the lexical part; character n-grams have the rest"""
    temperature: float = 0.07
    """of the log-sum-exp that pools an article's phrasings"""
    passages: float = 0.4
    """weight of the passage channel beside the phrasings'"""
    language: float = 0.02
    """b: what a row of an unlikely language loses, per nat"""
    head: float = 0.08
    """what a nat of the head's log-probability is worth"""
    rows: int = 200
    """rows of each channel's search that make an article a candidate"""
    candidates: int = 30
    """articles whose rows are all scored"""


@dataclass(frozen=True)
class Hit:
    """An article found. The figures are of its best row in each channel, all on fixed scales:
    cosines after centring in [-1, 1], lexical scores as shares of what the question could reach,
    the head's natural log-probability (0 where there is no head)."""

    article: str
    score: float
    lang: str
    phrasing: str
    anchor: str
    dense: float
    passage_dense: float
    word: float
    char: float
    head: float


@dataclass(frozen=True)
class Search:
    """What a question found: hits, best first, and figures of the first hit and the question."""

    text: str
    shares: Mapping[str, float]
    hits: tuple[Hit, ...]
    signals: Mapping[str, float] = field(default_factory=dict)

    @property
    def lang(self) -> str:
        """The language the question is most likely in."""
        return max(self.shares, key=lambda lang: self.shares[lang])


class _Channel:
    """The rows of one kind: vectors, words, n-grams. Rows of one article stand together."""

    def __init__(self, folder: Path, name: str, arrays: Mapping[str, np.ndarray], groups: int) -> None:
        self.vectors: Any = faiss.read_index(str(folder / f"{name}.faiss"), faiss.IO_FLAG_MMAP_IFC)
        flat = isinstance(self.vectors, faiss.IndexFlat) and self.vectors.ntotal > 0
        vectors: Any = self.vectors
        self._matrix = (  # the same memory as the FAISS index's, seen as an array
            faiss.rev_swig_ptr(vectors.get_xb(), vectors.ntotal * vectors.d).reshape(-1, vectors.d) if flat else None
        )
        self.group, self.lang, self.means = (arrays[f"{name}.{part}"] for part in ("group", "lang", "means"))
        self.words, self.chars = (_read_lexical(folder, f"{name}.{kind}") for kind in ("words", "chars"))
        self.starts = np.searchsorted(self.group, np.arange(groups + 1))
        self.size = len(self.group)

    def nearest(self, vectors: np.ndarray, k: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """(cosines, rows) of each vector, best first; FAISS's padding with -1 ends here."""
        if not self.size:
            return [(np.zeros(0, np.float32), np.zeros(0, np.int64))] * len(vectors)
        faiss.omp_set_num_threads(1)  # of this thread: to share one short search out takes longer than to do it
        cosines, rows = self.vectors.search(vectors, min(k, self.size))
        return [(c[r >= 0], r[r >= 0]) for c, r in zip(cosines, rows, strict=True)]

    def rows_of(self, groups: np.ndarray) -> np.ndarray:
        if not len(groups):
            return np.zeros(0, np.int64)
        return np.concatenate([np.arange(self.starts[g], self.starts[g + 1]) for g in groups])

    def cosines(self, vector: np.ndarray, rows: np.ndarray) -> np.ndarray:
        if not len(rows):
            return np.zeros(0, np.float32)
        if self._matrix is None:
            return np.asarray(self.vectors.reconstruct_batch(rows) @ vector, np.float32)
        if 4 * len(rows) > self.size:  # cheaper than gathering the rows
            return np.asarray((self._matrix @ vector)[rows], np.float32)
        return np.asarray(self._matrix[rows] @ vector, np.float32)


@dataclass(frozen=True)
class _Question:
    """A question made ready: analysed once, used in every channel."""

    words: list[str]
    grams: list[str]
    sounds: list[str]
    vector: np.ndarray
    penalty: np.ndarray


@dataclass(frozen=True)
class _Scored:
    """Rows of the candidates in one channel, with their scores and the place of their article."""

    rows: np.ndarray
    cosines: np.ndarray
    word: np.ndarray
    char: np.ndarray
    values: np.ndarray
    slots: np.ndarray


_Near = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""Cosines and rows of the nearest rows, best first, by channel."""


@dataclass(frozen=True)
class _Gone:
    """What a question to the index itself must not find: one phrasing's row, or whole articles."""

    row: int | None = None
    articles: tuple[int, ...] = ()

    def hole(self, phrasings: _Channel) -> np.ndarray | None:
        """The phrasing rows that are gone, as a mask; None when all are there."""
        if self.row is None and not self.articles:
            return None
        mask = np.zeros(phrasings.size, bool)
        if self.row is not None:
            mask[self.row] = True
        for group in self.articles:
            mask[phrasings.starts[group] : phrasings.starts[group + 1]] = True
        return mask


class Index:
    """An opened version: immutable, safe to share between threads."""

    def __init__(
        self, folder: Path, encoder: encoders.Encoder, manifest: Mapping[str, Any], own: OwnScores | None = None
    ) -> None:
        self.folder, self.encoder, self.manifest, self.own = folder, encoder, manifest, own
        self.version = folder.name
        facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        self.name: str = facts["name"]
        self.languages: tuple[str, ...] = tuple(facts["languages"])
        self.default_language: str = facts["default_language"]
        self._category_titles: dict[str, dict[str, str]] = dict(facts["categories"])
        self._shop: dict[str, dict[str, Any]] = facts["shop"]
        with (folder / "articles.jsonl").open(encoding="utf-8") as lines:
            self._articles = [Article.of(json.loads(line)) for line in lines]
        self._by_key = {(a.id, a.lang): a for a in self._articles}
        self.ids: tuple[str, ...] = tuple(dict.fromkeys(a.id for a in self._articles))
        self._rows = rows_of(self._articles, self.ids, self.languages)
        with np.load(folder / "rows.npz", allow_pickle=False) as table:
            arrays = {name: table[name] for name in table.files}
        self._density, self._sums = arrays["density"], arrays["sums"]
        self._channels = {name: _Channel(folder, name, arrays, len(self.ids)) for name in CHANNELS}
        self._sounds = _read_lexical(folder, "sounds") if (folder / "sounds.npz").exists() else None
        self._head: Head | None = None
        if (folder / "head.npz").exists():
            with np.load(folder / "head.npz", allow_pickle=False) as table:
                self._head = Head.of(table, self._channels[PHRASINGS].chars)
        self._exact = {language.folded(row.text, row.lang): row.group for row in self._rows[PHRASINGS]}
        self.confidence: dict[str, Any] = json.loads((folder / "confidence.json").read_text(encoding="utf-8"))
        self.ranking = Ranking(**manifest["ranking"])
        self._hidden_on: tuple[date, np.ndarray] | None = None

    @classmethod
    def open(cls, folder: Path | str, encoder: encoders.Encoder | None = None) -> Index:
        """The published version of an index folder, or a version folder itself.

        Every file is checked against the manifest's SHA-256. `encoder` must be the one the index
        was built with; by default it is loaded. Raises IndexProblem.
        """
        path = version_folder(Path(folder))
        manifest = verify(path)
        try:
            model = encoder or encoders.load(manifest["encoder"])
        except encoders.EncoderError as error:
            raise IndexProblem(f"{path}: {error}") from error
        if encoders.identity(model) != manifest["encoder_identity"]:
            raise IndexProblem(
                f"{path}: built with the encoder {manifest['encoder_identity']}, but "
                f"this one is {encoders.identity(model)}. "
                "Rebuild the index with `botkit index`, or serve with its own encoder."
            )
        return cls(path, model, manifest)

    # -- what pages show

    def article(self, article_id: str, lang: str) -> Article | None:
        """The article in exactly that language."""
        return self._by_key.get((article_id, lang))

    def best_translation(self, article_id: str, lang: str) -> Article | None:
        """The article in that language, else in the default one, else in any: one that customers may
        see today, if there is one."""
        choices = (lang, self.default_language, *self.languages)
        found = [self._by_key[article_id, choice] for choice in choices if (article_id, choice) in self._by_key]
        return next((a for a in found if self.shows(a)), found[0] if found else None)

    def shows(self, article: Article) -> bool:
        """Whether customers may see an article today."""
        return article.audience == "customer" and article.valid_on(date.today())

    def articles(self, lang: str) -> list[Article]:
        """The articles of a language that customers may see today."""
        return [a for a in self._articles if a.lang == lang and self.shows(a)]

    def categories(self, lang: str) -> list[tuple[str, str]]:
        """(id, title) of the categories that have an article, in the corpus's order."""
        used = list(dict.fromkeys(a.category for a in self.articles(lang)))
        order = [c for c in self._category_titles if c in used] + [c for c in used if c not in self._category_titles]
        return [(c, self._category_titles.get(c, {}).get(lang) or c.replace("-", " ").capitalize()) for c in order]

    def shop(self, lang: str) -> dict[str, Any]:
        """The shop's facts in a language, else in the default one."""
        return self._shop.get(lang) or self._shop.get(self.default_language) or {"name": self.name}

    def starters(self, page: str | None, lang: str, limit: int = 4) -> list[Article]:
        """The articles that the site offers first on a page, by their `pages` patterns."""
        path = (page or "").split("?")[0].split("#")[0]
        seen = self.articles(lang)
        fitting = [a for a in seen if any(fnmatchcase(path, pattern) for pattern in a.pages)]
        general = [a for a in seen if a.pages and a not in fitting]
        return [*fitting, *general][:limit]

    def suggest(self, prefix: str, lang: str, limit: int = 6) -> list[tuple[str, str]]:
        """(article id, phrasing) whose words begin as the words typed, titles before questions."""
        typed = language.folded(prefix, lang).split()
        if not typed:
            return []
        ranked = []
        for order, (article_id, phrasing, tokens, is_title) in enumerate(self._suggestions(lang)):
            if all(any(t.startswith(w) for t in tokens) for w in typed):
                ranked.append(
                    (
                        not (tokens and tokens[0].startswith(typed[0])),
                        not is_title,
                        len(tokens),
                        order,
                        article_id,
                        phrasing,
                    )
                )
        found: dict[str, str] = {}
        for *_, article_id, phrasing in sorted(ranked):
            found.setdefault(article_id, phrasing)
        return list(found.items())[:limit]

    @functools.lru_cache(maxsize=16)  # noqa: B019 - an index lives as long as its process needs it
    def _suggestions(self, lang: str) -> list[tuple[str, str, list[str], bool]]:
        return [
            (a.id, p, language.folded(p, lang).split(), p == a.title) for a in self.articles(lang) for p in a.phrasings
        ]

    # -- search

    def search(self, text: str, lang: str | None = None, limit: int = 10) -> Search:
        """The articles that fit a question, best first; `lang` is the page's language, if known."""
        return self.search_many([text], lang, limit)[0]

    def search_many(
        self, texts: Sequence[str], lang: str | Sequence[str | None] | None = None, limit: int = 10
    ) -> list[Search]:
        """`search` for many questions, their vectors made in one batch."""
        if not texts:
            return []
        pages = [lang] * len(texts) if lang is None or isinstance(lang, str) else list(lang)
        shares = [self.shares(text, page) for text, page in zip(texts, pages, strict=True)]
        spelled = [
            language.native(text, max(share, key=share.__getitem__)) for text, share in zip(texts, shares, strict=True)
        ]
        vectors = self.encode(spelled)
        return [self.rank(*each, limit) for each in zip(texts, vectors, shares, strict=True)]

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Question vectors as the model gives them, float32 of shape (texts, dimensions)."""
        return self.encoder.encode_query(texts)

    def shares(self, text: str, page: str | None = None) -> Mapping[str, float]:
        """Which of the index's languages a question may be in; `page` is the page's language.

        Latin letters on a page in another script are that language the likelier, the better the
        index knows what they sound like, against what they are as letters.
        """
        found = language.detect(text, self.languages, page).shares
        if page not in found or page is None or self._sounds is None or not language.typed_in_latin(text, page):
            return found
        chars = self._channels[PHRASINGS].chars
        spelled = language.native(text, page)
        if spelled != text:
            heard = chars.known(language.ngrams(spelled, page))
        else:
            heard = self._sounds.known(language.sounds(text, page))
        odds = (heard + 0.05) / (chars.known(language.ngrams(text)) + 0.05)
        weighed = {lang: share * odds if lang == page else share for lang, share in found.items()}
        total = sum(weighed.values())
        return {lang: share / total for lang, share in weighed.items()}

    def rank(
        self,
        text: str,
        vector: np.ndarray,
        shares: Mapping[str, float],
        limit: int = 10,
        *,
        without: Sequence[int] = (),
    ) -> Search:
        """`search` with a vector and a language distribution that are known already, as if the articles
        with the numbers `without` were not there."""
        asked = self._question(text, vector, shares)
        head = self._head.log_probabilities(asked.vector, asked.grams) if self._head else None
        if head is not None and without:
            head = head - np.log(max(1.0 - float(np.exp(head[list(without)]).sum()), 1e-6))
        return self._rank(text, asked, shares, head, limit, _Gone(articles=tuple(without)))

    def ask_itself(self, rows: Sequence[int], limit: int = 10) -> Iterator[tuple[Search, Callable[[], Search]]]:
        """What the index would say to some of its own phrasings had each not been there, and, when
        called, had its whole article not been. Only a draft that was just built can tell what its
        head would."""
        vectors = self._channels[PHRASINGS].vectors.reconstruct_batch(np.array(rows, np.int64))
        largest = int(np.diff(self._channels[PHRASINGS].starts).max())
        for row, near in zip(rows, self._near(vectors, largest), strict=True):
            yield self._ask_itself(row, near, limit), functools.partial(self._ask_itself, row, near, limit, True)

    def _ask_itself(self, row: int, near: _Near, limit: int, without_article: bool = False) -> Search:
        channel = self._channels[PHRASINGS]
        phrasing = self._rows[PHRASINGS][row]
        shares = self.shares(phrasing.text, phrasing.lang)
        asked = replace(
            self._question(phrasing.text, channel.means[phrasing.lang_number], shares),
            vector=channel.vectors.reconstruct(row),
        )
        head = None
        if self._head is not None and self.own is not None:
            head = (self.own.without_article if without_article else self.own.without_row)[row]
        gone = _Gone(articles=(phrasing.group,)) if without_article else _Gone(row=row)
        return self._rank(phrasing.text, asked, shares, head, limit, gone, near)

    def own_phrasings(self) -> list[tuple[int, str]]:
        """(article number in `ids`, text) of every phrasing row, in order."""
        return [(row.group, row.text) for row in self._rows[PHRASINGS]]

    def own_tests(self) -> list[tuple[int, str, str]]:
        """(article number in `ids`, language, text) of every test that an article brings."""
        number = {article_id: i for i, article_id in enumerate(self.ids)}
        return [(number[a.id], a.lang, language.clean(test)) for a in self._articles for test in a.tests]

    def _question(self, text: str, vector: np.ndarray, shares: Mapping[str, float]) -> _Question:
        chosen = np.array([shares.get(code, 0.0) for code in self.languages], np.float32)
        lang = self.languages[int(np.argmax(chosen))]
        spelled = language.native(text, lang)
        return _Question(
            words=language.words(spelled, lang),
            grams=language.ngrams(spelled, lang),
            sounds=language.sounds(text, lang) if self._sounds and language.typed_in_latin(text, lang) else [],
            vector=centre(vector[None, :], (chosen @ self._channels[PHRASINGS].means)[None, :])[0],
            penalty=self.ranking.language * np.log(np.maximum(chosen, 0.01)),
        )

    def _rank(
        self,
        text: str,
        asked: _Question,
        shares: Mapping[str, float],
        head: np.ndarray | None,
        limit: int,
        gone: _Gone,
        near: _Near | None = None,
    ) -> Search:
        hole = gone.hole(self._channels[PHRASINGS])
        lexical = {name: self._lexical(name, asked) for name in CHANNELS}
        near = dict(near or self._near(asked.vector[None, :], 0 if hole is None else int(hole.sum()))[0])
        if hole is not None:
            cosines, rows = near[PHRASINGS]
            kept = np.flatnonzero(~hole[rows])[: self.ranking.rows]
            near[PHRASINGS] = cosines[kept], rows[kept]
        groups = self._candidates(asked, lexical, near, head, gone, hole)
        if not len(groups):
            return Search(text, dict(shares), ())
        scored = {}
        for name, channel in self._channels.items():
            rows = channel.rows_of(groups)
            if name == PHRASINGS and hole is not None:
                rows = rows[~hole[rows]]
            cosines = channel.cosines(asked.vector, rows)
            word, char = lexical[name]
            scored[name] = _Scored(
                rows,
                cosines,
                word[rows],
                char[rows],
                self._row_scores(channel, asked, rows, cosines, word[rows], char[rows]),
                np.searchsorted(groups, channel.group[rows]),
            )
        told = _best(scored[PASSAGES].values, scored[PASSAGES].slots, len(groups))
        phrased = _pool(scored[PHRASINGS].values, scored[PHRASINGS].slots, len(groups), self.ranking.temperature)
        # An article without text (or, when it is left out, without phrasings) is judged by what it has.
        phrased, told = np.where(np.isfinite(phrased), phrased, told), np.where(np.isfinite(told), told, phrased)
        scores = (phrased + self.ranking.passages * told) / (1 + self.ranking.passages)
        # The head has seen no Latin spelling of Arabic and Persian.
        of_head = np.zeros(len(groups), np.float32) if head is None or asked.sounds else head[groups]
        scores = scores + self.ranking.head * of_head
        exact = self._exact.get(language.folded(text)) if gone.row is None else None
        if exact is not None and exact in groups:
            scores[np.searchsorted(groups, exact)] += EXACT
        return self._result(
            text, asked, shares, groups, scores, of_head, scored, near[PHRASINGS], limit, gone.row, hole
        )

    def _near(self, vectors: np.ndarray, extra: int) -> list[_Near]:
        """The nearest rows of each vector in every channel, and `extra` ones for those to be left out."""
        k = self.ranking.rows + extra
        return [
            dict(zip(CHANNELS, each, strict=True))
            for each in zip(*(self._channels[name].nearest(vectors, k) for name in CHANNELS), strict=True)
        ]

    def _lexical(self, name: str, asked: _Question) -> tuple[np.ndarray, np.ndarray]:
        """Word and n-gram scores of every row of a channel, as shares of what the question could reach."""
        channel = self._channels[name]
        word = channel.words.scores(asked.words) / channel.words.bound(asked.words)
        char = channel.chars.scores(asked.grams) / channel.chars.bound(asked.grams)
        if asked.sounds and name == PHRASINGS and self._sounds is not None:
            heard = self._sounds.scores(asked.sounds) / self._sounds.bound(asked.sounds)
            word, char = np.maximum(word, heard), np.maximum(char, heard)
        return word, char

    def _row_scores(
        self,
        channel: _Channel,
        asked: _Question,
        rows: np.ndarray,
        cosines: np.ndarray,
        word: np.ndarray,
        char: np.ndarray,
    ) -> np.ndarray:
        r = self.ranking
        lexical = r.words * word + (1 - r.words) * char
        dense = r.dense_latin if asked.sounds else r.dense
        return np.asarray(dense * cosines + (1 - dense) * lexical + asked.penalty[channel.lang[rows]], np.float32)

    def _candidates(
        self,
        asked: _Question,
        lexical: Mapping[str, tuple[np.ndarray, np.ndarray]],
        near: Mapping[str, tuple[np.ndarray, np.ndarray]],
        head: np.ndarray | None,
        gone: _Gone,
        hole: np.ndarray | None,
    ) -> np.ndarray:
        """Numbers of the articles worth scoring in full, ascending: those of the best rows of each
        channel's dense and lexical search, and the head's favourites."""
        rough = np.full(len(self.ids), -np.inf, np.float32)
        for name, channel in self._channels.items():
            word, char = lexical[name]
            mixed = self.ranking.words * word + (1 - self.ranking.words) * char
            keep = min(self.ranking.rows, channel.size)
            strong = np.argpartition(-mixed, keep - 1)[:keep] if keep else np.zeros(0, np.int64)
            strong = strong[mixed[strong] > 0]
            rows = np.concatenate([near[name][1], strong])
            cosines = np.concatenate([near[name][0], channel.cosines(asked.vector, strong)])
            if name == PHRASINGS and hole is not None:
                kept = ~hole[rows]
                rows, cosines = rows[kept], cosines[kept]
            np.maximum.at(
                rough, channel.group[rows], self._row_scores(channel, asked, rows, cosines, word[rows], char[rows])
            )
        if head is not None and not asked.sounds:
            favourites = np.argsort(-head, kind="stable")[:5]
            rough[favourites] = np.maximum(rough[favourites], 0.0)
        rough[self._hidden()] = -np.inf
        rough[list(gone.articles)] = -np.inf
        order = np.argsort(-rough, kind="stable")[: self.ranking.candidates]
        return np.sort(order[np.isfinite(rough[order])])

    def _result(
        self,
        text: str,
        asked: _Question,
        shares: Mapping[str, float],
        groups: np.ndarray,
        scores: np.ndarray,
        head: np.ndarray,
        scored: Mapping[str, _Scored],
        near: tuple[np.ndarray, np.ndarray],
        limit: int,
        gone_row: int | None,
        hole: np.ndarray | None,
    ) -> Search:
        size = len(groups)
        phrased, told = scored[PHRASINGS], scored[PASSAGES]
        dense = _best(phrased.cosines, phrased.slots, size, -1.0)
        passage_dense = _best(told.cosines, told.slots, size, -1.0)
        word, char = _best(phrased.word, phrased.slots, size, 0.0), _best(phrased.char, phrased.slots, size, 0.0)
        order = np.argsort(-scores, kind="stable")
        hits = []
        for i in order[:limit]:
            row = self._best_phrasing(phrased, int(i))
            passage = self._best_passage(told, int(i), max(shares, key=shares.__getitem__))
            any_row = row or passage
            assert any_row is not None
            hits.append(
                Hit(
                    self.ids[groups[i]],
                    float(scores[i]),
                    any_row.lang,
                    row.text if row else "",
                    passage.anchor if passage else "",
                    float(dense[i]),
                    float(passage_dense[i]),
                    float(word[i]),
                    float(char[i]),
                    float(head[i]),
                )
            )
        first = int(order[0])

        def margin(figures: np.ndarray) -> float:
            others = np.delete(figures, first)
            return float(figures[first] - others.max()) if len(others) else float(figures[first])

        channel = self._channels[PHRASINGS]
        cosines, rows = near
        ten = cosines[:10]
        top = float(cosines[0]) if len(cosines) else 0.0
        votes = channel.group[rows[:10]] == groups[first]
        share = np.exp((scores[order[:10]] - scores[first]) / self.ranking.temperature)
        share /= share.sum()
        winners = (int(np.argmax(dense)), int(np.argmax(word)), int(np.argmax(char)), int(np.argmax(head)))
        row_words = language.words(hits[0].phrasing, hits[0].lang)
        signals = {
            "top": top,
            "z": (top - float(cosines.mean())) / max(float(cosines.std()), 1e-3) if len(cosines) > 2 else 0.0,
            "gap10": top - float(ten[-1]) if len(ten) else 0.0,
            "csls": 2 * top - float(self._density[rows[0]]) - float(ten.mean()) if len(ten) else 0.0,
            "dense_margin": margin(dense),
            "passage_margin": margin(passage_dense),
            "score_margin": margin(scores),
            "word_margin": margin(word),
            "char_margin": margin(char),
            "head_margin": margin(head),
            "known_words": channel.words.known(asked.words, hole),
            "known_grams": channel.chars.known(asked.grams, hole),
            "coverage": channel.words.coverage(asked.words, row_words),
            "agreement": sum(w == first for w in winners) / len(winners),
            "word_rank": 1.0 / (1 + int((word > word[first]).sum())),
            "vote": float(votes.mean()) if len(votes) else 0.0,
            "centroid": self._centroid(int(groups[first]), asked.vector, gone_row),
            "entropy": float(-(share * np.log(share + 1e-12)).sum()),
            "length": float(np.log1p(len(asked.words))),
            "phrasings": float(np.log1p(channel.starts[groups[first] + 1] - channel.starts[groups[first]])),
            "language_probability": float(max(shares.values())),
            "exact": float(scores[first] >= EXACT),
        }
        return Search(text, dict(shares), tuple(hits), signals)

    def _best_phrasing(self, scored: _Scored, slot: int) -> Row | None:
        own = np.flatnonzero(scored.slots == slot)
        return self._rows[PHRASINGS][scored.rows[own[np.argmax(scored.values[own])]]] if len(own) else None

    def _best_passage(self, scored: _Scored, slot: int, lang: str) -> Row | None:
        """The passage to quote: in the question's language if there is one, and the one above the first
        heading, which answers for the whole article, unless another fits clearly better."""
        own = np.flatnonzero(scored.slots == slot)
        found = [(self._rows[PASSAGES][scored.rows[i]], float(scored.values[i])) for i in own]
        rows = [(row, value) for row, value in found if row.lang == lang] or found
        if not rows:
            return None
        best: Row = max(rows, key=lambda pair: pair[1] + (LEAD if not pair[0].anchor else 0.0))[0]
        return best

    def _centroid(self, group: int, vector: np.ndarray, gone_row: int | None) -> float:
        """Cosine of the question to the mean phrasing of an article, but for `gone_row`."""
        channel = self._channels[PHRASINGS]
        total = self._sums[group]
        if gone_row is not None and channel.group[gone_row] == group:
            total = total - channel.vectors.reconstruct(gone_row)
        return float(total @ vector / max(float(np.linalg.norm(total)), 1e-9))

    def _hidden(self) -> np.ndarray:
        """Articles that no customer may see today, as a mask over `ids`."""
        today = date.today()
        if self._hidden_on is None or self._hidden_on[0] != today:
            shown = {a.id for a in self._articles if self.shows(a)}
            self._hidden_on = (today, np.array([i not in shown for i in self.ids], bool))
        return self._hidden_on[1]


def _pool(values: np.ndarray, slots: np.ndarray, size: int, temperature: float) -> np.ndarray:
    """t * log(sum(exp(f / t))) of the values of each slot; -inf for a slot without any."""
    best = _best(values, slots, size)
    total = np.bincount(slots, np.exp((values - best[slots]) / temperature), size) if len(slots) else np.zeros(size)
    with np.errstate(divide="ignore"):
        return np.where(total > 0, best + temperature * np.log(np.maximum(total, 1e-300)), -np.inf)


def _best(values: np.ndarray, slots: np.ndarray, size: int, nothing: float = -np.inf) -> np.ndarray:
    """The largest value of each slot; `slots` ascend, as rows of ascending articles do."""
    found = np.full(size, nothing)
    if len(slots):
        starts = np.flatnonzero(np.diff(slots, prepend=-1))
        found[slots[starts]] = np.maximum.reduceat(values, starts)
    return found


def _read_lexical(folder: Path, name: str) -> Lexical:
    terms = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    with np.load(folder / f"{name}.npz", allow_pickle=False) as table:
        return Lexical(terms, table["idf"], table["starts"], table["rows"], table["weights"], int(table["size"]))


# ---------------------------------------------------------------- from a corpus to a published version


def build(
    corpus: Corpus,
    folder: Path | str,
    encoder_name: str = encoders.DEFAULT,
    *,
    encoder: encoders.Encoder | None = None,
    ranking: Ranking | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Index:
    """Write a draft of a new version beside the others and open it.

    The same corpus gives the same bytes, whatever was built in the folder before. `progress` gets
    (done, all) texts to embed. Raises IndexProblem when the corpus has no article.
    """
    if not corpus.articles:
        raise IndexProblem("the corpus has no article to index. Write one and build again.")
    top = Path(folder)
    top.mkdir(parents=True, exist_ok=True)
    model = Memory(encoder or encoders.load(encoder_name), top / "cache")
    articles = sorted(corpus.articles, key=lambda a: (a.id, corpus.languages.index(a.lang)))
    ids = tuple(dict.fromkeys(a.id for a in articles))
    rows = rows_of(articles, ids, corpus.languages)
    texts = {name: [row.text for row in rows[name]] for name in CHANNELS}
    tests = [language.native(language.clean(test), a.lang) for a in articles for test in a.tests]
    model.learn([*texts[PHRASINGS], *tests], texts[PASSAGES], progress)
    vectors = {PHRASINGS: model.encode_query(texts[PHRASINGS]), PASSAGES: model.encode_document(texts[PASSAGES])}
    model.save()
    draft = top / f".draft-{os.getpid()}-{threading.get_ident()}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        own = write_rows(draft, top / "cache", rows, vectors, len(ids), corpus.languages)
        write_json(
            draft / "facts.json",
            {
                "name": corpus.name,
                "languages": list(corpus.languages),
                "default_language": corpus.default_language,
                "categories": [[key, dict(titles)] for key, titles in corpus.categories.items()],
                "shop": corpus.shop,
            },
        )
        with (draft / "articles.jsonl").open("w", encoding="utf-8", newline="\n") as stream:
            for a in articles:
                stream.write(json.dumps(a.table(), ensure_ascii=False, sort_keys=True) + "\n")
        write_json(draft / "confidence.json", {})
        return Index(
            draft,
            model,
            {
                "format": FORMAT,
                "name": corpus.name,
                "encoder": encoder_name,
                "encoder_identity": encoders.identity(model),
                "stemmer": language.stemmer_version(),
                "ranking": asdict(ranking or Ranking()),
                "counts": {"articles": len(ids), "translations": len(articles), **{n: len(rows[n]) for n in CHANNELS}},
            },
            own,
        )
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def seal(draft: Index, confidence: Mapping[str, Any], extra: Mapping[str, Any] | None = None) -> Index:
    """Give a draft its confidence model and its final name. The version is not published yet."""
    write_json(draft.folder / "confidence.json", dict(confidence))
    final = seal_folder(draft.folder, {**draft.manifest, **(extra or {})})
    sealed = copy.copy(draft)  # what it has open stays the same files under another name
    sealed.folder, sealed.version, sealed.manifest = final, final.name, verify(final)
    sealed.encoder, sealed.confidence = _forgotten(draft.encoder), dict(confidence)
    return sealed


def _forgotten(encoder: encoders.Encoder) -> encoders.Encoder:
    """The encoder itself, its memory of this build put by for the next."""
    if isinstance(encoder, Memory):
        encoder.save()
        return encoder.model
    return encoder


def discard(draft: Index) -> None:
    """Throw an unsealed draft away."""
    _forgotten(draft.encoder)
    if draft.folder.name.startswith(".draft-"):
        shutil.rmtree(draft.folder, ignore_errors=True)


def publish(version: Index, keep: int = 5) -> None:
    """Make a sealed version the current one, by rename; older ones past `keep` are removed."""
    publish_folder(version.folder, keep)


class Live:
    """The published version of a folder, followed while a server runs.

    `current()` gives the newest good version; a damaged one is refused and the last good one goes
    on, with the reason in `problem`.
    """

    def __init__(self, folder: Path | str, encoder: encoders.Encoder | None = None) -> None:
        self.folder = Path(folder)
        self.problem: str | None = None
        self._lock = threading.Lock()
        self._stamp = self._look()
        self._index = Index.open(self.folder, encoder)

    def current(self) -> Index:
        stamp = self._look()
        if stamp != self._stamp and self._lock.acquire(blocking=False):
            try:
                if stamp != self._stamp:
                    try:
                        self._index, self.problem = Index.open(self.folder, self._index.encoder), None
                    except Exception as error:  # whatever is wrong with a new version, the old one answers
                        self.problem = str(error)
                    self._stamp = stamp
            finally:
                self._lock.release()
        return self._index

    def _look(self) -> tuple[int, int] | None:
        try:
            seen = (self.folder / "CURRENT").stat()
        except OSError:
            return None
        return seen.st_mtime_ns, seen.st_ino
