"""Owns the page of one ticket and its forms: the handover context, what the agent may say, and how it ends.

Like all of the desk it works without JavaScript: what can be inserted is a link that brings the page again with the
text in the reply, a search is a form. Customers' and agents' words are text everywhere; the one thing shown as HTML is
a bot's reply, made safe when the index was built.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from flask import Blueprint, Response, make_response, request

from botkit import accounts, desk, language, reports
from botkit.accounts import Agent
from botkit.desk import Assist
from botkit.index import Index
from botkit.server.desk import layout, session
from botkit.server.desk.schemas import TICKET
from botkit.server.http import rate_limits
from botkit.server.http.context import here
from botkit.server.http.errors import ApiError
from botkit.server.http.templates import Texts, direction, native_name
from botkit.store import Event, EventData, iso
from botkit.store.event_data import (
    AgentMessage,
    BotReply,
    CustomerMessage,
    Feedback,
    Message,
    Note,
    Satisfaction,
    TicketClosed,
    TicketEvent,
    TicketOffered,
    TicketOpened,
    TicketReleased,
    TicketTransferred,
)

blueprint = Blueprint("ticket_page", __name__)

SHOWN: Final = 3
"""Passages on the page: as many as there are keys for."""
SEARCH_LENGTH: Final = 300
_NEWEST: Final = 2**31
MOST_ARTICLES: Final = 600
"""Articles that the closing form offers; beyond that, a list is no longer a choice."""


@blueprint.get(f"/desk/tickets/{TICKET}")
def ticket(ticket_id: int) -> Response:
    agent = session.by_session()
    if agent is None:
        return layout.to_login()
    index, store, t = here().index, here().store, Texts(layout.language_of_reader())
    upto = request.args.get("before", 0, type=int)
    with store.reads_together():
        handover = _handover(ticket_id, index)
        part, before = list(handover.transcript), handover.before
        if 0 < upto < _NEWEST:
            part, before = desk.transcript_before(store, ticket_id, upto)
        chats, colleagues = desk.chats(store, agent), accounts.agents(store)
        layout.mentions_of(agent)
    accounts.audit_read(store, agent, f"ticket:{ticket_id}")
    result, transcript = handover.ticket, handover.transcript
    wanted = {name: request.args.get(name, "")[:SEARCH_LENGTH] for name in ("q", "insert", "canned")}
    mine = result.owner == agent.name and result.state not in ("waiting", "closed")
    shown = {
        "id": result.id,
        "state": result.state,
        "owner": result.owner,
        "reason": result.reason,
        "page": result.page,
        "lang": result.lang,
        "language_name": native_name(result.lang) if result.lang else "–",
        "state_text": layout.state(result, t),
        "age": layout.age(layout.waited(result), t),
        "customer": handover.customer,
        **_extras(result, t),
    }
    last = transcript[-1].seq if transcript else 0
    if layout.looked_at():
        layout.saw(agent, result.id, last)
    etag = layout.mark([index.version, str(date.today()), shown, last, wanted, chats, handover.earlier, upto])
    same = layout.unchanged(agent, etag)
    if same is not None:
        return same
    query = language.clean(wanted["q"])
    with rate_limits.asking(f"agent:{agent.name}") as deadline:
        about = (index, transcript, result.lang, agent)
        help_ = desk.advise(*about, customer=handover.customer, deadline=deadline)
        searched = desk.advise(*about, query, handover.customer, deadline) if query else None
    candidates = _candidates(handover, t)
    earlier = _earlier(handover, t, index)
    return layout.show(
        "desk/ticket.html",
        agent,
        ticket=shown,
        mine=mine,
        overrule=result.state not in ("waiting", "closed") and agent.may("overrule"),
        transcript=[entry for event in part if (entry := _entry(event, t)) is not None],
        before=before,
        part=0 < upto < _NEWEST,
        candidates=candidates,
        assist={
            "query": help_.query or "",
            "mark": layout.mark([help_.candidates]),
            "passages": _passages(help_, result.lang, t)[:SHOWN],
            "replies": help_.replies,
        },
        found={"query": query, "passages": _passages(searched, result.lang, t), "replies": searched.replies}
        if searched
        else None,
        verdicts=_verdicts(candidates, help_),
        earlier=earlier,
        marks={"facts": layout.mark([shown, earlier]), "chats": layout.mark(chats)},
        chats=[_chat(chat, result.id, t) for chat in chats],
        wants_article=result.state == "closed" and result.no_article,
        draft=_inserted(wanted, help_, candidates, index, result.lang),
        client_id=str(uuid.uuid4()),
        note_id=str(uuid.uuid4()),
        colleagues=[each.name for each in colleagues if each.may("desk") and each.name != result.owner],
        shelves=_shelves(index, result.lang),
        etag=etag,
    )


@blueprint.get(f"/desk/tickets/{TICKET}/draft.md")
def draft(ticket_id: int) -> Response:
    """The article that nobody has written yet, begun with the customer's words."""
    agent = session.by_session()
    if agent is None:
        return layout.to_login()
    handover = _handover(ticket_id)
    accounts.audit_read(here().store, agent, f"ticket:{ticket_id}")
    response = make_response(desk.draft(handover.transcript, ticket_id, here().tables))
    response.headers["Content-Type"] = "text/markdown; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="ticket-{ticket_id}.md"'
    return response


