"""botkit beside the usual ways: on the demo's judged questions, and on public sets built into corpora.

    python eval/public.py --data ../shared/data [--index indexes/lalezar] [--only golden,clinc150] [--split test]
        [--phrasings 12,all] [--baselines bm25,dense|none] [--work FOLDER] [--html FILE] [--json FILE]

The public sets (CLINC150, BANKING77 and others, as JSON lines) are no part of the project: docs/analysts.md says where
they come from and how their folders look. A public set becomes markdown, and that a published index, the way an
editor's does. With `--work` its vectors stay there for the next run: those of all phrasings of CLINC150 take some
minutes. `golden`, `slices`, `hard` and `elsewhere` are the demo's, and need its index.
"""

from __future__ import annotations

import argparse
import random
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from botkit import corpus, encoder, evaluation, language
from botkit.corpus import Label
from botkit.encoder import Encoder
from botkit.evaluation import Evaluation
from botkit.index import Index
from botkit.index.embedding_cache import EmbeddingCache
from eval import baselines, common
from eval.simulate import half

DEMO = ("golden", "slices", "hard", "elsewhere")
PUBLIC = ("clinc150", "banking77", "helparticles")
PART = 1000
"""questions after which progress is told"""
Table = dict[str, Any]
Sets = Iterator[tuple[str, list[Evaluation]]]
"""The name of a set, and what each system said to its questions, botkit first"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder with the public sets")
    parser.add_argument("--index", type=Path, help="the demo's index folder")
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--only", help="sets, comma-separated; default: all that --data and --index allow")
    parser.add_argument("--phrasings", default="12,all", help="phrasings per intent, comma-separated")
    parser.add_argument("--baselines", default=",".join(baselines.NAMES), help="comma-separated, or none")
    parser.add_argument("--encoder", default=encoder.DEFAULT, help="another model's name or folder")
    parser.add_argument("--limit", type=int, default=0, help="so many items of each set, for a smoke run")
    parser.add_argument("--work", type=Path, help="keep what is built and embedded here; default: a temporary folder")
    parser.add_argument("--html", type=Path, help="write the report here")
    parser.add_argument("--json", type=Path, help="write everything here")
    options = parser.parse_args()
    chosen = (
        options.only.split(",") if options.only else [*(DEMO * bool(options.index)), *(PUBLIC * bool(options.data))]
    )
    for name in chosen:
        if name not in (*DEMO, *PUBLIC):
            parser.error(f"there is no set `{name}`. Choose from {', '.join((*DEMO, *PUBLIC))}.")
        if not (options.index if name in DEMO else options.data):
            parser.error(f"`{name}` needs {'--index' if name in DEMO else '--data'}.")
        if name in PUBLIC and not (options.data / name / "faq.jsonl").is_file():
            parser.error(
                f"{options.data / name} has no faq.jsonl. Give the folder of the public sets, or fewer in --only."
            )
    if not chosen:
        parser.error("give --data, --index or both.")
    counts = options.phrasings.split(",")
    if not all(count == "all" or (count.isascii() and count.isdigit() and int(count)) for count in counts):
        parser.error(f"--phrasings is `{options.phrasings}` but must be numbers and `all`, like 12,all.")
    names = baselines.parse(options.baselines)

    details: dict[str, list[Evaluation]] = {}
    with tempfile.TemporaryDirectory(prefix="botkit-public-") as temporary:
        folder = options.work or Path(temporary)
        # A smoke run makes an index forget the vectors that it did not ask for.
        folder = folder / f"first-{options.limit}" if options.limit else folder
        run = Run(folder, options.encoder, names)
        if set(chosen) & set(DEMO):
            details |= dict(
                run.demo(options.index, [name for name in DEMO if name in chosen], options.split, options.limit)
            )
        for name in (name for name in PUBLIC if name in chosen):
            items, queries = _read(options.data / name, options.split, options.limit)
            if not queries:
                common.say(f"{name} has no {options.split} questions")
            elif name == "helparticles":
                details |= dict(run.help_centre(items, queries))
            else:
                for count in counts:
                    details |= dict(run.intents(name, count, items, queries))

    if not details:
        parser.error(f"no {options.split} questions in {', '.join(chosen)}. Try the other --split.")
    report = evaluation.Report(
        title=f"botkit and the usual ways, {options.split} split",
        sets=tuple(evaluation.Set(name, tuple(result)) for name, result in details.items()),
        command=shlex.join(["python", "eval/public.py", *sys.argv[1:]]),
        notes=tuple(_notes(details)),
        packages=("rank-bm25", "haystack-ai", "sentence-transformers"),
    )
    print(report.text(), flush=True)
    report.write(options.html, options.json)


class Run:
    """The systems over the sets. Whatever is built lies below `folder`."""

    def __init__(self, folder: Path, encoder_name: str, names: Sequence[str]) -> None:
        self.folder, self.encoder, self.names = folder, encoder_name, names
        self.model: Encoder = encoder.load(encoder_name)

    def demo(self, index: Path, names: Iterable[str], split: str, limit: int) -> Sets:
        """The judged questions of the demo, or about `limit` of each set, from all over it."""
        bench = _Bench(self, "demo", Index.open(index, self.model), common.DEMO, index / "cache")
        for name in names:
            folder = common.ROOT / "eval" / name
            result = corpus.labels(folder) if any(folder.rglob("*.jsonl")) else []
            labels = [label for label in result if label.split == split]
            yield from bench.asked(name, labels[:: max(1, len(labels) // limit)] if limit else labels)
        bench.close()

    def intents(self, name: str, count: str, items: list[Table], queries: list[Table]) -> Sets:
        """Intents as articles, each with so many of its phrasings, or with `all`."""
        common.say(f"{name}, {count} phrasings per intent")
        files = []
        for item in items:
            asked = item["questions"]
            if count != "all":
                asked = random.Random(item["id"]).sample(asked, min(int(count), len(asked)))
            files.append(common.Item(_slug(item["id"]), item["lang"], asked, item["answer"]))
        work = self.folder / f"{name}-{count}"
        source = _written(work / "corpus", ["en"], files)
        bench = _Bench(
            self, work.name, common.built(source, work / "index", self.encoder), source, work / "index" / "cache"
        )
        article = {item["id"]: _slug(item["id"]) for item in items}
        yield from bench.asked(f"{name}, {count} phrasings", _labels(queries, article))
        bench.close()

    def help_centre(self, items: list[Table], queries: list[Table]) -> Sets:
        """Articles in several languages. Titles are asked only of the other languages' articles: in their
        own, each is an indexed phrasing."""
        languages = sorted({item["lang"] for item in items})
        work = self.folder / "helparticles"
        bench: _Bench | None = None
        for left_out in (None, *languages):
            kept = [item for item in items if item["lang"] != left_out]
            here = [lang for lang in languages if lang != left_out]
            if not here:
                continue
            common.say(f"helparticles in {', '.join(here)}")
            files = [common.Item(_slug(i["group"]), i["lang"], i["questions"], i["answer"]) for i in kept]
            source = _written(work / f"corpus-without-{left_out}", here, files)
            index = common.built(source, work / "index", self.encoder)  # one folder: what is embedded once stays so
            bench = _Bench(self, work.name, index, source, work / "index" / "cache", bench)
            article = {item["id"]: _slug(item["group"]) for item in kept}
            for kind in ("title",) if left_out else ("h1", "slug-en"):
                asked = [q for q in queries if q["qtype"] == kind and left_out in (None, q["lang"])]
                for lang in sorted({q["lang"] for q in asked}):
                    where = f"other languages' {kind}" if left_out else kind
                    labels = _labels((q for q in asked if q["lang"] == lang), article)
                    yield from bench.asked(f"helparticles {lang}, {where}", labels)
        if bench:
            bench.close()


class _Bench:
    """botkit and the baselines over one corpus, each question embedded once for all of them."""

    def __init__(
        self, run: Run, name: str, index: Index, source: Path, cache: Path, before: _Bench | None = None
    ) -> None:
        """`cache` has the vectors of the index's rows; those of questions go below the run's folder.
        `before` is the bench on the same folder whose vectors to go on with."""
        folder = run.folder / name
        kept = EmbeddingCache(run.model, cache)
        self.memory = before.memory if before else EmbeddingCache(kept, folder / "questions")
        self.index = Index.open(index.folder, self.memory)
        self.systems = baselines.systems(run.names, corpus.load(source), self.memory, folder / "minilm", common.say)

    def asked(self, name: str, labels: Sequence[Label]) -> Sets:
        """What each system says to the questions, unless there are none."""
        if not labels:
            common.say(f"{name} has no questions here")
            return
        texts, langs = [language.clean(label.text) for label in labels], [label.lang for label in labels]
        common.say(f"{name}: {len(labels)} questions")
        self.memory.learn(texts, [], common.progress)
        result = [evaluation.evaluate(self.index, labels)]
        for system in self.systems:
            ranked: list[baselines.Ranked] = []
            for start in range(0, len(texts), PART):
                part = slice(start, start + PART)
                ranked += system.ask(texts[part], langs[part])
                common.say(f"  {system.name}: {len(ranked)} of {len(texts)}")
            result.append(evaluation.judge(system.name, labels, ranked))
        yield name, result

    def close(self) -> None:
        """Keep the questions' vectors for the next run."""
        self.memory.save()


