"""Who is at the desk: languages, skills and capacity of each agent, whether they are there, their shifts and absences.

This module owns `seat` and `absence` and is their only writer. An account without a profile speaks every language, has
no skill and the usual capacity, which is none for supervisors and admins: they look in without being offered anything.
It gets one when it is first seen. In the table and in the HTTP API the capacity is called `share`. Presence is a sign
of life in the last two minutes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit import accounts, language
from botkit.accounts import Agent
from botkit.desk.hours import opening
from botkit.desk.model import DeskError, NotAllowed
from botkit.store import Store, absence_table, agent_table, iso, profile_table

PRESENCE: Final = timedelta(minutes=2)
FRESH: Final = timedelta(seconds=30)
"""A sign of life this young is not written down again."""
SHARE: Final = 4
"""Conversations at once of an agent who did not say."""
MOST_CAPACITY: Final = 50
MOST_MISSED: Final = 3
"""Offers that may run out in a row before somebody counts as away."""
STATUSES: Final = ("available", "away")
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class AgentProfile:
    """An agent at the desk. No `languages` means any; `capacity` is how many conversations at once; no `shifts` means
    whenever they are there. `on_duty`: there, available, within a shift and not absent, as of when it was read."""

    agent: str
    role: str
    languages: tuple[str, ...]
    skills: tuple[str, ...]
    capacity: int
    status: str
    seen_at: datetime | None
    present: bool
    on_duty: bool
    time_zone: str
    shifts: Mapping[str, Any]
    holidays: tuple[str, ...]
    absent_until: datetime | None
    delegate: str | None
    missed: int

    def as_dict(self) -> dict[str, Any]:
        table = asdict(self)
        table["share"] = table.pop("capacity")
        for name in ("seen_at", "absent_until"):
            table[name] = iso(table[name]) if table[name] else None
        for name in ("languages", "skills", "holidays"):
            table[name] = list(table[name])
        return table


def profiles(store: Store) -> list[AgentProfile]:
    """Everybody who may work at the desk, by name."""
    with store.read() as conn:
        return everybody(conn, store.now())


def profile(store: Store, name: str) -> AgentProfile:
    """One agent's profile. DeskError: nobody of that name works at the desk."""
    with store.read() as conn:
        return _profile(conn, agent_at_desk(conn, name), store.now())


def everybody(conn: Connection, now: datetime) -> list[AgentProfile]:
    """Everybody who may work at the desk, seen from inside a transaction."""
    agents = conn.execute(
        sa.select(agent_table.c.id, agent_table.c.name, agent_table.c.role, profile_table)
        .outerjoin(profile_table, profile_table.c.agent_id == agent_table.c.id)
        .where(agent_table.c.disabled_at.is_(None))
        .order_by(agent_table.c.key)
    ).all()
    away = _absences(conn, now)
    return [_as_profile(row, away.get(row.id), now) for row in agents if _works(row)]


def ready(conn: Connection, now: datetime) -> list[AgentProfile]:
    """Those on duty. Cheap where nobody is there."""
    profile = profile_table.c
    recent = sa.select(sa.literal(1)).where(profile.seen_at > now - PRESENCE, profile.status == "available")
    if conn.execute(recent.limit(1)).first() is None:
        return []
    return [each for each in everybody(conn, now) if each.on_duty]


def on_duty(conn: Connection, name: str, now: datetime) -> bool:
    """Whether this agent is on duty."""
    return any(each.agent == name for each in ready(conn, now))


def seen(store: Store, agent: Agent, status: str | None = None) -> None:
    """Note a sign of life, and whether the agent is `available` or `away` where that is said. DeskError for another
    status. Signs within half a minute are one."""
    if status is not None and status not in STATUSES:
        raise DeskError(f"invalid status {status!r}: expected one of {', '.join(STATUSES)}")
    now = store.now()
    with store.read() as conn:
        row = conn.execute(sa.select(profile_table).where(profile_table.c.agent_id == agent.id)).one_or_none()
        fresh = row is not None and row.seen_at is not None and now - row.seen_at < FRESH
        if fresh and status in (None, row.status if row else None) and not (status and row and row.missed):
            return
    with store.write() as conn:
        values: dict[str, Any] = {"seen_at": now}
        if status is not None:
            values |= {"status": status, "missed": 0}
        _keep(conn, agent, values)


def left(store: Store, agent: Agent) -> None:
    """Forget the sign of life: the agent signed out."""
    with store.write() as conn:
        conn.execute(profile_table.update().where(profile_table.c.agent_id == agent.id).values(seen_at=None))


