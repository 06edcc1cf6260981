"""From a folder of markdown to a published index: nothing half-built is ever published."""

import json
from pathlib import Path

import pytest
from small import FRUIT, article, write

from botkit import answer, build, confidence, corpus, encoder
from botkit.build import TestsFailed
from botkit.index import Index, IndexProblem, Live

FAILING = article("Which apples keep longest?", questions="[storing apples]", tests="[ripening pears]")


def test_a_good_corpus_is_published(tmp_path: Path) -> None:
    """The report says what was built and the index answers."""
    text: list[str] = []
    progress: list[tuple[int, int]] = []
    report = build.publish(
        write(tmp_path / "corpus", {**FRUIT, "en/fig.md": article("Are figs fresh?", tests="[fresh figs today]")}),
        tmp_path / "index",
        say=text.append,
        progress=lambda done, total: progress.append((done, total)),
    )
    opened = Index.open(tmp_path / "index")
    assert report.published
    assert report.version == opened.version == (tmp_path / "index/CURRENT").read_text().strip()
    assert (report.counts["articles"], report.counts["phrasings"], report.counts["passages"]) == (4, 10, 4)
    assert (report.tests, report.failures, report.warnings) == (1, (), ())
    assert any("4 articles in en" in line for line in text)
    assert progress[-1][0] == progress[-1][1] > 0
    assert answer.reply(opened, "storing apples").article == "apple"
    assert report.confidence == "as shipped; uncertified, about 44 labels more"
    assert f"confidence {report.confidence}" in text
    assert len(opened.manifest["source"]) == 64
    assert opened.manifest["tests"] == {"count": 1, "failed": []}


def test_a_failing_test_publishes_nothing_unless_allowed(tmp_path: Path) -> None:
    """The failure names the file, the test, the article and what was found instead, with the cure."""
    source, out = write(tmp_path / "corpus", FRUIT), tmp_path / "index"
    before = build.publish(source, out).version
    write(source, {"en/apple.md": FAILING})
    with pytest.raises(TestsFailed) as caught:
        build.publish(source, out)
    stored = str(caught.value)
    assert "1 of 1 tests failed, so nothing was published" in stored
    assert "en/apple.md: the test “ripening pears” of `apple`" in stored
    assert "`pear`" in stored
    assert "--allow-failing-tests" in stored
    assert not caught.value.report.published
    assert Index.open(out).version == before
    report = build.publish(source, out, allow_failing_tests=True)
    assert report.published
    assert Index.open(out).version == report.version != before
    assert [f.test for f in report.failures] == ["ripening pears"]


def test_a_bad_corpus_publishes_nothing(tmp_path: Path) -> None:
    """All its errors are raised, and a folder that had no index has none."""
    source = write(tmp_path / "corpus", {**FRUIT, "en/bad.md": "x", "en/worse.md": "y"})
    with pytest.raises(corpus.CorpusError) as caught:
        build.publish(source, tmp_path / "index")
    assert len(caught.value.findings) == 2
    with pytest.raises(IndexProblem):
        Index.open(tmp_path / "index")


def test_an_encoder_that_is_not_there_publishes_nothing(tmp_path: Path) -> None:
    """It is named before anything is built."""
    with pytest.raises(encoder.EncoderError, match="/no/model"):
        build.publish(write(tmp_path / "corpus", FRUIT), tmp_path / "index", "/no/model")
    assert not (tmp_path / "index").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Such as one below a file."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(IndexProblem, match="cannot be written"):
        build.publish(write(tmp_path / "corpus", FRUIT), tmp_path / "file/index")


def test_warnings_are_reported_and_stop_nothing(tmp_path: Path) -> None:
    """They name what an editor may mend later."""
    source = write(tmp_path / "corpus", {**FRUIT, "en/fig.md": article("Figs?", "")})
    report = build.publish(source, tmp_path / "index")
    assert report.published
    assert ["the article has no text" in w.message for w in report.warnings] == [True]


