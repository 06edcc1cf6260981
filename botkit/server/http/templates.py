"""Owns how a template becomes a page: the language, its texts and direction, and the addresses of static files.

Every page of the server is rendered here, so that none can miss its language or its escaping. It finds nothing
and decides nothing about content.
"""

import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import Response, current_app, make_response, render_template, request
from markupsafe import Markup, escape

from botkit import formatting, language
from botkit.server.http.context import here
from botkit.server.http.errors import ApiError


class Texts:
    """The interface's texts in one language, for a template: `t("desk.matches", n=3)`; `t.format` writes numbers and
    times for the shop's readers."""

    def __init__(self, lang: str) -> None:
        self.lang = lang

    def __call__(self, key: str, /, **values: Any) -> str:
        return self.format.say(key, **values)

    @functools.cached_property
    def format(self) -> formatting.Format:
        return formatting.of(self.lang, shop(self.lang), here().tables)


def page(template: str, lang: str, *, status: int = 200, **values: Any) -> Response:
    """The template as a response, with `t`, `number`, `lang`, `locale`, `dir`, `languages`, `shop`, `site` (the shop's
    own) and `asset` at hand."""
    languages, _, facts = _front(lang)
    values.setdefault("shop", facts)
    url = str(facts.get("url") or "")
    site = f"/demo/{lang}" if here().demo else url if url.startswith(("https://", "http://")) else ""
    texts = Texts(lang)
    html = render_template(
        template,
        lang=lang,
        locale=texts.format.tag,
        dir=direction(lang),
        t=texts,
        number=texts.format.number,
        languages=[
            {"code": code, "name": native_name(code), "dir": direction(code)} for code in languages
        ],
        asset=asset,
        site=site,
        **values,
    )
    response = make_response(html, status)
    response.headers["Content-Language"] = lang
    return response


def error_page(error: ApiError) -> Response:
    """The page for a failure, in the language of the address or else of the reader."""
    try:
        languages, default, _ = _front()
        lang = _language_of_address() or best_language(languages, default)
        response = page("error.html", lang, status=error.status, error=error)
    except Exception:  # the error itself must still arrive
        current_app.logger.exception("the error page could not be rendered")
        return error.response()
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def best_language(languages: Sequence[str], default: str) -> str:
    """The language of `languages` that the reader's Accept-Language likes best."""
    for wanted, quality in request.accept_languages:
        primary = wanted.split("-")[0].lower()
        if quality > 0 and primary in languages:
            return primary
    return default


def shop(lang: str = "") -> Mapping[str, Any]:
    """The shop's facts in a language, else in its default one; none without an index."""
    return _front(lang)[2]


def telephone(text: str) -> str:
    """A telephone number as `tel:` wants it: ASCII digits and a plus."""
    return "".join(char if char == "+" else str(int(char)) for char in text if char == "+" or char.isdecimal())


def with_code(text: str) -> Markup:
    """Text with what stands between backticks as <code>."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped just here


def native_name(lang: str) -> str:
    """What a language calls itself; its code when the interface does not speak it."""
    tables = here().tables
    return language.messages(lang, tables)["site.language_name"] if lang in tables.interface else lang


def direction(lang: str) -> str:
    """`rtl` or `ltr`."""
    return language.direction(lang, here().tables)


def asset(name: str) -> str:
    """The address of a static file, with a mark of its content, so that it may be kept for ever."""
    return f"/static/{name}?v={mark(name)}"


def mark(name: str) -> str:
    """A short digest of a static file's content."""
    web = language.web_folder()
    path = web / name if name.startswith("demo/") else web / "static" / name  # the demo's are served with it alone
    return _digest(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _digest(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _language_of_address() -> str | None:
    parts = request.path.split("/")
    if len(parts) > 2 and parts[1] in ("help", "demo") and parts[2] in _front()[0]:
        return parts[2]
    return None


def _front(lang: str = "") -> tuple[Sequence[str], str, Mapping[str, Any]]:
    """The languages of the help, the default one and the shop's facts; without an index, what the interface has."""
    live = here().live
    if live.version is None:
        return language.LANGUAGES, language.LANGUAGES[0], {}
    index = live.current()
    return index.languages, index.default_language, index.shop(lang or index.default_language) or {}
