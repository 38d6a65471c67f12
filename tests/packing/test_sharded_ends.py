"""Packing in shards by real processes: workers and callers that are killed, and full disks."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from benchmarks.memory import write_tiny
from inkfold.dataset.merge import merge_dataset
from inkfold.dataset.reader import open_dataset
from tests.worlds.scripts import ROOT, run_script

pytestmark = pytest.mark.slow

COUNT = 4000
BASH = shutil.which("bash") or ""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that takes about a second to pack."""
    return write_tiny(tmp_path_factory.mktemp("tiny") / "in", COUNT)


@pytest.fixture(scope="module")
def whole(tiny: Path) -> bytes:
    """The bytes of the single file."""
    run_script("create_dataset.py", tiny, "-o", "whole.h5", "-q", cwd=tiny.parent)
    return (tiny.parent / "whole.h5").read_bytes()


def merged(path: Path) -> bytes:
    """The bytes of the shards as one file."""
    one = path.with_name("merged.h5")
    with open_dataset(path) as dataset:
        merge_dataset(dataset, one, overwrite=True, advance=lambda _count: None)
    data = one.read_bytes()
    one.unlink()
    return data


def start(folder: Path, output: Path) -> subprocess.Popen[str]:
    """Begin to pack in shards, in another process with two workers."""
    command = [sys.executable, str(ROOT / "create_dataset.py"), str(folder), "-o", str(output)]
    return subprocess.Popen(
        [*command, "--shards", "256", "--workers", "2", "-q"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str], there: Callable[[], object]) -> None:
    """Wait until something is there, or the process has ended."""
    while process.poll() is None and not there():
        time.sleep(0.001)


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The processes that work for it: those that have no children of their own."""
    found = psutil.Process(process.pid).children(recursive=True)
    parents = {each.ppid() for each in found}
    return [each for each in found if each.pid not in parents and each.ppid() != process.pid]


@pytest.mark.parametrize("moment", ["**/*.stage", "d.shards/train-*.h5"])
def test_a_killed_worker_ends_the_run_in_one_line(tmp_path: Path, tiny: Path, moment: str) -> None:
    """The message says that a worker was killed; no dataset, scratch file or part is left."""
    process = start(tiny, tmp_path / "d.h5")
    wait_for(process, lambda: next(tmp_path.glob(moment), None))
    for worker in workers_of(process)[:1]:
        worker.kill()
    error = process.communicate(timeout=120)[1]

    if process.returncode == 0:
        pytest.skip("the run was done before the worker was killed")
    assert process.returncode == 2
    assert re.fullmatch(r"error: a worker process was killed, [^\n]*\n", error)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left in ([], ["d.shards"])
    assert list(tmp_path.glob("d.shards/.*")) == []


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("**/*.stage", signal.SIGKILL),
        ("d.shards/train-*.h5", signal.SIGKILL),
        ("d.shards/train-*.h5", signal.SIGTERM),
    ],
)
def test_a_run_after_a_killed_or_stopped_one_gives_the_same_dataset(
    tmp_path: Path, tiny: Path, whole: bytes, moment: str, number: signal.Signals
) -> None:
    """The shards that are whole are kept, staging is done anew, and nothing else is left."""
    process = start(tiny, tmp_path / "d.h5")
    wait_for(process, lambda: next(tmp_path.glob(moment), None))
    workers = workers_of(process) if process.poll() is None else []
    process.send_signal(number)
    process.communicate(timeout=120)
    gone = psutil.wait_procs(workers, timeout=60)[1] == []
    if number == signal.SIGTERM:
        assert list(tmp_path.glob(".*")) == []

    again = run_script(
        "create_dataset.py",
        *(tiny, "-o", tmp_path / "d.h5", "--shards", "256", "--workers", "2", "--overwrite", "-q"),
        cwd=tmp_path,
    )

    assert gone, "no worker outlives the run"
    assert again.returncode == 0, again.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.h5", "d.shards"]
    assert merged(tmp_path / "d.h5") == whole


@pytest.mark.skipif(not BASH, reason="bash sets the limit")
@pytest.mark.parametrize(
    ("kilobytes", "named"), [(150, r"/d\.h5"), (300, r"/d\.shards/train-00000-.*\.h5")]
)
def test_a_disk_that_fills_up_leaves_nothing_half_written(
    tmp_path: Path, tiny: Path, kilobytes: int, named: str
) -> None:
    """A worker that cannot write a stage file or a shard ends the run in one line with its path."""
    command = [sys.executable, ROOT / "create_dataset.py", tiny, "-o", "d.h5", "-q"]
    options = ["--shards", "8192", "--workers", "2"]
    line = f'ulimit -f {kilobytes}; exec "$@"'

    done = subprocess.run(
        [BASH, "-c", line, "bash", *map(str, command), *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert done.returncode == 2, done.stderr
    assert re.fullmatch(rf"error: [^ ]*{named}: File too large; [^\n]*\n", done.stderr), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_command_packs_in_shards_and_says_what_comes_next(tmp_path: Path, tiny: Path) -> None:
    """The counts are those of the single file, and the next command names the index."""
    arguments = (tiny, "-o", "d.h5", "--shards", "1024", "--workers", "1", "-q")

    done = run_script("create_dataset.py", *arguments, cwd=tmp_path)
    refused = run_script("create_dataset.py", *arguments, "--shards", "1000", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.decode().splitlines()
    assert first.startswith("d.h5: 4,000 pictures of 20 classes (3,200 / 400 / 400)")
    assert "d.h5" in rest[-1]
    assert refused.returncode == 2
    assert b"no multiple of 256" in refused.stderr
