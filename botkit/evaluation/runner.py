"""Asks an index, or takes another system's rankings, and sets what was said beside what is right. Counts nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from botkit import answer, language
from botkit.answer import Reply
from botkit.confidence import Confidence
from botkit.corpus import Label
from botkit.index import Index

BATCH = 64
"""questions whose vectors are made at once"""
DEPTH = 10
"""articles of a ranking that are looked at"""


@dataclass(frozen=True)
class Outcome:
    """A judged question with what a system said to it.

    `ranked` has up to ten article ids, best first. `confidence` is the first one's: a probability for
    botkit, any score that grows with certainty for another system. `kind` is the reply's; `answered`
    says whether an article was given as the answer. Both are None for a system that only ranks.
    `options` are the candidates that the reply carries, with their probabilities. `explanation` is
    there for wrong ones of botkit: (figure, what it added to the log-odds), the weightiest first.
    """

    label: Label
    ranked: tuple[str, ...]
    confidence: float
    kind: str | None = None
    answered: bool | None = None
    options: tuple[tuple[str, float], ...] = ()
    explanation: tuple[tuple[str, float], ...] = ()

    @property
    def article(self) -> str | None:
        """The first candidate."""
        return self.ranked[0] if self.ranked else None

    @property
    def right(self) -> bool | None:
        """Whether the first candidate answers; None if only wrong articles are known and it is none of them."""
        if self.label.relevant is None:
            return False if self.article in self.label.rejected else None
        return self.article in self.label.relevant

    @property
    def wrong(self) -> bool:
        """Whether something went wrong: another article is first although one answers, or an answer was
        given where none is right."""
        if self.label.scope in ("in", "rejected"):
            return self.right is False
        return bool(self.answered)

    @property
    def offered(self) -> bool:
        """Whether the reply asked back with a right article among its choices."""
        return self.kind == "clarify" and any(a in (self.label.relevant or ()) for a, _ in self.options)


@dataclass(frozen=True)
class Evaluation:
    """What one system said to judged questions.

    `titles` maps (article id, language) to a title, for the articles that wrong outcomes name;
    `missing` are ids that labels call relevant and the index does not have. The thresholds, version
    and certificate are None for a system that only ranks.
    """

    system: str
    outcomes: tuple[Outcome, ...]
    version: str | None = None
    answer_threshold: float | None = None
    clarify_threshold: float | None = None
    certificate: Mapping[str, object] | None = None
    titles: Mapping[tuple[str, str], str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def certified(self) -> bool:
        """Whether the index's certificate holds, for the threshold that was asked with."""
        if not self.certificate or not self.certificate.get("certified", True):
            return False
        return self.certificate.get("threshold", self.answer_threshold) == self.answer_threshold

    @property
    def languages(self) -> list[str]:
        """Of the questions, in the order of their first."""
        return list(dict.fromkeys(o.label.lang or "–" for o in self.outcomes))

    @property
    def slices(self) -> list[str]:
        """Of the questions, in the order of their first."""
        return list(dict.fromkeys(o.label.slice for o in self.outcomes))

    def only(self, *, lang: str | None = None, slice: str | None = None) -> Evaluation:
        """The same of the questions of one language, one slice or both."""
        kept = (o for o in self.outcomes if lang in (None, o.label.lang or "–") and slice in (None, o.label.slice))
        return replace(self, outcomes=tuple(kept))


def joined(parts: Sequence[Evaluation]) -> Evaluation:
    """One system's evaluations on several sets as one. The parts must be of the same system."""
    return replace(
        parts[0],
        outcomes=tuple(o for part in parts for o in part.outcomes),
        titles={key: title for part in parts for key, title in part.titles.items()},
        missing=tuple(sorted({article for part in parts for article in part.missing})),
    )


def evaluate(
    index: Index,
    labels: Iterable[Label],
    *,
    answer_threshold: float = 0.0,
    clarify_threshold: float = 0.0,
    progress: Callable[[int, int], None] | None = None,
    system: str = "botkit",
    deadline: float | None = None,
) -> Evaluation:
    """Ask as the server does: each question by itself, on a page in its language, by `answer.replies`.

    A threshold of 0 takes the index's own. `progress` is called with how many questions of how many
    are done. A label's text is cleaned as a customer's is. `deadline` is the encoder's, as in
    `Index.search_many`: 0 tells what words alone would do.
    """
    asked = list(labels)
    model = Confidence.of(index)
    outcomes: list[Outcome] = []
    for start in range(0, len(asked), BATCH):
        batch = asked[start : start + BATCH]
        texts, pages = [language.clean(label.text) for label in batch], [label.lang for label in batch]
        replies = answer.replies(
            index,
            texts,
            lang=pages,
            answer_threshold=answer_threshold,
            clarify_threshold=clarify_threshold,
            deadline=deadline,
        )
        outcomes += [_outcome(label, reply, model) for label, reply in zip(batch, replies, strict=True)]
        if progress:
            progress(len(outcomes), len(asked))
    high = answer_threshold or model.answer
    return Evaluation(
        system=system,
        outcomes=tuple(outcomes),
        version=index.version,
        answer_threshold=high,
        clarify_threshold=min(clarify_threshold or model.clarify, high),
        certificate=index.confidence.get("certificate"),
        titles=_titles(index, outcomes),
        missing=tuple(sorted({a for label in asked for a in label.relevant or ()} - set(index.ids))),
    )


def judge(system_name: str, labels: Iterable[Label], ranked: Iterable[Sequence[tuple[str, float]]]) -> Evaluation:
    """What a system that only ranks said: for each label its (article id, score) pairs, best first.

    The first pair's score is its confidence, 0 where there is none; it need not be the largest.
    Raises ValueError when there are more labels than rankings or fewer.
    """
    outcomes = [
        Outcome(label, tuple(article for article, _ in pairs[:DEPTH]), float(pairs[0][1]) if pairs else 0.0)
        for label, pairs in zip(labels, ranked, strict=True)
    ]
    return Evaluation(system_name, tuple(outcomes))


def _outcome(label: Label, reply: Reply, model: Confidence) -> Outcome:
    search = reply.search
    assert search is not None
    outcome = Outcome(
        label=label,
        ranked=tuple(hit.article for hit in search.hits[:DEPTH]),
        confidence=reply.confidence or 0.0,
        kind=reply.kind,
        answered=reply.source is not None,
        options=tuple((option.article, option.confidence) for option in reply.options),
    )
    if not outcome.wrong or not search.hits:
        return outcome
    weighed = model.contributions(search)
    return replace(outcome, explanation=tuple((each.name, round(each.log_odds, 4)) for each in weighed))


def _titles(index: Index, outcomes: Iterable[Outcome]) -> dict[tuple[str, str], str]:
    result: dict[tuple[str, str], str] = {}
    for outcome in outcomes:
        if outcome.wrong:
            lang = outcome.label.lang or index.default_language
            named = (*outcome.ranked[:1], *sorted(outcome.label.relevant or ()), *(a for a, _ in outcome.options))
            for article_id in named:
                article = index.best_translation(article_id, lang)
                if article is not None:
                    result[article_id, lang] = article.title
    return result
