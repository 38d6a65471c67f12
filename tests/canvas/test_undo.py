"""Undo, redo and clearing of `canvas.drawing.History`, by laws that hold for every history."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from inkfold.canvas.drawing import History, Stroke

MOVES = ("draw", "undo", "redo", "clear")


def stroke(number: int) -> Stroke:
    """A stroke whose brush is its number."""
    return Stroke(np.zeros((1, 3)), number)


def after(moves: list[str]) -> History:
    """The history after these moves; the stroke of move n has the brush n."""
    history = History()
    for number, move in enumerate(moves):
        history = history.drawn(stroke(number)) if move == "draw" else getattr(history, move)()
    return history


histories = st.lists(st.sampled_from(MOVES), max_size=12).map(after)


@settings(derandomize=True)
@given(histories)
def test_a_stroke_can_be_undone_and_redone(history: History) -> None:
    """Undo after drawing gives the strokes of before; redo after that restores the stroke."""
    drawn = history.drawn(stroke(99))

    assert drawn.undo().strokes == history.strokes
    assert drawn.undo().redo() == drawn


@settings(derandomize=True)
@given(histories)
def test_a_cleared_sheet_is_empty_and_comes_back_whole(history: History) -> None:
    """Undoing a clearing brings all strokes back; clearing an empty sheet changes nothing."""
    cleared = history.clear()

    assert cleared.strokes == ()
    assert (cleared.undo() if cleared != history else history).strokes == history.strokes
    assert cleared.clear() == cleared


@settings(derandomize=True)
@given(histories)
def test_drawing_forgets_what_was_undone(history: History) -> None:
    """After a new stroke there is nothing to redo: no old stroke comes back over a newer one."""
    drawn = history.undo().drawn(stroke(99))

    assert drawn.redo() == drawn


def test_nothing_is_undone_or_redone_where_nothing_was_done() -> None:
    """Undo and redo leave an empty history as it is."""
    assert History().undo() == History().redo() == History()


def test_strokes_are_those_since_the_last_clearing() -> None:
    """After draw, clear, draw, draw the sheet holds the last two strokes."""
    strokes = after(["draw", "clear", "draw", "draw"]).strokes

    assert [stroke.brush for stroke in strokes] == [2, 3]
