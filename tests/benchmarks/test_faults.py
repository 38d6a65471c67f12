"""The counting of faults: a stage that loses or leaves something is counted as broken."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.faults import STAGES, Stage, content, prepared, trial, trials


def stage(code: str) -> Stage:
    """A stage that runs some lines of Python, which write ``out.txt``."""
    return Stage(name="lines", command=("-c", code), older=(), output="out.txt")


WRITES = "open('out.txt', 'w').write('whole')"


def test_a_stage_that_writes_the_same_again_holds(tmp_path: Path) -> None:
    """Nothing, or the whole output, is there after the kill, and the next run completes it."""
    (tmp_path / "reference.txt").write_text("whole")
    new = content(tmp_path / "reference.txt")
    (tmp_path / "trial").mkdir()

    assert trial(stage(WRITES), tmp_path / "trial", new, 0.0, old_there=False) is None


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (f"{WRITES}; open('litter.tmp', 'w')", "left over: litter.tmp"),
        ("import os; open('out.txt', 'w').write(str(os.getpid()))", "other bytes"),
        ("raise SystemExit(3)", "exits with 3"),
    ],
)
def test_a_stage_that_leaves_or_changes_something_is_broken(
    tmp_path: Path, code: str, problem: str
) -> None:
    """Leftovers, other bytes and a run that fails after a kill are each named."""
    (tmp_path / "reference.txt").write_text("whole")
    new = content(tmp_path / "reference.txt")
    (tmp_path / "trial").mkdir()

    found = trial(stage(code), tmp_path / "trial", new, 0.0, old_there=False)

    assert found is not None
    assert problem in found


def test_half_an_output_after_a_kill_is_broken(tmp_path: Path) -> None:
    """An output that is neither the old nor the new one is named, whatever the next run does."""
    (tmp_path / "reference.txt").write_text("whole")
    new = content(tmp_path / "reference.txt")
    (tmp_path / "trial").mkdir()
    code = "import pathlib; pathlib.Path('out.txt').write_text('who')"

    found = trial(stage(code), tmp_path / "trial", new, 1.0, old_there=False)

    late = "run again, it gives other bytes than an unbroken run"  # the kill came before its start
    assert found in {"after the kill the output is neither the old nor the new one", late}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["create_dataset.py", "augment.py", "inkfold export"])
def test_a_stage_that_is_killed_loses_nothing(tmp_path: Path, name: str) -> None:
    """Two kills at random moments, one over an older output, and a whole run after each."""
    (chosen,) = (stage for stage in STAGES if stage.name == name)

    counted = trials(chosen, prepared(tmp_path), 2, random.Random(7))

    assert (counted.tried, counted.broken) == (2, 0)
