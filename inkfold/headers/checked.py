"""The structure of a picture file is checked before it is decoded.

A format that is not checked here is not decoded.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from inkfold.errors import PictureError, PictureTooLargeError
from inkfold.headers import plain
from inkfold.headers.heif import heif
from inkfold.headers.jpeg import jpeg
from inkfold.headers.jpeg2000 import codestream, jp2
from inkfold.headers.limits import MAX_PIXELS, MEMORY, UNREADABLE, Claim, allowed
from inkfold.headers.png import png, without_remarks
from inkfold.headers.tiff import tiff
from inkfold.picture_formats import unread


def _boxes(data: bytes) -> Claim:
    """A file of boxes: JPEG 2000, AVIF or HEIC."""
    return jp2(data) if data[4:8] == b"jP  " else heif(data)


FORMATS: dict[bytes, Callable[[bytes], Claim]] = {
    b"\x89P": png,
    b"\xff\xd8": jpeg,
    b"BM": plain.bmp,
    b"GI": plain.gif,
    b"II": tiff,
    b"MM": tiff,
    b"RI": plain.webp,
    **{b"P%d" % kind: plain.pnm for kind in range(1, 7)},
    b"P7": plain.pam,
    b"\x59\xa6": plain.sun,
    b"\0\0": _boxes,
    b"\xffO": codestream,
}


def checked(data: bytes) -> bytes:
    """The bytes to decode: those of the file, without the remarks of a PNG file.

    Raises
    ------
    PictureError
        If `data` are of no format that is checked here, or if the file is cut short, or would take
        memory or time out of proportion. The message is the reason alone.
    """
    claim = FORMATS.get(data[:2])
    if claim is None:
        raise PictureError(unread(data) or UNREADABLE)
    try:
        if claim is png:
            data = without_remarks(data)
        rows, columns, memory = claim(data)
    except (struct.error, IndexError, OverflowError):  # the file ends within its header
        raise PictureError(UNREADABLE) from None
    if not rows * columns:
        raise PictureError(UNREADABLE)
    if rows * columns > MAX_PIXELS:
        most = f"{MAX_PIXELS // 1_000_000} megapixels are allowed"
        raise PictureTooLargeError(f"{rows:,} x {columns:,} pixels, {most}")
    if memory > MEMORY and memory > allowed(MEMORY, data):
        raise PictureTooLargeError(
            f"{rows:,} x {columns:,} pixels take {memory >> 20} MiB to decode, "
            f"{allowed(MEMORY, data) >> 20} MiB are allowed for a file of this size"
        )
    return data
