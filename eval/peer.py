"""The usual stack, to measure against: SentenceTransformer, flat FAISS, rank_bm25 and rank fusion behind Flask.

python eval/peer.py FOLDER MODEL                        embeds FOLDER/rows.json once, untimed
gunicorn --chdir eval "peer:create_app(FOLDER, MODEL)"
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

RANK = 60
"""the constant of reciprocal rank fusion"""


def prepare(folder: Path, model: str) -> None:
    import faiss
    from sentence_transformers import SentenceTransformer

    texts = [text for _, text, _ in json.loads((folder / "rows.json").read_text(encoding="utf-8"))]
    vectors = SentenceTransformer(model, device="cpu").encode(texts, normalize_embeddings=True)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    faiss.write_index(index, str(folder / "rows.faiss"))


def create_app(folder: str, model: str) -> Any:
    import faiss
    import numpy as np
    from flask import Flask, request
    from rank_bm25 import BM25Okapi
    from sentence_transformers import SentenceTransformer

    rows = json.loads((Path(folder) / "rows.json").read_text(encoding="utf-8"))
    words = BM25Okapi([text.lower().split() for _, text, _ in rows])
    vectors = faiss.read_index(str(Path(folder) / "rows.faiss"))
    encoder = SentenceTransformer(model, device="cpu")
    app = Flask("peer")

    @app.post("/api/v1/ask")
    def ask() -> dict[str, Any]:
        text = request.get_json()["text"]
        near = vectors.search(encoder.encode([text], normalize_embeddings=True), 50)[1][0]
        worded = np.argsort(-words.get_scores(text.lower().split()))[:50]
        fused: dict[str, float] = {}
        for order in (near, worded):
            for place, row in enumerate(order):
                article = rows[row][0]
                fused[article] = fused.get(article, 0.0) + 1 / (RANK + place)
        best = sorted(fused, key=fused.__getitem__, reverse=True)[:3]
        answer = next(body for article, _, body in rows if article == best[0])
        return {"article": best[0], "text": answer, "options": best}

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="has rows.json: [article, phrasing or passage, body] for each row")
    parser.add_argument("model", help="of sentence-transformers: a name, or the folder of one")
    options = parser.parse_args()
    prepare(options.folder, options.model)


if __name__ == "__main__":
    main()
