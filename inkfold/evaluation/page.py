"""``report.html``: an evaluation as one page that a person reads from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inkfold import __version__
from inkfold.bundle.history import CAVEAT, Epoch, accuracy_chart, loss_chart
from inkfold.calibration import BINS, Bin, RiskCurve, calibration_error
from inkfold.dataset.split import Split
from inkfold.evaluation import words
from inkfold.evaluation.advice import Learned, advice, found
from inkfold.evaluation.evaluate import TOP, Evaluation, weakest
from inkfold.evaluation.report import measured, percent
from inkfold.evaluation.resolution import sentences
from inkfold.metrics import balanced_accuracy, spread
from inkfold.pages.chart import ACROSS, UP, Bar, Chart, Point, Scale, bar, line, thinned
from inkfold.pages.page import data_uri, data_uris, write_page

SETTLED = 0.05  # the coverage from which on the curve sets the height of its chart
PAGE = "report.html"
SHOWN = 60  # mistakes with their pictures
LISTED = 20  # pairs, classes and groups in a table; all are in the CSV files


def write_evaluation_page(
    folder: Path,
    result: Evaluation,
    caveat: str | None,
    split: Split,
    history: list[Epoch],
    *,
    learned: Learned | None = None,
) -> None:
    """Write ``report.html`` into the folder of a report whose other files are there.

    Parameters
    ----------
    folder : Path
        Holds ``confusion.png``, which the page takes in.
    result : Evaluation
    caveat : str, optional
        What a reader has to know before the figures.
    split : Split
        The split that was measured, for its pictures.
    history : list of Epoch
        Empty where it is unknown.
    learned : Learned, optional
        For the advice.
    """
    calibration = result.calibration
    write_page(
        folder / PAGE,
        "evaluation.html.j2",
        version=__version__,
        result=result,
        dataset=Path(result.dataset).name,
        caveat=caveat,
        found=found(result),
        advice=advice(result, learned),
        words=words,
        percent=percent,
        listed=LISTED,
        top=TOP if len(result.classes) > TOP else None,
        balanced=balanced_accuracy(result.scores),
        bins=BINS,
        both_bins=list(zip(result.bins, result.bins_after, strict=True)),
        error_before=calibration_error(result.bins),
        error_after=calibration_error(result.bins_after),
        thresholds=[(each, measured(result, each)) for each in calibration.thresholds],
        blurred=sentences(calibration.thresholds),
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
    """The worst mistakes, each with the address of its picture before it."""
    addresses = data_uris(split.images, result.predictions.worst[:SHOWN])
    return list(zip(addresses, result.mistakes, strict=False))


def reliability_chart(result: Evaluation) -> Chart:
    """Share right over probability: a bar for each bin, with its 95 % interval.

    Where there is a temperature, the bars are with it, and dots show the bins without it.
    """
    x, y = Scale(0.0, 100.0, *ACROSS), Scale(0.0, 100.0, *UP)
    lines = [line("as it should be", "quiet", [(0, 0), (100, 100)], x, y)]
    if result.calibration.temperature is not None:
        before = _means(result.bins)
        lines.append(line("without the temperature", "mark-2", before, x, y, dots=True))
    for each in result.bins_after:
        low_high = each.right.interval
        if low_high is not None:
            middle = 50 * (each.low + each.high)
            ends = [(middle, 100 * end) for end in low_high]
            lines.append(line("", "text", ends, x, y))
    return Chart(
        across="probability of the answer, per cent",
        up="per cent right",
        across_ticks=x.ticks(),
        up_ticks=y.ticks(),
        lines=lines,
        bars=tuple(_bar(each, x, y) for each in result.bins_after if each.right.total),
    )


def risk_chart(curve: RiskCurve) -> Chart:
    """Share of wrong answers over the share of pictures that are answered."""
    settled = 100 * curve.answered / curve.total >= 100 * SETTLED
    highest = float((100 * curve.wrong[settled] / curve.answered[settled]).max(initial=0.5))
    shown = thinned(range(len(curve.answered)))
    points = [
        (100 * answered / curve.total, 100 * wrong / answered)
        for answered, wrong in zip(
            curve.answered[shown].tolist(), curve.wrong[shown].tolist(), strict=True
        )
    ]
    x, y = Scale(0.0, 100.0, *ACROSS), Scale(0.0, highest * 1.05, *UP)
    return Chart(
        across="per cent answered",
        up="per cent of these wrong",
        across_ticks=x.ticks(),
        up_ticks=y.ticks(),
        lines=[line("risk", "mark", points, x, y)],
    )


def _means(bins: Sequence[Bin]) -> list[Point]:
    """Mean probability and share right of the bins with answers, in per cent."""
    return [
        (100 * each.confidence, 100 * each.right.share)
        for each in bins
        if each.confidence is not None and each.right.share is not None
    ]


def _bar(bin_: Bin, x: Scale, y: Scale) -> Bar:
    share = bin_.right.share or 0.0
    title = f"{100 * bin_.low:.1f} to {100 * bin_.high:.1f} %: {bin_.right}"
    across = (100 * bin_.low + 0.4, 100 * bin_.high - 0.4)
    return bar(x, y, across=across, up=(0.0, 100 * share), title=title)
