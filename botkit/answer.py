"""The policy: what a customer is told. Pure; no database, no clock, no settings.

`reply` turns one text into one of four ends: the answer an editor wrote, a choice of two or three
articles, a hand-over to a person, or small talk. It asks the index and the confidence model and
writes nothing. Whoever calls it records the reply.

A text may lean on the turn before it (`Before`). How likely it does is told by its words and by how sure the text is by
itself; the more likely, the more the articles that the turn before found count for it. A text that is a phrasing to the
letter, or sure and without a cue, never leans.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from html import escape
from typing import Any

from botkit import language
from botkit.confidence import ANSWER, Confidence
from botkit.corpus import Article, Passage
from botkit.index import Hit, Index, Search
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
    article: str | None = None
    confidence: float | None = None
    options: tuple[Option, ...] = ()
    source: Source | None = None
    reason: Reason | None = None
    topic: str | None = None
    understood: str | None = None
    search: Search | None = field(default=None, repr=False, compare=False)
    """What was found for the text by itself; not part of what is told."""

    @property
    def direction(self) -> Direction:
        return "rtl" if language.direction(self.lang) == "rtl" else "ltr"

    def as_dict(self) -> dict[str, Any]:
        """Everything above but the search, ready for JSON."""
        table = asdict(replace(self, search=None))
        del table["search"]
        table["options"] = [asdict(option) for option in self.options]
        table["direction"] = self.direction
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
    `lang` the language that was spoken.
    """

    text: str
    article: str | None = None
    options: tuple[str, ...] = ()
    lang: str | None = None

    @classmethod
    def of(cls, text: str, reply: Reply, earlier: Before | None = None) -> Before | None:
        """What a text and the reply to it are to the next turn. Small talk changes nothing."""
        if reply.kind == "smalltalk":
            return earlier
        return cls(
            text=reply.understood or text,
            article=reply.article if reply.source is not None else None,
            options=tuple(option.article for option in reply.options) if reply.kind == "clarify" else (),
            lang=reply.lang,
        )


# ---------------------------------------------------------------- the policy

CHOICES = 3
LEAST_CHOICE = 0.08
"""An article less likely than this is not worth offering."""
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
        alone = index.search_many(texts, pages, _DEPTH, spoken, deadline=deadline)
    else:
        alone = index.search_many(texts, pages, deadline=deadline)
    readings = _readings(index, model, alone, pages, turns, deadline=deadline)
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
    alone = index.search_many([text], [page], _DEPTH, spoken, for_agent=True, deadline=deadline)
    reading = _readings(index, Confidence.of(index), alone, [page], [before], for_agent=True, deadline=deadline)[0]
    found = []
    for hit, probability in reading.candidates[:limit]:
        article = index.best_translation(hit.article, lang, for_agent=True)
        if article is not None:
            passages, url = _quoted(article, hit.anchor)
            said, sure = _plain(passages) or article.title, round(probability, 4)
            found.append(Candidate(article.id, article.title, said, article.lang, url, sure, article.audience))
    return found


def explain(
    index: Index, text: str, *, lang: str | None = None, deadline: float | None = None
) -> list[tuple[str, float]]:
    """What each figure added to the log-odds of the first candidate, the weightiest first."""
    search = index.search(text, lang, deadline=deadline)
    if not search.hits:
        return []
    return sorted(Confidence.of(index).contributions(search).items(), key=lambda item: -abs(item[1]))


def choose(index: Index, article_id: str, *, lang: str) -> Reply | None:
    """The reply when a customer picks an article out of the choices; None if there is no such one."""
    article = index.best_translation(article_id, lang)
    if article is None:
        return None
    option = Option(article.id, article.title, 1.0, article.lang, article.url)
    return _quote(index, article, "", None, (option,), lang)


# ---------------------------------------------------------------- what a text leans on

_DEPTH = 30
"""articles of both searches that are looked at together"""
_SHOWN = 10
"""articles of a text's own search, as without a turn before"""
LEAST_LEAN = 0.3
"""A text that leans less likely than this is read by itself."""
EARLIER = 1.25
"""what the search of the turn before weighs beside a text's own, when the text surely leans"""
HIGHEST = 1.2
"""What a score counts for at most: how plainly the turn before found its article must not drown what is asked now."""
SPREAD = 0.12
"""temperature that turns the summed scores into probabilities: with it, they are as large as the share that is right"""
LONGEST_LEANING = 400
"""A text of more characters says enough by itself; nor are more kept of the turns before."""
LONGEST_CONTEXT = 40
"""words of the turns before that are kept"""
UNCUED = 0.5
"""how far the turn before is trusted where no word points to it: enough to offer, not to answer"""


