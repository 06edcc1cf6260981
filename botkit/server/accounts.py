"""Owns the pages of accounts: the code at a sign-in, one's own account and the team's.

All of them are forms that work without JavaScript. A secret that is told once (a password, a token, recovery codes) is
on the page that answers the form and nowhere else: in no cookie, no address and no log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from botkit import people
from botkit.people import Agent, PeopleError, TooManyGuesses

from . import cookies, limits, signin, trail
from . import deskframe as frame
from .context import here
from .errors import ApiError
from .rendering import Texts

blueprint = Blueprint("accounts", __name__)

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
        problem = frame.too_many(refusal.seconds, refusal.what, t) if too_many else t("accounts.wrong_code")
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
        new = request.form.get("new", "")
        signin.begin(people.set_password(here().store, agent.name, new, shop=_shop_names(), by=agent))
        return frame.done("password_changed", signin.onward("/desk/account"))

    return _as_oneself(change, "current")


@blueprint.post("/desk/account/sessions")
def own_sessions() -> Response:
    """End one sign-in of one's own, or all but this one."""

    def end(agent: Agent) -> Response:
        store, chosen = here().store, _number("id")
        if chosen is None:
            people.end_sessions(store, agent.name, but=signin.session_id(), by=agent)
            return frame.done("sessions_ended", "/desk/account#sessions")
        people.end_session(store, agent, chosen, by=agent)
        return frame.done("session_ended", "/desk/account#sessions")

    return _as_oneself(end)


@blueprint.post("/desk/account/tokens")
def own_tokens() -> Response:
    """Revoke one token of one's own."""

    def revoke(agent: Agent) -> Response:
        people.revoke_token(here().store, agent, _number("id") or 0, by=agent)
        return frame.done("done", "/desk/account#tokens")

    return _as_oneself(revoke)


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
        return frame.done("factor_is_off", "/desk/account")

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
            if not people.confirm(here().store, agent, typed, limits.caller(), cookies.get(cookies.DEVICE)):
                return _refused("wrong_password", back)
        return action(agent)
    except TooManyGuesses as wait:
        signin.tell(frame.too_many(wait.seconds, wait.what, Texts(frame.language_of_reader())))
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
        sessions=sessions_of(agent),
        tokens=_tokens(agent),
    )


def _again(agent: Agent) -> Agent:
    """The agent as the account is now, with a session of its own in place of those that ended."""
    found = people.agent(here().store, agent.id)
    assert found is not None
    signin.begin(found)
    return found


# The team's accounts.


@blueprint.get("/desk/accounts")
def team() -> Response:
    return _team(frame.admitted("people"))


@blueprint.post("/desk/accounts")
def add() -> Response:
    agent = frame.admitted("people")
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
    agent = frame.admitted("people")
    return agent if isinstance(agent, Response) else _one(agent, _person(agent_id))


@blueprint.post(f"/desk/accounts/{_ACCOUNT}/<action>")
def act(agent_id: int, action: str) -> Response:
    agent = frame.admitted("people")
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
            return _one(agent, person, told="token", secret=_issued(agent, person))
        if action == "role":
            people.set_role(store, person.name, request.form.get("role", ""), by=agent)
        elif action == "sessions" and (chosen := _number("id")) is not None:
            people.end_session(store, person, chosen, by=agent)
        elif action == "revoke" and (chosen := _number("id")) is not None:
            people.revoke_token(store, person, chosen, by=agent)
        elif action in _ACTIONS:
            _ACTIONS[action](store, person.name, by=agent)
        else:
            raise ApiError(404, "not_found", "Nothing is served at this address.")
    except PeopleError as error:
        return _refused(error.code, back)
    return frame.done("done", back)  # whose own session ended with it is led to the sign-in from there


@blueprint.post("/desk/accounts/unlock")
def unlock_address() -> Response:
    """Let an address that guessed too often try again."""
    agent = frame.admitted("people")
    if isinstance(agent, Response):
        return agent
    people.unlock_address(here().store, request.form.get("address", "").replace("\0", "")[:80], by=agent)
    return frame.done("done", "/desk/accounts")


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
        locked=_locks(),
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
        locked=_locks()["names"].get(person.name),
        roles=people.ROLES,
        scopes=people.SCOPES,
        token_days=here().settings.token_days,
        most_days=people.MOST_DAYS,
        sessions=sessions_of(person),
        tokens=_tokens(person),
        lines=trail.lines(lines),
        told=told,
        secret=secret,
        days=people.TEMPORARY.days,
    )


def _person(agent_id: int) -> Agent:
    found = people.agent(here().store, agent_id)
    if found is None:
        raise ApiError(404, "no_account", "No such account.")
    return found


# What these pages share.


def sessions_of(person: Agent) -> list[dict[str, Any]]:
    """The sign-ins of an agent as pages show them."""
    t, own = Texts(frame.language_of_reader()), signin.session_id()
    found = []
    for each in people.sessions(here().store, person, here().session_idle):
        name = each.browser and each.system and t("accounts.browser_on", browser=each.browser, system=each.system)
        name = name or each.browser or each.system or t("accounts.browser_unknown")
        times = {"seen": frame.timed(each.seen_at, t), "made": frame.timed(each.made_at, t)}
        found.append({"id": each.id, "name": name, "own": each.id == own, **times})
    return found


def _tokens(person: Agent) -> list[dict[str, Any]]:
    now, t = here().store.now(), Texts(frame.language_of_reader())
    return [
        {
            "id": each.id,
            "name": each.name,
            "prefix": each.prefix,
            "scope": each.scope,
            "over": each.expires_at <= now,
            "issued": frame.timed(each.issued_at, t),
            "expires": frame.timed(each.expires_at, t),
            "used": frame.timed(each.used_at, t) if each.used_at else None,
        }
        for each in people.tokens(here().store, person)
    ]


def _issued(agent: Agent, person: Agent) -> str:
    """A new token for somebody, as the form wants it."""
    form = request.form
    days = _number("days") if form.get("days") else here().settings.token_days
    scope = form.get("scope", "answer")
    return people.issue_token(
        here().store, person.name, label=form.get("label", "")[:200], scope=scope, days=days or 0, by=agent
    )


def _locks() -> dict[str, dict[str, str]]:
    """Who has to wait after wrong tries, and how long in words."""
    t, locks = Texts(frame.language_of_reader()), people.locks(here().store)
    return {
        what: {name: frame.span(seconds, t) for name, seconds in found.items()}
        for what, found in (("names", locks.names), ("addresses", locks.addresses))
    }


def _shop_names() -> list[str]:
    """What the shop is called, which is no password here."""
    try:
        index = here().index
    except ApiError:  # there is none yet
        return []
    return [str(name) for lang in index.languages if (name := (index.shop(lang) or {}).get("name"))]


def _number(field: str) -> int | None:
    """A whole number of the form; None where it is not given, 0 for what is none."""
    text = request.form.get(field)
    if text is None:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _refused(code: str, address: str) -> Response:
    signin.tell(Texts(frame.language_of_reader())(f"accounts.problem_{code}"))
    return frame.to(address)
