"""The outbox: kept with its cause, sent under a lease, again until it arrives, given up with a reason."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import pytest
import sqlalchemy as sa
from moving import Clock
from receiver import Receiver, listening

from botkit import outbox
from botkit.outbox import Delivery, NotDelivered
from botkit.outbox.outbox import EARLY, LEASE, PROBE, WAITS
from botkit.outbox.webhooks import Webhook
from botkit.store import Store, iso, outbox_table

pytestmark = pytest.mark.databases("sqlite", "postgresql")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: str, clock: Clock) -> Iterator[Store]:
    store = Store(database, clock=clock)
    outbox.kinds(store, ["letter"])
    yield store
    store.close()


def put(store: Store, n: int = 0) -> str:
    with store.write() as conn:
        message_id = outbox.put(conn, "letter", {"n": n}, store.now())
    assert message_id is not None
    return message_id


def refuse(_: Delivery) -> None:
    raise NotDelivered("nobody at home")


def test_what_is_kept_is_sent_once_and_marked(store: Store) -> None:
    message_id, got = put(store, 7), []
    assert outbox.work(store, {"letter": got.append})
    assert not outbox.work(store, {"letter": got.append})
    assert [(each.message_id, each.payload, each.tries) for each in got] == [(message_id, {"n": 7}, 1)]
    (kept,) = outbox.deliveries(store)
    assert (kept.state, kept.reason) == ("delivered", None)


def test_it_stands_and_falls_with_its_cause(store: Store) -> None:
    with pytest.raises(RuntimeError), store.write() as conn:  # noqa: PT012 - the block is what is tested
        outbox.put(conn, "letter", {}, store.now())
        raise RuntimeError
    assert outbox.deliveries(store) == []


def test_what_nobody_delivers_is_not_kept(store: Store) -> None:
    """Who switches webhooks on next year is not told what happened this year."""
    with store.write() as conn:
        assert outbox.put(conn, "telegram", {}, store.now()) is None
    assert outbox.deliveries(store) == []
    outbox.kinds(store, ["telegram"])
    with store.write() as conn:
        assert outbox.put(conn, "letter", {}, store.now()) is None
        assert outbox.put(conn, "telegram", {}, store.now()) is not None
    assert not outbox.work(store, {"letter": refuse})  # a worker leaves what others deliver


def test_it_is_not_sent_before_its_time_and_the_first_due_goes_first(store: Store, clock: Clock) -> None:
    got: list[Delivery] = []
    with store.write() as conn:
        for n, seconds in ((1, 20), (2, 10), (3, 30)):
            outbox.put(conn, "letter", {"n": n}, store.now() + timedelta(seconds=seconds))
    assert not outbox.work(store, {"letter": got.append})
    clock.forward(20)
    while outbox.work(store, {"letter": got.append}):
        pass
    assert [each.payload["n"] for each in got] == [2, 1]


def test_a_failure_waits_longer_each_time_and_is_given_up_with_its_reason(store: Store, clock: Clock) -> None:
    put(store)
    waited = []
    for _ in WAITS:
        assert outbox.work(store, {"letter": refuse}, chance=lambda: 1.0)
        (kept,) = outbox.deliveries(store, "waiting")
        assert kept.reason == "nobody at home"
        waited.append((kept.due_at - clock.now).total_seconds())
        clock.forward(waited[-1] - 0.001)
        assert not outbox.work(store, {"letter": refuse})
        clock.forward(0.001)
    assert waited == [pytest.approx(1.2 * seconds) for seconds in WAITS]
    assert outbox.work(store, {"letter": refuse})
    (kept,) = outbox.deliveries(store, "given_up")
    assert (kept.tries, kept.reason) == (len(WAITS) + 1, "nobody at home")
    clock.forward(10 * 86_400)
    assert not outbox.work(store, {"letter": refuse})


def test_what_was_given_up_is_tried_again_on_request_under_the_same_id(store: Store) -> None:
    def final(_: Delivery) -> None:
        raise NotDelivered("gone for good", final=True)

    ids, got = [put(store, n) for n in range(3)], []
    while outbox.work(store, {"letter": final}):
        pass
    given_up = outbox.deliveries(store, "given_up")
    assert outbox.counts(store) == {"waiting": 0, "given_up": 3}
    assert [(each.tries, each.reason) for each in given_up] == [(1, "gone for good")] * 3
    assert outbox.retry(store, [given_up[0].id, 999]) == 1
    assert outbox.work(store, {"letter": got.append})
    assert outbox.counts(store) == {"waiting": 0, "given_up": 2}
    assert outbox.retry(store) == 2
    assert outbox.counts(store) == {"waiting": 2, "given_up": 0}
    while outbox.work(store, {"letter": got.append}):
        pass
    assert [each.message_id for each in got] == [ids[2], ids[0], ids[1]]


def test_a_receiver_that_asks_for_quiet_gets_it(store: Store, clock: Clock) -> None:
    def busy(_: Delivery) -> None:
        raise NotDelivered("busy", after=300)

    put(store)
    outbox.work(store, {"letter": busy})
    assert outbox.deliveries(store)[0].due_at == clock.now + timedelta(seconds=300)


def test_when_answers_are_lost_for_a_while_all_has_arrived_five_seconds_after(store: Store, clock: Clock) -> None:
    """Of a real receiver's answers 35 % never come, for a minute in which two messages a second are put."""
    chance, lossy = random.Random(20), True

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if lossy and chance.random() < 0.35:
            return  # it has the message, and hangs up without a word
        handler.send_response(204)
        handler.end_headers()

    receiver = Receiver(*[answer] * 2000)
    with listening(receiver) as there:
        secret = "whsec_" + "c2VjcmV0IG9mIHRoZSBzaG9wLCAzMiBieXRlcyBsb25n"
        senders = {"letter": Webhook(f"http://127.0.0.1:{there.port}/", secret, ("127.0.0.1",))}

        def second() -> None:
            while outbox.work(store, senders):
                pass
            clock.forward(1)

        ids = []
        while len(ids) < 120 or not outbox.counts(store)["waiting"]:
            ids += [put(store), put(store)]
            second()
        lossy = False
        for _ in range(5):
            second()
    assert outbox.counts(store) == {"waiting": 0, "given_up": 0}
    assert set(receiver.ids) == set(ids)
    assert len(receiver.ids) > 1.3 * len(ids)  # lost answers mean messages that came twice


