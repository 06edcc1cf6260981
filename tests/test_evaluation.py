"""Quality: figures against hand counts, brute force and other libraries; what a real index is asked; the report."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape
from playwright.sync_api import Browser

from botkit import answer, language
from botkit import evaluation as evaluations
from botkit.corpus import Label
from botkit.evaluation import Evaluation, Outcome
from botkit.index import Index, Live

OUTSIDE = frozenset[str]()


def outcome(
    right: bool | None = True, sure: float = 0.5, kind: str | None = "answer", scope: str = "in", **more: object
) -> Outcome:
    """An outcome as a test needs it: `right` says whether the first of three articles is the right one."""
    label = {
        "in": Label("q", "x", relevant=frozenset({"a"})),
        "near": Label("q", "x", relevant=OUTSIDE, qtype="near"),
        "far": Label("q", "x", relevant=OUTSIDE, qtype="far"),
        "rejected": Label("q", "x", relevant=None, rejected=frozenset({"b"})),
    }[scope]
    ranked = ("a", "b", "c") if right else ("b", "c", "a")
    answered = None if kind is None else kind == "answer"
    return replace(Outcome(label, ranked, sure, kind, answered), **more)


scores = st.integers(0, 20).map(lambda n: n / 20)
outcomes = st.lists(st.builds(outcome, st.booleans(), scores), min_size=1, max_size=40)


# ---------------------------------------------------------------- figures


def test_figures_of_a_set_counted_by_hand() -> None:
    """Eight questions, each figure worked out on paper."""
    two = Label("q", "x", relevant=frozenset({"a", "c"}))
    result = evaluations.figures(
        [
            outcome(True, 0.9),
            outcome(False, 0.8),  # the right one is third
            outcome(False, 0.3, "clarify", options=(("b", 0.3), ("a", 0.2))),
            outcome(False, 0.2, "clarify", options=(("b", 0.2), ("c", 0.2))),
            Outcome(two, ("b", "c", "a"), 0.1, "handoff", False),
            outcome(False, 0.7, scope="near"),
            outcome(False, 0.1, "handoff", scope="far"),
            outcome(False, 0.6, "clarify", scope="rejected"),
        ]
    )
    counts = [result[name] for name in ("questions", "in_scope", "near", "far", "rejected")]
    assert counts == [8, 5, 1, 1, 1]
    assert result["accuracy_at_1"] == 1 / 5
    assert result["accuracy_at_3"] == 1
    assert result["mrr_at_10"] == pytest.approx((1 + 1 / 3 + 1 / 3 + 1 / 3 + 1 / 2) / 5)
    third = 1 / math.log2(4)
    both = (1 / math.log2(3) + third) / (1 + 1 / math.log2(3))
    assert result["ndcg_at_10"] == pytest.approx((1 + 3 * third + both) / 5)
    assert (result["answered"], result["precision_in_scope"], result["precision"]) == (2 / 5, 1 / 2, 1 / 3)
    assert (result["asked_back_with_it"], result["near_answered"], result["far_answered"]) == (1 / 5, 1, 0)
    assert result["kinds"] == {"answer": 3, "clarify": 3, "handoff": 2}
    assert (result["bound"]["errors"], result["bound"]["answered"]) == (2, 3)
    assert result["rejected_first"] == 1
    assert result["auroc"] == 1
    # right: the surest of seven; after it only wrong ones
    assert result["aurc"] == pytest.approx(sum((k - 1) / k for k in range(1, 8)) / 7)
    assert (result["coverage_at_5"], result["coverage_at_10"], result["coverage_at_20"]) == (1 / 7, 1 / 7, 1 / 7)
    assert result["answered_at_90"] == 1 / 5
    assert result["brier"] == pytest.approx((0.1**2 + 0.8**2 + 0.3**2 + 0.2**2 + 0.1**2 + 0.7**2 + 0.1**2) / 7)
    assert result["ece"] == pytest.approx((0.1 + 0.8 + 0.3 + 0.2 + 0.1 + 0.7 + 0.1) / 7)  # fewer than bins: each alone


def test_what_cannot_be_told_is_none_and_never_nought() -> None:
    """No questions; none in scope; none answered; only rejected ones."""
    nothing = evaluations.figures([])
    assert nothing["questions"] == 0
    assert {nothing[k] for k in ("accuracy_at_1", "auroc", "aurc", "coverage_at_10", "answered_at_90")} == {None}
    assert set(nothing["intervals"].values()) == {None}
    outside = evaluations.figures([outcome(False, kind="handoff", scope="far")])
    assert (outside["accuracy_at_1"], outside["precision"], outside["answered_at_90"]) == (None, None, None)
    assert (outside["far_answered"], outside["coverage_at_10"], outside["bound"]["upper"]) == (0, 0, None)
    rejected = evaluations.figures([outcome(False, scope="rejected"), outcome(True, scope="rejected")])
    assert (rejected["rejected_first"], rejected["accuracy_at_1"], rejected["auroc"]) == (0.5, None, None)
    assert (rejected["precision"], rejected["bound"]["answered"], rejected["ece"]) == (None, 0, None)
    assert json.loads(json.dumps(nothing, allow_nan=False)) == nothing


@given(outcomes)
def test_confidence_figures_agree_with_scikit_learn(asked: list[Outcome]) -> None:
    """AUROC and Brier, ties and all."""
    from sklearn.metrics import brier_score_loss, roc_auc_score

    result = evaluations.figures(asked)
    right, sure = [bool(o.right) for o in asked], [o.confidence for o in asked]
    assert result["brier"] == pytest.approx(brier_score_loss(right, sure, pos_label=True))
    if len(set(right)) == 2:
        assert result["auroc"] == pytest.approx(roc_auc_score(right, sure))
    else:
        assert result["auroc"] is None


@given(outcomes, st.randoms(use_true_random=False))
def test_risk_and_coverage_agree_with_brute_force(asked: list[Outcome], chance: object) -> None:
    """Every threshold tried; and no order of the questions changes anything."""
    result = evaluations.figures(asked)
    for key, risk in (("coverage_at_5", 0.05), ("coverage_at_10", 0.1), ("coverage_at_20", 0.2)):
        best = 0.0
        for threshold in {o.confidence for o in asked}:
            above = [o for o in asked if o.confidence >= threshold]
            if sum(not o.right for o in above) <= risk * len(above) + 1e-9:
                best = max(best, len(above) / len(asked))
        assert result[key] == pytest.approx(best)
    assert result["answered_at_90"] == pytest.approx(result["coverage_at_10"])  # all are in scope here
    mixed = list(asked)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    again = evaluations.figures(mixed)
    assert again["aurc"] == pytest.approx(result["aurc"])
    assert again["coverage_at_10"] == result["coverage_at_10"]


def test_aurc_is_the_mean_over_all_orders_of_equals() -> None:
    """Two right and one wrong of the same confidence: the wrong one is first, second or third alike."""
    result = evaluations.figures([outcome(True), outcome(False), outcome(True)])
    assert result["aurc"] == pytest.approx(np.mean([(1 + 1 / 2 + 1 / 3), (0 + 1 / 2 + 1 / 3), (0 + 0 + 1 / 3)]) / 3)


@pytest.mark.parametrize(("errors", "answered"), [(0, 22), (1, 40), (7, 118), (39, 40), (5, 5)])
def test_the_bound_is_the_exact_binomial_one(errors: int, answered: int) -> None:
    """As scipy computes it, and by what it means: so few errors are seen in a tenth of samples at most."""
    from scipy.stats import binom, binomtest

    upper = evaluations.bound(errors, answered)
    assert upper == pytest.approx(binomtest(errors, answered, alternative="less").proportion_ci(0.9, "exact").high)
    if errors < answered:
        assert upper is not None
        assert binom.cdf(errors, answered, upper) == pytest.approx(0.1)
    assert evaluations.bound(0, 0) is None
    assert evaluations.bound(0, 22) < 0.1 < evaluations.bound(0, 21)  # type: ignore[operator] # what 10 % needs


def test_intervals_hold_the_figure_and_narrow_with_more_questions() -> None:
    """Those of a share match the binomial's; the same at every run."""
    from scipy.stats import binom

    rng = np.random.default_rng(3)
    asked = [outcome(bool(rng.random() < 0.8), round(float(rng.random()), 2)) for _ in range(200)]
    result = evaluations.figures(asked)
    assert evaluations.figures(asked) == result
    for name, (low, high) in result["intervals"].items():
        assert low <= result[name] <= high
    count = sum(bool(o.right) for o in asked)
    expected = binom.ppf([0.025, 0.975], 200, count / 200) / 200
    assert result["intervals"]["accuracy_at_1"] == pytest.approx(expected, abs=0.012)
    low, high = evaluations.figures(asked * 9)["intervals"]["auroc"]
    assert high - low < (result["intervals"]["auroc"][1] - result["intervals"]["auroc"][0]) / 2


