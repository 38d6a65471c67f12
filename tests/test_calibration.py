"""Calibration: against known values, by law, and against scikit-learn and SciPy."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax
from sklearn.calibration import calibration_curve

from inkfold.calibration import calibration_error, fit_temperature, reliability, tempered
from inkfold.metrics import Rate

law = settings(deadline=None, derandomize=True, max_examples=100)
seeds = st.integers(0, 2**32 - 1)
temperatures = st.floats(0.05, 20)


def drawn_logits(
    seed: int, rows: int = 50, classes: int = 6, spread: float = 4
) -> NDArray[np.float64]:
    """Logits as networks give them."""
    return np.random.default_rng(seed).normal(0, spread, (rows, classes))


def as_network(logits: NDArray[np.float64]) -> NDArray[np.float32]:
    """The probabilities that a network with these logits answers."""
    return np.asarray(softmax(logits, axis=1), np.float32)


@law
@given(seeds, temperatures)
def test_a_temperature_on_probabilities_is_one_on_logits(seed: int, temperature: float) -> None:
    """The softmax of ``logits / T`` from the softmax of ``logits`` alone."""
    logits = drawn_logits(seed)

    expected = softmax(logits / temperature, axis=1)

    np.testing.assert_allclose(tempered(as_network(logits), temperature), expected, atol=2e-6)


@law
@given(st.lists(st.lists(st.integers(1, 6), min_size=4, max_size=4), min_size=1), temperatures)
def test_the_answer_is_the_same_at_every_temperature(
    rows: list[list[int]], temperature: float
) -> None:
    """Also where two classes are equally likely: the first of them stays the answer."""
    raw = np.array(rows, np.float32)
    own = raw / raw.sum(axis=1, keepdims=True)

    after = tempered(own, temperature)

    assert np.array_equal(after.argmax(axis=1), own.argmax(axis=1))
    assert np.array_equal(after == after.max(axis=1, keepdims=True), own == own.max(1)[:, None])
    np.testing.assert_allclose(after.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("temperature", [0.5, 2.0, 20.0])
def test_a_hair_between_two_classes_is_kept(temperature: float) -> None:
    """The neighbouring float32 is less likely before and after, whichever comes first."""
    more = np.float32(0.5)
    less = np.nextafter(more, np.float32(0))

    after = tempered(np.array([[less, more], [more, less]], np.float32), temperature)

    assert after.argmax(axis=1).tolist() == [1, 0]
    assert after.dtype == np.float32
    assert after[0, 0] < after[0, 1]


def test_temperature_one_changes_nothing_and_zero_stays_next_to_nothing() -> None:
    """A probability that underflowed does not become a number that is none."""
    own = np.array([[1.0, 0.0, 0.0], [0.25, 0.5, 0.25]], np.float32)

    np.testing.assert_allclose(tempered(own, 1.0), own, atol=1e-7)
    np.testing.assert_allclose(tempered(own, 0.5)[0], own[0], atol=1e-7)
    assert np.isfinite(tempered(own, 20.0)).all()


def test_what_is_no_number_stays_so() -> None:
    """A network whose training diverged is not made to look like one that answers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        assert np.isnan(tempered(np.full((1, 3), np.nan, np.float32), 2.0)).all()


@pytest.mark.parametrize("truth", [0.4, 1.0, 2.5])
def test_the_temperature_that_labels_were_drawn_with_is_found(truth: float) -> None:
    """From 20,000 pictures to a few per cent."""
    rng = np.random.default_rng(0)
    logits = drawn_logits(1, rows=20_000)
    chances = softmax(logits / truth, axis=1).cumsum(axis=1)
    labels = (rng.random((len(chances), 1)) > chances).sum(axis=1)

    found = fit_temperature(as_network(logits), labels)

    assert found == pytest.approx(truth, rel=0.05)


@law
@given(seeds)
def test_no_other_temperature_makes_the_labels_likelier(seed: int) -> None:
    """Neither one a tenth away nor 1 itself, by SciPy's own softmax of the logits."""
    logits = drawn_logits(seed)
    labels = np.random.default_rng(seed).integers(0, 6, len(logits))
    labels[:30] = logits[:30].argmax(axis=1)

    found = fit_temperature(as_network(logits), labels)

    assert found is not None

    def loss(temperature: float) -> float:
        logs = log_softmax(logits / temperature, axis=1)
        return float(-logs[np.arange(len(labels)), labels].mean())

    assert all(loss(found) <= loss(other) + 1e-7 for other in (0.9 * found, 1.1 * found, 1.0))


def test_where_every_answer_is_right_no_temperature_fits() -> None:
    """The likelihood grows without end as it falls; and of no pictures there is none."""
    own = as_network(drawn_logits(3))
    sure = as_network(drawn_logits(3, spread=20))

    assert fit_temperature(sure, sure.argmax(axis=1)) is None, "a plain without a lowest point"
    assert fit_temperature(own, own.argmax(axis=1)) is None
    assert fit_temperature(own, own.argmin(axis=1)) is None, "worse than chance: without end too"
    assert fit_temperature(own[:0], np.array([], np.int32)) is None


def test_bins_hold_counts_and_mean_probability() -> None:
    """Two bins: an edge belongs to the lower one, an empty one is undefined and not 0."""
    confidence = np.array([0.5, 0.25, 0.0, 0.75], np.float32)

    low, high = reliability(confidence, np.array([True, False, False, True]), bins=2)
    *_, empty, last = reliability(confidence[3:] + 0.25, np.array([True]), bins=4)

    assert (low.low, low.high, low.right, low.confidence) == (0, 0.5, Rate(1, 3), 0.25)
    assert (high.right, high.confidence) == (Rate(1, 1), 0.75)
    assert (empty.right, empty.confidence, last.right.total) == (Rate(0, 0), None, 1)


def test_the_expected_error_is_weighed_by_pictures() -> None:
    """Three answers at 0.25 of which one is right, one at 0.75 that is right."""
    bins = reliability(
        np.array([0.25, 0.25, 0.25, 0.75]), np.array([True, False, False, True]), bins=2
    )

    assert calibration_error(bins) == pytest.approx((3 * (1 / 3 - 1 / 4) + 1 * 0.25) / 4)
    assert calibration_error(reliability(np.array([]), np.array([], bool))) is None


@law
@given(seeds, st.integers(1, 20))
def test_bins_agree_with_scikit_learn(seed: int, bins: int) -> None:
    """Share right and mean probability of every bin that is not empty."""
    rng = np.random.default_rng(seed)
    confidence = rng.choice([rng.random(60), np.round(rng.random(60), 1)])
    right = rng.random(60) < confidence

    found = [one for one in reliability(confidence, right, bins) if one.right.total]
    shares, means = calibration_curve(right, confidence, n_bins=bins)

    assert [one.right.share for one in found] == pytest.approx(shares.tolist())
    assert [one.confidence for one in found] == pytest.approx(means.tolist())
    assert sum(one.right.total for one in found) == 60
