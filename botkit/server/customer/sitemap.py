"""Owns what search engines ask first: the site map and robots.txt."""

from __future__ import annotations

import functools
from datetime import date
from urllib.parse import quote

from flask import Blueprint, Response, make_response, render_template
from markupsafe import escape

from botkit.corpus import Article
from botkit.server.customer.layout import kept
from botkit.server.http.context import here
from botkit.server.http.errors import ApiError

blueprint = Blueprint("sitemap", __name__)

_BASE = "\ufdd0"
"""Stands for the site's own address, which the request may name: a character that no text has."""


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
