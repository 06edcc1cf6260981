"""Rows to the files of a version: vectors, words, classifier. Work done here is not done at a question."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from botkit import language
from botkit.index.classifier import Classifier
from botkit.index.lexical import Lexical
from botkit.index.reference_texts import ReferenceTexts
from botkit.index.rows import CHANNELS, PHRASINGS, Row
from botkit.index.terms import counted
from botkit.index.versions import write_json

FLAT_ROWS, SCALAR_ROWS = 100_000, 300_000
QUANTILES = 65


def write_rows(
    draft: Path,
    cache: Path,
    rows: Mapping[str, Sequence[Row]],
    vectors: Mapping[str, np.ndarray],
    groups: int,
    languages: Sequence[str],
    references: ReferenceTexts,
    tables: language.Tables = language.SHIPPED,
) -> None:
    """Write everything that search reads. Terms that the last build counted are in `cache`."""
    names = language.domain_names()
    arrays = {"trades": np.zeros((groups, len(names)), bool)}  # which of them each article speaks of
    for name in CHANNELS:
        langs = np.array([r.lang_number for r in rows[name]], np.int16)
        group = np.array([r.group for r in rows[name]], np.int32)
        means = _language_means(vectors[name], langs, len(languages))
        centred = centre(vectors[name], means[langs]) if len(langs) else vectors[name]
        faiss.write_index(_faiss_index(centred), str(draft / f"{name}.faiss"))
        texts = [(r.read(tables), r.lang) for r in rows[name]]
        maker = f"{language.stemmer_version()} {language.code()[:16]} {tables.digest}".rstrip()
        counts = functools.partial(counted, maker=maker, texts=texts)
        grams = counts(cache / f"{name}.chars.npz", analyse=functools.partial(language.ngrams, tables=tables))
        words = counts(cache / f"{name}.words.npz", analyse=functools.partial(language.words, tables=tables))
        spoken = counts(cache / f"{name}.trades.npz", analyse=functools.partial(language.domains, tables=tables))
        trade = np.array([names.index(term) for term in spoken.terms], np.int64)[spoken.ids]
        arrays["trades"][np.repeat(group, np.diff(spoken.starts)), trade] = True
        write_lexical(draft, f"{name}.words", Lexical.build(words))
        chars = Lexical.build(grams)
        write_lexical(draft, f"{name}.chars", chars)
        arrays |= {f"{name}.group": group, f"{name}.lang": langs, f"{name}.means": means}
        if name == PHRASINGS:
            foreign = [code for code in language.LANGUAGES if code not in languages]
            abroad = arrays["foreign.means"] = _foreign_means(means, langs, languages, foreign, references.centroids)
            mean_of = dict(zip((*languages, *foreign), (*means, *abroad), strict=True))
            beyond = {code: v for code, v in references.out_of_domain.items() if code in mean_of}
            asked = np.concatenate([centre(v, mean_of[code][None, :]) for code, v in beyond.items()])
            arrays["elsewhere"] = asked.astype(np.float16)
            arrays["near.elsewhere"] = _quantiles(_nearest(centred, asked))
            arrays |= _neighbourhood(centred, group)
            arrays["sums"] = _sums(centred, group, groups)
            if any(language.script_of(lang, tables) != "latin" for lang in languages):
                heard = functools.partial(_sounds, tables=tables)
                keys = counts(cache / "sounds.npz", analyse=heard, texts=[(r.text, r.lang) for r in rows[name]])
                write_lexical(draft, "sounds", Lexical.build(keys))
            fitted = Classifier.fit(centred, grams, group, groups, chars)
            if fitted is not None:
                fitted.write(draft)
    np.savez(draft / "rows.npz", **arrays)  # type: ignore[arg-type]


def _sounds(text: str, lang: str, tables: language.Tables) -> Sequence[str]:
    return language.phonetic_keys(text, lang, tables) if language.script_of(lang, tables) != "latin" else ()


def write_lexical(draft: Path, name: str, lexical: Lexical) -> None:
    np.savez(
        draft / f"{name}.npz",
        idf=lexical.idf,
        starts=lexical.starts,
        rows=lexical.rows,
        weights=lexical.weights,
        size=np.array(lexical.size),
    )
    write_json(draft / f"{name}.json", list(lexical.column))


def centre(vectors: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Vectors less their language's mean, of length 1 again."""
    moved = vectors - means
    return np.ascontiguousarray(
        moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9), dtype=np.float32
    )


