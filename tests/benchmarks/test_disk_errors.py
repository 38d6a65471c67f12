"""Faults of the disk: a stage that does not tell of one is counted as broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.disk_errors import ALONE, KILL, Fault, calls, trial, untold
from benchmarks.fault_stages import Stage, contents, prepared
from benchmarks.running import Ended, cold
from tests.worlds.tracing import watched

TOLD = "error: out.h5: No space left on device; mend that or choose another place\n"
CAREFUL = """
import os, sys
try:
    with open(".part", "w") as file:
        file.write("whole")
        file.flush()
        os.fsync(file.fileno())
    os.rename(".part", "out.txt")
except OSError as error:
    if os.path.exists(".part"):
        os.unlink(".part")
    sys.exit(print("error: out.txt: lost", file=sys.stderr) or 2)
"""
CARELESS = CAREFUL.replace("or 2", "or 0")
TALKATIVE = CAREFUL.replace("or 2", "or print('and more', file=sys.stderr) or 2")


@pytest.mark.parametrize(
    ("code", "errors", "problem"),
    [
        (2, TOLD, None),
        (2, f"warning: b.png: no picture\n{TOLD}", None),
        (2, "error: Too many open files; allow more with ulimit -n, or end a program\n", None),
        (0, "", None),
        (0, "error: out.h5: lost\n", "it ends with 0 and says error: out.h5: lost\n"),
        (2, "error: lost\n", "exit code 2, not one line that names a file: error: lost\n"),
        (2, TOLD * 2, f"exit code 2, not one line that names a file: {TOLD * 2}"),
        (1, "Traceback\n", "exit code 1, not one line that names a file: Traceback\n"),
    ],
)
def test_one_line_with_a_file_and_exit_code_2_tell_of_a_fault(
    code: int, errors: str, problem: str | None
) -> None:
    """Warnings do not count; a line without a file, two lines and another exit code are wrong."""
    assert untold(Ended(code, errors)) == problem


@watched
@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (CAREFUL, None),
        (CARELESS, "it ends with 0 and without its output"),
        (TALKATIVE, "exit code 2, not one line"),
    ],
)
def test_a_stage_is_given_the_fault_and_must_tell_of_it(
    tmp_path: Path, code: str, problem: str | None
) -> None:
    """The fault reaches the stage: one that goes on without a word is broken."""
    stage = Stage(name="lines", command=("-c", code), outputs=("out.txt",))
    for name in ("whole", "trial"):
        (tmp_path / name).mkdir()
    assert cold(stage.command, tmp_path / "whole").code == 0
    new = contents(stage, tmp_path / "whole")

    found = trial(stage, tmp_path / "trial", Fault("fsync", 1, "EIO"), new, old_there=False)

    assert (found is None) == (problem is None)
    assert problem is None or problem in str(found)


HALF = """
with open("out.txt", "w") as file:
    file.write("half")
    file.flush()
    file.write(" and whole")
"""


@watched
@pytest.mark.slow
@pytest.mark.parametrize(("code", "problem"), [(CAREFUL, None), (HALF, "neither the old nor the")])
def test_a_stage_that_is_killed_before_a_call_must_leave_no_half(
    tmp_path: Path, code: str, problem: str | None
) -> None:
    """The kill comes before the last call that writes; the careful stage may be run again."""
    stage = Stage(name="lines", command=("-c", code), outputs=("out.txt",), beside=(".part",))
    for name in ("whole", "trial"):
        (tmp_path / name).mkdir()
    number = calls(stage, tmp_path / "whole")["write"][-1]
    new = contents(stage, tmp_path / "whole")

    found = trial(stage, tmp_path / "trial", Fault("write", number, KILL), new, old_there=False)

    assert (found is None) == (problem is None), found
    assert problem is None or problem in str(found)


@watched
@pytest.mark.slow
def test_an_import_tells_of_a_disk_that_fails(tmp_path: Path) -> None:
    """The last synchronisation fails, and the last file is one too many, over an older output."""
    (stage,) = (each for each in ALONE if each.name == "import_data.py")
    world = prepared(tmp_path / "world", bundle=False)
    numbers = calls(stage, world)
    new = contents(stage, world)
    (world / "out.h5").unlink()

    for call, error, old_there in (("fsync", "EIO", False), ("openat", "EMFILE", True)):
        fault = Fault(call, numbers[call][-1], error)
        assert trial(stage, world, fault, new, old_there=old_there) is None
        (world / "out.h5").unlink()
