"""From a folder of markdown to a published index: check, embed, fit, run the articles' tests, publish.

This module orders the steps and owns the rule that nothing half-built is ever published. Each step
itself lives in the package that owns it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botkit import __version__, answer, confidence, corpus, encoder, index, language


@dataclass(frozen=True)
class Failure:
    """An article's test that would not have led a customer to the article.

    It `stops` a build, unless another article was given as the answer below the usual threshold because labels have
    certified a lower one: that promise counts on a few wrong answers.
    """

    article: str
    lang: str
    test: str
    got: str | None
    file: str
    answered: bool
    stops: bool

    def __str__(self) -> str:
        what = "was answered with" if self.answered else "is not among the three candidates, first of them"
        allowed = "" if self.stops else ", as the certified threshold allows"
        return f"{self.file}: the test “{self.test}” of `{self.article}` {what} `{self.got}`{allowed}"


@dataclass(frozen=True)
class Report:
    """What a build did."""

    version: str
    published: bool
    counts: dict[str, int]
    tests: int
    failures: tuple[Failure, ...]
    warnings: tuple[corpus.Finding | str, ...]
    confidence: str


class TestsFailed(Exception):
    """Tests of articles failed, so nothing was published; `report` has them."""

    __test__ = False  # not a test class, whatever pytest thinks of its name

    def __init__(self, report: Report) -> None:
        self.report = report
        stopping = [failure for failure in report.failures if failure.stops]
        lines = "\n".join(map(str, stopping))
        super().__init__(
            f"{len(stopping)} of {report.tests} tests failed, so nothing was published:\n{lines}\n"
            "Add the words that customers use to `questions`, or publish all the same with --allow-failing-tests."
        )


def publish(
    source: Path | str,
    out: Path | str,
    encoder_name: str = encoder.DEFAULT,
    *,
    labels: Sequence[Path | str] = (),
    alpha: float = confidence.ALPHA,
    delta: float = confidence.DELTA,
    allow_failing_tests: bool = False,
    say: Callable[[str], None] = lambda line: None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Build the corpus in `source` into the index folder `out` and publish it.

    Judged questions in the corpus's own folder `labels` and in the files and folders `labels` fit the confidence
    model and certify its threshold: at most `alpha` of the answers wrong, with probability 1 - `delta`. The version
    that was current stays so unless every step succeeds. Raises corpus.CorpusError, encoder.EncoderError,
    index.IndexProblem or TestsFailed.
    """
    judged = corpus.labels(*_label_files(source, labels))
    notes, maker = Path(out) / "cache" / "files.npz", f"{__version__} {corpus.code()}"
    known = index.recall_table(notes, maker)
    before = set(known)
    result, findings = corpus.check(source, known)
    errors = [f for f in findings if f.level == "error"]
    if result is None or errors:
        raise corpus.CorpusError(errors)
    say(f"{len(result.articles)} articles in {', '.join(result.languages)}")
    model = encoder.load(encoder_name)
    with index.building(out):
        if set(known) != before:
            index.keep_table(notes, maker, known)
        draft = index.build(result, out, encoder_name, encoder=model, progress=progress)
        try:
            numbers = confidence.fit(draft, judged, alpha=alpha, delta=delta)
            say(f"confidence {confidence.summary(numbers)}")
            lost = _lost_certificate(Path(out), numbers)
            draft.confidence = numbers
            failures, count = run_tests(draft)
            sealed = index.seal(
                draft,
                numbers,
                {
                    "botkit": __version__,
                    "source": _digest(source, labels),
                    "tests": {"count": count, "failed": [[f.article, f.lang, f.test, f.got] for f in failures]},
                },
            )
        except BaseException:
            index.discard(draft)
            raise
        report = Report(
            version=sealed.version,
            published=allow_failing_tests or not any(failure.stops for failure in failures),
            counts=dict(sealed.manifest["counts"]),
            tests=count,
            failures=tuple(failures),
            warnings=(*(f for f in findings if f.level != "error"), *unknown_articles(result, judged), *lost),
            confidence=confidence.summary(numbers),
        )
        if not report.published:
            raise TestsFailed(report)
        index.publish(sealed)
    return report


def unknown_articles(found: corpus.Corpus, judged: Sequence[corpus.Label]) -> list[str]:
    """A warning for each label that names an article the corpus does not have."""
    known = {a.id for a in found.articles}
    return [
        f"warning: the label `{label.id}` names `{article}`: no such article. Correct it or take it out."
        for label in judged
        for article in sorted({*(label.relevant or ()), *label.rejected} - known)
    ]


def _label_files(source: Path | str, labels: Sequence[Path | str]) -> list[Path]:
    own = Path(source) / "labels"
    return [*([own] if own.is_dir() and any(own.rglob("*.jsonl")) else []), *map(Path, labels)]


def _digest(source: Path | str, labels: Sequence[Path | str]) -> str:
    """Of everything that a build reads."""
    result = hashlib.sha256(corpus.digest(source).encode())
    for path in _label_files(source, labels):
        for file in sorted(path.rglob("*.jsonl")) if path.is_dir() else [path]:
            result.update(file.name.encode() + b"\0" + file.read_bytes())
    return result.hexdigest()


def _lost_certificate(out: Path, numbers: Mapping[str, Any]) -> list[str]:
    """A warning where the published version keeps its promise and the new one does not."""
    try:
        file = index.version_folder(out) / "confidence.json"
        before = json.loads(file.read_text(encoding="utf-8")).get("certificate", {})
    except (index.IndexProblem, OSError, ValueError):
        return []
    if not before.get("certified") or numbers["certificate"]["certified"]:
        return []
    more = numbers["certificate"].get("labels_more")
    return [
        f"warning: the version before was certified from {before['threshold']:.2f} on, this one is not"
        + (f"; about {more} labels more may do. " if more else ". ")
        + "It answers from its usual threshold."
    ]


def is_current(
    source: Path | str,
    out: Path | str,
    encoder_name: str,
    labels: Sequence[Path | str] = (),
    alpha: float = confidence.ALPHA,
    delta: float = confidence.DELTA,
) -> bool:
    """Whether the published version was built from these very sources by this encoder and botkit."""
    try:
        folder = index.version_folder(Path(out))
        manifest = index.verify(folder)
    except index.IndexProblem:
        return False
    promised = json.loads((folder / "confidence.json").read_text(encoding="utf-8"))["certificate"]
    return bool(
        manifest.get("source") == _digest(source, labels)
        and manifest["encoder"] == encoder_name
        and manifest.get("botkit") == __version__
        and (promised["alpha"], promised["delta"]) == (alpha, delta)
    )


def run_tests(built: index.Index) -> tuple[list[Failure], int]:
    """Ask every `tests:` line of every article as a customer would on a page in its language.

    One fails when another article is given as the answer, or when its article is not even among the
    three candidates that a customer may be offered.
    """
    lenient = built.confidence["certificate"]["certified"]
    asked: list[tuple[corpus.Article, str]] = [
        (article, test) for lang in built.languages for article in built.articles(lang) for test in article.tests
    ]
    replies = answer.replies(built, [language.clean(test) for _, test in asked], lang=[a.lang for a, _ in asked])
    failures = []
    for (article, test), reply in zip(asked, replies, strict=True):
        wrong = reply.source is not None and reply.article != article.id
        if wrong or article.id not in [option.article for option in reply.options]:
            stops = not (wrong and lenient and (reply.confidence or 0.0) < confidence.ANSWER)
            failures.append(Failure(article.id, article.lang, test, reply.article, article.file, wrong, stops))
    return failures, len(asked)
