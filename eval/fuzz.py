"""Requests by chance, most of them hostile, to every route of a real server, for as long as one likes.

    python eval/fuzz.py --seconds 600 --index indexes/lalezar

`botkit serve` runs with two workers on an SQLite file. The requests are made by `chance.py`; customers' and agents'
tokens and sessions of each role are mixed in, so that they get deep.

After each batch: no answer was a 5xx (503 with Retry-After is one by design), every request that HTTP allows got one,
the workers are the same processes, the log has no traceback, and neither log nor metrics have a token, a password or
the personal data that was sent; an ordinary question is answered; memory stays within a bound. What is found is printed
with the request; the same seed sends the same requests. Ends with 1 when something was found.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from botkit import accounts
from botkit.server import create_app
from botkit.store import Store
from eval import serving
from eval.chance import PASSWORD, PATIENCE, PERSONAL, Answer, Chance, Known, Request, exchange
from eval.common import ROOT, machine, say, table

BATCH = 100
"""Requests of each client between two looks at the server."""
CLIENTS = 4
ENOUGH = 50
"""Problems after which it ends."""
GROWTH = 400.0
"""MB by which the server's processes together may grow. A password that is checked takes 20 for a moment."""
SLOWEST = 5
"""Of the slowest answers so many are told."""


@dataclass
class Found:
    """What happened, and what should not have."""

    seed: int
    statuses: Counter[int] = field(default_factory=Counter)
    routes: set[tuple[str, str]] = field(default_factory=set)
    """Those that gave something else than 404, 405 or the way to the sign-in, with their methods."""
    problems: list[str] = field(default_factory=list)
    memory: tuple[float, float] = (0.0, 0.0)
    """MB of all processes after the start, and at most since."""
    seconds: float = 0.0
    slowest: list[tuple[float, str]] = field(default_factory=list)
    """Seconds and requests of the slowest answers."""

    missed: set[str] = field(default_factory=set)
    """Routes that never let anybody in."""

    def note(self, route: tuple[str, str], request: Request, answer: Answer, took: float) -> None:
        self.statuses[answer.status] += 1
        self.slowest = sorted([*self.slowest, (took, f"{answer.status} {request}")])[-SLOWEST:]
        if answer.status not in (0, 404, 405) and "/desk/login" not in answer.headers.get("location", ""):
            self.routes.add(route)
        problem = wrong_answer(request, answer)
        if problem is not None:
            self.problems.append(f"{problem}\n    {request}")

    @property
    def requests(self) -> int:
        return sum(self.statuses.values())


class Shop:
    """The server under fire: who works there, and what must be true of it at any time."""

    def __init__(self, server: serving.Server, store: Store, log: Path) -> None:
        self._server, self._store, self._log = server, store, log
        self._pids = server.workers()
        self._read = 0
        self._secrets: set[str] = set()
        self.known = Known({"Ali": "agent", "Boss": "supervisor", "Root": "admin", "Ana": "analyst"})
        for name, role in self.known.people.items():
            accounts.add_agent(store, name, role, PASSWORD)
        self.memory = sum(server.memory())

    def renew(self) -> None:
        """Conversations, two of them with a person, and tokens and sessions of everybody."""
        known, store = self.known, self._store
        with closing(serving.Api(self._server.port)) as api:
            fresh = []
            for number in range(4):
                _, result = api("POST", "/api/v1/conversations", {"lang": "en"})
                if number % 2:
                    api("POST", f"/api/v1/conversations/{result['id']}/handoff", {}, result["token"])
                fresh.append(result)
        known.conversations = (known.conversations + fresh)[-12:]
        known.tokens, known.cookies = [], []
        here = {each.name: each for each in accounts.agents(store)}
        for name, role in known.people.items():
            if here[name].disabled:
                accounts.enable(store, name)
            accounts.set_role(store, name, role)
            accounts.factor_off(store, name)
            accounts.set_password(store, name, PASSWORD)
            accounts.revoke_tokens(store, name)
            known.tokens.append(accounts.issue_token(store, name))
            form = urlencode({"name": name, "password": PASSWORD})
            head = f"POST /desk/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(form)}\r\n"
            kind = "Connection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n"
            answer = exchange(self._server.port, Request(f"{head}{kind}{form}".encode(), "127.0.0.1", "POST"))
            if answer.status == 303:
                cookies = answer.headers["set-cookie"].split("\n")
                known.cookies.append("; ".join(each.partition(";")[0] for each in cookies))
        self._secrets |= {PASSWORD, *known.tokens, *known.cookies, *(each["token"] for each in known.conversations)}

    def problems(self) -> Iterator[str]:
        """What is wrong with the server now."""
        if self._server.process.poll() is not None or self._server.workers() != self._pids:
            yield f"the workers were {self._pids} and are {self._server.workers()}"
            self._pids = self._server.workers()
        with self._log.open("rb") as log:
            log.seek(self._read)
            stored = log.read().decode("utf-8", "replace")
            self._read = log.tell()
        yield from wrong_in_log(stored, self._secrets)
        memory = sum(self._server.memory())
        if memory > self.memory + GROWTH:
            yield f"memory grew from {self.memory:.0f} to {memory:.0f} MB"
            self.memory = memory
        with closing(serving.Api(self._server.port, timeout=PATIENCE)) as api:
            try:
                status, _ = api("POST", "/api/v1/ask", {"text": "where is my order"})
                if status != 200:
                    yield f"an ordinary question got {status}"
            except serving.Cut:
                yield "an ordinary question got no answer"
        metrics = exchange(self._server.port, Request(b"GET /metrics HTTP/1.0\r\n\r\n", "127.0.0.1", "GET"))
        yield from leaks(metrics.body.decode("utf-8", "replace"), self._secrets, "the metrics")


