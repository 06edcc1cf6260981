"""What is known of a search, in numbers: the features that the confidence model reads.

`measure` computes them, a pure function of the scored candidates of one question and of what is the same for every
question of an index. Each field of `Signals` says in words what it measures; `botkit ask --explain` prints that.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

NEARLY = 0.1
"""from how far behind the first hit an out-of-domain question counts against it; `eval/simulate.py` made the model with
it"""
EXACT = 10.0
"""what a question that is a phrasing to the letter gains in score: it is first, whatever the others have. Any number
above the highest score there can be would do"""


def _signal(meaning: str, stored: str = "") -> Any:
    """A field with its meaning, and the name that published numbers have for it where that is another."""
    return field(metadata={"meaning": meaning, "stored": stored})


@dataclass(frozen=True)
class Signals:
    """The features of a search, in the order in which the model was fitted; `exact` is none of the model's.

    A margin is the first hit's value less the best of the others'; where nothing was beaten it is 0. A quantile is a
    share in [0, 1] of the index's own phrasings. Cosines are those of centred vectors, in [-1, 1].
    """

    top: float = _signal("cosine of the question to the nearest phrasing")
    z: float = _signal("standard deviations by which the nearest phrasing stands out from the near ones")
    gap10: float = _signal("cosine of the nearest phrasing less that of the tenth")
    csls: float = _signal("twice the nearest cosine, less how close phrasings lie around the question and the phrasing")
    dense: float = _signal("cosine of the question to the first hit's nearest phrasing")
    dense_margin: float = _signal("margin of the cosine to the first hit's nearest phrasing")
    passage_dense: float = _signal("cosine of the question to the first hit's nearest passage")
    passage_margin: float = _signal("margin of the cosine to the first hit's nearest passage")
    score: float = _signal("score of the first hit")
    score_margin: float = _signal("margin of the score")
    word: float = _signal("share of the question's words, by weight, in one phrasing of the first hit")
    word_margin: float = _signal("margin of the share of the question's words in one phrasing")
    char: float = _signal("share of the question's character n-grams, by weight, in one phrasing of the first hit")
    char_margin: float = _signal("margin of the share of the question's n-grams in one phrasing")
    classifier: float = _signal("the intent classifier's score of the first hit: 1 is its like, 0 is not", "head")
    classifier_margin: float = _signal("margin of the intent classifier's score", "head_margin")
    coverage: float = _signal("share of the question's words, by weight, that the first hit's best phrasing has")
    article_grams: float = _signal("share of the question's n-grams, by weight, that any phrasing of the first hit has")
    known_words: float = _signal("share of the question's words that the index has at all")
    known_grams: float = _signal("share of the question's n-grams that the index has at all")
    agreement: float = _signal("share of dense search, words, n-grams and classifier that put the first hit first")
    word_rank: float = _signal("1 over the first hit's rank by words alone")
    entropy: float = _signal("entropy, in nats, of the scores of the first ten hits: 0 where one stands alone")
    vote: float = _signal("share of the ten nearest phrasings that are the first hit's")
    centroid: float = _signal("cosine of the question to the mean of the first hit's phrasings")
    length: float = _signal("number of the question's words, on a logarithmic scale")
    same_language: float = _signal("1 where the first hit's best text is in the question's language")
    language_probability: float = _signal("probability of the language that the question is taken to be in")
    phrasings: float = _signal("number of the first hit's phrasings, on a logarithmic scale")
    fused: float = _signal("score of the first hit without the classifier's part")
    fused_margin: float = _signal("margin of the score without the classifier's part")
    familiarity: float = _signal("sum of the classifier's scores: near 0 for what is like nothing", "head_sum")
    classifier_first: float = _signal("1 where the classifier puts the first hit first", "head_wins")
    others_quantile: float = _signal(
        "share of phrasings that lie less near to another article's than the question to the nearest", "beyond_others"
    )
    own_quantile: float = _signal(
        "share of phrasings that lie less near to their own article's than the question to the nearest", "beyond_own"
    )
    articles: float = _signal("number of articles, on a logarithmic scale")
    runner_up: float = _signal("score of the second hit")
    others_mean: float = _signal("mean score, without the classifier's part, of the second to the tenth hit", "rest")
    has_classifier: float = _signal("1 where the index has an intent classifier", "has_head")
    class_probability: float = _signal("the classifier's probability of the first hit among all articles", "choice")
    class_odds: float = _signal("logarithm of the classifier's probability of the first hit", "choice_odds")
    class_margin: float = _signal("margin of the classifier's probability", "choice_margin")
    class_entropy: float = _signal("entropy, in nats, of the classifier's probabilities", "choice_entropy")
    languages: float = _signal("number of the index's languages, on a logarithmic scale")
    others_median: float = _signal("median cosine of phrasings to the nearest one of another article", "crowd")
    own_median: float = _signal("median cosine of phrasings to the nearest one of their own article", "company")
    own_first: float = _signal("share of phrasings whose nearest one is of their own article")
    rows: float = _signal("number of phrasings an article, on a logarithmic scale")
    out_of_domain: float = _signal("cosine of the question to the nearest question that no shop answers", "elsewhere")
    out_of_domain_lead: float = _signal(
        "by how much a question that no shop answers is nearer than the first hit, or nearly so", "elsewhere_lead"
    )
    out_of_domain_quantile: float = _signal(
        "share of the questions that no shop answers which are less near to a phrasing", "elsewhere_rank"
    )
    other_domains: float = _signal("number of other trades that the question names, the first hit not", "other_trades")
    unknown_domains: float = _signal("number of other trades that the question names and no article", "unknown_trades")
    exact: float = field(default=0.0, metadata={"meaning": "1 where the question is a phrasing to the letter"})


FEATURES = tuple(each.name for each in fields(Signals) if each.name != "exact")
"""the signals that the confidence model reads, in its order"""
MEANINGS = {each.name: str(each.metadata["meaning"]) for each in fields(Signals)}
STORED = {each.name: str(each.metadata.get("stored") or each.name) for each in fields(Signals)}
"""the name of each signal in published numbers, which are older than some names here"""
FROM_STORED = {stored: name for name, stored in STORED.items()}


@dataclass(frozen=True)
class Statistics:
    """What is the same for every question of an index. `near_own`, `near_others` and `near_out_of_domain` are cosines
    at even steps of their rank: of phrasings to the nearest of their own article, to the nearest of another, and of
    out-of-domain questions to the nearest phrasing."""

    articles: int
    languages: int
    phrasings: int
    own_first: float
    has_classifier: bool
    near_own: np.ndarray
    near_others: np.ndarray
    near_out_of_domain: np.ndarray

    @functools.cached_property
    def medians(self) -> tuple[float, float]:
        """Of `near_own` and of `near_others`."""
        return float(np.median(self.near_own)), float(np.median(self.near_others))


@dataclass(frozen=True)
class Candidates:
    """The scored candidates of one question, arrays with a place for each. `classifier` has its scores of them,
    `probabilities` those of all articles; `number` is each one's number among all articles."""

    number: np.ndarray
    scores: np.ndarray
    fused: np.ndarray
    dense: np.ndarray
    passage_dense: np.ndarray
    word: np.ndarray
    char: np.ndarray
    classifier: np.ndarray
    probabilities: np.ndarray


