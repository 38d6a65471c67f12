"""What every benchmark shares: contenders timed in turn, and the rows of `results.md`.

A contender's time means nothing on a machine that does other things; the ratio of two contenders
of one round does. So the contenders take turns, round after round, and what is reported is the
median of the rounds' ratios with the smallest and the largest of them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MICROSECONDS = 1e6


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of some measurements."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The median, the smallest and the largest of one value or more."""
        return cls(statistics.median(values), min(values), max(values))

    def text(self, scale: float = 1.0) -> str:
        """``3.5 (3.4 to 3.9)``, with three digits, multiplied by `scale`."""
        median, low, high = (digits(scale * value) for value in (self.median, self.low, self.high))
        return f"{median} ({low} to {high})"


@dataclass(frozen=True)
class Row:
    """One comparison of `results.md`.

    Parameters
    ----------
    stage : str
        What was measured, with its size.
    ours, theirs : str
        Median and spread with the unit.
    peer : str
        What it is compared with.
    ratio : Spread
        What the target speaks of.
    target : str
        ``at least 8`` or ``at most 1.15``; empty where the issue is only to know.
    command : str
        What measures it again.
    note : str
        What a reader must know of the comparison.
    """

    stage: str
    ours: str
    peer: str
    theirs: str
    ratio: Spread
    target: str
    command: str
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the median ratio keeps the target; None without one."""
        if not self.target:
            return None
        kind, bound = self.target.rsplit(" ", 1)
        return (
            self.ratio.median >= float(bound)
            if kind == "at least"
            else self.ratio.median <= float(bound)
        )


Timed = Mapping[str, Sequence[float]]


def in_turn(
    contenders: Mapping[str, Callable[[], object]], rounds: int, *, warm: bool = True
) -> dict[str, list[float]]:
    """Seconds of each contender in each round.

    Parameters
    ----------
    contenders : mapping of str to callable
    rounds : int
        Each begins with another contender, so that none always follows the same.
    warm : bool
        Run each once before the clock starts.
    """
    if warm:
        for work in contenders.values():
            work()
    timed: dict[str, list[float]] = {name: [] for name in contenders}
    for round_ in range(rounds):
        for name in turns(list(contenders), round_):
            timed[name].append(seconds(contenders[name]))
    return timed


def turns(names: Sequence[str], round_: int) -> list[str]:
    """The contenders in the order of a round, which begins with another one than the last round."""
    first = round_ % len(names)
    return [*names[first:], *names[:first]]


def seconds(work: Callable[[], object]) -> float:
    """How long it takes once."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def ratios(above: Sequence[float], below: Sequence[float]) -> Spread:
    """Round by round ``above / below``."""
    return Spread.of([a / b for a, b in zip(above, below, strict=True)])


def digits(value: float) -> str:
    """Three significant digits, no exponent, thousands set apart."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - exponent(value))}f}"


def exponent(value: float) -> int:
    """Of the first digit: 0 for 3.5, -1 for 0.35."""
    return int(f"{value:e}".split("e")[1])


def run_script(script: str, *arguments: str | Path, cwd: Path) -> float:
    """Run one of the project's scripts in `cwd`; the seconds that the whole process took.

    Raises
    ------
    RuntimeError
        With what it said, when it ends with another exit code than 0.
    """
    began = time.perf_counter()
    command = [sys.executable, str(ROOT / script), *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603, our scripts
    if done.returncode:
        raise RuntimeError(f"{script} ended with {done.returncode}: {done.stderr[-2000:]}")
    return time.perf_counter() - began


def report(measure: Callable[[], Iterable[Row]], argv: Sequence[str] | None = None) -> int:
    """The main function of a benchmark: measure, print the rows, keep them where asked."""
    parser = argparse.ArgumentParser(description=(measure.__doc__ or "").strip())
    parser.add_argument("--rows", type=Path, help="also write the rows to this JSON file")
    kept = parser.parse_args(argv).rows
    rows = []
    for row in measure():
        print(line(row), flush=True)  # noqa: T201, a benchmark prints its figures
        rows.append(row)
    if kept is not None:
        keep(rows, kept)
    return 0


def keep(rows: Iterable[Row], path: Path) -> None:
    """Write rows to a JSON file, which `load` reads."""
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1), encoding="utf-8")


def line(row: Row) -> str:
    """A row as a line of text."""
    verdict = {None: "", True: "; reached", False: "; NOT reached"}[row.met]
    target = f", target {row.target}{verdict}" if row.target else ""
    note = f" [{row.note}]" if row.note else ""
    return (
        f"{row.stage}: {row.ours}; {row.peer}: {row.theirs}; ratio {row.ratio.text()}{target}{note}"
    )


def between(text: str, inner: str, begin: str, end: str) -> str:
    """A page's text with `inner` between its two marks.

    Raises
    ------
    ValueError
        If a mark is missing.
    """
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page lacks {begin} or {end}")
    return f"{before}{begin}\n{inner}\n{end}{after}"


def load(path: Path) -> list[Row]:
    """The rows that `keep` kept."""
    return rows_of(json.loads(path.read_text(encoding="utf-8")))


def rows_of(values: Sequence[dict[str, Any]]) -> list[Row]:
    """The rows that `dataclasses.asdict` made plain."""
    return [Row(**(row | {"ratio": Spread(**row["ratio"])})) for row in values]
