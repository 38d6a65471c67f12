"""Reliability and risk as drawn: the places of known figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inkfold.calibration import risk_curve
from inkfold.evaluation.calibrate import Calibration
from inkfold.evaluation.page import reliability_chart, risk_chart
from inkfold.pages.chart import ACROSS, UP, Scale
from tests.evaluation.test_report import evaluation

PER_CENT = Scale(0, 100, *UP)
WIDE = Scale(0, 100, *ACROSS)


def points(line: str) -> list[tuple[float, ...]]:
    """The corners of a line."""
    return [tuple(map(float, corner.split(","))) for corner in line.split()]


def test_a_bar_is_as_high_as_the_share_that_is_right() -> None:
    """17 of 23 answers, all of them given with 75 %, in the bin from 73.3 to 80 %."""
    chart = reliability_chart(evaluation())

    (bar,) = chart.bars
    assert bar.top == pytest.approx(PER_CENT(100 * 17 / 23), abs=0.02)
    assert bar.top + bar.height == pytest.approx(PER_CENT(0), abs=0.02)
    assert WIDE(100 * 11 / 15) < bar.left < bar.left + bar.width < WIDE(80)
    assert bar.title.startswith("73.3 to 80.0 %: 17 of 23, 73.91 %")
    low, high = points(chart.lines[-1].points)
    assert (low[1], high[1]) == pytest.approx((PER_CENT(53.53), PER_CENT(87.45)), abs=0.02)


def test_dots_show_what_was_without_the_temperature() -> None:
    """At the mean probability of a bin and the share that was right; none where nothing changed."""
    plain = evaluation()
    after = np.full(23, 0.5, np.float32)
    warm = replace(
        plain,
        predictions=replace(plain.predictions, probability=after),
        calibration=Calibration(2.0, "made up"),
    )

    assert not any(line.dots for line in reliability_chart(plain).lines)
    (dots,) = (line for line in reliability_chart(warm).lines if line.dots)
    assert points(dots.points) == [pytest.approx((WIDE(75), PER_CENT(100 * 17 / 23)), abs=0.05)]


def test_risk_is_drawn_over_coverage() -> None:
    """Wrong of those answered, not of all: 0 of 1, 1 of 3, 1 of 4, 2 of 5."""
    sure = np.array([0.9, 0.8, 0.8, 0.4, 0.3])
    chart = risk_chart(risk_curve(sure, np.array([True, True, False, True, False])))

    y = Scale(0, 42, *UP)
    expected = [(20, 0), (60, 100 / 3), (80, 25), (100, 40)]
    for corner, (coverage, risk) in zip(points(chart.lines[0].points), expected, strict=True):
        assert corner == pytest.approx((WIDE(coverage), y(risk)), abs=0.05)


def test_a_single_sure_mistake_does_not_flatten_the_curve() -> None:
    """The first answer of 100 is wrong; from 5 % coverage on, 1 of 5 is the most: 20 %."""
    right = np.ones(100, bool)
    right[0] = False

    chart = risk_chart(risk_curve(np.linspace(1, 0.1, 100), right))

    assert max(float(tick.label) for tick in chart.up_ticks) == 20
    assert points(chart.lines[0].points)[0][1] == UP[1], "what is higher is put on the edge"
