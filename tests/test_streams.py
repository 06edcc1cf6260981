"""Both ways live, over a real server on a socket: streams that miss nothing, tell nothing twice, and end in time."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import shop
from desk_shop import PASSWORD
from flask.testing import FlaskClient
from moving import Clock
from quiet import quiet
from streaming import Sent, Stream, post, say
from werkzeug.serving import make_server

from botkit import accounts, chat, desk
from botkit import presence as marks
from botkit.index import Live
from botkit.server import create_app
from botkit.server.processes import run
from botkit.server.streaming import feed as feeds
from botkit.store import Store

BOTH = pytest.mark.databases("sqlite", "postgresql")
EVENTS = "/api/v1/conversations/{}/events"


@pytest.fixture
def serve(live: Live, store: Store) -> Iterator[Callable[..., int]]:
    """Serve the application on a socket; the port. Each call is another process's worth of streams on one database."""
    ends: list[Callable[[], None]] = []

    def begin(**settings: Any) -> int:
        app = create_app(index=live, store=store, settings=quiet(**settings))
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        feed = app.extensions["botkit"].feed

        def end() -> None:
            feed.close()
            server.shutdown()
            thread.join()
            server.server_close()

        ends.append(end)
        return server.server_port

    yield begin
    for end in ends:
        end()


class Customer:
    """A conversation over a server, with a person wanted from the start: the bot is silent from there on."""

    def __init__(self, port: int, person: bool = True) -> None:
        started = post(port, "/api/v1/conversations", "", lang="en")
        self.port, self.id, self.token = port, started["id"], started["token"]
        if person:
            self.post("handoff")

    def post(self, what: str, **body: Any) -> dict[str, Any]:
        return post(self.port, f"/api/v1/conversations/{self.id}/{what}", self.token, **body)

    def says(self, text: str) -> None:
        say(self.port, self.id, self.token, f"id-{text.replace(' ', '-')}", text)

    def stream(self, after: int = 0, port: int | None = None, **headers: str) -> Stream:
        path = f"{EVENTS.format(self.id)}?after={after}"
        return Stream(port or self.port, path, Authorization=f"Bearer {self.token}", **headers)


def ticket_of(store: Store, customer: Customer) -> int:
    return next(each.id for each in desk.queue(store) if each.conversation == customer.id)


def says(text: str) -> Callable[[Sent], bool]:
    return lambda sent: sent.data.get("data", {}).get("text") == text


def signals(**wanted: Any) -> Callable[[Sent], bool]:
    return lambda sent: sent.kind == "signals" and wanted.items() <= sent.data.items()


def log_of(store: Store, conversation: str) -> list[int]:
    with store.read() as conn:
        events = store.events(conn, conversation)
    return [each.seq for each in events if chat.view(each, "customer") is not None]


@BOTH
def test_a_stream_tells_what_was_and_then_what_happens(serve: Callable[..., int]) -> None:
    """First the state, then every step, each under its number."""
    customer = Customer(serve())
    with customer.stream() as stream:
        assert stream.response.headers["Content-Type"].startswith("text/event-stream")
        before = stream.until(lambda sent: sent.data.get("kind") == "ticket.opened")
        assert next(sent.data["kind"] for sent in before if sent.kind == "message") == "conversation.opened"
        customer.says("hello there")
        result = stream.until(says("hello there"))[-1]
        assert result.id == str(result.data["seq"])


def test_who_does_not_ask_for_a_stream_gets_json(serve: Callable[..., int]) -> None:
    """`*/*` is a program that has not heard of streams."""
    customer = Customer(serve())
    for accept in ("application/json", "*/*", "text/html"):
        with customer.stream(Accept=accept) as answer:
            result = json.loads(answer.response.read())
            assert answer.response.headers["Content-Type"] == "application/json"
            assert result["last"] == result["events"][-1]["seq"]
            assert result["signals"] == {"typing": False, "online": False, "delivered": 0, "read": 0}


