"""Whether packing and augmenting give the same bytes for any number of workers, and who waits.

    python benchmarks/many_workers.py

20,000 PNG files are packed, and 20,000 pictures augmented tenfold, with 1, 2, 4 and 8 workers. With
more workers than processors these share the processors, so the seconds show no speed of that many.
The limit of the writer does not depend on that. The process that plans and writes takes its own
time on a processor, and a single worker, which is that same process, shows what everything takes;
both are counted for each further picture, between 2,000 and 20,000, without start and end. What is
left for workers, divided by what the writer takes, is the number of workers that would keep it
busy: below that number the writer is not the limit.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.augmenting import characters, write_packed
from benchmarks.measuring import MICROSECONDS, ROOT
from benchmarks.packing import write_pictures

WORKERS = 1, 2, 4, 8
FEW, MANY = 2_000, 20_000  # pictures


@dataclass(frozen=True, kw_only=True)
class Ended:
    """One run of a command.

    Attributes
    ----------
    seconds : float
        From its start to its end.
    writer : float
        Seconds of a processor that the process itself took, without its workers.
    digest : str
        BLAKE2b of the file that it wrote.
    """

    seconds: float
    writer: float
    digest: str


def run(command: Sequence[str], output: Path, workers: int) -> Ended:
    """Run a script of Inkfold with `workers` workers, and read what it wrote."""
    line = [sys.executable, str(ROOT / command[0]), *command[1:], "-o", str(output)]
    start = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603, our scripts
        [*line, "--workers", str(workers), "--overwrite", "-q"], stdout=subprocess.DEVNULL
    )
    # workers are children of a server that nobody waits for, so they are not counted in here
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{line} failed")
    digest = hashlib.blake2b(output.read_bytes(), digest_size=16).hexdigest()
    return Ended(seconds=seconds, writer=used.ru_utime + used.ru_stime, digest=digest)


def rows(script: str, few: Path, many: Path, output: Path) -> Iterator[str]:
    """A row of the table for each number of workers."""
    everything, digest = 0.0, ""
    for workers in WORKERS:
        small = run((script, str(few)), output, workers)
        large = run((script, str(many)), output, workers)
        writer = (large.writer - small.writer) / (MANY - FEW) * MICROSECONDS
        busy = ""
        if workers == 1:
            everything, digest = writer, large.digest
        else:
            busy = f"{(everything - writer) / writer:.0f}"
        same = "yes" if large.digest == digest else "NO"
        cells = (f"`{script}`", str(workers), f"{large.seconds:.2f}", f"{writer:.1f}", busy, same)
        yield f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    head = (
        "command",
        "workers",
        "seconds",
        "us of its process for each further picture",
        "workers that keep the writer busy",
        "same bytes",
    )
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")  # noqa: T201, the table's head
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        images = characters(MANY)
        inputs = {
            "create_dataset.py": [write_pictures(work / str(n), n) for n in (FEW, MANY)],
            "augment.py": [write_packed(work / f"{n}.h5", images[:n]) for n in (FEW, MANY)],
        }
        for script, (few, many) in inputs.items():
            for row in rows(script, few, many, work / "out.h5"):
                print(row, flush=True)  # noqa: T201, the result


if __name__ == "__main__":
    main()
