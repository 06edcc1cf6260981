"""`botkit user ...`: the accounts of the team."""

from __future__ import annotations

from pathlib import Path

import click

from . import shared


@click.group()
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
    settings = shared.settings(file, database=database)
    with shared.store(settings.database) as store, shared.told():
        from botkit import people

        if if_missing and name.casefold() in {agent.name.casefold() for agent in people.agents(store)}:
            return
        people.add_agent(store, name, role, shared.password(password_stdin))
    click.echo(f"added {name} ({role})")


@user.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="read the password from standard input")
@click.option("--database", help="database URL; default: sqlite:///botkit.db")
@click.pass_obj
def user_password(file: Path | None, name: str, password_stdin: bool, database: str | None) -> None:
    """Give an account a new password; its open sessions end."""
    with shared.store(shared.settings(file, database=database).database) as store, shared.told():
        from botkit import people

        people.set_password(store, name, shared.password(password_stdin))
    click.echo(f"{name} has a new password")


@user.command("disable")
@click.argument("name")
@click.option("--database", help="database URL; default: sqlite:///botkit.db")
@click.pass_obj
def user_disable(file: Path | None, name: str, database: str | None) -> None:
    """Close an account; its sessions and tokens end at once."""
    with shared.store(shared.settings(file, database=database).database) as store, shared.told():
        from botkit import people

        people.disable(store, name)
    click.echo(f"{name} is disabled")


@user.command("token")
@click.argument("name")
@click.option("--database", help="database URL; default: sqlite:///botkit.db")
@click.pass_obj
def user_token(file: Path | None, name: str, database: str | None) -> None:
    """Print a token for the desk API. It is shown this once."""
    with shared.store(shared.settings(file, database=database).database) as store, shared.told():
        from botkit import people

        click.echo(people.issue_token(store, name))


@user.command("list")
@click.option("--database", help="database URL; default: sqlite:///botkit.db")
@click.pass_obj
def user_list(file: Path | None, database: str | None) -> None:
    """List the accounts."""
    with shared.store(shared.settings(file, database=database).database) as store, shared.told():
        from botkit import people

        for agent in people.agents(store):
            click.echo(f"{agent.name}\t{agent.role}{'  disabled' if agent.disabled else ''}")
