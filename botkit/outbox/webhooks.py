"""Webhooks: what became of a ticket, posted to an address of the shop's choosing and signed (Standard Webhooks).

The address is resolved once for each try and the connection goes to just what was looked at, so that a name cannot
point elsewhere in between. Private addresses are refused unless the shop allows them; redirects are not followed. The
payload has ids, states and times, never a customer's words.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import re
import secrets
import socket
import ssl
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import SplitResult, urlsplit

from sqlalchemy.engine import Connection
from standardwebhooks import Webhook as Signer

from botkit import __version__
from botkit.outbox import outbox
from botkit.outbox.outbox import Delivery, NotDelivered
from botkit.store import TicketRow, iso
from botkit.vocabulary import Kind

KIND: Final = "webhook"
EVENTS: Final[tuple[Kind, ...]] = (
    "ticket.opened", "ticket.claimed", "ticket.breached", "ticket.closed", "ticket.reopened",
)  # fmt: skip
PATIENCE: Final = 5.0
"""Seconds to wait for a connection, or for the next bytes."""
DEADLINE: Final = 15.0
"""Seconds to reach the receiver, and again to be done with it; both well below the outbox's lease."""

_TIMES: Final = ("opened_at", "claimed_at", "closed_at")
_FACTS: Final = ("state", "reason", "lang", "outcome")


class WebhookError(Exception):
    """The settings of the webhook cannot be used; the text names the setting and the cure."""


def announce(conn: Connection, event: Kind, ticket: TicketRow, at: datetime) -> None:
    """Put a ticket's event into the outbox, inside the transaction that makes it true; others are no webhooks."""
    if event not in EVENTS:
        return
    facts = {name: getattr(ticket, name) for name in _FACTS}
    times = {name: iso(value) if (value := getattr(ticket, name)) else None for name in _TIMES}
    data = {"ticket": ticket.id, "conversation": ticket.conversation_id, **facts, **times}
    outbox.put(conn, KIND, {"type": event, "timestamp": iso(at), "data": data}, at)


def new_secret() -> str:
    """A fresh signing secret, as `webhook_secret` takes it."""
    return "whsec_" + b64encode(secrets.token_bytes(32)).decode("ascii")


