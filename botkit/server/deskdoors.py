"""Owns the pages of the desk: signing in and the queue, with their forms. A ticket's own page is `deskticket`'s.

Every form works without JavaScript: it posts, something happens in `desk`, and the reader is sent back to a page.
The script only does the same without leaving the page. Customers' and agents' words are text everywhere; the one
thing shown as HTML is a bot's reply, made safe when the index was built.
"""

from __future__ import annotations

import contextlib
import logging
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from botkit import desk
from botkit.index import Index
from botkit.store import StoreError, iso
from botkit.store.ticket_row import Points

from . import deskapi, deskseats, deskteam, deskticket, signin
from . import deskframe as frame
from .context import here
from .rendering import Texts, native_name

log = logging.getLogger("botkit.server")
blueprint = Blueprint("desk", __name__)
blueprint.register_blueprint(deskapi.blueprint)
blueprint.register_blueprint(deskteam.blueprint)
blueprint.register_blueprint(deskticket.blueprint)
blueprint.register_blueprint(deskseats.blueprint)

TABS = ("waiting", "mine", "claimed", "pending", "closed")
PER_PAGE = 50
MOST_MINE = 200
TOLD = ("complaint", "refund", "data_request", "came_again", "tag")
"""What makes a ticket urgent and is not said by the reason of the handover."""


@blueprint.before_request
def alive() -> None:
    """Whoever has the desk open is there."""
    agent = signin.by_session()
    if agent is None:
        return
    signin.seen(agent)


# Signing in and out.


@blueprint.get("/desk/login")
def login_page() -> Response:
    wanted = signin.within_desk(request.args.get("next"))
    if signin.half_in() is not None or signin.signed_in() is not None:
        return frame.to(signin.onward(wanted))
    return frame.show("desk/login.html", None, next=wanted, name="")


@blueprint.post("/desk/login")
def login() -> Response:
    name, wanted = request.form.get("name", "")[:80], signin.within_desk(request.form.get("next"))
    try:
        signin.sign_in(name, request.form.get("password", ""))
    except signin.Refused as refusal:
        t = Texts(frame.language_of_reader())
        status = {"wrong": 401, "no_place": 403, "too_many": 429}[refusal.code]
        too_many = refusal.code == "too_many"
        problem = frame.too_many(refusal.seconds, refusal.what, t) if too_many else t(f"desk.{refusal.code}")
        response = frame.show("desk/login.html", None, status=status, problem=problem, next=wanted, name=name)
        if refusal.seconds:
            response.headers["Retry-After"] = str(refusal.seconds)
        return response
    return frame.to(signin.onward(wanted))


@blueprint.post("/desk/logout")
def logout() -> Response:
    agent = signin.by_session()
    signin.sign_out()
    if agent is not None:
        with contextlib.suppress(StoreError):  # presence ends by itself too
            desk.left(here().store, agent)
    return frame.to("/desk/login")


# The queue.


@blueprint.get("/desk")
@blueprint.get("/desk/")
def queue() -> Response:
    agent = signin.by_session()
    if agent is None:
        return frame.to_login()
    index, store, lang = here().index, here().store, frame.language_of_reader()
    t = Texts(lang)
    tab = request.args.get("show", "")
    tab = tab if tab in TABS else "waiting"
    wanted = request.args.get("language", "")
    wanted = wanted if wanted in index.languages else ""
    offset = max(0, min(request.args.get("offset", 0, type=int), 2**31 - 1))
    if tab == "mine":
        mine = (desk.queue(store, each, wanted or None, MOST_MINE, owner=agent.name) for each in ("claimed", "pending"))
        found = [ticket for each in mine for ticket in each][offset:]
    else:
        found = desk.queue(store, tab, wanted or None, PER_PAGE + 1, offset)
    counts = desk.counts(store) | {"mine": sum(desk.counts(store, owner=agent.name).values())}
    duty = deskseats.duty(desk.seat(store, agent.name))
    tickets = [row(ticket, t, index) for ticket in found[:PER_PAGE]]

    def address(**changes: Any) -> str:
        query = {"show": tab, "language": wanted, "offset": 0} | changes
        return "/desk?" + urlencode({key: value for key, value in query.items() if value})

    return frame.show(
        "desk/queue.html",
        agent,
        mark=frame.mark(tickets),
        tab=tab,
        tabs=[{"id": each, "count": counts.get(each), "url": address(show=each)} for each in TABS],
        language=wanted,
        tickets=tickets,
        duty=duty,
        newer=address(offset=max(0, offset - PER_PAGE)) if offset else None,
        older=address(offset=offset + PER_PAGE) if len(found) > PER_PAGE else None,
        etag=frame.mark([tab, wanted, offset, counts, tickets, duty]),
    )


@blueprint.get("/desk/mentions")
def mentions() -> Response:
    """The notes that name the reader, seen ones too."""
    agent = signin.by_session()
    if agent is None:
        return frame.to_login()
    found = desk.mentions(here().store, agent, seen_too=True)
    return frame.show("desk/mentions.html", agent, listed=[frame.mentioned(each) for each in found])


def row(ticket: desk.Ticket, t: Texts, index: Index) -> dict[str, Any]:
    since = ticket.closed_at or (ticket.claimed_at if ticket.owner else None)
    at = since or ticket.opened_at
    seconds = frame.waited(ticket)
    late = ticket.due_at is not None and ticket.first_reply_at is None and ticket.due_at <= here().store.now()
    return {
        "id": ticket.id,
        "state": ticket.state,
        "owner": ticket.owner,
        "text": ticket.last_text[:240],
        "reason": ticket.reason,
        "page": ticket.page,
        "language_name": native_name(ticket.lang) if ticket.lang else "–",
        "state_text": frame.state(ticket, t),
        "age": frame.age(seconds, t),
        "urgency": "late" if late else "soon" if ticket.warned_at else "",
        "why": [_why(each, t) for each in ticket.priority.reasons if each.reason in TOLD],
        "offered_to": ticket.offered_to,
        "at": iso(at),
        "at_text": frame.local(at, index),
    }


def _why(for_what: Points, t: Texts) -> str:
    return for_what.tag if for_what.tag else t(f"desk.priority_{for_what.reason}")
