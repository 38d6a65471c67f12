"""Paper becomes 0 and ink high: side of the ink, depth, colours, thresholds, uneven light."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from inkfold.picture import flatten, otsu, prepare
from inkfold.spec import ImageSpec, Ink, Threshold
from tests.worlds.drawn_letters import STROKES, Shot, photograph
from tests.worlds.drawn_pictures import glyph

BAR = np.full((6, 6), 255, np.uint8)  # white paper, a dark bar in row 2
BAR[2, 1:5] = 55
STRETCH = ImageSpec(size=6, fit="stretch")  # a 6x6 picture keeps its pixels


def test_dark_ink_on_white_is_inverted() -> None:
    """On white paper, 255, ink of grey 55 becomes 200 and the paper 0."""
    image = prepare(BAR, STRETCH)

    assert image[2].tolist() == [0, 200, 200, 200, 200, 0]
    assert image.sum() == 4 * 200


def test_light_ink_on_black_stays_as_it_is_bit_for_bit() -> None:
    """Pictures like MNIST's, light on black at the size of the frame, are not changed."""
    digit = np.zeros((28, 28), np.uint8)
    digit[4:24, 6:22] = np.random.default_rng(0).integers(0, 256, (20, 16))

    assert np.array_equal(prepare(digit, ImageSpec(size=28, fit="pad")), digit)


def test_dark_on_light_and_light_on_dark_give_the_same_input() -> None:
    """A picture and its negative give the same image."""
    picture = glyph(np.random.default_rng(1))

    assert np.array_equal(prepare(picture, ImageSpec()), prepare(255 - picture, ImageSpec()))


def test_grey_paper_becomes_zero() -> None:
    """On paper of grey 180, ink of grey 80 becomes 100 and the paper 0."""
    picture = np.full((6, 6), 180, np.uint8)
    picture[2, 1:5] = 80

    image = prepare(picture, STRETCH)

    assert sorted(set(image.ravel().tolist())) == [0, 100]
    assert image[2, 1] == 100


def test_a_glare_is_paper_where_ink_is_dark() -> None:
    """Where ink is dark, pixels lighter than the paper become 0 as the paper does."""
    picture = BAR.copy()
    picture[picture == 255] = 200
    picture[4, 3] = 255

    assert prepare(picture, STRETCH)[4, 3] == 0


def test_the_side_of_the_ink_can_be_given() -> None:
    """With ``dark`` or ``light`` the side of the ink is not guessed but taken as it is given."""
    picture = np.full((6, 6), 100, np.uint8)
    picture[2, 2], picture[3, 3:5] = 255, 0

    def levels(ink: Ink) -> list[int]:
        return sorted(set(prepare(picture, ImageSpec(size=6, fit="stretch", ink=ink)).ravel()))

    assert levels("dark") == [0, 100]
    assert levels("light") == [0, 155]
    assert levels("auto") == [0, 100], "2 x 100 of dark weigh more than 155 of light"


def test_the_paper_is_the_median_of_the_edge() -> None:
    """A stroke that crosses the edge of the picture is not taken for the paper."""
    picture = np.full((6, 6), 255, np.uint8)
    picture[:, 2] = 0  # crosses the whole picture: 2 of 20 pixels of the edge

    image = prepare(picture, STRETCH)

    assert image[:, 2].tolist() == [255] * 6
    assert image[:, [0, 1, 3, 4, 5]].max() == 0


def test_sixteen_bits_are_rounded_to_eight() -> None:
    """Levels of 16 bits are divided by 257 and rounded: 65535 becomes 255, 128 becomes 0, 129 1."""
    picture = np.zeros((6, 6), np.uint16)
    picture[2, 1:5] = [65535, 128, 129, 257 * 7]

    assert prepare(picture, STRETCH)[2].tolist() == [0, 255, 0, 1, 7, 0]


def test_colours_become_luma() -> None:
    """Colours become 0.299 R + 0.587 G + 0.114 B (Rec. 601): full green 150, full blue 29."""
    picture = np.zeros((6, 6, 3), np.uint8)
    picture[2, 1:4] = np.diag([255, 255, 255])

    assert prepare(picture, STRETCH)[2].tolist() == [0, 76, 150, 29, 0, 0]


