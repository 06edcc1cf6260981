"""The policy: what a customer is told. Pure; no database, no clock, no settings.

`reply` turns one text into one of four ends: the answer an editor wrote, a choice of two or three articles, a hand-over
to a person, or small talk. It asks the index and the confidence model and writes nothing. Whoever calls it records the
reply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

from botkit import language
from botkit.answer.followups import DEPTH, Reading, pick, read_texts
from botkit.answer.model import Before, Candidate, Option, Reply
from botkit.answer.quoting import plain_text, quotable, quote
from botkit.confidence import ANSWER, Confidence, Contribution
from botkit.index import Hit, Index, Search
from botkit.vocabulary import Reason, ReplyKind

CHOICES = 3
LEAST_CHOICE = 0.08
"""An article less likely than this is not worth offering. `eval/constants.py --only offers` tries others."""
LIKELIER_THAN_NOT = 0.5
"""An article this likely is offered even where no other is: with the next one, since one alone is no choice."""
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
    before: Before | None = None,
    deadline: float | None = None,
) -> Reply:
    """What to say to one text.

    `lang` is the page's language, `page` its path, `misses` how many bot turns directly before
    missed, `before` the turn before, if the text is still about it. A threshold of 0 takes the
    index's own. The text should have been through `language.clean`; one without a word is small
    talk, and is asked for a few words. `deadline` is the encoder's, as in `Index.search_many`; what
    words alone have found is answered from the usual threshold on at the earliest.
    """
    return replies(
        index,
        [text],
        lang=lang,
        page=page,
        misses=misses,
        answer_threshold=answer_threshold,
        clarify_threshold=clarify_threshold,
        before=[before],
        deadline=deadline,
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
    before: Sequence[Before | None] | None = None,
    deadline: float | None = None,
) -> list[Reply]:
    """`reply` for many texts, each by itself; their vectors are made in one batch."""
    model = Confidence.of(index)
    high = answer_threshold or model.answer
    low = min(clarify_threshold or model.clarify, high)
    pages = [lang] * len(texts) if lang is None or isinstance(lang, str) else list(lang)
    turns = list(before) if before is not None else [None] * len(texts)
    if any(turns):
        spoken = [turn.lang if turn else None for turn in turns]
        alone = index.search_many(texts, pages, DEPTH, spoken, deadline=deadline)
    else:
        alone = index.search_many(texts, pages, deadline=deadline)
    readings = read_texts(index, model, alone, pages, turns, deadline=deadline)
    return [
        replace(_decide(index, model, reading, text, code, turn, misses, high, low), search=search)
        for text, code, reading, turn, search in zip(texts, pages, readings, turns, alone, strict=True)
    ]


def candidates(
    index: Index,
    text: str,
    *,
    lang: str,
    before: Before | None = None,
    page: str | None = None,
    limit: int = 5,
    deadline: float | None = None,
) -> list[Candidate]:
    """What an agent could say to a text, likeliest first, in the customer's language `lang` where there is a
    translation: no policy and no threshold, and articles for agents alone are among them. `page` is the language to
    expect the text in, `deadline` the encoder's."""
    spoken = [before.lang if before else None]
    alone = index.search_many([text], [page], DEPTH, spoken, for_agent=True, deadline=deadline)
    reading = read_texts(index, Confidence.of(index), alone, [page], [before], for_agent=True, deadline=deadline)[0]
    result = []
    for hit, probability in reading.candidates[:limit]:
        article = index.best_translation(hit.article, lang, for_agent=True)
        if article is not None:
            passages, url = quotable(article, hit.anchor)
            quoted, sure = plain_text(passages) or article.title, round(probability, 4)
            result.append(Candidate(article.id, article.title, quoted, article.lang, url, sure, article.audience))
    return result


def explain(
    index: Index, text: str, *, lang: str | None = None, deadline: float | None = None
) -> list[Contribution]:
    """What each signal added to the log-odds of the first candidate, the weightiest first; nothing where nothing was
    found."""
    search = index.search(text, lang, deadline=deadline)
    if not search.hits:
        return []
    return Confidence.of(index).contributions(search)


