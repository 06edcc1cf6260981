"""Hits to a calibrated probability that the first article answers.

A logistic regression on some fifty cheap signals of a search, and on products of a few pairs of them, says whether the
first article is right, another one whether a right one is among the first three. Their numbers ship with botkit, made
on simulated bots; labels of a shop's own questions move or refit them, and certify the threshold above which the bot
answers. The model is plain numbers and is stored with the index; nothing here decides what to do with a probability.
"""

from botkit.confidence.certificate import ALPHA, DELTA, certify, upper_bound
from botkit.confidence.fitting import ANSWER, CLARIFY, fit, summary
from botkit.confidence.model import LEXICAL, Confidence, Contribution, area, features

__all__ = [
    "ALPHA",
    "ANSWER",
    "CLARIFY",
    "DELTA",
    "LEXICAL",
    "Confidence",
    "Contribution",
    "area",
    "certify",
    "features",
    "fit",
    "summary",
    "upper_bound",
]
