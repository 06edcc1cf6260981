"""The command line: a thin skin over the houses. It reads settings, prints, and sets the exit status.

Nothing heavy is imported before a command needs it, so that `botkit --help` is immediate.
"""

from __future__ import annotations

from pathlib import Path

import click

from botkit import __version__

from . import accounts, backup, building, deliveries, keys, measuring, serving

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
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
    accounts.user,
    keys.keys,
    deliveries.outbox,
    backup.backup,
    backup.restore,
):
    main.add_command(command)
