"""Small packed datasets for tests, of drawn strokes, without picture files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.digests import digests
from inkfold.dataset.split import CHUNK
from inkfold.dataset.writer import Rows, writing_dataset
from inkfold.spec import SPLITS, ImageSpec


def strokes(labels: NDArray[np.int32], size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One image for each label: a bar in the label's row, of random brightness, and noise."""
    images = rng.integers(0, 60, (len(labels), size, size)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        row = 1 + (3 * int(label)) % (size - 2)
        image[row : row + 2, 2 : size - 2] = rng.integers(120, 256)
    return images


def write_packed(
    path: Path,
    counts: Sequence[int] = (320, 64, 64),
    *,
    classes: Sequence[str] = ("a", "b", "c", "d"),
    size: int = 16,
    seed: int = 0,
    identical: bool = False,
) -> Path:
    """A dataset with `counts` pictures in train, validation and test; `identical` repeats one."""
    rng = np.random.default_rng(seed)
    with writing_dataset(path, classes, ImageSpec(size=size), overwrite=True) as writer:
        for split, count in zip(SPLITS, counts, strict=True):
            labels = (np.arange(count) % len(classes)).astype(np.int32)
            images = strokes(labels, size, rng)
            images = np.repeat(images[:1], count, axis=0) if identical else images
            source = np.array([f"{split}/{i:05d}.png".encode() for i in range(count)], "S24")
            rows = Rows(images=images, labels=labels, source=source, digest=digests(images))
            with writer.split(split, count, like=rows) as writing:
                for start in range(0, count, CHUNK):
                    writing.append(rows[start : start + CHUNK])
        writer.finish({"tool": "test"})
    return path
