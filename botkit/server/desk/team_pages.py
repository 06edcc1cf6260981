"""Owns the pages of the team: who is at the desk, what each speaks and knows, when they work, and who will be away.

All of them are forms that work without JavaScript. Everybody sees the team and arranges their own profile; who may
overrule arranges anybody's. It checks what was typed and leaves the rest to `desk`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Blueprint, Response, request

from botkit import accounts, desk
from botkit.accounts import Agent
from botkit.server.desk import layout, session
from botkit.server.http.context import here
from botkit.server.http.errors import ApiError
from botkit.server.http.templates import Texts, native_name
from botkit.store import iso, parse_time

blueprint = Blueprint("team_pages", __name__)

ADDRESS: Final = "/desk/team"
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_CAPACITY: Final = 50
LONGEST_ABSENCE: Final = timedelta(days=366)
_SPAN: Final = re.compile(r"(\d{1,2}):(\d{2})\s*[-–—]\s*(\d{1,2}):(\d{2})")
_COMMA: Final = re.compile(r"[,،;\n]+")


@blueprint.get(ADDRESS)
def team() -> Response:
    """Everybody at the desk, and who is or will be away."""
    agent = session.by_session()
    if agent is None:
        return layout.to_login()
    t = Texts(layout.language_of_reader())
    profiles = desk.profiles(here().store)
    return layout.show(
        "desk/team.html",
        agent,
        profiles=[_row(profile, agent, t) for profile in profiles],
        availability=availability(next(profile for profile in profiles if profile.agent == agent.name)),
        absences=_absences(agent),
    )


@blueprint.get(f"{ADDRESS}/<name>")
def profile(name: str) -> Response:
    """One agent's profile, to be changed, and their absences."""
    agent = _arranger(name)
    if isinstance(agent, Response):
        return agent
    return _page(agent, _profile(name))


@blueprint.post(f"{ADDRESS}/<name>")
def arrange(name: str) -> Response:
    agent = _arranger(name)
    if isinstance(agent, Response):
        return agent
    form, t, result = request.form, Texts(layout.language_of_reader()), _profile(name)
    problem = ""
    changes: dict[str, Any] = {
        "languages": form.getlist("language"),
        "skills": _COMMA.split(form.get("skills", "")[:2000]),
        "time_zone": form.get("time_zone", "").strip()[:64],
    }
    try:
        changes["capacity"] = int(_plain(form.get("share", "")))
    except ValueError:
        changes["capacity"] = -1
    try:
        changes["shifts"] = {day: spans for day in DAYS if (spans := _spans(form.get(f"shift-{day}", "")))}
    except ValueError:
        problem = t("team.wrong_hours")
    try:
        typed = [_plain(day).strip() for day in _COMMA.split(form.get("holidays", "")[:6000])]
        changes["holidays"] = [date.fromisoformat(day).isoformat() for day in typed if day]
    except ValueError:
        problem = problem or t("team.wrong_days")
    if not _zone_is_known(changes["time_zone"]):
        problem = problem or t("team.wrong_zone")
    if not 0 <= changes["capacity"] <= MOST_CAPACITY:
        problem = problem or t("team.wrong_share", most=MOST_CAPACITY)
    if not problem:
        try:
            desk.arrange(here().store, agent, result.agent, known=here().languages, **changes)
        except desk.DeskError:
            problem = t("desk.not_done")
    if problem:
        return _page(agent, result, problem=problem, typed=form, status=400)
    session.tell(t("team.saved"))
    return layout.to(_address(result.agent))


@blueprint.post(f"{ADDRESS}/<name>/sign-out")
def sign_out(name: str) -> Response:
    """End all sign-ins of a colleague: a lost phone, a computer left open. Administrators are left to their own."""
    agent = _arranger(name)
    if isinstance(agent, Response):
        return agent
    with here().store.read() as conn:
        person = accounts.agent_named(conn, _profile(name).agent)
    if person is None or (person.may("people") and not agent.may("people")):
        raise ApiError(403, "forbidden", "Only an administrator signs out an administrator.")
    own = session.session_id() if person.id == agent.id else None
    try:
        accounts.end_sessions(here().store, person.name, but=own, by=agent)
    except accounts.AccountError:  # who asks is not any more who asked: to the sign-in from there
        return layout.to(_address(person.name))
    session.tell(Texts(layout.language_of_reader())("team.signed_out"))
    return layout.to(_address(person.name))


