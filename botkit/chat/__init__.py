"""One customer's turn: is a person in charge? If not, what does the bot say, and does a person take over?

This module writes what a customer says and what the bot says into the record, and opens a ticket where the reply is a
handover. Message, reply and ticket are one transaction; the search runs before it, never inside. It decides nothing
about articles (`answer` does) and nothing about the queue (`desk` does), and it shows each side what that side may see.

While a ticket waits or a person has it, the bot is silent; after the ticket is closed the bot answers again, unless
the customer's words go on with what the person did: then the ticket is taken up again (see `_goes_on`). A handover
says where in the queue the customer is and, when nobody is on, when somebody will be: never more.
"""

from botkit.chat.model import Caps, Conversation, Forbidden, NotFound, Started, TooMuch, Turn
from botkit.chat.turns import conversation, feedback, request_person, say, start
from botkit.chat.view import view
from botkit.desk import MessageError

__all__ = [
    "Caps",
    "Conversation",
    "Forbidden",
    "MessageError",
    "NotFound",
    "Started",
    "TooMuch",
    "Turn",
    "conversation",
    "feedback",
    "request_person",
    "say",
    "start",
    "view",
]
