"""The human queue: the states of a ticket, who may change it, what is recorded, and when the team is on."""

import random
import threading
from datetime import UTC, datetime

import pytest
from moving import Clock

from botkit import accounts, desk
from botkit.accounts import Agent
from botkit.store import Event, Store
from botkit.store.event_data import CustomerMessage, Option

pytestmark = pytest.mark.databases("sqlite", "postgresql")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: str, clock: Clock):
    store = Store(database, clock=clock)
    yield store
    store.close()


@pytest.fixture
def mina(store: Store) -> Agent:
    return accounts.add_agent(store, "Mina", "agent", "copper pan and cezve")


@pytest.fixture
def nur(store: Store) -> Agent:
    return accounts.add_agent(store, "Nur", "agent", "copper pan and cezve")


@pytest.fixture
def boss(store: Store) -> Agent:
    return accounts.add_agent(store, "Boss", "supervisor", "copper pan and cezve")


def handed_over(store: Store, text: str = "where is it", lang: str = "en", reason: str = "no_answer") -> int:
    """A conversation whose bot gave up; the ticket's id."""
    candidates = [Option("orders/track-order", "Where is my order?", 0.3, lang, "")]
    with store.write() as conn:
        conversation_id = store.open_conversation(conn, "0" * 64, lang, "/orders/17")
        store.append(conn, conversation_id, "customer", CustomerMessage(text, "m"))
        return desk.open_ticket(store, conn, conversation_id, reason, lang, "/orders/17", candidates)


def log(store: Store, ticket_id: int) -> tuple[Event, ...]:
    return desk.ticket(store, ticket_id).transcript


def place(store: Store, ticket_id: int) -> int:
    with store.read() as conn:
        return desk.position(conn, ticket_id)


def test_a_ticket_goes_from_waiting_to_claimed_to_closed(store: Store, clock: Clock, mina: Agent) -> None:
    ticket_id = handed_over(store)
    clock.forward(seconds=90)
    assert desk.ticket(store, ticket_id).ticket.waited == 90
    assert desk.claim(store, ticket_id, mina).owner == "Mina"
    clock.forward(seconds=600)
    desk.say(store, ticket_id, mina, "m1", "Hello, let me look.")
    closed = desk.close(store, ticket_id, mina, "solved", "orders/track-order")
    assert (closed.state, closed.outcome, closed.article) == ("closed", "solved", "orders/track-order")
    assert closed.waited == 90
    assert [(e.kind, e.actor) for e in log(store, ticket_id)] == [
        ("conversation.opened", "system"),
        ("message", "customer"),
        ("ticket.opened", "bot"),
        ("ticket.claimed", "agent:Mina"),
        ("message", "agent:Mina"),
        ("ticket.closed", "agent:Mina"),
    ]
    assert log(store, ticket_id)[-1].stored == {
        "ticket": ticket_id,
        "outcome": "solved",
        "article": "orders/track-order",
    }


def test_a_conversation_has_one_open_ticket_and_may_have_another_later(store: Store, mina: Agent) -> None:
    first = handed_over(store)
    conversation_id = desk.ticket(store, first).ticket.conversation
    with store.write() as conn:
        assert desk.open_ticket(store, conn, conversation_id, "customer_request", "en", None, []) == first
    desk.claim(store, first, mina)
    desk.close(store, first, mina, "solved")
    with store.write() as conn:
        second = desk.open_ticket(store, conn, conversation_id, "customer_request", "en", None, [])
    assert second != first
    assert [event.kind for event in log(store, second)].count("ticket.opened") == 2


def test_the_queue_is_first_come_first_served_and_a_released_ticket_keeps_its_place(
    store: Store, clock: Clock, mina: Agent
) -> None:
    tickets = []
    for _ in range(3):
        tickets.append(handed_over(store))
        clock.forward(seconds=1)
    one, two, three = tickets
    assert [place(store, ticket_id) for ticket_id in tickets] == [1, 2, 3]
    desk.claim(store, one, mina)
    assert [place(store, ticket_id) for ticket_id in tickets] == [0, 1, 2]
    desk.release(store, one, mina)
    assert [place(store, ticket_id) for ticket_id in tickets] == [1, 2, 3]
    desk.claim(store, two, mina)
    desk.claim(store, three, mina)
    desk.close(store, three, mina, "spam")
    assert [(t.id, t.state) for t in desk.queue(store)] == [(one, "waiting"), (two, "claimed"), (three, "closed")]
    assert desk.counts(store) == {"waiting": 1, "claimed": 1, "pending": 0}
    assert place(store, 999) == 0


