"""Strokes become pictures: unbroken, smooth, and as wide as the pen was pressed."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkfold.canvas.drawing import STEP, Drawing, Stroke, render, smoothed


def drawing(
    points: Sequence[tuple[float, float, float]], brush: float = 10, side: int = 100
) -> Drawing:
    """One stroke on a square sheet."""
    return Drawing(side, side, (Stroke(np.array(points, float), brush),))


def inked(picture: np.ndarray) -> np.ndarray:
    """Whether each pixel is more ink than paper."""
    return picture < 128


def test_an_empty_sheet_is_white() -> None:
    """A drawing without strokes gives white paper of the size of its sheet."""
    picture = render(Drawing(30, 50, ()))

    assert picture.shape == (30, 50)
    assert picture.dtype == np.uint8
    assert (picture == 255).all()


def test_a_tap_leaves_a_round_dot() -> None:
    """A stroke of one point is a disc around that point, as wide as the brush."""
    ink = inked(render(drawing([(50, 40, 0.5)], brush=20)))
    rows, columns = np.nonzero(ink)

    assert (rows.mean(), columns.mean()) == pytest.approx((49.5, 39.5), abs=0.6)
    assert np.ptp(rows) + 1 == pytest.approx(20, abs=1)
    assert np.ptp(columns) + 1 == pytest.approx(20, abs=1)
    assert ink.sum() == pytest.approx(np.pi * 100, rel=0.05)


@pytest.mark.parametrize(("pressure", "width"), [(0, 4), (0.5, 10), (1, 16)])
def test_pressure_makes_a_stroke_wider(pressure: float, width: float) -> None:
    """Pressure 0 gives 0.4 times the brush, 1 gives 1.6 times; a mouse's 0.5 gives the brush."""
    ink = inked(render(drawing([(50, 10, pressure), (50, 90, pressure)])))

    assert ink[:, 30:70].sum(axis=0).mean() == pytest.approx(width, abs=0.6)


def test_a_fast_stroke_stays_in_one_piece() -> None:
    """Four points at the corners of a sheet are joined into one piece of ink, not four dots."""
    corners = [(10, 10, 0.5), (10, 90, 0.5), (90, 90, 0.5), (90, 10, 0.5)]
    ink = inked(render(drawing(corners, brush=6)))

    assert cv2.connectedComponents(ink.astype(np.uint8))[0] == 2  # paper and the stroke


def test_a_curve_begins_and_ends_with_its_points() -> None:
    """Smoothing keeps the first and the last point, and steps no further than twice `STEP`."""
    points = np.array([(0, 0, 0.1), (30, 5, 0.5), (40, 60, 0.9), (80, 70, 0.2)])

    curve = smoothed(points)

    assert curve[0] == pytest.approx(points[0])
    assert curve[-1] == pytest.approx(points[-1])
    assert np.linalg.norm(np.diff(curve[:, :2], axis=0), axis=1).max() <= 2 * STEP


def test_points_on_a_line_stay_on_it() -> None:
    """Smoothing does not bend a straight line."""
    columns = np.array([0, 3, 20, 21, 60])
    points = np.stack([2 * columns + 1, columns, np.full(5, 0.5)], axis=1)

    curve = smoothed(points)

    assert curve[:, 0] == pytest.approx(2 * curve[:, 1] + 1)


def test_later_strokes_lie_over_earlier_ones() -> None:
    """The ink of two crossing strokes is the ink of either: no stroke erases another."""
    across = Stroke(np.array([(50.0, 10, 0.5), (50, 90, 0.5)]), 8)
    down = Stroke(np.array([(10.0, 50, 0.5), (90, 50, 0.5)]), 8)

    both = inked(render(Drawing(100, 100, (across, down))))

    parts = [inked(render(Drawing(100, 100, (stroke,)))) for stroke in (across, down)]
    assert np.array_equal(both, parts[0] | parts[1])


coordinates = st.floats(-500, 500)
strokes = st.lists(st.tuples(coordinates, coordinates, st.floats(0, 1)), min_size=1, max_size=6)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(strokes, st.floats(0.1, 60), st.integers(1, 90), st.integers(1, 90))
def test_any_stroke_gives_a_picture_of_the_sheet(
    points: list[tuple[float, float, float]], brush: float, rows: int, columns: int
) -> None:
    """A stroke that leaves the sheet, or a sheet of one pixel, still gives the sheet's shape."""
    picture = render(Drawing(rows, columns, (Stroke(np.array(points, float), brush),)))

    assert picture.shape == (rows, columns)
    assert picture.dtype == np.uint8
