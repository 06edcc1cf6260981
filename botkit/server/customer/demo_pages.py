"""The pages of the demo shop and their pictures, which `botkit demo` serves and nothing else does: a shop's site around
the chat."""

from __future__ import annotations

from flask import Blueprint, Response

from botkit import language
from botkit.server.customer.layout import category_of, index_with, kept, links, to_language
from botkit.server.http.templates import page

blueprint = Blueprint(
    "demo", __name__, static_folder=str(language.web_folder() / "demo"), static_url_path="/static/demo"
)


@blueprint.get("/demo")
@blueprint.get("/demo/")
def root() -> Response:
    return to_language("/demo/{}")


@blueprint.get("/demo/<lang>", strict_slashes=False)
@blueprint.get("/demo/<lang>/cart", defaults={"place": "cart"})
@blueprint.get("/demo/<lang>/orders/LZ-20418", defaults={"place": "orders"})
def shop(lang: str, place: str = "") -> Response:
    index = index_with(lang)
    pattern = "/demo/LANG" + {"": "", "cart": "/cart", "orders": "/orders/LZ-20418"}[place]
    care = f"/help/{lang}/" + ("warranty" if category_of(index, lang, "warranty") else "")
    return kept(page("demo.html", lang, place=place, care=care, **links(index, pattern, lang)))
