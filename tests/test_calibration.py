"""Calibration and rejection: by hand, by property, and against scikit-learn and SciPy."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve

from inkfold.calibration import (
    Withheld,
    calibration_error,
    choose_threshold,
    fit_temperature,
    keep,
    reliability,
    risk_curve,
    shortest,
    tempered,
)
from inkfold.metrics import Rate

law = settings(deadline=None, derandomize=True, max_examples=200)
seeds = st.integers(0, 2**32 - 1)
temperatures = st.floats(0.05, 20)
pairs = st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=1, max_size=60)

SURE = np.array([0.9, 0.8, 0.8, 0.4, 0.3], np.float32)
RIGHT = np.array([True, True, False, True, False])


def drawn_logits(
    seed: int, rows: int = 50, classes: int = 6, spread: float = 4
) -> NDArray[np.float64]:
    """Logits such as networks give."""
    return np.random.default_rng(seed).normal(0, spread, (rows, classes))


def as_network(logits: NDArray[np.float64]) -> NDArray[np.float32]:
    """The probabilities that a network with these logits gives."""
    return np.asarray(softmax(logits, axis=1), np.float32)


@law
@given(seeds, temperatures)
def test_a_temperature_on_probabilities_is_one_on_logits(seed: int, temperature: float) -> None:
    """`tempered` gives the softmax of ``logits / T`` from the softmax of ``logits`` alone."""
    logits = drawn_logits(seed)

    expected = softmax(logits / temperature, axis=1)

    np.testing.assert_allclose(tempered(as_network(logits), temperature), expected, atol=2e-6)


@law
@given(st.lists(st.lists(st.integers(1, 6), min_size=4, max_size=4), min_size=1), temperatures)
def test_the_likeliest_class_is_the_same_at_every_temperature(
    rows: list[list[int]], temperature: float
) -> None:
    """The likeliest classes stay the likeliest, and equal ones equal, at every temperature."""
    raw = np.array(rows, np.float32)
    own = raw / raw.sum(axis=1, keepdims=True)

    after = tempered(own, temperature)

    assert np.array_equal(after.argmax(axis=1), own.argmax(axis=1))
    assert np.array_equal(after == after.max(axis=1, keepdims=True), own == own.max(1)[:, None])
    np.testing.assert_allclose(after.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("temperature", [0.5, 2.0, 20.0])
def test_the_least_difference_between_two_classes_is_kept(temperature: float) -> None:
    """A class that is less likely by one step of float32 stays less likely than the other."""
    more = np.float32(0.5)
    less = np.nextafter(more, np.float32(0))

    after = tempered(np.array([[less, more], [more, less]], np.float32), temperature)

    assert after.argmax(axis=1).tolist() == [1, 0]
    assert after.dtype == np.float32
    assert after[0, 0] < after[0, 1]


def test_temperature_one_changes_nothing_and_zero_stays_finite() -> None:
    """At temperature 1 probabilities stay, and a probability of 0 never becomes infinite or NaN."""
    own = np.array([[1.0, 0.0, 0.0], [0.25, 0.5, 0.25]], np.float32)

    np.testing.assert_allclose(tempered(own, 1.0), own, atol=1e-7)
    np.testing.assert_allclose(tempered(own, 0.5)[0], own[0], atol=1e-7)
    assert np.isfinite(tempered(own, 20.0)).all()


def test_nan_stays_nan() -> None:
    """The NaN of a network whose training diverged are not hidden by a temperature."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        assert np.isnan(tempered(np.full((1, 3), np.nan, np.float32), 2.0)).all()


@pytest.mark.parametrize("truth", [0.4, 1.0, 2.5])
def test_the_temperature_that_labels_were_drawn_with_is_found(truth: float) -> None:
    """The temperature of drawn labels is found to 5 % from 20,000 of them."""
    rng = np.random.default_rng(0)
    logits = drawn_logits(1, rows=20_000)
    chances = softmax(logits / truth, axis=1).cumsum(axis=1)
    labels = (rng.random((len(chances), 1)) > chances).sum(axis=1)

    fitted = fit_temperature(as_network(logits), labels)

    assert fitted == pytest.approx(truth, rel=0.05)


