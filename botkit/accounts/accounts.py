"""Agents' accounts: names, roles, passwords and rights, and the tokens of customers' conversations.

agent        id | name | key: the name as compared | role | password_hash | stamp: counts changes
             added_at | disabled_at
             password_until: set while the password is one that somebody else gave; it opens nothing after that
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit.accounts import login_throttle
from botkit.accounts.audit import audit, audited
from botkit.accounts.model import ROLES, AccountError, Agent
from botkit.accounts.names import alike, checked_name, key_of
from botkit.accounts.passwords import decoy, hashed, verified
from botkit.store import Store, agent_session_table, agent_table, agent_token_table, exclusive, second_factor_table

TEMPORARY: Final = timedelta(days=3)
"""How long a password opens an account that was given by somebody else; its owner changes it at the first sign-in."""


def add_agent(
    store: Store,
    name: str,
    role: str,
    password: str,
    *,
    temporary: bool = False,
    shop: Iterable[str] = (),
    by: Agent | None = None,
) -> Agent:
    """Make an account. Names are compared without regard to case, and none may be taken for another's. `temporary`: the
    password must be changed at the first sign-in, within three days. `shop`: names that are no password here. `by` is
    who did it; None is the command line, here and below."""
    name = checked_name(name)
    _check_role(role)
    digest = hashed(password, (name, *shop))
    with store.write() as conn:
        exclusive(conn, 6274913)
        if by is not None:
            require_unchanged(conn, by)
        if _row(conn, agent_table.c.key == key_of(name)) is not None:
            raise AccountError("name_taken", f"there is already somebody called {name!r}: choose another name")
        taken = [each for each in conn.execute(sa.select(agent_table.c.name)).scalars() if alike(each, name)]
        if taken:
            raise AccountError("looks_alike", f"{name!r} would be taken for {taken[0]!r}: choose another name")
        conn.execute(
            agent_table.insert().values(
                name=name,
                key=key_of(name),
                role=role,
                password_hash=digest,
                stamp=1,
                added_at=store.now(),
                password_until=store.now() + TEMPORARY if temporary else None,
            )
        )
        audit(store, conn, by, "account.added", f"agent:{name}", role=role)
        return required(conn, name)


def authenticate(store: Store, name: str, password: str) -> Agent | None:
    """The agent, if name and password are right and the account is open. An unknown name takes the same work."""
    with store.read() as conn:
        row = _row(conn, agent_table.c.key == key_of(name))
    right = verified(decoy() if row is None else row.password_hash, password)
    if row is None or not right or row.disabled_at is not None:
        return None
    if row.password_until is not None and row.password_until < store.now():
        return None
    return as_agent(row)


def sign_in(store: Store, name: str, password: str, address: str, device: str = "") -> Agent | None:
    """`authenticate` for an endpoint that anybody can reach: tries are counted, and both ends are written to the audit
    log. TooManyGuesses when no try is taken. With a second factor, the sign-in ends with `sign_in_with_code`. `device`
    is a random text that the browser keeps, if it has one."""
    return _counted(store, name, password, address, device, "sign_in")


def confirm(store: Store, agent: Agent, password: str, address: str, device: str = "") -> bool:
    """Whether an agent who is signed in knows the password, before something grave; counted like a sign-in."""
    return _counted(store, agent.name, password, address, device, None) is not None


def known_here(store: Store, name: str, address: str, device: str = "") -> bool:
    """Whether this name signed in from this address or device before: then its tries count for themselves alone."""
    return login_throttle.known(store, key_of(name), address, device)


def agent(store: Store, agent_id: int) -> Agent | None:
    """The agent with this id, closed accounts too."""
    with store.read() as conn:
        row = _row(conn, agent_table.c.id == agent_id)
    return None if row is None else as_agent(row)


def agent_named(conn: Connection, name: str) -> Agent | None:
    """The agent with this name, closed accounts too, seen from inside a transaction."""
    row = _row(conn, agent_table.c.key == key_of(name))
    return None if row is None else as_agent(row)


def agents(store: Store) -> list[Agent]:
    """Everybody with an account, by name, closed accounts too."""
    with store.read() as conn:
        return [as_agent(row) for row in conn.execute(SELECT.order_by(agent_table.c.key))]


def set_password(
    store: Store,
    name: str,
    password: str,
    *,
    temporary: bool = False,
    shop: Iterable[str] = (),
    by: Agent | None = None,
) -> Agent:
    """Give an agent a new password: sessions and tokens end, and wrong guesses are forgotten. Whoever chooses their own
    must take another than before: it may be one that somebody else gave."""
    digest, keys = hashed(password, (name, *shop)), store.keys
    if by is not None and key_of(by.name) == key_of(name):
        with store.read() as conn:
            row = _row(conn, agent_table.c.id == by.id)
        if row is not None and verified(row.password_hash, password):
            raise AccountError("same", "the new password is the present one: take another")
    until = store.now() + TEMPORARY if temporary else None
    with store.write() as conn:
        result = required(conn, name, by)
        login_throttle.forget(conn, keys, key_of(result.name))
        ended = end_all(store, conn, result), _drop_tokens(conn, result)
        audit(
            store,
            conn,
            by,
            "account.password",
            f"agent:{result.name}",
            temporary=temporary or None,
            sessions=ended[0] or None,
            tokens=ended[1] or None,
        )
        return changed(conn, result, password_hash=digest, password_until=until)


def set_role(store: Store, name: str, role: str, *, by: Agent | None = None) -> Agent:
    """Give an agent another role; sessions end."""
    _check_role(role)
    with store.write() as conn:
        result = required(conn, name, by)
        if result.role == role:
            return result
        ended = end_all(store, conn, result)
        target = f"agent:{result.name}"
        audit(store, conn, by, "account.role", target, before=result.role, role=role, sessions=ended or None)
        return changed(conn, result, role=role)


def disable(store: Store, name: str, *, by: Agent | None = None) -> Agent:
    """Close an account: its sessions and tokens end and no password opens it. What it wrote stays."""
    with store.write() as conn:
        result = required(conn, name, by)
        ended = end_all(store, conn, result), _drop_tokens(conn, result)
        target = f"agent:{result.name}"
        audit(store, conn, by, "account.disabled", target, sessions=ended[0] or None, tokens=ended[1] or None)
        return changed(conn, result, disabled_at=store.now())


def enable(store: Store, name: str, *, by: Agent | None = None) -> Agent:
    """Open a closed account again, with its old password."""
    with store.write() as conn:
        result = required(conn, name, by)
        audit(store, conn, by, "account.enabled", f"agent:{result.name}")
        return changed(conn, result, disabled_at=None)


def end_sessions(store: Store, name: str, *, but: int | None = None, by: Agent | None = None) -> Agent:
    """Sign an agent out everywhere, but for one session if it is named; tokens stay."""
    with store.write() as conn:
        result = required(conn, name, by)
        ended = end_all(store, conn, result, but)
        audit(store, conn, by, "account.sessions_ended", f"agent:{result.name}", sessions=ended)
        return changed(conn, result)


def unlock(store: Store, name: str, *, by: Agent | None = None) -> bool:
    """Forget wrong guesses at an account, and let nobody's guesses at one address keep it out for an hour; whether
    anybody had to wait for them."""
    keys = store.keys
    with store.write() as conn:
        result = required(conn, name, by)
        audit(store, conn, by, "account.unlocked", f"agent:{result.name}")
        gone = login_throttle.forget(conn, keys, key_of(result.name))
        login_throttle.vouch(store, conn, keys, key_of(result.name))
        return gone > 0


def unlock_address(store: Store, address: str, *, by: Agent | None = None) -> bool:
    """Forget wrong guesses from an address, at any account; whether anybody there had to wait for them."""
    keys, names = store.keys, [key_of(each.name) for each in agents(store)]
    with store.write() as conn:
        audit(store, conn, by, "address.unlocked", "", address=address)
        return login_throttle.forget_address(conn, keys, address, names) > 0


@dataclass(frozen=True)
class Locks:
    """For whom one has to wait after wrong guesses, and how many seconds: accounts, somewhere or everywhere, and
    addresses."""

    names: dict[str, int]
    addresses: dict[str, int]


def locks(store: Store) -> Locks:
    """Who is locked now. Of addresses those are known that somebody guessed from in the last day."""
    keys, result = store.keys, {key_of(each.name): each.name for each in agents(store)}
    lines = audited(store, action="sign_in.failed", since=store.now() - timedelta(days=1), limit=2000)
    tried = {str(line.detail["address"]) for line in lines if "address" in line.detail}
    with store.read() as conn:
        names = login_throttle.locked(conn, keys, list(result), store.now())
        addresses = login_throttle.locked_addresses(conn, keys, sorted(tried), store.now())
    return Locks({result[key]: seconds for key, seconds in names.items()}, addresses)


def new_token() -> tuple[str, str]:
    """A token for a customer's conversation, and the hash to keep of it."""
    token = secrets.token_urlsafe(32)
    return token, sha256(token)


