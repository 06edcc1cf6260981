"""Sign-ins: a row for each browser, found by the hash of a random text that only the browser has.

agent_session  id | hash: SHA-256 of the text | agent_id -> agent | half: the password was right, the code is to come
               browser | system: what the browser says that it is | made_at | seen_at: noted once a minute
               ends_at: whatever happens | ended_at: before that | told: what the next page says
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit.accounts.accounts import SELECT, as_agent, required, sha256
from botkit.accounts.audit import audit
from botkit.accounts.model import Agent
from botkit.store import Store, agent_session_table, agent_table

SEEN_AGAIN: Final = timedelta(minutes=1)
KEPT: Final = timedelta(days=30)
"""How long a row stays after its end."""
HALF: Final = timedelta(minutes=10)
"""How long the password counts while the code is looked for."""
MOST_TOLD: Final = 5

_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("YaBrowser", "Yandex"),
    ("Vivaldi", "Vivaldi"),
    ("FxiOS", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chromium", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class Session:
    """One sign-in. `browser` and `system` are empty where they are not known."""

    id: int
    agent: int
    half: bool
    browser: str
    system: str
    made_at: datetime
    seen_at: datetime
    ends_at: datetime
    told: tuple[str, ...] = ()


def begin_session(store: Store, agent: Agent, user_agent: str, life: timedelta, *, half: bool = False) -> str:
    """A new sign-in that lasts so long at most, HALF if it is `half` one; the text that only its browser is given.
    PeopleError when the account was changed since `agent` was read: the password may be another, or the role."""
    text, now = secrets.token_urlsafe(32), store.now()
    browser, system = describe(user_agent)
    mine = agent_session_table.c
    with store.write() as conn:
        required(conn, agent.name, agent)
        conn.execute(agent_session_table.delete().where(mine.ends_at < now - KEPT))
        conn.execute(
            agent_session_table.insert().values(
                hash=sha256(text),
                agent_id=agent.id,
                half=half,
                browser=browser,
                system=system,
                made_at=now,
                seen_at=now,
                ends_at=now + (min(HALF, life) if half else life),
                told=[],
            )
        )
    return text


def session_of(store: Store, text: str, idle: timedelta) -> tuple[Session, Agent] | None:
    """The sign-in that a browser's text opens, if it goes on, and whose it is: unused for no longer than `idle`."""
    mine, now = agent_session_table.c, store.now()
    query = SELECT.add_columns(*(column.label(f"session_{column.name}") for column in mine)).join(
        agent_session_table, mine.agent_id == agent_table.c.id
    )
    with store.read() as conn:
        goes_on = (*_open(now), mine.seen_at > now - idle, agent_table.c.disabled_at.is_(None))
        row = conn.execute(query.where(mine.hash == sha256(text), *goes_on)).one_or_none()
    if row is None:
        return None
    result = {
        name.removeprefix("session_"): value for name, value in row._mapping.items() if name.startswith("session_")
    }
    return _session(result), as_agent(row)


def note_seen(store: Store, session: Session) -> None:
    """Note that a sign-in is used, once a minute."""
    now, mine = store.now(), agent_session_table.c
    if now - session.seen_at < SEEN_AGAIN:
        return
    with store.write(durable=False) as conn:
        conn.execute(
            agent_session_table.update().where(mine.id == session.id, mine.ended_at.is_(None)).values(seen_at=now)
        )


def sessions(store: Store, agent: Agent, idle: timedelta) -> list[Session]:
    """The sign-ins of an agent that go on, the last used first."""
    mine, now = agent_session_table.c, store.now()
    query = (
        sa.select(agent_session_table)
        .where(mine.agent_id == agent.id, mine.half.is_(False), *_open(now), mine.seen_at > now - idle)
        .order_by(mine.seen_at.desc(), mine.id.desc())
    )
    with store.read() as conn:
        return [_session(row._asdict()) for row in conn.execute(query)]


def end_session(store: Store, agent: Agent, session_id: int, *, by: Agent | None = None) -> bool:
    """End one sign-in of an agent; whether it still went on."""
    with store.write() as conn:
        owner = required(conn, agent.name, by)
        ended = _end(store, conn, owner, session_id)
        if ended:
            audit(store, conn, by, "session.ended", f"agent:{owner.name}", session=session_id)
        return ended


def sign_out(store: Store, session: Session, agent: Agent) -> None:
    """End the sign-in that a browser came with."""
    with store.write() as conn:
        if _end(store, conn, agent, session.id) and not session.half:
            audit(store, conn, agent, "sign_out")


def tell(store: Store, session: Session, text: str) -> None:
    """Let the next page of this sign-in say something, once."""
    _set_told(store, session.id, lambda told: [*told, text[:1000]][-MOST_TOLD:])


def take_told(store: Store, session: Session) -> tuple[str, ...]:
    """What is to be said, which is forgotten with that."""
    if session.told:
        _set_told(store, session.id, lambda _: [])
    return session.told


def describe(user_agent: str) -> tuple[str, str]:
    """The browser and the system of a User-Agent, like Firefox and Windows; empty where they are not known."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    return browser, next((name for mark, name in _SYSTEMS if mark in user_agent), "")


def _set_told(store: Store, session_id: int, change: Callable[[Sequence[str]], list[str]]) -> None:
    mine = agent_session_table.c
    with store.write(durable=False) as conn:
        result = conn.execute(sa.select(mine.told).where(mine.id == session_id).with_for_update()).scalar() or []
        conn.execute(agent_session_table.update().where(mine.id == session_id).values(told=change(result)))


def _end(store: Store, conn: Connection, agent: Agent, session_id: int) -> bool:
    mine = agent_session_table.c
    query = agent_session_table.update().where(mine.id == session_id, mine.agent_id == agent.id, *_open(store.now()))
    return conn.execute(query.values(ended_at=store.now())).rowcount > 0


def _open(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return agent_session_table.c.ended_at.is_(None), agent_session_table.c.ends_at > now


def _session(values: Mapping[str, Any]) -> Session:
    return Session(
        values["id"],
        values["agent_id"],
        values["half"],
        values["browser"],
        values["system"],
        values["made_at"],
        values["seen_at"],
        values["ends_at"],
        tuple(values["told"]),
    )
