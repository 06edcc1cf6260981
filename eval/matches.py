"""What the help centre's search shows: the figures from which on a hit is a good match, or a near one.

    python eval/matches.py --index indexes/lalezar

Asked are the demo's development questions, whole and as keywords (the two rarest of their words, as people type them
into a search field), and questions about something else altogether (eval/elsewhere). Of the former the right article
should be shown, of the latter nothing. Printed are the shares in percent for which that article, or any, is at least
such a match; and for each figure alone what today's value lets through, with the value that lets through 5 % of the
questions about something else as good, and 20 % as near.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from botkit import corpus, language
from botkit.corpus import Label
from botkit.index import Index, Search
from botkit.index.hits import MATCHES
from eval import common

PASSES = {"good": 5.0, "near": 20.0}
"""Percent of the questions about something else that a figure may let through."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, default=common.ROOT / "indexes" / "lalezar", help="index folder")
    parser.add_argument("--golden", type=Path, default=common.ROOT / "eval" / "golden", help="judged questions")
    parser.add_argument("--elsewhere", type=Path, default=common.ROOT / "eval" / "elsewhere", help="about other things")
    options = parser.parse_args()

    index = Index.open(options.index)
    asked = [label for label in corpus.labels(options.golden) if label.split == "dev" and label.relevant]
    others = [label for label in corpus.labels(options.elsewhere) if label.split == "dev"]
    whole = _searches(index, asked, [label.text for label in asked])
    short = _searches(index, asked, _keywords(asked))
    else_ = _searches(index, others, [label.text for label in others])

    print(common.machine(), "\n")
    print(f"{len(asked)} questions, {len(others)} about something else, index version {index.version}\n")
    rows = []
    for number, level in enumerate(MATCHES):
        taken = tuple(MATCHES)[: number + 1]
        shown = [
            [
                any(hit.match in taken for hit in result.hits if hit.article in (label.relevant or ()))
                for result, label in one
            ]
            for one in (zip(whole, asked, strict=True), zip(short, asked, strict=True))
        ]
        shown.append([any(hit.match in taken for hit in result.hits) for result in else_])
        rows.append([level, *(f"{100 * np.mean(each):.1f}" for each in shown)])
    print(common.table(["match", "questions", "keywords", "something else"], rows), "\n")
    head = ["match", "figure", "today", "something else, %", f"for {PASSES['good']:.0f} or {PASSES['near']:.0f} %"]
    print(common.table(head, _figures(else_)))


def _searches(index: Index, labels: Sequence[Label], texts: Sequence[str]) -> list[Search]:
    return index.search_many([language.clean(text) for text in texts], [label.lang for label in labels])


def _keywords(labels: Sequence[Label]) -> list[str]:
    """Of each question its two words that the fewest questions have, in their order."""
    words = [language.words(label.text) for label in labels]
    common_in = Counter(word for each in words for word in set(each))
    rarest = [sorted(dict.fromkeys(each), key=lambda word: common_in[word])[:2] for each in words]
    return [
        " ".join(word for word in dict.fromkeys(each) if word in two) for each, two in zip(words, rarest, strict=True)
    ]


def _figures(searches: Sequence[Search]) -> list[list[str]]:
    """For each figure of each match: what it lets through alone, and the value for the share it may."""
    rows = []
    for level, least in MATCHES.items():
        for figure, value in least.items():
            highest = [max((getattr(hit, figure) for hit in result.hits), default=0.0) for result in searches]
            wanted = np.percentile(highest, 100.0 - PASSES[level])
            through = 100 * np.mean([each >= value for each in highest])
            rows.append([level, figure, f"{value:.2f}", f"{through:.1f}", f"{wanted:.2f}"])
    return rows


if __name__ == "__main__":
    main()