@BOTH
def test_two_readers_and_two_writers_in_two_processes_end_with_one_list(
    serve: Callable[..., int], store: Store
) -> None:
    """A line that breaks in the middle is caught up with the last number seen: nothing twice, nothing missed."""
    ports = [serve(), serve()]
    customer = Customer(ports[0])
    ticket, agent = ticket_of(store, customer), accounts.add_agent(store, "Sara", "agent", PASSWORD)
    desk.claim(store, ticket, agent)
    last = "the very last word"

    def read(port: int, cuts: int) -> list[int]:
        known: list[int] = []
        while True:
            with customer.stream(after=known[-1] if known else 0, port=port) as stream:
                assert stream.status == 200
                for number, sent in enumerate(stream, 1):
                    if sent.kind == "message":
                        known.append(sent.data["seq"])
                    if says(last)(sent):
                        return known
                    if cuts and number >= 7:
                        cuts -= 1
                        stream.cut()
                        break

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read, port, cuts) for port, cuts in zip(ports, (4, 0), strict=True)]
        writer = pool.submit(lambda: [customer.says(f"word {n}") for n in range(30)])
        for n in range(30):
            desk.say(store, ticket, agent, f"agent-{n}", f"answer {n}")
            desk.note(store, ticket, agent, f"note {n}")
        writer.result()
        customer.says(last)
        lists = [reader.result() for reader in readers]
    assert lists[0] == lists[1] == log_of(store, customer.id)


def test_a_line_that_breaks_goes_on_after_the_last_id(serve: Callable[..., int]) -> None:
    """`Last-Event-ID` counts as `after` does, and the greater of them counts."""
    customer = Customer(serve())
    with customer.stream() as stream:
        last = stream.until(lambda sent: sent.data.get("kind") == "ticket.opened")[-1].id
        stream.cut()
    customer.says("said meanwhile")
    with customer.stream(Last_Event_ID=str(last)) as stream:
        result = [sent for sent in stream.until(says("said meanwhile")) if sent.kind == "message"]
    assert [sent.data["seq"] for sent in result] == [int(str(last)) + 1]
    with customer.stream(Last_Event_ID="yesterday") as stream:
        assert stream.status == 400


def test_someone_elses_conversation_cannot_be_followed(serve: Callable[..., int]) -> None:
    """A stream is authorised as any request is; a guess and a stranger's token look the same."""
    port = serve()
    mine, other = Customer(port), Customer(port)
    for path, token in ((mine.id, other.token), ("0" * 32, mine.token)):
        with Stream(port, EVENTS.format(path), Authorization=f"Bearer {token}") as stream:
            assert stream.status == 404
    with Stream(port, f"{EVENTS.format(mine.id)}?token={mine.token}") as stream:
        assert stream.status == 400


def test_a_stream_too_many_is_503_and_all_others_go_on(serve: Callable[..., int]) -> None:
    """The one that finds no place is told when to come back, and polls meanwhile; posting is as before."""
    port = serve(streams=3)
    customers = [Customer(port) for _ in range(4)]
    held = [customer.stream() for customer in customers[:3]]
    assert [stream.status for stream in held] == [200] * 3
    with customers[3].stream() as refused:
        assert refused.status == 503
        assert int(refused.response.headers["Retry-After"]) > 0
        assert json.loads(refused.response.read())["error"]["code"] == "streams_full"
    customers[3].says("I can still write")
    with customers[3].stream(Accept="application/json") as polled:
        texts = [each["data"].get("text") for each in json.loads(polled.response.read())["events"]]
        assert "I can still write" in texts
    for customer, stream in zip(customers, held, strict=False):
        customer.says(f"I am {customer.id}")
        stream.until(says(f"I am {customer.id}"))
        stream.close()


def test_one_address_has_its_share_of_the_streams(serve: Callable[..., int]) -> None:
    """Customers elsewhere, and agents there too, find a place; one that is left is free again."""
    port = serve(streams_per_address=2, trusted_proxies=1)
    school, home = {"X_Forwarded_For": "203.0.113.9"}, {"X_Forwarded_For": "203.0.113.10"}
    with contextlib.ExitStack() as held:
        first = [held.enter_context(Customer(port).stream(**school)) for _ in range(2)]
        assert [each.status for each in first] == [200, 200]
        late = Customer(port)
        with late.stream(**school) as refused:
            assert refused.status == 503
            assert json.loads(refused.response.read())["error"]["code"] == "streams_full"
        assert held.enter_context(Customer(port).stream(**home)).status == 200
        first[0].until(lambda sent: sent.data.get("kind") == "ticket.opened")
        first[0].cut()
        statuses = iter(lambda: _status_of(late, school), 200)
        assert set(statuses) <= {503}


