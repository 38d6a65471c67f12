"""Strokes become pictures: unbroken, smooth, and as wide as the pen was pressed."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkfold.canvas.curve import STEP, Curve, smoothed
from inkfold.canvas.drawing import Drawing, DrawingTooLargeError, Stroke, render


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


@settings(deadline=None, derandomize=True, max_examples=60)
@given(strokes, st.floats(0.1, 60), st.integers(6, 90), st.integers(6, 90))
def test_a_sheet_shows_its_part_of_a_larger_sheet(
    points: list[tuple[float, float, float]], brush: float, rows: int, columns: int
) -> None:
    """Strokes that leave the sheet and return have the ink that a sheet around all of it has.

    The outermost pixels are not compared: OpenCV rounds a thin line where an edge cuts it.
    """
    places = np.round(np.array(points, float), 1)

    part = render(Drawing(rows, columns, (Stroke(places, brush),)))
    whole = render(Drawing(1200, 1200, (Stroke(places + np.array([600, 600, 0]), brush),)))

    shown = whole[600 : 600 + rows, 600 : 600 + columns]
    assert np.array_equal(part[2:-2, 2:-2], shown[2:-2, 2:-2])


def test_a_wide_stroke_beside_the_sheet_inks_its_edge() -> None:
    """Ink reaches the sheet from a line outside of it that is no farther than half its width."""
    ink = inked(render(drawing([(20, -30, 1), (80, -30, 1)], brush=50)))  # 1.6 times 50 / 2 = 40

    assert ink[30:70, :9].all()
    assert not ink[:, 12:].any()


def test_strokes_outside_of_the_sheet_cost_nothing() -> None:
    """Of a stroke of 28 million pixels outside of the sheet no step is sampled."""
    outside = [(9_000, 10_000 * (-1) ** number, 0.5) for number in range(1_400)]

    assert (render(drawing(outside, brush=200)) == 255).all()
    curve = Curve.near(np.array(outside, float))
    assert curve.steps.sum() > 20_000_000
    assert len(curve.within((100, 100), reach=200)) == 0


def test_of_a_stroke_across_the_sheet_little_more_than_the_sheet_is_sampled() -> None:
    """A line of 20,000 pixels across a sheet of 100 is sampled for at most 1,500 steps."""
    curve = Curve.near(np.array([(50, -10_000, 0.5), (50, 10_000, 0.5)]))

    assert curve.steps.sum() == 20_000
    assert 100 < len(curve.within((100, 100), reach=20)) < 1_500


@pytest.mark.parametrize("brush", [0.1, 200])
def test_a_drawing_that_would_take_long_is_refused(brush: float) -> None:
    """Three hundred strokes between far corners are refused: they cover the sheet many times."""
    far = [
        (10_000 * (-1) ** number, 10_000 * (-1) ** number, number % 7 / 7) for number in range(300)
    ]

    with pytest.raises(DrawingTooLargeError, match="more than 5,000,000 square pixels"):
        render(drawing(far, brush=brush, side=2_000))


def test_a_sheet_that_was_filled_many_times_is_drawn() -> None:
    """Twenty thousand points of a pen that scribbles on the page's sheet, with its widest brush."""
    turns = np.arange(20_000)
    points = np.stack([200 + 150 * np.sin(turns / 90), 200 + 150 * np.cos(turns / 70)], axis=1)
    scribble = np.concatenate([points, np.full((20_000, 1), 0.5)], axis=1)

    assert inked(render(Drawing(400, 400, (Stroke(scribble, 40),)))).any()
