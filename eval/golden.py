"""The demo's judged questions, per language: accuracy, what is answered and how surely.

    python eval/golden.py --index indexes/lalezar [--golden eval/hard] [--split test] [--json FILE]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import common

from botkit.index import Index


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", required=True, type=Path, help="index folder")
    parser.add_argument("--golden", type=Path, default=common.ROOT / "eval" / "golden", help="folder of <lang>.jsonl")
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()

    index = Index.open(options.index)
    told, everything = {}, common.Judged()
    for lang in index.languages:
        file = options.golden / f"{lang}.jsonl"
        queries = [q for q in common.read_jsonl(file) if q["split"] == options.split] if file.exists() else []
        if not queries:
            common.say(f"no {options.split} questions in {file}")
            continue
        common.say(f"{lang}: {len(queries)} questions")
        judged = common.ask(index, queries)
        told[lang] = common.figures(judged)
        everything.replies += judged.replies
        everything.relevant += judged.relevant
        everything.kinds += judged.kinds
    told["all"] = common.figures(everything)

    title = f"{options.golden.name}, {options.split} split, index version {index.version}; shares in %"
    common.tell(title, told, options.json)


if __name__ == "__main__":
    main()
