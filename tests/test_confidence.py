"""From hits to probabilities: in range, in order, the same at every fit, and open to inspection."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from small import FRUIT, write

from botkit import confidence, corpus, index
from botkit.confidence import FEATURES, Confidence, area, features
from botkit.index import Index, Live

QUESTIONS = (
    "where is my order",
    "send it back",
    "refund",
    "x",
    "do you sell submarines",
    "طلبي وين",
    "سفارشم کجاست",
    "kade mi e porachkata",
    "1234",
    "order order order order",
)


DEMO = Path(__file__).parent.parent / "corpora/lalezar"


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """A third of the demo shop's English articles, as a draft: it alone can tell what its head says of its own rows."""
    whole = corpus.load(DEMO)
    chosen = tuple(a for a in whole.articles if a.lang == "en")[::3]
    return index.build(replace(whole, languages=("en",), articles=chosen), tmp_path_factory.mktemp("draft"))


@pytest.mark.parametrize("text", QUESTIONS)
def test_probabilities_are_in_range_and_in_order(text: str, live: Live) -> None:
    """One for each hit; no later candidate is likelier than the first; together at most one."""
    search = live.current().search(text)
    found = Confidence.of(live.current()).probabilities(search)
    assert len(found) == len(search.hits) > 1
    assert all(0 <= p <= 1 and math.isfinite(p) for p in found)
    assert found == sorted(found, reverse=True)
    assert sum(found) <= 1 + 1e-9


def test_no_hits_have_no_probabilities(live: Live) -> None:
    """And nothing is divided by nothing."""
    search = live.current().search("where is my order")
    model = Confidence.of(live.current())
    assert model.probabilities(replace(search, hits=())) == []
    (only,) = model.probabilities(replace(search, hits=search.hits[:1]))
    assert only == pytest.approx(model.probabilities(search)[0])


def test_a_plain_question_is_likelier_than_a_foreign_one(live: Live) -> None:
    """The order that thresholds rely on."""
    model = Confidence.of(live.current())
    inside = [model.probabilities(live.current().search(t))[0] for t in ("where is my order", "refund not received")]
    outside = [
        model.probabilities(live.current().search(t))[0]
        for t in ("do you sell submarines", "what is the capital of Peru")
    ]
    assert min(inside) > max(outside)


def test_contributions_sum_to_the_log_odds(live: Live) -> None:
    """Nothing that moves a probability is hidden."""
    model = Confidence.of(live.current())
    for text in QUESTIONS:
        search = live.current().search(text)
        parts = model.contributions(search)
        assert set(parts) == {"intercept", *FEATURES}
        log_odds = max(-30, min(30, sum(parts.values())))  # a probability is never quite 0 or 1
        assert model.probabilities(search)[0] == pytest.approx(1 / (1 + math.exp(-log_odds)), rel=1e-9)


def test_every_feature_is_a_number_for_every_question(live: Live) -> None:
    """Also for no words, one hit and a text of nothing known."""
    for text in (*QUESTIONS, "", "😀", "?" * 50, "غ" * 4000):
        found = features(live.current().search(text))
        assert found.shape == (len(FEATURES),)
        assert np.isfinite(found).all()


def test_the_fit_is_the_same_every_time(draft: Index) -> None:
    """To the last digit, so that equal sources give equal bytes."""
    numbers = confidence.fit(draft)
    assert numbers == confidence.fit(draft)
    assert numbers["fitted_on"]["questions"] >= confidence.FEWEST_QUESTIONS
    assert numbers["features"] == list(FEATURES)


def test_a_fitted_model_knows_its_own_phrasings_from_strange_questions(draft: Index) -> None:
    """Better than nine times in ten, for texts it was not fitted on."""
    draft.confidence = confidence.fit(draft)
    model = Confidence.of(draft)
    known = {article_id for article_id in draft.ids}
    rows = [json.loads(line) for line in (DEMO.parent.parent / "eval/golden/en.jsonl").read_text("utf-8").splitlines()]
    right, wrong = [], []
    for row, search in zip(rows, draft.search_many([row["text"] for row in rows]), strict=True):
        inside = [article_id for article_id in row["relevant"] if article_id in known]
        (right if search.hits[0].article in inside else wrong).append(model.probabilities(search)[0])
    assert len(right) > 20
    assert area(right, wrong) > 0.85


def test_a_corpus_too_small_to_fit_on_has_the_default_numbers(tmp_path: Path) -> None:
    """Few phrasings, a single article, articles with nothing but a title."""
    single = {"en/apple.md": FRUIT["en/apple.md"]}
    bare = {f"en/{i}.md": f"---\ntitle: Question number {i} about fruit\n---\nText.\n" for i in range(5)}
    for name, files in {"few": FRUIT, "single": single, "bare": bare}.items():
        built = index.build(corpus.load(write(tmp_path / name, files)), tmp_path / f"{name}-index")
        numbers = confidence.fit(built)
        assert numbers["fitted_on"] == {"questions": 0, "right": 0, "out_of_scope": 0}
        built.confidence = numbers
        model = Confidence.of(built)
        assert (model.answer, model.clarify) == (confidence.ANSWER, confidence.CLARIFY)
        search = built.search("storing apples")
        assert all(0 <= p <= 1 for p in model.probabilities(search))


def test_the_default_numbers_tell_known_words_from_unknown_ones(tmp_path: Path) -> None:
    """A phrasing itself is surer than a text about something else."""
    built = index.build(corpus.load(write(tmp_path / "few", FRUIT)), tmp_path / "index")
    built.confidence = confidence.fit(built)
    model = Confidence.of(built)
    sure, unsure = (model.probabilities(built.search(t))[0] for t in ("storing apples", "parliamentary elections"))
    assert sure >= model.answer > unsure


def test_numbers_of_another_order_of_features_are_read_by_name(live: Live, index_folder: Path) -> None:
    """The file names each figure; its order is its own affair."""
    original = live.current().confidence
    search = live.current().search("where is my order")
    expected = Confidence.of(live.current()).probabilities(search)
    other = Index.open(index_folder, live.current().encoder)
    other.confidence = {**original, **{k: original[k][::-1] for k in ("features", "mean", "scale", "weights")}}
    assert Confidence.of(other).probabilities(search) == pytest.approx(expected)


SCORES = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5000001, 0.9, 1.0]), min_size=1, max_size=30)


@given(SCORES, SCORES)
def test_area_is_that_of_scikit_learn(positive: list[float], negative: list[float]) -> None:
    """Ties counted half."""
    expected = roc_auc_score([1] * len(positive) + [0] * len(negative), positive + negative)
    assert area(positive, negative) == pytest.approx(expected)


def test_area_of_nothing_is_no_number() -> None:
    """There is nothing to compare."""
    assert math.isnan(area([], [0.5]))
    assert math.isnan(area([0.5], []))
