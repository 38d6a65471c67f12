"""Putting pictures into splits so that every class comes as near its targets as it can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkfold.spec import TEST, TRAIN, VALIDATION

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Groups:
    """The pictures that have to stay with others: `rows`, group by group, which begin at `starts`.

    `key` uint64 (G,) says in which order the groups are looked at, smallest first.
    """

    rows: Rows
    starts: Rows
    key: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, group: int) -> Rows:
        """The rows of one group."""
        end = self.starts[group + 1] if group + 1 < len(self) else len(self.rows)
        return self.rows[self.starts[group] : end]

    def of(self, places: Rows) -> Rows:
        """The groups of the pictures at some places of `rows`."""
        return np.unique(np.searchsorted(self.starts, places, side="right") - 1)


@dataclass(frozen=True)
class Table:
    """Where the pictures are put, and how many of each class that makes.

    `labels` int32 (N,) ascending, `starts` int64 (C + 1,) the first row of each class; `split` int8
    (N,) where each picture is, -1 for nowhere yet; `wanted` and `have` int64 (C, 3); `allowed` the
    splits that may get pictures.
    """

    labels: NDArray[np.int32]
    starts: Rows
    split: NDArray[np.int8]
    wanted: Rows
    have: Rows
    allowed: list[int]

    def put(self, rows: Rows, split: int) -> None:
        """Put pictures into a split, together, from nowhere or from the one split they are in."""
        label, count = self._classes(rows)
        donor = self.split[rows[0]]
        if donor >= 0:
            self.have[label, donor] -= count
        self.have[label, split] += count
        self.split[rows] = split

    def gains(self, rows: Rows) -> NDArray[np.int64]:
        """How much nearer to its target each class of a group would come in each split, (c, 3).

        By the fall of the squared difference: below 0 where that would put the class further off.
        """
        label, count = self._classes(rows)
        gap = self.wanted[label] - self.have[label]
        return count[:, None] * (2 * gap - count[:, None])

    def spares(self, rows: Rows) -> bool:
        """Whether the split that these pictures are in keeps some of each of their classes."""
        label, count = self._classes(rows)
        return bool((self.have[label, self.split[rows[0]]] > count).all())

    def _classes(self, rows: Rows) -> tuple[NDArray[np.int32], Rows]:
        return np.unique(self.labels[rows], return_counts=True)


def place_groups(table: Table, groups: Groups) -> None:
    """Put every group into a split, in the order of the keys.

    As with single pictures, test is filled first, then validation, so that another group moves few
    of the others. A group goes there if that brings each of its classes nearer to its target. Those
    that found no such place are tried once more, and go where it is better for their classes taken
    together. The rest goes to train.
    """
    waiting = np.argsort(groups.key, kind="stable").tolist()
    for good in (_good_for_each, _good_together):
        waiting = [group for group in waiting if not _fill(table, groups[group], good)]
    for group in waiting:
        gains = table.gains(groups[group]).sum(axis=0)
        fallback = max(table.allowed, key=gains.__getitem__)
        table.put(groups[group], TRAIN if TRAIN in table.allowed else fallback)


def _fill(table: Table, rows: Rows, good: Callable[[Rows], bool]) -> bool:
    """Put a group into test or else into validation if it is good there; whether it was."""
    gains = table.gains(rows)
    for split in (TEST, VALIDATION):
        if good(gains[:, split]):  # never where the fraction and so every target is 0
            table.put(rows, split)
            return True
    return False


def _good_for_each(gains: Rows) -> bool:
    return bool(gains.min() >= 0 and gains.max() > 0)


def _good_together(gains: Rows) -> bool:
    return bool(gains.sum() > 0)


def place_singles(table: Table, label: int, rows: Rows) -> None:
    """Put single pictures of one class, in this order, where there is room: test, validation.

    The others go to train; there are none when its fraction is 0, for the targets are all met.
    """
    room = np.maximum(table.wanted[label] - table.have[label], 0)
    test, both = room[TEST], room[TEST] + room[VALIDATION]
    for split, some in (
        (TEST, rows[:test]),
        (VALIDATION, rows[test:both]),
        (TRAIN, rows[both:]),
    ):
        table.split[some] = split
        table.have[label, split] += len(some)


def repair(table: Table, groups: Groups, key: Callable[[Rows], NDArray[np.uint64]]) -> None:
    """Where a class of 3 units or more misses a split, move one there that nobody else will miss.

    A unit is a group, or a picture that is alone; `key` gives the keys of the latter.
    """
    enough = np.diff(table.starts) >= 3
    for label, split in np.argwhere((table.have == 0) & enough[:, None]).tolist():
        if split not in table.allowed or table.have[label, split]:  # one move may mend several
            continue
        for rows in _units(table, groups, key, label):
            if table.split[rows[0]] != split and table.spares(rows):
                table.put(rows, split)
                break


def _units(
    table: Table, groups: Groups, key: Callable[[Rows], NDArray[np.uint64]], label: int
) -> list[Rows]:
    """The rows of each unit that a class has pictures in, by key; none when they are under 3."""
    places = np.flatnonzero(table.labels[groups.rows] == label)
    together = groups.of(places)
    here = np.arange(table.starts[label], table.starts[label + 1])
    alone = np.setdiff1d(here, groups.rows[places])
    units = [groups[group] for group in together] + list(alone[:, None])
    order = np.argsort(np.concatenate([groups.key[together], key(alone)]), kind="stable")
    return [units[place] for place in order] if len(units) >= 3 else []
