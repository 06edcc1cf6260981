"""What happens at the desk by itself: offers in turn, clocks that run out, absences that begin and end.

`tick` may be called as often as one likes and from several processes at once. It reads first, which is cheap where
nothing is due; each step then is a short transaction of its own that looks again at what it is about to change, so
that the second of two does nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from botkit import accounts
from botkit.accounts import Agent
from botkit.desk import agents
from botkit.desk.agents import AgentProfile
from botkit.desk.model import DeskError, NotAllowed, Policy, Ticket, as_ticket
from botkit.desk.tickets import auto_close, breach, hand_on, put_back
from botkit.desk.transitions import locked, rows, tell, update
from botkit.store import (
    SYSTEM,
    Store,
    TicketRow,
    absence_table,
    agent_table,
    iso,
    profile_table,
    ticket_state_table,
    ticket_table,
)
from botkit.store.event_data import TicketOffered, TicketWarned

BATCH: Final = 100
"""Tickets that one tick looks at: the rest is due at the next one, and no request waits for thousands."""
TOGETHER: Final = 25
"""Tickets that are changed in one transaction: each costs a write to the disk."""


@dataclass(frozen=True)
class Ticked:
    """What a tick did, counted."""

    offered: int = 0
    passed: int = 0
    warned: int = 0
    breached: int = 0
    lapsed: int = 0
    left: int = 0
    returned: int = 0
    unattended: int = 0

    def __bool__(self) -> bool:
        return any(vars(self).values())


def tick(store: Store, now: datetime | None = None, policy: Policy | None = None) -> Ticked:
    """Do all that is due: warn of first replies that will be late and tell those that are, pass on offers that ran
    out, close what waited too long for its customer, begin and end absences, take tickets from closed accounts and from
    owners who are gone while a customer waits, offer the next ones."""
    now, policy = now or store.now(), policy or Policy()
    counts = dict.fromkeys(vars(Ticked()), 0)
    with store.read() as conn:
        absences = agents.due_absences(conn, now)
        ids = conn.execute(
            sa.select(ticket_table.c.id)
            .where(ticket_table.c.next_at <= now)
            .order_by(ticket_table.c.next_at)
            .limit(BATCH)
        ).scalars()
        due = list(ids)
        orphans = conn.execute(_orphaned().limit(BATCH)).scalars().all()
        forsaken = []
        if policy.unattended_minutes > 0:
            forsaken = list(conn.execute(_unattended(now, policy).limit(BATCH)).scalars())
    for ticket_id in orphans:
        _orphan(store, ticket_id, now, counts)
    for absence in absences:
        _absence(store, absence, now, counts)
    for ticket_id in forsaken:
        _forsaken(store, ticket_id, now, policy, counts)
    due.sort()  # in one order everywhere, so that two who lock several never wait for each other
    for start in range(0, len(due), TOGETHER):
        with store.write() as conn:
            for ticket_id in due[start : start + TOGETHER]:
                _due(store, conn, ticket_id, now, counts)
    if policy.offer_seconds > 0:
        counts["offered"] = len(_offers(store, now, policy))
    return Ticked(**counts)


def plan_absence(
    store: Store,
    by: Agent,
    name: str,
    starts_at: datetime,
    ends_at: datetime,
    delegate: str | None = None,
    policy: Policy | None = None,
) -> int:
    """Say when an agent will be away, and who takes their conversations meanwhile; the absence's id. Without a
    delegate they go back to the queue. One that has begun already acts at once. DeskError: the times are none, or the
    delegate is nobody else at the desk."""
    if not starts_at < ends_at:
        raise DeskError("an absence ends after it begins")
    with store.write() as conn:
        agent = agents.agent_at_desk(conn, name)
        if agent.id != by.id and not by.may("overrule"):
            raise NotAllowed
        stand_in = agents.agent_at_desk(conn, delegate).name if delegate else None
        if stand_in == agent.name:
            raise DeskError("nobody stands in for themselves: name a colleague, or nobody")
        made = int(
            conn.execute(
                absence_table.insert()
                .values(
                    agent_id=agent.id,
                    delegate=stand_in,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    stage="planned",
                    next_at=starts_at,
                )
                .returning(absence_table.c.id)
            ).scalar_one()
        )
    tick(store, policy=policy)
    return made


def end_absence(store: Store, by: Agent, absence_id: int, policy: Policy | None = None) -> None:
    """End an absence now, or call it off; its tickets come back at once. DeskError: there is none."""
    with store.write() as conn:
        row = conn.execute(sa.select(absence_table).where(absence_table.c.id == absence_id)).one_or_none()
        if row is None or row.stage == "over":
            raise DeskError(f"no such absence: {absence_id}")
        if row.agent_id != by.id and not by.may("overrule"):
            raise NotAllowed
        now = store.now()
        planned = row.stage == "planned"
        values = {"stage": "over", "next_at": None} if planned else {"ends_at": now, "next_at": now}
        conn.execute(absence_table.update().where(absence_table.c.id == absence_id).values(**values))
    tick(store, policy=policy)


def offer(store: Store, now: datetime | None = None, policy: Policy | None = None) -> Ticket | None:
    """Give the next waiting ticket to the best agent on duty, for the policy's seconds; None when there is no ticket
    or nobody with room who speaks its language. The agent takes it by claiming; until then anybody may.

    Best is: speaks the language (said so, before says nothing), then shares most skills with the ticket's topics and
    tags, then is least loaded for their capacity. Who let a ticket pass is asked again when all others did too.
    """
    value = _offers(store, now or store.now(), policy or Policy(), most=1)
    return value[0] if value else None


def _due(store: Store, conn: Connection, ticket_id: int, now: datetime, counts: dict[str, int]) -> None:
    row = locked(store, conn, ticket_id)
    if row.next_at is None or row.next_at > now:
        return
    if row.state == "pending" and row.pending_until and row.pending_until <= now:
        auto_close(store, conn, row, now)
        counts["lapsed"] += 1
        return
    if row.state == "waiting" and row.offer_until and row.offer_until <= now:
        passed = row.passed_by
        if row.offered_to is not None:
            agents.missed(conn, row.offered_to)
            passed = (*(name for name in row.passed_by if name != row.offered_to), row.offered_to)
        row = update(conn, row, replace(row, offered_to=None, offer_until=None, passed_by=passed))
        counts["passed"] += 1
    if row.first_reply_at is not None or row.state == "closed":
        update(conn, row, row)
        return
    if row.breached_at is None and row.due_at and row.due_at <= now:
        breach(store, conn, row, now)
        counts["breached"] += 1
    elif row.warned_at is None and row.warn_at and row.warn_at <= now:
        row = update(conn, row, replace(row, warned_at=now))
        due = iso(row.due_at) if row.due_at else ""
        tell(store, conn, row, SYSTEM, TicketWarned(row.id, due, row.owner), now)
        counts["warned"] += 1


def _offers(store: Store, now: datetime, policy: Policy, most: int = BATCH) -> list[Ticket]:
    with store.read() as conn:
        ready_agents = agents.ready(conn, now)
        if not ready_agents:
            return []
        load = loads(conn, now)
        room = sum(max(0, each.capacity - load.get(each.agent, 0)) for each in ready_agents)
        waiting = _unoffered(conn, now, ready_agents, min(most, room)) if room > 0 else []
    given_out = []
    for row in waiting:
        best = _best(row, ready_agents, load)
        if best is None:
            continue
        with store.write() as conn:
            offered = _offer(store, conn, row.id, best, ready_agents, now, policy)
        if offered is not None:
            load[best.agent] = load.get(best.agent, 0) + 1
            given_out.append(as_ticket(offered, now))
    return given_out


def loads(conn: Connection, now: datetime) -> dict[str, int]:
    """How many conversations each agent has or is offered; those that wait for their customer do not count."""
    table = ticket_table.c
    who = sa.case((table.state == "claimed", table.owner), else_=table.offered_to)
    offered = sa.and_(table.state == "waiting", table.offer_until > now)
    rows = conn.execute(
        sa.select(who, sa.func.count()).where(sa.or_(table.state == "claimed", offered)).group_by(who)
    ).all()
    return {str(name): int(count) for name, count in rows if name}


def _unoffered(conn: Connection, now: datetime, ready_agents: Sequence[AgentProfile], limit: int) -> list[TicketRow]:
    table = ticket_table.c
    query = sa.select(ticket_table).where(table.state == "waiting", table.offer_until.is_(None))
    if all(each.languages for each in ready_agents):  # what nobody here can read must not stand before what they can
        spoken = {lang for each in ready_agents for lang in each.languages}
        query = query.where(sa.or_(table.lang.is_(None), table.lang.in_(sorted(spoken))))
    return rows(conn, query.order_by(table.rank_at, table.id).limit(limit))


def _best(row: TicketRow, ready_agents: Sequence[AgentProfile], load: dict[str, int]) -> AgentProfile | None:
    def free(each: AgentProfile) -> bool:
        reads = not each.languages or row.lang is None or row.lang in each.languages
        return reads and load.get(each.agent, 0) < each.capacity

    able = [each for each in ready_agents if free(each)]
    fresh = [each for each in able if each.agent not in row.passed_by]
    if not fresh and any(_reads(each, row) for each in ready_agents if each.agent not in row.passed_by):
        return None  # somebody who was not asked yet has no room just now
    wanted = {*row.topics, *row.tags}
    return min(fresh or able, key=lambda each: _preference(each, row.lang, wanted, load), default=None)


def _reads(each: AgentProfile, row: TicketRow) -> bool:
    return each.capacity > 0 and (not each.languages or row.lang is None or row.lang in each.languages)


def _preference(each: AgentProfile, lang: str | None, wanted: Collection[str], load: dict[str, int]) -> tuple[Any, ...]:
    speaks = lang is not None and lang in each.languages
    return (
        not speaks,
        -len(set(each.skills) & set(wanted)),
        load.get(each.agent, 0) / each.capacity,
        each.agent,
    )


def _offer(
    store: Store,
    conn: Connection,
    ticket_id: int,
    best: AgentProfile,
    ready_agents: Sequence[AgentProfile],
    now: datetime,
    policy: Policy,
) -> TicketRow | None:
    row = locked(store, conn, ticket_id)
    if row.state != "waiting" or row.offer_until is not None or loads(conn, now).get(best.agent, 0) >= best.capacity:
        return None
    until = now + timedelta(seconds=policy.offer_seconds)
    again = best.agent in row.passed_by  # everybody let it pass: a new round
    to = replace(row, offered_to=best.agent, offer_until=until, passed_by=() if again else row.passed_by)
    row = update(conn, row, to)
    tell(store, conn, row, SYSTEM, TicketOffered(row.id, best.agent, iso(until)), now)
    return row


def _orphaned() -> sa.Select[Any]:
    """The open tickets of those whose account was closed."""
    table = ticket_table.c
    gone = sa.select(agent_table.c.name).where(agent_table.c.disabled_at.is_not(None))
    return sa.select(table.id).where(table.owner.in_(gone), table.state.in_(("claimed", "pending"))).order_by(table.id)


def _orphan(store: Store, ticket_id: int, now: datetime, counts: dict[str, int]) -> None:
    with store.write() as conn:
        row = locked(store, conn, ticket_id)
        if conn.execute(_orphaned().where(ticket_table.c.id == ticket_id)).first() is not None:
            put_back(store, conn, row, SYSTEM, now)
            counts["left"] += 1


def _unattended(now: datetime, policy: Policy) -> sa.Select[Any]:
    """The tickets whose customers wait for an answer while nothing is seen of their owners: neither at the desk nor, by
    taking the ticket, here."""
    table, line, since = ticket_table.c, ticket_state_table.c, now - timedelta(minutes=policy.unattended_minutes)
    return (
        sa.select(table.id)
        .join(ticket_state_table, sa.and_(line.ticket_id == table.id, line.n == table.version))
        .outerjoin(agent_table, agent_table.c.name == table.owner)
        .outerjoin(profile_table, profile_table.c.agent_id == agent_table.c.id)
        .where(
            table.state == "claimed",
            table.unanswered_since <= since,
            line.at <= since,
            sa.or_(profile_table.c.seen_at.is_(None), profile_table.c.seen_at <= since),
        )
        .order_by(table.id)
    )


def _forsaken(store: Store, ticket_id: int, now: datetime, policy: Policy, counts: dict[str, int]) -> None:
    with store.write() as conn:
        row = locked(store, conn, ticket_id)
        if conn.execute(_unattended(now, policy).where(ticket_table.c.id == ticket_id)).first() is not None:
            why = f"no sign of {row.owner} for {policy.unattended_minutes} minutes while the customer waited"
            put_back(store, conn, row, SYSTEM, now, home=row.home, unattended=why)
            counts["unattended"] += 1


def _absence(store: Store, absence: sa.Row[Any], now: datetime, counts: dict[str, int]) -> None:
    table = ticket_table.c
    with store.write() as conn:
        stage = agents.step_absence(conn, absence)
        if stage == "away":
            ids = sa.select(table.id).where(table.owner == absence.name, table.state.in_(("claimed", "pending")))
        elif stage == "over":
            ids = sa.select(table.id).where(table.home == absence.name, table.state != "closed")
        else:
            return
        agent = accounts.agent_named(conn, absence.name)
        there = agents.stand_in(conn, agent, now) if agent is not None else None
        is_back = there is not None and there.name == absence.name  # and not in another absence already
        for ticket_id in conn.execute(ids.order_by(table.id)).scalars().all():
            row = locked(store, conn, ticket_id)
            if stage == "over":
                if agent is None or not agent.may("desk") or not is_back or row.home != absence.name:
                    continue
                hand_on(store, conn, row, absence.name, SYSTEM, now)
                counts["returned"] += 1
            elif row.owner == absence.name and row.state in ("claimed", "pending") and not is_back:
                if there is not None:
                    hand_on(store, conn, row, there.name, SYSTEM, now, home=absence.name)
                else:
                    put_back(store, conn, row, SYSTEM, now, home=absence.name)
                counts["left"] += 1
