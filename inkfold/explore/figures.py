"""The page's figures: the sizes of classes, the grey levels, and in words how the file was made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log10, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.pages.chart import ACROSS, UP, Chart, Scale, bar, line, thinned
from inkfold.spec import ImageSpec

BARS = 60  # classes, up to which each has its bar
ENDS = 10  # of more classes, bars of the largest and of the smallest
BIN = 16  # grey levels in a column of the chart
LEAST = 1e-4  # per cent of the pixels, below which a column is only a line on the axis
FITS = {
    "pad": "scaled to fit with its aspect kept, and centred",
    "stretch": "stretched to the square whatever its aspect",
    "ink": "cut to its ink, scaled with the aspect kept, its centre of mass in the middle",
}
INKS = {
    "auto": "which side is ink was found picture by picture: the median of the border is paper",
    "dark": "the pictures have dark ink on light paper",
    "light": "the pictures have light ink on dark paper",
}
DONE = {
    "create_dataset": "Packed from class folders",
    "import_data": "Imported",
    "augment": "Distorted copies added",
    "audit": "Cleaned",
}
THRESHOLDS = {
    "none": "grey levels kept",
    "otsu": "made black and white (Otsu)",
    "soft": "uneven paper cleared and ink made full",
}
SAID = (
    "seed",
    "size",
    "fit",
    "ink",
    "threshold",
    "capture",
)  # options that other words of the page name


@dataclass(frozen=True)
class ClassBar:
    """The bar of a class.

    Attributes
    ----------
    label : int
    counts : (int, int, int)
        Its pictures in train, validation and test.
    shares : (float, float, float)
        The lengths of these three parts, in per cent of the longest bar.
    """

    label: int
    counts: tuple[int, int, int]
    shares: tuple[float, float, float]

    @property
    def total(self) -> int:
        """Pictures of the class."""
        return sum(self.counts)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The sizes of classes, all splits together.

    Attributes
    ----------
    smallest, largest : int
        Pictures of the smallest and of the largest class.
    median : float
        Median of the classes' sizes.
    bars : tuple of ClassBar
        Up to 60 classes in label order; of more classes the ten largest, then the ten smallest.
    every : tuple of ClassBar
        Every class in label order.
    ranked : Chart or None
        Sizes from the largest to the smallest, where not every class has its bar in `bars`.
    logarithmic : bool
        Whether the axis of `ranked` is logarithmic: where the largest class has over twenty times
        the pictures of the smallest.
    """

    smallest: int
    median: float
    largest: int
    bars: tuple[ClassBar, ...]
    every: tuple[ClassBar, ...]
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
    return Sizes(
        smallest=int(totals.min()),
        median=float(np.median(totals)),
        largest=int(totals.max()),
        bars=bars,
        every=every,
        ranked=ranked,
        logarithmic=_logarithmic(totals),
    )


def _bar(label: int, counts: list[int], longest: int) -> ClassBar:
    train, validation, test = counts
    first, second, third = (round(100 * count / longest, 2) for count in counts)
    return ClassBar(label, (train, validation, test), (first, second, third))


def _logarithmic(totals: NDArray[np.int64]) -> bool:
    return bool(totals.max() > 20 * max(int(totals.min()), 1))


def _ranked(totals: NDArray[np.int64]) -> Chart:
    """The curve of class sizes, which are given from the largest to the smallest."""
    x = Scale(1, len(totals), *ACROSS)
    logarithmic = _logarithmic(totals)
    low = max(int(totals[-1]), 1) if logarithmic else 0
    y = Scale(low, max(int(totals[0]), 1), *UP, logarithmic=logarithmic)
    points = thinned([(rank + 1, int(total)) for rank, total in enumerate(totals)])
    curve = line("", "mark", points, x, y)
    return Chart(
        across="classes, the largest first",
        up="pictures",
        across_ticks=x.ticks(),
        up_ticks=y.ticks(),
        lines=[curve],
    )


@dataclass(frozen=True, kw_only=True)
class PixelFacts:
    """Figures over all pixels of a split's originals.

    Attributes
    ----------
    mean, deviation : float
        Mean and standard deviation of the ink, from 0 to 1.
    paper, full : float
        Shares of the pixels that are 0, and of those that are 255.
    levels : int
        How many grey levels occur.
    """

    mean: float
    deviation: float
    paper: float
    full: float
    levels: int


def pixel_facts(levels: NDArray[np.int64]) -> PixelFacts:
    """Figures from how often each grey level occurs, int64 (256,), not all of them 0."""
    total = int(levels.sum())
    value = np.arange(256)
    # whole numbers until the last step: even the squares of millions of pixels are exact
    ink, squares = int((levels * value).sum()), int((levels * value**2).sum())
    return PixelFacts(
        mean=ink / total / 255,
        deviation=sqrt(total * squares - ink**2) / total / 255,
        paper=int(levels[0]) / total,
        full=int(levels[255]) / total,
        levels=int((levels > 0).sum()),
    )


def levels_chart(levels: NDArray[np.int64]) -> Chart:
    """How often grey levels occur, in columns of 16; logarithmic, because most pixels are paper."""
    shares = (100 * levels.reshape(-1, BIN).sum(axis=1) / levels.sum()).tolist()
    lowest = max(min(share for share in shares if share), LEAST)
    floor = 10.0 ** (ceil(log10(lowest)) - 1)  # the power of ten below the smallest column
    x, y = Scale(0, 256, *ACROSS), Scale(floor, 100, *UP, logarithmic=True)
    bars = tuple(
        bar(
            x,
            y,
            across=(first, first + BIN - 1),
            up=(floor, share),
            title=f"grey levels {first} to {first + BIN - 1}: {share:.3g} % of pixels",
        )
        for first, share in zip(range(0, 256, BIN), shares, strict=True)
        if share
    )
    return Chart(
        across="grey level, 0 paper to 255 ink",
        up="% of pixels",
        across_ticks=x.ticks(),
        up_ticks=y.ticks(),
        lines=[],
        bars=bars,
    )


def spec_words(spec: ImageSpec) -> str:
    """A sentence on how each picture was prepared."""
    margin = f", {spec.margin:.0%} of the side left free on each edge" if spec.margin else ""
    return (
        f"Each picture was {FITS[spec.fit]}, in {spec.size} x {spec.size} pixels{margin}; "
        f"{THRESHOLDS[spec.threshold]}; {INKS[spec.ink]}."
    )


def provenance_words(provenance: Mapping[str, Any]) -> list[str]:
    """One sentence for each step that made the file, the first step first."""
    return list(_steps(provenance))


def _steps(provenance: Mapping[str, Any]) -> Iterator[str]:
    before = provenance.get("dataset", provenance.get("cleaned_from"))
    if isinstance(before, Mapping):
        yield from _steps(before)
    tool = str(provenance.get("tool", "a tool without a name"))
    words = f"{DONE.get(tool, 'Made')} by {tool} {provenance.get('version', '')}".rstrip()
    if "seed" in provenance:
        words += f" with seed {provenance['seed']}"
    options = _listed(provenance.get("options"), without=SAID)
    counts = _listed(provenance.get("counts"), without=())
    yield f"{words}{': ' * bool(options)}{options}{'; it counted: ' * bool(counts)}{counts}."


def _listed(values: object, *, without: Sequence[str]) -> str:
    """Names and values in words, those of `without` and those that are null left out."""
    if not isinstance(values, Mapping):
        return ""
    return ", ".join(
        f"{name.replace('_', ' ')} {_value(value)}"
        for name, value in values.items()
        if value is not None and name not in without
    )


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return " / ".join(map(_value, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
