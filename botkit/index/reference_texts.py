"""Vectors of botkit's own texts in each language that it speaks: where a language lies, and what lies elsewhere.

Those of the default encoder ship with botkit in `own/`; `eval/simulate.py` writes them. Any other encoder's are made
once for each process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from botkit import encoder as encoders
from botkit import language
from botkit.index.cache import keep, key_of
from botkit.index.embedding_cache import EmbeddingCache

SHIPPED = Path(__file__).parent / "reference_texts_vectors"
SENTENCES = 40
ADDRESSED = ("bot.", "chat.", "help.", "widget.")
"""the catalogues that speak to customers, of which the sentences are"""


@dataclass(frozen=True)
class ReferenceTexts:
    """`centroids`: the mean vector of the same sentences in each language. `out_of_domain`: the vectors of questions
    that hardly any shop's help answers, shape (questions, dimensions); see `language.out_of_domain`."""

    centroids: Mapping[str, np.ndarray]
    out_of_domain: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, model: encoders.Encoder, tables: language.Tables = language.SHIPPED) -> ReferenceTexts:
        """What an encoder makes of them, and of those that a corpus has added."""
        key = encoders.identity(model), tables.digest
        if key not in _known:
            memory = EmbeddingCache(model, SHIPPED)
            result = {code: sentences(code, tables) for code in tables.interface}
            beyond = {code: _out_of_domain(code, tables) for code in tables.codes}
            _known[key] = cls(
                {code: memory.encode_query(texts).mean(axis=0) for code, texts in result.items() if texts},
                {code: memory.encode_query(texts) for code, texts in beyond.items() if texts},
            )
        return _known[key]


_known: dict[tuple[str, str], ReferenceTexts] = {}


def ship(model: encoders.Encoder) -> None:
    """Write the vectors that `ReferenceTexts.of` finds, in half precision: it moves a cosine by less than 0.001."""
    texts = dict.fromkeys(t for code in language.LANGUAGES for t in (*sentences(code), *_out_of_domain(code)))
    vectors = model.encode_query(list(texts)).astype(np.float16)
    keys = np.array([key_of("query", text) for text in texts])
    keep(SHIPPED / EmbeddingCache.FILE, encoders.identity(model), {"keys": keys, "vectors": vectors})


def _out_of_domain(lang: str, tables: language.Tables = language.SHIPPED) -> list[str]:
    return [language.normalise_script(question, lang, tables) for question in language.out_of_domain(lang, tables)]


def sentences(lang: str, tables: language.Tables = language.SHIPPED) -> list[str]:
    """The same short sentences in each language, from the catalogues; none where they are not all there in one."""
    plain = language.messages(language.LANGUAGES[0])
    keys = [
        key
        for key, text in sorted(plain.items())
        if key.startswith(ADDRESSED) and "{" not in text and 5 <= len(text.split()) <= 14
    ]
    chosen = keys[:: max(1, len(keys) // SENTENCES)][:SENTENCES]
    result = language.messages(lang) if lang in language.LANGUAGES else tables.added.texts.get(lang, {})
    return [result[key] for key in chosen] if all(key in result for key in chosen) else []
