"""What one visitor may cost: rates with short bursts, the queue before the encoder, bounds on everything that grows."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from quiet import quiet

from botkit import language
from botkit.encoder import Guard
from botkit.index import Live
from botkit.server import create_app
from botkit.server.http import encoder_queue
from botkit.server.http import models as http_models
from botkit.server.http.encoder_queue import Turns
from botkit.server.http.token_buckets import Rates
from botkit.store import Store

PATIENCE = 20


def make_app(live: Live, store: Store, rates: Rates | None = None, **settings: Any) -> Flask:
    return create_app(index=live, store=store, rates=rates, settings=quiet(**settings))


# ---------------------------------------------------------------- rates


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def asked(live: Live, store: Store, now: list[float]) -> Callable[..., int]:
    """The status of a question to a server that takes 60 a minute, 10 at once."""
    rates = Rates(clock=lambda: now[0])
    client = make_app(live, store, rate_per_minute=60, rate_burst=10, rates=rates).test_client()

    def ask(text: str = "where is my order", **more: Any) -> int:
        return client.post("/api/v1/ask", json={"text": text, **more}).status_code

    return ask


def test_a_burst_is_short_and_refills_at_the_rate(asked: Callable[..., int], now: list[float]) -> None:
    assert [asked() for _ in range(12)] == [200] * 10 + [429] * 2
    now[0] += 3.0
    assert [asked() for _ in range(4)] == [200] * 3 + [429]


def test_requests_of_any_kind_are_counted_too(live: Live, store: Store, now: list[float]) -> None:
    """Whatever is asked for, and whether or not it is there; only who watches the process is always answered."""
    app = make_app(live, store, requests_per_minute=60, rates=Rates(clock=lambda: now[0]))
    client = app.test_client()
    paths = ("/help/en/", "/api", "/nothing", "/metrics", "/desk/login")
    assert [client.get(paths[n % 5]).status_code == 429 for n in range(12)] == [False] * 10 + [True] * 2
    refused = client.get("/help/ar/")
    assert int(refused.headers["Retry-After"]) == 1
    assert language.messages("ar")["site.too_many_title"] in refused.text
    assert client.get("/healthz").status_code == 200
    now[0] += 1.0
    assert client.get("/help/ar/").status_code == 200


def test_a_request_with_a_long_body_counts_for_more(live: Live, store: Store, now: list[float]) -> None:
    client = make_app(live, store, requests_per_minute=60, rates=Rates(clock=lambda: now[0])).test_client()
    form = {"content_type": "application/x-www-form-urlencoded"}
    assert client.post("/desk/login", data="x" * 120_000, **form).status_code == 401  # eight and a half of ten
    assert client.post("/desk/login", data="x" * 40_000, **form).status_code == 429
    assert client.post("/desk/login", data="x", **form).status_code == 401


def test_a_long_question_counts_for_its_length(asked: Callable[..., int], now: list[float]) -> None:
    """The text and what it leans on: both are read by the encoder."""
    assert asked("a@" * 1000) == 200  # 2,000 characters: four
    assert asked("and there?", before={"text": "a@" * 1000}) == 200
    assert [asked(), asked()] == [200, 429]
    now[0] += 60.0
    assert asked("a@" * 1999) == 200, "the longest text is always taken by a full bucket"


def test_searching_and_suggesting_are_limited_too(live: Live, store: Store) -> None:
    client = make_app(live, store, rate_per_minute=60, rate_burst=3, rates=Rates(clock=lambda: 5.0)).test_client()
    assert [client.get("/help/en/search?q=order").status_code for _ in range(4)] == [200] * 3 + [429]
    assert client.get("/api/v1/search?q=order").status_code == 429
    result = [client.get("/api/v1/suggest?q=where").status_code for _ in range(13)]
    assert result == [200] * 12 + [429]


def test_a_proxy_that_is_not_named_is_noticed_and_said_once(
    live: Live, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.7"}
    bare, rates = make_app(live, store, rates=(rates := Rates())), rates
    with caplog.at_level(logging.WARNING, logger="botkit.server"):
        for app in (bare, make_app(live, store, rates=rates)):  # two workers of one server
            client = app.test_client()
            assert [client.get("/healthz", headers=forwarded).status_code for _ in range(2)] == [200, 200]
    text = [record for record in caplog.records if "trusted_proxies" in record.getMessage()]
    assert len(text) == 1
    assert "203.0.113.7" not in caplog.text
    assert "botkit_forwarded_unread_total 2.0" in bare.test_client().get("/metrics").text
    behind = make_app(live, store, trusted_proxies=1).test_client()
    behind.get("/healthz", headers=forwarded)
    assert "botkit_forwarded_unread_total 0.0" in behind.get("/metrics").text


# ---------------------------------------------------------------- what a request may hold


@pytest.mark.usefixtures("app")
def test_every_text_list_and_table_that_may_be_sent_is_bounded() -> None:
    """Whatever model a view reads."""
    models = list(_models(http_models.In))
    assert len(models) > 20
    for model in models:
        assert model.model_config["str_max_length"] == 4 * http_models.MAX_TEXT
        for name, shape in model.model_json_schema()["properties"].items() if model.model_fields else ():
            for each in shape.get("anyOf", [shape]):
                assert each.get("type") != "array" or "maxItems" in each, f"{model.__name__}.{name}"
                assert each.get("type") != "object" or "maxProperties" in each, f"{model.__name__}.{name}"


def _models(kind: type[http_models.In]) -> Iterator[type[http_models.In]]:
    for each in kind.__subclasses__():
        yield each
        yield from _models(each)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ({"text": "hi", "before": {"text": "x", "options": ["x" * 20_000]}}, {}, 400),
        ({"text": "hi", "before": {"text": "x", "options": ["x"] * 11}}, {}, 400),
        ({"text": "x" * 20_000}, {}, 400),
        ({"text": "hi", "lang": "e" * 36}, {}, 400),
        (json.loads("[" * 17 + "]" * 17), {}, 400),
        ({"text": "hi"}, {"Accept-Language": ",".join(["xx;q=0.1"] * 2000)}, 200),
        ({"text": "hi"}, {"X-Request-Id": "a" * 8000, "Origin": "http://localhost", "Accept": "a/b," * 2000}, 200),
    ],
)
def test_what_is_larger_than_any_use_of_it_is_refused(
    client: FlaskClient, body: Any, headers: dict[str, str], status: int
) -> None:
    answer = client.post("/api/v1/ask", json=body, headers=headers)
    assert answer.status_code == status
    assert len(answer.headers["X-Request-Id"]) <= 64


def test_a_token_longer_than_any_is_none(client: FlaskClient) -> None:
    for path in ("/api/v1/desk/tickets", f"/api/v1/conversations/{'0' * 32}/events"):
        assert client.get(path, headers={"Authorization": f"Bearer {'a' * 600}"}).status_code == 401


# ---------------------------------------------------------------- the queue before the encoder


class Crowd:
    """People who ask at once, each in a thread of their own; whoever has a turn keeps it until told."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.served: list[str] = []
        self.given: list[float | None] = []
        self._moved = threading.Condition()
        self._may_go: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []

    def comes(self, who: str, *, waits: bool = True) -> None:
        """Somebody, named like `address/1`, asks; comes back when they wait or are served."""
        before, done = len(self.turns), len(self.served)
        self._may_go[who] = threading.Event()
        thread = threading.Thread(target=self._ask, args=(who,), daemon=True)
        self._threads.append(thread)
        thread.start()
        self._until(lambda: len(self.turns) > before if waits else len(self.served) > done)

    def _ask(self, who: str) -> None:
        with self.turns.turn(who.split("/")[0]) as seconds:
            with self._moved:
                self.served.append(who)
                self.given.append(seconds)
                self._moved.notify_all()
            assert self._may_go[who].wait(PATIENCE)

    def goes(self, who: str) -> None:
        """Whoever is served is done; the next one, if anybody waits, is served then."""
        some, done = len(self.turns) > 0, len(self.served)
        self._may_go[who].set()
        if some:
            self._until(lambda: len(self.served) > done)

    def _until(self, true: Callable[[], bool]) -> None:
        with self._moved:
            for _ in range(PATIENCE * 100):
                if true():
                    return
                self._moved.wait(0.01)
        raise AssertionError("nothing came of it")

    def close(self) -> None:
        for event in self._may_go.values():
            event.set()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


