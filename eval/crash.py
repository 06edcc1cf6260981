"""kill -9 of a real server between any two steps, again and again, while customers write and agents work.

    python eval/crash.py --rounds 200

`botkit serve` runs with two workers on an SQLite file. Customers begin conversations, ask for a person and write;
agents claim, write, note, transfer, release, let wait and close, all over HTTP; webhooks go to a receiver. Each round
ends with a SIGKILL to all processes of the server, at one of these moments in turn, all seen from outside:

    at random                   while requests are under way
    in a transaction            the lock beside the database is taken
    while a commit is written   the write-ahead log has changed
    after the commit            the database counts one more, and the answer is not yet out
    while it starts             before it is ready

Then it is started again, and before anybody goes on, what it acknowledged is compared with what is there: no message
lost, doubled or out of order, no ticket in two hands, histories that lead to the states, a sound file. At the end every
webhook of every change must have arrived. Ends with 1 when something is wrong.

A killed process loses nothing that it gave to the system. What a power failure loses is not shown here.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit import accounts, outbox
from botkit.outbox import webhooks
from botkit.store import Store, audit_table, conversation_table, event_table, outbox_table, ticket_state_table
from botkit.store import ticket_table as tickets
from eval import serving
from eval.common import ROOT, built, machine, say, table

MOMENTS = ("at random", "in a transaction", "while a commit is written", "after the commit", "while it starts")
CHANGES = ("claimed", "pending", "resumed", "released", "transferred", "closed", "reopened")
TOLD = ("ticket.opened", "ticket.claimed", "ticket.breached", "ticket.closed", "ticket.reopened")
"""What a webhook tells."""
QUESTIONS = ("Where is my parcel?", "How do I send something back?", "It still does not work", "hello", "xqzt brmpf")
SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSBzaG9wLCAzMiBieXRlcyBsb25n"
LIMIT = 2.0
"""Seconds in which it must be ready again."""
LONG = 20
"""Messages after which a customer begins another conversation."""
PATIENCE = 60


# ---------------------------------------------------------------- the server, and its end


class Receiver:
    """Takes webhooks, and keeps their ids."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.port = 0


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            receiver.ids.append(self.headers["webhook-id"])
            self.send_response(204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # a sender that was killed

    server = Server(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Shop:
    """A server that can be killed and started again on the same port and file."""

    def __init__(self, folder: Path, index: Path, receiver: Receiver) -> None:
        self.database = folder / "shop.db"
        self.port = serving.free_port()
        self._log = (folder / "log").open("ab")
        self._command = serving.botkit(index, self.database, self.port, 2)
        self._environ = os.environ | {
            **serving.NO_LIMITS,
            "BOTKIT_WEBHOOK_URL": f"http://127.0.0.1:{receiver.port}/",
            "BOTKIT_WEBHOOK_SECRET": SECRET,
            "BOTKIT_WEBHOOK_ALLOW": "127.0.0.1",
            "TMPDIR": str(folder),  # what a killed server leaves behind goes with the folder
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = 0.0
        self.work: list[float] = []
        """Seconds of processor time of each start."""

    def start(self) -> None:
        self._begun = time.perf_counter()
        self._process = subprocess.Popen(
            self._command, env=self._environ, stdout=self._log, stderr=self._log, start_new_session=True
        )

    def ready(self) -> float:
        """Wait until it is ready; the seconds since its start."""
        while True:
            assert self._process is not None
            api = serving.Api(self.port, timeout=5)
            try:
                status, _ = api("GET", "/readyz")
            except serving.Cut:
                status = 0
            finally:
                api.close()
            spent = time.perf_counter() - self._begun
            if status == 200:
                self.work.append(serving.processor_time(self._process.pid))
                return spent
            if self._process.poll() is not None or spent > PATIENCE:
                raise RuntimeError(f"the server is not ready after {spent:.1f} s; its log ends: {self.log()}")
            time.sleep(0.005)

    def kill(self) -> None:
        """SIGKILL to the server and its workers, and wait until nobody listens any more."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        while True:
            probe = serving.Api(self.port, timeout=1)
            try:
                probe("GET", "/healthz")
            except serving.Cut as cut:
                if not cut.sent:
                    return
            finally:
                probe.close()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(40)
        self._log.close()

    def log(self) -> str:
        self._log.flush()
        return Path(self._log.name).read_text(errors="replace")[-2000:]

    # What can be seen from outside, without opening the database.

    def writing(self) -> bool:
        """Whether somebody is in a write transaction."""
        try:
            lock = os.open(f"{self.database}.lock", os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def logged(self) -> tuple[int, int]:
        """A mark of the write-ahead log that moves when something is written to it."""
        try:
            result = os.stat(f"{self.database}-wal")
        except OSError:
            return (0, 0)
        return result.st_size, result.st_mtime_ns

    def commits(self) -> bytes:
        """The counter of commits in the head of the log's index: it moves after the log was given to the disk."""
        try:
            with open(f"{self.database}-shm", "rb", buffering=0) as index:
                return os.pread(index.fileno(), 4, 8)
        except OSError:
            return b""


# ---------------------------------------------------------------- what customers and agents were told


@dataclass
class Ledger:
    """What was sent, and what of it was acknowledged."""

    sent: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """The text by conversation, actor and client id, in the order of sending."""
    seqs: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """Where it stands, of those that were acknowledged."""
    replies: dict[tuple[str, int], str] = field(default_factory=dict)
    """The bot's answer, by conversation and seq of the message."""
    begun: set[str] = field(default_factory=set)
    handed_over: set[str] = field(default_factory=set)
    done: Counter[tuple[int, str, str]] = field(default_factory=Counter)
    """Acknowledged changes, by ticket, change and actor."""
    cut: Counter[tuple[int, str, str]] = field(default_factory=Counter)
    """Changes whose answer never came."""
    under_way: set[tuple[str, str, str]] = field(default_factory=set)
    """Messages whose answer did not come before the last kill."""
    answers: int = 0
    """Messages and changes acknowledged in this round."""
    wrong: list[str] = field(default_factory=list)


class Field:
    """Where all meet: they go on in a round until they are cut off, and wait there for the next one."""

    def __init__(self, shop: Shop, names: list[str]) -> None:
        self.shop = shop
        self.names = names
        self.ledger = Ledger()
        self.number = 0
        self.waiting = 0
        self.over = False
        self.changed = threading.Condition()

    def wait(self, number: int) -> int:
        """Wait for a round after this one; its number."""
        with self.changed:
            self.waiting += 1
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.number > number or self.over)
            self.waiting -= 1
            return self.number

    def begin(self) -> None:
        with self.changed:
            self.number += 1
            self.changed.notify_all()

    def end(self) -> None:
        with self.changed:
            self.over = True
            self.changed.notify_all()

    def all_wait(self, count: int) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: self.waiting == count, PATIENCE)


class Client(threading.Thread):
    """Somebody who takes one step after the other, and says a message again until it is acknowledged."""

    def __init__(self, field: Field, name: str, token: str, seed: int) -> None:
        super().__init__(daemon=True)
        self.field, self.ledger, self.who = field, field.ledger, name
        self.chance = random.Random(seed)
        self.api = serving.Api(field.shop.port, token)
        self.again: Callable[[], None] | None = None
        self.count = 0

    def run(self) -> None:
        number = self.field.wait(0)
        while not self.field.over:
            try:
                if self.again is not None:
                    self.again()
                self.again = None
                self.step()
            except serving.Cut:
                self.api.close()
                number = self.field.wait(number)
            except Exception:
                self.ledger.wrong.append(traceback.format_exc())
                number = self.field.wait(10**9)
        self.api.close()

    def step(self) -> None:
        raise NotImplementedError

    def send(self, path: str, conversation: str, actor: str, text: str, token: str = "") -> tuple[int, Any]:
        """A message or a note, under an id of its own; after a cut it is sent again before anything else."""
        self.count += 1
        key = (conversation, actor, f"{self.who}-{self.count}".replace(" ", "-"))
        self.ledger.sent[key] = text

        def attempt() -> tuple[int, Any]:
            try:
                status, answer = self.api("POST", path, {"client_id": key[2], "text": text}, token or self.api.token)
            except serving.Cut as cut:
                if cut.sent:
                    self.ledger.under_way.add(key)
                raise
            if status == 200:
                self.ledger.answers += 1
                stored = answer.get("message") or answer["event"]
                self.ledger.seqs[key] = stored["seq"]
                if answer.get("reply"):
                    self.ledger.replies[conversation, stored["seq"]] = answer["reply"]["id"]
            elif status != 409:  # a ticket may have been handed on meanwhile
                self.ledger.wrong.append(f"{actor} got {status} for a message: {answer}")
            return status, answer

        self.again = lambda: (attempt(), None)[1]
        result = attempt()
        self.again = None
        return result


class Customer(Client):
    """Begins conversations, asks for a person and writes."""

    conversation = token = ""
    said = 0

    def step(self) -> None:
        if not self.conversation or self.said >= LONG:
            status, result = self.api("POST", "/api/v1/conversations", {"lang": "en"}, "")
            assert status == 201, result
            self.conversation, self.token, self.said = result["id"], result["token"], 0
            self.ledger.begun.add(result["id"])
        path = f"/api/v1/conversations/{self.conversation}"
        if self.said == 0 or self.chance.random() < 0.3:
            self.said += 1
            status, result = self.api("POST", f"{path}/handoff", {}, self.token)
            assert status == 200, result
            self.ledger.handed_over.add(self.conversation)
        else:
            self.said += 1
            text = f"{self.chance.choice(QUESTIONS)} ({self.count})"
            self.send(f"{path}/messages", self.conversation, "customer", text, self.token)


class Worker(Client):
    """An agent: takes what waits, works on it, hands it on, closes it."""

    def step(self) -> None:
        mine = [each for each in self.listed("claimed", 200) if each["owner"] == self.who]
        if len(mine) < 3:
            for ticket in self.listed("waiting", 3):
                status, answer = self.change(ticket["id"], "claim", "claimed")
                if status == 200:
                    return
                if not answer["error"].get("owner") and answer["error"]["code"] == "already_claimed":
                    self.ledger.wrong.append(f"a loser was not told the owner: {answer}")
        if mine:
            self.work(self.chance.choice(mine))

    def work(self, ticket: dict[str, Any]) -> None:
        """One step on a ticket of one's own."""
        number, act = ticket["id"], self.chance.random()
        if act < 0.6:
            path = f"/api/v1/desk/tickets/{number}/{'messages' if act < 0.45 else 'notes'}"
            self.send(path, ticket["conversation"], f"agent:{self.who}", f"I am looking into it ({self.count}).")
        elif act < 0.72:
            to = self.chance.choice([name for name in self.field.names if name != self.who])
            self.change(number, "transfer", "transferred", to=to, note="yours")
        elif act < 0.78:
            self.change(number, "release", "released")
        elif act < 0.84:
            self.change(number, "pending", "pending")
        else:
            self.change(number, "close", "closed", outcome="solved", no_article=True)

    def listed(self, state: str, limit: int) -> list[dict[str, Any]]:
        status, answer = self.api("GET", f"/api/v1/desk/tickets?state={state}&limit={limit}")
        assert status == 200, answer
        result: list[dict[str, Any]] = answer["tickets"]
        return result

    def change(self, ticket: int, step: str, change: str, **body: Any) -> tuple[int, Any]:
        key = (ticket, change, f"agent:{self.who}")
        try:
            status, answer = self.api("POST", f"/api/v1/desk/tickets/{ticket}/{step}", body)
        except serving.Cut as cut:
            self.ledger.cut[key] += cut.sent
            raise
        if status == 200:
            self.ledger.answers += 1
            self.ledger.done[key] += 1
        elif status != 409 or step != "claim":
            self.ledger.wrong.append(f"{self.who} got {status} for {step} of ticket {ticket}: {answer}")
        return status, answer


# ---------------------------------------------------------------- what must hold


@dataclass
class Judgement:
    """What is wrong, and how many there are of what."""

    problems: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    stored: int = 0
    """Messages that were under way at the kill and are there."""


def judged(store: Store, ledger: Ledger) -> Judgement:
    """The record in one moment, against what was acknowledged."""
    with store.read() as conn:
        return judged_in(conn, ledger)


def judged_in(conn: Connection, ledger: Ledger) -> Judgement:
    """The record as a transaction sees it, against what was acknowledged."""
    judgement = Judgement()
    wrong = judgement.problems
    heads = {row.id: row.last_seq for row in conn.execute(sa.select(conversation_table))}
    events = conn.execute(sa.select(event_table).order_by(event_table.c.conversation_id, event_table.c.seq)).all()
    rows = {row.id: row for row in conn.execute(sa.select(tickets))}
    lines = conn.execute(
        sa.select(ticket_state_table).order_by(ticket_state_table.c.ticket_id, ticket_state_table.c.n)
    ).all()
    audit = conn.execute(sa.select(audit_table).where(audit_table.c.target.startswith("ticket:"))).all()
    payloads = conn.execute(sa.select(outbox_table.c.payload)).scalars().all()
    sound = conn.exec_driver_sql("PRAGMA integrity_check").scalar()
    strays = conn.exec_driver_sql("PRAGMA foreign_key_check").all()
    if sound != "ok" or strays:
        wrong.append(f"integrity_check: {sound}; foreign_key_check: {strays}")

    # Messages: acknowledged ones are there, each once, where it was said to be, in the order of sending.
    log: dict[str, list[Any]] = defaultdict(list)
    there: dict[tuple[str, str, str], int] = {}
    answered: dict[tuple[str, int], str] = {}
    for event in events:
        log[event.conversation_id].append(event)
        if event.kind in ("message", "note") and event.client_id is not None:
            key = (event.conversation_id, event.actor, event.client_id)
            if key in there:
                wrong.append(f"{key} is there twice")
            if ledger.sent.get(key) != event.data["text"]:
                wrong.append(f"{key} is not what was sent: {event.data['text']!r}")
            there[key] = event.seq
        if event.kind == "reply" and event.data.get("to") is not None:
            place = (event.conversation_id, event.data["to"])
            if place in answered:
                wrong.append(f"{place} was answered twice")
            answered[place] = event.data["id"]
    wrong += [f"{key} was acknowledged as {seq} and is {there.get(key)}" for key, seq in ledger.seqs.items()
              if there.get(key) != seq]  # fmt: skip
    wrong += [f"the answer to {place} is {answered.get(place)}, and {reply} was told"
              for place, reply in ledger.replies.items() if answered.get(place) != reply]  # fmt: skip
    last: dict[tuple[str, str], int] = {}
    for key in ledger.sent:
        seq, pair = there.get(key, 0), key[:2]
        if seq and seq < last.get(pair, 0):
            wrong.append(f"{key} stands before one that was sent earlier")
        last[pair] = max(seq, last.get(pair, 0))
    for conversation, head in heads.items():
        if [event.seq for event in log[conversation]] != list(range(1, head + 1)):
            wrong.append(f"the numbers of {conversation} have gaps")
    wrong += [f"conversation {each} is gone" for each in ledger.begun - heads.keys()]
    judgement.stored = len(ledger.under_way & there.keys())

    # Tickets: the history can be, leads to the state, and is what the log, the audit log and the outbox say.
    history: dict[int, list[Any]] = defaultdict(list)
    for line in lines:
        history[line.ticket_id].append(line)
    result: dict[int, list[tuple[str, str]]] = defaultdict(list)
    announced: Counter[tuple[int, str]] = Counter()
    for conversation, mine in log.items():
        owner, open_one = None, False
        for event in mine:
            if event.kind in TOLD:
                announced[event.data["ticket"], event.kind] += 1
            change = event.kind.removeprefix("ticket.")
            if event.kind.startswith("ticket.") and (change == "opened" or change in CHANGES):
                ticket = event.data["ticket"]
                result[ticket].append((change, event.actor))
                owner = _owner(change, event, owner)
                open_one = change != "closed"
            if event.kind == "message" and event.actor.startswith("agent:") and event.actor != f"agent:{owner}":
                wrong.append(f"{event.actor} wrote in {conversation}, which {owner} has")
            if event.kind == "message" and open_one and (conversation, event.seq) in answered:
                wrong.append(f"the bot answered {event.seq} in {conversation} while a person was in charge")
    for number, row in rows.items():
        mine = history[number]
        end = mine[-1] if mine else None
        if end is None or (end.n, end.state, end.owner) != (row.version, row.state, row.owner):
            wrong.append(f"ticket {number} is {row.state} of {row.owner}, its history ends {end}")
        if [line.n for line in mine] != list(range(1, len(mine) + 1)):
            wrong.append(f"the history of ticket {number} has gaps")
        if [(line.change, line.actor) for line in mine] != result[number]:
            wrong.append(f"the history of ticket {number} is not what its conversation tells")
        wrong += [f"ticket {number}: {fault}" for fault in _faults(mine)]
    for conversation, count in Counter(r.conversation_id for r in rows.values() if r.state != "closed").items():
        if count > 1:
            wrong.append(f"{conversation} has {count} open tickets")
    wrong += [f"{each} asked for a person and has no ticket"
              for each in ledger.handed_over - {row.conversation_id for row in rows.values()}]  # fmt: skip
    known = Counter((line.ticket_id, line.change, line.actor) for line in lines if line.change in CHANGES)
    kept = Counter(
        (int(line.target[7:]), change, line.actor)
        for line in audit
        if (change := line.action.removeprefix("ticket.")) in CHANGES
    )
    if known != kept:
        wrong.append(f"the audit log and the histories differ: {(known - kept) + (kept - known)}")
    boxed = Counter((payload["data"]["ticket"], payload["type"]) for payload in payloads)
    if announced != boxed:
        wrong.append(f"the outbox and the log differ: {(announced - boxed) + (boxed - announced)}")
    value = Counter((line.ticket_id, f"agent:{line.owner}") for line in lines if line.change == "transferred")
    for key in {*known, *ledger.done, *ledger.cut}:
        ticket, change, actor = key
        if change not in ("claimed", "pending", "released", "transferred", "closed"):
            continue
        # A claim of what is one's own already is acknowledged and changes nothing.
        spare = ledger.cut[key] + value[ticket, actor] if change == "claimed" else 0
        if not ledger.done[key] - spare <= known[key] <= ledger.done[key] + ledger.cut[key]:
            wrong.append(f"{key}: {ledger.done[key]} acknowledged, {ledger.cut[key]} cut off, {known[key]} written")
    judgement.counts.update(
        conversations=len(heads),
        messages=sum(key[1] == "customer" for key in there),
        words=sum(key[1] != "customer" for key in there),
        tickets=len(rows),
        changes=len(lines),
        webhooks=len(payloads),
    )
    return judgement


def _owner(change: str, event: Any, owner: str | None) -> str | None:
    """Who has the ticket after a change, as the log tells it."""
    if change == "claimed":
        return str(event.actor.removeprefix("agent:"))
    if change in ("transferred", "reopened"):
        return event.data.get("to") or event.data.get("owner")
    return None if change in ("opened", "released", "closed") else owner


def _faults(lines: list[Any]) -> Iterator[str]:
    """What in a history cannot be: nobody takes what another has, and only who has it changes it."""
    state, owner = "", None
    for line in lines:
        by = line.actor.removeprefix("agent:")
        allowed = {
            "opened": state == "" and line.owner is None,
            "claimed": state == "waiting" and line.owner == by,
            "pending": state == "claimed" and line.owner == owner == by,
            "resumed": state == "pending" and line.owner == owner,
            "released": state in ("claimed", "pending") and owner == by and line.owner is None,
            "transferred": state in ("claimed", "pending") and owner == by and line.owner not in (None, owner),
            "closed": state in ("claimed", "pending") and owner == by,
            "reopened": state == "closed",
        }
        if not allowed[line.change]:
            yield f"{line.change} by {line.actor} while it was {state or 'not there'} of {owner}"
        state, owner = line.state, line.owner


# ---------------------------------------------------------------- the rounds


@dataclass
class Found:
    """The figures of all rounds, and what is wrong."""

    rounds: Counter[str] = field(default_factory=Counter)
    ready: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)
    under_way: Counter[str] = field(default_factory=Counter)
    stored: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    acknowledged: Counter[str] = field(default_factory=Counter)
    deliveries: int = 0
    repeated: int = 0
    ledger: Ledger = field(default_factory=Ledger)
    problems: list[str] = field(default_factory=list)


