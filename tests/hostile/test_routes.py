"""Every route of the application, asked by everybody: who is let in, who is not, and that a refusal does nothing.

`routes.txt` says what is expected. What is asked comes from the application's own routes, so that a new one fails here
until somebody has said whom it is for.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
import sqlalchemy as sa
from desk_shop import PASSWORD, handed_over
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from botkit import accounts, desk
from botkit.accounts import Agent
from botkit.store import Store

TABLE = Path(__file__).with_name("routes.txt")
GROUPS = {
    "": ("nobody", "customer"),
    "session": ("agent", "supervisor", "analyst", "admin"),
    "token": ("agent", "supervisor", "analyst", "editor", "admin"),
    "scope": ("read", "answer"),
}
"""The columns; those of `scope` are a supervisor's tokens that allow less than the role does."""
WHO = [f"{group}:{name}" if group else name for group, names in GROUPS.items() for name in names]
QUIET = ("audit", "guess", "mark", "secret")
"""Tables that a look or a refusal may write to; so it may the time at which somebody was seen at the desk."""
SEEN = {"seat": {"seen_at", "missed"}, "agent_session": {"seen_at", "told"}, "agent_token": {"used_at"}}
TEXT = {"client_id": "c-1", "text": "The parcel is on its way."}
WRONG = "not the password at all"
OWN = ("/desk/account/", "/desk/log", "/desk/team/<name>/sign-out")
"""Where somebody may end their own session."""


# ---------------------------------------------------------------- the table


@dataclass(frozen=True)
class Route:
    """A line of the table: what everybody gets at a route."""

    method: str
    rule: str
    of: str
    cells: dict[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.rule}" + (f" ({self.of})" if self.of != "-" else "")


def read(text: str) -> list[Route]:
    """The lines of the table. AssertionError for one that cannot be read."""
    lines = []
    for line in text.splitlines():
        if not line.strip() or line.startswith(("#", "method ")):
            continue
        head, *details = line.split("|")
        method, rule, of = head.split()
        details = details * len(GROUPS) if len(details) == 1 else details
        assert len(details) == len(GROUPS), f"a line has one group of cells or {len(GROUPS)}: {line}"
        cells: list[str] = []
        for group, names in zip(details, GROUPS.values(), strict=True):
            result = group.split()
            cells += result * len(names) if len(result) == 1 else result
        assert len(cells) == len(WHO), f"{len(cells)} cells for {len(WHO)} columns: {line}"
        lines.append(Route(method, rule, of, dict(zip(WHO, cells, strict=True))))
    return lines


ROUTES = read(TABLE.read_text(encoding="utf-8"))


def plain(rule: str) -> str:
    """A route as the table names it: `<int(max=9):ticket_id>` is `<ticket_id>`; a path stays one."""
    return re.sub(r"<(?!path:)[^<>]+:([a-z_]+)>", r"<\1>", rule)


