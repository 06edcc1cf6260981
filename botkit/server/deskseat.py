"""Owns the page of a place at the desk: here or on a break, languages, how many conversations at once, absences.

Everybody has their own; a supervisor has everybody's, for the colleague who is ill today. It decides nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, request

from botkit import desk
from botkit.people import Agent
from botkit.store import parse_time

from . import deskdoors, signin
from . import deskframe as frame
from .context import here
from .errors import ApiError
from .rendering import Texts, native_name

blueprint = Blueprint("deskseat", __name__)
blueprint.before_request(deskdoors.alive)

ADDRESS = "/desk/seat"


@blueprint.post("/desk/presence")
def presence() -> Response:
    """Say that one is here for new conversations, or on a break."""
    agent = signin.by_session()
    if agent is None:
        return frame.to_login()
    with contextlib.suppress(desk.DeskError):  # another status than the page's two
        desk.seen(here().store, agent, request.form.get("status", ""))
    return frame.to("/desk")


@blueprint.get(ADDRESS)
def seat() -> Response:
    agent = signin.by_session()
    if agent is None:
        return frame.to_login()
    store, index = here().store, here().index
    found = _seat(agent, request.args.get("agent") or agent.name)
    zone = frame.zone(index)

    def day(text: str, before: int = 0) -> str:
        return f"{(parse_time(text).astimezone(zone) - timedelta(seconds=before)):%Y-%m-%d}"

    return frame.show(
        "desk/seat.html",
        agent,
        seat=found,
        own=found.agent == agent.name,
        tongues_spoken=[(lang, native_name(lang), lang in found.languages) for lang in index.languages],
        colleagues=[each.agent for each in desk.seats(store) if each.agent != found.agent],
        today=f"{store.now().astimezone(zone):%Y-%m-%d}",
        absences=[
            each | {"first": day(each["starts_at"]), "last": day(each["ends_at"], before=1)}
            for each in desk.absences(store, found.agent)
        ],
    )


@blueprint.post(ADDRESS)
def arrange() -> Response:
    share = request.form.get("share", type=int)
    spoken = [lang for lang in request.form.getlist("language") if lang in here().index.languages]
    return _act(lambda agent, name: desk.arrange(here().store, agent, name, languages=spoken, share=share))


@blueprint.post(f"{ADDRESS}/absences")
def plan() -> Response:
    def by_days(agent: Agent, name: str) -> object:
        first, last = _midnight(request.form.get("first", "")), _midnight(request.form.get("last", ""), 1)
        delegate = request.form.get("delegate", "")[:80] or None
        return desk.plan_absence(here().store, agent, name, first, last, delegate)

    return _act(by_days)


@blueprint.post(f"{ADDRESS}/absences/<int(max=2147483647):absence_id>/end")
def end(absence_id: int) -> Response:
    return _act(lambda agent, _: desk.end_absence(here().store, agent, absence_id))


def _act(action: Callable[[Agent, str], object]) -> Response:
    """Do it to the place that the form is about, and go back to its page, which says whether it was done."""
    agent = signin.by_session()
    if agent is None:
        return frame.to_login()
    t, name = Texts(frame.language_of_reader()), request.form.get("agent", "")[:80] or agent.name
    try:
        action(agent, name)
    except desk.NotAllowed as error:
        raise ApiError(403, error.code, "This is another agent's place.") from None
    except desk.DeskError:
        flash(t("desk.not_done"))
    else:
        desk.tick(here().store, policy=here().policy)  # an absence that has begun is over, or begins, at once
        flash(t("desk.saved"))
    return frame.to(ADDRESS if name == agent.name else f"{ADDRESS}?{urlencode({'agent': name})}")


def _seat(agent: Agent, name: str) -> desk.Seat:
    if name != agent.name and not agent.may("overrule"):
        raise ApiError(403, desk.NotAllowed.code, "This is another agent's place.")
    try:
        return desk.seat(here().store, name)
    except desk.DeskError as error:
        raise ApiError(404, error.code, "Nobody of that name works at the desk.") from None


def _midnight(text: str, later: int = 0) -> datetime:
    """When a day begins where the shop is, or the `later`-th day after it; desk.DeskError for what is no day."""
    try:
        day = date.fromisoformat(text) + timedelta(days=later)
    except (ValueError, OverflowError):
        raise desk.DeskError(f"{text!r} is no day: write 2026-12-24") from None
    return datetime.combine(day, time(), frame.zone(here().index)).astimezone(UTC)
