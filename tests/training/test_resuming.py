"""Stopping a training costs nothing: it goes on to the same end, in real second processes."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inkfold.bundle.bundle import load_bundle
from tests.worlds import tiny_network
from tests.worlds.packed_strokes import write_packed
from tests.worlds.trained import history, weights

TINY = Path(tiny_network.__file__)
OPTIONS = {"plain": [], "refit": ["--refit", "--augment", "online"]}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs that nobody stopped, plain and refitted."""
    folder = tmp_path_factory.mktemp("unbroken")
    data = write_packed(folder / "d.h5")
    for name, options in OPTIONS.items():
        code, _, told = finish(train(folder, data, ["-o", name, *options]))
        assert code == 0, told
    return {name: folder / name for name in OPTIONS}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "name", "seen"),
    [
        (signal.SIGINT, "plain", "epoch   2"),
        (signal.SIGTERM, "plain", "epoch   5"),  # two stages of patience 2 have 6 at least
        (signal.SIGKILL, "plain", "epoch   1"),
        (signal.SIGTERM, "refit", "refit"),
    ],
)
def test_a_run_that_is_stopped_and_gone_on_with_ends_as_an_unbroken_one(
    tmp_path: Path, unbroken: dict[str, Path], number: signal.Signals, name: str, seen: str
) -> None:
    """The same weights bit for bit and the same history, in a real second process."""
    data = write_packed(tmp_path / "d.h5")
    broken = train(tmp_path, data, ["-o", "broken", *OPTIONS[name]])
    assert broken.stdout is not None
    for line in broken.stdout:
        if seen in line:
            broken.send_signal(number)
            break
    code, _, told = finish(broken)

    assert code == (-number if number == signal.SIGKILL else 128 + number), told
    assert not (tmp_path / "broken").exists()
    if number == signal.SIGKILL:
        resume = [str(data), "-o", "broken", *OPTIONS[name], "--precision", "float32", "--resume"]
    else:
        assert "kept in .broken.checkpoint.npz; resume with: python models/tiny.py " in told
        resume = shlex.split(told.partition("python models/tiny.py")[2].splitlines()[0])
    code, shown, told = finish(start(tmp_path, resume))
    assert code == 0, told
    assert seen == "refit" or f"{seen} " not in shown, "what was done is not done again"
    assert seen != "refit" or "search" not in shown, "the search is over"

    assert history(tmp_path / "broken") == history(unbroken[name])
    pairs = zip(weights(tmp_path / "broken"), weights(unbroken[name]), strict=True)
    assert all(np.array_equal(x, y) for x, y in pairs)
    first, second = (load_bundle(path) for path in (tmp_path / "broken", unbroken[name]))
    assert first.scores == second.scores
    assert first.record.get("calibration") == second.record.get("calibration")
    assert (name == "refit") == ("calibration" in first.record)


def train(folder: Path, data: Path, arguments: list[str]) -> subprocess.Popen[str]:
    """Start the tiny network's script in `folder`, in float32."""
    return start(folder, [str(data), *arguments, "--precision", "float32"])


def start(folder: Path, arguments: list[str]) -> subprocess.Popen[str]:
    """Start the tiny network's script in `folder`."""
    return subprocess.Popen(
        [sys.executable, str(TINY), *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for a process: exit code, stdout, stderr."""
    with process:
        shown, told = process.communicate()
    return process.returncode, shown, told
