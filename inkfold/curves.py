"""The learning curves of a training run as a picture."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from inkfold.bundle.history import CAVEAT
from inkfold.checkpoint import Row, best_row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TRAIN, VALIDATION = "#1f4e79", "#d1622b"


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