def routes(app: Flask) -> set[tuple[str, str]]:
    return {
        (method, plain(rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


# ---------------------------------------------------------------- who asks, and what for


class Written:
    """The tables that something was committed to, as the database driver sees it."""

    def __init__(self) -> None:
        self.tables: set[str] = set()
        self._under_way: dict[Any, set[str]] = {}

    def executed(self, conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        match = re.match(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)(?: SET (.*?) WHERE)?", statement, re.DOTALL)
        if match is None or cursor.rowcount == 0 or match[1] in QUIET:
            return
        if match[2] and set(re.findall(r"(\w+)=", match[2])) <= SEEN.get(match[1], set()):
            return
        if match[1] == "seat" and match[0].lstrip().startswith("INSERT"):  # the first time that somebody is seen
            return
        self._under_way.setdefault(conn, set()).add(match[1])

    def committed(self, conn: Any) -> None:
        self.tables |= self._under_way.pop(conn, set())

    def rolled_back(self, conn: Any) -> None:
        self._under_way.pop(conn, None)


@pytest.fixture
def written() -> Iterator[Written]:
    result = Written()
    hooks = {"after_cursor_execute": result.executed, "commit": result.committed, "rollback": result.rolled_back}
    for name, hook in hooks.items():
        sa.event.listen(sa.Engine, name, hook)
    yield result
    for name, hook in hooks.items():
        sa.event.remove(sa.Engine, name, hook)


class World:
    """A desk with one of each role, a colleague who holds things, a customer; and what a line of the table is about."""

    def __init__(self, app: Flask, store: Store) -> None:
        self.app, self.store, self.count = app, store, 0
        here = {each.name: each for each in accounts.agents(store)}
        self.people = {role: here[f"The {role}"] for role in accounts.ROLES}
        self.colleague, self.target = here["Colleague"], here["Target"]
        self.customer = self.conversation()

    def conversation(self, answered: bool = False) -> dict[str, str]:
        """A customer's conversation: `id`, `token` and, where the bot has answered in it, `reply_id`."""
        browser = self.app.test_client()
        result: dict[str, str] = browser.post("/api/v1/conversations", json={"lang": "en"}).json  # type: ignore[assignment]
        if answered:
            path = f"/api/v1/conversations/{result['id']}/messages"
            bearer = {"Authorization": f"Bearer {result['token']}"}
            text = browser.post(path, json={"client_id": "first", "text": "Where is my order?"}, headers=bearer).json
            assert text is not None
            result["reply_id"] = text["reply"]["id"]
        return result

    def signed_in(self, name: str) -> FlaskClient:
        browser = self.app.test_client()
        sent = browser.post("/desk/login", data={"name": name, "password": PASSWORD})
        assert sent.status_code == 303, sent.text
        return browser

    def anew(self, who: Agent) -> FlaskClient:
        """A session of an account whose password, factor and sessions a form may have changed."""
        accounts.set_password(self.store, who.name, PASSWORD)
        accounts.factor_off(self.store, who.name)
        return self.signed_in(who.name)

    def ticket(self, of: str, who: Agent | None) -> int:
        ticket_id = handed_over(self.store)
        if of == "mine" and who is not None and who.may("desk"):
            desk.claim(self.store, ticket_id, who)
        elif of in ("mine", "theirs"):
            desk.claim(self.store, ticket_id, self.colleague)
        return ticket_id

    def absence(self, of: str, who: Agent | None) -> int:
        mine = of == "mine" and who is not None and who.may("desk")
        absent = who if mine and who is not None else self.colleague
        starts = self.store.now() + timedelta(days=3)
        return desk.plan_absence(self.store, absent, absent.name, starts, starts + timedelta(days=1))

    def account(self, action: str, who: Agent | None) -> Agent:
        """The account that an admin's form is about: a new one where it will really be changed."""
        if who is None or not who.may("people") or action in ("theirs", "nothing"):
            return self.target
        self.count += 1
        made = accounts.add_agent(self.store, f"Target {self.count}", "agent", PASSWORD)
        accounts.issue_token(self.store, made.name)
        return accounts.disable(self.store, made.name) if action == "enable" else made

    def token(self, who: Agent | None) -> dict[str, str]:
        """The form that revokes a token: of whoever sends it, or else of a colleague."""
        owner = who or self.colleague
        accounts.issue_token(self.store, owner.name)
        return {"id": str(accounts.tokens(self.store, owner)[0].id)}

    def request(
        self, route: Route, who: Agent | None, customer: dict[str, str] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """The address of a line and what is sent to it: right in every way but, perhaps, who sends it."""
        rule, of = route.rule, route.of
        mine = customer if customer is not None and of != "other's" else self.conversation("feedback" in rule)
        name = who.name if of == "mine" and who is not None and who.may("desk") else self.colleague.name
        parts: dict[str, Callable[[], object]] = {
            "lang": lambda: "en",
            "filename": lambda: "hero.svg" if "demo" in rule else "site.css",
            "article_id": lambda: "returns/how-to-return",
            "conversation_id": lambda: mine["id"],
            "name": lambda: name,
            "action": lambda: "take" if "overview" in rule else of,
            "ticket_id": lambda: self.ticket(of, who),
            "absence_id": lambda: self.absence(of, who),
            "agent_id": lambda: self.account(of, who).id,
        }
        address = re.sub(r"<(?:path:)?(\w+)>", lambda found: str(parts[found[1]]()), rule)
        if route.method == "GET":
            return address + {"search": "?q=order", "suggest": "?q=wh&lang=en"}.get(address.rpartition("/")[2], ""), {}
        body = self.body(route, mine, name)
        return address, {"json" if rule.startswith("/api/") else "data": body(who) if callable(body) else body}

    def body(self, route: Route, conversation: dict[str, str], name: str) -> Any:
        day = f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"
        span = {"starts_at": f"{day}T09:00", "ends_at": f"{day}T17:00"}
        wrong = route.of == "wrong"
        self.count += 1
        bodies: dict[str, Any] = {
            "/api/v1/ask": {"text": "Where is my order?"},
            "/api/v1/conversations": {"lang": "en"} | ({"tags": ["vip"]} if route.of == "tagged" else {}),
            "/api/v1/conversations/<conversation_id>/messages": {"client_id": f"c-{self.count}", "text": "thank you"},
            "/api/v1/conversations/<conversation_id>/feedback": {
                "reply_id": conversation.get("reply_id", "0-0"),
                "helpful": True,
            },
            "/api/v1/conversations/<conversation_id>/seen": {"seq": 1},
            "/api/v1/conversations/<conversation_id>/satisfaction": {"score": 5},
            "/api/v1/desk/tickets/<ticket_id>/transfer": {"to": self.target.name},
            "/api/v1/desk/tickets/<ticket_id>/messages": TEXT,
            "/api/v1/desk/tickets/<ticket_id>/notes": {"text": "a regular"},
            "/api/v1/desk/tickets/<ticket_id>/close": {"outcome": "solved"},
            "/api/v1/desk/tickets/<ticket_id>/seen": {"seq": 1},
            "/api/v1/desk/tickets/close": lambda who: {
                "tickets": [self.ticket(route.of, who)],
                "outcome": "spam",
                "reason": "a flood",
            },
            "/api/v1/desk/agents/<name>": {"share": 4},
            "/api/v1/desk/agents/<name>/absences": span,
            "/desk/login": {"name": f"Nobody {self.count}", "password": WRONG},
            "/desk/login/code": {"code": "000000"},
            "/desk/tickets/<ticket_id>/transfer": {"to": self.target.name},
            "/desk/tickets/<ticket_id>/messages": TEXT,
            "/desk/tickets/<ticket_id>/notes": {"text": "a regular"},
            "/desk/tickets/<ticket_id>/close": {"outcome": "solved", "verdict": "none"},
            "/desk/presence": {"status": "away"},
            "/desk/team/<name>": {"share": "4", "time_zone": "UTC"},
            "/desk/absences": span | {"name": name},
            "/desk/overview/<action>": lambda who: {"ticket": str(self.ticket(route.of, who))},
            "/desk/account/password": {"current": WRONG if wrong else PASSWORD, "new": "a tray of tulip glasses"},
            "/desk/account/tokens": self.token,
            "/desk/account/factor": {"password": WRONG if wrong else PASSWORD},
            "/desk/account/factor/confirm": {"code": "000000"},
            "/desk/account/factor/codes": {"password": WRONG},
            "/desk/account/factor/off": {"password": WRONG},
            "/desk/accounts": {"name": f"New {self.count}", "role": "agent"},
            "/desk/accounts/<agent_id>/<action>": {"role": "supervisor"},
        }
        return bodies.get(route.rule, {})


def got(answer: TestResponse, done: bool) -> set[str]:
    """What a cell may say of an answer."""
    result = {str(answer.status_code)}
    if answer.status_code == 303:
        if answer.location.startswith("/desk/login") and not answer.location.startswith("/desk/login/code"):
            return {"out" if done else "login"}
        result.add("done" if done else "kept")
    if answer.status_code >= 400 and done:
        return {f"{answer.status_code}, and it was done"}
    return result


@pytest.fixture(scope="module")
def peopled(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with everybody in it, to be copied: to make their passwords takes longer."""
    file = Path(shutil.copy(migrated_file, tmp_path_factory.mktemp("peopled") / "botkit.db"))
    with closing(Store(f"sqlite:///{file}")) as store:
        for role in accounts.ROLES:
            accounts.add_agent(store, f"The {role}", role, PASSWORD)
        for name in ("Colleague", "Target"):
            accounts.add_agent(store, name, "agent", PASSWORD)
    return file


@pytest.fixture
def database(peopled: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(peopled, tmp_path / 'botkit.db')}"


@pytest.fixture
def world(app: Flask, store: Store) -> World:
    return World(app, store)


# ---------------------------------------------------------------- what must hold


def test_the_table_and_the_application_have_the_same_routes(app: Flask) -> None:
    assert {(route.method, route.rule) for route in ROUTES} == routes(app)


def test_a_line_that_is_not_whole_is_not_taken_for_one() -> None:
    with pytest.raises(AssertionError, match="11 cells for 13 columns"):
        read("GET / - | 401 | 200 403 | 200 | 200")


@pytest.mark.parametrize("who", WHO)
def test_everybody_gets_at_every_door_what_the_table_says(who: str, world: World, written: Written) -> None:
    kind, _, name = who.rpartition(":")
    agent = world.people["supervisor" if kind == "scope" else name] if kind else None
    headers: dict[str, str] = {}
    browser = world.app.test_client()
    if kind == "token":
        headers = {"Authorization": f"Bearer {accounts.issue_token(world.store, f'The {name}')}"}
    elif kind == "scope":
        headers = {"Authorization": f"Bearer {accounts.issue_token(world.store, 'The supervisor', scope=name)}"}
    elif kind == "session":
        browser = world.signed_in(f"The {name}")
    differ = []
    for route in ROUTES:
        customer = world.conversation("feedback" in route.rule) if who == "customer" else None
        if customer is not None:
            headers = {"Authorization": f"Bearer {customer['token']}"}
        address, sent = world.request(route, agent, customer)
        written.tables.clear()
        with browser.open(address, method=route.method, headers=headers, **sent) as answer:
            result = got(answer, bool(written.tables))
            if route.cells[who] not in result:
                differ.append(f"{route}: {' / '.join(sorted(result))}, not {route.cells[who]}")
        if kind == "session" and result & {"done", "login", "out"} and route.rule.startswith(OWN):
            browser = world.anew(world.people[name])
    assert not differ, "\n".join(differ)


def test_who_is_not_let_in_any_more_or_not_yet_gets_what_nobody_gets(world: World, written: Written) -> None:
    """Closed accounts, ended sessions, revoked and made-up tokens; a password without its code, or to be changed."""
    store = world.store
    for name in ("Closed", "Changed", "Ended", "Half", "Temporary"):
        accounts.add_agent(store, name, "admin", PASSWORD)
    accounts.set_password(store, "Temporary", PASSWORD, temporary=True)
    half = next(each for each in accounts.agents(store) if each.name == "Half")
    accounts.begin_factor(store, half)
    secret = accounts.pending_factor(store, half)
    assert secret is not None
    accounts.confirm_factor(store, half, pyotp.TOTP(secret).at(store.now()))
    browsers = {name: world.signed_in(name) for name in ("Closed", "Changed", "Ended", "Half", "Temporary")}
    tokens = {name: accounts.issue_token(store, name) for name in ("Closed", "The admin")}
    accounts.disable(store, "Closed")
    accounts.set_password(store, "Changed", "another good password")
    accounts.end_sessions(store, "Ended")
    accounts.revoke_tokens(store, "The admin")
    nobody = world.app.test_client()
    callers: dict[str, tuple[FlaskClient, dict[str, str]]] = {name: (each, {}) for name, each in browsers.items()}
    callers |= {f"{name}'s token": (nobody, {"Authorization": f"Bearer {each}"}) for name, each in tokens.items()}
    callers |= {"a made-up token": (nobody, {"Authorization": "Bearer bk_" + "x" * 43})}
    callers |= {"a stranger": (nobody, {"Authorization": f"Bearer {world.customer['token']}"})}
    own = {
        "Half": ("/desk/login", "/desk/login/code"),  # the next step is theirs
        "Temporary": ("/desk/login", "/desk/login/code", "/desk/account"),
    }
    differ = []
    for route in ROUTES:
        address, sent = world.request(route, None)
        for who, (browser, headers) in callers.items():
            if route.rule == "/desk/login":  # wrong tries at one name are counted
                sent["data"] = {"name": f"Nobody, like {who}", "password": WRONG}
            if route.rule in own.get(who, ()) or (who == "Temporary" and route.rule.startswith("/desk/account/")):
                continue
            expected = "404" if headers and "<conversation_id>" in route.rule else route.cells["nobody"]
            if route.rule == "/desk/logout" and who in own:
                expected = "out"
            written.tables.clear()
            with browser.open(address, method=route.method, headers=headers, **sent) as answer:
                result = got(answer, bool(written.tables))
                if expected not in result:
                    differ.append(f"{route} for {who}: {' / '.join(sorted(result))}, not {expected}")
        if route.rule == "/desk/logout":  # this has ended them for good
            for who in own:
                callers[who] = (world.signed_in(who), {})
    assert not differ, "\n".join(differ)


def test_other_methods_are_refused_and_head_is_answered_as_get(world: World, written: Written) -> None:
    admin = world.signed_in("The admin")
    by_rule: dict[str, list[Route]] = {}
    for route in ROUTES:
        by_rule.setdefault(route.rule, []).append(route)
    differ = []
    for rule, lines in by_rule.items():
        taken = {route.method for route in lines}
        address, _ = world.request(lines[0], None)
        for browser in (world.app.test_client(), admin):
            written.tables.clear()
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND"} - taken:
                with browser.open(address, method=method) as answer:
                    wanted = 200 if method == "OPTIONS" else 405
                    if method == "HEAD" and "GET" in taken:
                        with browser.get(address) as shown:
                            wanted = shown.status_code
                        assert not answer.data
                    if answer.status_code != wanted:
                        differ.append(f"{method} {rule}: {answer.status_code}, not {wanted}")
            if written.tables:
                differ.append(f"{rule}: {written.tables} were written to")
    assert not differ, "\n".join(differ)
