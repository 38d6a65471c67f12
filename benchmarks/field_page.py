"""Write the tables and plots of docs/results.md from the records that benchmarks/field.py kept.

    python benchmarks/field_page.py

Every figure is read from `logs/field/*/bundle.json`, a bundle's own record, and from the
`averaged.json` that benchmarks/averaging.py writes beside it. A run that is not done has a dash.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import mean, stdev
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.field_plan import OURS, RUNS, SETS, VARIANTS, Augmentation, Run
from benchmarks.measuring import ROOT, between
from inkfold.metrics import Rate

LOGS = ROOT / "logs/field"
PAGE = ROOT / "docs/results.md"
BEGIN, END = "<!-- benchmarks/field_page.py writes from here -->", "<!-- to here -->"
HOW: dict[Augmentation, str] = {
    "plain": "as they are",
    "tenfold": "tenfold file",
    "elastic": "online, elastic",
    "online": "online, elastic and affine",
}


@dataclass(frozen=True)
class Record:
    """What `logs/field` holds of a finished run.

    Attributes
    ----------
    run : Run
    bundle : dict
        The bundle's record.
    averaged : dict or None
        The counts that benchmarks/averaging.py wrote, if it was run.
    """

    run: Run
    bundle: dict[str, Any]
    averaged: dict[str, Any] | None

    @cached_property
    def test(self) -> Rate:
        """Right answers on the test split."""
        score = self.bundle["scores"]["test"]
        return Rate(score["correct"], score["total"])

    @property
    def views(self) -> Rate | None:
        """Right answers when eight distorted views are averaged; None if that was not measured."""
        return Rate(self.averaged["correct"], self.averaged["total"]) if self.averaged else None

    @property
    def parameters(self) -> int:
        """The number of the network's parameters."""
        return int(self.bundle["parameters"])

    @property
    def shown(self) -> int:
        """How many pictures the network was shown in training: each counts once an epoch.

        Of a refit only its own epochs count; they are half of the record's, for the search has as
        many.
        """
        pictures, epochs = self.bundle["dataset"]["pictures"], int(self.bundle["epochs"])
        if self.bundle["refit"]:
            return epochs // 2 * int(pictures["train"] + pictures["validation"])
        return epochs * int(pictures["train"])


def records() -> dict[str, Record]:
    """The records of the finished runs, by name, in the order of the plan."""
    finished = {}
    for run in RUNS:
        bundle, averaged = (LOGS / run.name / name for name in ("bundle.json", "averaged.json"))
        if bundle.is_file():
            counts = load(averaged) if averaged.exists() else None
            finished[run.name] = Record(run, load(bundle), counts)
    return finished


def load(path: Path) -> dict[str, Any]:
    """The object in a JSON file."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def cell(rate: Rate | None) -> str:
    """A rate as a cell of a table: share, interval and counts; a dash for None."""
    if rate is None or rate.share is None or rate.interval is None:
        return "–"
    low, high = (100 * end for end in rate.interval)
    return f"{100 * rate.share:.2f} % ({low:.2f} to {high:.2f}), {rate.correct:,} of {rate.total:,}"


def of_field(done: dict[str, Record]) -> Iterator[str]:
    """The lines of the table of every network on EMNIST-47."""
    yield "| network | parameters | as they are | epochs | online | epochs |"
    yield "|---|---|---|---|---|---|"
    for network in dict.fromkeys(run.network for run in RUNS):
        pair = [done.get(f"emnist47-{network}-{how}") for how in ("plain", "online")]
        if not any(pair):
            continue
        parameters = next(f"{record.parameters:,}" for record in pair if record)
        cells = [
            text
            for record in pair
            for text in (cell(record.test if record else None), _epochs(record))
        ]
        yield f"| `{network}` | {parameters} | {' | '.join(cells)} |"


def _epochs(record: Record | None) -> str:
    return str(record.bundle["epochs"]) if record else "–"


def of_ours(done: dict[str, Record]) -> Iterator[str]:
    """The lines of the table of our network on every set, by what it was trained on."""
    yield "| set | trained on | pictures shown | right on the test split | averaged over 8 views |"
    yield "|---|---|---|---|---|"
    sets, ways = list(SETS), list(HOW)
    ours = [record for record in done.values() if record.run.network == OURS]
    for record in sorted(
        ours,
        key=lambda record: (
            sets.index(record.run.data),
            ways.index(record.run.augmentation),
        ),
    ):
        run = record.run
        variant = f", {VARIANTS[run.variant].description}" if run.variant else ""
        seed = f", seed {run.seed}" if run.seed else ""
        cells = f"{record.shown:,} | {cell(record.test)} | {cell(record.views)}"
        yield f"| {SETS[run.data]} | {HOW[run.augmentation]}{variant}{seed} | {cells} |"


def of_seeds(done: dict[str, Record]) -> Iterator[str]:
    """A line for each run with several seeds: mean and standard deviation over the seeds."""
    for name, first in done.items():
        seeds = [record for record in done.values() if replace(record.run, seed=0) == first.run]
        if len(seeds) < 2:
            continue
        shares = [100 * record.test.correct / record.test.total for record in seeds]
        counts = " and ".join(f"{record.test.correct:,}" for record in seeds)
        yield (
            f"{len(seeds)} seeds of {name}: {counts} right of {first.test.total:,}; "
            f"mean {mean(shares):.2f} %, standard deviation {stdev(shares):.2f} points."
        )


def tables(done: dict[str, Record]) -> str:
    """The text between the marks of the page."""
    missing = [run.name for run in RUNS if run.name not in done]
    lines = ["### Every network on EMNIST-47", "", *of_field(done)]
    lines += ["", f"### `{OURS}` on four sets", "", *of_ours(done)]
    for line in of_seeds(done):
        lines += ["", line]
    if missing:
        lines += ["", f"Not run yet ({len(missing)} of {len(RUNS)}): {', '.join(missing)}."]
    return "\n".join(lines)


def with_tables(text: str, inner: str) -> str:
    """The page's text with `inner` between its marks."""
    return between(text, inner, BEGIN, END)


def main() -> None:
    """Write the page and the plots."""
    from benchmarks.field_plots import draw_gain, draw_sizes

    done = records()
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), tables(done)), encoding="utf-8")
    ordered: Sequence[Record] = list(done.values())
    draw_sizes(ROOT / "docs/images/field-sizes.png", ordered)
    draw_gain(ROOT / "docs/images/field-gain.png", ordered)


if __name__ == "__main__":
    main()
