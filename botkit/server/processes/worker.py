"""Owns the connections of one worker process: a thread is given to a whole request, never to one that is still to come.

gunicorn's thread worker reads a request in the thread that answers it, without a limit in time: a few hundred sockets
that send a byte now and then hold all threads. Here the loop that waits for sockets collects head and body, cuts who is
too slow, and hands over what is complete. Answers have a limit in time too, and one address holds its share of the
connections and of the threads. What a request means is still gunicorn's parser's to say.
"""

from __future__ import annotations

import errno
import re
import selectors
import socket
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Final

from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.gthread import TConn, ThreadWorker

from botkit.server.http.addresses import of_one_customer

HEAD_SECONDS: Final = 10.0
"""From a request's first byte, or a connection's beginning, to the end of the head."""
BODY_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 20.0
SLOWEST: Final = 8_000.0
"""Bytes a second for which a body or an answer is given time beyond that."""
LONGEST_HEAD: Final = 64 * 1024
LONGEST_BODY: Final = 160 * 1024
"""Bytes of a body that is waited for here; the application refuses a longer one unread."""
AT_ONCE: Final = 4
"""Requests of one address that are answered at the same time, live streams not counted."""
LINGER_SECONDS: Final = 2.0
"""For a client to take the last of an answer before its connection is gone."""
SWEEP_SECONDS: Final = 0.5

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r\n", re.IGNORECASE)
_PIECEMEAL = re.compile(rb"\r\n(?:transfer-encoding|expect):", re.IGNORECASE)
_REFUSALS: Final[dict[type[Exception], tuple[int, str]]] = {
    errors.UnsupportedTransferCoding: (501, "Not Implemented"),
    errors.LimitRequestLine: (414, "URI Too Long"),
    errors.LimitRequestHeaders: (431, "Request Header Fields Too Large"),
    errors.ExpectationFailed: (417, "Expectation Failed"),
}
_OUR_FAULT: Final = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def _or_reset() -> Iterator[None]:
    """A line on which nothing moves counts as broken, which gunicorn passes over without a word."""
    try:
        yield
    except TimeoutError:
        raise ConnectionResetError(errno.ECONNRESET, "the client is too slow") from None


class Line(socket.socket):
    """A client's socket with a limit in time on everything that a thread reads from it or sends to it."""

    _read_by = 0.0
    _send_by: float | None = None
    _each: float | None = None

    def begin(self) -> None:
        """A request is handed over: its answer has not begun."""
        self._read_by = time.monotonic() + BODY_SECONDS + LONGEST_BODY / SLOWEST
        self._send_by = self._each = None
        self.settimeout(None)

    def endless(self, seconds: float) -> None:
        """What is sent from now on is a stream: each part has so many seconds, the whole has no limit."""
        self._each = seconds

    @property
    def is_endless(self) -> bool:
        return self._each is not None

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        own = self.gettimeout()
        left = self._read_by - time.monotonic()
        self.settimeout(max(0.001, left if own is None else min(own, left)))
        with _or_reset():
            return super().recv(size, flags)

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        now = time.monotonic()
        if self._each is None:
            self._send_by = (self._send_by or now + ANSWER_SECONDS) + len(data) / SLOWEST
        left = self._each if self._each is not None else (self._send_by or now) - now
        self.settimeout(max(0.001, left))
        with _or_reset():
            super().sendall(data, flags)


Share = tuple[str, bool]
"""Of whose threads one is taken: an address, and whether its client sends piecemeal. Who does that has threads of their
own, so that nobody can take those of all others behind the same address by never coming to an end."""


