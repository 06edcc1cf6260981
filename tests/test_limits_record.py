"""However much is said in one conversation: parts that are read one after the other, and caps on what may be added."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
import shop
from desk_shop import PASSWORD
from flask.testing import FlaskClient
from moving import Clock
from quiet import quiet
from streaming import Stream
from test_browser import served

from botkit import accounts, chat, desk
from botkit.accounts import Agent
from botkit.chat import Caps, TooMuch
from botkit.index import Index, Live
from botkit.server import create_app
from botkit.store import CUSTOMER, Store
from botkit.store.bounds import PAGE_BYTES, PAGE_EVENTS
from botkit.store.event_data import AgentMessage, CustomerMessage, Note

BOTH = pytest.mark.databases("sqlite", "postgresql")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def index() -> Index:
    return shop.index()


@pytest.fixture
def sara(store: Store) -> Agent:
    return accounts.add_agent(store, "Sara", "agent", PASSWORD)


def a_conversation(store: Store, texts: list[str], ticket: bool = False) -> chat.Started:
    """With these messages; `ticket`: a person is wanted from the first on."""
    started = chat.start(store, "en")
    with store.write() as conn:
        for number, text in enumerate(texts):
            store.append(conn, started.id, CUSTOMER, CustomerMessage(text, f"m{number}"), client_id=f"m{number}")
            if ticket and number == 0:
                desk.open_ticket(store, conn, started.id, "no_answer", "en", None, [])
    return started


def texts_of(events: list[dict[str, Any]]) -> list[str]:
    return [each["data"]["text"] for each in events if each["kind"] == "message"]


# ---------------------------------------------------------------- parts


@BOTH
def test_a_part_is_bounded_in_number_and_in_bytes(store: Store) -> None:
    """Read one after the other, in either direction, parts are the whole."""
    many = a_conversation(store, [f"text {n}" for n in range(2 * PAGE_EVENTS + 10)]).id
    large = a_conversation(store, ["😀" * 4000] * 40).id
    huge = a_conversation(store, ["x" * (2 * PAGE_BYTES)] * 2).id
    with store.read() as conn:
        for conversation, parts in ((many, 3), (large, 3), (huge, 3)):
            whole = store.events(conn, conversation)
            forth, seq, more = [], 0, True
            for _ in range(parts):
                assert more
                part, more = store.page(conn, conversation, seq)
                assert 0 < len(part) <= PAGE_EVENTS
                assert len(part) == 1 or sum(len(json.dumps(each.stored)) for each in part) < 4 * PAGE_BYTES
                forth += part
                seq = part[-1].seq
            assert (forth, more) == (whole, False)
            back, seq, more = [], 2**31 - 1, True
            while more:
                part, more = store.page_before(conn, conversation, seq)
                back = part + back
                seq = part[0].seq
            assert back == whole
        assert store.page(conn, "0" * 32) == ([], False)


def test_a_customer_reads_a_long_conversation_in_parts(client: FlaskClient, store: Store) -> None:
    wanted = [f"text {n}" for n in range(2 * PAGE_EVENTS)]
    started = a_conversation(store, wanted)
    own = {"Authorization": f"Bearer {started.token}"}
    result: list[str] = []
    last, more, asked = 0, True, 0
    while more:
        answer = client.get(f"/api/v1/conversations/{started.id}/events?after={last}", headers=own).json
        assert answer is not None
        assert len(answer["events"]) <= PAGE_EVENTS
        result += texts_of(answer["events"])
        last, more, asked = answer["last"], answer["more"], asked + 1
    assert result == wanted
    assert asked == 3


def test_what_a_customer_may_not_see_ends_no_reading(client: FlaskClient, store: Store) -> None:
    """A whole part of notes: nothing in it is shown, and there is more behind it."""
    started = chat.start(store, "en")
    with store.write() as conn:
        for n in range(PAGE_EVENTS):
            store.append(conn, started.id, "agent:Sara", Note(1, f"note {n}"))
        store.append(conn, started.id, "agent:Sara", AgentMessage("hello", "m", 1))
    own = {"Authorization": f"Bearer {started.token}"}
    first = client.get(f"/api/v1/conversations/{started.id}/events?after=1", headers=own).json
    assert first == {"events": [], "last": PAGE_EVENTS + 1, "more": True, "signals": first and first["signals"]}
    second = client.get(f"/api/v1/conversations/{started.id}/events?after={first['last']}", headers=own).json
    assert second is not None
    assert texts_of(second["events"]) == ["hello"]
    assert not second["more"]


def test_streams_catch_up_part_by_part(live: Live, store: Store, sara: Agent) -> None:
    """A customer's, and an agent's, of two long chats at once: everything once, in order, without a pause."""
    wanted = [f"text {n}" for n in range(2 * PAGE_EVENTS + 10)]
    started = [a_conversation(store, wanted, ticket=True) for _ in range(2)]
    tickets = sorted(each.id for each in desk.queue(store, "waiting"))
    for ticket in tickets:
        desk.claim(store, ticket, sara)
    token = accounts.issue_token(store, sara.name)
    app = create_app(index=live, store=store, settings=quiet())
    with served(app) as port, contextlib.ExitStack() as opened:
        path = f"/api/v1/conversations/{started[0].id}/events"
        mine = opened.enter_context(Stream(port, path, Authorization=f"Bearer {started[0].token}"))
        result = mine.until(lambda sent: sent.data.get("kind") == "ticket.claimed")
        assert texts_of([sent.data for sent in result if sent.kind == "message"]) == wanted
        cursor = ",".join(f"{ticket}:1" for ticket in tickets)
        agent = Stream(port, "/api/v1/desk/events", Authorization=f"Bearer {token}", Last_Event_ID=cursor)
        opened.enter_context(agent)
        claimed: list[int] = []

        def both(sent: Any) -> bool:
            claimed.extend([sent.data["ticket"]] if sent.data.get("kind") == "ticket.claimed" else [])
            return len(claimed) == 2

        heard = [sent.data for sent in agent.until(both) if sent.kind == "message"]
    for ticket in tickets:
        assert texts_of([each for each in heard if each["ticket"] == ticket]) == wanted
        seqs = [each["seq"] for each in heard if each["ticket"] == ticket]
        assert seqs == list(range(2, len(seqs) + 2))


@pytest.mark.usefixtures("sara")
def test_an_agent_reads_the_newest_part_first(store: Store, signed_in: Callable[[str], FlaskClient]) -> None:
    """On the page and by API: the newest part, what leads to the one before, and what leads back."""
    wanted = [f"text {n}." for n in range(2 * PAGE_EVENTS)]
    a_conversation(store, wanted, ticket=True)
    (ticket,) = desk.queue(store, "waiting")
    page = signed_in("Sara")
    result: list[str] = []
    before, asked = "", 0
    while asked == 0 or before:
        handover = page.get(f"/api/v1/desk/tickets/{ticket.id}{before}").json
        assert handover is not None
        assert handover["last_text"] == wanted[-1]
        result = texts_of(handover["transcript"]) + result
        before, asked = f"?before={handover['before']}" if handover["before"] else "", asked + 1
    assert result == wanted
    assert asked == 3
    shown = desk.ticket(store, ticket.id)
    last, first = shown.transcript[-1].seq, shown.before
    assert first is not None
    newest = page.get(f"/desk/tickets/{ticket.id}").text
    assert f'id="event-{last}"' in newest
    assert f'id="event-{first - 1}"' not in newest
    assert f'href="/desk/tickets/{ticket.id}?before={first}"' in newest
    older = page.get(f"/desk/tickets/{ticket.id}?before={first}").text
    assert f'id="event-{last}"' not in older
    assert f'id="event-{first - 1}"' in older
    assert f'href="/desk/tickets/{ticket.id}" rel="next"' in older
    for nonsense in ("0", "-1", "9" * 5000, "x"):
        assert f'id="event-{last}"' in page.get(f"/desk/tickets/{ticket.id}?before={nonsense}").text


@BOTH
def test_an_agent_s_chats_know_what_waits_for_an_answer(store: Store, sara: Agent) -> None:
    """In a conversation of any length it is looked for among the newest alone."""
    a_conversation(store, [f"text {n}" for n in range(500)], ticket=True)
    a_conversation(store, ["one", "two"], ticket=True)
    long, short = sorted(each.id for each in desk.queue(store, "waiting"))
    desk.claim(store, long, sara)
    desk.claim(store, short, sara)
    result = {each.ticket: each for each in desk.chats(store, sara)}
    assert (result[long].text, result[short].text) == ("text 499", "two")
    assert 100 < len(result[long].unanswered) <= 200
    assert result[short].unanswered == (2, 4)
    desk.say(store, long, sara, "a1", "hello")
    assert {each.ticket: each.unanswered for each in desk.chats(store, sara)}[long] == ()


# ---------------------------------------------------------------- caps


@BOTH
def test_a_conversation_takes_so_many_messages_an_hour(store: Store, index: Index, clock: Clock) -> None:
    """Repetitions count once, other conversations and the team not at all; after the hour there is room for as many as
    were said before it."""
    caps, id_ = Caps(events=3), chat.start(store, "en").id

    def say(client_id: str, conversation: str = id_) -> chat.Turn:
        return chat.say(store, index, conversation, client_id, "thanks", caps=caps)

    say("m1")
    clock.forward(minutes=10)
    first = [say("m2"), say("m3")]
    clock.forward(minutes=10)
    with pytest.raises(TooMuch) as full:
        say("m4")
    assert full.value.seconds == 40 * 60
    assert [say("m2"), say("m3")] == first
    say("m4", chat.start(store, "en").id)
    clock.forward(seconds=full.value.seconds)
    say("m4")
    with pytest.raises(TooMuch):
        say("m5")


@BOTH
def test_a_conversation_takes_so_many_bytes_an_hour(store: Store, index: Index, clock: Clock) -> None:
    caps, id_ = Caps(bytes=40_000), chat.start(store, "en").id
    chat.request_person(store, index, id_)
    for n in range(3):
        chat.say(store, index, id_, f"m{n}", "😀" * 4000, caps=caps)
    with pytest.raises(TooMuch):
        chat.say(store, index, id_, "m3", "hello", caps=caps)
    clock.forward(minutes=61)
    assert chat.say(store, index, id_, "m3", "hello", caps=caps).message is not None


def test_opinions_count_too(store: Store, index: Index, clock: Clock) -> None:
    """Each change of mind is an event."""
    id_ = chat.start(store, "en").id
    reply = chat.say(store, index, id_, "m1", "where is my order").reply
    assert reply is not None
    for n in range(4):
        chat.feedback(store, index, id_, reply["id"], n % 2 == 0, caps=Caps(events=5))
    with pytest.raises(TooMuch):
        chat.feedback(store, index, id_, reply["id"], True, caps=Caps(events=5))


def test_a_full_conversation_is_told_when_to_go_on(live: Live, store: Store) -> None:
    client = create_app(index=live, store=store, settings=quiet(messages_per_hour=2)).test_client()
    started = client.post("/api/v1/conversations", json={"lang": "en"}).json
    assert started is not None
    base, own = f"/api/v1/conversations/{started['id']}", {"Authorization": f"Bearer {started['token']}"}

    def post(client_id: str) -> Any:
        return client.post(f"{base}/messages", json={"client_id": client_id, "text": "thank you"}, headers=own)

    assert [post(f"id-{n}").status_code for n in range(2)] == [200, 200]
    full = post("id-2")
    assert (full.status_code, full.json["error"]["code"]) == (429, "too_much")
    assert int(full.headers["Retry-After"]) == 3600
    assert 'botkit_limited_total{limit="messages"} 1.0' in client.get("/metrics").text
    assert client.get(f"{base}/events", headers=own).status_code == 200
    assert client.post(f"{base}/handoff", json={}, headers=own).status_code == 200, "a person is always to be had"


@pytest.mark.parametrize("write", [desk.say, desk.note, desk.whisper])
def test_what_agents_write_is_bounded(store: Store, sara: Agent, write: Any) -> None:
    a_conversation(store, ["hello"], ticket=True)
    (ticket,) = desk.queue(store, "waiting")
    desk.claim(store, ticket.id, sara)
    value = {"client_id": "n1"} if write is not desk.say else {}
    args = ("n1",) if write is desk.say else ()
    with pytest.raises(desk.MessageError, match="4001 characters"):
        write(store, ticket.id, sara, *args, "x" * 4001, **value)
    with pytest.raises(desk.MessageError, match="4001 characters"):
        desk.transfer(store, ticket.id, sara, "Sara", "x" * 4001)


