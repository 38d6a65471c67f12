"""Peak memory of packing and augmenting at two sizes, all processes together.

    python benchmarks/memory.py            # 20,000 and 200,000 pictures, about two minutes

Memory is the resident set, polled every 5 ms and summed over the process and all that it started.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import psutil

ROOT = Path(__file__).resolve().parents[1]
SIZES = (20_000, 200_000)


def write_tiny(root: Path, count: int, classes: int = 20) -> Path:
    """So many different pictures of 8x8 pixels, one after the other into the classes."""
    rng = np.random.default_rng(0)
    for name in range(classes):
        (root / f"{name:02d}").mkdir(parents=True)
    for index in range(count):
        picture = np.zeros((8, 8), np.uint8)
        picture[1:7, 1:7] = rng.integers(0, 256, (6, 6))
        (root / f"{index % classes:02d}/picture {index:06d}.png").write_bytes(
            cv2.imencode(".png", picture)[1].tobytes()
        )
    return root


def family(process: psutil.Popen) -> Iterator[psutil.Process]:
    """A process and all that it started."""
    yield process
    with contextlib.suppress(psutil.Error):
        yield from process.children(recursive=True)


def peak_memory(command: Sequence[str | Path]) -> float:
    """The most resident memory, in MiB, that a command had at a time, all processes together."""
    process = psutil.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        total = 0
        for member in family(process):
            with contextlib.suppress(psutil.Error):
                total += member.memory_info().rss
        peak = max(peak, total)
        time.sleep(0.005)
    if process.returncode:
        raise RuntimeError(f"{command} ended with exit code {process.returncode}")
    return peak / 2**20


def main() -> None:
    """Measure each stage at both sizes with one and with two workers."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for count in SIZES:
            write_tiny(work / str(count), count)
        for workers in ("1", "2"):
            for stage in ("create_dataset.py", "augment.py"):
                peaks = [peak_memory(line(work, stage, count, workers)) for count in SIZES]
                growth = 100 * (peaks[1] / peaks[0] - 1)
                told = ", ".join(
                    f"{peak:.0f} MiB at {count:,}" for peak, count in zip(peaks, SIZES, strict=True)
                )
                print(f"{stage} --workers {workers}: {told} pictures ({growth:+.1f} %)")  # noqa: T201, the figure


def line(work: Path, stage: str, count: int, workers: str) -> list[str | Path]:
    """The command line of a stage on `count` pictures, at 32 pixels."""
    packed = work / f"{count}.h5"
    source = work / str(count) if stage == "create_dataset.py" else packed
    target = packed if stage == "create_dataset.py" else work / f"{count}_elastic.h5"
    script: list[str | Path] = [sys.executable, ROOT / stage, source, "-o", target]
    return [*script, "--workers", workers, "--overwrite", "-q"]


if __name__ == "__main__":
    main()
