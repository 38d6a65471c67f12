"""Packing that is killed, stopped, or given ten times as many pictures, in its own process."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.memory import peak_memory, write_tiny
from inkfold.dataset.reader import open_dataset
from tests.worlds.scripts import ROOT, run_script

pytestmark = pytest.mark.slow

COUNT = 6000


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that takes about a second to pack."""
    return write_tiny(tmp_path_factory.mktemp("tiny") / "in", COUNT)


def start(folder: Path, output: Path, *options: str) -> subprocess.Popen[bytes]:
    """Begin to pack in another process."""
    command = [sys.executable, str(ROOT / "create_dataset.py"), str(folder), "-o", str(output)]
    return subprocess.Popen(
        [*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def wait_for(folder: Path, moment: str | float, process: subprocess.Popen[bytes]) -> None:
    """Wait so many seconds, or until a file or folder with this ending lies in the folder."""
    if isinstance(moment, float):
        time.sleep(moment)
        return
    while process.poll() is None:
        if folder.is_dir() and any(path.name.endswith(moment) for path in folder.iterdir()):
            return


def whole(output: Path) -> bool:
    """Whether the file exists and holds all pictures."""
    if not output.exists():
        return False
    with open_dataset(output) as dataset:
        splits = (dataset.train, dataset.validation, dataset.test)
        return sum(len(split.images[:]) for split in splits) == COUNT


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("moment", [".scratch", ".part", 0.4, 0.7, 1.0, 1.3])
def test_a_killed_run_leaves_no_half_file(
    tmp_path: Path, tiny: Path, moment: str | float, workers: str
) -> None:
    """After SIGKILL at any moment the file is whole or absent, and no worker lives on.

    The next run packs everything and removes the scratch files that were left.
    """
    output = tmp_path / "out/d.h5"
    process = start(tiny, output, "--workers", workers)
    wait_for(output.parent, moment, process)
    workers_of_it = psutil.Process(process.pid).children() if process.poll() is None else []
    process.kill()
    process.wait()

    assert whole(output) or not output.exists()

    again = run_script(
        "create_dataset.py", tiny, "-o", output, "--overwrite", "--workers", "1", cwd=tmp_path
    )
    assert again.returncode == 0, again.stderr
    assert [path.name for path in output.parent.iterdir()] == ["d.h5"]
    assert whole(output)
    assert psutil.wait_procs(workers_of_it, timeout=20)[1] == [], "no worker outlives the run"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", [".scratch", ".part"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stopped_run_leaves_nothing(
    tmp_path: Path, tiny: Path, moment: str, number: signal.Signals, workers: str
) -> None:
    """SIGTERM and Ctrl-C end a run with code 128 plus the signal's number and an empty folder."""
    output = tmp_path / "out/d.h5"
    process = start(tiny, output, "--workers", workers)
    wait_for(output.parent, moment, process)
    process.send_signal(number)
    code = process.wait(timeout=60)

    if whole(output):
        pytest.skip("the run was done before the signal came")
    assert code == 128 + number
    assert list(output.parent.iterdir()) == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ten_times_the_pictures_take_no_more_memory(tmp_path: Path, workers: str) -> None:
    """Packing 60,000 pictures takes at most a tenth more memory than packing 6,000."""
    pack = [sys.executable, str(ROOT / "create_dataset.py"), "--workers", workers]
    small = peak_memory([*pack, str(write_tiny(tmp_path / "6", 6000)), "-o", tmp_path / "s.h5"])
    large = peak_memory([*pack, str(write_tiny(tmp_path / "60", 60_000)), "-o", tmp_path / "l.h5"])
    print(f"{workers} workers: {small:.1f} and {large:.1f} MiB")  # noqa: T201, the measurement

    assert large < 1.1 * small
    assert (tmp_path / "l.h5").stat().st_size > 5 * (tmp_path / "s.h5").stat().st_size
