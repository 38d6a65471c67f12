"""One picture out of an archive: where it lies, and its bytes, by one read."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
from isal import isal_zlib
from isal.igzip_lib import IsalError
from numpy.typing import NDArray

from inkfold.errors import PictureError
from inkfold.picture import MAX_BYTES

PLAIN, STORED, DEFLATED, NOWHERE = range(4)  # how a member lies in the file
# Where a member lies: its first byte (in a zip that of its header), its bytes there and unpacked,
# and its CRC-32.
MEMBER = np.dtype(
    [
        ("start", np.int64),
        ("size", np.int64),
        ("full", np.int64),
        ("crc", np.uint32),
        ("kind", np.uint8),
    ]
)
HEADER = 30  # bytes of a zip member's own header, before its name and its remarks
REMARKS = 256  # bytes of name and remarks that are read along; more take a second read
Read = Callable[[int, int], bytes]  # bytes of an archive from a place on: where, and how many
DAMAGED = "damaged in the archive; make or download it again"
# isal's stub declares its error as an instance
FAULTS: tuple[type[Exception], ...] = (zlib.error, IsalError)  # type: ignore[assignment]


def read_member(read: Read, member: NDArray[np.void] | np.void) -> bytes:
    """The unpacked bytes of a member, where `read` gives those of the archive.

    Raises
    ------
    PictureError
        If the member is not there, is too large, is cut short, or is damaged.
    """
    start, size, full, crc, kind = member.item()
    if kind == NOWHERE:
        raise PictureError("no such file or directory")
    if full > MAX_BYTES:
        raise PictureError(f"more than {MAX_BYTES >> 20} MiB: not a picture")
    if kind == PLAIN:
        data = read(start, size)
        if len(data) < size:
            raise PictureError(DAMAGED)
        return data
    data = _behind_header(read, start, size)
    if kind == DEFLATED:
        data = _inflated(data, full)
    if len(data) != full or zlib.crc32(data) != crc:
        raise PictureError(DAMAGED)
    return data


def _behind_header(read: Read, start: int, size: int) -> bytes:
    """The bytes of a zip member as they lie in the file, behind its own header."""
    data = read(start, HEADER + REMARKS + size)
    if data[:4] != b"PK\3\4" or len(data) < HEADER:
        raise PictureError(DAMAGED)
    begin = HEADER + int.from_bytes(data[26:28], "little") + int.from_bytes(data[28:30], "little")
    if begin + size > len(data):
        data = data[:begin] + read(start + len(data), begin + size - len(data))
    if begin + size > len(data):
        raise PictureError(DAMAGED)
    return data[begin : begin + size]


def _inflated(data: bytes, full: int) -> bytes:
    """Deflated bytes unpacked: `full` bytes, and no further ones."""
    try:
        return bytes(isal_zlib.decompressobj(-15).decompress(data, full + 1))
    except FAULTS:
        raise PictureError(DAMAGED) from None
