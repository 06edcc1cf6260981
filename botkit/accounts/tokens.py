"""Agents' tokens for the desk's HTTP interface: named, limited in what they allow, and with an end.

agent_token  id | hash: SHA-256 of the token | agent_id -> agent | name | scope: of SCOPES | prefix: its first letters
             issued_at | expires_at | used_at: noted once a minute
"""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from botkit.accounts.accounts import SELECT, as_agent, required, sha256
from botkit.accounts.audit import audit
from botkit.accounts.model import SCOPES, AccountError, Agent
from botkit.store import Store, StoreError, agent_table, agent_token_table

DAYS: Final = 365
MOST_DAYS: Final = 3650
PREFIX: Final = 9
USED_AGAIN: Final = timedelta(minutes=1)
_ZWNJ: Final = "\u200c"  # a letter of Persian words, though nothing is printed


@dataclass(frozen=True)
class Token:
    """What is known of a token; not the token. `name` and `prefix` are empty for those of older releases."""

    id: int
    name: str
    scope: str
    prefix: str
    issued_at: datetime
    expires_at: datetime
    used_at: datetime | None


def issue_token(
    store: Store, name: str, *, label: str = "", scope: str = "full", days: int = DAYS, by: Agent | None = None
) -> str:
    """A new token of an agent, called `label`, for so many days. It is told this once; only its hash is kept."""
    label = " ".join("".join(char for char in label if char.isprintable() or char == _ZWNJ).split()).strip(_ZWNJ)[:80]
    if scope not in SCOPES:
        raise AccountError("no_scope", f"no such scope {scope!r}: expected one of {', '.join(SCOPES)}")
    if not 1 <= days <= MOST_DAYS:
        raise AccountError("no_days", f"a token cannot last {days} days: take 1 to {MOST_DAYS}")
    token = "bk_" + secrets.token_urlsafe(32)
    with store.write() as conn:
        owner = required(conn, name, by)
        if owner.disabled:
            raise AccountError(
                "closed", f"the account of {owner.name!r} is closed: open it again before giving it a token"
            )
        conn.execute(
            agent_token_table.insert().values(
                hash=sha256(token),
                agent_id=owner.id,
                name=label,
                scope=scope,
                prefix=token[:PREFIX],
                issued_at=store.now(),
                expires_at=store.now() + timedelta(days=days),
            )
        )
        result = {"name": label or None, "prefix": token[:PREFIX], "scope": scope, "days": days}
        audit(store, conn, by, "token.issued", f"agent:{owner.name}", **result)
    return token


def tokens(store: Store, agent: Agent) -> list[Token]:
    """The tokens of an agent, the newest first; those that are over too, until they are revoked."""
    mine = agent_token_table.c
    query = sa.select(*(mine[name] for name in Token.__dataclass_fields__)).where(mine.agent_id == agent.id)
    with store.read() as conn:
        return [Token(*row) for row in conn.execute(query.order_by(mine.issued_at.desc(), mine.id.desc()))]


def revoke_token(store: Store, agent: Agent, token_id: int, *, by: Agent | None = None) -> bool:
    """End one token of an agent; whether it was there."""
    mine = agent_token_table.c
    with store.write() as conn:
        owner = required(conn, agent.name, by)
        row = conn.execute(
            agent_token_table.delete()
            .where(mine.id == token_id, mine.agent_id == owner.id)
            .returning(mine.name, mine.prefix)
        ).one_or_none()
        if row is None:
            return False
        result = {"name": row.name or None, "prefix": row.prefix or None, "tokens": 1}
        audit(store, conn, by, "token.revoked", f"agent:{owner.name}", **result)
        return True


def revoke_tokens(store: Store, name: str, *, by: Agent | None = None) -> int:
    """End all tokens of an agent; how many there were."""
    with store.write() as conn:
        owner = required(conn, name, by)
        gone = conn.execute(agent_token_table.delete().where(agent_token_table.c.agent_id == owner.id)).rowcount
        audit(store, conn, by, "token.revoked", f"agent:{owner.name}", tokens=gone)
        return gone


def agent_by_token(store: Store, token: str) -> Agent | None:
    """The agent whose token this is, with its scope, if the account is open and the token is not over."""
    mine, now = agent_token_table.c, store.now()
    query = SELECT.add_columns(mine.id.label("token_id"), mine.scope, mine.used_at).join(
        agent_token_table, mine.agent_id == agent_table.c.id
    )
    with store.read() as conn:
        row = conn.execute(
            query.where(mine.hash == sha256(token), mine.expires_at > now, agent_table.c.disabled_at.is_(None))
        ).one_or_none()
    if row is None:
        return None
    if row.used_at is None or now - row.used_at >= USED_AGAIN:
        # What reads must go on where nothing can be written.
        with contextlib.suppress(StoreError), store.write(durable=False) as conn:
            conn.execute(agent_token_table.update().where(mine.id == row.token_id).values(used_at=now))
    return replace(as_agent(row), scope=row.scope, token=row.token_id)
