"""How many pictures each class has, as bars and as one line over all classes."""

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
ENDS = 10  # bars of the largest and of the smallest, where there are more
BIN = 16  # grey levels in a column of the chart
LEAST = 1e-4  # per cent, below which a column is only a line on the axis
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
TOLD = ("seed", "size", "fit", "ink", "threshold")  # in the sentence about the pictures


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
    return Chart(
        across="classes, the largest first",
        up="pictures",
        across_ticks=x.ticks(),
        up_ticks=y.ticks(),
        lines=[curve],
    )


@dataclass(frozen=True)
class PixelFacts:
    """Over all pixels of some pictures: `mean` and `deviation` of ink from 0 to 1.

    `paper` and `full` are the shares of pixels without ink and with all of it, `levels` is how many
    grey levels occur.
    """

    mean: float
    deviation: float
    paper: float
    full: float
    levels: int


def pixel_facts(levels: NDArray[np.int64]) -> PixelFacts:
    """From how often each grey level occurs, int64 (256,), at least one of them once."""
    total = int(levels.sum())
    value = np.arange(256)
    # whole numbers until the last: of millions of pixels the squares are as exact as the counts
    ink, squares = int((levels * value).sum()), int((levels * value**2).sum())
    return PixelFacts(
        mean=ink / total / 255,
        deviation=sqrt(total * squares - ink**2) / total / 255,
        paper=int(levels[0]) / total,
        full=int(levels[255]) / total,
        levels=int((levels > 0).sum()),
    )


def levels_chart(levels: NDArray[np.int64]) -> Chart:
    """Columns of 16 grey levels each; the axis is logarithmic, for most pixels are paper."""
    shares = (100 * levels.reshape(-1, BIN).sum(axis=1) / levels.sum()).tolist()
    lowest = max(min(share for share in shares if share), LEAST)
    floor = 10.0 ** (ceil(log10(lowest)) - 1)  # the power of ten below the smallest column
    x, y = Scale(0, 256, *ACROSS), Scale(floor, 100, *UP, logarithmic=True)
    bars = tuple(
        bar(
            x,
            y,
            across=(at * BIN, (at + 1) * BIN - 1),
            up=(floor, share),
            title=f"grey levels {at * BIN} to {(at + 1) * BIN - 1}: {share:.3g} % of pixels",
        )
        for at, share in enumerate(shares)
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
    """How a picture was prepared."""
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
    options = _listed(provenance.get("options"), apart=TOLD)
    counts = _listed(provenance.get("counts"), apart=())
    yield f"{words}{': ' * bool(options)}{options}{'; it counted: ' * bool(counts)}{counts}."


def _listed(values: object, *, apart: Sequence[str]) -> str:
    if not isinstance(values, Mapping):
        return ""
    said = {name: value for name, value in values.items() if value is not None}
    return ", ".join(
        f"{name.replace('_', ' ')} {_value(value)}"
        for name, value in said.items()
        if name not in apart
    )


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return " / ".join(map(_value, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