@blueprint.post(f"/desk/tickets/{TICKET}/claim")
def claim(ticket_id: int) -> Response:
    return _act(ticket_id, lambda agent: desk.claim(here().store, ticket_id, agent))


@blueprint.post(f"/desk/tickets/{TICKET}/release")
def release(ticket_id: int) -> Response:
    return _act(ticket_id, lambda agent: desk.release(here().store, ticket_id, agent), "/desk")


@blueprint.post(f"/desk/tickets/{TICKET}/pending")
def wait_for_customer(ticket_id: int) -> Response:
    return _act(ticket_id, lambda agent: desk.wait_for_customer(here().store, ticket_id, agent, here().policy))


@blueprint.post(f"/desk/tickets/{TICKET}/take")
def take_over(ticket_id: int) -> Response:
    return _act(ticket_id, lambda agent: desk.take_over(here().store, ticket_id, agent))


@blueprint.post(f"/desk/tickets/{TICKET}/transfer")
def transfer(ticket_id: int) -> Response:
    to, note = request.form.get("to", "")[:80], request.form.get("note", "")

    def give(agent: Agent) -> None:
        value = desk.transfer(here().store, ticket_id, agent, to, note)
        result = layout.diverted(value, to, Texts(layout.language_of_reader()))
        if result:
            session.tell(result)

    return _act(ticket_id, give, "/desk")


@blueprint.post(f"/desk/tickets/{TICKET}/messages")
def say(ticket_id: int) -> Response:
    client_id = request.form.get("client_id") or str(uuid.uuid4())
    text = request.form.get("text", "")
    return _act(ticket_id, lambda agent: desk.say(here().store, ticket_id, agent, client_id, text))


@blueprint.post(f"/desk/tickets/{TICKET}/notes")
def note(ticket_id: int) -> Response:
    text, client_id = request.form.get("text", ""), request.form.get("client_id") or None
    write = desk.whisper if request.form.get("whisper") else desk.note
    return _act(ticket_id, lambda agent: write(here().store, ticket_id, agent, text, client_id))


@blueprint.post(f"/desk/tickets/{TICKET}/close")
def close(ticket_id: int) -> Response:
    """`verdict` is a click: `article:ID`, `none` (one should be written), `other` (the one chosen from the list), or
    nothing for no verdict."""
    outcome, verdict = request.form.get("outcome", ""), request.form.get("verdict", "other")
    article = None
    if verdict.startswith("article:"):
        article = verdict.removeprefix("article:")
    elif verdict == "other":
        article = request.form.get("article") or None
    missing = verdict == "none"
    tags = [tag for tag in re.split(r"[,،;\s]+", request.form.get("tags", "")[:400]) if tag]
    return _act(
        ticket_id,
        lambda agent: desk.close(
            here().store, ticket_id, agent, outcome, article, no_article=missing, tags=tags
        ),
        None if missing else "/desk",
    )


def _handover(ticket_id: int, index: Index | None = None) -> desk.HandoverContext:
    try:
        return desk.ticket(here().store, ticket_id, index)
    except desk.NoTicket as error:
        raise ApiError(404, error.code, "No such conversation.") from None


def _act(ticket_id: int, action: Callable[[Agent], object], then: str | None = None) -> Response:
    """Do it as the agent signed in, and go on to a page; a refusal is told there, on the ticket."""
    agent = session.by_session()
    if agent is None:
        return layout.to_login()
    back = f"/desk/tickets/{ticket_id}"
    t = Texts(layout.language_of_reader())
    try:
        action(agent)
    except desk.NoTicket as error:
        raise ApiError(404, error.code, "No such conversation.") from None
    except desk.AlreadyClaimed as error:
        session.tell(t("desk.already_claimed", name=error.owner))
    except desk.NotOwner as error:
        session.tell(t("desk.others_lead", name=error.owner) if error.owner else t("desk.not_yours"))
    except desk.Away as error:
        session.tell(layout.is_away(error, t))
    except desk.TicketClosed:
        session.tell(t("desk.closed_lead"))
    except desk.MessageError as error:
        session.tell(t("desk.empty") if error.code == "empty" else t("desk.not_done"))
    except desk.DeskError:
        session.tell(t("desk.not_done"))
    else:
        return layout.to(then or back)
    return layout.to(back)


