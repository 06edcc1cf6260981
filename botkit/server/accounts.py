"""Owns the pages of accounts: the code at a sign-in, one's own account, the team's, the audit log and the outbox.

All of them are forms that work without JavaScript. A secret that is told once (a password, a token, recovery codes) is
on the page that answers the form and nowhere else: in no cookie, no address and no log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, request

from botkit import outbox, people
from botkit.people import Agent, PeopleError, TooManyGuesses
from botkit.store import iso, parse_time

from . import deskframe as frame
from . import limits, signin
from .context import here
from .errors import ApiError
from .rendering import Texts

blueprint = Blueprint("accounts", __name__)

LINES = 50
"""Lines of the audit log on a page."""
_LAST = 2**31 - 1
_ACCOUNT = "<int(max=2147483647):agent_id>"


# The second step of signing in.


@blueprint.get("/desk/login/code")
def code_page() -> Response:
    wanted = signin.within_desk(request.args.get("next"))
    if signin.half_in() is None:
        return frame.to(signin.onward(wanted))
    return frame.show("desk/code.html", None, next=wanted)


@blueprint.post("/desk/login/code")
def code() -> Response:
    wanted = signin.within_desk(request.form.get("next"))
    try:
        signin.give_code(request.form.get("code", "")[:80])
    except signin.Refused as refusal:
        if refusal.code == "expired":
            return frame.to(signin.onward(wanted))
        t = Texts(frame.language_of_reader())
        too_many = refusal.code == "too_many"
        problem = t("desk.too_many", seconds=refusal.seconds) if too_many else t("accounts.wrong_code")
        response = frame.show("desk/code.html", None, status=429 if too_many else 401, problem=problem, next=wanted)
        if refusal.seconds:
            response.headers["Retry-After"] = str(refusal.seconds)
        return response
    return frame.to(signin.onward(wanted))


# One's own account.


@blueprint.get("/desk/account")
def account() -> Response:
    agent = signin.signed_in()
    return frame.to_login() if agent is None else _own(agent)


@blueprint.post("/desk/account/password")
def own_password() -> Response:
    def change(agent: Agent) -> Response:
        signin.begin(people.set_password(here().store, agent.name, request.form.get("new", ""), by=agent))
        return _done("password_changed", signin.onward("/desk/account"))

    return _as_oneself(change, "current")


@blueprint.post("/desk/account/sessions")
def own_sessions() -> Response:
    def end(agent: Agent) -> Response:
        signin.begin(people.end_sessions(here().store, agent.name, by=agent))
        return _done("sessions_ended", "/desk/account")

    return _as_oneself(end)


@blueprint.post("/desk/account/factor")
def begin_factor() -> Response:
    def begin(agent: Agent) -> Response:
        people.begin_factor(here().store, agent)
        return frame.to("/desk/account#factor")

    return _as_oneself(begin, "password")


@blueprint.post("/desk/account/factor/confirm")
def confirm_factor() -> Response:
    def confirm(agent: Agent) -> Response:
        codes = people.confirm_factor(here().store, agent, request.form.get("code", "")[:80])
        if codes is None:
            return _refused("wrong_code", "/desk/account#factor")
        return _own(_again(agent), codes=codes)

    return _as_oneself(confirm)


@blueprint.post("/desk/account/factor/codes")
def recovery_codes() -> Response:
    return _as_oneself(lambda agent: _own(agent, codes=people.new_recovery_codes(here().store, agent)), "password")


@blueprint.post("/desk/account/factor/off")
def own_factor_off() -> Response:
    def off(agent: Agent) -> Response:
        signin.begin(people.factor_off(here().store, agent.name, by=agent))
        return _done("factor_is_off", "/desk/account")

    return _as_oneself(off, "password")


def _as_oneself(action: Callable[[Agent], Response], password_field: str | None = None) -> Response:
    """Do it as the agent signed in, who types the password again where a field is named."""
    agent = signin.signed_in()
    if agent is None:
        return frame.to_login()
    back = "/desk/account"
    try:
        if password_field is not None:
            typed = request.form.get(password_field, "")
            if not people.confirm(here().store, agent, typed, limits.caller()):
                return _refused("wrong_password", back)
        return action(agent)
    except TooManyGuesses as wait:
        flash(Texts(frame.language_of_reader())("desk.too_many", seconds=wait.seconds))
        return frame.to(back)
    except PeopleError as error:
        return _refused(error.code, back)


def _own(agent: Agent, codes: list[str] | None = None) -> Response:
    store, shop = here().store, here().index.shop(here().index.default_language) or {}
    secret = people.pending_factor(store, agent)
    return frame.show(
        "desk/account.html",
        agent,
        due=signin.due(agent),
        required=agent.role in here().second_factor_roles,
        codes=codes,
        codes_left=people.recovery_codes_left(store, agent),
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)) if secret else None,
        link=people.factor_link(secret, agent.name, str(shop.get("name") or "botkit")) if secret else None,
        tokens=[_time(at) for at in people.tokens(store, agent)],
    )


def _again(agent: Agent) -> Agent:
    """The agent as the account is now; this session goes on under its new stamp."""
    found = people.agent(here().store, agent.id)
    assert found is not None
    signin.begin(found)
    return found


# The team's accounts.


@blueprint.get("/desk/accounts")
def team() -> Response:
    return _team(_admitted("people"))


@blueprint.post("/desk/accounts")
def add() -> Response:
    agent = _admitted("people")
    if isinstance(agent, Response):
        return agent
    name, role, password = request.form.get("name", ""), request.form.get("role", ""), people.new_password()
    try:
        person = people.add_agent(here().store, name, role, password, temporary=True, by=agent)
    except PeopleError as error:
        t = Texts(frame.language_of_reader())
        return _team(agent, status=400, problem=t(f"accounts.problem_{error.code}"), name=name[:80], role=role)
    return _one(agent, person, told="password", secret=password)


@blueprint.get(f"/desk/accounts/{_ACCOUNT}")
def one(agent_id: int) -> Response:
    agent = _admitted("people")
    return agent if isinstance(agent, Response) else _one(agent, _person(agent_id))


@blueprint.post(f"/desk/accounts/{_ACCOUNT}/<action>")
def act(agent_id: int, action: str) -> Response:
    agent = _admitted("people")
    if isinstance(agent, Response):
        return agent
    person, store, back = _person(agent_id), here().store, f"/desk/accounts/{agent_id}"
    if person.id == agent.id and action in ("role", "disable", "password", "factor-off"):
        return _refused("oneself", back)  # so that there is always an admin left; the rest is on one's own page
    try:
        if action == "password":
            password = people.new_password()
            person = people.set_password(store, person.name, password, temporary=True, by=agent)
            return _one(agent, person, told="password", secret=password)
        if action == "token":
            return _one(agent, person, told="token", secret=people.issue_token(store, person.name, by=agent))
        if action == "role":
            people.set_role(store, person.name, request.form.get("role", ""), by=agent)
        elif action in _ACTIONS:
            _ACTIONS[action](store, person.name, by=agent)
        else:
            raise ApiError(404, "not_found", "There is nothing at this address.")
    except PeopleError as error:
        return _refused(error.code, back)
    if person.id == agent.id:
        _again(agent)
    return _done("done", back)


_ACTIONS: dict[str, Callable[..., Any]] = {
    "disable": people.disable,
    "enable": people.enable,
    "revoke": people.revoke_tokens,
    "unlock": people.unlock,
    "sessions": people.end_sessions,
    "factor-off": people.factor_off,
}


def _team(agent: Agent | Response, status: int = 200, **values: Any) -> Response:
    if isinstance(agent, Response):
        return agent
    store = here().store
    return frame.show(
        "desk/accounts.html",
        agent,
        status=status,
        people=people.agents(store),
        locked=people.locked(store),
        roles=people.ROLES,
        rights={what: set(roles) for what, roles in people.MAY.items()},
        **values,
    )


def _one(agent: Agent, person: Agent, told: str | None = None, secret: str | None = None) -> Response:
    store = here().store
    lines = people.audited(store, target=people.actor(person), limit=10)
    return frame.show(
        "desk/person.html",
        agent,
        person=person,
        oneself=person.id == agent.id,
        locked=person.name in people.locked(store),
        roles=people.ROLES,
        tokens=[_time(at) for at in people.tokens(store, person)],
        lines=_lines(lines),
        told=told,
        secret=secret,
        days=people.TEMPORARY.days,
    )


def _person(agent_id: int) -> Agent:
    found = people.agent(here().store, agent_id)
    if found is None:
        raise ApiError(404, "no_account", "There is no such account.")
    return found


# Who did and saw what, and what waits to be delivered.


@blueprint.get("/desk/audit")
def audit() -> Response:
    agent = _admitted("audit")
    if isinstance(agent, Response):
        return agent
    store, given = here().store, request.args
    wanted = {name: given.get(name, "").replace("\0", "")[:80] for name in ("actor", "action", "since")}
    before = given.get("before", type=int)
    before = None if before is None else max(0, min(before, _LAST))
    try:
        since = parse_time(wanted["since"]) if wanted["since"] else None
    except (ValueError, OverflowError):
        since, wanted["since"] = None, ""
    found = people.audited(
        store,
        actor=wanted["actor"] or None,
        action=wanted["action"] or None,
        since=since,
        before=before,
        limit=LINES + 1,
    )
    query, t = {name: value for name, value in wanted.items() if value}, Texts(frame.language_of_reader())
    return frame.show(
        "desk/audit.html",
        agent,
        lines=_lines(found[:LINES]),
        actors=[(each, _actor(each, t)) for each in (*map(people.actor, people.agents(store)), *_OTHERS)],
        actions=people.ACTIONS,
        wanted=wanted,
        newest=f"/desk/audit?{urlencode(query)}" if before else None,
        older=f"/desk/audit?{urlencode(query | {'before': found[LINES - 1].id})}" if len(found) > LINES else None,
    )


@blueprint.get("/desk/outbox")
def deliveries() -> Response:
    agent = _admitted("people")
    if isinstance(agent, Response):
        return agent
    store, state = here().store, request.args.get("state", "")
    state = state if state in outbox.STATES else "given_up"
    rows = [
        {"id": each.id, "what": each.payload.get("type") or each.kind, "tries": each.tries, "reason": each.reason}
        | {"message_id": each.message_id, "state": each.state, **_time(each.made_at)}
        for each in outbox.deliveries(store, state, LINES)
    ]
    return frame.show("desk/outbox.html", agent, rows=rows, state=state, states=outbox.STATES)


@blueprint.post("/desk/outbox/retry")
def retry() -> Response:
    agent = _admitted("people")
    if isinstance(agent, Response):
        return agent
    store, only = here().store, None  # all of them
    if "id" in request.form:
        only = max(0, min(request.form.get("id", 0, type=int), _LAST))
    count = outbox.retry(store, None if only is None else [only])
    with store.write() as conn:
        people.audit(store, conn, agent, "outbox.retried", count=count, id=only)
    return _done("done", "/desk/outbox?state=waiting")


def _lines(found: list[people.Line]) -> list[dict[str, Any]]:
    t = Texts(frame.language_of_reader())
    return [
        {
            **_time(line.at),
            "actor": _actor(line.actor, t),
            "action_text": t(f"accounts.did_{line.action.replace('.', '_')}")
            if line.action in people.ACTIONS
            else line.action,
            "target": line.target,
            "detail": [f"{name}: {value}" for name, value in line.detail.items()],
        }
        for line in found
    ]


def _actor(actor: str, t: Texts) -> str:
    if actor in _OTHERS:
        return t(f"accounts.actor_{actor}")
    return {"bot": t("desk.bot"), "customer": t("desk.customer")}.get(actor, actor.removeprefix("agent:"))


_OTHERS = (people.CONSOLE, "system")


# What these pages share.


def _admitted(what: str) -> Agent | Response:
    """The agent signed in, if the role allows it; else the way to the sign-in, or ApiError 403."""
    agent = signin.by_session()
    if agent is None:
        return frame.to_login()
    if not agent.may(what):
        raise ApiError(403, "forbidden", f"The role {agent.role} may not see this page.")
    return agent


def _done(text: str, address: str) -> Response:
    flash(Texts(frame.language_of_reader())(f"accounts.{text}"))
    return frame.to(address)


def _refused(code: str, address: str) -> Response:
    flash(Texts(frame.language_of_reader())(f"accounts.problem_{code}"))
    return frame.to(address)


def _time(at: Any) -> dict[str, str]:
    return {"at": iso(at), "at_text": frame.local(at, here().index)}
