"""The server: headers, limits, errors, health, metrics, and that no input gets a 5xx."""

from __future__ import annotations

import json
import logging
import re
import threading
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from quiet import quiet

from botkit.config import ConfigError
from botkit.index import Live
from botkit.server import create_app
from botkit.server.http import openapi
from botkit.server.http.token_buckets import Rates
from botkit.store import Store


def make_app(live: Live, store: Store, rates: Rates | None = None, **settings: Any) -> Flask:
    return create_app(index=live, store=store, rates=rates, settings=quiet(**settings), demo=True)


def test_every_page_has_a_policy_without_inline_script_or_style(client: FlaskClient) -> None:
    """Nothing that is written into a page can run."""
    for address in ("/help/en/", "/demo/ar", "/api", "/nothing/here", "/api/v1/nothing", "/widget", "/healthz"):
        policy = client.get(address).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "style-src 'self'" in policy
        assert "unsafe" not in policy


def test_pages_hold_to_their_own_policy(client: FlaskClient, lang: str) -> None:
    """No inline style, handler or script that a browser would then have to refuse."""
    for address in (f"/help/{lang}/", f"/demo/{lang}", f"/demo/{lang}/cart", "/widget?lang=" + lang, "/api"):
        html = client.get(address, follow_redirects=True).get_data(as_text=True)
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", html), address
        for script in re.findall(r"<script[^>]*>", html):
            assert "src=" in script or 'type="application/json"' in script


def test_only_the_widget_may_be_framed_and_only_by_the_sites_named(live: Live, store: Store) -> None:
    client = make_app(live, store, embed_origins="https://shop.example/").test_client()
    assert "frame-ancestors 'self' https://shop.example" in client.get("/widget").headers["Content-Security-Policy"]
    page = client.get("/help/en/")
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"


def test_an_origin_that_is_none_is_refused_at_the_start(live: Live, store: Store) -> None:
    with pytest.raises(ConfigError, match="invalid origin"):
        make_app(live, store, embed_origins="shop.example; script-src *")


def test_health_and_readiness(client: FlaskClient, live: Live) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json == {"status": "ok", "index": live.current().version}


def test_not_ready_without_a_database(live: Live, store: Store, tmp_path: Any) -> None:
    """Ready means that a question could be answered and kept."""
    client = make_app(live, store).test_client()
    store.close()
    (tmp_path / "botkit.db").unlink()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json == {
        "status": "unavailable",
        "index": live.current().version,
        "reasons": ["database: it cannot be used"],
    }
    assert response.headers["Retry-After"]
    figures = client.get("/metrics")
    assert figures.status_code == 200
    assert "botkit_index_info" in figures.text
    assert "botkit_database_problem 1.0" in figures.text
    assert "botkit_outbox" not in figures.text


def test_metrics_count_routes_and_never_addresses(client: FlaskClient) -> None:
    client.get("/help/en/search?q=my+secret+address")
    text = client.get("/metrics").get_data(as_text=True)
    assert 'route="/help/<lang>/search"' in text
    assert "botkit_index_info" in text
    assert "botkit_outbox_given_up 0.0" in text
    assert "secret" not in text


@pytest.mark.parametrize("forwarded", [None, "X-Forwarded-For", "Forwarded", "Via"])
def test_metrics_without_a_token_are_for_this_machine_alone(client: FlaskClient, forwarded: str | None) -> None:
    """Neither for another address nor through a proxy that runs here."""
    address = "203.0.113.7" if forwarded is None else "127.0.0.1"
    headers = {} if forwarded is None else {forwarded: "203.0.113.7"}
    refused = client.get("/metrics", environ_overrides={"REMOTE_ADDR": address}, headers=headers)
    assert refused.status_code == 403
    assert "metrics_token" in refused.json["error"]["message"]
    assert client.get("/metrics").status_code == 200


def test_metrics_can_ask_for_a_token(live: Live, store: Store) -> None:
    client = make_app(live, store, metrics_token="open sesame").test_client()
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer open sesame"}).status_code == 200


