"""An evaluation as one HTML page that a person reads from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inkfold import __version__
from inkfold.bundle.history import CAVEAT, Epoch, accuracy_chart, loss_chart
from inkfold.calibration import BINS, Bin, RiskCurve, calibration_error
from inkfold.dataset.reader import Split
from inkfold.evaluation.evaluate import TOP, Evaluation, weakest
from inkfold.evaluation.report import measured, percent
from inkfold.metrics import balanced_accuracy, spread
from inkfold.pages.chart import ACROSS, UP, Bar, Chart, Point, Scale, bar, line, thinned
from inkfold.pages.page import data_uri, data_uris, write_page

SETTLED = 0.05  # of the coverage, after which the curve sets the height of its chart
PAGE = "report.html"
SHOWN = 60  # mistakes with their pictures
LISTED = 20  # pairs, classes and groups in a table; all are in the CSV files


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
    bars = tuple(_bar(one, x, y) for one in result.bins_after if one.right.total)
    across = "probability of the answer, per cent"
    return Chart(across, "per cent right", x.ticks(), y.ticks(), lines, bars)


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


def _bar(one: Bin, x: Scale, y: Scale) -> Bar:
    share = one.right.share or 0.0
    title = f"{100 * one.low:.1f} to {100 * one.high:.1f} %: {one.right}"
    across = (100 * one.low + 0.4, 100 * one.high - 0.4)
    return bar(x, y, across=across, up=(0.0, 100 * share), title=title)


def write_evaluation_page(
    folder: Path, result: Evaluation, caveat: str | None, split: Split, history: list[Epoch]
) -> None:
    """Write ``report.html`` into the folder of a report whose other files are there.

    Parameters
    ----------
    folder : Path
        With ``confusion.png``, which the page takes in.
    result : Evaluation
    caveat : str, optional
        As in `write_report`.
    split : Split
        The one that was measured, for its pictures.
    history : list of Epoch
        Empty where it is not known.
    """
    calibration = result.calibration
    write_page(
        folder / PAGE,
        "evaluation.html.j2",
        version=__version__,
        result=result,
        caveat=caveat,
        percent=percent,
        shown=SHOWN,
        listed=LISTED,
        top=TOP if len(result.classes) > TOP else None,
        balanced=balanced_accuracy(result.scores),
        bins=BINS,
        both_bins=list(zip(result.bins, result.bins_after, strict=True)),
        error_before=calibration_error(result.bins),
        error_after=calibration_error(result.bins_after),
        thresholds=[(one, measured(result, one)) for one in calibration.thresholds],
        reliability=reliability_chart(result),
        risk=risk_chart(result.curve),
        weakest=weakest(result, LISTED),
        confusion=data_uri((folder / "confusion.png").read_bytes(), "image/png"),
        mistakes=_with_pictures(result, split),
        spread=spread(result.groups),
        history=history,
        curves_caveat=CAVEAT,
        curves=[loss_chart(history), accuracy_chart(history)] if history else [],
    )


def _with_pictures(result: Evaluation, split: Split) -> list[tuple[str, object]]:
    """The worst mistakes, each behind its picture's address."""
    pictures = data_uris(split.images, result.predictions.worst[:SHOWN])
    return list(zip(pictures, result.mistakes, strict=False))