class Connection(TConn):  # type: ignore[misc]
    """A connection, what has come of its next request, and until when the rest must."""

    def __init__(self, cfg: Any, line: Line, client: Any, server: Any) -> None:
        super().__init__(cfg, line, client, server)
        self.address = of_one_customer(client[0]) if isinstance(client, tuple) else ""
        self.got = bytearray()
        self.due = 0.0
        self.awaited = 0  # bytes of the request as a whole, once its head is there
        self.piecemeal = False  # a thread must read the rest of it, for as long as the client takes
        self.over = False  # answered for the last time: only the client's end of it is waited for
        self.data_ready = True  # the base would wait in a thread

    @property
    def share(self) -> Share:
        return self.address, self.piecemeal

    def whole(self) -> bool:
        """Whether a request is there, or so much of it that a thread must read the rest."""
        if not self.awaited:
            end = self.got.find(b"\r\n\r\n")
            if end < 0:
                return False
            head = bytes(self.got[: end + 2])
            length = _LENGTH.search(head)
            self.piecemeal = bool(_PIECEMEAL.search(head))
            body = int(length[1]) if length and not self.piecemeal else 0
            self.awaited = end + 4 + (body if body <= LONGEST_BODY else 0)
            self.due = time.monotonic() + BODY_SECONDS + body / SLOWEST
        return len(self.got) >= self.awaited


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's thread worker, with connections that are read before a thread is given to them."""

    per_address = 128
    """Connections that one address may hold, 0 for any number; set before the workers are forked."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: dict[Connection, None] = {}  # in the order in which they began to wait
        self._held: defaultdict[str, int] = defaultdict(int)
        self._busy: defaultdict[Share, set[Connection]] = defaultdict(set)
        self._ready: defaultdict[Share, deque[Connection]] = defaultdict(deque)
        self._swept = 0.0

    # ---------------------------------------------------------------- coming

    def accept(self, listener: Any) -> None:
        """Take a new connection, and wait for its request."""
        try:
            plain, client = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                self._drop_oldest()  # files run out: whoever waits longest makes room
            elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        line = Line(plain.family, plain.type, plain.proto, fileno=plain.detach())
        conn = Connection(self.cfg, line, client, listener.getsockname())
        self.nr_conns += 1
        self._held[conn.address] += 1
        if self._is_full(conn.address) and not self._drop_oldest(conn.address):
            with suppress(OSError):
                line.send(_TOO_MANY)
            self._forget(conn)
            return
        self._wait(conn, HEAD_SECONDS)

    def _is_full(self, address: str) -> bool:
        return bool(self.per_address and address and self._held[address] > self.per_address)

    def _drop_oldest(self, address: str | None = None) -> bool:
        """Close the connection that has waited longest for its client, of this address or of all."""
        for conn in self._waiting:
            if address is None or conn.address == address:
                self._unwatch(conn)
                self._forget(conn)
                return True
        return False

    def _wait(self, conn: Connection, seconds: float) -> None:
        """Have the loop read what comes, for so long."""
        conn.due = time.monotonic() + seconds
        conn.sock.setblocking(False)
        self._waiting[conn] = None
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._readable, conn))

    def _readable(self, conn: Connection, _socket: Any) -> None:
        try:
            data = socket.socket.recv(conn.sock, LONGEST_HEAD)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if conn.over:
            conn.awaited -= len(data)
            if not data or conn.awaited < 0:
                self._unwatch(conn)
                self._forget(conn)
            return
        if not data:
            self._unwatch(conn)
            self._forget(conn)
            return
        if not conn.got:
            conn.due = time.monotonic() + HEAD_SECONDS
        conn.got += data
        self._look(conn)

    def _look(self, conn: Connection) -> None:
        """Hand over a request that is there."""
        if conn.whole():
            self._unwatch(conn)
            self._hand_over(conn)
        elif not conn.awaited and len(conn.got) > LONGEST_HEAD:
            self._refuse(conn, _TOO_LONG)

    def _refuse(self, conn: Connection, answer: bytes) -> None:
        with suppress(OSError):
            conn.sock.send(answer)
        self._unwatch(conn)
        self._forget(conn)

    # ---------------------------------------------------------------- a thread's work

    def _hand_over(self, conn: Connection) -> None:
        """Give a thread to a request, as soon as its address has a share left."""
        self._ready[conn.share].append(conn)
        self._hand_over_next(conn.share)

    def _hand_over_next(self, share: Share) -> None:
        ready, busy = self._ready[share], self._busy[share]
        most = AT_ONCE if self.per_address and share[0] else self.cfg.threads
        while ready and sum(not conn.sock.is_endless for conn in busy) < most:
            busy.add(ready[0])
            self.enqueue_req(ready.popleft())
        if not ready:
            del self._ready[share]
        if not busy:
            del self._busy[share]

    def handle(self, conn: Connection) -> Any:
        """Answer a request, in a thread: what has come of it is put where the parser reads first."""
        conn.sock.begin()
        conn.init()
        conn.parser.unreader.unread(bytes(conn.got))
        conn.got.clear()
        return super().handle(conn)

    def finish_request(self, conn: Connection, fs: Any) -> None:
        """A request is answered, in the loop again: wait for the next one, or for the client to have the last word."""
        self._busy[conn.share].discard(conn)
        self._hand_over_next(conn.share)
        try:
            again = bool(fs.result()) and not fs.cancelled()
            conn.awaited = 0
            if again:  # and a stopping worker takes what may be on its way already
                conn.got += conn.parser.unreader.take_buffered()
                idle = self.cfg.keepalive if self.alive else LINGER_SECONDS
                self._wait(conn, HEAD_SECONDS if conn.got else idle)
                self._look(conn)
            else:
                self._take_leave(conn)
        except Exception:
            self._waiting.pop(conn, None)
            self._forget(conn)

    def _take_leave(self, conn: Connection) -> None:
        """Say that nothing more comes, and close when the client has heard it: closed at once, it may lose the end."""
        with suppress(OSError):
            conn.sock.shutdown(socket.SHUT_WR)
        conn.over, conn.awaited = True, LONGEST_HEAD
        self._wait(conn, LINGER_SECONDS)

    def handle_error(self, _req: Any, client: Any, _address: Any, error: Exception) -> None:
        """Refuse what is no request, or own up to a failure. The base logs the client's address and what it sent."""
        ours = not isinstance(error, errors.ParseException) or isinstance(error, _OUR_FAULT)
        status, reason = (500, "Internal Server Error") if ours else _REFUSALS.get(type(error), (400, "Bad Request"))
        if ours:
            self.log.error("answering failed: %s", type(error).__name__, exc_info=error)
        else:
            self.log.warning("refused an invalid request: %s", type(error).__name__)
        with suppress(OSError):
            util.write_error(client, status, reason, "")

    # ---------------------------------------------------------------- going

    def _unwatch(self, conn: Connection) -> None:
        self._waiting.pop(conn, None)
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)

    def _forget(self, conn: Connection) -> None:
        self.nr_conns -= 1
        self._held[conn.address] -= 1
        if not self._held[conn.address]:
            del self._held[conn.address]
        conn.close()

    def _late(self, now: float) -> Iterator[Connection]:
        return (conn for conn in list(self._waiting) if conn.due <= now)

    def murder_pending(self) -> None:
        """Cut who is too slow. The base's loop calls it at every turn."""
        now = time.monotonic()
        if now - self._swept < SWEEP_SECONDS:
            return
        self._swept = now
        for share in list(self._ready):  # an answer that has become a stream makes room, and nobody says so
            self._hand_over_next(share)
        for conn in self._late(now):
            if conn.got and not conn.over:
                self._refuse(conn, _TOO_SLOW)
            else:
                self._unwatch(conn)
                self._forget(conn)

    def murder_keepalived(self, force: bool = False) -> None:
        """The base's loop calls it at every turn, and with `force` when the worker ends."""
        for conn in list(self._waiting) if force else ():
            self._unwatch(conn)
            self._forget(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """The worker stops: who has not sent a whole request by then is not waited for."""
        for conn in self._waiting:
            conn.due = min(conn.due, deadline)
