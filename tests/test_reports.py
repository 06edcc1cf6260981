"""How each episode ended, the figures of that, and what was judged: the record is written by the real conversation."""

import json
import math
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import shop
from click.testing import CliRunner
from moving import Clock
from shop import NONSENSE

from botkit import accounts, chat, cli, confidence, corpus, desk, reports
from botkit.accounts import Agent
from botkit.corpus import Label
from botkit.index import Index
from botkit.reports import Episode
from botkit.store import Store

BOTH = pytest.mark.databases("sqlite", "postgresql")
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
def mina(store: Store) -> Agent:
    return accounts.add_agent(store, "Mina", "agent", "copper pan and cezve")


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

    def served(
        self,
        agent: Agent,
        *,
        speak: bool = True,
        outcome: str = "solved",
        article: str | None = None,
        no_article: bool = False,
    ) -> None:
        """An agent takes the ticket, speaks and closes it."""
        (ticket,) = [t for t in desk.queue(self.store, "waiting") if t.conversation == self.id]
        desk.claim(self.store, ticket.id, agent)
        if speak:
            desk.say(self.store, ticket.id, agent, f"a{ticket.id}{self.sent}", "Here you are.")
        desk.close(self.store, ticket.id, agent, outcome, article, no_article=no_article)

    def episodes(self, **window: Any) -> list[Episode]:
        return [e for e in reports.episodes(self.store, **window) if e.conversation == self.id]

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


@BOTH
def test_every_episode_has_exactly_one_outcome(five: dict[str, Customer], store: Store) -> None:
    assert {name: customer.outcomes() for name, customer in five.items()} == {
        "human": ["human"],
        "helped": ["confirmed"],
        "left": ["assumed"],
        "unserved": ["unresolved-silent"],
        "greeting": [],
    }
    figures = reports.summary(store)
    assert figures["episodes"] == sum(figures["outcomes"].values()) == 4
    assert figures["open"] == 0


@BOTH
def test_the_measures_are_what_their_formulas_say(five: dict[str, Customer], store: Store) -> None:
    result = {m["name"]: m for m in reports.summary(store)["measures"]}
    assert {name: (m["numerator"], m["denominator"]) for name, m in result.items()} == {
        "containment": (3, 4),
        "resolution": (2, 4),
        "confirmed": (1, 4),
        "human": (1, 4),
        "unresolved": (1, 4),
        "handed_over": (2, 4),
        "durable": (0, 0),
    }
    assert result["containment"]["value"] == 0.75
    assert result["durable"]["value"] is None
    assert all(measure["formula"] for measure in result.values())


def test_intervals_are_wilsons(five: dict[str, Customer], store: Store) -> None:
    """Worked by hand for 3 of 4: (0.75 + z²/8 ± z √(0.75·0.25/4 + z²/64)) / (1 + z²/4)."""
    containment = reports.summary(store)["measures"][0]
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
    figures = reports.summary(store)
    assert (figures["episodes"], figures["open"]) == (4, 2)
    assert {measure["denominator"] for measure in figures["measures"]} == {4, 0}
    clock.forward(hours=24)
    figures = reports.summary(store)
    assert (figures["episodes"], figures["open"]) == (6, 0)
    assert figures["outcomes"] == {"human": 1, "confirmed": 1, "assumed": 2, "unresolved-silent": 2}


def test_the_long_window_waits_for_three_days_of_quiet(five: dict[str, Customer], store: Store, clock: Clock) -> None:
    long = reports.summary(store)["long_window"]
    assert long["window_hours"] == 72
    assert (long["episodes"], long["open"]) == (2, 2)
    clock.forward(hours=24)
    long = reports.summary(store)["long_window"]
    assert (long["episodes"], long["open"]) == (4, 0)
    assert long["outcomes"]["assumed"] == 1


@BOTH
def test_languages_are_reported_apart_and_sum_to_the_whole(store: Store, index: Index, clock: Clock) -> None:
    Customer(store, index, "tr").ask("kargom nerede")
    Customer(store, index, "fa").ask("پیگیری مرسوله")
    Customer(store, index, "en").ask("kargom nerede")  # a Turkish question on an English page
    clock.forward(hours=48)
    figures = reports.summary(store)
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
    assert reports.episodes(customer.store, now=clock.now + timedelta(hours=30))[0].outcome == "unresolved-silent"
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
    durable = reports.summary(store)["measures"][-1]
    assert (durable["name"], durable["numerator"], durable["denominator"]) == ("durable", 1, 2)


