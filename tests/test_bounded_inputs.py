"""Whatever type a value is not, wherever it is put: every route of the application answers with 4xx or takes no harm.

Routes, the fields of bodies and the names of queries come from the application itself, so that a new one is tried too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from desk_shop import PASSWORD, handed_over
from flask import Flask
from flask.testing import FlaskClient

from botkit import accounts, desk, language
from botkit.server.http import requests
from botkit.server.http.models import In
from botkit.store import Store

pytestmark = pytest.mark.databases("sqlite", "postgresql")

DIGITS = "1" * 37
TEXTS = ("a\0b", DIGITS, f"-{DIGITS}", str(2**31), "9" * 5000, "١٢٣" * 20, "²", "\ufffe%00")
TIMES = ("0001-01-01T00:00+14:00", "9999-12-31T23:59:59-14:00")
NUMBERS = (10**36, -(10**36), 2**31, 2**63, -(2**63) - 1, 0, -1, 1e300, True)
ODD = (None, [], {}, [None], {"a\0": "\0"}, ["\0", 10**36], [[[]]], "\ud800", "x\udfff\0")
PATHS = ("a%00b", "%00", DIGITS, f"-{DIGITS}", str(2**31), str(2**63), "%ED%A0%80", "%ff%fe", "x" * 2000, "%E2%80%AE")
HEADERS = ("X-Request-Id", "Last-Event-ID", "Accept-Language", "X-Page-Hidden", "If-None-Match", "User-Agent", "Cookie")


class Shop:
    """An admin who may everything, a customer, and a ticket of theirs that the admin has."""

    def __init__(self, app: Flask, store: Store) -> None:
        self.app, self.store = app, store
        self.admin = accounts.add_agent(store, "Root", "admin", PASSWORD)
        self.other = accounts.add_agent(store, "Other", "agent", PASSWORD)
        self.ticket = handed_over(store)
        desk.claim(store, self.ticket, self.admin)
        self.browser = app.test_client()
        assert self.browser.post("/desk/login", data={"name": "Root", "password": PASSWORD}).status_code == 303
        result = app.test_client().post("/api/v1/conversations", json={"lang": "en"}).json
        assert result is not None
        self.parts = {
            "lang": "en",
            "filename": "site.css",
            "article_id": "returns/how-to-return",
            "conversation_id": result["id"],
            "name": "Other",
            "action": "role",
            "ticket_id": str(self.ticket),
            "absence_id": "1",
            "agent_id": str(self.other.id),
        }
        self.tokens = {"conversation": result["token"], "desk": accounts.issue_token(store, "Root")}
        self.failed: list[str] = []

    def ask(self, method: str, address: str, what: str, client: FlaskClient | None = None, **sent: Any) -> None:
        """Send it and note an answer that is a fault of the server."""
        with (client or self.browser).open(address, method=method, **sent) as answer:
            if answer.status_code >= 500:
                self.failed.append(f"{method} {address[:120]}: {answer.status_code} for {what}")

    def bearer(self, address: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['desk' if '/desk/' in address else 'conversation']}"}

    def address(self, rule: str, **odd: str) -> str:
        """The address of a route, with what is odd in place of its right parts."""
        parts = {**self.parts, **odd}
        if rule.startswith("/desk/overview/"):
            parts = {**self.parts, "action": "close", **odd}
        return re.sub(r"<(?:[^<>:]+:)?(\w+)>", lambda found: parts[found[1]], rule)


    def send(self, method: str, rule: str, what: str, body: Any) -> None:
        """Send JSON in which every character is escaped, as a hostile program would, to a route of the API."""
        headers = {**self.bearer(rule), "Content-Type": "application/json"}
        self.ask(method, self.address(rule), what, headers=headers, data=json.dumps(body))

    def check(self) -> None:
        """Nothing failed, and the admin was not thrown out half-way."""
        assert not self.failed, "\n".join(self.failed)
        assert self.browser.get("/desk").status_code == 200


@pytest.fixture
def shop(app: Flask, store: Store) -> Shop:
    return Shop(app, store)


def rules(app: Flask) -> list[tuple[str, str]]:
    """Method and rule of every route."""
    return sorted(
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule != "/desk/logout"
    )


def test_the_parts_of_an_address(app: Flask, shop: Shop) -> None:
    for method, rule in rules(app):
        for name in re.findall(r"<(?:[^<>:]+:)?(\w+)>", rule):
            for odd in PATHS:
                address = shop.address(rule, **{name: odd})
                headers = shop.bearer(rule) if rule.startswith("/api/") else {}
                shop.ask(method, address, repr(odd), headers=headers, **({"json": {}} if headers else {"data": {}}))
    for odd in PATHS:
        shop.ask("GET", f"/{odd}", repr(odd))
    shop.check()


def test_the_names_of_a_query(app: Flask, shop: Shop) -> None:
    names = sorted(named_in_pages())
    assert {"q", "before", "since", "show", "next", "offset", "language"} <= set(names)
    for method, rule in rules(app):
        if method == "GET" and not rule.startswith("/api/"):
            for odd in (*TEXTS, *TIMES):
                shop.ask("GET", shop.address(rule), repr(odd), query_string=dict.fromkeys(names, odd))
            shop.ask("GET", f"{shop.address(rule)}?q=%ED%A0%80%00%ff&%00=1&before=%00", "bytes")
    tried = 0
    for method, rule, operation in described(app):
        for name in [item["name"] for item in operation["parameters"] if item["in"] == "query"]:
            for odd in (*TEXTS, *TIMES, "%ED%A0%80"):
                tried += 1
                query = f"q=x&{name}={quote(odd[:200], safe='%')}"
                shop.ask(method, f"{shop.address(rule)}?{query}", query, headers=shop.bearer(rule))
    assert tried > 100
    shop.check()


def test_the_fields_of_a_json_body(app: Flask, shop: Shop) -> None:
    document = app.test_client().get("/openapi.json").json
    assert document is not None
    schemas, tried = document["components"]["schemas"], 0
    for method, rule, operation in described(app):
        named = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        schema = schemas[named["$ref"].rpartition("/")[2]] if named else {}
        usual = {name: benign(item, schemas, shop) for name, item in schema.get("properties", {}).items()}
        for name in usual:
            listed = isinstance(usual[name], list)
            for odd in (*TEXTS, *TIMES, *NUMBERS, *ODD):
                tried += 1
                shop.send(method, rule, f"{name}={odd!r:.60}", {**usual, name: [odd] if listed else odd})
            shop.send(method, rule, f"{name} of the other kind", {**usual, name: "x" if listed else ["x"]})
    assert tried > 500
    shop.check()


FORMS: dict[str, dict[str, str]] = {
    "/desk/login": {"name": "Nobody", "password": "not the password at all", "next": "/desk"},
    "/desk/login/code": {"code": "000000"},
    "/desk/tickets/<ticket_id>/transfer": {"to": "Other", "note": "yours"},
    "/desk/tickets/<ticket_id>/messages": {"client_id": "c-1", "text": "on its way"},
    "/desk/tickets/<ticket_id>/notes": {"client_id": "c-2", "text": "a regular", "whisper": "1"},
    "/desk/tickets/<ticket_id>/close": {
        "outcome": "solved",
        "verdict": "article",
        "article": "returns/how-to-return",
        "tags": "vip",
    },
    "/desk/presence": {"status": "away", "back": "team"},
    "/desk/team/<name>": {
        "language": "en",
        "skills": "refunds",
        "share": "4",
        "time_zone": "UTC",
        "holidays": "2026-12-25",
        "mon": "09:00-17:00",
    },
    "/desk/absences": {"name": "Other", "starts_at": "2027-01-01T09:00", "ends_at": "2027-01-02T09:00", "delegate": ""},
    "/desk/overview/<action>": {
        "ticket": "1",
        "to": "Other",
        "outcome": "spam",
        "reason": "a flood",
    },
    "/desk/accounts": {"name": "New", "role": "agent"},
    "/desk/accounts/<agent_id>/<action>": {"role": "agent"},
    "/desk/outbox/retry": {"id": "1"},
}


def test_the_fields_of_a_form(app: Flask, shop: Shop) -> None:
    names = sorted(named_in_pages())
    for method, rule in rules(app):
        if method != "POST" or rule.startswith(("/api/", "/desk/account/sessions")):
            continue
        usual = FORMS.get(re.sub(r"<[^<>]+:(\w+)>", r"<\1>", rule), {})
        address = shop.address(rule)
        for odd in (*TEXTS, *TIMES):
            shop.ask("POST", address, f"all={odd!r:.60}", data=dict.fromkeys(names, odd))
            for name in usual:
                shop.ask("POST", address, f"{name}={odd!r:.60}", data={**usual, name: odd})
        shop.ask("POST", address, "bytes", data=b"\xff\x00=%00%ED%A0%80&name=%ff&id=%00")
    shop.check()


def test_a_form_of_too_many_fields_is_refused_unread(shop: Shop) -> None:
    address, form = f"/desk/tickets/{shop.ticket}/notes", {"content_type": "application/x-www-form-urlencoded"}
    assert shop.browser.post(address, data="a&" * requests.MOST_FIELDS, **form).status_code == 413
    assert shop.browser.post("/desk/login", data="&" * 100_000, **form).status_code == 413
    assert shop.browser.post(address, data="a&" * (requests.MOST_FIELDS - 2) + "text=late", **form).status_code == 303
    handover = desk.ticket(shop.store, shop.ticket)
    assert [event.data.text for event in handover.transcript if event.kind == "note"] == ["late"]


def test_a_form_in_parts_that_are_broken(shop: Shop) -> None:
    part = '--xx\r\nContent-Disposition: form-data; {}\r\n\r\nThe parcel is late.\r\n--xx--\r\n'
    for name in ('name="text', 'name="a"; filename="', "", "name=", "name*=utf-8''%ff%00", "name=a; name=b"):
        sent = {"data": part.format(name).encode(), "content_type": "multipart/form-data; boundary=xx"}
        shop.ask("POST", f"/desk/tickets/{shop.ticket}/notes", repr(name), **sent)
    shop.check()


def test_the_headers(app: Flask, shop: Shop) -> None:
    for rule in ("/desk", "/help/en/", "/api/v1/desk/events", "/api/v1/conversations/<conversation_id>/events"):
        for name in HEADERS:
            for odd in ("a\x7fb", "\xff\xfe", DIGITS, f"{DIGITS}:{DIGITS}", "1:" + DIGITS, "x" * 2000, "0", "-1"):
                headers = {**(shop.bearer(rule) if rule.startswith("/api/") else {}), name: odd}
                shop.ask("GET", shop.address(rule), f"{name}: {odd!r:.60}", headers=headers)
        for odd in ("Bearer \xff", "Bearer", "Bearer " + "x" * 5000, "Basic AAA=", "\xff"):
            shop.ask("GET", shop.address(rule), repr(odd), client=app.test_client(), headers={"Authorization": odd})
    shop.check()


def test_what_a_nul_is_in_is_taken_without_it(shop: Shop) -> None:
    """As half an emoji is: no person types one, and what is left is what they wrote."""
    conversation = shop.parts["conversation_id"]
    sent = json.dumps({"client_id": "a", "text": "Where is\0 my order?\ud83d"})
    headers = {**shop.bearer("/api/"), "Content-Type": "application/json"}
    answer = shop.browser.post(f"/api/v1/conversations/{conversation}/messages", data=sent, headers=headers)
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["message"]["text"] == "Where is my order?"
    value = shop.browser.get(f"/api/v1/conversations/{conversation}%00/events", headers=shop.bearer("/api/"))
    assert value.status_code == 404


def test_every_number_of_a_request_fits_a_column(shop: Shop) -> None:
    """The base of all that comes in says so, whatever a field of one forgets."""

    class Odd(In):
        plain: int = 0
        several: list[int] | None = None
        within: dict[str, Any] | None = None

    for wrong in ({"plain": 2**31}, {"several": [1, -(2**31) - 1]}, {"within": {"a": [{"b": 10**36}]}}):
        with pytest.raises(ValueError, match="between -2147483648 and 2147483647"):
            Odd.model_validate(wrong)
    assert Odd.model_validate({"plain": 2**31 - 1, "several": [-(2**31)], "within": {"a": 0.5}})


def described(app: Flask) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, route and description of all that is in the application's own document."""
    document = app.test_client().get("/openapi.json").json
    assert document is not None
    return [
        (method.upper(), re.sub(r"\{(\w+)\}", r"<\1>", path), operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def benign(item: dict[str, Any], schemas: dict[str, Any], shop: Shop) -> Any:
    """A value that a field of a body may well have."""
    if "$ref" in item:
        within = schemas[item["$ref"].rpartition("/")[2]]
        return {name: benign(each, schemas, shop) for name, each in within.get("properties", {}).items()}
    if "anyOf" in item:
        return benign(item["anyOf"][0], schemas, shop)
    if "enum" in item:
        return item["enum"][0]
    kinds: dict[str, Callable[[], Any]] = {
        "integer": lambda: shop.ticket,
        "boolean": lambda: True,
        "array": lambda: [benign(item.get("items", {}), schemas, shop)],
        "object": dict,
    }
    if item.get("type") in kinds:
        return kinds[item["type"]]()
    return "x" * 24 if "pattern" in item else "2027-01-01"


def named_in_pages() -> set[str]:
    """Names of fields in the pages' forms and links."""
    files = sorted((language.web_folder() / "templates").rglob("*.html"))
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    return {*re.findall(r'\bname="([a-z_]+)"', text), *re.findall(r"[?&]([a-z_]+)=", text), "before", "offset"}