def test_the_queue_can_be_asked_by_state_language_and_page(store: Store, clock: Clock, mina: Agent) -> None:
    for lang in ("en", "tr", "fa", "tr"):
        handed_over(store, text=f"question in {lang}", lang=lang)
        clock.forward(seconds=1)
    assert [t.lang for t in desk.queue(store, language="tr")] == ["tr", "tr"]
    assert [t.last_text for t in desk.queue(store, limit=2, offset=1)] == ["question in tr", "question in fa"]
    assert desk.queue(store, state="claimed") == []
    with pytest.raises(desk.DeskError, match="waiting, claimed, pending, closed"):
        desk.queue(store, state="lost")


def test_pages_of_the_queue_join_without_gap_or_overlap(store: Store, clock: Clock, mina: Agent) -> None:
    """Across the states, and for one language or owner alone."""
    for n in range(9):
        ticket_id = handed_over(store, lang="en" if n % 2 else "tr")
        clock.forward(seconds=1)
        if n % 4:
            desk.claim(store, ticket_id, mina)
        if n % 4 == 2:
            desk.wait_for_customer(store, ticket_id, mina)
        if n % 4 == 3:
            desk.close(store, ticket_id, mina, "solved")
    for chosen in ({}, {"language": "tr"}, {"owner": "Mina"}):
        whole = [ticket.id for ticket in desk.queue(store, **chosen)]
        for size in (1, 2, 4):
            pages = [desk.queue(store, limit=size, offset=at, **chosen) for at in range(0, len(whole) + size, size)]
            assert [ticket.id for page in pages for ticket in page] == whole
    assert [t.state for t in desk.queue(store)] == sorted((t.state for t in desk.queue(store)), key=desk.STATES.index)


def test_the_loser_of_a_claim_learns_who_was_first(store: Store, mina: Agent, nur: Agent) -> None:
    ticket_id = handed_over(store)
    desk.claim(store, ticket_id, mina)
    with pytest.raises(desk.AlreadyClaimed) as caught:
        desk.claim(store, ticket_id, nur)
    assert (caught.value.owner, caught.value.code) == ("Mina", "already_claimed")
    assert desk.claim(store, ticket_id, mina).owner == "Mina"
    assert [event.kind for event in log(store, ticket_id)].count("ticket.claimed") == 1


