"""Rows of thresholds: validation tells them apart only where it has pictures enough."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkfold.calibration import RejectThreshold, Withheld
from inkfold.evaluation.calibrate import Calibration
from inkfold.evaluation.report import summary, write_report
from inkfold.evaluation.resolution import (
    answers_needed,
    blurred,
    pictures_needed,
    rounded,
    sentences,
)
from inkfold.metrics import Rate, wilson
from tests.evaluation.test_report import evaluation

# 180 validation digits, as `inkfold demo` has them
FEW = (
    RejectThreshold(0.05, 0.0, Withheld(5, 180, 180)),
    RejectThreshold(0.02, 0.6, Withheld(3, 175, 180)),
    RejectThreshold(0.01, 0.8, Withheld(1, 160, 180)),
    RejectThreshold(0.005, 0.9, Withheld(0, 150, 180)),
)
MANY = (
    RejectThreshold(0.05, 0.0, Withheld(2_000, 50_000, 50_000)),
    RejectThreshold(0.02, 0.6, Withheld(900, 48_000, 50_000)),
    RejectThreshold(0.01, 0.8, Withheld(400, 45_000, 50_000)),
    RejectThreshold(0.005, 0.9, Withheld(200, 42_000, 50_000)),
)
SHARES = st.sampled_from((0.05, 0.02, 0.01, 0.005))


def test_a_row_is_told_from_a_larger_share_that_lies_above_its_interval() -> None:
    """3 wrong of 175 may be 4.9 % in truth, below 5; 1 of 160 may be 3.5 %, above the next row."""
    rows = blurred(FEW)

    assert [(each.row.wanted, each.others) for each in rows] == [
        (0.01, (0.02,)),
        (0.005, (0.02, 0.01)),
    ]
    assert [each.at_most for each in rows] == [wilson(1, 160)[1], wilson(0, 150)[1]]


def test_many_validation_pictures_tell_all_rows_apart() -> None:
    """With 50,000 pictures no row may have the share of the next one, and nothing is said."""
    assert blurred(MANY) == ()
    assert sentences(MANY) == []
    assert pictures_needed(blurred(MANY)) is None


def test_rows_without_a_threshold_are_left_out() -> None:
    """A row for which no threshold was found is told from nothing, and no row from it."""
    none = RejectThreshold(0.02, None, Withheld(0, 0, 180))

    assert [each.others for each in blurred((FEW[0], none, FEW[3]))] == []
    assert blurred(()) == ()


@given(share=SHARES, larger=SHARES)
def test_the_pictures_that_are_asked_for_tell_the_two_shares_apart(
    share: float, larger: float
) -> None:
    """With the answers that are needed the interval ends at the larger share, with fewer above."""
    if share >= larger:
        return
    answers = answers_needed(share, larger)

    def end(total: int) -> float:
        """The end of Wilson's interval of `share`, by the quadratic equation that it solves."""
        square = 1.959964**2
        root = (square * (square + 4 * total * share * (1 - share))) ** 0.5
        return float((2 * total * share + square + root) / (2 * (total + square)))

    assert end(answers) <= larger < end(answers - 1)


@given(
    wrong=st.integers(0, 50),
    answered=st.integers(50, 2_000),
    wanted=SHARES,
)
def test_a_row_is_blurred_with_the_shares_that_its_interval_holds_and_no_others(
    wrong: int, answered: int, wanted: float
) -> None:
    """A row cannot be told from the shares between its own and the end of its interval."""
    shares = (0.05, 0.02, 0.01, 0.005)
    rows = [RejectThreshold(each, 0.5, Withheld(wrong, answered, answered)) for each in shares]
    row = next((each for each in blurred(rows) if each.row.wanted == wanted), None)
    end = (Rate(wrong, answered).interval or (0, 0))[1]

    expected = tuple(share for share in shares if wanted < share <= end)
    assert (() if row is None else row.others) == expected


def test_the_number_of_pictures_counts_those_that_are_not_answered() -> None:
    """Of 180 pictures 150 are answered, so that 1,522 answers need 1,827 pictures."""
    assert answers_needed(0.005, 0.01) == 1522
    assert pictures_needed(blurred(FEW)) == 1827
    assert rounded(1827) == 1900


@pytest.mark.parametrize(("count", "expected"), [(7, 7), (99, 99), (101, 110), (12_345, 13_000)])
def test_numbers_of_pictures_are_rounded_up_to_two_digits(count: int, expected: int) -> None:
    """More digits would pretend that the number is known exactly."""
    assert rounded(count) == expected


def test_the_report_says_which_rows_cannot_be_told_apart(tmp_path: Path) -> None:
    """The text names the shares and the counts behind them; JSON has the shares as numbers."""
    calibration = Calibration(temperature=None, how="made up", thresholds=FEW)
    result = evaluation(calibration=calibration)

    write_report(tmp_path, result, None)

    text = summary(result, None)
    assert (
        "  0.5 % cannot be told from 2 % and 1 %: validation has 0 wrong of 150 answers, so it may "
        "be up to 2.5 %.\n" in text
    )
    assert "About 1,900 validation pictures would tell all rows apart; there are 180." in text
    figures = json.loads((tmp_path / "evaluation.json").read_text(encoding="utf-8"))
    assert [row["not_told_from"] for row in figures["thresholds"]] == [[], [], [0.02], [0.02, 0.01]]
    assert figures["validation_needed"] == 1827
