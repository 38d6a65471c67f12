"""Let the n-th call of the disk fail, for every n, and count what each stage answers.

    python benchmarks/disk_errors.py [--trials 40] [--only STAGE]

strace counts the calls of a whole run that write, synchronise, rename, make and remove, and then
lets one of them fail, in each trial another one: ENOSPC and EIO by turns. A trial holds if the
stage ends with exit code 2 and one line, or with exit code 0 and exactly the output of an unbroken
run; if its output is there whole or not at all; and if the same command, run again, gives the
output of an unbroken run. strace must be installed.
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.faults import (
    STAGES,
    Content,
    Stage,
    chosen_stages,
    content,
    kept,
    kill_all,
    prepared,
    print_table,
    run,
)
from inkfold.commands import cli

CALLS = ("write", "pwrite64", "fsync", "ftruncate", "rename", "renameat2", "mkdir", "unlink")
ERRORS = ("ENOSPC", "EIO")
FAST = tuple(
    # with workers a fault would meet the pipes between processes as well, which no disk disturbs
    replace(stage, command=tuple("1" if word == "2" else word for word in stage.command))
    for stage in STAGES
    if stage.name != "inkfold audit"  # it starts TensorFlow
)
ENDLESS = -1  # in place of an exit code


@dataclass(frozen=True)
class Fault:
    """The `number`-th call of a kind, counted from 1, fails with `error`."""

    call: str
    number: int
    error: str


def traced(stage: Stage, folder: Path, *options: str) -> tuple[int, str]:
    """Run a stage under strace with these options; its exit code, or `ENDLESS`, and its stderr."""
    log = folder.with_name(f"{folder.name}.strace")
    command = ["strace", "-f", "-qq", "-o", str(log), *options, sys.executable, *stage.command]
    with subprocess.Popen(  # noqa: S603, our own scripts
        [*command, "-q"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            _, errors = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            kill_all(process)  # strace alone would leave what it traces
            return ENDLESS, "it did not end in 120 s"
    return process.returncode, errors.decode(errors="replace")


def calls(stage: Stage, folder: Path) -> dict[str, list[int]]:
    """Which calls of each kind are about a path in `folder`, in a whole run.

    strace counts the calls of each process by itself, from 1.
    """
    code, errors = traced(stage, folder, "-y", "-e", f"trace={','.join(CALLS)}")
    if code:
        raise click.ClickException(f"{stage.name} fails under strace: {errors}")
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
        if place is not None and place.is_relative_to(folder):
            numbers[call].add(seen[process, call])
    return {call: sorted(found) for call, found in numbers.items()}


def faults(numbers: dict[str, list[int]], trials: int, rng: random.Random) -> list[Fault]:
    """At most `trials` faults, evenly drawn from the calls of each kind."""
    found = []
    share = max(2, trials // len([call for call in numbers if numbers[call]]))
    for call, possible in numbers.items():
        chosen = sorted(rng.sample(possible, min(len(possible), share)))
        found += [Fault(call, number, ERRORS[at % 2]) for at, number in enumerate(chosen)]
    return found


def trial(stage: Stage, folder: Path, fault: Fault, new: Content | None) -> str | None:
    """Run a stage with a fault, and again without; what was wrong, or None."""
    inject = f"inject={fault.call}:error={fault.error}:when={fault.number}"
    code, errors = traced(stage, folder, "-e", f"trace={fault.call}", "-e", inject)
    after = content(folder / stage.output)
    lines = [line for line in errors.splitlines() if not line.startswith("warning: ")]
    if after not in (None, new):
        return "the output is neither whole nor absent"
    told = len(lines) == 1 and lines[0].startswith("error: ")
    if code not in (0, 2) or (code == 2 and not told) or "Traceback" in errors:
        return f"exit code {code}, not one line: {errors[-300:]}"
    if after is None and (code == 0 or run(stage, folder) != 0):
        return "it ends with 0 and without its output, or fails when it is run again"
    return None if content(folder / stage.output) == new else "run again, it gives other bytes"


def rows(trials: int, stages: Sequence[Stage] = FAST) -> Iterator[tuple[str, int, int]]:
    """The name of each stage, how many faults were tried, and how many were broken."""
    rng = random.Random(0)  # noqa: S311, faults need no cryptographic randomness
    with tempfile.TemporaryDirectory() as scratch:
        world = prepared(Path(scratch) / "world")
        for stage in stages:
            folder = Path(scratch) / "unbroken"
            shutil.copytree(world, folder)
            numbers = calls(stage, folder)
            new, broken = content(folder / stage.output), 0
            shutil.rmtree(folder)
            chosen = faults(numbers, trials, rng)
            for number, fault in enumerate(chosen):
                folder = Path(scratch) / str(number)
                shutil.copytree(world, folder)
                problem = trial(stage, folder, fault, new)
                if problem:
                    click.echo(f"{stage.name}: {fault}: {problem}; see {kept(folder)}", err=True)
                    broken += 1
                shutil.rmtree(folder)
            yield stage.name, len(chosen), broken


@click.command(help=__doc__)
@click.option("--trials", type=click.IntRange(min=8), default=40, show_default=True)
@click.option("--only", help="The one stage to try, by its name.")
def command(trials: int, only: str | None) -> int:
    """Print a table: tried, held, broken."""
    if shutil.which("strace") is None:
        raise click.ClickException("strace is missing; on Debian: apt install strace")
    return print_table(
        "stage, with a fault of the disk | tried", rows(trials, chosen_stages(only, FAST))
    )


if __name__ == "__main__":
    sys.exit(cli.run(command))
