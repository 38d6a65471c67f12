"""Gathering many small pictures along displacement fields, in one call of cv2.remap."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
WIDEST = 32_000  # pixels: cv2.remap takes sides under 32,767
# Most pixels in a mosaic: its arrays stay in the second-level cache and in memory that malloc
# keeps. Four times as many took three times as long, in page faults.
LARGEST = 1 << 16


def warp(images: NDArray[np.uint8], fields: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Gather each picture along its displacement field, bilinearly; paper (0) outside.

    Parameters
    ----------
    images : uint8 (n, H, W)
    fields : float32 (n, 2, H, W)
        Source minus target in pixels: ``copy[r, c] = image[r + field[0], c + field[1]]``.

    Returns
    -------
    copies : uint8 (n, H, W)
    """
    n, height, width = images.shape
    check_pictures(images, (n, *fields.shape[2:]))
    copies = np.empty_like(images)
    for part in mosaics(n, height, width):
        side_by_side = fields[part].transpose(1, 2, 0, 3).reshape(2, height, -1)
        copies[part] = gather(images[part], side_by_side)
    return copies


def gather(images: NDArray[np.uint8], displacement: NDArray[np.float32]) -> NDArray[np.uint8]:
    """`warp` for one mosaic: images (n, H, W), displacement (2, H, n * W)."""
    n, height, width = images.shape
    mosaic = np.zeros((height, n, width + 2), np.uint8)  # a column of paper beside each tile
    mosaic[:, :, 1:-1] = images.transpose(1, 0, 2)
    row, column, tile = _coordinates(n, height, width)
    # Clamped to the paper beside its own tile, a displacement never shows a neighbour's ink. Above
    # and below there is no neighbour: what cv2.remap finds outside is paper.
    rows = displacement[0] + row
    columns = np.maximum(displacement[1], -1 - column)
    np.minimum(columns, width - column, out=columns)
    columns += column + tile
    wide = np.empty((height, n, width), np.uint8)
    cv2.remap(
        mosaic.reshape(height, -1),
        columns,
        rows,
        cv2.INTER_LINEAR,
        dst=wide.reshape(height, -1),
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    return wide.transpose(1, 0, 2)


@lru_cache(maxsize=4)
def _coordinates(n: int, height: int, width: int) -> tuple[Floats, Floats, Floats]:
    """Row (H, 1) and column (n * W,) of each pixel in its picture, and where its tile begins."""
    row = np.arange(height, dtype=np.float32)[:, None]
    column = np.tile(np.arange(width, dtype=np.float32), n)
    tile = np.repeat(np.arange(n, dtype=np.float32) * (width + 2) + 1, width)
    return row, column, tile


def mosaics(n: int, height: int, width: int) -> Iterator[slice]:
    """Cut `n` pictures into runs that are gathered side by side: 64 of 32x32 pixels."""
    most = max(1, min(LARGEST // (height * width), WIDEST // (width + 2)))
    for start in range(0, n, most):
        yield slice(start, min(start + most, n))


def check_pictures(images: NDArray[np.uint8], shape: tuple[int, ...]) -> None:
    """Raise ValueError unless `images` are uint8 of this shape: cv2 would say it badly."""
    if images.shape != shape or images.dtype != np.uint8:
        raise ValueError(f"pictures are {images.dtype} {images.shape}, expected uint8 {shape}")
