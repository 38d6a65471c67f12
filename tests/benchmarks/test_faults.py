"""The counting of faults: a stage that loses or leaves something is counted as broken."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.fault_stages import STAGES, Content, Stage, contents, prepared, torn
from benchmarks.faults import Outcome, Outputs, trial, trials
from benchmarks.running import cold


def stage(code: str) -> Stage:
    """A stage that runs some lines of Python, which write ``out.txt``."""
    return Stage(name="lines", command=("-c", code), outputs=("out.txt",))


def contents_of_whole(folder: Path) -> Outputs:
    """What `contents` gives of a folder with the whole output; makes ``folder/trial``."""
    (folder / "trial").mkdir()
    (folder / "out.txt").write_text("whole")
    return contents(stage(""), folder)


WRITES = "open('out.txt', 'w').write('whole')"


def test_a_stage_that_writes_the_same_again_holds(tmp_path: Path) -> None:
    """Nothing, or the whole output, is there after the kill, and the next run completes it."""
    new = contents_of_whole(tmp_path)

    found = trial(stage(WRITES), tmp_path / "trial", new, 0.0, run=cold, old_there=False)

    assert found == Outcome(killed=True, problem=None)


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
    new = contents_of_whole(tmp_path)

    found = trial(stage(code), tmp_path / "trial", new, 0.0, run=cold, old_there=False)

    assert found.problem is not None
    assert problem in found.problem


def test_half_an_output_after_a_kill_is_broken(tmp_path: Path) -> None:
    """An output that is neither the old nor the new one is named, whatever the next run does."""
    new = contents_of_whole(tmp_path)
    code = "import pathlib, time; pathlib.Path('out.txt').write_text('who'); time.sleep(99)"

    found = trial(stage(code), tmp_path / "trial", new, 9.0, run=cold, old_there=False)

    assert found.killed
    assert found.problem == "after the kill neither the old nor the new one: ['out.txt']"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["create_dataset.py", "augment.py", "inkfold export"])
def test_a_stage_that_is_killed_loses_nothing(tmp_path: Path, name: str) -> None:
    """Two kills at random moments, one over an older output, and a whole run after each."""
    (chosen,) = (stage for stage in STAGES if stage.name == name)

    counted = trials(chosen, prepared(tmp_path, bundle=False), 2, random.Random(7), cold)

    assert (counted.tried, counted.broken) == (2, 0)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({"a": "1", "b": "1"}, []),
        ({"a": "2", "b": "2"}, []),
        ({"a": "2", "b": "1"}, ["out"]),
        ({"a": "2", "b": "1", ".b.machine.7.part": "half"}, ["out"]),
        ({"a": "2", "b": "half"}, ["out", "kept"]),
        ({"a": "2"}, ["out", "kept"]),
    ],
)
def test_only_a_folder_whose_files_are_replaced_one_by_one_may_be_mixed(
    after: Content, expected: list[str]
) -> None:
    """Of every other output all files are old or all are new, and no file is ever a third thing."""
    stage = Stage(name="any", command=(), outputs=("out", "kept"), in_place=("kept",))
    old, new = ({"a": each, "b": each} for each in "12")

    def both(content: Content) -> Outputs:
        return {"out": content, "kept": content}

    assert torn(stage, both(after), both(old), both(new)) == expected
