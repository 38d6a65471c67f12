"""The statistics of the elastic fields, against closed forms and the slow specification."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inkfold.elastic import Elastic, chunk_rng, warp
from inkfold.errors import InkfoldError
from inkfold.recipe import Distortion
from inkfold.workers import one_thread
from tests.test_gather import GREATEST_ERROR
from tests.worlds.reference_elastic import covariance, reference_fields, reference_warp

PREDECESSOR = Elastic(32, sigma=6, alpha=47)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small matrix products are slower with several threads, which wait for one another."""
    with one_thread():
        yield


def blobs(n: int, size: int, seed: int = 0) -> NDArray[np.uint8]:
    """Images of a blob with soft edges, full ink and noisy paper, all different."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((size, size))
    centre = rng.uniform(0, size, (n, 2, 1, 1))
    distance = np.hypot(rows - centre[:, 0], columns - centre[:, 1])
    ink = 255 * np.clip(size / 4 - distance, 0, 3) / 3 + rng.uniform(0, 9, (n, size, size))
    return np.clip(ink, 0, 255).astype(np.uint8)


def sample_covariance(fields: NDArray[np.floating]) -> NDArray[np.float64]:
    """Covariance of the flattened fields of one axis, whose mean is known to be zero."""
    flat = fields.reshape(len(fields), -1).astype(np.float64)
    return np.asarray(flat.T @ flat / len(flat))


def rms(fields: NDArray[np.floating]) -> float:
    """Root-mean-square over all values of an array."""
    return float(np.sqrt(np.mean(np.square(fields, dtype=np.float64))))


def correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Correlation of two samples of the same length."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


@pytest.mark.parametrize(
    ("size", "sigma", "alpha"), [(12, 2.0, 10.0), (9, 1.0, 3.0), (12, 6.0, 47.0)]
)
def test_the_fields_covariance_is_that_of_the_smoothed_noise(
    size: int, sigma: float, alpha: float
) -> None:
    """Every pair of pixels has the covariance of smoothed noise, to 5 % of the variance."""
    expected = covariance(size, sigma, alpha)
    fields = Elastic(size, sigma, alpha).fields(12_000, np.random.default_rng(1))
    for axis in (0, 1):
        error = sample_covariance(fields[:, axis]) - expected
        assert abs(error).max() < 0.05 * expected[0, 0]


def test_the_slow_reference_has_the_same_covariance() -> None:
    """Fields of the slow specification and of the engine have the closed form's covariance."""
    expected = covariance(8, 1.5, 10)
    slow = reference_fields(6000, 8, 1.5, 10, np.random.default_rng(2))
    fast = Elastic(8, 1.5, 10).fields(6000, np.random.default_rng(3))
    for axis in (0, 1):
        slow_cov, fast_cov = sample_covariance(slow[:, axis]), sample_covariance(fast[:, axis])
        assert abs(slow_cov - expected).max() < 0.06 * expected[0, 0]
        assert abs(slow_cov - fast_cov).max() < 0.08 * expected[0, 0]


