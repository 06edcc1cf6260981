"""Owns what the pages of accounts share: sign-ins and tokens as they are shown, and how a form is read and refused."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from botkit import accounts
from botkit.accounts import Agent
from botkit.server.desk import layout, session
from botkit.server.http.context import here
from botkit.server.http.templates import Texts


def sessions_of(person: Agent) -> list[dict[str, Any]]:
    """The sign-ins of an agent as pages show them."""
    t, own = Texts(layout.language_of_reader()), session.session_id()
    result = []
    for each in accounts.sessions(here().store, person, here().session_idle):
        name = each.browser and each.system and t("accounts.browser_on", browser=each.browser, system=each.system)
        name = name or each.browser or each.system or t("accounts.browser_unknown")
        times = {"seen": layout.timed(each.seen_at, t), "made": layout.timed(each.made_at, t)}
        result.append({"id": each.id, "name": name, "own": each.id == own, **times})
    return result


def tokens_of(person: Agent) -> list[dict[str, Any]]:
    """The tokens of an agent as pages show them."""
    now, t = here().store.now(), Texts(layout.language_of_reader())
    return [
        {
            "id": each.id,
            "name": each.name,
            "prefix": each.prefix,
            "scope": each.scope,
            "over": each.expires_at <= now,
            "issued": layout.timed(each.issued_at, t),
            "expires": layout.timed(each.expires_at, t),
            "used": layout.timed(each.used_at, t) if each.used_at else None,
        }
        for each in accounts.tokens(here().store, person)
    ]


def form_number(field: str) -> int | None:
    """A whole number of the form; None where it is not given, 0 for what is none."""
    text = request.form.get(field)
    if text is None:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def refused(code: str, address: str) -> Response:
    """Send the reader on to a page that says why it was not done."""
    session.tell(Texts(layout.language_of_reader())(f"accounts.problem_{code}"))
    return layout.to(address)
