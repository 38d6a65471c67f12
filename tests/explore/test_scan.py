"""What is gathered of a dataset: originals alone, class by class, against NumPy's figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inkfold.augmentation.augment import Augmentation, augment_dataset
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.explore import scan
from inkfold.explore.scan import explore, first_of_each
from inkfold.recipe import Distortion
from inkfold.workers import local_crew
from tests.worlds.packed_strokes import write_packed


def test_the_first_rows_of_each_class_are_found() -> None:
    """Of each class the first of the given rows are taken; -1 stands where it has no more."""
    labels = np.array([2, 0, 2, 2, 0, 3], np.int32)
    rows = np.array([0, 1, 3, 4, 5])

    assert first_of_each(labels, rows, 4, 2).tolist() == [[1, 4], [-1, -1], [0, 3], [5, -1]]


def test_examples_are_the_first_pictures_of_their_class_and_paper_where_there_are_no_more(
    tmp_path: Path,
) -> None:
    """Of nine pictures the first class has three and the others two, so their third is paper."""
    path = write_packed(tmp_path / "d.h5", (9, 4, 4))
    with open_dataset(path) as dataset:
        exploration = explore(dataset, examples=3)
        images, labels = dataset.train.images[:], dataset.train.labels

    assert exploration.example_counts.tolist() == [3, 2, 2, 2]
    for label in range(4):
        own = images[labels == label]
        assert np.array_equal(exploration.examples[label, : len(own)], own)
    assert not exploration.examples[1:, 2].any()
    assert exploration.counts.tolist() == [[3, 2, 2, 2], [1, 1, 1, 1], [1, 1, 1, 1]]
    assert (exploration.split, exploration.copies, exploration.stored) == ("train", 0, ())


def test_of_an_augmented_file_the_originals_are_measured_and_the_copies_stand_beside(
    tmp_path: Path,
) -> None:
    """An augmented file has the figures of its originals, and copies 1 to 5 of some of them."""
    plain = write_packed(tmp_path / "d.h5", (300, 8, 8))
    augmentation = Augmentation(Distortion(sigma=4, alpha=20), copies=7)
    with open_dataset(plain) as packed, local_crew(1) as crew:
        augment_dataset(packed, tmp_path / "e.h5", augmentation, crew=crew)
    with open_dataset(plain) as before, open_dataset(tmp_path / "e.h5") as after:
        original, augmented = explore(before, examples=4), explore(after, examples=4)
        origin, copy = np.asarray(after.train.origin), np.asarray(after.train.copy)
        images = after.train.images[:]
        pictures = {image.tobytes() for image in before.train.images[:]}

    assert np.array_equal(original.counts, augmented.counts)
    assert (original.copies, augmented.copies) == (0, 2100)
    assert np.array_equal(original.scan.mean, augmented.scan.mean)
    assert np.array_equal(original.scan.levels, augmented.scan.levels)
    assert {image.tobytes() for image in augmented.sample.images} <= pictures
    assert {family.label for family in augmented.stored} == {0, 1, 2, 3}
    for family in augmented.stored:
        rows = [i for i in np.flatnonzero(copy == 0) if np.array_equal(images[i], family.original)]
        expected = [
            images[(origin == origin[rows[0]]) & (copy == number)][0] for number in range(1, 6)
        ]
        assert np.array_equal(family.copies, expected)


def test_the_sample_is_drawn_by_the_seed_with_its_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seed draws the same fifty of three hundred pictures twice, no picture twice among them."""
    monkeypatch.setattr(scan, "SAMPLE", 50)
    path = write_packed(tmp_path / "d.h5", (300, 0, 0))
    with open_dataset(path) as dataset:
        first, again, other = (explore(dataset, examples=4, seed=s).sample for s in (1, 1, 2))
        label_of = {
            image.tobytes(): int(label)
            for image, label in zip(dataset.train.images[:], dataset.train.labels, strict=True)
        }

    assert len({image.tobytes() for image in first.images}) == 50
    assert [label_of[image.tobytes()] for image in first.images] == first.labels.tolist()
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)


def test_a_set_without_training_pictures_is_shown_by_the_next_split(tmp_path: Path) -> None:
    """The first split with pictures is shown, here test; a set without any picture is refused."""
    with open_dataset(write_packed(tmp_path / "d.h5", (0, 0, 6))) as dataset:
        exploration = explore(dataset, examples=4)
        assert exploration.split == "test"
        assert exploration.scan.counts.tolist() == [2, 2, 1, 1]
    with (
        open_dataset(write_packed(tmp_path / "e.h5", (0, 0, 0))) as dataset,
        pytest.raises(InkfoldError, match=r"e\.h5 holds no picture; pack some with: inkfold"),
    ):
        explore(dataset, examples=4)


@pytest.mark.parametrize("count", [1, 255, 5000])
def test_mean_and_deviation_of_each_class_are_those_of_numpy(tmp_path: Path, count: int) -> None:
    """Over one block or two the measured rows have NumPy's figures; a class without any has 0."""
    path = write_packed(tmp_path / "d.h5", (count, 0, 0), classes=("a", "b", "c"), size=8)
    with open_dataset(path) as dataset:
        split = dataset.train
        measured = np.arange(count) % 3 != 1  # class b is row 1, 4, 7, ...: all left out
        counts: list[int] = []
        result = scan.scan(split, measured, np.zeros(0, np.int64), 3, advance=counts.append)
        images, labels = split.images[:], split.labels

    assert sum(counts) == count
    assert result.counts.tolist() == [np.sum((labels == c) & measured) for c in range(3)]
    assert result.levels.tolist() == np.bincount(images[measured].ravel(), minlength=256).tolist()
    for label in np.unique(labels[measured]):
        own = images[(labels == label) & measured].astype(np.float64)
        assert result.mean[label] == pytest.approx(own.mean(axis=0), rel=1e-6)
        assert result.deviation[label] == pytest.approx(own.std(axis=0), rel=1e-6, abs=1e-4)
    assert not result.mean[1].any()
    assert not result.deviation[1].any()


def test_the_wanted_pictures_are_kept_from_any_block(tmp_path: Path) -> None:
    """Wanted rows are kept even if they are not measured, on both sides of a block's end."""
    path = write_packed(tmp_path / "d.h5", (5000, 0, 0), size=8)
    wanted = np.array([0, 17, 4095, 4096, 4999])
    with open_dataset(path) as dataset:
        result = scan.scan(dataset.train, np.zeros(5000, bool), wanted, 4)

        assert np.array_equal(result.pictures, dataset.train.images[:][wanted])
    assert not result.counts.any()
