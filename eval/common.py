"""What the evaluation scripts share: corpora as markdown, what is printed."""

from __future__ import annotations

import json
import random
import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botkit import build, corpus, encoder, evaluation
from botkit.index import Index

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "corpora" / "lalezar"


# ---------------------------------------------------------------- what is printed


def machine(*packages: str) -> str:
    """The processor, the Python, the versions and the command, as lines of text."""
    command = shlex.join(["python", f"eval/{Path(sys.argv[0]).name}", *sys.argv[1:]])
    return f"machine: {evaluation.machine(*packages)}\ncommand: {command}"


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


def built(source: Path, out: Path, encoder_name: str = encoder.DEFAULT) -> Index:
    """The corpus through the public path, published and opened."""
    report = build.publish(source, out, encoder_name, allow_failing_tests=True, say=say, progress=progress)
    say(f"  version {report.version}: {report.counts}")
    return Index.open(out)


def recombined(lang: str, articles: int, phrasings: int, seed: int = 0) -> list[Item]:
    """Articles made of the demo corpus's texts: each phrasing is the beginning of one and the end of another."""
    chance = random.Random(f"{lang}{seed}")
    result = [a for a in corpus.load(DEMO).articles if a.lang == lang]
    asked = [p.split() for a in result for p in a.phrasings]
    passages = [p.text for a in result for p in a.passages]

    def phrasing() -> str:
        first, last = chance.choice(asked), chance.choice(asked)
        return " ".join(first[: (len(first) + 1) // 2] + last[len(last) // 2 :])

    return [
        Item(f"{n % 20}/{n}", lang, [phrasing() for _ in range(phrasings)], chance.choice(passages))
        for n in range(articles)
    ]


def read_jsonl(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


# ---------------------------------------------------------------- figures
