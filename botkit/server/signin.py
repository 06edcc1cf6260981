"""Owns who is at the desk's doors: the signed session cookie, the bearer token, and the steps of signing in.

A session holds an agent's id and stamp, nothing else; the account itself is read again at every request, so that a
closed account or a changed password ends it at once. Guesses are counted by `people`, in the database. It never
decides what an agent may do to a ticket.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from flask import request, session

from botkit import desk, people
from botkit.people import Agent
from botkit.store import StoreError, parse_time

from . import intake, limits
from .context import here
from .errors import ApiError

log = logging.getLogger("botkit.server")

_CODE_WITHIN = timedelta(minutes=10)
"""How long the password counts while the code is looked for."""


class Refused(Exception):
    """Nobody is let in: `code` is wrong, no_place or too_many; `seconds` is how long too_many lasts."""

    def __init__(self, code: str, seconds: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.seconds = seconds


def sign_in(name: str, password: str) -> Agent:
    """Begin the session of the agent with this name and password, or Refused. With a second factor, it begins with
    the code only: see `onward`."""
    _knock()
    try:
        agent = people.sign_in(here().store, name, password, limits.caller())
    except people.TooManyGuesses as wait:
        raise Refused("too_many", wait.seconds) from None
    if agent is None:
        raise Refused("wrong")
    if not _has_place(agent):
        raise Refused("no_place")
    sign_out()
    if agent.second_factor:
        session["half"] = [agent.id, agent.stamp, here().store.now().isoformat()]
    else:
        begin(agent)
    return agent


def half_in() -> Agent | None:
    """Whose password was right a short while ago, and whose code is still to come."""
    try:
        agent_id, stamp, at = session["half"]
        fresh = here().store.now() - parse_time(at) < _CODE_WITHIN
    except (KeyError, ValueError, TypeError):
        return None
    agent = people.agent(here().store, agent_id) if fresh else None
    return agent if agent is not None and agent.stamp == stamp and _has_place(agent) else None


def give_code(code: str) -> Agent:
    """Begin the session of the agent who is half in, with a code of the second factor, or Refused."""
    agent = half_in()
    if agent is None:
        raise Refused("expired")
    _knock()
    try:
        right = people.sign_in_with_code(here().store, agent, code, limits.caller())
    except people.TooManyGuesses as wait:
        raise Refused("too_many", wait.seconds) from None
    if not right:
        raise Refused("wrong_code")
    sign_out()
    begin(agent)
    return agent


def begin(agent: Agent) -> None:
    """Begin a session, or go on with it under the account's new stamp."""
    session.permanent = True
    session["agent"] = agent.id
    session["stamp"] = agent.stamp


def sign_out() -> None:
    """End the session; the language chosen for the interface stays."""
    lang = session.get("lang")
    session.clear()
    if lang:
        session["lang"] = lang


def signed_in() -> Agent | None:
    """Whose session this is, if it still holds; `due` says what must be done before the desk opens."""
    agent_id, stamp = session.get("agent"), session.get("stamp")
    if not isinstance(agent_id, int):
        return None
    agent = people.agent(here().store, agent_id)
    if agent is None or agent.stamp != stamp or not _has_place(agent):
        return None
    return agent


def seen(agent: Agent) -> None:
    """Note that the agent is at the desk. Reading must go on where that cannot be written."""
    try:
        desk.seen(here().store, agent)
    except StoreError as error:
        log.error("presence was not noted: %s", error)


def due(agent: Agent) -> str | None:
    """What the agent must do first: choose a `password`, or set up a second `factor`; None: nothing."""
    if agent.must_change:
        return "password"
    if agent.role in here().second_factor_roles and not agent.second_factor:
        return "factor"
    return None


def by_session(what: str = "desk") -> Agent | None:
    """Whose session this is, if it still holds and opens the desk, or whatever else the role must allow."""
    agent = signed_in()
    return agent if agent is not None and due(agent) is None and agent.may(what) else None


def onward(wanted: str) -> str:
    """Where to go after a step of signing in: to the next step, or to what was wanted; who has no place at the desk
    itself has one page of it, and their own."""
    if half_in() is not None:
        return "/desk/login/code?" + urlencode({"next": wanted})
    agent = signed_in()
    if agent is None:
        return "/desk/login?" + urlencode({"next": wanted})
    if due(agent) or (not agent.may("desk") and urlsplit(wanted).path == "/desk/account"):
        return "/desk/account"
    return wanted if agent.may("desk") else "/desk/overview"


def caller() -> Agent:
    """The agent behind an API request, by bearer token or else by session; ApiError 401 or 403 for anybody else.

    A token that is sent must be right: a wrong one is not forgiven for the sake of a cookie.
    """
    agent = people.agent_by_token(here().store, intake.bearer()) if "Authorization" in request.headers else by_session()
    if agent is None:
        raise ApiError(401, "unauthorized", "Sign in, or send an agent's token: Authorization: Bearer TOKEN.")
    if not agent.may("desk"):
        raise ApiError(403, "forbidden", f"The role {agent.role} has no place at the desk.")
    return agent


def within_desk(address: str | None) -> str:
    """An address to go to after signing in: of the desk, or the desk's own."""
    if not address or not address.startswith("/desk") or "\\" in address or not address.isprintable():
        return "/desk"
    parts = urlsplit(address)
    inside = parts.path == "/desk" or parts.path.startswith("/desk/")
    if parts.scheme or parts.netloc or not inside or parts.path.startswith("/desk/login"):
        return "/desk"
    return address


def _has_place(agent: Agent) -> bool:
    return agent.may("desk") or agent.may("overview")


def _knock() -> None:
    try:
        limits.check("login")
    except ApiError as error:
        raise Refused("too_many", error.retry_after or 1) from None
