"""Peak memory of evaluate and audit as the number of rows grows, in bytes a row.

    python benchmarks/many_rows.py --rows 100000 --rows 1000000

Datasets of drawn 8x8 pictures are written for it: four classes, a group for every hundred
pictures, one label in ten wrong, one picture in a thousand twice. The commands run as processes of
their own, and their peak resident set is the system's own count. Every tenth picture is in test,
which ``evaluate`` answers with ``--split train`` as well, where four fifths are. Bytes a row are
the difference between two sizes, so that the libraries do not count.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import ROOT
from inkfold.commands import cli
from inkfold.dataset.digests import digests
from inkfold.dataset.writer import Rows, writing_dataset
from inkfold.spec import SPLITS
from tests.worlds.bands import CLASSES, SPEC, WIDTH, write_bundle

SHARES = (0.8, 0.1, 0.1)
WRONG, TWICE, OF_A_GROUP = 0.1, 0.001, 100
BARE = 0.6  # share of the pixels that are paper
STEP = 1 << 16
RUN = "import sys; from inkfold.commands.{} import main; sys.exit(main())"


def rows(rng: np.random.Generator, first: int, count: int) -> Rows:
    """The next pictures: blots, and a band that says the class."""
    band = rng.integers(0, len(CLASSES), count)
    images = rng.integers(0, 256, (count, SPEC.size, SPEC.size), np.uint8)
    images[rng.random(images.shape) < BARE] = 0
    inked = np.arange(SPEC.size) // WIDTH == band[:, None]
    images[np.broadcast_to(inked[:, None], images.shape)] |= 128
    again = np.flatnonzero(rng.random(count) < TWICE)
    images[again] = images[again - 1]
    labels = np.where(rng.random(count) < WRONG, rng.integers(0, len(CLASSES), count), band)
    numbers = np.arange(first, first + count)
    return Rows(
        images=images,
        labels=labels.astype(np.int32),
        source=np.char.mod(b"class/writer/%09d.png", numbers),
        digest=digests(images),
        group=np.char.mod(b"writer %08d", numbers // OF_A_GROUP),
    )


def write(path: Path, count: int) -> Path:
    """A dataset of so many rows."""
    rng = np.random.default_rng(0)
    with writing_dataset(path, CLASSES, SPEC, overwrite=False) as writer:
        first = 0
        for name, share in zip(SPLITS, SHARES, strict=True):
            total = round(share * count)
            with writer.split(name, total, like=rows(rng, 0, 2)[:0]) as split:
                for start in range(0, total, STEP):
                    some = rows(rng, first, min(STEP, total - start))
                    first += len(some)
                    for at in range(0, len(some), 256):
                        split.append(some[at : at + 256])
        writer.finish({"tool": "many_rows", "counts": {}})
    return path


def run(line: Sequence[str | Path], work: Path) -> tuple[float, float]:
    """Run a command; its peak resident set in bytes, and its seconds."""
    begin = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603, our own command
        [sys.executable, *map(str, line)],
        cwd=work,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    with process, process.stderr or open(os.devnull, "rb") as errors:  # noqa: PTH123, as a stream
        told = errors.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise RuntimeError(f"{line} ended with {process.returncode}: {told.decode()}")
    return usage.ru_maxrss * 1024.0, time.perf_counter() - begin


def lines(data: Path, work: Path) -> dict[str, list[str | Path]]:
    """The commands, by what is measured."""
    bundle = work / "bands"
    evaluate = ("-c", RUN.format("evaluate"), bundle, data, "-q", "-o", work / "report")
    audit: list[str | Path] = ["-c", RUN.format("audit"), data, "--quick", "-q"]
    return {
        "evaluate --split test": [*evaluate, "--overwrite", "--split", "test"],
        "evaluate --split train": [*evaluate, "--overwrite", "--split", "train"],
        "audit --quick": audit,
        "audit --quick -o": [*audit, "-o", work / "lists", "--overwrite"],
    }


@click.command(help=__doc__)
@click.option("--rows", "counts", type=int, multiple=True, default=(100_000, 1_000_000))
@click.option("--only", help="Measure the commands alone whose words begin so.", default="")
def command(*, counts: tuple[int, ...], only: str) -> int:
    """Measure each command at each size, and print the bytes of a further row."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        write_bundle(work / "bands")
        before: dict[str, tuple[int, float]] = {}
        for count in sorted(counts):
            data = write(work / f"{count}.h5", count)
            for name, line in lines(data, work).items():
                if not name.startswith(only):
                    continue
                peak, seconds = run(line, work)
                text = f"{name}: {count:,} rows, peak {peak / 1e6:,.0f} MB, {seconds:.1f} s"
                if name in before:
                    fewer, lower = before[name]
                    text += f"; {(peak - lower) / (count - fewer):.1f} bytes a further row"
                click.echo(text)
                before[name] = count, peak
            data.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(cli.run(command))
