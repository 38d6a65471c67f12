"""IDX files, compressed with gzip or not: a magic number, the shape, the array."""

from __future__ import annotations

import math
import struct
from functools import partial
from pathlib import Path

import numpy as np

from inkfold.errors import InkfoldError
from inkfold.importers.arrays import AGAIN, Stream, head, is_gzip, opened, take

PICTURES, LABELS = 0x00000803, 0x00000801  # unsigned bytes of three and of one dimension
TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def looks_like(path: Path, magic: int) -> bool:
    """Whether a file's content, compressed or not, begins with the magic number."""
    return head(path, 4) == struct.pack(">I", magic)


def idx_stream(path: Path, magic: int) -> Stream:
    """Read the header of an IDX file.

    Raises
    ------
    InkfoldError
        If the magic number differs, the file ends inside its header, or, for a file that is not
        compressed, its length differs from what the header says.
    """
    with opened(path) as file:
        number = int.from_bytes(take(file, path, 0, 4), "big")
        if number != magic:
            raise InkfoldError(
                f"{path}: magic number 0x{number:08X} at byte 0, expected 0x{magic:08X} for "
                f"{'pictures' if magic == PICTURES else 'labels'} in bytes; is it an IDX file?"
            )
        dimensions = magic & 0xFF
        shape = struct.unpack(f">{dimensions}I", take(file, path, 4, 4 * dimensions))
    start, dtype = 4 + 4 * dimensions, np.dtype(TYPES[magic >> 8])
    if dimensions == 3 and not all(shape[1:]):
        raise InkfoldError(f"{path}: pictures of {shape[1]} x {shape[2]} pixels at byte 8; {AGAIN}")
    _check_length(path, start + math.prod(shape) * dtype.itemsize, shape[0])
    return Stream(path=path, opened=partial(opened, path), start=start, shape=shape, dtype=dtype)


def _check_length(path: Path, expected: int, count: int) -> None:
    """Refuse a file, unless compressed, whose length differs from what its header says."""
    size = path.stat().st_size
    if size != expected and not is_gzip(path):
        raise InkfoldError(
            f"{path}: {size:,} bytes, but its header tells of {count:,} records, which end at "
            f"byte {expected:,}; {AGAIN}"
        )
