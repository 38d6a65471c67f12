"""A TIFF or BigTIFF file: the first page, and its strips or tiles."""

from __future__ import annotations

import struct

from inkfold.errors import PictureError, PictureTooLargeError
from inkfold.headers.limits import COPIED, MAX_PIXELS, UNREADABLE, VISITS, Claim, allowed

# The types of the numbers in TIFF that describe a picture.
LETTERS = {1: "B", 3: "H", 4: "I", 16: "Q", 6: "b", 8: "h", 9: "i", 17: "q"}
WIDTH, HEIGHT, BITS, COMPRESSION, PLANES, ROWS_PER_STRIP = 256, 257, 258, 259, 277, 278
STRIPS, STRIP_BYTES, TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES = 273, 279, 322, 323, 324, 325
JPEG_WITHIN = (6, 7)
MAX_TAGS = 4096  # libtiff, too, takes no more


class _Directory:
    """The first directory of a TIFF file: where the numbers of each tag stand."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._order = "<" if data[:1] == b"I" else ">"
        big = struct.unpack_from(self._order + "H", data, 2)[0] == 43  # BigTIFF
        self._offset = self._order + ("Q" if big else "I")
        count, entry = (
            self._order + letters for letters in (("Q", "HHQ") if big else ("H", "HHI"))
        )
        inline, head = struct.calcsize(self._offset), struct.calcsize(entry)
        (place,) = struct.unpack_from(self._offset, data, inline)
        (tags,) = struct.unpack_from(count, data, place)
        place += struct.calcsize(count)
        if tags > MAX_TAGS or place + tags * (head + inline) > len(data):
            raise PictureError(UNREADABLE)
        self._inline = inline
        self._entries: dict[int, tuple[int, int, int]] = {}
        for at in range(place, place + tags * (head + inline), head + inline):
            tag, kind, length = struct.unpack_from(entry, data, at)
            self._entries.setdefault(tag, (kind, length, at + head))  # libtiff takes the first

    def __contains__(self, tag: int) -> bool:
        return tag in self._entries

    def numbers(self, tag: int, most: int) -> tuple[int, ...]:
        """At most so many numbers of a tag; none if the tag or its numbers are not there."""
        kind, length, at = self._entries.get(tag, (0, 0, 0))
        size = struct.calcsize(LETTERS.get(kind, ""))
        if not size or size * length > len(self._data):
            return ()
        if size * length > self._inline:
            (at,) = struct.unpack_from(self._offset, self._data, at)
        if at + size * length > len(self._data):
            return ()
        return struct.unpack_from(
            f"{self._order}{min(length, most)}{LETTERS[kind]}", self._data, at
        )

    def number(self, tag: int, usual: int) -> int:
        """The largest number of a tag, such as the bits of the deepest plane."""
        return max(self.numbers(tag, 16), default=usual)


def tiff(data: bytes) -> Claim:
    """The first directory, which is the page that is read, and the strips or tiles of it."""
    tags = _Directory(data)
    columns, rows = tags.number(WIDTH, 0), tags.number(HEIGHT, 0)
    planes, bits = tags.number(PLANES, 1), tags.number(BITS, 1)
    block_rows, block_columns = min(tags.number(ROWS_PER_STRIP, rows), rows), columns
    if TILE_WIDTH in tags:
        block_rows, block_columns = tags.number(TILE_HEIGHT, 0), tags.number(TILE_WIDTH, 0)
    block = block_rows * block_columns
    if rows * columns <= MAX_PIXELS < block:
        raise PictureTooLargeError(
            f"tiles of {block_rows:,} x {block_columns:,} pixels, "
            f"{MAX_PIXELS // 1_000_000} megapixels are allowed"
        )
    if tags.number(COMPRESSION, 1) in JPEG_WITHIN:
        _count_scans(data, tags, block * planes)
    size = planes * max(1, -(-bits // 8))
    memory = max(COPIED * rows * columns * size, rows * columns * size + block * (4 + size))
    return rows, columns, memory


def _count_scans(data: bytes, tags: _Directory, samples: int) -> None:
    """Refuse JPEG data in a TIFF file whose blocks have so many samples in so many scans."""
    places = tags.numbers(TILES if TILES in tags else STRIPS, len(data))
    lengths = tags.numbers(TILE_BYTES if TILES in tags else STRIP_BYTES, len(data))
    if sum(lengths) > 2 * len(data):  # blocks that share their data, or lie outside the file
        raise PictureError(UNREADABLE)
    scans = sum(
        data.count(b"\xff\xda", place, place + length)
        for place, length in zip(places, lengths, strict=False)
    )
    if samples * scans > allowed(VISITS, data):
        raise PictureTooLargeError(
            f"{samples * scans // 1_000_000:,} million samples in the scans of a TIFF file, "
            f"{allowed(VISITS, data) // 1_000_000:,} million are allowed"
        )
