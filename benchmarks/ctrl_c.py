"""Send Ctrl-C to every stage at random moments, and count what it says and how soon it ends.

    python benchmarks/ctrl_c.py [--trials 20] [--only STAGE]

Each trial starts a stage as a terminal does and sends SIGINT to all of its processes at once, at a
random moment after the first 0.3 s, in which Python starts and Ctrl-C shows Python's own traceback.
A stage that ended before is not counted. The trial holds if the stage ends with exit code 130, with
the word "interrupted" as the last line of its standard error and at most one line before it, which
says what was kept, and with each output absent or whole; an audit's lists are kept as far as they
are done.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.fault_stages import STAGES, Stage, contents, prepared, torn
from benchmarks.faults import Outputs, chosen_stages, kept
from benchmarks.running import PATIENCE, cold
from inkfold.commands import cli

START = 0.3  # seconds
TOO_EARLY = 4  # moments that are drawn for each trial that counts
INTERRUPTED = 128 + signal.SIGINT
SAID = re.compile(r"(stopped[^\n]*\n)?interrupted\n")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a stage answered Ctrl-C.

    Attributes
    ----------
    code : int
        Its exit code.
    said : str
        What stood on its standard error.
    seconds : float
        From Ctrl-C to its end.
    """

    code: int
    said: str
    seconds: float


def interrupted(stage: Stage, folder: Path, moment: float) -> Answer | None:
    """Run a stage and send it Ctrl-C; None if its work had ended."""
    process = subprocess.Popen(  # noqa: S603, our own commands
        [sys.executable, *stage.command],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGINT)
        else:
            return None
        began = time.perf_counter()
        try:
            said = process.communicate(timeout=PATIENCE)[1]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said = "it does not end\n" + process.communicate()[1]
        seconds = time.perf_counter() - began
    if process.returncode == 0:  # its work was done, and Ctrl-C met the end of Python
        return None
    return Answer(code=process.returncode, said=said, seconds=seconds)


def problem(stage: Stage, folder: Path, answer: Answer, old: Outputs, new: Outputs) -> str | None:
    """What is wrong with an answer and with what it left; None where nothing is."""
    if answer.code != INTERRUPTED or not SAID.fullmatch(answer.said):
        return f"exit code {answer.code}, it says {answer.said[-500:]!r}"
    changed = torn(stage, contents(stage, folder), old, new)
    if changed and "the lists are in" not in answer.said:
        return f"an output is half written: {changed}"
    return None


def rows(trials: int, stages: Sequence[Stage], rng: random.Random) -> Iterator[str]:
    """A row of the table for each stage."""
    with tempfile.TemporaryDirectory() as scratch:
        world = prepared(Path(scratch) / "world")
        for stage in stages:
            folder = Path(scratch) / "unbroken"
            shutil.copytree(world, folder)
            old = contents(stage, folder)
            began = time.perf_counter()
            if (ended := cold(stage.command, folder)).code != 0:
                raise click.ClickException(f"{stage.name} fails without Ctrl-C: {ended.errors}")
            longest = time.perf_counter() - began
            new = contents(stage, folder)
            shutil.rmtree(folder)
            waited: list[float] = []
            broken = 0
            for _ in range(TOO_EARLY * trials):
                shutil.copytree(world, folder)
                answer = interrupted(stage, folder, rng.uniform(START, max(START, longest)))
                if answer is not None:
                    waited.append(answer.seconds)
                    if wrong := problem(stage, folder, answer, old, new):
                        click.echo(f"{stage.name}: {wrong}; see {kept(folder)}", err=True)
                        broken += 1
                shutil.rmtree(folder)
                if len(waited) == trials:
                    break
            slowest = f"{max(waited):.1f}" if waited else ""
            cells = (stage.name, len(waited), len(waited) - broken, broken, slowest)
            yield f"| {' | '.join(map(str, cells))} |"


@click.command(help=__doc__)
@click.option("--trials", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--only", multiple=True, help="A stage, by its name; may be repeated.")
def command(trials: int, only: tuple[str, ...]) -> int:
    """Print a table: tried, held, broken, and the longest time to an end."""
    click.echo("| stage, interrupted | tried | held | broken | seconds to its end, at most |")
    click.echo("|---|---|---|---|---|")
    rng = random.Random(0)  # noqa: S311, moments need no cryptographic randomness
    for row in rows(trials, chosen_stages(only, STAGES), rng):
        click.echo(row)
    return 0


if __name__ == "__main__":
    sys.exit(cli.run(command))
