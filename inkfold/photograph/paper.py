"""The paper behind the writing, place by place, and how far the writing is from it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Contrast = NDArray[np.float32]

PEN = 0.2  # widest stroke, as a share of the picture's shorter side: wider darkness is paper
SMALL = 128  # pixels along the longer side of what the ink's side is judged by
WINDOW = 0.4  # share of the shorter side that the median sees around each place
MIDDLE = 0.12  # share of the sides: sigma of the weights around the middle
FAINT = 6  # grey levels below which a difference from the paper is noise
DARKEST = np.float32(64)  # level of the paper below which it does not divide
LEAST = 0.3  # mean weighed grey levels of light ink: below it the ink is dark, or there is none
GRAIN = 0.8  # pixels: the Gaussian that smooths grain before anything is compared


def ink_is_dark(grey: Grey) -> bool:
    """Whether the writing is darker than its paper; the middle of the picture weighs most.

    The paper is the median of a window of 0.4 of the side around each place. What is darker and
    what is lighter than it are weighed by a Gaussian around the middle.
    """
    scale = SMALL / max(grey.shape)
    small = (
        grey
        if scale >= 1
        else cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    )
    window = max(3, round(WINDOW * min(small.shape))) | 1
    paper = cv2.medianBlur(np.asarray(small), window)
    below = np.maximum(cv2.subtract(paper, small), FAINT) - np.uint8(FAINT)
    above = np.maximum(cv2.subtract(small, paper), FAINT) - np.uint8(FAINT)
    weight = central(small.shape, MIDDLE)
    light = float((above * weight).sum())
    return light <= max(float((below * weight).sum()), LEAST * float(weight.sum()))


def central(shape: tuple[int, ...], sigma: float) -> NDArray[np.float32]:
    """A Gaussian around the middle, float32 of `shape`; `sigma` is a share of each side."""
    rows, columns = (
        np.exp(-0.5 * (np.linspace(-0.5, 0.5, count, dtype=np.float32) / sigma) ** 2)
        for count in shape
    )
    return np.outer(rows, columns)


def contrasts(grey: Grey) -> tuple[Contrast, Grey]:
    """How much light the ink takes away at each place, and the paper there.

    Parameters
    ----------
    grey : uint8 array of shape (H, W)
        Dark ink on lighter paper.

    Returns
    -------
    contrast : float32 array of shape (H, W)
        1 - grey / paper: 0 is paper, 1 is black. A shadow on the paper does not change it. Paper
        below 64 counts as 64, for its noise is most of it.
    paper : uint8 array of shape (H, W)
        The closing by a square of a fifth of the shorter side: darkness that is narrower is ink,
        and the edges of what is wider, as of a table, stay sharp.
    """
    smooth = np.asarray(cv2.GaussianBlur(grey, (0, 0), GRAIN), np.uint8)
    side = max(3, round(PEN * min(grey.shape))) | 1
    around = min(side, *(n - 1 for n in smooth.shape))
    # beyond the picture light goes on as it went: a closing would raise the dark end of a slope
    wide = np.pad(smooth.astype(np.int16), around, "reflect", reflect_type="odd")
    wide = np.clip(wide, 0, 255).astype(np.uint8)
    closed = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    rows, columns = smooth.shape
    paper = np.array(closed[around : around + rows, around : around + columns], np.uint8)
    taken = cv2.subtract(paper, smooth).astype(np.float32)
    return np.divide(taken, np.maximum(paper, DARKEST), dtype=np.float32), paper
