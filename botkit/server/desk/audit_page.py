"""Owns the page of the audit log."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from botkit import accounts
from botkit.server.desk import layout
from botkit.server.http.context import here
from botkit.server.http.templates import Texts
from botkit.store import parse_time

blueprint = Blueprint("audit_page", __name__)

LINES = 50
"""Lines of the audit log on a page."""
LAST = 2**31 - 1


@blueprint.get("/desk/audit")
def audit() -> Response:
    agent = layout.admitted("audit")
    if isinstance(agent, Response):
        return agent
    store, values = here().store, request.args
    wanted = {name: values.get(name, "").replace("\0", "")[:80] for name in ("actor", "action", "since")}
    before = values.get("before", type=int)
    before = None if before is None else max(0, min(before, LAST))
    try:
        since = parse_time(wanted["since"]) if wanted["since"] else None
    except (ValueError, OverflowError):
        since, wanted["since"] = None, ""
    result = accounts.audited(
        store,
        actor=wanted["actor"] or None,
        action=wanted["action"] or None,
        since=since,
        before=before,
        limit=LINES + 1,
    )
    query, t = {name: value for name, value in wanted.items() if value}, Texts(layout.language_of_reader())
    return layout.show(
        "desk/audit.html",
        agent,
        lines=lines(result[:LINES]),
        actors=[(each, _actor(each, t)) for each in (*map(accounts.actor, accounts.agents(store)), *_OTHERS)],
        actions=accounts.ACTIONS,
        wanted=wanted,
        newest=f"/desk/audit?{urlencode(query)}" if before else None,
        older=f"/desk/audit?{urlencode(query | {'before': result[LINES - 1].id})}" if len(result) > LINES else None,
    )


def lines(found: list[accounts.Line]) -> list[dict[str, Any]]:
    t = Texts(layout.language_of_reader())
    return [
        {
            **layout.timed(line.at, t),
            "actor": _actor(line.actor, t),
            "action_text": t(f"accounts.did_{line.action.replace('.', '_')}")
            if line.action in accounts.ACTIONS
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


_OTHERS = (accounts.CONSOLE, "system")