@BOTH
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
        return [episode.outcome for episode in reports.episodes(store, **span)]

    assert outcomes() == ["confirmed", "assumed"]
    assert outcomes(until=tuesday) == ["confirmed"]
    assert outcomes(since=tuesday) == ["assumed"]
    assert outcomes(since=monday, until=monday) == []
    assert outcomes(now=tuesday) == ["assumed", "open"]
    assert outcomes(now=monday - timedelta(seconds=1)) == []


def test_the_summary_is_json_and_the_table_shows_every_formula(five: dict[str, Customer], store: Store) -> None:
    figures = reports.summary(store, since=datetime(2026, 11, 1, tzinfo=UTC))
    assert json.loads(json.dumps(figures)) == figures
    text = reports.table(figures)
    for measure in figures["measures"]:
        assert f"= {measure['formula']}" in text
    assert "75 %" in text
    assert "Quiet for 24 h" in text
    assert "Quiet for 72 h" in text
    assert reports.episodes(store)[0].as_dict()["started"] == "2026-11-20T12:00:00.000Z"


def test_an_empty_record_has_empty_figures(store: Store) -> None:
    figures = reports.summary(store)
    assert figures["episodes"] == 0
    assert figures["languages"] == {}
    assert all(measure["value"] is None for measure in figures["measures"])
    assert "containment" in reports.table(figures)


# ---------------------------------------------------------------- judged questions

WASH = {"answer_threshold": 0.0001}  # answers, whatever is asked


def agents(text: str, *articles: str, lang: str = "en") -> tuple[str, str, set[str], set[str], str]:
    return text, lang, set(articles), set(), "agent"


def customers(text: str, helpful: bool, *articles: str, lang: str = "en") -> tuple[str, str, set[str], set[str], str]:
    return text, lang, set(articles) if helpful else set(), set() if helpful else set(articles), "customer"


def judged(store: Store, **span: datetime) -> list[tuple[str, str | None, set[str], set[str], str]]:
    """The labels without their ids; those of which nothing but wrong articles are known have an empty `relevant`."""
    result = reports.labels(store, **span)
    assert all(bool(label.rejected) == (label.relevant is None) for label in result)
    return [(q.text, q.lang, set(q.relevant or ()), set(q.rejected), q.source) for q in result]


@BOTH
def test_an_agents_closing_click_judges_the_question_that_was_handed_over(customer: Customer, mina: Agent) -> None:
    """The one asked, not what was said to the agent; also one that the bot hands over as a rule."""
    customer.ask(QUESTION)
    customer.ask("my pillow smells of fish", **UNSURE)
    customer.ask("is anybody there")
    customer.served(mina, article="care/towel")
    customer.ask("I was treated badly")
    customer.served(mina, outcome="not_solved", article="complaint")
    assert judged(customer.store) == [
        agents("my pillow smells of fish", "care/towel"),
        agents("I was treated badly", "complaint"),
    ]
    first, second = reports.labels(customer.store)
    assert (first.id, second.id) == (f"{customer.id}-4", f"{customer.id}-11")


def test_a_closing_without_an_article_or_as_spam_says_nothing(customer: Customer, mina: Agent) -> None:
    """ "None yet" is where the form stands before anybody thinks; a prankster's question may be a good one."""
    for outcome, article in (("solved", None), ("not_solved", None), ("spam", None), ("spam", "care/rug")):
        customer.ask("my pillow smells of fish", **UNSURE)
        customer.served(mina, outcome=outcome, article=article)
    assert reports.labels(customer.store) == []


def test_a_closing_that_says_that_no_article_answers_judges_the_question_as_out_of_scope(
    customer: Customer, mina: Agent
) -> None:
    customer.ask("my pillow smells of fish", **UNSURE)
    customer.served(mina, no_article=True)
    assert judged(customer.store) == [agents("my pillow smells of fish")]
    spam = Customer(customer.store, customer.index)
    spam.ask("buy cheap watches here", **UNSURE)
    spam.served(mina, outcome="spam", no_article=True)
    assert len(reports.labels(customer.store)) == 1


