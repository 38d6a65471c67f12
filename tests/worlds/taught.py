"""A bundle that has learned what its classes look like: upright bars, one band wide.

The network is that of `bands`, whose features are the pixels. A bar of class `c` stands in the
columns of band `c`; height, place and level differ from picture to picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkfold.bundle.bundle import load_bundle
from inkfold.dataset.digests import digests
from inkfold.dataset.reader import open_dataset
from inkfold.dataset.writer import Rows, writing_dataset
from inkfold.spec import SPLITS
from inkfold.training.learn_novelty import add_to_bundle
from tests.worlds.bands import CLASSES, SPEC, WIDTH, write_bundle

Image = NDArray[np.uint8]


def bar(band: int, top: int = 1, height: int = 5, *, shift: int = 0, level: int = 255) -> Image:
    """An upright bar in the columns of a band, or `shift` columns to the right of them."""
    image = np.zeros((SPEC.size, SPEC.size), np.uint8)
    start = band * WIDTH + shift
    image[top : top + height, start : start + WIDTH] = level
    return image


TWO = np.maximum(bar(0, 0, 4), bar(2, 0, 4))  # two bodies, each of which could be a character
BETWEEN = bar(1, shift=1)  # a bar, but in no class's place
GREY = bar(1, level=150)  # a bar of a level that no ink has


def bars(count: int, seed: int) -> tuple[Image, NDArray[np.int32]]:
    """Images (n, 8, 8) of bars, and their labels (n,)."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % len(CLASSES)).astype(np.int32)
    images = [
        bar(label, *rng.integers([0, 3], [2, 7]).tolist(), level=int(rng.integers(230, 256)))
        for label in labels.tolist()
    ]
    return np.array(images, np.uint8).reshape(-1, SPEC.size, SPEC.size), labels


def write_bars(path: Path, counts: Sequence[int] = (600, 300, 300)) -> Path:
    """A dataset of bars with so many in train, validation and test."""
    with writing_dataset(path, CLASSES, SPEC, overwrite=False) as writer:
        for split, count in zip(SPLITS, counts, strict=True):
            images, labels = bars(count, seed=SPLITS.index(split))
            source = np.array([f"{split}/{at}.png".encode() for at in range(count)], "S20")
            rows = Rows(images=images, labels=labels, source=source, digest=digests(images))
            with writer.split(split, count, like=rows) as writing:
                for start in range(0, count, 256):
                    writing.append(rows[start : start + 256])
        writer.finish({})
    return path


def write_taught(folder: Path) -> Path:
    """The bundle ``FOLDER/bands``, taught by ``FOLDER/bars.h5``."""
    with open_dataset(write_bars(folder / "bars.h5")) as dataset:
        bundle = write_bundle(folder / "bands", provenance=dataset.provenance)
        add_to_bundle(load_bundle(bundle), dataset)
    return bundle
