"""A client of live streams, as a program has one: over a socket of its own, so that a line can be cut in the middle."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sent:
    """One server-sent event: its kind (`message` where none is named), its id, its data."""

    kind: str
    id: str | None
    data: dict[str, Any]


class Stream:
    """An open stream. Reading waits for the server, at most `patience` seconds a line."""

    def __init__(self, port: int, path: str, patience: float = 20, **headers: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request("GET", path, headers={"Accept": "text/event-stream"} | named)
        self.response = self._connection.getresponse()
        self.status = self.response.status

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Sent]:
        """What comes, until the server ends the stream."""
        kind, number, data = "message", None, ""
        for raw in self.response:
            line = raw.decode().rstrip("\n")
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("id: "):
                number = line.removeprefix("id: ")
            elif line.startswith("data: "):
                data = line.removeprefix("data: ")
            elif not line:
                if data:
                    yield Sent(kind, number, json.loads(data))
                kind, number, data = "message", None, ""

    def until(self, wanted: Any) -> list[Sent]:
        """What comes up to the first for which `wanted` is true, that one too."""
        result = []
        for sent in self:
            result.append(sent)
            if wanted(sent):
                return result
        raise AssertionError(f"the stream ended after {result}")

    def cut(self) -> None:
        """Break the line without a word, as a train in a tunnel does."""
        line = self._connection.sock or self.response.fp.raw._sock  # type: ignore[attr-defined]
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def close(self) -> None:
        self.response.close()
        self._connection.close()


def say(port: int, conversation: str, token: str, client_id: str, text: str) -> dict[str, Any]:
    """A customer's message; what the server answers."""
    return post(port, f"/api/v1/conversations/{conversation}/messages", token, client_id=client_id, text=text)


def post(port: int, path: str, token: str, **body: Any) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    connection.request("POST", path, json.dumps(body), headers)
    with connection.getresponse() as response:
        answer: dict[str, Any] = json.loads(response.read())
        assert response.status < 300, answer
    connection.close()
    return answer
