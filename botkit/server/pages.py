"""Owns the pages a customer reads: the help centre, the frame of the widget, the API's own page.

All of it works without JavaScript. It shows what editors wrote, whose HTML was made safe at build time;
everything else is escaped by the templates.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, make_response, redirect, render_template, request
from markupsafe import escape

from botkit import language
from botkit.corpus import Article
from botkit.index import Index

from . import openapi, snippets
from .api import SEARCH_LENGTH, found
from .context import here
from .errors import ApiError
from .limits import limited
from .rendering import best_language, direction, native_name, page

blueprint = Blueprint("pages", __name__)

TOC_FROM = 3
"""Headings from which an article gets a table of contents."""
SHELF = 5
"""Articles that the first page shows of each category."""
RESULTS = 12
"""Articles that a page of results has at most."""


_BASE = "\ufdd0"
"""Stands for the site's own address, which the request may name: a character that no text has."""


@dataclass(frozen=True)
class Shelf:
    """A category and its entries on one page."""

    id: str
    title: str
    entries: tuple[Article, ...]


# The help centre.


@blueprint.get("/")
def root() -> Response:
    return to_language("/help/{}/")


@blueprint.get("/help")
@blueprint.get("/help/")
def help_root() -> Response:
    return to_language("/help/{}/")


@blueprint.get("/help/<lang>/")
def home(lang: str) -> Response:
    index = index_with(lang)
    return kept(
        page("help/home.html", lang, shelves=_shelves(index, lang), shelf=SHELF, **links(index, "/help/LANG/", lang))
    )


@blueprint.get("/help/<lang>/search")
@limited("question")
def search(lang: str) -> Response:
    index = index_with(lang)
    query = language.clean(request.args.get("q", ""))[:SEARCH_LENGTH]
    nearest = found(index, query, lang, RESULTS, foreign=True)
    hits = [(hit, cut) for hit, cut in nearest if hit["match"] == "good"]
    titles = dict(index.categories(lang))
    return page(
        "help/search.html",
        lang,
        query=query,
        hits=[
            {
                **hit,
                "title_html": snippets.snippet(hit["title"], query, hit["lang"], index.tables).html,
                "dir": direction(hit["lang"]),
                "html": cut.html,
                "category_title": titles.get(hit["category"], ""),
            }
            for hit, cut in hits
        ],
        near=[] if hits else [hit for hit, _ in nearest if hit["match"] == "near"][:SHELF],
        shelves=_shelves(index, lang),
        **links(index, "/help/LANG/search?q=" + quote(query), lang),
    )


@blueprint.get("/help/<lang>/<path:article_id>")
def article(lang: str, article_id: str) -> Response:
    """An article, a file of short questions, or a category: whichever has this address."""
    index = index_with(lang)
    article_id = unicodedata.normalize("NFC", article_id)
    if article_id.endswith("/"):
        return redirect(f"/help/{lang}/{quote(article_id.rstrip('/'))}", 308)  # type: ignore[return-value]
    exact = index.article(article_id, lang)
    if exact is not None:
        return _article(index, lang, exact)
    entries = _entries(index, lang, article_id)
    if entries:
        return _entries_page(index, lang, article_id, entries)
    shelf = next((shelf for shelf in _shelves(index, lang) if shelf.id == article_id), None)
    if shelf is not None:
        return kept(
            page("help/category.html", lang, shelf=shelf, **links(index, f"/help/LANG/{quote(article_id)}", lang))
        )
    other = index.best_translation(article_id, lang)
    if other is not None:
        return _article(index, lang, other)
    raise ApiError(404, "not_found", "Nothing is served at this address.")


def _article(index: Index, lang: str, shown: Article) -> Response:
    """The page in `lang` of an article, which may be in another language."""
    related = [found for other in shown.related if (found := index.article(other, lang)) is not None]
    if not related:
        related = [
            other for other in index.articles(lang) if other.category == shown.category and other.id != shown.id
        ][:SHELF]
    headings = [passage for passage in shown.passages if passage.heading]
    having = [code for code in index.languages if index.article(shown.id, code) is not None]
    return kept(
        page(
            "help/article.html",
            lang,
            article=shown,
            updated=date.fromisoformat(shown.updated) if shown.updated else None,
            body_dir=direction(shown.lang),
            foreign=shown.lang != lang,
            foreign_name=native_name(shown.lang),
            toc=headings if len(headings) >= TOC_FROM else [],
            related=related,
            category=category_of(index, lang, shown.category),
            **links(index, f"/help/LANG/{quote(shown.id)}", lang, having),
        )
    )


def _entries_page(index: Index, lang: str, path: str, entries: Sequence[Article]) -> Response:
    """The page in `lang` of a file of short questions; each entry has the anchor that its id ends in."""
    having = [code for code in index.languages if any(entry.lang == code for entry in _entries(index, code, path))]
    return kept(
        page(
            "help/faq.html",
            lang,
            entries=[(entry.id.partition("#")[2], entry, direction(entry.lang)) for entry in entries],
            foreign=all(entry.lang != lang for entry in entries),
            foreign_name=native_name(entries[0].lang),
            category=category_of(index, lang, entries[0].category),
            **links(index, f"/help/LANG/{quote(path)}", lang, having),
        )
    )


