"""The split that pictures come with: what is kept of it, and what is divided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.packing.large_arrays import Rows, chosen, followers, places_of, taken
from inkfold.packing.listing import NO_SIDE
from inkfold.packing.split import Fractions, Leaders, assign, leaders_of
from inkfold.spec import SPLITS, TEST, TRAIN, VALIDATION


def of_train(fractions: Fractions) -> Fractions:
    """How a train that comes with the pictures is divided: as the first two are to each other.

    Raises
    ------
    InkfoldError
        If the fractions give everything to test.
    """
    train, validation, _ = fractions
    if train + validation <= 0:
        raise InkfoldError(
            "the set has a test of its own, and --split leaves nothing for the rest; give "
            "fractions for train and validation, or add --resplit"
        )
    return train / (train + validation), validation / (train + validation), 0.0


@dataclass(frozen=True)
class Official:
    """The split that pictures come with.

    Attributes
    ----------
    side : int8 array of shape (N,)
        `TRAIN`, `VALIDATION`, `TEST`, or `NO_SIDE` for a picture that no split was given for.
    fractions : three numbers from 0 that add up to 1, the last of them 0
        How train is divided; not at all where a validation comes with the pictures.
    """

    side: NDArray[np.int8]
    fractions: Fractions

    def of(self, rows: Rows) -> Official:
        """The own split of the pictures number `rows`, which ascend."""
        return Official(chosen(self.side, rows), self.fractions)


def divide(
    labels: NDArray[np.int32],
    content: NDArray[np.uint64],
    leaders: Leaders,
    fractions: Fractions,
    seed: int,
    *,
    official: Official,
) -> NDArray[np.int8]:
    """Give every picture of a set with its own split to one split.

    The set's test pictures stay test, and its validation pictures validation. Its training pictures
    are divided into train and validation, unless it has a validation, and those that no split was
    given for into all three splits, each by `split.assign`. Units stay whole, as far as the set
    itself has not put them into several splits.

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
    split = official.side.copy()
    whole = (1.0, 0.0, 0.0) if (split == VALIDATION).any() else official.fractions
    for side, shares in ((TRAIN, whole), (NO_SIDE, fractions)):
        rows = places_of(official.side == side)
        if len(rows):
            units = leaders_of(taken(leaders, rows))
            dense = _dense(taken(labels, rows))
            split[rows] = assign(dense, chosen(content, rows), units, shares, seed)
    return split


def _dense(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Labels that ascend, numbered from 0 without a gap."""
    dense = np.zeros(len(labels), np.int32)
    np.not_equal(labels[1:], labels[:-1], out=dense[1:])
    return np.cumsum(dense, dtype=np.int32, out=dense)


def in_several(ids: NDArray[np.integer[Any]], split: NDArray[np.int8]) -> NDArray[np.integer[Any]]:
    """The ids, ascending, that pictures of more than one split have."""
    each = np.concatenate([np.unique(ids[split == place]) for place in range(len(SPLITS))])
    values, counts = np.unique(each, return_counts=True)
    return values[counts > 1]


def leaks(twins: Leaders, split: NDArray[np.int8]) -> int:
    """How many pictures of test have a twin elsewhere, and of validation a twin in train."""
    follow = followers(twins)
    leaders = np.unique(twins[follow])
    follow[leaders] = True  # no other picture has a twin
    rows = places_of(follow)
    twins, split = taken(twins, rows), taken(split, rows)
    outside = np.isin(twins[split == TEST], twins[split != TEST])
    seen = np.isin(twins[split == VALIDATION], twins[split == TRAIN])
    return int(outside.sum() + seen.sum())
