"""The desk's own tables: the history of every ticket, priority and clock on it, agents at the desk, satisfaction.

What happened to the tickets of an older release is read from the log into their history; their place in the queue is
by the time they were opened, as it was.
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.String(24)
STATES = {
    "opened": "waiting",
    "claimed": "claimed",
    "released": "waiting",
    "transferred": "claimed",
    "closed": "closed",
}


def upgrade() -> None:
    _add("conversation", sa.Column("tags", sa.JSON, nullable=False, server_default="[]"))
    _add(
        "ticket",
        sa.Column("no_article", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("channel", sa.String(16), nullable=False, server_default="live"),
        sa.Column("tags", sa.JSON, nullable=False, server_default="[]"),
        sa.Column("topics", sa.JSON, nullable=False, server_default="[]"),
        sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
        sa.Column("priority_reasons", sa.JSON, nullable=False, server_default="[]"),
        sa.Column("rank_at", TIME, nullable=False, server_default=""),
        sa.Column("first_reply_at", TIME),
        sa.Column("warn_at", TIME),
        sa.Column("due_at", TIME),
        sa.Column("warned_at", TIME),
        sa.Column("breached_at", TIME),
        sa.Column("unanswered_since", TIME),
        sa.Column("pending_until", TIME),
        sa.Column("offered_to", sa.String(64)),
        sa.Column("offer_until", TIME),
        sa.Column("passed_by", sa.JSON, nullable=False, server_default="[]"),
        sa.Column("home", sa.String(64)),
        sa.Column("reopened", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_at", TIME),
    )
    op.execute("UPDATE ticket SET rank_at = opened_at")
    op.create_index("ix_ticket_next_at", "ticket", ["next_at"])
    op.create_index("ix_ticket_queue", "ticket", ["state", "rank_at", "id"])
    op.create_index("ix_ticket_closed", "ticket", ["state", "closed_at"])
    op.create_index("ix_ticket_owner", "ticket", ["owner", "state"])
    history = op.create_table(
        "ticket_state",
        sa.Column("ticket_id", sa.Integer, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("change", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("owner", sa.String(64)),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("ticket_id", "n", name="pk_ticket_state"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_ticket_state_ticket_id"),
    )
    op.create_table(
        "seat",
        sa.Column("agent_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("languages", sa.JSON, nullable=False),
        sa.Column("skills", sa.JSON, nullable=False),
        sa.Column("share", sa.Integer, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("seen_at", TIME),
        sa.Column("missed", sa.Integer, nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("shifts", sa.JSON, nullable=False),
        sa.Column("holidays", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("agent_id", name="pk_seat"),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name="fk_seat_agent_id"),
    )
    op.create_table(
        "absence",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("agent_id", sa.Integer, nullable=False),
        sa.Column("delegate", sa.String(64)),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("next_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_absence"),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name="fk_absence_agent_id"),
    )
    op.create_index("ix_absence_agent_id", "absence", ["agent_id"])
    op.create_index("ix_absence_next_at", "absence", ["next_at"])
    op.create_table(
        "satisfaction",
        sa.Column("ticket_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("score", sa.Integer, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("lang", sa.String(8)),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("ticket_id", name="pk_satisfaction"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_satisfaction_ticket_id"),
    )
    op.create_index("ix_satisfaction_at", "satisfaction", ["at"])
    _remember(history)


def _add(table: str, *columns: sa.Column[Any]) -> None:
    # One by one and never by rebuilding the table: SQLite would forget what its partial index leaves out.
    for column in columns:
        op.add_column(table, column)


def _remember(history: sa.Table) -> None:
    conn = op.get_bind()
    events = conn.execute(
        sa.text("SELECT kind, at, actor, data FROM event WHERE kind LIKE 'ticket.%' ORDER BY conversation_id, seq")
    ).all()
    rows: dict[int, list[dict[str, object]]] = {}
    for kind, at, actor, data in events:
        result = data if isinstance(data, dict) else json.loads(data)
        change = kind.removeprefix("ticket.")
        before = rows.setdefault(int(result["ticket"]), [])
        owner = before[-1]["owner"] if before else None
        if change in ("claimed", "released", "transferred"):
            owner = {"claimed": actor.removeprefix("agent:"), "released": None, "transferred": result.get("to")}[change]
        before.append(
            {
                "ticket_id": int(result["ticket"]),
                "n": len(before) + 1,
                "change": change,
                "state": STATES[change],
                "owner": owner,
                "actor": actor,
                "at": at,
                "note": "",
            }
        )
    known = set(conn.execute(sa.text("SELECT id FROM ticket")).scalars())
    for ticket_id, changes in rows.items():
        if ticket_id in known:
            conn.execute(history.insert(), changes)
            conn.execute(
                sa.text("UPDATE ticket SET version = :n WHERE id = :id"), {"n": len(changes), "id": ticket_id}
            )


def downgrade() -> None:
    for table in ("satisfaction", "absence", "seat", "ticket_state"):
        op.drop_table(table)
    for name in ("ix_ticket_owner", "ix_ticket_closed", "ix_ticket_queue", "ix_ticket_next_at"):
        op.drop_index(name, "ticket")
    for name in (
        "next_at reopened home passed_by offer_until offered_to pending_until unanswered_since breached_at warned_at "
        "due_at warn_at first_reply_at rank_at priority_reasons priority topics tags channel version no_article"
    ).split():
        op.drop_column("ticket", name)
    op.drop_column("conversation", "tags")