def test_a_customer_who_goes_on_with_a_closed_ticket_goes_on_with_its_episode_and_its_question(
    customer: Customer, clock: Clock, mina: Agent
) -> None:
    """The last verdict is about the question that was handed over first."""
    customer.ask("my pillow smells of fish", **UNSURE)
    customer.served(mina, article="care/rug")
    clock.forward(minutes=2)
    assert customer.ask("it still smells")["reason"] == "reopened"
    customer.served(mina, article="care/towel")
    (episode,) = customer.episodes()
    assert (episode.outcome, episode.reason, episode.questions) == ("human", "no_answer", 2)
    assert judged(customer.store) == [agents("my pillow smells of fish", "care/towel")]
    clock.forward(hours=1)
    customer.ask("How do I wash a rug?")
    assert len(customer.episodes()) == 2


@BOTH
def test_satisfaction_is_summed_beside_how_many_were_asked(store: Store, index: Index, mina: Agent) -> None:
    for lang, score in (("en", 5), ("en", 2), ("tr", 4), ("tr", None)):
        customer = Customer(store, index, lang)
        customer.person()
        customer.served(mina)
        if score:
            desk.rate(store, customer.id, score, "a word")
    result = reports.summary(store)["satisfaction"]
    assert (result["asked"], result["count"], result["scores"]) == (4, 3, {"1": 0, "2": 1, "3": 0, "4": 1, "5": 1})
    assert result["mean"] == pytest.approx(11 / 3)
    assert {lang: each["count"] for lang, each in result["languages"].items()} == {"en": 2, "tr": 1}
    assert "Satisfaction: 3.7 of 5, 3 of 4 asked" in reports.table(reports.summary(store))
    assert reports.satisfaction(store, until=store.now())["count"] == 0


def test_who_asks_for_a_person_is_labelled_by_the_question_before(store: Store, index: Index, mina: Agent) -> None:
    """By words and by the button; not one that was answered well, and none where there was no question."""
    for number, ask in enumerate(("words", "button")):
        for helped in (None, False, True):
            customer = Customer(store, index)
            reply = customer.ask(f"is washing a carpet {number} {helped} hard", **WASH)
            customer.ask("thanks")
            if helped is not None:
                customer.rate(reply, helped)
            if ask == "words":
                customer.ask("I want to talk to a person")
            else:
                customer.person()
            customer.served(mina, article="care/towel")
    silent = Customer(store, index)
    silent.person()
    silent.served(mina, article="care/towel")
    result = [label for label in judged(store) if label[-1] == "agent"]
    assert sorted(result) == [
        agents(f"is washing a carpet {number} {helped} hard", "care/towel")
        for number in (0, 1)
        for helped in (False, None)
    ]


def _frozen(label: tuple[str, str | None, set[str], set[str], str]) -> tuple[Any, ...]:
    return tuple(frozenset(part) if isinstance(part, set) else part for part in label)


def test_a_question_of_yesterday_did_not_lead_to_todays_handover(customer: Customer, clock: Clock, mina: Agent) -> None:
    customer.ask("is washing a carpet hard", **WASH)
    clock.forward(hours=24)
    customer.person()
    customer.served(mina, article="care/rug")
    customer.person()
    customer.served(mina, article="care/towel")
    assert reports.labels(customer.store) == []


def test_a_question_that_was_dealt_with_did_not_lead_to_the_next_handover(customer: Customer, mina: Agent) -> None:
    customer.ask("my pillow smells of fish", **UNSURE)
    customer.served(mina, article="care/towel")
    customer.person()
    customer.served(mina, article="complaint")
    assert judged(customer.store) == [agents("my pillow smells of fish", "care/towel")]


def test_feedback_judges_the_answered_article(store: Store, index: Index, clock: Clock) -> None:
    """In the language of the question, whatever the page's is."""
    one, other = Customer(store, index), Customer(store, index)
    one.rate(one.ask("has it been sent yet", **WASH), True)
    clock.forward(minutes=1)
    other.rate(other.ask("kargom nerede acaba", **WASH), False)
    assert judged(store) == [
        customers("has it been sent yet", True, "orders/track"),
        customers("kargom nerede acaba", False, "orders/track", lang="tr"),
    ]


