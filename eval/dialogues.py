"""The demo's judged dialogues, per language and kind of turn, with what went before and without it.

python eval/dialogues.py --index indexes/lalezar [--dialogues eval/dialogues] [--split test] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from botkit import corpus, evaluation
from botkit.index import Index
from eval import common


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
    held = evaluation.hold(index, options.dialogues.name, asked)
    print(f"{held.name}, {options.split} split, index version {index.version}; shares in %\n")
    print(evaluation.dialogues_table(held))
    print(f"\n{common.machine()}")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(held.figures(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
