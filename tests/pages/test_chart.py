"""Charts as geometry: where a value lies, and which values are labelled."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkfold.pages.chart import Scale, bar, line, logarithmic_values, plain, round_values, thinned

law = settings(deadline=None, derandomize=True, max_examples=200)


def test_values_lie_between_the_ends() -> None:
    """A quarter of the values is a quarter of the way, also downwards; the rest is on the ends."""
    x, y = Scale(0, 100, 10, 50), Scale(0, 4, 200, 0)

    assert (x(0), x(25), x(100), x(120), x(-3)) == (10, 20, 50, 50, 10)
    assert (y(0), y(1), y(4)) == (200, 150, 0)
    assert Scale(3, 3, 0, 10)(3) == 5, "a scale of one value puts it in the middle"


def test_decades_are_equally_long_on_a_logarithmic_scale() -> None:
    """On a logarithmic scale 0.1 lies midway between 0.01 and 1, and 1, 2 and 5 are labelled."""
    scale = Scale(0.01, 1, 0, 100, logarithmic=True)

    assert scale(0.1) == 50
    assert [tick.label for tick in scale.ticks()] == [
        "0.01",
        "0.02",
        "0.05",
        "0.1",
        "0.2",
        "0.5",
        "1",
    ]


def test_a_short_logarithmic_scale_is_labelled_by_equal_steps() -> None:
    """From 0.3 to 0.33 there is no 1, 2 or 5 times a power of ten, and yet values are labelled."""
    scale = Scale(0.3, 0.33, 0, 100, logarithmic=True)

    labels = [tick.label for tick in scale.ticks()]
    assert labels == ["0.3", "0.31", "0.32", "0.33"]


@law
@given(st.floats(1e-6, 1e6), st.floats(1.01, 1e6))
def test_every_logarithmic_scale_has_two_labels_or_more(low: float, times: float) -> None:
    """Labelled values lie within the ends, whatever the scale's length is."""
    values = logarithmic_values(low, low * times)

    assert len(values) >= 2
    assert low * 0.99 <= values[0] < values[-1] <= low * times * 1.01


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1e4, "10,000"),
        (1234567.5, "1,234,567.5"),
        (1e-5, "0.00001"),
        (-2, "-2"),
    ],
)
def test_a_label_is_a_plain_number(value: float, label: str) -> None:
    """No label has a power of ten, and thousands have commas."""
    assert plain(value) == label


@law
@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_two_to_six_round_values_are_labelled(low: float, length: float) -> None:
    """Two to six values are labelled, within the ends and evenly apart."""
    high = low + length
    if not high - low > 1e-7 * abs(low):
        return
    values = round_values(low, high)

    assert 2 <= len(values) <= 6
    assert low - 1e-6 * length <= values[0] <= values[-1] <= high + 1e-6 * length
    steps = [b - a for a, b in itertools.pairwise(values)]
    assert steps == pytest.approx([steps[0]] * len(steps), rel=1e-4)


def test_the_values_are_those_a_person_would_choose() -> None:
    """Labelled values are multiples of 1, 2 or 5 times a power of ten."""
    assert round_values(0, 100) == [0, 20, 40, 60, 80, 100]
    assert round_values(0, 6) == [0, 2, 4, 6], "seven would be too many"
    assert round_values(0, 0.63) == [0, 0.2, 0.4, 0.6]
    assert round_values(1, 3) == [1, 1.5, 2, 2.5, 3]
    assert round_values(7, 7) == [7]


def test_lines_and_bars_are_in_the_drawings_units() -> None:
    """Values become the drawing's units; rows count downwards in SVG: a bar begins at its top."""
    x, y = Scale(0, 10, 0, 100), Scale(0, 1, 50, 0)

    assert line("a", "mark", [(0, 0), (5, 0.5), (10, 1)], x, y).points == "0,50 50,25 100,0"
    drawn = bar(x, y, across=(2, 4), up=(0, 0.5), title="t")
    assert (drawn.left, drawn.top, drawn.width, drawn.height) == (20, 25, 20, 25)


def test_long_lines_are_thinned_evenly() -> None:
    """A long line keeps its ends and evenly spaced points; a short one stays as it is."""
    points = [(float(x), 0.0) for x in range(1001)]

    assert thinned(points, 11) == [(100.0 * number, 0.0) for number in range(11)]
    assert thinned(points[:5], 11) == points[:5]