def _status_of(customer: Customer, headers: dict[str, str]) -> int:
    with customer.stream(**headers) as stream:
        return stream.status


def test_the_last_places_are_kept_for_agents(store: Store) -> None:
    """Customers can poll; a place that is left is free again, and a feed that was closed begins anew."""
    feed = feeds.Feed(store, 16)
    held = [feed.subscribe(f"conversation {n}") for n in range(15)]
    with pytest.raises(feeds.Full):
        feed.subscribe("one too many")
    agent = feed.subscribe_agent("Sara")
    with pytest.raises(feeds.Full):
        feed.subscribe_agent("Omid")
    for each in (agent, held[0]):
        each.leave()
    feed.subscribe("one too many")
    feed.close()
    assert held[1].over
    for each in held:
        each.leave()
    feed.subscribe("again")
    feed.close()


def test_one_conversation_cannot_take_all_places(serve: Callable[..., int]) -> None:
    """It has as many as somebody has tabs, and gives one back when its line breaks, before any heartbeat."""
    customer = Customer(serve())
    held = [customer.stream() for _ in range(feeds.TABS)]
    with customer.stream() as refused:
        assert refused.status == 503
    held[0].cut()
    patience = time.monotonic() + feeds.HEARTBEAT / 2
    while True:
        with customer.stream() as again:
            if again.status == 200:
                break
        assert time.monotonic() < patience
    for stream in held[1:]:
        stream.close()


@BOTH
def test_typing_and_reading_cross_from_one_process_to_another(
    serve: Callable[..., int], store: Store, sara: accounts.Agent
) -> None:
    """They are in the database, not in a process; the customer learns of the ticket's owner and of nobody else."""
    here, there = serve(), serve()
    customer = Customer(here)
    ticket, token = ticket_of(store, customer), accounts.issue_token(store, "Sara")
    accounts.add_agent(store, "Omid", "supervisor", PASSWORD)
    other = accounts.issue_token(store, "Omid")
    base = f"/api/v1/desk/tickets/{ticket}"
    with (
        customer.stream(port=here) as stream,
        Stream(there, f"/api/v1/desk/events?watch={ticket}", Authorization=f"Bearer {token}") as board,
    ):
        board.until(lambda sent: sent.kind == "ticket" and sent.data["customer"]["online"])
        customer.post("typing")
        board.until(lambda sent: sent.kind == "ticket" and sent.data["customer"]["typing"])
        customer.post("typing", on=False)
        board.until(lambda sent: sent.kind == "ticket" and not sent.data["customer"]["typing"])

        desk.claim(store, ticket, sara)
        post(there, f"{base}/typing", other)
        post(there, f"{base}/seen", other, seq=1)
        stream.until(signals(online=True, typing=False, read=0))
        post(there, f"{base}/typing", token)
        stream.until(signals(typing=True))
        result = post(there, f"{base}/messages", token, client_id="first-answer", text="Good morning")
        seq = result["event"]["seq"]
        stream.until(says("Good morning"))
        customer.post("seen", seq=seq, read=False)
        board.until(lambda sent: sent.kind == "ticket" and sent.data["customer"]["delivered"] == seq)
        customer.post("seen", seq=seq)
        board.until(lambda sent: sent.kind == "ticket" and sent.data["customer"]["read"] == seq)

        customer.says("thank you")
        unread = board.until(lambda sent: sent.kind == "ticket" and sent.data["unread"] == 1)[-1].data
        post(there, f"{base}/seen", token, seq=unread["last"])
        stream.until(signals(read=unread["last"]))
        board.until(lambda sent: sent.kind == "ticket" and sent.data["unread"] == 0)
    with store.read() as conn:
        kinds = {each.kind for each in store.events(conn, customer.id)}
    assert not kinds & {"typing", "seen", "signals"}, "none of it is history"


