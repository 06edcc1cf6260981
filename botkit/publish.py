"""From a folder of markdown to a published index: check, embed, fit, run the articles' tests, publish.

This house orders the steps and owns the rule that nothing half-built is ever published. Each step
itself lives in the house that owns it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botkit import __version__, answer, confidence, corpus, encoder, index, language


@dataclass(frozen=True)
class Failure:
    """An article's test that would not have led a customer to the article."""

    article: str
    lang: str
    test: str
    got: str | None
    file: str
    answered: bool

    def __str__(self) -> str:
        what = "was answered with" if self.answered else "is not among the three candidates, first of them"
        return f"{self.file}: the test “{self.test}” of `{self.article}` {what} `{self.got}`"


@dataclass(frozen=True)
class Report:
    """What a build did."""

    version: str
    published: bool
    counts: dict[str, int]
    tests: int
    failures: tuple[Failure, ...]
    warnings: tuple[corpus.Finding, ...]
    confidence: str


class TestsFailed(Exception):
    """Tests of articles failed, so nothing was published; `report` has them."""

    __test__ = False  # not a test class, whatever pytest thinks of its name

    def __init__(self, report: Report) -> None:
        self.report = report
        lines = "\n".join(map(str, report.failures))
        super().__init__(
            f"{len(report.failures)} of {report.tests} tests failed, so nothing was published:\n{lines}\n"
            "Add the words that customers use to `questions`, or publish all the same with --allow-failing-tests."
        )


def publish(
    source: Path | str,
    out: Path | str,
    encoder_name: str = encoder.DEFAULT,
    *,
    allow_failing_tests: bool = False,
    say: Callable[[str], None] = lambda line: None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Build the corpus in `source` into the index folder `out` and publish it.

    The version that was current stays so unless every step succeeds. Raises corpus.CorpusError,
    encoder.EncoderError, index.IndexProblem or TestsFailed.
    """
    notes, maker = Path(out) / "cache" / "files.npz", f"{__version__} {corpus.code()}"
    known = index.recall_table(notes, maker)
    before = set(known)
    found, findings = corpus.check(source, known)
    errors = [f for f in findings if f.level == "error"]
    if found is None or errors:
        raise corpus.CorpusError(errors)
    say(f"{len(found.articles)} articles in {', '.join(found.languages)}")
    model = encoder.load(encoder_name)
    with index.building(out):
        if set(known) != before:
            index.keep_table(notes, maker, known)
        draft = index.build(found, out, encoder_name, encoder=model, progress=progress)
        try:
            numbers = confidence.fit(draft)
            say(f"confidence fitted on {confidence.summary(numbers)}")
            draft.confidence = numbers
            failures, count = run_tests(draft)
            sealed = index.seal(
                draft,
                numbers,
                {
                    "botkit": __version__,
                    "source": corpus.digest(source),
                    "tests": {"count": count, "failed": [[f.article, f.lang, f.test, f.got] for f in failures]},
                },
            )
        except BaseException:
            index.discard(draft)
            raise
        report = Report(
            version=sealed.version,
            published=not failures or allow_failing_tests,
            counts=dict(sealed.manifest["counts"]),
            tests=count,
            failures=tuple(failures),
            warnings=tuple(f for f in findings if f.level != "error"),
            confidence=confidence.summary(numbers),
        )
        if not report.published:
            raise TestsFailed(report)
        index.publish(sealed)
    return report


def is_current(source: Path | str, out: Path | str, encoder_name: str) -> bool:
    """Whether the published version was built from these very sources by this encoder and botkit."""
    try:
        manifest = index.verify(index.version_folder(Path(out)))
    except index.IndexProblem:
        return False
    return bool(
        manifest.get("source") == corpus.digest(source)
        and manifest["encoder"] == encoder_name
        and manifest.get("botkit") == __version__
    )


def run_tests(built: index.Index) -> tuple[list[Failure], int]:
    """Ask every `tests:` line of every article as a customer would on a page in its language.

    One fails when another article is given as the answer, or when its article is not even among the
    three candidates that a customer may be offered.
    """
    asked: list[tuple[corpus.Article, str]] = [
        (article, test) for lang in built.languages for article in built.articles(lang) for test in article.tests
    ]
    replies = answer.replies(built, [language.clean(test) for _, test in asked], lang=[a.lang for a, _ in asked])
    failures = []
    for (article, test), reply in zip(asked, replies, strict=True):
        wrong = reply.source is not None and reply.article != article.id
        if wrong or article.id not in [option.article for option in reply.options]:
            failures.append(Failure(article.id, article.lang, test, reply.article, article.file, wrong))
    return failures, len(asked)


def describe(report: Report) -> dict[str, Any]:
    """A report ready for JSON."""
    return {
        "version": report.version,
        "published": report.published,
        "counts": report.counts,
        "tests": report.tests,
        "failures": [str(f) for f in report.failures],
        "warnings": [str(w) for w in report.warnings],
        "confidence": report.confidence,
    }
