"""The coded items of an AVIF or HEIC file: which kind of data they are, and where they lie."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from inkfold.errors import PictureError
from inkfold.headers.boxes import boxes
from inkfold.headers.limits import UNREADABLE

LETTERS = {2: "H", 4: "I", 8: "Q"}


def items(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    """The kind and the data of each item that a box ``meta`` between `start` and `end` lists.

    Raises
    ------
    PictureError
        If the items share their data, so that they are more than the file.
    """
    inside = {kind: (first, last) for kind, first, last in boxes(data, start, end)}
    kinds = dict(_kinds(data, *inside.get(b"iinf", (0, 0))))
    within = inside.get(b"idat", (0, 0))[0]
    total = 0
    for number, extents in _extents(data, *inside.get(b"iloc", (0, 0)), within):
        total += sum(length for _, length in extents)
        if total > 2 * len(data):
            raise PictureError(UNREADABLE)
        yield kinds.get(number, b""), b"".join(data[at : at + size] for at, size in extents)


def _kinds(data: bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The number of each item and its kind, such as ``av01``, from a box ``iinf``."""
    if start == end:
        return
    for kind, first, _ in boxes(data, start + (8 if data[start] else 6), end):
        if kind == b"infe" and data[first] >= 2:
            long = data[first] > 2
            number, name = struct.unpack_from(">I2x4s" if long else ">H2x4s", data, first + 4)
            yield number, name


def _extents(
    data: bytes, start: int, end: int, within: int
) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """The number of each item and where its parts begin, with their lengths, from ``iloc``.

    `within` is where the contents of the box ``idat`` begin.
    """
    if start == end:
        return
    place = start + 6
    version, sizes, more = data[start], data[start + 4], data[start + 5]

    def take(size: int) -> int:
        nonlocal place
        place += size
        if not size:
            return 0
        if size not in LETTERS:
            raise PictureError(UNREADABLE)
        return int(struct.unpack_from(">" + LETTERS[size], data, place - size)[0])

    count = take(4 if version > 1 else 2)
    for _ in range(count):
        number = take(4 if version > 1 else 2)
        method = take(2) if version else 0
        take(2)
        base = take(more >> 4) + (within if method & 15 == 1 else 0)
        parts = []
        for _ in range(take(2)):
            take(more & 15 if version else 0)
            at = base + take(sizes >> 4)
            parts.append((at, take(sizes & 15) or len(data) - at))
        yield number, parts
