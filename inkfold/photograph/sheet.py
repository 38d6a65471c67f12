"""The sheet: which part of a photograph is the paper that is written on."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inkfold.photograph.paper import central

Grey = NDArray[np.uint8]
Mask = NDArray[np.bool_]

SIDE = 160  # pixels along the longer side of the map on which regions are told apart
STEP = 0.06  # relative difference of the paper between next pixels of the map: an edge
MIDDLE = 0.12  # share of the sides: sigma of the weight that chooses the sheet
SHARE = 0.25  # of the middle's weight that a region needs to be the sheet, or a part of it
RING = 0.08  # share of the writing's surroundings that makes a region part of the sheet


def sheet_of(paper: Grey, ink: Mask) -> Mask:
    """The sheet, without its edges.

    The map of the paper falls into regions at steps of its level: sheet, table, a hand, and parts
    of the sheet on both sides of a shadow. The sheet is the region in the middle, with each
    region that surrounds the same writing.

    Parameters
    ----------
    paper : uint8 array of shape (H, W)
        The paper's level at each place.
    ink : bool array of shape (H, W)
        What may be writing.

    Returns
    -------
    sheet : bool array of shape (H, W)
    """
    rows, columns = paper.shape
    scale = min(1.0, SIDE / max(paper.shape))
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    small = cv2.resize(paper, size, interpolation=cv2.INTER_AREA)
    square = np.ones((3, 3), np.uint8)
    high, low = cv2.dilate(small, square).astype(np.float32), cv2.erode(small, square)
    flat = (high - low < STEP * high + 1).astype(np.uint8)
    if flat.all():
        return np.ones(paper.shape, bool)
    count, numbers = cv2.connectedComponents(flat, connectivity=4)
    regions = np.asarray(numbers, np.int32)
    weights = np.bincount(regions.ravel(), central(small.shape, MIDDLE).ravel(), count)
    weights[0] = 0  # the edges between the regions
    chosen = weights >= min(SHARE * weights.sum(), weights.max())
    chosen |= _surrounding(
        regions, chosen, np.asarray(cv2.resize(ink.astype(np.uint8), size), np.uint8), count
    )
    sheet = _hull(chosen[regions])
    others = ~chosen[regions] & (regions > 0)
    sheet[cv2.dilate(others.astype(np.uint8), square) > 0] = 0
    return cv2.resize(_without_edges(sheet), (columns, rows), interpolation=cv2.INTER_LINEAR) > 0.5


def _surrounding(
    regions: NDArray[np.int32], chosen: Mask, ink: NDArray[np.uint8], count: int
) -> Mask:
    """The regions around the writing that stands on chosen ones."""
    bodies, labels = cv2.connectedComponents(ink, connectivity=8)
    sheet = chosen[regions]
    on_sheet = np.bincount(labels[sheet], minlength=bodies) > 0
    touching = np.zeros(bodies, bool)
    for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        touching[side] = True
    on_sheet[0] = False
    writing = (on_sheet & ~touching)[labels].astype(np.uint8)
    if not writing.any():
        return np.zeros(count, bool)
    ring = cv2.dilate(writing, np.ones((5, 5), np.uint8)) > writing
    around = np.bincount(regions[ring], minlength=count).astype(float)
    around[0] = 0
    return np.asarray(around >= max(RING * ring.sum(), 1))


def _hull(region: Mask) -> NDArray[np.uint8]:
    """The convex hull of a region: a sheet has no dents, what covers it is taken off later."""
    hull = np.zeros(region.shape, np.uint8)
    points = cv2.findNonZero(region.astype(np.uint8))
    if points is not None:
        cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    return hull


def _without_edges(sheet: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The sheet with its holes filled and two pixels off its edges, not off the picture's."""
    outside = cv2.copyMakeBorder(1 - sheet, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    cv2.floodFill(outside, None, (0, 0), 2)
    filled = (outside[1:-1, 1:-1] != 2).astype(np.uint8)
    return np.asarray(cv2.erode(filled, np.ones((5, 5), np.uint8)), np.float32)
