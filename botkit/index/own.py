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
from botkit.index.memory import Memory

SHIPPED = Path(__file__).parent / "own"
SENTENCES = 40
ADDRESSED = ("bot.", "chat.", "help.", "widget.")
"""the catalogues that speak to customers, of which the sentences are"""


@dataclass(frozen=True)
class Own:
    """`accents`: the mean vector of the same sentences in each language. `elsewhere`: the vectors of questions that
    hardly any shop's help answers, shape (questions, dimensions); see `language.elsewhere`."""

    accents: Mapping[str, np.ndarray]
    elsewhere: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, model: encoders.Encoder) -> Own:
        """What an encoder makes of them."""
        name = encoders.identity(model)
        if name not in _known:
            memory = Memory(model, SHIPPED)
            _known[name] = cls(
                {code: memory.encode_query(sentences(code)).mean(axis=0) for code in language.LANGUAGES},
                {code: memory.encode_query(_elsewhere(code)) for code in language.LANGUAGES},
            )
        return _known[name]


_known: dict[str, Own] = {}


def ship(model: encoders.Encoder) -> None:
    """Write the vectors that `Own.of` finds, in half precision: it moves a cosine by less than 0.001."""
    texts = dict.fromkeys(t for code in language.LANGUAGES for t in (*sentences(code), *_elsewhere(code)))
    vectors = model.encode_query(list(texts)).astype(np.float16)
    keys = np.array([key_of("query", text) for text in texts])
    keep(SHIPPED / Memory.FILE, encoders.identity(model), {"keys": keys, "vectors": vectors})


def _elsewhere(lang: str) -> list[str]:
    return [language.native(question, lang) for question in language.elsewhere(lang)]


def sentences(lang: str) -> list[str]:
    """The same short sentences in each language, from the catalogues."""
    plain = language.messages(language.LANGUAGES[0])
    keys = [
        key
        for key, text in sorted(plain.items())
        if key.startswith(ADDRESSED) and "{" not in text and 5 <= len(text.split()) <= 14
    ]
    chosen = keys[:: max(1, len(keys) // SENTENCES)][:SENTENCES]
    told = language.messages(lang)
    return [told[key] for key in chosen]
