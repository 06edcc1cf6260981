"""Mentions: which colleague a note names, and whether they have seen it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TIME = sa.String(24)
UNSEEN = sa.text("seen_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "mention",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("agent_id", sa.Integer, nullable=False),
        sa.Column("conversation_id", sa.String(32), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("ticket_id", sa.Integer, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("seen_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_mention"),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name="fk_mention_agent_id"),
        sa.ForeignKeyConstraint(
            ["conversation_id", "seq"], ["event.conversation_id", "event.seq"], name="fk_mention_conversation_id"
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_mention_ticket_id"),
        sa.UniqueConstraint("agent_id", "conversation_id", "seq", name="uq_mention_agent_id"),
    )
    op.create_index("ix_mention_unseen", "mention", ["agent_id", "id"], sqlite_where=UNSEEN, postgresql_where=UNSEEN)


def downgrade() -> None:
    op.drop_table("mention")