def crash(
    folder: Path, index: Path, rounds: int, customers: int = 5, agents: int = 3, seed: int = 1, seconds: float = 3600
) -> Found:
    """So many kills, or as many as go into the seconds, with the record judged after each."""
    chance, result, end = random.Random(seed), Found(), time.monotonic() + seconds
    names = [f"Agent {number + 1}" for number in range(agents)]
    store = Store(f"sqlite:///{folder / 'shop.db'}")
    store.migrate()
    for name in names:
        accounts.add_agent(store, name, "agent", accounts.new_password())
    tokens = {name: accounts.issue_token(store, name) for name in names}
    outbox.kinds(store, [webhooks.KIND])
    store.close()
    with receiving() as receiver:
        shop = Shop(folder, index, receiver)
        field = Field(shop, names)
        crowd: list[Client] = [Customer(field, f"c{n}", "", 100 * seed + n) for n in range(customers)]
        crowd += [Worker(field, name, tokens[name], 200 * seed + n) for n, name in enumerate(names)]
        try:
            shop.start()
            result.ready.append(shop.ready())
            for client in crowd:
                client.start()
            for number in range(rounds):
                moment = MOMENTS[number % len(MOMENTS)]
                _round(field, result, moment, chance, len(crowd))
                if number % 20 == 19:
                    say(f"  {number + 1} kills, {len(result.problems)} problems")
                if result.problems or time.monotonic() > end:
                    break
            field.end()
            for client in crowd:
                client.join(PATIENCE)
        finally:
            field.end()
            shop.stop()
        _delivered(shop, receiver, result)
    result.ledger = ledger = field.ledger
    result.work = shop.work
    result.acknowledged.update(
        messages=len(ledger.seqs), changes=ledger.done.total(), sent=len(ledger.sent), cut=ledger.cut.total()
    )
    return result


