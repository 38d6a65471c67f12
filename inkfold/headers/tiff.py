"""A TIFF or BigTIFF file: the first page, which is the one that is read, and who decodes it."""

from __future__ import annotations

from typing import Literal

from inkfold.errors import PictureError, PictureTooLargeError
from inkfold.headers.limits import COPIED, MAX_PIXELS, MEMORY, UNREADABLE, VISITS, Claim, allowed
from inkfold.headers.tiff_blocks import blocks_of, check_blocks
from inkfold.headers.tiff_directory import Directory
from inkfold.picture_formats import unread

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, PLANES = 256, 257, 258, 259, 262, 277
ROWS_PER_STRIP, PLANAR, PREDICTOR, TILE_WIDTH, TILE_HEIGHT = 278, 284, 317, 322, 323
SEPARATE = 2
KIND, SMALLER, DNG = 254, 1, 50706
VERSIONS = (b"*\0", b"\0*", b"+\0", b"\0+")  # of TIFF and BigTIFF, in both orders of bytes
CANON = b"CR"  # behind the head of a TIFF file: the raw format of a camera
JPEG_WITHIN = (6, 7)
# What OpenCV's libtiff decodes: none, CCITT, LZW, JPEG, deflate, PackBits, SGI's of floats.
BY_OPENCV = {1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32946, 34676, 34677}
PREDICTED = {5, 8, 32946}
BY_PILLOW = {50000}  # Zstandard, whose deeper levels Pillow takes in the wrong order of bytes
NAMES = {
    **dict.fromkeys((33003, 33004, 33005, 34712), "JPEG 2000"),
    **dict.fromkeys((50002, 52546), "JPEG XL"),
    **dict.fromkeys((22610, 34934), "JPEG XR"),
    34661: "JBIG",
    34887: "LERC",
    34892: "JPEG of DNG",
    34925: "LZMA",
    34933: "PNG",
    50001: "WebP",
}
Decoder = Literal["opencv", "pillow", "both", "either"]


def tiff(data: bytes) -> Claim:
    """The first directory, and the strips or tiles of its page, which must all be there."""
    if data[2:4] not in VERSIONS or data[8:10] == CANON:
        raise PictureError(unread(data) or UNREADABLE)
    tags = Directory(data)
    _refuse_what_is_unread(tags)
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
    if 0 < rows * columns <= MAX_PIXELS and memory <= allowed(MEMORY, data):
        check_blocks(data, tags)
    return rows, columns, memory


def decoder(data: bytes) -> Decoder:
    """Who decodes the page of a TIFF file that `tiff` has passed.

    OpenCV refuses grey of 2 and 4 bits and Zstandard, which Pillow decodes. Of 8 bits and fewer it
    leaves blank what is damaged; where decoding alone shows that, Pillow decodes it too ("both"),
    and tells. Some tiles of 8 bits are refused by OpenCV, and then decoded by Pillow ("either").
    Of 16 bits OpenCV tells by itself.
    """
    tags = Directory(data)
    compression, bits = tags.number(COMPRESSION, 1), tags.number(BITS, 1)
    if compression in BY_PILLOW or bits == 2 or (bits == 4 and tags.number(PHOTOMETRIC, 0) < 3):
        return "pillow"
    if bits > 8:
        return "opencv"
    return "both" if compression in (2, 5, 32773) else "either"


def _refuse_what_is_unread(tags: Directory) -> None:
    """Refuse raw files of cameras, of which a thumbnail would be read, and unknown compressions."""
    if DNG in tags or tags.number(KIND, 0) & SMALLER:
        raise PictureError(
            "the first page is a small version of another one, as in a raw file of a camera; "
            "save the picture as PNG"
        )
    compression, deep = tags.number(COMPRESSION, 1), tags.number(BITS, 1) > 8
    name = NAMES.get(compression, f"compression {compression}")
    if compression in BY_PILLOW:
        name = "Zstandard of more than 8 bits" if deep else ""
    elif compression in BY_OPENCV:
        foreign = tags.number(PREDICTOR, 1) > 1 and compression not in PREDICTED
        name = "a predictor that its compression has not" if foreign else ""
    if deep and tags.number(PLANAR, 1) == SEPARATE and tags.number(PLANES, 1) > 1:
        name = "a set of planes of more than 8 bits"  # OpenCV takes the first one for all
    if name:
        raise PictureError(f"{name} inside a TIFF file is not read; save the picture as PNG")


def _count_scans(data: bytes, tags: Directory, samples: int) -> None:
    """Refuse JPEG data in a TIFF file whose blocks have so many samples in so many scans."""
    places = blocks_of(tags, len(data))
    if sum(length for _, length in places) > 2 * len(data):  # they share data, or lie outside
        raise PictureError(UNREADABLE)
    scans = sum(data.count(b"\xff\xda", place, place + length) for place, length in places)
    if samples * scans > allowed(VISITS, data):
        raise PictureTooLargeError(
            f"{samples * scans // 1_000_000:,} million samples in the scans of a TIFF file, "
            f"{allowed(VISITS, data) // 1_000_000:,} million are allowed"
        )
