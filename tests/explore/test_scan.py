"""What is gathered of a dataset: originals only, class by class, with the copies of some."""

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
from inkfold.workers import local_executor
from tests.worlds.packed_strokes import write_packed


def test_the_first_rows_of_each_class_are_found() -> None:
    """Of the rows that count; -1 where there are no more, and for a class that has none."""
    labels = np.array([2, 0, 2, 2, 0, 3], np.int32)
    rows = np.array([0, 1, 3, 4, 5])

    assert first_of_each(labels, rows, 4, 2).tolist() == [[1, 4], [-1, -1], [0, 3], [5, -1]]


def test_examples_are_the_first_pictures_of_their_class_and_paper_where_there_are_no_more(
    tmp_path: Path,
) -> None:
    """Nine pictures of four classes: three of the first, two of each of the others."""
    path = write_packed(tmp_path / "d.h5", (9, 4, 4))
    with open_dataset(path) as dataset:
        found = explore(dataset, examples=3)
        images, labels = dataset.train.images[:], dataset.train.labels

    assert found.found.tolist() == [3, 2, 2, 2]
    for label in range(4):
        some = images[labels == label]
        assert np.array_equal(found.examples[label, : len(some)], some)
    assert not found.examples[1:, 2].any()
    assert found.counts.tolist() == [[3, 2, 2, 2], [1, 1, 1, 1], [1, 1, 1, 1]]
    assert (found.split, found.copies, found.stored) == ("train", 0, ())


def test_of_an_augmented_file_the_originals_are_measured_and_the_copies_stand_beside(
    tmp_path: Path,
) -> None:
    """The same figures as of the file that it was made from; copies 1, 2, ... of the same row."""
    plain = write_packed(tmp_path / "d.h5", (300, 8, 8))
    augmentation = Augmentation(Distortion(sigma=4, alpha=20), copies=7)
    with local_executor(1) as executor:
        augment_dataset(plain, tmp_path / "e.h5", augmentation, executor=executor, in_flight=1)
    with open_dataset(plain) as before, open_dataset(tmp_path / "e.h5") as after:
        one, other = explore(before, examples=4), explore(after, examples=4)
        origin, copy = np.asarray(after.train.origin), np.asarray(after.train.copy)
        images, digests = after.train.images[:], {d.tobytes() for d in before.train.images[:]}

    assert np.array_equal(one.counts, other.counts)
    assert (one.copies, other.copies) == (0, 2100)
    assert np.array_equal(one.scan.mean, other.scan.mean)
    assert np.array_equal(one.scan.levels, other.scan.levels)
    assert {image.tobytes() for image in other.sample.images} <= digests
    assert {family.label for family in other.stored} == {0, 1, 2, 3}
    for family in other.stored:
        rows = [i for i in np.flatnonzero(copy == 0) if np.array_equal(images[i], family.original)]
        expected = [
            images[(origin == origin[rows[0]]) & (copy == number)][0] for number in range(1, 6)
        ]
        assert np.array_equal(family.copies, expected)


def test_the_sample_is_drawn_by_the_seed_with_its_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty of three hundred: the same again, others for another seed, never one twice."""
    monkeypatch.setattr(scan, "SAMPLE", 50)
    path = write_packed(tmp_path / "d.h5", (300, 0, 0))
    with open_dataset(path) as dataset:
        first, again, other = (explore(dataset, examples=4, seed=s).sample for s in (1, 1, 2))
        known = {
            image.tobytes(): int(label)
            for image, label in zip(dataset.train.images[:], dataset.train.labels, strict=True)
        }

    assert len({image.tobytes() for image in first.images}) == 50
    assert [known[image.tobytes()] for image in first.images] == first.labels.tolist()
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)


def test_a_set_without_training_pictures_is_shown_by_the_next_split(tmp_path: Path) -> None:
    """And one without any picture is refused."""
    with open_dataset(write_packed(tmp_path / "d.h5", (0, 0, 6))) as dataset:
        found = explore(dataset, examples=4)
        assert found.split == "test"
        assert found.scan.counts.tolist() == [2, 2, 1, 1]
    with (
        open_dataset(write_packed(tmp_path / "e.h5", (0, 0, 0))) as dataset,
        pytest.raises(InkfoldError, match=r"e\.h5 holds no picture; pack some with: python"),
    ):
        explore(dataset, examples=4)
