"""One pass over a split against NumPy's own figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inkfold.dataset.reader import open_dataset
from inkfold.explore.scan import scan
from tests.worlds.packed_strokes import write_packed


@pytest.mark.parametrize("count", [1, 255, 5000])
def test_mean_and_deviation_of_each_class_are_those_of_numpy(tmp_path: Path, count: int) -> None:
    """Over one block or several; every third row is left out, a class without a row is zero."""
    path = write_packed(tmp_path / "d.h5", (count, 0, 0), classes=("a", "b", "c"), size=8)
    with open_dataset(path) as dataset:
        split = dataset.train
        measured = np.arange(count) % 3 != 1  # class b is row 1, 4, 7, ...: all left out
        seen: list[int] = []
        found = scan(split, measured, np.zeros(0, np.int64), 3, advance=seen.append)
        images, labels = split.images[:], split.labels

    assert sum(seen) == count
    assert found.counts.tolist() == [np.sum((labels == c) & measured) for c in range(3)]
    assert found.levels.tolist() == np.bincount(images[measured].ravel(), minlength=256).tolist()
    for label in np.unique(labels[measured]):
        some = images[(labels == label) & measured].astype(np.float64)
        assert found.mean[label] == pytest.approx(some.mean(axis=0), rel=1e-6)
        assert found.deviation[label] == pytest.approx(some.std(axis=0), rel=1e-6, abs=1e-4)
    assert not found.mean[1].any()
    assert not found.deviation[1].any()


def test_the_wanted_pictures_are_kept_from_any_block(tmp_path: Path) -> None:
    """The first and last row, both sides of a block's border, measured or not."""
    path = write_packed(tmp_path / "d.h5", (5000, 0, 0), size=8)
    wanted = np.array([0, 17, 4095, 4096, 4999])
    with open_dataset(path) as dataset:
        found = scan(dataset.train, np.zeros(5000, bool), wanted, 4)

        assert np.array_equal(found.pictures, dataset.train.images[:][wanted])
    assert not found.counts.any()
