"""The batches of an epoch: which pictures, in which order, and how they are distorted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.elastic import Elastic
from inkfold.training.batches import Batches
from tests.worlds.packed_strokes import write_packed


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Dataset]:
    """A dataset with 600 pictures to train on: three chunks, the last one short."""
    with open_dataset(write_packed(tmp_path / "d.h5", (600, 90, 30))) as opened:
        yield opened


def pictures(batches: Batches, epoch: int) -> list[bytes]:
    """Every picture of an epoch, in order."""
    return [image.tobytes() for images, _ in batches.epoch(epoch) for image in images]


def test_an_epoch_has_every_picture_at_most_once_in_whole_batches(dataset: Dataset) -> None:
    """600 pictures in batches of 64 give nine batches, and 24 pictures are left out."""
    batches = Batches([dataset.train], 64, seed=0)
    shown = pictures(batches, 0)
    known = {image.tobytes() for image in dataset.train.images[:]}

    assert batches.steps == 9
    assert len(shown) == 9 * 64
    assert len(set(shown)) == len(shown)
    assert set(shown) <= known


def test_images_and_labels_stay_together(dataset: Dataset) -> None:
    """Shuffling moves a picture and its label as one."""
    label_of = dict(
        zip((i.tobytes() for i in dataset.train.images[:]), dataset.train.labels, strict=True)
    )

    for images, labels in Batches([dataset.train], 50, seed=3).epoch(1):
        assert images.shape == (50, 16, 16, 1)
        assert [label_of[image.tobytes()] for image in images] == labels.tolist()


def test_the_order_follows_seed_and_epoch_alone(dataset: Dataset) -> None:
    """Equal seeds and epochs give equal batches; a new seed or a new epoch gives a new order."""
    first = pictures(Batches([dataset.train], 50, seed=1), 0)

    assert pictures(Batches([dataset.train], 50, seed=1), 0) == first
    assert pictures(Batches([dataset.train], 50, seed=1), 1) != first
    assert pictures(Batches([dataset.train], 50, seed=2), 0) != first


def test_online_distortion_is_new_in_every_epoch_and_the_same_for_the_same_seed(
    dataset: Dataset,
) -> None:
    """No picture equals an original or one of the epoch before, and a rerun shows them again."""
    elastic = Elastic(16, sigma=3, alpha=12)
    batches = Batches([dataset.train], 100, seed=0, elastic=elastic)
    originals = {image.tobytes() for image in dataset.train.images[:]}
    first, second = set(pictures(batches, 0)), set(pictures(batches, 1))

    assert not first & originals
    assert not first & second
    assert set(pictures(batches, 0)) == first


def test_no_two_pictures_are_distorted_alike(tmp_path: Path) -> None:
    """One image, repeated 8,192 times (two blocks), is distorted 16,384 ways in two epochs."""
    path = write_packed(tmp_path / "same.h5", (8192, 8, 8), size=8, identical=True)
    with open_dataset(path) as opened:
        batches = Batches([opened.train], 128, seed=0, elastic=Elastic(8, sigma=2, alpha=9))
        shown = [*pictures(batches, 0), *pictures(batches, 1)]

    assert len(set(shown)) == len(shown) == 2 * 8192


def test_splits_are_mixed_for_a_refit(dataset: Dataset) -> None:
    """An epoch of train and validation, 690 pictures in batches of 69, shows each picture."""
    batches = Batches([dataset.train, dataset.validation], 69, seed=0)
    shown = set(pictures(batches, 0))
    test = {image.tobytes() for image in dataset.test.images[:]}
    both = [*dataset.train.images[:], *dataset.validation.images[:]]

    assert shown == {image.tobytes() for image in both}
    assert not shown & test


def test_an_epoch_is_shuffled_over_the_whole_split(tmp_path: Path) -> None:
    """The first batch of a large split comes from many chunks, not from the first one."""
    with open_dataset(write_packed(tmp_path / "large.h5", (256 * 40, 8, 8))) as opened:
        row_of = {image.tobytes(): row for row, image in enumerate(opened.train.images[:])}
        images, _ = next(Batches([opened.train], 256, seed=0).epoch(0))
        chunks = {row_of[image.tobytes()] // 256 for image in images}

    assert len(chunks) == 16, "16 chunks are pooled; a batch of 256 meets all of them"
    assert np.ptp(sorted(chunks)) > 20
