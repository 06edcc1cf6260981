"""`botkit eval, judge, report, labels`: how good the answers are and what became of conversations."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import shared

if TYPE_CHECKING:
    from botkit.corpus import Dialogue, Label
    from botkit.index import Index
    from botkit.language import Tables


@click.command("eval")
@click.argument("questions", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--index", "folder", type=click.Path(path_type=Path), help="index folder")
@click.option("--split", type=click.Choice(["dev", "test"]), help="only the questions of this half")
@click.option("--lang", help="only the questions asked on a page in this language")
@click.option("--words", is_flag=True, help="as if the encoder failed at every question: words alone answer")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="write the report as one HTML file here")
@click.option("--json", "as_json", type=click.Path(dir_okay=False, path_type=Path), help="write everything here")
@click.option("--against", type=click.Path(path_type=Path), help="another index: tell what changed from it to --index")
@click.option(
    "--min-precision",
    type=click.FloatRange(0, 1),
    help="end with 1 when less of all answered is right than this share, like 0.9, or nothing is answered",
)
@click.pass_obj
def evaluate(
    file: Path | None,
    questions: tuple[Path, ...],
    folder: Path | None,
    split: str | None,
    lang: str | None,
    words: bool,
    html: Path | None,
    as_json: Path | None,
    against: Path | None,
    min_precision: float | None,
) -> None:
    """Measure an index on judged questions: files of JSON lines, or folders of them.

    Each of QUESTIONS is a set of its own in the tables. The format of a line is in docs/analysts.md.
    """
    settings = shared.settings(file, index=str(folder) if folder else None)
    sets, talks = _judged(questions, split, lang)
    opened = [shared.opened(settings.index)]
    names = ["botkit"]
    if against is not None:
        opened.append(shared.opened(str(against)))
        names = [settings.index, str(against)]
        if names[0] == names[1]:
            raise click.UsageError("--against names the same index as --index")
    from botkit import evaluation as evaluations

    def ask(system: str, asked: Index) -> list[evaluations.Evaluation]:
        result = []
        for name, labels in sets.items():
            click.echo(f"{system}: {len(labels)} questions of {name}", err=True)
            result.append(
                evaluations.evaluate(
                    asked,
                    labels,
                    answer_threshold=settings.answer_threshold,
                    clarify_threshold=settings.clarify_threshold,
                    progress=shared.progress("asked", "questions"),
                    system=system,
                    deadline=0 if words else None,
                )
            )
        return result

    result = [ask(*each) for each in zip(names, opened, strict=True)]
    joined = [evaluations.joined(each) for each in result]
    held = []
    for name, dialogues in talks.items():
        click.echo(f"{names[0]}: {len(dialogues)} dialogues of {name}, twice", err=True)
        held.append(
            evaluations.hold(
                opened[0],
                name,
                dialogues,
                answer_threshold=settings.answer_threshold,
                clarify_threshold=settings.clarify_threshold,
                progress=shared.progress("asked", "turns"),
            )
        )
    for evaluation in joined:
        if evaluation.missing:
            missing = ", ".join(evaluation.missing)
            click.echo(f"{evaluation.system}: questions name articles that it does not have: {missing}", err=True)
    chosen = [f"{split} split"] if split else []
    chosen += [lang] if lang else []
    chosen += ["words alone"] if words else []
    details = ", ".join([*sets, *talks, *chosen])
    report = evaluations.Report(
        title=f"{settings.index} on {details}",
        sets=tuple(evaluations.Set(n, tuple(each)) for n, *each in zip(sets, *result, strict=True)),
        command=shlex.join(["botkit", *sys.argv[1:]]),
        overall=True,
        changes=(evaluations.compare(joined[1], joined[0]),) if against else (),
        dialogues=tuple(held),
    )
    click.echo(report.text())
    try:
        report.write(html, as_json)
    except OSError as error:
        raise click.ClickException(
            f"{error.filename}: cannot be written: {error.strerror}. Choose another file."
        ) from error
    precision = evaluations.figures(joined[0].outcomes).get("precision")
    if min_precision is not None and (precision is None or precision < min_precision):
        was = (
            "nothing was answered" if precision is None
            else f"{evaluations.percent(precision)} % of the answered is right"
        )
        raise click.ClickException(f"{was}, less than the {evaluations.percent(min_precision)} % asked for.")


def _judged(
    questions: tuple[Path, ...], split: str | None, lang: str | None
) -> tuple[dict[str, list[Label]], dict[str, list[Dialogue]]]:
    """The judged questions of each argument and its dialogues, each by a short name of it; those of one half or
    language only."""
    from botkit import corpus

    names = [Path(os.path.abspath(path)).name.removesuffix(".jsonl") for path in questions]
    sets: dict[str, list[Label]] = {}
    talks: dict[str, list[Dialogue]] = {}
    total = 0

    def wanted(line: Label | Dialogue) -> bool:
        return split in (None, line.split) and lang in (None, line.lang)

    try:
        for path, name in zip(questions, names, strict=True):
            shown = name if names.count(name) == 1 else str(path)
            result, dialogues = corpus.labels(path), corpus.dialogues(path)
            total += len(result) + len(dialogues)
            if kept := list(filter(wanted, result)):
                sets[shown] = kept
            if held := list(filter(wanted, dialogues)):
                talks[shown] = held
    except corpus.CorpusError as error:
        raise click.ClickException(f"the questions cannot be read.\n{error}") from error
    if not sets and not talks:
        raise click.ClickException(
            f"none of {total} questions and dialogues is asked for. Leave --split and --lang out, or correct them."
        )
    if not sets:
        raise click.ClickException("there are dialogues alone. Give single questions beside them.")
    return sets, talks


@click.command()
@click.argument("questions", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--index", "folder", type=click.Path(path_type=Path), help="index folder")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="where verdicts are added, as corpora/NAME/labels/editor.jsonl",
)
@click.option("--judge-all", is_flag=True, help="ask those judged before too; a new verdict takes the old one's place")
@click.pass_obj
def judge(file: Path | None, questions: Path, folder: Path | None, out: Path, judge_all: bool) -> None:
    """Go through QUESTIONS and say which article answers each: lines of {"id", "text", "lang"?}.

    Each verdict is written at once, so that one may stop at any time and go on later. Verdicts are read from standard
    input, a line each.
    """
    settings = shared.settings(file, index=str(folder) if folder else None)
    from botkit import corpus

    try:
        asked = corpus.questions(questions)
        known = {label.id for label in corpus.labels(out)} if out.exists() else set()
        if out.exists() and corpus.dialogues(out):
            raise click.ClickException(f"{out} has dialogues in it. Choose another file for verdicts.")
    except corpus.CorpusError as error:
        raise click.ClickException(f"the questions cannot be read.\n{error}") from error
    left = asked if judge_all else [question for question in asked if question.id not in known]
    if not left:
        click.echo(f"all {len(asked)} questions are judged already", err=True)
        return
    opened = shared.opened(settings.index)
    click.echo("1, 2, 3: that article   ID: the article of that id   0: none answers   s: skip   q: stop")
    added = 0
    try:
        for number, question in enumerate(left, 1):
            label = _verdict(opened, question, f"[{number} of {len(left)}]")
            if label is not None:
                with shared.written(out):
                    corpus.add_label(out, label)
                added += 1
    except (EOFError, KeyboardInterrupt):
        click.echo()
    click.echo(f"{out}: {added} verdicts added, {len(left) - added} questions left", err=True)


def _verdict(index: Index, question: Label, place: str) -> Label | None:
    """The editor's verdict, asked again until it is one; None: skipped. EOFError: no more."""
    from botkit import language
    from botkit.evaluation import verdicts

    offered = verdicts.candidates(index, question)
    click.echo(f"\n{place} {language.clean(question.text)}" + (f"  ({question.lang})" if question.lang else ""))
    for number, each in enumerate(offered, 1):
        click.echo(f"  {number}  {each.probability:.2f}  {each.article}  {each.title}")
    while True:
        typed = input("> ").strip()
        if typed == "q":
            raise EOFError
        if typed == "s":
            return None
        if typed:
            try:
                return verdicts.verdict(index, question, offered, typed)
            except verdicts.BadVerdict as error:
                click.echo(error)


