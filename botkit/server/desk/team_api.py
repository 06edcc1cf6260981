"""Owns the part of the desk's HTTP API that is about the team: presence, profiles, absences, the supervisor's overview.

It reads the request, calls `desk` and tells its refusals. It decides nothing.
"""

from __future__ import annotations

from typing import Any, Literal

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field

from botkit import desk
from botkit.server.desk import refusals, schemas, session
from botkit.server.http import requests
from botkit.server.http.context import here
from botkit.server.http.errors import ApiError
from botkit.server.http.models import In
from botkit.server.http.openapi import describe
from botkit.store import parse_time

blueprint = Blueprint("team_api", __name__, url_prefix="/api/v1/desk")

_NAME = {"name": "The agent's name."}
_ABSENCE = {"absence_id": "The absence's number."}


class Presence(In):
    """A sign of life."""

    status: Literal["available", "away"] | None = Field(None, description="Left as it is when it is not said.")


class AgentProfile(BaseModel):
    """An agent at the desk."""

    model_config = ConfigDict(extra="allow")

    agent: str
    role: str
    languages: list[str] = Field(description="None means any.")
    skills: list[str]
    share: int = Field(description="How many conversations at once.")
    status: Literal["available", "away"]
    seen_at: str | None
    present: bool = Field(description="Seen in the last two minutes.")
    on_duty: bool = Field(description="Present, available, in a shift and not absent.")
    time_zone: str
    shifts: dict[str, Any]
    holidays: list[str]
    absent_until: str | None
    delegate: str | None
    missed: int = Field(description="Offers that ran out in a row; after three the agent counts as away.")


class AgentProfiles(BaseModel):
    """Everybody who may work at the desk."""

    agents: list[AgentProfile]


class Arrangement(In):
    """What is to change of a profile."""

    languages: list[str] | None = Field(None, max_length=20)
    skills: list[str] | None = Field(None, description="Met with the topics and tags of a ticket.", max_length=40)
    share: int | None = Field(None, ge=0, le=50)
    time_zone: str | None = Field(None, max_length=64)
    shifts: dict[str, Any] | None = Field(
        None, description='Hours by weekday: {"mon": ["09:00", "17:00"]}.', max_length=7
    )
    holidays: list[str] | None = Field(None, description="Days like 2026-12-25.", max_length=400)


class Absence(In):
    """When an agent is away, and who takes their conversations."""

    starts_at: str = Field(description="ISO 8601.", max_length=40)
    ends_at: str = Field(description="ISO 8601.", max_length=40)
    delegate: str | None = Field(None, description="A colleague; without one they go to the queue.", max_length=80)


class Absences(BaseModel):
    """Absences that are planned or under way, the next first."""

    absences: list[dict[str, Any]]


class Overview(BaseModel):
    """The desk now."""

    agents: list[AgentProfile] = Field(description="Each also with its `load`.")
    counts: dict[str, int]
    waiting: dict[str, Any] = Field(description="By `languages` and by `priorities`.")
    oldest: schemas.Ticket | None
    breached_count: int
    breached: list[schemas.Ticket] = Field(description="Whose first reply is late.")
    unanswered: list[schemas.Ticket] = Field(description="Whose customer waits for the next word, the longest first.")
    satisfaction: dict[str, Any] = Field(description="Of the last seven days.")


blueprint.register_error_handler(desk.DeskError, refusals.refused)


@blueprint.post("/presence")
@describe(body=Presence, gives={200: AgentProfile}, security="desk", tag="desk")
def presence() -> dict[str, Any]:
    """Say that you are there, at least once in two minutes, and whether you take conversations."""
    agent = session.caller()
    body = requests.body(Presence, optional=True)
    desk.seen(here().store, agent, body.status)
    result = desk.profile(here().store, agent.name)
    return result.as_dict()


@blueprint.get("/agents")
@describe(gives={200: AgentProfiles}, security="desk", tag="desk")
def agents() -> dict[str, Any]:
    """List who works at the desk."""
    session.caller()
    return {"agents": [profile.as_dict() for profile in desk.profiles(here().store)]}


@blueprint.post("/agents/<name>")
@describe(body=Arrangement, gives={200: AgentProfile}, errors=(403,), security="desk", tag="desk", parameters=_NAME)
def arrange(name: str) -> dict[str, Any]:
    """Say what an agent speaks and knows and when they work: one's own profile, or as a supervisor anybody's."""
    agent = session.caller()
    changes = requests.body(Arrangement).model_dump()
    changes["capacity"] = changes.pop("share")
    return desk.arrange(here().store, agent, name, known=here().languages, **changes).as_dict()


@blueprint.get("/absences")
@describe(gives={200: Absences}, security="desk", tag="desk")
def absences() -> dict[str, Any]:
    """List who will be away."""
    session.caller()
    return {"absences": desk.absences(here().store)}


@blueprint.post("/agents/<name>/absences")
@describe(body=Absence, gives={200: Absences}, errors=(403,), security="desk", tag="desk", parameters=_NAME)
def plan_absence(name: str) -> dict[str, Any]:
    """Say when an agent is away: oneself, or as a supervisor anybody.

    When it begins, conversations go to the delegate or back to the queue; when it ends, those that nobody else has
    taken come back.
    """
    agent = session.caller()
    body = requests.body(Absence)
    try:
        starts_at, ends_at = parse_time(body.starts_at), parse_time(body.ends_at)
    except ValueError:
        raise ApiError(400, "invalid", "Times are written like 2026-12-24T09:00Z.") from None
    desk.plan_absence(here().store, agent, name, starts_at, ends_at, body.delegate or None, here().policy)
    return {"absences": desk.absences(here().store)}


@blueprint.post("/absences/<int:absence_id>/end")
@describe(body=schemas.Nothing, gives={200: Absences}, errors=(403,), security="desk", tag="desk", parameters=_ABSENCE)
def end_absence(absence_id: int) -> dict[str, Any]:
    """End an absence now, or call it off."""
    agent = session.caller()
    requests.body(schemas.Nothing, optional=True)
    desk.end_absence(here().store, agent, absence_id, here().policy)
    return {"absences": desk.absences(here().store)}


@blueprint.get("/overview")
@describe(gives={200: Overview}, errors=(403,), security="desk", tag="desk")
def overview() -> dict[str, Any]:
    """See the whole desk, as a supervisor: who is on, who waits, what is late."""
    agent = session.caller()
    if not agent.may("overview"):
        raise desk.NotAllowed
    return desk.overview(here().store, here().policy).as_dict()

