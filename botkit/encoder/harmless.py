"""Make any text safe for a model: the one place that all texts pass before an encoder reads them."""

from __future__ import annotations

QUERY_CHARACTERS, DOCUMENT_CHARACTERS = 500, 2000
"""A longer text is cut here, whatever the model: a question's first sentences say what it is about."""


def harmless(text: str, characters: int) -> str:
    """The first `characters` of a text as valid Unicode without NULs: a C string would end there.

    A lone surrogate, which no UTF-8 can hold, becomes a question mark.
    """
    return text[:characters].replace("\x00", " ").encode("utf-8", "replace").decode("utf-8")
