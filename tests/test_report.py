"""How each episode ended, and the figures made of it: the record is written by the real conversation."""

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import shop
from shop import NONSENSE, Clock

from botkit import chat, desk, people, report
from botkit.index import Index
from botkit.people import Agent
from botkit.report import Episode
from botkit.store import Store

CLARIFY = {"answer_threshold": 0.999, "clarify_threshold": 0.01}
UNSURE = {"answer_threshold": 1.0, "clarify_threshold": 1.0}
QUESTION = "Where is my order?"


@pytest.fixture(scope="module")
def index() -> Index:
    return shop.index()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/record.db", clock=clock)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def mina(store: Store) -> Agent:
    return people.add_agent(store, "Mina", "agent", "copper pan and cezve")


class Customer:
    """Somebody at the widget."""

    def __init__(self, store: Store, index: Index, lang: str = "en") -> None:
        self.store, self.index, self.sent = store, index, 0
        self.id = chat.start(store, lang, "/cart", index.languages).id

    def ask(self, text: str, **more: Any) -> dict[str, Any]:
        self.sent += 1
        return chat.say(self.store, self.index, self.id, f"m{self.sent}", text, **more).reply or {}

    def rate(self, reply: dict[str, Any], helpful: bool) -> None:
        chat.feedback(self.store, self.index, self.id, reply["id"], helpful)

    def person(self) -> None:
        chat.request_person(self.store, self.index, self.id)

    def served(self, agent: Agent, *, speak: bool = True) -> None:
        """An agent takes the ticket, speaks and closes it."""
        (ticket,) = [t for t in desk.queue(self.store, "waiting") if t.conversation == self.id]
        desk.claim(self.store, ticket.id, agent)
        if speak:
            desk.say(self.store, ticket.id, agent, f"a{ticket.id}", "Here you are.")
        desk.close(self.store, ticket.id, agent, "solved")

    def episodes(self, **window: Any) -> list[Episode]:
        return [e for e in report.episodes(self.store, **window) if e.conversation == self.id]

    def outcomes(self, **window: Any) -> list[str]:
        return [episode.outcome for episode in self.episodes(**window)]


@pytest.fixture
def customer(store: Store, index: Index) -> Customer:
    return Customer(store, index)


@pytest.fixture
def five(store: Store, index: Index, clock: Clock, mina: Agent) -> dict[str, Customer]:
    """One conversation for each way to end, and one that was only a greeting; two days ago."""
    customers = {name: Customer(store, index) for name in ("human", "helped", "left", "unserved", "greeting")}
    customers["human"].ask("I want to make a complaint")
    customers["human"].served(mina)
    customers["helped"].rate(customers["helped"].ask(QUESTION), True)
    customers["left"].ask(QUESTION)
    customers["unserved"].ask(NONSENSE, **UNSURE)
    customers["greeting"].ask("hello")
    clock.forward(hours=48)
    return customers


def test_every_episode_has_exactly_one_outcome(five: dict[str, Customer], store: Store) -> None:
    assert {name: customer.outcomes() for name, customer in five.items()} == {
        "human": ["human"],
        "helped": ["confirmed"],
        "left": ["assumed"],
        "unserved": ["unresolved-silent"],
        "greeting": [],
    }
    figures = report.summary(store)
    assert figures["episodes"] == sum(figures["outcomes"].values()) == 4
    assert figures["open"] == 0


def test_the_measures_are_what_their_formulas_say(five: dict[str, Customer], store: Store) -> None:
    found = {m["name"]: m for m in report.summary(store)["measures"]}
    assert {name: (m["numerator"], m["denominator"]) for name, m in found.items()} == {
        "containment": (3, 4),
        "resolution": (2, 4),
        "confirmed": (1, 4),
        "human": (1, 4),
        "unresolved": (1, 4),
        "handed_over": (2, 4),
        "durable": (0, 0),
    }
    assert found["containment"]["value"] == 0.75
    assert found["durable"]["value"] is None
    assert all(measure["formula"] for measure in found.values())


