"""Owns what the pages for customers share: their language, their links in every language, their tag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, make_response, redirect, request

from botkit.index import Index
from botkit.server.http.context import here
from botkit.server.http.errors import ApiError
from botkit.server.http.templates import best_language, direction, native_name


def to_language(pattern: str) -> Response:
    """Send the reader on to the page in their language."""
    index = here().index
    response = make_response(redirect(pattern.format(best_language(index.languages, index.default_language))))
    response.headers["Vary"] = "Accept-Language"
    return response


def index_with(lang: str) -> Index:
    """The index, if it has this language; ApiError 404 else."""
    index = here().index
    if lang not in index.languages:
        raise ApiError(404, "not_found", "No help in this language.")
    return index


def category_of(index: Index, lang: str, category: str) -> tuple[str, str] | None:
    """(id, title) of a category that has an article."""
    return next(((result, title) for result, title in index.categories(lang) if result == category), None)


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
