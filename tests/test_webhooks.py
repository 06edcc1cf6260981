"""Webhooks: signed, sent to a real server, never to a private address by accident, without a customer's words."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from moving import Clock
from receiver import CERTIFICATE, Receiver, listening
from standardwebhooks import Webhook as Verifier

from botkit import accounts, cli, desk, outbox
from botkit.outbox import Delivery, NotDelivered, webhooks
from botkit.outbox.outbox import LEASE
from botkit.outbox.webhooks import Webhook, WebhookError, is_public
from botkit.store import Store
from botkit.store.event_data import CustomerMessage, Option

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSBzaG9wLCAzMiBieXRlcyBsb25n"
HERE = ("127.0.0.1",)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: str, clock: Clock) -> Iterator[Store]:
    store = Store(database, clock=clock)
    outbox.kinds(store, [webhooks.KIND])
    yield store
    store.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening(Receiver()) as receiver:
        yield receiver


def hook(receiver: Receiver, **values: Any) -> Webhook:
    return Webhook(f"http://127.0.0.1:{receiver.port}/hook?shop=1", SECRET, **{"allowed": HERE, **values})


def delivery(**payload: Any) -> Delivery:
    now = datetime.now(UTC)
    return Delivery(1, "msg_0123", webhooks.KIND, payload or {"type": "ticket.opened"}, now, now, 1, "waiting", None)


def put(store: Store) -> str:
    with store.write() as conn:
        message_id = outbox.put(conn, webhooks.KIND, {"type": "ticket.opened"}, store.now())
    assert message_id is not None
    return message_id


# ---------------------------------------------------------------- delivery


def test_a_receiver_that_fails_twice_gets_it_the_third_time_signed_under_one_id(
    store: Store, clock: Clock, receiver: Receiver
) -> None:
    receiver.answers = [500, 503]
    message_id, sender = put(store), {webhooks.KIND: hook(receiver)}
    assert outbox.work(store, sender)
    assert outbox.deliveries(store)[0].reason == "HTTP 500"
    clock.forward(6)
    assert outbox.work(store, sender)
    kept = outbox.deliveries(store)[0]
    assert (kept.reason, kept.due_at - clock.now) == ("HTTP 503", timedelta(seconds=90))  # as it asked to
    clock.forward(90)
    assert outbox.work(store, sender)
    assert outbox.deliveries(store)[0].state == "delivered"
    assert receiver.ids == [message_id] * 3
    for headers, body in receiver.got:
        assert Verifier(SECRET).verify(body, headers) == {"type": "ticket.opened"}
        assert headers["content-type"] == "application/json"


def test_a_changed_body_does_not_verify(receiver: Receiver) -> None:
    hook(receiver)(delivery(n=1))
    ((headers, body),) = receiver.got
    with pytest.raises(Exception, match="No matching signature"):
        Verifier(SECRET).verify(body.replace("1", "2"), headers)


def test_while_a_secret_is_replaced_both_verify(receiver: Receiver) -> None:
    old, new = SECRET, webhooks.new_secret()
    Webhook(f"http://127.0.0.1:{receiver.port}/", f"{new} {old}", HERE)(delivery())
    ((headers, body),) = receiver.got
    for secret in (old, new):
        assert Verifier(secret).verify(body, headers)


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answers = [302]
    with pytest.raises(NotDelivered, match="HTTP 302: redirects are not followed"):
        hook(receiver)(delivery())
    assert len(receiver.got) == 1


def test_a_receiver_that_is_gone_is_asked_no_more(receiver: Receiver) -> None:
    receiver.answers = [410]
    with pytest.raises(NotDelivered, match="410") as refused:
        hook(receiver)(delivery())
    assert refused.value.final


def test_a_receiver_that_drips_is_cut_off(receiver: Receiver) -> None:
    """Each byte comes in time; all of them together never would."""
    ended = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not ended.wait(0.05):
                handler.wfile.write(b"X: y\r\n"[:1])
        except OSError:
            pass

    receiver.answers = [drip]
    try:
        with pytest.raises(NotDelivered, match=r"127\.0\.0\.1 did not answer in time"):
            hook(receiver, deadline=0.5)(delivery())
    finally:
        ended.set()


def test_what_cannot_be_reached_says_so() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(NotDelivered, match=r"127\.0\.0\.1 could not be reached: Connection refused"):
            Webhook(f"http://127.0.0.1:{port}/", SECRET, HERE)(delivery())
    with pytest.raises(NotDelivered, match=r"nowhere\.invalid has no address"):
        Webhook("https://nowhere.invalid/", SECRET)(delivery())


def test_a_wrong_certificate_is_refused_and_a_trusted_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(Receiver(), encrypted=True) as receiver:
        sender = Webhook(f"https://localhost:{receiver.port}/", SECRET, ("localhost",))
        with pytest.raises(NotDelivered, match="the certificate or the encryption is wrong"):
            sender(delivery())
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        sender(delivery())
        with pytest.raises(NotDelivered, match="the certificate or the encryption is wrong"):
            Webhook(f"https://127.0.0.1:{receiver.port}/", SECRET, HERE)(delivery())  # not its name
    assert len(receiver.got) == 1


# ---------------------------------------------------------------- where it may go


def test_a_private_address_is_refused_unless_it_is_allowed(receiver: Receiver) -> None:
    for host in ("localhost", "127.0.0.1"):
        with pytest.raises(NotDelivered, match=rf"{host} is at .*, which is not public: name it in webhook_allow"):
            Webhook(f"https://{host}:{receiver.port}/", SECRET)(delivery())
    for allowed in (("127.0.0.0/8",), ("127.0.0.1",)):
        hook(receiver, allowed=allowed)(delivery())
    Webhook(f"http://localhost:{receiver.port}/", SECRET, ("LOCALHOST",))(delivery())
    assert len(receiver.got) == 3


def test_a_name_is_resolved_once_and_the_connection_goes_to_what_was_looked_at(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1" if len(asked) == 1 else "127.0.0.2", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    Webhook(f"http://shop.example:{receiver.port}/", SECRET, ("shop.example",))(delivery())
    assert asked == ["shop.example"]
    assert receiver.got[0][0]["host"] == f"shop.example:{receiver.port}"


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (at, port)) for at in ("93.184.215.14", "10.0.0.7")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(NotDelivered, match=r"shop\.example is at 10\.0\.0\.7"):
        Webhook("https://shop.example/", SECRET)(delivery())


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::5db8:d70e", True),
        ("nonsense", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("url", "secret", "cure"),
    [
        ("shop.example/hook", SECRET, "expected one like https://shop.example/hook"),
        ("ftp://shop.example/", SECRET, "invalid address"),
        ("https://", SECRET, "invalid address"),
        ("https://user:pass@shop.example/", SECRET, "invalid address"),
        ("https://shop.example/a b", SECRET, "invalid address"),
        ("https://mağaza.example/", SECRET, "invalid address"),
        ("https://shop.example:99999/", SECRET, "invalid address"),
        ("http://shop.example/", SECRET, "write https, or name shop.example in webhook_allow"),
        ("https://shop.example/", "", "make one with `botkit outbox secret`"),
        ("https://shop.example/", "whsec_c2hvcnQ=", "24 to 64 bytes"),
        ("https://shop.example/", "whsec_***", "24 to 64 bytes"),
        ("https://shop.example/", f"{SECRET} nonsense", "24 to 64 bytes"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_the_cure(url: str, secret: str, cure: str) -> None:
    with pytest.raises(WebhookError, match=cure):
        Webhook(url, secret)


def test_a_secret_is_not_shown() -> None:
    assert SECRET not in repr(Webhook("https://shop.example/", SECRET))


# ---------------------------------------------------------------- what is told


def test_a_ticket_s_life_is_told_without_a_customer_s_words(store: Store, clock: Clock) -> None:
    sara = accounts.add_agent(store, "Sara", "agent", "copper pan and cezve")
    omid = accounts.add_agent(store, "Omid", "agent", "copper pan and cezve")
    with store.write() as conn:
        conversation = store.open_conversation(conn, "0" * 64, "en", "/orders/ada-lovelace")
        store.append(conn, conversation, "customer", CustomerMessage("I am Ada Lovelace", "m"))
        candidates = [Option("orders/where", "Where is Ada's order?", 0.3, "en", "")]
        ticket = desk.open_ticket(store, conn, conversation, "policy", "en", "/orders/ada-lovelace", candidates)
    clock.forward(20)
    desk.claim(store, ticket, sara)
    desk.claim(store, ticket, sara)  # again: nothing new happened
    desk.note(store, ticket, sara, "Ada is a regular customer")
    desk.transfer(store, ticket, sara, "Omid", "Ada again")
    clock.forward(20)
    desk.close(store, ticket, omid, "solved", "orders/where")
    result = [each.payload for each in reversed(outbox.deliveries(store))]
    assert [each["type"] for each in result] == ["ticket.opened", "ticket.claimed", "ticket.closed"]
    assert result[2] == {
        "type": "ticket.closed",
        "timestamp": "2026-11-20T12:00:40.000Z",
        "data": {
            "ticket": ticket,
            "conversation": conversation,
            "state": "closed",
            "reason": "policy",
            "lang": "en",
            "outcome": "solved",
            "opened_at": "2026-11-20T12:00:00.000Z",
            "claimed_at": "2026-11-20T12:00:20.000Z",
            "closed_at": "2026-11-20T12:00:40.000Z",
        },
    }
    assert "lovelace" not in json.dumps(result).lower()
    acts = [(line.actor, line.action) for line in accounts.audited(store, target=f"ticket:{ticket}")]
    assert acts == [
        ("agent:Omid", "ticket.closed"),
        ("agent:Sara", "ticket.transferred"),
        ("agent:Sara", "ticket.claimed"),
    ]


# ---------------------------------------------------------------- the worker as a process, and the commands


def settings(store: Store, receiver: Receiver) -> dict[str, str]:
    return {
        "BOTKIT_DATABASE": store.url.render_as_string(),
        "BOTKIT_WEBHOOK_URL": f"http://127.0.0.1:{receiver.port}/",
        "BOTKIT_WEBHOOK_SECRET": SECRET,
        "BOTKIT_WEBHOOK_ALLOW": "127.0.0.1",
    }


def botkit(store: Store, receiver: Receiver, *arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(a) for a in ("outbox", *arguments)], env=settings(store, receiver))


def test_a_worker_killed_between_sending_and_marking_is_followed_by_the_same_message(
    tmp_path: Path, receiver: Receiver
) -> None:
    """kill -9 while the receiver has it and the worker does not know yet."""
    store = Store(f"sqlite:///{tmp_path}/real.db")
    store.migrate()
    outbox.kinds(store, [webhooks.KIND])
    message_id = put(store)
    workers: list[subprocess.Popen[bytes]] = []
    started = threading.Event()

    def kill(_: BaseHTTPRequestHandler) -> None:
        assert started.wait(10)
        os.kill(workers[0].pid, signal.SIGKILL)

    receiver.answers = [kill]
    command = [sys.executable, "-c", "from botkit.cli import main; main()", "outbox", "run"]
    workers.append(subprocess.Popen(command, env={**os.environ, **settings(store, receiver)}))
    started.set()
    assert workers[0].wait(30) == -signal.SIGKILL
    assert [each.state for each in outbox.deliveries(store)] == ["waiting"]

    later = Store(store.url.render_as_string(), clock=lambda: datetime.now(UTC) + LEASE)
    sender = {webhooks.KIND: hook(receiver)}
    assert not outbox.work(store, sender)  # it is still in the dead worker's hands
    assert outbox.work(later, sender)
    assert receiver.ids == [message_id, message_id]
    assert [(each.state, each.tries) for each in outbox.deliveries(store)] == [("delivered", 2)]
    later.close()
    store.close()


def test_workers_killed_again_and_again_lose_nothing(tmp_path: Path, receiver: Receiver) -> None:
    """Every seventh request is the last thing that its worker did; each message arrives, a repetition under its id."""
    store = Store(f"sqlite:///{tmp_path}/real.db")
    store.migrate()
    outbox.kinds(store, [webhooks.KIND])
    ids = [put(store) for _ in range(30)]
    worker: list[subprocess.Popen[bytes]] = []
    started = threading.Event()

    def kill(_: BaseHTTPRequestHandler) -> None:
        assert started.wait(10)
        os.kill(worker[-1].pid, signal.SIGKILL)

    receiver.answers = [kill if n % 7 == 6 else 204 for n in range(28)]
    command = [sys.executable, "-c", "from botkit.cli import main; main()", "outbox", "run"]
    for _ in range(4):
        started.clear()
        worker.append(subprocess.Popen(command, env={**os.environ, **settings(store, receiver)}))
        started.set()
        assert worker[-1].wait(30) == -signal.SIGKILL
    later = Store(store.url.render_as_string(), clock=lambda: datetime.now(UTC) + LEASE)
    while outbox.work(later, {webhooks.KIND: hook(receiver)}):
        pass
    assert set(receiver.ids) == set(ids)
    assert len(receiver.ids) == len(ids) + 4
    assert outbox.counts(store) == {"waiting": 0, "given_up": 0}
    later.close()
    store.close()


def test_the_server_delivers_by_itself(tmp_path: Path, receiver: Receiver, index_folder: Path) -> None:
    """`botkit serve`, a customer who asks for a person, and the shop's own system is told."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    result = threading.Event()

    def accept(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(204)
        handler.end_headers()
        result.set()

    receiver.answers = [accept]
    store = Store(f"sqlite:///{tmp_path}/real.db")
    options = ["--index", str(index_folder), "--port", str(port), "--workers", "1"]
    command = [sys.executable, "-c", "from botkit.cli import main; main()", "serve", *options]
    log = (tmp_path / "log").open("wb")
    server = subprocess.Popen(command, env={**os.environ, **settings(store, receiver)}, stderr=log)
    try:
        ask = _patient(f"http://127.0.0.1:{port}/api/v1/conversations", server)
        begun = ask("", {})
        ask(f"/{begun['id']}/handoff", {}, begun["token"])
        assert result.wait(20)
    finally:
        server.terminate()
        assert server.wait(30) == 0
        log.close()
    ((headers, body),) = receiver.got
    event = Verifier(SECRET).verify(body, headers)
    assert (event["type"], event["data"]["conversation"]) == ("ticket.opened", begun["id"])
    assert [each.message_id for each in outbox.deliveries(store)] == receiver.ids
    store.close()


def _patient(base: str, server: subprocess.Popen[bytes]) -> Callable[..., Any]:
    def ask(path: str, body: Any, token: str = "") -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        request = urllib.request.Request(base + path, json.dumps(body).encode(), headers)
        for _ in range(200):
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError:
                raise
            except OSError:  # not listening yet
                assert server.poll() is None
                threading.Event().wait(0.1)
        raise AssertionError("the server did not come up")

    return ask


def test_the_command_works_off_lists_and_tries_again(store: Store, clock: Clock, receiver: Receiver) -> None:
    clock.now = datetime.now(UTC) - timedelta(minutes=1)
    receiver.answers = [410, 500]
    gone, failed, sent = put(store), put(store), put(store)
    done = botkit(store, receiver, "run", "--once")
    assert (done.exit_code, done.output) == (0, "3 tried, 1 waiting\n")
    lines = botkit(store, receiver, "list").stdout.splitlines()
    assert lines == [
        f"3\tdelivered\t{sent}\t1 tries\tticket.opened",
        f"2\twaiting\t{failed}\t1 tries\tticket.opened\tHTTP 500",
        f"1\tgiven_up\t{gone}\t1 tries\tticket.opened\tHTTP 410: the receiver wants no more of this",
    ]
    (only,) = botkit(store, receiver, "list", "--state", "given_up", "--json").stdout.splitlines()
    assert json.loads(only)["message_id"] == gone
    assert botkit(store, receiver, "retry", 1, 99).stdout == "1 will be tried again\n"
    assert botkit(store, receiver, "retry", "--all").stdout == "0 will be tried again\n"
    botkit(store, receiver, "run", "--once")
    assert receiver.ids == [gone, failed, sent, gone]
    assert [line.action for line in accounts.audited(store)] == ["outbox.retried"] * 2


def test_wrong_use_says_what_to_do(store: Store, receiver: Receiver) -> None:
    assert "give either numbers or --all" in botkit(store, receiver, "retry").output
    assert "give either numbers or --all" in botkit(store, receiver, "retry", 1, "--all").output
    database = {"BOTKIT_DATABASE": store.url.render_as_string()}
    none = CliRunner().invoke(cli.main, ["outbox", "run"], env=database)
    assert "Set webhook_url and webhook_secret" in none.output
    open_secret = database | {"BOTKIT_WEBHOOK_URL": "https://shop.example/"}
    bad = CliRunner().invoke(cli.main, ["outbox", "run"], env=open_secret)
    assert bad.exit_code == 1
    assert "make one with `botkit outbox secret`" in bad.output


def test_a_fresh_secret_is_one_that_is_taken() -> None:
    made = CliRunner().invoke(cli.main, ["outbox", "secret"]).stdout.strip()
    assert Webhook("https://shop.example/", made).secret == made


