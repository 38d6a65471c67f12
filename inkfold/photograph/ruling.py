"""Printed lines of lined and squared paper: found as straight lines from edge to edge, removed.

A ruling is thinner than a pen, paler, and reaches from one edge of the sheet to the other. What
it adds is subtracted along it, so that a stroke that crosses it is not broken.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Contrast = NDArray[np.float32]
Mask = NDArray[np.bool_]

SIDE = 320  # pixels along the longer side of the map on which lines are looked for
STEEPEST = 0.2  # rise of a line for each pixel along it: 11 degrees
RISE = 0.006  # step of the rises that are tried: two pixels at the end of a line
BLOCKS = 40  # parts of a line
THICK = 3  # pixels of the map: a line is thinner
CAP = 0.3  # contrast above which ink counts no more
FAINT = 0.012  # least contrast of a line with what is beside it
COVERED = 0.75  # share of a line's parts in which it must be seen
ALONE = 0.94  # that of fewer lines
FEW = 3  # lines from which on `COVERED` is enough
RAISED = 1.15  # times its median that a line is taken for
PIECES = 6  # of a line, each of which has its own level
REACH = 6  # pixels of the picture on both sides of a line that it may colour


@dataclass(frozen=True)
class Line:
    """A line ``row = start + rise * column``, in pixels."""

    start: float
    rise: float


def without_rulings(contrast: Contrast, sheet: Mask) -> tuple[Contrast, float]:
    """The contrast without printed lines, horizontal and vertical up to 11 degrees.

    Parameters
    ----------
    contrast : float32 array of shape (H, W)
        0 is paper.
    sheet : bool array of shape (H, W)
        Lines reach from edge to edge of it.

    Returns
    -------
    contrast : float32 array of shape (H, W)
    level : float
        The contrast of the lines; 0 where there are none.
    """
    contrast, across = _without_lines(contrast, sheet)
    turned, down = _without_lines(np.ascontiguousarray(contrast.T), np.ascontiguousarray(sheet.T))
    return np.ascontiguousarray(turned.T), max(across, down)


def _without_lines(contrast: Contrast, sheet: Mask) -> tuple[Contrast, float]:
    """The contrast without the horizontal lines, and what these had."""
    lines = found_lines(contrast, sheet)
    if not lines:
        return contrast, 0.0
    printed = np.zeros_like(contrast)
    for line in lines:
        _draw(printed, line, contrast, sheet)
    crests = printed.max(axis=0)
    return _subtracted(contrast, printed), float(np.median(crests)) / RAISED


def _subtracted(contrast: Contrast, printed: Contrast) -> Contrast:
    """The contrast where it is more than a line's; a stroke that a line crosses is bridged."""
    kept = np.clip((contrast - printed) / np.maximum(0.5 * printed, 1e-3), 0, 1) * contrast
    across = np.ones((2 * REACH + 3, 1), np.uint8)
    bridged = np.minimum(cv2.morphologyEx(kept, cv2.MORPH_CLOSE, across), contrast)
    return np.where(printed > 0, np.maximum(kept, bridged), contrast)


