"""Owns the page of one's own account: password, second factor, sign-ins and tokens.

A secret that is told once is on the page that answers the form and nowhere else: in no cookie, no address and no log.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request

from botkit import accounts
from botkit.accounts import AccountError, Agent, TooManyGuesses
from botkit.server.desk import layout, session
from botkit.server.desk.account_parts import form_number, refused, sessions_of, tokens_of
from botkit.server.http import cookies, rate_limits
from botkit.server.http.context import here
from botkit.server.http.errors import ApiError
from botkit.server.http.templates import Texts

blueprint = Blueprint("account_page", __name__)


@blueprint.get("/desk/account")
def account() -> Response:
    agent = session.signed_in()
    return layout.to_login() if agent is None else _own(agent)


@blueprint.post("/desk/account/password")
def own_password() -> Response:
    def change(agent: Agent) -> Response:
        new = request.form.get("new", "")
        session.begin(accounts.set_password(here().store, agent.name, new, shop=_shop_names(), by=agent))
        return layout.done("password_changed", session.onward("/desk/account"))

    return _as_oneself(change, "current")


@blueprint.post("/desk/account/sessions")
def own_sessions() -> Response:
    """End one sign-in of one's own, or all but this one."""

    def end(agent: Agent) -> Response:
        store, chosen = here().store, form_number("id")
        if chosen is None:
            accounts.end_sessions(store, agent.name, but=session.session_id(), by=agent)
            return layout.done("sessions_ended", "/desk/account#sessions")
        accounts.end_session(store, agent, chosen, by=agent)
        return layout.done("session_ended", "/desk/account#sessions")

    return _as_oneself(end)


@blueprint.post("/desk/account/tokens")
def own_tokens() -> Response:
    """Revoke one token of one's own."""

    def revoke(agent: Agent) -> Response:
        accounts.revoke_token(here().store, agent, form_number("id") or 0, by=agent)
        return layout.done("done", "/desk/account#tokens")

    return _as_oneself(revoke)


@blueprint.post("/desk/account/factor")
def begin_factor() -> Response:
    def begin(agent: Agent) -> Response:
        accounts.begin_factor(here().store, agent)
        return layout.to("/desk/account#factor")

    return _as_oneself(begin, "password")


@blueprint.post("/desk/account/factor/confirm")
def confirm_factor() -> Response:
    def confirm(agent: Agent) -> Response:
        codes = accounts.confirm_factor(here().store, agent, request.form.get("code", "")[:80])
        if codes is None:
            return refused("wrong_code", "/desk/account#factor")
        return _own(_again(agent), codes=codes)

    return _as_oneself(confirm)


@blueprint.post("/desk/account/factor/codes")
def recovery_codes() -> Response:
    return _as_oneself(lambda agent: _own(agent, codes=accounts.new_recovery_codes(here().store, agent)), "password")


@blueprint.post("/desk/account/factor/off")
def own_factor_off() -> Response:
    def off(agent: Agent) -> Response:
        session.begin(accounts.factor_off(here().store, agent.name, by=agent))
        return layout.done("factor_is_off", "/desk/account")

    return _as_oneself(off, "password")


def _as_oneself(action: Callable[[Agent], Response], password_field: str | None = None) -> Response:
    """Do it as the agent signed in, who types the password again where a field is named."""
    agent = session.signed_in()
    if agent is None:
        return layout.to_login()
    back = "/desk/account"
    try:
        if password_field is not None:
            typed = request.form.get(password_field, "")
            if not accounts.confirm(here().store, agent, typed, rate_limits.caller(), cookies.get(cookies.DEVICE)):
                return refused("wrong_password", back)
        return action(agent)
    except TooManyGuesses as wait:
        session.tell(layout.too_many(wait.seconds, wait.what, Texts(layout.language_of_reader())))
        return layout.to(back)
    except AccountError as error:
        return refused(error.code, back)


def _own(agent: Agent, codes: list[str] | None = None) -> Response:
    store, shop = here().store, here().index.shop(here().index.default_language) or {}
    secret = accounts.pending_factor(store, agent)
    return layout.show(
        "desk/account.html",
        agent,
        due=session.due(agent),
        required=agent.role in here().second_factor_roles,
        codes=codes,
        codes_left=accounts.recovery_codes_left(store, agent),
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)) if secret else None,
        link=accounts.factor_link(secret, agent.name, str(shop.get("name") or "botkit")) if secret else None,
        sessions=sessions_of(agent),
        tokens=tokens_of(agent),
    )


def _again(agent: Agent) -> Agent:
    """The agent as the account is now, with a session of its own in place of those that ended."""
    result = accounts.agent(here().store, agent.id)
    assert result is not None
    session.begin(result)
    return result


def _shop_names() -> list[str]:
    """What the shop is called, which is no password here."""
    try:
        index = here().index
    except ApiError:  # there is none yet
        return []
    return [str(name) for lang in index.languages if (name := (index.shop(lang) or {}).get("name"))]
