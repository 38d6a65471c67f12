"""A sheet of pictures with class names under them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkfold.pages.fonts import drawable, font_family

COLUMNS = 10
LETTERS = 8  # of a name under a picture, before it is cut


def write_sheet(
    path: Path, images: NDArray[np.uint8], captions: Sequence[Sequence[str]], title: str
) -> None:
    """Write a PNG.

    Parameters
    ----------
    path : Path
    images : uint8 array of shape (n, H, W)
        0 is paper; shown with dark ink.
    captions : sequence of sequences of str
        The names under each picture, which an arrow joins.
    title : str
    """
    from matplotlib.figure import Figure

    rows = -(-len(images) // COLUMNS)
    figure = Figure(figsize=(COLUMNS, 1.25 * rows + 0.6))
    tiles = figure.subplots(rows, COLUMNS, squeeze=False).reshape(-1)
    family = font_family([name for names in captions for name in names])
    for tile in tiles:
        tile.axis("off")
    for tile, image, names in zip(tiles, images, captions, strict=False):
        tile.imshow(255 - image, cmap="gray", vmin=0, vmax=255)
        text = " → ".join(map(_cut, drawable(names)))
        tile.set_title(text, y=-0.22, fontsize=8, fontfamily=family)
    figure.suptitle(
        title, x=0.02, y=1 - 0.1 / figure.get_figheight(), ha="left", va="top", fontsize=9
    )
    figure.subplots_adjust(
        left=0.01,
        right=0.99,
        bottom=0.3 / figure.get_figheight(),
        top=1 - 0.4 / figure.get_figheight(),
        hspace=0.35,
        wspace=0.1,
    )
    figure.savefig(path, format="png", dpi=110)


def _cut(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"