def test_the_log_has_the_route_and_not_the_words(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="botkit.access"):
        client.get("/help/en/search?q=my+secret+address", headers={"X-Request-Id": "abcdefgh-1234"})
    assert "/help/<lang>/search" in caplog.text
    assert "abcdefgh-1234" in caplog.text
    assert "secret" not in caplog.text


def test_a_request_id_comes_back_unless_it_is_odd(client: FlaskClient) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": "abcdefgh-1234"}).headers["X-Request-Id"] == "abcdefgh-1234"
    made = client.get("/healthz", headers={"X-Request-Id": "a b\tc;"}).headers["X-Request-Id"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[::1"},
    ],
)
def test_another_sites_page_may_not_post(client: FlaskClient, headers: dict[str, str]) -> None:
    response = client.post("/api/v1/conversations", json={}, headers=headers)
    assert response.status_code == 403
    assert response.json is not None
    assert response.json["error"]["code"] == "foreign_origin"


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}])
def test_own_pages_and_programs_may_post(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post("/api/v1/conversations", json={}, headers=headers).status_code == 201


def test_one_address_too_many_times_is_429_with_the_time_to_wait(live: Live, store: Store) -> None:
    client = make_app(live, store, conversations_per_hour=3).test_client()
    answers = [client.post("/api/v1/conversations", json={}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert answers[3].json is not None
    assert answers[3].json["error"]["code"] == "too_many_requests"
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 1200
    elsewhere = client.post("/api/v1/conversations", json={}, environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert elsewhere.status_code == 201


def test_workers_count_together(live: Live, store: Store) -> None:
    """Two applications over one memory are two workers of one server."""
    rates = Rates()
    clients = [make_app(live, store, conversations_per_hour=3, rates=rates).test_client() for _ in range(2)]
    statuses = [clients[i % 2].post("/api/v1/conversations", json={}).status_code for i in range(4)]
    assert statuses == [201, 201, 201, 429]


def test_a_forwarded_address_counts_only_behind_a_trusted_proxy(live: Live, store: Store) -> None:
    def status(client: FlaskClient, address: str) -> int:
        return client.post("/api/v1/conversations", json={}, headers={"X-Forwarded-For": address}).status_code

    bare = make_app(live, store, conversations_per_hour=1).test_client()
    assert [status(bare, "203.0.113.1"), status(bare, "203.0.113.2")] == [201, 429]
    behind = make_app(live, store, conversations_per_hour=1, trusted_proxies=1).test_client()
    assert [status(behind, "203.0.113.1"), status(behind, "203.0.113.2")] == [201, 201]
    assert status(behind, "2001:db8::1") == 201
    assert status(behind, "2001:db8::2") == 429, "the /64 is one customer's"


def test_a_bucket_refills_at_its_rate() -> None:
    now = [100.0]
    rates = Rates(clock=lambda: now[0])
    assert [rates.take("a", "x", 1.0, 2) for _ in range(2)] == [0.0, 0.0]
    assert rates.take("a", "x", 1.0, 2) == pytest.approx(1.0)
    assert rates.take("b", "x", 1.0, 2) == 0.0, "another limit has another bucket"
    now[0] += 1.0
    assert rates.take("a", "x", 1.0, 2) == 0.0
    assert rates.take("a", "x", 1.0, 2) > 0


def test_threads_cannot_take_one_token_twice() -> None:
    rates = Rates(clock=lambda: 5.0)
    taken: list[float] = []
    threads = [
        threading.Thread(target=lambda: taken.extend(rates.take("a", "x", 0.001, 50) for _ in range(25)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken.count(0.0) == 50


TEXTS = {
    "empty": "",
    "blank": " \n\t ",
    "long": "a" * 100_000,
    "nul": "where\x00is my order",
    "lone surrogate": "where is my order \ud83d",
    "only surrogates": "\ud800\udfff\ud800",
    "emoji": "🎉🎉🎉",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "bidi": "\u202ewhere is my order\u2066",
    "zero width": "\u200b" * 300,
    "combining": "e" + "\u0301" * 3000,
    "words": "where is my order " * 200,
    "format": "{name} %s {0.__class__} ${jndi:x}",
    "sql": "'; DROP TABLE event; --",
}


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_text_gets_a_reply_or_a_clear_4xx(client: FlaskClient, name: str) -> None:
    """On every route that takes a customer's words."""
    text = TEXTS[name]
    started = client.post("/api/v1/conversations", json={}).json
    assert started is not None
    own = {"Authorization": f"Bearer {started['token']}"}
    base = f"/api/v1/conversations/{started['id']}"
    safe = text.encode("utf-8", "replace").decode()[:5000]

    def post(address: str, **body: Any) -> Any:
        # By json.dumps, since it writes a lone surrogate as \\ud83d, as a browser does.
        return client.post(address, data=json.dumps(body), content_type="application/json", headers=own)

    answers = [
        post("/api/v1/ask", text=text, page=text[:400], lang="en"),
        post("/api/v1/conversations", page=text[:400], lang=text[:400]),
        post(f"{base}/messages", client_id="abcd-0001", text=text),
        post(f"{base}/messages", client_id="abcd-0002", text="hi", choice=text[:200]),
        post(f"{base}/messages", client_id=text[:200], text="hi"),
        post(f"{base}/feedback", reply_id=text[:80], helpful=False),
        client.get("/api/v1/search", query_string={"q": safe}),
        client.get("/api/v1/suggest", query_string={"q": safe, "lang": "ar"}),
        client.get("/help/en/search", query_string={"q": safe}),
        client.get("/widget", query_string={"lang": safe[:100], "page": safe}),
        client.get(f"/help/en/{safe[:300]}"),
        client.get(f"/help/{safe[:300]}/"),
    ]
    for answer in answers:
        assert answer.status_code < 500, (answer.request.path[:60], answer.get_data(as_text=True)[:200])
        if answer.request.path.startswith("/api/") and answer.status_code >= 400:
            assert answer.json is not None
            assert set(answer.json["error"]) >= {"code", "message"}
        if answer.mimetype == "text/html":
            assert "<script>alert" not in answer.get_data(as_text=True)
            assert "onerror=alert(1)>" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b'{"text": "hi"}', "text/plain", 415, "unsupported_media_type"),
        (b'{"text": "hi"}', "", 415, "unsupported_media_type"),
        (b"text=hi", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"", "application/json", 400, "bad_json"),
        (b"{", "application/json", 400, "bad_json"),
        (b"\xff\xfe", "application/json", 400, "bad_json"),
        (b"[" * 100_000, "application/json", 400, "bad_json"),
        (b'{"text":' + b'{"a":' * 20_000 + b"1" + b"}" * 20_001, "application/json", 400, "bad_json"),
        (b'{"text": NaN}', "application/json", 400, "bad_json"),
        (b'{"text": ' + b"9" * 10_000 + b"}", "application/json", 400, "bad_json"),
        (b'"hi"', "application/json", 400, "invalid"),
        (b"null", "application/json", 400, "invalid"),
        (b'{"text": ["hi"]}', "application/json", 400, "invalid"),
        (b'{"text": "hi", "txet": 1}', "application/json", 400, "invalid"),
        (b'{"text": "' + b"a" * 200_000 + b'"}', "application/json", 413, "too_large"),
        (b'{"text": "hi", "lang": "xx"}', "application/json", 400, "unknown_language"),
    ],
)
def test_a_body_that_is_not_what_it_should_be_says_why(
    client: FlaskClient, body: bytes, content_type: str, status: int, code: str
) -> None:
    response = client.post("/api/v1/ask", data=body, content_type=content_type)
    assert response.status_code == status
    assert response.json is not None
    assert response.json["error"]["code"] == code
    assert response.json["error"]["message"].endswith(".")


def test_an_error_is_json_for_programs_and_a_page_for_people(client: FlaskClient) -> None:
    assert client.get("/api/v1/nothing").json == {
        "error": {"code": "not_found", "message": "Nothing is served at this address."}
    }
    assert client.delete("/api/v1/ask").headers["Allow"]
    page = client.get("/help/ar/nothing", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert page.mimetype == "text/html"
    assert '<html lang="ar" dir="rtl">' in page.get_data(as_text=True)
    assert client.get("/nothing", headers={"Accept": "application/json"}).mimetype == "application/json"


def test_a_failure_inside_tells_nothing_of_itself(live: Live, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(live, store)
    app.add_url_rule("/api/v1/broken", view_func=lambda: 1 // 0)
    response = app.test_client().get("/api/v1/broken")
    assert response.status_code == 500
    assert "ZeroDivision" not in response.get_data(as_text=True)
    assert "ZeroDivision" in caplog.text


def test_static_files_are_kept_for_ever_when_their_address_has_their_mark(client: FlaskClient) -> None:
    html = client.get("/help/en/").get_data(as_text=True)
    address = re.search(r'href="(/static/site\.css\?v=[0-9a-f]{12})"', html)
    assert address is not None
    with client.get(address.group(1)) as marked:
        assert "immutable" in marked.headers["Cache-Control"]
    with client.get("/static/widget/loader.js") as loader:
        assert loader.headers["Cache-Control"] == "no-cache"
        assert loader.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_conversations_are_kept_by_nobody_on_the_way(client: FlaskClient) -> None:
    assert client.post("/api/v1/conversations", json={}).headers["Cache-Control"] == "no-store"


def test_the_openapi_document_is_valid_and_complete(app: Flask, client: FlaskClient) -> None:
    """Every route of the API is in it, with its models; nothing else is."""
    validator = pytest.importorskip("openapi_spec_validator")
    spec = client.get("/openapi.json").json
    assert spec is not None
    validator.validate(spec)
    routes = {
        (re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule), method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {(path, method.upper()) for path, methods in spec["paths"].items() for method in methods}
    assert described == routes


def test_every_reference_in_the_openapi_document_leads_somewhere(client: FlaskClient) -> None:
    spec = client.get("/openapi.json").json
    assert spec is not None
    schemas = spec["components"]["schemas"]
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(spec)))
    assert references <= set(schemas)
    for methods in spec["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
            assert operation["operationId"]
            assert "400" in operation["responses"]
            for scheme in (name for choice in operation["security"] for name in choice):
                assert scheme in spec["components"]["securitySchemes"]


def test_the_api_page_shows_every_endpoint(app: Flask, client: FlaskClient) -> None:
    html = client.get("/api").get_data(as_text=True)
    with app.test_request_context():
        for _, endpoints in openapi.readable():
            for endpoint in endpoints:
                assert endpoint.path in html
                assert endpoint.summary


@pytest.mark.parametrize("path", ["/help/en?q=a", "/help//en/", "/help//en/search?q=a"])
def test_a_corrected_address_stays_here_whatever_host_the_request_names(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers={"Host": "evil.example"})
    assert answer.status_code == 308
    assert answer.headers["Location"].startswith("/help/en")
    assert client.get(answer.headers["Location"]).status_code == 200


@pytest.mark.parametrize("base", ["", "https://help.shop.example"])
def test_no_page_believes_the_host_that_a_request_names(live: Live, store: Store, base: str) -> None:
    """Not for the site map, robots.txt, canonical links or where a form leads; without `base_url` they do without."""
    client = make_app(live, store, base_url=base).test_client()
    asked = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    paths = ("/sitemap.xml", "/robots.txt", "/help/en/", "/desk", "/")
    result = {path: client.get(path, headers=asked) for path in paths}
    for answer in result.values():
        assert "evil.example" not in answer.text + str(answer.headers)
    assert ("https://help.shop.example/help/fa/" in result["/sitemap.xml"].text) == bool(base)
    assert result["/sitemap.xml"].status_code == (200 if base else 404)
    assert ("Sitemap: https://help.shop.example/sitemap.xml" in result["/robots.txt"].text) == bool(base)
    assert f'<link rel="canonical" href="{base}/help/en/">' in result["/help/en/"].text
    assert result["/desk"].location == "/desk/login?next=%2Fdesk"
    if not base:
        details = client.get("/sitemap.xml", headers={"Accept": "application/json"}).get_json()
        assert "base_url" in details["error"]["message"]
