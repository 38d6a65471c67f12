"""Run every stage in other surroundings, and count how often its bytes differ.

    python benchmarks/determinism.py [--only STAGE]

A stage runs once plainly, and then once in each surrounding: other numbers of workers and threads,
other settings of language, time zone, hash seed and file mode, inputs whose files were made in
another order, and a disk whose every write takes half of its bytes. A trial holds if it exits with
0 and every output file that is compared has the same SHA-256; of a training these are the weights
and the architecture, because its record tells how long it took.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.fault_stages import STAGES, Stage, contents, prepared
from benchmarks.faults import Outputs, chosen_stages, print_table
from benchmarks.measuring import ROOT
from inkfold.commands import cli


@dataclass(frozen=True, kw_only=True)
class Surrounding:
    """What is other than in a plain run.

    Attributes
    ----------
    name : str
    variables : mapping of str to str
        Environment variables that are set.
    workers : int, optional
        Given as ``--workers`` to the stages that take it.
    umask : int
        File mode bits that are taken away; -1 leaves them as they are.
    shuffled : bool
        Whether the files of the inputs are made in another order.
    """

    name: str
    variables: Mapping[str, str] = field(default_factory=dict)
    workers: int | None = None
    umask: int = -1
    shuffled: bool = False


SETTINGS = (
    {"LC_ALL": "C"},
    {"PYTHONHASHSEED": "0"},
    {"PYTHONHASHSEED": "1"},
    {"PYTHONUTF8": "0", "LC_ALL": "C"},
    {"PYTHONUTF8": "1"},
    {"TZ": "Pacific/Kiritimati"},
    {"OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"},
    {"OMP_NUM_THREADS": "2", "OPENCV_FOR_THREADS_NUM": "2"},
)
SURROUNDINGS = (
    *(Surrounding(name=f"{count} workers", workers=count) for count in (1, 4, 8)),
    *(
        Surrounding(name=" ".join(f"{key}={value}" for key, value in each.items()), variables=each)
        for each in SETTINGS
    ),
    Surrounding(name="umask 077", umask=0o077),
    Surrounding(name="files in another order", shuffled=True),
)


def shuffled_copy(source: Path, target: Path, rng: random.Random) -> None:
    """Copy a folder so that its files and folders are made in a drawn order."""
    paths = [path for path in source.rglob("*") if path.is_file()]
    rng.shuffle(paths)
    for path in paths:
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def outcome(stage: Stage, world: Path, around: Surrounding) -> Outputs | None:
    """The digests of what a stage writes in a copy of `world`; None if the stage fails."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "trial"
        if around.shuffled:
            shuffled_copy(world, folder, random.Random(0))  # noqa: S311, an order, no secret
        else:
            shutil.copytree(world, folder)
        line = [sys.executable, *stage.command]
        if around.workers is not None and "--workers" in line:
            line[line.index("--workers") + 1] = str(around.workers)
        done = subprocess.run(  # noqa: S603, our own scripts
            line,
            cwd=folder,
            env={**os.environ, **around.variables},
            umask=around.umask,
            capture_output=True,
            check=False,
        )
        return contents(stage, folder) if done.returncode == 0 else None


def differing(stage: Stage, world: Path, surroundings: Sequence[Surrounding]) -> list[str]:
    """The names of the surroundings in which a stage fails or writes other bytes.

    Raises
    ------
    click.ClickException
        If the stage fails in a plain run or writes nothing.
    """
    plain = outcome(stage, world, Surrounding(name="plain"))
    if plain is None or None in plain.values():
        raise click.ClickException(f"{stage.name} fails in a plain run")
    return [each.name for each in surroundings if outcome(stage, world, each) != plain]


def fitting(stage: Stage, more: Sequence[Surrounding] = ()) -> list[Surrounding]:
    """The surroundings that change something for a stage: not every stage has workers."""
    workers = "--workers" in stage.command
    return [each for each in (*SURROUNDINGS, *more) if each.workers is None or workers]


def short_writes(folder: Path) -> list[Surrounding]:
    """A surrounding in which every write takes half of its bytes; none without a C compiler."""
    if (compiler := shutil.which("gcc") or shutil.which("cc")) is None:
        click.echo("no C compiler is installed: short writes are not tried", err=True)
        return []
    library = folder / "short_writes.so"
    source = ROOT / "benchmarks/short_writes.c"
    command = [compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True)  # noqa: S603, our own source
    return [Surrounding(name="short writes", variables={"LD_PRELOAD": str(library)})]


def rows(stages: Sequence[Stage] = STAGES) -> Iterator[tuple[str, int, int]]:
    """The name of each stage, how many surroundings were tried, and how many were broken."""
    with tempfile.TemporaryDirectory() as folder:
        world = prepared(Path(folder) / "world")
        short = short_writes(Path(folder))
        for stage in stages:
            surroundings = fitting(stage, short)
            broken = differing(stage, world, surroundings)
            for name in broken:
                click.echo(f"{stage.name}: other bytes with {name}", err=True)
            yield stage.name, len(surroundings), len(broken)


@click.command()
@click.option("--only", multiple=True, help="A stage to try, by its name; may be repeated.")
def command(only: tuple[str, ...]) -> int:
    """Run the stages in other surroundings, and print a table: tried, held, broken."""
    return print_table("stage | tried", rows(chosen_stages(only)))


if __name__ == "__main__":
    sys.exit(cli.run(command))
