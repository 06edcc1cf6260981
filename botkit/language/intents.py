"""What a text is for, besides a question: small talk, the wish for a person, and what must not wait in a queue.

In any language that there is a table of, whatever the page's: a greeting is understood everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from botkit.language.normalise import folded, folded_rule, folded_words
from botkit.language.tables import SHIPPED, Tables

_THANKFUL = re.compile("[👍🙏❤💚💙🌹😊🙂👌]")
_NOTHING = "(?!)"


def smalltalk(text: str, tables: Tables = SHIPPED) -> str | None:
    """`greeting`, `thanks`, `goodbye` or `robot` when a text is nothing else, `wordless` when it has
    neither letter nor digit; otherwise None."""
    bare = folded(text[:400], tables=tables)
    if not bare:
        return "thanks" if _THANKFUL.search(text) else "wordless"
    if len(bare) > 120:
        return None
    robot = tables.made(_robot)
    if robot.search(bare) and len(robot.sub(" ", bare).split()) <= 4:
        return "robot"
    topics, fillers = tables.made(_topics), tables.made(_fillers)
    result = bare.split()
    named = [topic for word in result for topic, vocabulary in topics.items() if word in vocabulary]
    plain = all(w in fillers or any(w in v for v in topics.values()) for w in result)
    if not named or not plain:
        return None
    # "good night" is a goodbye and "hello, thanks" a thank-you: the later kind says more.
    return next(topic for topic in ("goodbye", "thanks", "greeting") if topic in named)


def wants_person(text: str, tables: Tables = SHIPPED) -> bool:
    """Whether a customer asks to talk to a person rather than a bot."""
    bare = folded(text, tables=tables)
    if len(bare) > 300:
        return False
    return bool(tables.made(_person).search(" ".join(tables.made(_robot).sub(" ", bare).split())))


def concerns(text: str, tables: Tables = SHIPPED) -> frozenset[str]:
    """Which of `complaint`, `refund` and `data_request` a text speaks of. They order a queue and decide nothing else,
    so that a word too many only brings somebody a little forward.

    >>> sorted(concerns("I want to complain: where is my refund?"))
    ['complaint', 'refund']
    """
    bare = folded(text[:4000], tables=tables)
    return frozenset(name for name, pattern in tables.made(_concerns).items() if pattern.search(bare))


# ---------------------------------------------------------------- the tables, made ready


def _topics(tables: Tables) -> Mapping[str, frozenset[str]]:
    result = {
        "greeting": [word for table in tables for word in table.smalltalk.greeting],
        "thanks": [word for table in tables for word in table.smalltalk.thanks],
        "goodbye": [word for table in tables for word in table.smalltalk.goodbye],
    }
    return {topic: folded_words(words, tables) for topic, words in result.items()}


def _fillers(tables: Tables) -> frozenset[str]:
    return folded_words([*(word for table in tables for word in table.smalltalk.fillers), *tables.names], tables)


def _robot(tables: Tables) -> re.Pattern[str]:
    return _any(
        tables,
        (phrase for table in tables for phrase in table.smalltalk.robot),
        (rule for table in tables for rule in table.smalltalk.robot_rules),
    )


def _person(tables: Tables) -> re.Pattern[str]:
    return _any(
        tables,
        (phrase for table in tables for phrase in table.person.phrases),
        (rule for table in tables for rule in table.person.rules),
        (phrase for table in tables for phrase in table.person.alone),
    )


def _concerns(tables: Tables) -> Mapping[str, re.Pattern[str]]:
    return {
        "complaint": _any(tables, (phrase for table in tables for phrase in table.concerns.complaint)),
        "refund": _any(tables, (phrase for table in tables for phrase in table.concerns.refund)),
        "data_request": _any(tables, (phrase for table in tables for phrase in table.concerns.data_request)),
    }


def _any(
    tables: Tables, phrases: Iterable[str], rules: Iterable[str] = (), alone: Iterable[str] = ()
) -> re.Pattern[str]:
    """What finds any of the phrases and rules in a text, or a text that is one of `alone`, all in folded form."""
    parts = [folded_rule(rule, tables) for rule in rules]
    parts += [rf"\b{_phrase(phrase, tables)}\b" for phrase in phrases]
    parts += [rf"^{_phrase(phrase, tables)}$" for phrase in alone]
    return re.compile("|".join(parts) or _NOTHING)


def _phrase(phrase: str, tables: Tables) -> str:
    """A phrase as a regular expression: `*` is any ending, a/b either word, and … up to four words."""
    result = ""
    for place, word in enumerate(phrase.split()):
        if word in ("…", "..."):
            result += r"(?: \w+){0,4}"
            continue
        choices = [
            " ".join(re.escape(each) for each in folded(choice, tables=tables).split())
            + (r"\w*" if choice.endswith("*") else "")
            for choice in word.split("/")
        ]
        result += (" " if place else "") + (choices[0] if len(choices) == 1 else f"(?:{'|'.join(choices)})")
    return result
