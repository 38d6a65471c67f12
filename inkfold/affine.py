"""Rotation, scale, shear and shift of a picture as one affine map, seen from the copy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inkfold.spec import Distortion


def draw_affine(
    distortion: Distortion, size: int, n: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Maps for `n` copies, each amount uniform up to its limit, to either side.

    Parameters
    ----------
    distortion : Distortion
        The limits.
    size : int
        Side of the picture in pixels: the shift is a share of it.
    n : int
    rng : numpy.random.Generator
        Six numbers a copy are drawn, whichever limits are zero.

    Returns
    -------
    maps : float64 (2, 3, n)
        As `inverse_affine` gives them.
    """
    amounts = rng.uniform(-1, 1, (6, n))
    return inverse_affine(
        rotate=distortion.rotate * amounts[0],
        scale=1 + distortion.scale * amounts[1:3],
        shear=distortion.shear * amounts[3],
        shift=distortion.shift * size * amounts[4:6],
    )


def inverse_affine(
    *,
    rotate: NDArray[np.float64],
    scale: NDArray[np.float64],
    shear: NDArray[np.float64],
    shift: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Where a copy's pixel comes from when the original is scaled, sheared, rotated, shifted.

    Coordinates are (row, column), rows down, measured from the centre of the picture.

    Parameters
    ----------
    rotate : float64 (n,)
        Degrees; positive turns the character counter-clockwise.
    scale : float64 (2, n)
        Factors for rows and columns; above 1 makes the character taller, wider.
    shear : float64 (n,)
        Degrees; positive leans the top of the character to the right.
    shift : float64 (2, n)
        Pixels; positive moves the character down, to the right.

    Returns
    -------
    maps : float64 (2, 3, n)
        ``[M | o]``: the pixel of the copy at p shows the original at ``M p + o``. With S, H, R the
        scaling, shearing and rotation, ``M = S^-1 H^-1 R^-1`` and ``o = -M shift``.
    """
    angle, slope = np.radians(rotate), np.tan(np.radians(shear))
    cosine, sine = np.cos(angle), np.sin(angle)
    to_row = np.stack([cosine, sine])
    to_column = np.stack([slope * cosine - sine, slope * sine + cosine])
    linear = np.stack([to_row, to_column]) / scale[:, None]
    offset = -(linear * shift).sum(axis=1)
    return np.concatenate([linear, offset[:, None]], axis=1)
