"""Rows to hits: the score by hand, what is never found, and versions that are whole or refused."""

import math
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from small import FRUIT, article, write

from botkit import answer, build, corpus, encoder, index, language
from botkit.index import FROM_STORED, STORED, Index, IndexProblem, Live, Ranking, okapi, reference_texts
from botkit.index.cache import key_of, recall
from botkit.index.classifier import Classifier
from botkit.index.embedding_cache import EmbeddingCache

YESTERDAY, TOMORROW = (str(date.today() + timedelta(days=days)) for days in (-1, 1))


def built(folder: Path, files: dict[str, str]) -> Index:
    """The published index of a few files."""
    write(folder / "corpus", files)
    build.publish(folder / "corpus", folder / "index", allow_failing_tests=True)
    return Index.open(folder / "index")


def bytes_of(version: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(version.iterdir())}


@pytest.fixture(scope="module")
def fruit(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """The three articles of FRUIT. Nothing changes its folder."""
    return built(tmp_path_factory.mktemp("fruit"), FRUIT)


# ---------------------------------------------------------------- the score


TWO = {
    "en/rug.md": article("How do I wash a rug?", "By hand.", questions="[cleaning a kilim]"),
    "en/towel.md": article("How do I wash a towel?", "At 60 degrees.", questions="[cleaning towels]"),
}


def test_a_score_worked_out_by_hand(tmp_path: Path) -> None:
    """Half cosine and half BM25 shares a row; phrasings by log-sum-exp, plus a weight of the passage, over 1 and
    the weight; and of what the head says, whose own formulas are held to elsewhere, 1.6 times its score and 0.3 times
    its probability. An article has two phrasings, which is ln 2 / ln 3 of the way from one to enough: so far goes the
    passage's weight from 1 to 0.4, and the head's from nothing to all."""
    question = "how to wash a kilim rug"
    model = encoder.load()
    search = built(tmp_path, TWO).rank(question, model.encode_query([question])[0], {"en": 1.0})
    phrasings = ["How do I wash a rug?", "cleaning a kilim", "How do I wash a towel?", "cleaning towels"]
    passages = ["How do I wash a rug?\nBy hand.", "How do I wash a towel?\nAt 60 degrees."]

    def centred(vectors: np.ndarray, mean: np.ndarray) -> np.ndarray:
        return (vectors - mean) / np.linalg.norm(vectors - mean, axis=1, keepdims=True)

    def mean(vectors: np.ndarray) -> np.ndarray:
        everything = vectors.sum(axis=0) / (len(vectors) + 5)
        return (vectors.sum(axis=0) + 10 * everything) / (len(vectors) + 10)

    def shares(texts: list[str], analyse: str) -> np.ndarray:
        terms = {"words": language.words, "chars": language.ngrams}[analyse]
        bm25, asked = okapi([terms(text, "en") for text in texts]), terms(question, "en")
        most = max(bm25.idf.values())
        return bm25.get_scores(asked) / sum(2.2 * bm25.idf.get(term, most) for term in asked)

    queries, documents = model.encode_query(phrasings), model.encode_document(passages)
    vector = centred(model.encode_query([question]), mean(queries))[0]
    rows = {}
    for name, texts, vectors in (("phrasings", phrasings, queries), ("passages", passages, documents)):
        cosines = centred(vectors, mean(vectors)) @ vector
        rows[name] = 0.5 * cosines + 0.5 * (0.2 * shares(texts, "words") + 0.8 * shares(texts, "chars"))
    f, result = rows["phrasings"], rows["passages"]
    way = math.log(2) / math.log(3)
    weight = 1 - 0.6 * way
    expected = {
        "rug": (0.07 * math.log(math.exp(f[0] / 0.07) + math.exp(f[1] / 0.07)) + weight * result[0]) / (1 + weight),
        "towel": (0.07 * math.log(math.exp(f[2] / 0.07) + math.exp(f[3] / 0.07)) + weight * result[1]) / (1 + weight),
    }
    assert [hit.article for hit in search.hits] == ["rug", "towel"]
    of_classifier = {hit.article: way * (1.6 * hit.classifier + 0.3 * hit.class_probability) for hit in search.hits}
    fused = {hit.article: hit.score - of_classifier[hit.article] for hit in search.hits}
    assert fused == pytest.approx(expected, abs=2e-5)
    assert sum(hit.class_probability for hit in search.hits) == pytest.approx(1.0)
    assert search.hits[0].classifier > search.hits[1].classifier


@pytest.mark.parametrize(
    ("lang", "spoken", "written"),
    [
        ("en", "can u send it pls", "can you send it please"),
        ("ar", "وين طلبيتي", "أين طلبي"),
        ("tr", "kargom nerde kaldı, gelcek mi", "kargom nerede kaldı, gelecek mi"),
        ("fa", "می‌خوام کارتمو عوض کنم", "می‌خواهم کارتم را عوض کنم"),
        ("bg", "шъ дойде ли, кво стана", "ще дойде ли, какво стана"),
    ],
)
def test_a_row_and_a_question_meet_in_the_written_form(lang: str, spoken: str, written: str, tmp_path: Path) -> None:
    """Whichever of them is typed as people speak: in words, in n-grams and in the vector."""
    for row, question in ((spoken, written), (written, spoken)):
        files = {"corpus.toml": f'languages = ["{lang}"]\n', f"{lang}/b.md": article("7")}
        result = built(tmp_path / question.split()[0], files | {f"{lang}/a.md": article(row, "…")})
        first, same = (result.search(text, lang).hits[0] for text in (question, row))
        assert (first.article, first.phrasing) == ("a", row)
        assert (first.word, first.char) == (same.word, same.char)
        assert first.dense > 0.999


@pytest.mark.parametrize("lang", language.LANGUAGES)
def test_what_no_shop_answers_is_held_against_a_question(lang: str, live: Live) -> None:
    """In the languages that the corpus has and in the others; where an article asks the same, nothing is held."""
    result = live.current()
    for search in result.search_many(language.out_of_domain(lang)[::20], lang):
        assert search.signals.out_of_domain > 0.99
        assert search.signals.out_of_domain_lead > 0
        assert search.signals.out_of_domain_quantile == 1
    titles = [article.title for article in result.articles(lang)] if lang in result.languages else []
    for search in result.search_many(titles, lang):
        assert search.signals.out_of_domain_lead == 0
        assert search.signals.out_of_domain_quantile < 1


def test_another_trade_is_one_that_the_article_does_not_speak_of(tmp_path: Path) -> None:
    """Neither in a phrasing nor in its text, in whatever language; and unknown where no article does."""
    files = {
        "corpus.toml": 'languages = ["en", "tr"]\n',
        "en/cancel.md": article("How do I cancel my order?", "Here is how."),
        "tr/cancel.md": article("Siparişimi nasıl iptal ederim?", "Bankanız bir gün sonra iade eder."),
        "en/gift.md": article("Do you have gifts for the gym?", "Towels."),
        "tr/gift.md": article("Spor salonu için hediye var mı?", "Havlu."),
    }
    result = built(tmp_path, files)
    for text, lang, other, unknown in (
        ("how do I cancel my order", "en", 0, 0),
        ("how do I cancel my order, says the bank", "en", 0, 0),
        ("how do I cancel my gym order", "en", 1, 0),
        ("siparişimi kütüphanede nasıl iptal ederim", "tr", 1, 1),
        ("how do I cancel my order for the gym, the library and the zoo", "en", 3, 2),
    ):
        search = result.search(text, lang)
        assert search.hits[0].article == "cancel"
        assert (search.signals.other_domains, search.signals.unknown_domains) == (other, unknown), text


def test_the_vectors_that_ship_are_those_of_the_default_encoder() -> None:
    """All of them, so that no build works them out again; to a rounding, and to another processor's sums."""
    model = encoder.load()
    stored = recall(reference_texts.SHIPPED / EmbeddingCache.FILE, encoder.identity(model))
    result = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))
    texts = [
        language.normalise_script(text, lang) for lang in language.LANGUAGES for text in language.out_of_domain(lang)
    ]
    texts += [text for lang in language.LANGUAGES for text in reference_texts.sentences(lang)]
    assert {key_of("query", text) for text in texts} == set(result)
    for text, vector in zip(texts[::40], model.encode_query(texts[::40]), strict=True):
        assert result[key_of("query", text)] @ vector > 0.999


