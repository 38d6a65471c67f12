"""TensorFlow is fed with the batches in their order, by a tf.data.Dataset that ends at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from inkfold.dataset.reader import Dataset, open_dataset
from inkfold.keras_backend import import_keras
from inkfold.training.batches import Batches, feed
from tests.worlds.packed_strokes import write_packed

pytestmark = pytest.mark.slow


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Dataset]:
    """A dataset with 600 pictures to train on."""
    import_keras()
    with open_dataset(write_packed(tmp_path / "d.h5", (600, 90, 30))) as opened:
        yield opened


def test_tensorflow_gets_equal_batches_in_the_same_order(dataset: Dataset) -> None:
    """Images and labels arrive with their values and their types."""
    batches = Batches([dataset.train], 50, seed=3)

    fed = list(feed(batches.epoch(1)).as_numpy_iterator())

    made = list(batches.epoch(1))
    assert len(fed) == len(made) == batches.steps
    for (images, labels), (made_images, made_labels) in zip(fed, made, strict=True):
        assert (images.dtype, labels.dtype) == (made_images.dtype, made_labels.dtype)
        assert np.array_equal(images, made_images)
        assert np.array_equal(labels, made_labels)


def test_tensorflows_tuning_thread_is_switched_off(dataset: Dataset) -> None:
    """With it, the end of every epoch waited up to a minute until the thread woke up."""
    fed = feed(Batches([dataset.train], 50, seed=0).epoch(0))

    assert fed.options().autotune.enabled is False
