"""An encoder that fails, hangs or talks nonsense: whoever asks goes on without a vector."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest

from botkit.encoder import Guard

ENOUGH = 60.0


def vectors(texts: Sequence[str]) -> np.ndarray:
    return np.ones((len(texts), 2), np.float32)


def test_what_comes_in_time_is_passed_on() -> None:
    result = Guard(vectors).encode(["a", "b"], ENOUGH)
    assert result is not None
    assert result.shape == (2, 2)


def test_no_time_means_not_to_ask() -> None:
    def never(texts: Sequence[str]) -> np.ndarray:
        raise AssertionError("asked")

    guard = Guard(never)
    assert guard.encode(["a"], 0) is None
    assert guard.encode(["a"], -1) is None
    assert (guard.failures, guard.late) == (0, 0)


@pytest.mark.parametrize("error", [ValueError("x"), MemoryError(), RuntimeError("native")])
def test_an_error_is_counted_and_costs_one_question(error: Exception) -> None:
    ill = iter([True, False])

    def sometimes(texts: Sequence[str]) -> np.ndarray:
        if next(ill):
            raise error
        return vectors(texts)

    guard = Guard(sometimes)
    assert guard.encode(["a"], ENOUGH) is None
    assert guard.encode(["a"], ENOUGH) is not None
    assert (guard.failures, guard.late) == (1, 0)


def test_numbers_that_are_none_count_as_a_failure() -> None:
    guard = Guard(lambda texts: np.full((len(texts), 2), np.nan, np.float32))
    assert guard.encode(["a"], ENOUGH) is None
    assert guard.failures == 1


def test_nobody_waits_for_an_encoder_that_hangs() -> None:
    """Once its threads are all overdue, the next question does not wait at all; when they return, it is asked again."""
    free = threading.Event()

    def hanging(texts: Sequence[str]) -> np.ndarray:
        free.wait(ENOUGH)
        return vectors(texts)

    guard = Guard(hanging)
    assert guard.encode(["a"], 0.05) is None
    assert guard.encode(["b"], 0.05) is None
    assert guard.encode(["c"], 10 * ENOUGH) is None  # would hang the test if it waited
    assert guard.late == 3
    free.set()
    while (result := guard.encode(["d"], ENOUGH)) is None:
        pass
    assert result.shape == (1, 2)
