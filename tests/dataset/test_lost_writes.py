"""Writes that the disk refuses, one by one: none is lost without an error."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from inkfold.errors import InkfoldError
from inkfold.hdf5_faults import no_write_lost
from tests.worlds.tracing import watched

DATASET = """
from pathlib import Path
from tests.worlds.packed_strokes import write_packed
write_packed(Path("out"), (300, 20, 20))
"""
HALVES = """
import h5py, numpy as np
from pathlib import Path
from inkfold.training.half_precision import _halve_weights
with h5py.File("whole", "w") as file:
    for name in "abc":
        file.create_dataset(name, data=np.arange(9, dtype=np.float32))
print("whole", flush=True)
_halve_weights(Path("whole"), Path("out"))
"""
WRITES = re.compile(r"pwrite64\(\d+<[^>]*/(?:\.?out[^>]*)>")


def traced(code: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run some lines of Python under strace; its log is ``log``."""
    strace = ["strace", "-f", "--seccomp-bpf", "-y", "-qq", "-o", "log", "-e", "trace=pwrite64"]
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(
        [
            *strace,
            *options,
            sys.executable,
            "-c",
            f"import sys; sys.path[0] = {str(root)!r}\n{code}",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@watched
@pytest.mark.slow
@pytest.mark.parametrize("code", [DATASET, HALVES], ids=["dataset", "halves"])
def test_no_write_that_fails_is_lost(tmp_path: Path, code: str) -> None:
    """Each write of the file fails in turn: the error is raised, and the output has no name.

    The small array of class names was written while Python freed it, and the file was taken for
    whole.
    """
    assert traced(code, tmp_path).returncode == 0
    calls = [line for line in (tmp_path / "log").read_text().splitlines() if "pwrite64(" in line]
    ours = [number for number, line in enumerate(calls, 1) if WRITES.search(line)]
    assert len(ours) > 5, "the writes of the output are seen"

    for number in ours:
        for path in tmp_path.iterdir():
            path.unlink()
        done = traced(code, tmp_path, "-e", f"inject=pwrite64:error=ENOSPC:when={number}")
        assert done.returncode != 0, f"write {number} of {len(calls)}"
        assert re.search(r"^(inkfold.errors.InkfoldError|OSError): ", done.stderr, re.MULTILINE)
        assert code is HALVES or not (tmp_path / "out").exists()


def test_an_error_that_has_nothing_to_do_with_the_disk_is_raised_as_it_is(tmp_path: Path) -> None:
    """A mistake within the block is told as that."""
    with pytest.raises(RuntimeError, match="a mistake"), no_write_lost(tmp_path / "out"):
        raise RuntimeError("a mistake")


def test_a_file_that_was_written_whole_raises_nothing(tmp_path: Path) -> None:
    """The hook that was there before the block is there after it."""
    before = sys.unraisablehook
    with no_write_lost(tmp_path / "out"), h5py.File(tmp_path / "out", "w") as file:
        file.create_dataset("a", data=np.arange(5))

    assert sys.unraisablehook is before
    with (
        pytest.raises(InkfoldError, match=r"out: HDF5 cannot finish it"),
        no_write_lost(tmp_path / "out"),
    ):
        raise RuntimeError("Unable to close (errno = 28)")
