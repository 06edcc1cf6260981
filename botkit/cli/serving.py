"""`botkit serve`: the server, from settings to its worker processes."""

from __future__ import annotations

import os
import re
import select
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import deliveries, shared

if TYPE_CHECKING:
    from botkit.config import Settings
    from botkit.desk import Policy
    from botkit.store import Store

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
    senders = deliveries.senders(settings)
    roles = settings.second_factor_roles.replace(",", " ").split()
    from botkit import outbox, people
    from botkit.store import KeysError, Store, StoreError

    if unknown := [role for role in roles if role not in people.ROLES]:
        known = ", ".join(people.ROLES)
        raise click.ClickException(f"second_factor_roles: there is no role {unknown[0]!r}: name some of {known}")
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
    if looked and problem:
        raise click.ClickException(problem)
    # Once, here, where it can be done: else each worker does it as soon as the database lets it.
    away, _ = _in_child(lambda: _prepared(settings, prepare), CHECK)
    if away:
        click.echo(f"Warning: without the database until it can be used; it is tried again: {away}", err=True)
    from botkit import server
    from botkit.server import run

    rates, policy = server.Rates(), _policy(settings)

    def factory() -> Any:
        from botkit.index import Live

        store = Store(settings.database, keys=settings.keys, prepare=prepare if away else None)
        if senders:
            outbox.Worker(store, senders).start()
        return server.create_app(
            index=Live(settings.index, swapped=run.settle),
            store=store,
            rates=rates,
            base_url=settings.base_url,
            embed_origins=[o for o in settings.embed_origins.replace(",", " ").split() if o],
            trusted_proxies=settings.trusted_proxies,
            requests_per_minute=settings.requests_per_minute,
            rate_per_minute=settings.rate_per_minute,
            rate_burst=settings.rate_burst,
            encoder_seconds=settings.encoder_seconds,
            conversations_per_hour=settings.conversations_per_hour,
            messages_per_hour=settings.messages_per_hour,
            kilobytes_per_hour=settings.kilobytes_per_hour,
            logins_per_minute=settings.logins_per_minute,
            metrics_token=settings.metrics_token,
            answer_threshold=settings.answer_threshold,
            clarify_threshold=settings.clarify_threshold,
            second_factor_roles=roles,
            session_hours=settings.session_hours,
            session_idle_minutes=settings.session_idle_minutes,
            desk_rate_per_minute=settings.desk_rate_per_minute,
            token_days=settings.token_days,
            policy=policy,
            streams=settings.streams,
            streams_per_address=min(settings.streams_per_address, settings.streams // 2),  # never all
        )

    base = settings.base_url or f"http://{settings.host}:{settings.port}"
    click.echo(f"demo shop    {base}/demo\nhelp centre  {base}/help\ndesk         {base}/desk", err=True)
    per_address = 0 if settings.trusted_proxies else settings.connections_per_address
    run.run(factory, settings.host, settings.port, settings.workers, settings.threads, settings.streams, per_address)


def _policy(settings: Settings) -> Policy:
    """The desk's rules, of the settings."""
    from botkit.desk import Policy

    points = {}
    for part in settings.priority_tags.split(","):
        tag, _, number = part.partition("=")
        if not part.strip():
            continue
        if not re.fullmatch(r"\s*-?\d{1,3}\s*", number):
            raise click.ClickException(f"priority_tags: {part.strip()!r} is none: write them like vip=30, wholesale=15")
        points[tag.strip().casefold()] = int(number)
    return Policy(
        offer_seconds=settings.offer_seconds,
        reopen_minutes=settings.reopen_minutes,
        pending_hours=settings.pending_hours,
        unattended_minutes=settings.unattended_minutes,
        high=settings.high_priority,
        live_reply=settings.live_reply_seconds,
        live_reply_high=settings.live_reply_high_seconds,
        mail_reply=settings.mail_reply_seconds,
        mail_reply_high=settings.mail_reply_high_seconds,
        points=points,
    )


def _no_index(folder: str) -> str:
    """Why there is nothing at all to serve; a damaged version is no reason: it may be mended while the server runs."""
    from botkit.index import IndexProblem, offered

    try:
        offered(Path(folder))
    except IndexProblem as error:
        return str(error)
    return ""


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
        said = stream.read().decode("utf-8", "replace")
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return said or ("" if ended == 0 else f"no answer after {seconds:.0f} s"), ended == 0