def test_intervals_are_wilsons(five: dict[str, Customer], store: Store) -> None:
    """Worked by hand for 3 of 4: (0.75 + z²/8 ± z √(0.75·0.25/4 + z²/64)) / (1 + z²/4)."""
    containment = report.summary(store)["measures"][0]
    z = 1.959964
    middle, scale = 0.75 + z * z / 8, 1 + z * z / 4
    spread = z * math.sqrt(0.75 * 0.25 / 4 + z * z / 64)
    assert containment["low"] == pytest.approx((middle - spread) / scale)
    assert containment["high"] == pytest.approx((middle + spread) / scale)
    assert (round(containment["low"], 2), round(containment["high"], 2)) == (0.30, 0.95)


def test_what_is_not_quiet_yet_is_open_and_in_no_denominator(
    five: dict[str, Customer], store: Store, index: Index, clock: Clock
) -> None:
    Customer(store, index).ask(QUESTION)
    Customer(store, index).ask(NONSENSE, **UNSURE)
    figures = report.summary(store)
    assert (figures["episodes"], figures["open"]) == (4, 2)
    assert {measure["denominator"] for measure in figures["measures"]} == {4, 0}
    clock.forward(hours=24)
    figures = report.summary(store)
    assert (figures["episodes"], figures["open"]) == (6, 0)
    assert figures["outcomes"] == {"human": 1, "confirmed": 1, "assumed": 2, "unresolved-silent": 2}


def test_the_long_window_waits_for_three_days_of_quiet(five: dict[str, Customer], store: Store, clock: Clock) -> None:
    long = report.summary(store)["long_window"]
    assert long["window_hours"] == 72
    assert (long["episodes"], long["open"]) == (2, 2)
    clock.forward(hours=24)
    long = report.summary(store)["long_window"]
    assert (long["episodes"], long["open"]) == (4, 0)
    assert long["outcomes"]["assumed"] == 1


def test_languages_are_reported_apart_and_sum_to_the_whole(store: Store, index: Index, clock: Clock) -> None:
    Customer(store, index, "tr").ask("kargom nerede")
    Customer(store, index, "fa").ask("پیگیری مرسوله")
    Customer(store, index, "en").ask("kargom nerede")  # a Turkish question on an English page
    clock.forward(hours=48)
    figures = report.summary(store)
    assert {lang: block["episodes"] for lang, block in figures["languages"].items()} == {"fa": 1, "tr": 2}
    assert figures["outcomes"]["assumed"] == 3


def test_a_person_who_was_asked_for_counts_as_a_person_even_if_nobody_came(customer: Customer) -> None:
    customer.person()
    assert customer.outcomes() == ["human"]
    (episode,) = customer.episodes()
    assert (episode.handed_over, episode.reason, episode.questions) == (True, "customer_request", 0)


def test_an_agent_who_closes_without_a_word_is_no_person_who_replied(customer: Customer, mina: Agent) -> None:
    customer.ask(NONSENSE, **UNSURE)
    customer.served(mina, speak=False)
    assert customer.outcomes() == ["unresolved-silent"]


def test_an_unserved_handover_turns_human_when_somebody_replies_late(
    customer: Customer, mina: Agent, clock: Clock
) -> None:
    customer.ask(NONSENSE, **UNSURE)
    clock.forward(hours=60)
    assert customer.outcomes() == ["unresolved-silent"]
    customer.ask("is anybody there")
    customer.served(mina)
    assert customer.outcomes() == ["human"]
    assert customer.episodes()[0].questions == 2


def test_a_question_back_that_nobody_answers_is_silent(customer: Customer, clock: Clock) -> None:
    customer.ask("wash", **CLARIFY)
    clock.forward(hours=30)
    assert customer.outcomes() == ["unresolved-silent"]


def test_a_disliked_answer_is_not_resolved_and_a_later_good_one_is(customer: Customer, clock: Clock) -> None:
    disliked = customer.ask("wash", answer_threshold=0.0001)
    customer.rate(disliked, False)
    assert report.episodes(customer.store, now=clock.now + timedelta(hours=30))[0].outcome == "unresolved-silent"
    customer.ask(QUESTION)
    clock.forward(hours=30)
    assert customer.outcomes() == ["assumed"]