def matches(token: str, token_hash: str) -> bool:
    """Whether the hash is this token's; takes as long for a near miss as for a far one."""
    return hmac.compare_digest(sha256(token), token_hash)


def required(conn: Connection, name: str, by: Agent | None = None) -> Agent:
    """The agent with this name, whom nobody else changes until the transaction ends, or PeopleError: there is none, or
    `by`, who does it, is not any more who asked: another password or role, signed out, or closed."""
    mine = agent_table.c
    concerned = sa.or_(mine.key == key_of(name), mine.id == (by.id if by is not None else 0))
    # In one order, so that two who change each other wait and do not block; read after that, since a row that was
    # waited for is joined to what it had before.
    conn.execute(sa.select(mine.id).where(concerned).order_by(mine.id).with_for_update(key_share=True)).all()
    result = agent_named(conn, name)
    if by is not None:
        require_unchanged(conn, by)
    if result is None:
        raise AccountError("nobody", f"no account called {name!r}: see the name, or add them first")
    return result


def require_unchanged(conn: Connection, known: Agent) -> None:
    """PeopleError when the account is not as it was when it was read: what opened it may open it no more."""
    row = _row(conn, agent_table.c.id == known.id)
    if row is None or row.stamp != known.stamp or row.disabled_at is not None:
        raise AccountError("changed", f"the account of {known.name!r} was changed meanwhile: sign in again")


