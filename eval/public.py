"""The public sets, each built into a corpus of markdown and an index in a temporary folder.

    python eval/public.py --data ../shared/data [--only clinc150,banking77,helparticles] [--split test]
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import common

from botkit.index import Index

SETS = ("clinc150", "banking77", "helparticles")
Queries = list[dict[str, Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path, help="the folder with the public sets")
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--only", default=",".join(SETS), help="sets, comma-separated")
    parser.add_argument("--phrasings", default="12,all", help="phrasings per intent, comma-separated")
    parser.add_argument("--limit", type=int, default=0, help="items per set, for a smoke run")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()

    told: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="botkit-public-") as folder:
        for name in options.only.split(","):
            faq = common.read_jsonl(options.data / name / "faq.jsonl")[: options.limit or None]
            known = {item["id"] for item in faq}
            queries = [
                q
                for q in common.read_jsonl(options.data / name / "queries.jsonl")
                if q["split"] == options.split and (not q["relevant"] or known & set(q["relevant"]))
            ]
            if not queries:
                common.say(f"{name} has no {options.split} questions")
            elif name == "helparticles":
                told |= dict(_articles(Path(folder), faq, queries))
            else:
                told |= dict(_intents(Path(folder), name, faq, queries, options.phrasings.split(",")))

    common.tell(f"{options.split} split; shares in %", told, options.json)


def _intents(
    folder: Path, name: str, faq: Queries, queries: Queries, counts: list[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for count in counts:
        common.say(f"{name}, {count} phrasings per intent")
        items = []
        for item in faq:
            asked = item["questions"]
            if count != "all":
                asked = random.Random(item["id"]).sample(asked, min(int(count), len(asked)))
            items.append(common.Item(_slug(item["id"]), item["lang"], asked, item["answer"]))
        index = common.built(common.write_corpus(folder / f"{name}-{count}", ["en"], items), folder / f"{name}-index")
        yield f"{name}, {count} phrasings", _figures(index, queries, {item["id"]: _slug(item["id"]) for item in faq})


def _articles(folder: Path, faq: Queries, queries: Queries) -> Iterator[tuple[str, dict[str, Any]]]:
    """Titles are asked only of the other languages' articles: in their own, each is an indexed phrasing."""
    languages = sorted({item["lang"] for item in faq})
    article = {item["id"]: _slug(item["group"]) for item in faq}
    items = [common.Item(article[i["id"]], i["lang"], i["questions"], i["answer"]) for i in faq]
    for left_out in (None, *languages):
        rest = [lang for lang in languages if lang != left_out]
        common.say(f"helparticles in {', '.join(rest)}")
        source = common.write_corpus(
            folder / f"help-without-{left_out}", rest, [i for i in items if i.lang != left_out]
        )
        index = common.built(source, folder / "help-index")  # one folder: what is embedded once stays so
        for kind in ("title",) if left_out else ("h1", "slug-en"):
            for lang in sorted({q["lang"] for q in queries}):
                chosen = [q for q in queries if q["lang"] == lang and q["qtype"] == kind and left_out in (None, lang)]
                if chosen:
                    where = f"other languages' {kind}" if left_out else kind
                    yield f"helparticles {lang}, {where}", _figures(index, chosen, article)


def _figures(index: Index, queries: Queries, article: dict[str, str]) -> dict[str, Any]:
    common.say(f"  asking {len(queries)} questions")
    renamed = [
        {"text": q["text"], "lang": q["lang"], "relevant": [article[r] for r in q["relevant"] if r in article]}
        for q in queries
    ]
    return common.figures(common.ask(index, renamed))


def _slug(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text)


if __name__ == "__main__":
    main()
