"""What a cluster costs: its scheduler, the caller, the workers and the bytes, a picture.

    python benchmarks/cluster.py

A scheduler and 1, 2 and 4 workers are started on this machine, each a process of its own, and every
stage is run on few and on many pictures; the differences give what each further picture costs,
without start and end. With more workers than processors the seconds show no speed of that many:
processor times do. What a worker takes, divided by what the busier of scheduler and caller takes,
is the number of workers that one caller can use.

The last table computes from these figures how long 10^7, 10^8 and 10^9 pictures take; what it
assumes stands below it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.augmenting import characters, write_packed
from benchmarks.measuring import MICROSECONDS, ROOT
from benchmarks.packing import write_pictures
from tests.worlds.clusters import Cluster, cluster
from tests.worlds.relays import relay

WORKERS = 1, 2, 4
FEW, MANY = 4_096, 20_480  # pictures
COPIES = 10  # of each picture in an augmented file, the original included
PROJECTED = 10**7, 10**8, 10**9
CREW = 1, 16, 100  # workers for which the last table is computed


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A command as it is measured.

    Attributes
    ----------
    name : str
    command : tuple of str
        With ``{input}`` and ``{output}`` for paths.
    rows : int
        Rows or lines of output for each picture.
    """

    name: str
    command: tuple[str, ...]
    rows: int = 1


STAGES = (
    Stage(name="pack", command=("create_dataset", "{input}", "-o", "{output}")),
    Stage(
        name="pack, sharded",
        command=("create_dataset", "{input}", "-o", "{output}", "--shards", "4096"),
    ),
    Stage(name="augment tenfold", command=("augment", "{input}", "-o", "{output}"), rows=COPIES),
    Stage(
        name="augment tenfold, sharded",
        command=("augment", "{input}", "-o", "{output}", "--shards", "16384"),
        rows=COPIES,
    ),
    Stage(name="classify", command=("classify", "{input}", "--format", "csv")),
)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a run took.

    Attributes
    ----------
    seconds : float
        From its start to its end.
    caller, scheduler, workers : float
        Seconds of a processor; those of all workers are added up.
    passed : float
        Bytes between caller and scheduler, where they were counted.
    """

    seconds: float
    caller: float
    scheduler: float
    workers: float
    passed: float

    def each(self, fewer: Cost, pictures: int) -> Cost:
        """What each picture took of those that this run had more than another."""
        return Cost(
            **{
                name: (getattr(self, name) - getattr(fewer, name)) / pictures
                for name in ("seconds", "caller", "scheduler", "workers", "passed")
            }
        )


def processor_seconds(process: subprocess.Popen[bytes]) -> float:
    """What a process has taken of the processors so far."""
    used = psutil.Process(process.pid).cpu_times()
    return float(used.user + used.system)


def measured(made: Cluster, stage: Stage, source: Path, output: Path, *, counted: bool) -> Cost:
    """Run a stage on a cluster; `counted` sends it through a relay, which takes time as well."""
    port = int(made.address.rsplit(":", 1)[1])
    before = processor_seconds(made.scheduler), sum(map(processor_seconds, made.workers))
    with relay(port) as counter:
        used = counter.port if counted else port
        words = [word.format(input=source, output=output) for word in stage.command]
        overwrite = [] if stage.name == "classify" else ["--overwrite"]
        line = [sys.executable, "-m", "inkfold.commands.main", *words, *overwrite, "-q"]
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603, our own commands
            [*line, "--cluster", f"tcp://127.0.0.1:{used}"],
            stdout=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        _, status, spent = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        if os.waitstatus_to_exitcode(status) != 0:
            raise SystemExit(f"{line} failed")
        passed = counter.count
    return Cost(
        seconds=seconds,
        caller=spent.ru_utime + spent.ru_stime,
        scheduler=processor_seconds(made.scheduler) - before[0],
        workers=sum(map(processor_seconds, made.workers)) - before[1],
        passed=passed,
    )


def each_picture(
    made: Cluster, stage: Stage, inputs: Sequence[Path], work: Path, *, counted: bool
) -> Cost:
    """What a further picture costs a stage."""
    few, many = inputs
    if not counted:  # a first run loads libraries and fills caches, here and in the workers
        measured(made, stage, few, work / "out.h5", counted=False)
    costs = [measured(made, stage, path, work / "out.h5", counted=counted) for path in (few, many)]
    return costs[1].each(costs[0], MANY - FEW)


def table(heads: Sequence[str], rows: Iterator[Sequence[str]]) -> None:
    """Print a table as its rows come."""
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")  # noqa: T201, the result
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)  # noqa: T201, the result
    print()  # noqa: T201, the result


def costs(
    inputs: dict[str, list[Path]],
    work: Path,
    stages: Sequence[Stage],
    crews: Sequence[int],
    found: dict[str, Cost],
) -> Iterator[Sequence[str]]:
    """A row for each stage and number of workers; the costs at two workers are put into `found`."""
    for workers in crews:
        with cluster(work / f"cluster{workers}", workers) as made:
            for stage in stages:
                own = inputs[stage.command[0]]
                cost = each_picture(made, stage, own, work, counted=False)
                passed = ""
                if workers == 2:  # what passes does not depend on how many there are
                    found[stage.name] = cost
                    counted = each_picture(made, stage, own, work, counted=True).passed
                    passed = f"{2 * counted:,.0f}"
                limit = max(cost.caller, cost.scheduler)
                yield (
                    stage.name,
                    str(workers),
                    f"{1 / cost.seconds:,.0f}",
                    *(f"{MICROSECONDS * part:.1f}" for part in (cost.workers, cost.caller)),
                    f"{MICROSECONDS * cost.scheduler:.2f}",
                    f"{cost.workers / limit:,.0f}",
                    passed,
                )


def projected(found: dict[str, Cost]) -> Iterator[Sequence[str]]:
    """How long many pictures take, by stage and number of workers."""
    for name, cost in found.items():
        for crew in CREW:
            each = max(cost.workers / crew, cost.caller, cost.scheduler)
            busiest = "workers" if each == cost.workers / crew else "caller or scheduler"
            hours = (f"{count * each / 3600:,.2f}" for count in PROJECTED)
            yield name, str(crew), *hours, busiest


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [stage.name for stage in STAGES]
    parser.add_argument("--only", choices=names, action="append", help="these stages alone")
    parser.add_argument("--workers", type=int, nargs="+", default=WORKERS, help="with 2 among them")
    given = parser.parse_args()
    only = given.only or names
    stages = [stage for stage in STAGES if stage.name in only]
    found: dict[str, Cost] = {}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        images = characters(MANY)
        pictures = [write_pictures(work / str(n), n) for n in (FEW, MANY)]
        packed = [write_packed(work / f"{n}.h5", images[:n]) for n in (FEW, MANY)]
        inputs = {"create_dataset": pictures, "augment": packed, "classify": pictures}
        heads: tuple[str, ...] = (
            "stage",
            "workers",
            "pictures a second",
            "us of workers a picture",
            "us of the caller",
            "us of the scheduler",
            "workers that keep the busier one busy",
            "bytes through the scheduler a picture",
        )
        table(heads, costs(inputs, work, stages, given.workers, found))
    heads = ("stage", "workers", *(f"hours for {count:,}" for count in PROJECTED), "limit")
    table(heads, projected(found))


if __name__ == "__main__":
    main()
