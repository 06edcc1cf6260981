"""Owns POST /api/v1/ask: one question answered, nothing kept."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from botkit import answer, desk
from botkit.index import Index
from botkit.server.customer import schemas
from botkit.server.http import requests
from botkit.server.http.context import here
from botkit.server.http.errors import ApiError
from botkit.server.http.languages import known_language
from botkit.server.http.openapi import describe
from botkit.server.http.rate_limits import asking, limited, weigh

blueprint = Blueprint("ask_api", __name__, url_prefix="/api/v1")


@blueprint.post("/ask")
@describe(body=schemas.Ask, gives={200: schemas.Reply}, errors=(413, 415), tag="questions")
@limited("question")
def ask() -> dict[str, Any]:
    """Answer one question.

    Stateless: nothing is stored and no ticket is opened. What was said before is known only from `before`.
    """
    asked = requests.body(schemas.Ask)
    index = here().index
    lang = known_language(asked.lang, index)
    text, before = desk.checked_text(asked.text), _before(asked.before, index)
    weigh(text, before.text if before else "")
    with asking() as deadline:
        reply = answer.reply(
            index, text, lang=lang, page=asked.page, before=before, deadline=deadline, **here().thresholds
        )
    result = reply.as_dict()
    count(result)
    return result


def _before(told: schemas.Before | None, index: Index) -> answer.Before | None:
    """The turn before as a client tells it; ApiError 400 for a text that cannot be taken or an unknown language."""
    if told is None:
        return None
    text = desk.checked_text(told.text, "before.text")
    try:
        lang = known_language(told.lang, index)
    except ApiError as error:
        error.field = "before.lang"
        raise
    return answer.Before(text, told.article, tuple(told.options), lang)


def count(reply: dict[str, Any]) -> None:
    """Count a reply by kind and language."""
    here().metrics.reply(reply["kind"], reply["lang"])
