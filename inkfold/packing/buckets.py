"""Buckets: the pictures by the first bits of the hash that orders the rows of every split.

The hash is known as soon as a file is read, whatever split the picture goes to later. So workers
sort pictures into buckets as they prepare them, and the rows of a shard lie in buckets that follow
one another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkfold.packing.split import hashed
from inkfold.packing.stage import files_in_piece

TOGETHER = 96 << 20  # bytes of images that a worker holds at a time
MOST_BITS = 14
SLICE = 32  # pictures that a stage file holds of a bucket, where it can


@dataclass(frozen=True, kw_only=True)
class Buckets:
    """How the pictures of a listing are put into buckets and stage files.

    Attributes
    ----------
    seed : int
    bits : int
        There are two to the power of `bits` buckets.
    files : int
        Pictures in a stage file; the last one may have fewer.
    run : int
        Rows of a shard that a worker gathers at a time.
    """

    seed: int
    bits: int
    files: int
    run: int

    @classmethod
    def of(cls, count: int, size: int, *, seed: int, rows: int, far: bool) -> Buckets:
        """The buckets for a number of pictures.

        Parameters
        ----------
        count : int
            Pictures.
        size : int
            Of an image, in pixels: it takes its square in bytes.
        seed : int
        rows : int
            Of a shard. No bucket holds much more, or a shard would be a small part of what is read
            for it.
        far : bool
            As in `Crew`.
        """
        together = max(1, min(TOGETHER // size**2, rows))
        bits = 0
        while bits < MOST_BITS and count > together << bits:
            bits += 1
        files = max(files_in_piece(size, far=far), min(SLICE << bits, TOGETHER // size**2))
        return cls(seed=seed, bits=bits, files=files, run=max(1, TOGETHER // size**2))

    def __len__(self) -> int:
        return 1 << self.bits

    def keys(self, content: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """The hash that orders the rows, of the first word of each file's digest."""
        return hashed(content, self.seed, "rows")

    def numbers(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The bucket of each hash; buckets ascend as hashes do."""
        if not self.bits:
            return np.zeros(len(keys), np.int64)
        return (keys >> np.uint64(64 - self.bits)).astype(np.int64)
