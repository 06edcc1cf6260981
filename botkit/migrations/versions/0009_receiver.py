"""What an outbox knows of its receivers: whether they are there, and what may be tried before it is due."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0006"
branch_labels = None
depends_on = None

TIME = sa.String(24)


def upgrade() -> None:
    op.add_column("outbox", sa.Column("failed_at", TIME))
    op.add_column("outbox", sa.Column("away", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("outbox", sa.Column("early", sa.Integer, nullable=False, server_default="0"))
    op.add_column("outbox_kind", sa.Column("well_at", TIME))
    op.add_column("outbox_kind", sa.Column("probe_at", TIME))
    # What waits was tried before this was kept; the next success may try it again.
    op.execute("UPDATE outbox SET failed_at = made_at WHERE tries > 0 AND done_at IS NULL AND gave_up_at IS NULL")


def downgrade() -> None:
    op.drop_column("outbox_kind", "probe_at")
    op.drop_column("outbox_kind", "well_at")
    for name in ("early", "away", "failed_at"):
        op.drop_column("outbox", name)
