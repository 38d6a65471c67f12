"""A JPEG file: the size of its frame, and how often its scans visit the samples."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from inkfold.errors import PictureError, PictureTooLargeError
from inkfold.headers.limits import COPIED, MAX_PIXELS, UNREADABLE, VISITS, Claim, allowed

MARKER = rb"\xff[^\x00\x01\xd0-\xd7\xff]"  # in coded data: one that ends them
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
PROGRESSIVE = (0xC2, 0xCA)
SCAN = 0xDA
ARITHMETIC = 4  # arithmetic coding takes up to so many times as long as Huffman's


def jpeg(data: bytes) -> Claim:
    """The frame's size; the scans may visit its samples so often."""
    if data[2:3] != b"\xff":
        raise PictureError(UNREADABLE)
    rows = columns = planes = visits = 0
    progressive, effort = False, 1
    for marker, place in _segments(data):
        if marker in FRAMES:
            if planes:  # libjpeg, too, takes one frame
                raise PictureError(UNREADABLE)
            rows, columns, planes = struct.unpack_from(">HHB", data, place + 3)
            progressive, effort = marker in PROGRESSIVE, ARITHMETIC if marker > 0xC8 else 1
        elif marker == SCAN:
            visits += rows * columns * data[place + 2] * effort
            if not progressive and data[place + 2] == planes:
                break  # this scan holds the picture, and the decoder reads no other
            if rows * columns <= MAX_PIXELS and visits > max(VISITS, allowed(VISITS, data)):
                raise PictureTooLargeError(
                    f"more than {visits // 1_000_000:,} million samples in the scans of a JPEG "
                    f"file, {allowed(VISITS, data) // 1_000_000:,} million are allowed"
                )
    shown = 1 if planes == 1 else 3
    several = progressive or visits != rows * columns * planes * effort
    kept = shown + 2 * planes if several else 0  # the coefficients of all planes
    return rows, columns, rows * columns * max(COPIED * shown, kept)


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """The markers of a JPEG file that have a length, and where it stands, as far as the end."""
    place, following = 2, re.compile(MARKER)  # not at import, which would take longer
    while found := following.search(data, place):
        marker, place = data[found.end() - 1], found.end()
        length = int.from_bytes(data[place : place + 2], "big")
        if marker in (0xD8, 0xD9):
            return
        yield marker, place
        place += max(length, 2)  # libjpeg passes over a length that is too short
