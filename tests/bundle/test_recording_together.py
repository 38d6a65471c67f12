"""Two evaluations of one bundle at the same moment keep both scores, in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from inkfold.bundle.bundle import read_record
from tests.worlds.bands import write_bundle
from tests.worlds.scripts import ROOT

RECORD = """
import sys
from pathlib import Path
from inkfold.bundle.writing import record_results
path, name = Path(sys.argv[1]), sys.argv[2]
score = {"correct": 1, "total": 2, "loss": 0.5}
print("ready", flush=True)
sys.stdin.readline()
for number in range(30):
    record_results(path, scores={f"{name}{number}": score})
"""


def test_no_score_is_lost_and_no_lock_is_left(tmp_path: Path) -> None:
    """Two processes that record thirty scores each leave sixty, and nothing beside the bundle."""
    bundle = write_bundle(tmp_path / "b")
    before = read_record(bundle)["scores"].keys()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", RECORD, str(bundle), name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "other")
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        with process:
            process.communicate()
        assert process.returncode == 0

    assert len(read_record(bundle)["scores"].keys() - before) == 60
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
