"""The page's figures against NumPy, and its sentences."""

from __future__ import annotations

import numpy as np
import pytest

from inkfold.explore.figures import (
    BARS,
    ENDS,
    class_sizes,
    levels_chart,
    pixel_facts,
    provenance_words,
    spec_words,
)
from inkfold.spec import ImageSpec


def test_pixel_facts_are_those_of_numpy() -> None:
    """Mean, deviation and shares of ten thousand random pixels are those that NumPy gives."""
    rng = np.random.default_rng(0)
    pixels = np.where(rng.random(10_000) < 0.7, 0, rng.integers(0, 256, 10_000))
    facts = pixel_facts(np.bincount(pixels, minlength=256))

    assert facts.mean == pytest.approx((pixels / 255).mean())
    assert facts.deviation == pytest.approx((pixels / 255).std())
    assert facts.paper == pytest.approx((pixels == 0).mean())
    assert facts.full == pytest.approx((pixels == 255).mean())
    assert facts.levels == len(np.unique(pixels))


def test_a_column_is_as_high_as_its_share_on_the_logarithmic_axis() -> None:
    """Columns of 90 %, 9 % and 1 % differ by the ratio of their shares; empty ones are left out."""
    levels = np.zeros(256, np.int64)
    levels[[0, 100, 255]] = 9000, 900, 100
    chart = levels_chart(levels)

    high, middling, low = (column.height for column in chart.bars)
    assert high - middling == pytest.approx((middling - low) * 1 / np.log10(9), abs=0.05)
    assert [column.title for column in chart.bars] == [
        "grey levels 0 to 15: 90 % of pixels",
        "grey levels 96 to 111: 9 % of pixels",
        "grey levels 240 to 255: 1 % of pixels",
    ]


def test_one_grey_level_alone_can_be_drawn() -> None:
    """A set of blank paper has a deviation of 0 and one column."""
    levels = np.zeros(256, np.int64)
    levels[0] = 64

    assert pixel_facts(levels).deviation == 0
    assert len(levels_chart(levels).bars) == 1


def test_few_classes_have_a_bar_each_in_label_order() -> None:
    """A bar's parts are shares of the largest class's size, all splits together."""
    sizes = class_sizes(np.array([[6, 30, 0], [1, 5, 0], [1, 5, 0]]))

    assert [bar.label for bar in sizes.bars] == [0, 1, 2]
    assert [bar.total for bar in sizes.bars] == [8, 40, 0]
    assert sizes.bars[0].shares == (15, 2.5, 2.5)
    assert (sizes.smallest, sizes.median, sizes.largest) == (0, 8, 40)
    assert sizes.ranked is None


@pytest.mark.parametrize(("step", "logarithmic"), [(0, False), (1, True)])
def test_of_many_classes_the_largest_and_smallest_have_bars_and_all_are_a_line(
    step: int, logarithmic: bool
) -> None:
    """61 classes have twenty bars and a curve, logarithmic only where their sizes differ much."""
    totals = 1 + step * np.arange(BARS + 1)
    sizes = class_sizes(np.stack([totals, 0 * totals, 0 * totals]))

    assert sizes.ranked is not None
    assert len(sizes.ranked.lines[0].points.split()) == BARS + 1
    assert len(sizes.every) == BARS + 1
    assert sizes.logarithmic == logarithmic
    labels = [bar.label for bar in sizes.bars]
    assert len(set(labels)) == 2 * ENDS
    if step:
        assert labels == [*range(BARS, BARS - ENDS, -1), *range(ENDS - 1, -1, -1)]


def test_the_image_spec_becomes_a_sentence() -> None:
    """The sentence names fit, size, margin, threshold and ink."""
    words = spec_words(ImageSpec(28, fit="ink", ink="dark", threshold="otsu", margin=4 / 28))

    assert "28 x 28 pixels, 14% of the side left free" in words
    assert "centre of mass in the middle" in words
    assert "made black and white (Otsu); the pictures have dark ink on light paper." in words


def test_every_step_that_made_the_file_is_a_sentence() -> None:
    """The packing comes before the augmentation; null options are left out, numbers have commas."""
    packed = {
        "tool": "create_dataset",
        "version": "0.1.0",
        "seed": 3,
        "options": {"split": [0.8, 0.2], "group_by": None, "size": 32},
        "counts": {"train": 1438},
    }
    words = provenance_words({"tool": "augment", "version": "0.2.0", "dataset": packed})

    first, second = words
    assert first.startswith("Packed from class folders by create_dataset 0.1.0 with seed 3: ")
    assert first.endswith(": split 0.8 / 0.2; it counted: train 1,438.")
    assert second == "Distorted copies added by augment 0.2.0."
    assert provenance_words({}) == ["Made by a tool without a name."]
    cleaned = provenance_words({"tool": "audit", "version": "0.2.0", "cleaned_from": packed})
    assert cleaned == [first, "Cleaned by audit 0.2.0."]
