"""From hits to probabilities: in range, in order, the same at every fit, open to inspection, moved by labels."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from small import FRUIT, article, write

from botkit import answer, build, confidence, corpus, encoder, index
from botkit.confidence import Confidence, area, features, fitting
from botkit.confidence.model import EXACT, HIGHEST, PAIRS
from botkit.corpus import Label
from botkit.index import FEATURES, STORED, Index, Live

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


ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """A third of the demo shop's English articles, as a draft: it remembers the vectors of what it was asked."""
    whole = corpus.load(ROOT / "corpora/lalezar")
    chosen = tuple(a for a in whole.articles if a.lang == "en")[::3]
    return index.build(replace(whole, languages=("en",), articles=chosen), tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def judged(shop: Index) -> list[Label]:
    """Judged questions of either half, as this shop would judge them: most are about articles that it lacks."""
    whole = corpus.labels(ROOT / "eval/golden/en.jsonl")
    known = frozenset(shop.ids)
    result = [replace(q, relevant=(q.relevant or frozenset()) & known, split=None, qtype=None) for q in whole]
    assert len(result) >= fitting.REFIT + 20
    return result


@pytest.fixture(scope="module")
def refitted(shop: Index, judged: list[Label]) -> dict[str, Any]:
    """The numbers that all the judged questions make."""
    return confidence.fit(shop, judged)


@pytest.fixture(scope="module")
def firsts(shop: Index, judged: list[Label]) -> list[str]:
    """The article that the shop finds for each judged question."""
    return [s.hits[0].article for s in shop.search_many([q.text for q in judged], "en")]


def all_right(judged: Sequence[Label], firsts: Sequence[str]) -> list[Label]:
    """The same questions, as if every first article answered."""
    return [replace(q, relevant=frozenset({first})) for q, first in zip(judged, firsts, strict=False)]


def all_wrong(judged: Sequence[Label]) -> list[Label]:
    """The same questions, as if nothing did."""
    return [replace(q, relevant=frozenset()) for q in judged]


def model_of(numbers: dict[str, Any]) -> dict[str, Any]:
    """The numbers without what they promise."""
    return {key: value for key, value in numbers.items() if key not in ("certificate", "certificates")}


@pytest.mark.parametrize("text", QUESTIONS)
def test_probabilities_are_in_range_and_in_order(text: str, live: Live) -> None:
    """One for each hit; no later candidate is likelier than the first; together at most one."""
    search = live.current().search(text)
    result = Confidence.of(live.current()).probabilities(search)
    assert len(result) == len(search.hits) > 1
    assert all(0 <= p <= 1 and math.isfinite(p) for p in result)
    assert result == sorted(result, reverse=True)
    assert sum(result[:3]) <= HIGHEST + 1e-9
    assert sum(result) <= 1 + 1e-9


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


FAR = {
    "en": ["who painted the Mona Lisa", "my neighbour's dog barks all night", "convert 30 miles to km"],
    "ar": ["من رسم لوحة الموناليزا", "كلب جيراننا ينبح طول الليل", "كم كيلومترا في ثلاثين ميلا"],
    "tr": ["Mona Lisa'yı kim çizdi", "komşunun köpeği bütün gece havlıyor", "30 mil kaç kilometre eder"],
    "fa": ["مونالیزا را چه کسی کشید", "سگ همسایه تمام شب پارس می‌کند", "سی مایل چند کیلومتر است"],
    "bg": ["кой е нарисувал Мона Лиза", "кучето на съседа лае цяла нощ", "колко километра са 30 мили"],
}


@pytest.mark.parametrize("lang", FAR)
def test_a_small_shop_does_not_answer_what_is_far_from_it(lang: str, live: Live) -> None:
    """A dozen articles, and the whole world to be asked about."""
    result = live.current()
    for question in FAR[lang]:
        assert answer.reply(result, question, lang=lang).kind != "answer", question


ONE = {
    "en": ("How do I return an item?", "send my order back, return policy", "how do i send it back"),
    "ar": ("كيف أرجع منتجا؟", "أريد إرجاع الطلب, سياسة الإرجاع", "ابي ارجع الطلب"),
    "tr": ("Ürünü nasıl iade ederim?", "siparişi geri göndermek, iade koşulları", "siparisi iade etmek istiyorum"),
    "fa": ("چطور کالا را پس بدهم؟", "می‌خواهم سفارش را برگردانم, شرایط مرجوعی", "سفارشمو میخوام برگردونم"),
    "bg": ("Как да върна стока?", "искам да върна поръчката, условия за връщане", "как се връща поръчка"),
}


@pytest.mark.parametrize("lang", ONE)
def test_a_shop_of_one_article_knows_what_that_is_about(lang: str, tmp_path: Path) -> None:
    """And what not, though there is no other article that a question could be nearer to."""
    title, questions, asked = ONE[lang]
    text = article(title, "Within 30 days.", questions=f"[{questions}]")
    build.publish(write(tmp_path / "corpus", {f"{lang}/returns.md": text}), tmp_path / "index")
    result = Index.open(tmp_path / "index")
    assert Confidence.of(result).probabilities(result.search(asked, lang))[0] > 0.5
    for question in ("zzzz qqqq", *FAR[lang]):
        assert Confidence.of(result).probabilities(result.search(question, lang))[0] < 0.3, question
        assert answer.reply(result, question, lang=lang).kind == "handoff", question


def test_contributions_sum_to_the_log_odds(live: Live) -> None:
    """Nothing that moves a probability is hidden."""
    model = Confidence.of(live.current())
    for text in QUESTIONS:
        search = live.current().search(text)
        parts = {each.name: each.log_odds for each in model.contributions(search)}
        assert set(parts) == {"intercept", *FEATURES, *(f"{one} × {other}" for one, other in PAIRS)}
        log_odds = model.odds(features(search)[None, :])[0, 0]
        assert sum(parts.values()) == pytest.approx(log_odds, abs=1e-9)
        expected = HIGHEST / (1 + math.exp(-log_odds))  # a probability is never quite 1
        expected = max(expected, EXACT) if search.exact else expected
        assert model.probabilities(search)[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("lead", "least", "most"), [(0.0, 0.45, 0.5), (0.003, 0.5, 0.6), (0.3, 0.9, 1.0)])
def test_of_two_articles_of_one_score_neither_is_sure(lead: float, least: float, most: float, live: Live) -> None:
    """Which of them is first is the rounding's choice, and another machine's may be the other."""
    model = Confidence.of(live.current())
    search = live.current().search("can I cancel my orders")
    assert search.signals is not None
    tied = replace(search, signals=replace(search.signals, runner_up=search.hits[0].score - lead))
    parts = {each.name: each.log_odds for each in model.contributions(tied)}
    assert least <= model.probabilities(tied)[0] <= most
    assert parts.get("tie", 0.0) < 0 if lead < 0.1 else "tie" not in parts
    assert sum(parts.values()) == pytest.approx(model.odds(features(tied)[None, :])[0, 0], abs=1e-9)


def test_every_feature_is_a_number_for_every_question(live: Live) -> None:
    """Also for no words, one hit and a text of nothing known."""
    for text in (*QUESTIONS, "", "😀", "?" * 50, "غ" * 4000):
        result = features(live.current().search(text))
        assert result.shape == (len(FEATURES),)
        assert np.isfinite(result).all()


def test_a_phrasing_to_the_letter_is_all_but_certain(live: Live) -> None:
    """Whatever the figures say: here those of a model that trusts nothing."""
    search = live.current().search("CAN I CANCEL MY ORDER", "en")
    numbers = live.current().confidence
    doubting = numbers | {name: numbers[name] | {"intercept": -40.0} for name in ("first", "among")}
    result = Confidence.read(doubting).probabilities(search)
    assert result[0] == EXACT
    assert sum(result) <= 1
    assert Confidence.of(live.current()).probabilities(search)[0] >= EXACT
    asked = live.current().search("can I cancel it, my order of today", "en")
    assert Confidence.read(doubting).probabilities(asked)[0] < 0.001


# ---------------------------------------------------------------- the numbers that ship


def test_the_shipped_numbers_are_those_of_the_shipped_rows(live: Live) -> None:
    """They name exactly the figures there are, and whoever fits the rows anew finds the same weights."""
    numbers, again = fitting.shipped(live.current()), fitting.learn(fitting.simulated())
    assert numbers["features"] == again["features"] == [STORED[name] for name in FEATURES]
    assert numbers["pairs"] == again["pairs"] == [[STORED[one], STORED[other]] for one, other in PAIRS]
    assert (numbers["answer"], numbers["clarify"]) == (confidence.ANSWER, confidence.CLARIFY)
    for name in ("mean", "scale"):
        assert len(numbers[name]) == len(FEATURES)
        np.testing.assert_allclose(numbers[name], again[name], rtol=1e-5, atol=1e-7)
    for name in ("first", "among"):
        np.testing.assert_allclose(numbers[name]["weights"], again[name]["weights"], atol=5e-3)
        assert numbers[name]["intercept"] == pytest.approx(again[name]["intercept"], abs=5e-3)


def test_every_simulated_bot_counts_the_same() -> None:
    """And what is out of scope has its share in each, however many questions were asked: the larger, the fewer articles
    a bot has, since of what it is asked it then has little."""
    bot = np.array([0] * 10 + [1] * 200 + [2] * 40)
    inside = np.arange(250) % 2 == 0
    articles = np.array([1000] * 10 + [10] * 200 + [1] * 40)
    weight = fitting.balanced(inside, bot, articles)
    assert weight.mean() == pytest.approx(1)
    shares = []
    for number in (0, 1, 2):
        mine = bot == number
        assert weight[mine].sum() == pytest.approx(250 / 3)
        shares.append(weight[mine & ~inside].sum() / weight[mine].sum())
    assert shares[0] == pytest.approx(fitting.OUT_OF_SCOPE, abs=0.005)
    assert shares[0] < shares[1] < 0.4 < shares[2] < 0.8


def test_a_shop_without_labels_has_the_shipped_numbers(shop: Index) -> None:
    """Uncertified, with the usual thresholds, and an estimate of what a certificate takes."""
    numbers = confidence.fit(shop)
    assert model_of(numbers) == fitting.shipped(shop)
    assert (numbers["calibrated"], numbers["labels"]) == (True, 0)
    assert (numbers["certificate"]["certified"], numbers["certificate"]["labels_more"]) == (False, 44)
    assert numbers["certificates"] == {}
    assert confidence.summary(numbers) == "as shipped; uncertified, about 44 labels more"


def test_the_shipped_numbers_tell_right_from_wrong_in_a_shop(shop: Index, judged: list[Label]) -> None:
    """Better than eight times in ten, of questions two in three of which this shop does not answer."""
    model = Confidence.read(confidence.fit(shop))
    right, wrong = [], []
    for label, search in zip(judged, shop.search_many([q.text for q in judged], "en"), strict=True):
        inside = search.hits[0].article in (label.relevant or ())
        (right if inside else wrong).append(model.probabilities(search)[0])
    assert len(right) > 20
    assert area(right, wrong) > 0.8


def test_a_corpus_of_a_few_lines_is_fitted(tmp_path: Path) -> None:
    """Few phrasings, a single article, articles with nothing but a title; a phrasing itself is sure."""
    single = {"en/apple.md": FRUIT["en/apple.md"]}
    bare = {f"en/{i}.md": f"---\ntitle: Question number {i} about fruit\n---\nText.\n" for i in range(5)}
    for name, files in {"few": FRUIT, "single": single, "bare": bare}.items():
        built = index.build(corpus.load(write(tmp_path / name, files)), tmp_path / f"{name}-index")
        model = Confidence.read(confidence.fit(built))
        assert (model.answer, model.clarify) == (confidence.ANSWER, confidence.CLARIFY)
        sure, unsure = (model.probabilities(built.search(t))[0] for t in (built.articles("en")[0].title, "zz"))
        assert sure >= model.answer > unsure >= 0


class _Renamed:
    """The default encoder under another name."""

    def __init__(self) -> None:
        inner = encoder.load()
        self.encode_query, self.encode_document = inner.encode_query, inner.encode_document
        self.identity = "another/model"


def test_another_encoder_is_not_calibrated(tmp_path: Path) -> None:
    """The same weights, and no claim that they mean what they say."""
    result = corpus.load(write(tmp_path / "corpus", FRUIT))
    numbers = confidence.fit(index.build(result, tmp_path / "index", encoder=_Renamed()))
    assert numbers["calibrated"] is False
    assert numbers["encoder"] != "another/model"


# ---------------------------------------------------------------- labels


def test_too_few_labels_change_nothing(shop: Index, judged: list[Label]) -> None:
    """But they are counted, and certify if they can: the shipped model has not seen them."""
    numbers = confidence.fit(shop, judged[: fitting.SHIFT - 1])
    assert model_of(numbers) == fitting.shipped(shop)
    assert numbers["certificate"]["labels"] == 29


@pytest.mark.parametrize("count", [30, 99])
def test_some_labels_move_the_intercepts_alone(count: int, shop: Index, judged: list[Label], firsts: list[str]) -> None:
    """Up where the shop's questions are answered, down where they are not; the figures weigh what they did."""
    before = fitting.shipped(shop)
    up, down = (confidence.fit(shop, q[:count]) for q in (all_right(judged, firsts), all_wrong(judged)))
    for numbers in (up, down):
        assert (numbers["labels"], numbers["refitted"]) == (count, False)
        for name in ("mean", "scale", "features", "pairs"):
            assert numbers[name] == before[name]
        for name in ("first", "among"):
            assert numbers[name]["weights"] == before[name]["weights"]
    for name in ("first", "among"):
        assert up[name]["intercept"] > before[name]["intercept"] + 0.2 > down[name]["intercept"] + 0.4
    assert up["certificate"]["certified"] is True
    assert up["answer"] == up["certificate"]["threshold"] < confidence.ANSWER
    assert up["clarify"] == min(confidence.CLARIFY, up["answer"])
    assert (down["certificate"]["certified"], down["answer"]) == (False, confidence.ANSWER)


def test_many_labels_refit_the_model(shop: Index, judged: list[Label], refitted: dict[str, Any]) -> None:
    """On the simulated rows and the labels together; the probabilities then are right on average."""
    numbers = refitted
    count = numbers["labels"]
    assert fitting.REFIT <= count == numbers["certificate"]["labels"] <= len(judged)
    assert numbers["refitted"] is True
    before = np.array(fitting.shipped(shop)["first"]["weights"])
    moved = np.abs(np.array(numbers["first"]["weights"]) - before)
    assert moved.max() > 0.01
    assert moved.mean() < np.abs(before).mean(), "most of what is known comes from the simulated rows"
    rows, _ = fitting.judged_rows(shop, judged)
    for name, target in (("first", rows.right), ("among", rows.among)):
        odds = Confidence.read(numbers).odds(rows.table)[0 if name == "first" else 1]
        assert (1 / (1 + np.exp(-odds))).mean() == pytest.approx(target.mean(), abs=0.03)
    assert confidence.summary(numbers).startswith(f"refitted with {count} labels; ")


def test_a_fit_is_the_same_every_time(shop: Index, judged: list[Label], refitted: dict[str, Any]) -> None:
    """To the last digit, so that equal sources give equal bytes: with some labels and with many."""
    assert confidence.fit(shop, judged[:40]) == confidence.fit(shop, judged[:40])
    assert confidence.fit(shop, judged) == refitted


def test_labels_kept_for_a_test_are_left_alone(shop: Index, judged: list[Label]) -> None:
    """What measures must not have taught."""
    kept = [replace(q, split="test") for q in judged]
    assert confidence.fit(shop, kept) == confidence.fit(shop)
    some = [replace(q, split="dev") for q in judged[:40]]
    assert confidence.fit(shop, [*some, *kept[40:]]) == confidence.fit(shop, judged[:40])


def test_a_customers_label_weighs_less(shop: Index, judged: list[Label]) -> None:
    """Than one of an agent, an editor or the golden set, and still something."""
    before = fitting.shipped(shop)["first"]["intercept"]
    moved = {
        source: confidence.fit(shop, [replace(q, source=source) for q in all_wrong(judged[:40])])["first"]["intercept"]
        - before
        for source in ("golden", "editor", "agent", "customer")
    }
    assert moved["golden"] == moved["editor"] == moved["agent"] < moved["customer"] - 0.1 < 0
    rows, known = fitting.judged_rows(shop, [replace(judged[0], source="customer"), judged[1]])
    assert known == [0, 1]
    assert rows.weight.tolist() == [0.3, 1.0]


def test_a_rejected_article_tells_something_only_when_it_is_found_first(
    shop: Index, judged: list[Label], firsts: list[str]
) -> None:
    """Then the first was wrong, as surely as for a question that nothing answers; else nobody knows."""
    of_first = [replace(q, relevant=None, rejected=frozenset({f})) for q, f in zip(judged, firsts, strict=True)][:40]
    of_another = [replace(q, rejected=frozenset({"no/such-article"})) for q in of_first]
    wrong = confidence.fit(shop, of_first)
    assert wrong["labels"] == 40
    assert wrong["first"] == confidence.fit(shop, all_wrong(judged[:40]))["first"]
    assert confidence.fit(shop, of_another) == confidence.fit(shop)


def test_a_label_that_is_a_phrasing_teaches_nothing(shop: Index) -> None:
    """It is answered without the model."""
    own = [Label(str(i), a.title, "en", frozenset({a.id})) for i, a in enumerate(shop.articles("en"))]
    assert fitting.judged_rows(shop, own)[1] == []
    rows, _ = fitting.judged_rows(shop, [])
    assert rows.table.shape == (0, len(FEATURES))


def test_a_language_with_labels_enough_has_a_certificate_of_its_own(
    shop: Index, judged: list[Label], firsts: list[str]
) -> None:
    """Of the corpus's languages only; it is told, and the one threshold stays."""
    enough = fitting.FEWEST_OF_A_LANGUAGE
    right = all_right(judged, firsts)
    assert confidence.fit(shop, right[: enough - 1])["certificates"] == {}
    assert list(confidence.fit(shop, right[:enough])["certificates"]) == ["en"]
    mixed = [*right[:enough], *(replace(q, lang="tr") for q in right[enough : enough + 20])]
    numbers = confidence.fit(shop, mixed)
    assert list(numbers["certificates"]) == ["en"]
    assert numbers["certificates"]["en"]["labels"] == enough
    assert numbers["answer"] == numbers["certificate"]["threshold"]


# ---------------------------------------------------------------- the model


def test_numbers_of_another_order_of_features_are_read_by_name(live: Live, index_folder: Path) -> None:
    """The file names each figure; its order is its own affair."""
    original = live.current().confidence
    search = live.current().search("where is my order")
    expected = Confidence.of(live.current()).probabilities(search)
    other = Index.open(index_folder, live.current().encoder)
    other.confidence = {**original, **{k: original[k][::-1] for k in ("features", "mean", "scale", "pairs")}}
    for name in ("first", "among"):
        weights = original[name]["weights"]
        alone, together = weights[: len(FEATURES)], weights[len(FEATURES) :]
        other.confidence[name] = original[name] | {"weights": alone[::-1] + together[::-1]}
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
