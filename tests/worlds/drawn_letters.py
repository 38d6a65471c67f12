"""Letters and digits as strokes that look handwritten, and pictures of them like photographs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


def _arc(  # noqa: PLR0917, six numbers make an arc
    column: float, row: float, width: float, height: float, start: float, end: float
) -> list[tuple[float, float]]:
    """Points of an ellipse from one angle to another, in degrees; 0 is right, 90 is down.

    `column` and `row` are the centre, `width` and `height` half the axes, in shares of the box.
    """
    angles = np.radians(np.linspace(start, end, 24))
    return [(column + width * np.cos(a), row + height * np.sin(a)) for a in angles]


# the strokes of each character; a point is a column and a row, 0 to 1 within the character's box
STROKES: dict[str, list[list[tuple[float, float]]]] = {
    "0": [_arc(0.5, 0.5, 0.32, 0.48, -90, 275)],
    "2": [[*_arc(0.5, 0.28, 0.34, 0.26, -170, 40), (0.16, 0.96), (0.86, 0.95)]],
    "3": [[*_arc(0.46, 0.27, 0.32, 0.25, -160, 90), *_arc(0.46, 0.74, 0.36, 0.25, -90, 150)]],
    "4": [[(0.55, 0.02), (0.14, 0.62), (0.9, 0.6)], [(0.66, 0.35), (0.64, 0.98)]],
    "5": [
        [(0.26, 0.06), (0.24, 0.45), *_arc(0.46, 0.68, 0.34, 0.28, -120, 140)],
        [(0.26, 0.06), (0.8, 0.05)],
    ],
    "6": [[(0.68, 0.03), (0.36, 0.35), *_arc(0.5, 0.72, 0.28, 0.25, 170, 530)]],
    "7": [[(0.14, 0.08), (0.84, 0.06), (0.4, 0.98)]],
    "8": [[*_arc(0.5, 0.26, 0.26, 0.23, 90, -270), *_arc(0.5, 0.74, 0.31, 0.25, -90, 270)]],
    "A": [[(0.08, 0.98), (0.5, 0.02), (0.92, 0.98)], [(0.24, 0.62), (0.76, 0.62)]],
    "B": [
        [(0.2, 0.02), (0.18, 0.97)],
        [
            (0.2, 0.03),
            *_arc(0.42, 0.26, 0.32, 0.22, -80, 90),
            *_arc(0.42, 0.72, 0.4, 0.25, -90, 90),
            (0.18, 0.97),
        ],
    ],
    "C": [_arc(0.55, 0.5, 0.4, 0.46, -50, -310)],
    "E": [
        [(0.8, 0.04), (0.2, 0.04), (0.18, 0.96), (0.84, 0.95)],
        [(0.2, 0.48), (0.7, 0.48)],
    ],
    "H": [[(0.14, 0.02), (0.13, 0.98)], [(0.86, 0.03), (0.87, 0.97)], [(0.14, 0.5), (0.86, 0.48)]],
    "K": [[(0.18, 0.02), (0.17, 0.98)], [(0.82, 0.04), (0.2, 0.54), (0.86, 0.97)]],
    "M": [[(0.06, 0.98), (0.16, 0.03), (0.5, 0.66), (0.84, 0.03), (0.94, 0.97)]],
    "N": [[(0.13, 0.98), (0.14, 0.03), (0.84, 0.96), (0.86, 0.02)]],
    "P": [[(0.22, 0.98), (0.22, 0.03), *_arc(0.44, 0.27, 0.36, 0.25, -80, 100), (0.22, 0.54)]],
    "R": [
        [(0.2, 0.98), (0.2, 0.03), *_arc(0.42, 0.27, 0.36, 0.24, -80, 95), (0.22, 0.52)],
        [(0.4, 0.53), (0.86, 0.97)],
    ],
    "T": [[(0.08, 0.04), (0.92, 0.05)], [(0.5, 0.05), (0.49, 0.98)]],
    "W": [[(0.04, 0.03), (0.26, 0.96), (0.5, 0.3), (0.74, 0.96), (0.96, 0.03)]],
    "X": [[(0.1, 0.03), (0.9, 0.97)], [(0.88, 0.03), (0.12, 0.97)]],
    "Z": [[(0.12, 0.05), (0.88, 0.04), (0.12, 0.95), (0.9, 0.96)]],
    "a": [_arc(0.44, 0.62, 0.32, 0.34, -40, -390), [(0.76, 0.28), (0.76, 0.84), (0.94, 0.96)]],
    "d": [_arc(0.42, 0.7, 0.3, 0.26, -30, -390), [(0.76, 0.02), (0.76, 0.97)]],
    "e": [[(0.16, 0.56), (0.84, 0.54), *_arc(0.5, 0.55, 0.35, 0.4, -10, -310)]],
    "h": [
        [(0.2, 0.02), (0.2, 0.98)],
        [(0.2, 0.62), *_arc(0.5, 0.66, 0.28, 0.2, -170, 0), (0.78, 0.98)],
    ],
}


@dataclass(frozen=True, kw_only=True)
class Shot:
    """How a letter was written and photographed.

    Parameters
    ----------
    size : int
        Height of the letter, in pixels.
    thickness : float
        Width of the pen, as a share of the letter's height.
    frame : (float, float, float, float)
        Free paper above, to the right, below and to the left, as shares of the letter's height.
    slant : float
        Slant of the letter to the right, in degrees.
    paper, ink : int
        Grey levels of the paper and of the ink, 0 to 255.
    shade : float
        How much darker the lower right corner is than the upper left one, in grey levels.
    noise : float
        Standard deviation of the noise, in grey levels.
    """

    size: int = 160
    thickness: float = 0.08
    frame: tuple[float, float, float, float] = (0.3, 0.3, 0.3, 0.3)
    slant: float = 0.0
    paper: int = 255
    ink: int = 0
    shade: float = 0.0
    noise: float = 0.0


def photograph(character: str, shot: Shot, seed: int = 0) -> NDArray[np.uint8]:
    """A picture of a character of `STROKES`, uint8 (H, W); `seed` draws the noise."""
    above, right, below, left = (round(share * shot.size) for share in shot.frame)
    width = round(0.8 * shot.size)
    shape = above + shot.size + below, left + width + right
    pen = max(1, round(shot.thickness * shot.size))
    lean = np.tan(np.radians(shot.slant))
    mask = np.zeros(shape, np.uint8)
    for stroke in STROKES[character]:
        columns, rows = np.transpose(stroke)
        columns = left + width * columns + lean * shot.size * (0.5 - rows)
        points = np.stack([columns, above + shot.size * rows], axis=1)
        fixed = np.round(points * 16).astype(np.int32)
        cv2.polylines(mask, [fixed], False, 255, pen, cv2.LINE_AA, 4)
    grey = shot.paper + (shot.ink - shot.paper) * (mask / 255.0)
    rows, columns = np.indices(shape)
    grey -= shot.shade * (rows / shape[0] + columns / shape[1]) / 2
    grey += np.random.default_rng(seed).normal(0, shot.noise, shape) if shot.noise else 0
    return np.clip(np.round(grey), 0, 255).astype(np.uint8)
