"""A letter that looks different when it is turned, mirrored or inverted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def letter(rows: int, columns: int, *, ink: int, paper: int) -> NDArray[np.uint8]:
    """An F: a stem on the left, a long bar at the top, a shorter bar at half the height."""
    picture = np.full((rows, columns), paper, np.uint8)
    top, left = rows // 8, columns // 4
    picture[top:-top, left : left + 3] = ink
    picture[top : top + 3, left : columns - columns // 8] = ink
    picture[rows // 2 - 4 : rows // 2 - 1, left : columns // 2] = ink
    return picture
