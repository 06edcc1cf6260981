"""Eight agents race for every waiting ticket, through the HTTP API of one real server on an SQLite file.

    python eval/race.py --tickets 10000 --agents 8

All agents claim every ticket, in the order of the queue, as fast as each can: one gets it, and all others must be told
who has it. Clients and server share the machine. Printed: tickets won, tickets in two hands, losers told the right
owner, claims a second, and the time of the queue page while all tickets wait, from the sending of the request to the
last byte. Ends with 1 when something is wrong.
"""

from __future__ import annotations

import argparse
import http.client
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import sqlalchemy as sa

from botkit import accounts, desk
from botkit.store import Store, ticket_state_table, ticket_table
from botkit.store.event_data import CustomerMessage
from eval import serving
from eval.common import ROOT, built, machine, say, table

PASSWORD = "a-password-for-the-race"
WORDS = (
    ("en", "Where is my parcel?", "no_answer"),
    ("ar", "أريد أن أتحدث مع موظف", "customer_request"),
    ("tr", "Paramı geri istiyorum.", "policy"),
    ("fa", "سفارش من کجاست؟", "low_confidence"),
    ("bg", "Искам да се оплача.", "no_answer"),
)
TOGETHER = 200
"""Tickets opened in one transaction."""
QUIET = {**serving.NO_LIMITS, "BOTKIT_WEBHOOK_URL": ""}