def test_eight_racing_agents_never_hold_one_ticket_twice(database: str) -> None:
    store = Store(database)
    agents = [accounts.add_agent(store, f"Agent {n}", "agent", "copper pan and cezve") for n in range(8)]
    tickets = [handed_over(store) for _ in range(30)]
    gate = threading.Barrier(len(agents))
    won: dict[str, list[int]] = {agent.name: [] for agent in agents}
    lost: list[tuple[int, str | None]] = []

    def race(agent: Agent) -> None:
        own = Store(database)
        order = random.Random(agent.id).sample(tickets, len(tickets))
        gate.wait()
        for ticket_id in order:
            try:
                desk.claim(own, ticket_id, agent)
                won[agent.name].append(ticket_id)
            except desk.AlreadyClaimed as error:
                lost.append((ticket_id, error.owner))
        own.close()

    threads = [threading.Thread(target=race, args=(agent,)) for agent in agents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    owners = {ticket.id: ticket.owner for ticket in desk.queue(store, "claimed", limit=100)}
    assert sorted(owners) == tickets
    assert {ticket_id: name for name, ids in won.items() for ticket_id in ids} == owners
    assert sum(map(len, won.values())) == len(tickets)
    assert len(lost) == len(tickets) * (len(agents) - 1)
    assert all(owner == owners[ticket_id] for ticket_id, owner in lost)
    for ticket_id in tickets:
        assert [event.kind for event in log(store, ticket_id)].count("ticket.claimed") == 1
    store.close()


def test_only_the_owner_speaks_to_the_customer(store: Store, mina: Agent, nur: Agent, boss: Agent) -> None:
    ticket_id = handed_over(store)
    with pytest.raises(desk.NotOwner, match="claim it first"):
        desk.say(store, ticket_id, mina, "m1", "Hello")
    desk.claim(store, ticket_id, mina)
    for other in (nur, boss):
        with pytest.raises(desk.NotOwner, match="belongs to Mina"):
            desk.say(store, ticket_id, other, "m1", "Hello")
    desk.close(store, ticket_id, mina, "not_solved")
    with pytest.raises(desk.TicketClosed):
        desk.say(store, ticket_id, mina, "m1", "One more thing")


def test_an_agents_message_sent_again_is_stored_once_even_after_the_end(store: Store, mina: Agent) -> None:
    ticket_id = handed_over(store)
    desk.claim(store, ticket_id, mina)
    first = desk.say(store, ticket_id, mina, "m1", "Your parcel left today.")
    desk.close(store, ticket_id, mina, "solved")
    assert desk.say(store, ticket_id, mina, "m1", "Your parcel left today.") == first
    assert [e.data.text for e in log(store, ticket_id) if e.actor == "agent:Mina" and e.kind == "message"] == [
        "Your parcel left today."
    ]


def test_notes_are_for_any_colleague_at_any_time(store: Store, mina: Agent, nur: Agent) -> None:
    ticket_id = handed_over(store)
    desk.note(store, ticket_id, nur, "VIP", "n1")
    desk.note(store, ticket_id, nur, "VIP", "n1")
    desk.claim(store, ticket_id, mina)
    desk.close(store, ticket_id, mina, "solved")
    desk.note(store, ticket_id, nur, "called back")
    assert [e.data.text for e in log(store, ticket_id) if e.kind == "note"] == ["VIP", "called back"]


def test_a_transfer_changes_the_owner_and_carries_a_note(store: Store, mina: Agent, nur: Agent) -> None:
    analyst = accounts.add_agent(store, "Ana", "analyst", "copper pan and cezve")
    ticket_id = handed_over(store)
    with pytest.raises(desk.NotOwner):
        desk.transfer(store, ticket_id, mina, "Nur")
    desk.claim(store, ticket_id, mina)
    for nobody in ("Nobody", analyst.name):
        with pytest.raises(desk.DeskError, match="works at the desk"):
            desk.transfer(store, ticket_id, mina, nobody)
    with pytest.raises(desk.NotOwner):
        desk.transfer(store, ticket_id, nur, "Nur")
    assert desk.transfer(store, ticket_id, mina, "nur", "speaks Turkish").owner == "Nur"
    moved, note = log(store, ticket_id)[-2:]
    assert moved.stored == {"ticket": ticket_id, "from": "Mina", "to": "Nur"}
    assert (note.kind, note.data.text) == ("note", "speaks Turkish")
    with pytest.raises(desk.NotOwner, match="belongs to Nur"):
        desk.say(store, ticket_id, mina, "m1", "Hello")
    assert desk.say(store, ticket_id, nur, "m1", "Merhaba").data.text == "Merhaba"


def test_a_supervisor_can_take_a_ticket_from_an_absent_agent(
    store: Store, mina: Agent, nur: Agent, boss: Agent
) -> None:
    ticket_id = handed_over(store)
    desk.claim(store, ticket_id, mina)
    with pytest.raises(desk.NotOwner):
        desk.release(store, ticket_id, nur)
    assert desk.release(store, ticket_id, boss).state == "waiting"
    assert desk.release(store, ticket_id, boss).state == "waiting"
    assert [event.kind for event in log(store, ticket_id)].count("ticket.released") == 1
    desk.claim(store, ticket_id, mina)
    assert desk.close(store, ticket_id, boss, "not_solved").owner == "Mina"


def test_a_ticket_is_closed_once_by_its_owner_with_a_known_outcome(store: Store, mina: Agent, nur: Agent) -> None:
    ticket_id = handed_over(store)
    with pytest.raises(desk.DeskError, match="solved, not_solved, spam"):
        desk.close(store, ticket_id, mina, "fine")
    with pytest.raises(desk.NotOwner):
        desk.close(store, ticket_id, mina, "solved")
    desk.claim(store, ticket_id, mina)
    with pytest.raises(desk.NotOwner):
        desk.close(store, ticket_id, nur, "solved")
    first = desk.close(store, ticket_id, mina, "solved")
    assert desk.close(store, ticket_id, mina, "solved") == first
    with pytest.raises(desk.TicketClosed):
        desk.close(store, ticket_id, mina, "spam")
    for change in (desk.claim, desk.release):
        with pytest.raises(desk.TicketClosed):
            change(store, ticket_id, mina)
    assert [event.kind for event in log(store, ticket_id)].count("ticket.closed") == 1


def test_an_unknown_ticket_is_named(store: Store, mina: Agent) -> None:
    for change in (
        lambda: desk.ticket(store, 99),
        lambda: desk.claim(store, 99, mina),
        lambda: desk.release(store, 99, mina),
        lambda: desk.transfer(store, 99, mina, "Mina"),
        lambda: desk.say(store, 99, mina, "m1", "Hello"),
        lambda: desk.note(store, 99, mina, "Hello"),
        lambda: desk.close(store, 99, mina, "solved"),
    ):
        with pytest.raises(desk.NoTicket, match="no such ticket: 99"):
            change()


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "empty"), (" \n\u200b\u202e\x00", "empty"), ("x" * 4001, "too_long"), ("x" * 10**6, "too_long")],
)
def test_a_text_that_cannot_be_sent_is_refused(store: Store, mina: Agent, text: str, code: str) -> None:
    ticket_id = handed_over(store)
    desk.claim(store, ticket_id, mina)
    with pytest.raises(desk.MessageError) as caught:
        desk.say(store, ticket_id, mina, "m1", text)
    assert caught.value.code == code
    assert desk.say(store, ticket_id, mina, "m1", "x" * 4000 + " \n").data.text == "x" * 4000


