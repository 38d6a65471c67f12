"""The structure of ink: numbers that are known by hand for simple forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from inkfold.structure import MEASURES, measures

Image = NDArray[np.uint8]


def structure(image: Image) -> dict[str, float]:
    """The measures of one image, by name."""
    return dict(zip(MEASURES, measures(image[None])[0].tolist(), strict=True))


def block(rows: slice, columns: slice, level: int = 255) -> Image:
    """An image of 16x16 with a filled rectangle."""
    image = np.zeros((16, 16), np.uint8)
    image[rows, columns] = level
    return image


def test_a_bar_has_the_measures_that_are_counted_by_hand() -> None:
    """A bar of 10 rows and 2 columns: one body, one stroke in each row and column, no grey."""
    bar = structure(block(slice(3, 13), slice(5, 7)))

    assert bar["grey"] == bar["aside"] == 0
    assert bar["aspect"] == pytest.approx(np.log(3 / 11))
    assert bar["across"] == bar["down"] == pytest.approx(np.log(2))
    assert bar["width"] == pytest.approx(np.log(21 / 13))  # 20 pixels in 10 runs and 2 runs
    assert bar["area"] == pytest.approx(np.log(21))


def test_ink_beside_the_largest_body_is_counted() -> None:
    """Of two bodies with 20 and 12 pixels, 12 of 32 lie aside; touching corners make one body."""
    two = np.maximum(block(slice(0, 10), slice(0, 2)), block(slice(0, 6), slice(8, 10)))
    corner = np.maximum(block(slice(0, 4), slice(0, 4)), block(slice(4, 8), slice(4, 8)))

    assert structure(two)["aside"] == pytest.approx(12 / 32)
    assert structure(two)["across"] == pytest.approx(np.log(1 + 16 / 10))
    assert structure(corner)["aside"] == 0


def test_grey_is_the_share_of_drawn_pixels_that_are_not_full() -> None:
    """A bar of the level 150 is all grey, and half a bar of it half."""
    half = np.maximum(block(slice(0, 8), slice(0, 2)), block(slice(8, 16), slice(0, 2), 150))

    assert structure(block(slice(0, 8), slice(0, 2), 150))["grey"] == 1
    assert structure(half)["grey"] == 0.5


def test_blank_images_have_finite_measures() -> None:
    """Paper gives zeros, and no warning of a division by nothing."""
    assert np.array_equal(measures(np.zeros((2, 8, 8), np.uint8)), np.zeros((2, 7), np.float32))
    assert measures(np.zeros((0, 8, 8), np.uint8)).shape == (0, 7)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(arrays(np.uint8, st.tuples(st.integers(1, 6), st.just(9), st.just(7))))
def test_an_image_has_the_same_measures_alone_and_among_others(images: Image) -> None:
    """Bodies of one image are never joined with those of the next."""
    together = measures(images)

    assert np.isfinite(together).all()
    for at, image in enumerate(images):
        assert np.array_equal(measures(image[None])[0], together[at])
