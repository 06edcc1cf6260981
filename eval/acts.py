"""The acts of a dialogue: how well lines are recognised by the examples, and the weights that decide.

    python eval/acts.py --index indexes/lalezar [--split test] [--fit] [--lines FOLDER]
    python eval/acts.py --ship

On the development half each example is asked as if it were not among the examples, beside the questions that must not
be taken for one: the development questions of the demo, its articles' tests, other trades' and the lines that only look
like an act. `--fit` fits the weights of `botkit.answer.acts` on them; what is printed for them then is cross-validated.
On the test half, eval/lines, written by others without sight of the examples, is asked: lines with their act and
questions with none. `--ship` writes the default encoder's vectors of the examples into the package.

Of lines is told how many are met as their act, as another one, or searched for; of questions, how many are mistaken.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from botkit import corpus, encoder, language
from botkit.answer import acts
from botkit.confidence import Confidence
from botkit.index import Index, Search
from botkit.index import acts as examples
from eval import common

SLICES = ("transliterated", "typo", "dialect", "codeswitched")
QUESTIONS = ("golden", "hard", "elsewhere", *(f"slices/{name}" for name in SLICES))
FOLDS = 4


@dataclass(frozen=True)
class Line:
    """A line, its language, the acts that are right (none: a question), what it comes from and its search."""

    lang: str
    text: str
    right: tuple[str, ...]
    source: str
    search: Search
    confidence: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, default=common.ROOT / "indexes" / "lalezar", help="index folder")
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--lines", type=Path, default=common.ROOT / "eval" / "lines", help="folder with the test half")
    parser.add_argument("--fit", action="store_true", help="fit the weights on the development half")
    parser.add_argument("--errors", type=int, default=0, help="show so many mistakes of each language")
    parser.add_argument("--ship", action="store_true", help="write the shipped vectors, and nothing else")
    options = parser.parse_args()
    if options.ship:
        examples.ship(encoder.load(encoder.DEFAULT))
        return
    index = Index.open(options.index)
    lines = list(_development(index) if options.split == "dev" else _test(index, options.lines))
    odds = _fitted(lines) if options.fit else np.array([acts.log_odds(line.search, line.confidence) for line in lines])
    print(common.machine(), "\n")
    rows = []
    for lang in (*index.languages, "all"):
        mine = [i for i, line in enumerate(lines) if lang in ("all", line.lang)]
        told = [_told(lines[i], odds[i]) for i in mine]
        acted = [(t, lines[i]) for t, i in zip(told, mine, strict=True) if lines[i].right]
        asked = [(t, lines[i]) for t, i in zip(told, mine, strict=True) if not lines[i].right]
        plain = [t for t, line in asked if line.source != "looks like one"]
        alike = [t for t, line in asked if line.source == "looks like one"]
        right = sum(t in line.right for t, line in acted)
        other = sum(t is not None and t not in line.right for t, line in acted)
        rows.append([lang, len(acted), _percent(right, len(acted)), _percent(other, len(acted))])
        rows[-1] += [_percent(len(acted) - right - other, len(acted)), len(plain)]
        rows[-1] += [_percent(sum(t is not None for t in plain), len(plain)), len(alike)]
        rows[-1] += [_percent(sum(t is not None for t in alike), len(alike))]
    head = ["language", "lines", "as their act", "as another", "searched"]
    head += ["questions", "mistaken", "look-alikes", "mistaken"]
    print(common.table(head, rows))
    if options.errors:
        for lang in index.languages:
            wrong = [
                f"  {line.text!r}: {_told(line, o)} ({o:+.1f}), right {', '.join(line.right) or 'a question'}"
                for line, o in zip(lines, odds, strict=True)
                if line.lang == lang and _told(line, o) not in (line.right or (None,))
            ]
            print(f"\n{lang}", *wrong[: options.errors], sep="\n")


def _told(line: Line, odds: float) -> str | None:
    near = line.search.likeness
    sure = near is not None and near.act_likeness >= acts.WEIGHTS.alike and odds >= acts.WEIGHTS.least
    return near.act if near is not None and sure and not line.search.exact else None


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "–"


def _searched(index: Index, lang: str, texts: Sequence[str]) -> list[tuple[Search, float]]:
    model = Confidence.of(index)
    searches = index.search_many([language.clean(text) for text in texts], [lang] * len(texts))
    return [(search, model.probabilities(search)[0] if search.hits else 0.0) for search in searches]


def _development(index: Index) -> Iterator[Line]:
    for lang in index.languages:
        known = [(name, text) for name, texts in language.act_examples(lang).items() for text in texts]
        common.say(f"{lang}: {len(known)} examples")
        with _left_out(index, lang):
            for (name, text), found in zip(known, _searched(index, lang, [text for _, text in known]), strict=True):
                is_act = name != language.QUESTIONS
                yield Line(lang, text, (name,) if is_act else (), "example" if is_act else "looks like one", *found)
        texts = [
            label.text
            for folder in QUESTIONS
            for label in corpus.labels(common.ROOT / "eval" / folder)
            if label.split == "dev" and label.lang == lang
        ]
        texts += [test for article in index.articles(lang) for test in article.tests]
        for text, found in zip(texts, _searched(index, lang, texts), strict=True):
            yield Line(lang, text, (), "question", *found)


class _left_out:
    """Within it, an example of a language is not compared with itself."""

    def __init__(self, index: Index, lang: str) -> None:
        self._searcher = index.searcher
        self._lang = index.languages.index(lang)

    def __enter__(self) -> None:
        table = self._searcher.acts
        assert table is not None
        self._usual = table.nearest

        def nearest(likeness: np.ndarray) -> examples.Likeness | None:
            own = np.flatnonzero((table.lang == self._lang) & (likeness > 0.98))
            likeness = likeness.copy()
            likeness[own] = -1.0
            return self._usual(likeness)

        table.nearest = nearest  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        del self._searcher.acts.nearest


def _test(index: Index, folder: Path) -> Iterator[Line]:
    for lang in index.languages:
        rows = []
        for name in ("lines", "questions"):
            file = folder / f"{name}.{lang}.jsonl"
            rows += [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        for row, found in zip(rows, _searched(index, lang, [row["text"] for row in rows]), strict=True):
            act = row["act"]
            right = tuple(act) if isinstance(act, list) else (act,) if act else ()
            if "gibberish" not in right:
                yield Line(lang, row["text"], right, "question" if not right else "line", *found)


def _fitted(lines: Sequence[Line]) -> np.ndarray:
    """Cross-validated log-odds; prints the weights of all lines together."""
    from sklearn.linear_model import LogisticRegression

    known = [line for line in lines if line.search.likeness is not None]
    table = np.array([acts.features(line.search, line.confidence) for line in known])
    target = np.array([bool(line.right) for line in known])
    weight = np.where(target, 1.0, 3.0)
    fold = np.random.default_rng(0).permutation(len(known)) % FOLDS
    apart = np.zeros(len(known))
    for number in range(FOLDS):
        chosen = fold != number
        model = LogisticRegression(C=10.0).fit(table[chosen], target[chosen], sample_weight=weight[chosen])
        apart[~chosen] = model.decision_function(table[~chosen])
    model = LogisticRegression(C=10.0).fit(table, target, sample_weight=weight)
    for name, value in zip(("intercept", *acts.FEATURES), (*model.intercept_, *model.coef_[0]), strict=True):
        print(f"{name} = {value:.2f}")
    by_line = dict(zip(map(id, known), apart, strict=True))
    print(Counter(line.source for line in known))
    return np.array([by_line.get(id(line), -np.inf) for line in lines])


if __name__ == "__main__":
    main()
