"""How a training went, epoch by epoch: ``history.csv`` written and read back, and drawn.

Training keeps a row for each epoch, writes the rows to ``history.csv`` and draws ``curves.png``
from them. The page of ``evaluate.py`` reads the file back and draws the same curves as charts.
"""

from __future__ import annotations

import csv
import itertools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkfold.errors import InkfoldError
from inkfold.pages.chart import (
    ACROSS,
    UP,
    Chart,
    Point,
    Scale,
    line,
    logarithmic_values,
    plain,
)
from inkfold.pages.fonts import drawable, font_family

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HISTORY = "history.csv"
CURVES = "curves.png"
CAVEAT = (
    "Training figures are taken while training: with dropout, and with distortion and smoothed "
    "labels where the recipe has them. Validation has none of these."
)
COLUMNS = {"epoch", "loss", "accuracy"}
LOSS, ACCURACY = "cross-entropy (nats)", "per cent right"
TRAIN_COLOUR, VALIDATION_COLOUR = "#1f4e79", "#d1622b"

# One epoch as training keeps it, by column: epoch, phase ("search" or "refit"), stage,
# learning_rate, loss, accuracy, pictures, validation_loss, validation_correct, validation_total,
# best (1 where its weights were the best so far), seconds. A refit's rows lack the validation's.
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One epoch as curves show it.

    Attributes
    ----------
    number : int
        From 1.
    loss : float
        Mean loss in training, in nats.
    share : float
        Right answers in training, from 0 to 1.
    validation_loss : float or None
        Mean cross-entropy on validation, in nats; None in a refit.
    validation_share : float or None
        Right answers on validation, from 0 to 1; None in a refit.
    """

    number: int
    loss: float
    share: float
    validation_loss: float | None
    validation_share: float | None


def best_row(history: list[Row]) -> Row:
    """The row of the epoch whose weights the search kept: the last that was the best so far."""
    return [row for row in history if "validation_loss" in row and row["best"]][-1]


def validation_share(row: Row) -> float | None:
    """Right answers on validation after an epoch, from 0 to 1; None in a refit."""
    total = row.get("validation_total")
    return int(row["validation_correct"]) / int(total) if total else None


def write_history(path: Path, history: list[Row]) -> None:
    """Write one line for each epoch; validation's columns are empty in a refit."""
    names = list(dict.fromkeys(name for row in history for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)


def read_history(bundle: Path) -> list[Epoch]:
    """The epochs of a bundle; empty where the file is missing or its columns are others.

    Raises
    ------
    InkfoldError
        If the file has the columns of an epoch, but a line of it is damaged.
    """
    path = bundle / HISTORY
    if not path.is_file():
        return []
    lines = 0
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if not COLUMNS.issubset(rows.fieldnames or ()):
                return []
            epochs = []
            for row in rows:
                lines = rows.line_num
                epochs.append(_epoch(row))
    except (ValueError, TypeError, OverflowError, csv.Error) as error:
        raise InkfoldError(
            f"{path}: damaged at line {lines or 1} ({error}); restore it, or delete it to do "
            "without curves"
        ) from None
    return epochs


def _epoch(row: Row) -> Epoch:
    """An epoch from its row, of numbers or of the file's texts."""
    share = validation_share(row)
    numbers = [float(row[name]) for name in ("epoch", "loss", "accuracy")]
    if not all(map(math.isfinite, [*numbers, *([] if share is None else [share])])):
        raise ValueError("a number that is not finite")
    return Epoch(
        number=int(row["epoch"]),
        loss=float(row["loss"]),
        share=float(row["accuracy"]),
        validation_loss=None if share is None else float(row["validation_loss"]),
        validation_share=share,
    )


def _losses(history: list[Epoch]) -> tuple[list[Point], list[Point]]:
    """Training's and validation's loss over the epochs, in nats."""
    trained = [(float(epoch.number), epoch.loss) for epoch in history]
    validated = [
        (float(epoch.number), epoch.validation_loss)
        for epoch in history
        if epoch.validation_loss is not None
    ]
    return trained, validated


def _accuracies(history: list[Epoch]) -> tuple[list[Point], list[Point]]:
    """Training's and validation's right answers over the epochs, in per cent."""
    trained = [(float(epoch.number), 100 * epoch.share) for epoch in history]
    validated = [
        (float(epoch.number), 100 * epoch.validation_share)
        for epoch in history
        if epoch.validation_share is not None
    ]
    return trained, validated


def loss_chart(history: list[Epoch]) -> Chart:
    """Cross-entropy over the epochs, on a logarithmic scale."""
    trained, validated = _losses(history)
    values = [loss for _, loss in trained + validated if loss > 0] or [1.0]
    scale = Scale(min(values) / 1.1, max(values) * 1.1, *UP, logarithmic=True)
    return _chart(LOSS, trained, validated, scale)


def accuracy_chart(history: list[Epoch]) -> Chart:
    """Share right over the epochs, in per cent."""
    trained, validated = _accuracies(history)
    lowest = min(share for _, share in trained + validated)
    scale = Scale(max(0.0, lowest - 0.05 * (100 - lowest)), 100.0, *UP)
    return _chart(ACCURACY, trained, validated, scale)


def _chart(up: str, trained: list[Point], validated: list[Point], y: Scale) -> Chart:
    x = Scale(1.0, max(2.0, trained[-1][0]), *ACROSS)
    lines = [
        line("training", "mark-2", trained, x, y),
        line("validation", "mark", validated, x, y),
    ]
    ticks = [tick for tick in x.ticks() if "." not in tick.label]
    return Chart(across="epoch", up=up, across_ticks=ticks, up_ticks=y.ticks(), lines=lines)


def draw_curves(path: Path, history: list[Row], *, title: str) -> None:
    """Draw loss and accuracy over the epochs, with a line at the epoch that was kept.

    `title` names the bundle and the dataset.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    loss_axes, accuracy_axes = figure.subplots(1, 2)
    epochs, best = [_epoch(row) for row in history], best_row(history)
    refit = next((row["epoch"] for row in history if row["phase"] == "refit"), None)
    _draw_lines(loss_axes, _losses(epochs), refit)
    loss_axes.set(yscale="log", ylabel=LOSS)
    _draw_lines(accuracy_axes, _accuracies(epochs), refit)
    accuracy_axes.set(ylabel=ACCURACY)
    _plain_ticks(loss_axes)
    figure.suptitle(drawable([title])[0], fontfamily=font_family([title]))
    for axes in (loss_axes, accuracy_axes):
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.axvline(best["epoch"], color=VALIDATION_COLOUR, linestyle=":", linewidth=1.5)
        _mark_stages(axes, history)
        axes.grid(alpha=0.25)
    loss_axes.legend(["training", "validation", f"kept (epoch {best['epoch']})"])
    figure.supxlabel(CAVEAT, fontsize=8, color="0.4")
    figure.savefig(path, dpi=120)


def _draw_lines(axes: Axes, curves: tuple[list[Point], list[Point]], refit: int | None) -> None:
    """Draw both curves; no line leads to the first epoch of a refit, which begins anew."""
    for whole, colour in zip(curves, (TRAIN_COLOUR, VALIDATION_COLOUR), strict=True):
        points = whole
        if refit is not None:
            before = [point for point in whole if point[0] < refit]
            points = [*before, (refit - 0.5, math.nan), *whole[len(before) :]]
        numbers, values = [number for number, _ in points], [value for _, value in points]
        axes.plot(numbers, values, color=colour, marker="o", markersize=3)


def _plain_ticks(axes: Axes) -> None:
    """Plain numbers on the logarithmic axis, in place of powers of ten."""
    values = logarithmic_values(*axes.get_ylim())
    axes.set_yticks(values, [plain(value) for value in values])
    axes.set_yticks([], minor=True)


def _mark_stages(axes: Axes, history: list[Row]) -> None:
    """A thin line where a stage or a refit begins."""
    for before, after in itertools.pairwise(history):
        if (before["phase"], before["stage"]) != (after["phase"], after["stage"]):
            axes.axvline(after["epoch"] - 0.5, color="0.6", linewidth=0.8)
