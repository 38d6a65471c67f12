"""Whether a file has further frames or pages after the first, which is the one that is read."""

from __future__ import annotations

import struct

from inkfold.errors import PictureError
from inkfold.headers.boxes import brands
from inkfold.headers.png import chunks, is_bare
from inkfold.headers.tiff_directory import Directory

NOT_A_PAGE = 0b101  # of a TIFF directory: a smaller version of another page, or its mask
KIND = 254
PAGES = 100  # directories that are looked at


def has_further_frames(data: bytes) -> bool:
    """Whether a picture file is an animation, or a TIFF file of several pages.

    `data` have been decoded: what is damaged behind the first frame counts as nothing.
    """
    try:
        if data.startswith(b"\x89P"):
            return not is_bare(data) and _frames_of_png(data) > 1
        if data.startswith((b"II", b"MM")):
            return _has_pages(data)
        if data.startswith(b"GIF"):
            return _frames_of_gif(data) > 1
        if data.startswith(b"RIFF"):
            return data[12:16] == b"VP8X" and bool(data[20] & 2) and data.count(b"ANMF") > 1
        return data.startswith(b"\0\0") and bool(brands(data) & {b"avis", b"msf1"})
    except (struct.error, IndexError, PictureError):
        return False


def _frames_of_png(data: bytes) -> int:
    """What the chunk ``acTL`` of an animation says."""
    blocks = (place for kind, place, _ in chunks(data) if kind == b"acTL")
    place = next(blocks, None)
    return 1 if place is None else int(struct.unpack_from(">I", data, place + 8)[0])


def _has_pages(data: bytes) -> bool:
    """Whether a further directory of a TIFF file is a page."""
    directory = Directory(data)
    seen = {0, directory.place}
    while directory.following not in seen and len(seen) < PAGES:
        seen.add(directory.following)
        directory = Directory(data, directory.following)
        if not directory.number(KIND, 0) & NOT_A_PAGE:
            return True
    return False


def _frames_of_gif(data: bytes) -> int:
    """The frames of a GIF file, counted to the second."""
    flags, place, frames = data[10], 13, 0
    place += 3 << (flags & 7) + 1 if flags & 0x80 else 0
    while frames < 2 and place < len(data) and data[place] in b"\x21\x2c":
        if data[place] == 0x2C:
            frames += 1
            flags = data[place + 9]
            place += 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
        else:
            place += 2
        while data[place]:  # blocks of up to 255 bytes, as far as an empty one
            place += 1 + data[place]
        place += 1
    return frames
