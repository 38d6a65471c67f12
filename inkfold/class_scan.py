"""One pass over a split: mean and variability of each class, grey levels, and a few pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.reader import Split


@dataclass(frozen=True)
class Scan:
    """What is kept of the pictures of a split that were read.

    Attributes
    ----------
    counts : int64 (C,)
        Pictures of each class.
    mean, deviation : float32 (C, H, W)
        Mean and standard deviation of each pixel within a class, 0 = paper to 255; zero where a
        class has no picture. The deviation divides by the count, as ``numpy.std`` does.
    levels : int64 (256,)
        How often each grey level occurs.
    pictures : uint8 (n, H, W)
        Those that were wanted, in ascending order of their rows.
    """

    counts: NDArray[np.int64]
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    levels: NDArray[np.int64]
    pictures: NDArray[np.uint8]


class _Sums:
    """Sums over each class, in whole numbers: the order of the blocks cannot be seen in them."""

    def __init__(self, classes: int, shape: tuple[int, ...]) -> None:
        self.counts = np.zeros(classes, np.int64)
        self.sums = np.zeros((classes, *shape), np.int64)
        self.squares = np.zeros((classes, *shape), np.int64)
        self.levels = np.zeros(256, np.int64)

    def add(self, images: NDArray[np.uint8], labels: NDArray[np.int32]) -> None:
        order = np.argsort(labels, kind="stable")
        found, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
        wide = images[order].astype(np.int32)
        self.counts[found] += counts
        self.levels += np.bincount(images.ravel(), minlength=256)
        for label, start, count in zip(found, starts, counts, strict=True):
            some = wide[start : start + count]
            self.sums[label] += some.sum(axis=0)
            self.squares[label] += np.square(some).sum(axis=0)

    def moments(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and standard deviation, class by class: no third array of full precision."""
        mean = np.zeros(self.sums.shape, np.float32)
        deviation = np.zeros(self.sums.shape, np.float32)
        for label in np.flatnonzero(self.counts):
            n = int(self.counts[label])
            mean[label] = self.sums[label] / n
            # n times the squares less the square of the sum is exact in whole numbers
            spread = n * self.squares[label] - np.square(self.sums[label])
            deviation[label] = np.sqrt(spread) / n
        return mean, deviation


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
        The rows that the statistics are of.
    wanted : int64 (n,)
        Rows whose pictures are kept: ascending, each once.
    classes : int
    advance : callable
        Told the number of rows after each block.
    """
    sums = _Sums(classes, split.images.shape[1:])
    pictures = np.zeros((len(wanted), *split.images.shape[1:]), np.uint8)
    for block in split.blocks():
        here = measured[block.rows]
        sums.add(block.images[here], block.labels[here])
        first, last = np.searchsorted(wanted, (block.rows[0], block.rows[-1] + 1))
        pictures[first:last] = block.images[wanted[first:last] - block.rows[0]]
        advance(len(block.rows))
    mean, deviation = sums.moments()
    return Scan(sums.counts, mean, deviation, sums.levels, pictures)
