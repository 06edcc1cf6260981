"""Temporary passwords, counted guesses, second factors, the audit log and the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.String(24)
UNDONE = sa.text("done_at IS NULL")


def upgrade() -> None:
    op.add_column("agent", sa.Column("password_until", TIME))
    op.create_table(
        "guess",
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("place", sa.String(64), nullable=False),
        sa.Column("failures", sa.Float, nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.Column("until", TIME),
        sa.Column("known_at", TIME),
        sa.PrimaryKeyConstraint("who", "place", name="pk_guess"),
    )
    op.create_index("ix_guess_last_at", "guess", ["last_at"])
    op.create_table(
        "second_factor",
        sa.Column("agent_id", sa.Integer, nullable=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.Column("begun_at", TIME, nullable=False),
        sa.Column("confirmed_at", TIME),
        sa.Column("last_step", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("agent_id", name="pk_second_factor"),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name="fk_second_factor_agent_id"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("agent_id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_recovery_code"),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name="fk_recovery_code_agent_id"),
    )
    op.create_index("ix_recovery_code_agent_id", "recovery_code", ["agent_id"])
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("target", sa.String(80), nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_actor", "audit", ["actor", "id"])
    op.create_index("ix_audit_action", "audit", ["action", "id"])
    op.create_index("ix_audit_target", "audit", ["target", "id"])
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("message_id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("lease", sa.String(32)),
        sa.Column("leased_until", TIME),
        sa.Column("done_at", TIME),
        sa.Column("gave_up_at", TIME),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("message_id", name="uq_outbox_message_id"),
    )
    op.create_index("ix_outbox_due", "outbox", ["due_at", "id"], sqlite_where=UNDONE, postgresql_where=UNDONE)
    op.create_table(
        "outbox_kind",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_outbox_kind"),
    )


def downgrade() -> None:
    for table in ("outbox_kind", "outbox", "audit", "recovery_code", "second_factor", "guess"):
        op.drop_table(table)
    op.drop_column("agent", "password_until")
