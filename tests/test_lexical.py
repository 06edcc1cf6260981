"""BM25 compiled to a matrix: equal to rank_bm25, never negative, content with rows of nothing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.index import Lexical, okapi

TERM = st.sampled_from("a b c d e f g h parcel поръчка طلب ığdır".split())
ROWS = st.lists(st.lists(TERM, max_size=8), max_size=12)
QUESTION = st.lists(st.one_of(TERM, st.sampled_from(["unknown", "words"])), max_size=8)


@given(ROWS.filter(any), QUESTION)
def test_scores_are_those_of_rank_bm25(rows: list[list[str]], question: list[str]) -> None:
    """With empty rows, unknown and repeated terms, to 1e-5."""
    expected = okapi(rows).get_scores(question)
    np.testing.assert_allclose(Lexical.build(rows).scores(question), expected, atol=1e-5)


def test_scores_are_those_of_rank_bm25_in_a_large_table() -> None:
    """A thousand rows of Zipf-distributed terms, a hundred questions."""
    rng = np.random.default_rng(7)
    rows = [[f"t{t}" for t in rng.zipf(1.3, size=rng.integers(0, 30)) if t < 5000] for _ in range(1000)]
    lexical, oracle = Lexical.build(rows), okapi(rows)
    for _ in range(100):
        question = [f"t{t}" for t in rng.zipf(1.3, size=rng.integers(1, 12))]
        np.testing.assert_allclose(lexical.scores(question), oracle.get_scores(question), rtol=1e-5, atol=1e-5)


@given(ROWS, QUESTION)
def test_no_figure_is_negative_or_above_its_bound(rows: list[list[str]], question: list[str]) -> None:
    """The idf is positive even of a term in every row; no row scores more than the bound; shares are shares."""
    lexical = Lexical.build(rows)
    assert (lexical.idf > 0).all()
    scores = lexical.scores(question)
    assert scores.shape == (len(rows),)
    assert (scores >= 0).all()
    assert lexical.bound(question) > 0
    assert (scores <= lexical.bound(question) * (1 + 1e-5)).all()
    assert 0 <= lexical.known(question) <= 1 + 1e-9
    assert all(0 <= lexical.coverage(question, row) <= 1 + 1e-9 for row in rows)


@given(ROWS, QUESTION, st.integers(0, 12), st.integers(0, 12))
def test_what_several_rows_hold_is_what_all_their_terms_cover(
    rows: list[list[str]], question: list[str], one: int, other: int
) -> None:
    """Also of no rows, and of rows without terms."""
    lexical = Lexical.build(rows)
    first, last = sorted((min(one, len(rows)), min(other, len(rows))))
    joined = [term for row in rows[first:last] for term in row]
    assert lexical.held(question, first, last) == pytest.approx(lexical.coverage(question, joined), abs=1e-6)


def test_a_worked_example() -> None:
    """Two rows of two and one terms: idf and weight by hand, with k1 = 1.2 and b = 0.75."""
    lexical = Lexical.build([["red", "rug"], ["rug"]])
    idf_red, idf_rug = math.log(1 + (2 - 1 + 0.5) / 1.5), math.log(1 + (2 - 2 + 0.5) / 2.5)
    longer = 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 1.5))
    shorter = 2.2 / (1 + 1.2 * (0.25 + 0.75 * 1 / 1.5))
    assert lexical.scores(["red"]) == pytest.approx([idf_red * longer, 0])
    assert lexical.scores(["rug", "rug"]) == pytest.approx([2 * idf_rug * longer, 2 * idf_rug * shorter])
    assert lexical.bound(["rug", "blue"]) == pytest.approx((idf_rug + idf_red) * 2.2), (
        "an unknown term is as rare as any"
    )
    assert lexical.known(["rug", "blue"]) == pytest.approx(idf_rug / (idf_rug + idf_red))
    assert lexical.coverage(["red", "rug"], ["rug"]) == pytest.approx(idf_rug / (idf_rug + idf_red))


@pytest.mark.parametrize("rows", [[], [[]], [[], [], []]])
def test_rows_of_nothing_score_nothing(rows: list[list[str]]) -> None:
    """rank_bm25 divides by zero here."""
    lexical = Lexical.build(rows)
    assert lexical.scores(["a"]).tolist() == [0.0] * len(rows)
    assert lexical.bound([]) == 1.0
    assert lexical.bound(["a"]) > 0
    assert lexical.known(["a"]) == 0
    assert lexical.known([]) == 0


def test_the_order_of_terms_on_disk_depends_on_the_rows_alone() -> None:
    """Sorted terms and rows, so that the same corpus gives the same bytes."""
    rows = [["b", "a"], ["c", "a", "a"], []]
    one, other = Lexical.build(rows), Lexical.build([list(row) for row in rows])
    assert list(one.column) == ["a", "b", "c"]
    for name in ("idf", "starts", "rows", "weights"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
    for start, end in zip(one.starts, one.starts[1:], strict=False):
        assert sorted(one.rows[start:end]) == one.rows[start:end].tolist()
