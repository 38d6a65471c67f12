"""A JPEG 2000 file: the size of its grid, its components, tiles, blocks and packets."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from inkfold.errors import PictureError, PictureTooLargeError
from inkfold.headers.boxes import boxes
from inkfold.headers.limits import UNREADABLE, VISITS, Claim, allowed

SIZE, CODING, TILE = 0xFF51, 0xFF52, 0xFF90  # markers: SIZ, COD, SOT
MOST_COMPONENTS = 4  # grey, colours, alpha
MOST_MARKERS = 4096  # in the main header
OF_SAMPLE = 5  # bytes: OpenJPEG decodes to numbers of 32 bits, and they are copied once
OF_TILE = 8 << 10  # bytes
OF_BLOCK = 256  # bytes


def jp2(data: bytes) -> Claim:
    """The codestream within the boxes of a JP2 file, whose header must have the same size."""
    inside = {kind: (start, end) for kind, start, end in boxes(data, 0, len(data))}
    header = {kind: start for kind, start, _ in boxes(data, *inside.get(b"jp2h", (0, 0)))}
    if b"jp2c" not in inside or b"ihdr" not in header:
        raise PictureError(UNREADABLE)
    claim = codestream(data, inside[b"jp2c"][0])
    if struct.unpack_from(">II", data, header[b"ihdr"]) != claim[:2]:
        raise PictureError(UNREADABLE)
    return claim


def codestream(data: bytes, place: int = 0) -> Claim:
    """The header of a codestream that begins at `place`."""
    if data[place : place + 4] != b"\xffO\xffQ":
        raise PictureError(UNREADABLE)
    grid = struct.unpack_from(">8IH", data, place + 8)
    rows, columns, components = grid[1] - grid[3], grid[0] - grid[2], grid[8]
    tall, wide = grid[5], grid[4]
    if not 0 < components <= MOST_COMPONENTS or min(rows, columns, tall, wide) <= 0:
        raise PictureError(UNREADABLE)
    tiles = -(-(grid[1] - grid[7]) // tall) * -(-(grid[0] - grid[6]) // wide)
    samples = rows * columns * components
    memory = samples * OF_SAMPLE + rows * columns * 4 + tiles * OF_TILE
    for start in _codings(data, place):
        blocks, precincts, qualities = _coding(data, start, samples)
        memory += blocks * OF_BLOCK
        packets = qualities * max(precincts, tiles * components)
        if packets > allowed(VISITS, data) // 10:  # a packet takes as long as ten samples
            raise PictureTooLargeError(
                f"{packets // 1_000_000:,} million packets in a JPEG 2000 file, "
                f"{allowed(VISITS, data) // 10_000_000:,} million are allowed"
            )
    return rows, columns, memory


def _codings(data: bytes, place: int) -> Iterator[int]:
    """Where the contents of each COD marker in the main header begin."""
    place += 2
    for _ in range(MOST_MARKERS):
        marker, length = struct.unpack_from(">HH", data, place)
        if marker == TILE or marker < 0xFF00:
            return
        if marker == CODING:
            yield place + 4
        place += 2 + length


def _coding(data: bytes, place: int, samples: int) -> tuple[int, int, int]:
    """How many blocks with their precincts, how many precincts, and packets of each, there are."""
    style, layers, levels = data[place], *struct.unpack_from(">HxB", data, place + 2)
    wide, tall = data[place + 6] & 15, data[place + 7] & 15
    area = 1 << wide + tall + 4
    precinct = 1 << 30
    if style & 1:
        sides = data[place + 10 : place + 11 + levels]
        precinct = min((1 << (side & 15) + (side >> 4) for side in sides), default=precinct)
    precincts = samples // precinct + 1
    return samples // min(area, precinct) + precincts, precincts, layers * (levels + 1)
