"""Which of the ink is writing: bodies in the middle, not what reaches in from the border."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inkfold.photograph.paper import central

Contrast = NDArray[np.float32]
Mask = NDArray[np.bool_]

LEAST_CONTRAST = 0.07  # of a pen's mean: below it there is no writing
NOISE = 5.0  # times the noise that a pen's contrast must reach
LOW, HIGH = 0.4, 0.65  # shares of the pen's contrast: a body reaches HIGH and ends at LOW
SMALLEST = 0.03  # longest side of a body, as a share of the picture's shorter side
MIDDLE = 0.25  # share of the sides: sigma of the weight of what lies in the middle
ENOUGH = 0.12  # share of that weight that bodies away from the edges need to be the writing
CENTRAL = 0.3  # least mean weight of a body that reaches an edge and is writing
RULED = 1.15  # times the contrast of printed lines that a body reaches
RELATED = 0.15  # least size of a further body, as a share of the largest


def pen_level(contrast: Contrast, sheet: Mask) -> float:
    """The mean contrast of the ink, 0 where there is none: Otsu's upper class, if it stands out."""
    values = np.clip(contrast[sheet] * 255, 0, 255).astype(np.uint8)
    if not len(values):
        return 0.0
    level, _ = cv2.threshold(values, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    ink = values > level
    if not ink.any():
        return 0.0
    paper = values[~ink]
    pen = float(values[ink].mean()) / 255
    middle = float(np.median(paper))
    spread = float(np.median(np.abs(paper - middle))) * 1.4826 / 255
    if pen - middle / 255 < max(LEAST_CONTRAST, NOISE * spread):
        return 0.0
    return pen


def writing(contrast: Contrast, sheet: Mask, ruling: float = 0.0) -> NDArray[np.uint8]:
    """The writing on a sheet, 0 = paper, 255 = ink as dark as the pen; zeros where there is none.

    Parameters
    ----------
    contrast : float32 array of shape (H, W)
        0 is paper.
    sheet : bool array of shape (H, W)
    ruling : float
        The contrast of printed lines that were removed: what is left of them is no writing.

    Returns
    -------
    ink : uint8 array of shape (H, W)
    """
    nothing = np.zeros(contrast.shape, np.uint8)
    pen = pen_level(contrast, sheet)
    if not pen:
        return nothing
    mask = ((contrast > LOW * pen) & sheet).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    strong = np.zeros(count, bool)
    strong[labels[(contrast > max(HIGH * pen, RULED * ruling)) & sheet]] = True
    chosen = _chosen(labels, stats, strong, sheet)
    if not chosen.any():
        return nothing
    near = cv2.dilate(chosen[labels].astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.asarray(np.clip(contrast * (255 / pen), 0, 255).astype(np.uint8) * near)


def _chosen(
    labels: NDArray[np.int32],
    stats: NDArray[np.int32],
    strong: Mask,
    sheet: Mask,
) -> Mask:
    """Which of the bodies are writing."""
    shape = labels.shape
    shorter = min(shape)
    left, top, width, height, area = stats.T
    size = np.maximum(width, height)
    real = strong & (size >= max(2, SMALLEST * shorter))
    real[0] = False
    touching = np.zeros(len(stats), bool)
    outside = cv2.dilate((~sheet).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    outside[[0, -1]] = True
    outside[:, [0, -1]] = True
    touching[labels[outside]] = True
    inner = real & ~touching
    weight = np.bincount(labels.ravel(), central(shape, MIDDLE).ravel(), len(stats))
    middle = weight / np.maximum(area, 1)
    if weight[inner].sum() < ENOUGH * weight[real].sum():
        inner = real & (middle > CENTRAL)
    if not inner.any():
        return inner
    main = int(np.argmax(np.where(inner, weight, -1)))
    large = inner & (size >= RELATED * size[main])
    chosen = large.copy()
    # dots and short strokes: near what is written
    reach = 0.6 * size[main]
    box = _box(stats, large)
    dots = strong & ~touching & ~large & (area >= 0.004 * size[main] ** 2)
    dots[0] = False
    near = (
        (left + width >= box[0] - reach)
        & (left <= box[2] + reach)
        & (top + height >= box[1] - reach)
        & (top <= box[3] + reach)
    )
    chosen |= dots & near
    return chosen


def _box(stats: NDArray[np.int32], chosen: Mask) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the chosen bodies."""
    left, top, width, height, _ = stats[chosen].T
    return int(left.min()), int(top.min()), int((left + width).max()), int((top + height).max())
