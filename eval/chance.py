"""Hostile requests by chance, and the wire that they go over.

A request is for one of the application's routes. The bodies of the API are made of its own description; they, forms,
queries and headers are filled with what people and programs should not send: ligatures that unfold, halves of
surrogates, NULs, floods of emoji and of combining marks, JSON a thousand deep, numbers beyond all bounds, dates that
are none, paths that climb, broken multipart and UTF-8, odd methods, floods of headers; some end in the middle.
"""

from __future__ import annotations

import json
import random
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

PASSWORD = "copper pan and cezve"
"""Everybody's."""
LONGEST_BODY = 128 * 1024
"""Bytes that the server takes."""
PATIENCE = 30.0
"""Seconds within which an answer must come."""

PERSONAL = (
    "leyla.demir@personal.example",
    "+90 532 555 01 99",
    "4111 1111 1111 1111",
    "Zümrüt Karaağaçlıoğlu",
    "Gül Sokak 17, Kadıköy",
)
"""What must be in no log, whatever it is sent as."""

TEXTS = (
    "where is my order",
    "سفارش من کجاست",
    "iade etmek istiyorum",
    *PERSONAL,
    "",
    " ",
    "\ufdfa" * 10,  # one character that unfolds to eighteen
    "\ufdfd" * 50 + "ﬃ" * 200,
    "\0",
    "a\0b",
    "\x01\x02\x1b[31m\x7f\x85\u2028\u2029",
    "\ud800",
    "half \udc00 of a pair",
    "\u202e\u2066\u2069\u202c" * 40 + "abc",
    "\u200b\u200c\u200d\u2060\ufeff" * 300,
    "😀" * 4000,
    "👩‍👩‍👧‍👦" * 300,
    "a" + "\u0301" * 3000,
    "\u1100\u1161\u11a8" * 500,
    "İIıi" * 200,
    "\uffff\ufffe\U0010ffff",
    "".join(chr(0xE0020 + each) for each in range(60)),
    "a@" * 250,
    "@@@@" * 900,
    "۱۲۳४५६²½Ⅷ",
    "x" * 3999,
    "x" * 4001,
    "word " * 790,
    "; DROP TABLE event; --' OR '1'='1",
    "{{7*7}}${7*7}<%= 7*7 %>%s%n%x",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "ok\r\nSet-Cookie: a=b\r\n\r\n<html>",
    "../../../../etc/passwd",
    "..%2f..%2f%00",
    "/desk\n/x",
    "/desk/\t//evil.example",
    "//evil.example/desk",
    "\\\\evil.example\\desk",
    "javascript:alert(1)",
    "null",
    "undefined",
    "-1",
    "0",
    "2147483648",
    "9" * 37,
    "9" * 5000,
    "1e999",
    "NaN",
    "-0.0",
    "0x10",
    "true",
    "2026-12-24T09:00",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "2026-02-30T25:61",
    "-271821-04-20",
    "1:59:59:59",
    "Europe/Istanbul",
    "../Europe/../../etc/localtime",
    "en",
    "EN_us-x-" + "y" * 60,
)
NUMBERS = (0, 1, -1, 2, 5, 7, 2**31 - 1, 2**31, 2**53, 2**63, -(2**63), 10**40, 10**4000, 0.5, -0.0, 1e308)
PLAIN = {  # of the forms, the queries and the API, each with what would be right
    **{"name": "Ali", "password": PASSWORD, "current": PASSWORD, "new": PASSWORD, "code": "123456", "role": "agent"},
    **{"next": "/desk", "show": "mine", "language": "en", "lang": "en", "offset": "0", "limit": "5", "after": "0"},
    **{"text": "It is on its way.", "client_id": "c-1", "outcome": "solved", "verdict": "none", "tags": "vip"},
    **{"article": "returns/how-to-return", "choice": "returns/how-to-return", "to": "Boss", "note": "yours now"},
    **{"starts_at": "2027-01-04T09:00", "ends_at": "2027-01-05T09:00", "delegate": "Boss", "share": "3"},
    **{"skills": "returns", "time_zone": "UTC", "shift-mon": "09:00-17:00", "holidays": "2027-01-01"},
    **{"ticket": "1", "reason": "a flood", "status": "available", "back": "team", "id": "1", "whisper": "1"},
    **{"actor": "agent:Ali", "action": "sign_in", "since": "2026-01-01", "before": "9", "q": "order", "v": "1"},
    **{"insert": "returns", "canned": "thanks", "state": "waiting", "watch": "1,2", "page": "/orders/1", "score": "4"},
    **{"visitor": "v" * 24, "customer": "Leyla", "comment": "kind", "reply_id": "1", "languages": "en"},
}
LIKELY = ("en", "fa", "solved", "spam", "away", "available", "1", "2", "3", "waiting", "claimed", "agent", "admin")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "GeT", "X-Y")
KINDS = (
    *("application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data", "text/html"),
    *("application/json; charset=utf-16", "application/json; charset=rot13", "multipart/form-data; boundary=x"),
    *("application/xml", "/", ";", "application/json" * 50, "multipart/form-data; boundary=" + "b" * 300, "\u00fc"),
)


