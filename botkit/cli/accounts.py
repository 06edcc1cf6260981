"""`botkit user ...`: the accounts of the team. Whoever may run it may do everything; the audit log says `console`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import shared

if TYPE_CHECKING:
    from botkit.accounts import Agent
    from botkit.store import Store

_NAME = click.argument("name")
_NUMBER = click.IntRange(1, 2**31 - 1)
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
        from botkit import accounts

        if if_missing and _known(store, name) is not None:
            return
        password = _given(password_stdin, temporary)
        accounts.add_agent(store, name, role, password, temporary=temporary)
    click.echo(f"added {name} ({role})" + (f"\npassword: {password}" if temporary else ""))


@user.command("list")
@shared.DATABASE
@click.pass_obj
def list_(file: Path | None, database: str | None) -> None:
    """List the accounts."""
    with _store(file, database) as store, shared.told():
        from botkit import accounts

        locked = accounts.locks(store)
        for agent in accounts.agents(store):
            marks = {
                "disabled": agent.disabled,
                f"locked for {locked.names.get(agent.name)} s": agent.name in locked.names,
                "temporary password": agent.must_change,
                "second factor": agent.second_factor,
            }
            click.echo(f"{agent.name}\t{agent.role}" + "".join(f"  {mark}" for mark, true in marks.items() if true))
        for address, seconds in locked.addresses.items():
            click.echo(f"the address {address} is locked for {seconds} s: botkit user unlock --address {address}")


@user.command("role")
@_NAME
@click.argument("role")
@shared.DATABASE
@click.pass_obj
def role(file: Path | None, name: str, role: str, database: str | None) -> None:
    """Give an account another role: agent, supervisor, editor, analyst or admin. Its sessions end."""
    with _store(file, database) as store, shared.told():
        from botkit import accounts

        accounts.set_role(store, name, role)
    click.echo(f"{name} is {role}")


@user.command("password")
@_NAME
@_STDIN
@_TEMPORARY
@shared.DATABASE
@click.pass_obj
def password(file: Path | None, name: str, password_stdin: bool, temporary: bool, database: str | None) -> None:
    """Give an account a new password; its sessions and tokens end."""
    with _store(file, database) as store, shared.told():
        from botkit import accounts

        value = _given(password_stdin, temporary)
        accounts.set_password(store, name, value, temporary=temporary)
    click.echo(f"{name} has a new password" + (f": {value}" if temporary else ""))


@user.command("disable")
@_NAME
@shared.DATABASE
@click.pass_obj
def disable(file: Path | None, name: str, database: str | None) -> None:
    """Close an account; its sessions and tokens end at once."""
    with _store(file, database) as store, shared.told():
        from botkit import accounts

        accounts.disable(store, name)
    click.echo(f"{name} is disabled")


@user.command("enable")
@_NAME
@shared.DATABASE
@click.pass_obj
def enable(file: Path | None, name: str, database: str | None) -> None:
    """Open a closed account again, with its old password."""
    with _store(file, database) as store, shared.told():
        from botkit import accounts

        accounts.enable(store, name)
    click.echo(f"{name} is enabled")


@user.command("token")
@_NAME
@click.option("--name", "label", default="", help="what it is for, to be known by")
@click.option("--scope", default="full", show_default=True, help="read, answer (and close), or full: all of the role")
@click.option("--days", type=int, help="how long it lasts; default: the setting token_days")
@shared.DATABASE
@click.pass_obj
def token(file: Path | None, name: str, label: str, scope: str, days: int | None, database: str | None) -> None:
    """Print a token for the desk API. It is shown this once."""
    lasts = shared.settings(file, database=database).token_days if days is None else days
    with _store(file, database) as store, shared.told():
        from botkit import accounts

        click.echo(accounts.issue_token(store, name, label=label, scope=scope, days=lasts))


@user.command("tokens")
@_NAME
@shared.DATABASE
@click.pass_obj
def tokens(file: Path | None, name: str, database: str | None) -> None:
    """List the tokens of an account: number, first letters, scope, last use, end and name."""
    with _store(file, database) as store, shared.told():
        from botkit import accounts
        from botkit.store import iso

        for each in accounts.tokens(store, _agent(store, name)):
            used = iso(each.used_at) if each.used_at else "never used"
            over = "over since" if each.expires_at <= store.now() else "until"
            start = f"{each.prefix}..." if each.prefix else "-"
            click.echo(f"{each.id}\t{start}\t{each.scope}\t{used}\t{over} {iso(each.expires_at)}\t{each.name}".rstrip())


@user.command("revoke")
@_NAME
@click.option("--token", "number", type=_NUMBER, help="only this one, by its number in `botkit user tokens`")
@shared.DATABASE
@click.pass_obj
def revoke(file: Path | None, name: str, number: int | None, database: str | None) -> None:
    """End all tokens of an account, or one of them."""
    with _store(file, database) as store, shared.told():
        from botkit import accounts

        if number is None:
            click.echo(f"{accounts.revoke_tokens(store, name)} tokens of {name} are revoked")
        elif accounts.revoke_token(store, _agent(store, name), number):
            click.echo(f"token {number} of {name} is revoked")
        else:
            raise click.ClickException(f"{name} has no token {number}: see `botkit user tokens {name}`")


@user.command("sessions")
@_NAME
@shared.DATABASE
@click.pass_obj
def sessions(file: Path | None, name: str, database: str | None) -> None:
    """List where an account is signed in: number, last use, end, browser."""
    settings = shared.settings(file, database=database)
    with _store(file, database) as store, shared.told():
        from botkit import accounts
        from botkit.store import iso

        for each in accounts.sessions(store, _agent(store, name), timedelta(minutes=settings.session_idle_minutes)):
            where = " on ".join(filter(None, (each.browser, each.system))) or "unknown browser"
            click.echo(f"{each.id}\t{iso(each.seen_at)}\t{iso(each.ends_at)}\t{where}")


@user.command("sign-out")
@_NAME
@click.option("--session", "number", type=_NUMBER, help="only this one, by its number in `botkit user sessions`")
@shared.DATABASE
@click.pass_obj
def sign_out(file: Path | None, name: str, number: int | None, database: str | None) -> None:
    """Sign an account out everywhere, or in one browser. Tokens stay."""
    with _store(file, database) as store, shared.told():
        from botkit import accounts

        if number is None:
            accounts.end_sessions(store, name)
            click.echo(f"{name} is signed out everywhere")
        elif accounts.end_session(store, _agent(store, name), number):
            click.echo(f"session {number} of {name} is ended")
        else:
            raise click.ClickException(f"{name} has no session {number}: see `botkit user sessions {name}`")


@user.command("unlock")
@click.argument("name", required=False)
@click.option("--address", help="let this address try again, at all names")
@shared.DATABASE
@click.pass_obj
def unlock(file: Path | None, name: str | None, address: str | None, database: str | None) -> None:
    """Forget wrong sign-ins, at an account or from an address, so that nobody has to wait for them any more."""
    if (name is None) == (address is None):
        raise click.UsageError("give either NAME or --address ADDRESS")
    with _store(file, database) as store, shared.told():
        from botkit import accounts
        from botkit.server.http.addresses import of_one_customer

        if name is not None:
            click.echo(f"{name} is unlocked" if accounts.unlock(store, name) else f"{name} was not locked")
            return
        place = of_one_customer(str(address).partition("/")[0])  # with a /64 as `list` tells it, too
        if place == "unknown":
            raise click.ClickException(f"invalid address {address!r}: expected one like 192.0.2.7 or 2001:db8::7")
        locked = accounts.unlock_address(store, place)
        click.echo(f"{place} is unlocked" if locked else f"{place} was not locked")


@user.command("second-factor")
@_NAME
@click.option("--off", is_flag=True, help="switch it off, when the phone and the recovery codes are lost")
@shared.DATABASE
@click.pass_obj
def second_factor(file: Path | None, name: str, off: bool, database: str | None) -> None:
    """Say whether an account has a second factor, or switch it off. Its owner switches it on, at /desk/account."""
    with _store(file, database) as store, shared.told():
        from botkit import accounts

        result = _known(store, name)
        if off or result is None:  # for an unknown name, its error
            result = accounts.factor_off(store, name)
    click.echo(f"the second factor of {result.name} is {'on' if result.second_factor else 'off'}")


def _store(file: Path | None, database: str | None) -> AbstractContextManager[Store]:
    return shared.store(shared.settings(file, database=database))


def _known(store: Store, name: str) -> Agent | None:
    from botkit import accounts

    with store.read() as conn:
        return accounts.agent_named(conn, name)


def _agent(store: Store, name: str) -> Agent:
    result = _known(store, name)
    if result is None:
        raise click.ClickException(f"no account called {name!r}: see `botkit user list`")
    return result


def _given(from_stdin: bool, temporary: bool) -> str:
    from botkit import accounts

    if temporary and from_stdin:
        raise click.UsageError("--temporary makes a password: leave --password-stdin out")
    return accounts.new_password() if temporary else shared.password(from_stdin)
