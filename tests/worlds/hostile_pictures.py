"""Small files that claim much: each would take a decoder gigabytes or minutes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np

from tests.worlds.drawn_pictures import save

PNG = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def head(columns: int, rows: int, depth: int = 8, colour: int = 0) -> bytes:
    """The beginning of a PNG file."""
    sides = struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, 0)
    return PNG + chunk(b"IHDR", sides)


def tail() -> bytes:
    """The pixels of an 8 x 8 picture, and the end of a PNG file."""
    return chunk(b"IDAT", zlib.compress(bytes(72))) + chunk(b"IEND", b"")


def long_chunk() -> bytes:
    """A chunk of pixels that declares 2 GB, of which 50 bytes are there."""
    return head(8, 8) + struct.pack(">I", 0x7FFFFFF0) + b"IDAT" + bytes(50)


def long_text() -> bytes:
    """A chunk of text that declares 2 GB, of which 50 bytes are there."""
    return head(8, 8) + struct.pack(">I", 0x7FFFFFF0) + b"tEXt" + bytes(50)


def texts() -> bytes:
    """A picture of 8 x 8 with 900 compressed texts of 8 MB each; it is a good picture."""
    text = zlib.compress(bytes(7_900_000), 9)
    return head(8, 8) + b"".join(chunk(b"zTXt", b"k\0\0" + text) for _ in range(900)) + tail()


def overflowing() -> bytes:
    """A picture of 8 x 8 whose data inflate to 1 GB."""
    stream = zlib.compressobj(9)
    data = b"".join(stream.compress(bytes(1 << 20)) for _ in range(1024)) + stream.flush()
    return head(8, 8) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def wide_png() -> bytes:
    """49 megapixels of 16-bit RGBA, 392 MB, in a file of a hundred bytes."""
    return head(7000, 7000, 16, 6) + tail()


def animated_png() -> bytes:
    """49 megapixels of an animation, which is kept in several whole frames."""
    return head(7000, 7000) + chunk(b"acTL", struct.pack(">II", 2, 0)) + tail()


def scans(count: int = 400, *, progressive: bool = True) -> bytes:
    """A JPEG of 4000 x 3000 whose last scan is repeated; all scans are well-formed."""
    grey = np.full((3000, 4000), 128, np.uint8)
    data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)])[1].tobytes()
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * count + data[-2:]


def hidden_scans() -> bytes:
    """The same, with an end marker and an unfinished remark before the repeated scans."""
    data = scans()
    last = data.rindex(b"\xff\xda")
    remarks = b"\xff\xfe\0\x06\xff\xd9\xff\xd9" + b"\xff\xfe\0\0"
    return data[:last] + remarks + data[last:]


def arithmetic_scans() -> bytes:
    """A JPEG whose header says that its scans are coded arithmetically, which takes longer."""
    return scans(20).replace(b"\xff\xc2", b"\xff\xca", 1)


def wide_jpeg() -> bytes:
    """A JPEG whose frame claims 60,000 x 60,000 pixels."""
    data = scans(0)
    place = data.index(b"\xff\xc2") + 5
    return data[:place] + struct.pack(">HH", 60_000, 60_000) + data[place + 4 :]


def tiff(tags: list[tuple[int, int]], *, following: int = 0) -> bytes:
    """A little TIFF file of one directory whose tags have one number each, and 100 bytes."""
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, number) for tag, number in sorted(tags))
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)
    return b"II*\0" + struct.pack("<I", 8) + directory + bytes(100)


def grey_tags(columns: int, rows: int, compression: int = 1) -> list[tuple[int, int]]:
    """The tags that describe a grey picture."""
    return [(256, columns), (257, rows), (258, 8), (259, compression), (262, 1), (277, 1)]


def tiled() -> bytes:
    """A TIFF of 8 x 8 pixels in a tile of 16,000 x 48,000."""
    return tiff([*grey_tags(8, 8, 8), (322, 16_000), (323, 48_000), (324, 8), (325, 64)])


def wide_tiff() -> bytes:
    """A TIFF of 49 megapixels with 16 planes."""
    planes = [(tag, 16 if tag == 277 else number) for tag, number in grey_tags(7000, 7000, 8)]
    return tiff([*planes, (273, 8), (278, 7000), (279, 64)])


def long_strip() -> bytes:
    """A TIFF of 8 x 8 pixels whose strip declares 2 GB."""
    return tiff([*grey_tags(8, 8, 8), (273, 8), (278, 8), (279, 0x7FFFFFFF)])


def circle() -> bytes:
    """A TIFF of 8 x 8 pixels whose directory follows itself; its first page is good."""
    return tiff([*grey_tags(8, 8), (273, 8), (278, 8), (279, 64)], following=8)


def gif(columns: int, rows: int, frame: tuple[int, int]) -> bytes:
    """A GIF file with one frame of so many columns and rows."""
    canvas = struct.pack("<HHBBB", columns, rows, 0x80, 0, 0) + bytes(6)
    return (
        b"GIF89a" + canvas + b"\x2c" + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\2\2\x4c\1\0\x3b"
    )


def webp() -> bytes:
    """A WebP animation with a canvas of 16 million by 16 million, and no frame."""
    extended = struct.pack("<4sI", b"VP8X", 10) + b"\2\0\0\0" + b"\xff" * 6
    return b"RIFF" + struct.pack("<I", len(extended) + 4) + b"WEBP" + extended + bytes(64)


def bitmap(header: int = 40) -> bytes:
    """A bitmap of 49 megapixels with 32 bits each; with a header of 12 bytes it is OS/2's."""
    if header == 12:
        return (
            b"BM"
            + struct.pack("<IHHI", 54, 0, 0, 26)
            + struct.pack("<IHHHH", 12, 60_000, 60_000, 1, 24)
            + bytes(64)
        )
    sides = struct.pack("<IiiHHIIiiII", 40, 7000, -7000, 1, 32, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + sides + bytes(100)


def avif() -> bytes:
    """An AVIF picture of 64 x 64 by its boxes, whose coded data claim 16,384 x 16,384."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    data = bytearray(save("AVIF", noise))
    place = data.index(b"mdat") + 8  # behind a delimiter of two bytes and the head of a unit
    assert data[place - 4 : place - 1] == b"\x12\0\x0a"
    length = data[place - 1]
    header = f"{int.from_bytes(data[place : place + length]):0{8 * length}b}"
    wide, tall = int(header[10:14], 2) + 1, int(header[14:18], 2) + 1
    sides = 2 * f"{15:04b}" + 2 * f"{16_383:016b}"
    header = (header[:10] + sides + header[18 + wide + tall :]).rstrip("0")
    header += "0" * (-len(header) % 8)
    packed = int(header, 2).to_bytes(len(header) // 8, "big")
    more = len(packed) - length
    data[place - 1 : place + length] = bytes([len(packed)]) + packed
    for at in (data.index(b"iloc") + 22, data.index(b"mdat") - 4):  # the lengths of item and box
        data[at : at + 4] = (int.from_bytes(data[at : at + 4]) + more).to_bytes(4, "big")
    return bytes(data)


def wide_avif() -> bytes:
    """An AVIF picture whose boxes claim 49 megapixels."""
    data = save("AVIF", np.zeros((64, 64), np.uint8))
    place = data.index(b"ispe") + 8
    return data[:place] + struct.pack(">II", 7000, 7000) + data[place + 8 :]


def jpeg_2000(sides: int, planes: int, tile: int, layers: int = 1) -> bytes:
    """The main header of a JPEG 2000 codestream, and no data."""
    size = struct.pack(">H8IH", 0, sides, sides, 0, 0, tile, tile, 0, 0, planes)
    size += b"\x07\1\1" * planes
    coding = struct.pack(">BBHB", 0, 0, layers, 0) + b"\5\4\4\0\1"
    quantities = b"\x5c" + struct.pack(">HB", 19, 0x40) + bytes(16)
    return (
        b"\xffO\xffQ"
        + struct.pack(">H", len(size) + 2)
        + size
        + b"\xffR"
        + struct.pack(">H", len(coding) + 2)
        + coding
        + b"\xff"
        + quantities
        + struct.pack(">HHHIBB", 0xFF90, 10, 0, 0, 0, 1)
        + b"\xff\x93\xff\xd9"
    )


REFUSED: dict[str, Callable[[], bytes]] = {
    "PNG, pixels of 2 GB declared": long_chunk,
    "PNG, text of 2 GB declared": long_text,
    "PNG, pixels that inflate to 1 GB": overflowing,
    "PNG, 49 megapixels of 16-bit RGBA": wide_png,
    "PNG, 49 megapixels of an animation": animated_png,
    "JPEG, 400 progressive scans": scans,
    "JPEG, 400 scans behind remarks": hidden_scans,
    "JPEG, 20 arithmetic scans": arithmetic_scans,
    "JPEG, 3,600 megapixels": wide_jpeg,
    "TIFF, a tile of 768 megapixels": tiled,
    "TIFF, 49 megapixels of 16 planes": wide_tiff,
    "TIFF, a strip of 2 GB declared": long_strip,
    "GIF, a canvas of 4,295 megapixels": lambda: gif(65_535, 65_535, (1, 1)),
    "GIF, a canvas of 49 megapixels": lambda: gif(7000, 7000, (1, 1)),
    "GIF, a frame larger than its canvas": lambda: gif(8, 8, (65_535, 65_535)),
    "WebP, a canvas of 281 million megapixels": webp,
    "BMP, 49 megapixels of 32 bits": bitmap,
    "BMP of OS/2, 3,600 megapixels": lambda: bitmap(12),
    "PPM, 49 megapixels of 16 bits": lambda: b"P6 7000 7000 65535\n",
    "PPM in plain text, 49 megapixels of 16 bits": lambda: (
        b"P3 # 1 1\n7000 7000 65535\n" + b"1 " * 99
    ),
    "PAM, 49 megapixels of 16-bit RGBA": lambda: (
        b"P7\nWIDTH 7000\nHEIGHT 7000\nDEPTH 4\nMAXVAL 65535\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
    ),
    "AVIF, coded data of 268 megapixels": avif,
    "AVIF, 49 megapixels": wide_avif,
    "JPEG 2000, 49 megapixels of 4 planes": lambda: jpeg_2000(7000, 4, 7000),
    "JPEG 2000, 65,536 tiles": lambda: jpeg_2000(4096, 1, 16),
    "JPEG 2000, 25,769 million packets": lambda: jpeg_2000(4096, 1, 16, layers=65_535),
    "Sun raster, 49 megapixels": lambda: struct.pack(">8I", 0x59A66A95, 7000, 7000, 32, 0, 1, 0, 0),
}
READ: dict[str, Callable[[], bytes]] = {
    "PNG, 900 texts of 8 MB": texts,
    "TIFF, a directory that follows itself": circle,
}