def _faiss_index(vectors: np.ndarray) -> Any:
    """Flat to 100,000 rows, half-precision to 300,000, a graph above; inner product in each."""
    size, dim = vectors.shape
    if size <= FLAT_ROWS:
        result: Any = faiss.IndexFlatIP(dim)
    elif size <= SCALAR_ROWS:
        result = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        result.train(vectors)
    else:
        faiss.omp_set_num_threads(1)  # the same bytes at every build
        result = faiss.IndexHNSWFlat(dim, 32, faiss.METRIC_INNER_PRODUCT)
        result.hnsw.efConstruction = 80
        result.hnsw.efSearch = 128
    if size:
        result.add(vectors)
    return result


def _language_means(vectors: np.ndarray, langs: np.ndarray, count: int) -> np.ndarray:
    """The mean vector of each language, drawn towards the mean of all where a language has few rows,
    and that towards nothing where there are few rows at all."""
    everything = vectors.sum(axis=0) / (len(vectors) + 5.0)
    means = np.zeros((count, vectors.shape[1]), np.float32)
    for number in range(count):
        mine = vectors[langs == number]
        means[number] = (mine.sum(axis=0) + 10.0 * everything) / (len(mine) + 10.0)
    return means


def _foreign_means(
    means: np.ndarray,
    langs: np.ndarray,
    languages: Sequence[str],
    foreign: Sequence[str],
    centroids: Mapping[str, np.ndarray],
) -> np.ndarray:
    """The mean vector to expect of each language that has no rows, shape (foreign, dimensions): that of the rows
    there are, moved from their languages' accent to its own."""
    share = np.bincount(langs, minlength=len(languages)).astype(np.float32)
    share = share / share.sum() if share.sum() else np.full(len(languages), 1 / len(languages), np.float32)
    here = np.array([centroids.get(code, np.zeros(means.shape[1])) for code in languages], np.float32)
    moved = [share @ means + centroids[code] - share @ here for code in foreign]
    return np.array(moved, np.float32).reshape(len(foreign), means.shape[1])


def _neighbourhood(
    centred: np.ndarray, group: np.ndarray, neighbours: int = 10, block: int = 1024
) -> dict[str, np.ndarray]:
    """How the rows lie to one another. `density`: the mean cosine of each to its ten nearest others. `near.own` and
    `near.others`: at QUANTILES even steps from lowest to highest, the cosine of rows to their nearest of the same
    article, and to their nearest of another: what a question has to reach, and what near misses reach. `own.first`:
    the share of rows whose nearest is of the same article."""
    size = len(centred)
    density, own, others = np.zeros(size, np.float32), np.full(size, -1.0), np.full(size, -1.0)
    k = min(neighbours, size - 1)
    for start in range(0, size if k > 0 else 0, block):
        part = centred[start : start + block] @ centred.T
        part[np.arange(len(part)), np.arange(start, start + len(part))] = -1.0
        same = group[start : start + block, None] == group[None, :]
        own[start : start + block] = np.where(same, part, -1.0).max(axis=1)
        others[start : start + block] = np.where(same, -1.0, part).max(axis=1)
        part.partition(size - k, axis=1)
        density[start : start + block] = part[:, size - k :].mean(axis=1)
    accompanied = own > -1.0
    first = float((own > others)[accompanied].mean()) if accompanied.any() else 0.0
    return {
        "density": density,
        "near.own": _quantiles(own),
        "near.others": _quantiles(others),
        "own.first": np.array(first, np.float32),
    }


def _nearest(rows: np.ndarray, others: np.ndarray, block: int = 4096) -> np.ndarray:
    """The cosine of each row to the nearest of others."""
    parts = [(rows[i : i + block] @ others.T).max(axis=1) for i in range(0, len(rows), block)]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _quantiles(cosines: np.ndarray) -> np.ndarray:
    known = cosines[cosines > -1.0]
    return np.quantile(known if len(known) else np.zeros(1), np.linspace(0, 1, QUANTILES)).astype(np.float32)


def _sums(centred: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """The sum of each article's phrasing vectors."""
    total = np.zeros((groups, centred.shape[1]), np.float32)
    np.add.at(total, group, centred)
    return total