def test_what_hung_while_another_arrived_is_tried_again_at_once(store: Store, clock: Clock) -> None:
    """The receiver came back while one worker still waited for an answer that was lost."""
    got: list[str] = []

    def hang(_: Delivery) -> None:
        clock.forward(4)
        assert outbox.work(store, {"letter": lambda each: got.append(each.message_id)})
        clock.forward(1)
        raise NotDelivered("did not answer in time", away=True)

    first, second = put(store, 1), put(store, 2)
    assert outbox.work(store, {"letter": hang})
    assert outbox.work(store, {"letter": lambda each: got.append(each.message_id)})
    assert got == [second, first]


def test_while_nobody_is_there_one_at_a_time_looks_and_then_all_go(store: Store, clock: Clock) -> None:
    there, asked, got = False, Counter[int](), []

    def send(delivery: Delivery) -> None:
        asked[delivery.payload["n"]] += 1
        if not there:
            raise NotDelivered("could not be reached", away=True)
        got.append(delivery.message_id)

    def second() -> None:
        while outbox.work(store, {"letter": send}, chance=lambda: 0.0):
            pass
        clock.forward(1)

    ids = [put(store, n) for n in range(30)]
    for _ in range(400):
        second()
    own = sum(1 for at in (0, 5, 35, 155) if at < 400)
    assert asked.total() <= 30 * own + 400 / PROBE.total_seconds() + 1
    assert {each.tries for each in outbox.deliveries(store, "waiting")} == {own}  # a look is none of a row's own tries
    there = True
    for _ in range(4):
        second()
    assert sorted(got) == sorted(ids)
    assert got[0] == ids[0]
    assert outbox.counts(store) == {"waiting": 0, "given_up": 0}


def test_of_many_workers_one_looks_whether_the_receiver_is_back(store: Store, clock: Clock) -> None:
    asked: list[int] = []

    def away(delivery: Delivery) -> None:
        asked.append(delivery.id)
        raise NotDelivered("could not be reached", away=True)

    for n in range(20):
        put(store, n)
    while outbox.work(store, {"letter": away}):
        pass
    asked.clear()
    clock.forward(PROBE.total_seconds())
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda _: outbox.work(store, {"letter": away}), range(12)))
    assert len(asked) == 1


def test_what_fails_while_all_others_arrive_is_not_tried_without_end(store: Store, clock: Clock) -> None:
    tried: list[float] = []
    begun = clock.now

    def send(delivery: Delivery) -> None:
        if delivery.payload["n"] == 0:
            tried.append((clock.now - begun).total_seconds())
            raise NotDelivered("did not answer in time", away=True)

    put(store, 0)
    for n in range(1, 120):
        put(store, n)
        while outbox.work(store, {"letter": send}, chance=lambda: 0.0):
            pass
        clock.forward(1)
    after = [at for at in tried if WAITS[0] + 4 * EARLY < at]
    assert tried[0] == 0
    assert len(after) <= 1 + EARLY
    (kept,) = outbox.deliveries(store, "waiting")
    assert kept.tries == 3  # at once, after 5 and after 35 seconds


def test_who_asked_for_quiet_has_it_whatever_else_arrives(store: Store, clock: Clock) -> None:
    got: list[int] = []

    def send(delivery: Delivery) -> None:
        got.append(delivery.payload["n"])
        if delivery.payload["n"] == 0 and len(got) < 10:
            raise NotDelivered("HTTP 503", after=300, away=True)

    put(store, 0)
    for n in range(1, 9):
        while outbox.work(store, {"letter": send}):
            pass
        put(store, n)
        clock.forward(30)
    assert got == [0, 1, 2, 3, 4, 5, 6, 7]
    clock.forward(60)
    while outbox.work(store, {"letter": send}):
        pass
    assert sorted(got) == [0, 0, 1, 2, 3, 4, 5, 6, 7, 8]


