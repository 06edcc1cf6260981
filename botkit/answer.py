"""The policy: what a customer is told. Pure; no database, no clock, no settings.

`reply` turns one text into one of four ends: the answer an editor wrote, a choice of two or three
articles, a hand-over to a person, or small talk. It asks the index and the confidence model and
writes nothing. Whoever calls it records the reply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from botkit import language
from botkit.confidence import Confidence
from botkit.corpus import Article
from botkit.index import Index, Search

REASONS = ("customer_request", "low_confidence", "no_answer", "policy", "repeated_miss", "negative_feedback")


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
    kind, `confidence` the calibrated probability in [0, 1] that it answers.
    """

    kind: str
    text: str
    html: str
    lang: str
    version: str
    question_lang: str
    article: str | None = None
    confidence: float | None = None
    options: tuple[Option, ...] = ()
    source: Source | None = None
    reason: str | None = None
    topic: str | None = None

    @property
    def direction(self) -> str:
        return language.direction(self.lang)

    def as_dict(self) -> dict[str, Any]:
        """Everything above, ready for JSON."""
        table = asdict(self)
        table["options"] = [asdict(option) for option in self.options]
        table["direction"] = self.direction
        return table


# ---------------------------------------------------------------- the policy

CHOICES = 3
LEAST_CHOICE = 0.08
"""An article less likely than this is not worth offering."""
MISSES = 2
"""So many misses in a row hand over."""


def reply(
    index: Index,
    text: str,
    *,
    lang: str | None = None,
    page: str | None = None,
    misses: int = 0,
    answer_threshold: float = 0.0,
    clarify_threshold: float = 0.0,
) -> Reply:
    """What to say to one text.

    `lang` is the page's language, `page` its path, `misses` how many bot turns directly before
    missed. A threshold of 0 takes the index's own. The text should have been through
    `language.clean`; one without a word is small talk, and is asked for a few words.
    """
    return replies(
        index,
        [text],
        lang=lang,
        page=page,
        misses=misses,
        answer_threshold=answer_threshold,
        clarify_threshold=clarify_threshold,
    )[0]


def replies(
    index: Index,
    texts: Sequence[str],
    *,
    lang: str | Sequence[str | None] | None = None,
    page: str | None = None,
    misses: int = 0,
    answer_threshold: float = 0.0,
    clarify_threshold: float = 0.0,
) -> list[Reply]:
    """`reply` for many texts, each by itself; their vectors are made in one batch."""
    model = Confidence.of(index)
    high = answer_threshold or model.answer
    low = min(clarify_threshold or model.clarify, high)
    pages = [lang] * len(texts) if lang is None or isinstance(lang, str) else list(lang)
    found = []
    for text, code, search in zip(texts, pages, index.search_many(texts, pages), strict=True):
        found.append(_decide(index, model, search, text, code, misses, high, low))
    return found


def explain(index: Index, text: str, *, lang: str | None = None) -> list[tuple[str, float]]:
    """What each figure added to the log-odds of the first candidate, the weightiest first."""
    search = index.search(text, lang)
    if not search.hits:
        return []
    return sorted(Confidence.of(index).contributions(search).items(), key=lambda item: -abs(item[1]))


def choose(index: Index, article_id: str, *, lang: str) -> Reply | None:
    """The reply when a customer picks an article out of the choices; None if there is no such one."""
    article = index.best_translation(article_id, lang)
    if article is None or not index.shows(article):
        return None
    option = Option(article.id, article.title, 1.0, article.lang, article.url)
    return _quote(index, article, "", None, (option,), lang)


