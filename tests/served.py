"""A real `botkit serve` in a folder of its own, whose workers can be killed."""

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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

Found = TypeVar("Found")
PATIENCE = 60.0
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers in lower case, the body."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Served:
    """A server of this folder. Leave it to end it; `log` is all that it said."""

    def __init__(self, folder: Path, *arguments: object, code: str = "from botkit.cli import main; main()") -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._file = folder / "served.log"
        settings = {"BOTKIT_STREAMS": "8", "BOTKIT_RATE_PER_MINUTE": "0", "BOTKIT_CONVERSATIONS_PER_HOUR": "0"}
        with self._file.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code, *map(str, arguments), "--port", str(self.port)],
                env=os.environ | settings | {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
                cwd=folder,
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(30)
        finally:
            self.process.kill()
            self.process.wait()

    @property
    def log(self) -> str:
        return self._file.read_text(errors="replace")

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer | None:
        """One request on a connection of its own; None when nobody answers it."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        sent = {"Content-Type": "application/json"} if body is not None else {}
        try:
            line.request(method, path, None if body is None else json.dumps(body), sent | headers)
            answer = line.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read().decode())
        except (OSError, http.client.HTTPException):
            return None
        finally:
            line.close()

    def get(self, path: str, **headers: str) -> Answer | None:
        return self.ask("GET", path, **headers)

    def until(self, look: Callable[[], Found | None], what: str = "") -> Found:
        """What `look` finds, as soon as it finds something. The server must not end meanwhile."""
        end = time.monotonic() + PATIENCE
        while not (result := look()):
            assert self.process.poll() is None, self.log[-4000:]
            assert time.monotonic() < end, f"{what}\n{self.log[-4000:]}"
            threading.Event().wait(0.05)
        return result

    def serves(self) -> None:
        """Wait until somebody answers at all."""
        self.until(lambda: (answer := self.get("/healthz")) is not None and answer.status == 200, "no health")

    def status(self, method: str, path: str, body: Any = None, **headers: str) -> int:
        answer = self.ask(method, path, body, **headers)
        return answer.status if answer is not None else 0

    def workers(self) -> set[int]:
        """Its worker processes."""
        pid = self.process.pid
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}

    def kill_workers(self, number: int) -> None:
        """SIGKILL to each of its workers in turn; the next one is killed when the one before it has a successor."""
        for worker in sorted(self.until(lambda: len(result := self.workers()) == number and result, "workers")):
            os.kill(worker, signal.SIGKILL)
            self.until(lambda gone=worker: len(now := self.workers()) == number and gone not in now, "a successor")
