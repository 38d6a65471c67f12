"""Grey levels of a set: what a network's input looks like as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log10, sqrt

import numpy as np
from numpy.typing import NDArray

from inkfold.pages.chart import ACROSS, UP, Chart, Scale, box

BIN = 16  # grey levels in a column of the chart
LEAST = 1e-4  # per cent, below which a column is only a line on the axis


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
    boxes = tuple(
        box(
            x,
            y,
            across=(at * BIN, (at + 1) * BIN - 1),
            up=(floor, share),
            title=f"grey levels {at * BIN} to {(at + 1) * BIN - 1}: {share:.3g} % of pixels",
        )
        for at, share in enumerate(shares)
        if share
    )
    return Chart("grey level, 0 paper to 255 ink", "% of pixels", x.ticks(), y.ticks(), [], boxes)
