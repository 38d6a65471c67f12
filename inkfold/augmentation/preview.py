"""The preview sheet of an augmentation: originals beside the copies that the file will hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import fill, wrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inkfold.augmentation.augment import Augmentation
from inkfold.dataset.reader import Dataset
from inkfold.dataset.split import CHUNK
from inkfold.elastic import Elastic, chunk_rng, warp
from inkfold.errors import InkfoldError
from inkfold.output import check_free, new_file
from inkfold.pages.fonts import drawable, font_family, shortened
from inkfold.workers import one_thread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EXAMPLES = 8  # originals on a sheet, each of a class of its own
COPIES = 5  # copies shown of each original, at most
MESH = 8  # cells of the grid along a side
RED = "#d1495b"  # differs from ink and from paper
LEGEND = "The grid is straight in the original; each copy shows where it came to lie."


@dataclass(frozen=True, kw_only=True)
class Strength:
    """Root-mean-square displacement along one axis, in pixels.

    Attributes
    ----------
    theory : float
        By the formula, of the elastic field alone.
    measured : float
        Over 1,000 elastic fields.
    total : float
        Over 1,000 fields with the affine map.
    sheet : float
        Over the fields on the sheet, with the affine map.
    """

    theory: float
    measured: float
    total: float
    sheet: float

    def __str__(self) -> str:
        affine = ""
        if abs(self.total - self.measured) > 0.005:
            affine = f", {self.total:.2f} px with the affine map"
        return (
            f"rms displacement along an axis: {self.theory:.2f} px by theory; "
            f"{self.measured:.2f} px over 1,000 fields{affine}; {self.sheet:.2f} px on this sheet"
        )


@dataclass(frozen=True, kw_only=True)
class Example:
    """One row of the sheet.

    Attributes
    ----------
    label : int
    original : uint8 array of shape (H, W)
    copies : uint8 array of shape (k, H, W)
    fields : float32 array of shape (k, 2, H, W)
        The displacement field that made each copy, in pixels.
    """

    label: int
    original: NDArray[np.uint8]
    copies: NDArray[np.uint8]
    fields: NDArray[np.float32]


def check_sheet(path: Path, *, overwrite: bool) -> None:
    """Refuse a sheet that cannot be written, before any work is done."""
    if path.suffix.lower() != ".png":
        raise InkfoldError(f"{path}: the preview sheet is a PNG file; name it SHEET.png")
    check_free(path, overwrite=overwrite)


def draw_sheet(
    dataset: Dataset, augmentation: Augmentation, path: Path, *, overwrite: bool = False
) -> Strength:
    """Write a picture of originals beside their copies, each with a grid distorted like its ink.

    The copies are those that `augment_dataset` writes for the same augmentation.

    Raises
    ------
    InkfoldError
        If `path` does not end in .png, or exists without `overwrite`.
    """
    check_sheet(path, overwrite=overwrite)
    with one_thread():
        examples = [
            example_of(dataset, augmentation, row) for row in chosen_rows(dataset.train.labels)
        ]
        strength = strength_of(
            dataset.spec.size, augmentation, [example.fields for example in examples]
        )
    names = [dataset.classes[example.label] for example in examples]
    figure = _figure(examples, names)
    _write_around(figure, dataset.path.name, _options(augmentation), f"{strength}. {LEGEND}")
    with new_file(path, overwrite=overwrite) as part:
        figure.savefig(part, format="png", dpi=150)
        dataset.check_unchanged()
    return strength


def chosen_rows(labels: NDArray[np.int32]) -> list[int]:
    """The first row of each of up to eight classes, which are spread evenly over all classes."""
    present, first = np.unique(labels, return_index=True)
    picked = np.linspace(0, len(present) - 1, min(EXAMPLES, len(present)))
    return [int(first[round(place)]) for place in picked]


def example_of(dataset: Dataset, augmentation: Augmentation, row: int) -> Example:
    """A training row with its copies, drawn with the whole chunk as in the augmented file."""
    chunk, at = divmod(row, CHUNK)
    n = min(CHUNK, len(dataset.train) - chunk * CHUNK)
    elastic = Elastic.of(dataset.spec.size, augmentation.distortion)
    copies = range(1, 1 + min(COPIES, augmentation.copies))
    fields = np.stack(
        [elastic.fields(n, chunk_rng(augmentation.seed, copy, chunk))[at] for copy in copies]
    )
    original = dataset.train[row].image
    warped = warp(np.stack([original] * len(copies)), fields)
    label = int(dataset.train.labels[row])
    return Example(label=label, original=original, copies=warped, fields=fields)


def strength_of(
    size: int, augmentation: Augmentation, shown: Sequence[NDArray[np.float32]]
) -> Strength:
    """How strong the distortion of images of `size` is; `shown` are the fields on the sheet."""
    elastic = Elastic.of(size, augmentation.distortion)
    alone = replace(augmentation.distortion, rotate=0, scale=0, shear=0, shift=0)
    return Strength(
        theory=elastic.rms,
        measured=_measured_rms(Elastic.of(size, alone), augmentation.seed),
        total=_measured_rms(elastic, augmentation.seed),
        sheet=float(np.sqrt(np.mean(np.square(shown)))),
    )


def _measured_rms(elastic: Elastic, seed: int) -> float:
    """The root-mean-square displacement of 1,000 fields, drawn a hundred at a time."""
    rng = np.random.default_rng(seed)
    squares = [np.square(elastic.fields(100, rng)).mean(dtype=np.float64) for _ in range(10)]
    return float(np.sqrt(np.mean(squares)))


def _write_around(figure: Figure, name: str, options: str, below: str) -> None:
    """Write the dataset's name and the options above the pictures, and `below` under them."""
    edge = 0.1 / figure.get_figheight()
    letters = int(13 * figure.get_figwidth())  # of 9 points, in a line
    family = font_family([name])
    above = "\n".join([shortened(drawable([name])[0], letters), *wrap(options, letters)])
    figure.text(0.02, 1 - edge, above, fontsize=9, va="top", fontfamily=family)
    figure.text(0.02, edge, fill(below, letters), fontsize=9)


