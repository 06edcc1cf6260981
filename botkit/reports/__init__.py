"""Read-only questions to the log: how each episode ended, what share of them needed no person, and what agents and
customers judged.

An episode is one problem of one customer. It begins with the first real question of a conversation, and with the first
one after a ticket was closed or after the window of quiet while no ticket is open; small talk alone makes none. It has
exactly one outcome, the first of these that applies:

    human               a person replied, or the customer asked for one
    confirmed           the last feedback is positive
    open                not yet quiet for the window and not ended otherwise: counted apart, in no denominator
    assumed             the bot's last turn was an answer, without negative feedback, then quiet for the window
    unresolved-silent   no answer, or a bad one, then gone; also a handover by the bot that nobody took

A customer who goes on with a closed ticket goes on with its episode.

This module writes nothing and never guesses: a measure stands beside its formula, its numerator and its denominator.
"""

from botkit.reports.episodes import Episode, episodes, of_conversation
from botkit.reports.labels import labels
from botkit.reports.measures import satisfaction, summary
from botkit.reports.text import table

__all__ = [
    "Episode",
    "episodes",
    "labels",
    "of_conversation",
    "satisfaction",
    "summary",
    "table",
]
