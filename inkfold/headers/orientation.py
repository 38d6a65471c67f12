"""How a picture is turned before it is shown: the EXIF orientation that its decoder leaves to us.

A JPEG or TIFF file is turned by its decoder, and so is an AVIF or HEIC file by its own rotation and
mirror; such a file without these is turned by its EXIF.
"""

from __future__ import annotations

import struct

from inkfold.errors import PictureError
from inkfold.headers.boxes import boxes
from inkfold.headers.items import items
from inkfold.headers.png import chunks, is_bare
from inkfold.headers.tiff_directory import Directory

ORIENTATION = 274
UPRIGHT = 1


def orientation(data: bytes) -> int:
    """The EXIF orientation, from 1 (upright) to 8; 1 as well where the file says nothing valid."""
    try:
        exif = b"" if is_bare(data) else _exif(data)
        turned = Directory(exif).number(ORIENTATION, UPRIGHT) if exif else UPRIGHT
    except (struct.error, IndexError, PictureError):
        return UPRIGHT
    return turned if 1 <= turned <= 8 else UPRIGHT


def _exif(data: bytes) -> bytes:
    """The block of EXIF, which is a TIFF file without a picture; empty if there is none."""
    if data.startswith(b"\x89P"):
        blocks = ((kind, place + 8, end - 4) for kind, place, end in chunks(data))
        return next((data[start:end] for kind, start, end in blocks if kind == b"eXIf"), b"")
    if data.startswith(b"RIFF") and data[12:16] == b"VP8X":
        return _webp_exif(data)
    return _heif_exif(data) if data.startswith(b"\0\0") else b""


def _webp_exif(data: bytes) -> bytes:
    """The chunk ``EXIF`` of a WebP file, without the name that some programs put before it."""
    place = 12
    while place + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, place)
        if kind == b"EXIF":
            return data[place + 8 : place + 8 + length].removeprefix(b"Exif\0\0")
        place += 8 + length + (length & 1)
    return b""


def _heif_exif(data: bytes) -> bytes:
    """The item ``Exif`` of an AVIF or HEIC file that has neither rotation nor mirror of its own."""
    for kind, start, end in boxes(data, 0, len(data)):
        if kind != b"meta":
            continue
        inside = {name: place for name, *place in boxes(data, start + 4, end)}
        for _, *place in boxes(data, *inside.get(b"iprp", (0, 0))):
            if {name for name, *_ in boxes(data, *place)} & {b"irot", b"imir"}:
                return b""
        found = (item for name, item in items(data, start + 4, end) if name == b"Exif")
        if item := next(found, b""):
            (skipped,) = struct.unpack_from(">I", item)
            return item[4 + skipped :].removeprefix(b"Exif\0\0")
    return b""
