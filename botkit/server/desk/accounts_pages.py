"""Owns the pages of the team's accounts.

All of them are forms that work without JavaScript. A secret that is told once (a password, a token) is on the page that
answers the form and nowhere else: in no cookie, no address and no log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from botkit import accounts
from botkit.accounts import AccountError, Agent
from botkit.server.desk import audit_page, layout
from botkit.server.desk.account_parts import form_number, refused, sessions_of, tokens_of
from botkit.server.http.context import here
from botkit.server.http.errors import ApiError
from botkit.server.http.templates import Texts

blueprint = Blueprint("accounts_pages", __name__)

_ACCOUNT = "<int(max=2147483647):agent_id>"


@blueprint.get("/desk/accounts")
def team() -> Response:
    return _team(layout.admitted("people"))


@blueprint.post("/desk/accounts")
def add() -> Response:
    agent = layout.admitted("people")
    if isinstance(agent, Response):
        return agent
    name, role, password = request.form.get("name", ""), request.form.get("role", ""), accounts.new_password()
    try:
        person = accounts.add_agent(here().store, name, role, password, temporary=True, by=agent)
    except AccountError as error:
        t = Texts(layout.language_of_reader())
        return _team(agent, status=400, problem=t(f"accounts.problem_{error.code}"), name=name[:80], role=role)
    return _one(agent, person, told="password", secret=password)


@blueprint.get(f"/desk/accounts/{_ACCOUNT}")
def one(agent_id: int) -> Response:
    agent = layout.admitted("people")
    return agent if isinstance(agent, Response) else _one(agent, _person(agent_id))


@blueprint.post(f"/desk/accounts/{_ACCOUNT}/<action>")
def act(agent_id: int, action: str) -> Response:
    agent = layout.admitted("people")
    if isinstance(agent, Response):
        return agent
    person, store, back = _person(agent_id), here().store, f"/desk/accounts/{agent_id}"
    if person.id == agent.id and action in ("role", "disable", "password", "factor-off"):
        return refused("oneself", back)  # so that there is always an admin left; the rest is on one's own page
    try:
        if action == "password":
            password = accounts.new_password()
            person = accounts.set_password(store, person.name, password, temporary=True, by=agent)
            return _one(agent, person, told="password", secret=password)
        if action == "token":
            return _one(agent, person, told="token", secret=_issued(agent, person))
        if action == "role":
            accounts.set_role(store, person.name, request.form.get("role", ""), by=agent)
        elif action == "sessions" and (chosen := form_number("id")) is not None:
            accounts.end_session(store, person, chosen, by=agent)
        elif action == "revoke" and (chosen := form_number("id")) is not None:
            accounts.revoke_token(store, person, chosen, by=agent)
        elif action in _ACTIONS:
            _ACTIONS[action](store, person.name, by=agent)
        else:
            raise ApiError(404, "not_found", "Nothing is served at this address.")
    except AccountError as error:
        return refused(error.code, back)
    return layout.done("done", back)  # whose own session ended with it is led to the sign-in from there


@blueprint.post("/desk/accounts/unlock")
def unlock_address() -> Response:
    """Let an address that guessed too often try again."""
    agent = layout.admitted("people")
    if isinstance(agent, Response):
        return agent
    accounts.unlock_address(here().store, request.form.get("address", "").replace("\0", "")[:80], by=agent)
    return layout.done("done", "/desk/accounts")


_ACTIONS: dict[str, Callable[..., Any]] = {
    "disable": accounts.disable,
    "enable": accounts.enable,
    "revoke": accounts.revoke_tokens,
    "unlock": accounts.unlock,
    "sessions": accounts.end_sessions,
    "factor-off": accounts.factor_off,
}


def _team(agent: Agent | Response, status: int = 200, **values: Any) -> Response:
    if isinstance(agent, Response):
        return agent
    store = here().store
    return layout.show(
        "desk/accounts.html",
        agent,
        status=status,
        people=accounts.agents(store),
        locked=_locks(),
        roles=accounts.ROLES,
        rights={what: set(roles) for what, roles in accounts.MAY.items()},
        **values,
    )


def _one(agent: Agent, person: Agent, told: str | None = None, secret: str | None = None) -> Response:
    store = here().store
    lines = accounts.audited(store, target=accounts.actor(person), limit=10)
    return layout.show(
        "desk/person.html",
        agent,
        person=person,
        oneself=person.id == agent.id,
        locked=_locks()["names"].get(person.name),
        roles=accounts.ROLES,
        scopes=accounts.SCOPES,
        token_days=here().settings.token_days,
        most_days=accounts.MOST_DAYS,
        sessions=sessions_of(person),
        tokens=tokens_of(person),
        lines=audit_page.lines(lines),
        told=told,
        secret=secret,
        days=accounts.TEMPORARY.days,
    )


def _person(agent_id: int) -> Agent:
    result = accounts.agent(here().store, agent_id)
    if result is None:
        raise ApiError(404, "no_account", "No such account.")
    return result


def _issued(agent: Agent, person: Agent) -> str:
    """A new token for somebody, as the form wants it."""
    form = request.form
    days = form_number("days") if form.get("days") else here().settings.token_days
    scope = form.get("scope", "answer")
    return accounts.issue_token(
        here().store, person.name, label=form.get("label", "")[:200], scope=scope, days=days or 0, by=agent
    )


def _locks() -> dict[str, dict[str, str]]:
    """Who has to wait after wrong tries, and how long in words."""
    t, locks = Texts(layout.language_of_reader()), accounts.locks(here().store)
    return {
        what: {name: layout.span(seconds, t) for name, seconds in result.items()}
        for what, result in (("names", locks.names), ("addresses", locks.addresses))
    }
