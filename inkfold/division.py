"""Pictures into splits where a set has a split of its own: its test stays test, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.grouping import Leaders, leaders_of
from inkfold.spec import SPLITS, TEST, TRAIN
from inkfold.split import assign

NONE = -1
Fractions = tuple[float, float, float]


@dataclass(frozen=True)
class Official:
    """A set's own split.

    Parameters
    ----------
    side : int8 array of shape (N,)
        `TRAIN`, `TEST`, or `NONE` for a picture that is on neither side.
    fractions : three numbers from 0 that add up to 1, the last of them 0
        By which its train is divided.
    """

    side: NDArray[np.int8]
    fractions: Fractions

    def of(self, rows: NDArray[np.integer[Any]]) -> Official:
        """The same of some pictures only."""
        return Official(self.side[rows], self.fractions)


def divide(
    labels: NDArray[np.int32],
    content: NDArray[np.uint64],
    leaders: Leaders,
    fractions: Fractions,
    seed: int,
    *,
    official: Official,
) -> NDArray[np.int8]:
    """Give every picture to one split.

    The test pictures of the set stay where they are. Its training pictures are divided into train
    and validation, and those that are on neither side into all three, each by `split.assign`. What
    has to stay together does, as far as the set itself has not put it on both sides.

    Parameters
    ----------
    labels, content, leaders, fractions, seed
        As `split.assign` takes them.
    official : Official

    Returns
    -------
    split : int8 array of shape (N,)
        0 train, 1 validation, 2 test.
    """
    split = np.full(len(labels), TEST, np.int8)
    for side, shares in ((TRAIN, official.fractions), (NONE, fractions)):
        rows = np.flatnonzero(official.side == side)
        if len(rows):
            _, dense = np.unique(labels[rows], return_inverse=True)
            mates = leaders_of(leaders[rows])
            split[rows] = assign(dense.astype(np.int32), content[rows], mates, shares, seed)
    return split


def on_both_sides(
    ids: NDArray[np.int32] | NDArray[np.int64], split: NDArray[np.int8]
) -> NDArray[np.int32] | NDArray[np.int64]:
    """The ids, ascending, that pictures of test have and pictures of other splits too."""
    test = split == TEST
    return np.intersect1d(ids[test], ids[~test])


def missing_splits(
    classes: tuple[str, ...],
    labels: NDArray[np.int32],
    split: NDArray[np.int8],
    wanted: NDArray[np.bool_],
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The classes that have no picture in some of the `wanted` splits, with the names of these.

    `labels` are ascending, and every one is there.
    """
    starts = np.searchsorted(labels, np.arange(len(classes), dtype=labels.dtype))
    have = [np.add.reduceat(split == s, starts, dtype=np.int64) for s in range(3)]
    lacks = (np.transpose(have) == 0) & wanted
    return tuple(
        (classes[label], tuple(SPLITS[s] for s in np.flatnonzero(lacks[label])))
        for label in np.flatnonzero(lacks.any(axis=1))
    )
