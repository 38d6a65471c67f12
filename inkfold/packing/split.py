"""Which pictures belong together, and which split each of them goes to.

A unit is what stays in one split: a group, twins, what groups and twins tie together, or a picture
alone. Twins are pictures with the same pixels. `assign` gives whole units to splits so that every
class comes as near its targets as it can.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.packing.large_arrays import (
    Rows,
    Scalar,
    batches,
    followers,
    gathered,
    ordered,
    places_of,
    row_type,
    taken,
)
from inkfold.spec import TEST, TRAIN, VALIDATION

Counts = NDArray[np.int64]
Leaders = Rows
Fractions = tuple[float, float, float]  # of train, validation and test
Keys = Callable[[Rows], NDArray[np.uint64]]


@dataclass(frozen=True)
class Groups:
    """The group of each picture.

    Attributes
    ----------
    numbers : int64 array of shape (N,)
        Equal for the pictures of one group.
    named : bool array of shape (N,)
        Whether the picture's group is known; otherwise the picture is a group of its own.
    """

    numbers: NDArray[np.int64]
    named: NDArray[np.bool_]


@dataclass(frozen=True)
class Units:
    """The units of two pictures or more.

    Attributes
    ----------
    rows : array of row numbers of shape (M,)
        The pictures, unit by unit.
    starts : array of row numbers of shape (U,)
        Where in `rows` each unit begins.
    key : uint64 array of shape (U,)
        The order in which the units are looked at, smallest first.
    """

    rows: Rows
    starts: Rows
    key: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, unit: int) -> Rows:
        """The rows of one unit."""
        end = self.starts[unit + 1] if unit + 1 < len(self) else len(self.rows)
        return self.rows[self.starts[unit] : end]

    def of(self, places: Rows) -> Rows:
        """The units of the pictures at some places of `rows`."""
        return np.unique(np.searchsorted(self.starts, places, side="right") - 1)


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """The split of every picture so far, and how many pictures of each class that makes.

    Attributes
    ----------
    labels : int32 array of shape (N,)
        Ascending.
    starts : int64 array of shape (C + 1,)
        The first row of each class, and N.
    split : int8 array of shape (N,)
        The split of each picture, -1 as long as it has none.
    wanted, have : int64 arrays of shape (C, 3)
        How many pictures of each class each split should get, and has.
    allowed : list of int
        The splits that may get pictures.
    """

    labels: NDArray[np.int32]
    starts: Rows
    split: NDArray[np.int8]
    wanted: Counts
    have: Counts
    allowed: list[int]

    def put(self, rows: Rows, split: int) -> None:
        """Put a unit into a split, be it in no split yet or in another one."""
        label, count = self._classes(rows)
        donor = self.split[rows[0]]
        if donor >= 0:
            self.have[label, donor] -= count
        self.have[label, split] += count
        self.split[rows] = split

    def gains(self, rows: Rows) -> Counts:
        """How much nearer to its target each class of a unit would come in each split, (c, 3).

        Measured by the fall of the squared difference: negative where the unit would put the class
        further off its target.
        """
        label, count = self._classes(rows)
        gap = self.wanted[label] - self.have[label]
        return count[:, None] * (2 * gap - count[:, None])

    def spares(self, rows: Rows) -> bool:
        """Whether a unit's split would keep pictures of each of the unit's classes without it."""
        label, count = self._classes(rows)
        return bool((self.have[label, self.split[rows[0]]] > count).all())

    def _classes(self, rows: Rows) -> tuple[NDArray[np.int32], Counts]:
        """The labels in a unit, and how many pictures of each it has."""
        return np.unique(self.labels[rows], return_counts=True)


def assign(
    labels: NDArray[np.int32],
    content: NDArray[np.uint64],
    leaders: Leaders,
    fractions: Fractions,
    seed: int,
) -> NDArray[np.int8]:
    """Give every picture to one split.

    Units of several pictures come first, for they are the hardest to fit in; single pictures then
    fill the room that is left. At last a class that misses a split gets a unit moved there, if no
    class loses its last picture in a split by that.

    Parameters
    ----------
    labels : int32 array of shape (N,)
        Ascending; every label from 0 to C - 1 occurs.
    content : uint64 array of shape (N,)
        A digest of each picture's file: the same picture is treated alike among any others.
    leaders : array of row numbers of shape (N,)
        The first picture of each picture's unit; the picture's own number if it is alone.
    fractions : three numbers from 0 that add up to 1
        For train, validation and test; a split with fraction 0 stays empty.
    seed : int

    Returns
    -------
    split : int8 array of shape (N,)
        0 train, 1 validation, 2 test.
    """

    def key(rows: Rows) -> NDArray[np.uint64]:
        return hashed(taken(content, rows), seed, "split")

    starts = np.searchsorted(labels, np.arange(labels[-1] + 2, dtype=labels.dtype))
    wanted = targets(np.diff(starts), fractions)
    assignment = Assignment(
        labels=labels,
        starts=starts,
        split=np.full(len(labels), -1, np.int8),
        wanted=wanted,
        have=np.zeros_like(wanted),
        allowed=[split for split in range(3) if fractions[split] > 0],
    )
    units = _units(content, leaders, seed)
    _place_units(assignment, units)
    for label, (start, stop) in enumerate(pairwise(starts.tolist())):
        rows = places_of(assignment.split[start:stop] < 0, start)
        _place_singles(assignment, label, rows, key)
    _repair(assignment, units, key)
    return assignment.split


def targets(counts: Counts, fractions: Fractions) -> Counts:
    """How many pictures of each class each split should get.

    Largest remainder; then a split with a positive fraction that would get no picture takes one
    from the largest: validation and test when the class has 3 pictures or more, train always.

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
    wanted: Counts = np.floor(quotas).astype(np.int64)
    by_remainder = np.argsort(wanted - quotas, axis=1, kind="stable")
    rank = np.argsort(by_remainder, axis=1, kind="stable")
    wanted += rank < (counts - wanted.sum(axis=1))[:, None]
    for split, enough in ((TRAIN, 1), (VALIDATION, 3), (TEST, 3)):
        rows = np.flatnonzero((wanted[:, split] == 0) & (counts >= enough))
        if fractions[split] > 0:
            wanted[rows, wanted[rows].argmax(axis=1)] -= 1
            wanted[rows, split] += 1
    return wanted


