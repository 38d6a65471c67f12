"""Who works for a command: processes of this machine, or the workers of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inkfold.commands.cli import echo
from inkfold.extras import need

if TYPE_CHECKING:
    from inkfold.crew import Crew

cluster_option = click.option(
    "--cluster",
    metavar="ADDRESS|FILE.json",
    help="Share the work among the workers of a Dask cluster: the address of its scheduler, as "
    "tcp://HOST:PORT, or the scheduler file that it wrote. All paths must lie where every worker "
    "sees them.",
)


def workers_of(workers: int | None, cluster: str | None) -> int:
    """How many processes of this machine work.

    Raises
    ------
    UsageError
        If processes of this machine and a cluster are asked for at once.
    InkfoldError
        If a cluster is asked for where distributed is not installed.
    """
    from inkfold.workers import processors

    if cluster is None:
        return workers or processors()
    if workers is not None:
        raise click.UsageError("--workers is about this machine; leave it out, or --cluster")
    need("--cluster", "distributed")
    return 1


@contextmanager
def chosen_crew(workers: int, cluster: str | None, *, sees: Sequence[Path]) -> Iterator[Crew]:
    """The crew of a command: `workers` processes here, or the cluster's, which must see paths."""
    if cluster is None:
        from inkfold.workers import local_crew

        with local_crew(workers) as crew:
            yield crew
        return
    from inkfold.cluster import cluster_crew

    def tell(line: str) -> None:
        echo(f"note: {line}", err=True)

    with cluster_crew(cluster, sees=sees, tell=tell) as crew:
        yield crew
