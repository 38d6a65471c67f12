"""A dataset that changes during a training: the run stops, and keeps what it learnt before."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from inkfold.bundle.history import Row
from inkfold.dataset.reader import open_dataset
from inkfold.errors import InkfoldError
from inkfold.training.checkpoint import Checkpoint
from tests.worlds.packed_strokes import write_packed
from tests.worlds.trained import SILENT, training


def test_no_epoch_of_another_dataset_is_kept(tmp_path: Path) -> None:
    """A dataset that is written over after the second epoch stops the run in its third one.

    The checkpoint has two epochs, from which the run resumes once the dataset is back.
    """
    path = write_packed(tmp_path / "d.h5")
    first, status = path.read_bytes(), path.stat()
    other = write_packed(tmp_path / "other.h5", seed=1)

    def epoch_done(history: list[Row]) -> None:
        if len(history) == 2:
            path.write_bytes(other.read_bytes())

    watcher = replace(SILENT, epoch_done=epoch_done)
    with (
        pytest.raises(InkfoldError, match=r"d\.h5: changed while it was read"),
        open_dataset(path) as dataset,
    ):
        training(dataset, tmp_path / "tiny").run(watcher, resume=False, overwrite=False)

    assert not (tmp_path / "tiny").exists()
    path.write_bytes(first)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with open_dataset(path) as dataset:
        again = training(dataset, tmp_path / "tiny")
        assert len(Checkpoint.load(again.checkpoint, again.config).history) == 2
