"""Owns the pages of who did what: the audit log, and what waits to be delivered to other systems."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from botkit import outbox, people
from botkit.store import parse_time

from . import deskframe as frame
from .context import here
from .rendering import Texts

blueprint = Blueprint("trail", __name__)

LINES = 50
"""Lines of the audit log on a page."""
_LAST = 2**31 - 1


@blueprint.get("/desk/audit")
def audit() -> Response:
    agent = frame.admitted("audit")
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
        lines=lines(found[:LINES]),
        actors=[(each, _actor(each, t)) for each in (*map(people.actor, people.agents(store)), *_OTHERS)],
        actions=people.ACTIONS,
        wanted=wanted,
        newest=f"/desk/audit?{urlencode(query)}" if before else None,
        older=f"/desk/audit?{urlencode(query | {'before': found[LINES - 1].id})}" if len(found) > LINES else None,
    )


@blueprint.get("/desk/outbox")
def deliveries() -> Response:
    agent = frame.admitted("people")
    if isinstance(agent, Response):
        return agent
    store, state = here().store, request.args.get("state", "")
    state = state if state in outbox.STATES else "given_up"
    t = Texts(frame.language_of_reader())
    rows = [
        {"id": each.id, "what": each.payload.get("type") or each.kind, "tries": each.tries, "reason": each.reason}
        | {"message_id": each.message_id, "state": each.state, **frame.timed(each.made_at, t)}
        for each in outbox.deliveries(store, state, LINES)
    ]
    return frame.show("desk/outbox.html", agent, rows=rows, state=state, states=outbox.STATES)


@blueprint.post("/desk/outbox/retry")
def retry() -> Response:
    agent = frame.admitted("people")
    if isinstance(agent, Response):
        return agent
    store, only = here().store, None  # all of them
    if "id" in request.form:
        only = max(0, min(request.form.get("id", 0, type=int), _LAST))
    count = outbox.retry(store, None if only is None else [only])
    with store.write() as conn:
        people.audit(store, conn, agent, "outbox.retried", count=count, id=only)
    return frame.done("done", "/desk/outbox?state=waiting")


def lines(found: list[people.Line]) -> list[dict[str, Any]]:
    t = Texts(frame.language_of_reader())
    return [
        {
            **frame.timed(line.at, t),
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
