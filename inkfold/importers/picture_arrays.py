"""Arrays of any type and arrangement become grey pictures: uint8 (n, H, W)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.importers.arrays import ink_of
from inkfold.importers.collection import Glyph, Official
from inkfold.spec import Ink

LEAST = 4  # pixels of the shorter side: less is no picture but a table
FAINT = 64  # levels: where the largest is between 1 and this, nobody can tell what white is
CHANNELS = 1, 3


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """The pictures of an array.

    Attributes
    ----------
    blocks : callable
        Begins to read: gives the array block by block, in an arrangement that `grey` takes.
    factor : float
        By what its values are multiplied.
    split : {"train", "validation", "test"}, optional
    source : str
        "FILE", or "FILE:ARRAY" where a file holds several.
    """

    blocks: Callable[[], Iterator[NDArray[Any]]]
    factor: float
    split: Official | None
    source: str


def glyphs_of(parts: Sequence[Pictures], numbers: Sequence[NDArray[np.int64]]) -> Iterator[Glyph]:
    """The pictures of arrays one by one, with the number of the class of each."""
    for part, labels in zip(parts, numbers, strict=True):
        at = 0
        for block in part.blocks():
            pictures = grey(block, part.factor)
            for pixels, label in zip(pictures, labels[at : at + len(block)].tolist(), strict=True):
                yield Glyph(
                    pixels=pixels, label=label, source=f"{part.source}:{at}", split=part.split
                )
                at += 1


def ink_in(parts: Sequence[Pictures]) -> Ink:
    """Whether the ink is dark or light, by the first block of pictures."""
    return next(ink_of(grey(block, part.factor)) for part in parts for block in part.blocks())


def arrangement(shape: tuple[int, ...]) -> str | None:
    """How an array holds pictures, one record each; None if it cannot hold pictures.

    Returns
    -------
    str or None
        "flat": (N, H * W) of squares; "grey": (N, H, W); "last": (N, H, W, 1 or 3); "first":
        (N, 1 or 3, H, W).
    """
    if len(shape) == 2:
        side = math.isqrt(shape[1])
        return "flat" if side >= LEAST and side * side == shape[1] else None
    if len(shape) == 3:
        return "grey" if min(shape[1:]) >= LEAST else None
    if len(shape) != 4:
        return None
    last = shape[3] in CHANNELS and min(shape[1:3]) >= LEAST
    first = shape[1] in CHANNELS and min(shape[2:]) >= LEAST
    return "last" if last else "first" if first else None


def grey(block: NDArray[Any], factor: float) -> NDArray[np.uint8]:
    """The pictures of a block whose arrangement is known: uint8 (n, H, W).

    Values are multiplied by `factor` and rounded; colours become their luma.
    """
    if block.dtype != np.uint8 or factor != 1:
        block = np.rint(block.astype(np.float32) * factor).astype(np.uint8)
    how = arrangement(block.shape)
    if how == "flat":
        side = math.isqrt(block.shape[1])
        return np.asarray(block.reshape(-1, side, side))
    if how == "first":
        block = block.transpose(0, 2, 3, 1)
    if block.ndim == 3:
        return np.asarray(block, np.uint8)
    if block.shape[3] == 1:
        return np.asarray(block[..., 0], np.uint8)
    count, rows, columns = block.shape[:3]
    tall = np.ascontiguousarray(block).reshape(count * rows, columns, 3)
    luma = np.asarray(cv2.cvtColor(tall, cv2.COLOR_RGB2GRAY), np.uint8)
    return luma.reshape(count, rows, columns)


def factor_of(blocks: Iterable[NDArray[Any]], place: str) -> float:
    """By what the values of an array are multiplied to be levels from 0 to 255: 1 or 255.

    Parameters
    ----------
    blocks : iterable of arrays
        The whole array.
    place : str
        What an error is about.

    Raises
    ------
    InkfoldError
        If the values are not from 0 to 1 or from 0 to 255.
    """
    least, most = math.inf, -math.inf
    for block in blocks:
        if not block.size:
            continue
        least, most = min(least, float(block.min())), max(most, float(block.max()))
        if not (math.isfinite(least) and math.isfinite(most)):
            raise InkfoldError(f"{place}: a value is not a number, or without end; expected pixels")
    if least < 0 or most > 255 or 1 < most < FAINT:
        raise InkfoldError(
            f"{place}: values from {least:g} to {most:g}, expected pixels from 0 to 1 or from 0 to "
            "255; scale them and save the file again"
        )
    return 255.0 if most <= 1 else 1.0
