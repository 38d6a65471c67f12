"""Reliability diagram and risk against coverage, as geometry for the page."""

from __future__ import annotations

from collections.abc import Sequence

from inkfold.calibration import Bin, RiskCurve
from inkfold.evaluation.evaluate import Evaluation
from inkfold.pages.chart import ACROSS, UP, Box, Chart, Point, Scale, box, line, thinned

SETTLED = 0.05  # of the coverage, after which the curve sets the height of its chart


def reliability_chart(result: Evaluation) -> Chart:
    """Share right over probability: a bar for each bin, with its 95 % interval.

    Where there is a temperature, the bars are with it, and dots show what was without.
    """
    x, y = Scale(0.0, 100.0, *ACROSS), Scale(0.0, 100.0, *UP)
    lines = [line("as it should be", "quiet", [(0, 0), (100, 100)], x, y)]
    if result.calibration.temperature is not None:
        before = _means(result.bins)
        lines.append(line("without the temperature", "mark-2", before, x, y, dots=True))
    for one in result.bins_after:
        low_high = one.right.interval
        if low_high is not None:
            middle = 50 * (one.low + one.high)
            ends = [(middle, 100 * end) for end in low_high]
            lines.append(line("", "text", ends, x, y))
    boxes = tuple(_bar(one, x, y) for one in result.bins_after if one.right.total)
    across = "probability of the answer, per cent"
    return Chart(across, "per cent right", x.ticks(), y.ticks(), lines, boxes)


def risk_chart(curve: RiskCurve) -> Chart:
    """Share of wrong answers over the share of pictures that are answered."""
    points = [
        (100 * answered / curve.total, 100 * wrong / answered)
        for answered, wrong in zip(curve.answered.tolist(), curve.wrong.tolist(), strict=True)
    ]
    settled = [risk for coverage, risk in points if coverage >= 100 * SETTLED]
    x, y = Scale(0.0, 100.0, *ACROSS), Scale(0.0, max(*settled, 0.5) * 1.05, *UP)
    lines = [line("risk", "mark", thinned(points), x, y)]
    return Chart("per cent answered", "per cent of these wrong", x.ticks(), y.ticks(), lines)


def _means(bins: Sequence[Bin]) -> list[Point]:
    """Mean probability and share right of the bins with answers, in per cent."""
    return [
        (100 * one.confidence, 100 * one.right.share)
        for one in bins
        if one.confidence is not None and one.right.share is not None
    ]


def _bar(one: Bin, x: Scale, y: Scale) -> Box:
    share = one.right.share or 0.0
    title = f"{100 * one.low:.1f} to {100 * one.high:.1f} %: {one.right}"
    across = (100 * one.low + 0.4, 100 * one.high - 0.4)
    return box(x, y, across=across, up=(0.0, 100 * share), title=title)