def test_a_fault_of_the_sender_is_a_failure_and_stops_nobody_behind(store: Store) -> None:
    def faulty(delivery: Delivery) -> None:
        if delivery.payload["n"] == 0:
            raise KeyError("a customer's words")

    put(store, 0)
    put(store, 1)
    while outbox.work(store, {"letter": faulty}):
        pass
    second, first = outbox.deliveries(store)
    assert (first.state, first.reason) == ("waiting", "the sender failed: KeyError")
    assert second.state == "delivered"


def test_what_is_in_hand_is_left_alone_until_its_lease_is_over(store: Store, clock: Clock) -> None:
    """A worker that died in the middle of it never comes back; another one sends the same again."""
    got: list[str] = []

    class Killed(BaseException):
        pass

    def dies(delivery: Delivery) -> None:
        got.append(delivery.message_id)
        raise Killed

    message_id = put(store)
    with pytest.raises(Killed):
        outbox.work(store, {"letter": dies})
    assert not outbox.work(store, {"letter": lambda each: got.append(each.message_id)})
    clock.forward(LEASE.total_seconds() + 0.001)
    assert outbox.work(store, {"letter": lambda each: got.append(each.message_id)})
    assert got == [message_id, message_id]
    assert outbox.deliveries(store)[0].state == "delivered"


def test_what_kills_its_worker_each_time_is_given_up(store: Store, clock: Clock) -> None:
    class Killed(BaseException):
        pass

    def dies(_: Delivery) -> None:
        raise Killed

    put(store)
    for _ in range(len(WAITS) + 1):
        with pytest.raises(Killed):
            outbox.work(store, {"letter": dies})
        clock.forward(LEASE.total_seconds() + 1)
    assert outbox.work(store, {"letter": dies})
    (kept,) = outbox.deliveries(store, "given_up")
    assert kept.reason == "the worker ended while sending, each time"


def test_who_lost_the_lease_marks_nothing(store: Store, clock: Clock) -> None:
    def slow(_: Delivery) -> None:
        clock.forward(LEASE.total_seconds() + 1)
        assert outbox.work(store, {"letter": refuse})  # another one takes it over, in vain
        clock.forward(-1)

    put(store)
    outbox.work(store, {"letter": slow})
    (kept,) = outbox.deliveries(store)
    assert (kept.state, kept.tries, kept.reason) == ("waiting", 2, "nobody at home")


def test_many_workers_send_each_once(store: Store) -> None:
    ids, got, lock = [put(store, n) for n in range(60)], [], threading.Lock()

    def send(delivery: Delivery) -> None:
        with lock:
            got.append(delivery.message_id)

    def drain(_: int) -> None:
        idle = 0
        while idle < 3:  # another one may have been faster
            idle = 0 if outbox.work(store, {"letter": send}) else idle + 1

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(drain, range(6)))
    assert sorted(got) == sorted(ids)


def test_a_worker_thread_delivers_what_comes_and_sweeps_what_is_old(database: str) -> None:
    store = Store(database)
    outbox.kinds(store, ["letter"])
    old = put(store)
    with store.write() as conn:
        conn.execute(outbox_table.update().values(done_at=store.now() - timedelta(days=31)))
    arrived = threading.Event()
    worker = outbox.Worker(store, {"letter": lambda _: arrived.set()}, every=0.02).start()
    new = put(store)
    assert arrived.wait(10)
    worker.stop(10)
    with store.read() as conn:
        assert conn.execute(sa.select(outbox_table.c.message_id)).scalars().all() == [new]
    assert old != new
    store.close()


def test_what_waits_in_a_database_of_the_release_before_is_sent_when_the_receiver_is_back(no_tables: str) -> None:
    """Neither its tries nor its time are lost, and the first success lets it go."""
    clock = Clock()
    old = Store(no_tables, clock=clock)
    old.migrate("0006")
    row = {"message": "msg_1", "at": iso(clock.now), "due": iso(clock.now + timedelta(hours=2))}
    with old.write() as conn:
        conn.execute(sa.text("INSERT INTO outbox_kind VALUES ('letter', :at)"), row)
        conn.execute(
            sa.text(
                "INSERT INTO outbox (message_id, kind, payload, made_at, due_at, tries, reason)"
                " VALUES (:message, 'letter', '{}', :at, :due, 5, 'HTTP 500')"
            ),
            row,
        )
    old.migrate()
    (kept,) = outbox.deliveries(old)
    assert (kept.tries, kept.state) == (5, "waiting")
    clock.forward(60)
    got: list[str] = []
    assert not outbox.work(old, {"letter": lambda each: got.append(each.message_id)})
    new = put(old)
    while outbox.work(old, {"letter": lambda each: got.append(each.message_id)}):
        pass
    assert got == [new, "msg_1"]
    old.close()