def test_more_phrasings_that_fit_count_for_more(tmp_path: Path) -> None:
    """Log-sum-exp and not the maximum: a second phrasing that fits as well lifts the article by at most t log 2."""
    once, twice = article("How do I wash a rug?"), article("How do I wash a rug?", questions="[How do I wash a rug!]")
    one, two = (built(tmp_path / f"{i}", {**TWO, "en/rug.md": text}) for i, text in enumerate((once, twice)))
    first, second = (i.search("How do I wash a rug?", "en") for i in (one, two))
    assert first.hits[0].article == second.hits[0].article == "rug"
    assert 0 < second.signals.fused - first.signals.fused < 0.1
    assert second.hits[0].score > first.hits[0].score, "the head, too, is trusted more where it had more to learn from"


def test_hits_are_in_order_and_figures_in_their_ranges(live: Live) -> None:
    """Best first, one per article, cosines and shares as promised."""
    for text in ("where is my order", "refund", "طلبي", "سفارش من", "zzz", ""):
        hits = live.current().search(text).hits
        assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
        assert len({h.article for h in hits}) == len(hits)
        for hit in hits:
            assert -1 <= hit.dense <= 1.0001
            assert 0 <= hit.word <= 1.0001
            assert 0 <= hit.char <= 1.0001
            assert -0.5 < hit.classifier < 1.5


