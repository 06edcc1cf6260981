"""One visitor does the worst, while other customers ask: how long do they wait?

    python eval/hostile.py --seconds 60

`botkit serve` runs with two workers and its own limits, for each attack anew, on an SQLite file. The attack comes from
one address, in a process of its own; other customers, each from an address of their own, send messages at a steady
rate, whatever becomes of those before. Printed for each attack: the customers' time from the moment a message was due
to its answer, those who got none, what the attacker got, workers that ended, and whether everything is well afterwards.
All of it is on loopback and shares the machine. Ends with 1 when a customer got no answer, a worker ended that nobody
had killed, or the server is not well at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import shutil
import signal
import socket
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from botkit.config import Settings
from eval import serving
from eval.common import ROOT, machine, say, table

ATTACKER = "127.0.0.66"
CUSTOMERS = 40
"""Each from an address of their own, so that none meets a limit."""
QUESTIONS = ("Where is my order?", "How do I send something back?", "Can I cancel?", "delivery to Ireland", "thank you")
PATIENCE = 30.0
MEDIAN, SLOWEST = 0.1, 2.0
"""Seconds that half and 99 in 100 of the customers should wait at most."""
COLUMNS = ("attack", "n", "median, ms", "p99", "longest", "failed", "ended", "MB", "the attacker got", "aims held")
LIGATURES = "\ufdfa" * 10
COSTLY = "a@" * 250


# ---------------------------------------------------------------- the wire


@dataclass
class Answer:
    """Status 0: none came."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Lines = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def dial(port: int, source: str) -> Lines:
    return await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0)), PATIENCE)


def head(method: str, path: str, token: str = "", body: bytes | None = None, accept: str = "*/*") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Accept: {accept}"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"Content-Type: application/json\r\nContent-Length: {len(body)}"] if body is not None else []
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


async def read(reader: asyncio.StreamReader) -> Answer:
    """An answer that says how long it is, or ends with the connection."""
    first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    length = headers.get("content-length")
    body = b"" if length is None else await reader.readexactly(int(length))
    return Answer(int(first.split()[1]), headers, body)


async def ask(port: int, source: str, method: str, path: str, token: str = "", body: Any = None) -> Answer:
    """One request over a connection of its own."""
    try:
        reader, writer = await dial(port, source)
        try:
            writer.write(head(method, path, token, None if body is None else json.dumps(body).encode()))
            return await asyncio.wait_for(read(reader), PATIENCE)
        finally:
            writer.close()
    except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
        return Answer(0)


# ---------------------------------------------------------------- attacks


@dataclass
class Attack:
    """An attacker at work until `end`, and what it got."""

    port: int
    end: float
    got: Counter[str] = field(default_factory=Counter)

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self.end

    async def ask(self, method: str, path: str, token: str = "", body: Any = None) -> Answer:
        answer = await ask(self.port, ATTACKER, method, path, token, body)
        self.got[str(answer.status or "none")] += 1
        if answer.status == 429:  # as fast as it may, and no faster: the rest is only refused
            await self.rest(min(1.0, float(answer.headers.get("retry-after", 1))))
        return answer

    async def rest(self, seconds: float) -> None:
        """Wait so long, and not beyond the end."""
        await asyncio.sleep(max(0.0, min(seconds, self.end - time.monotonic())))

    async def conversation(self, person: bool = False) -> tuple[str, str]:
        """A conversation's path and token; with `person`, somebody is asked for, so that no bot answers."""
        result = (await ask(self.port, ATTACKER, "POST", "/api/v1/conversations", "", {"lang": "en"})).json
        path = f"/api/v1/conversations/{result['id']}"
        if person:
            await ask(self.port, ATTACKER, "POST", f"{path}/handoff", result["token"], {})
        return path, result["token"]

    async def at_once(self, count: int, work: Callable[[int], Awaitable[object]]) -> None:
        """So many at the same time, each again and again."""

        async def again(number: int) -> None:
            while self.goes_on:
                await work(number)

        await asyncio.gather(*(again(number) for number in range(count)))


async def ligatures(attack: Attack) -> None:
    """Questions and searches of characters that unfold to eighteen each, five a second."""
    while attack.goes_on:
        await attack.ask("GET", f"/help/fa/search?q={quote(LIGATURES)}")
        await attack.ask("POST", "/api/v1/ask", "", {"text": LIGATURES, "before": {"text": LIGATURES}})
        await asyncio.sleep(0.4)


