"""Servers as processes of their own, asked over loopback: start, load, memory, stop."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

LIMITS = (
    "requests_per_minute",
    "rate_per_minute",
    "conversations_per_hour",
    "logins_per_minute",
    "streams_per_address",
    "connections_per_address",
    "messages_per_hour",
    "kilobytes_per_hour",
)
NO_LIMITS = {f"BOTKIT_{name.upper()}": "0" for name in LIMITS}
"""What switches off the limits of a server: a script's customers all come from one address."""


@dataclass
class Server:
    """A started server: seconds from the start of its process until it is ready and until its first answer."""

    process: subprocess.Popen[bytes]
    port: int
    ready: float
    answered: float

    def memory(self) -> list[float]:
        """Proportional memory of each of its processes, in MB."""
        return [rollup(pid, "Pss") / 1024 for pid in _family(self.process.pid)]

    def workers(self) -> list[int]:
        """The process ids of its workers, as long as it lives."""
        return _family(self.process.pid)[1:]


def botkit(index: Path, database: Path | str, port: int, workers: int) -> list[str]:
    """The command that serves an index. `database` is an SQLite file, or a URL."""
    url = database if isinstance(database, str) else f"sqlite:///{database}"
    command = ["serve", "--index", str(index), "--database", url]
    return [str(Path(sys.executable).parent / "botkit"), *command, "--port", str(port), "--workers", str(workers)]


def usual_stack(folder: Path, model: str, port: int, workers: int) -> list[str]:
    """The command that serves peer.py, with as many workers and threads."""
    command = ["-m", "gunicorn", "--workers", str(workers), "--threads", "8", "--bind", f"127.0.0.1:{port}"]
    here = ["--chdir", str(Path(__file__).parent), f"peer:create_app({str(folder)!r}, {model!r})"]
    return [sys.executable, *command, "--timeout", "180", *here]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cut(Exception):
    """No whole answer came. `sent`: the question may have arrived, and may have been done."""

    def __init__(self, sent: bool) -> None:
        super().__init__("cut off")
        self.sent = sent


class Api:
    """A program that talks to the server over one connection, opened again when it is lost."""

    def __init__(self, port: int, token: str = "", timeout: float = 30) -> None:
        self.token = token
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def __call__(self, method: str, path: str, body: Any = None, token: str | None = None) -> tuple[int, Any]:
        """The status and the JSON of the answer, or Cut."""
        headers = {"Content-Type": "application/json"}
        if bearer := self.token if token is None else token:
            headers["Authorization"] = f"Bearer {bearer}"
        if self._line.sock is None:
            try:
                self._line.connect()
            except OSError as error:
                raise Cut(sent=False) from error
        try:
            self._line.request(method, path, None if body is None else json.dumps(body).encode(), headers)
            answer = self._line.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._line.close()
            raise Cut(sent=True) from error

    def close(self) -> None:
        self._line.close()


@contextmanager
def started(
    command: Sequence[str],
    port: int,
    question: str,
    environ: Mapping[str, str | None] | None = None,
    limit: float = 180,
    log: Path = Path(os.devnull),
) -> Iterator[Server]:
    """Run a server until its first answer, and then as long as the block. What it says is added to `log`. `environ`
    adds to the environment; None takes a variable out of it."""
    wanted = {**os.environ, **NO_LIMITS, **(environ or {})}
    quiet = {name: value for name, value in wanted.items() if value is not None}
    begun = time.perf_counter()
    with (
        log.open("ab") as text,
        subprocess.Popen(command, env=quiet, stdout=text, stderr=text, start_new_session=True) as process,
    ):
        try:
            times = []
            for step in (_reach, ask):
                while True:
                    try:
                        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as line:
                            step(line, question)
                        break
                    except (OSError, http.client.HTTPException) as error:
                        if process.poll() is not None or time.perf_counter() - begun > limit:
                            raise RuntimeError(f"{' '.join(command)} does not answer") from error
                        time.sleep(0.01)
                times.append(time.perf_counter() - begun)
            yield Server(process, port, *times)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _reach(connection: http.client.HTTPConnection, _question: str) -> None:
    """Whether it serves; a server without /readyz says so as soon as it has loaded what it needs."""
    connection.request("GET", "/readyz")
    if connection.getresponse().status not in (200, 404):
        raise http.client.HTTPException("not ready")


def ask(connection: http.client.HTTPConnection, text: str) -> None:
    body = json.dumps({"text": text}).encode()
    connection.request("POST", "/api/v1/ask", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise http.client.HTTPException(f"status {answer.status}")


def questions_per_second(port: int, texts: Sequence[str], seconds: float, clients: int = 4) -> float:
    """Questions answered a second by a few clients that each wait for their answer."""
    counts, end = [0] * clients, time.perf_counter() + seconds

    def work(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for text in texts[number::clients]:
            if time.perf_counter() > end:
                break
            ask(connection, text)
            counts[number] += 1

    begun = time.perf_counter()
    _together(work, clients)
    return sum(counts) / (time.perf_counter() - begun)


def latencies(port: int, texts: Sequence[str], rate: float, clients: int = 16) -> np.ndarray:
    """Milliseconds from the moment each question was due, at a steady rate, to its answer."""
    result = np.zeros(len(texts))
    begun = time.perf_counter() + 0.1

    def work(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for place in range(number, len(texts), clients):
            due = begun + place / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            ask(connection, texts[place])
            result[place] = 1000 * (time.perf_counter() - due)

    _together(work, clients)
    return result


def _together(work: Callable[[int], None], clients: int) -> None:
    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _family(pid: int) -> list[int]:
    """A process and all below it."""
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(p for child in below for p in _family(int(child)))]


def processor_time(pid: int) -> float:
    """Seconds of processor time that a process, all below it and those that they have waited for have taken."""
    spent = 0.0
    for each in _family(pid):
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        spent += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return spent


def rollup(pid: int, name: str) -> int:
    """A figure of a process's memory in kB, like Rss or Pss; 0 for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
