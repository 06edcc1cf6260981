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
class Reading:
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
    found: list[Reading] = []
    leans: dict[int, tuple[language.Lean, float]] = {}
    for number, (search, turn) in enumerate(zip(alone, turns, strict=True)):
        shown = replace(search, hits=search.hits[:_SHOWN])
        probabilities = model.probabilities(shown)
        found.append(Reading(shown, list(zip(shown.hits, probabilities, strict=True))))
        if turn is None or not turn.text or not search.hits or search.signals["exact"]:
            continue
        if len(search.text) > LONGEST_LEANING:
            continue
        cues = language.lean(search.text, search.lang, index.tables)
        share = leaning(cues, probabilities[0])
        if share >= LEAST_LEAN:
            leans[number] = cues, share
    if not leans:
        return found
    texts, langs = [turns[n].text for n in leans], [turns[n].lang for n in leans]  # type: ignore[union-attr]
    earlier = index.search_many(texts, [pages[n] for n in leans], DEPTH, langs, for_agent, deadline=deadline)
    for (number, (cues, share)), search in zip(leans.items(), earlier, strict=True):
        if not search.hits:
            continue
        candidates = _together(alone[number], search, EARLIER * share)
        if not (cues.opens or cues.refers or not cues.things):
            candidates = _mixed(found[number].candidates, candidates, UNCUED)
        text = f"{_shortened(search.text)} {alone[number].text}"
        found[number] = Reading(found[number].search, candidates[:_SHOWN], text)
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


def pick(index: Index, reading: Reading, text: str, turn: Before, lang: str, sure: bool) -> str | None:
    """Which of the articles offered a text picks: by its place, or by words that only its title has. A text that is
    sure of something else names none."""
    options = [index.best_translation(option, lang) for option in turn.options]
    place = language.ordinal(text, index.tables)
    if place is not None:
        number = len(options) - 1 if place == -1 else place - 1
    else:
        titles = [option.title if option else "" for option in options]
        found = language.named(text, titles, lang, index.tables)
        if found is None or (sure and reading.search.hits[0].article not in turn.options):
            return None
        number = found
    if not 0 <= number < len(options):
        return None
    article = options[number]
    return article.id if article is not None else None
