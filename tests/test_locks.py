"""One process at a time writes an output, and a killed one leaves no lock; with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from inkfold.errors import InkfoldError
from inkfold.locks import only_writer
from tests.worlds.scripts import ROOT

HOLD = """
import sys
from pathlib import Path
from inkfold.locks import only_writer
with only_writer(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
# takes the lock a thousand times, and counts in a file: without a lock some counts are lost
COUNT = """
import sys
from pathlib import Path
from inkfold.errors import InkfoldError
from inkfold.locks import only_writer
path, done = Path(sys.argv[1]), 0
while done < 300:
    try:
        with only_writer(path):
            count = int(path.read_text() or 0) if path.exists() else 0
            path.write_text(str(count + 1))
            done += 1
    except InkfoldError:
        continue
"""


def hold(path: Path) -> subprocess.Popen[str]:
    """A process that holds the lock of an output until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_writer_is_refused_with_the_number_of_the_first(tmp_path: Path) -> None:
    """While a process holds the lock, another is refused, also through a link, until it ends."""
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to("out")
    with hold(tmp_path / "out") as first:
        for path in (tmp_path / "out", tmp_path / "link"):
            message = f"{path.name}: process {first.pid} is writing it; wait for its end"
            with pytest.raises(InkfoldError, match=message), only_writer(path):
                pass
    with only_writer(tmp_path / "out"):
        assert (tmp_path / ".out.lock").read_text() == str(os.getpid())

    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "out"]


def test_a_killed_writer_leaves_no_lock(tmp_path: Path) -> None:
    """After SIGKILL the file of the lock is left, but the next writer gets the lock."""
    with hold(tmp_path / "out") as first:
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert (tmp_path / ".out.lock").read_text() == str(first.pid)

    with only_writer(tmp_path / "out"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_no_two_processes_hold_a_lock_whose_file_comes_and_goes(tmp_path: Path) -> None:
    """Four processes that take the lock in turn, each removing its file, lose no count."""
    command = [sys.executable, "-c", COUNT, str(tmp_path / "out")]
    processes = [subprocess.Popen(command, cwd=ROOT) for _ in range(4)]

    assert [process.wait() for process in processes] == [0] * 4
    assert (tmp_path / "out").read_text() == "1200"