def test_many_questions_are_answered_as_each_by_itself(live: Live) -> None:
    """A batch changes no score, and each question may have a page's language of its own."""
    texts, pages = ["where is my order", "سفارش من کجاست", "refund", ""], ["en", "fa", None, "ar"]
    together = live.current().search_many(texts, pages)
    assert together == [live.current().search(text, page) for text, page in zip(texts, pages, strict=True)]
    assert live.current().search_many([]) == []


def test_more_hits_than_articles_are_not_invented(fruit: Index) -> None:
    """FAISS pads its rows with -1; nobody sees that."""
    search = fruit.search("apples", limit=50)
    assert sorted(h.article for h in search.hits) == ["apple", "pear", "plum"]
    assert len(fruit.search("apples", limit=1).hits) == 1


# ---------------------------------------------------------------- small and odd corpora


def test_an_article_without_a_body_is_found_and_shows_its_title(tmp_path: Path) -> None:
    """It has no passage, and its phrasings still lead to it."""
    result = built(tmp_path, {**FRUIT, "en/quince.md": article("Do you sell quinces?", "", questions="[quince jam]")})
    hit = result.search("do you sell quinces").hits[0]
    assert (hit.article, hit.anchor, hit.passage_dense) == ("quince", "", -1.0)
    chosen = answer.choose(result, "quince", lang="en")
    assert chosen is not None
    assert chosen.text == "Do you sell quinces?"


def test_a_corpus_of_no_bodies_is_searched(tmp_path: Path) -> None:
    """The passage channel is empty."""
    result = built(tmp_path, {"en/a.md": article("Where is it?", ""), "en/b.md": article("How much is it?", "")})
    assert result.search("how much").hits[0].article == "b"


def test_a_question_that_is_a_phrasing_to_the_letter_comes_first(live: Live) -> None:
    """Whatever the rest says, and whatever its case and marks; the figures beside it stay as they are."""
    result = live.current()
    for typed in ("Can I cancel my order?", "CAN I CANCEL MY ORDER"):
        search = result.search(typed, "en")
        assert search.hits[0].article == "orders/cancel-order"
        assert search.signals.exact == 1
    assert result.search("Can I cancel my orders now?", "en").signals.exact == 0


def test_the_classifier_is_stored_with_the_index(fruit: Index, tmp_path: Path) -> None:
    """Its figure is near 1 for an article's own phrasing; where there is one article, there is none and it is 0."""
    assert {f"head.{part}.npy" for part in Classifier.PARTS} <= set(bytes_of(fruit.folder))
    search = fruit.search("storing apples", "en")
    assert search.hits[0].classifier > 0.7 > 0.3 > max(hit.classifier for hit in search.hits[1:])
    assert abs(fruit.search("parliamentary elections", "en").hits[0].classifier) < 0.6
    assert (search.signals.has_classifier, search.signals.classifier_first) == (1, 1)
    single = built(tmp_path, {"en/apple.md": FRUIT["en/apple.md"]})
    assert not [name for name in bytes_of(single.folder) if name.startswith("head")]
    alone = single.search("storing apples")
    assert (alone.hits[0].classifier, alone.signals.has_classifier) == (0, 0)