async def costly(attack: Attack) -> None:
    """Questions of 500 characters and as many tokens, each after another one like it, 60 at once."""
    body = {"text": COSTLY, "before": {"text": COSTLY}}
    await attack.at_once(60, lambda _: attack.ask("POST", "/api/v1/ask", "", body))


async def emoji(attack: Attack) -> None:
    """A conversation of 3,000 messages of 4,000 emoji, and 25 who read it from its beginning, slowly."""
    path, token = await attack.conversation(person=True)
    sent = 0

    async def write(number: int) -> None:
        nonlocal sent
        if number < 4 and sent < 3000:
            sent += 1
            await attack.ask("POST", f"{path}/messages", token, {"client_id": f"e-{sent}", "text": "\U0001f600" * 4000})
        elif number < 4:
            await asyncio.sleep(0.2)
        else:
            await slowly(attack, head("GET", f"{path}/events?after=0", token))

    await attack.at_once(4 + 25, write)


async def slowly(attack: Attack, request: bytes) -> None:
    """Ask, and take a kilobyte of the answer a second."""
    loop = asyncio.get_running_loop()
    with socket.socket() as line, suppress(OSError):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.bind((ATTACKER, 0))
        line.setblocking(False)
        await loop.sock_connect(line, ("127.0.0.1", attack.port))
        await loop.sock_sendall(line, request)
        attack.got["held"] += 1
        while attack.goes_on and await loop.sock_recv(line, 1024):
            await attack.rest(1.0)


def dripping(count: int, begin: bytes, drop: bytes, pause: float) -> Callable[[Attack], Awaitable[None]]:
    """So many connections that send a little now and then; whoever is cut off comes again."""

    async def drip(attack: Attack) -> None:
        async def one(_: int) -> None:
            try:
                reader, writer = await dial(attack.port, ATTACKER)
            except (OSError, TimeoutError):
                attack.got["refused"] += 1
                await asyncio.sleep(0.5)
                return
            attack.got["opened"] += 1
            with suppress(OSError):
                writer.write(begin)
                while attack.goes_on and not reader.at_eof():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(reader.read(65536), min(pause, max(0.1, attack.end - time.monotonic())))
                    writer.write(drop)
                    await writer.drain()
            writer.close()
            await asyncio.sleep(0.1)

        await attack.at_once(count, one)

    return drip


async def streams(attack: Attack) -> None:
    """Live streams, as many as 60 conversations may have."""
    result = [await attack.conversation() for _ in range(60)]

    async def one(number: int) -> None:
        path, token = result[number % len(result)]
        try:
            reader, writer = await dial(attack.port, ATTACKER)
            writer.write(head("GET", f"{path}/events?after=0", token, accept="text/event-stream"))
            answer = await asyncio.wait_for(read(reader), PATIENCE)
            attack.got[str(answer.status)] += 1
            if answer.status == 200:
                with suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(-1), max(0.1, attack.end - time.monotonic()))
            writer.close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            attack.got["none"] += 1
        await asyncio.sleep(0.5)

    await attack.at_once(360, one)


def asking(count: int, method: str, path: str, body: Any = None) -> Callable[[Attack], Awaitable[None]]:
    """The same request again and again, so many at once."""

    async def flood(attack: Attack) -> None:
        await attack.at_once(count, lambda _: attack.ask(method, path, "", body))

    return flood


async def pages(attack: Attack) -> None:
    """All pages of the help centre, 16 at once."""
    _, *links = (await attack.ask("GET", "/sitemap.xml")).body.decode().split("<loc>")
    paths = ["/" + link.partition("<")[0].partition("://")[2].partition("/")[2] for link in links] or ["/help/en/"]
    await attack.at_once(16, lambda number: attack.ask("GET", paths[(number + attack.got.total()) % len(paths)]))


