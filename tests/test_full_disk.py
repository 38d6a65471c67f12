"""A full disk: an error in one line, exit code 2, and nothing half written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worlds.packed_strokes import write_packed
from tests.worlds.scripts import ROOT

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash sets the limit")


@pytest.mark.parametrize("kilobytes", [100, 300, 600])
def test_a_disk_that_fills_up_while_augmenting_loses_nothing(
    tmp_path: Path, kilobytes: int
) -> None:
    """When a file cannot grow any further, as on a full disk, only the unchanged input is left."""
    data = write_packed(tmp_path / "d.h5", (2000, 100, 100))
    before = data.read_bytes()
    line = f'ulimit -f {kilobytes}; exec "$@"'
    command = ["bash", "-c", line, "bash", sys.executable, str(ROOT / "augment.py"), "d.h5"]

    done = subprocess.run(
        [*command, "--workers", "1"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: d_elastic.h5: File too large; ")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == [data]
    assert data.read_bytes() == before