def test_a_pick_is_judged_for_the_question_that_it_was_offered_for(store: Store, index: Index, mina: Agent) -> None:
    """By a click or by its place; one that is refused leaves the question to the agent."""
    texts = {"click": "how do I wash it", "place": "cleaning", "refused": "can it go in the machine"}
    picked = {}
    for how, text in texts.items():
        customer = Customer(store, index)
        offered = customer.ask(text, **CLARIFY)
        assert offered["kind"] == "clarify"
        second = offered["options"][1]
        picked[how] = second["article"]
        if how == "click":
            customer.rate(customer.ask(second["title"], choice=second["article"]), True)
        elif how == "place":
            customer.rate(customer.ask("the second one"), False)
        else:
            customer.ask("none of these", **CLARIFY)
            customer.served(mina, article="complaint")
    assert sorted(judged(store)) == sorted(
        [
            customers(texts["click"], True, picked["click"]),
            customers(texts["place"], False, picked["place"]),
            agents(texts["refused"], "complaint"),
        ]
    )


def test_a_title_that_nobody_offered_is_no_question(customer: Customer) -> None:
    """A client may name an article by itself, also right after the bot has offered others."""
    customer.rate(customer.ask("How do I wash a rug?", choice="care/rug"), True)
    offered = Customer(customer.store, customer.index)
    assert offered.ask("cleaning", **CLARIFY)["kind"] == "clarify"
    offered.rate(offered.ask("Where is my order?", choice="orders/track"), True)
    assert reports.labels(customer.store) == []


def test_a_text_that_leans_on_the_one_before_is_no_question_by_itself(customer: Customer) -> None:
    customer.ask("How do I wash a rug?")
    leaning = customer.ask("and a towel?", **WASH)
    assert leaning["kind"] == "answer"
    (reply,) = [e for e in _events(customer) if e.kind == "reply" and e.data.id == leaning["id"]]
    assert reply.data.understood
    customer.rate(leaning, True)
    assert reports.labels(customer.store) == []


def _events(customer: Customer) -> list[Any]:
    with customer.store.read() as conn:
        return customer.store.events(conn, customer.id)


def test_a_long_text_without_a_cue_is_a_question_though_the_search_took_the_one_before_along(
    customer: Customer, mina: Agent
) -> None:
    """The search does so for any text that it is unsure of, and nearly all that are handed over are such."""
    customer.ask(QUESTION)
    customer.ask("my pillow smells of fish", **UNSURE)
    assert [e for e in _events(customer) if e.kind == "reply"][-1].data.understood
    customer.served(mina, article="care/towel")
    assert judged(customer.store) == [agents("my pillow smells of fish", "care/towel")]


def test_disliked_articles_add_up_until_one_helps(customer: Customer, clock: Clock) -> None:
    """What is offered after a disliked answer is offered for the same question, and so is the person at the end."""
    customer.ask("wash", **WASH)
    first = [e for e in _events(customer) if e.kind == "reply"][-1]
    customer.rate({"id": first.data.id}, False)
    offered = [e for e in _events(customer) if e.kind == "reply"][-1]
    assert offered.data.kind == "clarify"
    other = offered.data.options[0]
    clock.forward(minutes=1)
    picked = customer.ask(other.title, choice=other.article)
    customer.rate(picked, False)
    assert {first.data.article, other.article} == {"care/rug", "care/towel"}
    assert judged(customer.store) == [customers("wash", False, "care/rug", "care/towel")]
    clock.forward(minutes=1)
    customer.rate(picked, True)
    assert judged(customer.store) == [customers("wash", True, other.article)]


def test_a_dislike_that_brings_a_person_is_the_agents_to_judge(customer: Customer, mina: Agent) -> None:
    customer.rate(customer.ask(QUESTION), False)
    assert judged(customer.store) == [customers(QUESTION, False, "orders/track")]
    customer.served(mina, article="returns/refund")
    assert judged(customer.store) == [agents(QUESTION, "returns/refund")]