def wrong_in_log(text: str, secrets: set[str]) -> Iterator[str]:
    """What a log must not have: tracebacks, workers' ends, secrets, personal data."""
    for sign in ("Traceback (most recent call last)", " unexpected ", "WORKER TIMEOUT", "was sent SIG", "Fatal Python"):
        if sign in text:
            at = text.index(sign)
            yield f"the log has {sign.strip()!r}: {text[max(0, at - 300) : at + 3000]}"
            break
    yield from leaks(text, secrets, "the log")


def leaks(text: str, secrets: set[str], where: str) -> Iterator[str]:
    for each in (*PERSONAL, *secrets):
        if each in text or quote(each) in text:
            at = max(text.find(each), text.find(quote(each)))
            yield f"{where} has {each!r}: {text[max(0, at - 200) : at + 200]}"


def wrong_answer(request: Request, answer: Answer) -> str | None:
    """What is wrong with an answer by itself."""
    if answer.status == 0:
        return "no answer" if request.whole else None
    by_design = answer.status == 503 and "retry-after" in answer.headers
    if answer.status >= 500 and not by_design and (request.whole or answer.status != 501):
        return f"{answer.status} {answer.body[:300]!r}"
    where = urlsplit(answer.headers.get("location", ""))
    if where.netloc not in ("", "localhost") or where.scheme not in ("", "http"):
        return f"a way out of here: {answer.headers['location']}"
    return None


# ---------------------------------------------------------------- all of it


def fuzz(folder: Path, index: Path, seconds: float, seed: int, clients: int = CLIENTS, database: str = "") -> Found:
    """Send requests for so long; what came of it. Without a database's URL it is an SQLite file in the folder."""
    result, lock = Found(seed), threading.Lock()
    database, log, port = database or f"sqlite:///{folder / 'fuzz.db'}", folder / "log", serving.free_port()
    with (
        serving.started(serving.botkit(index, database, port, 2), port, "where is my order", log=log) as server,
        ThreadPoolExecutor(clients) as pool,
        closing(Store(database)) as store,
        closing(serving.Api(port)) as api,
    ):
        routes = routes_of(store)
        shop, spec = Shop(server, store, log), api("GET", "/openapi.json")[1]
        chances = [Chance(f"{seed}/{number}", routes, spec) for number in range(clients)]
        most, begun = shop.memory, time.monotonic()

        def batch(chance: Chance) -> None:
            for _ in range(BATCH):
                route, request = chance.request(shop.known)
                sent = time.monotonic()
                try:
                    answer = exchange(port, request)
                except OSError:
                    answer = Answer(0)
                took = time.monotonic() - sent
                with lock:
                    result.note(route, request, answer, took)

        while time.monotonic() - begun < seconds and len(result.problems) < ENOUGH:
            shop.renew()
            list(pool.map(batch, chances))
            result.problems += shop.problems()
            most = max(most, sum(server.memory()))
        result.memory, result.seconds = (shop.memory, most), time.monotonic() - begun
        result.missed = {f"{method} {rule}" for method, rule in set(routes) - result.routes}
    return result


def routes_of(store: Store) -> list[tuple[str, str]]:
    """The application's own, with their methods."""
    app = create_app(index=None, store=store)  # type: ignore[arg-type]
    return [
        (method, rule.rule)
        for rule in sorted(app.url_map.iter_rules(), key=str)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None, help="the same requests again; printed at the beginning")
    parser.add_argument("--database", default="", help="URL of an empty one; default: an SQLite file")
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--index", type=Path, default=ROOT / "indexes" / "lalezar")
    wanted = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if wanted.seed is None else wanted.seed
    say(f"  seed {seed}, {wanted.seconds:g} s")
    with tempfile.TemporaryDirectory() as folder:
        result = fuzz(Path(folder), wanted.index, wanted.seconds, seed, wanted.clients, wanted.database)
    print(f"{result.requests} requests in {result.seconds:.0f} s, seed {seed}; let in at {len(result.routes)} routes\n")
    if result.missed:
        print(f"never let in at: {', '.join(sorted(result.missed))}\n")
    rows = [(status or "none", count) for status, count in sorted(result.statuses.items())]
    print(table(("answer", "n"), rows))
    print(f"\nmemory of the server: {result.memory[0]:.0f} MB, at most {result.memory[1]:.0f} MB\n")
    for took, request in reversed(result.slowest):
        print(f"{took:.1f} s: {request[:300]}\n")
    for problem in result.problems:
        print(f"FOUND: {problem}\n")
    print(f"found: {len(result.problems)}\n\n{machine('gunicorn', 'flask', 'werkzeug', 'SQLAlchemy')}")
    return 1 if result.problems else 0


if __name__ == "__main__":
    sys.exit(main())
