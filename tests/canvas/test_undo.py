"""Undo and redo, by their laws."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from inkfold.canvas.drawing import History, Stroke

MOVES = ("draw", "undo", "redo", "clear")


def stroke(number: int) -> Stroke:
    """A stroke that is told from the others by its brush."""
    return Stroke(np.zeros((1, 3)), number)


def after(moves: list[str]) -> History:
    """The history after these moves."""
    history = History()
    for number, move in enumerate(moves):
        history = history.drawn(stroke(number)) if move == "draw" else getattr(history, move)()
    return history


histories = st.lists(st.sampled_from(MOVES), max_size=12).map(after)


@settings(derandomize=True)
@given(histories)
def test_what_is_drawn_can_be_taken_back_and_brought_back(history: History) -> None:
    """Undo after drawing gives the same sheet; redo after that the drawn one again."""
    drawn = history.drawn(stroke(99))

    assert drawn.undo().strokes == history.strokes
    assert drawn.undo().redo() == drawn


@settings(derandomize=True)
@given(histories)
def test_a_cleared_sheet_is_empty_and_comes_back_whole(history: History) -> None:
    """Clearing is a change like any other; an empty sheet is not cleared again."""
    cleared = history.clear()

    assert cleared.strokes == ()
    assert (cleared.undo() if cleared != history else history).strokes == history.strokes
    assert cleared.clear() == cleared


@settings(derandomize=True)
@given(histories)
def test_drawing_forgets_what_was_taken_back(history: History) -> None:
    """So that redo never brings a stroke over a newer one."""
    drawn = history.undo().drawn(stroke(99))

    assert drawn.redo() == drawn


def test_nothing_is_undone_or_redone_where_nothing_was_done() -> None:
    """An empty history stays as it is."""
    assert History().undo() == History().redo() == History()


def test_strokes_are_those_since_the_last_clearing() -> None:
    """One drawn, cleared, two drawn: two lie on the sheet."""
    assert [one.brush for one in after(["draw", "clear", "draw", "draw"]).strokes] == [2, 3]
