"""What an audit says to do next: only what it found gives a ground."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inkfold.audit.advice import advice, found
from inkfold.audit.audit import Audit, audit
from inkfold.dataset.reader import open_dataset
from tests.worlds.audited import clean_splits, write_splits


def audited(path: str) -> Audit:
    """What the audit without its network finds in a dataset."""
    with open_dataset(Path(path)) as dataset:
        return audit(dataset, seed=0)


def test_nothing_is_advised_about_a_clean_set(tmp_path: Path) -> None:
    """420 different drawings of equal classes give no ground for anything."""
    result = audited(str(write_splits(tmp_path / "d.h5", clean_splits())))

    assert found(result).startswith("Nothing is surely wrong")
    assert advice(result) == []


def test_a_leak_comes_first_and_a_cleaned_copy_is_advised(tmp_path: Path) -> None:
    """Two test pictures that training has seen make scores flatter, and --fix removes them."""
    splits = clean_splits()
    splits[0][0][:2] = splits[2][0][:2]
    splits[0][1][:2] = splits[2][1][:2]
    result = audited(str(write_splits(tmp_path / "d.h5", splits)))

    assert found(result).startswith("2 of the pictures of validation and test are in another split")
    assert "--fix FILE" in advice(result)[0]


def test_two_labels_of_equal_pixels_are_to_be_looked_at(tmp_path: Path) -> None:
    """A picture of train under two labels is counted with its twin; one label is wrong."""
    splits = clean_splits()
    splits[0][0][0] = splits[0][0][1]
    result = audited(str(write_splits(tmp_path / "d.h5", splits)))

    assert found(result) == (
        "2 pictures are blank or have two labels; no picture is in two splits."
    )
    assert any(piece.startswith("2 pictures have the pixels of") for piece in advice(result))


@pytest.mark.parametrize(("fewest", "said"), [(4, True), (60, False)])
def test_unequal_and_tiny_classes_are_named(tmp_path: Path, fewest: int, *, said: bool) -> None:
    """A class of four pictures beside 200: more are asked for, and --balance is named."""
    splits = clean_splits()
    images, _ = splits[0]
    labels = np.zeros(len(images), np.int32)
    labels[: 2 * fewest] = np.arange(2 * fewest) % 2 + 1
    splits[0] = (images, labels)
    for number in (1, 2):
        splits[number][1][:] = 0
    result = audited(str(write_splits(tmp_path / "d.h5", splits)))

    text = str(advice(result))
    assert ("2 classes have under 10 pictures" in text) == said
    assert ("--balance" in text) == said
