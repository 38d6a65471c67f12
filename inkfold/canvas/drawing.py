"""A drawing as data: the strokes of a pen, undo and redo, and the picture that strokes make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from inkfold.canvas.curve import Curve, Points
from inkfold.errors import InkfoldError

OVERSAMPLING = 4  # pixels drawn for each pixel of the picture, along each side
THINNEST = 0.4  # width at pressure 0, as a share of the brush
WIDEST = 1.6  # width at pressure 1
MOST_INK = 5_000_000  # pixels along all strokes times their width, 30 times a sheet of the page
THIN = 20  # pixels; a stroke that is thinner takes the time of one of this width


class DrawingTooLargeError(InkfoldError):
    """A drawing that would take more than some two seconds to render."""


@dataclass(frozen=True)
class Stroke:
    """What a pen did between going down and going up.

    Parameters
    ----------
    points : float64 array of shape (n, 3)
        Row, column (pixels, from the upper left corner) and pressure (0 to 1) in the order of
        drawing; n is at least 1. A mouse has the pressure 0.5.
    brush : float
        Width at the pressure 0.5, in pixels.
    """

    points: Points
    brush: float


@dataclass(frozen=True)
class Drawing:
    """Strokes on a sheet of `rows` by `columns` pixels, in the order of drawing."""

    rows: int
    columns: int
    strokes: tuple[Stroke, ...]


@dataclass(frozen=True)
class History:
    """The changes of a sheet, for undo and redo. A change is a stroke, or a clearing.

    Parameters
    ----------
    done : tuple of Stroke or None
        The changes that are in force, oldest first; None stands for a clearing.
    undone : tuple of Stroke or None
        The changes that were undone; the last one to be undone stands last.
    """

    done: tuple[Stroke | None, ...] = ()
    undone: tuple[Stroke | None, ...] = ()

    def drawn(self, stroke: Stroke) -> Self:
        """The history with one more stroke; changes that were undone are forgotten."""
        return type(self)((*self.done, stroke))

    def undo(self) -> Self:
        """The history without its last change; the same history where nothing was done."""
        return type(self)(self.done[:-1], (*self.undone, *self.done[-1:]))

    def redo(self) -> Self:
        """The history with the change that was undone last; the same where nothing was undone."""
        return type(self)((*self.done, *self.undone[-1:]), self.undone[:-1])

    def clear(self) -> Self:
        """The history with a clearing; the same history where the sheet is empty already."""
        return type(self)((*self.done, None)) if self.strokes else self

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """The strokes on the sheet: those since the last clearing."""
        since_clearing: list[Stroke] = []
        for change in self.done:
            if change is None:
                since_clearing = []
            else:
                since_clearing.append(change)
        return tuple(since_clearing)


def render(drawing: Drawing) -> NDArray[np.uint8]:
    """The picture of a drawing: black ink on white paper.

    Parts of strokes that leave no ink on the sheet cost nothing, however long they are.

    Returns
    -------
    pixels : uint8 array of shape (rows, columns)
        Ends of strokes are round; a pixel that an edge crosses is grey.

    Raises
    ------
    DrawingTooLargeError
        If the strokes would ink more than `MOST_INK` square pixels.
    """
    size = drawing.rows, drawing.columns
    paths, ink = [], 0.0
    for stroke in drawing.strokes:
        curve = Curve.near(stroke.points)
        spans = curve.within(size, reach=WIDEST * stroke.brush / 2 + 2)
        paths.append((curve, spans, stroke.brush))
        ink += len(spans) * max(stroke.brush, THIN)
        if ink > MOST_INK:
            raise DrawingTooLargeError(
                f"the strokes cover more than {MOST_INK:,} square pixels of the sheet, which is "
                "the most that is drawn; draw shorter strokes, or with a thinner brush"
            )
    sheet = np.full((size[0] * OVERSAMPLING, size[1] * OVERSAMPLING), 255, np.uint8)
    for curve, spans, brush in paths:
        for part in curve.sampled(spans):
            _ink(sheet, part, brush)
    return cv2.resize(sheet, size[::-1], interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _ink(sheet: NDArray[np.uint8], curve: Points, brush: float) -> None:
    """Draw a curve with round ends; its width follows the pressure, step by step."""
    places = np.round(curve[:, 1::-1] * OVERSAMPLING).astype(np.int32)  # cv2 takes columns first
    share = THINNEST + 2 * (1 - THINNEST) * np.clip(curve[:, 2], 0, 1)
    widths = np.maximum(1, np.round(brush * share * OVERSAMPLING)).astype(int)
    ends = np.flatnonzero(np.diff(widths)) + 1  # steps of equal width are drawn in one call
    for first, after in zip([0, *ends], [*ends, len(widths)], strict=True):
        run = places[max(0, first - 1) : after]
        if len(run) == 1:
            run = np.repeat(run, 2, axis=0)
        cv2.polylines(sheet, [run], isClosed=False, color=0, thickness=int(widths[first]))
