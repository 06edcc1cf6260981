"""Rows to FAISS and BM25, and a question to hits; versions on disk, published atomically.

A *row* is one phrasing or one passage of an article in one language. Phrasings are one channel
(query prefix on both sides), passages another (document prefix on the stored side). In each, every
row gets

    f = a * cos + (1 - a) * (w * word / ub_word + (1 - w) * char / ub_char) + b * log P(row's language)

on a fixed scale, so that scores of two questions compare. Phrasings are pooled per article by
log-sum-exp and passages by their best, channels are summed, and the score of a classifier that learned from
all phrasings is added. A score orders hits; it is never a confidence.

    indexes/<name>/CURRENT             the published version's name
    indexes/<name>/PUBLISHED           every version that was published and is still there, the latest last
    indexes/<name>/<version>/          never edited after it is written
        manifest.json                  format, encoder, counts, SHA-256 of every file
        facts.json, articles.jsonl     what pages show
        replies.jsonl                  canned replies, for agents; not there when there are none
        languages.json                 language tables and interface texts of the corpus's own; likewise
        rows.npz                       row -> article, language; means; densities; centroids; questions beyond any shop
        phrasings.faiss, passages.faiss
        {phrasings,passages}.{words,chars}.{npz,json}, sounds.{npz,json}
        head.*.npy                     the intent classifier
        confidence.json                the confidence model's numbers
    indexes/<name>/cache/              files, vectors and terms of earlier builds by content; may be deleted

This package is the only importer of faiss and rank_bm25.
"""

from botkit.index.build import build, discard, publish, seal
from botkit.index.cache import keep_table, recall_table
from botkit.index.hits import Hit, Ranking, Search
from botkit.index.index import Index, tables
from botkit.index.lexical import Lexical, okapi
from botkit.index.reload import Live
from botkit.index.signals import FEATURES, FROM_STORED, MEANINGS, STORED, Signals
from botkit.index.versions import IndexProblem, building, offered, verify, version_folder

__all__ = [
    "FEATURES",
    "FROM_STORED",
    "MEANINGS",
    "STORED",
    "Hit",
    "Index",
    "IndexProblem",
    "Lexical",
    "Live",
    "Ranking",
    "Search",
    "Signals",
    "build",
    "building",
    "discard",
    "keep_table",
    "offered",
    "okapi",
    "publish",
    "recall_table",
    "seal",
    "tables",
    "verify",
    "version_folder",
]
