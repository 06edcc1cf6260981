"""Owns what all pages of the desk share: how a page of it is rendered, in which language, and how it shows times,
waits, states and numbers. It finds nothing and changes nothing."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Response, g, make_response, redirect, request
from markupsafe import Markup, escape

from botkit import desk
from botkit.accounts import Agent
from botkit.server.desk import session
from botkit.server.http import cookies
from botkit.server.http.context import here
from botkit.server.http.errors import ApiError
from botkit.server.http.templates import Texts, best_language, direction, native_name, page, shop
from botkit.store import iso

_REMEMBERED = timedelta(days=365)
_NUMBER = re.compile(r"(?:[#№+]|\b[A-Za-z]{1,5}-?)?\d+(?:[-–/.,:٬٫ \u00a0]\d+)*")


def show(template: str, agent: Agent | None, *, status: int = 200, etag: str | None = None, **values: Any) -> Response:
    """A page of the desk in the interface's language, for an agent or, before signing in, for nobody. `etag` marks what
    it shows: an unchanged page is not sent again."""
    lang = language_of_reader()
    t = Texts(lang)
    flashes = session.told()
    mentions = mentions_of(agent) if agent is not None else []
    query = request.args.to_dict(flat=True)
    tongues = [
        {
            "code": code,
            "name": native_name(code),
            "dir": direction(code),
            "url": f"{request.path}?{urlencode(query | {'lang': code})}",
        }
        for code in here().tables.interface
    ]
    response = page(
        template,
        lang,
        status=status,
        agent=agent,
        flashes=flashes,
        tongues=tongues,
        isolated=isolated,
        mentions=[mentioned(each, t) for each in mentions],
        **values,
    )
    if etag is not None and agent is not None and not flashes:
        # The page itself never repeats, since each has a fresh id for the next message; what it shows does.
        response.set_etag(_tag(etag, agent, lang, mentions))
        response.make_conditional(request)
    return response


def mentions_of(agent: Agent) -> list[desk.Mention]:
    """Where the agent was named and has not looked yet, read once a request."""
    if "mentions" not in g:
        g.mentions = desk.mentions(here().store, agent)
    result: list[desk.Mention] = g.mentions
    return result


def saw(agent: Agent, ticket_id: int, seq: int) -> None:
    """The agent looks at a ticket: what named them there up to an event is seen."""
    if any(each.ticket == ticket_id and each.seq <= seq for each in mentions_of(agent)):
        desk.saw(here().store, agent, ticket_id, seq)
        del g.mentions


def unchanged(agent: Agent, etag: str) -> Response | None:
    """304 where the reader has this state of a page already: asked before any work is spent on it."""
    if session.told(take=False):
        return None
    tag = _tag(etag, agent, language_of_reader(), mentions_of(agent))
    if not request.if_none_match.contains(tag):
        return None
    response = make_response("", 304)
    response.set_etag(tag)
    return response


def _tag(etag: str, agent: Agent, lang: str, mentions: Sequence[desk.Mention]) -> str:
    return mark([etag, lang, agent.id, agent.stamp, [each.id for each in mentions]])


def looked_at() -> bool:
    """Whether somebody sees the page that is asked for: the script says so of one in the background."""
    return "X-Page-Hidden" not in request.headers


def language_of_reader() -> str:
    """The interface's language: the one just chosen, the one chosen before, or the browser's."""
    chosen = request.args.get("lang", "")
    spoken = here().tables.interface
    if chosen in spoken:
        cookies.put(cookies.LANG, chosen, _REMEMBERED)
    kept = cookies.get(cookies.LANG)
    return kept if kept in spoken else best_language(spoken, spoken[0])


def to(address: str) -> Response:
    """Send the reader on to a page, after a form; to the queue where no header can hold its address."""
    return make_response(redirect(address if address.isprintable() else "/desk", 303))


def to_login() -> Response:
    """Send the reader to the sign-in, and from there back here."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else "/desk"
    return to("/desk/login?" + urlencode({"next": wanted}))


def admitted(what: str) -> Agent | Response:
    """The agent signed in, if the role allows it; else the way to the sign-in, or ApiError 403."""
    agent = session.by_session()
    if agent is None:
        return to_login()
    if not agent.may(what):
        raise ApiError(403, "forbidden", f"The role {agent.role} may not see this page.")
    return agent


