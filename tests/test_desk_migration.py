"""A database of the release before, with tickets in every state, keeps them and learns their history."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from botkit import accounts, desk
from botkit.store import Store, conversation_table, iso

pytestmark = pytest.mark.databases("sqlite", "postgresql")

AT = "2026-11-20T12:00:0{}.000Z"


@pytest.fixture
def old(no_tables: str) -> Iterator[Store]:
    """A database as the first release left it: one ticket waits, one was handed on, one is closed."""
    store = Store(no_tables)
    store.migrate("0001")
    with store.write() as conn:
        for n, (state, owner, done) in enumerate(
            [
                ("waiting", None, []),
                ("claimed", "Nur", [("claimed", "Mina", "{}"), ("transferred", "Mina", '{"to": "Nur"}')]),
                ("closed", "Mina", [("claimed", "Mina", "{}"), ("closed", "Mina", '{"outcome": "solved"}')]),
            ],
            1,
        ):
            events = [("ticket.opened", "bot", "{}")]
            events += [(f"ticket.{kind}", f"agent:{who}", data) for kind, who, data in done]
            conn.execute(
                sa.text("INSERT INTO conversation VALUES (:id, 'x', 'en', '/', :at, :at, :last)"),
                {"id": f"c{n}", "at": AT.format(n), "last": len(events)},
            )
            conn.execute(
                sa.text(
                    "INSERT INTO ticket (conversation_id, state, reason, candidates, opened_at, owner)"
                    " VALUES (:conversation, :state, 'no_answer', '[]', :at, :owner)"
                ),
                {"conversation": f"c{n}", "state": state, "at": AT.format(n), "owner": owner},
            )
            for seq, (kind, actor, data) in enumerate(events, 1):
                result = f'{{"ticket": {n}{", " if len(data) > 2 else ""}{data[1:]}'
                conn.execute(
                    sa.text("INSERT INTO event VALUES (:id, :seq, :kind, :at, :actor, NULL, :data)"),
                    {"id": f"c{n}", "seq": seq, "kind": kind, "at": AT.format(seq), "actor": actor, "data": result},
                )
    yield store
    store.close()


def test_tickets_of_the_release_before_go_on_with_their_place_and_their_history(old: Store) -> None:
    old.migrate()
    mina = accounts.add_agent(old, "Mina", "agent", "copper pan and cezve")

    def history(ticket_id: int) -> list[tuple[int, str, str, str | None]]:
        return [(line.n, line.change, line.state, line.owner) for line in desk.ticket(old, ticket_id).history]

    assert history(1) == [(1, "opened", "waiting", None)]
    assert history(2)[1:] == [(2, "claimed", "claimed", "Mina"), (3, "transferred", "claimed", "Nur")]
    assert history(3)[1:] == [(2, "claimed", "claimed", "Mina"), (3, "closed", "closed", "Mina")]
    waiting = desk.queue(old, "waiting")
    assert [(ticket.id, iso(ticket.opened_at), ticket.priority.reasons[0].reason) for ticket in waiting] == [
        (1, AT.format(1), "waited")
    ]
    desk.claim(old, 1, mina)
    assert history(1)[1] == (2, "claimed", "claimed", "Mina")
    assert not desk.tick(old)  # a clock that never ran cannot be late
    with old.read() as conn:
        assert conn.execute(sa.select(conversation_table.c.tags)).scalars().all() == [[], [], []]


def test_a_conversation_of_the_release_before_still_has_one_open_ticket(old: Store) -> None:
    """The partial index survives the new columns."""
    old.migrate()
    with pytest.raises(sa.exc.IntegrityError), old.write() as conn:
        conn.execute(
            sa.text(
                "INSERT INTO ticket (id, conversation_id, state, reason, candidates, opened_at)"
                " VALUES (9, 'c1', 'waiting', 'no_answer', '[]', '2026-11-20T12:00:00.000Z')"
            )
        )
    with old.write() as conn:
        assert desk.open_ticket(old, conn, "c3", "no_answer", "en", None, []) > 3
