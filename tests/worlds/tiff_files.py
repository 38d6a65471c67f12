"""TIFF files, written tag by tag, with strips that hold whatever a test puts into them."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

LETTERS = {3: "H", 4: "I"}
Tag = tuple[int, Sequence[int]]  # the type of the numbers, and the numbers


def tiff_file(
    columns: int,
    rows: int,
    strips: Sequence[bytes],
    *,
    bits: Sequence[int] = (8,),
    compression: int = 1,
    photometric: int = 1,
    tags: Mapping[int, Tag] | None = None,
    following: int = 0,
) -> bytes:
    """A file in the order "II" with one directory; its strips come last.

    `tags` are further ones, or replace those that follow from the other arguments; without numbers
    a tag is left out.
    """
    known: dict[int, Tag] = {
        256: (4, [columns]),
        257: (4, [rows]),
        258: (3, bits),
        259: (3, [compression]),
        262: (3, [photometric]),
        277: (3, [len(bits)]),
        278: (4, [-(-rows // len(strips))]),
        279: (4, [len(strip) for strip in strips]),
        **(tags or {}),
    }
    known.setdefault(273, (4, [0] * len(strips)))
    known = {tag: kind for tag, kind in known.items() if kind[1]}
    outside = sum(len(_packed(kind)) for kind in known.values() if len(_packed(kind)) > 4)
    starts = np.cumsum([8 + 2 + 12 * len(known) + 4 + outside, *map(len, strips)])[:-1]
    if 273 in known and 273 not in (tags or {}):
        known[273] = 4, starts.tolist()
    entries, beyond = b"", b""
    for tag, (kind, numbers) in sorted(known.items()):
        packed = _packed((kind, numbers))
        if len(packed) > 4:
            place = 8 + 2 + 12 * len(known) + 4 + len(beyond)
            beyond, packed = beyond + packed, struct.pack("<I", place)
        entries += struct.pack("<HHI", tag, kind, len(numbers)) + packed.ljust(4, b"\0")
    head = b"II*\0" + struct.pack("<IH", 8, len(known)) + entries + struct.pack("<I", following)
    return head + beyond + b"".join(strips)


def _packed(tag: Tag) -> bytes:
    return struct.pack(f"<{len(tag[1])}{LETTERS[tag[0]]}", *tag[1])


def packed_bits(picture: NDArray[np.uint8], bits: int) -> bytes:
    """The rows of a picture with so many bits a pixel, each row filled up to a whole byte."""
    rows = []
    for row in picture.tolist():
        text = "".join(f"{level:0{bits}b}" for level in row)
        text += "0" * (-len(text) % 8)
        rows.append(int(text, 2).to_bytes(len(text) // 8, "big"))
    return b"".join(rows)