async def sign_ins(attack: Attack) -> None:
    """Wrong passwords at names that nobody has, 16 at once; a password is long to check."""
    number = 0

    async def guess(_: int) -> None:
        nonlocal number
        number += 1
        body = f"name=nobody{number}&password=wrong-password-{number}".encode()
        kind = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        try:
            reader, writer = await dial(attack.port, ATTACKER)
            # Reset at its end, so that no port is kept for a minute: there are 28,000, and they would be used up.
            line = writer.get_extra_info("socket")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.write(b"POST /desk/login HTTP/1.1\r\nHost: localhost\r\n" + kind + body)
            status = str((await asyncio.wait_for(read(reader), PATIENCE)).status)
            writer.close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            status = "none"
        attack.got[status] += 1

    await attack.at_once(16, guess)


async def nothing(attack: Attack) -> None:
    """Nobody attacks."""
    await attack.rest(3600.0)


_GET = b"GET /help/en/ HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
_POST = b"POST /api/v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
ATTACKS: dict[str, Callable[[Attack], Awaitable[None]]] = {
    "nothing": nothing,
    "ligatures": ligatures,
    "costly": costly,
    "emoji": emoji,
    "slow heads": dripping(400, _GET, b"a", 6),
    "slow bodies": dripping(400, _POST + b"Content-Length: 4000\r\n\r\n{", b" ", 6),
    "slow chunks": dripping(400, _POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", 6),
    "silent lines": dripping(1500, b"", b"", 6),
    "streams": streams,
    "sign-ins": sign_ins,
    "pages": pages,
    "searches": asking(16, "GET", "/help/en/search?q=order"),
    "suggestions": asking(16, "GET", "/api/v1/suggest?q=wh&lang=en"),
    "large bodies": asking(16, "POST", "/api/v1/ask", {"text": "where", "page": "x" * 120_000}),
    "deep bodies": asking(16, "POST", "/api/v1/ask", {"text": [[[[{}] * 3000]]]}),
    "site map": asking(16, "GET", "/sitemap.xml"),
    "no such page": asking(16, "GET", "/help/en/" + "nothing-" * 500),
    "metrics": asking(16, "GET", "/metrics"),
    "readiness": asking(16, "GET", "/readyz"),
    "strangers": asking(16, "GET", "/api/v1/desk/tickets"),
    "damaged version": nothing,
}
KILLS = ("damaged version",)
"""Here the newest version is damaged and a worker killed, by order."""


def attacking(name: str, port: int, seconds: float, told: Queue[dict[str, int]]) -> None:
    """The attacker's process."""
    attack = Attack(port, time.monotonic() + seconds)
    try:
        asyncio.run(ATTACKS[name](attack))
    finally:
        told.put(dict(attack.got))


# ---------------------------------------------------------------- other customers


@dataclass
class Found:
    """What the others had of an attack."""

    name: str
    waits: list[float]
    failed: Counter[str]
    attacker: dict[str, int]
    ended: int
    """Workers that ended by themselves."""
    well: bool
    memory: tuple[float, float]

    @property
    def row(self) -> list[str]:
        median, p99, most = np.percentile(self.waits or [0.0], [50, 99, 100]) * 1000
        most_got = sorted(self.attacker.items(), key=lambda one: -one[1])[:4]
        got = ", ".join(f"{what} × {count}" for what, count in most_got)
        bad = ", ".join(f"{what} × {count}" for what, count in self.failed.items()) or "0"
        aims = median < 1000 * MEDIAN and p99 < 1000 * SLOWEST and not self.failed and not self.ended and self.well
        memory = f"{self.memory[0]:.0f} → {self.memory[1]:.0f}"
        figures = [f"{value:.0f}" for value in (median, p99, most)]
        return [self.name, str(len(self.waits)), *figures, bad, str(self.ended), memory, got, "yes" if aims else "no"]


async def customers(port: int, seconds: float, rate: float) -> tuple[list[float], Counter[str]]:
    """Messages at a steady rate, each in its customer's conversation: seconds from when it was due to its answer."""
    sources = [f"127.0.1.{number + 1}" for number in range(CUSTOMERS)]
    begun = [await ask(port, each, "POST", "/api/v1/conversations", "", {"lang": "en"}) for each in sources]
    known = [(each.json["id"], each.json["token"]) for each in begun]
    waits, failed = list[float](), Counter[str]()
    first = time.monotonic() + 0.1

    async def send(number: int) -> None:
        due = first + number / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        source, (conversation, token) = sources[number % CUSTOMERS], known[number % CUSTOMERS]
        body = {"client_id": f"c-{number}", "text": QUESTIONS[number % len(QUESTIONS)]}
        answer = await ask(port, source, "POST", f"/api/v1/conversations/{conversation}/messages", token, body)
        if answer.status == 200:
            waits.append(time.monotonic() - due)
        else:
            failed[str(answer.status or "none")] += 1

    await asyncio.gather(*(send(number) for number in range(int(seconds * rate))))
    return waits, failed


def damage(index: Path) -> None:
    """Publish a version whose files are not what its manifest says."""
    current = index / "CURRENT"
    whole = index / current.read_text().strip()
    bad = index / ("0" * 12)
    shutil.copytree(whole, bad)
    largest = max((file for file in bad.iterdir() if file.is_file()), key=lambda file: file.stat().st_size)
    with largest.open("r+b") as file:
        file.seek(largest.stat().st_size // 2)
        file.write(b"\0" * 64)
    current.write_text(bad.name + "\n")


def tried(name: str, index: Path, folder: Path, seconds: float, rate: float) -> Found:
    """One attack on a server of its own."""
    index = shutil.copytree(index, folder / "index", symlinks=True) if name in KILLS else index
    log, port = folder / "log", serving.free_port()
    own = {f"BOTKIT_{limit.upper()}": str(getattr(Settings(), limit)) for limit in serving.LIMITS}
    own["BOTKIT_BASE_URL"] = "http://shop.example"  # else there is no site map to ask for
    with serving.started(serving.botkit(index, folder / "db", port, 2), port, "order", own, log=log) as server:
        before, memory = set(server.workers()), sum(server.memory())
        context = multiprocessing.get_context("spawn")
        queue: Queue[dict[str, int]] = context.Queue()
        attacker = context.Process(target=attacking, args=(name, port, seconds, queue), daemon=True)
        attacker.start()
        killed = set()
        if name in KILLS:
            damage(index)
            killed = {min(before)}
            os.kill(min(before), signal.SIGKILL)
        waits, failed = asyncio.run(customers(port, seconds, rate))
        most = sum(server.memory())
        got = queue.get(timeout=2 * PATIENCE)
        attacker.join(PATIENCE)
        ended = len(before - killed - set(server.workers()))
        well = server.process.poll() is None and len(server.workers()) == len(before) and answers(port)
    return Found(name, waits, failed, got, ended, well, (memory, most))


def answers(port: int) -> bool:
    """Whether the server is alive, ready and answers a question; what it does instead is told."""
    with closing(serving.Api(port, timeout=PATIENCE)) as api:
        for request in (("GET", "/healthz"), ("GET", "/readyz"), ("POST", "/api/v1/ask", {"text": "order"})):
            try:
                status, result = api(*request)
            except serving.Cut as cut:
                say(f"{request[1]}: {cut}")
                return False
            if status != 200:
                say(f"{request[1]}: {status} {result}")
                return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="of each attack")
    parser.add_argument("--rate", type=float, default=5, help="messages of other customers a second")
    parser.add_argument("--only", default="", help=f"some of: {', '.join(ATTACKS)}; comma-separated")
    parser.add_argument("--index", type=Path, default=ROOT / "indexes" / "lalezar")
    wanted = parser.parse_args()
    names = [name.strip() for name in wanted.only.split(",") if name.strip()] or list(ATTACKS)
    if unknown := set(names) - set(ATTACKS):
        parser.error(f"there is no attack {', '.join(sorted(unknown))}: name some of {', '.join(ATTACKS)}")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8192)), hard))
    result = []
    for name in names:
        say(f"  {name}")
        with tempfile.TemporaryDirectory() as folder:
            result.append(tried(name, wanted.index, Path(folder), wanted.seconds, wanted.rate))
            say("    " + " | ".join(result[-1].row))
    print(f"{wanted.rate:g} messages/s of {CUSTOMERS} other customers, {wanted.seconds:g} s under each attack\n")
    print(table(COLUMNS, [each.row for each in result]))
    print(f"\naims: median under {1000 * MEDIAN:g} ms, 99 % under {SLOWEST:g} s, all answered, no worker ends")
    print(f"\n{machine('gunicorn', 'SQLAlchemy')}")
    return int(any(each.failed or each.ended or not each.well for each in result))


if __name__ == "__main__":
    sys.exit(main())
