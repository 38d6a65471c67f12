"""``cluster check``: the address of a cluster -> whether it can work for this program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkfold.commands.cli import MISTAKE, echo
from inkfold.errors import InkfoldError
from inkfold.extras import need
from inkfold.program import typed

if TYPE_CHECKING:
    from inkfold.cluster import Worker


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
    from inkfold.cluster import connected, measured_speed, wait_for_a_worker, workers_found

    for path in paths:
        if not path.exists():
            raise InkfoldError(f"{path}: no such file or folder here; give paths that exist")
    with connected(address) as client:
        wait_for_a_worker(client, address, lambda line: echo(f"note: {line}", err=True))
        workers = workers_found(client, paths)
        echo(f"{address}: {_in_words(workers)}")
        bad = [worker for worker in workers if worker.objection is not None]
        for worker in bad:
            echo(f"error: worker {worker.address} {worker.objection}", err=True)
        if bad:
            return MISTAKE
        seen = f", and see {', '.join(map(click.format_filename, paths))}" if paths else ""
        echo(f"all workers have the versions that are installed here{seen}")
        speed = measured_speed(client)
    echo(
        f"a task takes {1000 * speed.task:.1f} ms there and back, {1000 * speed.of_many:.1f} ms "
        f"where many are under way; results come at {speed.bytes_a_second / 1e6:,.0f} MB a second"
    )
    echo(f"next: {typed('create_dataset')} FOLDER --cluster {address}")
    return 0


def _in_words(workers: list[Worker]) -> str:
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
