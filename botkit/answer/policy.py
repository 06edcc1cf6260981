"""The policy: what a customer is told. Pure; no database, no clock, no settings.

`reply` turns one text into one of four ends: the answer an editor wrote, a choice of two or three articles, a hand-over
to a person, or small talk. It asks the index and the confidence model and writes nothing. Whoever calls it records the
reply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any, Final, Literal

from botkit import language
from botkit.answer import acts
from botkit.answer.followups import DEPTH, Reading, pick, read_texts
from botkit.answer.model import Before, Candidate, Option, Reply
from botkit.answer.quoting import plain_text, quotable, quote
from botkit.confidence import ANSWER, Confidence, Contribution
from botkit.corpus import Article
from botkit.index import Hit, Index, Search
from botkit.vocabulary import Act, Reason, ReplyKind

CHOICES = 3
LEAST_CHOICE = 0.08
"""An article less likely than this is not worth offering. `eval/constants.py --only offers` tries others."""
LIKELIER_THAN_NOT = 0.5
"""An article this likely is offered even where no other is: with the next one, since one alone is no choice."""
LIKELIEST = 3
"""Articles that are named where nothing is sure."""
HINT = 0.02
"""An article less likely than this is no hint of what was meant."""
OFFERING: Final = ("help", "capability", "restart", "vague")
"""Acts that are met with topics to choose from."""
MISSES = 2
"""So many misses in a row hand over, unless the settings say otherwise."""


def reply(
    index: Index,
    text: str,
    *,
    lang: str | None = None,
    page: str | None = None,
    misses: int = 0,
    most_misses: int = MISSES,
    answer_threshold: float = 0.0,
    clarify_threshold: float = 0.0,
    before: Before | None = None,
    deadline: float | None = None,
) -> Reply:
    """What to say to one text.

    `lang` is the page's language, `page` its path, `misses` how many bot turns directly before
    missed, of which `most_misses` in a row hand over, `before` the turn before, if the text is still
    about it. A threshold of 0 takes the index's own. The text should have been through
    `language.clean`; one without a word is small talk, and is asked for a few words. `deadline` is
    the encoder's, as in `Index.search_many`; what words alone have found is answered from the usual
    threshold on at the earliest.
    """
    return replies(
        index,
        [text],
        lang=lang,
        page=page,
        misses=misses,
        most_misses=most_misses,
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
    most_misses: int = MISSES,
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
        replace(
            _decide(index, model, reading, text, code, turn, misses, most_misses, high, low), search=search
        )
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
            texts, sure = plain_text(passages) or article.title, round(probability, 4)
            result.append(Candidate(article.id, article.title, texts, article.lang, url, sure, article.audience))
    return result


def explain(
    index: Index, text: str, *, lang: str | None = None, deadline: float | None = None
) -> list[Contribution]:
    """What each signal added to the log-odds of the first candidate, the weightiest first; nothing where nothing was
    found."""
    search = index.search(text, lang, deadline=deadline)
    if not search.hits:
        return []
    return sorted(Confidence.of(index).contributions(search), key=lambda each: -abs(each.log_odds))


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
    most_misses: int,
    high: float,
    low: float,
) -> Reply:
    search, missed = reading.search, (misses, most_misses)
    high = high if search.encoded else max(high, ANSWER)
    lang = _reply_language(index, search, page_lang, turn)
    options = _options(index, reading.candidates, lang)
    base: dict[str, Any] = {"version": index.version, "question_lang": search.lang, "options": options}
    if options:
        base |= {"article": options[0].article, "confidence": options[0].confidence}
    if language.wants_person(text, index.tables):
        return _say(index, "handoff", "bot.handoff_request", lang, reason="customer_request", **base)
    sure = options[0].confidence if options else 0.0
    offered = turn is not None and bool(turn.options) and not search.exact
    if offered and turn is not None and language.ordinal(text, index.tables) is not None:
        chosen = _picked(index, reading, text, turn, lang, high)
        if chosen is not None:
            return chosen
    act = acts.act_of(search, text, sure, index.tables)
    if act is not None:
        return _reply_to(index, acts.meant(act, turn), text, turn, lang, base)
    if language.smalltalk(text, index.tables) == "wordless":
        return _say(index, "smalltalk", "bot.wordless", lang, topic="wordless", **base)
    if offered and turn is not None:
        if language.neither(text, index.tables):
            return _reply_to(index, "not_that", text, turn, lang, base)
        chosen = _picked(index, reading, text, turn, lang, high)
        if chosen is not None:
            return chosen
    if not options or not language.words(text, tables=index.tables):
        return _miss(index, "no_answer", missed, lang, base)
    base["understood"] = reading.understood
    best = options[0].confidence
    article = index.best_translation(options[0].article, lang) if best >= high else None
    if article is not None:
        quoted = quote(index, article, reading.candidates[0][0].anchor, best, options, lang, search.lang)
        return replace(quoted, understood=reading.understood)
    choices = tuple(o for o in options if o.confidence >= LEAST_CHOICE)
    if len(choices) < 2 and best >= LIKELIER_THAN_NOT:
        choices = options[:2]
    if sum(o.confidence for o in choices) >= low and len(choices) >= 2 and misses < most_misses - 1:
        return _say(index, "clarify", "bot.clarify", lang, **(base | {"options": choices}))
    return _miss(index, "low_confidence" if best >= low else "no_answer", missed, lang, base)


def _picked(index: Index, reading: Reading, text: str, turn: Before, lang: str, high: float) -> Reply | None:
    """The article among those offered that a text picks."""
    certain = reading.understood is None and bool(reading.candidates) and reading.candidates[0][1] >= high
    picked = pick(index, reading, text, turn, lang, certain)
    chosen = choose(index, picked, lang=lang) if picked else None
    if chosen is None or chosen.source is None:
        return None
    return replace(chosen, question_lang=reading.search.lang, understood=chosen.source.title)


def _reply_to(
    index: Index, act: Act | Literal["which"], text: str, turn: Before | None, lang: str, base: Mapping[str, Any]
) -> Reply:
    """What is said to an act of the dialogue."""
    if act == "which" and turn is not None:
        articles = [index.best_translation(option, lang) for option in turn.options]
        options = tuple(Option(a.id, a.title, 0.0, a.lang, a.url) for a in articles if a is not None)
        return _say(index, "clarify", "acts.which", lang, **{**base, "options": options})
    assert act != "which"
    told = acts.said(act, lang, text, turn, index.tables)
    options = base["options"]
    if act in OFFERING:
        options = _hints(options) if act == "vague" else topics(index, lang)
    reply = _say(index, "smalltalk", f"acts.{act}_1", lang, topic=act, **{**base, "options": options})
    return replace(reply, text=told, html=f"<p>{escape(told)}</p>")


def topics(index: Index, lang: str) -> tuple[Option, ...]:
    """What is asked most where nothing is asked yet: of each of the first categories, the article that has most
    phrasings."""
    found: dict[str, list[Article]] = {}
    for article in index.articles(lang) or index.articles(index.default_language):
        found.setdefault(article.category or "", []).append(article)
    order = [key for key, _ in index.categories(lang)]
    groups = sorted(found.items(), key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order))
    first = [max(articles, key=lambda article: len(article.questions)) for _, articles in groups[:LIKELIEST]]
    return tuple(Option(a.id, a.title, 0.0, a.lang, a.url) for a in first)


def _hints(options: Sequence[Option]) -> tuple[Option, ...]:
    """Those that may be meant, where there are several."""
    likely = tuple(option for option in options if option.confidence >= HINT)[:LIKELIEST]
    return likely if len(likely) > 1 else ()


def _miss(index: Index, reason: Reason, missed: tuple[int, int], lang: str, base: Mapping[str, Any]) -> Reply:
    """Ask to say it in other words, with what may be meant; the last of the misses in a row hands over. `missed`: how
    many there were before, and how many hand over."""
    before, most = missed
    if before < most - 1:
        options = _hints(base["options"])
        key = "acts.rephrase" if options else "acts.rephrase_bare"
        return _say(index, "clarify", key, lang, **{**base, "options": options})
    return _say(
        index,
        "handoff",
        "bot.handoff_repeated" if before else "bot.handoff_unsure",
        lang,
        reason="repeated_miss" if before else reason,
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
    text = language.messages(lang, index.tables)[key]
    direction = language.direction(lang, index.tables)
    return Reply(kind=kind, text=text, html=f"<p>{escape(text)}</p>", lang=lang, direction=direction, **fields)