@click.command()
@click.option("--database", help="database URL; default: sqlite:///botkit.db")
@click.option("--since", help="episodes that began at or after this time, like 2026-11-01 or 2026-11-01T08:00Z")
@click.option("--until", help="episodes that began before this time")
@click.option("--now", help="the time to judge from; default: now")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@click.pass_obj
def report(
    file: Path | None, database: str | None, since: str | None, until: str | None, now: str | None, as_json: bool
) -> None:
    """How conversations ended: containment, resolution, confirmed and handed-over shares."""
    settings = shared.settings(file, database=database)
    times = {name: shared.time(name, text) for name, text in (("since", since), ("until", until), ("now", now))}
    with shared.store(settings) as store:
        from botkit import reports

        figures = reports.summary(store, window_hours=settings.window_hours, **times)
        click.echo(json.dumps(figures, ensure_ascii=False, indent=2) if as_json else reports.table(figures))


@click.command()
@click.option("--database", help="database URL; default: sqlite:///botkit.db")
@click.option("--since", help="verdicts given at or after this time, like 2026-11-01 or 2026-11-01T08:00Z")
@click.option("--until", help="verdicts given before this time")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="where to write them, readable by its owner alone"
)
@click.pass_obj
def labels(file: Path | None, database: str | None, since: str | None, until: str | None, out: Path | None) -> None:
    """Write the questions that agents and customers judged, as JSON lines for `botkit index` and `botkit eval`.

    An agent's closing click names the article that would have answered, a customer's feedback whether one did. The
    questions are as customers typed them and MAY HOLD PERSONAL DATA: names, addresses, order numbers. Read them
    before you share the file or put it under version control.
    """
    settings = shared.settings(file, database=database)
    times = {name: shared.time(name, text) for name, text in (("since", since), ("until", until))}
    from botkit import corpus

    if out is not None and out.is_file():
        _check_export(out)
    with shared.store(settings) as store:
        from botkit import reports

        result = reports.labels(store, **times, tables=_tables(settings.index))
        from botkit import accounts

        with store.write() as conn:
            accounts.audit(store, conn, None, "export", "labels", questions=len(result))
    if out is None:
        corpus.write_labels(sys.stdout, result)
    else:
        with shared.written(out):
            corpus.write_labels(out, result)
    agents = sum(label.source == "agent" for label in result)
    click.echo(f"{len(result)} questions: {agents} judged by agents, {len(result) - agents} by customers", err=True)


def _tables(index: str) -> Tables:
    """The language tables of the index that is served. Most add nothing, and then it need not be loaded."""
    from botkit import language

    if not index or not any(Path(index).glob("*/languages.json")):
        return language.SHIPPED
    from botkit.index import IndexProblem, tables

    try:
        return tables(index)[1]
    except IndexProblem as error:
        raise click.ClickException(str(error)) from error


def _check_export(out: Path) -> None:
    """Refuse to write over what did not come from the record."""
    from botkit import corpus

    try:
        others = corpus.dialogues(out) or {label.source for label in corpus.labels(out)} - {"agent", "customer"}
    except corpus.CorpusError as error:
        raise click.ClickException(f"{out} is not a file of judged questions. Choose another file.\n{error}") from error
    if others:
        raise click.ClickException(f"{out} has questions that were not judged in conversations. Choose another file.")
