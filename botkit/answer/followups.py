"""A text that leans on the turn before it: how likely it does, what is searched for then, and which choice it picks.

How likely a text leans is told by its words and by how sure it is by itself; the more likely, the more the articles
that the turn before found count for it. A text that is a phrasing to the letter, or sure and without a cue, never
leans.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from botkit import language
from botkit.answer.model import Before
from botkit.confidence import Confidence
from botkit.index import Hit, Index, Search

DEPTH = 30
"""articles of both searches that are looked at together"""
_SHOWN = 10
"""articles of a text's own search, as without a turn before"""
LONGEST_LEANING = 400
"""A text of more characters says enough by itself; nor are more kept of the turns before."""
LONGEST_CONTEXT = 40
"""words of the turns before that are kept"""


@dataclass(frozen=True)
class Weights:
    """When a text counts as a follow-up, and how it is then read. The weights of the logistic regression were fitted on
    the development half of eval/dialogues (follow-ups against other turns) and on golden questions put after one
    another; `eval/constants.py --only followups` tries others of all."""

    intercept: float = 4.1
    unsure: float = 0.45
    """for the log-odds that the text by itself finds no article"""
    continuation: float = 2.0
    reference: float = 2.0
    topic_shift: float = -1.1
    content_words: float = -1.05
    """for each content word, up to three"""
    words: float = -1.2
    """for the logarithm of the number of words"""
    least: float = 0.3
    """A text that is less likely a follow-up than this is read by itself."""
    earlier: float = 1.25
    """what the search of the turn before weighs beside a text's own, when the text is surely a follow-up"""
    highest: float = 1.2
    """What a score counts for at most: how plainly the turn before found its article must not drown what is asked."""
    spread: float = 0.12
    """temperature that turns the summed scores into probabilities: with it, they are as large as the share that is
    right"""
    uncued: float = 0.5
    """how far the turn before is trusted where no word points to it: enough to offer, not to answer"""


WEIGHTS = Weights()


@dataclass(frozen=True)
class Reading:
    """A text as it was understood: its own search, the candidates, best first, with their probabilities, and the text
    they were found by if that is not its own."""

    search: Search
    candidates: Sequence[tuple[Hit, float]]
    understood: str | None = None


def followup_probability(cues: language.ContextCues, confidence: float) -> float:
    """The probability that a text leans on the turn before, given its words' cues and how surely the text by itself
    finds an article: a logistic regression."""
    w = WEIGHTS
    unsure = math.log((1 - _within(confidence)) / _within(confidence))
    odds = (
        w.intercept
        + w.unsure * unsure
        + w.continuation * cues.continuation
        + w.reference * cues.reference
        + w.topic_shift * cues.topic_shift
        + w.content_words * min(len(cues.content_words), 3)
        + w.words * math.log(max(cues.words, 1))
    )
    return 1 / (1 + math.exp(-odds))


def _within(probability: float) -> float:
    return min(max(probability, 0.01), 0.99)


def read_texts(
    index: Index,
    model: Confidence,
    alone: Sequence[Search],
    pages: Sequence[str | None],
    turns: Sequence[Before | None],
    for_agent: bool = False,
    deadline: float | None = None,
) -> list[Reading]:
    """Each text by itself, or with the turn before it. The searches for the turns before are one batch more, of only
    the texts that may lean."""
    result: list[Reading] = []
    depends: dict[int, tuple[language.ContextCues, float]] = {}
    for number, (search, turn) in enumerate(zip(alone, turns, strict=True)):
        shown = replace(search, hits=search.hits[:_SHOWN])
        probabilities = model.probabilities(shown)
        result.append(Reading(shown, list(zip(shown.hits, probabilities, strict=True))))
        if turn is None or not turn.text or not search.hits or search.exact:
            continue
        if len(search.text) > LONGEST_LEANING:
            continue
        cues = language.context_cues(search.text, search.lang, index.tables)
        share = followup_probability(cues, probabilities[0])
        if share >= WEIGHTS.least:
            depends[number] = cues, share
    if not depends:
        return result
    texts, langs = [turns[n].text for n in depends], [turns[n].lang for n in depends]  # type: ignore[union-attr]
    earlier = index.search_many(texts, [pages[n] for n in depends], DEPTH, langs, for_agent, deadline=deadline)
    for (number, (cues, share)), search in zip(depends.items(), earlier, strict=True):
        if not search.hits:
            continue
        candidates = _together(alone[number], search, WEIGHTS.earlier * share)
        if not (cues.continuation or cues.reference or not cues.content_words):
            candidates = _mixed(result[number].candidates, candidates, WEIGHTS.uncued)
        text = f"{_shortened(search.text)} {alone[number].text}"
        result[number] = Reading(result[number].search, candidates[:_SHOWN], text)
    return result


def _together(own: Search, earlier: Search, weight: float) -> list[tuple[Hit, float]]:
    """Candidates by the sum of both searches' scores, what one search lacks counted as its last; probabilities by
    softmax. Scores are on a fixed scale, so they may be added."""
    hits = {hit.article: hit for search in (earlier, own) for hit in search.hits}
    scores = [{hit.article: min(hit.score, WEIGHTS.highest) for hit in search.hits} for search in (own, earlier)]
    total = {
        article: sum(
            w * table.get(article, min(table.values())) for w, table in zip((1.0, weight), scores, strict=True)
        )
        for article in hits
    }
    best = max(total.values())
    shares = {article: math.exp((score - best) / WEIGHTS.spread) for article, score in total.items()}
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


def pick(index: Index, reading: Reading, text: str, turn: Before, lang: str, sure: bool) -> str | None:
    """Which of the articles offered a text picks: by its place, or by words that only its title has. A text that is
    sure of something else names none."""
    options = [index.best_translation(option, lang) for option in turn.options]
    place = language.ordinal(text, index.tables)
    if place is not None:
        number = len(options) - 1 if place == -1 else place - 1
    else:
        titles = [option.title if option else "" for option in options]
        result = language.named(text, titles, lang, index.tables)
        if result is None or (sure and reading.search.hits[0].article not in turn.options):
            return None
        number = result
    if not 0 <= number < len(options):
        return None
    article = options[number]
    return article.id if article is not None else None
