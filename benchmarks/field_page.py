"""Write docs/results.md and its plots from the records that benchmarks/field.py kept.

    python benchmarks/field_page.py

Every figure is read from `logs/field/*/bundle.json`, a bundle's own record, and from the
`averaged.json` that benchmarks/averaging.py puts beside it. Runs that are not done yet have a dash.
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
    """What was kept of a finished run."""

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
        """The same, averaged over distorted views of each picture."""
        return Rate(self.averaged["correct"], self.averaged["total"]) if self.averaged else None

    @property
    def parameters(self) -> int:
        """Of the network."""
        return int(self.bundle["parameters"])

    @property
    def seen(self) -> int:
        """Pictures that it was trained on, counted as often as they were shown.

        Of a refit those of its own epochs, which are as many as the search's.
        """
        pictures, epochs = self.bundle["dataset"]["pictures"], int(self.bundle["epochs"])
        if self.bundle["refit"]:
            return epochs // 2 * int(pictures["train"] + pictures["validation"])
        return epochs * int(pictures["train"])


def records() -> dict[str, Record]:
    """Those of the finished runs, by name."""
    found = {}
    for run in RUNS:
        kept, averaged = LOGS / run.name / "bundle.json", LOGS / run.name / "averaged.json"
        if kept.is_file():
            found[run.name] = Record(run, load(kept), load(averaged) if averaged.exists() else None)
    return found


def load(path: Path) -> dict[str, Any]:
    """A JSON file's object."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def told(rate: Rate | None) -> str:
    """Share, interval and counts in a cell."""
    if rate is None or rate.share is None or rate.interval is None:
        return "–"
    low, high = (100 * end for end in rate.interval)
    return f"{100 * rate.share:.2f} % ({low:.2f} to {high:.2f}), {rate.correct:,} of {rate.total:,}"


def of_field(done: dict[str, Record]) -> Iterator[str]:
    """Every network on EMNIST-47."""
    yield "| network | parameters | as they are | epochs | online | epochs |"
    yield "|---|---|---|---|---|---|"
    for network in dict.fromkeys(run.network for run in RUNS):
        pair = [done.get(f"emnist47-{network}-{how}") for how in ("plain", "online")]
        if not any(pair):
            continue
        size = next(f"{one.parameters:,}" for one in pair if one)
        cells = [cell for one in pair for cell in (told(one.test if one else None), _epochs(one))]
        yield f"| `{network}` | {size} | {' | '.join(cells)} |"


def _epochs(record: Record | None) -> str:
    return str(record.bundle["epochs"]) if record else "–"


def of_ours(done: dict[str, Record]) -> Iterator[str]:
    """Ours on every set, by what it was trained on."""
    yield "| set | trained on | pictures shown | right on the test split | averaged over 8 views |"
    yield "|---|---|---|---|---|"
    data, how = list(SETS), list(HOW)
    ours = [one for one in done.values() if one.run.network == OURS]
    for one in sorted(
        ours, key=lambda one: (data.index(one.run.data), how.index(one.run.augmentation))
    ):
        variant = f", {VARIANTS[one.run.variant].told}" if one.run.variant else ""
        seed = f", seed {one.run.seed}" if one.run.seed else ""
        cells = f"{one.seen:,} | {told(one.test)} | {told(one.views)}"
        yield f"| {SETS[one.run.data]} | {HOW[one.run.augmentation]}{variant}{seed} | {cells} |"


def of_seeds(done: dict[str, Record]) -> Iterator[str]:
    """Mean and standard deviation over the seeds, where one run has several."""
    for name, first in done.items():
        same = [one for one in done.values() if replace(one.run, seed=0) == first.run]
        if len(same) < 2:
            continue
        shares = [100 * one.test.correct / one.test.total for one in same]
        counts = " and ".join(f"{one.test.correct:,}" for one in same)
        yield (
            f"{len(same)} seeds of {name}: {counts} right of {first.test.total:,}; "
            f"mean {mean(shares):.2f} %, standard deviation {stdev(shares):.2f} points."
        )


def tables(done: dict[str, Record]) -> str:
    """What stands between the marks of the page."""
    waiting = [run.name for run in RUNS if run.name not in done]
    lines = ["### Every network on EMNIST-47", "", *of_field(done)]
    lines += ["", f"### `{OURS}` on four sets", "", *of_ours(done)]
    for line in of_seeds(done):
        lines += ["", line]
    if waiting:
        lines += ["", f"Not run yet ({len(waiting)} of {len(RUNS)}): {', '.join(waiting)}."]
    return "\n".join(lines)


def with_tables(text: str, inner: str) -> str:
    """The page with `inner` between its marks."""
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
