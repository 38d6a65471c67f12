"""Gathering along a field: whole pixels exactly, paper outside, no ink of a neighbour."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inkfold.elastic import mosaics, warp
from tests.worlds.reference_elastic import reference_warp

OPENCV = int(cv2.__version__.split(".")[0])
# In grey levels. OpenCV 4 rounds coordinates to 1/32 pixel: an error of 1/64 along each axis.
GREATEST_ERROR = 0.6 if OPENCV >= 5 else 255 / 32 + 0.6


def shifted(image: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """``copy[r, c] = image[r + rows, c + columns]``, paper where there is no such pixel."""
    copy = np.zeros_like(image)
    height, width = image.shape
    for row in range(height):
        for column in range(width):
            if 0 <= row + rows < height and 0 <= column + columns < width:
                copy[row, column] = image[row + rows, column + columns]
    return copy


def test_a_field_of_three_columns_moves_a_stroke_three_columns_to_the_left() -> None:
    """A field of +3 columns reads 3 pixels to the right, so the stroke moves to the left."""
    image = np.zeros((1, 8, 8), np.uint8)
    image[0, :, 5] = 255
    field = np.zeros((1, 2, 8, 8), np.float32)
    field[0, 1] = 3

    copy = warp(image, field)

    assert (copy[0, :, 2] == 255).all()
    assert copy.sum() == image.sum()


def test_a_field_of_two_rows_moves_a_stroke_two_rows_up() -> None:
    """A field of +2 rows reads 2 pixels further down, so the stroke moves up."""
    image = np.zeros((1, 8, 8), np.uint8)
    image[0, 5, :] = 255
    field = np.zeros((1, 2, 8, 8), np.float32)
    field[0, 0] = 2

    copy = warp(image, field)

    assert (copy[0, 3, :] == 255).all()
    assert copy.sum() == image.sum()


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.integers(1, 7),
    st.integers(1, 7),
    st.integers(1, 70),
    st.data(),
)
def test_whole_pixels_shift_exactly(height: int, width: int, n: int, data: st.DataObject) -> None:
    """Any whole displacement is exact, for any shape, even if it leads out of the picture."""
    images = np.random.default_rng(n).integers(0, 256, (n, height, width)).astype(np.uint8)
    amount = st.integers(-9, 9)
    steps = data.draw(st.lists(st.tuples(amount, amount), min_size=n, max_size=n))
    fields = np.broadcast_to(np.array(steps, np.float32)[:, :, None, None], (n, 2, height, width))
    copies = warp(images, fields)
    for image, copy, (rows, columns) in zip(images, copies, steps, strict=True):
        assert np.array_equal(copy, shifted(image, rows, columns))


def test_half_a_pixel_is_the_mean_of_two() -> None:
    """Between two pixels their mean is read, and at the border half of the last and half paper."""
    image = np.array([[[0, 100, 200]]], np.uint8)
    field = np.zeros((1, 2, 1, 3), np.float32)
    field[0, 1] = 0.5
    assert warp(image, field).tolist() == [[[50, 150, 100]]]


@pytest.mark.parametrize("distance", [1.5, 31.7, 33, 34, 35, 1e4, 1e9, 3e38])
def test_a_huge_displacement_never_shows_a_neighbours_ink(distance: float) -> None:
    """Blank pictures between full ones stay blank, in whatever direction and distance they read."""
    images = np.zeros((150, 32, 32), np.uint8)
    images[1::2] = 255
    for axis in (0, 1):
        for sign in (-1, 1):
            fields = np.zeros((150, 2, 32, 32), np.float32)
            fields[:, axis] = sign * distance
            copies = warp(images, fields)
            assert not copies[::2].any()
            if distance >= 33:
                assert not copies.any(), "a full picture read from outside is paper"


@settings(deadline=None, derandomize=True, max_examples=25)
@given(st.integers(1, 90), st.integers(0, 2**32), st.floats(0, 40))
def test_blank_pictures_stay_blank_beside_full_ones(n: int, seed: int, far: float) -> None:
    """Blank pictures between full ones stay blank for any random field."""
    images = np.zeros((n, 24, 24), np.uint8)
    images[::2] = 255
    fields = np.random.default_rng(seed).normal(0, far, (n, 2, 24, 24)).astype(np.float32)
    assert not warp(images, fields)[1::2].any()


def test_the_error_against_the_slow_reference_is_bounded() -> None:
    """The error is bounded for the worst case, white noise and random fields.

    Measured with OpenCV 5: 0.21 grey levels on average, 0.51 at most; half a level is the rounding
    to whole ones, the rest float32 coordinates in a wide mosaic.
    """
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (300, 32, 32)).astype(np.uint8)
    fields = rng.normal(0, 4, (300, 2, 32, 32)).astype(np.float32)
    copies = warp(images, fields)
    slow = np.stack([reference_warp(*pair) for pair in zip(images, fields, strict=True)])
    error = abs(copies - slow)
    assert error.mean() < (0.25 if OPENCV >= 5 else 2)
    assert error.max() < GREATEST_ERROR


@settings(deadline=None, derandomize=True)
@example(3000, 1, 20)  # so low that the width is what binds
@given(st.integers(0, 3000), st.integers(1, 8192), st.integers(1, 8192))
def test_the_mosaics_hold_every_picture_once_and_fit_opencv(
    n: int, height: int, width: int
) -> None:
    """The mosaics follow one another without gaps, each with sides below cv2.remap's limit."""
    parts = list(mosaics(n, height, width))
    covered = [i for part in parts for i in range(part.start, part.stop)]
    assert covered == list(range(n))
    assert all((part.stop - part.start) * (width + 2) < 32_767 for part in parts)


def test_fields_of_another_shape_are_refused() -> None:
    """A field of 4x4 for a picture of 5x5 raises a ValueError."""
    with pytest.raises(ValueError, match=r"expected uint8 \(1, 4, 4\)"):
        warp(np.zeros((1, 5, 5), np.uint8), np.zeros((1, 2, 4, 4), np.float32))


def test_the_callers_arrays_are_left_alone() -> None:
    """`warp` writes neither to the pictures nor to the fields that it is given."""
    images = np.full((1, 4, 4), 9, np.uint8)
    fields = np.full((1, 2, 4, 4), 100, np.float32)
    warp(images, fields)
    assert (images == 9).all()
    assert (fields == 100).all()