def test_an_index_is_current_until_its_sources_change(tmp_path: Path) -> None:
    """Any source, the encoder, or damage to the index."""
    source, out = write(tmp_path / "corpus", FRUIT), tmp_path / "index"
    assert not build.is_current(source, out, encoder.DEFAULT)
    build.publish(source, out)
    assert build.is_current(source, out, encoder.DEFAULT)
    assert not build.is_current(source, out, "another")
    write(source, {"corpus.toml": 'name = "Fruit"\n'})
    assert not build.is_current(source, out, encoder.DEFAULT)
    (source / "corpus.toml").unlink()
    assert build.is_current(source, out, encoder.DEFAULT)
    (out / (out / "CURRENT").read_text().strip() / "articles.jsonl").write_text("{}\n")
    assert not build.is_current(source, out, encoder.DEFAULT)


def test_a_damaged_version_is_built_anew(tmp_path: Path) -> None:
    """The same sources give the same name, and a version of that name that is damaged is replaced."""
    source, out = write(tmp_path / "corpus", FRUIT), tmp_path / "index"
    version = build.publish(source, out).version
    (out / version / "articles.jsonl").write_text("{}\n")
    with pytest.raises(IndexProblem, match=r"articles\.jsonl"):
        Index.open(out)
    assert build.publish(source, out).version == version
    assert Index.open(out).ids == ("apple", "pear", "plum")


def test_tests_of_what_customers_may_not_see_are_not_run(tmp_path: Path) -> None:
    """An article for agents is never found, so its tests would always fail."""
    files = {**FRUIT, "en/staff.md": article("The till", tests="[how to open the till]", audience="agent")}
    assert build.publish(write(tmp_path / "corpus", files), tmp_path / "index").tests == 0


def test_the_tests_of_an_index_are_those_of_its_articles(live: Live) -> None:
    """Asked as a customer would, on a page in the article's language."""
    result = live.current()
    failures, count = build.run_tests(result)
    assert count == sum(len(a.tests) for lang in result.languages for a in result.articles(lang)) > 0
    assert len(failures) <= count


# ---------------------------------------------------------------- judged questions


def labels(count: int = 40, **fields: object) -> str:
    """A file of judged questions about apples, as many as asked for, all of which `apple` answers."""
    rows = [
        {"id": str(n), "text": f"how do I keep {n} apples over the winter", "lang": "en", "relevant": ["apple"]}
        for n in range(count)
    ]
    return "".join(json.dumps(row | fields) + "\n" for row in rows)


def test_labels_come_from_the_corpus_and_from_wherever_is_named(tmp_path: Path) -> None:
    """Its own folder `labels`, which is no language, files and folders beside it; each changes what is current."""
    source, out = write(tmp_path / "corpus", FRUIT), tmp_path / "index"
    bare = build.publish(source, out)
    write(source, {"labels/editor/judged.jsonl": labels(40)})
    assert not build.is_current(source, out, encoder.DEFAULT)
    own = build.publish(source, out)
    assert build.is_current(source, out, encoder.DEFAULT)
    assert Index.open(out).languages == ("en",)
    assert own.confidence.startswith("shifted with 40 labels; certified: at most 10% of the answers are wrong from ")
    more = write(tmp_path / "more", {"judged.jsonl": labels(12, source="agent")}) / "judged.jsonl"
    assert not build.is_current(source, out, encoder.DEFAULT, [more])
    both = build.publish(source, out, labels=[more])
    assert build.is_current(source, out, encoder.DEFAULT, [more])
    assert build.is_current(source, out, encoder.DEFAULT, [more.parent])
    assert not build.is_current(source, out, encoder.DEFAULT)
    assert both.confidence.startswith("shifted with 52 labels; ")
    assert len({bare.version, own.version, both.version}) == 3
    write(more.parent, {"judged.jsonl": labels(12, source="customer")})
    assert not build.is_current(source, out, encoder.DEFAULT, [more])