@BOTH
def test_an_agent_follows_several_chats_and_goes_on_where_the_line_broke(
    serve: Callable[..., int], store: Store, sara: accounts.Agent
) -> None:
    """One id names how far each conversation has come: there is no order over all of them that could have a gap."""
    port = serve()
    token = accounts.issue_token(store, "Sara")
    customers = [Customer(port) for _ in range(3)]
    tickets = [ticket_of(store, customer) for customer in customers]
    for ticket in tickets[:2]:
        desk.claim(store, ticket, sara)
    path = "/api/v1/desk/events"
    with Stream(port, path, Authorization=f"Bearer {token}") as board:
        first = board.until(lambda sent: sent.kind == "queue")
        assert first[-1].data == {"waiting": 1, "claimed": 2}
        assert [sent.data["ticket"] for sent in first if sent.kind == "ticket"] == tickets[:2]
        customers[0].says("one")
        last = board.until(says("one"))[-1]
        assert (last.data["ticket"], last.data["conversation"]) == (tickets[0], customers[0].id)
        board.cut()
    for n in range(5):
        for customer in customers:
            customer.says(f"meanwhile {n}")
    with Stream(port, path, Authorization=f"Bearer {token}", Last_Event_ID=str(last.id)) as board:
        result = board.until(lambda sent: sent.kind == "queue")
        heard = [(sent.data["ticket"], sent.data["data"]["text"]) for sent in result if sent.kind == "message"]
        assert heard == [(ticket, f"meanwhile {n}") for ticket in tickets[:2] for n in range(5)]
        unread = {sent.data["ticket"]: sent.data["unread"] for sent in result if sent.kind == "ticket"}
        assert unread == {tickets[0]: 6, tickets[1]: 5}
        desk.close(store, tickets[0], sara, "solved")
        assert {"ticket": tickets[0]} in [sent.data for sent in board.until(lambda sent: sent.kind == "queue")]
    with Stream(port, path, Authorization=f"Bearer {token}", Last_Event_ID="1:x") as board:
        assert board.status == 400


@BOTH
def test_no_conversation_of_an_agent_has_a_gap_while_all_are_written_at_once(
    serve: Callable[..., int], store: Store, sara: accounts.Agent
) -> None:
    """Several writers, several lines broken in the middle: each conversation arrives whole, in order, and once."""
    ports = [serve(), serve()]
    token = accounts.issue_token(store, "Sara")
    customers = [Customer(port) for port in (*ports, *ports)]
    tickets = {ticket_of(store, customer): customer.id for customer in customers}
    for ticket in tickets:
        desk.claim(store, ticket, sara)
    last = "the very last word"

    def read() -> dict[int, list[int]]:
        known: dict[int, list[int]] = {ticket: [] for ticket in tickets}
        cursor, cuts, done = ",".join(f"{ticket}:0" for ticket in tickets), 5, set()
        while True:
            headers = {"Authorization": f"Bearer {token}", "Last_Event_ID": cursor}
            with Stream(ports[cuts % 2], "/api/v1/desk/events", **headers) as board:
                for number, sent in enumerate(board, 1):
                    cursor = sent.id or cursor
                    if sent.kind == "message":
                        known[sent.data["ticket"]].append(sent.data["seq"])
                        done |= {sent.data["ticket"]} if says(last)(sent) else set()
                    if len(done) == len(tickets):
                        return known
                    if cuts and number >= 15:
                        cuts -= 1
                        board.cut()
                        break

    def write(customer: Customer) -> None:
        for n in range(20):
            customer.says(f"word {n}")
        customer.says(last)

    with ThreadPoolExecutor(len(customers) + 1) as pool:
        reader = pool.submit(read)
        for writer in [pool.submit(write, customer) for customer in customers]:
            writer.result()
        known = reader.result()
    for ticket, conversation in tickets.items():
        with store.read() as conn:
            assert known[ticket] == [event.seq for event in store.events(conn, conversation)]


@pytest.mark.parametrize("ending", ["disabled", "password", "token"])
def test_an_agents_stream_ends_with_the_right_to_it(
    serve: Callable[..., int], store: Store, sara: accounts.Agent, ending: str
) -> None:
    """Without a further word about customers, though there is one to tell."""
    port = serve()
    customer, token = Customer(port), accounts.issue_token(store, "Sara")
    desk.claim(store, ticket_of(store, customer), sara)
    with Stream(port, "/api/v1/desk/events", Authorization=f"Bearer {token}") as board:
        board.until(lambda sent: sent.kind == "queue")
        {
            "disabled": lambda: accounts.disable(store, "Sara"),
            "password": lambda: accounts.set_password(store, "Sara", "another good password"),
            "token": lambda: accounts.revoke_tokens(store, "Sara"),
        }[ending]()
        customer.says("is anybody there")
        assert not [sent for sent in board if says("is anybody there")(sent)]
    with Stream(port, "/api/v1/desk/events", Authorization=f"Bearer {token}") as again:
        assert again.status == 401


