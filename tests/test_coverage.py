"""Risk against coverage: by hand, by counting every threshold, and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve

from inkfold.calibration import Withheld, choose_threshold, keep, risk_curve, shortest
from inkfold.metrics import Rate

law = settings(deadline=None, derandomize=True, max_examples=200)
pairs = st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=1, max_size=60)

SURE = np.array([0.9, 0.8, 0.8, 0.4, 0.3], np.float32)
RIGHT = np.array([True, True, False, True, False])


def arrays(given_pairs: list[tuple[int, bool]]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Probabilities in twentieths, so that many are equal, and whether each answer is right."""
    sure, right = zip(*given_pairs, strict=True)
    return np.array(sure, np.float32) / np.float32(20), np.array(right)


def test_every_probability_is_a_point_of_the_curve() -> None:
    """Equal ones are kept or withheld together."""
    curve = risk_curve(SURE, RIGHT)

    assert curve.threshold == pytest.approx([0.9, 0.8, 0.4, 0.3])
    assert curve.answered.tolist() == [1, 3, 4, 5]
    assert curve.wrong.tolist() == [0, 1, 1, 2]
    assert curve.total == 5
    assert curve.area == pytest.approx((0 * 1 + 1 / 3 * 2 + 1 / 4 + 2 / 5) / 5)


def test_of_no_answers_there_is_no_curve() -> None:
    """Undefined, and no threshold reaches anything."""
    curve = risk_curve(SURE[:0], RIGHT[:0])

    assert (curve.total, curve.area) == (0, None)
    assert choose_threshold(curve, 0.1).reject is None


@pytest.mark.parametrize(
    ("wanted", "reject", "chosen"),
    [
        (0.4, 0.0, Withheld(2, 5, 5)),
        (0.25, 0.4, Withheld(1, 4, 5)),
        (0.2, 0.89, Withheld(0, 1, 5)),
        (0.0, 0.89, Withheld(0, 1, 5)),
    ],
)
def test_the_threshold_that_answers_most_is_chosen(
    wanted: float, reject: float, chosen: Withheld
) -> None:
    """2 of 5 wrong is 0.4 and allowed at 0.4; 1 of 3 is passed over for 1 of 4 at 0.25."""
    found = choose_threshold(risk_curve(SURE, RIGHT), wanted)

    assert (found.reject, found.chosen) == (reject, chosen)
    assert keep(SURE, RIGHT, reject) == chosen


def test_where_the_surest_answer_is_wrong_there_may_be_no_threshold() -> None:
    """It says so, and keeps nothing."""
    found = choose_threshold(risk_curve(SURE, ~RIGHT), 0.05)

    assert (found.reject, found.chosen) == (None, Withheld(0, 0, 5))
    assert found.chosen.error == Rate(0, 0)


@law
@given(pairs, st.sampled_from([0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 0.5, 1]))
def test_no_threshold_keeps_more_within_the_wanted_error(
    given_pairs: list[tuple[int, bool]], wanted: float
) -> None:
    """Every threshold is tried, and what ``--reject`` does with the number told is counted."""
    sure, right = arrays(given_pairs)

    found = choose_threshold(risk_curve(sure, right), wanted)

    every = [keep(sure, right, float(threshold)) for threshold in sure]
    allowed = [kept for kept in every if kept.wrong / kept.answered <= wanted]
    if not allowed:
        assert found.reject is None
        return
    assert found.reject is not None
    assert found.chosen == keep(sure, right, found.reject)
    assert found.chosen.answered == max(kept.answered for kept in allowed)
    assert found.chosen.wrong / found.chosen.answered <= wanted


@law
@given(pairs)
def test_the_curve_agrees_with_scikit_learn(given_pairs: list[tuple[int, bool]]) -> None:
    """The share right of those answered is the precision of "this answer is right"."""
    sure, right = arrays([*given_pairs, (20, True)])

    curve = risk_curve(sure, right)
    precision, _, thresholds = precision_recall_curve(right, sure)

    np.testing.assert_allclose(curve.threshold[::-1], thresholds)
    np.testing.assert_allclose(1 - (curve.wrong / curve.answered)[::-1], precision[:-1])


@law
@given(st.lists(st.floats(2**-20, 1, width=32), min_size=2, max_size=2, unique=True))
def test_the_number_told_lies_between_its_neighbours(ends: list[float]) -> None:
    """Above the probability that is withheld, and not above the one that is kept."""
    above, up_to = sorted(ends)

    number = shortest(above, up_to)

    assert above < number <= up_to
    assert float(f"{number:.17g}") == number


def test_few_decimals_are_told() -> None:
    """As many as tell the two apart."""
    assert shortest(0.812, 0.83471) == 0.83
    assert shortest(0.83470, 0.83471) == 0.83471
    assert shortest(0.2, 1.0) == 1.0
