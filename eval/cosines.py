"""What a change of the encoder did to its vectors: the cosine of each text's to that of another checkout's.

    python eval/cosines.py --before CHECKOUT [--data ../shared/data] [--encoder NAME]

The texts: all phrasings, tests and passages of the demo, its judged questions, and of the public sets the questions and
bodies of the development half. Both checkouts use the environment of this one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from botkit import corpus, encoder, language
from eval import common

SETS = ("clinc150", "banking77", "helparticles", "live")
MOST = 1500
"""texts of a public set and kind"""
ENCODING = """
import json, sys
import numpy as np
from botkit import encoder
texts, model = json.load(open(sys.argv[1], encoding="utf-8")), encoder.load(sys.argv[2])
vectors = {"questions": model.encode_query(texts["questions"]), "passages": model.encode_document(texts["passages"])}
np.savez(sys.argv[3], **vectors)
print(encoder.identity(model))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", required=True, type=Path, help="another checkout of botkit, in this environment")
    parser.add_argument("--data", type=Path, help="the folder with the public sets")
    parser.add_argument("--encoder", default=encoder.DEFAULT, help="the encoder's name in both")
    options = parser.parse_args()

    texts = {"questions": list(questions(options.data)), "passages": list(passages(options.data))}
    with tempfile.TemporaryDirectory(prefix="botkit-cosines-") as scratch:
        file = Path(scratch) / "texts.json"
        file.write_text(json.dumps({kind: [text for _, text in result] for kind, result in texts.items()}), "utf-8")
        vectors, identities = [], []
        for name, checkout in (("now", common.ROOT), ("before", options.before.resolve())):
            common.say(f"encoding {sum(map(len, texts.values()))} texts: {name}")
            command = [sys.executable, "-P", "-c", ENCODING, str(file), options.encoder, f"{scratch}/{name}.npz"]
            environ = os.environ | {"PYTHONPATH": str(checkout)}
            done = subprocess.run(command, check=True, env=environ, stdout=subprocess.PIPE, text=True)
            identities.append(f"{name}: {done.stdout.strip()}")
            with np.load(f"{scratch}/{name}.npz", allow_pickle=False) as table:
                vectors.append({kind: table[kind] for kind in texts})
    lines = []
    for kind, result in texts.items():
        cosines: dict[str, list[float]] = defaultdict(list)
        for (of, _), cosine in zip(result, (vectors[0][kind] * vectors[1][kind]).sum(axis=1), strict=True):
            cosines[of].append(float(cosine))
        for of, values in cosines.items():
            low, middle = np.quantile(values, (0.01, 0.5))
            lines.append((kind, of, len(values), f"{min(values):.4f}", f"{low:.4f}", f"{middle:.4f}"))
    print(common.table(("texts", "of", "n", "lowest cosine", "1 in 100 below", "median"), lines))
    print("\n" + "\n".join(identities) + f"\n{common.machine('onnxruntime')}")


def questions(data: Path | None) -> Iterator[tuple[str, str]]:
    """(where from, text) of all that is compared as a question."""
    for article in corpus.load(common.DEMO).articles:
        for text in (*article.phrasings, *article.tests):
            yield f"demo {article.lang}", language.normalise_script(language.clean(text), article.lang)
    for label in corpus.labels(*(common.ROOT / "eval" / name for name in ("golden", "slices", "hard"))):
        yield "judged questions", language.clean(label.text)
    for name in SETS if data else ():
        result = [q for q in common.read_jsonl(data / name / "queries.jsonl") if q["split"] == "dev"]
        items = common.read_jsonl(data / name / "faq.jsonl")
        asked = [q["text"] for q in result] + [text for item in items for text in item["questions"]]
        yield from ((name, language.clean(text)) for text in asked[:: max(1, len(asked) // MOST)])


def passages(data: Path | None) -> Iterator[tuple[str, str]]:
    """(where from, text) of all that is compared as a passage."""
    for article in corpus.load(common.DEMO).articles:
        yield from ((f"demo {article.lang}", f"{article.title}\n{passage.text}") for passage in article.passages)
    for name in SETS if data else ():
        result = [item["answer"] for item in common.read_jsonl(data / name / "faq.jsonl") if item["answer"]]
        yield from ((name, text) for text in result[:: max(1, len(result) * 5 // MOST)])


if __name__ == "__main__":
    main()
