"""The policy: what a customer is told. Pure; no database, no clock, no settings.

`reply` turns one text into one of four ends: the answer an editor wrote, a choice of two or three
articles, a hand-over to a person, or small talk. It asks the index and the confidence model and
writes nothing. Whoever calls it records the reply.

A text may lean on the turn before it (`Before`). How likely it does is told by its words and by how sure the text is by
itself; the more likely, the more the articles that the turn before found count for it. A text that is a phrasing to the
letter, or sure and without a cue, never leans.
"""

from botkit.answer.model import Before, Candidate, Option, Reply, Source
from botkit.answer.policy import LEAST_CHOICE, MISSES, OFFERING, candidates, choose, explain, replies, reply
from botkit.answer.quoting import in_short

__all__ = [
    "LEAST_CHOICE",
    "MISSES",
    "OFFERING",
    "Before",
    "Candidate",
    "Option",
    "Reply",
    "Source",
    "candidates",
    "choose",
    "explain",
    "in_short",
    "replies",
    "reply",
]
