"""From pixels to a network's input: paper, ink, threshold, frame."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from inkfold.fitting import flatten, otsu
from inkfold.nouns import Fit, ImageSpec, Ink, Interpolation, Threshold
from inkfold.picture import prepare
from tests.drawing import glyph
from tests.letterforms import STROKES, Shot, photograph

BAR = np.full((6, 6), 255, np.uint8)  # white paper, a dark bar in row 2
BAR[2, 1:5] = 55
STRETCH = ImageSpec(size=6, fit="stretch")  # a 6x6 picture keeps its pixels


def test_dark_ink_on_white_is_inverted() -> None:
    """White paper becomes 0, ink of grey 55 becomes 200."""
    image = prepare(BAR, STRETCH)

    assert image[2].tolist() == [0, 200, 200, 200, 200, 0]
    assert image.sum() == 4 * 200


def test_light_ink_on_black_stays_as_it_is_bit_for_bit() -> None:
    """So MNIST's pictures go through unchanged."""
    digit = np.zeros((28, 28), np.uint8)
    digit[4:24, 6:22] = np.random.default_rng(0).integers(0, 256, (20, 16))

    assert np.array_equal(prepare(digit, ImageSpec(size=28, fit="pad")), digit)


def test_dark_on_light_and_light_on_dark_give_the_same_input() -> None:
    """The same strokes photographed and inverted."""
    picture = glyph(np.random.default_rng(1))

    assert np.array_equal(prepare(picture, ImageSpec()), prepare(255 - picture, ImageSpec()))


def test_grey_paper_becomes_zero() -> None:
    """Paper 180, ink 80: the ink is 100 above the paper, the paper is 0."""
    picture = np.full((6, 6), 180, np.uint8)
    picture[2, 1:5] = 80

    image = prepare(picture, STRETCH)

    assert sorted(set(image.ravel().tolist())) == [0, 100]
    assert image[2, 1] == 100


def test_what_is_lighter_than_the_paper_is_paper_where_ink_is_dark() -> None:
    """A glare beside a stroke that has more weight."""
    picture = BAR.copy()
    picture[picture == 255] = 200
    picture[4, 3] = 255

    assert prepare(picture, STRETCH)[4, 3] == 0


def test_the_side_of_the_ink_can_be_given() -> None:
    """A negative of mostly ink, which auto takes for paper, is read as told."""
    picture = np.full((6, 6), 100, np.uint8)
    picture[2, 2], picture[3, 3:5] = 255, 0

    def levels(ink: Ink) -> list[int]:
        return sorted(set(prepare(picture, ImageSpec(size=6, fit="stretch", ink=ink)).ravel()))

    assert levels("dark") == [0, 100]
    assert levels("light") == [0, 155]
    assert levels("auto") == [0, 100], "2 x 100 of dark weigh more than 155 of light"


def test_the_paper_is_the_median_of_the_edge() -> None:
    """A stroke that runs out of the picture on one side does not turn it over."""
    picture = np.full((6, 6), 255, np.uint8)
    picture[:, 2] = 0  # crosses the whole picture: 2 of 20 pixels of the edge

    image = prepare(picture, STRETCH)

    assert image[:, 2].tolist() == [255] * 6
    assert image[:, [0, 1, 3, 4, 5]].max() == 0


def test_sixteen_bits_are_rounded_to_eight() -> None:
    """257 steps are one: 65535 is 255, and 128 is nearer to 0 than to 1, 129 to 1."""
    picture = np.zeros((6, 6), np.uint16)
    picture[2, 1:5] = [65535, 128, 129, 257 * 7]

    assert prepare(picture, STRETCH)[2].tolist() == [0, 255, 0, 1, 7, 0]


def test_colours_become_luma() -> None:
    """Rec. 601: 0.299 R + 0.587 G + 0.114 B, which is 150 for pure green of 255, 29 for blue."""
    picture = np.zeros((6, 6, 3), np.uint8)
    picture[2, 1:4] = np.diag([255, 255, 255])

    assert prepare(picture, STRETCH)[2].tolist() == [0, 76, 150, 29, 0, 0]


def test_alpha_is_laid_over_white() -> None:
    """Half-transparent black is grey 128 on white, so ink of 127; transparent black is paper."""
    picture = np.zeros((6, 6, 4), np.uint8)
    picture[2, 1:4, 3] = [255, 127, 0]

    assert prepare(picture, STRETCH)[2].tolist() == [0, 255, 127, 0, 0, 0]


def test_alpha_of_sixteen_bits_is_laid_over_white_too() -> None:
    """The product of two 16-bit numbers must not overflow."""
    picture = np.full((6, 6, 4), 65535, np.uint16)
    picture[2, 1:4] = [[0, 0, 0, 65535], [0, 0, 0, 32767], [0, 0, 0, 0]]

    assert prepare(picture, STRETCH)[2].tolist() == [0, 255, 127, 0, 0, 0]


