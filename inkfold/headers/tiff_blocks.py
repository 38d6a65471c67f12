"""Whether the strips or tiles of a TIFF file hold the whole page.

OpenCV decodes what a damaged strip lacks to nothing, without a word: a blank, or a half.
"""

from __future__ import annotations

import zlib

from inkfold.errors import PictureError
from inkfold.headers.limits import UNREADABLE
from inkfold.headers.tiff_directory import Directory

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, PLANES = 256, 257, 258, 259, 262, 277
ROWS_PER_STRIP, ORDER, PLANAR, SUBSAMPLED = 278, 266, 284, 6
STRIPS, STRIP_BYTES, TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES = 273, 279, 322, 323, 324, 325
NONE, GROUP_3, GROUP_4, JPEG, DEFLATE, OLD_DEFLATE = 1, 3, 4, 7, 8, 32946
END_OF_LINE = "000000000001"  # in CCITT's codes, which hold no other run of eleven zeros
SPARE = 64 << 20  # bytes: the last strip may be filled up to the height of the others
DAMAGED = "a strip or tile of the TIFF file is damaged or missing"


def blocks_of(tags: Directory, most: int) -> list[tuple[int, int]]:
    """Where each strip or tile begins, and how many bytes it has."""
    tiled = TILES in tags
    places = tags.numbers(TILES if tiled else STRIPS, most)
    lengths = tags.numbers(TILE_BYTES if tiled else STRIP_BYTES, most)
    return list(zip(places, lengths, strict=False))


def check_blocks(data: bytes, tags: Directory) -> None:
    """Refuse a page of which a strip or tile is missing, cut short, or visibly damaged.

    Raises
    ------
    PictureError
        With the reason alone.
    """
    if TILES in tags and STRIPS in tags:
        raise PictureError(UNREADABLE)
    rows, wanted = _expected(tags)
    blocks = blocks_of(tags, len(data))
    compression = tags.number(COMPRESSION, 1)
    if not blocks and compression == NONE:  # old files leave the lengths out
        places = tags.numbers(STRIPS, len(data))
        blocks = list(zip(places, wanted, strict=False))
    if len(blocks) < len(wanted):
        raise PictureError(DAMAGED if blocks else UNREADABLE)
    reverse = tags.number(ORDER, 1) == 2
    for (place, length), count, size in zip(blocks, rows, wanted, strict=False):
        if not 0 < place < len(data):
            raise PictureError(DAMAGED)
        if compression == NONE:
            whole = place + size <= len(data)
        else:
            block = data[place : place + length]
            whole = len(block) == length > 0 and _is_whole(compression, block, count, size, reverse)
        if not whole:
            raise PictureError(DAMAGED)


def _expected(tags: Directory) -> tuple[list[int], list[int]]:
    """The rows of each strip or tile, and its bytes when it is decoded, at the least."""
    rows, columns, planes = tags.number(HEIGHT, 0), tags.number(WIDTH, 0), tags.number(PLANES, 1)
    together = 1 if tags.number(PLANAR, 1) == 2 else planes  # planes in one block
    if tags.number(PHOTOMETRIC, 1) == SUBSAMPLED:
        together = 1  # the colours may have any part of the pixels
    bits = tags.number(BITS, 1) * together
    if TILE_WIDTH in tags:
        tall, wide = max(1, tags.number(TILE_HEIGHT, 0)), max(1, tags.number(TILE_WIDTH, 0))
        count = -(-rows // tall) * -(-columns // wide)
        heights = [tall] * count
    else:
        tall, wide = min(max(1, tags.number(ROWS_PER_STRIP, rows)), rows), columns
        heights = [tall] * (rows // tall) + ([rows % tall] if rows % tall else [])
    if tags.number(PLANAR, 1) == 2:
        heights *= planes
    return heights, [height * -(-wide * bits // 8) for height in heights]


def _is_whole(compression: int, block: bytes, rows: int, size: int, reverse: bool) -> bool:
    """Whether a block of data shows no damage; of LZW and PackBits a decoder has to tell."""
    if compression in (DEFLATE, OLD_DEFLATE):
        return _inflates(block, size)
    if compression == JPEG:
        return block.startswith(b"\xff\xd8") and block.rstrip(b"\0").endswith(b"\xff\xd9")
    if compression == GROUP_4:
        return _bits(block[-16:], reverse).rstrip("0").endswith(2 * END_OF_LINE)
    if compression == GROUP_3:
        lines = _bits(block, reverse).count(END_OF_LINE)
        return not lines or lines >= rows - 1  # they may stand between the rows alone
    return True


def _inflates(block: bytes, size: int) -> bool:
    """Whether deflated data make so many bytes or more, and end with the sum of them."""
    stream, rest, total = zlib.decompressobj(), block, 0
    try:
        while rest and not stream.eof and total <= size + SPARE:
            total += len(stream.decompress(rest, 1 << 20))
            rest = stream.unconsumed_tail
    except zlib.error:
        return False
    return stream.eof and total >= size


def _bits(block: bytes, reverse: bool) -> str:
    """The bits of a block in the order in which they are read."""
    if reverse:
        block = bytes(int(f"{byte:08b}"[::-1], 2) for byte in block)
    return f"{int.from_bytes(block):0{8 * len(block)}b}"
