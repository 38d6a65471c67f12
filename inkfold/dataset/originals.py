"""The originals of all three splits under one numbering, for what looks at every picture.

Distorted copies are left out. The audit and the page of ``explore.py`` read a dataset in this way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.reader import Dataset
from inkfold.dataset.split import BLOCK, Split

TEXTS = 1 << 16  # texts that are read together
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
    kept = [split.originals for split in dataset.splits]
    counts = [int(np.count_nonzero(each)) for each in kept]
    made = Originals(
        split=np.repeat(np.arange(len(kept), dtype=np.int8), counts),
        row=np.empty(sum(counts), np.int64),
        label=np.empty(sum(counts), np.int32),
        digest=np.empty((sum(counts), 2), np.uint64),
    )
    first = 0
    for split, each, count in zip(dataset.splits, kept, counts, strict=True):
        part = slice(first, first + count)
        made.row[part] = np.flatnonzero(each)
        made.label[part] = split.labels[each]
        digest = split.digest.view(np.uint64)
        made.digest[part] = digest if count == len(split) else digest[each]
        first += count
    return made


def image_blocks(
    dataset: Dataset, wanted: Places | None = None
) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
    """The images of every original once, in the order of `Originals`.

    Parameters
    ----------
    dataset : Dataset
    wanted : int64 array of shape (n,), optional
        Blocks are left out that hold none of these places, which ascend.

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
            stop = first + int(np.count_nonzero(kept))
            if stop > first and (wanted is None or _any_within(wanted, first, stop)):
                images = split.checked_images(start, start + BLOCK)[kept]
                split.check_unchanged()
                yield slice(first, stop), images
            first = stop


def _any_within(places: Places, start: int, stop: int) -> bool:
    """Whether one of the places, which ascend, is from `start` to before `stop`."""
    at = int(np.searchsorted(places, start))
    return at < len(places) and int(places[at]) < stop


def pictures(dataset: Dataset, places: Places) -> NDArray[np.uint8]:
    """The images of some originals, in the order of `places`: uint8 (n, H, W).

    Blocks that hold some of them are read once, because reading single rows of compressed chunks is
    slow.
    """
    chosen = np.zeros((len(places), *dataset.train.images.shape[1:]), np.uint8)
    order = np.argsort(places, kind="stable")
    ascending = places[order]
    for block, images in image_blocks(dataset, ascending):
        low, high = np.searchsorted(ascending, (block.start, block.stop))
        chosen[order[low:high]] = images[ascending[low:high] - block.start]
    return chosen


def sources(dataset: Dataset, originals: Originals, places: Places) -> list[str]:
    """Where the pictures of some originals came from, in the order of `places`."""
    found = [""] * len(places)
    numbers, rows = originals.split[places], originals.row[places]
    for number, split in enumerate(dataset.splits):
        own = np.flatnonzero(numbers == number)
        for at, text in zip(own.tolist(), texts_at(split, "source", rows[own]), strict=True):
            found[at] = text
    return found


def texts_at(split: Split, name: str, rows: Places) -> list[str]:
    """The array "source" or "group" at some rows of a split, in the order of `rows`.

    Texts are read by blocks, and those alone are kept that are asked for.
    """
    found = [""] * len(rows)
    order = np.argsort(rows, kind="stable")
    ascending = rows[order]
    for begin in (np.unique(ascending // TEXTS) * TEXTS).tolist():
        low, high = np.searchsorted(ascending, (begin, begin + TEXTS))
        texts = split.texts(name, slice(begin, begin + TEXTS))
        for at, row in zip(order[low:high].tolist(), ascending[low:high].tolist(), strict=True):
            found[at] = texts[row - begin]
    return found


def groups_of(split: Split) -> Iterator[str]:
    """Writer, page or sheet of each row of a split, by blocks; nothing where there are none."""
    if split.has_groups:
        for start in range(0, len(split), TEXTS):
            yield from split.texts("group", slice(start, start + TEXTS))