def arrange(
    store: Store,
    by: Agent,
    name: str,
    *,
    languages: Sequence[str] | None = None,
    skills: Sequence[str] | None = None,
    capacity: int | None = None,
    time_zone: str | None = None,
    shifts: Mapping[str, Any] | None = None,
    holidays: Sequence[str] | None = None,
    known: Sequence[str] = language.LANGUAGES,
) -> AgentProfile:
    """Say what an agent speaks and knows, how many conversations they take at once and when they work; what is None
    stays. Agents may arrange their own profile, who may overrule everybody's.

    `shifts` are hours by weekday in `time_zone`, as a shop's `open`: `{"mon": ["09:00", "17:00"]}`; `holidays` are
    days like `2026-12-25` on which none of them counts. `known` are the languages that there are.
    """
    values: dict[str, Any] = {}
    if languages is not None:
        values["languages"] = _checked_languages(languages, known)
    if skills is not None:
        values["skills"] = list(dict.fromkeys(skill.strip().casefold()[:40] for skill in skills if skill.strip()))[:40]
    if capacity is not None:
        if not 0 <= capacity <= MOST_CAPACITY:
            raise DeskError(f"invalid share {capacity}: expected 0 to {MOST_CAPACITY}")
        values["share"] = capacity
    if time_zone is not None:
        values["time_zone"] = _checked_zone(time_zone)
    if shifts is not None:
        values["shifts"] = _checked_shifts(shifts)
    if holidays is not None:
        values["holidays"] = _checked_days(holidays)
    with store.write() as conn:
        agent = agent_at_desk(conn, name)
        if agent.id != by.id and not by.may("overrule"):
            raise NotAllowed
        _keep(conn, agent, values)
        return _profile(conn, agent, store.now())


def absences(store: Store, name: str | None = None) -> list[dict[str, Any]]:
    """The absences that are planned or under way, the next one first: `id, agent, delegate, starts_at, ends_at,
    stage`."""
    query = (
        sa.select(absence_table, agent_table.c.name)
        .join(agent_table, agent_table.c.id == absence_table.c.agent_id)
        .where(absence_table.c.stage != "over")
        .order_by(absence_table.c.starts_at, absence_table.c.id)
    )
    with store.read() as conn:
        rows = conn.execute(query).all()
    return [
        {
            "id": row.id,
            "agent": row.name,
            "delegate": row.delegate,
            "starts_at": iso(row.starts_at),
            "ends_at": iso(row.ends_at),
            "stage": row.stage,
        }
        for row in rows
        if name is None or row.name == name
    ]


def due_absences(conn: Connection, now: datetime) -> list[sa.Row[Any]]:
    """The absences that begin or end by now, each with the agent's `name`."""
    return list(
        conn.execute(
            sa.select(absence_table, agent_table.c.name)
            .join(agent_table, agent_table.c.id == absence_table.c.agent_id)
            .where(absence_table.c.next_at <= now)
            .order_by(absence_table.c.next_at)
        )
    )


def step_absence(conn: Connection, row: sa.Row[Any]) -> str | None:
    """Begin or end a due absence, once: `away`, `over`, or None when another process did it."""
    stage = {"planned": "away", "away": "over"}[row.stage]
    done = conn.execute(
        absence_table.update()
        .where(absence_table.c.id == row.id, absence_table.c.stage == row.stage)
        .values(stage=stage, next_at=row.ends_at if stage == "away" else None)
    )
    return stage if done.rowcount else None


def stand_in(conn: Connection, agent: Agent, now: datetime) -> Agent | None:
    """Who takes this agent's tickets now: the agent, or while they are absent their delegate, whose own absence counts
    as well; None where that leads to nobody."""
    away, asked = _absences(conn, now), set[int]()
    while agent.id in away:
        asked.add(agent.id)
        delegate = away[agent.id].delegate
        other = accounts.agent_named(conn, delegate) if delegate else None
        if other is None or not other.may("desk") or other.id in asked:
            return None
        agent = other
    return agent


def absent_until(conn: Connection, agent: Agent, now: datetime) -> datetime:
    """When the agent's absence ends; now where none is under way."""
    absence = _absences(conn, now).get(agent.id)
    return now if absence is None else absence.ends_at


def took(conn: Connection, agent: Agent) -> None:
    """Note that an agent took a ticket: offers that ran out before are forgiven."""
    conn.execute(
        profile_table.update().where(profile_table.c.agent_id == agent.id, profile_table.c.missed > 0).values(missed=0)
    )


def missed(conn: Connection, name: str) -> None:
    """Note that an offer ran out; after three in a row the agent counts as away, so that nobody waits for them."""
    agent = accounts.agent_named(conn, name)
    if agent is None:
        return
    count = profile_table.c.missed + 1
    away = sa.case((count >= MOST_MISSED, "away"), else_=profile_table.c.status)
    conn.execute(profile_table.update().where(profile_table.c.agent_id == agent.id).values(missed=count, status=away))


