"""Drawn character pictures, and the files that hold them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image


def glyph(rng: np.random.Generator, rows: int = 24, columns: int = 20) -> NDArray[np.uint8]:
    """Three dark strokes on white paper, uint8 (rows, columns); the edge stays free."""
    picture = np.full((rows, columns), 255, np.uint8)
    points = rng.integers((3, 3), (columns - 3, rows - 3), (4, 2))
    cv2.polylines(picture, [points.astype(np.int32)], False, 20, 2)
    return picture


def encode(ending: str, pixels: NDArray[Any]) -> bytes:
    """The bytes of a picture file with this ending; `pixels` are grey, RGB or RGBA."""
    if pixels.ndim == 3:
        pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    done, data = cv2.imencode(ending, pixels)
    assert done
    return data.tobytes()


def corner() -> NDArray[np.uint8]:
    """A dark angle on white paper, uint8 (24, 40), that differs from each of its mirror images."""
    picture = np.full((24, 40), 255, np.uint8)
    picture[2:6, 2:30], picture[6:20, 2:6], picture[16:20, 6:14] = 0, 60, 120
    return picture


def save(name: str, pixels: NDArray[Any], *, orientation: int = 0, **settings: Any) -> bytes:  # noqa: ANN401, whatever Pillow takes
    """The bytes of a picture file that Pillow writes in the format `name`.

    An `orientation` from 1 to 8 is written as EXIF; the pixels are stored as they are.
    """
    if orientation:
        settings["exif"] = Image.Exif()
        settings["exif"][0x112] = orientation
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, name, **settings)
    return file.getvalue()


def write_picture(path: Path, pixels: NDArray[Any]) -> Path:
    """Write a picture in the format that its name says; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(path.suffix, pixels))
    return path


def write_classes(root: Path, counts: Mapping[str, int], *, seed: int = 0) -> Path:
    """Write class folders, each with so many drawn pictures as PNG files, all different."""
    rng = np.random.default_rng(seed)
    for name, count in counts.items():
        for index in range(count):
            write_picture(root / name / f"{index:04d}.png", glyph(rng))
    return root


def raw_png(rows: list[bytes], width: int, *, depth: int, colour: int, **chunks: bytes) -> bytes:
    """The bytes of a PNG file of these packed rows; `chunks` are further ones, as ``PLTE=...``."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, 0)
    body = b"".join(chunk(name.encode(), data) for name, data in chunks.items())
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + body
        + chunk(b"IDAT", pixels)
        + chunk(b"IEND", b"")
    )