@law
@given(seeds)
def test_no_other_temperature_makes_the_labels_likelier(seed: int) -> None:
    """The loss, by SciPy's softmax, is no lower at a temperature a tenth away or at 1."""
    logits = drawn_logits(seed)
    labels = np.random.default_rng(seed).integers(0, 6, len(logits))
    labels[:30] = logits[:30].argmax(axis=1)

    fitted = fit_temperature(as_network(logits), labels)

    assert fitted is not None

    def loss(temperature: float) -> float:
        logs = log_softmax(logits / temperature, axis=1)
        return float(-logs[np.arange(len(labels)), labels].mean())

    assert all(loss(fitted) <= loss(t) + 1e-7 for t in (0.9 * fitted, 1.1 * fitted, 1.0))


def test_where_every_answer_is_right_no_temperature_fits() -> None:
    """There is no temperature where all answers are right, all are worst, or there are none."""
    own = as_network(drawn_logits(3))
    sure = as_network(drawn_logits(3, spread=20))

    assert fit_temperature(sure, sure.argmax(axis=1)) is None, "the loss has no minimum"
    assert fit_temperature(own, own.argmax(axis=1)) is None
    assert fit_temperature(own, own.argmin(axis=1)) is None, "worse than chance: no minimum either"
    assert fit_temperature(own[:0], np.array([], np.int32)) is None


def test_bins_hold_counts_and_mean_probability() -> None:
    """A probability on an edge counts in the lower bin; an empty bin has no mean probability."""
    confidence = np.array([0.5, 0.25, 0.0, 0.75], np.float32)

    low, high = reliability(confidence, np.array([True, False, False, True]), bins=2)
    *_, empty, last = reliability(confidence[3:] + 0.25, np.array([True]), bins=4)

    assert (low.low, low.high, low.right, low.confidence) == (0, 0.5, Rate(1, 3), 0.25)
    assert (high.right, high.confidence) == (Rate(1, 1), 0.75)
    assert (empty.right, empty.confidence, last.right.total) == (Rate(0, 0), None, 1)


def test_the_expected_error_is_weighed_by_pictures() -> None:
    """The expected calibration error weighs each bin by its answers; without any it is None."""
    bins = reliability(
        np.array([0.25, 0.25, 0.25, 0.75]), np.array([True, False, False, True]), bins=2
    )

    assert calibration_error(bins) == pytest.approx((3 * (1 / 3 - 1 / 4) + 1 * 0.25) / 4)
    assert calibration_error(reliability(np.array([]), np.array([], bool))) is None


@law
@given(seeds, st.integers(1, 20))
def test_bins_agree_with_scikit_learn(seed: int, bins: int) -> None:
    """Share right and mean probability of every bin with answers are scikit-learn's."""
    rng = np.random.default_rng(seed)
    confidence = rng.choice([rng.random(60), np.round(rng.random(60), 1)])
    right = rng.random(60) < confidence

    filled = [each for each in reliability(confidence, right, bins) if each.right.total]
    shares, means = calibration_curve(right, confidence, n_bins=bins)

    assert [each.right.share for each in filled] == pytest.approx(shares.tolist())
    assert [each.confidence for each in filled] == pytest.approx(means.tolist())
    assert sum(each.right.total for each in filled) == 60


