"""Two machines, as two processes on loopback, train as one machine with two devices does."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.worlds import shared_training, tiny_on_jax
from tests.worlds.packed_strokes import write_packed
from tests.worlds.shared_training import EPOCHS, FALLING
from tests.worlds.trained import history, weights

SHARED, TINY = Path(shared_training.__file__), Path(tiny_on_jax.__file__)
ROOT = SHARED.parents[2]
# the options that make the command do what shared_training.py does
ALIKE = [
    *("--epochs", str(EPOCHS), "--augment", "online", "--refit"),
    *("--precision", "float32", "--kernels", "fused"),
]
Ran = tuple[int, str, str]  # exit code, stdout, stderr


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """JAX compiles little and keeps it: compiling is most of the time of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
        patch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        patch.setenv("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
        yield


def start(
    folder: Path, script: Path, arguments: list[str], devices: int = 1
) -> subprocess.Popen[str]:
    """Start a script on JAX in `folder`, on a machine with so many devices."""
    folder.mkdir(exist_ok=True)
    environment = os.environ | {
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": str(ROOT),
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
    }
    return subprocess.Popen(
        [sys.executable, "-u", str(script), *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> Ran:
    """Wait for a process."""
    with process:
        printed, errors = process.communicate(timeout=400)
    return process.returncode, printed, errors


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_pair(folder: Path, *options: list[str]) -> list[subprocess.Popen[str]]:
    """Start the tiny network's command on two machines, which share `folder`."""
    place = ["--machines", f"127.0.0.1:{free_port()}", "--of", "2", "--rank"]
    return [
        start(folder, TINY, ["d.h5", "-o", "b", *own, *place, str(rank)])
        for rank, own in enumerate(options)
    ]


def numbers(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a checkpoint."""
    with np.load(path) as file:
        return {name: file[name] for name in file.files if name != "state"}


def state(path: Path) -> dict[str, Any]:
    """What a checkpoint says of its run, without times."""
    with np.load(path) as file:
        found: dict[str, Any] = json.loads(str(file["state"]))
    found["plan"]["told"] = ""
    for row in found["history"]:
        row["seconds"] = 0
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the dataset that all train on."""
    made = tmp_path_factory.mktemp("machines")
    write_packed(made / "d.h5")
    return made


@pytest.fixture(scope="module")
def devices(folder: Path) -> Path:
    """What one process with two devices left, and under the name "plain" one with one device."""
    processes = [
        start(folder, SHARED, ["d.h5", "devices"], devices=2),
        start(folder, SHARED, ["d.h5", "plain"]),
    ]
    for code, _, errors in map(finish, processes):
        assert code == 0, errors
    return folder


@pytest.fixture(scope="module")
def processes(devices: Path) -> Path:
    """What two processes with one device each left; each had a working folder of its own."""
    port = str(free_port())
    pair = [
        start(devices / f"at{rank}", SHARED, ["../d.h5", "../processes", str(rank), "2", port])
        for rank in range(2)
    ]
    for code, printed, errors in map(finish, pair):
        assert (code, printed) == (0, ""), errors
    return devices


@pytest.mark.slow
def test_two_machines_train_bit_for_bit_as_two_devices_of_one(processes: Path) -> None:
    """Weights, moments, statistics and scores are equal after each epoch, and in a refit too."""
    epochs = sorted(path.name for path in processes.glob("devices-[0-9]*.npz"))
    assert len(epochs) > EPOCHS, "the search and some epochs of the refit"

    for name in epochs:
        one, other = processes / name, processes / name.replace("devices", "processes")
        ours, theirs = numbers(one), numbers(other)
        assert ours.keys() == theirs.keys()
        assert all(np.array_equal(ours[key], theirs[key]) for key in ours), name
        assert state(one) == state(other)
    pairs = zip(weights(processes / "devices"), weights(processes / "processes"), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)


@pytest.mark.slow
def test_two_steps_of_gradient_descent_are_those_of_one_device(processes: Path) -> None:
    """Dropout and batch normalisation are those of the whole batch; only roundings differ."""
    plain, shared = (numbers(processes / f"{name}-sgd.npz") for name in ("plain", "processes"))

    assert plain.keys() == shared.keys()
    assert max(np.abs(plain[key] - shared[key].astype(float)).max() for key in plain) < 1e-5
    # Keras keeps the rate among the optimizer's variables; the second step has that of the half
    rates = [array for array in plain.values() if array.dtype == np.float32 and array.shape == ()]
    assert [float(rate) for rate in rates] == pytest.approx([FALLING.rate_at(0.5)])


@pytest.mark.slow
def test_two_machines_that_are_stopped_and_resumed_end_as_an_unbroken_run(
    devices: Path, tmp_path: Path
) -> None:
    """SIGKILL of one ends the other, SIGTERM keeps a checkpoint, and each time it goes on."""
    write_packed(tmp_path / "d.h5")

    killed = stopped_at("epoch   2", start_pair(tmp_path, ALIKE, ALIKE), 1, signal.SIGKILL)
    assert [code for code, _, _ in killed] == [2, -signal.SIGKILL]
    assert killed[0][2].startswith("error: the connection to another machine is lost; start all")
    assert killed[0][2].count("\n") == 1

    again = [*ALIKE, "--resume"]
    ended = stopped_at("refit", start_pair(tmp_path, again, again), 0, signal.SIGTERM)
    assert [code for code, _, _ in ended] == [128 + signal.SIGTERM, 2]
    assert "kept in .b.checkpoint.npz; resume with: python" in ended[0][2]
    assert ended[1][2].startswith("error: machine 0 has ended (it was stopped); start all machines")
    assert "epoch   1" not in ended[0][1], "an epoch was trained twice"

    code, _, errors = finish(start(tmp_path, TINY, ["d.h5", "-o", "b", *again], devices=2))
    assert (code, errors) == (0, ""), "one machine with two devices divides a batch as two do"
    assert history(tmp_path / "b") == history(devices / "devices")
    pairs = zip(weights(tmp_path / "b"), weights(devices / "devices"), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["b", "d.h5", "logs"]


def stopped_at(
    seen: str, pair: list[subprocess.Popen[str]], rank: int, number: signal.Signals
) -> list[Ran]:
    """Send one machine a signal once machine 0 has printed a line with `seen`."""
    assert pair[0].stdout is not None
    printed = ""
    for line in pair[0].stdout:
        printed += line
        if seen in line:
            pair[rank].send_signal(number)
            break
    (code, rest, errors), other = finish(pair[0]), finish(pair[1])
    return [(code, printed + rest, errors), other]


@pytest.mark.slow
def test_machines_that_are_not_started_alike_all_name_the_first_difference(tmp_path: Path) -> None:
    """Two seeds are an error on both machines, in one line, and nothing is written."""
    write_packed(tmp_path / "d.h5")

    ran = [finish(each) for each in start_pair(tmp_path, ["--seed", "1"], ["--seed", "2"])]

    for code, _, errors in ran:
        assert code == 2, errors
        assert re.fullmatch(r"error: .* seed is 1 on machine 0 and 2 on machine 1; .*\n", errors)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["d.h5", "logs"]
