"""Every fitted constant outside the ranking, one changed at a time, on development data.

    python eval/constants.py --index indexes/lalezar [--only detection,spelling,followups,offers,classifier]

    detection   botkit.language.detection.ODDS: golden questions, and those in Latin letters; the share whose language
                is told, on a page of their own, without a page, and on the mean of the other languages' pages
    spelling    botkit.language.transliteration.COSTS: questions in Latin letters (eval/slices); right at 1
    followups   botkit.answer.followups.WEIGHTS: the demo's dialogues; right at 1 of follow-ups and of turns that stand
                by themselves, answered, and of these right
    offers      what is offered where nothing is sure: the policy's least choice and the least that brings two, and
                `chat.handover`'s least for another try after "did not help"; golden questions
    classifier  botkit.index.classifier: each takes a build of the demo, a minute or two; golden questions, right at 1

The ranking's own constants are `eval/ablation.py`'s, the relevance cut-offs of the help centre's search are
`eval/matches.py`'s, the confidence model's numbers are made by `eval/simulate.py`, its pairs chosen by `eval/pairs.py`.
All of it is data of the repository; shares in percent.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from botkit import build, corpus, evaluation, language
from botkit.answer import followups, policy
from botkit.chat import handover
from botkit.corpus import Label
from botkit.index import Index, classifier
from botkit.language import detection, transliteration
from eval import common

FACTORS = (0.5, 0.8, 1.25, 2.0)
"""by which each constant is multiplied"""
Measure = Callable[[], Mapping[str, float | None]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, default=common.ROOT / "indexes" / "lalezar", help="index folder")
    parser.add_argument("--only", default="", help="groups, comma-separated; default: all")
    parser.add_argument("--most", type=int, help="questions of each kind at most, for a quick look")
    options = parser.parse_args()
    groups = {"detection": _detection, "spelling": _spelling, "followups": _followups, "offers": _offers}
    groups |= {"classifier": _classifier}
    only = [name for name in options.only.split(",") if name] or list(groups)
    for name in only:
        if name not in groups:
            parser.error(f"invalid group {name!r}: expected {', '.join(groups)}")

    index = Index.open(options.index)
    print(common.machine(), "\n")
    for name in only:
        common.say(name)
        lines = list(groups[name](index, options.index, options.most))
        head = ["constant", "value", *lines[0][2]]
        print(f"{name}\n")
        print(common.table(head, [[each, value, *map(_shown, measured.values())] for each, value, measured in lines]))
        print(flush=True)


def _shown(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


Line = tuple[str, str, Mapping[str, float | None]]


def _of_dataclass(module: Any, name: str, measure: Measure) -> Iterator[Line]:
    """What is measured with each number of the dataclass that a module has by that name changed."""
    usual = getattr(module, name)
    yield "as it is", "", measure()
    for each in fields(usual):
        for factor in FACTORS:
            value = getattr(usual, each.name) * factor
            with _set(module, name, replace(usual, **{each.name: value})):
                yield each.name, f"{value:.3g}", measure()


def _of_module(module: Any, names: Sequence[str], measure: Measure) -> Iterator[Line]:
    for name in names:
        usual = getattr(module, name)
        for factor in FACTORS:
            with _set(module, name, type(usual)(usual * factor)):
                yield name, f"{usual * factor:.3g}", measure()


@contextmanager
def _set(module: Any, name: str, value: Any) -> Iterator[None]:
    usual = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, usual)


def _labels(folder: str, most: int | None) -> list[Label]:
    result = [each for each in corpus.labels(common.ROOT / "eval" / folder) if each.split == "dev"]
    return result[:: max(1, len(result) // most)] if most else result


def _detection(index: Index, folder: Path, most: int | None) -> Iterator[Line]:
    asked = [*_labels("golden", most), *_labels("slices/transliterated", most)]

    def told(label: Label, page: str | None) -> bool:
        return language.detect(label.text, index.languages, page).best == label.lang

    def measure() -> Mapping[str, float | None]:
        others = [fmean(told(label, page) for page in index.languages if page != label.lang) for label in asked]
        return {
            "own page": fmean(told(label, label.lang) for label in asked),
            "no page": fmean(told(label, None) for label in asked),
            "other pages": fmean(others),
        }

    yield from _of_dataclass(detection, "ODDS", measure)


def _spelling(index: Index, folder: Path, most: int | None) -> Iterator[Line]:
    asked = _labels("slices/transliterated", most)

    def measure() -> Mapping[str, float | None]:
        fresh = Index.open(folder)  # an index keeps the spellers that it has made
        return {"right at 1": evaluation.figures(evaluation.evaluate(fresh, asked).outcomes)["accuracy_at_1"]}

    yield from _of_dataclass(transliteration, "COSTS", measure)


def _followups(index: Index, folder: Path, most: int | None) -> Iterator[Line]:
    talks = [each for each in corpus.dialogues(common.ROOT / "eval" / "dialogues") if each.split == "dev"][:most]

    def measure() -> Mapping[str, float | None]:
        turns = evaluation.turn_figures(evaluation.hold(index, "dialogues", talks).with_context)
        return {
            "follow-ups right at 1": turns["followup"]["accuracy_at_1"],
            "answered": turns["followup"]["answered"],
            "of these right": turns["followup"]["precision"],
            "by themselves, right at 1": turns["standalone"]["accuracy_at_1"],
            "of the answered right": turns["standalone"]["precision"],
        }

    yield from _of_dataclass(followups, "WEIGHTS", measure)


def _offers(index: Index, folder: Path, most: int | None) -> Iterator[Line]:
    asked = _labels("golden", most)

    def offered(pairs: Sequence[tuple[Label, Sequence[str]]]) -> Mapping[str, float | None]:
        """Of questions with what they are offered."""
        kept = [bool((label.relevant or frozenset()) & set(articles)) for label, articles in pairs if articles]
        return {"asked back": len(kept) / max(len(pairs), 1), "right among the offered": fmean(kept) if kept else None}

    def measure() -> Mapping[str, float | None]:
        outcomes = evaluation.evaluate(index, asked).outcomes
        return offered([(o.label, [a for a, _ in o.options] if o.kind == "clarify" else ()) for o in outcomes])

    yield "as it is", "", measure()
    yield from _of_module(policy, ("LEAST_CHOICE", "LIKELIER_THAN_NOT"), measure)

    wrong = [each for each in evaluation.evaluate(index, asked).outcomes if each.answered and each.wrong]

    def again() -> Mapping[str, float | None]:
        pairs = []
        for each in wrong:
            least = max(handover.LEAST, handover.LIKELY * (1.0 - min(each.confidence, 0.99)))
            pairs.append((each.label, [a for a, p in each.options if a != each.ranked[0] and p >= least]))
        return offered(pairs)

    yield "after a wrong answer", "", again()
    yield from _of_module(handover, ("LIKELY", "LEAST"), again)


def _classifier(index: Index, folder: Path, most: int | None) -> Iterator[Line]:
    asked = _labels("golden", most)
    with tempfile.TemporaryDirectory() as scratch:
        counted = itertools.count()

        def measure() -> Mapping[str, float | None]:
            out = Path(scratch) / str(next(counted))
            shutil.copytree(folder / "cache", out / "cache")  # vectors and counted terms are the same
            build.publish(common.DEMO, out, allow_failing_tests=True)
            result = evaluation.figures(evaluation.evaluate(Index.open(out), asked).outcomes)
            shutil.rmtree(out)
            return {name: result[name] for name in ("accuracy_at_1", "accuracy_at_3", "precision")}

        yield "as it is", "", measure()
        names = ("WIDTH", "CHARS", "RIDGE", "INVERSE_PENALTY", "TEMPERATURE")
        yield from _of_module(classifier, names, measure)


if __name__ == "__main__":
    main()
