"""What the commands share: settings, an open store or index, times, passwords and how errors are told."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from botkit import config

if TYPE_CHECKING:
    from botkit.index import Index
    from botkit.store import Store


DATABASE = click.option("--database", help="database URL; default: sqlite:///botkit.db")


def settings(file: Path | None, **overrides: Any) -> config.Settings:
    try:
        return config.load(file, overrides=overrides)
    except config.ConfigError as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def told() -> Iterator[None]:
    """Let the errors that name a thing and its cure reach the user as they are."""
    from botkit.accounts import AccountError
    from botkit.build import TestsFailed
    from botkit.corpus import CorpusError
    from botkit.encoder import EncoderError
    from botkit.index import IndexProblem
    from botkit.store import StoreError

    try:
        yield
    except CorpusError as error:
        raise click.ClickException(f"the corpus cannot be read; what was published stays.\n{error}") from error
    except (EncoderError, IndexProblem, AccountError, StoreError, TestsFailed) as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def store(settings: config.Settings) -> Iterator[Store]:
    """The store that the settings name, with the keys that they name, migrated."""
    from botkit.store import Store, StoreError

    try:
        store = Store(settings.database, keys=settings.keys)
        store.migrate()
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    try:
        yield store
    finally:
        store.close()


def opened(folder: str) -> Index:
    if not folder:
        raise click.ClickException("no index is named. Give --index INDEXES/NAME, as built by `botkit index`.")
    with told():
        from botkit.index import Index

        return Index.open(folder)


def password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


@contextmanager
def written(out: Path) -> Iterator[None]:
    """Make the folder of a file that is to be written, and say what is in the way."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise click.ClickException(f"{out}: cannot be written: {error.strerror}. Choose another file.") from error


def time(name: str, text: str | None) -> Any:
    if text is None:
        return None
    from botkit.store import parse_time

    try:
        return parse_time(text)
    except ValueError as error:
        raise click.ClickException(f"--{name}: {error}") from error


def progress(doing: str = "embedding", what: str = "texts") -> Callable[[int, int], None]:
    """Tell how far something is: in place on a terminal, else a line at each tenth."""
    on_terminal, result = sys.stderr.isatty(), -1

    def show(done: int, total: int) -> None:
        nonlocal result
        if on_terminal:
            click.echo(f"\r{doing} {done} of {total} {what}" + ("\n" if done == total else ""), nl=False, err=True)
        elif 10 * done // total > result:
            result = 10 * done // total
            click.echo(f"{doing} {done} of {total} {what}", err=True)

    return show
