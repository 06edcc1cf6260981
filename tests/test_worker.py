"""The worker's connections, over a real server on a socket: who is slow holds no thread, and is cut in time."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from botkit.server.processes import worker
from botkit.server.processes.worker import Line

PATIENCE = 30.0
GET = b"GET /healthz HTTP/1.1\r\nHost: shop.example\r\n"


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory, index_folder: Path) -> Iterator[Callable[..., int]]:
    """Serve in one worker process with these limits of `worker` and these settings; the port."""
    started: dict[str, tuple[int, subprocess.Popen[bytes]]] = {}

    def begin(limits: dict[str, float] | None = None, **settings: object) -> int:
        key = json.dumps([limits, settings])
        if key in started:
            return started[key][0]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        folder = tmp_path_factory.mktemp("served")
        program = f"from botkit.server.processes import worker\nvars(worker).update({limits or {}!r})\n"
        program += "from botkit.cli import main\nmain()"
        command = ["serve", "--index", index_folder, "--database", f"sqlite:///{folder}/served.db", "--port", port]
        quiet: dict[str, object] = {"workers": 1, "rate_per_minute": 0, "conversations_per_hour": 0}
        process = subprocess.Popen(
            [sys.executable, "-c", program, *map(str, command)],
            env=os.environ | {f"BOTKIT_{name.upper()}": str(value) for name, value in (quiet | settings).items()},
            cwd=folder,
            stderr=subprocess.DEVNULL,
        )
        started[key] = (port, process)
        patience = time.monotonic() + 2 * PATIENCE
        while not _healthy(port):
            assert process.poll() is None
            assert time.monotonic() < patience
        return port

    yield begin
    for _, process in started.values():
        process.terminate()
    for _, process in started.values():
        assert process.wait(PATIENCE) == 0


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@pytest.fixture
def dial() -> Iterator[Callable[..., socket.socket]]:
    """Open a connection and say something over it."""
    with contextlib.ExitStack() as stack:

        def call(port: int, said: bytes = b"") -> socket.socket:
            line = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
            line.sendall(said)
            return line

        yield call


def heard(line: socket.socket) -> bytes:
    """All that comes until the server ends the connection."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := line.recv(65536):
            parts.append(part)
    return b"".join(parts)


def post(body: bytes, *headers: bytes, path: bytes = b"/api/v1/ask") -> bytes:
    head = [b"POST " + path + b" HTTP/1.1", b"Host: a", b"Content-Type: application/json", *headers]
    return b"\r\n".join([*head, b"", b""]) + body


QUESTION = b'{"text": "where is my order", "lang": "en"}'


def test_who_sends_a_header_byte_now_and_then_holds_no_thread(
    serve: Callable[..., int], dial: Callable[..., socket.socket]
) -> None:
    """Many times more than there are threads; each is answered once its request is whole."""
    port = serve(threads=2, streams=0, connections_per_address=0)
    slow = [dial(port, GET) for _ in range(60)]
    for line in slow:
        line.sendall(b"X")
    assert _healthy(port)
    for line in slow:
        line.sendall(b"-A: b\r\nConnection: close\r\n\r\n")
    for line in slow:
        assert heard(line).startswith(b"HTTP/1.1 200")


def test_who_sends_a_body_byte_now_and_then_holds_no_thread(
    serve: Callable[..., int], dial: Callable[..., socket.socket]
) -> None:
    port = serve(threads=2, streams=0, connections_per_address=0)
    length = b"Content-Length: %d" % len(QUESTION)
    slow = [dial(port, post(QUESTION[:5], length, b"Connection: close")) for _ in range(20)]
    assert _healthy(port)
    for line in slow:
        line.sendall(QUESTION[5:])
    for line in slow:
        assert heard(line).startswith(b"HTTP/1.1 200")


def test_who_does_not_hang_up_holds_up_nobody(
    serve: Callable[..., int], dial: Callable[..., socket.socket]
) -> None:
    """An answer with which the connection ends: the client stays on the line, and the loop serves others."""
    port = serve(threads=2, streams=0, connections_per_address=0)
    rude = [dial(port, GET + b"Connection: close\r\n\r\n") for _ in range(30)]
    assert _healthy(port)
    for line in rude:
        assert heard(line).startswith(b"HTTP/1.1 200")


