"""Whether a picture is clean (a scan, a public set's, a drawing) or a photograph: one law."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]

LEAST = 36  # pixels along the shorter side: a smaller picture is never taken for a photograph
SMALL = 128  # pixels along the shorter side: below it the edge alone may say that it is clean
EDGE = 0.5  # share of a small picture's edge that one level fills where it is clean
PAPER = 0.25  # share of a picture that one level fills where it is clean
RIM = 1 / 3  # share of a large picture's edge that the same level fills


def is_photograph(grey: Grey) -> bool:
    """Whether a picture was photographed: no grey level of its own is the paper.

    The paper of a clean picture is one exact level, since nothing disturbed it or a program
    cleared it. Light, grain and a camera's noise spread that of a photograph over many levels.

    Parameters
    ----------
    grey : uint8 array of shape (H, W)

    Returns
    -------
    photographed : bool
        False where the shorter side is below 36 pixels. False where it is below 128 pixels and
        the level of one of the corners fills half of the edge. Otherwise false where one exact
        level fills a quarter of the picture and, from 128 pixels on, a third of its edge too.
    """
    shorter = min(grey.shape)
    if shorter < LEAST:
        return False
    if shorter < SMALL:
        if _has_even_edge(grey):
            return False
        return bool(_counts(grey).max() < PAPER * grey.size)
    counts = _counts(grey)
    level = int(counts.argmax())
    if counts[level] < PAPER * grey.size:
        return True
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return bool(np.count_nonzero(edge == level) < RIM * len(edge))


def _has_even_edge(grey: Grey) -> bool:
    """Whether the level of a corner fills half of the edge. Bytes are counted in 2 microseconds."""
    edge = b"".join(
        (grey[0].tobytes(), grey[-1].tobytes(), grey[:, 0].tobytes(), grey[:, -1].tobytes())
    )
    half = EDGE * len(edge)
    first = edge[0]
    if edge.count(first) >= half:
        return True
    columns = grey.shape[1]
    others = {edge[columns - 1], edge[columns], edge[2 * columns - 1]}
    return any(edge.count(level) >= half for level in others)


def _counts(grey: Grey) -> NDArray[np.float32]:
    """How many pixels have each of the 256 levels."""
    return np.asarray(cv2.calcHist([grey], [0], None, [256], [0, 256])).ravel()
