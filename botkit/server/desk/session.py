"""Owns who is asking at the desk: the session of a browser, the bearer token, and the steps of signing in.

A browser has a random text; the sign-in that it opens is a row that `accounts` keeps, read once at every request
together with the account, so that whatever ends it does so at once. Guesses are counted by `accounts`, in the database.
It never decides what an agent may do to a ticket.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
from urllib.parse import urlencode, urlsplit

from flask import g, request

from botkit import accounts, desk
from botkit.accounts import Agent, Session
from botkit.server.http import cookies, rate_limits, requests
from botkit.server.http.context import here
from botkit.server.http.errors import ApiError
from botkit.store import StoreError

log = logging.getLogger("botkit.server")


class Refused(Exception):
    """Nobody is let in: `code` is wrong, wrong_code, expired, no_place or too_many; `seconds` is how long too_many
    lasts and `what` is what was tried too often: here, name, address, or empty for requests of any kind."""

    def __init__(self, code: str, seconds: int = 0, what: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.seconds = seconds
        self.what = what


def sign_in(name: str, password: str) -> Agent:
    """Begin the session of the agent with this name and password, or Refused. With a second factor, it begins with
    the code only: see `onward`."""
    device = cookies.get(cookies.DEVICE)
    if not accounts.known_here(here().store, name, rate_limits.caller(), device):
        _knock()  # who is known waits for their own tries alone
    fresh = device or secrets.token_urlsafe(32)
    try:
        agent = accounts.sign_in(here().store, name, password, rate_limits.caller(), fresh)
    except accounts.TooManyGuesses as wait:
        raise Refused("too_many", wait.seconds, wait.what) from None
    if agent is None:
        raise Refused("wrong")
    if not _has_place(agent):
        raise Refused("no_place")
    cookies.put(cookies.DEVICE, fresh, accounts.KNOWN)
    sign_out()
    try:
        begin(agent, half=agent.second_factor)
    except accounts.AccountError:  # changed since: what was typed is of the past
        raise Refused("wrong") from None
    return agent


def half_in() -> Agent | None:
    """Whose password was right a short while ago, and whose code is still to come."""
    result = _session()
    return result[1] if result is not None and result[0].half and _has_place(result[1]) else None


def give_code(code: str) -> Agent:
    """Begin the session of the agent who is half in, with a code of the second factor, or Refused."""
    agent = half_in()
    if agent is None:
        raise Refused("expired")
    try:
        right = accounts.sign_in_with_code(
            here().store, agent, code, rate_limits.caller(), cookies.get(cookies.DEVICE)
        )
    except accounts.TooManyGuesses as wait:
        raise Refused("too_many", wait.seconds, wait.what) from None
    if not right:
        raise Refused("wrong_code")
    sign_out()
    try:
        begin(agent)
    except accounts.AccountError:
        raise Refused("expired") from None
    return agent


def begin(agent: Agent, *, half: bool = False) -> None:
    """Begin a session of this browser, and give it a text of its own. PeopleError when the account was changed since
    `agent` was read."""
    text = accounts.begin_session(
        here().store, agent, request.headers.get("User-Agent", ""), here().session_life, half=half
    )
    cookies.put(cookies.SESSION, text, accounts.HALF if half else here().session_life)
    _forget()


def sign_out() -> None:
    """End the session of this browser, here and in the database."""
    result = _session()
    if result is not None:
        accounts.sign_out(here().store, *result)
    if cookies.get(cookies.SESSION):
        cookies.put(cookies.SESSION, "", accounts.HALF)
    _forget()


def signed_in() -> Agent | None:
    """Whose session this is, if it still holds; `due` says what must be done before the desk opens."""
    result = _session()
    if result is None or result[0].half or not _has_place(result[1]):
        return None
    with contextlib.suppress(StoreError):  # reading must go on where that cannot be written
        accounts.note_seen(here().store, result[0])
    return result[1]


def session_id() -> int | None:
    """The number of this browser's session."""
    result = _session()
    return None if result is None else result[0].id


def tell(text: str) -> None:
    """Let the next page say something, once."""
    result = _session()
    if result is not None:
        with contextlib.suppress(StoreError):
            accounts.tell(here().store, result[0], text)
        _forget()


def told(*, take: bool = True) -> tuple[str, ...]:
    """What this page is to say; `take`: it is forgotten with that."""
    result = _session()
    if result is None:
        return ()
    if take:
        with contextlib.suppress(StoreError):
            accounts.take_told(here().store, result[0])
    return result[0].told


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
    """The agent behind an API request, by bearer token or else by session; ApiError 401, 403 or 429 for anybody else.

    A token that is sent must be right: a wrong one is not forgiven for the sake of a cookie.
    """
    _forget()  # a stream asks again and again, in one request
    agent = (
        accounts.agent_by_token(here().store, requests.bearer()) if "Authorization" in request.headers else by_session()
    )
    if agent is None:
        raise ApiError(401, "unauthorized", "Sign in, or send an agent's token: Authorization: Bearer TOKEN.")
    if "counted" not in g:
        g.counted = True
        rate_limits.check("desk", who=f"{agent.id}:{agent.token or ''}")
    if not agent.may("desk"):
        raise ApiError(403, "forbidden", f"The role {agent.role} has no place at the desk.")
    if request.method not in ("GET", "HEAD") and not agent.may_write:
        raise ApiError(403, "scope", "This token may only read: take one with the scope answer.")
    return agent


def within_desk(address: str | None) -> str:
    """An address to go to after signing in: of the desk, or the desk's own."""
    if not address or not address.startswith("/desk") or "\\" in address or not address.isprintable():
        return "/desk"
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/desk"
    inside = parts.path == "/desk" or parts.path.startswith("/desk/")
    if parts.scheme or parts.netloc or not inside or parts.path.startswith("/desk/login"):
        return "/desk"
    return address


def _session() -> tuple[Session, Agent] | None:
    """The session of this browser, read once a request unless something changed it."""
    if "session" not in g:
        text = cookies.get(cookies.SESSION)
        g.session = accounts.session_of(here().store, text, here().session_idle) if text else None
    result: tuple[Session, Agent] | None = g.session
    return result


def _forget() -> None:
    g.pop("session", None)


def _has_place(agent: Agent) -> bool:
    return agent.may("desk") or agent.may("overview")


def _knock() -> None:
    try:
        rate_limits.check("login")
    except ApiError as error:
        raise Refused("too_many", error.retry_after or 1) from None


def alive() -> None:
    """Whoever has the desk open is there."""
    agent = by_session()
    if agent is None:
        return
    seen(agent)