def test_what_does_not_come_in_time_is_cut(serve: Callable[..., int], dial: Callable[..., socket.socket]) -> None:
    """With a word of the reason where a request had begun, without one where nothing came."""
    port = serve({"HEAD_SECONDS": 0.3, "BODY_SECONDS": 0.3})
    assert heard(dial(port, GET)).startswith(b"HTTP/1.1 408")
    assert heard(dial(port, post(b"{", b"Content-Length: 40"))).startswith(b"HTTP/1.1 408")
    assert heard(dial(port)) == b""
    assert _healthy(port)


def test_a_body_in_pieces_that_does_not_come_in_time_is_cut(
    serve: Callable[..., int], dial: Callable[..., socket.socket]
) -> None:
    port = serve({"HEAD_SECONDS": 0.3, "BODY_SECONDS": 0.3, "LONGEST_BODY": 0})
    answer = heard(dial(port, post(b'5\r\n{"tex', b"Transfer-Encoding: chunked")))
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"code":"timeout"' in answer


def test_one_address_keeps_its_newest_connections(
    serve: Callable[..., int], dial: Callable[..., socket.socket]
) -> None:
    port = serve(connections_per_address=8)
    lines = [dial(port, GET) for _ in range(12)]
    assert [heard(line) for line in lines[:4]] == [b""] * 4
    lines[-1].sendall(b"Connection: close\r\n\r\n")
    assert heard(lines[-1]).startswith(b"HTTP/1.1 200")


def test_of_one_address_a_few_requests_at_a_time_are_answered(
    serve: Callable[..., int], dial: Callable[..., socket.socket]
) -> None:
    """More of them wait, and nobody else does: neither other addresses nor those who send all at once."""
    port = serve({}, connections_per_address=64)
    end, chunks = b"Connection: close", b"%x\r\n%s\r\n0\r\n\r\n" % (len(QUESTION), QUESTION)
    begun = [dial(port, post(chunks[:9], b"Transfer-Encoding: chunked", end)) for _ in range(worker.AT_ONCE)]
    behind = dial(port, post(chunks, b"Transfer-Encoding: chunked", end))
    with socket.create_connection(("127.0.0.1", port), PATIENCE, ("127.0.0.9", 0)) as elsewhere:
        elsewhere.sendall(post(chunks, b"Transfer-Encoding: chunked", end))
        assert heard(elsewhere).startswith(b"HTTP/1.1 200")
    assert _healthy(port)
    assert select.select([behind], [], [], 0)[0] == []
    begun[0].sendall(chunks[9:])
    for line in (begun[0], behind):
        assert heard(line).startswith(b"HTTP/1.1 200")
    for line in begun[1:]:
        line.sendall(chunks[9:])
        assert heard(line).startswith(b"HTTP/1.1 200")


def test_live_streams_take_nobody_s_turn(serve: Callable[..., int], dial: Callable[..., socket.socket]) -> None:
    port = serve({}, connections_per_address=64)
    opened = heard(dial(port, post(b"{}", b"Content-Length: 2", b"Connection: close", path=b"/api/v1/conversations")))
    result = json.loads(opened.partition(b"\r\n\r\n")[2])
    path = f"/api/v1/conversations/{result['id']}/events"
    stream = f"GET {path} HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\nAuthorization: Bearer {result['token']}"
    for _ in range(worker.AT_ONCE + 2):
        assert dial(port, stream.encode() + b"\r\n\r\n").recv(12) == b"HTTP/1.1 200"
    assert _healthy(port)


