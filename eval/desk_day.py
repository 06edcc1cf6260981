"""A day at the desk on a simulated clock, through the real desk: by priority with ageing against first in, first out.

Customers come by the hour with a peak in the evening, when fewest agents are on: four by day, two from 18:00. Both
queues see the same customers with the same matters, and each conversation takes as long in both; the second desk is
told nothing of the matter, so that everybody has the same priority and it serves in the order of arrival.
"""

from __future__ import annotations

import argparse
import math
import random
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from botkit import accounts, desk
from botkit.store import Store
from botkit.store.event_data import CustomerMessage
from eval.common import machine, say, table

OPENS, CLOSES = 8, 22
ARRIVALS = {8: 6, 9: 10, 10: 14, 11: 16, 12: 18, 13: 16, 14: 14, 15: 14, 16: 16, 17: 20, 18: 24, 19: 26, 20: 22, 21: 14}
"""Handovers in each hour."""
SHIFTS = {"Ada": (8, 18), "Ben": (8, 18), "Cem": (8, 22), "Dua": (8, 22)}
SHARE = 2
"""Conversations at once."""
MATTERS = {
    "everyday": (0.80, "Where is my order?", "no_answer", 240),
    "asked for a person": (0.10, "Can I speak to a person?", "customer_request", 240),
    "complaint, refund": (0.10, "I want to complain: where is my refund?", "policy", 420),
}
"""The share of each matter, its words, the reason of its handover and the mean seconds that it takes."""
STEP, REACTION = 5, 5
PATIENCE = 12 * 3600


@dataclass
class Customer:
    """Somebody who will be handed over at second `at` of the day, and whose conversation takes `takes` seconds."""

    at: int
    matter: str
    takes: int
    ticket: int = 0


def customers(chance: random.Random, scale: float) -> list[Customer]:
    """The day's customers, in the order in which they come."""
    result = []
    for hour, number in ARRIVALS.items():
        for _ in range(round(number * scale)):
            matter = chance.choices(list(MATTERS), [share for share, *_ in MATTERS.values()])[0]
            takes = 45 + round(chance.expovariate(1 / MATTERS[matter][3]))
            result.append(Customer(hour * 3600 + chance.randrange(3600), matter, takes))
    return sorted(result, key=lambda each: each.at)


def day(url: str, coming: list[Customer], blind: bool) -> dict[str, list[tuple[float, bool]]]:
    """Serve a day; the wait until the first reply of each, by matter, and whether it was late."""
    midnight = datetime(2026, 11, 20, tzinfo=UTC)
    now = midnight + timedelta(hours=OPENS)
    store = Store(url, clock=lambda: now)
    store.migrate()
    team = {name: accounts.add_agent(store, name, "agent", "copper pan and cezve") for name in SHIFTS}
    for name, agent in team.items():
        desk.arrange(store, agent, name, capacity=SHARE)
    policy = desk.Policy()
    by_ticket: dict[int, Customer] = {}
    busy: dict[int, tuple[str, datetime]] = {}
    waits: dict[str, list[tuple[float, bool]]] = {matter: [] for matter in MATTERS}
    left = list(coming)
    while left or by_ticket:
        second = (now - midnight).total_seconds()
        while left and left[0].at <= second:
            customer = left.pop(0)
            _, words, reason, _ = MATTERS[customer.matter]
            with store.write() as conn:
                conversation = store.open_conversation(conn, "0" * 64, "en", "/")
                text = "hello" if blind else words
                store.append(conn, conversation, "customer", CustomerMessage(text, "m"))
                reason = "no_answer" if blind else reason
                customer.ticket = desk.open_ticket(store, conn, conversation, reason, "en", "/", [], policy=policy)
            by_ticket[customer.ticket] = customer
        for ticket, (name, until) in list(busy.items()):
            if until <= now:
                desk.close(store, ticket, team[name], "solved")
                del busy[ticket], by_ticket[ticket]
        for name, (begins, ends) in SHIFTS.items():
            if begins * 3600 <= second < ends * 3600 or (second >= CLOSES * 3600 and ends == CLOSES):
                desk.seen(store, team[name], "available")
        desk.tick(store, policy=policy)
        for offered in [each for each in desk.queue(store, "waiting", limit=50) if each.offered_to]:
            name = str(offered.offered_to)
            desk.claim(store, offered.id, team[name])
            desk.say(store, offered.id, team[name], f"a{offered.id}", "Hello, let me look.")
            result = desk.ticket(store, offered.id).ticket
            assert result.first_reply_at is not None
            customer = by_ticket[offered.id]
            wait = (result.first_reply_at - result.opened_at).total_seconds() + REACTION
            waits[customer.matter].append((wait, result.due_at is not None and wait > policy.live_reply))
            busy[offered.id] = (name, now + timedelta(seconds=customer.takes))
        now += timedelta(seconds=STEP)
        if len(by_ticket) == len(busy):  # nobody waits: on to whatever comes next
            ends = [(until - now).total_seconds() for _, until in busy.values()]
            comes = [customer.at - second - STEP for customer in left[:1]]
            now += timedelta(seconds=max(0, math.ceil(min(ends + comes, default=0) / STEP)) * STEP)
        if second > CLOSES * 3600 + PATIENCE:
            raise RuntimeError("the team does not come to an end: fewer customers, or more agents")
    store.close()
    return waits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=2.0, help="times as many customers")
    parser.add_argument("--seed", type=int, default=1)
    value = parser.parse_args()
    coming = customers(random.Random(value.seed), value.scale)
    rows = []
    for name, blind in (("priority with ageing", False), ("first in, first out", True)):
        say(f"  a day by {name}: {len(coming)} customers")
        with tempfile.TemporaryDirectory() as folder:
            waits = day(f"sqlite:///{Path(folder)}/day.db", [Customer(**vars(each)) for each in coming], blind)
        waits["all"] = [each for result in waits.values() for each in result]
        for matter, result in waits.items():
            seconds = np.array([wait for wait, _ in result] or [0.0])
            late = sum(was_late for _, was_late in result) / max(1, len(result))
            half, most = np.percentile(seconds, [50, 90])
            figures = [f"{half:.0f}", f"{most:.0f}", f"{seconds.max():.0f}", f"{100 * late:.0f} %"]
            rows.append([name, matter, len(result), *figures])
    print("A day at the desk: seconds until the first reply\n")
    print(table(["queue", "matter", "customers", "median", "90 %", "longest", "late (over 30 s)"], rows))
    print(f"\n{machine('sqlalchemy')}")


if __name__ == "__main__":
    main()