def test_a_corpus_of_one_article_is_searched(tmp_path: Path) -> None:
    """With one phrasing: no neighbours, no classifier, no language to guess."""
    result = built(tmp_path, {"bg/a.md": article("Къде е поръчката ми?")})
    search = result.search("къде е")
    assert [h.article for h in search.hits] == ["a"]
    assert all(map(math.isfinite, vars(search.signals).values()))
    assert answer.reply(result, "нещо съвсем друго").kind in ("answer", "handoff")


def test_an_empty_language_folder_does_no_harm(tmp_path: Path) -> None:
    """A language without a row yet is one that a question may still be in."""
    (tmp_path / "corpus/tr").mkdir(parents=True)
    result = built(tmp_path, {**FRUIT, "corpus.toml": 'languages = ["en", "tr"]\n'})
    assert result.languages == ("en", "tr")
    reply = answer.reply(result, "armutlar ne zaman olgunlaşır, armudum sert", lang="tr")
    assert reply.lang == "tr"
    assert result.articles("tr") == []


def test_a_corpus_without_articles_is_refused(tmp_path: Path) -> None:
    """An index of nothing would look like no results."""
    with pytest.raises(IndexProblem, match="no article"):
        index.build(corpus.Corpus("x", ("en",), "en", ()), tmp_path)


# ---------------------------------------------------------------- languages that no article is in

DEMO = Path(__file__).parent.parent / "corpora/lalezar"


SOME = ("cancel-order", "change-address", "invoice", "track-order", "how-to-return", "not-returnable", "refund-time")


@pytest.fixture(scope="module")
def bulgarian(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """A shop with Bulgarian articles only: some of the demo shop's on orders and returns."""
    whole = corpus.load(DEMO)
    chosen = tuple(a for a in whole.articles if a.lang == "bg" and a.id.split("/")[1] in SOME)
    assert len(chosen) == len(SOME)
    only = replace(whole, languages=("bg",), default_language="bg", articles=chosen)
    return index.build(only, tmp_path_factory.mktemp("bulgarian"))


@pytest.mark.parametrize("page", ["bg", None])
@pytest.mark.parametrize(
    ("text", "lang", "found"),
    [
        ("Where is my parcel right now?", "en", "orders/track-order"),
        ("can I cancel my order", "en", "orders/cancel-order"),
        ("siparişim nerede?", "tr", "orders/track-order"),
        ("siparişimi iptal edebilir miyim", "tr", "orders/cancel-order"),
        ("أين طلبي؟", "ar", "orders/track-order"),
        ("أريد إلغاء الطلب", "ar", "orders/cancel-order"),
        ("بسته‌ام الان کجاست؟", "fa", "orders/track-order"),
    ],
)
def test_a_question_in_a_language_without_articles_finds_the_article(
    text: str, lang: str, found: str, page: str | None, bulgarian: Index
) -> None:
    """It is taken for what it is, on a Bulgarian page too: English is no Bulgarian typed in Latin letters."""
    search = bulgarian.search(text, page)
    assert set(search.shares) == set(language.LANGUAGES)
    assert sum(search.shares.values()) == pytest.approx(1)
    assert search.lang == lang
    assert search.hits[0].article == found
    assert search.hits[0].lang == "bg"
    assert all(map(math.isfinite, vars(search.signals).values()))


@pytest.mark.parametrize("page", ["bg", None])
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Къде ми е поръчката?", "orders/track-order"),
        ("kade mi e porachkata", "orders/track-order"),
        ("kak da otkaja porachka", "orders/cancel-order"),
    ],
)
def test_bulgarian_stays_bulgarian_in_either_alphabet(
    text: str, found: str, page: str | None, bulgarian: Index
) -> None:
    """That other languages may be asked takes nothing from the one that is there."""
    search = bulgarian.search(text, page)
    assert search.lang == "bg"
    assert search.hits[0].article == found


