"""Kill every stage at random moments, and count how often something was lost or half written.

    python benchmarks/faults.py [--trials 100] [--only STAGE]

Each trial runs a stage in a folder of its own, and kills it and its workers by SIGKILL at a random
moment; all libraries are loaded before, so that the moments lie in the stage's own work. A stage
that ended before its kill is not counted. In every second trial an older output lies there and is
overwritten. The trial holds if each output's name then bears nothing, the whole old output or the
whole new one; if the same command, run again (with ``--resume`` where the killed one left a
checkpoint), exits with 0 and gives the bytes of an unbroken run; and if nothing else is left
beside it. Otherwise the trial is broken, and its folder is kept and named.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.fault_stages import STAGES, Content, Stage, contents, prepared, torn
from benchmarks.running import Ended, forked, load_libraries
from inkfold.commands import cli

TOO_EARLY = 4  # moments that are drawn for each kill: a stage may end before one
Outputs = dict[str, Content | None]
Run = Callable[..., Ended]


@dataclass(frozen=True)
class Count:
    """How many stages were killed in their work, and how many of these trials were broken."""

    tried: int
    broken: int


@dataclass(frozen=True)
class Outcome:
    """What came of a trial: whether the kill met a living stage, and what was wrong, or None."""

    killed: bool
    problem: str | None


def trials(stage: Stage, world: Path, count: int, rng: random.Random, run: Run) -> Count:
    """Kill a stage `count` times, each time in a copy of `world`.

    Parameters
    ----------
    stage : Stage
    world : Path
        A folder that `prepared` made.
    count : int
    rng : random.Random
        Draws the moments.
    run : callable
        `cold` or `forked`.
    """
    with tempfile.TemporaryDirectory() as scratch:
        unbroken = Path(scratch) / "unbroken"
        shutil.copytree(world, unbroken)
        began = time.perf_counter()
        if (ended := run(stage.command, unbroken)).code != 0:
            raise click.ClickException(f"{stage.name} fails without a kill: {ended.errors}")
        seconds = time.perf_counter() - began
        new = contents(stage, unbroken)
        killed = broken = number = 0
        while killed < count and number < TOO_EARLY * count:
            folder = Path(scratch) / str(number)
            shutil.copytree(world, folder)
            moment = rng.uniform(0, seconds)
            outcome = trial(stage, folder, new, moment, run=run, old_there=number % 2 == 1)
            killed += outcome.killed
            if outcome.problem:
                words = f"{stage.name}, trial {number}: {outcome.problem}; see {kept(folder)}"
                click.echo(words, err=True)
                broken += 1
            shutil.rmtree(folder)
            number += 1
    return Count(killed, broken)


def kept(folder: Path) -> Path:
    """A copy of a broken trial's folder, which stays."""
    copy = Path(tempfile.mkdtemp(prefix="inkfold-faults-")) / "trial"
    shutil.copytree(folder, copy, symlinks=True)
    return copy


def trial(
    stage: Stage, folder: Path, new: Outputs, seconds: float, *, run: Run, old_there: bool
) -> Outcome:
    """Kill a run after some seconds and run it again."""
    inputs = {path.name for path in folder.iterdir()}
    if old_there and (ended := run([*stage.command, *stage.older], folder)).code != 0:
        return Outcome(killed=False, problem=f"the older output could not be made: {ended.errors}")
    old = contents(stage, folder)
    words = ("--overwrite",) if old_there else ()
    killed = run([*stage.command, *words], folder, seconds).code < 0
    after = contents(stage, folder)
    changed = torn(stage, after, old, new)
    if changed:
        problem: str | None = f"after the kill neither the old nor the new one: {changed}"
    else:
        problem = completed(stage, folder, new, inputs, run)
    return Outcome(killed=killed, problem=problem)


def completed(stage: Stage, folder: Path, new: Outputs, inputs: set[str], run: Run) -> str | None:
    """Run a stage again after a fault, unless it had ended; what is wrong then, or None.

    Parameters
    ----------
    stage : Stage
    folder : Path
        As the fault left it.
    new : dict
        The contents of an unbroken run.
    inputs : set of str
        The names in the folder before the stage ran for the first time.
    run : callable
    """
    before = contents(stage, folder)
    if before != new:
        words = ("--overwrite",) if before[stage.outputs[0]] is not None else ()
        if stage.resumes and (folder / stage.resumes).exists():
            words = (*words, "--resume")
        if (ended := run([*stage.command, *words], folder)).code != 0:
            return f"run again, it exits with {ended.code}: {ended.errors}"
    if contents(stage, folder) != new:
        return "run again, it gives other bytes than an unbroken run"
    left = {path.name for path in folder.iterdir()} - inputs - {*stage.outputs, *stage.beside}
    # what a run left that had ended is swept by the next one
    return f"left over: {', '.join(sorted(left))}" if left and before != new else None


def chosen_stages(only: Sequence[str], stages: Sequence[Stage] = STAGES) -> list[Stage]:
    """The stages of these names, or all where none is named.

    Raises
    ------
    click.BadParameter
        If no stage has one of the names.
    """
    names = [stage.name for stage in stages]
    if unknown := [name for name in only if name not in names]:
        raise click.BadParameter(f"{unknown[0]!r} is no stage; the stages are {', '.join(names)}")
    return [stage for stage in stages if not only or stage.name in only]


def print_table(heading: str, rows: Iterable[tuple[str, int, int]]) -> int:
    """Print tried, held and broken of each row as it ends; the exit code: 1 if any is broken.

    Parameters
    ----------
    heading : str
        The headings of the first two columns, as ``stage | tried``.
    rows : iterable of (str, int, int)
        A name, how many were tried, and how many were broken.
    """
    click.echo(f"| {heading} | held | broken |\n|---|---|---|---|")
    failed = 0
    for name, tried, broken in rows:
        click.echo(f"| {name} | {tried} | {tried - broken} | {broken} |")
        failed += broken
    return 1 if failed else 0


@click.command()
@click.option("--trials", "count", type=click.IntRange(min=1), default=100, show_default=True)
@click.option("--only", multiple=True, help="A stage to try, by its name; may be repeated.")
@click.option("--seed", type=int, default=0, show_default=True)
def command(count: int, only: tuple[str, ...], seed: int) -> int:
    """Kill every stage at random moments, and print a table: tried, held, broken."""
    load_libraries()
    rng = random.Random(seed)  # noqa: S311, moments need no cryptographic randomness
    chosen = chosen_stages(only)
    with tempfile.TemporaryDirectory() as folder:
        world = prepared(Path(folder))
        counts = ((stage.name, trials(stage, world, count, rng, forked)) for stage in chosen)
        rows = ((name, counted.tried, counted.broken) for name, counted in counts)
        return print_table("stage | killed and run again", rows)


if __name__ == "__main__":
    sys.exit(cli.run(command))
