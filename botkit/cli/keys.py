"""`botkit keys ...`: the file of keys beside the database."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from . import shared


@click.group()
def keys() -> None:
    """The keys that are kept out of the database."""


@keys.command("rotate")
@shared.DATABASE
@click.pass_obj
def rotate(file: Path | None, database: str | None) -> None:
    """Make a new key, encrypt second factors with it, and retire the old one. Running servers take it up."""
    settings = shared.settings(file, database=database)
    with shared.store(settings) as store, shared.told():
        from botkit import accounts

        count = accounts.rotate_keys(store, timedelta(hours=settings.session_hours))
        click.echo(
            f"{store.key_file.path} has a new key; {count} second factors are encrypted with it, the old key ends in "
            f"{settings.session_hours} h. Back the file up again."
        )


@keys.command("reset")
@click.option("--yes", is_flag=True, help="do not ask")
@shared.DATABASE
@click.pass_obj
def reset(file: Path | None, yes: bool, database: str | None) -> None:
    """Go on without the right key file, when it is lost: all second factors are switched off."""
    settings = shared.settings(file, database=database)
    with shared.store(settings) as store, shared.told():
        from botkit import accounts

        if not yes:
            click.confirm("Switch off the second factors of all accounts?", abort=True)
        count = accounts.reset_keys(store)
        click.echo(f"{store.key_file.path} is in use; {count} second factors are switched off: set them up again")
