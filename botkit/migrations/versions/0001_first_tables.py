"""The first tables: conversations and their events, agents and their tokens, tickets, secrets."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.String(24)


def upgrade() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("lang", sa.String(8)),
        sa.Column("page", sa.Text),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("last_seq", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_conversation"),
    )
    op.create_table(
        "event",
        sa.Column("conversation_id", sa.String(32), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("client_id", sa.String(80)),
        sa.Column("data", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "seq", name="pk_event"),
        sa.UniqueConstraint("conversation_id", "actor", "client_id", name="uq_event_conversation_id"),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name="fk_event_conversation_id"),
    )
    op.create_table(
        "secret",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_secret"),
    )
    op.create_table(
        "agent",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("stamp", sa.Integer, nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("disabled_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_agent"),
        sa.UniqueConstraint("key", name="uq_agent_key"),
    )
    op.create_table(
        "agent_token",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("agent_id", sa.Integer, nullable=False),
        sa.Column("issued_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_agent_token"),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name="fk_agent_token_agent_id"),
    )
    op.create_index("ix_agent_token_agent_id", "agent_token", ["agent_id"])
    op.create_table(
        "ticket",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("conversation_id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("lang", sa.String(8)),
        sa.Column("page", sa.Text),
        sa.Column("candidates", sa.JSON, nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("claimed_at", TIME),
        sa.Column("closed_at", TIME),
        sa.Column("owner", sa.String(64)),
        sa.Column("outcome", sa.String(16)),
        sa.Column("article", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_ticket"),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name="fk_ticket_conversation_id"),
    )
    op.create_index("ix_ticket_conversation_id", "ticket", ["conversation_id"])
    op.create_index("ix_ticket_state", "ticket", ["state", "opened_at"])
    op.create_index(
        "uq_ticket_open",
        "ticket",
        ["conversation_id"],
        unique=True,
        sqlite_where=sa.text("state != 'closed'"),
        postgresql_where=sa.text("state != 'closed'"),
    )


def downgrade() -> None:
    for table in ("ticket", "agent_token", "agent", "secret", "event", "conversation"):
        op.drop_table(table)
