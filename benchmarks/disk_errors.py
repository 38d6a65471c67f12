"""Let the n-th call of the disk fail, or kill the stage before it, and count what comes of it.

    python benchmarks/disk_errors.py [--trials 40] [--only STAGE]

strace counts the calls of a whole run that open, write, synchronise, rename, make and remove, and
then lets one of them fail, in each trial another one: by turns ENOSPC and EIO, for a call that
opens EMFILE as well; or it kills the stage by SIGKILL before that call. In every second trial an
older output lies there and is overwritten. A trial holds if the stage that was not killed ends with
exit code 2 and one line that names a file, or with exit code 0 and exactly the output of an
unbroken run; if each output then is the whole old one, the whole new one or nothing; and if the
same command, run again, gives the output of an unbroken run and leaves nothing beside it. strace
must be installed.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.fault_stages import STAGES, Stage, contents, prepared, torn
from benchmarks.faults import Outputs, chosen_stages, completed, kept, print_table
from benchmarks.running import Ended, cold, finished
from inkfold.commands import cli

CALLS = (
    *("openat", "write", "writev", "pwrite64", "fsync", "ftruncate", "close"),
    *("rename", "renameat2", "link", "mkdir", "unlink", "unlinkat", "rmdir"),
)
ERRORS = ("ENOSPC", "EIO")
OPENING = (*ERRORS, "EMFILE")
# threads that wait for each other make calls by the million, each of which strace would stop
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), "1"
)
SLOW = {"inkfold audit", "training"}  # half a minute a trial: tried where they are named
KILL = "SIGKILL"
QUICK = ("--seccomp-bpf",)  # only the calls that are traced are slower; no signal is sent so
ALONE = tuple(
    # with workers a fault would meet the pipes between processes as well, which no disk disturbs
    stage
    if stage.name == "training"
    else replace(stage, command=tuple("1" if word == "2" else word for word in stage.command))
    for stage in STAGES
)


@dataclass(frozen=True)
class Fault:
    """The `number`-th call of a kind, counted from 1, fails with `error`, or is never made."""

    call: str
    number: int
    error: str

    @property
    def injected(self) -> str:
        """The fault in strace's words."""
        how = f"signal={KILL}" if self.error == KILL else f"error={self.error}"
        return f"inject={self.call}:{how}:when={self.number}"


def traced(stage: Stage, folder: Path, *options: str, words: Sequence[str] = ()) -> Ended:
    """Run a stage with these `words` under strace with these options."""
    log = folder.with_name(f"{folder.name}.strace")
    command = ["strace", "-f", "-qq", "-o", str(log), *options, sys.executable]
    return finished([*command, *stage.command, *words], folder)


def calls(stage: Stage, folder: Path) -> dict[str, list[int]]:
    """Which calls of each kind are about a path in `folder`, in a whole run.

    strace counts the calls of each process by itself, from 1.
    """
    pictures = set(folder.rglob("*.png"))
    ended = traced(stage, folder, *QUICK, "-y", "-e", f"trace={','.join(CALLS)}")
    if ended.code:
        raise click.ClickException(f"{stage.name} fails under strace: {ended.errors}")
    log = folder.with_name(f"{folder.name}.strace").read_text(errors="replace")
    seen: Counter[tuple[str, str]] = Counter()
    numbers: dict[str, set[int]] = {call: set() for call in CALLS}
    for process, call, rest in re.findall(r"^(\d+) +(\w+)\((.*)", log, re.MULTILINE):
        if call not in numbers:
            continue
        seen[process, call] += 1
        # a descriptor with its path, or the first path that is named
        path = re.search(r'^\d+<([^>]*)>|"([^"]*)"', rest)
        place = folder / (path[1] or path[2]) if path is not None else None
        # a picture that cannot be read is told and left out, and the stage goes on
        if place is not None and place.is_relative_to(folder) and place not in pictures:
            numbers[call].add(seen[process, call])
    return {call: sorted(found) for call, found in numbers.items()}


