"""Owns the supervisor's page: who is on, who waits, what is late, and what a supervisor does about it. Analysts see the
same without the customers' words, and do nothing.

It works without JavaScript: one form, whose tickets are ticked and whose buttons say what to do with them.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from botkit import accounts, desk
from botkit.accounts import Agent
from botkit.server.desk import layout, queue_page, session, team_pages
from botkit.server.http.context import here
from botkit.server.http.errors import ApiError
from botkit.server.http.templates import Texts, native_name
from botkit.store import iso

blueprint = Blueprint("overview_page", __name__)
blueprint.before_request(session.alive)

ADDRESS = "/desk/overview"
NEXT = 25
"""Waiting tickets that the page lists, the next ones first."""


@blueprint.get(ADDRESS)
def overview() -> Response:
    """The whole desk at a glance, what is late first."""
    agent = _admitted("overview")
    if isinstance(agent, Response):
        return agent
    accounts.audit_read(here().store, agent, action="overview.read")
    store, t = here().store, Texts(layout.language_of_reader())
    now = store.now()
    result = desk.overview(store, here().policy)
    late = {ticket.id for ticket in result.breached}
    silent = [ticket for ticket in result.unanswered if ticket.id not in late]
    listed = late | {ticket.id for ticket in silent}
    waiting = [ticket for ticket in desk.queue(store, "waiting", limit=NEXT) if ticket.id not in listed]

    def row(ticket: desk.Ticket) -> dict[str, Any]:
        since = ticket.unanswered_since or ticket.opened_at
        shown = queue_page.row(ticket, t) | {"age": layout.age((now - since).total_seconds(), t)}
        return shown if agent.may("desk") else shown | {"text": "", "page": None}

    team = [
        {
            "name": profile.agent,
            "load": load,
            "share": profile.capacity,
            "languages": t.format.listed(native_name(lang) for lang in profile.languages),
            "state": team_pages.state(profile),
            "until": iso(profile.absent_until) if profile.absent_until else None,
            "until_text": layout.local(profile.absent_until, t) if profile.absent_until else None,
        }
        for profile, load in result.agents
    ]
    facts = {
        "counts": result.counts,
        "languages": [(native_name(lang) if lang else "–", number) for lang, number in result.languages.items()],
        "priorities": result.priorities,
        "oldest": row(result.oldest) if result.oldest else None,
        "late": result.breached_count,
        "satisfaction": result.satisfaction,
        "team": team,
    }
    groups = [("late", result.breached), ("unanswered", silent), ("next", waiting)]
    return layout.show(
        "desk/overview.html",
        agent,
        facts=facts,
        mark=layout.mark([facts]),
        groups=[(name, [row(ticket) for ticket in tickets]) for name, tickets in groups if tickets],
        colleagues=[profile.agent for profile, _ in result.agents if profile.agent != agent.name],
        outcomes=desk.OUTCOMES,
    )


@blueprint.post(f"{ADDRESS}/<any(take, pass_on, close):action>")
def act(action: str) -> Response:
    """Do it to the tickets that are ticked; what could not be done is told, the rest is done."""
    agent = _admitted("overrule")
    if isinstance(agent, Response):
        return agent
    form, store, t = request.form, here().store, Texts(layout.language_of_reader())
    ids = [int(each) for each in form.getlist("ticket", type=str) if each.isdecimal() and len(each) < 10]
    refused = 0
    if not ids:
        session.tell(t("desk.tick_some"))
    elif action == "close":
        try:
            done = desk.close_many(store, ids, agent, form.get("outcome", ""), form.get("reason", ""))
            refused = len(set(ids)) - len(done)
        except desk.MessageError as error:
            session.tell(t("desk.give_reason") if error.code == "empty" else t("desk.not_done"))
        except desk.DeskError:
            session.tell(t("desk.not_done"))
    else:
        to = agent.name if action == "take" else form.get("to", "")[:80]
        result = set()  # one word for many tickets
        for ticket_id in dict.fromkeys(ids):
            try:
                result.add(layout.diverted(desk.transfer(store, ticket_id, agent, to), to, t))
            except desk.Away as error:
                result.add(layout.is_away(error, t))
                refused += 1
            except desk.DeskError:
                refused += 1
        for text in sorted(result - {""}):
            session.tell(text)
    if refused:
        session.tell(t("desk.some_not_done", n=refused))
    return layout.to(ADDRESS)


def _admitted(what: str) -> Agent | Response:
    """Who is signed in, if the role allows it; a way to sign in; ApiError 403 for everybody else."""
    agent = session.by_session(what)
    if agent is not None:
        return agent
    if session.by_session("desk") or session.by_session("overview"):
        raise ApiError(403, "forbidden", "This page is for supervisors.")
    return layout.to_login()