@dataclass(frozen=True)
class Request:
    """What goes over the wire. `whole`: HTTP allows it, so that it must be answered."""

    raw: bytes
    source: str
    method: str
    whole: bool = True

    def __str__(self) -> str:
        shown = repr(self.raw if len(self.raw) < 1500 else self.raw[:1000] + b" ... " + self.raw[-200:])
        return f"{shown} ({len(self.raw)} bytes from {self.source})"


@dataclass(frozen=True)
class Answer:
    """What came back; status 0: nothing."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Known:
    """What is valid now: it is renewed before each batch, since agents' forms end sessions and close accounts."""

    people: dict[str, str] = field(default_factory=dict)
    """Roles by name."""
    conversations: list[dict[str, str]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)


# ---------------------------------------------------------------- over the wire


def exchange(port: int, request: Request) -> Answer:
    """Send it, from its address, and read the answer; of a live stream only its beginning."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE, source_address=(request.source, 0)) as line:
        try:
            line.sendall(request.raw)
            if not request.whole:
                line.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before it was all sent: what was said to that can still be read
        try:
            return _read(line, request.method)
        except (OSError, ValueError):
            return Answer(0)


def _read(line: socket.socket, method: str) -> Answer:
    body = b""
    while True:
        while b"\r\n\r\n" not in body:
            more = line.recv(65536)
            if not more:
                return Answer(0)
            body += more
        head, _, body = body.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 100 "):
            break
    first, *rest = head.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for name, _, value in (each.partition(":") for each in rest):
        before = (
            f"{headers[name.lower()]}\n" if name.lower() in headers else ""
        )  # several cookies are told apart by lines
        headers[name.lower()] = before + value.strip()
    status = int(first.split()[1])
    stream = headers.get("content-type", "").startswith("text/event-stream")
    wanted = 0 if method == "HEAD" or status in (204, 304) else int(headers.get("content-length", 1 << 40))
    while len(body) < wanted and not (stream and b"\n\n" in body):
        more = line.recv(65536)
        if not more:
            break
        body += more
    return Answer(status, headers, body)


# ---------------------------------------------------------------- by chance


class Chance:
    """Requests, one after the other, from a seed and from what is known of the server."""

    def __init__(self, seed: str, routes: Sequence[tuple[str, str]], spec: Mapping[str, Any]) -> None:
        self._random = random.Random(seed)
        self._routes = routes
        self._spec = spec

    def request(self, known: Known) -> tuple[tuple[str, str], Request]:
        """A request, and the route that it is for."""
        chance = self._random
        method, rule = chance.choice(self._routes)
        customer = chance.choice(known.conversations)
        sent = method if chance.random() < 0.93 else chance.choice(METHODS)
        target = re.sub(r"<(?:[^<>:]+(?:\(.*?\))?:)?(\w+)>", lambda part: self._part(part[1], known, customer), rule)
        if chance.random() < (0.8 if method == "GET" else 0.2):
            pairs = [(self._name(), self._text()[:300]) for _ in range(chance.choice((1, 1, 2, 3, 9)))]
            target += "?" + "&".join(f"{self._escaped(name)}={self._escaped(value)}" for name, value in pairs)
        if chance.random() < 0.03:
            target = chance.choice(
                (target + "/" * 300, "//" + target, target + "%", target + "%ff%fe", target + "?" + "a" * 9000, "*")
            )
        headers = [("Host", chance.choice(("localhost",) * 9 + ("evil.example", "[::1", "a" * 300, "a b")))]
        headers += self._who(rule, known, customer)
        body = b""
        if method == "POST" or chance.random() < 0.03:
            kind, body = self._body(method, rule)
            headers.append(("Content-Type", kind))
        headers += self._odd_headers()
        raw, whole = self._wire(sent, target, headers, body)
        return (method, rule), Request(raw, f"127.0.0.{chance.randrange(2, 250)}", sent, whole)

    def _text(self) -> str:
        chance = self._random
        pick = chance.random()
        if pick < 0.25:
            return chance.choice(LIKELY)
        if pick < 0.85:
            return chance.choice(TEXTS)
        if pick < 0.93:  # two of them, cut anywhere
            one, other = chance.choice(TEXTS)[:2000], chance.choice(TEXTS)[:2000]
            return one[: chance.randrange(len(one) + 1)] + other[chance.randrange(len(other) + 1) :]
        spans = ((0, 0x7F), (0x80, 0x7FF), (0x600, 0x6FF), (0xFB50, 0xFDFF), (0x2000, 0x206F), (0x1F000, 0x1FAFF))
        first, last = chance.choice((*spans, (0, 0x10FFFF)))
        return "".join(chr(chance.randint(first, last)) for _ in range(chance.choice((1, 3, 20, 300))))

    def _name(self) -> str:
        return self._random.choice(list(PLAIN)) if self._random.random() < 0.95 else self._text()[:50]

    def _escaped(self, text: str) -> str:
        raw = text.encode("utf-8", "surrogatepass")
        if self._random.random() < 0.05:
            raw += self._random.choice((b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"))
        return quote(raw)

    def _part(self, name: str, known: Known, customer: Mapping[str, str]) -> str:
        chance = self._random
        likely: dict[str, Sequence[str]] = {
            "lang": ("en", "fa", "ar"),
            "conversation_id": (customer["id"],),
            "ticket_id": [str(each) for each in range(1, 9)],
            "agent_id": [str(each) for each in range(1, 6)],
            "absence_id": ("1", "2", "3"),
            "name": list(known.people),
            "article_id": ("returns/how-to-return", "returns", "shipping/delivery-time", "faq"),
            "filename": ("site.css", "widget/loader.js", "../templates/base.html"),
            "action": ("take", "pass_on", "close", "role", "disable", "enable", "password", "token", "revoke"),
        }
        if name in likely and likely[name] and chance.random() < 0.75:
            return quote(chance.choice(likely[name]))
        return self._escaped(self._text()[: chance.choice((40, 40, 400))]).replace("%2F", "/")

    def _who(self, rule: str, known: Known, customer: Mapping[str, str]) -> list[tuple[str, str]]:
        """Whoever fits the route, mostly; or somebody else, or nobody."""
        chance = self._random
        session, token = (
            ("Cookie", chance.choice(known.cookies)),
            ("Authorization", f"Bearer {chance.choice(known.tokens)}"),
        )
        own = ("Authorization", f"Bearer {customer['token']}")
        fits = own if "conversation_id" in rule else session if rule.startswith("/desk") else token
        pick = chance.random()
        if pick < 0.7:
            return [fits]
        if pick < 0.85:
            return [chance.choice((own, session, token))]
        if pick < 0.9:
            odd = ("Bearer", "Bearer ", "Basic YTpi", "Bearer " + "x" * 3000, "\u00ff")
            return [("Authorization", chance.choice(odd))]
        if pick < 0.94:
            cut = session[1]
            return [("Cookie", cut[: chance.randrange(len(cut))] + chance.choice(("", "A", ".", "=", '"', "\\")))]
        return []

    def _odd_headers(self) -> list[tuple[str, str]]:
        chance = self._random
        result = []
        for name, values in (
            ("Accept", ("text/event-stream", "application/json", "text/html", "*/*;q=x", ",;,", "a/b;" * 200)),
            ("Accept-Language", ("fa-IR,fa;q=0.9", "x" * 2000, "en;q=NaN", "*", "-,;q=")),
            ("Last-Event-ID", ("3", "1:2,2:3", "9" * 40, "-1", "a", "0:0", "1:2," * 600)),
            ("If-None-Match", ("*", '"a"', "W/", '"' * 500)),
            ("X-Request-Id", ("abcdefgh", "x" * 5000, "leyla.demir@personal.example")),
            ("X-Forwarded-For", ("10.0.0.1", "::1, a, b", "1" * 3000)),
            ("Range", ("bytes=0-1", "bytes=-", "bytes=9-1,0-" + "9" * 50, "bytes=" + "0-1," * 500)),
            ("If-Modified-Since", ("Sat, 29 Oct 1994 19:43:31 GMT", "Sat, 99 Xxx 0000", "\u00e4")),
            ("Sec-Fetch-Site", ("same-origin", "cross-site", "none", "x")),
            ("Origin", ("https://evil.example", "null", "http://[::1", "x")),
            ("Expect", ("100-continue", "a miracle")),
            ("Cookie", ("session=", "a=b;" * 500, "botkit_session=.eJw.x.y", "=;;=")),
        ):
            if chance.random() < 0.04:
                result.append((name, chance.choice(values)))
        if chance.random() < 0.01:
            result += [(f"X-Flood-{number}", "y" * 50) for number in range(chance.choice((50, 99, 300)))]
        return result

    def _body(self, method: str, rule: str) -> tuple[str, bytes]:
        chance = self._random
        pick = chance.random()
        schema = self._schema(method, rule)
        if schema is not None and pick < 0.85:
            text = json.dumps(
                self._mutated(self._made(schema, chance.choice((None, *PLAIN)))), ensure_ascii=chance.random() < 0.5
            )
            text = _bare(text) if chance.random() < 0.05 else text
            return "application/json", self._cut(text.encode("utf-8", "surrogatepass"))
        if schema is None and pick < 0.75:
            pairs = list(PLAIN.items()) if chance.random() < 0.8 else []
            for _ in range(chance.choice((0, 1, 2, 4, 6, 12, 900))):  # a later one of a name counts as little as none
                pairs.insert(0, (self._name(), self._text()[:3000]))
            form = urlencode([tuple(each.encode("utf-8", "surrogatepass") for each in pair) for pair in pairs])
            return "application/x-www-form-urlencoded", self._cut(form.encode())
        if pick < 0.93:
            return chance.choice(KINDS), self._cut(chance.choice(self._whole_bodies()))
        return self._multipart()

    def _whole_bodies(self) -> tuple[bytes, ...]:
        return (
            b"[" * 100_000,
            b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
            b'{"text": "' + b"\\ud83d" * 3000 + b'"}',
            b'{"text": ' + b"9" * 100_000 + b"}",
            b"\xef\xbb\xbf{}",
            b"\xff\xfe{\0}\0",
            b"x" * 1_000_000,
            b"a=" + b"%00" * 20_000,
            b"&" * 60_000,
            bytes(self._random.randrange(256) for _ in range(300)),
        )

    def _multipart(self) -> tuple[str, bytes]:
        chance = self._random
        parts = b"".join(
            b'--xx\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
            % (
                self._name().encode("utf-8", "surrogatepass").replace(b'"', b""),
                chance.choice((b"", b'; filename="../../x"', b"; filename*=utf-8''%ff%00", b'; filename="')),
                self._text()[:3000].encode("utf-8", "surrogatepass"),
            )
            for _ in range(chance.choice((1, 4, 200)))
        )
        return "multipart/form-data; boundary=xx", self._cut(parts + chance.choice((b"--xx--\r\n", b"", b"--xx")))

    def _cut(self, body: bytes) -> bytes:
        chance = self._random
        pick = chance.random()
        if pick < 0.92 or not body:
            return body
        if pick < 0.96:
            return body[: chance.randrange(len(body))]
        at = chance.randrange(len(body))
        return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]

    def _wire(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> tuple[bytes, bool]:
        chance = self._random
        pick = chance.random()
        whole, version = len(body) <= LONGEST_BODY, "HTTP/1.1"  # to who sends more, a server may hang up
        if pick < 0.02:  # what no client may send
            whole = False
            version = chance.choice(("HTTP/9.9", "HTTP/1.0", "", "HTTP/1.1 x", "\0"))
        length: list[tuple[str, str]] = [("Content-Length", str(len(body)))] if body or method == "POST" else []
        if 0.02 < pick < 0.04:
            wrong = ("-1", "9" * 30, str(len(body) + 50), "a", "1, 2")
            whole, length = False, [("Content-Length", chance.choice(wrong))]
        elif 0.04 < pick < 0.06:
            wrong = ("chunked", "gzip, chunked", "x", " chunked")
            whole, length = False, [("Transfer-Encoding", chance.choice(wrong))]
        elif 0.06 < pick < 0.08:
            chunks = [body[at : at + 1000] for at in range(0, len(body), 1000)]
            body = b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in chunks) + b"0\r\n\r\n"
            length = [("Transfer-Encoding", "chunked")]
        lines = [f"{method} {target} {version}", *(f"{name}: {value}" for name, value in headers + length)]
        lines.append("Connection: close")
        raw = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body
        if 0.08 < pick < 0.1:  # and it ends in the middle
            whole, raw = False, raw[: chance.randrange(1, len(raw))]
        return raw, whole

    # A value of a schema of the API's own description, and what becomes of it.

    def _schema(self, method: str, rule: str) -> Mapping[str, Any] | None:
        path = re.sub(r"<(?:[^<>:]+(?:\(.*?\))?:)?(\w+)>", r"{\1}", rule)
        result = self._spec["paths"].get(path, {}).get(method.lower(), {}).get("requestBody")
        return None if result is None else next(iter(result["content"].values()))["schema"]

    def _made(self, schema: Mapping[str, Any], hostile: str | None, name: str = "") -> Any:
        """A value of a schema, right but for the fields of the name `hostile`; None: all are by chance."""
        chance = self._random
        odd = hostile is None or hostile == name
        if "$ref" in schema:
            return self._made(self._spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]], hostile, name)
        if "anyOf" in schema:
            return self._made(chance.choice(schema["anyOf"]), hostile, name)
        if "enum" in schema:
            return chance.choice(schema["enum"])
        kind = schema.get("type")
        if kind == "object" and "properties" in schema:
            needed = schema.get("required", [])
            return {
                field: self._made(each, hostile, field)
                for field, each in schema["properties"].items()
                if field in needed or chance.random() < 0.5
            }
        if kind == "object":
            return {self._text()[:20]: self._text() for _ in range(chance.choice((0, 1, 3)))}
        if kind == "array":
            count = chance.choice((0, 1, 3, 60) if odd else (1, 2))
            return [self._made(schema.get("items", {}), hostile, name) for _ in range(count)]
        if kind in ("integer", "number"):
            return chance.choice((1, 2, 3, 5, *(NUMBERS if odd else ())))
        return {"boolean": chance.random() < 0.5, "null": None}.get(
            str(kind), self._text() if odd else self._plain(name)
        )

    def _plain(self, name: str) -> str:
        return f"c-{self._random.randrange(10**9)}" if name == "client_id" else PLAIN.get(name, "a word")

    def _mutated(self, value: Any) -> Any:
        chance = self._random
        if chance.random() < 0.75 or not isinstance(value, dict) or not value:
            return value
        name = chance.choice(list(value))
        odd = (None, True, [], {}, [[[]]], {"a": {"b": []}}, self._text(), [self._text()] * 30, chance.choice(NUMBERS))
        what = chance.random()
        if what < 0.6:
            return value | {name: chance.choice(odd)}
        if what < 0.8:
            return {each: kept for each, kept in value.items() if each != name}
        return value | {self._text()[:60]: chance.choice(odd)}


def _bare(text: str) -> str:
    """A number that JSON does not have in the place of the first one that it has, or of the first text."""
    return re.sub(r"\d+|\"[^\"]*\"(?!:)", "NaN", text, count=1)
