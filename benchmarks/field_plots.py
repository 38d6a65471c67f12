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
    """Difference of two shares, and the ends of its 95 % interval.

    Method 10 of Newcombe, Statistics in Medicine 17 (1998), 873, which combines two Wilson
    intervals. It assumes that the rates were measured on different pictures; for rates on the same
    pictures the interval is somewhat too wide.
    """
    (low1, high1), (low2, high2) = (wilson(r.correct, r.total) for r in (after, before))
    share1, share2 = after.correct / after.total, before.correct / before.total
    down = sqrt((share1 - low1) ** 2 + (high2 - share2) ** 2)
    up = sqrt((high1 - share1) ** 2 + (share2 - low2) ** 2)
    difference = share1 - share2
    return difference, difference - down, difference + up


def draw_sizes(path: Path, done: Sequence[Record]) -> None:
    """Plot right answers on EMNIST-47's test split against parameters, with intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for how, label in (("plain", "as they are"), ("online", "online")):
        records = [
            record
            for record in done
            if (record.run.data, record.run.augmentation, record.run.variant)
            == ("emnist47", how, "")
        ]
        rates = [record.test for record in records]
        shares = [100 * rate.correct / rate.total for rate in rates]
        ends = [wilson(rate.correct, rate.total) for rate in rates]
        bars = [
            [share - 100 * low for share, (low, _) in zip(shares, ends, strict=True)],
            [100 * high - share for share, (_, high) in zip(shares, ends, strict=True)],
        ]
        sizes = [record.parameters for record in records]
        axes.errorbar(sizes, shares, bars, fmt="o", capsize=3, color=COLOURS[how], label=label)
    _name_networks(axes, [record for record in done if record.run.data == "emnist47"])
    axes.set(xscale="log", xlabel="parameters", ylabel="per cent right (test)")
    axes.set_title("EMNIST-47: every network, pictures as they are and distorted online")
    axes.margins(x=0.15)  # for the last name
    axes.grid(alpha=0.25)
    axes.legend(loc="upper left")
    figure.savefig(path, dpi=120)


def _name_networks(axes: Axes, records: Sequence[Record]) -> None:
    """Write each network's name beside its best point.

    The name stands to the right of the point; to the left for the smallest of several networks with
    nearly as many parameters.
    """
    best: dict[str, tuple[int, float]] = {}
    for record in records:
        point = (record.parameters, 100 * record.test.correct / record.test.total)
        best[record.run.network] = max(point, best.get(record.run.network, point))
    for network, (size, share) in best.items():
        ratios = [near / size for near, _ in best.values()]
        neighbours = [ratio for ratio in ratios if 1 / 1.3 < ratio < 1.3]
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
    """Plot what each augmentation adds to the same network and set, with intervals."""
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
    for number, (_, how, (middle, low, high)) in enumerate(rows):
        bars = [[100 * (middle - low)], [100 * (high - middle)]]
        axes.errorbar([100 * middle], [number], xerr=bars, fmt="o", capsize=3, color=COLOURS[how])
    axes.set_yticks(range(len(rows)), [f"{name}: {how}" for name, how, _ in rows])
    axes.invert_yaxis()
    axes.axvline(0, color="0.5", linewidth=0.8)
    axes.set(xlabel="percentage points on the test split, 95 % interval")
    axes.set_title("What augmentation adds")
    axes.grid(alpha=0.25, axis="x")
    figure.savefig(path, dpi=120)
