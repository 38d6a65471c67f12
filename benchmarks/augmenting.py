"""How close augment.py comes to the rate at which its engine alone distorts.

    python benchmarks/augmenting.py

60,000 pictures of 32x32 become 600,000 rows. The whole process with two workers is timed: Python's
start, reading, distortion, digests, compression and writing. In the same rounds `Elastic.distort`
is timed alone, in one process on one core; its rate times two is the engine's rate. The size of the
pictures in the file is compared with the size that h5py's gzip of level 4 gives for the same rows
in the same chunks.
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
from inkfold.dataset.digests import digests
from inkfold.dataset.split import CHUNK
from inkfold.dataset.writer import Rows, writing_dataset
from inkfold.elastic import Elastic, chunk_rng
from inkfold.spec import SPLITS, ImageSpec
from inkfold.workers import one_thread

COUNT, TIMES, SIZE, WORKERS = 60_000, 10, 32, 2
ROUNDS = 5
ENGINE_CHUNKS = 400  # chunks of 256 pictures that the engine alone distorts in each round
COMPARED_CHUNKS = 64  # chunks whose compressed size is compared
COMMAND = "python benchmarks/augmenting.py"


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


def characters(count: int) -> NDArray[np.uint8]:
    """Images of lines as if written with a brush, uint8 (count, SIZE, SIZE), 0 = paper."""
    rng = np.random.default_rng(0)
    images = np.zeros((count, SIZE, SIZE), np.uint8)
    for image in images:
        points = rng.integers(SIZE // 8, SIZE - SIZE // 8, (5, 2)).astype(np.int32)
        cv2.polylines(image, [points], False, 235, 2, cv2.LINE_AA)
    return images


def write_packed(path: Path, images: NDArray[np.uint8]) -> Path:
    """Write a dataset with `images` as its train split, in 100 classes."""
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
    """Distort chunks on one core, as a worker of augment.py calls the engine."""
    with one_thread():
        for number in range(ENGINE_CHUNKS):
            elastic.distort(images, chunk_rng(0, 1, number))


def rate(timed: dict[str, list[float]]) -> Row:
    """Rows that augment.py writes a second, over the rows that `WORKERS` engines would distort."""
    rows = COUNT * TIMES
    engine = [seconds / (ENGINE_CHUNKS * CHUNK) for seconds in timed["engine"]]
    shares = [rows / t * e / WORKERS for t, e in zip(timed["augment.py"], engine, strict=True)]
    ours = Spread.of([rows / seconds for seconds in timed["augment.py"]])
    return Row(
        stage=f"augment.py, {COUNT:,} pictures tenfold, {WORKERS} workers",
        ours=f"{ours.text()} rows a second",
        peer="the engine alone",
        theirs=f"2 x {Spread.of([1 / seconds for seconds in engine]).text()} a second",
        ratio=Spread.of(shares),
        target="at least 0.6",
        command=COMMAND,
    )


def weight(augmented: Path, by_h5py: Path) -> Row:
    """Bytes of chunks from all over the augmented file, over those of the same chunks by h5py."""
    with h5py.File(augmented) as file, h5py.File(by_h5py, "w") as again:
        images = file["train/images"]
        step = len(images) // COMPARED_CHUNKS // CHUNK * CHUNK
        starts = range(0, len(images), step)[:COMPARED_CHUNKS]
        copy = again.create_dataset(
            "images",
            (COMPARED_CHUNKS * CHUNK, SIZE, SIZE),
            np.uint8,
            chunks=(CHUNK, SIZE, SIZE),
            compression="gzip",
            compression_opts=4,
        )
        for number, start in enumerate(starts):
            copy[number * CHUNK : (number + 1) * CHUNK] = images[start : start + CHUNK]
        ours = sum(len(images.id.read_direct_chunk((start, 0, 0))[1]) for start in starts)
        theirs = copy.id.get_storage_size()
    pictures = COMPARED_CHUNKS * CHUNK
    return Row(
        stage="size of the pictures in the augmented file",
        ours=f"{digits(ours / pictures)} bytes a picture",
        peer="h5py's gzip of level 4",
        theirs=f"{digits(theirs / pictures)} bytes",
        ratio=Spread.of([ours / theirs]),
        target="at most 1.05",
        command=COMMAND,
        note=f"{COMPARED_CHUNKS} chunks of {CHUNK}",
    )


if __name__ == "__main__":
    sys.exit(report(measure))
