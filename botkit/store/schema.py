"""The tables, as this release has them; `botkit/migrations` brings a database to this state.

They are drawn in the docstring of `botkit.store`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect

from botkit.store.kept import Kept, slots
from botkit.store.ticket_row import TicketRow


def iso(at: datetime) -> str:
    """The text of a time, as stored and as sent: UTC, milliseconds, `Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """A UTC time from ISO 8601 text; a text without an offset is taken as UTC. ValueError if it is no time."""
    at = datetime.fromisoformat(text.strip())
    try:
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:  # the first and the last hours of all, elsewhere
        raise ValueError(f"{text.strip()!r} lies outside the years 1 to 9999") from None


class UtcTime(sa.types.TypeDecorator[datetime]):
    """An aware datetime, kept as text of a fixed width."""

    impl = String(24)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else iso(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else parse_time(value)


def _columns(cls: type[Kept]) -> Iterator[Column[object]]:
    """The columns of what is kept as a row: a text is short where it says how long, a tuple is JSON."""
    for slot in slots(cls):
        options = dict(slot.field.metadata.get("column", {}))
        references, length = options.pop("references", None), options.pop("length", None)
        kind: sa.JSON | UtcTime | Integer | sa.Boolean | String
        if slot.read is not None:
            kind = sa.JSON()
        elif slot.type is datetime:
            kind = UtcTime()
        elif slot.type in (int, bool):
            kind = Integer() if slot.type is int else sa.Boolean()
        else:
            kind = Text() if length is None else String(length)
        if slot.default not in (MISSING, None) and not options.get("primary_key"):
            options["default"] = list if slot.default == () else slot.default
        key = [ForeignKey(references)] if references else []
        yield Column(slot.key, kind, *key, nullable=slot.optional, **options)


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
    Column("tags", sa.JSON, nullable=False, default=list),
    Column("opened_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Column("last_seq", Integer, nullable=False),
    Column("visitor", String(64), index=True),
    Column("customer", String(80)),
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
    Column("password_until", UtcTime),
)

agent_token_table = Table(
    "agent_token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("agent_id", Integer, ForeignKey("agent.id"), nullable=False, index=True),
    Column("name", String(80), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("prefix", String(16), nullable=False),
    Column("issued_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
)

agent_session_table = Table(
    "agent_session",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("agent_id", Integer, ForeignKey("agent.id"), nullable=False, index=True),
    Column("half", sa.Boolean, nullable=False),
    Column("browser", String(40), nullable=False),
    Column("system", String(40), nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime, nullable=False, index=True),
    Column("ended_at", UtcTime),
    Column("told", sa.JSON, nullable=False, default=list),
)

second_factor_table = Table(
    "second_factor",
    metadata,
    Column("agent_id", Integer, ForeignKey("agent.id"), primary_key=True),
    Column("secret", Text, nullable=False),
    Column("begun_at", UtcTime, nullable=False),
    Column("confirmed_at", UtcTime),
    Column("last_step", Integer, nullable=False),
)

recovery_code_table = Table(
    "recovery_code",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("agent_id", Integer, ForeignKey("agent.id"), nullable=False, index=True),
)

guess_table = Table(
    "guess",
    metadata,
    Column("who", String(64), primary_key=True),
    Column("place", String(64), primary_key=True),
    Column("failures", Float, nullable=False),
    Column("last_at", UtcTime, nullable=False, index=True),
    Column("until", UtcTime),
    Column("known_at", UtcTime),
)

audit_table = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("actor", String(80), nullable=False),
    Column("action", String(32), nullable=False),
    Column("target", String(80), nullable=False),
    Column("detail", sa.JSON, nullable=False),
    Index("ix_audit_actor", "actor", "id"),
    Index("ix_audit_action", "action", "id"),
    Index("ix_audit_target", "target", "id"),
)

outbox_table = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message_id", String(40), nullable=False, unique=True),
    Column("kind", String(32), nullable=False),
    Column("payload", sa.JSON, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("lease", String(32)),
    Column("leased_until", UtcTime),
    Column("done_at", UtcTime),
    Column("gave_up_at", UtcTime),
    Column("reason", Text),
    Column("failed_at", UtcTime),
    Column("away", sa.Boolean, nullable=False, default=False),
    Column("early", Integer, nullable=False, default=0),
)
_undone = outbox_table.c.done_at.is_(None)
Index("ix_outbox_due", outbox_table.c.due_at, outbox_table.c.id, sqlite_where=_undone, postgresql_where=_undone)

outbox_kind_table = Table(
    "outbox_kind",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("since", UtcTime, nullable=False),
    Column("well_at", UtcTime),
    Column("probe_at", UtcTime),
)

ticket_table = Table(
    "ticket",
    metadata,
    *_columns(TicketRow),
    Index("ix_ticket_state", "state", "opened_at"),
    Index("ix_ticket_queue", "state", "rank_at", "id"),
    Index("ix_ticket_closed", "state", "closed_at"),
    Index("ix_ticket_owner", "owner", "state"),
)
Index(
    "uq_ticket_open",
    ticket_table.c.conversation_id,
    unique=True,
    sqlite_where=ticket_table.c.state != "closed",
    postgresql_where=ticket_table.c.state != "closed",
)

ticket_state_table = Table(
    "ticket_state",
    metadata,
    Column("ticket_id", Integer, ForeignKey("ticket.id"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("change", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("owner", String(64)),
    Column("actor", String(80), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("note", Text, nullable=False, default=""),
)

profile_table = Table(
    "seat",
    metadata,
    Column("agent_id", Integer, ForeignKey("agent.id"), primary_key=True, autoincrement=False),
    Column("languages", sa.JSON, nullable=False, default=list),
    Column("skills", sa.JSON, nullable=False, default=list),
    Column("share", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("seen_at", UtcTime),
    Column("missed", Integer, nullable=False, default=0),
    Column("time_zone", String(64), nullable=False, default="UTC"),
    Column("shifts", sa.JSON, nullable=False, default=dict),
    Column("holidays", sa.JSON, nullable=False, default=list),
)

absence_table = Table(
    "absence",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("agent_id", Integer, ForeignKey("agent.id"), nullable=False, index=True),
    Column("delegate", String(64)),
    Column("starts_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Column("stage", String(16), nullable=False),
    Column("next_at", UtcTime, index=True),
)

satisfaction_table = Table(
    "satisfaction",
    metadata,
    Column("ticket_id", Integer, ForeignKey("ticket.id"), primary_key=True, autoincrement=False),
    Column("score", Integer, nullable=False),
    Column("comment", Text, nullable=False),
    Column("lang", String(8)),
    Column("at", UtcTime, nullable=False, index=True),
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

mention_table = Table(
    "mention",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("agent_id", Integer, ForeignKey("agent.id"), nullable=False),
    Column("conversation_id", String(32), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("ticket_id", Integer, ForeignKey("ticket.id"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("seen_at", UtcTime),
    ForeignKeyConstraint(["conversation_id", "seq"], ["event.conversation_id", "event.seq"]),
    UniqueConstraint("agent_id", "conversation_id", "seq"),
)
_unseen = mention_table.c.seen_at.is_(None)
Index("ix_mention_unseen", mention_table.c.agent_id, mention_table.c.id, sqlite_where=_unseen, postgresql_where=_unseen)