def test_a_changed_mind_counts_and_feedback_counts_for_its_own_episode(customer: Customer, clock: Clock) -> None:
    first = customer.ask("wash", answer_threshold=0.0001)
    customer.rate(first, False)
    customer.rate(first, True)
    assert customer.outcomes() == ["confirmed"]
    clock.forward(hours=30)
    customer.ask(QUESTION)
    customer.rate(first, False)
    clock.forward(hours=30)
    assert customer.outcomes()[0] == "unresolved-silent"


def test_small_talk_begins_nothing_but_belongs_to_what_is_going_on(customer: Customer, clock: Clock) -> None:
    customer.ask("hello")
    clock.forward(minutes=1)
    began = clock.now
    customer.ask(QUESTION)
    ended = clock.forward(hours=20)
    customer.ask("thanks")
    clock.forward(hours=20)
    (episode,) = customer.episodes()
    assert (episode.started, episode.ended, episode.questions, episode.outcome) == (began, ended, 1, "open")
    clock.forward(hours=20)
    customer.ask("hello")
    clock.forward(hours=1)
    assert customer.outcomes() == ["assumed"]


def test_a_new_problem_begins_after_a_day_of_quiet_or_after_a_person_has_closed(
    customer: Customer, clock: Clock, mina: Agent
) -> None:
    customer.ask(QUESTION)
    clock.forward(hours=23)
    customer.ask("refund status")
    assert len(customer.episodes()) == 1
    clock.forward(hours=24)
    customer.ask("I want to make a complaint")
    customer.served(mina)
    customer.ask(QUESTION)
    clock.forward(hours=48)
    assert customer.outcomes() == ["assumed", "human", "assumed"]
    one, two, three = customer.episodes()
    assert (one.next_started, two.next_started, three.next_started) == (two.started, three.started, None)
    assert one.articles == ("orders/track", "returns/refund")


def test_durable_is_what_did_not_come_back_within_a_week(store: Store, index: Index, clock: Clock) -> None:
    gone, back = Customer(store, index), Customer(store, index)
    gone.ask(QUESTION)
    back.ask(QUESTION)
    clock.forward(days=3)
    back.ask("refund status")
    clock.forward(days=6)
    durable = report.summary(store)["measures"][-1]
    assert (durable["name"], durable["numerator"], durable["denominator"]) == ("durable", 1, 2)


def test_since_and_until_choose_by_the_start_and_now_hides_what_came_later(
    store: Store, index: Index, clock: Clock
) -> None:
    monday = clock.now
    first = Customer(store, index)
    answer = first.ask(QUESTION)
    tuesday = clock.forward(hours=26)
    Customer(store, index).ask(QUESTION)
    clock.forward(hours=50)
    first.rate(answer, True)

    def outcomes(**span: datetime) -> list[str]:
        return [episode.outcome for episode in report.episodes(store, **span)]

    assert outcomes() == ["confirmed", "assumed"]
    assert outcomes(until=tuesday) == ["confirmed"]
    assert outcomes(since=tuesday) == ["assumed"]
    assert outcomes(since=monday, until=monday) == []
    assert outcomes(now=tuesday) == ["assumed", "open"]
    assert outcomes(now=monday - timedelta(seconds=1)) == []


def test_the_summary_is_json_and_the_table_shows_every_formula(five: dict[str, Customer], store: Store) -> None:
    figures = report.summary(store, since=datetime(2026, 11, 1, tzinfo=UTC))
    assert json.loads(json.dumps(figures)) == figures
    text = report.table(figures)
    for measure in figures["measures"]:
        assert f"= {measure['formula']}" in text
    assert "75 %" in text
    assert "Quiet for 24 h" in text
    assert "Quiet for 72 h" in text
    assert report.episodes(store)[0].as_dict()["started"] == "2026-11-20T12:00:00.000Z"


def test_an_empty_record_has_empty_figures(store: Store) -> None:
    figures = report.summary(store)
    assert figures["episodes"] == 0
    assert figures["languages"] == {}
    assert all(measure["value"] is None for measure in figures["measures"])
    assert "containment" in report.table(figures)
