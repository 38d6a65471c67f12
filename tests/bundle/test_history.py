"""The history of a training: written and read back, and drawn as curves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from inkfold.bundle.history import (
    HISTORY,
    Epoch,
    Row,
    accuracy_chart,
    best_row,
    draw_curves,
    loss_chart,
    read_history,
    write_history,
)
from inkfold.errors import InkfoldError

FIRST = Epoch(number=1, loss=2.5, share=0.25, validation_loss=2.0, validation_share=0.5)
SECOND = Epoch(number=2, loss=0.5, share=0.75, validation_loss=1.0, validation_share=1.0)
REFIT = Epoch(number=3, loss=0.25, share=0.875, validation_loss=None, validation_share=None)


def row(epoch: Epoch, *, right: int, best: int) -> Row:
    """What training keeps of an epoch, with `right` of 2 validation pictures, or 0 in a refit."""
    figures: Row = {"epoch": epoch.number, "loss": epoch.loss, "accuracy": epoch.share}
    if epoch.validation_loss is not None:
        figures |= {
            "validation_loss": epoch.validation_loss,
            "validation_correct": right,
            "validation_total": 2,
        }
    return figures | {"best": best}


ROWS = [row(FIRST, right=1, best=1), row(SECOND, right=2, best=1), row(REFIT, right=0, best=1)]


def test_the_epochs_that_are_written_are_read_back(tmp_path: Path) -> None:
    """Each epoch comes back with its shares; a refit's epochs have no validation figures."""
    write_history(tmp_path / HISTORY, ROWS)

    assert read_history(tmp_path) == [FIRST, SECOND, REFIT]


def test_a_missing_file_and_foreign_columns_give_no_epochs(tmp_path: Path) -> None:
    """A bundle without a history, or with another program's, is read as one without epochs."""
    assert read_history(tmp_path / "nowhere") == []
    (tmp_path / HISTORY).write_text("step,value\n1,2\n", encoding="utf-8")
    assert read_history(tmp_path) == []


@pytest.mark.parametrize("damaged", ["1,x,0.5", "1,nan,0.5", "1,0.5", "1e999,0.5,0.5"])
def test_a_damaged_line_is_named(tmp_path: Path, damaged: str) -> None:
    """A history with the columns of one is not left out without a word when a line is damaged."""
    (tmp_path / HISTORY).write_text(f"epoch,loss,accuracy\n1,0.5,0.5\n{damaged}\n")

    with pytest.raises(InkfoldError, match=r"history\.csv: damaged at line 3 .*; restore it,"):
        read_history(tmp_path)


def test_the_best_row_is_the_last_validated_one_that_was_the_best_so_far() -> None:
    """A refit's epochs are not validated, and a later epoch that was worse does not count."""
    worse = row(FIRST, right=1, best=0)

    assert best_row([ROWS[0], ROWS[1], worse, ROWS[2]]) is ROWS[1]


def test_curves_fall_and_rise_as_the_figures_do() -> None:
    """Loss goes down the page and accuracy up, and an epoch alone is drawn as a point."""
    history = [FIRST, SECOND]

    for chart, downwards in ((loss_chart(history), True), (accuracy_chart(history), False)):
        assert [line.name for line in chart.lines] == ["training", "validation"]
        for drawn in chart.lines:
            (left, before), (right, after) = (
                tuple(map(float, point.split(","))) for point in drawn.points.split()
            )
            assert left < right
            assert (after > before) == downwards
    single = loss_chart(history[:1])
    assert [line.points.count(",") for line in single.lines] == [1, 1]


def drawn(history: list[Row], path: Path, monkeypatch: pytest.MonkeyPatch) -> Figure:
    """The figure of the curves, as it was saved."""
    figures: list[Figure] = []
    save = Figure.savefig

    def keep(figure: Figure, *arguments: Any, **options: Any) -> None:  # noqa: ANN401, passed on
        figures.append(figure)
        save(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", keep)
    draw_curves(path, history, title="mine on d.h5")
    return figures[0]


def epoch_of(number: int, loss: float, phase: str = "search") -> Row:
    """An epoch with this loss."""
    validated = {"validation_loss": loss, "validation_correct": 9, "validation_total": 10}
    first: Row = {
        "epoch": number,
        "phase": phase,
        "stage": 1,
        "loss": loss,
        "accuracy": 0.9,
        "best": 1,
    }
    return first | (validated if phase == "search" else {})


@pytest.mark.parametrize("losses", [(2.0, 0.002), (0.31, 0.305), (0.5, 0.5)])
def test_curves_name_the_bundle_and_have_plain_numbers(
    losses: tuple[float, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The axis of the loss is logarithmic, and yet no tick is a power of ten."""
    history = [epoch_of(number, loss) for number, loss in enumerate(losses, 1)]

    figure = drawn(history, tmp_path / "c.png", monkeypatch)

    assert figure.get_suptitle() == "mine on d.h5"
    labels = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert len(labels) >= 2
    assert all(re.fullmatch(r"[\d,]+(\.\d+)?", label) for label in labels), labels


def test_no_line_leads_from_the_search_to_the_refit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refit begins with an untrained network: the curve is broken there."""
    history = [
        *(epoch_of(1, 2.0), epoch_of(2, 1.0)),
        *(epoch_of(3, 2.0, "refit"), epoch_of(4, 0.5, "refit")),
    ]

    figure = drawn(history, tmp_path / "c.png", monkeypatch)

    values = np.asarray(figure.axes[0].lines[0].get_ydata(), float)
    assert np.isnan(values).tolist() == [False, False, True, False, False]
