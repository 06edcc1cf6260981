"""Sign-ins as rows, tokens with a name, a scope and an end, and second factors encrypted by keys beside the database.

What the database held of keys is deleted: the one that signed cookies, and the one that names and addresses of wrong
sign-ins were hashed with, so those are forgotten. Tokens from before go on for a year, with all that they allowed.
"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import context, op

revision = "0008"
down_revision = "0009"
branch_labels = None
depends_on = None

_factor = sa.table("second_factor", sa.column("agent_id", sa.Integer), sa.column("secret", sa.Text))
_token = sa.table(
    "agent_token",
    *(sa.column(name) for name in ("hash", "agent_id", "issued_at", "name", "scope", "prefix", "expires_at")),
)


def upgrade() -> None:
    conn = op.get_bind()
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("PRAGMA secure_delete=ON")  # else what is deleted can still be read in the file
    op.create_table(
        "agent_session",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("agent_id", sa.Integer, nullable=False),
        sa.Column("half", sa.Boolean, nullable=False),
        sa.Column("browser", sa.String(40), nullable=False),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("made_at", sa.String(24), nullable=False),
        sa.Column("seen_at", sa.String(24), nullable=False),
        sa.Column("ends_at", sa.String(24), nullable=False),
        sa.Column("ended_at", sa.String(24)),
        sa.Column("told", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_agent_session"),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name="fk_agent_session_agent_id"),
        sa.UniqueConstraint("hash", name="uq_agent_session_hash"),
    )
    op.create_index("ix_agent_session_agent_id", "agent_session", ["agent_id"])
    op.create_index("ix_agent_session_ends_at", "agent_session", ["ends_at"])

    tokens = conn.execute(sa.select(_token.c.hash, _token.c.agent_id, _token.c.issued_at)).mappings().all()
    _tokens_anew()
    end = (datetime.now(UTC) + timedelta(days=365)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    for row in tokens:
        conn.execute(_token.insert().values(**row, name="", scope="full", prefix="", expires_at=end))

    with op.batch_alter_table("second_factor") as table:
        table.alter_column("secret", type_=sa.Text, existing_type=sa.String(64), existing_nullable=False)
    conn.execute(sa.text("DELETE FROM secret"))
    conn.execute(sa.text("DELETE FROM guess"))
    secrets = conn.execute(sa.select(_factor)).all()
    if secrets:
        keys = context.config.attributes["keys"]()  # made now, where there are none
        for agent_id, secret in secrets:
            encrypted = keys.encrypt("second factor", f"{agent_id}:{secret}")
            conn.execute(_factor.update().where(_factor.c.agent_id == agent_id).values(secret=encrypted))


def downgrade() -> None:
    conn = op.get_bind()
    for name in ("second_factor", "recovery_code", "guess", "secret"):
        conn.execute(sa.text(f"DELETE FROM {name}"))  # noqa: S608 - the older release cannot read them
    with op.batch_alter_table("second_factor") as table:
        table.alter_column("secret", type_=sa.String(64), existing_type=sa.Text, existing_nullable=False)
    tokens = conn.execute(sa.select(_token.c.hash, _token.c.agent_id, _token.c.issued_at)).mappings().all()
    op.drop_index("ix_agent_token_agent_id", "agent_token")
    op.drop_table("agent_token")
    op.create_table(
        "agent_token",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("agent_id", sa.Integer, nullable=False),
        sa.Column("issued_at", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_agent_token"),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name="fk_agent_token_agent_id"),
    )
    op.create_index("ix_agent_token_agent_id", "agent_token", ["agent_id"])
    for row in tokens:
        conn.execute(_token.insert().values(**row))
    op.drop_table("agent_session")


def _tokens_anew() -> None:
    op.drop_index("ix_agent_token_agent_id", "agent_token")
    op.drop_table("agent_token")
    op.create_table(
        "agent_token",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("agent_id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("issued_at", sa.String(24), nullable=False),
        sa.Column("expires_at", sa.String(24), nullable=False),
        sa.Column("used_at", sa.String(24)),
        sa.PrimaryKeyConstraint("id", name="pk_agent_token"),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name="fk_agent_token_agent_id"),
        sa.UniqueConstraint("hash", name="uq_agent_token_hash"),
    )
    op.create_index("ix_agent_token_agent_id", "agent_token", ["agent_id"])
