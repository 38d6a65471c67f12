"""Formats that say their size at once: BMP, GIF, WebP, PBM to PPM, PAM and Sun raster."""

from __future__ import annotations

import re
import struct

from inkfold.errors import PictureError
from inkfold.headers.limits import COPIED, UNREADABLE, Claim


def bmp(data: bytes) -> Claim:
    """The first header's size says which bitmap it is: OS/2's of 12 bytes has short sides."""
    if struct.unpack_from("<I", data, 14)[0] == 12:
        columns, rows = struct.unpack_from("<HH", data, 18)
        bits = data[24]
    else:
        columns, rows = struct.unpack_from("<ii", data, 18)
        bits = data[28]
    rows, columns = abs(rows), abs(columns)
    return rows, columns, rows * columns * COPIED * (4 if bits == 32 else 3)


def gif(data: bytes) -> Claim:
    """The canvas, which is kept with alpha; a frame must lie in it.

    A block must follow the canvas and its colours: an extension, a frame or the end.
    """
    columns, rows, flags = struct.unpack_from("<HHB", data, 6)
    colours = 3 << (flags & 7) + 1 if flags & 0x80 else 0
    if data[13 + colours : 14 + colours] not in (b"\x21", b"\x2c", b"\x3b"):
        raise PictureError(UNREADABLE)
    return rows, columns, rows * columns * 12


def webp(data: bytes) -> Claim:
    """The canvas of the first chunk, which libwebp compares with the frames."""
    kind, animated, planes = data[12:16], False, 4
    if data[8:12] != b"WEBP":
        raise PictureError(UNREADABLE)
    if kind == b"VP8X":
        animated = bool(data[20] & 2)
        columns, rows = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    elif kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        columns, rows = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        planes = 4 if bits >> 28 & 1 else 3
    else:
        columns, rows = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
        planes = 3
    return rows, columns, rows * columns * (16 if animated else COPIED * planes)


NUMBER = rb"(?:[^\d#]|#[^\r\n]*+)++0*+(\d{1,10})(?!\d)"  # OpenCV takes any other byte for a space
PNM = rb"P[1-6]" + 2 * NUMBER
SIDES = rb"(WIDTH|HEIGHT|DEPTH|MAXVAL)\s+(\d{1,10})"


def pnm(data: bytes) -> Claim:
    """The header of a PBM, PGM or PPM file, plain or raw."""
    found = re.match(PNM, data)
    if found is None:
        raise PictureError(UNREADABLE)
    columns, rows = (int(number) for number in found.groups())
    kind = data[1:2]
    planes = 3 if kind in b"36" else 1
    deep = kind not in b"14" and _most(data, found.end()) > 255
    return rows, columns, rows * columns * COPIED * planes * (2 if deep else 1)


def largest_level(data: bytes) -> int:
    """The level of white in a raw PGM or PPM file that `pnm` has passed, which OpenCV ignores."""
    found = re.match(PNM, data)
    return 255 if found is None else _most(data, found.end())


def _most(data: bytes, place: int) -> int:
    """The largest level, which follows the sides; 255 where it is missing."""
    found = re.match(NUMBER, data[place : place + 1000])
    return 255 if found is None else int(found.group(1))


def pam(data: bytes) -> Claim:
    """The named numbers in the header of a PAM file; of a number given twice the larger."""
    sides: dict[bytes, int] = {}
    for name, number in re.findall(SIDES, data[: data.find(b"ENDHDR")]):
        sides[name] = max(sides.get(name, 0), int(number))
    rows, columns = sides.get(b"HEIGHT", 0), sides.get(b"WIDTH", 0)
    size = 2 if sides.get(b"MAXVAL", 0) > 255 else 1
    return rows, columns, rows * columns * COPIED * size * sides.get(b"DEPTH", 1)


def sun(data: bytes) -> Claim:
    """The header of a Sun raster file."""
    columns, rows = struct.unpack_from(">II", data, 4)
    return rows, columns, rows * columns * COPIED * 3