HIDDEN = {"expired": f"valid_until: {YESTERDAY}", "early": f"valid_from: {TOMORROW}", "staff": "audience: agent"}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_customers_may_not_see_is_never_found(name: str, tmp_path: Path) -> None:
    """Expired, not yet valid, or for agents: neither by its own words nor in a list, nor by its id."""
    key, value = HIDDEN[name].split(": ")
    hidden = article("Secret melon discount", questions="[melon sale]", pages='["/"]', **{key: value})
    result = built(tmp_path, {**FRUIT, "en/hidden.md": hidden})
    for text in ("Secret melon discount", "melon sale", "melon", "hidden"):
        assert "hidden" not in [h.article for h in result.search(text, limit=50).hits]
        assert "hidden" not in [o.article for o in answer.reply(result, text).options]
    assert "hidden" not in [a.id for a in result.articles("en")]
    assert result.suggest("melon", "en") == []
    assert result.starters("/", "en") == []
    assert answer.choose(result, "hidden", lang="en") is None
    assert result.article("hidden", "en") is None
    assert (result.article("hidden", "en", for_agent=True) is not None) == (name == "staff")


@pytest.mark.parametrize("days", [f"valid_from: {YESTERDAY}", f"valid_until: {TOMORROW}"])
def test_what_is_valid_today_is_found(days: str, tmp_path: Path) -> None:
    """Between its days, whichever are given."""
    key, value = days.split(": ")
    result = built(tmp_path, {**FRUIT, "en/melon.md": article("Melon discount", **{key: value})})
    assert result.search("melon discount").hits[0].article == "melon"


def test_an_expired_translation_gives_way_to_one_that_is_not(tmp_path: Path) -> None:
    """An article that is over in one language is told in another, never in the expired text."""
    files = {
        **FRUIT,
        "en/melon.md": article("Melon discount", "Ten per cent off.", valid_until=YESTERDAY),
        "tr/melon.md": article("Kavun indirimi", "Yüzde beş indirim."),
    }
    result = built(tmp_path, files)
    translation = result.best_translation("melon", "en")
    assert translation is not None
    assert translation.lang == "tr"
    assert "Ten per cent" not in answer.reply(result, "melon discount", lang="en").text
    chosen = answer.choose(result, "melon", lang="en")
    assert chosen is not None
    assert "Yüzde beş" in chosen.text


def test_what_pages_show(live: Live) -> None:
    """Categories in the corpus's order, the shop's facts by language, starters of a page, suggestions as typed."""
    result = live.current()
    assert result.categories("en") == [("orders", "Orders"), ("returns", "Returns"), ("company", "About us")]
    assert result.categories("fa")[0] == ("orders", "سفارش‌ها")
    assert result.shop("fa")["name"] == "فروشگاه کوچک"
    assert result.shop("tr")["name"] == "Tiny Shop"
    assert result.starters("/orders/17?x=1#y", "en")[0].id.startswith("orders/")
    assert result.suggest("can i ca", "en")[0] == ("orders/cancel-order", "Can I cancel my order?")
    assert result.suggest("can i cancel " * 900, "en")[0][0] == "orders/cancel-order"  # each word counts once
    assert result.suggest("", "en") == result.suggest("?!", "en") == result.suggest("submarine", "en") == []
    assert len(result.suggest("a", "en", limit=2)) <= 2
    translation = result.best_translation("returns/how-to-return", "fa")
    assert translation is not None
    assert translation.lang == "en"
    assert result.best_translation("nothing", "en") is None


# ---------------------------------------------------------------- versions


def test_a_saved_index_gives_the_same_hits(tmp_path: Path, corpus_folder: Path) -> None:
    """Draft, sealed and opened again from disk: equal to the last bit."""
    draft = index.build(corpus.load(corpus_folder), tmp_path)
    texts = ["where is my order", "return", "طلبي", "what about my sefaresh"]
    before = draft.search_many(texts)
    sealed = index.seal(draft, {"any": "numbers"})
    index.publish(sealed)
    opened = Index.open(tmp_path)
    assert opened.search_many(texts) == before == sealed.search_many(texts)
    assert opened.version == sealed.version
    assert opened.confidence == {"any": "numbers"}
    assert opened.articles("en") == draft.articles("en")


