"""The structure of the ink in prepared images, as a few numbers: bodies, shape, strokes, greys.

Scripts differ: `i`, `%` and many kanji have separate bodies. So nothing here says what is usual;
`novelty` learns that from a training set, with the same numbers.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

INK = 96  # levels above this are ink: half of a full stroke's edge pixels are
PALE, FULL = 32, 224  # levels between these are grey, of all above the first
# the columns of what `measures` gives
MEASURES = ("grey", "aspect", "aside", "across", "down", "width", "area")
BESIDE = {"aspect", "aside"}  # large values of these are those of words
EVERYWHERE = {"grey", "down", "width", "area"}  # these are those of textures, blots and photographs


def measures(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the ink of each image is like.

    Parameters
    ----------
    images : uint8 array of shape (n, H, W)
        0 = paper, 255 = ink.

    Returns
    -------
    measures : float32 array of shape (n, 7), with the columns of `MEASURES`
        grey : share of grey pixels among those that are not paper
        aspect : logarithm of the width of all ink over its height
        aside : share of the ink that lies outside of the largest connected body
        across, down : logarithm of 1 + the mean number of strokes that a row, a column crosses
        width : logarithm of the mean width of strokes, in pixels
        area : logarithm of 1 + the number of ink's pixels
    """
    ink = images > INK
    area = ink.sum(axis=(1, 2))
    in_rows, in_columns = np.asarray(ink.any(axis=2)), np.asarray(ink.any(axis=1))
    rows, columns = _extent(in_rows), _extent(in_columns)
    runs_across = _runs(ink).sum(axis=1)
    runs_down = _runs(ink.transpose(0, 2, 1)).sum(axis=1)
    drawn = (images > PALE).sum(axis=(1, 2))
    grey = drawn - (images >= FULL).sum(axis=(1, 2))
    columns_of_measures = [
        grey / np.maximum(drawn, 1),
        np.log((columns + 1) / (rows + 1)),
        (area - _largest_body(ink)) / np.maximum(area, 1),
        np.log1p(runs_across / np.maximum(in_rows.sum(axis=1), 1)),
        np.log1p(runs_down / np.maximum(in_columns.sum(axis=1), 1)),
        np.log((1 + area) / (1 + runs_across + runs_down)),
        np.log1p(area),
    ]
    return np.stack(columns_of_measures, axis=1).astype(np.float32)


def _extent(inked: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Places from the first True of each row to its last, both counted; 0 where there is none."""
    length = inked.shape[1] - inked.argmax(axis=1) - inked[:, ::-1].argmax(axis=1)
    return np.where(inked.any(axis=1), length, 0)


def _runs(ink: NDArray[np.bool_]) -> NDArray[np.intp]:
    """How many runs of ink each row of each image has, (n, H)."""
    begins = ink[:, :, 1:] & ~ink[:, :, :-1]
    return np.asarray(begins.sum(axis=2) + ink[:, :, 0])


def _largest_body(ink: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Pixels of the largest connected body of each image, its corners counted as connections.

    The images are stacked with a line of paper between them, and all bodies are found at once.
    """
    count, height, width = ink.shape
    largest = np.zeros(count, np.int64)
    per_call = max(1, 2**24 // ((height + 1) * width))
    for start in range(0, count, per_call):
        part = ink[start : start + per_call]
        stack = np.zeros((len(part), height + 1, width), np.uint8)
        stack[:, :height] = part
        _, _, found, _ = cv2.connectedComponentsWithStats(
            stack.reshape(-1, width), connectivity=8, ltype=cv2.CV_32S
        )
        place = start + found[1:, cv2.CC_STAT_TOP] // (height + 1)
        np.maximum.at(largest, place, found[1:, cv2.CC_STAT_AREA])
    return largest
