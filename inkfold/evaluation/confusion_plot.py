"""The confusion matrix as a picture that can be read, whatever the number of classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inkfold.evaluation.evaluate import Evaluation
from inkfold.metrics import Confusion
from inkfold.pages.fonts import drawable, font_family, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

COUNTED = 25  # classes, up to which the counts fit into the cells
LABELLED = 120  # classes, up to which every row has room for its name
GROUP = 30  # classes that are shown where there are more
LISTED = 30  # confused pairs in the table
LONGEST = 16  # letters of a name; the "…" of a longer one comes besides
DPI = 110


def draw_confusion(path: Path, result: Evaluation) -> None:
    """Draw the confusion matrix to a picture file.

    Up to 25 classes every count is written into its cell. Up to 120 the matrix is a heat map with
    every class named, beside the most confused pairs. Of more classes, 30 from those pairs are
    drawn with their counts, and a last column has the answers that went to all others.

    A cell's shade is its share of the row's pictures, on a scale that shows single errors; one
    hue, dark for much, so that it can be read by the colour-blind and in print.
    """
    from matplotlib.figure import Figure

    count = len(result.classes)
    shown = np.arange(count) if count <= LABELLED else most_confused(result.pairs, count)
    with_table = count > COUNTED
    side = _side(len(shown), counted=count <= COUNTED or count > LABELLED)
    figure = Figure(
        figsize=(side + (4.2 if with_table else 0.6), side), dpi=DPI, layout="constrained"
    )
    if with_table:
        grid = figure.add_gridspec(1, 2, width_ratios=(side, 3.6))
        axes = figure.add_subplot(grid[0])
        _list_pairs(figure.add_subplot(grid[1]), result)
    else:
        axes = figure.add_subplot()
    image = _draw_matrix(axes, result, shown)
    bar = figure.colorbar(image, ax=axes, location="bottom", shrink=0.5, aspect=40, pad=0.01)
    ticks = [0, 0.01, 0.1, 0.25, 0.5, 1]
    bar.set_ticks(ticks, labels=[f"{100 * tick:.0f} %" for tick in ticks])
    bar.set_label("share of the row's pictures (white: none of them; grey row: no pictures)")
    family = font_family([result.bundle, Path(result.dataset).name])
    figure.suptitle(_title(result, shown), fontfamily=family)
    figure.savefig(path)


def most_confused(pairs: Sequence[Confusion], classes: int) -> NDArray[np.int64]:
    """Up to 30 classes from the most frequent confusions, each beside the one it is confused with.

    Where nothing was confused they are the first 30 of all.
    """
    members = dict.fromkeys(label for pair in pairs for label in (pair.true, pair.predicted))
    return np.array(list(members or range(classes))[:GROUP])


def _side(rows: int, *, counted: bool) -> float:
    """Height of the figure in inches: a row takes what its name or its count needs to be read."""
    return max(5.5, 2.2 + rows * (0.36 if counted else 0.125))


def _title(result: Evaluation, shown: NDArray[np.int64]) -> str:
    right = result.accuracy
    subject = f"{result.bundle} on {result.split} of {Path(result.dataset).name}"
    name = drawable([subject])[0]
    share = f" ({100 * right.share:.2f} %)" if right.share is not None else ""
    title = f"{name}: {right.correct:,} of {right.total:,} right{share}"
    if len(shown) < len(result.classes):
        which = "in the most frequent confusions" if result.pairs else "first in order"
        title += f"\nthe {len(shown)} of {len(result.classes):,} classes {which}"
    return title


def _draw_matrix(axes: Axes, result: Evaluation, shown: NDArray[np.int64]) -> AxesImage:
    """Draw a row for each true class, a column for each answer, and one for others not shown."""
    names = [result.classes[label] for label in shown.tolist()]
    rows = result.confusion[shown]
    cells, support, columns = rows[:, shown], rows.sum(axis=1), short(names)
    if len(shown) < len(result.classes):
        cells = np.column_stack([cells, support - cells.sum(axis=1)])
        columns.append("others")
    shares = cells / np.maximum(support, 1)[:, None]
    image = _shade(axes, shares, empty=np.flatnonzero(support == 0))
    counted = len(shown) <= GROUP
    family, size = font_family(names), 9 if counted else 6.5
    turn = 90 if max(map(len, columns)) > 2 else 0
    axes.set_xticks(range(len(columns)), columns, rotation=turn, fontsize=size, fontfamily=family)
    rows_named = columns[: len(names)]
    axes.set_yticks(range(len(names)), rows_named, fontsize=size, fontfamily=family)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.set(xlabel="answer", ylabel="true class")
    axes.xaxis.set_label_position("top")
    _rule(axes, shape=cells.shape, every=1 if counted else 10)
    if counted:
        _write_counts(axes, cells, shares)
    return image


def _shade(axes: Axes, shares: NDArray[np.float64], empty: NDArray[np.int64]) -> AxesImage:
    """Shade the cells: 0 is white and the smallest share clearly blue, so one error is seen."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap, PowerNorm

    colours = ListedColormap(colormaps["Blues"](np.linspace(0.22, 1, 256))).with_extremes(
        bad="white"
    )
    shown = np.ma.masked_equal(shares, 0)
    image = axes.imshow(shown, cmap=colours, norm=PowerNorm(0.4, 0, 1), aspect="equal")
    for row in empty.tolist():
        axes.axhspan(row - 0.5, row + 0.5, color="0.88")
    return image


def _rule(axes: Axes, *, shape: tuple[int, ...], every: int) -> None:
    """Draw thin lines between the cells, or between every tenth, for the eye to follow."""
    axes.set_xticks(np.arange(-0.5, shape[1], every), minor=True)
    axes.set_yticks(np.arange(-0.5, shape[0], every), minor=True)
    axes.grid(which="minor", color="0.85", linewidth=0.6)
    axes.tick_params(which="minor", length=0)


def _write_counts(axes: Axes, cells: NDArray[np.int64], shares: NDArray[np.float64]) -> None:
    """Write a number into every cell that is not 0, in the colour that stands out."""
    for row, column in np.argwhere(cells).tolist():
        axes.text(
            column,
            row,
            f"{cells[row, column]:,}",
            ha="center",
            va="center",
            fontsize=9 if cells.max() < 1000 else 7,
            color="white" if shares[row, column] > 0.25 else "black",
        )


def _list_pairs(axes: Axes, result: Evaluation) -> None:
    """Draw the most confused pairs as a table: true class, answer, how often."""
    axes.set_axis_off()
    pairs = result.pairs[:LISTED]
    names = [result.classes[label] for pair in pairs for label in (pair.true, pair.predicted)]
    labels = iter(short(names))
    lines = [(next(labels), next(labels), f"{pair.count:,}") for pair in pairs]
    family = font_family(names)
    step = 1 / (LISTED + 3)
    title = f"most confused ({len(pairs)} of {len(result.pairs):,} pairs)"
    axes.set_title(title, fontsize=10, loc="left")
    for number, line in enumerate([("true class", "answer", "times"), *lines]):
        for column, text in zip((0.0, 0.42, 0.95), line, strict=True):
            axes.text(
                column,
                1 - (number + 1) * step,
                text,
                transform=axes.transAxes,
                ha="right" if column == 0.95 else "left",
                fontsize=9,
                fontfamily=family,
                color="0.4" if number == 0 else "black",
            )


def short(names: Sequence[str]) -> list[str]:
    """Names as a plot can draw them, cut between characters to about 16 letters' width."""
    return [shortened(drawable(name), LONGEST, mark=0) for name in names]
