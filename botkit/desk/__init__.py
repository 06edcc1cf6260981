"""The human queue: tickets opened, claimed, handed on and closed, what agents write, who is at the desk, and what
happens there by itself.

This package owns `ticket`, `ticket_state`, `seat`, `absence`, `satisfaction` and `mention` and is their only writer. A
ticket is always in one of four states, and every change of it is one compare-and-set, one line of its history and one
event in the conversation's log, in the same transaction:

    waiting --claim--> claimed --wait--> pending: with its owner, waits for the customer
       ^                 |  ^ \\__________/  |  the customer writes, or the owner claims again
       |                 |  \\__ transfer: another owner
       +----release------+------------------+
    any --close--> closed --the customer goes on--> waiting, or claimed by its last owner

    arrivals     a ticket opened or taken up again   transitions  the one way in which it changes
    tickets      the other steps of its life         priority     points with reasons, and the order they make
    queue        reading: the order, one ticket      scheduler    offers, clocks, `tick`
    messages     what agents write                   texts        checked before it is stored
    agents       languages, presence, absences       hours        when the team is on
    supervision  the desk at a glance, satisfaction  mentions     notes, and the colleagues whom they name
    assistance   what helps an agent to answer       model        what the others speak of

It never answers by itself and never decides that a customer should be handed over.
"""

from botkit.desk.agents import PRESENCE, AgentProfile, absences, arrange, left, profile, profiles, seen
from botkit.desk.arrivals import closed_ticket_of, coming, open_ticket, open_ticket_of, reopen, returns_to
from botkit.desk.assistance import Assist, Canned, Chat, Earlier, advise, assist, chats, draft, earlier, turn_before
from botkit.desk.hours import Opening, due, opening
from botkit.desk.mentions import Mention, mentions, mentions_of, saw
from botkit.desk.messages import note, say, whisper
from botkit.desk.model import (
    AUTO_CLOSED,
    OUTCOMES,
    AlreadyClaimed,
    Away,
    Change,
    DeskError,
    HandoverContext,
    NotAllowed,
    NoTicket,
    NotOwner,
    NotRated,
    Policy,
    Suggestion,
    Ticket,
    TicketClosed,
    Visit,
)
from botkit.desk.priority import SECONDS_PER_POINT, Priority, priority, rank
from botkit.desk.queue import counts, position, queue, ticket, transcript_before, usual_wait, waiting
from botkit.desk.scheduler import Ticked, end_absence, offer, plan_absence, tick
from botkit.desk.supervision import SCORES, Overview, Satisfaction, asks, close_many, overview, rate, rating
from botkit.desk.texts import LONGEST_TEXT, MessageError, checked_client_id, checked_text
from botkit.desk.tickets import checked_tags, claim, close, heard, release, take_over, transfer, wait_for_customer
from botkit.vocabulary import STATES

__all__ = [
    "AUTO_CLOSED",
    "LONGEST_TEXT",
    "OUTCOMES",
    "PRESENCE",
    "SCORES",
    "SECONDS_PER_POINT",
    "STATES",
    "AgentProfile",
    "AlreadyClaimed",
    "Assist",
    "Away",
    "Canned",
    "Change",
    "Chat",
    "DeskError",
    "Earlier",
    "HandoverContext",
    "Mention",
    "MessageError",
    "NoTicket",
    "NotAllowed",
    "NotOwner",
    "NotRated",
    "Opening",
    "Overview",
    "Policy",
    "Priority",
    "Satisfaction",
    "Suggestion",
    "Ticked",
    "Ticket",
    "TicketClosed",
    "Visit",
    "absences",
    "advise",
    "arrange",
    "asks",
    "assist",
    "chats",
    "checked_client_id",
    "checked_tags",
    "checked_text",
    "claim",
    "close",
    "close_many",
    "closed_ticket_of",
    "coming",
    "counts",
    "draft",
    "due",
    "earlier",
    "end_absence",
    "heard",
    "left",
    "mentions",
    "mentions_of",
    "note",
    "offer",
    "open_ticket",
    "open_ticket_of",
    "opening",
    "overview",
    "plan_absence",
    "position",
    "priority",
    "profile",
    "profiles",
    "queue",
    "rank",
    "rate",
    "rating",
    "release",
    "reopen",
    "returns_to",
    "saw",
    "say",
    "seen",
    "take_over",
    "tick",
    "ticket",
    "transcript_before",
    "transfer",
    "turn_before",
    "usual_wait",
    "wait_for_customer",
    "waiting",
    "whisper",
]