def choose(index: Index, article_id: str, *, lang: str) -> Reply | None:
    """The reply when a customer picks an article out of the choices; None if there is no such one."""
    article = index.best_translation(article_id, lang)
    if article is None:
        return None
    option = Option(article.id, article.title, 1.0, article.lang, article.url)
    return quote(index, article, "", None, (option,), lang)


# ---------------------------------------------------------------- one text


def _decide(
    index: Index,
    model: Confidence,
    reading: Reading,
    text: str,
    page_lang: str | None,
    turn: Before | None,
    misses: int,
    high: float,
    low: float,
) -> Reply:
    search = reading.search
    high = high if search.encoded else max(high, ANSWER)
    lang = _reply_language(index, search, page_lang, turn)
    options = _options(index, reading.candidates, lang)
    base: dict[str, Any] = {"version": index.version, "question_lang": search.lang, "options": options}
    if options:
        base |= {"article": options[0].article, "confidence": options[0].confidence}
    if language.wants_person(text, index.tables):
        return _say(index, "handoff", "handoff_request", lang, reason="customer_request", **base)
    topic = language.smalltalk(text, index.tables)
    if topic is not None:
        return _say(index, "smalltalk", topic, lang, topic=topic, **base)
    exact = search.exact
    if turn is not None and turn.options and not exact:
        if language.neither(text, index.tables):
            return _miss(index, "no_answer", MISSES - 1, lang, base)
        sure = reading.understood is None and bool(options) and options[0].confidence >= high
        picked = pick(index, reading, text, turn, lang, sure)
        chosen = choose(index, picked, lang=lang) if picked else None
        if chosen is not None and chosen.source is not None:
            return replace(chosen, question_lang=search.lang, understood=chosen.source.title)
    if not options or not language.words(text, tables=index.tables):
        return _miss(index, "no_answer", misses, lang, base)
    base["understood"] = reading.understood
    best = options[0].confidence
    article = index.best_translation(options[0].article, lang) if best >= high else None
    if article is not None:
        quoted = quote(index, article, reading.candidates[0][0].anchor, best, options, lang, search.lang)
        return replace(quoted, understood=reading.understood)
    choices = tuple(o for o in options if o.confidence >= LEAST_CHOICE)
    if len(choices) < 2 and best >= LIKELIER_THAN_NOT:
        choices = options[:2]
    if sum(o.confidence for o in choices) >= low and len(choices) >= 2 and misses < MISSES - 1:
        return _say(index, "clarify", "clarify", lang, **(base | {"options": choices}))
    return _miss(index, "low_confidence" if best >= low else "no_answer", misses, lang, base)


def _miss(index: Index, reason: Reason, misses: int, lang: str, base: Mapping[str, Any]) -> Reply:
    again = misses >= MISSES - 1
    return _say(
        index,
        "handoff",
        "handoff_repeated" if again else "handoff_unsure",
        lang,
        reason="repeated_miss" if again else reason,
        **base,
    )


def _reply_language(index: Index, search: Search, page_lang: str | None, turn: Before | None) -> str:
    """The customer's language: the question's where that is plain, otherwise the one spoken before, otherwise the
    page's."""
    if search.shares.get(search.lang, 0.0) >= 0.6:
        return search.lang
    spoken = (turn.lang if turn else None, page_lang)
    return next((lang for lang in spoken if lang in index.languages and lang), search.lang)


def _options(index: Index, candidates: Sequence[tuple[Hit, float]], lang: str) -> tuple[Option, ...]:
    result = []
    for hit, probability in candidates[:CHOICES]:
        article = index.best_translation(hit.article, lang)
        if article is not None:
            result.append(Option(article.id, article.title, round(probability, 4), article.lang, article.url))
    return tuple(result)


def _say(index: Index, kind: ReplyKind, key: str, lang: str, **fields: Any) -> Reply:
    text = language.messages(lang, index.tables)[f"bot.{key}"]
    direction = language.direction(lang, index.tables)
    return Reply(kind=kind, text=text, html=f"<p>{escape(text)}</p>", lang=lang, direction=direction, **fields)
