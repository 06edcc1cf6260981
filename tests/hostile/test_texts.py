"""Any text at all, given to the functions that read customers' words: none raises, and what comes of it can be sent."""

from __future__ import annotations

import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from botkit import answer, desk, encoder, language
from botkit.index import Live
from eval.chance import TEXTS

ANYTHING = st.characters()  # halves of surrogates too
PIECES = st.sampled_from([text[:1500] for text in TEXTS if text])
TEXT = st.one_of(
    st.text(ANYTHING, max_size=60),
    PIECES,
    st.tuples(PIECES, st.text(ANYTHING, max_size=10), PIECES).map("".join),
    st.lists(st.sampled_from("a ﷺ ﷽ ﬁ ı İ ς ß ـ ّ ‌ 😀 ❤️ 1 ½ ² ½ . @ ' ي ى ک ك".split()), max_size=80).map("".join),
)
LANG = st.sampled_from((*language.LANGUAGES, "de", ""))


def in_order(text: str) -> bool:
    """Whether a text can be stored and sent."""
    text.encode("utf-8")
    return "\0" not in text


@given(TEXT, LANG)
@settings(max_examples=100)
def test_every_function_of_language_takes_any_text(text: str, lang: str) -> None:
    known = lang if lang in language.LANGUAGES else "en"
    clean = language.clean(text)
    assert language.clean(clean) == clean
    for read in (text, clean):
        for of in (lang, None):
            assert isinstance(language.normal(read, of), str)
            assert all(language.words(read, of))
            assert all(language.ngrams(read, of))
            assert isinstance(language.folded(read, of), str)
            language.domains(read, of)
        language.script(read)
        language.typed_in_latin(read, known)
        assert isinstance(language.normalise_script(read, known), str)
        assert all(isinstance(sound, str) for sound in language.phonetic_keys(read, known))
        guess = language.detect(read, language.LANGUAGES[:3], page=lang, before=lang, foreign=language.LANGUAGES)
        assert math.isclose(sum(guess.shares.values()), 1.0, abs_tol=1e-6)
        language.smalltalk(read)
        language.wants_person(read)
        language.concerns(read)
        language.context_cues(read, lang)
        language.ordinal(read)
        language.neither(read)
        language.named(read, [clean, "Where is my order?", read], known)


@given(TEXT, st.integers(0, 3000))
@settings(max_examples=200)
def test_what_reaches_an_encoder_is_harmless(text: str, most: int) -> None:
    assert in_order(encoder.harmless(text, most))
    assert len(encoder.harmless(text, most)) <= most


@given(st.lists(st.tuples(TEXT, st.none() | LANG), min_size=1, max_size=2), TEXT, st.sampled_from((None, 0.0)))
@settings(max_examples=25)
def test_every_text_gets_an_answer_that_can_be_sent(
    live: Live, asked: list[tuple[str, str | None]], earlier: str, deadline: float | None
) -> None:
    """With its vector and without; alone and after another one."""
    index = live.current()
    texts, langs = [text for text, _ in asked], [lang for _, lang in asked]
    before = answer.Before(earlier, options=("returns/how-to-return", earlier), lang=langs[0])
    for turns in (None, [before] * len(texts)):
        for reply in answer.replies(index, texts, lang=langs, before=turns, deadline=deadline):
            assert reply.kind in ("answer", "clarify", "handoff", "smalltalk")
            assert reply.confidence is None or 0.0 <= reply.confidence <= 1.0
            assert in_order(reply.text)
            assert in_order(reply.html)
            json.dumps(reply.as_dict(), allow_nan=False)
    for text in texts:
        index.suggest(text, "en", 5)
        answer.candidates(index, text, lang="fa", before=before, deadline=deadline)


@given(TEXT)
@settings(max_examples=200)
def test_a_text_is_stored_in_order_or_refused(text: str) -> None:
    try:
        stored = desk.checked_text(text)
    except desk.MessageError:
        return
    assert stored
    assert in_order(stored)
    assert desk.checked_text(stored) == stored
