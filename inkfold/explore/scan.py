"""What the page shows of a dataset, gathered in one pass over a split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkfold.augmentation.preview import chosen_rows
from inkfold.dataset.reader import Dataset
from inkfold.dataset.split import Split
from inkfold.errors import InkfoldError
from inkfold.program import typed

SAMPLE = 3000  # pictures for PCA and t-SNE, which takes some ten seconds for so many
STORED = 5  # copies of an original of an augmented file that are shown


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What is kept of a split after reading it.

    Attributes
    ----------
    counts : int64 (C,)
        Measured pictures of each class.
    mean, deviation : float32 (C, H, W)
        Mean and standard deviation of each pixel within a class, 0 = paper to 255; zero where a
        class has no picture. The deviation divides by the count, as ``numpy.std`` does.
    levels : int64 (256,)
        How often each grey level occurs.
    pictures : uint8 (n, H, W)
        The wanted rows, in ascending order.
    """

    counts: NDArray[np.int64]
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    levels: NDArray[np.int64]
    pictures: NDArray[np.uint8]


@dataclass(frozen=True)
class Sample:
    """Pictures of a split drawn by lot: uint8 (n, H, W), and their labels, int32 (n,)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int32]


@dataclass(frozen=True)
class Stored:
    """An original of an augmented file, uint8 (H, W), with up to five of its copies (k, H, W)."""

    label: int
    original: NDArray[np.uint8]
    copies: NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Exploration:
    """What the page shows of a dataset.

    Attributes
    ----------
    counts : int64 (3, C)
        Originals of each split and class.
    copies : int
        Distorted copies in train.
    split : str
        The split whose originals are shown and measured: train, or the first that has pictures.
    scan : Scan
        Of these originals.
    examples : uint8 (C, K, H, W)
        The first originals of each class in file order, which packing shuffled; paper where a
        class has fewer than K.
    example_counts : int64 (C,)
        How many of the K are pictures.
    sample : Sample
        Drawn from these originals.
    stored : tuple of Stored
        Originals with their copies; empty where the file is not augmented.
    """

    counts: NDArray[np.int64]
    copies: int
    split: str
    scan: Scan
    examples: NDArray[np.uint8]
    example_counts: NDArray[np.int64]
    sample: Sample
    stored: tuple[Stored, ...]


def shown_split(dataset: Dataset) -> Split:
    """Train, or the first split that has pictures.

    Raises
    ------
    InkfoldError
        If no split has any.
    """
    for split in dataset.splits:
        if len(split):
            return split
    raise InkfoldError(
        f"{dataset.path} holds no picture; pack some with: {typed('create_dataset')} FOLDER"
    )


def explore(
    dataset: Dataset,
    *,
    examples: int,
    seed: int = 0,
    advance: Callable[[int], None] = lambda _rows: None,
) -> Exploration:
    """Gather what a page shows; the split that is shown is read once, block by block.

    Parameters
    ----------
    dataset : Dataset
    examples : int
        How many pictures of each class are kept.
    seed : int
        Draws the sample for PCA and t-SNE.
    advance : callable
        Called with the number of rows of each block that was read.

    Raises
    ------
    InkfoldError
        If the dataset holds no picture.
    """
    split = shown_split(dataset)
    classes = len(dataset.classes)
    originals = split.originals
    rows = np.flatnonzero(originals)
    firsts = first_of_each(split.labels, rows, classes, examples)
    drawn = np.sort(np.random.default_rng(seed).permutation(rows)[:SAMPLE])
    families = _families(split, rows)
    wanted = np.unique(np.concatenate([firsts[firsts >= 0], drawn, *families]))
    scanned = scan(split, originals, wanted, classes, advance=advance)

    def pictures(rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        return scanned.pictures[np.searchsorted(wanted, rows)]

    shown = pictures(np.maximum(firsts, wanted[0]))
    shown[firsts < 0] = 0
    return Exploration(
        counts=np.stack([each.counts(classes, originals=True) for each in dataset.splits]),
        copies=int((~dataset.train.originals).sum()),
        split=split.name,
        scan=scanned,
        examples=shown,
        example_counts=(firsts >= 0).sum(axis=1),
        sample=Sample(pictures(drawn), split.labels[drawn]),
        stored=tuple(
            Stored(int(split.labels[family[0]]), pictures(family[:1])[0], pictures(family[1:]))
            for family in families
        ),
    )


def first_of_each(
    labels: NDArray[np.int32], rows: NDArray[np.int64], classes: int, most: int
) -> NDArray[np.int64]:
    """The first `most` of `rows` of each class, int64 (classes, most); -1 where it has fewer."""
    ordered = rows[np.argsort(labels[rows], kind="stable")]
    starts = np.searchsorted(labels[ordered], np.arange(classes))
    place = np.arange(len(ordered)) - starts[labels[ordered]]
    first = np.full((classes, most), -1, np.int64)
    kept = place < most
    first[labels[ordered][kept], place[kept]] = ordered[kept]
    return first


def _families(split: Split, originals: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Rows of an original and of its first copies, for some originals of an augmented split."""
    origin, copy = split.origin, split.copy
    if origin is None or copy is None:
        return []
    families = []
    for row in originals[chosen_rows(split.labels[originals])]:
        rows = np.flatnonzero(origin == origin[row])
        families.append(rows[np.argsort(copy[rows], kind="stable")][: 1 + STORED])
    return families