def test_equal_sources_give_equal_bytes(tmp_path: Path, corpus_folder: Path) -> None:
    """In another folder, from another path, after a change and back, and with a cold cache."""
    source = Path(shutil.copytree(corpus_folder, tmp_path / "elsewhere/tiny"))
    first = build.publish(corpus_folder, tmp_path / "one", allow_failing_tests=True).version
    reference = bytes_of(tmp_path / "one" / first)
    file = source / "en/orders/invoice.md"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("invoice", "bill"), encoding="utf-8")
    other = build.publish(source, tmp_path / "two", allow_failing_tests=True).version
    assert other != first
    file.write_text(text, encoding="utf-8")
    assert build.publish(source, tmp_path / "two", allow_failing_tests=True).version == first
    assert bytes_of(tmp_path / "two" / first) == reference
    shutil.rmtree(tmp_path / "two/cache")
    shutil.rmtree(tmp_path / "two" / first)
    assert build.publish(source, tmp_path / "two", allow_failing_tests=True).version == first
    assert bytes_of(tmp_path / "two" / first) == reference


STEPS: list[dict[str, str | None]] = [
    {"en/apple.md": article("Which apples keep?", "Two of them.\n\n## Sweet\n\nCox.", questions="[storing apples]")},
    {"en/fig.md": article("Do figs travel?", questions="[figs by mail, are figs packed well]", tests="[posting figs]")},
    {"tr/apple.md": article("Hangi elma dayanır?", questions="[elma saklama]")},
    {"en/pear.md": None},
    {"en/plum.md": article("How do I dry plums?", "In the sun.")},
    {"corpus.toml": 'name = "Fruit"\nlanguages = ["tr", "en"]\n'},
    {"tr/apple.md": None, "corpus.toml": None},
]


def test_a_build_after_a_change_has_the_bytes_of_a_build_from_nothing(tmp_path: Path) -> None:
    """Changed, added and removed articles, another language, another order: memory of old builds shows nowhere."""
    source = write(tmp_path / "corpus", FRUIT)
    build.publish(source, tmp_path / "grown", allow_failing_tests=True)
    for number, step in enumerate(STEPS):
        write(source, {name: text for name, text in step.items() if text is not None})
        for name in (name for name, text in step.items() if text is None):
            (source / name).unlink()
        grown = build.publish(source, tmp_path / "grown", allow_failing_tests=True).version
        fresh = build.publish(source, tmp_path / f"fresh{number}", allow_failing_tests=True).version
        assert bytes_of(tmp_path / "grown" / grown) == bytes_of(tmp_path / f"fresh{number}" / fresh)
        assert grown == fresh


class _Counting:
    """The default encoder under its own name, which counts the texts it is given."""

    def __init__(self) -> None:
        self.inner = encoder.load()
        self.identity = encoder.identity(self.inner)
        self.texts = 0

    def encode_query(self, texts: Sequence[str]) -> np.ndarray:
        self.texts += len(texts)
        return self.inner.encode_query(texts)

    def encode_document(self, texts: Sequence[str]) -> np.ndarray:
        self.texts += len(texts)
        return self.inner.encode_document(texts)


