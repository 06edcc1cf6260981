"""Owns the frame of the widget, which the loader opens on a shop's page."""

from __future__ import annotations

from flask import Blueprint, Response, request

from botkit import language
from botkit.server.http.context import here
from botkit.server.http.templates import best_language, page

blueprint = Blueprint("widget_page", __name__)

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
