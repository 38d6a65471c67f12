"""Cells of a class, and strips of copies, read back pixel by pixel."""

from __future__ import annotations

import base64

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inkfold.explore.page import signed
from inkfold.explore.pictures import (
    BUDGET,
    GAP,
    class_cards,
    examples_wanted,
    magnification,
    stored_strips,
    tile_side,
)
from inkfold.explore.scan import Scan, Stored


def ink(uri: str) -> NDArray[np.uint8]:
    """The ink of a PNG file in a data URI."""
    data = np.frombuffer(base64.b64decode(uri.split(",")[1]), np.uint8)
    read = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert read is not None
    return (255 - read).astype(np.uint8)


def test_a_cell_has_four_samples_in_a_row_and_the_deviation_twice_as_dark() -> None:
    """Three rows of samples; the mean on the left; the page's boxes are whole multiples."""
    rng = np.random.default_rng(0)
    examples = rng.integers(0, 256, (2, 12, 8, 8)).astype(np.uint8)
    mean = rng.integers(0, 256, (2, 8, 8)).astype(np.float32)
    deviation = rng.integers(0, 128, (2, 8, 8)).astype(np.float32)
    empty = np.zeros(0, np.int64)
    cards = class_cards(examples, Scan(empty, mean, deviation, empty, examples[0, :0]))

    (group,) = cards.groups
    assert (group.first, group.last) == (0, 1)
    sheet, moments = ink(group.examples), ink(group.moments)
    assert sheet.shape == (2 * 26, 35)
    assert np.array_equal(sheet[26 + 9 : 26 + 17, 18:26], examples[1, 6])
    assert np.array_equal(moments[8:, :8], mean[1])
    assert np.array_equal(moments[8:, 9:], 2 * deviation[1])
    assert (cards.examples.width, cards.examples.height) == (35 * 8, 26 * 8)
    assert (cards.moments.width, cards.moments.height) == (17 * 8, 8 * 8)


@pytest.mark.parametrize("size", [8, 28, 32, 64, 100])
@pytest.mark.parametrize("classes", [1, 10, 100, 101, 1000, 1300])
def test_cells_keep_to_the_budget_and_to_whole_magnifications(classes: int, size: int) -> None:
    """A tile is no larger than the pictures, and on the page between 16 and 96 pixels wide."""
    side = tile_side(classes, examples_wanted(classes), size)

    assert side <= size
    assert classes * (examples_wanted(classes) + 2) * side**2 <= BUDGET * 1.3
    assert 16 <= side * magnification(side, classes) <= 96


def test_groups_of_a_hundred_classes_follow_each_other() -> None:
    """Of 205 classes: 0 to 99, 100 to 199, 200 to 204."""
    zeros = np.zeros((205, 4, 4), np.float32)
    empty = np.zeros(0, np.int64)
    examples = np.zeros((205, 4, 4, 4), np.uint8)
    cards = class_cards(examples, Scan(empty, zeros, zeros, empty, examples[0, :0]))

    assert [(group.first, group.last) for group in cards.groups] == [
        (0, 99),
        (100, 199),
        (200, 204),
    ]


def test_what_a_component_adds_is_dark_and_what_it_takes_away_light() -> None:
    """Each is scaled to its own largest entry; nothing is mid-grey."""
    components = np.array([[[0.5, 0.0], [-0.5, 0.25]], [[0.0, 0.0], [0.1, 0.0]]])
    shown = signed(components)

    assert shown[:, :2].tolist() == [[255, 128], [0, 191]]
    assert shown[:, 3:].tolist() == [[128, 128], [255, 128]]


def test_a_strip_begins_with_the_original() -> None:
    """Then its copies in their order, some paper between."""
    pictures = np.random.default_rng(0).integers(0, 256, (3, 6, 6)).astype(np.uint8)
    (strip,) = stored_strips([Stored(5, pictures[0], pictures[1:])])

    assert (strip.label, strip.copies) == (5, 2)
    shown = ink(strip.uri)
    assert shown.shape == (6, 3 * 6 + 2 * GAP)
    for at, picture in enumerate(pictures):
        assert np.array_equal(shown[:, at * (6 + GAP) :][:, :6], picture)
    assert not shown[:, 6 : 6 + GAP].any()