def _round(field: Field, found: Found, moment: str, chance: random.Random, crowd: int) -> None:
    shop, ledger = field.shop, field.ledger
    ledger.under_way.clear()
    ledger.answers = 0
    if not field.all_wait(crowd):
        found.problems.append("somebody still waits for an answer of a server that is dead")
        return
    field.begin()
    _until(lambda: ledger.answers >= crowd or bool(ledger.wrong), PATIENCE)
    time.sleep(chance.uniform(0, 0.25))
    if moment == "in a transaction":
        found.missed += not _until(shop.writing)
    elif moment == "while a commit is written":
        before = shop.logged()
        found.missed += not _until(lambda: shop.logged() != before)
    elif moment == "after the commit":
        count = shop.commits()
        found.missed += not _until(lambda: shop.commits() != count)
    shop.kill()
    if not field.all_wait(crowd):
        found.problems.append("somebody still waits for an answer of a server that is dead")
        return
    if moment == "while it starts":
        shop.start()
        time.sleep(chance.uniform(0, 0.95 * float(np.median(found.ready))))
        shop.kill()
    shop.start()
    found.ready.append(shop.ready())
    store = Store(f"sqlite:///{shop.database}")
    judgement = judged(store, ledger)
    store.close()
    found.rounds[moment] += 1
    found.under_way[moment] += len(ledger.under_way)
    found.stored[moment] += judgement.stored
    found.counts = judgement.counts
    found.problems += [f"after a kill {moment}: {each}" for each in (*judgement.problems, *ledger.wrong)]


