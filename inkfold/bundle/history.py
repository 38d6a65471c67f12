"""The learning curves of a bundle, read back from its ``history.csv``."""

from __future__ import annotations

import csv
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkfold.pages.chart import ACROSS, UP, Chart, Point, Scale, line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HISTORY = "history.csv"
CAVEAT = (
    "Training figures are taken while training: with dropout, and with distortion and smoothed "
    "labels where the recipe has them. Validation has none of these."
)
TRAIN, VALIDATION = "#1f4e79", "#d1622b"
Row = dict[str, Any]


@dataclass(frozen=True)
class Epoch:
    """One row of the history; what a refit's epochs lack is None. Shares are from 0 to 1."""

    number: int
    loss: float
    share: float
    validation_loss: float | None
    validation_share: float | None


def read_history(bundle: Path) -> list[Epoch]:
    """The epochs of a bundle; none where it has no history, or one of another making."""
    path = bundle / HISTORY
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [_epoch(row) for row in csv.DictReader(file)]
    except (KeyError, ValueError, TypeError, csv.Error):
        return []


def loss_chart(history: list[Epoch]) -> Chart:
    """Cross-entropy over the epochs, on a logarithmic scale."""
    trained = [(float(one.number), one.loss) for one in history]
    validated = [
        (float(one.number), one.validation_loss)
        for one in history
        if one.validation_loss is not None
    ]
    values = [loss for _, loss in trained + validated if loss > 0] or [1.0]
    scale = Scale(min(values) / 1.1, max(values) * 1.1, *UP, logarithmic=True)
    return _chart("cross-entropy (nats)", trained, validated, scale)


def accuracy_chart(history: list[Epoch]) -> Chart:
    """Share right over the epochs, in per cent."""
    trained = [(float(one.number), 100 * one.share) for one in history]
    validated = [
        (float(one.number), 100 * one.validation_share)
        for one in history
        if one.validation_share is not None
    ]
    lowest = min(share for _, share in trained + validated)
    scale = Scale(max(0.0, lowest - 0.05 * (100 - lowest)), 100.0, *UP)
    return _chart("per cent right", trained, validated, scale)


def _chart(up: str, trained: list[Point], validated: list[Point], y: Scale) -> Chart:
    x = Scale(1.0, max(2.0, trained[-1][0]), *ACROSS)
    lines = [
        line("training", "mark-2", trained, x, y),
        line("validation", "mark", validated, x, y),
    ]
    ticks = [tick for tick in x.ticks() if "." not in tick.label]
    return Chart("epoch", up, ticks, y.ticks(), lines)


def _epoch(row: dict[str, str]) -> Epoch:
    total = row.get("validation_total")
    return Epoch(
        number=int(row["epoch"]),
        loss=float(row["loss"]),
        share=float(row["accuracy"]),
        validation_loss=float(row["validation_loss"]) if total else None,
        validation_share=int(row["validation_correct"]) / int(total) if total else None,
    )


def draw_curves(path: Path, history: list[Row], *, title: str) -> None:
    """Draw loss and accuracy over the epochs; stages are parted, the best epoch is marked."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    loss_axes, accuracy_axes = figure.subplots(1, 2)
    validated = [row for row in history if "validation_loss" in row]
    best = best_row(history)

    _line(loss_axes, history, "loss", [row["loss"] for row in history], TRAIN)
    losses = [row["validation_loss"] for row in validated]
    _line(loss_axes, validated, "validation", losses, VALIDATION)
    loss_axes.set(yscale="log", ylabel="cross-entropy (nats)", title=f"{title}: loss")

    accuracies = [100 * row["accuracy"] for row in history]
    _line(accuracy_axes, history, "training", accuracies, TRAIN)
    shares = [100 * row["validation_correct"] / row["validation_total"] for row in validated]
    _line(accuracy_axes, validated, "validation", shares, VALIDATION)
    accuracy_axes.set(ylabel="per cent right", title=f"{title}: accuracy")

    for axes in (loss_axes, accuracy_axes):
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.axvline(best["epoch"], color=VALIDATION, linestyle=":", linewidth=1.5, label="kept")
        _mark_stages(axes, history)
        axes.grid(alpha=0.25)
    loss_axes.legend(["training", "validation", f"kept (epoch {best['epoch']})"])
    figure.supxlabel(CAVEAT, fontsize=8, color="0.4")
    figure.savefig(path, dpi=120)


def _line(axes: Axes, rows: list[Row], label: str, values: list[float], color: str) -> None:
    epochs = [row["epoch"] for row in rows]
    axes.plot(epochs, values, color=color, label=label, marker="o", markersize=3)


def _mark_stages(axes: Axes, history: list[Row]) -> None:
    """A thin line where the learning rate changes."""
    for before, after in itertools.pairwise(history):
        if (before["phase"], before["stage"]) != (after["phase"], after["stage"]):
            axes.axvline(after["epoch"] - 0.5, color="0.6", linewidth=0.8)


def write_history(path: Path, history: list[Row]) -> None:
    """One line an epoch; a refit's epochs have no validation figures."""
    names = list(dict.fromkeys(name for row in history for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)


def best_row(history: list[Row]) -> Row:
    """The row of the epoch whose weights the search kept: the last that was the best so far."""
    return [row for row in history if "validation_loss" in row and row["best"]][-1]
