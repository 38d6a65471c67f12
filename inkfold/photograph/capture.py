"""Whether a picture is clean (a scan, a public set's, a drawing) or a photograph: one law."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]

LEAST = 36  # pixels along the shorter side: a smaller picture is never taken for a photograph
SMALL = 128  # pixels along the shorter side: below it the edge alone may say that it is clean
EDGE = 0.5  # share of a small picture's edge that one level fills where it is clean
RIM = 1 / 3  # share of a large picture's edge
PAPER = 0.25  # share of a picture that one level fills where it is clean
SAMPLE = 32  # pixels along the shorter side of a large picture that are counted


def is_photograph(grey: Grey) -> bool:
    """Whether a picture was photographed: no exact grey level is its paper.

    The paper of a clean picture is one level, since nothing disturbed it or a program cleared it.
    Light, grain and a camera's noise spread the paper of a photograph over many levels.

    Parameters
    ----------
    grey : uint8 array of shape (H, W)

    Returns
    -------
    photographed : bool
        False where the shorter side is below 36 pixels.
        Below 128 pixels, false where the level of a corner fills half of the edge, or any level a
        quarter of the picture.
        From 128 pixels on, false where the level of a corner fills a third of the edge and a
        quarter of the picture.
    """
    shorter = min(grey.shape)
    if shorter < LEAST:
        return False
    if shorter < SMALL:
        if _edge_level(grey, EDGE) is not None:
            return False
        return bool(np.bincount(grey.ravel()).max() < PAPER * grey.size)
    level = _edge_level(grey, RIM)
    if level is None:
        return True
    step = shorter // SAMPLE
    sample = grey[::step, ::step]
    return bool(np.count_nonzero(sample == level) < PAPER * sample.size)


def _edge_level(grey: Grey, share: float) -> int | None:
    """The level of a corner that fills so much of the edge; None where none does.

    Bytes are counted: NumPy would take as long as a tenth of a small picture's preparation.
    """
    rows, columns = grey.shape
    least = share * 2 * (rows + columns)
    edge: bytes = grey[0].tobytes() + grey[-1].tobytes()
    if edge.count(edge[0]) >= least:
        return edge[0]
    corners = (edge[0], edge[columns - 1], edge[columns], edge[-1])
    edge += grey[:, 0].tobytes() + grey[:, -1].tobytes()
    return next((level for level in corners if edge.count(level) >= least), None)
