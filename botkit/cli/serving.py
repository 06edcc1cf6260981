"""`botkit serve`: the server, from settings to its worker processes."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from botkit.config import ConfigError

from . import deliveries, shared

if TYPE_CHECKING:
    from botkit.config import Settings
    from botkit.store import Store

DEMO, DEMO_PASSWORD = "demo", "demo-password"
"""The agent of the demo shop, for this machine alone."""
_NOT_THE_SHOPS = {"base_url": "", "keys": "", "webhook_url": "", "webhook_secret": "", "second_factor_roles": ""}
"""Settings of a shop that do not hold for the demo shop served from the same folder."""
CHECK = 10.0
"""Seconds that looking at the index and the database may take before the server starts without it."""


@click.command()
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
    settings = shared.settings(
        file, index=str(folder) if folder else None, database=database, host=host, port=port, workers=workers
    )
    if not settings.index:
        raise click.ClickException("no index is named. Give --index INDEXES/NAME, as built by `botkit index`.")
    _serve(settings)


@click.command()
@click.option("--corpus", default="corpora/lalezar", show_default=True, help="its articles, in a checkout of botkit")
@click.option("--index", "folder", default="indexes/lalezar", show_default=True, help="where they are built")
@click.option("--database", default="sqlite:///demo.db", show_default=True, help="database URL")
@click.option("--host", default="127.0.0.1", show_default=True, help="address to listen on")
@click.option("--port", type=int, help="port to listen on")
@click.pass_obj
def demo(file: Path | None, corpus: str, folder: str, database: str, host: str, port: int | None) -> None:
    """Serve the demo shop: its site with the chat, its help centre, and the desk with an agent called demo.

    It has a database of its own and takes no address, keys or webhook from the settings of a shop: everybody knows
    the password of its agent.
    """
    settings = shared.settings(file, index=folder, database=database, host=host, port=port, **_NOT_THE_SHOPS)
    if not Path(corpus, "corpus.toml").is_file():
        raise click.ClickException(f"no demo shop at `{corpus}`. Run this in a checkout of botkit, or give --corpus.")
    _botkit("index", corpus, "--out", folder, "--if-changed")
    account = ("user", "add", DEMO, "--role", "supervisor", "--password-stdin", "--if-missing", "--database", database)
    _botkit(*account, given=f"{DEMO_PASSWORD}\n")
    click.echo(f"demo agent   name {DEMO}, password {DEMO_PASSWORD}", err=True)
    _serve(settings, demo=True)


def _botkit(*arguments: str, given: str = "") -> None:
    """Another command, in a process of its own: the one that forks workers must not import an index's libraries."""
    program = [sys.executable, "-c", "from botkit.cli import main; main()"]
    environ = os.environ | {f"BOTKIT_{name.upper()}": value for name, value in _NOT_THE_SHOPS.items()}
    done = subprocess.run([*program, *arguments], input=given or None, text=True, env=environ)  # noqa: S603
    if done.returncode:
        raise SystemExit(done.returncode)


def _serve(settings: Settings, demo: bool = False) -> None:
    per_address = min(settings.streams_per_address, settings.streams // 2)  # never all
    settings = replace(settings, streams_per_address=per_address)
    senders = deliveries.senders(settings)
    from botkit import outbox
    from botkit.server import options
    from botkit.store import KeysError, Store, StoreError

    try:
        options.check(settings)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    try:
        Store(settings.database)  # an address that is none is told here; it is opened later
    except StoreError as error:
        raise click.ClickException(str(error)) from error

    def prepare(store: Store) -> None:
        store.migrate()
        outbox.kinds(store, senders)
        try:
            store.keys  # noqa: B018 - made at the first start
        except KeysError as error:  # customers are served all the same
            click.echo(f"Warning: nobody can sign in at the desk: {error}", err=True)

    problem, looked = _in_child(lambda: _no_index(settings.index), CHECK)
    if looked and problem.startswith(_WARNING):
        click.echo(problem, err=True)
    elif looked and problem:
        raise click.ClickException(problem)
    # Once, here, where it can be done: else each worker does it as soon as the database lets it.
    away, _ = _in_child(lambda: _prepared(settings, prepare), CHECK)
    if away:
        click.echo(f"Warning: without the database until it can be used; it is tried again: {away}", err=True)
    from botkit import server
    from botkit.server.processes import run

    rates = server.Rates()

    def factory() -> Any:
        from botkit.index import Live

        store = Store(settings.database, keys=settings.keys, prepare=prepare if away else None)
        if senders:
            outbox.Worker(store, senders).start()
        return server.create_app(
            index=Live(settings.index, swapped=run.settle),
            store=store,
            rates=rates,
            settings=settings,
            demo=demo,
        )

    base = settings.base_url or f"http://{settings.host}:{settings.port}"
    shop = f"demo shop    {base}/demo\n" if demo else ""
    click.echo(f"{shop}help centre  {base}/help\ndesk         {base}/desk", err=True)
    per_address = 0 if settings.trusted_proxies else settings.connections_per_address
    run.run(factory, settings.host, settings.port, settings.workers, settings.threads, settings.streams, per_address)


_WARNING = "Warning: "


def _no_index(folder: str) -> str:
    """Why there is nothing at all to serve; a damaged version is no reason: it may be mended while the server runs.
    Else, as warnings, what will not work in a language of the version that is there."""
    from botkit import language
    from botkit.index import IndexProblem, offered, tables

    try:
        offered(Path(folder))
    except IndexProblem as error:
        return str(error)
    try:
        languages, known = tables(folder)
    except IndexProblem:
        return ""
    return "\n".join(_WARNING + line for lang in languages for line in language.shortcomings(lang, known))


def _prepared(settings: Settings, prepare: Callable[[Store], None]) -> str:
    """Bring the database into order; why it cannot be."""
    from botkit.store import Store, StoreError

    store = Store(settings.database, keys=settings.keys)
    try:
        prepare(store)
    except StoreError as error:
        return str(error)
    finally:
        store.close()
    return ""


def _in_child(task: Callable[[], str], seconds: float) -> tuple[str, bool]:
    """What a task returns, from a process of its own, and whether it came to its end; else why not. The process that
    forks workers must not import an index's libraries, whose threads would not survive the fork, and must not hang."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, task().encode("utf-8", "replace")[:4000])
            os._exit(0)
        except BaseException as error:
            os.write(write, f"{type(error).__name__}: {error}".encode("utf-8", "replace")[:4000])
            os._exit(1)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        if not select.select([stream], [], [], seconds)[0]:
            os.kill(child, signal.SIGKILL)
        answered = stream.read().decode("utf-8", "replace")
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return answered or ("" if ended == 0 else f"no answer after {seconds:.0f} s"), ended == 0
