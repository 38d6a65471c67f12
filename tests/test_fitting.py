"""Ink on paper 0 is fitted to the frame: padded, stretched, or centred by its mass."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inkfold.picture import prepare
from inkfold.spec import Fit, ImageSpec, Interpolation, Threshold
from tests.worlds.drawn_pictures import glyph


def test_pad_keeps_the_aspect_and_centres() -> None:
    """With ``pad`` a 4x8 picture fills the width of a frame of 8, with 2 free rows on each side."""
    picture = np.zeros((4, 8), np.uint8)
    picture[1:3, 1:7] = 9

    image = prepare(picture, ImageSpec(size=8, fit="pad"))

    assert np.array_equal(image[2:6], picture)
    assert image[[0, 1, 6, 7]].max() == 0


def test_pad_leaves_the_margin_free() -> None:
    """With a margin of an eighth, 2 of a frame's 16 pixels are free on each side."""
    image = prepare(
        np.pad(np.full((10, 10), 255, np.uint8), 1), ImageSpec(size=16, fit="pad", margin=1 / 8)
    )

    assert image[:, 2:14].max() == 255
    assert image[:, [0, 1, 14, 15]].max() == image[[0, 1, 14, 15]].max() == 0
    assert np.array_equal(image, image[::-1, ::-1])


def test_stretch_fills_the_frame() -> None:
    """With ``stretch`` a 2x4 picture fills a frame of 4, and its rows are interpolated."""
    picture = np.array([[0, 0, 0, 0], [0, 200, 200, 0]], np.uint8)

    image = prepare(picture, ImageSpec(size=4, fit="stretch"))

    assert image[:, 1].tolist() == [0, 50, 150, 200]
    assert image[3].tolist() == [0, 200, 200, 0]


def _ink_spec(size: int = 28) -> ImageSpec:
    return ImageSpec.of(size=size, fit="ink", ink="auto", threshold="none")


def test_ink_fills_twenty_of_twenty_eight_pixels() -> None:
    """With ``ink`` the longest side is 20 of 28 pixels, as in MNIST, however large it was drawn."""
    picture = np.full((300, 200), 255, np.uint8)
    picture[250:290, 20:28] = 0  # 40 high, 8 wide, in a corner

    image = prepare(picture, _ink_spec())
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))

    assert (rows[0], rows[-1]) == (4, 23)
    assert (columns[0], columns[-1]) == (12, 15)


def test_ink_puts_the_centre_of_mass_in_the_middle() -> None:
    """With ``ink`` the centre of mass of an L, which is heavy at its foot, is in the middle."""
    picture = np.zeros((60, 60), np.uint8)
    picture[10:50, 20:25] = 255
    picture[44:50, 20:50] = 255

    image = prepare(picture, _ink_spec()).astype(float)
    centre = [(image.sum(axis=axis) @ np.arange(28)) / image.sum() for axis in (1, 0)]

    assert np.abs(np.array(centre) - 13.5).max() <= 0.5


def test_ink_does_not_depend_on_where_the_drawing_was() -> None:
    """With ``ink`` the same strokes give the same image from any corner of any canvas."""
    strokes = 255 - glyph(np.random.default_rng(3))
    small, large = np.zeros((90, 90), np.uint8), np.zeros((120, 200), np.uint8)
    small[5:29, 6:26], large[80:104, 150:170] = strokes, strokes

    assert np.array_equal(prepare(small, _ink_spec()), prepare(large, _ink_spec()))


def test_ink_keeps_the_box_inside_the_frame() -> None:
    """With ``ink`` a drawing with one heavy end is moved only as far as the frame allows."""
    picture = np.zeros((60, 60), np.uint8)
    picture[10:50, 30] = 140
    picture[44:50, 22:39] = 255

    upright, turned = prepare(picture, _ink_spec()), prepare(picture[::-1], _ink_spec())

    assert np.flatnonzero(upright.any(axis=1))[[0, -1]].tolist() == [0, 19]
    assert np.flatnonzero(turned.any(axis=1))[[0, -1]].tolist() == [8, 27]


def test_ink_does_not_crop_pale_ends_of_strokes() -> None:
    """With ``ink`` pixels above half of Otsu's level are kept: 80 beside 255."""
    picture = np.zeros((40, 40), np.uint8)
    picture[10:20, 10:12] = 255
    picture[20:30, 10:12] = 80

    image = prepare(picture, _ink_spec())

    assert np.flatnonzero(image.any(axis=1)).size == 20
    assert image.max(axis=1)[np.flatnonzero(image.any(axis=1))[-2]] == 80


