"""Owns the queue's page and that of mentions.

Every form of the desk works without JavaScript: it posts, something happens in `desk`, and the reader is sent back to a
page. The script only does the same without leaving the page. Customers' and agents' words are text everywhere; the one
thing shown as HTML is a bot's reply, made safe when the index was built.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from botkit import desk
from botkit.server.desk import layout, session, team_pages
from botkit.server.http.context import here
from botkit.server.http.templates import Texts, native_name
from botkit.store import iso
from botkit.store.ticket_row import Points

blueprint = Blueprint("queue_page", __name__)

TABS = ("waiting", "mine", "claimed", "pending", "closed")
PER_PAGE = 50
MOST_MINE = 200
TOLD = ("complaint", "refund", "data_request", "came_again", "tag")
"""What makes a ticket urgent and is not said by the reason of the handover."""


@blueprint.get("/desk")
@blueprint.get("/desk/")
def queue() -> Response:
    agent = session.by_session()
    if agent is None:
        return layout.to_login()
    index, store, lang = here().index, here().store, layout.language_of_reader()
    t = Texts(lang)
    tab = request.args.get("show", "")
    tab = tab if tab in TABS else "waiting"
    wanted = request.args.get("language", "")
    wanted = wanted if wanted in index.languages else ""
    offset = max(0, min(request.args.get("offset", 0, type=int), 2**31 - 1))
    if tab == "mine":
        mine = (desk.queue(store, each, wanted or None, MOST_MINE, owner=agent.name) for each in ("claimed", "pending"))
        result = [ticket for each in mine for ticket in each][offset:]
    else:
        result = desk.queue(store, tab, wanted or None, PER_PAGE + 1, offset)
    counts = desk.counts(store) | {"mine": sum(desk.counts(store, owner=agent.name).values())}
    availability = team_pages.availability(desk.profile(store, agent.name))
    tickets = [row(ticket, t) for ticket in result[:PER_PAGE]]

    def address(**changes: Any) -> str:
        query = {"show": tab, "language": wanted, "offset": 0} | changes
        return "/desk?" + urlencode({key: value for key, value in query.items() if value})

    return layout.show(
        "desk/queue.html",
        agent,
        mark=layout.mark(tickets),
        tab=tab,
        tabs=[{"id": each, "count": counts.get(each), "url": address(show=each)} for each in TABS],
        language=wanted,
        tickets=tickets,
        availability=availability,
        newer=address(offset=max(0, offset - PER_PAGE)) if offset else None,
        older=address(offset=offset + PER_PAGE) if len(result) > PER_PAGE else None,
        etag=layout.mark([tab, wanted, offset, counts, tickets, availability]),
    )


@blueprint.get("/desk/mentions")
def mentions() -> Response:
    """The notes that name the reader, seen ones too."""
    agent = session.by_session()
    if agent is None:
        return layout.to_login()
    result, t = desk.mentions(here().store, agent, seen_too=True), Texts(layout.language_of_reader())
    return layout.show("desk/mentions.html", agent, listed=[layout.mentioned(each, t) for each in result])


def row(ticket: desk.Ticket, t: Texts) -> dict[str, Any]:
    since = ticket.closed_at or (ticket.claimed_at if ticket.owner else None)
    at = since or ticket.opened_at
    seconds = layout.waited(ticket)
    late = ticket.due_at is not None and ticket.first_reply_at is None and ticket.due_at <= here().store.now()
    return {
        "id": ticket.id,
        "state": ticket.state,
        "owner": ticket.owner,
        "text": ticket.last_text[:240],
        "reason": ticket.reason,
        "page": ticket.page,
        "language_name": native_name(ticket.lang) if ticket.lang else "–",
        "state_text": layout.state(ticket, t),
        "age": layout.age(seconds, t),
        "urgency": "late" if late else "soon" if ticket.warned_at else "",
        "why": [_why(each, t) for each in ticket.priority.reasons if each.reason in TOLD],
        "offered_to": ticket.offered_to,
        "at": iso(at),
        "at_text": layout.local(at, t),
    }


def _why(for_what: Points, t: Texts) -> str:
    return for_what.tag if for_what.tag else t(f"desk.priority_{for_what.reason}")
