"""The demo's judged dialogues, per language and kind of turn, with what went before and without it.

python eval/dialogues.py --index indexes/lalezar [--dialogues eval/dialogues] [--split test] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import common

from botkit import corpus
from botkit.index import Index
from botkit.quality.dialogues import KINDS, converse, turn_figures
from botkit.quality.report import percent

HEAD = ("set", "turn", "judged", "context", "at 1", "at 3", "answered", "precision", "leaning")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", required=True, type=Path, help="index folder")
    parser.add_argument("--dialogues", type=Path, default=common.ROOT / "eval" / "dialogues", help="folder of *.jsonl")
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()

    index = Index.open(options.index)
    asked = [d for d in corpus.dialogues(options.dialogues) if d.split == options.split]
    if not asked:
        parser.error(f"no {options.split} dialogues in {options.dialogues}")
    common.say(f"{len(asked)} dialogues, twice")
    held = {name: converse(index, asked, context=name == "on") for name in ("off", "on")}
    told, rows = {}, []
    for lang in [lang for lang in index.languages if any(d.lang == lang for d in asked)] + [None]:
        parts = {
            name: turn_figures([o for o in found if lang is None or o.lang == lang]) for name, found in held.items()
        }
        told[lang or "all"] = parts
        for kind in KINDS:
            for name, figures in parts.items():
                shown = figures[kind]
                shares = ("accuracy_at_1", "accuracy_at_3", "answered", "precision", "leaning")
                rows.append([lang or "all", kind, shown["judged"], name, *(percent(shown[share]) for share in shares)])
    print(f"{options.dialogues.name}, {options.split} split, index version {index.version}; shares in %\n")
    print(common.table(HEAD, rows))
    print(f"\n{common.machine()}")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
