"""``cluster check``: the address of a cluster -> whether it can work for this program."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkfold.commands.cli import MISTAKE, echo
from inkfold.errors import InkfoldError
from inkfold.extras import need
from inkfold.program import typed

if TYPE_CHECKING:
    from distributed import Client


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker as its scheduler describes it, compared with this process.

    Attributes
    ----------
    address : str
    machine : str
        The name or address of the machine that it runs on.
    threads : int
        How many tasks it does at once.
    memory : int
        In bytes, as far as it may use it; 0 where there is no limit.
    objection : str or None
        What it has otherwise than this process.
    """

    address: str
    machine: str
    threads: int
    memory: int
    objection: str | None


@dataclass(frozen=True, kw_only=True)
class Speed:
    """What a cluster costs.

    Attributes
    ----------
    task : float
        Seconds from giving one task that does nothing to its answer.
    of_many : float
        Seconds for each of many such tasks that are under way at once.
    bytes_a_second : float
        Of results, from a worker to this process.
    """

    task: float
    of_many: float
    bytes_a_second: float


@click.group("cluster")
def command() -> None:
    """Look at a cluster of Dask, whose workers --cluster uses."""


@command.command("check")
@click.argument("address", metavar="ADDRESS|FILE.json")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
def check(address: str, paths: tuple[Path, ...]) -> int:
    """Tell whether the workers of a Dask cluster can work for this program.

    \b
    Examples:
        inkfold cluster check tcp://10.0.0.1:8786 /shared/letters
        inkfold cluster check scheduler.json

    ADDRESS is that of the scheduler, as tcp://HOST:PORT, or the scheduler file that it wrote. Each
    worker is asked for its versions, and whether it sees each PATH as this machine does. What
    a task and a byte cost is measured. The exit code is 2 where a worker cannot be used.
    """
    need("cluster check", "distributed")
    from inkfold.cluster import connected, wait_for_a_worker

    for path in paths:
        if not path.exists():
            raise InkfoldError(f"{path}: no such file or folder here; give paths that exist")
    with connected(address) as client:
        wait_for_a_worker(client, address, lambda line: echo(f"note: {line}", err=True))
        workers = _workers_found(client, paths)
        echo(f"{address}: {_in_words(workers)}")
        bad = [worker for worker in workers if worker.objection is not None]
        for worker in bad:
            echo(f"error: worker {worker.address} {worker.objection}", err=True)
        if bad:
            return MISTAKE
        seen = f", and see {', '.join(map(click.format_filename, paths))}" if paths else ""
        echo(f"all workers have the versions that are installed here{seen}")
        speed = _measured_speed(client)
    echo(
        f"a task takes {1000 * speed.task:.1f} ms there and back, {1000 * speed.of_many:.1f} ms "
        f"where many are under way; results come at {speed.bytes_a_second / 1e6:,.0f} MB a second"
    )
    echo(f"next: {typed('create_dataset')} FOLDER --cluster {address}")
    return 0


def _in_words(workers: Sequence[Worker]) -> str:
    """How many workers there are, on how many machines, with what."""
    machines = len({worker.machine for worker in workers})
    memory = sum(worker.memory for worker in workers) / 2**30
    limit = f", {memory:,.1f} GiB of memory" if all(worker.memory for worker in workers) else ""
    return (
        f"{_count(len(workers), 'worker')} on {_count(machines, 'machine')}, "
        f"{_count(sum(worker.threads for worker in workers), 'task')} at a time{limit}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _workers_found(client: Client, sees: Sequence[Path]) -> list[Worker]:
    """The workers of a cluster, each compared with this process."""
    from inkfold.cluster import Conditions, Seen, objections, versions

    conditions = Conditions(versions(), tuple(map(Seen.of, sees)))
    found = objections(client, conditions)
    known = client.scheduler_info(n_workers=-1)["workers"]
    return [
        Worker(
            address=address,
            machine=str(known[address]["host"]),
            threads=int(known[address]["nthreads"]),
            memory=int(known[address]["memory_limit"]),
            objection=objection,
        )
        for address, objection in found.items()
        if address in known
    ]


def _measured_speed(client: Client, *, tasks: int = 200, size: int = 1 << 20) -> Speed:
    """Measure what tasks and bytes cost; `tasks` is how many, `size` that of a result in bytes."""
    from inkfold.crew import Crew

    executor = client.get_executor(pure=False)
    crew = Crew(executor, lambda: tasks, far=True)
    began = time.perf_counter()
    for _ in range(10):
        executor.submit(bytes, 0).result()
    one = (time.perf_counter() - began) / 10
    began = time.perf_counter()
    answered = sum(1 for _ in crew.in_order(bytes, [0] * tasks))
    many = (time.perf_counter() - began) / answered
    began = time.perf_counter()
    received = sum(map(len, crew.in_order(bytes, [size] * 16)))
    return Speed(task=one, of_many=many, bytes_a_second=received / (time.perf_counter() - began))
