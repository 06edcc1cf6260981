"""Who did and saw what: the audit log's one writer, and its readers.

A line is written inside the transaction of what it tells, so that neither stands without the other. It is never
changed and never deleted here, and holds no word of a customer.

    audit   id | at | actor: agent:NAME, console (the command line) or system | action | target: agent:NAME, ticket:N
            or empty | detail
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit.accounts.model import Agent
from botkit.store import Store, audit_table, iso

CONSOLE: Final = "console"
ACTIONS: Final = (
    "sign_in",
    "sign_in.failed",
    "sign_out",
    "session.ended",
    "account.added",
    "account.role",
    "account.password",
    "account.disabled",
    "account.enabled",
    "account.unlocked",
    "account.sessions_ended",
    "address.unlocked",
    "token.issued",
    "token.revoked",
    "factor.on",
    "factor.off",
    "factor.codes",
    "keys.rotated",
    "keys.reset",
    "overview.read",
    "ticket.listed",
    "ticket.read",
    "ticket.claimed",
    "ticket.released",
    "ticket.transferred",
    "ticket.pending",
    "ticket.resumed",
    "ticket.closed",
    "ticket.reopened",
    "export",
    "outbox.retried",
)
"""What is written by this release; other words may be added by whoever calls `audit`."""
READ_AGAIN: Final = timedelta(hours=1)
"""A page that stays open on a screen is asked for every few seconds; it is noted once in this time."""
_LOOKED_AT: Final = 200
"""The newest lines among which the same reading is looked for."""


@dataclass(frozen=True)
class Line:
    """One line of the audit log."""

    id: int
    at: datetime
    actor: str
    action: str
    target: str
    detail: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "at": iso(self.at), "detail": dict(self.detail)}


def actor(agent: Agent | None) -> str:
    """How a line names an agent; None is whoever sits at the command line."""
    return CONSOLE if agent is None else f"agent:{agent.name}"


def audit(
    store: Store, conn: Connection, who: Agent | str | None, action: str, target: str = "", /, **detail: Any
) -> None:
    """Add a line, inside the caller's transaction. `who` is an agent, None for the command line, or an actor's text."""
    conn.execute(
        audit_table.insert().values(
            at=store.now(),
            actor=(who if isinstance(who, str) else actor(who))[:80],
            action=action,
            target=target[:80],
            detail={name: value for name, value in detail.items() if value is not None},
        )
    )


def audit_read(
    store: Store, agent: Agent, target: str = "", action: str = "ticket.read", *, found: int | None = None, **asked: Any
) -> None:
    """Note that an agent saw a ticket, `ticket:N`, the overview, or a list `asked` for like this in which so much was
    `found`, once in READ_AGAIN."""
    lines = audit_table.c
    known = (
        sa.select(lines.detail)
        .where(
            lines.target == target,
            lines.action == action,
            lines.actor == actor(agent),
            lines.at > store.now() - READ_AGAIN,
        )
        .order_by(lines.id.desc())
        .limit(_LOOKED_AT)
    )
    wanted = {name: value for name, value in asked.items() if value is not None}
    with store.read() as conn:
        for detail in conn.execute(known).scalars():
            if {name: value for name, value in detail.items() if name != "found"} == wanted:
                return
    with store.write() as conn:
        audit(store, conn, agent, action, target, **asked, found=found)


def audited(
    store: Store,
    *,
    actor: str | None = None,
    action: str | None = None,
    target: str | None = None,
    since: datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Line]:
    """Lines of the log, newest first: of one actor, action or target, not older than `since`, with ids below
    `before`."""
    lines = audit_table.c
    query = sa.select(audit_table).order_by(lines.id.desc()).limit(limit)
    for column, wanted in ((lines.actor, actor), (lines.action, action), (lines.target, target)):
        if wanted is not None:
            query = query.where(column == wanted)
    if since is not None:
        query = query.where(lines.at >= since)
    if before is not None:
        query = query.where(lines.id < before)
    with store.read() as conn:
        return [Line(row.id, row.at, row.actor, row.action, row.target, row.detail) for row in conn.execute(query)]
