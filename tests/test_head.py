"""The linear head: what it says in closed form is what refitting would say."""

import numpy as np
import pytest

from botkit.index.head import DENSE_SHARE, RIDGE, SHARPNESS, Head, OwnScores
from botkit.index.lexical import Lexical
from botkit.index.terms import Bags


def problem(seed: int = 3, groups: int = 4, rows: int = 18) -> tuple[np.ndarray, list[list[str]], np.ndarray, Lexical]:
    """Random unit vectors and n-grams of a few articles; the rows of an article stand together."""
    rng = np.random.default_rng(seed)
    group = np.sort(np.concatenate([np.arange(groups), rng.integers(0, groups, rows - groups)])).astype(np.int32)
    centres = rng.normal(size=(groups, 8))
    vectors = centres[group] + rng.normal(size=(rows, 8))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    grams = [[f"g{(g * 3 + t) % 12}" for t in rng.integers(0, 5, size=6)] for g in group]
    return vectors, grams, group, Lexical.build(grams)


def fitted(
    vectors: np.ndarray, grams: list[list[str]], group: np.ndarray, groups: int, chars: Lexical
) -> tuple[Head, OwnScores]:
    found = Head.fit(vectors, Bags.of(grams), group, groups, chars)
    assert found is not None
    return found


def tfidf(grams: list[str], chars: Lexical) -> np.ndarray:
    """(1 + log n) * idf over the known grams, of length 1."""
    row = np.zeros(len(chars.column))
    for gram in set(grams) & set(chars.column):
        row[chars.column[gram]] = (1 + np.log(grams.count(gram))) * chars.idf[chars.column[gram]]
    return row / max(float(np.linalg.norm(row)), 1e-12)


def ridge(rows: np.ndarray, targets: np.ndarray, offset: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """log p of a ridge regression in its primal form, fitted on `rows`, for one row asked."""
    weights = np.linalg.solve(rows.T @ rows + RIDGE * np.eye(rows.shape[1]), rows.T @ (targets - offset))
    scores = SHARPNESS * (asked @ weights + offset)
    return scores - scores.max() - np.log(np.exp(scores - scores.max()).sum())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_it_says_of_a_row_left_out_is_what_a_refit_would_say(seed: int) -> None:
    """Leave-one-row-out and leave-one-article-out in closed form equal fits without them."""
    vectors, grams, group, chars = problem(seed)
    own = fitted(vectors, grams, group, 4, chars)[1]
    design = np.hstack([np.sqrt(DENSE_SHARE) * vectors, [tfidf(row, chars) for row in grams]]).astype(np.float64)
    targets = np.eye(4)[group]
    offset = targets.mean(axis=0)  # stays that of all rows: it is a prior, not learned
    for row in range(len(group)):
        others = np.arange(len(group)) != row
        np.testing.assert_allclose(
            own.without_row[row], ridge(design[others], targets[others], offset, design[row]), atol=2e-3
        )
        strangers = group != group[row]
        np.testing.assert_allclose(
            own.without_article[row], ridge(design[strangers], targets[strangers], offset, design[row]), atol=2e-3
        )


def test_the_head_is_the_same_regression_at_a_question() -> None:
    """`log_probabilities` of a new text equals the primal solution, half precision of the grams aside."""
    vectors, grams, group, chars = problem()
    head = fitted(vectors, grams, group, 4, chars)[0]
    design = np.hstack([np.sqrt(DENSE_SHARE) * vectors, [tfidf(row, chars) for row in grams]]).astype(np.float64)
    targets = np.eye(4)[group]
    asked, vector = ["g1", "g1", "g7", "never seen"], vectors[3]
    row = np.concatenate([np.sqrt(DENSE_SHARE) * vector, tfidf(asked, chars)])
    np.testing.assert_allclose(
        head.log_probabilities(vector, asked), ridge(design, targets, targets.mean(axis=0), row), atol=1e-2
    )


def test_log_probabilities_are_of_a_distribution() -> None:
    """Also for a text without a known gram."""
    vectors, grams, group, chars = problem()
    head, own = fitted(vectors, grams, group, 4, chars)
    for found in (head.log_probabilities(vectors[0], []), *own.without_row, *own.without_article):
        assert found.shape == (4,)
        assert np.exp(found).sum() == pytest.approx(1, abs=1e-4)


def test_leaving_an_article_out_costs_it_more_than_leaving_a_row_out() -> None:
    """Without any row of its own, an article has nothing to be known by."""
    vectors, grams, group, chars = problem()
    own = fitted(vectors, grams, group, 4, chars)[1]
    rows = np.arange(len(group))
    assert own.without_article[rows, group].mean() < own.without_row[rows, group].mean() - 0.5


def test_arrays_make_the_same_head_again() -> None:
    """What lies on disk is the whole of it."""
    vectors, grams, group, chars = problem()
    head = fitted(vectors, grams, group, 4, chars)[0]
    again = Head.of(head.arrays(), chars)
    assert (again.log_probabilities(vectors[1], grams[1]) == head.log_probabilities(vectors[1], grams[1])).all()


def test_too_small_a_corpus_has_no_head() -> None:
    """One article, or fewer than three phrasings each on average."""
    vectors, grams, group, chars = problem(groups=4, rows=11)
    assert Head.fit(vectors, Bags.of(grams), group, 4, chars) is None
    assert Head.fit(vectors, Bags.of(grams), np.zeros(11, np.int32), 1, chars) is None
    assert Head.fit(vectors, Bags.of(grams), np.sort(group % 3), 3, chars) is not None


def test_an_article_without_phrasings_does_not_stop_the_fit() -> None:
    """Its column is there and says nothing."""
    vectors, grams, group, chars = problem()
    head, own = fitted(vectors, grams, group, 5, chars)
    assert np.isfinite(head.log_probabilities(vectors[0], grams[0])).all()
    assert np.isfinite(own.without_article).all()
