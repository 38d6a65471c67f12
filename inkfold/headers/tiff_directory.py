"""A directory of a TIFF or BigTIFF file: the numbers that describe one of its pages."""

from __future__ import annotations

import struct

from inkfold.errors import PictureError
from inkfold.headers.limits import UNREADABLE

# The types of the numbers in TIFF that describe a picture.
LETTERS = {1: "B", 3: "H", 4: "I", 16: "Q", 6: "b", 8: "h", 9: "i", 17: "q"}
MAX_TAGS = 4096  # libtiff, too, takes no more
VERSIONS = (42, 43)  # of TIFF, of BigTIFF


class Directory:
    """Where the numbers of each tag of a page stand.

    Parameters
    ----------
    data : bytes
    place : int, optional
        Where the directory begins; by default the first one is taken.

    Attributes
    ----------
    place : int
        Where this directory begins.
    following : int
        Where the next directory begins; 0 after the last one.

    Raises
    ------
    PictureError
        If no directory lies there; struct.error where the file ends before it.
    """

    def __init__(self, data: bytes, place: int = 0) -> None:
        self._data = data
        self._order = "<" if data[:1] == b"I" else ">"
        (version,) = struct.unpack_from(self._order + "H", data, 2)
        if version not in VERSIONS:
            raise PictureError(UNREADABLE)
        big = version == 43
        self._offset = self._order + ("Q" if big else "I")
        count, entry = (
            self._order + letters for letters in (("Q", "HHQ") if big else ("H", "HHI"))
        )
        inline, head = struct.calcsize(self._offset), struct.calcsize(entry)
        place = place or struct.unpack_from(self._offset, data, inline)[0]
        self.place: int = place
        (tags,) = struct.unpack_from(count, data, place)
        place += struct.calcsize(count)
        end = place + tags * (head + inline)
        if tags > MAX_TAGS or end > len(data):
            raise PictureError(UNREADABLE)
        self._inline = inline
        self._entries: dict[int, tuple[int, int, int]] = {}
        for at in range(place, end, head + inline):
            tag, kind, length = struct.unpack_from(entry, data, at)
            self._entries.setdefault(tag, (kind, length, at + head))  # libtiff takes the first
        following = data[end : end + inline]
        whole = len(following) == inline
        self.following: int = struct.unpack(self._offset, following)[0] if whole else 0

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
