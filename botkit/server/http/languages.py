"""Owns which language of the corpus a request means."""

from __future__ import annotations

from botkit.index import Index
from botkit.server.http.errors import ApiError


def known_language(lang: str | None, index: Index) -> str | None:
    """The corpus's language for a language tag (`en` for `en-GB`), None for none; ApiError 400 for another."""
    if lang is None or lang == "":
        return None
    if lang in index.languages:
        return lang
    primary = lang.replace("_", "-").split("-")[0].lower()
    if primary not in index.languages:
        raise ApiError(400, "unknown_language", f"Known languages: {', '.join(index.languages)}.", "lang")
    return primary
