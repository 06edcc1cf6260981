"""Agents' accounts: names, roles, passwords and tokens, and the tokens of customers' conversations.

agent        id | name | key: the name as compared | role | password_hash | stamp | added_at | disabled_at
             password_until: set while the password is one that somebody else gave; it opens nothing after that
agent_token  hash: SHA-256 of the token | agent_id -> agent | issued_at
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
import secrets
import threading
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.engine import Connection

from botkit.people import guesses
from botkit.people.trail import audit
from botkit.store import Store, agent_table, agent_token_table, second_factor_table

ROLES: Final = ("agent", "supervisor", "editor", "analyst", "admin")
SHORTEST_PASSWORD: Final = 8
LONGEST_PASSWORD: Final = 256

TEMPORARY: Final = timedelta(days=3)
"""How long a password opens an account that was given by somebody else; its owner changes it at the first sign-in."""

MAY: Final = {
    "desk": ("agent", "supervisor", "admin"),  # see the queue, claim, write, close
    "overrule": ("supervisor", "admin"),  # release, transfer or close what another agent holds
    "overview": ("supervisor", "analyst", "admin"),  # see the whole desk at a glance; what customers wrote is not in it
    "report": ("supervisor", "editor", "analyst", "admin"),
    "audit": ("supervisor", "admin"),  # read who did and saw what
    "people": ("admin",),  # accounts, and what waits to be delivered
}
"""What each role may; the page of accounts and docs/agents.md show this table."""

_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another
_NAME = re.compile(r"[^\W_][\w.@+ -]{0,62}[^\W_]|[^\W_]")
# 19 MiB and two passes, OWASP's floor: the library's default takes 64 MiB for each of the sign-ins under way.
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
AT_ONCE: Final = 4
_turns = threading.BoundedSemaphore(AT_ONCE)
"""Passwords of a process that are checked at the same time; the others wait for some hundredths of a second."""


class PeopleError(Exception):
    """An account cannot be made or changed like this; the text says why and what to do. `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Agent:
    """A member of the team. `stamp` changes with the password and when the account is closed: a session that was
    begun under another stamp is over. `must_change`: the password was given by somebody else."""

    id: int
    name: str
    role: str
    stamp: int
    disabled: bool
    must_change: bool = False
    second_factor: bool = False

    def may(self, what: str) -> bool:
        """Whether the role allows `desk`, `overrule` or another right of MAY; a closed account may nothing."""
        return not self.disabled and self.role in MAY[what]


def add_agent(
    store: Store, name: str, role: str, password: str, *, temporary: bool = False, by: Agent | None = None
) -> Agent:
    """Make an account. Names are compared without regard to case. `temporary`: the password must be changed at the
    first sign-in, within three days. `by` is who did it; None is the command line, here and below."""
    name = _checked_name(name)
    _check_role(role)
    digest = hashed(password)
    with store.write() as conn:
        if _row(conn, agent_table.c.key == key_of(name)) is not None:
            raise PeopleError("name_taken", f"there is already somebody called {name!r}: choose another name")
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
    known = row.password_hash if row is not None else _decoy()
    right = len(password) <= LONGEST_PASSWORD and _verified(known, password)
    if row is None or not right or row.disabled_at is not None:
        return None
    if row.password_until is not None and row.password_until < store.now():
        return None
    return _agent(row)


def sign_in(store: Store, name: str, password: str, address: str) -> Agent | None:
    """`authenticate` for a door that anybody can knock at: tries are counted, and both ends are written to the audit
    log. TooManyGuesses when no try is taken. With a second factor, the sign-in ends with `sign_in_with_code`."""
    return _counted(store, name, password, address, "sign_in")


def confirm(store: Store, agent: Agent, password: str, address: str) -> bool:
    """Whether an agent who is signed in knows the password, before something grave; counted like a sign-in."""
    return _counted(store, agent.name, password, address, None) is not None


def new_password() -> str:
    """A password to give to somebody: a hundred random bits that are easily typed."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


def agent(store: Store, agent_id: int) -> Agent | None:
    """The agent with this id, closed accounts too."""
    with store.read() as conn:
        row = _row(conn, agent_table.c.id == agent_id)
    return None if row is None else _agent(row)


def agent_named(conn: Connection, name: str) -> Agent | None:
    """The agent with this name, closed accounts too, seen from inside a transaction."""
    row = _row(conn, agent_table.c.key == key_of(name))
    return None if row is None else _agent(row)


def agents(store: Store) -> list[Agent]:
    """Everybody with an account, by name, closed accounts too."""
    with store.read() as conn:
        return [_agent(row) for row in conn.execute(_SELECT.order_by(agent_table.c.key))]


def set_password(store: Store, name: str, password: str, *, temporary: bool = False, by: Agent | None = None) -> Agent:
    """Give an agent a new password; sessions begun with the old one are over and wrong guesses are forgotten."""
    digest, keys = hashed(password), store.keys
    until = store.now() + TEMPORARY if temporary else None
    with store.write() as conn:
        found = required(conn, name)
        guesses.forget(conn, keys, key_of(found.name))
        audit(store, conn, by, "account.password", f"agent:{found.name}", temporary=temporary or None)
        return _changed(conn, found, password_hash=digest, password_until=until)


def set_role(store: Store, name: str, role: str, *, by: Agent | None = None) -> Agent:
    """Give an agent another role; sessions begun in the old one are over."""
    _check_role(role)
    with store.write() as conn:
        found = required(conn, name)
        if found.role == role:
            return found
        audit(store, conn, by, "account.role", f"agent:{found.name}", before=found.role, role=role)
        return _changed(conn, found, role=role)


def disable(store: Store, name: str, *, by: Agent | None = None) -> Agent:
    """Close an account: no password, token or session of it works from now on. What it wrote stays."""
    with store.write() as conn:
        found = required(conn, name)
        audit(store, conn, by, "account.disabled", f"agent:{found.name}")
        return _changed(conn, found, disabled_at=store.now())


def enable(store: Store, name: str, *, by: Agent | None = None) -> Agent:
    """Open a closed account again, with its old password and tokens."""
    with store.write() as conn:
        found = required(conn, name)
        audit(store, conn, by, "account.enabled", f"agent:{found.name}")
        return _changed(conn, found, disabled_at=None)


def end_sessions(store: Store, name: str, *, by: Agent | None = None) -> Agent:
    """Sign an agent out everywhere; tokens stay."""
    with store.write() as conn:
        found = required(conn, name)
        audit(store, conn, by, "account.sessions_ended", f"agent:{found.name}")
        return _changed(conn, found)


def unlock(store: Store, name: str, *, by: Agent | None = None) -> bool:
    """Forget wrong guesses at an account; whether anybody had to wait for them."""
    keys = store.keys
    with store.write() as conn:
        found = required(conn, name)
        audit(store, conn, by, "account.unlocked", f"agent:{found.name}")
        return guesses.forget(conn, keys, key_of(found.name)) > 0


def locked(store: Store) -> set[str]:
    """The names of accounts for which somebody has to wait after wrong guesses, somewhere or everywhere."""
    keys, found = store.keys, {key_of(each.name): each.name for each in agents(store)}
    with store.read() as conn:
        return {found[key] for key in guesses.locked(conn, keys, list(found), store.now())}


def issue_token(store: Store, name: str, *, by: Agent | None = None) -> str:
    """A new token for the desk's HTTP interface. It is told this once; only its hash is kept."""
    token = "bk_" + secrets.token_urlsafe(32)
    with store.write() as conn:
        owner = required(conn, name)
        if owner.disabled:
            raise PeopleError(
                "closed", f"the account of {owner.name!r} is closed: open it again before giving it a token"
            )
        conn.execute(
            agent_token_table.insert().values(
                hash=sha256(token),
                agent_id=owner.id,
                name="",
                scope="full",
                prefix=token[:8],
                issued_at=store.now(),
                expires_at=store.now() + timedelta(days=365),
            )
        )
        audit(store, conn, by, "token.issued", f"agent:{owner.name}")
    return token


def revoke_tokens(store: Store, name: str, *, by: Agent | None = None) -> int:
    """End all tokens of an agent; how many there were."""
    with store.write() as conn:
        owner = required(conn, name)
        gone = conn.execute(agent_token_table.delete().where(agent_token_table.c.agent_id == owner.id)).rowcount
        audit(store, conn, by, "token.revoked", f"agent:{owner.name}", tokens=gone)
        return gone


def tokens(store: Store, agent: Agent) -> list[datetime]:
    """When each of an agent's tokens was issued, newest first."""
    mine = agent_token_table.c
    with store.read() as conn:
        rows = conn.execute(sa.select(mine.issued_at).where(mine.agent_id == agent.id).order_by(mine.issued_at.desc()))
        return [row.issued_at for row in rows]


def agent_by_token(store: Store, token: str) -> Agent | None:
    """The agent whose token this is, if the account is open."""
    with store.read() as conn:
        row = conn.execute(
            _SELECT.join(agent_token_table, agent_token_table.c.agent_id == agent_table.c.id).where(
                agent_token_table.c.hash == sha256(token), agent_table.c.disabled_at.is_(None)
            )
        ).one_or_none()
    return None if row is None else _agent(row)


def new_token() -> tuple[str, str]:
    """A token for a customer's conversation, and the hash to keep of it."""
    token = secrets.token_urlsafe(32)
    return token, sha256(token)


def matches(token: str, token_hash: str) -> bool:
    """Whether the hash is this token's; takes as long for a near miss as for a far one."""
    return hmac.compare_digest(sha256(token), token_hash)


def required(conn: Connection, name: str) -> Agent:
    """The agent with this name, or PeopleError."""
    found = agent_named(conn, name)
    if found is None:
        raise PeopleError("nobody", f"there is nobody called {name!r}: see the name, or add them first")
    return found


def _changed(conn: Connection, found: Agent, **values: Any) -> Agent:
    """The agent with other values and another stamp, which ends all sessions."""
    conn.execute(
        agent_table.update().where(agent_table.c.id == found.id).values(stamp=agent_table.c.stamp + 1, **values)
    )
    return required(conn, found.name)


def _counted(store: Store, name: str, password: str, address: str, told: str | None) -> Agent | None:
    guess = guesses.begin(store, key_of(name), address)
    found = authenticate(store, name, password)
    with store.write() as conn:
        if found is None:
            known = agent_named(conn, name)
            target = f"agent:{known.name}" if known else ""  # an unknown name may be a password in the wrong field
            wait = guesses.waits(store, conn, guess)
            audit(store, conn, "system", "sign_in.failed", target, address=address, wait=wait or None)
            return None
        guesses.succeeded(store, conn, guess)
        if told is not None and not found.second_factor:
            audit(store, conn, found, told, address=address)
        return found


_SELECT: Final = sa.select(agent_table, second_factor_table.c.confirmed_at.label("factor_at")).outerjoin(
    second_factor_table, second_factor_table.c.agent_id == agent_table.c.id
)


def _row(conn: Connection, where: sa.ColumnElement[bool]) -> sa.Row[Any] | None:
    return conn.execute(_SELECT.where(where)).one_or_none()


def _agent(row: sa.Row[Any]) -> Agent:
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
        raise PeopleError("no_role", f"there is no role {role!r}: choose one of {', '.join(ROLES)}")


def _checked_name(name: str) -> str:
    name = unicodedata.normalize("NFKC", name).strip()
    if not _NAME.fullmatch(name):
        raise PeopleError(
            "bad_name",
            f"{name[:80]!r} cannot be a name: use up to 64 letters, digits, blanks and . _ - + @, "
            "beginning and ending with a letter or digit",
        )
    return name


def key_of(name: str) -> str:
    """A name as it is compared."""
    # İ and I of a Turkish keyboard are one letter here: a name must not differ by the dot alone.
    folded = unicodedata.normalize("NFKC", name).strip().casefold().replace("i\u0307", "i").replace("ı", "i")
    return "".join(char for char in folded if char.isprintable())[:64]


def hashed(password: str) -> str:
    """How a password is kept; PeopleError when it is too short or too long."""
    if len(password) < SHORTEST_PASSWORD:
        raise PeopleError(
            "short",
            f"the password has {len(password)} characters: take at least {SHORTEST_PASSWORD}, a few words are best",
        )
    if len(password) > LONGEST_PASSWORD:
        raise PeopleError("long", f"the password has {len(password)} characters: take at most {LONGEST_PASSWORD}")
    return _hasher.hash(_bytes(password))


def _verified(digest: str, password: str) -> bool:
    try:
        with _turns:
            return _hasher.verify(digest, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


# What no keyboard can type, a lone surrogate, may still come over HTTP.
def _bytes(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


@functools.lru_cache(maxsize=1)
def _decoy() -> str:
    return _hasher.hash(secrets.token_bytes(16))


def sha256(text: str) -> str:
    """How a token is kept."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
