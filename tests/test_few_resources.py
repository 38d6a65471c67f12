"""Few open files and little memory: one line that says so, and exit code 2."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worlds.packed_strokes import write_packed
from tests.worlds.scripts import ROOT

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash sets the limit")


def augment_under(limit: str, folder: Path, workers: int) -> subprocess.CompletedProcess[str]:
    """Run ``augment.py`` on a small dataset under a limit of the shell."""
    write_packed(folder / "d.h5", (300, 4, 4), size=8)
    command = [sys.executable, str(ROOT / "augment.py"), "d.h5", "--workers", str(workers)]
    return subprocess.run(
        [str(shutil.which("bash")), "-c", f'ulimit {limit}; exec "$@"', "bash", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("limit", "workers"), [("-n 7", 1), ("-n 10", 2), ("-n 16", 2), ("-n 20", 2)]
)
def test_too_few_open_files_are_one_line(tmp_path: Path, limit: str, workers: int) -> None:
    """With few files that may be open, a run ends in one line that names the limit, or succeeds."""
    done = augment_under(limit, tmp_path, workers)

    if done.returncode != 0:
        assert done.returncode == 2, done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        assert "ulimit -n" in done.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["d.h5"]
    assert (done.returncode == 0) == (workers == 1)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere address space has no limit")
@pytest.mark.parametrize("kilobytes", [200_000, 250_000, 300_000])
def test_too_little_memory_is_one_line(tmp_path: Path, kilobytes: int) -> None:
    """With little address space, a run ends in one line that says so, or succeeds."""
    done = augment_under(f"-v {kilobytes}", tmp_path, 1)

    if done.returncode != 0:
        assert done.returncode == 2, done.stderr
        assert done.stderr.startswith("error: memory ran out; ")
        assert done.stderr.count("\n") == 1, done.stderr


OPENED = """
import resource, sys
from inkfold.picture import load
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
load(sys.argv[1])
"""


def test_too_many_open_files_are_no_fault_of_a_picture(tmp_path: Path) -> None:
    """The picture is not called unreadable, which would leave it out: the whole command ends."""
    (tmp_path / "a.png").write_bytes(b"any")
    done = subprocess.run(
        [sys.executable, "-c", OPENED, str(tmp_path / "a.png")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "OSError: [Errno 24]" in done.stderr
    assert "PictureError" not in done.stderr