def test_otsu_leaves_two_levels() -> None:
    """Ink of 200 and of 90 on noise of up to 20 becomes 255, the noise 0."""
    picture = np.zeros((6, 6), np.uint8)
    picture[2] = [0, 200, 90, 20, 10, 0]
    picture[3] = [0, 190, 95, 15, 5, 0]

    image = prepare(picture, ImageSpec(size=6, fit="stretch", threshold="otsu"))

    assert image[2:4].tolist() == [[0, 255, 255, 0, 0, 0]] * 2


def test_soft_clears_paper_and_fills_ink_and_keeps_edges_grey() -> None:
    """By hand: Otsu parts 0..90 from 200, so 54 and below is paper, 200 is full, between a line."""
    picture = np.zeros((6, 6), np.uint8)
    picture[2] = [0, 200, 200, 90, 40, 0]
    picture[3] = [0, 200, 200, 90, 40, 0]
    level, _ = otsu(picture)

    image = prepare(picture, ImageSpec(size=6, fit="stretch", threshold="soft"))

    assert level == 90
    edge = round(255 * (90 - 54) / (200 - 54))
    assert image[2:4].tolist() == [[0, 255, 255, edge, 0, 0]] * 2


def test_light_from_one_side_is_a_plane_that_is_taken_away() -> None:
    """100 levels from left to right and 40 from top to bottom, on paper without ink: all paper."""
    rows, columns = np.linspace(0, 40, 9)[:, None], np.linspace(0, 100, 21)
    lit = np.round(100 + rows + columns).astype(np.uint8)

    assert np.ptp(flatten(lit).astype(int)) <= 2


def test_what_light_cannot_do_stays_as_it_is() -> None:
    """A black border on one side is no shadow; even paper is not touched, whatever is on it."""
    bordered = np.full((9, 9), 240, np.uint8)
    bordered[:, 0] = 0
    even = glyph(np.random.default_rng(0))

    assert np.array_equal(flatten(bordered), bordered)
    assert np.array_equal(flatten(even), even)


def difference(shot: Shot, threshold: Threshold) -> float:
    """Mean grey levels between letters so taken and in pure ink; a pixel's shift is forgiven."""
    spec = ImageSpec.of(size=32, fit="ink", ink="auto", threshold=threshold)
    found = []
    for character in STROKES:
        pure, seen = (prepare(photograph(character, s), spec).astype(float) for s in (Shot(), shot))
        moved = [np.roll(seen, by, (0, 1)) for by in itertools.product((-1, 0, 1), repeat=2)]
        found.append(min(np.abs(one - pure).mean() for one in moved))
    return float(np.mean(found))


@pytest.mark.parametrize(
    "shot",
    [Shot(paper=170, ink=70), Shot(paper=230, ink=60, shade=100), Shot(paper=220, ink=80, noise=8)],
    ids=["pencil on grey", "lit from one side", "grain"],
)
def test_soft_sees_the_same_letters_on_any_paper(shot: Shot) -> None:
    """Nearly as in pure ink; without it they are far from that."""
    assert difference(shot, "soft") < 2.5
    assert difference(shot, "none") > 8


def test_pad_keeps_the_aspect_and_centres() -> None:
    """A 4x8 picture in a frame of 8 is 2 rows from the top and 2 from the bottom, all 8 wide."""
    picture = np.zeros((4, 8), np.uint8)
    picture[1:3, 1:7] = 9

    image = prepare(picture, ImageSpec(size=8, fit="pad"))

    assert np.array_equal(image[2:6], picture)
    assert image[[0, 1, 6, 7]].max() == 0


def test_pad_leaves_the_margin_free() -> None:
    """A margin of an eighth on a frame of 16: the picture is 12 wide, 2 are free on each side."""
    image = prepare(
        np.pad(np.full((10, 10), 255, np.uint8), 1), ImageSpec(size=16, fit="pad", margin=1 / 8)
    )

    assert image[:, 2:14].max() == 255
    assert image[:, [0, 1, 14, 15]].max() == image[[0, 1, 14, 15]].max() == 0
    assert np.array_equal(image, image[::-1, ::-1])


def test_stretch_fills_the_frame() -> None:
    """A 2x4 picture in a frame of 4: two rows become four, in steps of a half between centres."""
    picture = np.array([[0, 0, 0, 0], [0, 200, 200, 0]], np.uint8)

    image = prepare(picture, ImageSpec(size=4, fit="stretch"))

    assert image[:, 1].tolist() == [0, 50, 150, 200]
    assert image[3].tolist() == [0, 200, 200, 0]


def _ink_spec(size: int = 28) -> ImageSpec:
    return ImageSpec.of(size=size, fit="ink", ink="auto", threshold="none")


