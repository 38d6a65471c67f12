"""A PNG file: its chunks, its size, and how far its data inflate."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from inkfold.errors import PictureError, PictureTooLargeError
from inkfold.headers.limits import COPIED, HARMLESS, MAX_PIXELS, SPARE, UNREADABLE, Claim


def is_bare(data: bytes) -> bool:
    """Whether a file holds the header of a PNG, one chunk of pixels and the end, as most small do.

    Such a file has no EXIF and no further frames. The other ways to tell take microseconds.
    """
    return data.endswith(END) and CHUNK.unpack_from(data, 33) == (len(data) - 57, b"IDAT")


def without_remarks(data: bytes) -> bytes:
    """A PNG file with the chunks that make its pixels alone, every one of which lies in the file.

    Texts and colour profiles may inflate to gigabytes, and libpng prints what it thinks of them.
    Of an animation that is cut short after its first frame the whole chunks are kept.
    """
    if is_bare(data):
        return data
    parts: list[bytes] = []
    start, frames = 0, b""
    for kind, place, end in chunks(data):
        if kind == CUT:
            if frames != b"acTLIDAT":
                raise PictureError(UNREADABLE)
            return b"".join([*parts, data[start:place]])
        if kind in (b"acTL", b"IDAT") and not frames.endswith(kind):
            frames += kind
        elif kind[0] & 0x20 and kind not in PIXEL_CHUNKS:  # one that a decoder may pass over
            parts.append(data[start:place])
            start = end
    return b"".join([*parts, data[start:]]) if parts else data


def png(data: bytes) -> Claim:
    """The picture's size; the memory of an animation is that of several whole frames."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"):
        raise PictureError(UNREADABLE)
    columns, rows, depth, colour = struct.unpack_from(">IIBB", data, 16)
    planes = 1 if colour == 0 else 3 if colour == 2 else 4
    size = 2 if depth == 16 else 1
    if len(data) > HARMLESS and rows * columns <= MAX_PIXELS:
        _inflate(data, rows * (columns * size * planes + 16))
    frames = 16 if b"acTL" in data[:64] else COPIED * planes
    return rows, columns, rows * columns * size * frames


END = b"\0\0\0\0IEND\xaeB`\x82"
CUT = b"\0"
PIXEL_CHUNKS = b"tRNS", b"acTL", b"fcTL", b"fdAT"
CHUNK = struct.Struct(">I4s")


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The kind of each chunk of a PNG file and where it begins and ends, as far as its last one.

    A chunk that does not lie in the file is the last, and of the kind `CUT`.
    """
    place, kind, whole = 8, b"", len(data)
    while kind != b"IEND":
        end = whole + 1
        if place + 12 <= whole:
            length, kind = CHUNK.unpack_from(data, place)
            end = place + 12 + length
        if end > whole:
            kind = CUT
        yield kind, place, end
        if kind == CUT:
            return
        place = end


def _inflate(data: bytes, raw: int) -> None:
    """Refuse data that inflate far beyond the picture; errors in them are the decoder's."""
    stream, total = zlib.decompressobj(), 0
    for kind, place, end in chunks(data):
        rest = data[place + 8 : end - 4] if kind == b"IDAT" else b""
        while rest and not stream.eof:
            try:
                total += len(stream.decompress(rest, 1 << 20))
            except zlib.error:
                return
            if total > raw + SPARE:
                raise PictureTooLargeError(
                    f"the data of the PNG file inflate to more than {total >> 20} MiB, "
                    f"{raw >> 20} MiB are expected"
                )
            rest = stream.unconsumed_tail
