"""Who may do what: agents' accounts, roles, passwords and tokens, and the tokens of customers' conversations.

This house owns `agent` and `agent_token` and is their only writer. It keeps passwords as argon2 hashes and tokens as
their SHA-256, so that nothing in the database lets anyone in. It never knows a request, a cookie or a session.

    agent        id | name | key: the name as compared | role | password_hash | stamp | added_at | disabled_at
    agent_token  hash: SHA-256 of the token | agent_id -> agent | issued_at
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.engine import Connection

from botkit.store import Store, agent_table, agent_token_table

ROLES: Final = ("agent", "supervisor", "editor", "analyst", "admin")
SHORTEST_PASSWORD: Final = 8
LONGEST_PASSWORD: Final = 256

_MAY: Final = {
    "desk": {"agent", "supervisor", "admin"},  # see the queue, claim, write, close
    "overrule": {"supervisor", "admin"},  # release, transfer or close what another agent holds
    "report": {"supervisor", "editor", "analyst", "admin"},
    "people": {"admin"},
}
_NAME = re.compile(r"[^\W_][\w.@+ -]{0,62}[^\W_]|[^\W_]")
# 19 MiB and two passes, OWASP's floor: the library's default takes 64 MiB for each of the sign-ins under way.
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


class PeopleError(Exception):
    """An account cannot be made or changed like this; the text says why and what to do."""


@dataclass(frozen=True)
class Agent:
    """A member of the team. `stamp` changes with the password and when the account is closed: a session that was
    begun under another stamp is over."""

    id: int
    name: str
    role: str
    stamp: int
    disabled: bool

    def may(self, what: str) -> bool:
        """Whether the role allows `desk`, `overrule`, `report` or `people`; a closed account may nothing."""
        return not self.disabled and self.role in _MAY[what]


def add_agent(store: Store, name: str, role: str, password: str) -> Agent:
    """Make an account. Names are compared without regard to case."""
    name = _checked_name(name)
    if role not in ROLES:
        raise PeopleError(f"there is no role {role!r}: choose one of {', '.join(ROLES)}")
    digest = _hashed(password)
    with store.write() as conn:
        if _row(conn, agent_table.c.key == _key(name)) is not None:
            raise PeopleError(f"there is already somebody called {name!r}: choose another name")
        conn.execute(
            agent_table.insert().values(
                name=name,
                key=_key(name),
                role=role,
                password_hash=digest,
                stamp=1,
                added_at=store.now(),
            )
        )
        return _required(conn, name)


def authenticate(store: Store, name: str, password: str) -> Agent | None:
    """The agent, if name and password are right and the account is open. An unknown name takes the same work."""
    with store.read() as conn:
        row = _row(conn, agent_table.c.key == _key(name))
    known = row.password_hash if row is not None else _decoy()
    right = len(password) <= LONGEST_PASSWORD and _verified(known, password)
    if row is None or not right or row.disabled_at is not None:
        return None
    return _agent(row)


def agent(store: Store, agent_id: int) -> Agent | None:
    """The agent with this id, closed accounts too."""
    with store.read() as conn:
        row = _row(conn, agent_table.c.id == agent_id)
    return None if row is None else _agent(row)


def agent_named(conn: Connection, name: str) -> Agent | None:
    """The agent with this name, closed accounts too, seen from inside a transaction."""
    row = _row(conn, agent_table.c.key == _key(name))
    return None if row is None else _agent(row)


def agents(store: Store) -> list[Agent]:
    """Everybody with an account, by name, closed accounts too."""
    with store.read() as conn:
        return [_agent(row) for row in conn.execute(sa.select(agent_table).order_by(agent_table.c.key))]


def set_password(store: Store, name: str, password: str) -> Agent:
    """Give an agent a new password; sessions begun with the old one are over."""
    return _change(store, name, password_hash=_hashed(password))


def disable(store: Store, name: str) -> Agent:
    """Close an account: no password, token or session of it works from now on. What it wrote stays."""
    return _change(store, name, disabled_at=store.now())


def enable(store: Store, name: str) -> Agent:
    """Open a closed account again, with its old password and tokens."""
    return _change(store, name, disabled_at=None)


def issue_token(store: Store, name: str) -> str:
    """A new token for the desk's HTTP interface. It is told this once; only its hash is kept."""
    token = "bk_" + secrets.token_urlsafe(32)
    with store.write() as conn:
        owner = _required(conn, name)
        if owner.disabled:
            raise PeopleError(f"the account of {owner.name!r} is closed: open it again before giving it a token")
        conn.execute(agent_token_table.insert().values(hash=_sha256(token), agent_id=owner.id, issued_at=store.now()))
    return token


