"""An evaluation as one HTML page that a person reads from top to bottom."""

from __future__ import annotations

from pathlib import Path

from inkfold import __version__
from inkfold.bundle.history import CAVEAT, Epoch, accuracy_chart, loss_chart
from inkfold.calibration import BINS, calibration_error
from inkfold.dataset.reader import Split
from inkfold.evaluation.evaluate import TOP, Evaluation
from inkfold.metrics import balanced_accuracy, spread
from inkfold.pages.page import data_uri, data_uris, write_page
from inkfold.trust import measured, percent
from inkfold.trust_charts import reliability_chart, risk_chart
from inkfold.weakest import weakest

PAGE = "report.html"
SHOWN = 60  # mistakes with their pictures
LISTED = 20  # pairs, classes and groups in a table; all are in the CSV files


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
    pictures = data_uris(split.images, result.answers.worst[:SHOWN])
    return list(zip(pictures, result.mistakes, strict=False))
