"""The page, killed and flooded in small numbers; what the count takes for broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.page_faults import flood, kill, problem_in


@pytest.mark.slow
@pytest.mark.parametrize("moment", [0.0, 0.3])
def test_a_page_that_is_killed_loses_no_drawing_that_it_told_of(
    tmp_path: Path, moment: float
) -> None:
    """Every drawing that a client was told of is there, and the next page sweeps the rest."""
    assert kill(tmp_path / "kept", moment) is None


@pytest.mark.slow
def test_a_page_that_was_flooded_answers_the_next_client(tmp_path: Path) -> None:
    """Of 600 connections at once some are answered with 503, and a later one with 200."""
    assert flood(tmp_path / "kept") is None


def test_half_a_picture_and_a_lost_one_are_broken(tmp_path: Path) -> None:
    """A file that is no whole picture counts, and a drawing that was told of and is not there."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").write_bytes(b"half")

    assert problem_in(tmp_path, ["a/1.png"]) == "not the picture: ['a/1.png']"
    assert problem_in(tmp_path, ["a/2.png"]) == "told of, but not there: ['a/2.png']"