def _until(true: Callable[[], bool], seconds: float = 2.0) -> bool:
    end = time.perf_counter() + seconds
    while not (reached := true()) and time.perf_counter() < end:
        time.sleep(0.0001)
    return reached


def _delivered(shop: Shop, receiver: Receiver, found: Found) -> None:
    """Work off what is left, on a clock put forward past the leases of the killed; then everything must have come."""
    ahead = timedelta(days=1)
    store = Store(f"sqlite:///{shop.database}", clock=lambda: datetime.now(UTC) + ahead)
    sender = webhooks.Webhook(f"http://127.0.0.1:{receiver.port}/", SECRET, allowed=("127.0.0.1",))
    while outbox.work(store, {webhooks.KIND: sender}):
        pass
    with store.read() as conn:
        ids = set(conn.execute(sa.select(outbox_table.c.message_id)).scalars())
    if left := {state: count for state, count in outbox.counts(store).items() if count}:
        found.problems.append(f"not delivered: {left}")
    store.close()
    if lost := len(ids - set(receiver.ids)):
        found.problems.append(f"{lost} webhooks were marked as delivered and never came")
    if strange := len(set(receiver.ids) - ids):
        found.problems.append(f"{strange} webhooks came of what was never kept")
    found.deliveries, found.repeated = len(ids), len(receiver.ids) - len(set(receiver.ids))