@dataclass(frozen=True)
class Nearest:
    """The phrasings nearest to a question, nearest first: cosines, the numbers of their articles, and the mean cosine
    of the first one to its own neighbours."""

    cosines: np.ndarray
    articles: np.ndarray
    density: float


@dataclass(frozen=True)
class Wording:
    """What the words of a question and of the first hit have in common, as the signals of these names."""

    coverage: float
    article_grams: float
    known_words: float
    known_grams: float
    centroid: float
    length: float
    same_language: float
    language_probability: float
    phrasings: float
    other_domains: float
    unknown_domains: float


def measure(
    found: Candidates,
    nearest: Nearest,
    wording: Wording,
    out_of_domain: float,
    of_index: Statistics,
    temperature: float,
) -> Signals:
    """The signals of a search with at least one candidate. `out_of_domain` is the cosine of the question to the nearest
    that no shop answers, `temperature` that of the softmax over scores."""
    order = np.argsort(-found.scores, kind="stable")
    first = int(order[0])

    def margin(values: np.ndarray) -> float:
        others = np.delete(values, first)
        return float(values[first] - others.max()) if len(others) else 0.0  # nothing was beaten

    def quantile(steps: np.ndarray, value: float) -> float:
        return float(np.searchsorted(steps, value)) / len(steps)

    cosines, ten = nearest.cosines, nearest.cosines[:10]
    top = float(cosines[0]) if len(cosines) else 0.0
    votes = nearest.articles[:10] == found.number[first]
    share = np.exp((found.scores[order[:10]] - found.scores[first]) / temperature)
    share /= share.sum()
    winners = [int(np.argmax(each)) for each in (found.dense, found.word, found.char, found.classifier)]
    dense, passage_dense = float(found.dense[first]), float(found.passage_dense[first])
    own_median, others_median = of_index.medians
    probability = float(found.probabilities[found.number[first]])
    return Signals(
        top=top,
        z=(top - float(cosines.mean())) / max(float(cosines.std()), 1e-3) if len(cosines) > 2 else 0.0,
        gap10=top - float(ten[-1]) if len(ten) else 0.0,
        csls=2 * top - nearest.density - float(ten.mean()) if len(ten) else 0.0,
        dense=dense,
        dense_margin=margin(found.dense),
        passage_dense=passage_dense,
        passage_margin=margin(found.passage_dense),
        score=float(found.scores[first]),
        score_margin=margin(found.scores),
        word=float(found.word[first]),
        word_margin=margin(found.word),
        char=float(found.char[first]),
        char_margin=margin(found.char),
        classifier=float(found.classifier[first]),
        classifier_margin=margin(found.classifier),
        agreement=sum(each == first for each in winners) / len(winners),
        word_rank=1.0 / (1 + int((found.word > found.word[first]).sum())),
        entropy=float(-(share * np.log(share + 1e-12)).sum()),
        vote=float(votes.mean()) if len(votes) else 0.0,
        fused=float(found.fused[first]),
        fused_margin=margin(found.fused),
        familiarity=float(found.classifier.sum()),
        classifier_first=float(winners[3] == first),
        others_quantile=quantile(of_index.near_others, top),
        own_quantile=quantile(of_index.near_own, top),
        articles=float(np.log(of_index.articles)),
        runner_up=float(found.scores[order[1]]) if len(order) > 1 else 0.0,
        others_mean=float(found.fused[order[1:10]].mean()) if len(order) > 1 else 0.0,
        has_classifier=float(of_index.has_classifier),
        class_probability=probability,
        class_odds=float(np.log(probability + 1e-3)),
        class_margin=margin(found.probabilities[found.number]),
        class_entropy=float(-(found.probabilities * np.log(found.probabilities + 1e-12)).sum()),
        languages=float(np.log(of_index.languages)),
        others_median=others_median,
        own_median=own_median,
        own_first=of_index.own_first,
        rows=float(np.log(max(of_index.phrasings, 1) / of_index.articles)),
        out_of_domain=out_of_domain,
        out_of_domain_lead=max(0.0, out_of_domain - max(dense, passage_dense) + NEARLY),
        out_of_domain_quantile=quantile(of_index.near_out_of_domain, out_of_domain),
        exact=float(found.scores[first] >= EXACT),
        **vars(wording),
    )
