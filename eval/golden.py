"""The demo's judged questions, per language: accuracy, what is answered and how surely.

    python eval/golden.py --index indexes/lalezar [--golden eval/hard] [--split test] [--words] [--json FILE]

With --words as if the encoder failed at every question. `botkit eval` tells more of the same questions.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from botkit import corpus, evaluation
from botkit.index import Index
from eval import common


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", required=True, type=Path, help="index folder")
    parser.add_argument("--golden", type=Path, default=common.ROOT / "eval" / "golden", help="folder of <lang>.jsonl")
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--words", action="store_true", help="do not ask the encoder: words alone answer")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()

    index = Index.open(options.index)
    labels = [q for q in corpus.labels(options.golden) if q.split == options.split]
    if not labels:
        parser.error(f"no {options.split} questions in {options.golden}")
    common.say(f"{len(labels)} questions")
    found = evaluation.evaluate(index, labels, deadline=0 if options.words else None)
    languages = [lang for lang in index.languages if lang in found.languages]
    told = {lang: evaluation.figures(found.only(lang=lang).outcomes) for lang in languages}
    told["all"] = evaluation.figures(found.outcomes)

    without = ", words alone" if options.words else ""
    title = f"{options.golden.name}, {options.split} split{without}, index version {index.version}; shares in %"
    common.tell(title, told, options.json)


if __name__ == "__main__":
    main()
