"""Owns /api/v1/search and /api/v1/suggest: articles that fit words, and words that complete a question."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from botkit import language
from botkit.index import Index
from botkit.server.customer import schemas, snippets
from botkit.server.http import requests
from botkit.server.http.context import here
from botkit.server.http.languages import known_language
from botkit.server.http.openapi import describe
from botkit.server.http.rate_limits import asking, limited

blueprint = Blueprint("search_api", __name__, url_prefix="/api/v1")

SEARCH_LENGTH = 300
"""Characters of a search that count: a longer one is a story, and its beginning says what it is about."""


@blueprint.get("/search")
@describe(query=schemas.SearchQuery, gives={200: schemas.SearchResult}, tag="help centre")
@limited("question")
def search() -> dict[str, Any]:
    """Search the articles."""
    wanted = requests.query(schemas.SearchQuery)
    index = here().index
    lang = known_language(wanted.lang, index)
    text = language.clean(wanted.q)[:SEARCH_LENGTH]
    return {"query": text, "hits": [hit for hit, _ in found(index, text, lang, wanted.limit)]}


@blueprint.get("/suggest")
@describe(query=schemas.SuggestQuery, gives={200: schemas.Suggestions}, tag="help centre")
@limited("suggestion")
def suggest() -> dict[str, Any]:
    """Complete a question that is being typed."""
    wanted = requests.query(schemas.SuggestQuery)
    index = here().index
    lang = known_language(wanted.lang, index) or index.default_language
    text = language.clean(wanted.q)[:SEARCH_LENGTH]
    near = index.suggest(text, lang, wanted.limit) if text else []
    return {
        "suggestions": [
            {"article": article, "text": words, "url": f"/help/{lang}/{article}"} for article, words in near
        ]
    }


def found(
    index: Index, text: str, lang: str | None, limit: int, *, foreign: bool = False
) -> list[tuple[dict[str, Any], snippets.Snippet]]:
    """What a search finds, as JSON and with the snippet to show, best first.

    With a language, its articles alone; with `foreign`, also those that have no translation into it.
    """
    if not text:
        return []
    with asking() as deadline:
        hits = index.search(text, lang, limit=limit, deadline=deadline).hits
    shown = []
    for hit in hits:
        article = index.article(hit.article, lang or hit.lang)
        if article is None and foreign:
            article = index.best_translation(hit.article, hit.lang)
        if article is None:
            continue
        own = article.lang == hit.lang
        passage = (article.passage(hit.anchor) if own else None) or next(iter(article.passages), None)
        cut = snippets.snippet(passage.text if passage else article.title, text, article.lang, index.tables)
        fragment = f"#{passage.anchor}" if passage and passage.anchor and "#" not in article.id else ""
        address = f"/help/{lang or article.lang}/{article.id}{fragment}"
        result = {
            "article": article.id,
            "title": article.title,
            "lang": article.lang,
            "category": article.category,
            "url": address,
            "match": hit.match,
            "snippet": cut.text,
            "marks": [{"start": start, "end": end} for start, end in cut.marks],
        }
        shown.append((result, cut))
    return shown
