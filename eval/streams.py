"""Live chat under load: many open streams on one real server, messages at a steady rate, and one stream too many.

    python eval/streams.py --streams 500 --rate 150 --seconds 20

Every stream is a customer of its own who waits for a person, so the bot is silent: a message is stored and delivered.
The server runs with its own defaults on an SQLite file; clients and server share the machine. Printed: the time of a
post, from its sending to its acknowledgement, and of a delivery, from the sending of the post to the event on the
stream; whether all came, once and in order; memory; and what a stream finds when all places are taken.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from eval import serving
from eval.common import ROOT, machine, say, table

MOST_TRIES = 50
PATIENCE = 20.0


@dataclass
class Customer:
    """A conversation and its stream: when each message was sent, and when it came back down."""

    id: str
    token: str
    sent: dict[str, float] = field(default_factory=dict)
    came: dict[str, float] = field(default_factory=dict)
    seqs: list[int] = field(default_factory=list)
    writer: asyncio.StreamWriter | None = None


class Client:
    """HTTP over loopback, a connection for each request: what a browser's second connection costs at its worst."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def open(
        self, method: str, path: str, token: str = "", body: Any = None, accept: str = "application/json"
    ) -> tuple[int, dict[str, str], asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        payload = b"" if body is None else json.dumps(body).encode()
        head = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Accept: {accept}", f"Content-Length: {len(payload)}"]
        head += [f"Authorization: Bearer {token}"] if token else []
        head += ["Content-Type: application/json"] if body is not None else []
        writer.write("\r\n".join([*head, "", ""]).encode() + payload)
        status = int((await reader.readline()).split()[1])
        headers = {}
        while (line := (await reader.readline()).decode().strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, reader, writer

    async def post(self, path: str, token: str = "", body: Any = None) -> Any:
        status, headers, reader, writer = await self.open("POST", f"/api/v1/conversations{path}", token, body or {})
        answer = json.loads(await reader.readexactly(int(headers["content-length"])))
        writer.close()
        if status >= 300:
            raise RuntimeError(f"POST {path}: {status} {answer}")
        return answer

    async def stream(self, customer: Customer) -> tuple[int, str]:
        """Open the customer's stream and follow it in the background; the status, and Retry-After of a refusal."""
        path = f"/api/v1/conversations/{customer.id}/events?after=0"
        status, headers, reader, writer = await self.open("GET", path, customer.token, accept="text/event-stream")
        if status != 200:
            writer.close()
            return status, headers.get("retry-after", "")
        customer.writer = writer
        following.add(asyncio.create_task(follow(customer, reader)))
        return status, ""


following: set[asyncio.Task[None]] = set()


async def follow(customer: Customer, reader: asyncio.StreamReader) -> None:
    while line := await reader.readline():
        if not line.startswith(b'data: {"seq"'):
            continue
        event = json.loads(line[6:])
        customer.seqs.append(event["seq"])
        if event["kind"] == "message":
            customer.came[event["data"]["client_id"]] = time.perf_counter()


async def started(client: Client, count: int) -> list[Customer]:
    """Customers who wait for a person, begun a few at a time."""
    gate = asyncio.Semaphore(8)

    async def begin() -> Customer:
        async with gate:
            result = await client.post("", body={"lang": "en"})
            await client.post(f"/{result['id']}/handoff", result["token"])
            return Customer(result["id"], result["token"])

    return await asyncio.gather(*(begin() for _ in range(count)))


async def opened(client: Client, customers: list[Customer]) -> Counter[int]:
    """Open a stream for each; a worker that is full sends one away, and the next try may find the other."""
    statuses: Counter[int] = Counter()
    for customer in customers:
        for _ in range(MOST_TRIES):
            status, _ = await client.stream(customer)
            statuses[status] += 1
            if status == 200:
                break
    return statuses


async def posts(
    client: Client, customers: list[Customer], wanted: argparse.Namespace, name: str
) -> tuple[list[float], int]:
    """Messages at a steady rate, each to the next customer; milliseconds of each post, and how many failed. No two
    client ids begin with the same name, or a message would be one that was sent before."""
    times: list[float] = []
    failed = 0

    async def send(number: int, due: float) -> None:
        nonlocal failed
        customer = customers[number % len(customers)]
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        begun = time.perf_counter()
        customer.sent[f"{name}-{number}"] = begun
        try:
            await client.post(
                f"/{customer.id}/messages",
                customer.token,
                {"client_id": f"{name}-{number}", "text": "Is my parcel on its way?"},
            )
        except (OSError, RuntimeError, asyncio.IncompleteReadError, IndexError) as error:
            failed += 1
            say(f"  {error}")
        else:
            times.append(1000 * (time.perf_counter() - begun))

    first = time.perf_counter() + 0.2
    await asyncio.gather(*(send(n, first + n / wanted.rate) for n in range(int(wanted.rate * wanted.seconds))))
    return times, failed


async def measured(port: int, wanted: argparse.Namespace, server: serving.Server) -> None:
    client = Client(port)
    say(f"  {wanted.streams} conversations")
    customers = await started(client, wanted.streams)
    say("  their streams")
    statuses = await opened(client, customers)
    say(f"  answers to the opening: {dict(statuses)}; {int(wanted.rate * wanted.seconds)} messages")
    times, failed = await posts(client, customers, wanted, "first")
    end = time.perf_counter() + PATIENCE
    while time.perf_counter() < end and any(c.sent.keys() - c.came.keys() for c in customers):
        await asyncio.sleep(0.1)
    delays = [1000 * (c.came[name] - at) for c in customers for name, at in c.sent.items() if name in c.came]
    lost = sum(len(c.sent.keys() - c.came.keys()) for c in customers)
    order = sum(c.seqs != sorted(set(c.seqs)) for c in customers)
    memory = server.memory()

    say("  one too many")
    extra, refused, first = await started(client, wanted.most), 0, ""
    held = sum(c.writer is not None for c in customers)
    for customer in extra:
        status, after = await client.stream(customer)
        if status == 503:
            refused += 1
            first = first or f"after {held} open streams, Retry-After {after}"
            if refused >= 20:
                break
        else:
            held += 1
    full, failed_full = await posts(client, customers, wanted, "full")

    print(f"{wanted.streams} streams, {wanted.rate:g} messages/s for {wanted.seconds:g} s, {wanted.workers} workers\n")
    rows = [("post, ms", times), ("delivery, ms", delays), ("post with all places taken, ms", full)]
    print(
        table(("", "n", "p50", "p95", "p99", "longest"), [(name, len(each), *_marks(each)) for name, each in rows])
    )
    print(
        f"\nfailed posts: {failed} and {failed_full}; messages that never came: {lost}; streams out of order: {order}"
    )
    print(f"one stream too many: {refused} of those tried got 503 ({first or 'none did'})")
    print(
        f"memory of the server: {sum(memory):.0f} MB in {len(memory)} processes\n\n{machine('gunicorn', 'SQLAlchemy')}"
    )


def _marks(found: list[float]) -> list[str]:
    if not found:
        return ["–"] * 4
    return [f"{value:.0f}" for value in (*np.percentile(found, [50, 95, 99]), max(found))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--rate", type=float, default=150, help="messages a second")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--most", type=int, default=400, help="streams to try beyond those, until some are refused")
    parser.add_argument("--index", type=Path, default=ROOT / "indexes" / "lalezar")
    wanted = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8192)), hard))
    port = serving.free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = serving.botkit(wanted.index, Path(folder) / "botkit.db", port, wanted.workers)
        with serving.started(command, port, "where is my order") as server:
            asyncio.run(measured(port, wanted, server))
            begun = time.perf_counter()
        say(f"  stopped with open streams in {time.perf_counter() - begun:.1f} s")


if __name__ == "__main__":
    sys.exit(main())
