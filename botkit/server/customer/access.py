"""Owns who may read and write a conversation: whoever has its token."""

from __future__ import annotations

from botkit import chat
from botkit.server.http import requests
from botkit.server.http.context import here
from botkit.server.http.errors import ApiError


def authorise(conversation_id: str) -> chat.Conversation:
    """404 and 403 say the same to a guesser: nothing."""
    token = requests.bearer()
    try:
        return chat.conversation(here().store, conversation_id, token)
    except (chat.NotFound, chat.Forbidden):
        raise ApiError(404, "not_found", "No such conversation, or the token does not open it.") from None
