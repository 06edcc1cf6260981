"""The small closed sets of words that the record, the desk and the HTTP API share, each written down once.

They are Literals: what is stored and sent is the plain word. It imports nothing.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

Kind = Literal[
    "conversation.opened",
    "message",
    "reply",
    "feedback",
    "satisfaction",
    "note",
    "ticket.opened",
    "ticket.claimed",
    "ticket.pending",
    "ticket.resumed",
    "ticket.released",
    "ticket.transferred",
    "ticket.closed",
    "ticket.reopened",
    "ticket.offered",
    "ticket.warned",
    "ticket.breached",
]
"""What an event of a conversation's log can be."""
Change = Literal["opened", "claimed", "pending", "resumed", "released", "transferred", "closed", "reopened"]
"""What can be done to a ticket: a line of its history, and the event `ticket.<change>`."""
State = Literal["waiting", "claimed", "pending", "closed"]
"""Where a ticket stands."""
Verdict = Literal["solved", "not_solved", "spam"]
"""How an agent may say that a ticket ended."""
Outcome = Literal[Verdict, "lapsed", "withdrawn"]
"""How a ticket ended; nobody of the team gives the last two: the customer did not come back, or took it back."""
Channel = Literal["live", "mail"]
"""Where a ticket's customer waits."""

ReplyKind = Literal["answer", "clarify", "handoff", "smalltalk"]
"""What one turn of the bot ended in."""
Reason = Literal[
    "customer_request", "low_confidence", "no_answer", "policy", "repeated_miss", "negative_feedback", "reopened"
]
"""Why a person takes over."""
Concern = Literal["data_request", "complaint", "asked", "refund", "policy", "came_again", "misunderstood"]
"""What makes a ticket urgent, the weightiest first."""
Urgency = Literal[Concern, "tag", "waited"]
"""What points are for: besides concerns, a tag that an integrator sent, and waiting."""
Act = Literal[
    "greeting",
    "opener",
    "help",
    "presence",
    "how_are_you",
    "identity",
    "capability",
    "language",
    "thanks",
    "solved",
    "no_more",
    "yes",
    "no",
    "ok",
    "sorry",
    "wait",
    "not_that",
    "unhelpful",
    "wrong",
    "confused",
    "repeat",
    "restart",
    "withdraw",
    "goodbye",
    "anger",
    "insult",
    "vague",
]
"""What a customer's line can be besides a question: an act of the dialogue, with examples in `botkit/language/acts`."""
Direction = Literal["ltr", "rtl"]
"""How a language is written."""

CHANGES: Final[tuple[Change, ...]] = get_args(Change)
STATES: Final[tuple[State, ...]] = get_args(State)
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
