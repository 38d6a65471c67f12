"""Training on several machines, on the command line: its options, and what each machine prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

import click

from inkfold.commands.cli import MISTAKE, echo

if TYPE_CHECKING:
    from inkfold.training.engine import Training
    from inkfold.training.places import Place

machine_options = (
    click.option(
        "--machines",
        metavar="HOST:PORT|slurm",
        help="Train on several machines, on JAX: where the others reach machine 0.",
    ),
    click.option("--rank", type=int, metavar="I", help="The number of this machine, from 0."),
    click.option("--of", type=int, metavar="N", help="How many machines there are."),
)


def place_of(machines: str | None, rank: int | None, of: int | None) -> Place | None:
    """The place that the options and Slurm's variables describe; None for training alone."""
    if (machines, rank, of) == (None, None, None):
        return None
    from inkfold.training import joining, places

    place = places.place_of(machines, rank, of, os.environ)
    joining.check_backend()
    return place


@contextmanager
def together(
    training: Training, place: Place | None, *, resume: bool, overwrite: bool
) -> Iterator[Training]:
    """Check the training, and for the time of the block come together with the other machines.

    Machine 0 alone locks the output.

    Yields
    ------
    training : Training
        The same one, which knows its machines.
    """
    from inkfold.locks import only_writer
    from inkfold.training.joining import check_batches, joined, on_this_machine

    sizes = training.batch_sizes
    if place is not None:
        check_batches(place, sizes)
    with ExitStack() as stack:
        if place is None or place.rank == 0:
            stack.enter_context(only_writer(training.output))
        training.check(resume=resume, overwrite=overwrite)
        if place is None:
            machines = on_this_machine(sizes)
        else:
            machines = stack.enter_context(joined(place, sizes, ended=_end))
        yield replace(training, machines=machines)


def run_part(training: Training, *, resume: bool) -> None:
    """Train as one of the machines that write nothing: a line at the beginning, one at the end."""
    from inkfold.training.loop import Watcher

    machines = training.machines
    name = f"machine {machines.rank} of {machines.of}"
    echo(
        f"{name} trains {training.recipe.name} with the others; machine 0 says how it goes (if it "
        "is lost, JAX ends this process; then start all again, with --resume)"
    )
    silent = Watcher(
        built=lambda _summary: None,
        planned=lambda _plan, _pictures: None,
        batch_done=lambda _count: None,
        epoch_done=lambda _history: None,
    )
    try:
        trained = training.run(silent, resume=resume, overwrite=False)
    except (KeyboardInterrupt, SystemExit):
        echo(f"{name} is stopped, and with it the others", err=True)
        raise
    epochs = len(trained.history)
    echo(f"{name} is done after {epochs} epochs; machine 0 writes {trained.path}")


def _end(why: str) -> NoReturn:
    """End this process in one line, from a thread, while its work waits in C++."""
    echo(f"error: {why}", err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(MISTAKE)