def found_lines(contrast: Contrast, sheet: Mask) -> list[Line]:
    """The horizontal lines from edge to edge of the sheet."""
    scale = min(1.0, SIDE / max(contrast.shape))
    rows = round(contrast.shape[0] * scale)
    if rows <= 2 * THICK:
        return []
    size = BLOCKS, rows
    inside = cv2.resize(sheet.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    capped = np.where(sheet, np.clip(contrast, 0, CAP), 0)
    level = cv2.resize(capped, size, interpolation=cv2.INTER_AREA) / np.maximum(inside, 0.3)
    ridge = np.full(level.shape, -1.0, np.float32)
    ridge[THICK:-THICK] = level[THICK:-THICK] - np.maximum(level[: -2 * THICK], level[2 * THICK :])
    block = contrast.shape[1] * scale / BLOCKS  # pixels of the map
    kept: list[tuple[float, Line]] = []
    for share, line in _candidates(ridge, inside > 0.6, block):
        if all(_apart(line, other, BLOCKS * block) for _, other in kept):
            kept.append((share, line))
    if len(kept) < FEW:
        kept = [(share, line) for share, line in kept if share >= ALONE]
    return [Line(line.start / scale, line.rise) for _, line in kept]


def _candidates(ridge: Contrast, valid: Mask, block: float) -> list[tuple[float, Line]]:
    """Covered share and place of what may be a line, the plainest first.

    Parameters
    ----------
    ridge : float32 array of shape (rows, BLOCKS)
        How much darker each part of a row is than the rows above and below.
    valid : bool array of shape (rows, BLOCKS)
        Which parts lie on the sheet.
    block : float
        Width of a part, in rows.
    """
    seen = cv2.dilate(((ridge > FAINT) & valid).astype(np.uint8), np.ones((3, 1), np.uint8))
    if np.count_nonzero(seen.sum(axis=0)) < BLOCKS // 2:
        return []
    rises = np.arange(-STEEPEST, STEEPEST + RISE / 2, RISE)
    shifts = np.round(rises[:, None] * block * (np.arange(BLOCKS) + 0.5)).astype(np.int32)
    rows = np.arange(len(ridge), dtype=np.int32)[:, None] + shifts[:, None]
    rows = np.where((rows >= 0) & (rows < len(ridge)), rows, len(ridge))  # a last row of nothing
    place = rows * BLOCKS + np.arange(BLOCKS, dtype=np.int32)
    plain = np.clip(ridge, -0.05, 3 * FAINT) * valid
    parts, share, strength = (
        np.pad(plane, ((0, 1), (0, 0))).ravel()[place].sum(axis=2, dtype=np.float32)
        for plane in (valid, seen, plain)
    )
    share /= np.maximum(parts, 1)
    strength *= share**3 / np.maximum(parts, 1)
    good = np.nonzero((share >= COVERED) & (parts >= BLOCKS // 2) & (strength > 0))
    order = np.argsort(-strength[good], kind="stable")
    return [
        (float(share[tilt, row]), Line(float(row), float(rises[tilt])))
        for tilt, row in zip(*(axis[order].tolist() for axis in good), strict=True)
    ]


def _apart(one: Line, other: Line, columns: float) -> bool:
    """Whether two lines are more than a few pixels apart, and do not cross."""
    left = one.start - other.start
    right = left + (one.rise - other.rise) * columns
    return left * right > 0 and min(abs(left), abs(right)) > THICK + 1


def _draw(printed: Contrast, line: Line, contrast: Contrast, sheet: Mask) -> None:
    """Draw what a line adds: the median along it, part by part, at each distance from it."""
    height, width = contrast.shape
    columns = np.arange(width)
    middle = np.round(line.start + line.rise * columns).astype(int)
    offsets = np.arange(-REACH, REACH + 1)[:, None]
    rows = middle + offsets
    there = (rows >= 0) & (rows < height)
    rows = np.clip(rows, 0, height - 1)
    there &= sheet[rows, columns]
    level = np.where(there, contrast[rows, columns], np.nan)
    if np.count_nonzero(there[REACH]) < width // 8:
        return
    whole = np.nan_to_num(_median(level))
    most = whole.max()
    profile = np.zeros_like(level)
    for part in np.array_split(columns, min(PIECES, width)):
        local = _median(level[:, part])
        local = np.where(np.isnan(local), whole, np.minimum(local, 1.4 * most + 0.02))
        profile[:, part] = RAISED * local[:, None]
    profile = np.where(there, profile, 0).astype(np.float32)
    for offset in range(len(offsets)):
        place = rows[offset], columns
        printed[place] = np.maximum(printed[place], profile[offset])


def _median(level: NDArray[np.float32]) -> NDArray[np.float32]:
    """The median of each row without NaN; NaN where a row has nothing else."""
    ordered = np.sort(level, axis=1)  # NaN stand last
    counts = np.count_nonzero(~np.isnan(level), axis=1)
    middle = np.maximum(counts // 2, 0)
    return np.where(
        counts > 0, ordered[np.arange(len(ordered)), np.minimum(middle, level.shape[1] - 1)], np.nan
    )
