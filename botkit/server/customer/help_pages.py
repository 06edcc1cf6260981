"""Owns the pages of the help centre: its home, search, categories, articles and files of short questions.

All of it works without JavaScript. It shows what editors wrote, whose HTML was made safe at build time;
everything else is escaped by the templates.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from flask import Blueprint, Response, redirect, request

from botkit import language
from botkit.corpus import Article
from botkit.index import Index
from botkit.server.customer import snippets
from botkit.server.customer.layout import category_of, index_with, kept, links, to_language
from botkit.server.customer.search_api import SEARCH_LENGTH, found
from botkit.server.http.errors import ApiError
from botkit.server.http.rate_limits import limited
from botkit.server.http.templates import direction, native_name, page

blueprint = Blueprint("help_pages", __name__)

TOC_FROM = 3
"""Headings from which an article gets a table of contents."""
SHELF = 5
"""Articles that the first page shows of each category."""
RESULTS = 12
"""Articles that a page of results has at most."""


@dataclass(frozen=True)
class Shelf:
    """A category and its entries on one page."""

    id: str
    title: str
    entries: tuple[Article, ...]


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
    related = [result for other in shown.related if (result := index.article(other, lang)) is not None]
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
