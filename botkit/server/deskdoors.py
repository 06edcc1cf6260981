"""Owns the pages of the desk: signing in, the queue, one ticket with its handover packet, and their forms.

Every form works without JavaScript: it posts, something happens in `desk`, and the reader is sent back to a page.
The script only does the same without leaving the page. Customers' and agents' words are text everywhere; the one
thing shown as HTML is a bot's reply, made safe when the index was built.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Blueprint, Response, flash, get_flashed_messages, make_response, redirect, request, session
from markupsafe import Markup, escape

from botkit import desk, language, people
from botkit.index import Index
from botkit.people import Agent
from botkit.store import Event, iso

from . import deskapi, signin
from .context import here
from .deskapi import TICKET
from .errors import ApiError
from .rendering import Texts, best_language, native_name, number, page

blueprint = Blueprint("desk", __name__)
blueprint.register_blueprint(deskapi.blueprint)

TABS = ("waiting", "mine", "claimed", "closed")
PER_PAGE = 50
SOON, LATE = 30, 300
"""Seconds of waiting from which a ticket is marked: the live target, and ten times that."""
_NUMBER = re.compile(r"(?:[#№+]|\b[A-Za-z]{1,5}-?)?\d+(?:[-–/.,:٬٫ \u00a0]\d+)*")
MOST_ARTICLES = 600
"""Articles that the closing form offers; beyond that, a list is no longer a choice."""


# Signing in and out.


@blueprint.get("/desk/login")
def login_page() -> Response:
    if signin.by_session() is not None:
        return _to(signin.within_desk(request.args.get("next")))
    return _page("desk/login.html", None, next=signin.within_desk(request.args.get("next")), name="")


@blueprint.post("/desk/login")
def login() -> Response:
    name, wanted = request.form.get("name", "")[:80], signin.within_desk(request.form.get("next"))
    try:
        signin.sign_in(name, request.form.get("password", ""))
    except signin.Refused as refusal:
        t = Texts(_lang())
        status = {"wrong": 401, "no_place": 403, "too_many": 429}[refusal.code]
        problem = t(f"desk.{refusal.code}", **({"seconds": refusal.seconds} if refusal.seconds else {}))
        response = _page("desk/login.html", None, status=status, problem=problem, next=wanted, name=name)
        if refusal.seconds:
            response.headers["Retry-After"] = str(refusal.seconds)
        return response
    return _to(wanted)


@blueprint.post("/desk/logout")
def logout() -> Response:
    signin.sign_out()
    return _to("/desk/login")


# The queue.


@blueprint.get("/desk")
@blueprint.get("/desk/")
def queue() -> Response:
    agent = signin.by_session()
    if agent is None:
        return _to_login()
    index, store, lang = here().index, here().store, _lang()
    t = Texts(lang)
    tab = request.args.get("show", "")
    tab = tab if tab in TABS else "waiting"
    wanted = request.args.get("language", "")
    wanted = wanted if wanted in index.languages else ""
    offset = max(0, min(request.args.get("offset", 0, type=int), 2**31 - 1))
    state = "claimed" if tab == "mine" else tab
    found = desk.queue(store, state, wanted or None, PER_PAGE + 1 if tab != "mine" else 500, offset)
    if tab == "mine":
        found = [ticket for ticket in found if ticket.owner == agent.name]
    counts = desk.counts(store)
    tickets = [_row(ticket, t, index) for ticket in found[:PER_PAGE]]

    def address(**changes: Any) -> str:
        query = {"show": tab, "language": wanted, "offset": 0} | changes
        return "/desk?" + urlencode({key: value for key, value in query.items() if value})

    return _page(
        "desk/queue.html",
        agent,
        mark=_mark(tickets),
        tab=tab,
        tabs=[{"id": each, "count": counts.get(each), "url": address(show=each)} for each in TABS],
        language=wanted,
        tickets=tickets,
        newer=address(offset=max(0, offset - PER_PAGE)) if offset else None,
        older=address(offset=offset + PER_PAGE) if len(found) > PER_PAGE else None,
        etag=_mark([tab, wanted, offset, counts, tickets]),
    )


def _row(ticket: desk.Ticket, t: Texts, index: Index) -> dict[str, Any]:
    since = ticket.claimed_at if ticket.state == "claimed" else ticket.closed_at
    at = since or ticket.opened_at
    seconds = _waiting(ticket)
    return {
        "id": ticket.id,
        "state": ticket.state,
        "owner": ticket.owner,
        "text": ticket.last_text[:240],
        "reason": ticket.reason,
        "page": ticket.page,
        "language_name": native_name(ticket.lang) if ticket.lang else "–",
        "state_text": _state(ticket, t),
        "age": _age(seconds, t),
        "urgency": "late" if seconds >= LATE else "soon" if seconds >= SOON else "",
        "at": iso(at),
        "at_text": _local(at, index),
    }


# One ticket.


@blueprint.get(f"/desk/tickets/{TICKET}")
def ticket(ticket_id: int) -> Response:
    agent = signin.by_session()
    if agent is None:
        return _to_login()
    index, store, t = here().index, here().store, Texts(_lang())
    try:
        packet = desk.ticket(store, ticket_id, index)
    except desk.NoTicket as error:
        raise ApiError(404, error.code, "There is no such conversation.") from None
    found = packet.ticket
    candidates = _candidates(packet)
    inserted = next((each["text"] for each in candidates if each["article"] == request.args.get("insert")), "")
    shown = {
        "id": found.id,
        "state": found.state,
        "owner": found.owner,
        "reason": found.reason,
        "page": found.page,
        "language_name": native_name(found.lang) if found.lang else "–",
        "state_text": _state(found, t),
        "age": _age(_waiting(found), t),
    }
    last = packet.transcript[-1].seq if packet.transcript else 0
    return _page(
        "desk/ticket.html",
        agent,
        ticket=shown,
        mine=found.state == "claimed" and found.owner == agent.name,
        overrule=found.state == "claimed" and agent.may("overrule"),
        transcript=[entry for event in packet.transcript if (entry := _entry(event, t, index)) is not None],
        candidates=candidates,
        draft=inserted,
        client_id=str(uuid.uuid4()),
        colleagues=[each.name for each in people.agents(store) if each.may("desk") and each.name not in (found.owner,)],
        shelves=_shelves(index, found.lang),
        etag=_mark([shown, last, inserted]),
    )


@blueprint.post(f"/desk/tickets/{TICKET}/claim")
def claim(ticket_id: int) -> Response:
    return _act(ticket_id, lambda agent: desk.claim(here().store, ticket_id, agent))


@blueprint.post(f"/desk/tickets/{TICKET}/release")
def release(ticket_id: int) -> Response:
    return _act(ticket_id, lambda agent: desk.release(here().store, ticket_id, agent), "/desk")


@blueprint.post(f"/desk/tickets/{TICKET}/transfer")
def transfer(ticket_id: int) -> Response:
    to, note = request.form.get("to", "")[:80], request.form.get("note", "")
    return _act(ticket_id, lambda agent: desk.transfer(here().store, ticket_id, agent, to, note), "/desk")


@blueprint.post(f"/desk/tickets/{TICKET}/messages")
def say(ticket_id: int) -> Response:
    client_id = request.form.get("client_id") or str(uuid.uuid4())
    text = request.form.get("text", "")
    return _act(ticket_id, lambda agent: deskapi.said(ticket_id, agent, client_id, text))


@blueprint.post(f"/desk/tickets/{TICKET}/notes")
def note(ticket_id: int) -> Response:
    text = request.form.get("text", "")
    return _act(ticket_id, lambda agent: desk.note(here().store, ticket_id, agent, text))


@blueprint.post(f"/desk/tickets/{TICKET}/close")
def close(ticket_id: int) -> Response:
    outcome, article = request.form.get("outcome", ""), request.form.get("article") or None
    return _act(ticket_id, lambda agent: desk.close(here().store, ticket_id, agent, outcome, article), "/desk")


def _act(ticket_id: int, action: Callable[[Agent], object], then: str | None = None) -> Response:
    """Do it as the agent signed in, and go on to a page; a refusal is told there, on the ticket."""
    agent = signin.by_session()
    if agent is None:
        return _to_login()
    back = f"/desk/tickets/{ticket_id}"
    t = Texts(_lang())
    try:
        action(agent)
    except desk.NoTicket as error:
        raise ApiError(404, error.code, "There is no such conversation.") from None
    except desk.AlreadyClaimed as error:
        flash(t("desk.already_claimed", name=error.owner))
    except desk.NotOwner as error:
        flash(t("desk.others_lead", name=error.owner) if error.owner else t("desk.not_yours"))
    except desk.TicketClosed:
        flash(t("desk.closed_lead"))
    except desk.MessageError as error:
        flash(t("desk.empty") if error.code == "empty" else t("desk.not_done"))
    except desk.DeskError:
        flash(t("desk.not_done"))
    else:
        return _to(then or back)
    return _to(back)


# What the pages show.


def _entry(event: Event, t: Texts, index: Index) -> dict[str, Any] | None:
    """One event as the transcript shows it; None for what an agent need not see."""
    who = event.actor.removeprefix("agent:") if event.actor.startswith("agent:") else t("desk.bot")
    data = event.data
    entry = {"seq": event.seq, "at": iso(event.at), "at_text": _local(event.at, index)}
    if event.kind == "message" and event.actor == "customer":
        return entry | {"side": "customer", "name": t("desk.customer"), "text": data["text"]}
    if event.kind == "message":
        return entry | {"side": "agent", "name": who, "text": data["text"]}
    if event.kind == "note":
        return entry | {"side": "note", "name": t("desk.note_by", name=who), "text": data["text"]}
    if event.kind == "reply":
        sure = data.get("confidence")
        return entry | {
            "side": "bot",
            "name": who,
            "html": data.get("html") or "",
            "text": data.get("text") or "",
            "lang": data.get("lang"),
            "tag": _percent(sure) if sure is not None and data.get("kind") == "answer" else "",
            "options": [option["title"] for option in data.get("options", ())] if data.get("kind") == "clarify" else [],
        }
    text = _happening(event.kind, data, who, t)
    return entry | {"side": "event", "text": text} if text else None


def _happening(kind: str, data: Any, who: str, t: Texts) -> str:
    if kind == "ticket.opened":
        return t("desk.event_opened", reason=t(f"desk.reason_{data['reason']}"))
    if kind == "ticket.claimed":
        return t("desk.event_claimed", name=who)
    if kind == "ticket.released":
        return t("desk.event_released", name=who)
    if kind == "ticket.transferred":
        return t("desk.event_transferred", name=who, to=data.get("to", ""))
    if kind == "ticket.closed":
        return t("desk.event_closed", name=who, outcome=t(f"desk.outcome_{data['outcome']}"))
    if kind == "feedback":
        return t("desk.event_helped" if data.get("helpful") else "desk.event_not_helped")
    return ""


def _candidates(packet: desk.Packet) -> list[dict[str, Any]]:
    """What the bot considered, with the reply that each would give."""
    texts = {suggestion.article: suggestion for suggestion in packet.suggestions}
    shown = []
    for candidate in packet.ticket.candidates:
        suggestion = texts.get(str(candidate["article"]))
        sure = candidate.get("confidence")
        lang = suggestion.lang if suggestion else str(candidate.get("lang") or "")
        shown.append(
            {
                "article": candidate["article"],
                "title": suggestion.title if suggestion else candidate.get("title") or candidate["article"],
                "url": suggestion.url if suggestion else candidate.get("url") or "",
                "text": suggestion.text if suggestion else "",
                "lang": lang,
                "foreign": bool(lang and packet.ticket.lang and lang != packet.ticket.lang),
                "language_name": native_name(lang) if lang else "",
                "confidence": sure,
                "percent": _percent(sure) if sure is not None else None,
            }
        )
    return shown


def _shelves(index: Index, lang: str | None) -> list[tuple[str, list[Any]]]:
    lang = lang if lang in index.languages else index.default_language
    articles = list(index.articles(lang))[:MOST_ARTICLES]
    shelves = [
        (title, [article for article in articles if article.category == category])
        for category, title in index.categories(lang)
    ]
    return [shelf for shelf in shelves if shelf[1]]


def _state(ticket: desk.Ticket, t: Texts) -> str:
    if ticket.state == "claimed":
        return t("desk.state_claimed", name=ticket.owner)
    text = t(f"desk.state_{ticket.state}")
    return f"{text} · {t(f'desk.outcome_{ticket.outcome}')}" if ticket.outcome else text


def _waiting(ticket: desk.Ticket) -> float:
    """Seconds the customer has waited; one who was put back in the queue waits since the beginning."""
    if ticket.state == "waiting":
        return max(0.0, (here().store.now() - ticket.opened_at).total_seconds())
    return ticket.waited


def _age(seconds: float, t: Texts) -> str:
    if seconds < 60:
        return t("desk.now")
    if seconds < 3600:
        return t("desk.minutes", n=int(seconds // 60))
    if seconds < 86400:
        return t("desk.hours", n=int(seconds // 3600))
    return t("desk.days", n=int(seconds // 86400))


def _percent(probability: float) -> str:
    return "< 1 %" if probability < 0.005 else f"{100 * probability:.0f} %"


def _isolated(text: str) -> Markup:
    """Text with its order and phone numbers isolated: in a line that runs from right to left, the groups of a number
    would change places. Amounts stay as they are, beside the sign of their currency."""
    parts, start = [], 0
    for match in _NUMBER.finditer(text):
        found = match.group()
        lettered = not found[0].isdigit()
        if lettered or (len(re.findall(r"\d", found)) >= 5 and not re.search(r"[.,:٬٫]", found)):
            parts += [escape(text[start : match.start()]), Markup('<bdi dir="ltr">{}</bdi>').format(found)]
            start = match.end()
    return Markup("").join([*parts, escape(text[start:])])


def _local(at: datetime, index: Index) -> str:
    """A time on the shop's clock; the script makes it the reader's own."""
    name = (index.shop(index.default_language) or {}).get("time_zone", "UTC")
    try:
        return f"{at.astimezone(ZoneInfo(name)):%Y-%m-%d %H:%M}"
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"{at:%Y-%m-%d %H:%M} UTC"


# What the doors share.


def _page(template: str, agent: Agent | None, *, status: int = 200, etag: str | None = None, **values: Any) -> Response:
    lang = _lang()
    flashes = get_flashed_messages()
    query = request.args.to_dict(flat=True)
    tongues = [
        {
            "code": code,
            "name": native_name(code),
            "dir": language.direction(code),
            "url": f"{request.path}?{urlencode(query | {'lang': code})}",
        }
        for code in language.LANGUAGES
    ]
    response = page(
        template,
        lang,
        status=status,
        agent=agent,
        flashes=flashes,
        tongues=tongues,
        number=lambda value: number(value, lang),
        isolated=_isolated,
        **values,
    )
    if etag is not None and agent is not None and not flashes:
        # The page itself never repeats, since each has a fresh id for the next message; what it shows does.
        response.set_etag(_mark([etag, lang, agent.id, agent.stamp]))
        response.make_conditional(request)
    return response


def _lang() -> str:
    """The interface's language: the one just chosen, the one chosen before, or the browser's."""
    chosen = request.args.get("lang", "")
    if chosen in language.LANGUAGES:
        session["lang"] = chosen
    kept = session.get("lang")
    return kept if kept in language.LANGUAGES else best_language(language.LANGUAGES, language.LANGUAGES[0])


def _mark(shown: Sequence[Any]) -> str:
    return hashlib.blake2b(repr(shown).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _to(address: str) -> Response:
    return make_response(redirect(address, 303))


def _to_login() -> Response:
    wanted = request.full_path.rstrip("?") if request.method == "GET" else "/desk"
    return _to("/desk/login?" + urlencode({"next": wanted}))
