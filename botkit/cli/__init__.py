"""The command line: a thin layer over the packages. It reads settings, prints, and sets the exit status.

Nothing heavy is imported before a command needs it, so that `botkit --help` is immediate.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from botkit import __version__

from . import accounts, backup, building, deliveries, keys, measuring, serving

__all__ = ["main"]


class _Commands(click.Group):
    """The commands, none of which ends with a traceback for what lies on the disk or was typed."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except UnicodeEncodeError:
            raise click.ClickException("an argument, or a name on the disk, is not UTF-8. Write it in UTF-8.") from None
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            result = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            raise click.ClickException(f"{result}. See that it is there and may be used.") from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="botkit")
@click.option(
    "--config", "file", type=click.Path(dir_okay=False, path_type=Path), help="settings file; default: botkit.toml"
)
@click.pass_context
def main(context: click.Context, file: Path | None) -> None:
    """Answer customers from an editor's markdown, and hand over to a person when not sure."""
    context.obj = file


for command in (
    building.check,
    building.index,
    building.ask,
    measuring.evaluate,
    measuring.judge,
    measuring.report,
    measuring.labels,
    serving.serve,
    serving.demo,
    accounts.user,
    keys.keys,
    deliveries.outbox,
    backup.backup,
    backup.restore,
):
    main.add_command(command)