# What the page shows.


def _entry(event: Event, t: Texts) -> dict[str, Any] | None:
    """One event as the transcript shows it; None for what an agent need not see."""
    who = event.actor.removeprefix("agent:") if event.actor.startswith("agent:") else t("desk.bot")
    data = event.data
    entry = {"seq": event.seq, "at": iso(event.at), "at_text": layout.local(event.at, t)}
    if isinstance(data, CustomerMessage):
        return entry | {"side": "customer", "name": t("desk.customer"), "text": data.text}
    if isinstance(data, AgentMessage):
        return entry | {"side": "agent", "name": who, "text": data.text}
    if isinstance(data, Note):
        return entry | {"side": "note", "name": t("desk.note_by", name=who), "text": data.text}
    if isinstance(data, BotReply):
        sure = data.confidence
        return entry | {
            "side": "bot",
            "name": who,
            "html": data.html,
            "text": data.text,
            "lang": data.lang or None,
            "dir": direction(data.lang or t.lang),
            "tag": t.format.percent(sure) if sure is not None and data.kind == "answer" else "",
            "automatic": t("desk.automatic") if data.automatic else "",
            "options": [option.title for option in data.options] if data.kind == "clarify" else [],
        }
    text = _happening(data, who, t)
    return entry | {"side": "event", "text": text} if text else None


def _happening(data: EventData, who: str, t: Texts) -> str:
    """What happened to the ticket, in the words of `desk.event_<what>`, where there are any."""
    if isinstance(data, Feedback):
        return t("desk.event_helped" if data.helpful else "desk.event_not_helped")
    if isinstance(data, Satisfaction):
        return t("desk.event_rated", score=data.score, comment=data.comment).rstrip(" :")
    if isinstance(data, TicketReleased) and data.unattended:
        return t("desk.event_unattended", name=data.owner_before or "")
    if not isinstance(data, TicketEvent):
        return ""
    key = f"desk.event_{data.KIND.removeprefix('ticket.')}"
    if key not in language.messages(t.lang, here().tables):
        return ""
    reason = data.reason if isinstance(data, TicketOpened) else None
    closed = data if isinstance(data, TicketClosed) else None
    stored = t(
        key,
        name=who,
        to=data.to if isinstance(data, TicketTransferred | TicketOffered) else "",
        reason=t(f"desk.reason_{reason}") if reason else "",
        outcome=t(f"desk.outcome_{closed.outcome}") if closed and closed.outcome else "",
    )
    if closed and closed.no_article:
        stored += f" · {t('desk.event_no_article')}"
    if closed and closed.tags:
        stored += " · " + t.format.listed(f"#{tag}" for tag in closed.tags)
    return stored


def _candidates(handover: desk.HandoverContext, t: Texts) -> list[dict[str, Any]]:
    """What the bot considered when it handed over, with the reply that each would give."""
    texts = {suggestion.article: suggestion for suggestion in handover.suggestions}
    shown = []
    for candidate in handover.ticket.candidates:
        suggestion = texts.get(candidate.article)
        result = {
            "article": candidate.article,
            "title": suggestion.title if suggestion else candidate.title or candidate.article,
            "url": suggestion.url if suggestion else candidate.url,
            "text": suggestion.text if suggestion else "",
            "lang": suggestion.lang if suggestion else candidate.lang,
            "confidence": candidate.confidence,
        }
        shown.append(_labelled(result, handover.ticket.lang, t))
    return shown


def _passages(help_: Assist | None, lang: str | None, t: Texts) -> list[dict[str, Any]]:
    """What may be said, as the page shows it."""
    return [_labelled(vars(each), lang, t) for each in (help_.candidates if help_ else ())]


def _labelled(told: Mapping[str, Any], lang: str | None, t: Texts) -> dict[str, Any]:
    """With its language where that is not the customer's, and its probability in words."""
    sure = told.get("confidence")
    return {
        **told,
        "foreign": bool(told["lang"] and lang and told["lang"] != lang),
        "language_name": native_name(told["lang"]) if told["lang"] else "",
        "percent": t.format.percent(sure) if sure is not None else None,
    }