def test_ink_fills_twenty_of_twenty_eight_pixels() -> None:
    """MNIST's law: the longest side is 20, wherever and however large the drawing was."""
    picture = np.full((300, 200), 255, np.uint8)
    picture[250:290, 20:28] = 0  # 40 high, 8 wide, in a corner

    image = prepare(picture, _ink_spec())
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))

    assert (rows[0], rows[-1]) == (4, 23)
    assert (columns[0], columns[-1]) == (12, 15)


def test_ink_puts_the_centre_of_mass_in_the_middle() -> None:
    """An L is heavier at its foot, so its box sits higher than the middle of the frame."""
    picture = np.zeros((60, 60), np.uint8)
    picture[10:50, 20:25] = 255
    picture[44:50, 20:50] = 255

    image = prepare(picture, _ink_spec()).astype(float)
    centre = [(image.sum(axis=axis) @ np.arange(28)) / image.sum() for axis in (1, 0)]

    assert np.abs(np.array(centre) - 13.5).max() <= 0.5


def test_ink_does_not_depend_on_where_the_drawing_was() -> None:
    """The same strokes in another corner of a larger canvas."""
    strokes = 255 - glyph(np.random.default_rng(3))
    one, other = np.zeros((90, 90), np.uint8), np.zeros((120, 200), np.uint8)
    one[5:29, 6:26], other[80:104, 150:170] = strokes, strokes

    assert np.array_equal(prepare(one, _ink_spec()), prepare(other, _ink_spec()))


def test_ink_keeps_the_box_inside_the_frame() -> None:
    """A far heavier end would push the other end out of the frame."""
    picture = np.zeros((60, 60), np.uint8)
    picture[10:50, 30] = 140
    picture[44:50, 22:39] = 255

    upright, turned = prepare(picture, _ink_spec()), prepare(picture[::-1], _ink_spec())

    assert np.flatnonzero(upright.any(axis=1))[[0, -1]].tolist() == [0, 19]
    assert np.flatnonzero(turned.any(axis=1))[[0, -1]].tolist() == [8, 27]


def test_ink_takes_pale_ends_of_strokes_for_ink() -> None:
    """Pixels above half of Otsu's level belong to the box: 80 beside 255."""
    picture = np.zeros((40, 40), np.uint8)
    picture[10:20, 10:12] = 255
    picture[20:30, 10:12] = 80

    image = prepare(picture, _ink_spec())

    assert np.flatnonzero(image.any(axis=1)).size == 20
    assert image.max(axis=1)[np.flatnonzero(image.any(axis=1))[-2]] == 80


@pytest.mark.parametrize("fit", ["stretch", "pad", "ink"])
@pytest.mark.parametrize("level", [0, 77, 255])
def test_a_blank_picture_is_all_paper(fit: Fit, level: int) -> None:
    """Whatever its grey."""
    image = prepare(np.full((9, 5), level, np.uint8), ImageSpec(size=8, fit=fit, threshold="otsu"))

    assert image.shape == (8, 8)
    assert image.max() == 0


def test_area_averages_when_it_shrinks() -> None:
    """Each 2x2 of the picture becomes its mean; bilinear at this scale would too, by chance."""
    picture = np.zeros((12, 12), np.uint8)
    picture[4:8, 4:8] = np.arange(0, 160, 10).reshape(4, 4)
    means = picture.reshape(4, 3, 4, 3).mean(axis=(1, 3))

    image = prepare(picture, ImageSpec(size=4, fit="stretch", ink="light"))

    assert np.abs(image - means).max() <= 0.5


def test_area_averages_along_the_axis_that_shrinks_when_the_other_grows() -> None:
    """A 3 x 300 picture, every third column ink, stretched to 30 x 30: an even grey, no stripes."""
    picture = np.zeros((3, 300), np.uint8)
    picture[1, ::3] = 240

    image = prepare(picture, ImageSpec(size=30, fit="stretch", ink="light"))

    assert np.ptp(image[15].astype(int)) <= 24
    assert 60 < image[15].mean() < 90


def test_linear_and_cubic_are_opencvs() -> None:
    """The named interpolation is used as it is."""
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
    """One pixel, a hair, a ribbon; every fit, threshold and interpolation."""
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)

    for fit, threshold, how in itertools.product(FITS, THRESHOLDS, INTERPOLATIONS):
        spec = ImageSpec(size=16, fit=fit, threshold=threshold, interpolation=how, margin=1 / 8)
        image = prepare(pixels, spec)

        assert image.shape == (16, 16)
        assert image.dtype == np.uint8


def test_a_ribbon_is_not_lost_by_pad() -> None:
    """A 10 x 5000 picture of ink in a frame of 16 is a row of a pixel."""
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
    """With paper all around, an inverted picture gives the same input, and ink is never lost."""
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