def test_alpha_is_laid_over_white() -> None:
    """Half-transparent black becomes ink of 127, and fully transparent black is paper."""
    picture = np.zeros((6, 6, 4), np.uint8)
    picture[2, 1:4, 3] = [255, 127, 0]

    assert prepare(picture, STRETCH)[2].tolist() == [0, 255, 127, 0, 0, 0]


def test_alpha_of_sixteen_bits_is_laid_over_white_too() -> None:
    """Alpha of 16 bits gives the same levels as alpha of 8 bits; no product overflows."""
    picture = np.full((6, 6, 4), 65535, np.uint16)
    picture[2, 1:4] = [[0, 0, 0, 65535], [0, 0, 0, 32767], [0, 0, 0, 0]]

    assert prepare(picture, STRETCH)[2].tolist() == [0, 255, 127, 0, 0, 0]


def test_otsu_leaves_two_levels() -> None:
    """With ``otsu`` ink of 200 and of 90 becomes 255, and noise of up to 20 becomes 0."""
    picture = np.zeros((6, 6), np.uint8)
    picture[2] = [0, 200, 90, 20, 10, 0]
    picture[3] = [0, 190, 95, 15, 5, 0]

    image = prepare(picture, ImageSpec(size=6, fit="stretch", threshold="otsu"))

    assert image[2:4].tolist() == [[0, 255, 255, 0, 0, 0]] * 2


def test_soft_clears_paper_and_fills_ink_and_keeps_edges_grey() -> None:
    """With ``soft`` levels up to 0.6 of Otsu's become 0, full ink 255, and edges lie between."""
    picture = np.zeros((6, 6), np.uint8)
    picture[2] = [0, 200, 200, 90, 40, 0]
    picture[3] = [0, 200, 200, 90, 40, 0]
    level, _ = otsu(picture)

    image = prepare(picture, ImageSpec(size=6, fit="stretch", threshold="soft"))

    assert level == 90  # so 54 and below is paper, and 200, the mean of the ink, is full
    edge = round(255 * (90 - 54) / (200 - 54))
    assert image[2:4].tolist() == [[0, 255, 255, edge, 0, 0]] * 2


def test_light_from_one_side_is_a_plane_that_is_taken_away() -> None:
    """Blank paper that brightens by 100 levels to the right and by 40 downwards becomes even."""
    rows, columns = np.linspace(0, 40, 9)[:, None], np.linspace(0, 100, 21)
    lit = np.round(100 + rows + columns).astype(np.uint8)

    assert np.ptp(flatten(lit).astype(int)) <= 2


def test_a_black_border_is_not_taken_for_light_from_one_side() -> None:
    """A picture with a black border on one side, or on even paper, is not flattened at all."""
    bordered = np.full((9, 9), 240, np.uint8)
    bordered[:, 0] = 0
    even = glyph(np.random.default_rng(0))

    assert np.array_equal(flatten(bordered), bordered)
    assert np.array_equal(flatten(even), even)


def difference(shot: Shot, threshold: Threshold) -> float:
    """Mean difference in grey levels from letters in pure ink, at the best shift by a pixel."""
    spec = ImageSpec.of(size=32, fit="ink", ink="auto", threshold=threshold, capture="scan")
    differences = []
    for character in STROKES:
        pure, seen = (prepare(photograph(character, s), spec).astype(float) for s in (Shot(), shot))
        moved = [np.roll(seen, by, (0, 1)) for by in itertools.product((-1, 0, 1), repeat=2)]
        differences.append(min(np.abs(image - pure).mean() for image in moved))
    return float(np.mean(differences))


@pytest.mark.parametrize(
    "shot",
    [Shot(paper=170, ink=70), Shot(paper=230, ink=60, shade=100), Shot(paper=220, ink=80, noise=8)],
    ids=["pencil on grey", "lit from one side", "grain"],
)
def test_soft_sees_the_same_letters_on_any_paper(shot: Shot) -> None:
    """With ``soft`` letters on grey, shaded or grainy paper are nearly those in pure ink."""
    assert difference(shot, "soft") < 2.5
    assert difference(shot, "none") > 8
