"""What augment.py reaches of the rate at which its engine alone could distort.

    python benchmarks/augmenting.py

60,000 pictures of 32x32 become 600,000 rows, by the whole process with two workers: Python's start,
reading, distortion, digests, compression and writing. Beside it, in the same rounds, two engines'
worth of `Elastic.distort` in one process on one core. And the size of the pictures in the file
beside what h5py's gzip of level 4 makes of the same rows in the same chunks.
"""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path

import cv2
import h5py
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import Row, Spread, digits, in_turn, report, run_script
from inkfold.dataset.reader import CHUNK
from inkfold.dataset.writer import Rows, digests, writing_dataset
from inkfold.elastic import Elastic, chunk_rng
from inkfold.spec import SPLITS, ImageSpec
from inkfold.workers import one_thread

COUNT, TIMES, SIZE, WORKERS = 60_000, 10, 32, 2
ROUNDS = 5
BLOCKS = 400  # of 256 pictures, distorted by the engine alone in each round
CHECKED = 64  # chunks whose compressed size is compared
COMMAND = "python benchmarks/augmenting.py"


def characters(count: int) -> NDArray[np.uint8]:
    """Brush-written shapes, ink on paper 0."""
    rng = np.random.default_rng(0)
    pictures = np.zeros((count, SIZE, SIZE), np.uint8)
    for picture in pictures:
        points = rng.integers(SIZE // 8, SIZE - SIZE // 8, (5, 2)).astype(np.int32)
        cv2.polylines(picture, [points], False, 235, 2, cv2.LINE_AA)
    return pictures


def write_packed(path: Path, images: NDArray[np.uint8]) -> Path:
    """A dataset of these training pictures in 100 classes."""
    labels = (np.arange(len(images)) % 100).astype(np.int32)
    source = np.array([f"{n:02d}/{i:06d}.png".encode() for i, n in enumerate(labels)])
    rows = Rows(images=images, labels=labels, source=source, digest=digests(images))
    with writing_dataset(path, list(map(str, range(100))), ImageSpec(), overwrite=True) as writer:
        for name in SPLITS:
            count = len(images) if name == "train" else 0
            with writer.split(name, count, like=rows) as split:
                for at in range(0, count, CHUNK):
                    split.append(rows[at : at + CHUNK])
        writer.finish({"tool": "benchmark"})
    return path


def engine_alone(images: NDArray[np.uint8], elastic: Elastic) -> None:
    """As a worker calls it, one core."""
    with one_thread():
        for block in range(BLOCKS):
            elastic.distort(images, chunk_rng(0, 1, block))


def measure() -> list[Row]:
    """Augment 60,000 pictures tenfold beside the engine alone; then weigh the file."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        images = characters(COUNT)
        packed = write_packed(work / "d.h5", images)
        command = ("augment.py", packed, "--workers", str(WORKERS), "--overwrite", "-q")
        timed = in_turn(
            {
                "engine": partial(engine_alone, images[:CHUNK], Elastic(SIZE, 6, 47)),
                "augment.py": partial(run_script, *command, cwd=work),
            },
            ROUNDS,
        )
        return [rate(timed), weight(work / "d_elastic.h5", work / "by_h5py.h5")]


def rate(timed: dict[str, list[float]]) -> Row:
    """Rows written a second, over what so many engines alone would distort."""
    rows = COUNT * TIMES
    engine = [seconds / (BLOCKS * CHUNK) for seconds in timed["engine"]]
    shares = [rows / t * e / WORKERS for t, e in zip(timed["augment.py"], engine, strict=True)]
    ours = Spread.of([rows / seconds for seconds in timed["augment.py"]])
    return Row(
        stage=f"augment.py, {COUNT:,} pictures tenfold, {WORKERS} workers",
        ours=f"{ours.told()} rows a second",
        peer="the engine alone",
        theirs=f"2 x {Spread.of([1 / seconds for seconds in engine]).told()} a second",
        ratio=Spread.of(shares),
        target="at least 0.6",
        command=COMMAND,
    )


def weight(augmented: Path, other: Path) -> Row:
    """Bytes of the pictures' chunks, some from everywhere in the file."""
    with h5py.File(augmented) as file, h5py.File(other, "w") as again:
        images = file["train/images"]
        starts = range(0, len(images), len(images) // CHECKED // CHUNK * CHUNK)[:CHECKED]
        copy = again.create_dataset(
            "images",
            (CHECKED * CHUNK, SIZE, SIZE),
            np.uint8,
            chunks=(CHUNK, SIZE, SIZE),
            compression="gzip",
            compression_opts=4,
        )
        for number, start in enumerate(starts):
            copy[number * CHUNK : (number + 1) * CHUNK] = images[start : start + CHUNK]
        ours = sum(len(images.id.read_direct_chunk((start, 0, 0))[1]) for start in starts)
        theirs = copy.id.get_storage_size()
    pictures = CHECKED * CHUNK
    return Row(
        "size of the pictures in the augmented file",
        f"{digits(ours / pictures)} bytes a picture",
        "h5py's gzip of level 4",
        f"{digits(theirs / pictures)} bytes",
        Spread.of([ours / theirs]),
        "at most 1.05",
        COMMAND,
        f"{CHECKED} chunks of {CHUNK}",
    )


if __name__ == "__main__":
    sys.exit(report(measure))