@pytest.mark.parametrize(
    ("size", "sigma", "alpha"),
    [(32, 6, 47), (32, 4, 34), (29, 4, 34), (29, 6, 38), (28, 8, 60), (64, 5, 36), (32, 1, 8)],
)
def test_the_rms_displacement_is_what_theory_says(size: int, sigma: float, alpha: float) -> None:
    """The rms displacement along each axis is alpha / (sigma sqrt(12 pi)), to 3 %."""
    theory = alpha / (sigma * math.sqrt(12 * math.pi))
    elastic = Elastic(size, sigma, alpha)
    fields = elastic.fields(2000 * 32**2 // size**2, np.random.default_rng(0))
    assert elastic.rms == pytest.approx(theory, rel=2e-4)
    assert rms(fields[:, 0]) == pytest.approx(theory, rel=0.03)
    assert rms(fields[:, 1]) == pytest.approx(theory, rel=0.03)


def test_the_displacement_is_as_strong_at_the_border_as_in_the_centre() -> None:
    """The rms displacement is the theoretical one both at the border and in the centre."""
    fields = PREDECESSOR.fields(3000, np.random.default_rng(0))
    border = np.ones((32, 32), bool)
    border[1:-1, 1:-1] = False
    assert rms(fields[:, :, border]) == pytest.approx(PREDECESSOR.rms, rel=0.03)
    assert rms(fields[:, :, 12:20, 12:20]) == pytest.approx(PREDECESSOR.rms, rel=0.03)


def test_rows_and_columns_are_displaced_independently() -> None:
    """Displacements along rows and along columns correlate by less than 0.1."""
    fields = PREDECESSOR.fields(1000, np.random.default_rng(0))
    pixel = fields[:, :, 16, 16]
    assert abs(correlation(pixel[:, 0], pixel[:, 1])) < 0.1
    means = fields.mean(axis=(2, 3))
    assert abs(correlation(means[:, 0], means[:, 1])) < 0.1


def test_the_fields_of_different_pictures_are_independent() -> None:
    """Fields at any distance in a batch, within a mosaic or beyond, correlate by less than 0.1."""
    pixel = PREDECESSOR.fields(1100, np.random.default_rng(0))[:, 0, 16, 16]
    for distance in (1, 2, 32, 63, 64, 65, 100):
        assert abs(correlation(pixel[:1000], pixel[distance : 1000 + distance])) < 0.1


def test_neighbouring_pixels_move_together() -> None:
    """Neighbouring pixels correlate by more than 0.9 at sigma 6, along rows and along columns."""
    field = PREDECESSOR.fields(1000, np.random.default_rng(0))[:, 0]
    below = correlation(field[:, :-1], field[:, 1:])
    beside = correlation(field[:, :, :-1], field[:, :, 1:])
    assert below > 0.9
    assert beside > 0.9


def test_a_pixels_displacement_is_normally_distributed() -> None:
    """A pixel's displacement has no skew, a kurtosis of 3, and 95 % within 1.96 deviations."""
    elastic = Elastic(8, sigma=6, alpha=47)
    pixel = elastic.fields(40_000, np.random.default_rng(0))[:, 0, 1, 6] / elastic.rms
    assert np.mean(pixel) == pytest.approx(0, abs=0.02)
    assert np.mean(pixel**3) == pytest.approx(0, abs=0.06)
    assert np.mean(pixel**4) == pytest.approx(3, abs=0.15)
    assert np.mean(np.abs(pixel) < 1.96) == pytest.approx(0.95, abs=0.005)


def test_a_vanishing_sigma_displaces_each_pixel_by_itself() -> None:
    """At sigma 0.01 neighbouring pixels are uncorrelated and the rms is alpha / sqrt(3)."""
    elastic = Elastic(10, sigma=0.01, alpha=2)
    fields = elastic.fields(4000, np.random.default_rng(0))
    assert elastic.rms == pytest.approx(2 / math.sqrt(3))
    assert rms(fields) == pytest.approx(2 / math.sqrt(3), rel=0.01)
    assert abs(correlation(fields[:, 0, 5, 5], fields[:, 0, 5, 6])) < 0.05


def test_no_distortion_is_the_identity_bit_for_bit() -> None:
    """With alpha 0 and no affine map a copy is equal to its original, at any size."""
    for size in (1, 2, 28, 31, 64):
        images = np.random.default_rng(0).integers(0, 256, (300, size, size)).astype(np.uint8)
        assert np.array_equal(Elastic(size, 6, 0).distort(images, chunk_rng(0, 1, 0)), images)


@pytest.mark.parametrize(
    ("size", "counts"),
    [
        (28, (0, 1, 83, 84, 255, 256, 257)),
        (30, (0, 1, 72, 73, 255, 256, 257, 1000)),
        (64, (0, 1, 16, 17, 40)),
        (128, (0, 1, 4, 5, 33)),
    ],
)
def test_distort_is_warp_with_the_fields_of_the_same_generator(
    size: int, counts: tuple[int, ...]
) -> None:
    """`distort` equals `warp` with the fields of the same generator, for any number of images."""
    elastic = Elastic(size, 6, 47, rotate=10, scale=0.1, shear=5, shift=0.05)
    for n in counts:
        images = blobs(n, size)
        copies = elastic.distort(images, chunk_rng(7, 1, 0))
        fields = elastic.fields(n, chunk_rng(7, 1, 0))
        assert copies.shape == images.shape
        assert fields.shape == (n, 2, size, size)
        assert fields.dtype == np.float32
        assert np.array_equal(copies, warp(images, fields))


def test_distorted_pictures_are_those_of_the_slow_reference() -> None:
    """Copies are those of the slow reference, apart from a rounding error that is bounded."""
    images = blobs(256, 32)
    copies = PREDECESSOR.distort(images, chunk_rng(0, 1, 0))
    fields = PREDECESSOR.fields(256, chunk_rng(0, 1, 0))
    slow = np.stack([reference_warp(*pair) for pair in zip(images, fields, strict=True)])
    error = abs(copies - slow)
    assert rms(fields) > 1
    assert error.mean() < 0.3
    assert error.max() < GREATEST_ERROR


def test_every_copy_of_a_picture_differs_from_every_other() -> None:
    """A thousand copies of one picture are all different."""
    images = np.repeat(blobs(1, 32), 1000, axis=0)
    copies = PREDECESSOR.distort(images, chunk_rng(0, 1, 0))
    assert len({copy.tobytes() for copy in copies}) == 1000


@settings(deadline=None, derandomize=True, max_examples=50)
@given(
    st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 1000), st.integers(0, 2**32 - 1)),
    st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 1000), st.integers(0, 2**32 - 1)),
)
def test_seed_copy_and_chunk_decide_what_is_drawn(
    key: tuple[int, int, int], second_key: tuple[int, int, int]
) -> None:
    """Equal seed, copy and chunk give equal draws, and different ones different draws."""
    draws = chunk_rng(*key).integers(0, 2**63, 4)
    assert np.array_equal(draws, chunk_rng(*key).integers(0, 2**63, 4))
    assert np.array_equal(draws, chunk_rng(*second_key).integers(0, 2**63, 4)) == (
        key == second_key
    )


