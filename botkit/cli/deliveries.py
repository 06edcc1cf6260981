"""`botkit outbox ...`: what waits to be delivered, and working it off outside the server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import shared

if TYPE_CHECKING:
    from botkit.config import Settings
    from botkit.outbox import Delivery


@click.group()
def outbox() -> None:
    """Deliveries to other systems: webhooks."""


@outbox.command("run")
@click.option("--once", is_flag=True, help="end when nothing is due")
@shared.DATABASE
@click.pass_obj
def run(file: Path | None, once: bool, database: str | None) -> None:
    """Deliver what is due, as the server does too; any number of these may run."""
    settings = shared.settings(file, database=database)
    taken = senders(settings)
    if not taken:
        raise click.ClickException("nothing to deliver to. Set webhook_url and webhook_secret.")
    with shared.store(settings) as store, shared.told():
        from botkit import outbox as box

        box.kinds(store, taken)
        if not once:
            box.Worker(store, taken).run()
            return
        done = 0
        while box.work(store, taken):
            done += 1
        click.echo(f"{done} tried, {len(box.deliveries(store, 'waiting', 10_000))} waiting", err=True)


@outbox.command("list")
@click.option("--state", type=click.Choice(["waiting", "delivered", "given_up"]), help="only these")
@click.option(
    "--limit", type=click.IntRange(1, 10**6), default=100, show_default=True, help="how many, newest first"
)
@click.option("--json", "as_json", is_flag=True, help="print JSON lines with what is sent")
@shared.DATABASE
@click.pass_obj
def list_(file: Path | None, state: str | None, limit: int, as_json: bool, database: str | None) -> None:
    """List deliveries, newest first: number, state, message id, tries, what it is, and why the last try failed."""
    with shared.store(shared.settings(file, database=database)) as store, shared.told():
        from botkit import outbox as box

        for each in box.deliveries(store, state, limit):
            if as_json:
                click.echo(json.dumps(each.as_dict(), ensure_ascii=False))
                continue
            what = each.payload.get("type") or each.kind
            line = f"{each.id}\t{each.state}\t{each.message_id}\t{each.tries} tries\t{what}"
            click.echo(line + (f"\t{each.reason}" if each.reason else ""))


@outbox.command("retry")
@click.argument("numbers", nargs=-1, type=click.IntRange(1, 2**31 - 1))
@click.option("--all", "everything", is_flag=True, help="everything that was given up")
@shared.DATABASE
@click.pass_obj
def retry(file: Path | None, numbers: tuple[int, ...], everything: bool, database: str | None) -> None:
    """Try again what was given up: by the NUMBERS that `botkit outbox list` prints, or --all."""
    if bool(numbers) == everything:
        raise click.UsageError("give either numbers or --all")
    with shared.store(shared.settings(file, database=database)) as store, shared.told():
        from botkit import accounts
        from botkit import outbox as box

        count = box.retry(store, None if everything else numbers)
        with store.write() as conn:
            accounts.audit(store, conn, None, "outbox.retried", count=count)
    click.echo(f"{count} will be tried again")


@outbox.command("secret")
def secret() -> None:
    """Print a fresh secret for `webhook_secret`. Give it to the receiver too."""
    from botkit.outbox import webhooks

    click.echo(webhooks.new_secret())


def senders(settings: Settings) -> dict[str, Callable[[Delivery], None]]:
    """Who delivers what, by the settings."""
    if not settings.webhook_url:
        return {}
    from botkit.outbox import webhooks

    allowed = tuple(settings.webhook_allow.replace(",", " ").split())
    try:
        return {webhooks.KIND: webhooks.Webhook(settings.webhook_url, settings.webhook_secret, allowed)}
    except webhooks.WebhookError as error:
        raise click.ClickException(str(error)) from error
