"""The originals of all three splits under one numbering, for what looks at every picture.

Distorted copies are left out. The audit and the page of ``explore.py`` read a dataset in this way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.reader import Dataset
from inkfold.dataset.split import BLOCK

Places = NDArray[np.int64]  # numbers of originals, as `Originals` has them


@dataclass(frozen=True, kw_only=True)
class Originals:
    """The originals of all splits, numbered from 0: those of train, of validation, then of test.

    Such a number is called a place; ``row[place]`` is the row of that original in its split.

    Attributes
    ----------
    split : int8 array of shape (N,)
        Number of the split, in the order of `SPLITS`.
    row : int64 array of shape (N,)
        Row in that split.
    label : int32 array of shape (N,)
    digest : uint64 array of shape (N, 2)
        BLAKE2b-128 of the pixels.
    """

    split: NDArray[np.int8]
    row: NDArray[np.int64]
    label: NDArray[np.int32]
    digest: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.row)


def originals_of(dataset: Dataset) -> Originals:
    """Number the originals of a dataset; an augmented dataset's are its rows of copy 0."""
    rows = [np.flatnonzero(split.originals) for split in dataset.splits]
    splits = list(zip(dataset.splits, rows, strict=True))
    return Originals(
        split=np.repeat(np.arange(len(splits), dtype=np.int8), [len(kept) for kept in rows]),
        row=np.concatenate(rows),
        label=np.concatenate([split.labels[kept] for split, kept in splits]),
        digest=np.concatenate([split.digest[kept].view(np.uint64) for split, kept in splits]),
    )


def image_blocks(dataset: Dataset) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
    """The images of every original once, in the order of `Originals`.

    Yields
    ------
    places : slice
        The places of these originals.
    images : uint8 array of shape (n, H, W)
    """
    first = 0
    for split in dataset.splits:
        originals = split.originals
        for start in range(0, len(split), BLOCK):
            kept = originals[start : start + BLOCK]
            if kept.any():
                images = split.checked_images(start, start + BLOCK)[kept]
                split.check_unchanged()
                yield slice(first, first + len(images)), images
                first += len(images)


def pictures(dataset: Dataset, places: Places) -> NDArray[np.uint8]:
    """The images of some originals, in the order of `places`: uint8 (n, H, W).

    The whole dataset is read once, because reading single rows of compressed chunks is slow.
    """
    chosen = np.zeros((len(places), *dataset.train.images.shape[1:]), np.uint8)
    order = np.argsort(places, kind="stable")
    ascending = places[order]
    for block, images in image_blocks(dataset):
        low, high = np.searchsorted(ascending, (block.start, block.stop))
        chosen[order[low:high]] = images[ascending[low:high] - block.start]
    return chosen


def sources(dataset: Dataset, originals: Originals, places: Places) -> list[str]:
    """Where the pictures of some originals came from, in the order of `places`."""
    by_split = [split.source for split in dataset.splits]
    numbers, rows = originals.split[places].tolist(), originals.row[places].tolist()
    return [by_split[number][row] for number, row in zip(numbers, rows, strict=True)]
