"""What an answer is made of: the reply, its source and options, an agent's candidates, and the turn before."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from botkit.index import Search
from botkit.vocabulary import Direction, Reason, ReplyKind


@dataclass(frozen=True)
class Option:
    """A candidate article, with the probability that it answers."""

    article: str
    title: str
    confidence: float
    lang: str
    url: str


@dataclass(frozen=True)
class Source:
    """The article that an answer quotes."""

    title: str
    url: str
    lang: str


@dataclass(frozen=True)
class Reply:
    """What one turn ended in.

    `kind` is answer, clarify, handoff or smalltalk. `article` is the best candidate whatever the
    kind, `confidence` the calibrated probability in [0, 1] that it answers. `understood` is the text
    that was searched for where it is not the customer's own: a text that leans, with the turn before
    it, or the title that was picked.
    """

    kind: ReplyKind
    text: str
    html: str
    lang: str
    version: str
    question_lang: str
    direction: Direction
    article: str | None = None
    confidence: float | None = None
    options: tuple[Option, ...] = ()
    source: Source | None = None
    reason: Reason | None = None
    topic: str | None = None
    understood: str | None = None
    search: Search | None = field(default=None, repr=False, compare=False)
    """What was found for the text by itself; not part of what is told."""

    def as_dict(self) -> dict[str, Any]:
        """Everything above but the search, ready for JSON."""
        table = asdict(replace(self, search=None))
        del table["search"]
        table["options"] = [asdict(option) for option in self.options]
        return table


@dataclass(frozen=True)
class Candidate:
    """An article that may answer, with what would be quoted of it: for an agent, who decides. One whose `audience` is
    agent is for them to read, not to send."""

    article: str
    title: str
    text: str
    lang: str
    url: str
    confidence: float
    audience: str


@dataclass(frozen=True)
class Before:
    """The turn before, as far as a text may lean on it.

    `text` is what the customer said, already with what that leaned on; `article` the one that was
    answered or picked; `options` the articles offered when the bot asked back, in the order shown;
    `lang` the language that was spoken. `last` is what the bot's last reply was, small talk too: its
    kind, or the act that it was said to; `said` is its text.
    """

    text: str
    article: str | None = None
    options: tuple[str, ...] = ()
    lang: str | None = None
    last: str = ""
    said: str = ""

    @classmethod
    def of(cls, text: str, reply: Reply, earlier: Before | None = None) -> Before | None:
        """What a text and the reply to it are to the next turn. Small talk changes nothing."""
        if reply.kind == "smalltalk":
            return replace(earlier or cls(""), last=reply.topic or "", said=reply.text)
        return cls(
            text=reply.understood or text,
            article=reply.article if reply.source is not None else None,
            options=tuple(option.article for option in reply.options) if reply.kind == "clarify" else (),
            lang=reply.lang,
            last=reply.kind,
            said=reply.text,
        )