def test_a_system_that_only_ranks_has_no_columns_that_need_more() -> None:
    """A score is no probability, and it has no threshold of its own."""
    labels = [Label("1", "x", relevant=frozenset({"a"})), Label("2", "y"), Label("3", "z", relevant=frozenset({"c"}))]
    ranked = [[("a", 17.5), ("b", 19.0)], [("b", 3.0)], []]
    result = evaluations.judge("bm25", labels, ranked)
    assert [(o.article, o.confidence, o.right, o.wrong) for o in result.outcomes] == [
        ("a", 17.5, True, False), ("b", 3.0, False, False), (None, 0.0, False, True),
    ]  # fmt: skip
    details = evaluations.figures(result.outcomes)
    assert not {"answered", "precision", "ece", "brier", "bound", "kinds", "near_answered"} & set(details)
    assert (details["accuracy_at_1"], details["auroc"], details["answered_at_90"]) == (0.5, 1, 0.5)
    with pytest.raises(ValueError):
        evaluations.judge("bm25", labels, ranked[:2])
    assert len(evaluations.judge("many", labels[:1], [[(str(n), 1.0) for n in range(50)]]).outcomes[0].ranked) == 10


# ---------------------------------------------------------------- two systems


def test_compare_tells_each_change_and_its_direction() -> None:
    """A wrong answer is worse than a question back, a hand-over better than an answer out of scope."""
    offered = (("b", 0.3), ("a", 0.3))
    pairs = [
        (outcome(True), outcome(True), None),
        (outcome(True, 0.5), outcome(True, 0.6), None),
        (outcome(True), outcome(False), "worse"),
        (outcome(False), outcome(False, kind="clarify", options=offered), "better"),
        (outcome(False, kind="handoff"), outcome(False, kind="clarify", options=offered), "better"),
        (outcome(True, kind="clarify", options=offered), outcome(True), "better"),
        (outcome(False, kind="handoff", scope="near"), outcome(False, scope="near"), "worse"),
        (outcome(False, scope="far"), outcome(False, kind="clarify", scope="far"), "better"),
        (outcome(False), replace(outcome(False), ranked=("c", "a")), "other"),
    ]
    before, after = ([replace(p[i], label=replace(p[i].label, id=str(n))) for n, p in enumerate(pairs)] for i in (0, 1))
    result = evaluations.compare(Evaluation("old", tuple(before)), Evaluation("new", tuple(after)))
    assert {c["id"]: c["change"] for c in result["changed"]} == {str(n): p[2] for n, p in enumerate(pairs) if p[2]}
    assert [c["change"] for c in result["changed"]] == sorted(
        (p[2] for p in pairs if p[2]), key=["worse", "better", "other"].index
    )
    answered = result["differences"]["answered"]
    assert (answered["before"], answered["after"], answered["difference"]) == (5 / 7, 5 / 7, 0)


