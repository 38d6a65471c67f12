"""The digest of each image, by which a chunk that decodes to other pixels is noticed.

Digests of chunks and of splits are made of them, and of those the dataset's fingerprint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.damage import damaged

CHUNK = 256  # rows in an HDF5 chunk; also the rows that one random generator distorts


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


def split_digest(name: str, digests: Iterable[bytes]) -> bytes:
    """What stands for a split in the fingerprint: BLAKE2b over its name and its chunks' digests.

    Parameters
    ----------
    name : str
        As "/train".
    digests : iterable of bytes
        Those of all chunks in row order, 16 bytes each, in pieces of any size.
    """
    summary = hashlib.blake2b(name.encode(), digest_size=16)
    for piece in digests:
        summary.update(piece)
    return summary.digest()


def chunk_digest(labels: NDArray[np.int32], digest: NDArray[np.uint8]) -> bytes:
    """What stands for a chunk in the fingerprint: BLAKE2b over labels and pixel digests."""
    summary = hashlib.blake2b(labels.astype("<i4", copy=False).tobytes(), digest_size=16)
    summary.update(digest.tobytes())
    return summary.digest()


def digests_of_chunks(labels: NDArray[np.int32], digest: NDArray[np.uint8]) -> bytes:
    """What stands for each 256 rows in the fingerprint, 16 bytes each.

    Parameters
    ----------
    labels : int32 array of shape (n,)
    digest : uint8 array of shape (n, 16)
    """
    return b"".join(
        chunk_digest(labels[at : at + CHUNK], digest[at : at + CHUNK])
        for at in range(0, len(labels), CHUNK)
    )