def test_a_session_follows_the_desk_and_ends_with_its_account(
    serve: Callable[..., int], store: Store, sara: accounts.Agent
) -> None:
    """The console's own pages send no token: the cookie that opens them opens the stream."""
    port = serve()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    form = urlencode({"name": "Sara", "password": PASSWORD})
    connection.request("POST", "/desk/login", form, {"Content-Type": "application/x-www-form-urlencoded"})
    with connection.getresponse() as response:
        cookie = "; ".join(each.partition(";")[0] for each in response.headers.get_all("Set-Cookie") or ())
    connection.close()
    with Stream(port, "/api/v1/desk/events", Cookie=cookie) as board:
        board.until(lambda sent: sent.kind == "queue")
        accounts.disable(store, "Sara")
        assert list(board) == []
    with Stream(port, "/api/v1/desk/events", Cookie=cookie) as board:
        assert board.status == 401


def test_only_the_desk_may_follow_the_desk(serve: Callable[..., int], store: Store, client: FlaskClient) -> None:
    accounts.add_agent(store, "Ana", "analyst", PASSWORD)
    analyst = {"Authorization": f"Bearer {accounts.issue_token(store, 'Ana')}"}
    assert client.get("/api/v1/desk/events").status_code == 401
    assert client.get("/api/v1/desk/events", headers=analyst).status_code == 403
    accounts.add_agent(store, "Sara", "agent", PASSWORD)
    agent = {"Authorization": f"Bearer {accounts.issue_token(store, 'Sara')}"}
    assert client.get("/api/v1/desk/events", headers=agent).json == {
        "queue": {"waiting": 0, "claimed": 0},
        "tickets": [],
        "mentions": [],
    }
    assert client.get("/api/v1/desk/events?watch=x", headers=agent).status_code == 400
    for what in ("typing", "seen"):
        assert (
            client.post(f"/api/v1/desk/tickets/9/{what}", json={"seq": 1} if what == "seen" else {}).status_code == 401
        )
        value = {"seq": 1} if what == "seen" else {"on": True}
        assert client.post(f"/api/v1/desk/tickets/9/{what}", json=value, headers=agent).status_code == 404


def test_the_tick_goes_on_after_it_has_failed(store: Store) -> None:
    """It is called while a process serves, with or without streams."""
    calls: list[int] = []
    enough = threading.Event()

    def tick() -> None:
        calls.append(len(calls))
        if len(calls) == 1:
            raise RuntimeError("the first one fails")
        enough.set()

    feed = feeds.Feed(store, 1, tick)
    feed.start()
    assert enough.wait(10)
    feed.close()


@BOTH
def test_the_desks_own_work_is_done_while_a_process_serves(live: Live, store: Store) -> None:
    """No request has to come for it: a reply that is late is told to whoever looks next."""
    conversation = chat.start(store, "en", "/cart")
    chat.request_person(store, live.current(), conversation.id)
    later = Store(store.url.render_as_string(hide_password=False), clock=lambda: datetime.now(UTC) + timedelta(days=7))
    feed = create_app(index=live, store=later, settings=quiet()).extensions["botkit"].feed
    feed.start()
    until = time.monotonic() + 10
    with contextlib.closing(store.watch()) as changes:
        while not (late := desk.queue(store, "waiting")[0].breached_at) and time.monotonic() < until:
            changes.wait(0.05)
    feed.close()
    later.close()
    assert late


# ---------------------------------------------------------------- marks


@pytest.fixture
def timed(database: str) -> Iterator[tuple[Store, Clock, str]]:
    """A store whose clock is moved by hand, and a conversation in it."""
    clock = Clock()
    opened = Store(database, clock)
    started = chat.start(opened, "en")
    chat.say(opened, shop.index(), started.id, "first-words", "where is my order")
    yield opened, clock, started.id
    opened.close()


def room(store: Store, conversation: str) -> marks.Room:
    with store.read() as conn:
        return marks.rooms(conn, [conversation])[conversation]


