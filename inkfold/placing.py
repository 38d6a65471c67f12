"""Putting units of pictures into splits so that every class comes as near its target as it can."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TRAIN, VALIDATION, TEST = range(3)  # places in nouns.SPLITS

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Parts:
    """Which classes each unit has, and how many pictures of each."""

    label: NDArray[np.int32]
    count: NDArray[np.int32]
    start: Counts  # the parts of unit u are those from start[u] to before start[u + 1]

    @classmethod
    def of(cls, unit: Counts, labels: NDArray[np.int32]) -> Parts:
        """From the unit, 0 to U - 1, and the label of each picture, both of shape (N,)."""
        classes = int(labels.max()) + 1
        pairs, count = np.unique(unit * classes + labels, return_counts=True)
        start = np.searchsorted(pairs, np.arange(int(unit.max()) + 2) * classes)
        return cls((pairs % classes).astype(np.int32), count.astype(np.int32), start)

    def __getitem__(self, unit: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Labels and counts of one unit."""
        here = slice(self.start[unit], self.start[unit + 1])
        return self.label[here], self.count[here]

    def sizes(self) -> Counts:
        """Pictures of each unit."""
        return np.add.reduceat(self.count, self.start[:-1], dtype=np.int64)

    def having(self, label: int) -> Counts:
        """The units that have pictures of a class."""
        return np.searchsorted(self.start, np.flatnonzero(self.label == label), side="right") - 1


def place(
    parts: Parts, key: NDArray[np.uint64], wanted: Counts, allowed: list[int]
) -> NDArray[np.int8]:
    """Give every unit to one split.

    Units of several pictures come first, for they are the hardest to fit in; single pictures then
    fill what room is left; at last a class that misses a split gets a unit moved there.

    Parameters
    ----------
    parts : Parts
        What each of the U units holds.
    key : uint64 array of shape (U,)
        The order in which they are looked at, smallest first.
    wanted : int64 array of shape (C, 3)
        Pictures of each class for each split.
    allowed : list of int
        The splits that may get pictures, ascending; single pictures that find no room in test and
        validation go to the first of them.

    Returns
    -------
    split : int8 array of shape (U,)
    """
    table = _Table(wanted, np.zeros_like(wanted), allowed)
    size = parts.sizes()
    split = np.empty(len(size), np.int8)
    _place_groups(table, parts, split, _in_order(np.flatnonzero(size > 1), key))
    _place_singles(table, parts, split, _in_order(np.flatnonzero(size == 1), key))
    _repair(table, parts, split, key)
    return split


@dataclass(frozen=True)
class _Table:
    """Pictures of each class in each split: those wanted and those there, both (C, 3)."""

    wanted: Counts
    have: Counts
    splits: list[int]  # the splits that may get pictures


def _in_order(units: Counts, key: NDArray[np.uint64]) -> Counts:
    return units[np.argsort(key[units], kind="stable")]


def _place_groups(table: _Table, parts: Parts, home: NDArray[np.int8], units: Counts) -> None:
    """Each unit to the split where it lowers the sum of squared differences from the target most.

    Of several such splits it takes the one with the larger target.
    """
    for unit in units:
        label, count = parts[unit]
        wanted, have = table.wanted[label], table.have[label]
        cost = (count[:, None] * (count[:, None] + 2 * (have - wanted))).sum(axis=0)
        size = wanted.sum(axis=0)
        split = min(table.splits, key=lambda s: (cost[s], -size[s], s))
        home[unit] = split
        table.have[label, split] += count


def _place_singles(table: _Table, parts: Parts, home: NDArray[np.int8], units: Counts) -> None:
    """Single pictures, in the order given, fill their class's room in test, then in validation."""
    label = parts.label[parts.start[units]]
    by_class = np.argsort(label, kind="stable")
    units, label = units[by_class], label[by_class]
    counts = np.bincount(label, minlength=len(table.have))
    rank = np.arange(len(units)) - (np.cumsum(counts) - counts)[label]
    room = np.maximum(table.wanted - table.have, 0)
    test = room[label, TEST]
    split = np.full(len(units), table.splits[0], np.int8)
    split[rank < test + room[label, VALIDATION]] = VALIDATION
    split[rank < test] = TEST
    home[units] = split
    np.add.at(table.have, (label, split), 1)


def _repair(table: _Table, parts: Parts, home: NDArray[np.int8], key: NDArray[np.uint64]) -> None:
    """Where a class of 3 units or more has none in a split, move one there if others allow it."""
    units = np.bincount(parts.label, minlength=len(table.have))
    for label, split in np.argwhere((table.have == 0) & (units >= 3)[:, None]):
        if split not in table.splits or table.have[label, split]:  # a move may have filled two
            continue
        for unit in _in_order(parts.having(label), key):
            labels, count = parts[unit]
            donor = home[unit]
            if donor != split and (table.have[labels, donor] > count).all():
                table.have[labels, donor] -= count
                table.have[labels, split] += count
                home[unit] = split
                break
