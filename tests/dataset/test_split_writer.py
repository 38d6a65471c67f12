"""Chunks of a split in any order: the same content, the same fingerprint, each exactly once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inkfold.dataset.reader import CHUNK, open_dataset
from inkfold.dataset.writer import Rows, SplitWriter, digests, writing_dataset
from inkfold.spec import SPLITS, ImageSpec

IMAGES = np.random.default_rng(0).integers(0, 256, (600, 8, 8)).astype(np.uint8)
LABELS = (np.arange(600) % 7).astype(np.int32)
SOURCE = np.array([f"{row}.png".encode() for row in range(600)], "S8")


def rows(start: int, stop: int) -> Rows:
    """Some of the 600 pictures."""
    part = slice(start, stop)
    return Rows(IMAGES[part], LABELS[part], SOURCE[part], digests(IMAGES[part]))


def written(path: Path, starts: tuple[int, ...]) -> str:
    """The fingerprint of a file whose train split was written chunk by chunk in this order."""
    with writing_dataset(path, "abcdefg", ImageSpec(size=8), overwrite=True) as writer:
        for name in SPLITS:
            count = 600 if name == "train" else 0
            with writer.split(name, count, like=rows(0, 0)) as split:
                for start in starts if count else ():
                    split.write(start, rows(start, min(start + CHUNK, 600)))
        writer.finish({})
    with open_dataset(path) as dataset:
        return dataset.fingerprint


def test_the_order_of_writing_changes_neither_content_nor_fingerprint(tmp_path: Path) -> None:
    """The short chunk first, or last."""
    prints = set()
    for number, starts in enumerate(((0, 256, 512), (512, 0, 256), (256, 512, 0))):
        prints.add(written(tmp_path / f"{number}.h5", starts))
        with open_dataset(tmp_path / f"{number}.h5") as dataset:
            assert np.array_equal(dataset.train.images[:], IMAGES)
            assert np.array_equal(dataset.train.labels, LABELS)
            assert dataset.train.source == [name.decode() for name in SOURCE]
    assert len(prints) == 1


def test_every_chunk_is_written_exactly_once(tmp_path: Path) -> None:
    """Twice, beside its place, too short, too long, beyond the end, or not at all: refused."""

    def attempt(split: SplitWriter) -> None:
        split.write(256, rows(256, 512))
        for at, some in (
            (256, rows(256, 512)),
            (10, rows(0, 256)),
            (0, rows(0, 255)),
            (512, rows(344, 600)),
            (600, rows(0, 0)),
            (768, rows(0, 256)),
            (-256, rows(0, 256)),
        ):
            with pytest.raises(ValueError, match=f"rows cannot be written at {at} of 600"):
                split.write(at, some)

    with (
        pytest.raises(ValueError, match="/train: 2 chunks were never written"),
        writing_dataset(tmp_path / "a.h5", "abcdefg", ImageSpec(), overwrite=True) as writer,
        writer.split("train", 600, like=rows(0, 0)) as split,
    ):
        attempt(split)
    assert not list(tmp_path.iterdir())
