"""An event of a conversation's log, and who can be its actor beside agents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from botkit.store.schema import iso

CUSTOMER: Final = "customer"
BOT: Final = "bot"
SYSTEM: Final = "system"


@dataclass(frozen=True)
class Event:
    """One line of a conversation's log. `seq` counts from 1 without gaps within the conversation."""

    conversation: str
    seq: int
    kind: str
    at: datetime
    actor: str
    data: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return {
            "seq": self.seq,
            "kind": self.kind,
            "at": iso(self.at),
            "actor": self.actor,
            "data": dict(self.data),
        }


def as_event(row: sa.Row[Any]) -> Event:
    """The event in a row of the event table."""
    return Event(row.conversation_id, row.seq, row.kind, row.at, row.actor, row.data)
