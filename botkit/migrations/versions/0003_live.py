"""Marks: up to where each side of a conversation has received and read it, who is typing, who is there."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TIME = sa.String(24)


def upgrade() -> None:
    op.create_table(
        "mark",
        sa.Column("conversation_id", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("delivered", sa.Integer, nullable=False),
        sa.Column("read", sa.Integer, nullable=False),
        sa.Column("typing_until", TIME),
        sa.Column("online_until", TIME),
        sa.PrimaryKeyConstraint("conversation_id", "actor", name="pk_mark"),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name="fk_mark_conversation_id"),
    )


def downgrade() -> None:
    op.drop_table("mark")
