"""Which pairs of signals the confidence model gains from, chosen one after the other.

    python eval/pairs.py [--steps 8] [--from-nothing] [--among known_grams,fused_margin]

Each step tries the product of every two of some signals beside those chosen before (at first botkit's own), fits the
model on the simulated bots that ship, each time without one kind of bot, and asks it about that kind: its loss and its
AUROC. A pair that costs a kind more than WORST in AUROC is out. The best is kept while it gains LEAST in loss or AUROC.
No judged question outside the simulated bots is looked at.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from botkit.confidence import fitting
from botkit.confidence.model import PAIRS, with_pairs
from botkit.index import FEATURES
from eval import common
from eval.simulate import left_out

Pair = tuple[str, str]
CANDIDATES = (
    *("out_of_domain_lead", "out_of_domain", "classifier", "score_margin", "class_entropy", "csls"),
    *("dense", "passage_dense", "known_grams", "article_grams", "word", "coverage", "length", "entropy", "vote"),
    *("class_probability", "phrasings"),
    *("articles", "score", "gap10", "fused_margin", "others_mean", "own_median", "other_domains", "unknown_domains"),
)
WORST, LEAST = 0.0015, 0.0003
AUROC_WEIGHT = 6.0
"""what a point of AUROC counts beside one of loss, both being shares of 1"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=8, help="pairs to add at most")
    parser.add_argument("--from-nothing", action="store_true", help="without the pairs that botkit has")
    parser.add_argument("--among", default=",".join(CANDIDATES), help="signals to pair, comma-separated")
    options = parser.parse_args()
    names = options.among.split(",")
    for name in names:
        if name not in FEATURES:
            parser.error(f"there is no signal `{name}`. Choose from {', '.join(FEATURES)}.")

    kinds = Kinds()
    chosen: list[Pair] = [] if options.from_nothing else list(PAIRS)
    loss, auroc = kinds.without_each(chosen)
    lines = [kinds.line("as it is", loss, auroc)]
    every = [*itertools.combinations(names, 2), *((name, name) for name in names)]
    for step in range(options.steps):
        tried = []
        for pair in (p for p in every if p not in chosen):
            now = kinds.without_each([*chosen, pair])
            if (now[1] >= auroc - WORST).all():
                tried.append((float(now[0].mean() - AUROC_WEIGHT * now[1].mean()), pair, now))
        best = min(tried, default=None, key=lambda one: one[0])
        if best is None or best[0] > loss.mean() - AUROC_WEIGHT * auroc.mean() - AUROC_WEIGHT * LEAST:
            break
        chosen.append(best[1])
        loss, auroc = best[2]
        lines.append(kinds.line(f"+ {best[1][0]} × {best[1][1]}", loss, auroc))
        common.say(f"{step + 1}: {best[1]}")
    print(common.table(("pairs", *(f"{name}: loss, AUROC" for name in kinds.names), "loss", "AUROC"), lines))
    print(f"\n{common.machine('scikit-learn')}")


class Kinds:
    """The simulated rows, and what a model says of each kind of bot that it was fitted without."""

    def __init__(self) -> None:
        self.rows = fitting.simulated()
        self.folds = list(left_out())
        self.names = [name for name, _, _ in self.folds]
        table = self.rows.table
        self.standardised = (table - table.mean(axis=0)) / np.maximum(table.std(axis=0), 1e-6)

    def without_each(self, pairs: Sequence[Pair]) -> tuple[np.ndarray, np.ndarray]:
        """Loss and AUROC, one of each kind."""
        terms = with_pairs(self.standardised, pairs)
        right, weight = self.rows.right, self.rows.weight
        result = []
        for _, inside, apart in self.folds:
            model = LogisticRegression(C=fitting.INVERSE_PENALTY, solver="newton-cholesky", max_iter=30, tol=1e-3)
            model.fit(terms[apart], right[apart], sample_weight=weight[apart])
            odds, true, share = model.decision_function(terms[inside]), right[inside], weight[inside]
            loss = float(np.average(np.logaddexp(0.0, np.where(true, -odds, odds)), weights=share))
            result.append((loss, float(roc_auc_score(true, odds))))
        return np.array([loss for loss, _ in result]), np.array([auroc for _, auroc in result])

    def line(self, name: str, loss: np.ndarray, auroc: np.ndarray) -> tuple[str, ...]:
        each = (f"{one:.3f}, {other:.3f}" for one, other in zip(loss, auroc, strict=True))
        return (name, *each, f"{loss.mean():.3f}", f"{auroc.mean():.3f}")


if __name__ == "__main__":
    main()