def mentioned(conn: Connection, text: str) -> dict[str, int]:
    """The names and ids of those at the desk whom a text names by `@Name`, the longest name first where one begins
    like another. An address like `a@nur.example` names nobody, and `@Nuray` is not Nur."""
    agents = conn.execute(
        sa.select(agent_table.c.id, agent_table.c.name, agent_table.c.role).where(agent_table.c.disabled_at.is_(None))
    ).all()
    rest, result = text.casefold(), {}
    for agent in sorted(agents, key=lambda each: len(each.name), reverse=True):
        rest, times = re.subn(rf"(?<![\w.+-])@{re.escape(agent.name.casefold())}(?!\w)", " ", rest)
        if times and _works(agent):
            result[agent.name] = agent.id
    return dict(sorted(result.items()))


def agent_at_desk(conn: Connection, name: str) -> Agent:
    agent = accounts.agent_named(conn, name)
    if agent is None or not agent.may("desk"):
        raise DeskError(f"{name[:80]!r} is nobody who works at the desk: choose one of the agents")
    return agent


def _usual_capacity(role: str) -> int:
    return SHARE if role == "agent" else 0


def _works(row: Any) -> bool:
    return Agent(row.id, row.name, row.role, 0, False).may("desk")


def _keep(conn: Connection, agent: Agent, values: Mapping[str, Any]) -> None:
    where = profile_table.c.agent_id == agent.id
    if conn.dialect.name == "postgresql":  # two first signs of life at once
        from sqlalchemy.dialects.postgresql import insert

        blank = insert(profile_table).on_conflict_do_nothing()
        conn.execute(blank.values(agent_id=agent.id, share=_usual_capacity(agent.role), status="available"))
    elif conn.execute(sa.select(profile_table.c.agent_id).where(where)).first() is None:
        made = profile_table.insert().values(agent_id=agent.id, share=_usual_capacity(agent.role), status="available")
        conn.execute(made)
    if values:
        conn.execute(profile_table.update().where(where).values(**values))


def _profile(conn: Connection, agent: Agent, now: datetime) -> AgentProfile:
    return next(each for each in everybody(conn, now) if each.agent == agent.name)


def _absences(conn: Connection, now: datetime) -> dict[int, sa.Row[Any]]:
    query = sa.select(absence_table).where(
        absence_table.c.stage != "over", absence_table.c.starts_at <= now, absence_table.c.ends_at > now
    )
    return {row.agent_id: row for row in conn.execute(query.order_by(absence_table.c.ends_at))}


def _as_profile(row: sa.Row[Any], absence: sa.Row[Any] | None, now: datetime) -> AgentProfile:
    kept = row.agent_id is not None
    zone, shifts, days = (row.time_zone, row.shifts, row.holidays) if kept else ("UTC", {}, [])
    present = kept and row.seen_at is not None and now - row.seen_at < PRESENCE
    works = absence is None and _in_shift(zone, shifts, days, now)
    return AgentProfile(
        agent=row.name,
        role=row.role,
        languages=tuple(row.languages) if kept else (),
        skills=tuple(row.skills) if kept else (),
        capacity=row.share if kept else _usual_capacity(row.role),
        status=row.status if kept else "available",
        seen_at=row.seen_at,
        present=present,
        on_duty=present and works and row.status == "available",
        time_zone=zone,
        shifts=shifts,
        holidays=tuple(days),
        absent_until=absence.ends_at if absence is not None else None,
        delegate=absence.delegate if absence is not None else None,
        missed=row.missed if kept else 0,
    )


def _in_shift(zone: str, shifts: Mapping[str, Any], holidays: Sequence[str], now: datetime) -> bool:
    if holidays and now.astimezone(ZoneInfo(zone)).date().isoformat() in holidays:
        return False
    return not shifts or opening({"time_zone": zone, "open": shifts}, now).open_now


def _checked_languages(languages: Sequence[str], known: Sequence[str]) -> list[str]:
    wrong = [lang for lang in languages if lang not in known]
    if wrong:
        raise DeskError(f"no such language {wrong[0][:20]!r}: expected some of {', '.join(known)}")
    return list(dict.fromkeys(languages))


def _checked_zone(zone: str) -> str:
    try:
        return ZoneInfo(zone[:64]).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise DeskError(f"invalid time zone {zone[:64]!r}: expected one like Europe/Sofia") from None


def _checked_shifts(shifts: Mapping[str, Any]) -> dict[str, Any]:
    wrong = [day for day in shifts if day not in _DAYS]
    if wrong:
        raise DeskError(f"no such weekday {str(wrong[0])[:20]!r}: expected some of {', '.join(_DAYS)}")
    if shifts:
        week = datetime(2026, 1, 5, tzinfo=ZoneInfo("UTC"))
        state = opening({"time_zone": "UTC", "open": dict(shifts)}, week)
        if not state.open_now and state.next_open is None:
            raise DeskError('shifts are hours by weekday, like {"mon": ["09:00", "17:00"]}')
    return dict(shifts)


def _checked_days(days: Sequence[str]) -> list[str]:
    try:
        return sorted({date.fromisoformat(day).isoformat() for day in days})[:400]
    except ValueError:
        raise DeskError("holidays are days like 2026-12-25") from None