@blueprint.post("/desk/absences")
def plan_absence() -> Response:
    """Plan an absence of `name`; its times are on the clock of their profile."""
    name = request.form.get("name", "")[:80]
    agent = _arranger(name)
    if isinstance(agent, Response):
        return agent
    form, store, t, result = request.form, here().store, Texts(layout.language_of_reader()), _profile(name)
    try:
        starts_at, ends_at = (_moment(form.get(field, ""), _zone(result)) for field in ("starts_at", "ends_at"))
        if not (starts_at < ends_at and store.now() < ends_at <= starts_at + LONGEST_ABSENCE):
            raise ValueError
    except ValueError:
        return _page(agent, result, wrong_times=t("team.wrong_times"), typed=form, status=400)
    try:
        delegate = form.get("delegate", "")[:80] or None
        desk.plan_absence(store, agent, result.agent, starts_at, ends_at, delegate, here().policy)
    except desk.DeskError:
        session.tell(t("desk.not_done"))
    else:
        session.tell(t("team.planned"))
    return layout.to(_address(result.agent))


@blueprint.post("/desk/absences/<int:absence_id>/end")
def end_absence(absence_id: int) -> Response:
    agent = session.by_session()
    if agent is None:
        return layout.to_login()
    t = Texts(layout.language_of_reader())
    try:
        desk.end_absence(here().store, agent, absence_id, here().policy)
    except desk.NotAllowed:
        raise ApiError(403, "forbidden", "Only a supervisor ends a colleague's absence.") from None
    except desk.DeskError:  # somebody was faster, or it ended by itself
        session.tell(t("desk.not_done"))
    else:
        session.tell(t("team.ended"))
    return layout.to(ADDRESS)


@blueprint.post("/desk/presence")
def presence() -> Response:
    """Say that one takes conversations, or not for the moment."""
    agent = session.by_session()
    if agent is None:
        return layout.to_login()
    status = request.form.get("status", "")
    if status in ("available", "away"):
        desk.seen(here().store, agent, status)
    return layout.to(ADDRESS if request.form.get("back") == "team" else "/desk")


def availability(found: desk.AgentProfile) -> str:
    """Whether conversations are offered: `on`, `off`, or `away` for who takes a break or let too many pass."""
    return "away" if found.status == "away" else "on" if found.on_duty and found.capacity else "off"


def state(found: desk.AgentProfile) -> str:
    """Where an agent is: `absent`, `gone`, `on` duty, `away` on a break, or `off`: there, outside working hours."""
    if found.absent_until or not found.present:
        return "absent" if found.absent_until else "gone"
    return "on" if found.on_duty else "away" if found.status == "away" else "off"


# What the pages show.


def _page(
    agent: Agent,
    found: desk.AgentProfile,
    *,
    problem: str = "",
    wrong_times: str = "",
    typed: Mapping[str, Any] | None = None,
    status: int = 200,
) -> Response:
    """The page of a profile; what was typed stays where it was refused."""
    profiles = desk.profiles(here().store)
    shown: dict[str, Any] = {
        "skills": ", ".join(found.skills),
        "share": found.capacity,
        "time_zone": _zone(found),
        "holidays": ", ".join(found.holidays),
        "starts_at": "",
        "ends_at": "",
        "delegate": "",
    }
    shown |= {f"shift-{day}": _hours(found.shifts.get(day, ())) for day in DAYS}
    if typed is not None:
        shown |= {name: typed[name] for name in shown if name in typed}
    chosen = set(request.form.getlist("language")) if problem else set(found.languages)
    return layout.show(
        "desk/profile.html",
        agent,
        status=status,
        profile=found,
        shown=shown,
        problem=problem,
        wrong_times=wrong_times,
        tongues_spoken=[
            {"code": code, "name": native_name(code), "chosen": code in chosen} for code in here().languages
        ],
        days=DAYS,
        most=MOST_CAPACITY,
        zone=_zone(found),
        colleagues=[each.agent for each in profiles if each.agent != found.agent],
        absences=_absences(agent, found.agent),
        may_sign_out=agent.may("overrule") or agent.name == found.agent,
    )