def _verdicts(candidates: Sequence[Mapping[str, Any]], help_: Assist) -> list[tuple[str, str]]:
    """(id, title) of the articles that an agent may name with one click: those of the handover, then those that fit
    what was said since."""
    result = {str(each["article"]): str(each["title"]) for each in candidates}
    for each in help_.candidates[:SHOWN]:
        if each.audience == "customer":
            result.setdefault(each.article, each.title)
    return list(result.items())


def _inserted(
    wanted: Mapping[str, str],
    help_: Assist,
    candidates: Sequence[Mapping[str, Any]],
    index: Index,
    lang: str | None,
) -> str:
    """The text of the link that was followed, for a page without a script."""
    if wanted["canned"]:
        return next((each.text for each in help_.replies if each.id == wanted["canned"]), "")
    if not wanted["insert"]:
        return ""
    passages = [*(vars(each) for each in help_.candidates if each.audience == "customer"), *candidates]
    text = next((str(each["text"]) for each in passages if each["article"] == wanted["insert"]), "")
    if text:
        return text
    article = index.best_translation(wanted["insert"], lang or index.default_language)
    return article.text if article is not None else ""


def _earlier(handover: desk.HandoverContext, t: Texts, index: Index) -> list[dict[str, Any]]:
    """What the customer came with before: tickets, what the assistant dealt with alone, and other conversations from
    the same browser. Oldest first."""
    result, transcript = handover.ticket, handover.transcript
    details: list[tuple[datetime, dict[str, Any]]] = []
    for ticket in desk.earlier(transcript, result.id):
        lines = [t(f"desk.reason_{ticket.reason}")] if ticket.reason else []
        lines += [t(f"desk.outcome_{ticket.outcome}")] if ticket.outcome else []
        details.append((ticket.opened_at, {"id": ticket.ticket, "lines": lines, "by": ticket.by}))
    lang = result.lang or index.default_language
    episodes = reports.of_conversation(transcript, here().store.now())
    # The last of them is the one that this ticket is about.
    for episode in [each for each in episodes if each.started <= result.opened_at][:-1]:
        if episode.handed_over:
            continue
        text = (e.data.text for e in transcript if isinstance(e.data, Message) and e.at == episode.started)
        words = next(text, "")
        titles = [index.title(each, lang) for each in episode.articles]
        lines = [t(f"desk.matter_{episode.outcome.replace('-', '_')}"), *filter(None, titles)]
        details.append((episode.started, {"id": None, "words": words[:120], "lines": lines, "by": None}))
    for visit in handover.earlier:
        lines = [t(f"desk.reason_{visit.reason}")] if visit.reason else [t("desk.matter_open")]
        lines += [t(f"desk.outcome_{visit.outcome}")] if visit.outcome else []
        about = {"id": visit.ticket, "words": visit.last_text[:120], "lines": lines, "by": visit.owner}
        details.append((visit.opened_at, about))
    details.sort(key=lambda pair: pair[0])
    return [{**each, "at": iso(at), "at_text": layout.local(at, t)} for at, each in details]


def _chat(chat: desk.Chat, here_is: int, t: Texts) -> dict[str, Any]:
    return {
        "id": chat.ticket,
        "text": chat.text[:120] or t("desk.ticket", id=chat.ticket),
        "language_name": native_name(chat.lang) if chat.lang else "–",
        "unanswered": chat.unanswered,
        "current": chat.ticket == here_is,
    }


def _extras(found: desk.Ticket, t: Texts) -> dict[str, Any]:
    """What a ticket knows besides: its tags, why it is as urgent as it is, and when a first reply is due."""
    words = language.messages(t.lang, here().tables)
    reasons = []
    for each in found.priority.reasons:
        name = words.get(f"desk.priority_{each.reason}", each.reason.replace("_", " "))
        reasons.append({"text": f"{name}: {each.tag}" if each.tag else name, "points": each.points})
    due = found.due_at if found.first_reply_at is None and found.state != "closed" else None
    return {
        "tags": list(found.tags),
        "priority": found.priority.value,
        "urgent": reasons,
        "due": iso(due) if due else None,
        "due_text": layout.local(due, t) if due else "",
        "late": due is not None and due <= here().store.now(),
    }


def _shelves(index: Index, lang: str | None) -> list[tuple[str, list[Any]]]:
    lang = lang if lang in index.languages else index.default_language
    articles = list(index.articles(lang))[:MOST_ARTICLES]
    shelves = [
        (title, [article for article in articles if article.category == category])
        for category, title in index.categories(lang)
    ]
    return [shelf for shelf in shelves if shelf[1]]
