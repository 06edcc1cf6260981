"""Whoever is away gets no ticket, and whoever is gone keeps none whose customer waits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from desk_shop import handed_over, writes
from flask import Flask
from flask.testing import FlaskClient
from moving import Clock

from botkit import accounts, chat, desk, formatting, language
from botkit.accounts import Agent
from botkit.index import Live
from botkit.store import Store, iso

pytestmark = pytest.mark.databases("sqlite", "postgresql")

QUIET = desk.Policy(offer_seconds=0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def absent(store: Store, agent: Agent, delegate: Agent | None = None, days: float = 2, after: float = 0) -> int:
    start = store.now() + timedelta(days=after)
    end = start + timedelta(days=days)
    made = desk.plan_absence(store, agent, agent.name, start, end, delegate.name if delegate else None)
    desk.tick(store, policy=QUIET)
    return made


def claimed(store: Store, agent: Agent) -> int:
    ticket_id = handed_over(store)
    desk.claim(store, ticket_id, agent)
    return ticket_id


def of(store: Store, ticket_id: int) -> desk.Ticket:
    return desk.ticket(store, ticket_id).ticket


# ---------------------------------------------------------------- absent


def test_a_ticket_for_somebody_absent_goes_to_their_delegate_and_comes_back(
    store: Store, clock: Clock, mina: Agent, nur: Agent, ali: Agent
) -> None:
    ticket_id = claimed(store, mina)
    absent(store, nur, ali)
    value = desk.transfer(store, ticket_id, mina, "nur", "knows rugs")
    assert (value.owner, value.home) == ("Ali", "Nur")
    handover = desk.ticket(store, ticket_id)
    event = next(event for event in handover.transcript if event.kind == "ticket.transferred")
    assert event.stored == {"ticket": ticket_id, "from": "Mina", "to": "Ali", "absent": True}
    assert (handover.history[-1].owner, handover.history[-1].note) == ("Ali", "knows rugs")
    clock.forward(days=2)
    assert desk.tick(store, policy=QUIET).returned == 1
    assert (of(store, ticket_id).owner, of(store, ticket_id).home) == ("Nur", None)


def test_without_a_delegate_it_is_refused_and_nothing_has_changed(
    store: Store, clock: Clock, mina: Agent, nur: Agent, boss: Agent
) -> None:
    ticket_id = claimed(store, mina)
    before = desk.ticket(store, ticket_id)
    absent(store, nur)
    until = clock.now + timedelta(days=2)
    for giver in (mina, boss):
        with pytest.raises(desk.Away, match=f"Nur is away until {iso(until)}") as refused:
            desk.transfer(store, ticket_id, giver, "Nur", "a word")
        assert (refused.value.name, refused.value.until) == ("Nur", until)
    after = desk.ticket(store, ticket_id)
    assert (after.transcript, after.history) == (before.transcript, before.history)
    clock.forward(days=2)
    assert desk.transfer(store, ticket_id, mina, "Nur").owner == "Nur"


def test_a_planned_absence_and_one_that_was_called_off_stop_nothing(store: Store, mina: Agent, nur: Agent) -> None:
    planned = absent(store, nur, after=1)
    assert desk.transfer(store, claimed(store, mina), mina, "Nur").owner == "Nur"
    desk.end_absence(store, nur, planned)
    under_way = absent(store, nur)
    desk.end_absence(store, nur, under_way)
    assert desk.transfer(store, claimed(store, mina), mina, "Nur").owner == "Nur"


def test_a_delegate_who_is_away_is_passed_over(store: Store, mina: Agent, nur: Agent, ali: Agent, boss: Agent) -> None:
    absent(store, nur, ali)
    absent(store, ali, boss)
    value = desk.transfer(store, claimed(store, mina), mina, "Nur")
    assert (value.owner, value.home) == ("Boss", "Nur")


def test_two_who_stand_in_for_each_other_and_one_who_has_it_already(
    store: Store, mina: Agent, nur: Agent, ali: Agent
) -> None:
    absent(store, nur, mina)
    with pytest.raises(desk.Away):  # Mina has it and would have to give it to herself
        desk.transfer(store, claimed(store, mina), mina, "Nur")
    absent(store, mina, nur)
    with pytest.raises(desk.Away):
        desk.transfer(store, claimed(store, ali), ali, "Nur")


def test_a_delegate_who_has_left_stands_in_for_nobody(store: Store, mina: Agent, nur: Agent, ali: Agent) -> None:
    absent(store, nur, ali)
    accounts.disable(store, "Ali")
    with pytest.raises(desk.Away):
        desk.transfer(store, claimed(store, mina), mina, "Nur")


def test_an_absence_that_begins_gives_nothing_to_an_absent_delegate(
    store: Store, clock: Clock, mina: Agent, nur: Agent, ali: Agent
) -> None:
    ticket_id = claimed(store, nur)
    absent(store, ali, days=1)
    absent(store, nur, ali)
    assert (of(store, ticket_id).state, of(store, ticket_id).home) == ("waiting", "Nur")
    clock.forward(days=2)
    desk.tick(store, policy=QUIET)
    assert of(store, ticket_id).owner == "Nur"


def test_nothing_comes_back_while_another_absence_goes_on(
    store: Store, clock: Clock, mina: Agent, nur: Agent, ali: Agent
) -> None:
    ticket_id = claimed(store, nur)
    absent(store, nur, ali, days=1)
    absent(store, nur, ali, days=3)
    clock.forward(days=1)
    desk.tick(store, policy=desk.Policy(offer_seconds=0, unattended_minutes=0))
    assert (of(store, ticket_id).owner, of(store, ticket_id).home) == ("Ali", "Nur")
    clock.forward(days=2)
    desk.tick(store, policy=desk.Policy(offer_seconds=0, unattended_minutes=0))
    assert (of(store, ticket_id).owner, of(store, ticket_id).home) == ("Nur", None)


def test_a_supervisor_who_is_here_after_all_may_take_over(store: Store, mina: Agent, boss: Agent) -> None:
    absent(store, boss)
    assert desk.take_over(store, claimed(store, mina), boss).owner == "Boss"


# ---------------------------------------------------------------- told by the API and the pages


def test_the_sender_is_told_on_the_page(
    store: Store,
    signed_in: Callable[[str], FlaskClient],
    mina: Agent,
    nur: Agent,
    ali: Agent,
    boss: Agent,
    lang: str,
    live: Live,
) -> None:
    texts = language.messages(lang)
    absent(store, nur)
    absent(store, boss, ali)
    ticket_id, browser = claimed(store, mina), signed_in("Mina")
    browser.get(f"/desk?lang={lang}")

    def passed_on(to: str) -> str:
        address = f"/desk/tickets/{ticket_id}/transfer"
        return browser.post(address, data={"to": to}, follow_redirects=True).text

    page = passed_on("Nur")
    shop = formatting.of(lang, live.current().shop(lang))
    until = shop.moment(store.now() + timedelta(days=2), ZoneInfo("Europe/London"))
    assert texts["desk.is_away"].format(name="\u2068Nur\u2069", until=f"\u2068{until}\u2069") in page
    assert of(store, ticket_id).owner == "Mina"
    result = texts["desk.to_delegate"].format(name="\u2068Boss\u2069", delegate="\u2068Ali\u2069")
    assert result in passed_on("Boss")
    assert of(store, ticket_id).owner == "Ali"


def test_a_supervisor_passing_many_on_is_told_once(
    store: Store, signed_in: Callable[[str], FlaskClient], mina: Agent, nur: Agent, ali: Agent, boss: Agent
) -> None:
    absent(store, nur)
    browser, ids = signed_in("Boss"), [claimed(store, mina) for _ in range(3)]
    page = browser.post("/desk/overview/pass_on", data={"ticket": ids, "to": "Nur"}, follow_redirects=True).text
    flashes = page.split('id="flashes"')[1].split("</div>")[0]
    assert flashes.count('role="alert">\u2068Nur\u2069') == 1
    assert language.messages("en")["desk.some_not_done.other"].format(n=3) in flashes


def test_the_api_says_until_when(app: Flask, store: Store, mina: Agent, nur: Agent, ali: Agent, boss: Agent) -> None:
    absent(store, nur)
    absent(store, boss, ali)
    ticket_id, headers = claimed(store, mina), {"Authorization": f"Bearer {accounts.issue_token(store, 'Mina')}"}
    address = f"/api/v1/desk/tickets/{ticket_id}/transfer"
    refused = app.test_client().post(address, json={"to": "Nur"}, headers=headers)
    assert refused.status_code == 409
    assert refused.json is not None
    error = refused.json["error"]
    assert (error["code"], error["until"]) == ("away", "2026-11-22T12:00:00.000Z")
    value = app.test_client().post(address, json={"to": "Boss"}, headers=headers).json
    assert value is not None
    assert (value["owner"], value["home"]) == ("Ali", "Boss")


# ---------------------------------------------------------------- gone


def test_the_ticket_of_somebody_gone_goes_back_to_the_queue_and_says_why(
    store: Store, clock: Clock, mina: Agent, signed_in: Callable[[str], FlaskClient], boss: Agent
) -> None:
    desk.seen(store, mina, "available")
    ticket_id = claimed(store, mina)
    clock.forward(minutes=29)
    assert desk.tick(store, policy=QUIET).unattended == 0
    clock.forward(minutes=1)
    done = [desk.tick(store, policy=QUIET).unattended for _ in range(2)]
    assert done == [1, 0]
    handover = desk.ticket(store, ticket_id)
    line, event = handover.history[-1], handover.transcript[-1]
    assert (line.change, line.state, line.owner, line.actor) == ("released", "waiting", None, "system")
    assert line.note == "no sign of Mina for 30 minutes while the customer waited"
    assert (event.kind, event.stored) == ("ticket.released", {"ticket": ticket_id, "from": "Mina", "unattended": True})
    assert handover.ticket.unanswered_since == handover.ticket.opened_at
    assert (chat.view(event, "customer") or {})["data"] == {}
    page = signed_in("Boss").get(f"/desk/tickets/{ticket_id}").text
    assert language.messages("en")["desk.event_unattended"].format(name="Mina") in page
    assert desk.claim(store, ticket_id, mina).owner == "Mina"  # who comes back may take it again
    clock.forward(minutes=29)
    assert desk.tick(store, policy=QUIET).unattended == 0  # taking it was a sign of life
    clock.forward(minutes=1)
    assert desk.tick(store, policy=QUIET).unattended == 1


def test_who_is_there_or_has_answered_or_waits_for_the_customer_keeps_theirs(
    store: Store, clock: Clock, mina: Agent, nur: Agent
) -> None:
    answered, pending, slow = (claimed(store, agent) for agent in (mina, mina, nur))
    desk.say(store, answered, mina, "one", "In a minute")
    desk.wait_for_customer(store, pending, mina)
    for _ in range(8):
        clock.forward(minutes=10)
        desk.seen(store, nur)
        assert desk.tick(store, policy=QUIET).unattended == 0
    assert of(store, slow).owner == "Nur"
    writes(store, answered)
    writes(store, pending)
    clock.forward(minutes=29)
    assert desk.tick(store, policy=QUIET).unattended == 0
    clock.forward(minutes=1)
    desk.seen(store, nur)
    assert desk.tick(store, policy=QUIET).unattended == 2
    assert {of(store, each).state for each in (answered, pending)} == {"waiting"}


def test_a_shift_that_is_over_makes_no_difference_and_nought_switches_it_off(
    store: Store, clock: Clock, mina: Agent
) -> None:
    desk.arrange(store, mina, "Mina", shifts={"fri": ["09:00", "12:30"]})
    desk.seen(store, mina, "available")
    ticket_id = claimed(store, mina)
    clock.forward(hours=8)
    assert desk.tick(store, policy=desk.Policy(offer_seconds=0, unattended_minutes=0)).unattended == 0
    assert of(store, ticket_id).owner == "Mina"
    assert desk.tick(store, policy=desk.Policy(offer_seconds=0, unattended_minutes=500)).unattended == 0
    assert desk.tick(store, policy=QUIET).unattended == 1


def test_what_a_delegate_leaves_still_comes_back_to_whom_it_was_for(
    store: Store, clock: Clock, mina: Agent, nur: Agent, ali: Agent
) -> None:
    ticket_id = claimed(store, mina)
    absent(store, nur, ali)
    desk.transfer(store, ticket_id, mina, "Nur")
    clock.forward(minutes=30)
    assert desk.tick(store, policy=QUIET).unattended == 1
    assert (of(store, ticket_id).state, of(store, ticket_id).home) == ("waiting", "Nur")
    clock.forward(days=2)
    desk.tick(store, policy=QUIET)
    assert of(store, ticket_id).owner == "Nur"


def test_what_comes_back_is_offered_to_somebody_else_first(store: Store, clock: Clock, mina: Agent, nur: Agent) -> None:
    desk.seen(store, mina, "available")
    ticket_id = claimed(store, mina)
    clock.forward(minutes=30)
    desk.seen(store, mina, "away")
    desk.seen(store, nur, "available")
    assert desk.tick(store).unattended == 0  # she is there, and on a break
    clock.forward(minutes=30)
    desk.seen(store, nur, "available")
    done = desk.tick(store)
    assert (done.unattended, done.offered) == (1, 1)
    assert of(store, ticket_id).offered_to == "Nur"
