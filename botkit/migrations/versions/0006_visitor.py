"""Who comes again: the hash of the key that a browser keeps, and the name that the shop's own program gives."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversation", sa.Column("visitor", sa.String(64)))
    op.add_column("conversation", sa.Column("customer", sa.String(80)))
    op.create_index("ix_conversation_visitor", "conversation", ["visitor"])


def downgrade() -> None:
    op.drop_index("ix_conversation_visitor", "conversation")
    op.drop_column("conversation", "customer")
    op.drop_column("conversation", "visitor")
