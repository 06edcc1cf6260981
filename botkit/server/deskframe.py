"""Owns the frame of the desk's pages: the interface's language, what all pages are given, and how they show times."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Response, get_flashed_messages, make_response, redirect, request, session
from markupsafe import Markup, escape

from botkit import language
from botkit.index import Index
from botkit.people import Agent

from .rendering import best_language, native_name, number, page

_NUMBER = re.compile(r"(?:[#№+]|\b[A-Za-z]{1,5}-?)?\d+(?:[-–/.,:٬٫ \u00a0]\d+)*")


def show(
    template: str, agent: Agent | None, *, status: int = 200, etag: str | None = None, **values: Any
) -> Response:
    """A page of the desk in the interface's language, for an agent or, before signing in, for nobody. `etag` marks what
    it shows: an unchanged page is not sent again."""
    lang = language_of_reader()
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
        isolated=isolated,
        **values,
    )
    if etag is not None and agent is not None and not flashes:
        # The page itself never repeats, since each has a fresh id for the next message; what it shows does.
        response.set_etag(mark([etag, lang, agent.id, agent.stamp]))
        response.make_conditional(request)
    return response


def language_of_reader() -> str:
    """The interface's language: the one just chosen, the one chosen before, or the browser's."""
    chosen = request.args.get("lang", "")
    if chosen in language.LANGUAGES:
        session["lang"] = chosen
    kept = session.get("lang")
    return kept if kept in language.LANGUAGES else best_language(language.LANGUAGES, language.LANGUAGES[0])


def mark(shown: Sequence[Any]) -> str:
    """A short digest of what a page shows."""
    return hashlib.blake2b(repr(shown).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def to(address: str) -> Response:
    """Send the reader on to a page, after a form."""
    return make_response(redirect(address, 303))


def to_login() -> Response:
    """Send the reader to the sign-in, and from there back here."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else "/desk"
    return to("/desk/login?" + urlencode({"next": wanted}))


def isolated(text: str) -> Markup:
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


def local(at: datetime, index: Index) -> str:
    """A time on the shop's clock; the script makes it the reader's own."""
    name = (index.shop(index.default_language) or {}).get("time_zone", "UTC")
    try:
        return f"{at.astimezone(ZoneInfo(name)):%Y-%m-%d %H:%M}"
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"{at:%Y-%m-%d %H:%M} UTC"