@pytest.mark.parametrize("fit", ["stretch", "pad", "ink"])
@pytest.mark.parametrize("level", [0, 77, 255])
def test_a_blank_picture_is_all_paper(fit: Fit, level: int) -> None:
    """A picture of one grey gives an image of zeros, whichever grey it is."""
    image = prepare(np.full((9, 5), level, np.uint8), ImageSpec(size=8, fit=fit, threshold="otsu"))

    assert image.shape == (8, 8)
    assert image.max() == 0


def test_area_averages_when_it_shrinks() -> None:
    """With ``area`` every 3x3 pixels become their mean where the picture shrinks to a third."""
    picture = np.zeros((12, 12), np.uint8)
    picture[4:8, 4:8] = np.arange(0, 160, 10).reshape(4, 4)
    means = picture.reshape(4, 3, 4, 3).mean(axis=(1, 3))

    image = prepare(picture, ImageSpec(size=4, fit="stretch", ink="light"))

    assert np.abs(image - means).max() <= 0.5


def test_area_averages_along_the_axis_that_shrinks_when_the_other_grows() -> None:
    """With ``area`` 300 columns, of which every third is ink, become 30 columns of even grey."""
    picture = np.zeros((3, 300), np.uint8)
    picture[1, ::3] = 240

    image = prepare(picture, ImageSpec(size=30, fit="stretch", ink="light"))

    assert np.ptp(image[15].astype(int)) <= 24
    assert 60 < image[15].mean() < 90


def test_linear_and_cubic_are_opencvs() -> None:
    """``linear`` and ``cubic`` give what OpenCV's interpolation of that name gives."""
    picture = 255 - glyph(np.random.default_rng(5), 20, 20)
    flags: dict[Interpolation, int] = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}

    for name, flag in flags.items():
        expected = cv2.resize(picture, (33, 33), interpolation=flag)
        spec = ImageSpec(size=33, fit="stretch", interpolation=name, ink="light")

        assert np.array_equal(prepare(picture, spec), expected)


FITS: tuple[Fit, ...] = ("stretch", "pad", "ink")
THRESHOLDS: tuple[Threshold, ...] = ("none", "otsu", "soft")
INTERPOLATIONS: tuple[Interpolation, ...] = ("area", "linear", "cubic")


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (1, 5000), (5000, 1), (2, 4000, 3), (700, 3, 4)])
def test_every_shape_has_an_input(shape: tuple[int, ...]) -> None:
    """A picture of any shape gives an image with every fit, threshold and interpolation."""
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)

    for fit, threshold, how in itertools.product(FITS, THRESHOLDS, INTERPOLATIONS):
        spec = ImageSpec(size=16, fit=fit, threshold=threshold, interpolation=how, margin=1 / 8)
        image = prepare(pixels, spec)

        assert image.shape == (16, 16)
        assert image.dtype == np.uint8


def test_a_ribbon_is_not_lost_by_pad() -> None:
    """With ``pad`` a picture of 10 x 5000 pixels becomes one row of ink, not none."""
    picture = np.zeros((10, 5000), np.uint8)
    picture[1:-1, 1:-1] = 255

    image = prepare(picture, ImageSpec(size=16, ink="light"))

    assert np.flatnonzero(image.any(axis=1)).size == 1
    assert image.max() > 150


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(4, 40), st.sampled_from(FITS), st.data())
def test_the_frame_of_a_framed_picture_is_paper(
    rows: int, columns: int, size: int, fit: Fit, data: st.DataObject
) -> None:
    """A drawing with paper all around and its negative give the same image, and ink is kept."""
    seed = data.draw(st.integers(0, 1000))
    picture: NDArray[np.uint8] = np.zeros((rows + 4, columns + 4), np.uint8)
    inside = np.random.default_rng(seed).integers(0, 2, (rows, columns)) * 255
    picture[2:-2, 2:-2] = inside
    spec = ImageSpec.of(size=size, fit=fit, ink="auto", threshold="none")

    image = prepare(picture, spec)

    assert image.shape == (size, size)
    assert np.array_equal(image, prepare(255 - picture, spec))
    if fit == "ink":
        assert (image.max() > 0) == bool(inside.any())
