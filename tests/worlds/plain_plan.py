"""The plan of a dataset as docs/packing.md describes it, picture by picture, with no array."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from inkfold.packing.split import hashed, targets
from inkfold.spec import TEST, TRAIN, VALIDATION

Unit = list[int]
Fractions = tuple[float, float, float]


class Picture(NamedTuple):
    """Label, digests of file and pixels, and group of a picture; pictures come label by label."""

    label: int
    file: int
    pixels: int
    group: int | None


def key(number: int, seed: int, purpose: str) -> int:
    """The hash of one number."""
    return int(hashed(np.array([number], np.uint64), seed, purpose)[0])


def drawn(pictures: Sequence[Picture], per_class: int, seed: int) -> list[int]:
    """The rows of so many pictures of each class, by the hash for it."""
    by_label: dict[int, Unit] = defaultdict(list)
    for row, picture in enumerate(pictures):
        by_label[picture.label].append(row)
    kept = []
    for rows in by_label.values():
        rows.sort(key=lambda row: (key(pictures[row].file, seed, "per class"), row))
        kept += rows[:per_class]
    return sorted(kept)


def units_of(pictures: Sequence[Picture]) -> list[Unit]:
    """What stays together: pictures tied by pixels or group, by chains of any length."""
    unit_of = list(range(len(pictures)))
    for ids in ([each.pixels for each in pictures], [each.group for each in pictures]):
        seen: dict[int, int] = {}
        for row, number in enumerate(ids):
            if number is not None:
                first = seen.setdefault(number, row)
                old, new = unit_of[row], unit_of[first]
                unit_of = [new if each == old else each for each in unit_of]
    units: dict[int, Unit] = defaultdict(list)
    for row, unit in enumerate(unit_of):
        units[unit].append(row)
    return sorted(units.values())


class Division:
    """The split of each picture so far, and how many of each class that makes."""

    def __init__(self, pictures: Sequence[Picture], fractions: Fractions) -> None:
        self.labels = [picture.label for picture in pictures]
        self.counts = Counter(self.labels)
        self.wanted = targets(np.array([self.counts[at] for at in sorted(self.counts)]), fractions)
        self.have = np.zeros_like(self.wanted)
        self.split: dict[int, int] = {}
        self.allowed = [split for split in range(3) if fractions[split] > 0]

    def put(self, unit: Unit, split: int) -> None:
        """Put a unit into a split, be it in another one or in none."""
        for row in unit:
            if row in self.split:
                self.have[self.labels[row], self.split[row]] -= 1
            self.have[self.labels[row], split] += 1
            self.split[row] = split

    def gains(self, unit: Unit, split: int) -> list[int]:
        """By how much the squared difference of each class falls if the unit goes there."""
        gains = []
        for label, count in Counter(self.labels[row] for row in unit).items():
            gap = int(self.wanted[label, split] - self.have[label, split])
            gains.append(gap**2 - (gap - count) ** 2)
        return gains

    def spares(self, unit: Unit) -> bool:
        """Whether the unit's split keeps pictures of its classes without it."""
        counts = Counter(self.labels[row] for row in unit)
        return all(self.have[label, self.split[unit[0]]] > count for label, count in counts.items())


def plain_split(pictures: Sequence[Picture], fractions: Fractions, seed: int) -> dict[int, int]:
    """The split of each picture: larger units first, single ones after them, repairs at last."""
    units = units_of(pictures)

    def place(unit: Unit) -> tuple[int, int]:
        return key(min(pictures[row].file for row in unit), seed, "split"), unit[0]

    division = Division(pictures, fractions)
    waiting = sorted((unit for unit in units if len(unit) > 1), key=place)
    waiting = _fitted(division, waiting, lambda gains: min(gains) >= 0 and max(gains) > 0)
    waiting = _fitted(division, waiting, lambda gains: sum(gains) > 0)
    for unit in waiting:
        sums = [sum(division.gains(unit, split)) for split in range(3)]
        fallback = max(division.allowed, key=lambda split: sums[split])
        division.put(unit, TRAIN if TRAIN in division.allowed else fallback)
    single = sorted((unit for unit in units if len(unit) == 1), key=place)
    for unit in single:
        label = division.labels[unit[0]]
        room = division.wanted[label] > division.have[label]
        division.put(unit, next((split for split in (TEST, VALIDATION) if room[split]), TRAIN))
    _repair(division, sorted(units, key=lambda unit: (len(unit) == 1, unit)), place)
    return division.split


def _fitted(
    division: Division, waiting: list[Unit], good: Callable[[list[int]], bool]
) -> list[Unit]:
    """Put units into test or validation where that is good; those that are left."""
    left = []
    for unit in waiting:
        fits = [split for split in (TEST, VALIDATION) if good(division.gains(unit, split))]
        if fits:
            division.put(unit, fits[0])
        else:
            left.append(unit)
    return left


def _repair(
    division: Division, units: list[Unit], place: Callable[[Unit], tuple[int, int]]
) -> None:
    """Move a unit into each split that a class of three units or more misses."""
    missing = [
        (label, split)
        for label in sorted(division.counts)
        for split in division.allowed
        if not division.have[label, split] and division.counts[label] >= 3
    ]
    for label, split in missing:
        own = [unit for unit in units if label in {division.labels[row] for row in unit}]
        if division.have[label, split] or len(own) < 3:
            continue
        for unit in sorted(own, key=lambda unit: place(unit)[0]):
            if division.split[unit[0]] != split and division.spares(unit):
                division.put(unit, split)
                break


def plain_orders(
    pictures: Sequence[Picture], fractions: Fractions, seed: int, per_class: int | None
) -> list[list[int]]:
    """The rows of train, validation and test in the order of the file."""
    rows = drawn(pictures, per_class or len(pictures), seed)
    split = plain_split([pictures[row] for row in rows], fractions, seed)
    places = sorted(
        range(len(rows)), key=lambda at: (key(pictures[rows[at]].file, seed, "rows"), at)
    )
    return [[rows[at] for at in places if split[at] == each] for each in range(3)]