def _decide(
    index: Index,
    model: Confidence,
    search: Search,
    text: str,
    page_lang: str | None,
    misses: int,
    high: float,
    low: float,
) -> Reply:
    lang = _reply_language(index, search, page_lang)
    probabilities = model.probabilities(search)
    options = _options(index, search, probabilities, lang)
    base: dict[str, Any] = {"version": index.version, "question_lang": search.lang, "options": options}
    if options:
        base |= {"article": options[0].article, "confidence": options[0].confidence}
    if language.wants_person(text):
        return _say("handoff", "handoff_request", lang, reason="customer_request", **base)
    topic = language.smalltalk(text)
    if topic is not None:
        return _say("smalltalk", topic, lang, topic=topic, **base)
    if not options or not language.words(text):
        return _miss("no_answer", misses, lang, base)
    best = options[0].confidence
    if best >= high:
        article = index.best_translation(options[0].article, lang)
        assert article is not None
        return _quote(index, article, search.hits[0].anchor, best, options, lang, search.lang)
    choices = tuple(o for o in options if o.confidence >= LEAST_CHOICE)
    if sum(o.confidence for o in choices) >= low and len(choices) >= 2 and misses < MISSES - 1:
        return _say("clarify", "clarify", lang, **(base | {"options": choices}))
    return _miss("low_confidence" if best >= low else "no_answer", misses, lang, base)


def _miss(reason: str, misses: int, lang: str, base: Mapping[str, Any]) -> Reply:
    again = misses >= MISSES - 1
    return _say(
        "handoff",
        "handoff_repeated" if again else "handoff_unsure",
        lang,
        reason="repeated_miss" if again else reason,
        **base,
    )


def _reply_language(index: Index, search: Search, page_lang: str | None) -> str:
    """The customer's language: the question's where that is plain, otherwise the page's."""
    if search.shares.get(search.lang, 0.0) >= 0.6 or page_lang not in index.languages:
        return search.lang
    return str(page_lang)


def _options(index: Index, search: Search, probabilities: Sequence[float], lang: str) -> tuple[Option, ...]:
    found = []
    for hit, probability in list(zip(search.hits, probabilities, strict=True))[:CHOICES]:
        article = index.best_translation(hit.article, lang)
        if article is not None:
            found.append(Option(article.id, article.title, round(probability, 4), article.lang, article.url))
    return tuple(found)


def _quote(
    index: Index,
    article: Article,
    anchor: str,
    confidence: float | None,
    options: tuple[Option, ...],
    lang: str,
    question_lang: str | None = None,
) -> Reply:
    """The passage that answers: the one found if the article is long, else the whole article."""
    passages = article.passages
    if len(passages) > 3 or len(article.text) > 900:
        lead = [p for p in passages if not p.heading][:1]
        chosen = article.passage(anchor) if anchor else None
        passages = (chosen,) if chosen is not None else tuple(lead or passages[:1])
        anchor = chosen.anchor if chosen is not None else ""
    else:
        anchor = ""
    text = "\n\n".join(f"{p.heading}\n{p.text}".strip() for p in passages) or article.title
    html = (
        "\n".join((f"<p><strong>{escape(p.heading)}</strong></p>\n" if p.heading else "") + p.html for p in passages)
        or f"<p>{escape(article.title)}</p>"
    )
    url = f"{article.url}#{anchor}" if anchor else article.url
    hand_over = article.action == "handoff"
    if article.lang != lang:
        note = language.messages(lang)["bot.other_language"]
        text, html = (
            f"{note}\n\n{text}",
            f'<p>{escape(note)}</p>\n<div lang="{escape(article.lang)}" '
            f'dir="{language.direction(article.lang)}">{html}</div>',
        )
    return Reply(
        kind="handoff" if hand_over else "answer",
        text=text,
        html=html,
        lang=lang,
        version=index.version,
        question_lang=question_lang or lang,
        article=article.id,
        confidence=confidence,
        options=options,
        source=Source(article.title, url, article.lang),
        reason="policy" if hand_over else None,
    )


def _say(kind: str, key: str, lang: str, **fields: Any) -> Reply:
    text = language.messages(lang)[f"bot.{key}"]
    return Reply(kind=kind, text=text, html=f"<p>{escape(text)}</p>", lang=lang, **fields)