@dataclass
class Racer:
    """An agent: what they won, and what they were told of what they lost."""

    name: str
    token: str
    won: list[int] = field(default_factory=list)
    lost: dict[int, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def run(self, port: int, tickets: Sequence[int], go: threading.Barrier) -> None:
        api = serving.Api(port, self.token)
        go.wait()
        for ticket in tickets:
            try:
                status, answer = api("POST", f"/api/v1/desk/tickets/{ticket}/claim")
            except serving.Cut:
                self.wrong.append(f"{self.name} got no answer about ticket {ticket}")
                continue
            if status == 200 and answer["owner"] == self.name:
                self.won.append(ticket)
            elif status == 409:
                self.lost[ticket] = answer["error"].get("owner")
            else:
                self.wrong.append(f"{self.name} got {status} for ticket {ticket}: {answer}")
        api.close()


@dataclass(frozen=True)
class Found:
    """The figures, and what is wrong."""

    tickets: int
    won: dict[str, int]
    double: int
    losers: int
    told: int
    seconds: float
    claims: int
    page: list[float]
    problems: list[str]


def fill(store: Store, tickets: int) -> None:
    """Conversations that the bot handed over, in five languages."""
    for start in range(0, tickets, TOGETHER):
        with store.write() as conn:
            for number in range(start, min(start + TOGETHER, tickets)):
                lang, text, reason = WORDS[number % len(WORDS)]
                conversation = store.open_conversation(conn, "0" * 64, lang, f"/orders/{number}")
                store.append(conn, conversation, "customer", CustomerMessage(text, "m"))
                desk.open_ticket(store, conn, conversation, reason, lang, f"/orders/{number}", [])


def queue_page(port: int, name: str, times: int) -> list[float]:
    """Milliseconds of the queue page, for somebody who signed in by the form."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    line.request("POST", "/desk/login", urlencode({"name": name, "password": PASSWORD}), form)
    answer = line.getresponse()
    answer.read()
    cookie = "; ".join(each.partition(";")[0] for each in answer.headers.get_all("Set-Cookie") or ())
    result = []
    for _ in range(times + 3):
        begun = time.perf_counter()
        line.request("GET", "/desk", headers={"Cookie": cookie})
        answer = line.getresponse()
        shown = answer.read()
        result.append(1000 * (time.perf_counter() - begun))
        if answer.status != 200 or b"/desk/tickets/" not in shown:
            raise RuntimeError(f"the queue page is not there: {answer.status}")
    line.close()
    return result[3:]


def race(folder: Path, index: Path, tickets: int, agents: int, pages: int = 200) -> Found:
    """A server, its queue, and the race for it."""
    store = Store(f"sqlite:///{folder / 'race.db'}")
    store.migrate()
    accounts.add_agent(store, "Reader", "supervisor", PASSWORD)  # has a share of none, so is offered nothing
    racers = []
    for number in range(agents):
        agent = accounts.add_agent(store, f"Agent {number + 1}", "agent", PASSWORD)
        racers.append(Racer(agent.name, accounts.issue_token(store, agent.name)))
    begun = time.perf_counter()
    fill(store, tickets)
    say(f"  {tickets} tickets wait, after {time.perf_counter() - begun:.0f} s")
    order = [ticket.id for ticket in desk.queue(store, "waiting", limit=tickets)]
    port = serving.free_port()
    with serving.started(serving.botkit(index, folder / "race.db", port, 2), port, "where is my order", QUIET):
        page = queue_page(port, "Reader", pages)
        say(f"  the queue page {pages} times; the race")
        go = threading.Barrier(agents + 1)
        threads = [threading.Thread(target=each.run, args=(port, order, go), daemon=True) for each in racers]
        for thread in threads:
            thread.start()
        go.wait()
        begun = time.perf_counter()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - begun
    result = judged(store, order, racers, seconds, page)
    store.close()
    return result


def judged(store: Store, order: Sequence[int], racers: Sequence[Racer], seconds: float, page: list[float]) -> Found:
    """What the racers were told, against what is written."""
    problems = [each for racer in racers for each in racer.wrong]
    with store.read() as conn:
        owners = {row.id: row.owner for row in conn.execute(sa.select(ticket_table))}
        claims = Counter(
            conn.execute(sa.select(ticket_state_table.c.ticket_id).where(ticket_state_table.c.owner.is_not(None)))
            .scalars()
            .all()
        )
    winners = Counter(ticket for racer in racers for ticket in racer.won)
    double = sum(winners[ticket] > 1 or claims[ticket] > 1 for ticket in order)
    for racer in racers:
        name = racer.name
        problems += [f"ticket {n} is {owners[n]}'s, and {name} won it" for n in racer.won if owners[n] != name]
        problems += [
            f"{name} was told that {owner} has ticket {n}, which is {owners[n]}'s"
            for n, owner in racer.lost.items()
            if owner != owners[n]
        ]
    problems += [f"{double} tickets in two hands"] if double else []
    missing = sum(winners[ticket] != 1 for ticket in order)
    problems += [f"{missing} tickets without exactly one winner"] if missing else []
    return Found(
        tickets=len(order),
        won={racer.name: len(racer.won) for racer in racers},
        double=double,
        losers=sum(len(racer.lost) for racer in racers),
        told=sum(owner == owners[n] for racer in racers for n, owner in racer.lost.items()),
        seconds=seconds,
        claims=len(order) * len(racers),
        page=page,
        problems=problems,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tickets", type=int, default=10_000)
    parser.add_argument("--agents", type=int, default=8)
    parser.add_argument("--pages", type=int, default=200, help="how often the queue page is asked for")
    parser.add_argument("--most", type=float, default=50, help="milliseconds that 99 of 100 queue pages may take")
    parser.add_argument("--index", type=Path, help="an index; without one, a small one is built")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if wanted.index is None:
            built(ROOT / "tests" / "corpus", folder / "index")
        result = race(folder, wanted.index or folder / "index", wanted.tickets, wanted.agents, wanted.pages)
    median, high = np.percentile(result.page, [50, 99])
    problems = list(result.problems)
    if high > wanted.most:
        problems.append(f"the queue page takes up to {high:.0f} ms")
    rows = [
        ("tickets won", f"{sum(result.won.values())} of {result.tickets}"),
        ("by each agent", ", ".join(str(count) for count in result.won.values())),
        ("tickets in two hands", result.double),
        ("losers told the owner", f"{result.told} of {result.losers}"),
        (
            "claims asked for, a second",
            f"{result.claims / result.seconds:.0f} ({result.claims} in {result.seconds:.0f} s)",
        ),
        ("tickets given, a second", f"{result.tickets / result.seconds:.0f}"),
        (f"queue page with {result.tickets} waiting, ms", f"median {median:.1f}, p99 {high:.1f}, n {len(result.page)}"),
    ]
    print(table(("", ""), rows))
    for problem in problems[:20]:
        print(f"WRONG: {problem}")
    print(f"\n{machine('gunicorn', 'SQLAlchemy')}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
