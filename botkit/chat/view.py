"""What each side may see of an event: agents all of it, customers no note and no candidate behind a reply."""

from __future__ import annotations

from typing import Any, Final

from botkit import desk
from botkit.store import CUSTOMER, Event

_PUBLIC_REPLY: Final = (
    "id", "to", "kind", "text", "html", "lang", "direction", "article", "confidence",
    "source", "reason", "topic", "question_lang", "version", "queue",
)  # fmt: skip
_PUBLIC_TICKET: Final = (
    "ticket.opened", "ticket.claimed", "ticket.released", "ticket.transferred",
)  # fmt: skip
_PUBLIC_OPTION: Final = ("article", "title", "lang", "url")


def view(event: Event, audience: str) -> dict[str, Any] | None:
    """The event as one side may see it, or None: `agent` sees everything, `customer` neither notes nor who an agent is
    nor the candidates behind a reply."""
    if audience == "agent":
        return event.as_dict()
    if audience != "customer":
        raise ValueError(f"invalid audience {audience!r}: expected customer or agent")
    data: dict[str, Any]
    if event.kind == "message":
        data = {name: event.data[name] for name in ("text", "client_id", "choice") if event.data.get(name)}
        if event.actor != CUSTOMER:
            data.pop("client_id", None)
    elif event.kind == "reply":
        data = {name: event.data[name] for name in _PUBLIC_REPLY if name in event.data}
        options = event.data["options"] if event.data["kind"] == "clarify" else []
        data["options"] = [{name: option[name] for name in _PUBLIC_OPTION} for option in options]
    elif event.kind in ("conversation.opened", "feedback"):
        data = dict(event.data)
    elif event.kind == "satisfaction":
        data = {name: event.data[name] for name in ("score", "comment")}
    elif event.kind == "ticket.closed":
        data = {"ask": "satisfaction"} if desk.asks(event) else {}
    elif event.kind == "ticket.reopened":
        data = {"attended": bool(event.data.get("owner"))}
    elif event.kind in _PUBLIC_TICKET:
        data = {}
    else:
        return None
    actor = "agent" if event.actor.startswith("agent:") else event.actor
    return {**event.as_dict(), "actor": actor, "data": data}


def flat(event: Event) -> dict[str, Any]:
    """An event as its customer sees it, the data beside `seq` and `at`."""
    shown = view(event, "customer")
    assert shown is not None
    return {**shown.pop("data"), **{name: shown[name] for name in ("seq", "at")}}