def test_the_paired_difference_knows_chance_from_progress() -> None:
    """Nothing changed: exactly nought. Each tenth question gained: the interval leaves nought out, though the two
    systems' own intervals overlap widely."""
    rng = np.random.default_rng(5)
    labels = [Label(str(n), "x", relevant=frozenset({"a"})) for n in range(100)]
    old = [outcome(bool(rng.random() < 0.6), label=label) for label in labels]
    new = [replace(o, ranked=("a",)) if n % 10 == 0 else o for n, o in enumerate(old)]
    same = evaluations.compare(Evaluation("old", tuple(old)), Evaluation("new", tuple(old)))
    assert same["changed"] == []
    assert all(d["difference"] in (0, None) for d in same["differences"].values())
    assert same["differences"]["accuracy_at_1"]["interval"] == [0, 0]
    change = evaluations.compare(Evaluation("old", tuple(old)), Evaluation("new", tuple(new)))
    gained = change["differences"]["accuracy_at_1"]
    apart = [evaluations.figures(each)["intervals"]["accuracy_at_1"] for each in (old, new)]
    assert apart[0][1] > apart[1][0]
    assert 0 < gained["interval"][0] <= gained["difference"] <= gained["interval"][1]
    with pytest.raises(ValueError, match="different questions"):
        evaluations.compare(Evaluation("old", tuple(old)), Evaluation("new", tuple(old[1:])))