def revoke_tokens(store: Store, name: str) -> int:
    """End all tokens of an agent; how many there were."""
    with store.write() as conn:
        owner = _required(conn, name)
        return conn.execute(agent_token_table.delete().where(agent_token_table.c.agent_id == owner.id)).rowcount


def agent_by_token(store: Store, token: str) -> Agent | None:
    """The agent whose token this is, if the account is open."""
    with store.read() as conn:
        row = conn.execute(
            sa.select(agent_table)
            .join(agent_token_table, agent_token_table.c.agent_id == agent_table.c.id)
            .where(agent_token_table.c.hash == _sha256(token), agent_table.c.disabled_at.is_(None))
        ).one_or_none()
    return None if row is None else _agent(row)


def new_token() -> tuple[str, str]:
    """A token for a customer's conversation, and the hash to keep of it."""
    token = secrets.token_urlsafe(32)
    return token, _sha256(token)


def matches(token: str, token_hash: str) -> bool:
    """Whether the hash is this token's; takes as long for a near miss as for a far one."""
    return hmac.compare_digest(_sha256(token), token_hash)


def _change(store: Store, name: str, **values: Any) -> Agent:
    with store.write() as conn:
        found = _required(conn, name)
        conn.execute(
            agent_table.update().where(agent_table.c.id == found.id).values(stamp=agent_table.c.stamp + 1, **values)
        )
        return _required(conn, name)


def _required(conn: Connection, name: str) -> Agent:
    found = agent_named(conn, name)
    if found is None:
        raise PeopleError(f"there is nobody called {name!r}: see the name, or add them first")
    return found


def _row(conn: Connection, where: sa.ColumnElement[bool]) -> sa.Row[Any] | None:
    return conn.execute(sa.select(agent_table).where(where)).one_or_none()


def _agent(row: sa.Row[Any]) -> Agent:
    return Agent(row.id, row.name, row.role, row.stamp, row.disabled_at is not None)


def _checked_name(name: str) -> str:
    name = unicodedata.normalize("NFKC", name).strip()
    if not _NAME.fullmatch(name):
        raise PeopleError(
            f"{name[:80]!r} cannot be a name: use up to 64 letters, digits, blanks and . _ - + @, "
            "beginning and ending with a letter or digit"
        )
    return name


def _key(name: str) -> str:
    # İ and I of a Turkish keyboard are one letter here: a name must not differ by the dot alone.
    folded = unicodedata.normalize("NFKC", name).strip().casefold().replace("i\u0307", "i").replace("ı", "i")
    return "".join(char for char in folded if char.isprintable())[:64]


def _hashed(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise PeopleError(
            f"the password has {len(password)} characters: take at least {SHORTEST_PASSWORD}, a few words are best"
        )
    if len(password) > LONGEST_PASSWORD:
        raise PeopleError(f"the password has {len(password)} characters: take at most {LONGEST_PASSWORD}")
    return _hasher.hash(_bytes(password))


def _verified(digest: str, password: str) -> bool:
    try:
        return _hasher.verify(digest, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


# What no keyboard can type, a lone surrogate, may still come over HTTP.
def _bytes(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


@functools.lru_cache(maxsize=1)
def _decoy() -> str:
    return _hasher.hash(secrets.token_bytes(16))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
