"""What a training refuses before it begins: data to learn nothing from, and outputs to lose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.errors import InkfoldError
from tests.worlds.packed_strokes import write_packed
from tests.worlds.trained import training


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Dataset]:
    """A few hundred drawn strokes of four classes."""
    with open_dataset(write_packed(tmp_path / "d.h5")) as opened:
        yield opened


@pytest.mark.parametrize(
    ("counts", "classes", "message"),
    [
        ((20, 4, 4), ("a",), "needs at least 2"),
        ((20, 0, 4), ("a", "b"), "validation split is empty"),
        ((0, 4, 4), ("a", "b"), "train split is empty"),
    ],
)
def test_a_dataset_that_cannot_be_learned_from_is_refused(
    tmp_path: Path, counts: tuple[int, int, int], classes: tuple[str, ...], message: str
) -> None:
    """A dataset of one class, or with an empty train or validation split, is an error."""
    data = write_packed(tmp_path / "d.h5", counts, classes=classes)

    with open_dataset(data) as opened, pytest.raises(InkfoldError, match=message):
        training(opened, tmp_path / "b").check(resume=False, overwrite=False)


def test_an_existing_bundle_is_refused_without_overwrite(dataset: Dataset, tmp_path: Path) -> None:
    """Neither a bundle nor the checkpoint of a stopped run is replaced unless that is asked for."""
    run = training(dataset, tmp_path / "b")
    (tmp_path / "b").mkdir()
    with pytest.raises(InkfoldError, match="already exists; add --overwrite"):
        run.check(resume=False, overwrite=False)
    (tmp_path / "b").rmdir()
    with pytest.raises(InkfoldError, match="no stopped run"):
        run.check(resume=True, overwrite=False)
    run.checkpoint.touch()
    with pytest.raises(InkfoldError, match=r"--resume, or start again with --overwrite"):
        run.check(resume=False, overwrite=False)
    run.check(resume=True, overwrite=False)
