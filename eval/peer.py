"""The usual stack, to measure against: SentenceTransformer, flat FAISS, rank_bm25 and rank fusion behind Flask.

    python eval/peer.py prepare FOLDER MODEL      embeds FOLDER/rows.json once, untimed
    python eval/peer.py serve FOLDER MODEL PORT WORKERS
"""

from __future__ import annotations

import json
import sys
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


def create_app(folder: Path, model: str) -> Any:
    import faiss
    import numpy as np
    from flask import Flask, request
    from rank_bm25 import BM25Okapi
    from sentence_transformers import SentenceTransformer

    rows = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
    words = BM25Okapi([text.lower().split() for _, text, _ in rows])
    vectors = faiss.read_index(str(folder / "rows.faiss"))
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
                fused[article] = max(fused.get(article, 0.0), 0.0) + 1 / (RANK + place)
        best = sorted(fused, key=fused.__getitem__, reverse=True)[:3]
        answer = next(body for article, _, body in rows if article == best[0])
        return {"article": best[0], "text": answer, "options": best}

    return app


def main() -> None:
    action, folder, model = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    if action == "prepare":
        prepare(folder, model)
    else:
        from botkit.server import run  # the same gunicorn with the same settings

        run.run(lambda: create_app(folder, model), "127.0.0.1", int(sys.argv[4]), int(sys.argv[5]))


if __name__ == "__main__":
    main()