def hashed(content: NDArray[np.uint64], seed: int, purpose: str) -> NDArray[np.uint64]:
    """Scramble `content` in a way that differs for every `seed` and `purpose`.

    The last step of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
    Generators", OOPSLA 2014): one to one, so that different contents never get the same key.
    """
    offset = hashlib.blake2b(f"{purpose} {seed}".encode(), digest_size=8).digest()
    keys = np.empty(len(content), np.uint64)
    for part in batches(len(content)):
        bits = content[part] ^ np.uint64(int.from_bytes(offset, "little"))
        bits ^= bits >> np.uint64(30)
        bits *= np.uint64(0xBF58476D1CE4E5B9)
        bits ^= bits >> np.uint64(27)
        bits *= np.uint64(0x94D049BB133111EB)
        bits ^= bits >> np.uint64(31)
        keys[part] = bits
    return keys


def smallest(keys: NDArray[np.uint64], count: int) -> NDArray[np.bool_]:
    """Which keys are the `count` smallest; of equal ones the first: uint64 (N,) -> bool (N,)."""
    if not 0 < count < len(keys):
        return np.full(len(keys), count > 0)
    bound = np.partition(keys, count - 1)[count - 1]
    chosen: NDArray[np.bool_] = keys < bound
    equal = np.flatnonzero(keys == bound)
    chosen[equal[: count - np.count_nonzero(chosen)]] = True
    return chosen


def _units(content: NDArray[np.uint64], leaders: Leaders, seed: int) -> Units:
    """The pictures that are not alone; the key of a unit is that of its smallest content."""
    several = followers(leaders)
    for part in batches(len(leaders)):
        several[leaders[part][several[part]]] = True
    rows, starts = gathered(leaders, several)
    ends, least = np.append(starts[1:], len(rows)), np.empty(len(starts), np.uint64)
    for part in batches(len(starts)):
        begin, end = starts[part.start], ends[part.stop - 1]
        some = taken(content, rows[begin:end])
        least[part] = np.minimum.reduceat(some, starts[part] - begin)
    return Units(rows, starts, hashed(least, seed, "split"))


def _place_units(assignment: Assignment, units: Units) -> None:
    """Put every unit of several pictures into a split, in the order of the keys.

    As with single pictures, test is filled first, then validation, so that a new unit moves few of
    the others. A unit goes there if that brings each of its classes nearer to its target. Units
    that did not fit are tried once more, and go where the gain of their classes taken together is
    positive. The rest goes to train.
    """
    waiting = ordered(units.key)
    for good in (_good_for_each, _good_together):
        filled = (_fill(assignment, units[unit], good) for unit in waiting)
        waiting = waiting[~np.fromiter(filled, bool, len(waiting))]
    for unit in waiting:
        gains = assignment.gains(units[unit]).sum(axis=0)
        fallback = max(assignment.allowed, key=gains.__getitem__)
        assignment.put(units[unit], TRAIN if TRAIN in assignment.allowed else fallback)


def _fill(assignment: Assignment, rows: Rows, good: Callable[[Counts], bool]) -> bool:
    """Put a unit into test, or else into validation, if it is good there; whether it was put."""
    gains = assignment.gains(rows)
    for split in (TEST, VALIDATION):
        if good(gains[:, split]):  # never where the fraction and so every target is 0
            assignment.put(rows, split)
            return True
    return False


def _good_for_each(gains: Counts) -> bool:
    return bool(gains.min() >= 0 and gains.max() > 0)


def _good_together(gains: Counts) -> bool:
    return bool(gains.sum() > 0)


