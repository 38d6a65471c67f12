"""Which of the ink is writing: bodies in the middle, not what reaches in from the border."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inkfold.photograph.paper import central

Contrast = NDArray[np.float32]
Mask = NDArray[np.bool_]
Labels = NDArray[np.int32]

LEAST_CONTRAST = 0.07  # of a pen's mean: below it there is no writing
NOISE = 5.0  # times the noise that a pen's contrast must reach
LOW, HIGH = 0.4, 0.65  # shares of the pen's contrast: a body reaches HIGH and ends at LOW
SMALLEST = 0.03  # longest side of a body, as a share of the picture's shorter side
MIDDLE = 0.25  # share of the sides: sigma of the weight of what lies in the middle
ENOUGH = 0.12  # share of that weight that bodies away from the edges need to be the writing
CENTRAL = 0.3  # least mean weight of a body that reaches an edge and is writing
RULED = 1.15  # times the contrast of printed lines that a body reaches
RELATED = 0.15  # least size of a further body, as a share of the main one
DOT = 0.004  # least area of a dot, as a share of the main body's size squared
FAINT = 0.15  # share of the pen's contrast that even paper, away from the writing, stays below
AWAY = 15  # pixels around the writing that are not looked at for that
UNEVEN = 0.25  # share of such places above it from which on there is no sheet, but a scene
REACH = 0.6  # how far a dot may lie away, as a share of the main body's size


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
    count, numbers, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    labels, stats = np.asarray(numbers, np.int32), np.asarray(boxes, np.int32)
    strong = np.zeros(count, bool)
    strong[labels[(contrast > max(HIGH * pen, RULED * ruling)) & sheet]] = True
    chosen = _chosen(labels, stats, strong, sheet)
    if not chosen.any():
        return nothing
    if _is_scene(contrast, sheet, chosen[labels], pen):
        return nothing
    near = cv2.dilate(chosen[labels].astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.asarray(np.clip(contrast * (255 / pen), 0, 255).astype(np.uint8) * near)


def _chosen(labels: Labels, stats: Labels, strong: Mask, sheet: Mask) -> Mask:
    """Which of the bodies are writing.

    Parameters
    ----------
    labels : int32 array of shape (H, W)
        The number of the body at each place, 0 where there is none.
    stats : int32 array of shape (n, 5)
        Left, top, width, height and area of each body.
    strong : bool array of shape (n,)
        Whether a body has the pen's contrast.
    sheet : bool array of shape (H, W)
    """
    area, size = stats[:, 4], stats[:, 2:4].max(axis=1)
    strong[0] = False
    real = strong & (size >= max(2, SMALLEST * min(labels.shape)))
    inner = real & ~_touching(labels, len(stats), sheet)
    weight = np.bincount(labels.ravel(), central(labels.shape, MIDDLE).ravel(), len(stats))
    if weight[inner].sum() < ENOUGH * weight[real].sum():
        inner = real & (weight > CENTRAL * area)
    if not inner.any():
        return np.zeros(len(stats), bool)
    main = int(np.argmax(np.where(inner, weight, -1)))
    chosen = inner & (size >= RELATED * size[main])
    dots = strong & (area >= DOT * size[main] ** 2) & _near(stats, chosen, REACH * size[main])
    return np.asarray(chosen | (dots & ~_touching(labels, len(stats), sheet)))


def _is_scene(contrast: Contrast, sheet: Mask, chosen: Mask, pen: float) -> bool:
    """Whether there is something everywhere around the writing, as in a landscape: no sheet."""
    near = cv2.dilate(chosen.astype(np.uint8), np.ones((AWAY, AWAY), np.uint8)) > 0
    around = contrast[sheet & ~near]
    return bool(len(around)) and float((around > FAINT * pen).mean()) > UNEVEN


def _touching(labels: Labels, count: int, sheet: Mask) -> Mask:
    """Which bodies reach an edge of the sheet or of the picture."""
    outside = cv2.dilate((~sheet).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    outside[[0, -1]] = True
    outside[:, [0, -1]] = True
    touching = np.zeros(count, bool)
    touching[labels[outside]] = True
    return touching


def _near(stats: Labels, chosen: Mask, reach: float) -> Mask:
    """Which bodies are at most `reach` pixels away from the box of the chosen ones."""
    first, after = stats[:, :2], stats[:, :2] + stats[:, 2:4]
    low, high = first[chosen].min(axis=0), after[chosen].max(axis=0)
    return np.asarray(((after >= low - reach) & (first <= high + reach)).all(axis=1))