def test_only_what_changed_is_embedded_again(fruit: Index, tmp_path: Path) -> None:
    """A text that an earlier build embedded comes from the cache; a damaged cache is only slow."""
    model = _Counting()
    assert encoder.identity(fruit.encoder) == model.identity  # so this process knows the languages' accents already

    def texts_embedded(files: dict[str, str]) -> int:
        shutil.rmtree(tmp_path / "corpus", ignore_errors=True)
        model.texts = 0
        index.discard(index.build(corpus.load(write(tmp_path / "corpus", files)), tmp_path / "index", encoder=model))
        return model.texts

    assert texts_embedded(FRUIT) == 12
    assert texts_embedded(FRUIT) == 0
    assert texts_embedded({**FRUIT, "en/apple.md": FRUIT["en/apple.md"].replace("winter", "spring")}) == 1
    for cache in (tmp_path / "index/cache").iterdir():
        damaged = bytearray(cache.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        cache.write_bytes(damaged)
    assert texts_embedded(FRUIT) == 12


def test_a_damaged_file_is_named(fruit: Index, tmp_path: Path) -> None:
    """One flipped bit, a lost byte or a lost file of any kind, and the index is refused."""
    for name in bytes_of(fruit.folder):
        for harm in ("flipped", "shortened", "lost"):
            version = Path(shutil.copytree(fruit.folder, tmp_path / harm / name / fruit.version))
            content = bytearray((version / name).read_bytes())
            if harm == "flipped":
                content[len(content) // 2] ^= 1
                (version / name).write_bytes(content)
            elif harm == "shortened":
                (version / name).write_bytes(content[:-1])
            else:
                (version / name).unlink()
            (version.parent / "CURRENT").write_text(fruit.version + "\n")
            with pytest.raises(IndexProblem) as caught:
                Index.open(version.parent, fruit.encoder)
            assert name in str(caught.value) or (harm, name) == ("lost", "manifest.json")
            assert "botkit index" in str(caught.value)


def test_every_file_of_a_version_is_in_its_manifest(fruit: Index) -> None:
    """Each with its SHA-256, and the manifest's own names the version."""
    assert set(bytes_of(fruit.folder)) == {"manifest.json", *fruit.manifest["files"]}
    assert not [name for name in bytes_of(fruit.folder) if name.endswith((".pkl", ".pickle"))]


def test_a_renamed_version_is_foreign(fruit: Index, tmp_path: Path) -> None:
    """Its name is its content's."""
    version = shutil.copytree(fruit.folder, tmp_path / "abcdefabcdef")
    with pytest.raises(IndexProblem, match=r"manifest\.json: damaged or foreign"):
        Index.open(version, fruit.encoder)


class _Foreign(_Counting):
    """Another encoder, by its name."""

    def __init__(self) -> None:
        super().__init__()
        self.identity = "another/model"


def test_another_encoder_is_refused(fruit: Index) -> None:
    """Its vectors would mean nothing; both are named, with the cure."""
    with pytest.raises(IndexProblem) as caught:
        Index.open(fruit.folder.parent, _Foreign())
    assert "another/model" in str(caught.value)
    assert encoder.identity(fruit.encoder) in str(caught.value)
    assert "Rebuild" in str(caught.value)


@pytest.mark.parametrize("named", ["0123456789ab", "", "../outside", ".", "cache", "\x00", "\udcff"])
def test_a_current_that_names_nothing_says_how_to_build(named: str, fruit: Index, tmp_path: Path) -> None:
    """Nor does it lead out of the folder."""
    folder = tmp_path / "index"
    (folder / "cache").mkdir(parents=True)
    shutil.copytree(fruit.folder, tmp_path / "outside")
    (folder / "CURRENT").write_bytes(named.encode("utf-8", "surrogateescape"))
    with pytest.raises(IndexProblem, match=r"CURRENT names the version .* not there.*botkit index CORPUS --out"):
        Index.open(folder)


def test_no_index_says_how_to_build_one(tmp_path: Path) -> None:
    """For a folder that is empty and one that is not there."""
    for folder in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(IndexProblem, match=f"no index at `{folder}`.*botkit index CORPUS --out"):
            Index.open(folder)


def test_concurrent_builds_are_refused(tmp_path: Path) -> None:
    """In this process and in another; afterwards the folder is free, and a dead build's draft is swept away."""
    source, out = write(tmp_path / "corpus", FRUIT), tmp_path / "index"
    with index.building(out):
        with pytest.raises(IndexProblem, match="another build is running"):
            build.publish(source, out)
        other = subprocess.run(
            [sys.executable, "-c", "import sys; from botkit.cli import main; main()", "index", source, "--out", out],
            capture_output=True,
            text=True,
            check=False,
        )
        assert other.returncode == 1
        assert "another build is running" in other.stderr
        assert not (out / "CURRENT").exists()
    (out / ".draft-1-1").mkdir()
    build.publish(source, out)
    assert not list(out.glob(".draft-*"))
    assert Index.open(out).ids == ("apple", "pear", "plum")


def test_a_build_that_fails_leaves_the_published_version(tmp_path: Path) -> None:
    """A test of an article that fails publishes nothing, and no draft stays behind."""
    source, out = write(tmp_path / "corpus", FRUIT), tmp_path / "index"
    version = build.publish(source, out).version
    write(source, {"en/apple.md": article("Which apples keep longest?", tests="[ripening pears]")})
    with pytest.raises(build.TestsFailed, match="ripening pears"):
        build.publish(source, out)
    assert Index.open(out).version == version
    assert not list(out.glob(".draft-*"))


def test_old_versions_are_pruned(tmp_path: Path) -> None:
    """Five stay, the current one among them, also when an old one is published again."""
    source, out = tmp_path / "corpus", tmp_path / "index"
    versions = []
    for number in range(7):
        write(source, {**FRUIT, "en/apple.md": article(f"Apples of the year {number}")})
        versions.append(build.publish(source, out).version)
    kept = {p.name for p in out.iterdir() if (p / "manifest.json").exists()}
    assert kept == set(versions[-5:])
    index.publish(Index.open(out / versions[-5]))
    assert Index.open(out).version == versions[-5]
    assert {p.name for p in out.iterdir() if (p / "manifest.json").exists()} == kept


# ---------------------------------------------------------------- a running server


@pytest.fixture
def two_versions(tmp_path: Path, fruit: Index) -> tuple[Path, list[Index]]:
    """A folder with two versions, each of whose answers says which it is from; the first is current."""
    source, out = tmp_path / "corpus", tmp_path / "index"
    versions = []
    for name in ("second", "first"):
        files = {file: text.replace("\n---\n", f"\n---\nThis is the {name} edition. ") for file, text in FRUIT.items()}
        build.publish(write(source, files), out)
        versions.append(Index.open(out, fruit.encoder))
    return out, versions[::-1]


def test_a_new_version_is_picked_up(two_versions: tuple[Path, list[Index]]) -> None:
    """At the next question after it is published."""
    folder, (first, second) = two_versions
    running = Live(folder, first.encoder)
    assert running.current().version == first.version
    assert running.current() is running.current()
    index.publish(second)
    assert running.current().version == second.version
    assert "second edition" in answer.reply(running.current(), "my pears are hard").text


def test_a_damaged_new_version_leaves_the_old_one_answering(two_versions: tuple[Path, list[Index]]) -> None:
    """With the reason in `problem`; the next good one is taken again."""
    folder, (first, second) = two_versions
    running = Live(folder, first.encoder)
    target = second.folder / "articles.jsonl"
    whole = target.read_bytes()
    target.write_bytes(whole[:-2])
    index.publish(second)
    for _ in range(3):
        assert running.current().version == first.version
        assert running.problem is not None
        assert "articles.jsonl" in running.problem
    assert "first edition" in answer.reply(running.current(), "my pears are hard").text
    target.write_bytes(whole)
    index.publish(second)
    assert running.current().version == second.version
    assert running.problem is None


@pytest.mark.parametrize("content", [b"", b"0123456789ab\n", b"\xff\xfe", None])
def test_a_broken_current_leaves_the_old_version_answering(
    content: bytes | None, two_versions: tuple[Path, list[Index]]
) -> None:
    """Empty, naming nothing, not a text, or gone."""
    folder, (first, _) = two_versions
    running = Live(folder, first.encoder)
    if content is None:
        (folder / "CURRENT").unlink()
    else:
        (folder / "CURRENT").write_bytes(content)
    assert running.current().version == first.version
    assert running.problem is not None
    index.publish(first)
    assert running.current().version == first.version
    assert running.problem is None


def test_a_hundred_swaps_under_questions(two_versions: tuple[Path, list[Index]]) -> None:
    """Four threads ask all the while: no error, and each reply is whole, from one version."""
    folder, versions = two_versions
    editions = {versions[0].version: "first edition", versions[1].version: "second edition"}
    running, done = Live(folder, versions[0].encoder), threading.Event()
    wrong: list[object] = []
    known: list[str] = []
    late: list[bool] = []

    def ask() -> None:
        try:
            while not done.is_set():
                reply = answer.reply(running.current(), "my pears are hard")
                known.append(reply.version)
                if editions[reply.version] not in reply.text:
                    wrong.append(reply)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(100):
        target = versions[(number + 1) % 2]
        index.publish(target)
        late.append(all(running.current().version != target.version for _ in range(1_000_000)))
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert not any(late)
    assert set(known) == set(editions)
    assert running.problem is None


def test_what_was_published_keeps_its_names() -> None:
    """An index and the shipped numbers outlive names in the code."""
    assert Ranking.read(Ranking(classifier=0.5).stored()) == Ranking(classifier=0.5)
    assert {"head", "choice"} <= set(Ranking().stored())
    assert {"head_sum", "crowd", "company", "rest", "elsewhere", "other_trades"} <= set(FROM_STORED)
    assert len(FROM_STORED) == len(STORED)
