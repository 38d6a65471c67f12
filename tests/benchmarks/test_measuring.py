"""How benchmarks take turns, and the arithmetic behind every figure that they print."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.measuring import (
    Row,
    Spread,
    digits,
    in_turn,
    line,
    load,
    ratios,
    report,
    run_script,
)

ROW = Row(
    stage="copying",
    ours="1.00 (0.90 to 1.10) s",
    peer="cp",
    theirs="2.00 (1.90 to 2.10) s",
    ratio=Spread(2.0, 1.7, 2.3),
    target="at least 1.5",
    command="python benchmarks/copying.py",
)


def test_a_ratio_is_taken_round_by_round() -> None:
    """The ratio is 2.5, the median of the rounds' 1, 4 and 2.5; that of the medians would be 2."""
    assert ratios([2.0, 4.0, 10.0], [2.0, 1.0, 4.0]) == Spread(2.5, 1.0, 4.0)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=9))
def test_a_spread_has_its_median_between_its_ends(values: list[float]) -> None:
    """The median is not below the smallest or above the largest value; both ends are measured."""
    spread = Spread.of(values)
    assert spread.low <= spread.median <= spread.high
    assert {spread.low, spread.high} <= set(values)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((3.456, "3.46"), (34.56, "34.6"), (345.6, "346"), (0.03456, "0.0346")),
        *((28500.0, "28,500"), (0.0, "0"), (1.0, "1.00")),
    ],
)
def test_figures_have_three_digits(value: float, text: str) -> None:
    """A figure has three significant digits, and thousands are set apart."""
    assert digits(value) == text


@pytest.mark.parametrize(
    ("target", "met"),
    [
        *(("at least 2.0", True), ("at least 2.1", False)),
        *(("at most 2.0", True), ("at most 1.9", False), ("", None)),
    ],
)
def test_a_target_is_met_by_the_median(target: str, met: bool | None) -> None:
    """A median equal to the bound meets the target; without a target `met` is None."""
    assert replace(ROW, target=target).met is met


def test_the_line_of_a_row_says_whether_its_target_is_reached() -> None:
    """A line ends with "reached" or "NOT reached" after the target."""
    assert line(ROW).endswith("target at least 1.5; reached")
    assert line(replace(ROW, target="at least 3")).endswith("target at least 3; NOT reached")


def test_every_contender_runs_once_a_round_and_each_round_begins_with_another() -> None:
    """After an untimed run of each, the order of the contenders rotates from round to round."""
    ran: list[str] = []
    timed = in_turn({"a": lambda: ran.append("a"), "b": lambda: ran.append("b")}, rounds=3)
    assert "".join(ran) == "ab" + "ab" + "ba" + "ab"
    assert {name: len(values) for name, values in timed.items()} == {"a": 3, "b": 3}


def test_a_contenders_seconds_are_its_own() -> None:
    """A contender that sleeps 20 ms has at least 20 ms, and the contender after it has not."""
    timed = in_turn({"sleeps": lambda: time.sleep(0.02), "does not": lambda: None}, rounds=2)
    assert min(timed["sleeps"]) >= 0.02
    assert min(timed["does not"]) < 0.01


def test_rows_that_are_kept_are_read_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`report` prints a line for each row, and `load` gives back the rows that it wrote."""
    file = tmp_path / "rows.json"
    assert report(lambda: [ROW, replace(ROW, note="a law of its own")], ["--rows", str(file)]) == 0
    assert load(file) == [ROW, replace(ROW, note="a law of its own")]
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_script_that_fails_is_no_measurement(tmp_path: Path) -> None:
    """The error of a script that fails holds its exit code and what it printed."""
    with pytest.raises(RuntimeError, match=r"augment\.py ended with 2: .*no such dataset"):
        run_script("augment.py", "nothing.h5", cwd=tmp_path)