@blueprint.get("/sitemap.xml")
def sitemap() -> Response:
    base = here().base_url
    if not base:  # a request names any host that it likes
        raise ApiError(404, "no_base_url", "No site map until base_url names the public address of this site.")
    text = _site_map(here().index.version, date.today()).replace(_BASE, escape(base))
    response = make_response(text)
    response.headers["Content-Type"] = "application/xml; charset=utf-8"
    return kept(response)


@functools.lru_cache(maxsize=1)
def _site_map(_version: str, _day: date) -> str:
    """The addresses of a version's articles on a day, made once: it is long, and anybody may ask for it."""
    index = here().index
    groups: dict[str, dict[str, Article]] = {}
    for lang in index.languages:
        for entry in index.articles(lang):
            groups.setdefault(entry.id.partition("#")[0], {}).setdefault(lang, entry)
    return render_template("help/sitemap.xml", base=_BASE, languages=index.languages, groups=groups, quote=quote)


@blueprint.get("/robots.txt")
def robots() -> Response:
    base = here().base_url
    lines = ["User-agent: *", "Disallow: /api/", "Disallow: /desk", "Disallow: /widget"]
    response = make_response("\n".join([*lines, *([f"Sitemap: {base}/sitemap.xml"] if base else []), ""]))
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    return response


# The widget's frame.


@blueprint.get("/widget")
def widget() -> Response:
    """The frame that the loader opens on a shop's page."""
    index = here().index
    wanted = request.args.get("lang", "").split("-")[0].lower()
    lang = wanted if wanted in index.languages else best_language(index.languages, index.default_language)
    shop_page = _shop_page(language.clean(request.args.get("page", ""))[:500])
    return page(
        "widget.html",
        lang,
        page=shop_page,
        starters=index.starters(shop_page, lang),
        messages=language.messages(lang, index.tables),
    )


def _shop_page(path: str) -> str:
    """The path as the shop knows it: the demo shop stands below /demo/<lang>."""
    parts = path.split("/", 3)
    if here().demo and len(parts) > 2 and parts[1] == "demo":
        return "/" + (parts[3] if len(parts) > 3 else "")
    return path


# The API's own page.


@blueprint.get("/openapi.json")
def openapi_document() -> dict[str, Any]:
    return openapi.document()


@blueprint.get("/api")
@blueprint.get("/api/")
def api_page() -> Response:
    return kept(page("api.html", "en", groups=openapi.readable()))


# What pages share.


def to_language(pattern: str) -> Response:
    index = here().index
    response = make_response(redirect(pattern.format(best_language(index.languages, index.default_language))))
    response.headers["Vary"] = "Accept-Language"
    return response


def index_with(lang: str) -> Index:
    index = here().index
    if lang not in index.languages:
        raise ApiError(404, "not_found", "No help in this language.")
    return index


def _shelves(index: Index, lang: str) -> list[Shelf]:
    articles = index.articles(lang)
    shelves = []
    for category, title in index.categories(lang):
        entries = tuple(found for found in articles if found.category == category)
        if entries:
            # What the site offers on its own pages is what most people come for.
            shelves.append(Shelf(category, title, tuple(sorted(entries, key=lambda found: not found.pages))))
    return shelves


def _entries(index: Index, lang: str, path: str) -> list[Article]:
    """The entries of a file of short questions in `lang`, and in another language those without a translation."""
    entries: dict[str, Article] = {}
    for code in dict.fromkeys((lang, index.default_language, *index.languages)):
        for entry in index.articles(code):
            if entry.id.startswith(path + "#"):
                entries.setdefault(entry.id, entry)
    return list(entries.values())


def category_of(index: Index, lang: str, category: str) -> tuple[str, str] | None:
    return next(((found, title) for found, title in index.categories(lang) if found == category), None)


def links(index: Index, pattern: str, lang: str, having: Sequence[str] | None = None) -> dict[str, Any]:
    """The page in every language: for the switch (all), for search engines (those that have it).

    `pattern` is the page's address with LANG, once, in the place of the language.
    """
    base = here().base_url

    def at(code: str) -> str:
        return pattern.replace("LANG", code, 1)

    having = index.languages if having is None else having
    own = lang if lang in having or not having else having[0]
    return {
        "tongues": [
            {"code": code, "name": native_name(code), "dir": direction(code), "url": at(code)}
            for code in index.languages
        ],
        "alternates": [{"code": code, "url": base + at(code)} for code in having],
        "canonical": base + at(own),
        "default_url": base + at(index.default_language),
    }


def kept(response: Response) -> Response:
    """With a tag of its content, so that an unchanged page is not sent twice."""
    response.add_etag()
    response.make_conditional(request)  # in place
    return response