# ---------------------------------------------------------------- a real index

QUESTIONS = [
    Label("en1", "where is my order", "en", frozenset({"orders/track-order"})),
    Label("en2", "  where is my\u202e order ", "en", frozenset({"orders/track-order"})),
    Label("fa1", "سفارش من کجاست", "fa", frozenset({"orders/track-order"})),
    Label("en3", "where is my order", "fa", frozenset({"no/such-article"})),
    Label("en4", "who won the cup final in 1966", "en", frozenset(), qtype="far"),
    Label("en5", "I want to talk to a person", None, frozenset(), qtype="near"),
    Label("en6", "where is my order", "en", None, frozenset({"orders/track-order"})),
]


@pytest.fixture(scope="module")
def evaluation(live: Live) -> Evaluation:
    """What the small real index says to QUESTIONS."""
    return evaluations.evaluate(live.current(), QUESTIONS)


def test_evaluate_asks_as_the_server_does(live: Live, evaluation: Evaluation) -> None:
    """The same replies as one by one, with the ranking behind the three candidates."""
    index = live.current()
    assert [o.label for o in evaluation.outcomes] == QUESTIONS
    for outcome in evaluation.outcomes:
        reply = answer.reply(index, language.clean(outcome.label.text), lang=outcome.label.lang)
        assert (outcome.kind, outcome.answered) == (reply.kind, reply.source is not None)
        assert outcome.options == tuple((o.article, o.confidence) for o in reply.options)
        assert outcome.confidence == (reply.confidence or 0.0)
        assert outcome.ranked[:1] == ((reply.article,) if reply.article else ())
        assert 3 < len(outcome.ranked) <= 10
    assert (evaluation.system, evaluation.version) == ("botkit", index.version)
    assert evaluation.missing == ("no/such-article",)


def test_only_wrong_outcomes_are_explained(evaluation: Evaluation) -> None:
    """An answer to the wrong article, or one that is known to be wrong; the weightiest figure first."""
    assert [o.wrong for o in evaluation.outcomes] == [bool(o.explanation) for o in evaluation.outcomes]
    wrong = {o.label.id: o for o in evaluation.outcomes if o.wrong}
    assert {"en3", "en6"} <= set(wrong)
    weights = [abs(value) for _, value in wrong["en3"].explanation]
    assert weights == sorted(weights, reverse=True)
    assert evaluation.titles["orders/track-order", "en"] == "Where is my order?"


