"""Owns the API's own page, and its OpenAPI document."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from botkit.server.customer.layout import kept
from botkit.server.http import openapi
from botkit.server.http.templates import page

blueprint = Blueprint("api_docs_page", __name__)


@blueprint.get("/openapi.json")
def openapi_document() -> dict[str, Any]:
    return openapi.document()


@blueprint.get("/api")
@blueprint.get("/api/")
def api_page() -> Response:
    return kept(page("api.html", "en", groups=openapi.readable()))