# ---------------------------------------------------------------- what the tables do not say


def _notes(told: Mapping[str, Sequence[Evaluation]]) -> Iterator[str]:
    """How to read the baselines, and botkit beside the best of them and out of scope, a line a set."""
    yield (
        "“answered” and “precision” are at the threshold that botkit ships; “answered at 90 %” is chosen on these very "
        "questions, which flatters. It is all that a system without a threshold of its own can show."
    )
    for name, (ours, *others) in told.items():
        if others:
            best = max(others, key=_accuracy)
            change = evaluation.compare(best, ours)["differences"]["accuracy_at_1"]
            low, high = change["interval"] or (0.0, 0.0)
            yield (
                f"{name}: right at 1 in {evaluation.percent(change['after'])} %; the best baseline, {best.system}, in "
                f"{evaluation.percent(change['before'])} %. "
                f"The difference is {100 * (change['difference'] or 0.0):+.1f} "
                f"points, with 95 % confidence between {100 * low:+.1f} and {100 * high:+.1f}."
            )
        if any(o.label.scope in ("near", "far") for o in ours.outcomes):
            theirs = []
            for system in others:
                answered, refused = _at_own_threshold(system)
                theirs.append(f"{system.system} {evaluation.percent(refused)} % ({evaluation.percent(answered)} %)")
            answered, refused = _shares(ours, [bool(o.answered) for o in ours.outcomes])
            yield (
                f"{name}: out of scope, {evaluation.percent(refused)} % is not answered at the threshold that botkit "
                f"ships (in scope, {evaluation.percent(answered)} % is; "
                f"{evaluation.percent(_accuracy(ours))} % is right at "
                f"1){'; at the own 90 % of each baseline: ' if theirs else ''}{', '.join(theirs)}."
            )