def faults(numbers: dict[str, list[int]], trials: int, rng: random.Random) -> list[Fault]:
    """At most `trials` faults, evenly drawn from the calls of each kind; the half of them kills."""
    found: list[Fault] = []
    share = max(1, trials // 2 // len([call for call in numbers if numbers[call]]))
    for call, possible in numbers.items():
        chosen = sorted(rng.sample(possible, min(len(possible), share)))
        errors = OPENING if call == "openat" else ERRORS
        for at, number in enumerate(chosen):
            error = errors[(at + len(found)) % len(errors)]
            found += [Fault(call, number, error), Fault(call, number, KILL)]
    return found


def trial(stage: Stage, folder: Path, fault: Fault, new: Outputs, *, old_there: bool) -> str | None:
    """Run a stage with a fault, and again without; what was wrong, or None."""
    inputs = {path.name for path in folder.iterdir()}
    words: tuple[str, ...] = ("--overwrite",) if old_there else ()
    if old_there and cold([*stage.command, *stage.older], folder).code != 0:
        return "the older output could not be made"
    old = contents(stage, folder)
    options: tuple[str, ...] = ("-e", f"trace={fault.call}", "-e", fault.injected)
    options = options if fault.error == KILL else (*QUICK, *options)
    ended = traced(stage, folder, *options, words=words)
    after = contents(stage, folder)
    if torn(stage, after, old, new):
        return f"an output is neither the old nor the new one: {ended.errors[-300:]}"
    if ended.code == 0 and after != new:
        return f"it ends with 0 and without its output: {ended.errors[-300:]}"
    problem = None if fault.error == KILL else untold(ended)
    return problem or completed(stage, folder, new, inputs, cold)


def untold(ended: Ended) -> str | None:
    """What is wrong with the way in which a stage told of a fault; None where nothing is."""
    lines = [line for line in ended.errors.splitlines() if not line.startswith("warning: ")]
    if ended.code == 0:
        return f"it ends with 0 and says {ended.errors[-300:]}" if lines else None
    told = len(lines) == 1 and re.match(r"error: (\S*[\w.]+: |Too many open files; )", lines[0])
    if ended.code != 2 or not told:
        return f"exit code {ended.code}, not one line that names a file: {ended.errors[-300:]}"
    return None


def rows(trials: int, stages: Sequence[Stage] = ALONE) -> Iterator[tuple[str, int, int]]:
    """The name of each stage, how many faults were tried, and how many were broken."""
    rng = random.Random(0)  # noqa: S311, faults need no cryptographic randomness
    with tempfile.TemporaryDirectory() as scratch:
        world = prepared(Path(scratch) / "world")
        for stage in stages:
            folder = Path(scratch) / "unbroken"
            shutil.copytree(world, folder)
            numbers = calls(stage, folder)
            new, broken = contents(stage, folder), 0
            shutil.rmtree(folder)
            chosen = faults(numbers, trials, rng)
            for number, fault in enumerate(chosen):
                folder = Path(scratch) / str(number)
                shutil.copytree(world, folder)
                problem = trial(stage, folder, fault, new, old_there=number // 2 % 2 == 1)
                if problem:
                    click.echo(f"{stage.name}: {fault}: {problem}; see {kept(folder)}", err=True)
                    broken += 1
                shutil.rmtree(folder)
            yield stage.name, len(chosen), broken


@click.command(help=__doc__)
@click.option("--trials", type=click.IntRange(min=8), default=40, show_default=True)
@click.option("--only", multiple=True, help="A stage, by its name; may be repeated.")
def command(trials: int, only: tuple[str, ...]) -> int:
    """Print a table: tried, held, broken."""
    if shutil.which("strace") is None:
        raise click.ClickException("strace is missing; on Debian: apt install strace")
    os.environ.update(ONE_THREAD)
    chosen = [stage for stage in chosen_stages(only, ALONE) if only or stage.name not in SLOW]
    return print_table(
        "stage, with a fault of the disk, or killed before a call | tried",
        rows(trials, chosen),
    )


if __name__ == "__main__":
    sys.exit(cli.run(command))