def test_a_connection_is_kept_and_requests_may_come_in_any_pieces(
    serve: Callable[..., int], dial: Callable[..., socket.socket]
) -> None:
    """Two and a half at once, the rest later; a body in chunks; a client that waits to be told to go on."""
    port = serve(threads=2, streams=0, connections_per_address=0)
    line = dial(port, (GET + b"\r\n") * 2 + GET[:20])
    reader = line.makefile("rb")

    def answer() -> tuple[int, bytes]:
        status = int(reader.readline().split()[1])
        length = 0
        while (header := reader.readline()) != b"\r\n":
            name, _, value = header.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        return status, reader.read(length)

    assert [answer()[0], answer()[0]] == [200, 200]
    line.sendall(GET[20:] + b"\r\n")
    assert answer()[0] == 200
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(QUESTION), QUESTION)
    line.sendall(post(chunks[:10], b"Transfer-Encoding: chunked"))
    line.sendall(chunks[10:])
    status, body = answer()
    assert (status, json.loads(body)["lang"]) == (200, "en")
    line.sendall(post(b"", b"Content-Length: %d" % len(QUESTION), b"Expect: 100-continue"))
    assert answer() == (100, b"")
    line.sendall(QUESTION)
    assert answer()[0] == 200
    line.sendall(post(b"x" * 1000, b"Content-Length: 500000"))
    assert answer()[0] == 413
    reader.close()


def test_a_head_without_end_is_refused(serve: Callable[..., int], dial: Callable[..., socket.socket]) -> None:
    port = serve(threads=2, streams=0, connections_per_address=0)
    assert heard(dial(port, GET + b"X: " + b"a" * worker.LONGEST_HEAD)).startswith(b"HTTP/1.1 431")
    many = b"".join(b"X-%d: a\r\n" % number for number in range(100))
    assert heard(dial(port, GET + many + b"\r\n")).startswith(b"HTTP/1.1 4")
    assert heard(dial(port, b"\x16\x03\x01\x02\x00\r\n\r\n")).startswith(b"HTTP/1.1 400")


def test_a_body_in_pieces_that_are_none_is_refused_and_ends_the_connection(
    serve: Callable[..., int], dial: Callable[..., socket.socket]
) -> None:
    """What follows may be meant as a request or as the rest of the body."""
    port = serve(threads=2, streams=0, connections_per_address=0)
    for body in (QUESTION, b"--xx\r\n\r\n", b'5\r\n{"text', b"x" * 9000):
        answer = heard(dial(port, post(body + b"\r\n\r\n" + GET + b"\r\n", b"Transfer-Encoding: chunked")))
        assert answer.startswith(b"HTTP/1.1 400"), answer
        assert answer.count(b"HTTP/1.1") == 1
        assert b'"code":"bad_request"' in answer


# ---------------------------------------------------------------- the line itself


@pytest.fixture
def pair() -> Iterator[tuple[Line, socket.socket]]:
    """A server's end of a connection with small buffers, and the client's."""
    plain, client = socket.socketpair()
    with Line(plain.family, plain.type, plain.proto, fileno=plain.detach()) as line, client:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        yield line, client


def test_an_answer_that_is_not_read_is_given_up(
    pair: tuple[Line, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    line, client = pair
    monkeypatch.setattr(worker, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(worker, "SLOWEST", 1e9)
    line.begin()
    with pytest.raises(ConnectionResetError):
        line.sendall(b"x" * 1_000_000)
    assert client.recv(10) == b"x" * 10


def test_an_answer_in_parts_has_one_limit(pair: tuple[Line, socket.socket], monkeypatch: pytest.MonkeyPatch) -> None:
    line, client = pair
    now = [100.0]
    monkeypatch.setattr(worker.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(worker, "SLOWEST", 1e9)
    line.begin()
    line.sendall(b"a")
    now[0] += worker.ANSWER_SECONDS + 1.0
    with pytest.raises(ConnectionResetError):
        line.sendall(b"b" * 1_000_000)
    assert client.recv(1) == b"a"


def test_a_stream_has_a_limit_for_each_part(
    pair: tuple[Line, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    line, client = pair
    now = [100.0]
    monkeypatch.setattr(worker.time, "monotonic", lambda: now[0])
    line.begin()
    line.endless(0.05)
    line.sendall(b"a")
    now[0] += 1000.0
    line.sendall(b"b")
    with pytest.raises(ConnectionResetError):
        line.sendall(b"c" * 1_000_000)
    assert client.recv(3) == b"abc"
