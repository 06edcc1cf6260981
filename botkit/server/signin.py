"""Owns who is at the desk's doors: the signed session cookie, the bearer token, and how often one may try to sign in.

A session holds an agent's id and stamp, nothing else; the account itself is read again at every request, so that a
closed account or a changed password ends it at once. It never decides what an agent may do to a ticket.
"""

from __future__ import annotations

import math
from urllib.parse import urlsplit

from flask import request, session

from botkit import people
from botkit.people import Agent

from . import intake, limits
from .context import here
from .errors import ApiError

TRIES = 5
"""Attempts at one name from one address before it must wait."""
_SECONDS_PER_TRY = 60.0


class Refused(Exception):
    """Nobody is let in: `code` is wrong, no_place or too_many; `seconds` is how long too_many lasts."""

    def __init__(self, code: str, seconds: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.seconds = seconds


def sign_in(name: str, password: str) -> Agent:
    """Begin the session of the agent with this name and password, or Refused."""
    try:
        limits.check("login")
    except ApiError as error:
        raise Refused("too_many", error.retry_after or 1) from None
    who = f"{name.strip().casefold()[:80]}\0{limits.caller()}"
    wait = here().rates.take("login name", who, 1.0 / _SECONDS_PER_TRY, TRIES)
    if wait > 0:
        raise Refused("too_many", math.ceil(wait))
    agent = people.authenticate(here().store, name, password)
    if agent is None:
        raise Refused("wrong")
    if not agent.may("desk"):
        raise Refused("no_place")
    sign_out()
    session.permanent = True
    session["agent"] = agent.id
    session["stamp"] = agent.stamp
    return agent


def sign_out() -> None:
    """End the session; the language chosen for the interface stays."""
    lang = session.get("lang")
    session.clear()
    if lang:
        session["lang"] = lang


def by_session() -> Agent | None:
    """Whose session this is, if it still holds."""
    agent_id, stamp = session.get("agent"), session.get("stamp")
    if not isinstance(agent_id, int):
        return None
    agent = people.agent(here().store, agent_id)
    if agent is None or agent.stamp != stamp or not agent.may("desk"):
        return None
    return agent


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
    if not address or not address.startswith("/desk") or "\\" in address:
        return "/desk"
    parts = urlsplit(address)
    inside = parts.path == "/desk" or parts.path.startswith("/desk/")
    if parts.scheme or parts.netloc or not inside or parts.path == "/desk/login":
        return "/desk"
    return address
