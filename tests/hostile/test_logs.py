"""What customers send, and what opens an account, is in no log and no metric: not even in what is no valid request."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from served import Served

WORDS = "leyla.demir@personal.example"
SECRET = "swordfish-0123456789"
ESCAPED = quote(WORDS)
BROKEN = (
    f"GET /help/en/search?q={WORDS} HTTP/9.9\r\nHost: a\r\n\r\n",
    f"GET /help/en/search?q={WORDS} and more HTTP/1.1\r\nHost: a\r\n\r\n",
    f"GET /help/en/search?q={WORDS}é HTTP/1.1\r\nHost: a\r\n\r\n",  # as some programs send it
    f"GET /{WORDS}\r\nHost: a\r\n\r\n",
    f"GET http://[::1/{WORDS} HTTP/1.1\r\nHost: a\r\n\r\n",
    f"{WORDS}\r\n\r\n",
    f"{WORDS} / HTTP/1.1\r\nHost: a\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: a\r\n{WORDS}: x\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: a\r\nno colon {WORDS}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: a\r\nX: {WORDS}\0\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: a\r\n Folded: {WORDS}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: {WORDS}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {WORDS}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: a\r\nExpect: {WORDS}\r\n\r\n",
    f"POST /api/v1/ask HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{WORDS}\r\n\r\n",
    f"GET /?{'x' * 9000}{WORDS} HTTP/1.1\r\nHost: a\r\n\r\n",
)


@pytest.fixture(scope="module")
def server(index_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("logs"), "serve", "--index", index_folder, "--workers", 1) as served:
        served.until(lambda: served.status("GET", "/readyz") == 200, "not ready")
        yield served


def quiet(server: Served) -> None:
    """Nothing of it is in the log, nor is anybody's address."""
    log = server.log
    assert "botkit.access" in log
    for result in (WORDS, ESCAPED, SECRET, "from ip", "127.0.0.1 "):
        assert result not in log, next(line for line in log.splitlines() if result in line)
    assert "Traceback" not in log
    metrics = server.get("/metrics")
    assert metrics is not None
    assert WORDS not in metrics.text
    assert SECRET not in metrics.text


@pytest.mark.parametrize("sent", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_request_is_refused_and_not_repeated(server: Served, sent: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(sent.encode())
        line.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 501"))
    assert WORDS.encode() not in answer
    quiet(server)


def test_what_is_one_leaves_no_trace_either(server: Served) -> None:
    result = server.ask("POST", "/api/v1/conversations", {"lang": "en", "page": f"/orders/{WORDS}"})
    assert result is not None
    path, bearer = f"/api/v1/conversations/{result.json['id']}", {"Authorization": f"Bearer {result.json['token']}"}
    statuses = {
        server.status("POST", f"{path}/messages", {"client_id": "a", "text": f"my mail is {WORDS}"}, **bearer),
        server.status("POST", f"{path}/messages", {"client_id": WORDS, "text": WORDS, "choice": WORDS}, **bearer),
        server.status("POST", "/api/v1/ask", {"text": WORDS, "page": WORDS, "before": {"text": WORDS}}),
        server.status("POST", "/api/v1/ask", {"text": WORDS, WORDS: WORDS}),
        server.status("GET", f"/help/en/search?q={ESCAPED}"),
        server.status("GET", f"/help/en/{ESCAPED}"),
        server.status("GET", f"/{ESCAPED}?{ESCAPED}={ESCAPED}"),
        server.status("POST", f"/desk/login?next={ESCAPED}", {"name": WORDS, "password": SECRET}),
        server.status("GET", "/api/v1/desk/tickets", Authorization=f"Bearer {SECRET}"),
        server.status("GET", "/desk", Cookie=f"botkit_session={SECRET}"),
        server.status("GET", "/readyz", **{"X-Request-Id": WORDS, "User-Agent": WORDS, "Referer": WORDS}),
    }
    assert statuses <= {200, 303, 400, 401, 404}
    assert result.json["token"] not in server.log
    quiet(server)