def scan(
    split: Split,
    measured: NDArray[np.bool_],
    wanted: NDArray[np.int64],
    classes: int,
    *,
    advance: Callable[[int], None] = lambda _rows: None,
) -> Scan:
    """Read a split once, block by block.

    Parameters
    ----------
    split : Split
    measured : bool (N,)
        The rows of which counts, means and levels are taken.
    wanted : int64 (n,)
        Rows whose pictures are kept: ascending, each once.
    classes : int
    advance : callable
        Called with the number of rows of each block that was read.
    """
    sums = _Sums(classes, split.images.shape[1:])
    pictures = np.zeros((len(wanted), *split.images.shape[1:]), np.uint8)
    for block in split.blocks():
        counted = measured[block.rows]
        sums.add(block.images[counted], block.labels[counted])
        first, last = np.searchsorted(wanted, (block.rows[0], block.rows[-1] + 1))
        pictures[first:last] = block.images[wanted[first:last] - block.rows[0]]
        advance(len(block.rows))
    mean, deviation = sums.moments()
    return Scan(
        counts=sums.counts,
        mean=mean,
        deviation=deviation,
        levels=sums.levels,
        pictures=pictures,
    )


class _Sums:
    """Sums over each class, in whole numbers, so that they do not depend on the order of blocks."""

    def __init__(self, classes: int, shape: tuple[int, ...]) -> None:
        self.counts = np.zeros(classes, np.int64)
        self.sums = np.zeros((classes, *shape), np.int64)
        self.squares = np.zeros((classes, *shape), np.int64)
        self.levels = np.zeros(256, np.int64)

    def add(self, images: NDArray[np.uint8], labels: NDArray[np.int32]) -> None:
        """Add images, uint8 (n, H, W), and their labels, int32 (n,)."""
        order = np.argsort(labels, kind="stable")
        present, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
        wide = images[order].astype(np.int32)
        self.counts[present] += counts
        self.levels += np.bincount(images.ravel(), minlength=256)
        for label, start, count in zip(present, starts, counts, strict=True):
            own = wide[start : start + count]
            self.sums[label] += own.sum(axis=0)
            self.squares[label] += np.square(own).sum(axis=0)

    def moments(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and standard deviation, float32 (C, H, W) each.

        They are made class by class, so that no third array of full precision is in memory.
        """
        mean = np.zeros(self.sums.shape, np.float32)
        deviation = np.zeros(self.sums.shape, np.float32)
        for label in np.flatnonzero(self.counts):
            n = int(self.counts[label])
            mean[label] = self.sums[label] / n
            # n times the sum of squares less the square of the sum: exact in whole numbers
            spread = n * self.squares[label] - np.square(self.sums[label])
            deviation[label] = np.sqrt(spread) / n
        return mean, deviation
