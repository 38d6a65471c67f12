"""The pictures of a dataset as they were packed: all three splits, distorted copies left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.reader import Dataset, Split
from inkfold.spec import SPLITS

BLOCK = 4096  # rows that are read at once
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Originals:
    """Every original has a place, from 0: train first, then validation, then test.

    `split` int8 (N,) in the order of `SPLITS`, `row` int64 (N,) in that split, `label` int32 (N,),
    `digest` uint64 (N, 2).
    """

    split: NDArray[np.int8]
    row: NDArray[np.int64]
    label: NDArray[np.int32]
    digest: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.row)


def splits_of(dataset: Dataset) -> tuple[Split, ...]:
    """The splits in the order of `SPLITS`."""
    return tuple(getattr(dataset, name) for name in SPLITS)


def originals_of(dataset: Dataset) -> Originals:
    """Find them; of an augmented file the rows of train whose `copy` is 0."""
    parts = splits_of(dataset)
    rows = [np.flatnonzero(_is_original(part)) for part in parts]
    digest = [
        part.digest[kept].copy().view(np.uint64) for part, kept in zip(parts, rows, strict=True)
    ]
    return Originals(
        np.repeat(np.arange(len(parts), dtype=np.int8), [len(kept) for kept in rows]),
        np.concatenate(rows),
        np.concatenate([part.labels[kept] for part, kept in zip(parts, rows, strict=True)]),
        np.concatenate(digest),
    )


def _is_original(part: Split) -> NDArray[np.bool_]:
    copy = part.copy
    return np.ones(len(part), bool) if copy is None else np.asarray(copy == 0)


def image_blocks(dataset: Dataset) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
    """Every original once: the places of some, and their pictures, uint8 (n, H, W)."""
    first = 0
    for part in splits_of(dataset):
        kept = _is_original(part)
        for start in range(0, len(part), BLOCK):
            here = kept[start : start + BLOCK]
            if here.any():
                images = part.images[start : start + BLOCK][here]
                yield slice(first, first + len(images)), images
                first += len(images)


def pictures(dataset: Dataset, places: Places) -> NDArray[np.uint8]:
    """The pictures at some places, in any order: uint8 (n, H, W).

    All blocks are read once, for single rows of compressed chunks are slow.
    """
    found = np.zeros((len(places), *dataset.train.images.shape[1:]), np.uint8)
    order = np.argsort(places, kind="stable")
    ascending = places[order]
    for block, images in image_blocks(dataset):
        low, high = np.searchsorted(ascending, (block.start, block.stop))
        found[order[low:high]] = images[ascending[low:high] - block.start]
    return found


def sources(dataset: Dataset, originals: Originals, places: Places) -> list[str]:
    """Where the pictures at some places came from."""
    named = {at: part.source for at, part in enumerate(splits_of(dataset))}
    where = zip(originals.split[places].tolist(), originals.row[places].tolist(), strict=True)
    return [named[split][row] for split, row in where]
