"""The benchmark of --balance: its sets are as uneven as it says, its measures are right."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.balance import Answers, effective, power, uneven_kmnist
from tests.worlds.foreign_files import idx_bytes

SIZES = [500, 300, 180, 108, 65, 39, 23, 14, 8, 5]


def write_blank(folder: Path, stem: str, of_each: int) -> None:
    """A pair of IDX files with so many blank pictures of each of ten classes."""
    folder.mkdir(exist_ok=True)
    labels = np.tile(np.arange(10, dtype=np.uint8), of_each)
    for kind, array in (
        ("images-idx3", np.zeros((len(labels), 2, 2), np.uint8)),
        ("labels-idx1", labels),
    ):
        (folder / f"{stem}-{kind}-ubyte").write_bytes(idx_bytes(array))


def test_kmnist_has_a_long_tail_whose_classes_the_seed_draws(tmp_path: Path) -> None:
    """Training has 500 pictures down to 5, validation and test have as many of each class."""
    write_blank(tmp_path / "kmnist", "train", 820)
    write_blank(tmp_path / "kmnist", "t10k", 2)

    counts = [
        Counter((glyph.split, glyph.label) for glyph in uneven_kmnist(tmp_path, seed).glyphs())
        for seed in (0, 1)
    ]

    train = [[each["train", label] for label in range(10)] for each in counts]
    assert [sorted(sizes, reverse=True) for sizes in train] == [SIZES, SIZES]
    assert train[0] != train[1]
    assert {counts[0]["test", label] for label in range(10)} == {2}
    assert counts[0]["validation", train[0].index(5)] == 300


def answers() -> Answers:
    """Answers to six pictures of three classes, of which training had 8, 2 and 1 pictures."""
    predicted, labels = [0, 0, 1, 0, 0, 2], [0, 0, 1, 1, 2, 2]
    probabilities = np.full((6, 3), 0.1, np.float32)
    probabilities[np.arange(6), predicted] = 0.8
    return Answers(
        probabilities=probabilities, labels=np.array(labels, np.int32), counts=np.array([8, 2, 1])
    )


def test_rates_are_of_all_pictures_of_classes_and_of_the_rarest_third() -> None:
    """4 of 6 are right; the recalls 1, 1/2 and 1/2 have a mean of 2/3; 1 of 2 of the rarest."""
    result = answers()

    assert (result.rate().correct, result.rate().total) == (4, 6)
    assert result.mean_recall == pytest.approx(2 / 3)
    assert (result.rare.correct, result.rare.total) == (1, 2)


def test_adjusted_answers_are_divided_by_the_classes_shares() -> None:
    """0.8 of 8 against 0.1 of 1 and 0.1 of 2 are 1/10, 1/20 and 1/10."""
    adjusted = answers().adjusted.probabilities[0]

    assert adjusted == pytest.approx(np.array([0.1, 0.05, 0.1]) / 0.25)


def test_rows_are_chosen_that_are_as_uneven_as_training() -> None:
    """Two pictures of the largest class are a quarter of its training: rarer ones are rounded."""
    assert answers().uneven.tolist() == [True, True, False, False, False, False]


def test_effective_numbers_lie_between_no_weights_and_the_inverse_of_the_size() -> None:
    """With beta near 0 all classes weigh the same, near 1 as the inverse (Cui et al. 2019)."""
    counts = np.array([90, 10])

    assert effective(1e-9)(counts) == pytest.approx([1, 1])
    assert effective(1 - 1e-9)(counts) == pytest.approx(power(1)(counts), rel=1e-3)