@pytest.fixture
def crowd() -> Iterator[Callable[..., Crowd]]:
    with ExitStack() as stack:

        def gather(**settings: Any) -> Crowd:
            result = Crowd(Turns(**{"seconds": 4.0 * PATIENCE, "at_once": 1} | settings))
            stack.callback(result.close)
            return result

        yield gather


def test_whoever_floods_the_queue_waits_for_themselves(crowd: Callable[..., Crowd]) -> None:
    """One address sends many; the next address is served after one of them, and each in the order of its own."""
    people = crowd()
    people.comes("flood/0", waits=False)
    for number in range(1, 6):
        people.comes(f"flood/{number}")
    people.comes("a/1")
    people.comes("a/2")
    people.comes("b/1")
    for _ in range(8):
        people.goes(people.served[-1])
    assert people.served == [
        "flood/0", "flood/1", "a/1", "b/1", "flood/2", "a/2", "flood/3", "flood/4", "flood/5",
    ]  # fmt: skip


def test_no_more_than_so_many_at_a_time(crowd: Callable[..., Crowd]) -> None:
    people = crowd(at_once=2)
    people.comes("a/1", waits=False)
    people.comes("b/1", waits=False)
    people.comes("c/1")
    assert people.served == ["a/1", "b/1"]
    people.goes("b/1")
    assert people.served[-1] == "c/1"


