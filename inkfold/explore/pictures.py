"""Pictures of every class, a hundred classes to a sprite."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkfold.class_scan import Scan
from inkfold.pages.page import CELLS, cells, resized, sprites

BUDGET = 5_000_000  # pixels of all cells; half a byte each on the page
SIDES = (64, 32, 16)  # to which larger pictures are averaged where the budget asks for it
FEW = 100  # classes, up to which pictures keep all their greys


@dataclass(frozen=True)
class Group:
    """Classes that share two sprites, `first` to `last` in label order.

    `examples` holds some pictures of each, `moments` its mean picture and its variability.
    """

    first: int
    last: int
    examples: str
    moments: str


@dataclass(frozen=True)
class Box:
    """How large a cell is shown, in the page's pixels."""

    width: int
    height: int


@dataclass(frozen=True)
class Cards:
    """All groups, and how large a cell of `examples` and one of `moments` is shown."""

    groups: tuple[Group, ...]
    examples: Box
    moments: Box


def examples_wanted(classes: int) -> int:
    """How many pictures of each class there is room for."""
    return 12 if classes <= FEW else 4


def class_cards(examples: NDArray[np.uint8], scan: Scan) -> Cards:
    """Lay out examples uint8 (C, K, H, W) and the moments of a scan."""
    classes, wanted, size, _ = examples.shape
    side = tile_side(classes, wanted, size)
    bits = 8 if classes <= FEW else 4
    laid = cells(resized(examples, side), 4)
    moments = np.stack([scan.mean, 2 * scan.deviation], axis=1)  # at most 255 and 127.5
    shown = cells(resized(np.rint(moments).clip(0, 255).astype(np.uint8), side), 2)
    groups = tuple(
        Group(number * CELLS, min((number + 1) * CELLS, classes) - 1, first, second)
        for number, (first, second) in enumerate(
            zip(sprites(laid, bits=bits), sprites(shown, bits=bits), strict=True)
        )
    )
    times = magnification(side, classes)
    return Cards(groups, _box(laid, times), _box(shown, times))


def _box(cells: NDArray[np.uint8], times: int) -> Box:
    return Box(cells.shape[2] * times, cells.shape[1] * times)


def tile_side(classes: int, examples: int, size: int) -> int:
    """The largest side, no larger than the pictures', with which all cells keep to the budget."""
    sides = [side for side in SIDES if classes * (examples + 2) * side**2 <= BUDGET]
    return min(size, max(sides, default=SIDES[-1]))


def magnification(side: int, classes: int) -> int:
    """A whole number, so that pixels stay square: a tile is about 64 wide on the page, or 32."""
    wanted = 64 if classes <= FEW else 32
    return max(1, round(wanted / side))
