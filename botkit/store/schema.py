"""The tables, as this release has them; `botkit/migrations` brings a database to this state.

They are drawn in the docstring of `botkit.store`.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table, Text, UniqueConstraint
from sqlalchemy.engine import Dialect


def iso(at: datetime) -> str:
    """The text of a time, as stored and as sent: UTC, milliseconds, `Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """A UTC time from ISO 8601 text; a text without an offset is taken as UTC. ValueError if it is no time."""
    at = datetime.fromisoformat(text.strip())
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


class UtcTime(sa.types.TypeDecorator[datetime]):
    """An aware datetime, kept as text of a fixed width."""

    impl = String(24)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else iso(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else parse_time(value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

conversation_table = Table(
    "conversation",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("token_hash", String(64), nullable=False),
    Column("lang", String(8)),
    Column("page", Text),
    Column("opened_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Column("last_seq", Integer, nullable=False),
)

event_table = Table(
    "event",
    metadata,
    Column("conversation_id", String(32), ForeignKey("conversation.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("client_id", String(80)),
    Column("data", sa.JSON, nullable=False),
    UniqueConstraint("conversation_id", "actor", "client_id"),
)

secret_table = Table(
    "secret",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
    Column("made_at", UtcTime, nullable=False),
)

agent_table = Table(
    "agent",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("key", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("stamp", Integer, nullable=False),
    Column("added_at", UtcTime, nullable=False),
    Column("disabled_at", UtcTime),
)

agent_token_table = Table(
    "agent_token",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("agent_id", Integer, ForeignKey("agent.id"), nullable=False, index=True),
    Column("issued_at", UtcTime, nullable=False),
)

ticket_table = Table(
    "ticket",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", String(32), ForeignKey("conversation.id"), nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("lang", String(8)),
    Column("page", Text),
    Column("candidates", sa.JSON, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("claimed_at", UtcTime),
    Column("closed_at", UtcTime),
    Column("owner", String(64)),
    Column("outcome", String(16)),
    Column("article", Text),
    Index("ix_ticket_state", "state", "opened_at"),
)
Index(
    "uq_ticket_open",
    ticket_table.c.conversation_id,
    unique=True,
    sqlite_where=ticket_table.c.state != "closed",
    postgresql_where=ticket_table.c.state != "closed",
)

mark_table = Table(
    "mark",
    metadata,
    Column("conversation_id", String(32), ForeignKey("conversation.id"), primary_key=True),
    Column("actor", String(80), primary_key=True),
    Column("delivered", Integer, nullable=False),
    Column("read", Integer, nullable=False),
    Column("typing_until", UtcTime),
    Column("online_until", UtcTime),
)