def _place_singles(assignment: Assignment, label: int, rows: Rows, key: Keys) -> None:
    """Put single pictures of one class, smallest key first, where there is room: test, validation.

    The others go to train. If its fraction is 0 all pictures have found room before, for the
    targets of the other splits add up to the class.
    """
    room = np.maximum(assignment.wanted[label] - assignment.have[label], 0).tolist()
    keys = key(rows)
    placed = np.full(len(rows), TRAIN, np.int8)
    placed[smallest(keys, room[TEST] + room[VALIDATION])] = VALIDATION
    placed[smallest(keys, room[TEST])] = TEST
    assignment.split[rows] = placed
    assignment.have[label] += np.bincount(placed, minlength=3)


def _repair(assignment: Assignment, units: Units, key: Keys) -> None:
    """Where a class with 3 units or more misses a split, move a unit there that can be spared.

    `key` gives the keys of the single pictures.
    """
    enough = np.diff(assignment.starts) >= 3
    for label, split in np.argwhere((assignment.have == 0) & enough[:, None]).tolist():
        if split not in assignment.allowed or assignment.have[label, split]:
            continue  # one move may have mended several classes
        for rows in _units_of_class(assignment, units, key, label):
            if assignment.split[rows[0]] != split and assignment.spares(rows):
                assignment.put(rows, split)
                break


def _units_of_class(assignment: Assignment, units: Units, key: Keys, label: int) -> Iterator[Rows]:
    """The rows of each unit with pictures of one class, by key; none if there are fewer than 3."""
    places = np.flatnonzero(assignment.labels[units.rows] == label)
    several = units.of(places)
    pictures = np.arange(assignment.starts[label], assignment.starts[label + 1])
    alone = np.setdiff1d(pictures, units.rows[places])
    if len(several) + len(alone) < 3:
        return
    for place in ordered(np.concatenate([units.key[several], key(alone)])):
        if place < len(several):
            yield units[several[place]]
        else:
            yield alone[place - len(several), None]


def group_name(path: str, search: re.Pattern[str]) -> str:
    """The pattern's first parenthesis, or the whole match if it has none; "" without a match."""
    match = search.search(path)
    return (match[1 if search.groups else 0] or "") if match else ""


def numbered(names: Iterable[bytes]) -> Groups:
    """The groups of pictures by the groups' names; a picture without one is a group of its own."""
    numbers, named = bytearray(), bytearray()
    for row, name in enumerate(names):
        text = b"group " + name if name else b"alone %d" % row
        numbers += hashlib.blake2b(text, digest_size=8).digest()
        named.append(bool(name))
    return Groups(np.frombuffer(numbers, np.int64), np.frombuffer(named, bool))


def leaders_of(ids: NDArray[np.integer[Any]]) -> Leaders:
    """The first picture with the id of each picture: ids of shape (N,) -> rows (N,)."""
    values = _different(np.sort(ids))
    kind = row_type(len(ids))
    first, leaders = np.empty(len(values), kind), np.empty(len(ids), kind)
    for part in reversed(list(batches(len(ids)))):
        leaders[part] = number = np.searchsorted(values, ids[part])
        first[number[::-1]] = np.arange(part.stop - 1, part.start - 1, -1)  # the last one counts
    del values
    for part in batches(len(ids)):
        leaders[part] = first[leaders[part]]
    return leaders


def _different(values: NDArray[Scalar]) -> NDArray[Scalar]:
    """The different ones of values that ascend."""
    new = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return values[new]


def joined(groups: Leaders, twins: Leaders) -> Leaders:
    """The leaders of units, which chains of groups and twins tie together."""
    follows = places_of(followers(twins))
    ends = np.concatenate([groups[follows], groups[twins[follows]]])
    nodes, number = np.unique(ends, return_inverse=True)  # the groups that twins tie together
    least = nodes[components(number.reshape(2, -1), len(nodes))]
    units = groups.copy()
    for part in batches(len(units) if len(nodes) else 0):
        place = np.minimum(np.searchsorted(nodes, units[part]), len(nodes) - 1)
        units[part] = np.where(nodes[place] == units[part], least[place], units[part])
    return units


def components(links: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """The least node that each node is tied to by a chain of links: (2, n) -> (count,).

    Each round hands the lesser end of a link to the other end's representative and shortens all
    chains to one step. SciPy has the same, and takes 140 MB that a light installation lacks
    (docs/decisions/0022-installed.md).
    """
    least = np.arange(count)
    while True:
        ends = least[links]
        np.minimum.at(least, ends[::-1].ravel(), ends.ravel())
        while not np.array_equal(shorter := least[least], least):
            least = shorter
        if (least[links[0]] == least[links[1]]).all():
            return least


def repeated(words: NDArray[np.uint64]) -> Rows:
    """The places of values that occur more than once: uint64 (N,) -> rows (few,), ascending."""
    values = np.sort(words)
    values = _different(values[1:][values[1:] == values[:-1]])
    again = np.zeros(len(words), bool)
    for part in batches(len(words) if len(values) else 0):
        nearest = np.minimum(np.searchsorted(values, words[part]), len(values) - 1)
        again[part] = values[nearest] == words[part]
    return places_of(again)
