"""What the desk does by itself: the order of the queue, offers in turn, clocks, absences, and many who act at once."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from desk_shop import handed_over, kinds, order, writes
from hypothesis import given
from hypothesis import strategies as st
from moving import Clock

from botkit import accounts, desk, language
from botkit.accounts import Agent
from botkit.store import Store
from botkit.store.ticket_row import Points

pytestmark = pytest.mark.databases("sqlite", "postgresql")

PASSWORD = "copper pan and cezve"
QUIET = desk.Policy(offer_seconds=0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


Hire = Callable[..., Agent]


@pytest.fixture
def hire(store: Store) -> Hire:
    """Make an agent, arrange their profile, and have them there."""

    def made(name: str, role: str = "agent", here: bool = True, **profile: Any) -> Agent:
        agent = accounts.add_agent(store, name, role, PASSWORD)
        desk.arrange(store, agent, name, **profile)
        if here:
            desk.seen(store, agent, "available")
        return agent

    return made


def ticket_of(store: Store, ticket_id: int) -> desk.Ticket:
    return desk.ticket(store, ticket_id).ticket


# ---------------------------------------------------------------- priority


@pytest.mark.parametrize(
    ("text", "concern"),
    [
        ("I want to complain about your courier", "complaint"),
        ("when is my refund", "refund"),
        ("please delete my account", "data_request"),
        ("Şikayetim var, müşteri hizmetleri çok kötü", "complaint"),
        ("paramı geri istiyorum", "refund"),
        ("KVKK kapsamında verilerimi silin", "data_request"),
        ("عندي شكوى على الخدمة", "complaint"),
        ("أريد استرداد المبلغ", "refund"),
        ("احذفوا حسابي من فضلكم", "data_request"),
        ("می‌خواهم شکایت کنم", "complaint"),
        ("پولم را پس بدهید", "refund"),
        ("حذف حساب کاربری", "data_request"),
        ("Имам оплакване от куриера", "complaint"),
        ("искам си парите, възстановете сумата", "refund"),
        ("изтрийте профила ми и личните ми данни", "data_request"),
    ],
)
def test_a_complaint_money_and_personal_data_are_heard_in_every_language(text: str, concern: str) -> None:
    assert concern in language.concerns(text)


@pytest.mark.parametrize(
    "text", ["Where is my order?", "Siparişim nerede?", "أين طلبي؟", "سفارش من کجاست؟", "Къде е поръчката ми?"]
)
def test_an_everyday_question_is_no_such_concern(text: str) -> None:
    assert language.concerns(text) == frozenset()


def test_a_ticket_says_why_it_is_urgent(store: Store, clock: Clock) -> None:
    policy = desk.Policy(points={"vip": 15})
    ticket_id = handed_over(
        store, "this is a scam", reason="customer_request", topics=["refunds"], tags=["vip", "new"], policy=policy
    )
    result = ticket_of(store, ticket_id)
    assert result.priority.as_json() == {
        "value": 85,
        "reasons": [
            {"reason": "complaint", "points": 30},
            {"reason": "asked", "points": 20},
            {"reason": "refund", "points": 20},
            {"reason": "tag", "tag": "vip", "points": 15},
        ],
    }
    assert {"refunds", "complaint", "refund"} <= set(result.topics)
    clock.forward(minutes=5)
    aged = ticket_of(store, ticket_id).as_dict()["priority"]
    assert aged["value"] == 95
    assert aged["reasons"][-1] == {"reason": "waited", "points": 10}


def test_who_comes_again_comes_before_who_comes_first(store: Store, hire: Hire) -> None:
    mina = hire("Mina")
    first = handed_over(store)
    desk.claim(store, first, mina)
    desk.close(store, first, mina, "solved")
    new = handed_over(store)
    with store.write() as conn:
        again = desk.open_ticket(store, conn, ticket_of(store, first).conversation, "no_answer", "en", None, [])
    assert order(store) == [again, new]
    assert ticket_of(store, again).priority.reasons == (Points("came_again", 10),)


def test_the_queue_is_in_the_order_of_priority_and_so_is_the_place_in_it(store: Store, clock: Clock) -> None:
    trivial = handed_over(store)
    clock.forward(seconds=60)
    complaint = handed_over(store, "I want to complain")
    asked = handed_over(store, reason="customer_request")
    assert order(store) == [complaint, asked, trivial]
    clock.forward(minutes=30)
    late_complaint = handed_over(store, "I want to complain")
    assert order(store) == [complaint, asked, trivial, late_complaint]
    with store.read() as conn:
        assert [desk.position(conn, each) for each in order(store)] == [1, 2, 3, 4]
        policy = desk.Policy()
        conversation = ticket_of(store, trivial).conversation
        assert desk.coming(conn, conversation, "policy", at=clock.now, policy=policy) == 5


def test_nobody_starves_however_many_urgent_ones_come(store: Store, clock: Clock, hire: Hire) -> None:
    """One trivial ticket against complaints that come twice as fast as the team works: it is overtaken by those alone
    that came within the time that its lack of points is worth, and then it is its turn."""
    mina = hire("Mina")
    clock.forward(seconds=-60)
    trivial = handed_over(store)
    began, taken = clock.now, []
    for _ in range(120):
        clock.forward(seconds=60)
        handed_over(store, "a complaint about a refund")
        handed_over(store, "a complaint about a refund")
        taken.append(order(store)[0])
        desk.claim(store, taken[-1], mina)
        if taken[-1] == trivial:
            break
    assert taken[-1] == trivial
    worth = timedelta(seconds=50 * desk.SECONDS_PER_POINT)
    overtook = [ticket_of(store, each).opened_at - began for each in taken[:-1]]
    assert max(overtook) <= worth
    assert len(taken) > 40  # urgent ones did come first


@given(
    arrivals=st.lists(st.tuples(st.integers(0, 3600), st.integers(0, 100)), min_size=1, max_size=30),
    wait=st.integers(0, 86400),
)
def test_waiting_changes_nobodys_place(arrivals: list[tuple[int, int]], wait: int) -> None:
    """The kept order is that of points and time waited, at any time."""
    start = datetime(2026, 11, 20, tzinfo=UTC)
    ranked = sorted(arrivals, key=lambda each: (desk.rank(start + timedelta(seconds=each[0]), each[1]), each))
    points = sorted(arrivals, key=lambda each: (-(each[1] + (wait - each[0]) / desk.SECONDS_PER_POINT), each))
    assert [desk.rank(start + timedelta(seconds=at), value) for at, value in ranked] == [
        desk.rank(start + timedelta(seconds=at), value) for at, value in points
    ]


# ---------------------------------------------------------------- who is there


def test_presence_lasts_two_minutes_and_signing_out_ends_it(store: Store, clock: Clock, hire: Hire) -> None:
    mina = hire("Mina")
    assert desk.profile(store, "Mina").on_duty
    clock.forward(seconds=119)
    assert desk.profile(store, "Mina").present
    clock.forward(seconds=1)
    assert not desk.profile(store, "Mina").present
    desk.seen(store, mina)
    assert desk.profile(store, "Mina").on_duty
    desk.left(store, mina)
    assert not desk.profile(store, "Mina").on_duty
    accounts.add_agent(store, "Ana", "analyst", PASSWORD)
    assert [profile.agent for profile in desk.profiles(store)] == ["Mina"]


def test_shifts_and_holidays_count_on_the_agents_own_clock(store: Store, clock: Clock, hire: Hire) -> None:
    mina = hire("Mina", time_zone="Europe/Sofia", shifts={"fri": ["09:00", "17:00"]}, holidays=["2026-11-27"])
    clock.now = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)  # 09:00 in Sofia
    for at, on in ((timedelta(), True), (timedelta(hours=8), False), (timedelta(days=7), False)):
        clock.now = datetime(2026, 11, 20, 7, 0, tzinfo=UTC) + at
        desk.seen(store, mina, "available")
        assert desk.profile(store, "Mina").on_duty is on
    clock.now = datetime(2026, 12, 4, 7, 0, tzinfo=UTC)
    desk.seen(store, mina)
    assert desk.profile(store, "Mina").on_duty


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"languages": ["xx"]}, "no such language"),
        ({"capacity": 51}, "expected 0 to 50"),
        ({"time_zone": "Mars/Olympus"}, "Europe/Sofia"),
        ({"shifts": {"someday": ["09:00", "17:00"]}}, "weekday"),
        ({"shifts": {"mon": ["nine", "five"]}}, "hours by weekday"),
        ({"holidays": ["Christmas"]}, "2026-12-25"),
    ],
)
def test_a_profile_is_arranged_with_sense(store: Store, hire: Hire, wrong: dict[str, Any], says: str) -> None:
    mina = hire("Mina")
    with pytest.raises(desk.DeskError, match=says):
        desk.arrange(store, mina, "Mina", **wrong)


def test_agents_arrange_their_own_seat_and_supervisors_everybodys(store: Store, hire: Hire) -> None:
    mina, boss = hire("Mina"), hire("Boss", "supervisor")
    with pytest.raises(desk.NotAllowed):
        desk.arrange(store, mina, "Boss", capacity=1)
    profile = desk.arrange(store, boss, "mina", languages=["tr", "tr"], skills=["Refund ", "refund"], capacity=2)
    assert (profile.languages, profile.skills, profile.capacity) == (("tr",), ("refund",), 2)
    with pytest.raises(desk.DeskError, match="nobody who works at the desk"):
        desk.arrange(store, boss, "Nobody", capacity=1)


# ---------------------------------------------------------------- offers


def test_the_best_agent_speaks_the_language_then_knows_the_matter_then_is_least_loaded(
    store: Store, hire: Hire
) -> None:
    hire("Ali", languages=["en"])
    hire("Bora")  # says nothing, so any language
    hire("Cem", languages=["tr"], capacity=4)
    hire("Deniz", languages=["tr"], capacity=2)
    hire("Ece", languages=["tr"], skills=["refund"])
    hire("Gone", here=False, languages=["tr"], skills=["refund"])

    def offered(**more: Any) -> str | None:
        ticket_id = handed_over(store, lang="tr", **more)
        desk.offer(store)
        return ticket_of(store, ticket_id).offered_to

    assert offered(topics=["refund"]) == "Ece"
    assert [offered() for _ in range(4)] == ["Cem", "Deniz", "Cem", "Ece"]


def test_a_supervisor_who_looks_in_is_offered_nothing_unless_they_want_a_share(store: Store, hire: Hire) -> None:
    boss = hire("Boss", "supervisor")
    handed_over(store)
    assert desk.offer(store) is None
    desk.arrange(store, boss, "Boss", capacity=1)
    offered = desk.offer(store)
    assert offered is not None
    assert offered.offered_to == "Boss"


def test_nobody_is_offered_what_they_cannot_read_and_it_does_not_hold_up_the_rest(store: Store, hire: Hire) -> None:
    hire("Ali", languages=["en"], capacity=1)
    strange = [handed_over(store, "a complaint", lang="fa") for _ in range(5)]
    known = handed_over(store, lang="en")
    unknown = handed_over(store, lang=None)
    assert desk.tick(store).offered == 1
    assert ticket_of(store, known).offered_to == "Ali"
    assert [ticket_of(store, each).offered_to for each in [*strange, unknown]] == [None] * 6


def test_an_offer_that_runs_out_is_passed_on_and_comes_round(store: Store, clock: Clock, hire: Hire) -> None:
    mina, nur = hire("Mina"), hire("Nur")
    ticket_id, policy = handed_over(store), desk.Policy(offer_seconds=60)

    def next_round() -> str | None:
        clock.forward(seconds=60)
        for agent in (mina, nur):
            desk.seen(store, agent)
        desk.tick(store, policy=policy)
        return ticket_of(store, ticket_id).offered_to

    desk.tick(store, policy=policy)
    assert ticket_of(store, ticket_id).offered_to == "Mina"
    assert [next_round() for _ in range(3)] == ["Nur", "Mina", "Nur"]
    clock.forward(seconds=59)
    assert desk.claim(store, ticket_id, mina).owner == "Mina"  # an offer keeps nobody else out
    with pytest.raises(desk.AlreadyClaimed) as caught:
        desk.claim(store, ticket_id, nur)
    assert caught.value.owner == "Mina"
    assert kinds(store, ticket_id).count("ticket.offered") == 4


def test_who_lets_three_offers_pass_counts_as_away_until_they_say_otherwise(
    store: Store, clock: Clock, hire: Hire
) -> None:
    mina = hire("Mina")
    ticket_id = handed_over(store)
    for _ in range(3):
        assert desk.tick(store).offered == 1
        clock.forward(seconds=60)
        desk.seen(store, mina)
    done = desk.tick(store)
    assert (done.passed, done.offered) == (1, 0)
    assert (desk.profile(store, "Mina").status, desk.profile(store, "Mina").on_duty) == ("away", False)
    desk.seen(store, mina, "available")
    assert desk.tick(store).offered == 1
    desk.claim(store, ticket_id, mina)
    assert desk.profile(store, "Mina").missed == 0


def test_a_share_counts_conversations_and_offers_but_not_those_that_wait_for_a_customer(
    store: Store, hire: Hire
) -> None:
    mina = hire("Mina", capacity=2)
    first, second, third = handed_over(store), handed_over(store), handed_over(store)
    desk.claim(store, first, mina)
    assert desk.tick(store).offered == 1
    assert desk.tick(store).offered == 0
    assert ticket_of(store, third).offered_to is None
    desk.claim(store, second, mina)
    desk.wait_for_customer(store, first, mina)
    assert desk.tick(store).offered == 1
    assert ticket_of(store, third).offered_to == "Mina"


# ---------------------------------------------------------------- clocks

NINE_TO_FIVE = {
    "time_zone": "UTC",
    "open": {day: ["09:00", "17:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
}


@pytest.mark.parametrize(
    ("since", "seconds", "at"),
    [
        ("2026-11-20T12:00:00", 30, "2026-11-20T12:00:30"),
        ("2026-11-20T16:50:00", 900, "2026-11-23T09:05:00"),  # Friday: the rest is Monday's
        ("2026-11-20T16:45:00", 900, "2026-11-20T17:00:00"),
        ("2026-11-21T10:00:00", 30, "2026-11-23T09:00:30"),
        ("2026-11-20T12:00:00", 40 * 3600, "2026-11-27T12:00:00"),
    ],
)
def test_a_first_reply_is_due_after_so_much_of_the_teams_time(since: str, seconds: int, at: str) -> None:
    result = desk.due(NINE_TO_FIVE, datetime.fromisoformat(since).replace(tzinfo=UTC), seconds)
    assert result == datetime.fromisoformat(at).replace(tzinfo=UTC)


@pytest.mark.parametrize("shop", [{}, {"time_zone": "Mars", "open": {"mon": ["09:00", "17:00"]}}])
def test_without_hours_every_hour_counts(shop: dict[str, Any]) -> None:
    now = datetime(2026, 11, 21, 3, tzinfo=UTC)
    assert desk.due(shop, now, 30) == now + timedelta(seconds=30)


def test_a_shop_that_never_closes_is_always_open() -> None:
    always = {
        "time_zone": "Europe/Sofia",
        "open": {day: ["00:00", "24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
    }
    for night in (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 24, 23, tzinfo=UTC)):
        for seconds in (30, 900, 7200):
            assert abs(desk.due(always, night, seconds) - night - timedelta(seconds=seconds)) <= timedelta(hours=1)


def test_a_late_first_reply_is_warned_of_and_then_told_once(store: Store, clock: Clock, hire: Hire) -> None:
    mina = hire("Mina")
    ticket_id = handed_over(store)
    known: list[tuple[int, int]] = []
    for _ in range(7):
        done = desk.tick(store, policy=QUIET)
        known.append((done.warned, done.breached))
        clock.forward(seconds=7)
    assert known == [(0, 0), (0, 0), (0, 0), (1, 0), (0, 0), (0, 1), (0, 0)]
    assert kinds(store, ticket_id)[-2:] == ["ticket.warned", "ticket.breached"]
    breached = desk.overview(store)
    assert (breached.breached_count, [ticket.id for ticket in breached.breached]) == (1, [ticket_id])
    desk.claim(store, ticket_id, mina)
    desk.say(store, ticket_id, mina, "a1", "Sorry")
    assert desk.overview(store).breached_count == 0
    assert ticket_of(store, ticket_id).breached_at is not None


def test_a_reply_in_time_stops_the_clock(store: Store, clock: Clock, hire: Hire) -> None:
    mina = hire("Mina")
    ticket_id = handed_over(store)
    clock.forward(seconds=20)
    desk.claim(store, ticket_id, mina)
    desk.say(store, ticket_id, mina, "a1", "Hello")
    clock.forward(hours=1)
    assert not desk.tick(store, policy=QUIET)
    assert ticket_of(store, ticket_id).breached_at is None


def test_a_reply_after_its_time_is_a_breach_though_nobody_looked(store: Store, clock: Clock, hire: Hire) -> None:
    mina = hire("Mina")
    ticket_id = handed_over(store)
    clock.forward(seconds=31)
    desk.claim(store, ticket_id, mina)
    desk.say(store, ticket_id, mina, "a1", "Hello")
    assert ticket_of(store, ticket_id).breached_at == clock.now


def test_targets_are_by_channel_and_priority(store: Store, clock: Clock) -> None:
    policy = desk.Policy(high=30, live_reply=60, live_reply_high=20, mail_reply=900, mail_reply_high=300)
    for text, channel, seconds in (
        ("where is it", "live", 60),
        ("a complaint", "live", 20),
        ("where is it", "mail", 900),
        ("a complaint", "mail", 300),
    ):
        ticket = ticket_of(store, handed_over(store, text, channel=channel, policy=policy))
        assert ticket.due_at == clock.now + timedelta(seconds=seconds), (text, channel)


# ---------------------------------------------------------------- absences


def test_an_absence_sends_tickets_to_the_queue_and_brings_back_those_that_nobody_took(
    store: Store, clock: Clock, hire: Hire
) -> None:
    mina, nur = hire("Mina"), hire("Nur")
    taken, left, closed = handed_over(store), handed_over(store), handed_over(store)
    for ticket_id in (taken, left, closed):
        desk.claim(store, ticket_id, mina)
    desk.plan_absence(store, mina, "Mina", clock.now + timedelta(hours=1), clock.now + timedelta(hours=3))
    assert desk.tick(store, policy=QUIET).left == 0
    clock.forward(hours=1)
    assert desk.tick(store, policy=QUIET).left == 3
    assert desk.tick(store, policy=QUIET).left == 0
    assert [ticket_of(store, each).home for each in (taken, left, closed)] == ["Mina"] * 3
    desk.seen(store, mina, "available")
    assert not desk.profile(store, "Mina").on_duty
    for ticket_id in (taken, closed):
        desk.claim(store, ticket_id, nur)
    desk.close(store, closed, nur, "solved")
    clock.forward(hours=2)
    desk.seen(store, nur)
    assert desk.tick(store, policy=QUIET).returned == 1
    assert [ticket_of(store, each).owner for each in (taken, left, closed)] == ["Nur", "Mina", "Nur"]
    assert desk.absences(store) == []


def test_a_delegate_stands_in_and_gives_back_what_is_not_closed(store: Store, clock: Clock, hire: Hire) -> None:
    mina, nur = hire("Mina"), hire("Nur")
    going_on, waiting_for, done = handed_over(store), handed_over(store), handed_over(store)
    for ticket_id in (going_on, waiting_for, done):
        desk.claim(store, ticket_id, mina)
    desk.wait_for_customer(store, waiting_for, mina)
    with pytest.raises(desk.DeskError, match="stands in"):
        desk.plan_absence(store, mina, "Mina", clock.now, clock.now + timedelta(hours=1), "Mina")
    with pytest.raises(desk.NotAllowed):
        desk.plan_absence(store, nur, "Mina", clock.now, clock.now + timedelta(hours=1))
    absence = desk.plan_absence(store, mina, "Mina", clock.now, clock.now + timedelta(hours=4), "nur", QUIET)
    assert desk.tick(store, policy=QUIET).left == 0  # it has begun by itself
    states = [(t.owner, t.state) for t in (ticket_of(store, each) for each in (going_on, waiting_for, done))]
    assert states == [("Nur", "claimed"), ("Nur", "pending"), ("Nur", "claimed")]
    writes(store, waiting_for)
    desk.close(store, done, nur, "solved")
    desk.end_absence(store, mina, absence, QUIET)  # back early
    assert desk.tick(store, policy=QUIET).returned == 0
    assert [ticket_of(store, each).owner for each in (going_on, waiting_for, done)] == ["Mina", "Mina", "Nur"]


def test_whoever_lost_their_account_keeps_no_customer_waiting(store: Store, clock: Clock, hire: Hire) -> None:
    mina = hire("Mina")
    claimed, pending, closed = handed_over(store), handed_over(store), handed_over(store)
    for ticket_id in (claimed, pending, closed):
        desk.claim(store, ticket_id, mina)
    desk.wait_for_customer(store, pending, mina)
    desk.close(store, closed, mina, "solved")
    assert desk.tick(store, policy=QUIET).left == 0
    accounts.disable(store, "Mina")
    assert desk.tick(store, policy=QUIET).left == 2
    assert desk.tick(store, policy=QUIET).left == 0
    assert [ticket_of(store, each).state for each in (claimed, pending, closed)] == ["waiting", "waiting", "closed"]


# ---------------------------------------------------------------- many at once


def race(works: list[Callable[[], None]]) -> None:
    failures: list[BaseException] = []
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        gate.wait()
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_eight_agents_race_for_hundreds_of_tickets_and_every_loser_is_told_who_has_it(
    store: Store, hire: Hire
) -> None:
    """While the desk offers the same tickets and somebody closes some of them."""
    agents = [hire(f"Agent {n}", capacity=50) for n in range(8)]
    tickets = [handed_over(store) for _ in range(240)]
    won: dict[str, list[int]] = {agent.name: [] for agent in agents}
    lost: list[tuple[int, str | None]] = []

    def claims(agent: Agent) -> None:
        own = Store(store.url.render_as_string(hide_password=False), clock=store.now)
        for ticket_id in random.Random(agent.id).sample(tickets, len(tickets)):
            try:
                desk.claim(own, ticket_id, agent)
                won[agent.name].append(ticket_id)
            except desk.AlreadyClaimed as error:
                lost.append((ticket_id, error.owner))
        own.close()

    def ticks() -> None:
        own = Store(store.url.render_as_string(hide_password=False), clock=store.now)
        for _ in range(5):
            desk.tick(own)
        own.close()

    race([*(lambda agent=agent: claims(agent) for agent in agents), ticks, ticks])
    owners = {ticket.id: ticket.owner for ticket in desk.queue(store, "claimed", limit=1000)}
    assert sorted(owners) == tickets
    assert {ticket_id: name for name, ids in won.items() for ticket_id in ids} == owners
    assert sum(map(len, won.values())) == len(tickets)
    assert len(lost) == len(tickets) * (len(agents) - 1)
    assert all(owner == owners[ticket_id] for ticket_id, owner in lost)


def test_ticks_of_several_processes_do_everything_once(store: Store, clock: Clock, hire: Hire) -> None:
    mina = hire("Mina", capacity=50)
    tickets = [handed_over(store) for _ in range(30)]
    desk.claim(store, tickets[0], mina)
    desk.plan_absence(store, mina, "Mina", clock.now + timedelta(seconds=30), clock.now + timedelta(hours=1))
    nur = hire("Nur", capacity=50)
    clock.forward(seconds=31)
    desk.seen(store, nur)
    done: list[desk.Ticked] = []

    def ticks() -> None:
        own = Store(store.url.render_as_string(hide_password=False), clock=store.now)
        done.append(desk.tick(own))
        own.close()

    race([ticks] * 6)
    assert sum(each.left for each in done) == 1
    assert sum(each.breached for each in done) == 30
    for ticket_id in tickets:
        for kind in ("ticket.breached", "ticket.offered"):
            assert kinds(store, ticket_id).count(kind) == 1
        assert kinds(store, ticket_id).count("ticket.released") == (ticket_id == tickets[0])


def test_a_tick_with_nothing_to_do_writes_nothing(store: Store, hire: Hire) -> None:
    handed_over(store)
    desk.tick(store)
    with store.write():  # whoever would write had to wait for this
        assert not desk.tick(store)


# ---------------------------------------------------------------- the supervisor's view


def test_the_overview_tells_who_is_on_who_waits_and_what_is_late(store: Store, clock: Clock, hire: Hire) -> None:
    mina = hire("Mina", languages=["en", "tr"])
    hire("Nur", here=False)
    old = handed_over(store, lang="tr")
    clock.forward(seconds=10)
    handed_over(store, "a complaint", lang="en", reason="customer_request")
    mine, waits = handed_over(store), handed_over(store)
    for ticket_id in (mine, waits):
        desk.claim(store, ticket_id, mina)
        desk.say(store, ticket_id, mina, f"a{ticket_id}", "Hello")
    desk.wait_for_customer(store, waits, mina)
    clock.forward(seconds=5)
    writes(store, mine)
    result = desk.overview(store)
    assert [(each.agent, each.on_duty, load) for each, load in result.agents] == [("Mina", True, 1), ("Nur", False, 0)]
    assert result.counts == {"waiting": 2, "claimed": 1, "pending": 1}
    assert (result.languages, result.priorities) == ({"en": 1, "tr": 1}, {"high": 1, "normal": 1})
    assert result.oldest is not None
    assert result.oldest.id == old
    assert [(ticket.id, ticket.unanswered_since) for ticket in result.unanswered] == [(mine, clock.now)]
    desk.say(store, mine, mina, "a9", "Done")
    assert desk.overview(store).unanswered == ()
    assert result.as_dict()["agents"][0]["load"] == 1
