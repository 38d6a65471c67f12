"""The boxes that AVIF, HEIC and JPEG 2000 files are made of."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from inkfold.errors import PictureError
from inkfold.headers.limits import UNREADABLE

AVIF = {b"avif", b"avis"}
MOST = 20_000  # boxes beside one another
HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The kind of each box between `start` and `end`, and where its contents begin and end."""
    count = 0
    while start + 8 <= end:
        count += 1
        if count > MOST:
            raise PictureError(UNREADABLE)
        length, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if length == 1:
            (length,), head = struct.unpack_from(">Q", data, start + 8), 16
        stop = end if length == 0 else start + length
        if stop < start + head:
            raise PictureError(UNREADABLE)
        yield kind, start + head, min(stop, end)
        start = stop


def brands(data: bytes) -> set[bytes]:
    """What a file says that it is, in its first box, which is ``ftyp``."""
    kind, start, end = next(boxes(data, 0, len(data)), (b"", 0, 0))
    if kind != b"ftyp":
        return set()
    return {data[start : start + 4]} | {data[at : at + 4] for at in range(start + 8, end - 3, 4)}