@dataclass(frozen=True)
class _Reading:
    """A text as it was understood: its own search, the candidates, best first, with their probabilities, and the text
    they were found by if that is not its own."""

    search: Search
    candidates: Sequence[tuple[Hit, float]]
    understood: str | None = None


def leaning(cues: language.Lean, confidence: float) -> float:
    """The probability that a text leans on the turn before, given its words' cues and how surely the text by itself
    finds an article.

    A logistic regression whose rounded weights were fitted on the development half of eval/dialogues (follow-ups
    against other turns) and on golden questions put after one another.
    """
    unsure = math.log((1 - _within(confidence)) / _within(confidence))
    odds = (
        4.1
        + 0.45 * unsure
        + 2.0 * cues.opens
        + 2.0 * cues.refers
        - 1.1 * cues.turns
        - 1.05 * min(len(cues.things), 3)
        - 1.2 * math.log(max(cues.words, 1))
    )
    return 1 / (1 + math.exp(-odds))


def _within(probability: float) -> float:
    return min(max(probability, 0.01), 0.99)


def _readings(
    index: Index,
    model: Confidence,
    alone: Sequence[Search],
    pages: Sequence[str | None],
    turns: Sequence[Before | None],
    for_agent: bool = False,
    deadline: float | None = None,
) -> list[_Reading]:
    """Each text by itself, or with the turn before it. The searches for the turns before are one batch more, of only
    the texts that may lean."""
    found: list[_Reading] = []
    leans: dict[int, tuple[language.Lean, float]] = {}
    for number, (search, turn) in enumerate(zip(alone, turns, strict=True)):
        shown = replace(search, hits=search.hits[:_SHOWN])
        probabilities = model.probabilities(shown)
        found.append(_Reading(shown, list(zip(shown.hits, probabilities, strict=True))))
        if turn is None or not turn.text or not search.hits or search.signals["exact"]:
            continue
        if len(search.text) > LONGEST_LEANING:
            continue
        cues = language.lean(search.text, search.lang)
        share = leaning(cues, probabilities[0])
        if share >= LEAST_LEAN:
            leans[number] = cues, share
    if not leans:
        return found
    texts, langs = [turns[n].text for n in leans], [turns[n].lang for n in leans]  # type: ignore[union-attr]
    earlier = index.search_many(texts, [pages[n] for n in leans], _DEPTH, langs, for_agent, deadline=deadline)
    for (number, (cues, share)), search in zip(leans.items(), earlier, strict=True):
        if not search.hits:
            continue
        candidates = _together(alone[number], search, EARLIER * share)
        if not (cues.opens or cues.refers or not cues.things):
            candidates = _mixed(found[number].candidates, candidates, UNCUED)
        text = f"{_shortened(search.text)} {alone[number].text}"
        found[number] = _Reading(found[number].search, candidates[:_SHOWN], text)
    return found


def _together(own: Search, earlier: Search, weight: float) -> list[tuple[Hit, float]]:
    """Candidates by the sum of both searches' scores, what one search lacks counted as its last; probabilities by
    softmax. Scores are on a fixed scale, so they may be added."""
    hits = {hit.article: hit for search in (earlier, own) for hit in search.hits}
    scores = [{hit.article: min(hit.score, HIGHEST) for hit in search.hits} for search in (own, earlier)]
    total = {
        article: sum(
            w * table.get(article, min(table.values())) for w, table in zip((1.0, weight), scores, strict=True)
        )
        for article in hits
    }
    best = max(total.values())
    shares = {article: math.exp((score - best) / SPREAD) for article, score in total.items()}
    whole = sum(shares.values())
    return sorted(((hits[a], share / whole) for a, share in shares.items()), key=lambda pair: -pair[1])


