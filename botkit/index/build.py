"""From a corpus to a version: written as a draft, sealed under its name, published or thrown away."""

from __future__ import annotations

import copy
import json
import os
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from botkit import encoder as encoders
from botkit import language
from botkit.corpus import Article, Corpus
from botkit.index.embedding_cache import EmbeddingCache, Unreadable
from botkit.index.hits import Ranking
from botkit.index.index import ADDITIONS, Index
from botkit.index.reference_texts import ReferenceTexts
from botkit.index.rows import CHANNELS, PASSAGES, PHRASINGS, rows_of
from botkit.index.versions import FORMAT, IndexProblem, publish_folder, seal_folder, verify, write_json
from botkit.index.writing import write_rows


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
    model = EmbeddingCache(encoder or encoders.load(encoder_name), top / "cache")
    articles = sorted(corpus.articles, key=lambda a: (a.id, corpus.languages.index(a.lang)))
    ids = tuple(dict.fromkeys(a.id for a in articles))
    rows = rows_of(articles, ids, corpus.languages)
    tables = corpus.tables
    texts = {name: [row.read(tables) for row in rows[name]] for name in CHANNELS}
    tests = [text for a in articles for text in _tests(a, tables)]
    try:
        model.learn([*texts[PHRASINGS], *tests], texts[PASSAGES], progress)
    except Unreadable as error:
        file = next((a.file for a in articles if error.text in _read(a, ids, corpus)), "the articles")
        raise IndexProblem(
            f"{file}: the encoder cannot read “{error.text[:60]}” ({error}). "
            "Write it in other characters, or build with another encoder."
        ) from error
    vectors = {PHRASINGS: model.encode_query(texts[PHRASINGS]), PASSAGES: model.encode_document(texts[PASSAGES])}
    model.save()
    draft = top / f".draft-{os.getpid()}-{threading.get_ident()}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        references = ReferenceTexts.of(model, tables)
        write_rows(draft, top / "cache", rows, vectors, len(ids), corpus.languages, references, tables)
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
        replies = [reply for reply in corpus.replies if reply.lang in corpus.languages]
        if replies:
            with (draft / "replies.jsonl").open("w", encoding="utf-8", newline="\n") as stream:
                for reply in sorted(replies, key=lambda r: (r.id, corpus.languages.index(r.lang))):
                    stream.write(json.dumps(reply.table(), ensure_ascii=False, sort_keys=True) + "\n")
        if corpus.additions:
            (draft / ADDITIONS).write_text(corpus.additions.json(), encoding="utf-8", newline="\n")
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
                "ranking": (ranking or Ranking()).stored(),
                "counts": {"articles": len(ids), "translations": len(articles), **{n: len(rows[n]) for n in CHANNELS}},
            },
        )
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _tests(article: Article, tables: language.Tables) -> list[str]:
    """An article's tests as they will be asked."""
    return [language.normalise_script(language.clean(test), article.lang, tables) for test in article.tests]


def _read(article: Article, ids: Sequence[str], corpus: Corpus) -> set[str]:
    """All of an article that an encoder reads."""
    rows = rows_of([article], ids, corpus.languages)
    return {*_tests(article, corpus.tables), *(row.read(corpus.tables) for name in CHANNELS for row in rows[name])}


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
    if isinstance(encoder, EmbeddingCache):
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
