"""An event of a conversation's log, and who can be its actor beside agents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from botkit.store.event_data import EventData, read
from botkit.store.schema import iso

BOT: Final = "bot"
SYSTEM: Final = "system"


@dataclass(frozen=True)
class Event:
    """One line of a conversation's log. `seq` counts from 1 without gaps within the conversation; `stored` is `data` as
    it was written, by whichever release, and `kind` may be one that only a newer release knows."""

    conversation: str
    seq: int
    kind: str
    at: datetime
    actor: str
    data: EventData
    stored: Mapping[str, object]

    def as_dict(self) -> dict[str, object]:
        return {
            "seq": self.seq,
            "kind": self.kind,
            "at": iso(self.at),
            "actor": self.actor,
            "data": dict(self.stored),
        }


def as_event(row: sa.Row[Any]) -> Event:
    """The event in a row of the event table."""
    data = read(row.kind, row.actor, row.data)
    return Event(row.conversation_id, row.seq, row.kind, row.at, row.actor, data, row.data)
