"""What becomes of a ticket is told: to the shop's own system by webhook, and to the audit log, without a word of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from desk_shop import handed_over, writes
from moving import Clock

from botkit import accounts, desk, outbox
from botkit.accounts import Agent
from botkit.outbox import webhooks
from botkit.store import Store, outbox_table

pytestmark = pytest.mark.databases("sqlite", "postgresql")

WORDS = "I am Ada Lovelace, my number is 0171 23"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: str, clock: Clock) -> Iterator[Store]:
    store = Store(database, clock=clock)
    outbox.kinds(store, [webhooks.KIND])
    yield store
    store.close()


@pytest.fixture
def sara(store: Store) -> Agent:
    return accounts.add_agent(store, "Sara", "agent", "copper pan and cezve")


@pytest.fixture
def omid(store: Store) -> Agent:
    return accounts.add_agent(store, "Omid", "agent", "copper pan and cezve")


def told(store: Store) -> list[str]:
    """The webhooks that were put into the outbox, in their order."""
    with store.read() as conn:
        rows = conn.execute(sa.select(outbox_table.c.payload).order_by(outbox_table.c.id)).scalars().all()
    return [row["type"] for row in rows]


def audited(store: Store, ticket_id: int) -> list[tuple[str, str, dict[str, str]]]:
    """What the audit log has about a ticket, the oldest first."""
    lines = accounts.audited(store, target=f"ticket:{ticket_id}")
    return [(line.actor, line.action.removeprefix("ticket."), dict(line.detail)) for line in reversed(lines)]


def test_a_tickets_whole_life_is_told_once_each(store: Store, clock: Clock, sara: Agent, omid: Agent) -> None:
    ticket = handed_over(store, WORDS)
    clock.forward(minutes=10)
    for _ in range(2):
        desk.tick(store)
    desk.claim(store, ticket, sara)
    desk.claim(store, ticket, sara)
    with pytest.raises(desk.AlreadyClaimed):
        desk.claim(store, ticket, omid)
    desk.transfer(store, ticket, sara, "Omid", WORDS)
    desk.wait_for_customer(store, ticket, omid)
    writes(store, ticket, WORDS)
    desk.close(store, ticket, omid, "solved", "delivery/times")
    with store.write() as conn:
        desk.reopen(store, conn, ticket)
    assert told(store) == [f"ticket.{what}" for what in ("opened", "breached", "claimed", "closed", "reopened")]
    assert audited(store, ticket) == [
        ("agent:Sara", "claimed", {}),
        ("agent:Sara", "transferred", {"from": "Sara", "to": "Omid"}),
        ("agent:Omid", "pending", {}),
        ("customer", "resumed", {}),
        ("agent:Omid", "closed", {"outcome": "solved", "article": "delivery/times"}),
        ("customer", "reopened", {}),
    ]
    with store.read() as conn:
        kept = repr(conn.execute(sa.select(outbox_table)).all()) + repr(accounts.audited(store, limit=1000))
    assert "Lovelace" not in kept


def test_what_is_undone_is_not_told(store: Store, sara: Agent) -> None:
    ticket = handed_over(store)
    desk.claim(store, ticket, sara)
    with pytest.raises(RuntimeError), store.write() as conn:  # noqa: PT012 - the block is what is tested
        desk.open_ticket(store, conn, store.open_conversation(conn, "0" * 64, "en", "/"), "no_answer", "en", "/", [])
        raise RuntimeError
    assert told(store) == ["ticket.opened", "ticket.claimed"]
