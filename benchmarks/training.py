"""Pictures a second of training cnn32, beside Keras' own fit and PyTorch, and of reading batches.

    python benchmarks/training.py

Each contender has a process of its own. They train in turn, an epoch of 3,000 pictures at a time;
in each round 30,000 pictures are also read in batches, without training.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import ROOT, Row, Spread, digits, ratios, report, turns
from inkfold.dataset.reader import open_dataset
from inkfold.keras_backend import POLICIES, policy
from inkfold.training.batches import Batches
from tests.worlds.packed_strokes import write_packed

CLASSES, BATCH = 314, 100
TRAINED, READ = 3_000, 30_000  # pictures in a turn
ROUNDS = 3
COMMAND = "python benchmarks/training.py"
PEERS = ("Keras float32", "PyTorch float32", "PyTorch bfloat16")
PEER_NAMES = {
    "Keras float32": "Keras fit, float32, arrays in memory",
    "PyTorch float32": "PyTorch, float32, channels last",
    "PyTorch bfloat16": "PyTorch, bfloat16, channels last",
    "ours": "our training without it",
}
Rates = dict[str, list[float]]  # pictures a second of each contender, in each round


def measure() -> list[Row]:
    """Train with each contender and read batches, in turn."""
    names = ["ours", "ours online", *(peer for peer in PEERS if installed(peer))]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        classes = [f"{number:03}" for number in range(CLASSES)]
        small, large = (
            write_packed(Path(folder) / f"{n}.h5", (n, BATCH, BATCH), classes=classes, size=32)
            for n in (TRAINED, READ)
        )
        contenders = {name: stack.enter_context(start(name, "cnn32", small)) for name in names}
        rates = _in_turn(contenders, large)
        for process in contenders.values():
            process.terminate()
    return _rows(rates)


def _in_turn(contenders: dict[str, subprocess.Popen[str]], large: Path) -> Rates:
    """Pictures a second in each round; the first epoch, in which networks compile, is left out."""
    rates: Rates = {name: [] for name in (*contenders, "reading")}
    for round_ in range(ROUNDS + 1):
        for name in turns(list(contenders), round_):
            rates[name].append(epoch(contenders[name]))
        rates["reading"].append(_read(large, round_))
        print(f"round {round_} of {ROUNDS}", file=sys.stderr)  # noqa: T201, progress
    return {name: values[1:] for name, values in rates.items()}


def start(name: str, network: str, path: Path) -> subprocess.Popen[str]:
    """A new process of a contender that trains a network on the dataset `path`."""
    script = ROOT / "benchmarks" / "training_contenders.py"
    return subprocess.Popen(  # noqa: S603, our script
        [sys.executable, str(script), name, network, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def epoch(process: subprocess.Popen[str]) -> float:
    """Let a contender train an epoch; its pictures a second."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a contender has lost its pipes")
    process.stdin.write("\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise RuntimeError(f"{process.args!r} ended without an answer")
    return float(answer)


def _read(path: Path, number: int) -> float:
    """Read an epoch's batches without training; the pictures a second."""
    with open_dataset(path) as dataset:
        batches = Batches([dataset.train], BATCH, seed=0)
        began = time.perf_counter()
        pictures = sum(len(labels) for _, labels in batches.epoch(number))
    return pictures / (time.perf_counter() - began)


def installed(peer: str) -> bool:
    """Whether the library of a contender is there."""
    library = {"PyTorch": "torch", "JAX": "jax"}
    needed = [package for name, package in library.items() if name in peer]
    return all(importlib.util.find_spec(package) is not None for package in needed)


def _rows(rates: Rates) -> list[Row]:
    fast = policy("auto") == POLICIES["bfloat16"]
    targets = {
        "Keras float32": "at least 1.8" if fast else "at least 1.5",
        "PyTorch float32": "at least 1",
        "PyTorch bfloat16": "at least 1" if fast else "",  # emulated where the processor has none
    }
    rows = [
        _row("training cnn32, auto", rates, "ours", peer, targets[peer])
        for peer in PEERS
        if peer in rates
    ]
    if len(rows) < len(PEERS):
        print("PyTorch is not installed: not compared", file=sys.stderr)  # noqa: T201, named, not hidden
    online = "training cnn32 with --augment online"
    rows.append(_row(online, rates, "ours online", "ours", "at least 0.95"))
    reading = f"reading {digits(READ)} pictures in shuffled batches"
    rows.append(_row(reading, rates, "reading", "ours", "at least 20"))
    return rows


def _row(stage: str, rates: Rates, name: str, peer: str, target: str) -> Row:
    arithmetic = "" if name == "reading" else f" in {policy('auto')}"
    return Row(
        stage=stage,
        ours=f"{Spread.of(rates[name]).text()} pictures/s{arithmetic}",
        peer=PEER_NAMES[peer] if name != "reading" else "training, auto",
        theirs=f"{Spread.of(rates[peer]).text()} pictures/s",
        ratio=ratios(rates[name], rates[peer]),
        target=target,
        command=COMMAND,
    )


if __name__ == "__main__":
    sys.exit(report(measure))
