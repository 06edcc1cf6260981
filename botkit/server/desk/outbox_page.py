"""Owns the page of what waits to be delivered to other systems."""

from __future__ import annotations

from flask import Blueprint, Response, request

from botkit import accounts, outbox
from botkit.server.desk import layout
from botkit.server.desk.audit_page import LAST, LINES
from botkit.server.http.context import here
from botkit.server.http.templates import Texts

blueprint = Blueprint("outbox_page", __name__)


@blueprint.get("/desk/outbox")
def deliveries() -> Response:
    agent = layout.admitted("people")
    if isinstance(agent, Response):
        return agent
    store, state = here().store, request.args.get("state", "")
    state = state if state in outbox.STATES else "given_up"
    t = Texts(layout.language_of_reader())
    rows = [
        {"id": each.id, "what": each.payload.get("type") or each.kind, "tries": each.tries, "reason": each.reason}
        | {"message_id": each.message_id, "state": each.state, **layout.timed(each.made_at, t)}
        for each in outbox.deliveries(store, state, LINES)
    ]
    return layout.show("desk/outbox.html", agent, rows=rows, state=state, states=outbox.STATES)


@blueprint.post("/desk/outbox/retry")
def retry() -> Response:
    agent = layout.admitted("people")
    if isinstance(agent, Response):
        return agent
    store, only = here().store, None  # all of them
    if "id" in request.form:
        only = max(0, min(request.form.get("id", 0, type=int), LAST))
    count = outbox.retry(store, None if only is None else [only])
    with store.write() as conn:
        accounts.audit(store, conn, agent, "outbox.retried", count=count, id=only)
    return layout.done("done", "/desk/outbox?state=waiting")
