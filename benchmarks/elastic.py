"""What a distorted copy costs on one core, beside the slow reference and a loop over cv2.

    python benchmarks/elastic.py

The three are timed in turn, round after round, so that a busy machine slows all of them; the best
round of each counts. Ratios are what to compare between machines.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))  # for the reference, which is a test's

from inkfold.elastic import Elastic, block_rng
from inkfold.threads import one_thread
from tests.reference_elastic import reference_fields, reference_warp

SIZE = 32
BLOCK = 256  # pictures in a batch; nine copies of it in a row, as augment.py makes them
SLOW = 32  # pictures in a batch of the slow ones
ROUNDS = 40
PARAMETERS = (
    {"sigma": 6.0, "alpha": 47.0},
    {"sigma": 4.0, "alpha": 34.0},
    {"sigma": 6.0, "alpha": 47.0, "rotate": 10.0, "scale": 0.1, "shear": 5.0, "shift": 0.05},
)


def by_scipy(
    images: NDArray[np.uint8], sigma: float, alpha: float, rng: np.random.Generator
) -> None:
    """The specification of the tests."""
    for image, field in zip(
        images, reference_fields(len(images), SIZE, sigma, alpha, rng), strict=True
    ):
        reference_warp(image, field)


def by_cv2(images: NDArray[np.uint8], sigma: float, alpha: float, rng: np.random.Generator) -> None:
    """The same law with OpenCV's blur and remap, a picture at a time."""
    wider = math.ceil(4 * sigma)
    side, window = SIZE + 2 * wider, 2 * wider + 1
    rows, columns = np.indices((SIZE, SIZE), np.float32)
    for image in images:
        noise = 2 * rng.random((2, side, side), np.float32) - 1
        smooth = [cv2.GaussianBlur(part, (window, window), sigma) for part in noise]
        down, right = (alpha * part[wider:-wider, wider:-wider] for part in smooth)
        cv2.remap(image, columns + right, rows + down, cv2.INTER_LINEAR)


def seconds(work: Callable[[], object]) -> float:
    """How long it takes once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(options: dict[str, float]) -> str:
    """One line: microseconds a picture of each, and how many times as long as ours."""
    rng = block_rng(0, 1, 0)
    images = np.random.default_rng(0).integers(0, 256, (BLOCK, SIZE, SIZE)).astype(np.uint8)
    few, law = images[:SLOW], (options["sigma"], options["alpha"])
    elastic = Elastic(SIZE, **options)
    best = [math.inf] * 3
    for _ in range(ROUNDS):
        round_ = (
            seconds(lambda: [elastic.distort(images, rng) for _ in range(9)]) / (9 * BLOCK),
            seconds(lambda: by_cv2(few, *law, rng)) / SLOW,
            seconds(lambda: by_scipy(few, *law, rng)) / SLOW,
        )
        best = [min(pair) for pair in zip(best, round_, strict=True)]
    ours, cv2_loop, scipy_loop = (1e6 * value for value in best)
    named = ", ".join(f"{name} {value:g}" for name, value in options.items())
    return (
        f"{named}: {ours:.1f} us a picture ({1e6 / ours:,.0f} a second); "
        f"cv2 loop {cv2_loop:.0f} us ({cv2_loop / ours:.0f} x), "
        f"scipy reference {scipy_loop:.0f} us ({scipy_loop / ours:.0f} x)"
    )


def main() -> int:
    """Print a line for each set of parameters; the elastic part alone is what the others do."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with one_thread():
        for options in PARAMETERS:
            print(measure(options))  # noqa: T201, a benchmark prints its figures
    return 0


if __name__ == "__main__":
    sys.exit(main())