@BOTH
def test_a_mark_only_grows_and_never_past_the_end(timed: tuple[Store, Clock, str]) -> None:
    """Words that overtake one another on the way do not take back what was read."""
    store, _, conversation = timed
    with store.read() as conn:
        last = store.heads(conn, [conversation])[conversation]
    steps = ((2, False, (2, 0)), (1, True, (2, 1)), (99, True, (last, last)), (1, True, (last, last)))
    for seq, read, expected in steps:
        marks.seen(store, conversation, "customer", seq, read)
        result = room(store, conversation).for_agent(store.now())
        assert (result.delivered, result.read) == expected


@BOTH
def test_each_chat_has_its_own_unread_messages(store: Store, sara: accounts.Agent) -> None:
    """One that was read, one of which nothing was read yet, and one that was read in part."""
    started = [chat.start(store, "en").id for _ in range(3)]
    for conversation in started:
        chat.request_person(store, shop.index(), conversation)
        for n in range(3):
            chat.say(store, shop.index(), conversation, f"words-{n}", f"word {n}")
    for ticket in desk.queue(store):
        desk.claim(store, ticket.id, sara)
    with store.read() as conn:
        last = store.heads(conn, started)
    marks.seen(store, started[0], "agent:Sara", last[started[0]])
    marks.seen(store, started[2], "agent:Sara", last[started[2]] - 2)  # the claim is the last, the third word before
    with store.read() as conn:
        unread = {each.conversation: each.unread for each in marks.chats(conn, "Sara")}
    assert [unread[conversation] for conversation in started] == [0, 3, 1]


@BOTH
def test_who_types_is_believed_for_a_while_and_written_rarely(timed: tuple[Store, Clock, str]) -> None:
    """A word for every key would be a write for every key."""
    store, clock, conversation = timed
    until = []
    for seconds in (0, 1, 1, 2, 5):
        clock.forward(seconds=seconds)
        marks.typing(store, conversation, "customer")
        until.append(room(store, conversation).marks["customer"].typing_until)
    assert [a == b for a, b in pairwise(until)] == [True, True, False, False]
    assert room(store, conversation).for_agent(store.now()).typing
    clock.forward(seconds=7)
    assert not room(store, conversation).for_agent(store.now()).typing


@BOTH
def test_who_polls_is_there_too(timed: tuple[Store, Clock, str]) -> None:
    store, clock, conversation = timed
    marks.stay(store, conversation, "customer", marks.Room())
    assert room(store, conversation).for_agent(store.now()).online
    clock.forward(seconds=10)
    before = room(store, conversation)
    marks.stay(store, conversation, "customer", before)
    assert room(store, conversation) == before, "it was said a moment ago"
    clock.forward(seconds=80)
    assert not room(store, conversation).for_agent(store.now()).online


def test_what_is_lax_once_is_durable_again_for_the_next(store: Store) -> None:
    """A connection that wrote marks without waiting for the disk waits for it when it writes a message."""
    for durable, level in ((True, 2), (False, 1), (True, 2)):
        with store.write(durable=durable) as conn:
            assert conn.exec_driver_sql("PRAGMA synchronous").scalar() == level


# ---------------------------------------------------------------- gunicorn


def test_a_server_that_is_stopped_ends_its_streams_and_is_gone_at_once(tmp_path: Path, index_folder: Path) -> None:
    """The workers would wait for the streams, and the streams for their five minutes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["serve", "--index", index_folder, "--database", f"sqlite:///{tmp_path}/served.db"]
    process = subprocess.Popen(
        [sys.executable, "-c", "from botkit.cli import main; main()", *map(str, command), "--port", str(port)],
        env=os.environ | {"BOTKIT_STREAMS": "8"},
        cwd=Path(__file__).parent.parent,
        stderr=subprocess.DEVNULL,
    )
    try:
        _reachable(port, process)
        customers = [Customer(port) for _ in range(4)]
        held = [customer.stream() for customer in customers]
        for customer, stream in zip(customers, held, strict=True):
            stream.until(lambda sent: sent.data.get("kind") == "ticket.opened")
            customer.says("are you there")
            stream.until(says("are you there"))
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        for stream in held:
            assert not [sent for sent in stream if sent.kind == "message"]
            stream.close()
        assert process.wait(run.GRACE) == 0
        assert time.monotonic() - begun < run.GRACE / 2
    finally:
        process.kill()
        process.wait()


def _reachable(port: int, process: subprocess.Popen[bytes]) -> None:
    patience = time.monotonic() + 60
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        assert process.poll() is None
        assert time.monotonic() < patience