def done(text: str, address: str) -> Response:
    """Send the reader on to a page that says, in words of the accounts, what was done."""
    session.tell(Texts(language_of_reader())(f"accounts.{text}"))
    return to(address)


def mark(shown: Sequence[Any]) -> str:
    """A short digest of what a page shows."""
    return hashlib.blake2b(repr(shown).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


# How things are said.


def state(ticket: desk.Ticket, t: Texts) -> str:
    if ticket.state in ("claimed", "pending"):
        return t(f"desk.state_{ticket.state}", name=ticket.owner)
    text = t(f"desk.state_{ticket.state}")
    return f"{text} · {t(f'desk.outcome_{ticket.outcome}')}" if ticket.outcome else text


def waited(ticket: desk.Ticket) -> float:
    """Seconds the customer has waited; one who was put back in the queue waits since the beginning."""
    if ticket.state == "waiting":
        return max(0.0, (here().store.now() - ticket.opened_at).total_seconds())
    return ticket.waited


def diverted(given: desk.Ticket, to: str, t: Texts) -> str:
    """What is told to who passed a ticket on to somebody whose delegate has it instead; else nothing."""
    if not given.home or not given.owner or given.owner.casefold() == to.casefold():
        return ""
    return t("desk.to_delegate", name=f"\u2068{given.home}\u2069", delegate=f"\u2068{given.owner}\u2069")


def is_away(error: desk.Away, t: Texts) -> str:
    """Why nobody gets the ticket. The marks keep name and time together in a line of the other direction."""
    until = f"\u2068{local(error.until, t)}\u2069"
    return t("desk.is_away", name=f"\u2068{error.name}\u2069", until=until)


def mentioned(mention: desk.Mention, t: Texts) -> dict[str, Any]:
    """A mention as pages show it."""
    return {
        "id": mention.id,
        "ticket": mention.ticket,
        "seq": mention.seq,
        "by": mention.by,
        "text": mention.text[:240],
        "seen": mention.seen,
        "at": iso(mention.at),
        "at_text": local(mention.at, t),
    }


def age(seconds: float, t: Texts) -> str:
    if seconds < 60:
        return t("desk.now")
    if seconds < 3600:
        return t.format.duration(int(seconds // 60), "minute")
    if seconds < 86400:
        return t.format.duration(int(seconds // 3600), "hour")
    return t.format.duration(int(seconds // 86400), "day", "long")


def span(seconds: float, t: Texts) -> str:
    """How long something lasts: seconds up to two minutes, then minutes."""
    n, unit = _rounded(seconds)
    return t.format.duration(n, unit, "long")


def too_many(seconds: float, what: str, t: Texts) -> str:
    """What was tried too often, and how long to wait; the same whether a name exists or not."""
    n, unit = _rounded(seconds)
    return t(f"desk.too_many_{what}" if what else "desk.too_many", time=t(f"desk.in_{unit}s", n=n))


def _rounded(seconds: float) -> tuple[int, Literal["second", "minute"]]:
    return (math.ceil(seconds), "second") if seconds <= 120 else (math.ceil(seconds / 60), "minute")


def isolated(text: str) -> Markup:
    """Text with its order and phone numbers isolated: in a line that runs from right to left, the groups of a number
    would change places. Amounts stay as they are, beside the sign of their currency."""
    parts, start = [], 0
    for match in _NUMBER.finditer(text):
        result = match.group()
        lettered = not result[0].isdigit()
        if lettered or (len(re.findall(r"\d", result)) >= 5 and not re.search(r"[.,:٬٫]", result)):
            parts += [escape(text[start : match.start()]), Markup('<bdi dir="ltr">{}</bdi>').format(result)]
            start = match.end()
    return Markup("").join([*parts, escape(text[start:])])


def zone() -> tzinfo:
    """The clock of the shop; UTC where it names none that is known."""
    try:
        return ZoneInfo(str(shop().get("time_zone", "UTC")))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def timed(at: datetime, t: Texts) -> dict[str, str]:
    """A time as pages show it."""
    return {"at": iso(at), "at_text": local(at, t)}


def local(at: datetime, t: Texts) -> str:
    """A time on the shop's clock, which is named; the script makes it the reader's own."""
    return t.format.moment(at, zone())