def _options(augmentation: Augmentation) -> str:
    """The options that are not 0, with their units, and the seed."""
    units = {"sigma": " px", "rotate": "°", "shear": "°"}
    options = vars(augmentation.distortion).items()
    drawn = [f"{key} {value:g}{units.get(key, '')}" for key, value in options if value]
    return ", ".join([*drawn, f"seed {augmentation.seed}"])


def _figure(examples: Sequence[Example], names: Sequence[str]) -> Figure:
    from matplotlib.figure import Figure

    columns = 1 + len(examples[0].copies)
    wide, high = max(4.5, 1.15 * columns + 1.1), 1.15 * len(examples) + 1.7
    figure = Figure(figsize=(wide, high))
    grid = figure.subplots(len(examples), columns, squeeze=False)
    figure.subplots_adjust(
        left=1 / wide, right=0.98, bottom=0.8 / high, top=1 - 0.9 / high, wspace=0.06, hspace=0.06
    )
    family = font_family(names)
    for axes, example, name in zip(grid, examples, drawable(names), strict=True):
        axes[0].set_ylabel(
            shortened(name, 11), fontfamily=family, rotation=0, ha="right", va="center"
        )
        draw_tile(axes[0], example.original, np.zeros_like(example.fields[0]))
        for tile, copy, field in zip(axes[1:], example.copies, example.fields, strict=True):
            draw_tile(tile, copy, field)
    for number, tile in enumerate(grid[0]):
        tile.set_title(f"copy {number}" if number else "original", fontsize=9)
    return figure


def draw_tile(tile: Axes, image: NDArray[np.uint8], field: NDArray[np.float32]) -> None:
    """Draw dark ink on paper, and over it the original's grid, distorted like the ink.

    A grid line lies where `field` reads from the row (or column) that it has in the original.
    """
    height, width = image.shape
    tile.imshow(255 - image, cmap="gray", vmin=0, vmax=255)
    source = field + np.indices(image.shape)
    for axis, side in ((0, height), (1, width)):
        lines = np.arange(1, MESH) * side / MESH - 0.5
        inside = lines[(lines > source[axis].min()) & (lines < source[axis].max())]
        if len(inside):  # older matplotlib warns of lines outside the tile
            tile.contour(source[axis], levels=inside, colors=RED, linewidths=0.6, alpha=0.8)
    tile.set_xticks([])
    tile.set_yticks([])
