"""`botkit user ...`: the accounts of the team. Whoever may run it may do everything; the audit log says `console`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import shared

if TYPE_CHECKING:
    from botkit.store import Store

_NAME = click.argument("name")
_STDIN = click.option("--password-stdin", is_flag=True, help="read the password from standard input")
_TEMPORARY = click.option(
    "--temporary", is_flag=True, help="print a random password that must be changed at the first sign-in"
)


@click.group()
def user() -> None:
    """Accounts of the team."""


@user.command("add")
@_NAME
@click.option("--role", default="agent", show_default=True, help="agent, supervisor, editor, analyst or admin")
@_STDIN
@_TEMPORARY
@click.option("--if-missing", is_flag=True, help="do nothing when there is an account of that name")
@shared.DATABASE
@click.pass_obj
def add(
    file: Path | None,
    name: str,
    role: str,
    password_stdin: bool,
    temporary: bool,
    if_missing: bool,
    database: str | None,
) -> None:
    """Make an account."""
    with _store(file, database) as store, shared.told():
        from botkit import people

        if if_missing and name.casefold() in {agent.name.casefold() for agent in people.agents(store)}:
            return
        password = _given(password_stdin, temporary)
        people.add_agent(store, name, role, password, temporary=temporary)
    click.echo(f"added {name} ({role})" + (f"\npassword: {password}" if temporary else ""))


@user.command("list")
@shared.DATABASE
@click.pass_obj
def list_(file: Path | None, database: str | None) -> None:
    """List the accounts."""
    with _store(file, database) as store, shared.told():
        from botkit import people

        locked = people.locked(store)
        for agent in people.agents(store):
            marks = {
                "disabled": agent.disabled,
                "locked": agent.name in locked,
                "temporary password": agent.must_change,
                "second factor": agent.second_factor,
            }
            click.echo(f"{agent.name}\t{agent.role}" + "".join(f"  {mark}" for mark, true in marks.items() if true))


@user.command("role")
@_NAME
@click.argument("role")
@shared.DATABASE
@click.pass_obj
def role(file: Path | None, name: str, role: str, database: str | None) -> None:
    """Give an account another role: agent, supervisor, editor, analyst or admin. Its open sessions end."""
    with _store(file, database) as store, shared.told():
        from botkit import people

        people.set_role(store, name, role)
    click.echo(f"{name} is {role}")


@user.command("password")
@_NAME
@_STDIN
@_TEMPORARY
@shared.DATABASE
@click.pass_obj
def password(file: Path | None, name: str, password_stdin: bool, temporary: bool, database: str | None) -> None:
    """Give an account a new password; its open sessions end."""
    with _store(file, database) as store, shared.told():
        from botkit import people

        given = _given(password_stdin, temporary)
        people.set_password(store, name, given, temporary=temporary)
    click.echo(f"{name} has a new password" + (f": {given}" if temporary else ""))


@user.command("disable")
@_NAME
@shared.DATABASE
@click.pass_obj
def disable(file: Path | None, name: str, database: str | None) -> None:
    """Close an account; its sessions and tokens end at once."""
    with _store(file, database) as store, shared.told():
        from botkit import people

        people.disable(store, name)
    click.echo(f"{name} is disabled")


@user.command("enable")
@_NAME
@shared.DATABASE
@click.pass_obj
def enable(file: Path | None, name: str, database: str | None) -> None:
    """Open a closed account again, with its old password and tokens."""
    with _store(file, database) as store, shared.told():
        from botkit import people

        people.enable(store, name)
    click.echo(f"{name} is enabled")


@user.command("token")
@_NAME
@shared.DATABASE
@click.pass_obj
def token(file: Path | None, name: str, database: str | None) -> None:
    """Print a token for the desk API. It is shown this once."""
    with _store(file, database) as store, shared.told():
        from botkit import people

        click.echo(people.issue_token(store, name))


@user.command("revoke")
@_NAME
@shared.DATABASE
@click.pass_obj
def revoke(file: Path | None, name: str, database: str | None) -> None:
    """End all tokens of an account."""
    with _store(file, database) as store, shared.told():
        from botkit import people

        click.echo(f"{people.revoke_tokens(store, name)} tokens of {name} are revoked")


@user.command("unlock")
@_NAME
@shared.DATABASE
@click.pass_obj
def unlock(file: Path | None, name: str, database: str | None) -> None:
    """Forget wrong sign-ins, so that nobody has to wait for them any more."""
    with _store(file, database) as store, shared.told():
        from botkit import people

        click.echo(f"{name} is unlocked" if people.unlock(store, name) else f"{name} was not locked")


@user.command("second-factor")
@_NAME
@click.option("--off", is_flag=True, help="switch it off, when the phone and the recovery codes are lost")
@shared.DATABASE
@click.pass_obj
def second_factor(file: Path | None, name: str, off: bool, database: str | None) -> None:
    """Say whether an account has a second factor, or switch it off. Its owner switches it on, at /desk/account."""
    with _store(file, database) as store, shared.told():
        from botkit import people

        with store.read() as conn:
            found = people.agent_named(conn, name)
        if off or found is None:  # for an unknown name, its error
            found = people.factor_off(store, name)
    click.echo(f"the second factor of {found.name} is {'on' if found.second_factor else 'off'}")


def _store(file: Path | None, database: str | None) -> AbstractContextManager[Store]:
    return shared.store(shared.settings(file, database=database))


def _given(from_stdin: bool, temporary: bool) -> str:
    from botkit import people

    if temporary and from_stdin:
        raise click.UsageError("--temporary makes a password: leave --password-stdin out")
    return people.new_password() if temporary else shared.password(from_stdin)