def changed(conn: Connection, found: Agent, **values: Any) -> Agent:
    """The agent with other values and another stamp, inside the caller's transaction."""
    conn.execute(
        agent_table.update().where(agent_table.c.id == found.id).values(stamp=agent_table.c.stamp + 1, **values)
    )
    return required(conn, found.name)


def end_all(store: Store, conn: Connection, found: Agent, but: int | None = None) -> int:
    """End all sessions of an agent, but for one; how many."""
    mine = agent_session_table.c
    return conn.execute(
        agent_session_table.update()
        .where(mine.agent_id == found.id, mine.ended_at.is_(None), mine.ends_at > store.now(), mine.id != (but or 0))
        .values(ended_at=store.now())
    ).rowcount


def _drop_tokens(conn: Connection, found: Agent) -> int:
    return conn.execute(agent_token_table.delete().where(agent_token_table.c.agent_id == found.id)).rowcount


def _counted(store: Store, name: str, password: str, address: str, device: str, told: str | None) -> Agent | None:
    guess = login_throttle.begin(store, key_of(name), address, device)
    result = authenticate(store, name, password)
    with store.write() as conn:
        if result is None:
            known = agent_named(conn, name)
            target = f"agent:{known.name}" if known else ""  # an unknown name may be a password in the wrong field
            wait = login_throttle.waits(store, conn, guess)
            audit(store, conn, "system", "sign_in.failed", target, address=address, wait=wait or None)
            return None
        login_throttle.succeeded(store, conn, guess)
        if told is not None and not result.second_factor:
            audit(store, conn, result, told, address=address)
        return result


SELECT: Final = sa.select(agent_table, second_factor_table.c.confirmed_at.label("factor_at")).outerjoin(
    second_factor_table, second_factor_table.c.agent_id == agent_table.c.id
)


def _row(conn: Connection, where: sa.ColumnElement[bool]) -> sa.Row[Any] | None:
    return conn.execute(SELECT.where(where)).one_or_none()


def as_agent(row: sa.Row[Any]) -> Agent:
    """The agent in a row of SELECT."""
    return Agent(
        row.id,
        row.name,
        row.role,
        row.stamp,
        row.disabled_at is not None,
        must_change=row.password_until is not None,
        second_factor=row.factor_at is not None,
    )


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise AccountError("no_role", f"no such role {role!r}: expected one of {', '.join(ROLES)}")


def sha256(text: str) -> str:
    """How a token is kept."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