def test_no_question_is_embedded_twice(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Embedding is nearly all of the time. Progress is told to the end."""
    index, result = live.current(), []
    known: list[str] = []
    encode = Index.encode

    def counted(self: Index, texts: list[str]) -> np.ndarray:
        known.extend(texts)
        return encode(self, texts)

    monkeypatch.setattr(Index, "encode", counted)
    labels = [Label(str(n), f"parcel number {n}", "en") for n in range(70)]
    evaluations.evaluate(index, labels, progress=lambda done, total: result.append((done, total)))
    assert len(known) == len(set(known)) == 70
    assert result == [(64, 70), (70, 70)]


def test_thresholds_are_the_callers_or_the_indexs(live: Live, evaluation: Evaluation) -> None:
    """None above certainty is answered; the report says which threshold held."""
    strict = evaluations.evaluate(live.current(), QUESTIONS, answer_threshold=1.01, clarify_threshold=1.0)
    assert not any(o.answered for o in strict.outcomes)
    assert (strict.answer_threshold, strict.clarify_threshold) == (1.01, 1.0)
    assert any(o.answered for o in evaluation.outcomes)
    assert evaluation.answer_threshold == pytest.approx(live.current().confidence["answer"])


def test_parts_of_an_evaluation_add_up(evaluation: Evaluation) -> None:
    """By language, and joined again."""
    assert evaluation.languages == ["en", "fa", "–"]
    parts = [evaluation.only(lang=lang) for lang in evaluation.languages]
    assert [len(part.outcomes) for part in parts] == [4, 2, 1]
    assert sorted(o.label.id for o in evaluations.joined(parts).outcomes) == sorted(q.id for q in QUESTIONS)
    assert evaluations.joined(parts).missing == evaluation.missing


# ---------------------------------------------------------------- the report

HOSTILE = '<script>alert("x")</script> سلام & <b>bold</b>'


class Page(HTMLParser):
    """A page's elements and addresses; complains when tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [str(value) for name, value in attrs if name in ("src", "href", "action", "data", "srcset")]
        if tag not in ("meta", "link", "br", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def report(evaluation: Evaluation) -> evaluations.Report:
    """Two sets, botkit beside a system that only ranks, and a change; one customer tries to break the page."""
    hostile = replace(evaluation.outcomes[3], label=replace(evaluation.outcomes[3].label, text=HOSTILE, slice="<i>"))
    ours = replace(evaluation, outcomes=(*evaluation.outcomes[:3], hostile, *evaluation.outcomes[4:]))
    labels = [o.label for o in ours.outcomes]
    other = evaluations.judge("word & count", labels, [[("orders/track-order", 12.5 - n)] for n in range(len(labels))])
    handed = tuple(replace(o, kind="handoff", answered=False) for o in ours.outcomes)
    later = replace(ours, system="later", outcomes=handed)
    sets = tuple(evaluations.Set(name, (ours, other)) for name in ("one", "two"))
    change = evaluations.compare(ours, later)
    return evaluations.Report(
        "Trial", sets, command="botkit eval x", overall=True, changes=(change,), notes=("A note.",)
    )


def test_the_text_has_a_line_for_each_set_language_slice_and_system(report: evaluations.Report) -> None:
    """In markdown, with what is proven, what changed, the machine and the command."""
    text = report.text()
    rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in text.splitlines() if line.startswith("| ")]
    systems = ["botkit", "word & count"]
    lines = [[name, system] for name in ("en", "fa", "–", "plain", "<i>", "all") for system in systems]
    assert [row for row in rows if row[0] not in ("set", "---")] == lines * 3
    assert re.search(r"all, botkit: answers from 0\.\d\d \((un)?certified\); \d+ of \d+ answered were wrong", text)
    assert "from botkit " in text
    assert "A note." in text
    assert re.search(r"^machine: .+\ncommand: botkit eval x$", text, re.MULTILINE)


def test_a_report_of_small_sets_is_one_table(evaluation: Evaluation) -> None:
    """Where every set has one language and one slice; without a second system there is no column for it."""
    english = evaluation.only(lang="en")
    text = evaluations.Report("Trial", tuple(evaluations.Set(n, (english,)) for n in ("first", "second"))).text()
    assert [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")] == [
        "set", "---", "first", "second",
    ]  # fmt: skip
    assert "system" not in text.split("\n\n")[1]


def test_the_json_has_everything_once(report: evaluations.Report, tmp_path: Path) -> None:
    """Valid JSON without NaN; each question with what every system said."""
    report.write(json_file=tmp_path / "deep" / "r.json")
    result = json.loads((tmp_path / "deep" / "r.json").read_text(encoding="utf-8"))
    assert result == json.loads(json.dumps(report.as_dict()))
    assert [s["name"] for s in result["sets"]] == ["all", "one", "two"]
    whole, one, _ = result["sets"]
    assert (whole["questions"], len(one["questions"])) == ([], len(QUESTIONS))
    assert list(whole["systems"][0]["figures"]) == ["all", "languages", "slices"]
    assert whole["systems"][0]["figures"]["all"]["questions"] == 2 * len(QUESTIONS)
    assert list(one["systems"][0]["figures"]["languages"]) == ["en", "fa", "–"]
    text = one["questions"][0]["said"]
    assert list(text) == ["botkit", "word & count"]
    assert (text["botkit"]["right"], text["word & count"]["answered"]) == (True, None)
    assert result["changes"][0]["differences"]["answered"]["after"] == 0


def test_the_page_opens_by_itself_and_lets_no_customer_break_it(report: evaluations.Report, tmp_path: Path) -> None:
    """No script, no address outside itself, every text escaped; each wrong answer with the right article."""
    report.write(html=tmp_path / "r.html")
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    page = Page(html)
    assert "script" not in page.tags
    assert all(address.startswith("#") for address in page.addresses)
    assert not re.search(r"url\(|@import|https?:", html)
    assert page.tags.count("svg") == page.tags.count("desc") + html.count('aria-hidden="true"><line')
    words = re.findall(r'<p class="words" dir="auto"[^>]*>(.*?)</p>', html)
    assert escape(HOSTILE) in words
    assert '<code dir="ltr">no/such-article</code>' in html
    assert "Articles that the index does not have" in html


def test_a_browser_shows_the_page_without_a_network(
    browser: Browser, report: evaluations.Report, tmp_path: Path
) -> None:
    """In light and dark, at 400 px without sideways scrolling; axe finds nothing; Arabic runs from the right."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    arabic = outcome(False, 0.9, label=Label("ar", "وين وصل الطلب حقي", "ar", frozenset({"a"})))
    one = evaluations.Set("ar", (Evaluation("botkit", (arabic,), "v", 0.85, 0.5),))
    replace(report, sets=(*report.sets, one), overall=False).write(html=tmp_path / "r.html")
    for scheme, width in (("light", 400), ("dark", 1280)):
        context = browser.new_context(offline=True, color_scheme=scheme, viewport={"width": width, "height": 900})
        page, asked = context.new_page(), []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto((tmp_path / "r.html").as_uri())
        assert asked == [(tmp_path / "r.html").as_uri()]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        words = page.locator("p.words", has_text="وين")
        assert words.evaluate("e => [getComputedStyle(e).direction, getComputedStyle(e).textAlign]") == ["rtl", "start"]
        page.evaluate(script)
        ask = "axe.run().then(({violations}) => violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
        assert page.evaluate(ask) == []
        context.close()


def test_the_page_shows_a_certificate_of_any_kind(evaluation: Evaluation) -> None:
    """Its keys as they come; without one the page says that nothing is certified."""
    english = evaluation.only(lang="en")
    certificates = (None, {"alpha": 0.1, "some_thing": {"n": [1, 2]}, "who": "<us>"})
    systems = [replace(english, certificate=certificate) for certificate in certificates]
    bare, held = (evaluations.Report("Trial", (evaluations.Set("s", (system,)),)) for system in systems)
    assert ">uncertified<" in bare.html()
    assert "(uncertified)" in bare.text()
    assert ">certified<" in held.html()
    assert "<dt>some thing</dt><dd>{&#34;n&#34;: [1, 2]}</dd>" in held.html()
    assert "&lt;us&gt;" in held.html()
    for refused in ({"certified": False, "labels_more": 40}, {"certified": True, "threshold": 2.0}):
        other = replace(english, certificate=refused)
        assert not other.certified
        page = evaluations.Report("Trial", (evaluations.Set("s", (other,)),)).html()
        assert ">uncertified<" in page
        assert f"<dt>{list(refused)[-1].replace('_', ' ')}</dt>" in page
    assert replace(english, certificate={"certified": True, "threshold": english.answer_threshold}).certified
    assert "  alpha: 0.1\n" in held.text()


@pytest.mark.parametrize("count", [0, 1, 400])
def test_a_report_of_any_size_can_be_drawn(count: int) -> None:
    """Nothing asked, one question, more wrong answers than are listed; nothing answered at all."""
    asked = tuple(outcome(False, 0.9, label=Label(str(n), f"x{n}", "en", frozenset({"a"}))) for n in range(count))
    e = Evaluation("botkit", asked, "v", 0.85, 0.5)
    report = evaluations.Report(
        "Trial", (evaluations.Set("s", (e, replace(e, system="only ranks", answer_threshold=None))),)
    )
    assert html_cases(report.html()) == min(count, 300)
    assert ("100 more of this kind" in report.html()) == (count == 400)
    json.dumps(report.as_dict(), allow_nan=False)
    assert report.text().startswith("Trial\n\n| set |")


def html_cases(html: str) -> int:
    return Page(html).tags.count("p") and html.count('<li class="case">')


def test_a_set_is_of_systems_that_were_asked_the_same() -> None:
    """Or else side by side would say nothing."""
    a, b = Evaluation("a", (outcome(),)), Evaluation("b", ())
    with pytest.raises(ValueError, match="the set `s` needs systems that were asked the same"):
        evaluations.Set("s", (a, b))
    with pytest.raises(ValueError):
        evaluations.Set("s", ())
    alone = evaluations.Set("all", (a,))
    with pytest.raises(ValueError, match="each its own name"):
        evaluations.Report("Trial", (alone, alone))
    both = evaluations.Report("Trial", (alone, evaluations.Set("s", (a,))), overall=True)
    assert list(both.rows) == ["all sets", "all", "s"]
