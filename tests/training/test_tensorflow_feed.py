"""TensorFlow is fed with the batches as they come, by a data set that can be taken down at once."""

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
    """600 pictures to train on."""
    import_keras()
    with open_dataset(write_packed(tmp_path / "d.h5", (600, 90, 30))) as opened:
        yield opened


def test_the_batches_come_as_they_are_and_in_their_order(dataset: Dataset) -> None:
    """Pictures, labels, and their types."""
    batches = Batches([dataset.train], 50, seed=3)

    fed = list(feed(batches.epoch(1)).as_numpy_iterator())

    expected = list(batches.epoch(1))
    assert len(fed) == len(expected) == batches.steps
    for (images, labels), (own_images, own_labels) in zip(fed, expected, strict=True):
        assert (images.dtype, labels.dtype) == (own_images.dtype, own_labels.dtype)
        assert np.array_equal(images, own_images)
        assert np.array_equal(labels, own_labels)


def test_no_tuning_thread_has_to_be_waited_for(dataset: Dataset) -> None:
    """Its sleep of up to a minute was waited for at the end of every epoch."""
    fed = feed(Batches([dataset.train], 50, seed=0).epoch(0))

    assert fed.options().autotune.enabled is False
