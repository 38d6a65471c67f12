"""How many pictures each class has, as bars and as one line over all classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkfold.pages.chart import ACROSS, UP, Chart, Scale, line, thinned

BARS = 60  # classes, up to which each has its bar
ENDS = 10  # bars of the largest and of the smallest, where there are more


@dataclass(frozen=True)
class Bar:
    """A class's pictures in train, validation and test; `shares` of the longest bar, in per cent.

    `shares` are those of train, validation and test.
    """

    label: int
    counts: tuple[int, int, int]
    shares: tuple[float, float, float]

    @property
    def total(self) -> int:
        """Pictures of the class."""
        return sum(self.counts)


@dataclass(frozen=True)
class Sizes:
    """The sizes of classes, all splits together.

    Attributes
    ----------
    smallest, median, largest : float
    bars : tuple of Bar
        Of every class in label order, or of the largest and then the smallest.
    every : tuple of Bar
        Of every class in label order.
    ranked : Chart or None
        Sizes from the largest to the smallest, where not every class has its bar in `bars`.
    logarithmic : bool
        Whether the chart's axis is: where the largest class has over twenty times the smallest.
    """

    smallest: int
    median: float
    largest: int
    bars: tuple[Bar, ...]
    every: tuple[Bar, ...]
    ranked: Chart | None
    logarithmic: bool


def class_sizes(counts: NDArray[np.int64]) -> Sizes:
    """Describe counts int64 (3, C) of train, validation and test."""
    totals = counts.sum(axis=0)
    longest = max(int(totals.max()), 1)
    every = tuple(_bar(label, column.tolist(), longest) for label, column in enumerate(counts.T))
    bars, ranked = every, None
    if len(every) > BARS:
        order = np.argsort(-totals, kind="stable")
        bars = tuple(every[label] for label in [*order[:ENDS], *order[-ENDS:]])
        ranked = _ranked(totals[order])
    median = float(np.median(totals))
    return Sizes(
        int(totals.min()), median, int(totals.max()), bars, every, ranked, _logarithmic(totals)
    )


def _bar(label: int, counts: list[int], longest: int) -> Bar:
    train, validation, test = counts
    first, second, third = (round(100 * count / longest, 2) for count in counts)
    return Bar(label, (train, validation, test), (first, second, third))


def _logarithmic(totals: NDArray[np.int64]) -> bool:
    return bool(totals.max() > 20 * max(int(totals.min()), 1))


def _ranked(totals: NDArray[np.int64]) -> Chart:
    x = Scale(1, len(totals), *ACROSS)
    logarithmic = _logarithmic(totals)
    low = max(int(totals[-1]), 1) if logarithmic else 0
    y = Scale(low, max(int(totals[0]), 1), *UP, logarithmic=logarithmic)
    points = thinned([(rank + 1, int(total)) for rank, total in enumerate(totals)])
    curve = line("", "mark", points, x, y)
    return Chart("classes, the largest first", "pictures", x.ticks(), y.ticks(), [curve])
