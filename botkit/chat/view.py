"""What each side may see of an event: agents all of it, customers no note and no candidate behind a reply."""

from __future__ import annotations

from typing import Any, Final

from botkit import answer, desk
from botkit.store import Event
from botkit.store.event_data import (
    BotReply,
    ConversationOpened,
    CustomerMessage,
    Feedback,
    Message,
    Satisfaction,
    TicketClaimed,
    TicketClosed,
    TicketOpened,
    TicketReleased,
    TicketReopened,
    TicketTransferred,
)

_PUBLIC_REPLY: Final = (
    "id", "to", "kind", "text", "html", "lang", "direction", "article", "confidence",
    "source", "reason", "topic", "question_lang", "version", "queue", "automatic",
)  # fmt: skip
_PUBLIC_TICKET: Final = (TicketOpened, TicketClaimed, TicketReleased, TicketTransferred)
_PUBLIC_OPTION: Final = ("article", "title", "lang", "url")


def view(event: Event, audience: str) -> dict[str, Any] | None:
    """The event as one side may see it, or None: `agent` sees everything, `customer` neither notes nor who an agent is
    nor the candidates behind a reply."""
    if audience == "agent":
        return event.as_dict()
    if audience != "customer":
        raise ValueError(f"invalid audience {audience!r}: expected customer or agent")
    data, stored = event.data, event.stored
    shown: dict[str, object] = {}
    if isinstance(data, Message):
        shown = {name: stored[name] for name in ("text", "client_id", "choice") if stored.get(name)}
        if not isinstance(data, CustomerMessage):
            shown.pop("client_id", None)
    elif isinstance(data, BotReply):
        shown = {name: stored[name] for name in _PUBLIC_REPLY if name in stored}
        options = [option.as_json() for option in data.options] if offers(data) else []
        shown["options"] = [{name: option[name] for name in _PUBLIC_OPTION} for option in options]
    elif isinstance(data, ConversationOpened | Feedback):
        shown = dict(stored)
    elif isinstance(data, Satisfaction):
        shown = {"score": data.score, "comment": data.comment}
    elif isinstance(data, TicketClosed):
        shown = {"ask": "satisfaction"} if desk.asks(event) else {}
    elif isinstance(data, TicketReopened):
        shown = {"attended": bool(data.owner)}
    elif not isinstance(data, _PUBLIC_TICKET):
        return None
    actor = "agent" if event.actor.startswith("agent:") else event.actor
    return {**event.as_dict(), "actor": actor, "data": shown}


def offers(reply: BotReply) -> bool:
    """Whether the options of a reply are for the customer to choose from, and not what was considered."""
    return reply.kind == "clarify" or (reply.kind == "smalltalk" and reply.topic in answer.OFFERING)


def flat(event: Event) -> dict[str, Any]:
    """An event as its customer sees it, the data beside `seq` and `at`."""
    shown = view(event, "customer")
    assert shown is not None
    return {**shown.pop("data"), **{name: shown[name] for name in ("seq", "at")}}