def _accuracy(told: Evaluation) -> float:
    """The share right at 1, of the questions in scope; 0 without one."""
    inside = [bool(o.right) for o in told.outcomes if o.label.scope == "in"]
    return sum(inside) / max(len(inside), 1)


def _at_own_threshold(told: Evaluation) -> tuple[float, float]:
    """`_shares` at the threshold that answers most with 90 % of all answered right; where there is none,
    nothing is answered."""
    sure = np.array([o.confidence for o in told.outcomes])
    right = np.array([bool(o.right) for o in told.outcomes], bool)
    held = (t for t in np.unique(sure) if right[sure >= t].mean() >= 0.9)
    return _shares(told, sure >= next(held, np.inf))


def _shares(told: Evaluation, answered: Sequence[bool] | np.ndarray) -> tuple[float, float]:
    """The share of the questions in scope that is answered, and of those out of scope that is not."""
    inside = np.array([o.label.scope == "in" for o in told.outcomes], bool)
    marks = np.array(answered, bool)
    return float(marks[inside].sum() / max(inside.sum(), 1)), float((~marks)[~inside].sum() / max((~inside).sum(), 1))


# ---------------------------------------------------------------- the questions


def _read(folder: Path, split: str, limit: int) -> tuple[list[Table], list[Table]]:
    """The items of a public set, and the questions of a split that one of them answers or none does. Help articles
    have no test questions: theirs are those about the half of the topics that nothing was learned or chosen from."""
    items = common.read_jsonl(folder / "faq.jsonl")[: limit or None]
    known = {item["id"] for item in items}
    queries = common.read_jsonl(folder / "queries.jsonl")
    if folder.name == "helparticles":
        learned = {item["id"] for item in items if half(item["group"])}
        queries = [q | {"split": "dev" if set(q["relevant"]) & learned else "test"} for q in queries]
    queries = [q for q in queries if q["split"] == split]
    return items, [q for q in queries if not q["relevant"] or known & set(q["relevant"])]


def _labels(queries: Iterable[Table], article: Mapping[str, str]) -> list[Label]:
    """Questions with the articles that answer them; `article` maps an item's id to its article's. Those
    that only other items answer are left out; those that none does are far out of scope."""
    result = []
    for q in queries:
        relevant = frozenset(article[item] for item in q["relevant"] if item in article)
        if relevant or not q["relevant"]:
            result.append(Label(q["id"], q["text"], q["lang"], relevant, split=q["split"]))
    return result


def _written(folder: Path, languages: Sequence[str], items: Iterable[common.Item]) -> Path:
    """A corpus of these articles and no other, whatever an earlier run left in the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    return common.write_corpus(folder, languages, items)


def _slug(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text)


if __name__ == "__main__":
    main()
