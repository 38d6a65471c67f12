"""The digest of each image, by which a chunk that decodes to other pixels is noticed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.damage import damaged


def digests(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """BLAKE2b-128 of each picture's pixels: uint8 (n, H, W) -> uint8 (n, 16)."""
    joined = b"".join(hashlib.blake2b(image, digest_size=16).digest() for image in images)
    return np.frombuffer(joined, np.uint8).reshape(len(images), 16)


def check_digests(
    path: Path | str, split: str, start: int, images: NDArray[np.uint8], stored: NDArray[np.uint8]
) -> None:
    """Compare images with the digests that were stored with them.

    Parameters
    ----------
    path : Path or str
    split : str
    start : int
        The row of the first image.
    images : uint8 array of shape (n, H, W)
    stored : uint8 array of shape (n, 16)

    Raises
    ------
    InkfoldError
        Naming the first row that differs.
    """
    wrong = np.flatnonzero((digests(images) != stored).any(axis=1))
    if len(wrong):
        found = f"the pixels of row {start + wrong[0]} differ from their digest"
        raise damaged(path, f"/{split}/images", found)