def test_seed_copy_and_chunk_are_not_confounded() -> None:
    """Copy 1 of chunk 2 differs from copy 2 of chunk 1, and both differ between seeds."""
    keys = [(s, c, b) for s in range(3) for c in range(3) for b in range(3)]
    assert len({chunk_rng(*key).bytes(16) for key in keys}) == 27


def test_the_engine_is_made_from_a_distortion_with_every_option() -> None:
    """`Elastic.of` passes each of the six options of a distortion to its own parameter."""
    distortion = Distortion(sigma=5, alpha=36, rotate=15, scale=0.2, shear=7, shift=0.1)
    assert Elastic.of(30, distortion).distortion == distortion
    assert Elastic.of(30, distortion).size == 30


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("sigma", 0.0),
        ("sigma", -1.0),
        ("sigma", math.nan),
        ("sigma", math.inf),
        ("alpha", -1.0),
        ("alpha", math.nan),
        ("alpha", math.inf),
        ("rotate", -1.0),
        ("rotate", 181.0),
        ("scale", -0.1),
        ("scale", 1.0),
        ("shear", 90.0),
        ("shift", -0.1),
        ("shift", math.inf),
    ],
)
def test_an_option_out_of_range_is_refused_by_name(option: str, value: float) -> None:
    """The error names the option that is out of range, its value, and the allowed range."""
    with pytest.raises(InkfoldError, match=rf"{option} is {value:g}; expected .*\d"):
        Elastic.of(32, Distortion(**{option: value}))


def test_pictures_of_another_size_are_refused() -> None:
    """An engine for 32x32 pixels raises a ValueError for 28x28 pixels, and for floats."""
    with pytest.raises(ValueError, match=r"expected uint8 \(2, 32, 32\)"):
        PREDECESSOR.distort(blobs(2, 28), chunk_rng(0, 1, 0))
    with pytest.raises(ValueError, match="float64"):
        PREDECESSOR.distort(np.zeros((2, 32, 32)), chunk_rng(0, 1, 0))  # type: ignore[arg-type] # the mistake under test
