"""The learning curves of a bundle, read back from its ``history.csv``."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from inkfold.pages.chart import ACROSS, UP, Chart, Point, Scale, line

HISTORY = "history.csv"
CAVEAT = (
    "Training figures are taken while training: with dropout, and with distortion and smoothed "
    "labels where the recipe has them. Validation has none of these."
)


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