@pytest.mark.parametrize("client_id", ["", "a b", "x" * 65, "ü", "\ud800"])
def test_a_client_id_that_is_none_is_refused(client_id: str) -> None:
    with pytest.raises(desk.MessageError, match="such as a UUID"):
        desk.checked_client_id(client_id)


def test_the_usual_wait_is_the_median_of_recent_claims(store: Store, clock: Clock, mina: Agent) -> None:
    def usual() -> float | None:
        with store.read() as conn:
            return desk.usual_wait(conn, clock.now)

    for seconds in (30, 60, 3000):
        assert usual() is None
        ticket_id = handed_over(store)
        clock.forward(seconds=seconds)
        desk.claim(store, ticket_id, mina)
    assert usual() == 60
    clock.forward(hours=3)
    assert usual() is None


WEEK = {day: ["09:00", "20:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat")}


@pytest.mark.parametrize(
    ("utc", "open_now", "next_open"),
    [
        ("2026-11-20T07:30:00", True, None),  # Friday, 09:30 in Sofia
        ("2026-11-20T06:59:59", False, "2026-11-20T09:00:00+02:00"),
        ("2026-11-20T18:00:00", False, "2026-11-21T09:00:00+02:00"),  # 20:00 sharp: gone home
        ("2026-11-21T18:30:00", False, "2026-11-23T09:00:00+02:00"),  # Saturday evening: Sunday is closed
        ("2026-07-20T06:30:00", True, None),  # summer time
    ],
)
def test_opening_hours_are_read_on_the_shops_own_clock(utc: str, open_now: bool, next_open: str | None) -> None:
    result = desk.opening({"time_zone": "Europe/Sofia", "open": WEEK}, datetime.fromisoformat(utc).replace(tzinfo=UTC))
    assert result.open_now is open_now
    assert (result.next_open.isoformat() if result.next_open else None) == next_open


def test_hours_may_have_a_break_and_may_pass_midnight() -> None:
    shop = {"time_zone": "UTC", "open": {"mon": [["09:00", "12:00"], ["13:00", "17:00"]], "fri": ["18:00", "02:00"]}}

    def is_open(day: int, hour: int) -> bool:
        return desk.opening(shop, datetime(2026, 11, day, hour, tzinfo=UTC)).open_now

    assert [is_open(23, hour) for hour in (8, 9, 12, 13, 17)] == [False, True, False, True, False]
    assert [is_open(20, 18), is_open(21, 1), is_open(21, 2)] == [True, True, False]


@pytest.mark.parametrize(
    "shop",
    [
        {},
        {"time_zone": "Europe/Sofia"},
        {"time_zone": "Mars/Olympus", "open": WEEK},
        {"time_zone": "Europe/Sofia", "open": {"mon": ["nine", "five"]}},
        {"time_zone": "Europe/Sofia", "open": "always"},
        {"time_zone": "Europe/Sofia", "open": {"mon": ["09:00"]}},
        {"time_zone": "Europe/Sofia", "open": {}},
    ],
)
def test_unknown_hours_promise_nobody(shop: dict[str, object]) -> None:
    assert desk.opening(shop, datetime(2026, 11, 23, 12, tzinfo=UTC)) == desk.Opening(False, None)
