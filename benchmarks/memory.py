"""Memory and time of packing and augmenting as the number of pictures grows.

    python benchmarks/memory.py            # up to 100,000 pictures, about a minute

Memory is the resident set, polled every 5 ms and summed over the process and all processes that it
started; pages that processes share count for each of them. Time is given per picture, and per
further picture from one size to the next: the start of Python and of the workers is a constant,
which is nearly all of the time at 1,000 pictures. Augmenting writes ten rows for each training
picture.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import MICROSECONDS, ROOT, Row, Spread, digits, ratios, report, run_script

SIZES = (1_000, 10_000, 100_000)
STAGES = ("create_dataset.py", "augment.py")
ROUNDS = 2
AS_IS = "start included"
COMMAND = "python benchmarks/memory.py"


def write_tiny(root: Path, count: int, classes: int = 20) -> Path:
    """Write `count` different pictures of 8x8 pixels, dealt to the class folders in turn."""
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


def measure() -> list[Row]:
    """Peak memory at 10,000 and 100,000 pictures, and time a picture from 1,000 on."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for count in SIZES:
            write_tiny(work / str(count), count)
        rows = []
        for stage in STAGES:
            rows += growth(work, stage)
            for workers in ("1", "2"):
                rows += memory(work, stage, workers)
    return rows


def growth(work: Path, stage: str) -> list[Row]:
    """The time a picture, and a further picture, at 100,000 against 10,000, with two workers.

    Whole processes are timed, each size in each round.
    """
    taken: dict[int, list[float]] = {count: [] for count in SIZES}
    for _ in range(ROUNDS):
        for count in SIZES:
            repeats = 1 if count == SIZES[-1] else 3  # short runs vary more
            runs = [
                run_script(stage, *arguments(work, stage, count, "2"), cwd=work)
                for _ in range(repeats)
            ]
            taken[count].append(statistics.median(runs))
    small, middle, large = SIZES
    each = {count: [seconds / count for seconds in taken[count]] for count in SIZES}
    further = [
        [
            (long - short) / (more - less)
            for short, long in zip(taken[less], taken[more], strict=True)
        ]
        for less, more in ((small, middle), (middle, large))
    ]
    return [
        Row(
            stage=f"{stage}, time a picture, {kind}",
            ours=per_picture(of_large, f"at {large:,}" if kind == AS_IS else f"from {middle:,} on"),
            peer="a tenth of them",
            theirs=per_picture(
                of_middle, f"at {middle:,}" if kind == AS_IS else f"from {small:,} on"
            ),
            ratio=ratios(of_large, of_middle),
            target="at most 1.15",
            command=COMMAND,
            note=f"at {small:,}: {digits(MICROSECONDS * min(each[small]))} us, start included",
        )
        for kind, of_large, of_middle in (
            (AS_IS, each[large], each[middle]),
            ("each further one", further[1], further[0]),
        )
    ]


def per_picture(seconds: Sequence[float], size: str) -> str:
    """Seconds a picture as microseconds, and the number of pictures at which they were measured."""
    return f"{Spread.of(seconds).text(MICROSECONDS)} us {size}"


def memory(work: Path, stage: str, workers: str) -> list[Row]:
    """The peak at the largest size against that at a tenth of it, and against 500 MB."""
    few, many = (
        peak_memory([sys.executable, ROOT / stage, *arguments(work, stage, count, workers)])
        for count in SIZES[1:]
    )
    growing = Row(
        stage=f"{stage} --workers {workers}, peak memory of all processes",
        ours=f"{many:.0f} MiB at {SIZES[2]:,}",
        peer="a tenth of them",
        theirs=f"{few:.0f} MiB at {SIZES[1]:,}",
        ratio=Spread.of([many / few]),
        target="at most 1.1",
        command=COMMAND,
    )
    megabytes = many * 2**20 / 1e6
    limited = replace(
        growing,
        peer="a limit",
        theirs="500 MB",
        ratio=Spread.of([megabytes / 500]),
        target="at most 1",
    )
    return [growing, limited]


def peak_memory(command: Sequence[str | Path]) -> float:
    """The most resident memory that a command had at a time, all its processes together, in MiB."""
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


def family(process: psutil.Popen) -> Iterator[psutil.Process]:
    """A process and all processes that it started."""
    yield process
    with contextlib.suppress(psutil.Error):
        yield from process.children(recursive=True)


def arguments(work: Path, stage: str, count: int, workers: str) -> list[str | Path]:
    """The arguments of a stage that runs it on `count` pictures."""
    packed = work / f"{count}.h5"
    source = work / str(count) if stage == "create_dataset.py" else packed
    target = packed if stage == "create_dataset.py" else work / f"{count}_elastic.h5"
    return [source, "-o", target, "--workers", workers, "--overwrite", "-q"]


if __name__ == "__main__":
    sys.exit(report(measure))