def test_labels_certify_the_threshold_that_is_answered_from(tmp_path: Path) -> None:
    """Alpha and delta are the caller's; what was promised is written with the version."""
    source = write(tmp_path / "corpus", {**FRUIT, "labels/a.jsonl": labels(40)})
    build.publish(source, tmp_path / "index")
    stored = Index.open(tmp_path / "index").confidence
    assert stored["certificate"]["certified"] is True
    assert (stored["certificate"]["labels"], stored["certificate"]["wrong"]) == (40, 0)
    assert stored["answer"] == stored["certificate"]["threshold"]
    strict = build.publish(source, tmp_path / "strict", alpha=0.05)
    assert strict.confidence.startswith("shifted with 40 labels; uncertified, about "), "0.95^40 is more than a tenth"
    assert Index.open(tmp_path / "strict").confidence["answer"] == confidence.ANSWER
    bold = build.publish(source, tmp_path / "bold", alpha=0.05, delta=0.2)
    assert "certified: at most 5% of the answers are wrong" in bold.confidence


def test_a_certified_threshold_allows_a_wrong_test_below_the_usual_one(tmp_path: Path) -> None:
    """It is told. One that would be answered wrongly at the usual threshold stops the build as ever."""
    pear = FRUIT["en/pear.md"].replace("---\n", "---\ntests: [keeping them cold]\n", 1)
    source = write(tmp_path / "corpus", {**FRUIT, "en/pear.md": pear, "labels/a.jsonl": labels(40)})
    report = build.publish(source, tmp_path / "index")
    assert report.published
    (failure,) = report.failures
    assert (failure.answered, failure.stops) == (True, False)
    assert str(failure).endswith("of `pear` was answered with `apple`, as the certified threshold allows")
    write(source, {"en/apple.md": FRUIT["en/apple.md"].replace("---\n", "---\ntests: [ripening pears]\n", 1)})
    with pytest.raises(TestsFailed, match="1 of 2 tests failed") as caught:
        build.publish(source, tmp_path / "index")
    assert [f.article for f in caught.value.report.failures if f.stops] == ["apple"]
    assert "keeping them cold" not in str(caught.value)


def test_a_lost_certificate_is_told(tmp_path: Path) -> None:
    """The new version is published all the same; once it is lost, it is not told again."""
    source, out = write(tmp_path / "corpus", {**FRUIT, "labels/a.jsonl": labels(40)}), tmp_path / "index"
    assert build.publish(source, out).warnings == ()
    write(source, {"labels/a.jsonl": labels(20)})
    report = build.publish(source, out)
    (warning,) = report.warnings
    assert str(warning).startswith("warning: the version before was certified from 0.")
    assert "this one is not; about 24 labels more may do. " in str(warning)
    assert report.published
    write(source, {"labels/a.jsonl": labels(19)})
    assert build.publish(source, out).warnings == ()


def test_a_label_of_an_unknown_article_is_told(tmp_path: Path) -> None:
    """By its id and the article's, whether that is said to be right or wrong."""
    rows = [
        {"id": "one", "text": "figs", "relevant": ["fig", "pear"]},
        {"id": "two", "text": "kiwis", "rejected": ["kiwi"]},
        {"id": "three", "text": "pears", "relevant": ["pear"]},
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    report = build.publish(write(tmp_path / "corpus", {**FRUIT, "labels/a.jsonl": text}), tmp_path / "index")
    assert report.published
    assert report.warnings == (
        "warning: the label `one` names `fig`: no such article. Correct it or take it out.",
        "warning: the label `two` names `kiwi`: no such article. Correct it or take it out.",
    )


def test_bad_labels_publish_nothing(tmp_path: Path) -> None:
    """Each bad line is named before anything is embedded."""
    source = write(tmp_path / "corpus", {**FRUIT, "labels/a.jsonl": labels(2) + "{}\n"})
    with pytest.raises(corpus.CorpusError, match=r"labels/a\.jsonl:3: `id` is missing"):
        build.publish(source, tmp_path / "index")
    assert not (tmp_path / "index").exists()
