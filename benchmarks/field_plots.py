"""The two plots of docs/results.md: accuracy against parameters, and what augmentation adds."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.field_plan import OURS, SETS
from inkfold.metrics import Rate, wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from benchmarks.field_page import Record

COLOURS = {"plain": "#8a8a8a", "tenfold": "#b07d2b", "elastic": "#3b6ea5", "online": "#d1622b"}


def gain(after: Rate, before: Rate) -> tuple[float, float, float]:
    """Difference of two shares, and its 95 % interval.

    Newcombe, Statistics in Medicine 17 (1998), 873: method 10, of two Wilson intervals. It takes
    the two as measured on different pictures; on the same ones the interval is rather too wide.
    """
    (low1, high1), (low2, high2) = (wilson(r.correct, r.total) for r in (after, before))
    one, two = after.correct / after.total, before.correct / before.total
    down = sqrt((one - low1) ** 2 + (high2 - two) ** 2)
    up = sqrt((high1 - one) ** 2 + (two - low2) ** 2)
    return one - two, one - two - down, one - two + up


def draw_sizes(path: Path, done: Sequence[Record]) -> None:
    """Right on EMNIST-47's test split against parameters, with intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for how, label in (("plain", "as they are"), ("online", "online")):
        chosen = [
            r
            for r in done
            if (r.run.data, r.run.augmentation, r.run.variant) == ("emnist47", how, "")
        ]
        shares = [100 * r.test.correct / r.test.total for r in chosen]
        ends = [wilson(r.test.correct, r.test.total) for r in chosen]
        bars = [
            [share - 100 * low for share, (low, _) in zip(shares, ends, strict=True)],
            [100 * high - share for share, (_, high) in zip(shares, ends, strict=True)],
        ]
        sizes = [r.parameters for r in chosen]
        axes.errorbar(sizes, shares, bars, fmt="o", capsize=3, color=COLOURS[how], label=label)
    _name_networks(axes, [r for r in done if r.run.data == "emnist47"])
    axes.set(xscale="log", xlabel="parameters", ylabel="per cent right (test)")
    axes.set_title("EMNIST-47: every network, pictures as they are and distorted online")
    axes.margins(x=0.15)  # for the last name
    axes.grid(alpha=0.25)
    axes.legend(loc="upper left")
    figure.savefig(path, dpi=120)


def _name_networks(axes: Axes, records: Sequence[Record]) -> None:
    """One name for each network, at its best row; of close neighbours the smallest has it left."""
    best: dict[str, tuple[int, float]] = {}
    for record in records:
        point = (record.parameters, 100 * record.test.correct / record.test.total)
        best[record.run.network] = max(point, best.get(record.run.network, point))
    for network, (size, share) in best.items():
        neighbours = [other / size for other, _ in best.values() if 1 / 1.3 < other / size < 1.3]
        left = len(neighbours) > 1 and min(neighbours) == 1
        axes.annotate(
            network,
            (size, share),
            xytext=(-7 if left else 7, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=8,
        )


def draw_gain(path: Path, done: Sequence[Record]) -> None:
    """Points that each augmentation adds to the same network and set, with intervals."""
    from matplotlib.figure import Figure

    plain = {(r.run.data, r.run.network): r for r in done if r.run.augmentation == "plain"}
    sets = list(SETS)
    rows = [
        (f"{SETS[r.run.data]}, {r.run.network}", r.run.augmentation, gain(r.test, before.test))
        for r in sorted(done, key=lambda r: (sets.index(r.run.data), r.run.network != OURS))
        if r.run.augmentation != "plain" and not r.run.seed and not r.run.variant
        for before in [plain.get((r.run.data, r.run.network))]
        if before is not None
    ]
    figure = Figure(figsize=(8, 1.5 + 0.3 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for at, (_, how, (middle, low, high)) in enumerate(rows):
        bars = [[100 * (middle - low)], [100 * (high - middle)]]
        axes.errorbar([100 * middle], [at], xerr=bars, fmt="o", capsize=3, color=COLOURS[how])
    axes.set_yticks(range(len(rows)), [f"{what}: {how}" for what, how, _ in rows])
    axes.invert_yaxis()
    axes.axvline(0, color="0.5", linewidth=0.8)
    axes.set(xlabel="percentage points on the test split, 95 % interval")
    axes.set_title("What augmentation adds")
    axes.grid(alpha=0.25, axis="x")
    figure.savefig(path, dpi=120)
