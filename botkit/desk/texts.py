"""What customers and agents write, checked before it is stored."""

from __future__ import annotations

import re
from typing import Final

from botkit import language

LONGEST_TEXT: Final = 4000
LONGEST_CLIENT_ID: Final = 64

_CLIENT_ID = re.compile(rf"[A-Za-z0-9._:-]{{1,{LONGEST_CLIENT_ID}}}")


class MessageError(Exception):
    """What somebody wrote cannot be taken. `code` is for programs, `field` names the part at fault."""

    def __init__(self, code: str, message: str, field: str = "text") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field


def checked_text(text: str, field: str = "text") -> str:
    """A text as it will be stored, or MessageError."""
    if len(text) > 4 * LONGEST_TEXT:  # before any work is spent on it
        raise _too_long(len(text), field)
    text = language.clean(text)
    if not text:
        raise MessageError("empty", "the text is empty: write something", field)
    if len(text) > LONGEST_TEXT:
        raise _too_long(len(text), field)
    return text


def checked_client_id(client_id: str) -> str:
    """The id that a client made for a message, or MessageError."""
    if not _CLIENT_ID.fullmatch(client_id):
        raise MessageError(
            "bad_client_id",
            f"a client_id has 1 to {LONGEST_CLIENT_ID} letters, digits and . _ : -, such as a UUID",
            "client_id",
        )
    return client_id


def _too_long(length: int, field: str) -> MessageError:
    return MessageError(
        "too_long", f"the text has {length} characters, {LONGEST_TEXT} are allowed: send it in parts", field
    )
