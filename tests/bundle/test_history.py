"""The history of a training: written and read back, and drawn as curves."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkfold.bundle.history import (
    HISTORY,
    Epoch,
    Row,
    accuracy_chart,
    best_row,
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
