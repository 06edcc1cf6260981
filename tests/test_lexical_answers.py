"""When the encoder fails, words answer: more carefully, never wrongly sure, and nobody gets an error."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from small import FRUIT, write

from botkit import answer, confidence, corpus, encoder, index
from botkit.confidence import ANSWER, Confidence
from botkit.index import Index, IndexProblem, Live

ENOUGH = 60.0


class Ill:
    """The default encoder, failing at each of `at` questions in turn, and at every text that has `word` in it."""

    def __init__(self, at: int = 1, word: str = "") -> None:
        self.model, self.at, self.word, self.asked = encoder.load(), at, word, 0
        self.identity = encoder.identity(self.model)

    def encode_query(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += 1
        if (self.at and self.asked % self.at == 0) or (self.word and any(self.word in text for text in texts)):
            raise RuntimeError("the fault that was ordered")
        return self.model.encode_query(texts)

    def encode_document(self, texts: Sequence[str]) -> np.ndarray:
        if self.word and any(self.word in text for text in texts):
            raise RuntimeError("the fault that was ordered")
        return self.model.encode_document(texts)


@pytest.fixture
def ill(index_folder: Path) -> Index:
    """The shared index, its encoder failing always."""
    return Index.open(index_folder, Ill())


def test_a_phrasing_typed_to_the_letter_is_answered_without_an_encoder(ill: Index) -> None:
    for article in ill.articles("en"):
        reply = answer.reply(ill, article.title, lang="en", deadline=ENOUGH)
        assert reply.article == article.id
        assert reply.kind in ("answer", "handoff")


def test_words_find_the_article_and_say_less_than_the_encoder_would(ill: Index, live: Live) -> None:
    """Of the articles' own tests the most are found; the probability is that of a model made for words alone."""
    tests = [(a.lang, a.id, test) for lang in ill.languages for a in ill.articles(lang) for test in a.tests]
    result = [(ill.search(text, lang, deadline=ENOUGH), wanted) for lang, wanted, text in tests]
    assert not any(search.encoded for search, _ in result)
    first = [bool(search.hits) and search.hits[0].article == wanted for search, wanted in result]
    assert np.mean(first) > 0.5
    model, well = Confidence.of(ill), live.current()
    sure = [model.probabilities(search)[0] for search, _ in result if search.hits]
    usual = [Confidence.of(well).probabilities(well.search(text, lang))[0] for lang, _, text in tests]
    assert np.mean(sure) < np.mean(usual)


def test_what_words_do_not_find_is_a_miss_and_no_error(ill: Index, lang: str) -> None:
    for text in ("qwrtzx plmkn", "؟؟؟", "🏺🏺", "\ufdfa" * 10, "a"):
        reply = answer.reply(ill, text, lang=lang, deadline=ENOUGH)
        assert reply.kind != "answer"
        assert reply.text


def test_every_third_question_without_its_vector_is_answered_all_the_same(index_folder: Path, live: Live) -> None:
    """The others are answered as ever."""
    shaky, well = Index.open(index_folder, Ill(at=3)), live.current()
    for number in range(1, 10):
        reply = answer.reply(shaky, "how do I send something back", lang="en", deadline=ENOUGH)
        if number % 3:
            assert reply == answer.reply(well, "how do I send something back", lang="en", deadline=ENOUGH)
        assert reply.kind in ("answer", "clarify", "handoff")
    assert shaky.guard.failures == 3


def test_without_a_deadline_the_error_is_the_callers(ill: Index) -> None:
    """A build or an evaluation must not take words alone for what the index can do."""
    with pytest.raises(RuntimeError, match="ordered"):
        ill.search("where is my order")


def test_a_threshold_certified_with_vectors_is_not_that_of_words(index_folder: Path) -> None:
    """It may be lower than the usual one; words alone keep to that."""
    lenient = Index.open(index_folder, Ill())
    lenient.confidence = {**lenient.confidence, "answer": 0.01, "clarify": 0.01}
    for text in ("parcel", "order number", "can you refund the delivery", "a pot"):
        reply = answer.reply(lenient, text, lang="en", deadline=ENOUGH)
        if reply.kind == "answer":
            assert reply.confidence is not None
            assert reply.confidence >= ANSWER


def test_an_explanation_adds_up_without_a_vector(ill: Index) -> None:
    search = ill.search("send an item back", "en", deadline=0)
    model = Confidence.of(ill).lexical
    assert model is not None
    odds = model.odds(confidence.features(search, confidence.LEXICAL)[None, :])[0, 0]
    assert sum(each.log_odds for each in Confidence.of(ill).contributions(search)) == pytest.approx(odds)


@pytest.mark.parametrize("place", ["title", "body", "questions"])
def test_a_text_that_cannot_be_embedded_is_told_with_its_file(place: str, tmp_path: Path) -> None:
    """Not "the build failed"."""
    files = dict(FRUIT)
    name = sorted(name for name in files if name.endswith("pear.md"))[0]
    lines = {"title": "title: a zebra\n", "questions": "title: fruit\nquestions: [a zebra]\n", "body": "title: fruit\n"}
    files[name] = f"---\n{lines[place]}---\n{'A zebra.' if place == 'body' else 'Fruit.'}\n"
    source = corpus.load(write(tmp_path / "corpus", files))
    with pytest.raises(IndexProblem, match="zebra") as caught:
        index.build(source, tmp_path / "index", encoder=Ill(at=0, word="ebra"))
    assert name in str(caught.value)
    assert "ordered" in str(caught.value)
