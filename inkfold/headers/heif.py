"""An AVIF or HEIC file: the largest size that its boxes and its coded data claim."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from inkfold.errors import PictureError
from inkfold.extras import bringing, missing
from inkfold.headers.boxes import AVIF, HEIC, boxes, brands
from inkfold.headers.coded import Size, av1_sizes, hevc_box_sizes, hevc_sizes
from inkfold.headers.items import items
from inkfold.headers.limits import UNREADABLE, Claim
from inkfold.picture_formats import unread

# Boxes that hold nothing but boxes.
FOLDERS = (b"iprp", b"ipco", b"moov", b"trak", b"mdia", b"minf")
DEEPEST = 6
CODED = {b"av01": av1_sizes, b"hvc1": hevc_sizes, b"hev1": hevc_sizes}
CHUNK_PLACES = {b"stco": ">I", b"co64": ">Q"}
OF_PIXEL = 14  # bytes: the planes of the decoder, the colours made of them, and a copy


def heif(data: bytes) -> Claim:
    """The largest of a file's pictures, tiles, masks and tracks, and of what their data say."""
    known = brands(data)
    if not known & (AVIF | HEIC) or b"crx " in known:
        raise PictureError(unread(data) or UNREADABLE)
    if not known & AVIF and missing("pillow_heif"):
        raise PictureError(f"HEIC needs {bringing('pillow_heif')}, or save the picture as PNG")
    rows, columns = max(
        _sizes(data, 0, len(data), DEEPEST), key=lambda size: size[0] * size[1], default=(0, 0)
    )
    return rows, columns, rows * columns * OF_PIXEL


def _sizes(data: bytes, start: int, end: int, depth: int) -> Iterator[Size]:
    """Rows and columns of everything between `start` and `end` that has a size."""
    for kind, first, last in boxes(data, start, end):
        if kind == b"meta":
            yield from _sizes(data, first + 4, last, depth - 1) if depth else ()
            yield from _coded_sizes(data, first + 4, last)
        elif kind in FOLDERS and depth:
            yield from _sizes(data, first, last, depth - 1)
        elif kind == b"ispe":
            columns, rows = struct.unpack_from(">II", data, first + 4)
            yield rows, columns
        elif kind == b"tkhd" and last - first >= 8:
            columns, rows = struct.unpack_from(">II", data, last - 8)  # in 65,536ths of a pixel
            yield rows >> 16, columns >> 16
        elif kind == b"hvcC":
            yield from hevc_box_sizes(data[first:last])
        elif kind == b"stbl":
            yield from _sizes_in_track(data, first, last)


def _coded_sizes(data: bytes, start: int, end: int) -> Iterator[Size]:
    """What the coded items of a box ``meta`` say of their size."""
    for kind, item in items(data, start, end):
        if kind in CODED:
            yield from CODED[kind](item)


def _sizes_in_track(data: bytes, start: int, end: int) -> Iterator[Size]:
    """What the first sample of a track says of its size, found by the tables in a box ``stbl``."""
    inside = {kind: first for kind, first, _ in boxes(data, start, end)}
    if not {b"stsd", b"stsz"} <= set(inside):
        return
    kind = data[inside[b"stsd"] + 12 : inside[b"stsd"] + 16]
    fixed, _, length = struct.unpack_from(">3I", data, inside[b"stsz"] + 4)
    places = [
        struct.unpack_from(letter, data, inside[box] + 8)[0]
        for box, letter in CHUNK_PLACES.items()
        if box in inside
    ]
    for place in places if kind in CODED else ():
        yield from CODED[kind](data[place : place + (fixed or length)])
