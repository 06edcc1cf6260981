"""The states of a ticket: waiting for the customer, closing with a verdict, coming back, and the history of it all."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import sqlalchemy as sa
from desk_shop import PASSWORD, handed_over, kinds, order, writes
from hypothesis import given, settings
from hypothesis import strategies as st
from moving import Clock

from botkit import accounts, desk
from botkit.accounts import Agent
from botkit.store import Store, ticket_state_table, ticket_table

pytestmark = pytest.mark.databases("sqlite", "postgresql")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ticket_of(store: Store, ticket_id: int) -> desk.Ticket:
    return desk.ticket(store, ticket_id).ticket


def history(store: Store, ticket_id: int) -> list[tuple[str, str, str | None, str]]:
    return [(line.change, line.state, line.owner, line.actor) for line in desk.ticket(store, ticket_id).history]


def test_every_change_is_a_line_of_the_history_with_who_made_it(
    store: Store, mina: Agent, nur: Agent, boss: Agent
) -> None:
    ticket_id = handed_over(store)
    desk.claim(store, ticket_id, mina)
    desk.release(store, ticket_id, mina)
    desk.claim(store, ticket_id, mina)
    desk.transfer(store, ticket_id, mina, "Nur", "speaks Turkish")
    desk.wait_for_customer(store, ticket_id, nur)
    writes(store, ticket_id)
    desk.take_over(store, ticket_id, boss)
    desk.close(store, ticket_id, boss, "solved")
    assert history(store, ticket_id) == [
        ("opened", "waiting", None, "bot"),
        ("claimed", "claimed", "Mina", "agent:Mina"),
        ("released", "waiting", None, "agent:Mina"),
        ("claimed", "claimed", "Mina", "agent:Mina"),
        ("transferred", "claimed", "Nur", "agent:Mina"),
        ("pending", "pending", "Nur", "agent:Nur"),
        ("resumed", "claimed", "Nur", "customer"),
        ("transferred", "claimed", "Boss", "agent:Boss"),
        ("closed", "closed", "Boss", "agent:Boss"),
    ]
    lines = desk.ticket(store, ticket_id).history
    assert [line.n for line in lines] == list(range(1, 10))
    assert lines[4].note == "speaks Turkish"


# ---------------------------------------------------------------- waiting for the customer


def test_a_ticket_that_waits_for_its_customer_keeps_its_owner_and_goes_on_with_their_word(
    store: Store, mina: Agent, nur: Agent
) -> None:
    ticket_id = handed_over(store)
    with pytest.raises(desk.NotOwner, match="claim it first"):
        desk.wait_for_customer(store, ticket_id, mina)
    desk.claim(store, ticket_id, mina)
    with pytest.raises(desk.NotOwner, match="belongs to Mina"):
        desk.wait_for_customer(store, ticket_id, nur)
    waiting = desk.wait_for_customer(store, ticket_id, mina)
    assert (waiting.state, waiting.owner, waiting.unanswered_since) == ("pending", "Mina", None)
    assert desk.wait_for_customer(store, ticket_id, mina) == waiting
    with pytest.raises(desk.AlreadyClaimed) as caught:
        desk.claim(store, ticket_id, nur)
    assert caught.value.owner == "Mina"
    writes(store, ticket_id)
    assert (ticket_of(store, ticket_id).state, ticket_of(store, ticket_id).owner) == ("claimed", "Mina")
    desk.wait_for_customer(store, ticket_id, mina)
    assert desk.claim(store, ticket_id, mina).state == "claimed"
    assert kinds(store, ticket_id).count("ticket.resumed") == 2


def test_a_customer_who_does_not_come_back_is_let_go_after_the_hours_of_the_policy(
    store: Store, clock: Clock, mina: Agent
) -> None:
    ticket_id = handed_over(store)
    desk.claim(store, ticket_id, mina)
    desk.say(store, ticket_id, mina, "a1", "Which order is it?")
    desk.wait_for_customer(store, ticket_id, mina, desk.Policy(pending_hours=2))
    clock.forward(hours=2, seconds=-1)
    assert desk.tick(store).lapsed == 0
    clock.forward(seconds=1)
    assert desk.tick(store).lapsed == 1
    assert desk.tick(store).lapsed == 0
    result = ticket_of(store, ticket_id)
    assert (result.state, result.outcome, result.owner) == ("closed", desk.AUTO_CLOSED, "Mina")
    assert history(store, ticket_id)[-1] == ("closed", "closed", "Mina", "system")


# ---------------------------------------------------------------- closing and coming back


def test_a_closing_may_say_that_no_article_answers_and_may_add_tags(store: Store, mina: Agent) -> None:
    ticket_id = handed_over(store, tags=["vip"])
    desk.claim(store, ticket_id, mina)
    with pytest.raises(desk.DeskError, match="one of both"):
        desk.close(store, ticket_id, mina, "solved", "orders/track", no_article=True)
    with pytest.raises(desk.DeskError, match="tags are"):
        desk.close(store, ticket_id, mina, "solved", tags=["two words"])
    closed = desk.close(store, ticket_id, mina, "solved", no_article=True, tags=["Wholesale", "vip"])
    assert (closed.no_article, closed.article, closed.tags) == (True, None, ("vip", "wholesale"))
    assert desk.close(store, ticket_id, mina, "solved", no_article=True, tags=["wholesale"]) == closed
    with pytest.raises(desk.TicketClosed):
        desk.close(store, ticket_id, mina, "solved")
    assert desk.ticket(store, ticket_id).transcript[-1].stored == {
        "ticket": ticket_id,
        "outcome": "solved",
        "article": None,
        "no_article": True,
        "tags": ["wholesale", "vip"],
    }


def closed_by(store: Store, agent: Agent, outcome: str = "solved") -> int:
    ticket_id = handed_over(store)
    desk.claim(store, ticket_id, agent)
    desk.say(store, ticket_id, agent, f"a{ticket_id}", "Done.")
    desk.close(store, ticket_id, agent, outcome, "orders/track")
    return ticket_id


def comes_back(store: Store, ticket_id: int) -> desk.Ticket:
    with store.write() as conn:
        return desk.reopen(store, conn, ticket_id)


def test_a_reopened_ticket_goes_to_its_last_owner_if_they_are_there_else_to_the_queue(
    store: Store, clock: Clock, mina: Agent
) -> None:
    ticket_id = closed_by(store, mina)
    back = comes_back(store, ticket_id)
    assert (back.state, back.owner, back.outcome, back.article, back.closed_at) == ("waiting", None, None, None, None)
    assert back.reopened == 1
    assert back.first_reply_at is None  # the clock begins again
    assert back.due_at is not None
    assert back.due_at > clock.now
    desk.claim(store, ticket_id, mina)
    desk.close(store, ticket_id, mina, "solved")
    desk.seen(store, mina, "available")
    assert (comes_back(store, ticket_id).state, ticket_of(store, ticket_id).owner) == ("claimed", "Mina")
    desk.close(store, ticket_id, mina, "solved")
    desk.seen(store, mina, "away")
    assert comes_back(store, ticket_id).owner is None
    assert kinds(store, ticket_id).count("ticket.reopened") == 3


def test_a_ticket_is_taken_up_again_for_a_day_three_times_and_never_after_spam(
    store: Store, clock: Clock, mina: Agent
) -> None:
    def may(ticket_id: int) -> bool:
        with store.read() as conn:
            conversation_id = ticket_of(store, ticket_id).conversation
            return desk.closed_ticket_of(conn, conversation_id, store.now()) is not None

    assert not may(closed_by(store, mina, "spam"))
    ticket_id = closed_by(store, mina)
    for _ in range(3):
        assert may(ticket_id)
        comes_back(store, ticket_id)
        assert not may(ticket_id)
        desk.claim(store, ticket_id, mina)
        desk.close(store, ticket_id, mina, "not_solved")
    assert not may(ticket_id)
    other = closed_by(store, mina)
    clock.forward(hours=24)
    assert not may(other)


# ---------------------------------------------------------------- what a supervisor may do


def test_a_supervisor_takes_over_reassigns_and_closes_in_bulk_with_a_reason(
    store: Store, mina: Agent, nur: Agent, boss: Agent
) -> None:
    one, two, three = handed_over(store), handed_over(store), handed_over(store)
    desk.claim(store, two, mina)
    for change in (
        lambda: desk.take_over(store, two, nur),
        lambda: desk.close_many(store, [one], nur, "spam", "a wave of bots"),
    ):
        with pytest.raises(desk.NotAllowed):
            change()
    assert desk.take_over(store, one, boss).owner == "Boss"
    assert desk.transfer(store, three, boss, "Nur").owner == "Nur"  # it was waiting
    assert desk.take_over(store, two, boss, "I know this customer").owner == "Boss"
    with pytest.raises(desk.NotOwner, match="belongs to Boss"):
        desk.say(store, two, mina, "a1", "Hello")
    with pytest.raises(desk.MessageError):
        desk.close_many(store, [one], boss, "spam", "  ")
    four = handed_over(store)
    assert desk.close_many(store, [four, one, 999, one], boss, "spam", "a wave of bots") == [one, four]
    assert desk.close_many(store, [four, one], boss, "spam", "a wave of bots") == []
    line = desk.ticket(store, four).history[-1]
    assert (line.change, line.owner, line.actor, line.note) == ("closed", None, "agent:Boss", "a wave of bots")


def test_a_note_mentions_colleagues_and_a_whisper_its_owner(
    store: Store, mina: Agent, nur: Agent, boss: Agent
) -> None:
    accounts.add_agent(store, "Nur Ada", "agent", PASSWORD)
    ticket_id = handed_over(store)
    with pytest.raises(desk.NotOwner):
        desk.whisper(store, ticket_id, boss, "Offer a voucher")
    desk.claim(store, ticket_id, mina)
    assert desk.note(store, ticket_id, mina, "@nur ada, @Boss: is this ours? a@b.example").data.mentions == (
        "Boss",
        "Nur Ada",
    )
    assert "mentions" not in desk.note(store, ticket_id, mina, "nobody").stored
    assert desk.whisper(store, ticket_id, boss, "Offer a voucher").data.mentions == ("Mina",)


# ---------------------------------------------------------------- satisfaction


def test_a_customer_rates_once_after_a_person_closed(store: Store, mina: Agent) -> None:
    ticket_id = handed_over(store)
    conversation_id = ticket_of(store, ticket_id).conversation
    with pytest.raises(desk.NotRated) as caught:
        desk.rate(store, conversation_id, 5)
    assert caught.value.code == "nothing_closed"
    desk.claim(store, ticket_id, mina)
    desk.close(store, ticket_id, mina, "solved")
    with pytest.raises(desk.DeskError, match="1, 2, 3, 4 or 5"):
        desk.rate(store, conversation_id, 6)
    stored = desk.rate(store, conversation_id, 4, " Quick! ")
    assert desk.rate(store, conversation_id, 4, "Quick!") == stored
    with pytest.raises(desk.NotRated) as caught:
        desk.rate(store, conversation_id, 1)
    assert caught.value.code == "already_rated"
    shown = desk.ticket(store, ticket_id).satisfaction
    assert shown is not None
    assert (shown["score"], shown["comment"]) == (4, "Quick!")
    assert kinds(store, ticket_id).count("satisfaction") == 1
    summed = desk.overview(store).satisfaction
    assert (summed["count"], summed["mean"], summed["scores"]["4"]) == (1, 4.0, 1)


# ---------------------------------------------------------------- whatever is done, in whatever order

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *["claim", "release", "transfer", "pend", "close", "writes", "say", "take_over"],
                *["comes_back", "seen", "tick", "later", "absent", "bulk"],
            ]
        ),
        st.integers(0, 2),
        st.integers(0, 2),
        st.integers(0, 1),
    ),
    max_size=30,
)


@settings(max_examples=60)
@given(steps=STEPS)
def test_no_walk_leads_to_two_owners_or_to_a_state_that_the_history_does_not_tell(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int, int]]
) -> None:
    clock = Clock()
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('walk')}/record.db", clock=clock)
    store.migrate()
    team = [accounts.add_agent(store, name, role, PASSWORD) for name, role in _TEAM]
    tickets = [handed_over(store, "a complaint"), handed_over(store)]
    for number, (step, who, whom, which) in enumerate(steps):
        agent, other, ticket_id = team[who], team[whom], tickets[which]
        before = {each: _row(store, each) for each in tickets}
        clock.forward(seconds=7)
        try:
            _do(store, clock, step, agent, other, ticket_id, number)
        except (desk.DeskError, desk.MessageError):
            assert {each: _row(store, each) for each in tickets} == before
        for each in tickets:
            _consistent(store, each)
    store.close()


_TEAM = (("Mina", "agent"), ("Nur", "agent"), ("Boss", "supervisor"))


def _do(store: Store, clock: Clock, step: str, agent: Agent, other: Agent, ticket_id: int, number: int) -> Any:
    state = ticket_of(store, ticket_id).state
    if step == "claim":
        return desk.claim(store, ticket_id, agent)
    if step == "release":
        return desk.release(store, ticket_id, agent)
    if step == "transfer":
        return desk.transfer(store, ticket_id, agent, other.name)
    if step == "pend":
        return desk.wait_for_customer(store, ticket_id, agent)
    if step == "close":
        return desk.close(store, ticket_id, agent, "solved")
    if step == "writes":
        return writes(store, ticket_id) if state != "closed" else None
    if step == "say":
        return desk.say(store, ticket_id, agent, f"a{number}", "Hello")
    if step == "take_over":
        return desk.take_over(store, ticket_id, agent)
    if step == "comes_back":
        return comes_back(store, ticket_id)
    if step == "seen":
        return desk.seen(store, agent, "available" if other.name != "Boss" else "away")
    if step == "absent":
        delegate = other.name if other != agent else None
        return desk.plan_absence(store, agent, agent.name, clock.now, clock.forward(seconds=60), delegate)
    if step == "bulk":
        return desk.close_many(store, [ticket_id], agent, "spam", "a test")
    if step == "later":
        clock.forward(hours=13)
    return desk.tick(store)


def _row(store: Store, ticket_id: int) -> Any:
    with store.read() as conn:
        return conn.execute(sa.select(ticket_table).where(ticket_table.c.id == ticket_id)).one()


def _consistent(store: Store, ticket_id: int) -> None:
    row = _row(store, ticket_id)
    with store.read() as conn:
        lines = conn.execute(
            sa.select(ticket_state_table)
            .where(ticket_state_table.c.ticket_id == ticket_id)
            .order_by(ticket_state_table.c.n)
        ).all()
    assert [line.n for line in lines] == list(range(1, row.version + 1))
    assert (lines[-1].state, lines[-1].owner) == (row.state, row.owner)
    assert (row.owner is None) == (row.state == "waiting") or row.state == "closed"
    for before, after in itertools.pairwise(lines):
        assert after.change in _AFTER[before.state], (before, after)
        if after.change in ("claimed", "transferred"):
            assert after.owner is not None
        if after.change in ("pending", "resumed", "closed"):
            assert after.owner == before.owner
    result = [event for event in desk.ticket(store, ticket_id).transcript if event.kind.removeprefix("ticket.") in _ALL]
    assert [(event.kind.removeprefix("ticket."), event.actor) for event in result] == [
        (line.change, line.actor) for line in lines
    ]
    assert (ticket_id in order(store)) == (row.state == "waiting")


_AFTER = {
    "waiting": {"claimed", "transferred", "closed"},
    "claimed": {"pending", "released", "transferred", "closed"},
    "pending": {"resumed", "released", "transferred", "closed"},
    "closed": {"reopened"},
}
_ALL = {"opened", "reopened"}.union(*_AFTER.values())
