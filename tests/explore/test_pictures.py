"""Cards of classes, strips of copies and pictures of findings, read back pixel by pixel."""

from __future__ import annotations

import base64
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from inkfold.audit.audit import audit, findings
from inkfold.commands.explore import main
from inkfold.dataset.reader import open_dataset
from inkfold.explore.pictures import (
    BUDGET,
    GAP,
    SHOWN,
    audit_section,
    class_cards,
    examples_wanted,
    magnification,
    stored_strips,
    tile_side,
)
from inkfold.explore.scan import Scan, Stored
from tests.worlds.packed_strokes import write_packed


def ink(uri: str) -> NDArray[np.uint8]:
    """The pixels of a PNG file in a ``data:`` address, as ink."""
    data = np.frombuffer(base64.b64decode(uri.split(",")[1]), np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    return (255 - pixels).astype(np.uint8)


def moments(mean: NDArray[np.float32], deviation: NDArray[np.float32]) -> Scan:
    """A scan with these means and deviations; its other arrays are empty."""
    empty = np.zeros(0, np.int64)
    pictures = np.zeros((0, *mean.shape[1:]), np.uint8)
    return Scan(counts=empty, mean=mean, deviation=deviation, levels=empty, pictures=pictures)


def test_a_cell_has_four_samples_in_a_row_and_the_deviation_twice_as_dark() -> None:
    """A card has three rows of four samples; beside it stand the mean and twice the deviation."""
    rng = np.random.default_rng(0)
    examples = rng.integers(0, 256, (2, 12, 8, 8)).astype(np.uint8)
    mean = rng.integers(0, 256, (2, 8, 8)).astype(np.float32)
    deviation = rng.integers(0, 128, (2, 8, 8)).astype(np.float32)
    cards = class_cards(examples, moments(mean, deviation))

    (group,) = cards.groups
    assert (group.first, group.last) == (0, 1)
    samples, means = ink(group.examples), ink(group.moments)
    assert samples.shape == (2 * 26, 35)
    assert np.array_equal(samples[26 + 9 : 26 + 17, 18:26], examples[1, 6])
    assert np.array_equal(means[8:, :8], mean[1])
    assert np.array_equal(means[8:, 9:], 2 * deviation[1])
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
    """205 classes make the groups 0 to 99, 100 to 199 and 200 to 204."""
    zeros = np.zeros((205, 4, 4), np.float32)
    examples = np.zeros((205, 4, 4, 4), np.uint8)
    cards = class_cards(examples, moments(zeros, zeros))

    assert [(group.first, group.last) for group in cards.groups] == [
        (0, 99),
        (100, 199),
        (200, 204),
    ]


def test_a_strip_begins_with_the_original() -> None:
    """The original stands on the left, then its copies in their order, with paper between."""
    pictures = np.random.default_rng(0).integers(0, 256, (3, 6, 6)).astype(np.uint8)
    (strip,) = stored_strips([Stored(5, pictures[0], pictures[1:])])

    assert (strip.label, strip.copies) == (5, 2)
    shown = ink(strip.uri)
    assert shown.shape == (6, 3 * 6 + 2 * GAP)
    for number, picture in enumerate(pictures):
        assert np.array_equal(shown[:, number * (6 + GAP) :][:, :6], picture)
    assert not shown[:, 6 : 6 + GAP].any()


def test_every_kind_of_finding_is_counted_and_its_first_pictures_shown(tmp_path: Path) -> None:
    """A picture that stands 42 times is a repeat, a leak and a conflict; no picture is blank."""
    path = write_packed(tmp_path / "d.h5", (40, 2, 0), identical=True, size=8)
    with open_dataset(path) as dataset:
        result = audit(dataset, near=False)
        section = audit_section(dataset, result)
        picture, labels = dataset.train.images[0], dataset.train.labels

    shown = {finding.words: finding for finding in section.shown}
    counts = [len(finding.places) for finding in findings(result)]
    assert [finding.count for finding in section.shown] == counts
    assert (section.total, section.leaks) == (42, result.leaks)
    conflicts = shown["with the very pixels of a picture under another label"]
    assert conflicts.count >= 40
    assert conflicts.labels == tuple(labels[:SHOWN].tolist())
    pixels = ink(conflicts.uri)
    assert pixels.shape == (8, SHOWN * 9 - 1)
    assert np.array_equal(pixels[:, 9:17], picture)
    assert shown["blank"].uri == ""


def test_the_page_warns_of_a_leak_and_names_the_classes_of_a_finding(tmp_path: Path) -> None:
    """A page with a leak warns of it, and a page without one says that there is none."""
    leaky = write_packed(tmp_path / "leaky.h5", (40, 2, 0), identical=True)
    with h5py.File(leaky, "r+") as file:
        for name in ("images", "digest"):
            file["validation"][name][:] = file["train"][name][:2]
    clean = write_packed(tmp_path / "clean.h5", (40, 2, 0))
    texts = []
    for path in (leaky, clean):
        assert main([str(path), "-q"]) == 0
        texts.append(path.with_suffix(".html").read_text(encoding="utf-8"))

    assert "<strong>Leak:</strong> 2 pictures of validation and test are" in texts[0]
    assert "of the classes a, b, c, d, a" in texts[0]
    assert "No picture is in two splits." in texts[1]
    assert "<strong>Leak:</strong>" not in texts[1]