def printed(found: Found) -> str:
    """The figures as tables."""
    counts, result = found.counts, found.acknowledged
    shown = [(moment, found.rounds[moment], found.under_way[moment], found.stored[moment]) for moment in MOMENTS]
    starts = [("until ready", found.ready), ("of processor time, all processes", found.work)]
    took = [(name, len(each), *_marks(each)) for name, each in starts]
    late = sum(each > LIMIT for each in found.ready)
    lines = [
        table(("killed", "times", "messages under way", "of them stored"), shown),
        "",
        table(
            ("", ""),
            [
                ("acknowledged messages and notes", f"{result['messages']} of {result['sent']} sent"),
                ("acknowledged changes of tickets", f"{result['changes']}; {result['cut']} cut off"),
                ("conversations, tickets", f"{counts['conversations']}, {counts['tickets']}"),
                ("lines of the tickets' history", counts["changes"]),
                ("webhooks", f"{found.deliveries}, {found.repeated} of them came more than once"),
                ("moments missed", found.missed),
                ("problems", len(found.problems)),
            ],
        ),
        "",
        table(("seconds", "n", "p50", "p95", "p99", "longest"), took),
        f"\nready later than {LIMIT:g} s: {late} of {len(found.ready)}",
    ]
    return "\n".join(lines)


def _marks(found: list[float]) -> list[str]:
    return [f"{each:.2f}" for each in (*np.percentile(found, [50, 95, 99]), max(found))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--customers", type=int, default=5)
    parser.add_argument("--agents", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--index", type=Path, help="an index; without one, a small one is built")
    parser.add_argument("--seconds", type=float, default=3600, help="no further round after so long")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if wanted.index is None:
            built(ROOT / "tests" / "corpus", folder / "index")
        result = crash(
            folder,
            wanted.index or folder / "index",
            wanted.rounds,
            wanted.customers,
            wanted.agents,
            wanted.seed,
            wanted.seconds,
        )
    problems = list(result.problems)
    if float(np.percentile(result.ready, 95)) > LIMIT:
        problems.append(f"more than one start in twenty took longer than {LIMIT:g} s; is the machine busy with others?")
    print(printed(result))
    for problem in problems[:20]:
        print(f"WRONG: {problem}")
    print(f"\n{machine('gunicorn', 'SQLAlchemy')}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