def _row(found: desk.AgentProfile, reader: Agent, t: Texts) -> dict[str, Any]:
    today = str(here().store.now().date())
    return {
        "name": found.agent,
        "url": _address(found.agent) if _may(reader, found.agent) else None,
        "state": state(found),
        "until": iso(found.absent_until) if found.absent_until else None,
        "until_text": layout.local(found.absent_until, t) if found.absent_until else "",
        "languages": t.format.listed(native_name(lang) for lang in found.languages),
        "skills": found.skills,
        "share": found.capacity,
        "hours": [(t(f"team.day_{day}"), _said_hours(found.shifts[day], t)) for day in DAYS if found.shifts.get(day)],
        "zone": found.time_zone,
        "holidays": [t.format.day(date.fromisoformat(day)) for day in found.holidays if day >= today],
    }


def _absences(reader: Agent, name: str | None = None) -> list[dict[str, Any]]:
    t = Texts(layout.language_of_reader())
    return [
        {
            **each,
            "starts_text": layout.local(parse_time(each["starts_at"]), t),
            "ends_text": layout.local(parse_time(each["ends_at"]), t),
            "may_end": _may(reader, each["agent"]),
        }
        for each in desk.absences(here().store, name)
    ]


def _profile(name: str) -> desk.AgentProfile:
    try:
        return desk.profile(here().store, name)
    except desk.DeskError:
        raise ApiError(404, "no_agent", "Nobody of that name works at the desk.") from None


def _arranger(name: str) -> Agent | Response:
    """Who is signed in, if this profile is theirs or they may overrule; a way to sign in; ApiError 403 for others."""
    agent = session.by_session()
    if agent is None:
        return layout.to_login()
    if not _may(agent, name):
        raise ApiError(403, "forbidden", "Only supervisors arrange a colleague's seat.")
    return agent


def _may(agent: Agent, name: str) -> bool:
    return agent.name == name or agent.may("overrule")


def _address(name: str) -> str:
    return f"{ADDRESS}/{quote(name)}"


# What is typed.


def _zone(found: desk.AgentProfile) -> str:
    """The clock of a profile; the shop's where none was chosen."""
    shop = here().index.shop(here().index.default_language) or {}
    usual = str(shop.get("time_zone", "UTC"))
    return found.time_zone if found.time_zone != "UTC" or found.shifts or not _zone_is_known(usual) else usual


def _zone_is_known(zone: str) -> bool:
    try:
        return bool(ZoneInfo(zone).key)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _moment(typed: str, zone: str) -> datetime:
    """A time as a browser's field writes it, `2026-12-24T09:00`, on a clock. ValueError for another."""
    at = datetime.fromisoformat(_plain(typed).strip()[:20])
    if at.tzinfo is not None or not 2000 < at.year < 9000:
        raise ValueError(typed)
    return at.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _spans(typed: str) -> list[list[str]]:
    """Hours like `09:00-12:00, 13:00-17:00`. ValueError for others."""
    spans = []
    for part in _COMMA.split(_plain(typed[:200])):
        if not part.strip():
            continue
        match = _SPAN.fullmatch(part.strip())
        if match is None:
            raise ValueError(typed)
        begin, minute, end, last = map(int, match.groups())
        if begin > 23 or end > 24 or minute > 59 or last > 59 or (end == 24 and last):
            raise ValueError(typed)
        spans.append([f"{begin:02}:{minute:02}", f"{end:02}:{last:02}"])
    return spans


def _hours(shift: Any) -> str:
    """Hours as they are typed."""
    return ", ".join(f"{begin}–{end}" for begin, end in _pairs(shift))


def _said_hours(shift: Any, t: Texts) -> str:
    """Hours as the reader's language says them; midnight, 24:00 here, is the first minute of a day."""
    clock = [[time.fromisoformat("00:00" if at == "24:00" else at) for at in pair] for pair in _pairs(shift)]
    return t.format.listed(t.format.hours(begin, end) for begin, end in clock)


def _pairs(shift: Any) -> list[Any]:
    return [shift] if shift and isinstance(shift[0], str) else list(shift)


def _plain(typed: str) -> str:
    """With the digits of any script as those of a clock."""
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in typed)
