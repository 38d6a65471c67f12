"""IDX files: two zeros, the type, the number of dimensions, each dimension, the bytes."""

from __future__ import annotations

import math
import struct
from functools import partial
from pathlib import Path

from inkfold.errors import InkfoldError
from inkfold.importers.arrays import AGAIN, Stream, head, opened, take

PICTURES, LABELS = 0x00000803, 0x00000801  # unsigned bytes of three and of one dimension


def looks_like(path: Path, magic: int) -> bool:
    """Whether a file, gzip or not, begins with the magic number."""
    return head(path, 4) == struct.pack(">I", magic)


def idx_stream(path: Path, magic: int) -> Stream:
    """Read the header of an IDX file.

    Raises
    ------
    InkfoldError
        If it has another magic number, or ends before its header does; if it is not compressed,
        also if its length is another than the header tells.
    """
    with opened(path) as file:
        found = int.from_bytes(take(file, path, 0, 4), "big")
        if found != magic:
            raise InkfoldError(
                f"{path}: magic number 0x{found:08X} at byte 0, expected 0x{magic:08X} for "
                f"{'pictures' if magic == PICTURES else 'labels'} in bytes; is it an IDX file?"
            )
        dimensions = magic & 0xFF
        shape = struct.unpack(f">{dimensions}I", take(file, path, 4, 4 * dimensions))
    start = 4 + 4 * dimensions
    if dimensions == 3 and not all(shape[1:]):
        raise InkfoldError(f"{path}: pictures of {shape[1]} x {shape[2]} pixels at byte 8; {AGAIN}")
    _check_length(path, start, shape)
    return Stream(path, partial(opened, path), start, shape)


def _check_length(path: Path, start: int, shape: tuple[int, ...]) -> None:
    """Before anything is read of a file that is not compressed."""
    with path.open("rb") as file:
        if file.read(2) == b"\x1f\x8b":
            return
    size, expected = path.stat().st_size, start + math.prod(shape)
    if size != expected:
        raise InkfoldError(
            f"{path}: {size:,} bytes, but its header tells of {shape[0]:,} records, which end at "
            f"byte {expected:,}; {AGAIN}"
        )
