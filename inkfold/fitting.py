"""Ink on paper 0 into a square frame: stretched, padded, or centred by its mass."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inkfold.spec import ImageSpec, Interpolation

Grey = NDArray[np.uint8]
STEEPEST = 128  # grey levels between opposite edges that light alone may make
CLEARED = 0.6  # share of Otsu's level below which `clean` sees paper
ENLARGE = {"area": cv2.INTER_LINEAR, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


def fit(ink: Grey, spec: ImageSpec) -> Grey:
    """Bring a picture into the frame.

    Parameters
    ----------
    ink : uint8 array of shape (H, W)
        0 = paper.
    spec : ImageSpec
        Its `fit`, `margin` and `interpolation` are used.

    Returns
    -------
    image : uint8 array of shape (size, size)
    """
    if spec.fit == "stretch":
        return _resize(ink, spec.size, spec.size, spec.interpolation)
    if spec.fit == "ink":
        return _fit_ink(ink, spec)
    box = _scale(ink, spec)
    return _place(box, spec.size, (spec.size - len(box)) // 2, (spec.size - box.shape[1]) // 2)


def otsu(ink: Grey) -> tuple[float, Grey]:
    """Otsu's level, and the picture with 255 above it and 0 elsewhere."""
    level, image = cv2.threshold(ink, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return level, image.astype(np.uint8, copy=False)


def flatten(grey: Grey) -> Grey:
    """Take away light that falls from one side: a plane through the medians of the four edges.

    Where opposite edges differ by more than `STEEPEST` grey levels one of them is no paper, and the
    picture stays as it is.
    """
    down = float(np.median(grey[-1])) - float(np.median(grey[0]))
    across = float(np.median(grey[:, -1])) - float(np.median(grey[:, 0]))
    if max(abs(down), abs(across)) > STEEPEST or (down, across) == (0, 0):
        return grey
    rows, columns = (np.linspace(-0.5, 0.5, count) for count in grey.shape)
    plane = down * rows[:, None] + across * columns
    return np.clip(np.round(grey - plane), 0, 255).astype(np.uint8)


def clean(ink: Grey) -> Grey:
    """Clear uneven paper and bring pale ink to 255; between them the edges of strokes stay grey.

    What lies below 0.6 of Otsu's level becomes paper, the mean of what lies above the level becomes
    255, and the rest is stretched between them in a straight line.
    """
    level, inked = otsu(ink)
    if not inked.any():
        return ink
    low, high = CLEARED * level, float(ink[inked > 0].mean())
    table = np.clip((np.arange(256) - low) / (high - low), 0, 1) * 255
    return np.asarray(np.round(table).astype(np.uint8)[ink])


def _fit_ink(ink: Grey, spec: ImageSpec) -> Grey:
    """Crop to the ink, scale it to the frame less its margin, centre of mass to the middle."""
    inked = ink > otsu(ink)[0] / 2  # half the level: thin, pale ends of strokes belong to it
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    if not len(rows):
        return np.zeros((spec.size, spec.size), np.uint8)
    box = _scale(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], spec)
    top, left = (_start(box.sum(axis=axis, dtype=np.int64), spec.size) for axis in (1, 0))
    return _place(box, spec.size, top, left)


def _start(profile: NDArray[np.int64], size: int) -> int:
    """Where a box begins whose centre of mass, by its `profile`, is in the middle of `size`."""
    weights = profile if profile.any() else np.ones_like(profile)
    centre = float(weights @ np.arange(len(weights))) / float(weights.sum())
    return min(max(round((size - 1) / 2 - centre), 0), size - len(profile))


def _scale(picture: Grey, spec: ImageSpec) -> Grey:
    """Longest side to the frame less its margin, aspect kept, no side below a pixel."""
    side = max(1, round(spec.size * (1 - 2 * spec.margin)))
    rows, columns = (max(1, round(n * side / max(picture.shape))) for n in picture.shape)
    return _resize(picture, rows, columns, spec.interpolation)


def _resize(picture: Grey, rows: int, columns: int, how: Interpolation) -> Grey:
    """Resize; ``area`` shrinks first, each axis by itself, for it averages only when shrinking."""
    if how == "area":
        smaller = min(rows, picture.shape[0]), min(columns, picture.shape[1])
        picture = _resampled(picture, smaller, cv2.INTER_AREA)
    return _resampled(picture, (rows, columns), ENLARGE[how])


def _resampled(picture: Grey, shape: tuple[int, ...], interpolation: int) -> Grey:
    """As OpenCV does it; what has the shape already stays."""
    if picture.shape == shape:
        return picture
    resized = cv2.resize(picture, shape[::-1], interpolation=interpolation)
    return resized.astype(np.uint8, copy=False)


def _place(box: Grey, size: int, top: int, left: int) -> Grey:
    frame = np.zeros((size, size), np.uint8)
    frame[top : top + box.shape[0], left : left + box.shape[1]] = box
    return frame