@dataclass(frozen=True)
class Webhook:
    """Posts deliveries to `url`. `secret`: one signing secret, or several by blanks while a receiver changes over.
    `allowed`: hosts, addresses and networks (10.0.0.0/8) that may be private, and may be spoken to without TLS."""

    url: str
    secret: str = field(repr=False)
    allowed: tuple[str, ...] = ()
    deadline: float = DEADLINE

    def __post_init__(self) -> None:
        parts = self._parts
        known = parts.scheme in ("http", "https") and parts.hostname and parts.username is None
        if not known or not re.fullmatch(r"[!-~]+", self.url):
            raise WebhookError(f"webhook_url: invalid address {self.url!r}: expected one like https://shop.example/hook")
        if parts.scheme == "http" and not self._allows(str(parts.hostname)):
            raise WebhookError(
                f"webhook_url: {self.url!r} is not encrypted: write https, or name {parts.hostname} in webhook_allow"
            )
        for each in self.secret.split() or [""]:
            _check_secret(each)

    def __call__(self, delivery: Delivery) -> None:
        """Post it; NotDelivered with the reason unless the answer is 2xx."""
        body = json.dumps(delivery.payload, ensure_ascii=False, separators=(",", ":"))
        status, after = self._post(body.encode(), self._headers(delivery.message_id, body, datetime.now(UTC)))
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            raise NotDelivered(f"HTTP {status}: redirects are not followed; name the final address in webhook_url")
        if status == 410:
            raise NotDelivered("HTTP 410: the receiver wants no more of this", final=True)
        raise NotDelivered(
            f"HTTP {status}", after=after if status in (429, 503) else 0.0, away=status in (502, 503, 504)
        )

    @property
    def _parts(self) -> SplitResult:
        try:
            parts = urlsplit(self.url)
            _ = parts.port
        except ValueError as error:
            raise WebhookError(f"webhook_url: invalid address {self.url!r}: {error}") from error
        return parts

    def _headers(self, message_id: str, body: str, at: datetime) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "User-Agent": f"botkit/{__version__}",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(Signer(each).sign(message_id, at, body) for each in self.secret.split()),
        }

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, float]:
        parts = self._parts
        host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
        try:
            with self._connected(host, port, parts.scheme == "https") as connection:
                target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                connection.request("POST", target, body, {"Host": parts.netloc, **headers})
                answer = connection.getresponse()
                after = answer.headers.get("Retry-After", "")
                return answer.status, float(after) if re.fullmatch(r"\d{1,6}", after) else 0.0
        except TimeoutError:
            raise NotDelivered(f"{host} did not answer in time", away=True) from None
        except ssl.SSLError as error:
            result = error.reason or type(error).__name__
            raise NotDelivered(f"{host}: the certificate or the encryption is wrong: {result}") from None
        except (OSError, http.client.HTTPException) as error:
            result = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            raise NotDelivered(f"{host} could not be reached: {result}", away=True) from None

    @contextlib.contextmanager
    def _connected(self, host: str, port: int, encrypted: bool) -> Iterator[http.client.HTTPConnection]:
        line = self._line(host, port)
        connection = http.client.HTTPConnection(host, port)
        connection.sock = line
        late = threading.Event()

        def hang_up() -> None:
            late.set()
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

        timer = threading.Timer(self.deadline, hang_up)  # a byte now and then keeps any time-out from coming
        timer.daemon = True
        timer.start()
        try:
            if encrypted:
                context = ssl.create_default_context()
                connection.sock = context.wrap_socket(line, server_hostname=host, do_handshake_on_connect=False)
                connection.sock.do_handshake()
            yield connection
            if late.is_set():  # what was cut off in its headers passes for a whole answer
                raise TimeoutError
        except (OSError, http.client.HTTPException) as error:
            if late.is_set():
                raise TimeoutError from error
            raise
        finally:
            timer.cancel()
            connection.close()
            line.close()

    def _line(self, host: str, port: int) -> socket.socket:
        """A connection to an address that was looked at, and to no other."""
        try:
            result = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise NotDelivered(f"{host} has no address", away=True) from None
        if not self._allows(host):
            for *_, address in result:
                if not self._allows(str(address[0])) and not is_public(str(address[0])):
                    raise NotDelivered(
                        f"{host} is at {address[0]}, which is not public: name it in webhook_allow if you mean it"
                    )
        failure: OSError = TimeoutError()
        until = time.monotonic() + self.deadline
        for family, kind, protocol, _, address in result:
            left = until - time.monotonic()
            if left <= 0:
                break
            line = socket.socket(family, kind, protocol)
            line.settimeout(min(PATIENCE, left))
            try:
                line.connect(address)
            except OSError as error:
                line.close()
                failure = error
            else:
                line.settimeout(PATIENCE)
                return line
        raise failure

    def _allows(self, host: str) -> bool:
        for each in self.allowed:
            if each.lower() == host.lower():
                return True
            with contextlib.suppress(ValueError):
                if ipaddress.ip_address(host) in ipaddress.ip_network(each):
                    return True
        return False


def is_public(address: str) -> bool:
    """Whether an address is one of the internet at large, also looked at through what IPv6 may wrap it in."""
    try:
        result = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(result, ipaddress.IPv6Address):
        inner = result.ipv4_mapped or result.sixtofour or (result.teredo or (None, None))[1]
        if result in _NAT64:
            inner = ipaddress.IPv4Address(int(result) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return result.is_global and not result.is_multicast


_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


def _check_secret(secret: str) -> None:
    try:
        size = len(b64decode(secret.removeprefix("whsec_"), validate=True)) if secret.startswith("whsec_") else 0
    except ValueError:
        size = 0
    if not 24 <= size <= 64:
        raise WebhookError(
            "webhook_secret: it must be whsec_ and 24 to 64 bytes in base64: make one with `botkit outbox secret`"
        )
