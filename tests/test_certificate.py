"""The promise behind a threshold: exact bounds, kept as often as it says, and honest about what it lacks."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binomtest

from botkit.confidence import ALPHA, DELTA, certify, upper_bound
from botkit.confidence.certificate import LEAST_THRESHOLD, START, STEPS, least_without_error


@pytest.mark.parametrize("delta", [0.01, 0.1, 0.5])
@pytest.mark.parametrize(("wrong", "answered"), [(0, 1), (0, 22), (1, 22), (3, 60), (17, 200), (59, 60)])
def test_the_bound_is_that_of_the_exact_binomial_test(wrong: int, answered: int, delta: float) -> None:
    """One-sided, as scipy has it."""
    interval = binomtest(wrong, answered, alternative="less").proportion_ci(1 - delta, method="exact")
    assert upper_bound(wrong, answered, delta) == pytest.approx(interval.high, abs=1e-9)


def test_nothing_is_known_of_no_answers() -> None:
    """Nor of answers that were all wrong."""
    assert upper_bound(0, 0) == upper_bound(5, 5) == 1.0


@pytest.mark.parametrize(("alpha", "delta", "least"), [(0.1, 0.1, 22), (0.05, 0.1, 45), (0.1, 0.05, 29), (0.5, 0.5, 1)])
def test_so_many_answers_without_an_error_certify(alpha: float, delta: float, least: int) -> None:
    """And one fewer does not: by the formula, by the bound and by the whole procedure."""
    assert least_without_error(alpha, delta) == least
    assert upper_bound(0, least, delta) <= alpha + 1e-9
    assert upper_bound(0, least - 1, delta) > alpha
    for count, certified in ((least + 1, True), (least - 1, False)):
        assert certify(np.full(count, 0.99), np.ones(count, bool), alpha, delta)["certified"] is certified


def test_the_loosest_threshold_before_the_first_failure_is_taken() -> None:
    """100 sure and right, 100 less sure and right, 100 hardly sure and wrong."""
    p, right = np.repeat([0.95, 0.61, 0.45], 100), np.repeat([True, True, False], 100)
    result = certify(p, right)
    assert result == {
        "certified": True,
        "alpha": ALPHA,
        "delta": DELTA,
        "labels": 300,
        "threshold": 0.46,
        "answered": 200,
        "wrong": 0,
        "bound": upper_bound(0, 200),
    }
    order = np.random.default_rng(1).permutation(300)
    assert certify(p[order], right[order]) == result
    assert "labels_more" not in result


def test_errors_in_the_first_step_leave_it_uncertified() -> None:
    """However right the rest is: a test that has failed is not tried again with more data."""
    p, right = np.repeat([0.97, 0.6], [30, 970]), np.repeat([False, True], [30, 970])
    first = max(least_without_error(), int(START * 1000))
    assert (p >= STEPS[0]).sum() < first, "the strictest thresholds answer too little to be tested at all"
    assert certify(p, right)["certified"], "30 errors in 1000 answers are few"
    p[:300], right[:300] = 0.97, np.arange(300) >= 60
    failed = certify(p, right)
    assert not failed["certified"]
    assert not {"threshold", "answered", "wrong", "bound"} & set(failed)


def test_no_threshold_is_a_guess() -> None:
    """Where everything is right, all that is likely at all is answered."""
    assert certify(np.full(400, 0.2), np.ones(400, bool))["certified"] is False
    assert certify(np.full(400, 0.9), np.ones(400, bool))["threshold"] == pytest.approx(LEAST_THRESHOLD)


def test_what_is_missing_is_estimated() -> None:
    """More labels where more would do, none where errors are too many; certified once they are there."""
    assert certify([], [])["labels_more"] == 2 * least_without_error()
    assert certify(np.full(10, 0.9), np.ones(10, bool))["labels_more"] == 34
    p, right = np.full(40, 0.9), np.arange(40) >= 2
    few = certify(p, right)
    assert not few["certified"]
    assert 10 <= few["labels_more"] < 200
    times = 1 + -(-few["labels_more"] // 40)
    assert certify(np.tile(p, times), np.tile(right, times))["certified"]
    hopeless = certify(np.full(400, 0.9), np.arange(400) % 4 > 0)
    assert (hopeless["certified"], hopeless["labels_more"]) == (False, None)


def calibrated(p: np.ndarray) -> np.ndarray:
    return p


def boastful(p: np.ndarray) -> np.ndarray:
    return p**2


def just_too_bad(p: np.ndarray) -> np.ndarray:
    """At every threshold the error is a little more than is promised: the hardest world there is."""
    return np.full_like(p, 1 - ALPHA - 0.005)


@pytest.mark.parametrize("truth", [calibrated, boastful, just_too_bad])
def test_the_promise_is_broken_in_at_most_delta_of_all_draws(truth: Callable[[np.ndarray], np.ndarray]) -> None:
    """200 draws of 200 questions, whether or not the probabilities mean what they say."""
    chance = np.random.default_rng(11)
    draws = 200
    world = 1 - 0.6 * chance.random(200_000) ** 1.5
    certified, broken = 0, 0
    for _ in range(draws):
        p = 1 - 0.6 * chance.random(200) ** 1.5
        result = certify(p, chance.random(200) < truth(p))
        if result["certified"]:
            certified += 1
            broken += bool((1 - truth(world[world >= result["threshold"]])).mean() > ALPHA)
    assert broken / draws <= DELTA + 0.04  # under two standard deviations of 200 draws
    if truth is calibrated:
        assert certified / draws > 0.5, "a promise that is never made is easily kept"
