"""A run that is stopped and resumed ends as an uninterrupted one, in processes of their own."""

from __future__ import annotations

import re
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
# which kernels are faster differs from one moment to the next, and their roundings differ
FIXED = ["--precision", "float32", "--kernels", "fused"]
OPTIONS = {"plain": [], "refit": ["--refit", "--augment", "online"]}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Bundles of runs that nobody stopped, plain and refitted.

    Their standard error is empty: TensorFlow would write there if it were first imported without
    the settings of `import_keras`, the one for oneDNN among them.
    """
    folder = tmp_path_factory.mktemp("uninterrupted")
    data = write_packed(folder / "d.h5")
    for name, options in OPTIONS.items():
        code, _, errors = finish(train(folder, data, ["-o", name, *options]))
        assert (code, errors) == (0, "")
    return {name: folder / name for name in OPTIONS}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "stops"),
    [
        ("plain", [(signal.SIGINT, "epoch   2"), (signal.SIGKILL, "epoch   3")]),
        ("plain", [(signal.SIGKILL, "epoch   1"), (signal.SIGTERM, "epoch   5")]),
        ("refit", [(signal.SIGTERM, "refit")]),
    ],
)
def test_a_run_that_is_stopped_and_resumed_ends_as_an_uninterrupted_one(
    tmp_path: Path,
    uninterrupted: dict[str, Path],
    name: str,
    stops: list[tuple[signal.Signals, str]],
) -> None:
    """A run that gets a signal after each of these lines ends with the same weights and history."""
    data = write_packed(tmp_path / "d.h5")
    begin = resume = [str(data), "-o", "stopped", *OPTIONS[name], *FIXED]
    last = ""
    for number, line in stops:
        code, printed, errors = stopped_at(line, start(tmp_path, resume), number)
        assert code == (-number if number == signal.SIGKILL else 128 + number), errors
        assert not last or f"{last} " not in printed, "an epoch was trained twice"
        assert not (tmp_path / "stopped").exists()
        resume, last = [*begin, "--resume"], line
        if number != signal.SIGKILL:
            assert f"kept in .stopped.checkpoint.npz; resume with: python {TINY} " in errors
            resume = shlex.split(errors.partition(f"python {TINY}")[2].splitlines()[0])
    code, printed, errors = finish(start(tmp_path, resume))
    assert code == 0, errors
    assert last == "refit" or f"{last} " not in printed, "an epoch was trained twice"
    assert last != "refit" or "search" not in printed, "the search is over"
    own = re.search(r"epochs, (\d+) of them in this run, ([\d,]+) pictures in ", printed)
    assert own is not None, printed
    assert int(own[1]) == len(re.findall(r"^epoch ", printed, re.MULTILINE))
    epoch = 320 if name == "plain" else 384  # pictures: a refit trains on validation too
    assert int(own[2].replace(",", "")) == epoch * int(own[1])

    assert history(tmp_path / "stopped") == history(uninterrupted[name])
    pairs = zip(weights(tmp_path / "stopped"), weights(uninterrupted[name]), strict=True)
    assert all(np.array_equal(x, y) for x, y in pairs)
    first, second = (load_bundle(path) for path in (tmp_path / "stopped", uninterrupted[name]))
    assert first.scores == second.scores
    assert first.record.get("calibration") == second.record.get("calibration")
    assert (name == "refit") == ("calibration" in first.record)


@pytest.mark.slow
def test_a_second_training_into_the_same_output_is_refused_while_the_first_lives(
    tmp_path: Path,
) -> None:
    """The second run names the first's process; after SIGKILL of the first one may resume.

    An output of the same name in another folder would write the same log, and is refused as well.
    """
    data = write_packed(tmp_path / "d.h5")
    first = train(tmp_path, data, ["-o", "b"])
    assert first.stdout is not None
    assert "fused kernels" in first.stdout.readline(), "the plan comes before the first epoch"
    assert "epoch   1" in first.stdout.readline()
    first.send_signal(signal.SIGSTOP)  # it lives for as long as this test wants
    for options in ([], ["--resume"], ["--overwrite"]):
        code, printed, errors = finish(train(tmp_path, data, ["-o", "b", *options]))
        assert (code, printed) == (2, "")
        assert errors.startswith(f"error: b: process {first.pid} is writing it; wait for its end")
    code, printed, errors = finish(train(tmp_path, data, ["-o", "other/b"]))
    assert (code, printed) == (2, "")
    assert errors.startswith(f"error: logs/b: process {first.pid} is writing it; wait for its end")
    first.send_signal(signal.SIGKILL)
    finish(first)

    code, _, errors = finish(train(tmp_path, data, ["-o", "b"]))
    assert (code, "resume it with --resume" in errors) == (2, True)
    code, _, errors = finish(train(tmp_path, data, ["-o", "b", "--overwrite"]))
    assert code == 0, errors
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "d.h5", "logs", "other"]


def train(folder: Path, data: Path, arguments: list[str]) -> subprocess.Popen[str]:
    """Start the tiny network's script in `folder`, with all that a run would choose by itself."""
    return start(folder, [str(data), *arguments, *FIXED])


def start(folder: Path, arguments: list[str]) -> subprocess.Popen[str]:
    """Start the tiny network's script in `folder`."""
    return subprocess.Popen(
        [sys.executable, str(TINY), *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def stopped_at(
    seen: str, process: subprocess.Popen[str], number: signal.Signals
) -> tuple[int, str, str]:
    """Send a signal once the process has printed a line with `seen`: exit code, stdout, stderr."""
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if seen in line:
            process.send_signal(number)
            break
    code, rest, errors = finish(process)
    return code, printed + rest, errors


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for a process: exit code, stdout, stderr."""
    with process:
        printed, errors = process.communicate()
    return process.returncode, printed, errors
