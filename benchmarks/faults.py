"""Kill every stage at random moments, and count how often something was lost or half written.

    python benchmarks/faults.py [--trials 100] [--only STAGE]

Each trial starts a stage as a user does, in a folder of its own, and kills it and its workers by
SIGKILL at a random moment. In every second trial an older output lies there and is overwritten.
The trial holds if the output's name then bears nothing, the whole old output or the whole new one;
if the same command, run again, exits with 0 and gives the bytes of an unbroken run; and if nothing
else is left beside it. Otherwise the trial is broken, and its folder is kept and named.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import ROOT
from inkfold.commands import cli
from inkfold.commands.demo import write_digits

DIGITS = 40  # pictures of each digit: a stage takes a second or less
Content = dict[str, str]  # hexadecimal digests of an output's files, by their path in it


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A command that writes one output.

    Attributes
    ----------
    name : str
    command : tuple of str
        What follows ``python``; relative paths are in the trial's folder.
    older : tuple of str
        Options that make an output with other bytes: the one that is overwritten.
    output : str
        The file or folder that the command writes.
    """

    name: str
    command: tuple[str, ...]
    older: tuple[str, ...]
    output: str


def script(name: str) -> str:
    """The path of one of the project's scripts."""
    return str(ROOT / f"{name}.py")


MODULE = ("-m", "inkfold.commands.main")
STAGES = (
    Stage(
        name="create_dataset.py",
        command=(script("create_dataset"), "digits", "-o", "out.h5", "--workers", "2"),
        older=("--seed", "1"),
        output="out.h5",
    ),
    Stage(
        name="augment.py",
        command=(script("augment"), "packed.h5", "-o", "out.h5", "--workers", "2"),
        older=("--seed", "1"),
        output="out.h5",
    ),
    Stage(
        name="explore.py",
        command=(script("explore"), "packed.h5", "-o", "out.html"),
        older=("--seed", "1"),
        output="out.html",
    ),
    Stage(
        name="inkfold export",
        command=(*MODULE, "export", "packed.h5", "out"),
        older=("--split", "test"),
        output="out",
    ),
    Stage(
        name="inkfold audit",
        command=(*MODULE, "audit", "packed.h5", "-o", "out"),
        older=("--seed", "1"),
        output="out",
    ),
)


@dataclass(frozen=True)
class Count:
    """How many trials of a stage were made, and how many of them were broken."""

    tried: int
    broken: int


def content(path: Path) -> Content | None:
    """The digests of a file, or of all files in a folder; None where there is nothing."""
    if not path.exists():
        return None
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return {str(p.relative_to(path)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def run(stage: Stage, folder: Path, *options: str) -> int:
    """Run a stage to its end; its exit code."""
    command = [sys.executable, *stage.command, "-q", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)  # noqa: S603, ours
    return done.returncode


def killed_run(stage: Stage, folder: Path, seconds: float, *options: str) -> None:
    """Start a stage, and kill it with all its processes after some seconds."""
    command = [sys.executable, *stage.command, "-q", *options]
    process = subprocess.Popen(  # noqa: S603, our own scripts
        command,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(seconds)
    kill_all(process)


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """End a process and all those that it started, which are a session of their own."""
    with contextlib.suppress(ProcessLookupError):  # it may have ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def prepared(folder: Path) -> Path:
    """A folder with what the stages read: class folders and a packed dataset."""
    write_digits(folder / "all", lambda _count: None)
    for digit in sorted((folder / "all").iterdir()):
        (folder / "digits" / digit.name).mkdir(parents=True)
        for picture in sorted(digit.iterdir())[:DIGITS]:
            shutil.move(picture, folder / "digits" / digit.name / picture.name)
    shutil.rmtree(folder / "all")
    packing = [sys.executable, script("create_dataset"), "digits", "-o", "packed.h5", "-q"]
    subprocess.run(packing, cwd=folder, check=True, capture_output=True)  # noqa: S603, our own scripts
    return folder


def trials(stage: Stage, world: Path, count: int, rng: random.Random) -> Count:
    """Make `count` trials of a stage, each in a copy of `world`."""
    with tempfile.TemporaryDirectory() as scratch:
        unbroken = Path(scratch) / "unbroken"
        shutil.copytree(world, unbroken)
        began = time.perf_counter()
        if run(stage, unbroken) != 0:
            raise click.ClickException(f"{stage.name} fails without being killed")
        seconds = time.perf_counter() - began
        new = content(unbroken / stage.output)
        broken = 0
        for number in range(count):
            folder = Path(scratch) / str(number)
            shutil.copytree(world, folder)
            problem = trial(stage, folder, new, rng.uniform(0, seconds), old_there=number % 2 == 1)
            if problem:
                click.echo(f"{stage.name}, trial {number}: {problem}; see {kept(folder)}", err=True)
                broken += 1
            shutil.rmtree(folder)
    return Count(count, broken)


def kept(folder: Path) -> Path:
    """A copy of a broken trial's folder, which stays."""
    copy = Path(tempfile.mkdtemp(prefix="inkfold-faults-")) / "trial"
    shutil.copytree(folder, copy, symlinks=True)
    return copy


def trial(
    stage: Stage, folder: Path, new: Content | None, seconds: float, *, old_there: bool
) -> str | None:
    """Kill a run after some seconds and run it again; what was wrong, or None."""
    output, inputs = folder / stage.output, {path.name for path in folder.iterdir()}
    options: Sequence[str] = ("--overwrite",) if old_there else ()
    if old_there and run(stage, folder, *stage.older) != 0:
        return "the older output could not be made"
    old = content(output)
    killed_run(stage, folder, seconds, *options)
    after = content(output)
    if after not in (old, new):
        return "after the kill the output is neither the old nor the new one"
    done = after is not None and not old_there  # it had ended before it was killed
    if not done and (code := run(stage, folder, *options)) != 0:
        return f"run again, it exits with {code}"
    if content(output) != new:
        return "run again, it gives other bytes than an unbroken run"
    left = {path.name for path in folder.iterdir()} - inputs - {Path(stage.output).name}
    return f"left over: {', '.join(sorted(left))}" if left and not done else None


def chosen_stages(only: str | None, stages: Sequence[Stage] = STAGES) -> list[Stage]:
    """The one stage of this name, or all.

    Raises
    ------
    click.BadParameter
        If no stage has the name.
    """
    chosen = [stage for stage in stages if only in (None, stage.name)]
    if not chosen:
        names = ", ".join(stage.name for stage in stages)
        raise click.BadParameter(f"{only!r} is no stage; the stages are {names}")
    return chosen


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
@click.option("--only", help="The one stage to try, by its name.")
@click.option("--seed", type=int, default=0, show_default=True)
def command(count: int, only: str | None, seed: int) -> int:
    """Kill every stage at random moments, and print a table: tried, held, broken."""
    rng = random.Random(seed)  # noqa: S311, moments need no cryptographic randomness
    chosen = chosen_stages(only)
    with tempfile.TemporaryDirectory() as folder:
        world = prepared(Path(folder))
        counts = ((stage.name, trials(stage, world, count, rng)) for stage in chosen)
        rows = ((name, counted.tried, counted.broken) for name, counted in counts)
        return print_table("stage | killed and run again", rows)


if __name__ == "__main__":
    sys.exit(cli.run(command))
