"""What an export writes of a split: its originals, 256 rows at a time, and a picture as PNG."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.split import CHUNK, Split


@dataclass(frozen=True, kw_only=True)
class ExportRows:
    """The originals among 256 rows of a split.

    Attributes
    ----------
    images : uint8 array of shape (n, H, W)
    labels : list of int
    rows : list of int
        Rows in the split.
    source : list of str
    group : list of str
        Writers, pages or sheets; "" where unknown.
    copies : int
        How many of the 256 rows are distorted copies, which are left out.
    """

    images: NDArray[np.uint8]
    labels: list[int]
    rows: list[int]
    source: list[str]
    group: list[str]
    copies: int


Rows = Callable[[Split], Iterator[ExportRows]]  # of a split, once


def export_rows(split: Split) -> Iterator[ExportRows]:
    """The originals of each 256 rows of a split."""
    originals, grouped = split.originals, "group" in split.arrays
    for start in range(0, len(split), CHUNK):
        part = slice(start, start + CHUNK)
        labels = split.labels[part]
        kept = np.flatnonzero(originals[part])
        source = split.texts("source", part)
        group = split.texts("group", part) if grouped else [""] * len(labels)
        yield ExportRows(
            images=split.checked_images(part.start, part.stop)[kept],
            labels=labels[kept].tolist(),
            rows=(start + kept).tolist(),
            source=[source[row] for row in kept],
            group=[group[row] for row in kept],
            copies=len(labels) - len(kept),
        )


def png(image: NDArray[np.uint8]) -> bytes:
    """An image as a PNG file: dark ink on white paper, 8 bits grey."""
    encoded, data = cv2.imencode(".png", 255 - image)
    if not encoded:
        raise OSError(f"OpenCV could not encode a picture of {image.shape}")
    return data.tobytes()