def _mixed(a: Sequence[tuple[Hit, float]], b: Sequence[tuple[Hit, float]], share: float) -> list[tuple[Hit, float]]:
    hits = {hit.article: hit for hit, _ in (*b, *a)}
    first, second = ({hit.article: p for hit, p in part} for part in (a, b))
    mixed = {i: (1 - share) * first.get(i, 0.0) + share * second.get(i, 0.0) for i in hits}
    return sorted(((hits[i], p) for i, p in mixed.items()), key=lambda pair: -pair[1])


def _shortened(text: str) -> str:
    """The end of a text that has grown turn by turn."""
    return " ".join(text.split()[-LONGEST_CONTEXT:])[-LONGEST_LEANING:]


def _picked(index: Index, reading: _Reading, text: str, turn: Before, lang: str, sure: bool) -> str | None:
    """Which of the articles offered a text picks: by its place, or by words that only its title has. A text that is
    sure of something else names none."""
    options = [index.best_translation(option, lang) for option in turn.options]
    place = language.ordinal(text)
    if place is not None:
        number = len(options) - 1 if place == -1 else place - 1
    else:
        titles = [option.title if option else "" for option in options]
        found = language.named(text, titles, lang)
        if found is None or (sure and reading.search.hits[0].article not in turn.options):
            return None
        number = found
    if not 0 <= number < len(options):
        return None
    article = options[number]
    return article.id if article is not None else None


# ---------------------------------------------------------------- one text


def _decide(
    index: Index,
    model: Confidence,
    reading: _Reading,
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
    if language.wants_person(text):
        return _say("handoff", "handoff_request", lang, reason="customer_request", **base)
    topic = language.smalltalk(text)
    if topic is not None:
        return _say("smalltalk", topic, lang, topic=topic, **base)
    exact = bool(search.hits) and bool(search.signals["exact"])
    if turn is not None and turn.options and not exact:
        if language.neither(text):
            return _miss("no_answer", MISSES - 1, lang, base)
        sure = reading.understood is None and bool(options) and options[0].confidence >= high
        picked = _picked(index, reading, text, turn, lang, sure)
        chosen = choose(index, picked, lang=lang) if picked else None
        if chosen is not None and chosen.source is not None:
            return replace(chosen, question_lang=search.lang, understood=chosen.source.title)
    if not options or not language.words(text):
        return _miss("no_answer", misses, lang, base)
    base["understood"] = reading.understood
    best = options[0].confidence
    article = index.best_translation(options[0].article, lang) if best >= high else None
    if article is not None:
        quoted = _quote(index, article, reading.candidates[0][0].anchor, best, options, lang, search.lang)
        return replace(quoted, understood=reading.understood)
    choices = tuple(o for o in options if o.confidence >= LEAST_CHOICE)
    if len(choices) < 2 and best >= LIKELIER_THAN_NOT:
        choices = options[:2]
    if sum(o.confidence for o in choices) >= low and len(choices) >= 2 and misses < MISSES - 1:
        return _say("clarify", "clarify", lang, **(base | {"options": choices}))
    return _miss("low_confidence" if best >= low else "no_answer", misses, lang, base)


def _miss(reason: Reason, misses: int, lang: str, base: Mapping[str, Any]) -> Reply:
    again = misses >= MISSES - 1
    return _say(
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
    found = []
    for hit, probability in candidates[:CHOICES]:
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
    passages, url = _quoted(article, anchor)
    text = _plain(passages) or article.title
    html = (
        "\n".join((f"<p><strong>{escape(p.heading)}</strong></p>\n" if p.heading else "") + p.html for p in passages)
        or f"<p>{escape(article.title)}</p>"
    )
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


def _quoted(article: Article, anchor: str) -> tuple[tuple[Passage, ...], str]:
    """(passages, address) of what answers: the passage found if the article is long, else the whole article."""
    passages = article.passages
    if len(passages) <= 3 and len(article.text) <= 900:
        return passages, article.url
    chosen = article.passage(anchor) if anchor else None
    if chosen is not None:
        return (chosen,), f"{article.url}#{anchor}"
    return tuple([p for p in passages if not p.heading][:1] or passages[:1]), article.url


def _plain(passages: Sequence[Passage]) -> str:
    return "\n\n".join(f"{p.heading}\n{p.text}".strip() for p in passages)


def _say(kind: ReplyKind, key: str, lang: str, **fields: Any) -> Reply:
    text = language.messages(lang)[f"bot.{key}"]
    return Reply(kind=kind, text=text, html=f"<p>{escape(text)}</p>", lang=lang, **fields)