def test_who_finds_the_queue_full_goes_on_without_the_encoder(crowd: Callable[..., Crowd]) -> None:
    """Each address has its bound, so that one cannot take the places of all."""
    people = crowd()
    people.comes("flood/0", waits=False)
    for number in range(encoder_queue.PER_ADDRESS):
        people.comes(f"flood/{number + 1}")
    people.comes("flood/over", waits=False)
    assert people.given[-1] == 0.0
    people.comes("a/1")
    assert len(people.turns) == encoder_queue.PER_ADDRESS + 1


def test_who_has_waited_too_long_goes_on_without_the_encoder(crowd: Callable[..., Crowd]) -> None:
    people = crowd(seconds=0.05)
    people.comes("a/1", waits=False)
    people.comes("b/1", waits=False)
    assert people.given[0] == pytest.approx(0.05, abs=0.05)
    assert people.given[1] == 0.0
    assert len(people.turns) == 0


def test_what_was_waited_is_taken_off_the_encoder_s_time() -> None:
    now = [10.0]
    turns = Turns(seconds=2.0, at_once=1, clock=lambda: now[0])
    with turns.turn("a") as seconds:
        assert seconds == 2.0
        now[0] += 0.5
    value: list[float | None] = []

    def ask() -> None:
        with turns.turn("b") as seconds:
            value.append(seconds)

    with turns.turn("a"):
        thread = threading.Thread(target=ask)
        thread.start()
        while not len(turns):
            pass
        now[0] += 1.25
    thread.join(PATIENCE)
    assert value == [0.75]


def test_without_a_limit_an_encoder_that_fails_still_fails_no_question() -> None:
    def fails(texts: Sequence[str]) -> np.ndarray:
        raise RuntimeError("ill")

    with Turns(seconds=0).turn("a") as seconds:
        assert Guard(fails).encode(["where is it"], seconds) is None


def test_a_failure_gives_the_place_back() -> None:
    turns = Turns(at_once=1)

    def fail() -> None:
        with turns.turn("a") as seconds:
            assert seconds
            raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fail()
    assert len(turns) == 0


def test_a_customer_is_answered_while_another_floods(live: Live, store: Store) -> None:
    """Through the whole server: with the only place held, the queue is passed by and the words alone answer."""
    app = make_app(live, store, encoder_seconds=0.05)
    turns = app.extensions["botkit"].turns
    client = app.test_client()
    with ExitStack() as stack:
        while stack.enter_context(turns.turn("flood")):
            pass
        answered = client.post("/api/v1/ask", json={"text": "where is my order", "lang": "en"})
    assert answered.status_code == 200
    assert answered.json is not None
    assert answered.json["kind"] in ("answer", "clarify", "handoff")
