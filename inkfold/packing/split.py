"""Putting pictures into splits so that every class comes as near its targets as it can."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inkfold.spec import TEST, TRAIN, VALIDATION

Rows = NDArray[np.int64]
Ids = NDArray[np.int64]
Leaders = NDArray[np.int32]
BATCH = 1 << 16


@dataclass(frozen=True)
class Units:
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
class Assignment:
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


def place_groups(assignment: Assignment, groups: Units) -> None:
    """Put every group into a split, in the order of the keys.

    As with single pictures, test is filled first, then validation, so that another group moves few
    of the others. A group goes there if that brings each of its classes nearer to its target. Those
    that found no such place are tried once more, and go where it is better for their classes taken
    together. The rest goes to train.
    """
    waiting = np.argsort(groups.key, kind="stable").tolist()
    for good in (_good_for_each, _good_together):
        waiting = [group for group in waiting if not _fill(assignment, groups[group], good)]
    for group in waiting:
        gains = assignment.gains(groups[group]).sum(axis=0)
        fallback = max(assignment.allowed, key=gains.__getitem__)
        assignment.put(groups[group], TRAIN if TRAIN in assignment.allowed else fallback)


def _fill(assignment: Assignment, rows: Rows, good: Callable[[Rows], bool]) -> bool:
    """Put a group into test or else into validation if it is good there; whether it was."""
    gains = assignment.gains(rows)
    for split in (TEST, VALIDATION):
        if good(gains[:, split]):  # never where the fraction and so every target is 0
            assignment.put(rows, split)
            return True
    return False


def _good_for_each(gains: Rows) -> bool:
    return bool(gains.min() >= 0 and gains.max() > 0)


def _good_together(gains: Rows) -> bool:
    return bool(gains.sum() > 0)


def place_singles(assignment: Assignment, label: int, rows: Rows) -> None:
    """Put single pictures of one class, in this order, where there is room: test, validation.

    The others go to train; there are none when its fraction is 0, for the targets are all met.
    """
    room = np.maximum(assignment.wanted[label] - assignment.have[label], 0)
    test, both = room[TEST], room[TEST] + room[VALIDATION]
    for split, some in (
        (TEST, rows[:test]),
        (VALIDATION, rows[test:both]),
        (TRAIN, rows[both:]),
    ):
        assignment.split[some] = split
        assignment.have[label, split] += len(some)


def repair(
    assignment: Assignment, groups: Units, key: Callable[[Rows], NDArray[np.uint64]]
) -> None:
    """Where a class of 3 units or more misses a split, move one there that nobody else will miss.

    A unit is a group, or a picture that is alone; `key` gives the keys of the latter.
    """
    enough = np.diff(assignment.starts) >= 3
    for label, split in np.argwhere((assignment.have == 0) & enough[:, None]).tolist():
        if (
            split not in assignment.allowed or assignment.have[label, split]
        ):  # one move may mend several
            continue
        for rows in _units(assignment, groups, key, label):
            if assignment.split[rows[0]] != split and assignment.spares(rows):
                assignment.put(rows, split)
                break


def _units(
    assignment: Assignment, groups: Units, key: Callable[[Rows], NDArray[np.uint64]], label: int
) -> list[Rows]:
    """The rows of each unit that a class has pictures in, by key; none when they are under 3."""
    places = np.flatnonzero(assignment.labels[groups.rows] == label)
    together = groups.of(places)
    here = np.arange(assignment.starts[label], assignment.starts[label + 1])
    alone = np.setdiff1d(here, groups.rows[places])
    units = [groups[group] for group in together] + list(alone[:, None])
    order = np.argsort(np.concatenate([groups.key[together], key(alone)]), kind="stable")
    return [units[place] for place in order] if len(units) >= 3 else []


def hashed(content: NDArray[np.uint64], seed: int, purpose: str) -> NDArray[np.uint64]:
    """Scramble `content` in a way that is another for every `seed` and `purpose`.

    The last step of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
    Generators", OOPSLA 2014): one to one, so that different contents never get the same key.
    """
    offset = hashlib.blake2b(f"{purpose} {seed}".encode(), digest_size=8).digest()
    bits = content ^ np.uint64(int.from_bytes(offset, "little"))
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return bits


def targets(counts: Ids, fractions: tuple[float, float, float]) -> Ids:
    """How many pictures of each class each split should get.

    Largest remainder; then a split with a positive fraction that would get none takes one from the
    largest: validation and test when the class has 3 pictures or more, train always.

    Parameters
    ----------
    counts : int64 array of shape (C,)
        Pictures of each class.
    fractions : three numbers from 0 that add up to 1

    Returns
    -------
    targets : int64 array of shape (C, 3)
        Each row adds up to the class's count.
    """
    quotas = counts[:, None] * np.array(fractions)
    wanted: Ids = np.floor(quotas).astype(np.int64)
    by_remainder = np.argsort(wanted - quotas, axis=1, kind="stable")
    rank = np.argsort(by_remainder, axis=1, kind="stable")
    wanted += rank < (counts - wanted.sum(axis=1))[:, None]
    for split, enough in ((TRAIN, 1), (VALIDATION, 3), (TEST, 3)):
        rows = np.flatnonzero((wanted[:, split] == 0) & (counts >= enough))
        if fractions[split] > 0:
            wanted[rows, wanted[rows].argmax(axis=1)] -= 1
            wanted[rows, split] += 1
    return wanted


def assign(
    labels: NDArray[np.int32],
    content: NDArray[np.uint64],
    leaders: NDArray[np.int32],
    fractions: tuple[float, float, float],
    seed: int,
) -> NDArray[np.int8]:
    """Give every picture to one split.

    Units come first, for they are the hardest to fit in; single pictures then fill what room is
    left; at last a class that misses a split gets a group or picture moved there if that is fair.

    Parameters
    ----------
    labels : int32 array of shape (N,)
        Ascending, every label from 0 to C - 1 is there.
    content : uint64 array of shape (N,)
        A digest of each picture's file: the same picture is treated alike among any others.
    leaders : int32 array of shape (N,)
        The first of the pictures that each picture has to stay with; its own number when alone.
    fractions : three numbers from 0 that add up to 1
        For train, validation and test; a split with fraction 0 stays empty.
    seed : int

    Returns
    -------
    split : int8 array of shape (N,)
        0 train, 1 validation, 2 test.
    """

    def key(rows: Ids) -> NDArray[np.uint64]:
        return hashed(content[rows], seed, "split")

    starts = np.searchsorted(labels, np.arange(labels[-1] + 2, dtype=labels.dtype))
    wanted = targets(np.diff(starts), fractions)
    nowhere = np.full(len(labels), -1, np.int8)
    allowed = [split for split in range(3) if fractions[split] > 0]
    assignment = Assignment(labels, starts, nowhere, wanted, np.zeros_like(wanted), allowed)
    groups = _groups(content, leaders, key)
    place_groups(assignment, groups)
    for label, (start, stop) in enumerate(pairwise(starts)):
        rows = start + np.flatnonzero(assignment.split[start:stop] < 0)
        place_singles(assignment, label, rows[np.argsort(key(rows), kind="stable")])
    repair(assignment, groups, key)
    return assignment.split


def _groups(
    content: NDArray[np.uint64],
    leaders: NDArray[np.int32],
    key: Callable[[Ids], NDArray[np.uint64]],
) -> Units:
    """The pictures that are not alone; the key of a group is that of its smallest content."""
    follows = leaders != np.arange(len(leaders), dtype=leaders.dtype)
    several = follows.copy()
    several[leaders[follows]] = True
    rows = np.flatnonzero(several)
    rows = rows[np.lexsort((content[rows], leaders[rows]))]
    starts = np.flatnonzero(np.diff(leaders[rows], prepend=-1))
    return Units(rows, starts, key(rows[starts]))


@dataclass(frozen=True)
class Groups:
    """Which group each picture is of: `numbers` int64 (N,); `named` bool (N,), or it is alone."""

    numbers: NDArray[np.int64]
    named: NDArray[np.bool_]


def leaders_of(ids: NDArray[np.int32] | NDArray[np.int64]) -> Leaders:
    """Leaders of pictures that belong together where their ids, of shape (N,), are equal."""
    order = np.argsort(ids, kind="stable")
    ids = ids[order]
    new = np.ones(len(ids), bool)
    new[1:] = ids[1:] != ids[:-1]
    starts = np.flatnonzero(new)
    leaders = np.empty(len(ids), np.int32)
    leaders[order] = np.repeat(order[starts].astype(np.int32), np.diff(starts, append=len(ids)))
    return leaders


def joined(one: Leaders, other: Leaders) -> Leaders:
    """Leaders of pictures that belong together by a chain of one kind or the other."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    follows = np.flatnonzero(other != np.arange(len(other), dtype=other.dtype))
    ends = np.concatenate([one[follows], one[other[follows]]])
    nodes, number = np.unique(ends, return_inverse=True)  # the groups that `other` ties together
    links = (np.ones(len(follows), np.int8), tuple(number.reshape(2, -1)))
    graph = coo_array(links, shape=(len(nodes), len(nodes)))
    part = connected_components(graph, directed=False)[1]
    leaders = np.arange(len(one), dtype=np.int32)
    leaders[nodes] = nodes[leaders_of(part)]
    return leaders[one]


def repeated(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The places of values that come more than once: uint64 (N,) -> int64 (few,), ascending."""
    values = np.sort(words)
    values = np.unique(values[1:][values[1:] == values[:-1]])
    if not len(values):
        return np.empty(0, np.int64)
    found = []
    for start in range(0, len(words), BATCH):
        here = words[start : start + BATCH]
        nearest = values[np.minimum(np.searchsorted(values, here), len(values) - 1)]
        found.append(start + np.flatnonzero(nearest == here))
    return np.concatenate(found)


def group_name(path: str, search: re.Pattern[str]) -> str:
    """The pattern's first parenthesis, or the whole match when it has none; "" for no match."""
    match = search.search(path)
    return (match[1 if search.groups else 0] or "") if match else ""


def numbered(names: Iterable[bytes]) -> Groups:
    """The groups of pictures by their names; a picture without one is a group of its own."""
    numbers, named = bytearray(), bytearray()
    for row, name in enumerate(names):
        text = b"group " + name if name else b"alone %d" % row
        numbers += hashlib.blake2b(text, digest_size=8).digest()
        named.append(bool(name))
    return Groups(np.frombuffer(numbers, np.int64), np.frombuffer(named, bool))
