"""Many pictures in a few PNG files, read back by OpenCV."""

from __future__ import annotations

import base64

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inkfold.explore.pictures import BUDGET, examples_wanted, magnification, tile_side
from inkfold.pages.page import RULE, cells, png, sprites


def decode(data: bytes) -> NDArray[np.uint8]:
    """A PNG file's pixels as ink."""
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert read is not None
    return (255 - read).astype(np.uint8)


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (40, 32)])
def test_ink_is_dark_and_comes_back(shape: tuple[int, int]) -> None:
    """Exactly of 8 bits; of 4 bits to the nearest of 16 greys, paper and ink exactly."""
    ink = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)

    assert np.array_equal(decode(png(ink)), ink)
    few = decode(png(ink, bits=4)).astype(int)
    assert np.abs(few - ink).max() <= 8
    for level in (0, 255):
        flat = np.full(shape, level, np.uint8)
        assert np.array_equal(decode(png(flat, bits=4)), flat)


def test_tiles_of_a_cell_stand_in_reading_order_with_a_line_between() -> None:
    """Four tiles, two in a row."""
    tiles = np.stack([np.full((2, 3), value, np.uint8) for value in (1, 2, 3, 4)])[None]
    r = RULE

    assert cells(tiles, 2).tolist() == [
        [
            [1, 1, 1, r, 2, 2, 2],
            [1, 1, 1, r, 2, 2, 2],
            [r, r, r, r, r, r, r],
            [3, 3, 3, r, 4, 4, 4],
            [3, 3, 3, r, 4, 4, 4],
        ]
    ]


def test_a_sprite_holds_a_hundred_cells_one_below_the_other() -> None:
    """Of 230 there are three sprites, and cell 117 is the eighteenth of the second."""
    some = np.random.default_rng(0).integers(0, 256, (230, 4, 6)).astype(np.uint8)
    read = [decode(base64.b64decode(uri.split(",")[1])) for uri in sprites(some)]

    assert [sprite.shape for sprite in read] == [(400, 6), (400, 6), (120, 6)]
    assert np.array_equal(read[1][17 * 4 : 18 * 4], some[117])


@pytest.mark.parametrize("size", [8, 28, 32, 64, 100])
@pytest.mark.parametrize("classes", [1, 10, 100, 101, 1000, 1300])
def test_cells_keep_to_the_budget_and_to_whole_magnifications(classes: int, size: int) -> None:
    """No larger than the pictures are; on the page a tile is between 16 and 96 wide."""
    side = tile_side(classes, examples_wanted(classes), size)

    assert side <= size
    assert classes * (examples_wanted(classes) + 2) * side**2 <= BUDGET * 1.3
    assert 16 <= side * magnification(side, classes) <= 96