def arrays(given_pairs: list[tuple[int, bool]]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Probabilities in twentieths, so that many are equal, and whether each answer is right."""
    sure, right = zip(*given_pairs, strict=True)
    return np.array(sure, np.float32) / np.float32(20), np.array(right)


def test_every_probability_is_a_point_of_the_curve() -> None:
    """The curve has one point for each probability; answers of equal ones are kept together."""
    curve = risk_curve(SURE, RIGHT)

    assert curve.threshold == pytest.approx([0.9, 0.8, 0.4, 0.3])
    assert curve.answered.tolist() == [1, 3, 4, 5]
    assert curve.wrong.tolist() == [0, 1, 1, 2]
    assert curve.total == 5
    assert curve.area == pytest.approx((0 * 1 + 1 / 3 * 2 + 1 / 4 + 2 / 5) / 5)


def test_without_answers_the_curve_is_empty() -> None:
    """Without answers the area is undefined, and no threshold can be chosen."""
    curve = risk_curve(SURE[:0], RIGHT[:0])

    assert (curve.total, curve.area) == (0, None)
    assert choose_threshold(curve, 0.1).reject is None


@pytest.mark.parametrize(
    ("wanted", "reject", "chosen"),
    [
        (0.4, 0.0, Withheld(2, 5, 5)),
        (0.25, 0.4, Withheld(1, 4, 5)),  # although of the three surest answers a third is wrong
        (0.2, 0.89, Withheld(0, 1, 5)),
        (0.0, 0.89, Withheld(0, 1, 5)),
    ],
)
def test_the_threshold_that_answers_most_is_chosen(
    wanted: float, reject: float, chosen: Withheld
) -> None:
    """Of the thresholds within the wanted error the one that keeps most answers is chosen."""
    threshold = choose_threshold(risk_curve(SURE, RIGHT), wanted)

    assert (threshold.reject, threshold.chosen) == (reject, chosen)
    assert keep(SURE, RIGHT, reject) == chosen


def test_where_the_surest_answer_is_wrong_there_may_be_no_threshold() -> None:
    """Where no threshold is within the wanted error, `reject` is None and nothing is kept."""
    threshold = choose_threshold(risk_curve(SURE, ~RIGHT), 0.05)

    assert (threshold.reject, threshold.chosen) == (None, Withheld(0, 0, 5))
    assert threshold.chosen.error == Rate(0, 0)


@law
@given(pairs, st.sampled_from([0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 0.5, 1]))
def test_no_threshold_keeps_more_within_the_wanted_error(
    given_pairs: list[tuple[int, bool]], wanted: float
) -> None:
    """The chosen threshold keeps as much as the best of all thresholds within the wanted error."""
    sure, right = arrays(given_pairs)

    threshold = choose_threshold(risk_curve(sure, right), wanted)

    every = [keep(sure, right, float(probability)) for probability in sure]
    allowed = [kept for kept in every if kept.wrong / kept.answered <= wanted]
    if not allowed:
        assert threshold.reject is None
        return
    assert threshold.reject is not None
    assert threshold.chosen == keep(sure, right, threshold.reject)
    assert threshold.chosen.answered == max(kept.answered for kept in allowed)
    assert threshold.chosen.wrong / threshold.chosen.answered <= wanted


@law
@given(pairs)
def test_the_curve_agrees_with_scikit_learn(given_pairs: list[tuple[int, bool]]) -> None:
    """The share right of the kept answers is scikit-learn's precision at each threshold."""
    sure, right = arrays([*given_pairs, (20, True)])

    curve = risk_curve(sure, right)
    precision, _, thresholds = precision_recall_curve(right, sure)

    np.testing.assert_allclose(curve.threshold[::-1], thresholds)
    np.testing.assert_allclose(1 - (curve.wrong / curve.answered)[::-1], precision[:-1])


@law
@given(st.lists(st.floats(2**-20, 1, width=32), min_size=2, max_size=2, unique=True))
def test_the_shortest_number_lies_between_two_probabilities(ends: list[float]) -> None:
    """The number is above the probability that is withheld and at most the one that is kept."""
    above, up_to = sorted(ends)

    number = shortest(above, up_to)

    assert above < number <= up_to
    assert float(f"{number:.17g}") == number


def test_the_shortest_number_has_as_few_decimals_as_possible() -> None:
    """The number has only as many decimals as distinguish the two probabilities."""
    assert shortest(0.812, 0.83471) == 0.83
    assert shortest(0.83470, 0.83471) == 0.83471
    assert shortest(0.2, 1.0) == 1.0
