"""The demo shop's help: large and varied enough to show and to measure, in five languages alike."""

import json
import string
from collections import Counter
from pathlib import Path

import pytest

from botkit import corpus, language
from botkit.corpus import Article, Corpus

ROOT = Path(__file__).parent.parent
QUESTION_SETS = ("golden", "hard")


@pytest.fixture(scope="module")
def found() -> Corpus:
    """The corpus, read once."""
    return corpus.load(ROOT / "corpora/lalezar")


@pytest.fixture
def articles(found: Corpus, lang: str) -> list[Article]:
    """Its articles in each language of the interface."""
    return [a for a in found.articles if a.lang == lang]


def questions(kind: str, lang: str) -> list[dict[str, object]]:
    lines = (ROOT / f"eval/{kind}/{lang}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def measured(kind: str, lang: str) -> list[str]:
    """Every text of a set that stands for itself, also those of slices and of dialogues: of these each first turn
    and every turn that changes the subject."""
    if kind == "dialogues":
        result = corpus.dialogues(ROOT / f"eval/dialogues/{lang}.jsonl")
        return [turn.text for d in result for turn in d.turns if turn.kind in (None, "standalone")]
    return [label.text for label in corpus.labels(*(ROOT / "eval" / kind).rglob(f"{lang}.jsonl"))]


def test_nothing_is_to_be_said_against_it(found: Corpus) -> None:
    """No error and no warning; five languages, the first of them the default."""
    assert corpus.check(ROOT / "corpora/lalezar")[1] == []
    assert found.languages == language.LANGUAGES
    assert found.default_language == "en"


def test_it_is_large_enough_in_each_language(articles: list[Article]) -> None:
    """Fifty articles, six of them long, three that a person must take, and both forms of file."""
    assert len(articles) >= 50
    assert sum(sum(bool(p.heading) for p in a.passages) >= 4 for a in articles) >= 6
    assert sum(a.action == "handoff" for a in articles) >= 3
    assert sum("#" in a.id for a in articles) >= 5
    assert sum("#" not in a.id for a in articles) >= 40


def test_every_article_is_asked_for_in_several_ways(articles: list[Article]) -> None:
    """Three to twelve questions and two to four tests each, a text, and a category."""
    assert {a.id: len(a.questions) for a in articles if not 3 <= len(a.questions) <= 12} == {}
    assert {a.id: len(a.tests) for a in articles if not 2 <= len(a.tests) <= 4} == {}
    assert [a.id for a in articles if not a.text.strip()] == []


def test_categories_have_titles_in_every_language(found: Corpus, articles: list[Article], lang: str) -> None:
    """Eight or more, each used."""
    used = {a.category for a in articles}
    assert len(used) >= 8
    assert used == set(found.categories)
    titles = [found.categories[c][lang] for c in found.categories]
    assert len(set(titles)) == len(titles)


def test_the_shop_s_facts_are_there_in_every_language(found: Corpus, lang: str) -> None:
    """Name, ways to reach it, hours and time zone: a handover promises a person by them."""
    assert {"name", "email", "phone", "time_zone", "hours", "open"} <= set(found.shop[lang])


def test_every_language_has_the_same_articles(found: Corpus, articles: list[Article]) -> None:
    """Of the same category and action."""
    reference = {a.id: (a.category, a.action) for a in found.articles if a.lang == "en"}
    assert {a.id: (a.category, a.action) for a in articles} == reference


def test_articles_are_in_the_script_of_their_language(articles: list[Article], lang: str) -> None:
    """No text was left untranslated."""
    assert [a.id for a in articles if language.script(a.title + a.text) != language.script_of(lang)] == []
    sure = [a.id for a in articles if language.detect(a.title + " " + a.text, language.LANGUAGES).best != lang]
    assert sure == []


# ---------------------------------------------------------------- the questions it is measured on


@pytest.mark.parametrize("kind", QUESTION_SETS)
def test_the_questions_are_enough_and_of_all_kinds(kind: str, lang: str) -> None:
    """At least 120 a language; a third has no answer, half of it near and half far; one half is to tune on."""
    rows = questions(kind, lang)
    kinds = Counter(str(row["qtype"]) for row in rows)
    assert len(rows) >= 120
    assert set(kinds) == {"in", "near", "far"}
    assert 0.28 <= (kinds["near"] + kinds["far"]) / len(rows) <= 0.38
    assert abs(kinds["near"] - kinds["far"]) <= 0.1 * len(rows)
    for split in ("dev", "test"):
        part = Counter(str(row["qtype"]) for row in rows if row["split"] == split)
        assert 0.4 <= part.total() / len(rows) <= 0.6
        assert min(part[k] for k in ("in", "near", "far")) >= 5


@pytest.mark.parametrize("kind", QUESTION_SETS)
def test_a_question_names_articles_exactly_if_it_has_an_answer(kind: str, found: Corpus, lang: str) -> None:
    """Ids that are there, in a row of its own id and language."""
    rows = questions(kind, lang)
    ids = {a.id for a in found.articles}
    for row in rows:
        assert set(row) == {"id", "lang", "text", "relevant", "split", "qtype"}
        assert row["lang"] == lang
        relevant = row["relevant"]
        assert isinstance(relevant, list)
        assert bool(relevant) == (row["qtype"] == "in"), row
        assert set(relevant) <= ids, row
    assert len({row["id"] for row in rows}) == len(rows)


def test_no_question_is_asked_twice(lang: str) -> None:
    """Neither in a set nor in two."""
    sets = (*QUESTION_SETS, "elsewhere")
    forms = Counter(language.folded(str(row["text"]), lang) for kind in sets for row in questions(kind, lang))
    assert [form for form, times in forms.items() if times > 1] == []


def test_the_questions_for_other_trades_have_no_answer(articles: list[Article], lang: str) -> None:
    """Half to tune on, half to look at last, none of them among those that every index is compared with, or a
    phrasing."""
    rows = questions("elsewhere", lang)
    assert Counter(row["split"] for row in rows) == {"dev": 20, "test": 20}
    assert len({row["id"] for row in rows}) == len(rows)
    assert all((row["relevant"], row["qtype"], row["lang"]) == ([], "far", lang) for row in rows)
    known = {*language.out_of_domain(lang), *(text for a in articles for text in (*a.phrasings, *a.tests))}
    asked = {language.folded(str(row["text"]), lang) for row in rows}
    assert asked & {language.folded(text, lang) for text in known} == set()


@pytest.mark.parametrize("kind", [*QUESTION_SETS, "slices", "dialogues"])
def test_no_question_is_a_phrasing(kind: str, articles: list[Article], lang: str) -> None:
    """Or it would measure memory: no phrasing and no article's own test, whatever its spelling."""
    asked = measured(kind, lang)
    assert len(asked) >= 72
    known = {language.folded(text, lang) for a in articles for text in (*a.phrasings, *a.tests)}
    assert [text for text in asked if language.folded(text, lang) in known] == []


def test_no_phrasing_is_a_test(articles: list[Article], lang: str) -> None:
    """Of any article: a test that is indexed under another spelling of its words proves nothing."""
    indexed = {language.folded(text, lang) for a in articles for text in a.phrasings}
    assert [(a.id, test) for a in articles for test in a.tests if language.folded(test, lang) in indexed] == []


# ---------------------------------------------------------------- the interface's texts


def test_message_catalogues_agree(lang: str) -> None:
    """The same texts in every language, with the same placeholders, and none empty. Which forms a text that counts must
    have is CLDR's to say."""
    english, own = language.messages("en"), language.messages(lang)
    assert set(map(text_of, own)) == set(map(text_of, english))
    assert [key for key, text in own.items() if not text.strip()] == []

    def placeholders(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    whole = [key for key in own if text_of(key) == key or key.endswith(".other")]
    assert {k: own[k] for k in whole if placeholders(own[k]) != placeholders(english[k])} == {}


def text_of(key: str) -> str:
    """`file.key` without the form of a text that counts."""
    return ".".join(key.split(".")[:2])


def test_message_catalogues_are_translated(lang: str) -> None:
    """In the script of the language; what is the same in English is a name or a sign."""
    if lang == "en":
        return
    english, own = language.messages("en"), language.messages(lang)
    long = [key for key in own if len(english.get(key, "").split()) >= 3 and own[key] == english[key]]
    assert long == []
