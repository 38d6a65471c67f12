"""The arithmetic behind every figure that a benchmark prints."""

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
    """Not the ratio of the medians, which would be 2: the rounds gave 1, 4 and 2.5."""
    assert ratios([2.0, 4.0, 10.0], [2.0, 1.0, 4.0]) == Spread(2.5, 1.0, 4.0)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=9))
def test_a_spread_has_its_median_between_its_ends(values: list[float]) -> None:
    """And its ends are measured values."""
    spread = Spread.of(values)
    assert spread.low <= spread.median <= spread.high
    assert {spread.low, spread.high} <= set(values)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        *((3.456, "3.46"), (34.56, "34.6"), (345.6, "346"), (0.03456, "0.0346")),
        *((28500.0, "28,500"), (0.0, "0"), (1.0, "1.00")),
    ],
)
def test_figures_have_three_digits(value: float, told: str) -> None:
    """Small and large ones alike."""
    assert digits(value) == told


@pytest.mark.parametrize(
    ("target", "met"),
    [
        *(("at least 2.0", True), ("at least 2.1", False)),
        *(("at most 2.0", True), ("at most 1.9", False), ("", None)),
    ],
)
def test_a_target_is_met_by_the_median(target: str, met: bool | None) -> None:
    """The bound itself keeps it; without a target there is nothing to meet."""
    assert replace(ROW, target=target).met is met


def test_a_missed_target_is_said_in_the_line() -> None:
    """Nobody has to compare two numbers to see it."""
    assert line(ROW).endswith("target at least 1.5; reached")
    assert line(replace(ROW, target="at least 3")).endswith("target at least 3; NOT reached")


def test_every_contender_runs_once_a_round_and_another_one_begins() -> None:
    """After one warm run each, which is not timed."""
    ran: list[str] = []
    timed = in_turn({"a": lambda: ran.append("a"), "b": lambda: ran.append("b")}, rounds=3)
    assert "".join(ran) == "ab" + "ab" + "ba" + "ab"
    assert {name: len(values) for name, values in timed.items()} == {"a": 3, "b": 3}


def test_a_contenders_seconds_are_its_own() -> None:
    """The sleeper's turn is long, the other's is not."""
    timed = in_turn({"sleeps": lambda: time.sleep(0.02), "does not": lambda: None}, rounds=2)
    assert min(timed["sleeps"]) >= 0.02
    assert min(timed["does not"]) < 0.01


def test_rows_that_are_kept_are_read_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And printed, a line each."""
    kept = tmp_path / "rows.json"
    assert report(lambda: [ROW, replace(ROW, note="a law of its own")], ["--rows", str(kept)]) == 0
    assert load(kept) == [ROW, replace(ROW, note="a law of its own")]
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_script_that_fails_is_no_measurement(tmp_path: Path) -> None:
    """Its own words are in the error."""
    with pytest.raises(RuntimeError, match=r"augment\.py ended with 2: .*no such dataset"):
        run_script("augment.py", "nothing.h5", cwd=tmp_path)