def test_each_question_is_there_once_by_its_strongest_and_latest_verdict(
    store: Store, index: Index, clock: Clock, mina: Agent
) -> None:
    """An agent's before a customer's, even an older one's; the same text in another language is another question."""

    def rated(helpful: bool) -> None:
        customer = Customer(store, index)
        customer.rate(customer.ask(QUESTION), helpful)
        clock.forward(minutes=1)

    def closed(article: str) -> str:
        customer = Customer(store, index)
        customer.ask(QUESTION, **UNSURE)
        customer.served(mina, article=article)
        clock.forward(minutes=1)
        return customer.id

    rated(False)
    assert judged(store) == [customers(QUESTION, False, "orders/track")]
    rated(True)
    assert judged(store) == [customers(QUESTION, True, "orders/track")]
    closed("complaint")
    rated(False)
    assert judged(store) == [agents(QUESTION, "complaint")]
    last = closed("orders/track")
    assert judged(store) == [agents(QUESTION, "orders/track")]
    assert reports.labels(store)[0].id.startswith(last)
    assert reports.labels(store) == reports.labels(store)


def test_since_and_until_choose_by_the_time_of_the_verdict(customer: Customer, clock: Clock) -> None:
    asked = clock.now
    reply = customer.ask(QUESTION)
    disliked = clock.forward(hours=1)
    customer.rate(reply, False)
    liked = clock.forward(hours=1)
    customer.rate(reply, True)
    clock.forward(hours=1)
    bad, good = customers(QUESTION, False, "orders/track"), customers(QUESTION, True, "orders/track")
    store = customer.store
    assert judged(store) == judged(store, since=disliked) == judged(store, since=liked) == [good]
    assert judged(store, until=liked) == judged(store, since=disliked, until=liked) == [bad]
    assert judged(store, until=disliked) == judged(store, since=clock.now) == []
    assert judged(store, since=asked, until=asked) == []


@BOTH
def test_the_export_can_be_read_evaluated_and_is_private(
    customer: Customer, mina: Agent, database: str, tmp_path: Path
) -> None:
    """What `botkit labels` writes is what `labels` gives; a file of other questions is not written over."""
    customer.rate(customer.ask("has it been sent yet", **WASH), True)
    customer.ask("my pillow smells of fish", **UNSURE)
    customer.served(mina, article="care/towel")
    url, out = database, tmp_path / "labels" / "conversations.jsonl"
    expected = reports.labels(customer.store)

    def botkit(*arguments: object) -> Any:
        return CliRunner().invoke(cli.main, ["labels", "--database", url, *map(str, arguments)])

    for _ in range(2):  # the second takes the first one's place
        done = botkit("--out", out)
        assert (done.exit_code, done.stdout) == (0, "")
        assert done.stderr == "2 questions: 1 judged by agents, 1 by customers\n"
        assert corpus.labels(out) == expected
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert botkit().stdout == out.read_text(encoding="utf-8")
    assert botkit("--until", "2026-11-20T11:00Z").stdout == ""
    assert "PERSONAL DATA" in botkit("--help").stdout
    bad = botkit("--since", "yesterday")
    assert (bad.exit_code, "--since" in bad.stderr) == (1, True)
    for text in ('{"id": "e", "text": "x", "relevant": [], "source": "editor"}\n', "# A heading\n"):
        other = tmp_path / "other.jsonl"
        other.write_text(text)
        refused = botkit("--out", other)
        assert (refused.exit_code, other.read_text()) == (1, text)
        assert "Choose another file." in refused.stderr
    (tmp_path / "file").write_text("x")
    assert "cannot be written" in botkit("--out", tmp_path / "file" / "out.jsonl").stderr


def test_labels_of_the_record_are_taken_by_a_build(customer: Customer, mina: Agent) -> None:
    """No label names an article that is not there, and each is asked."""
    customer.rate(customer.ask("has it been sent yet", **WASH), True)
    customer.ask("my pillow smells of fish", **UNSURE)
    customer.served(mina, article="care/towel")
    result = reports.labels(customer.store)
    assert all(isinstance(label, Label) for label in result)
    numbers = confidence.fit(customer.index, result)
    assert numbers["certificate"]["labels"] == 2
