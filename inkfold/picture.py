"""A picture file becomes pixels, and pixels become a network's input: one way, used everywhere."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inkfold.errors import PictureError, PictureTooLargeError
from inkfold.spec import ImageSpec, Ink, Interpolation

Grey = NDArray[np.uint8]
STEEPEST = 128  # grey levels between opposite edges that light alone may make
CLEARED = 0.6  # share of Otsu's level below which `clean` sees paper
ENLARGE = {"area": cv2.INTER_LINEAR, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}
MAX_PIXELS = 50_000_000  # OpenCV is told in inkfold/__init__.py
READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)  # the latter where text files are told apart
MAX_BYTES = 1 << 30  # 50 megapixels of 16-bit RGBA are 0.4 GB: what is larger is something else
Pixels = NDArray[np.uint8] | NDArray[np.uint16]
CONTRAST = 16  # grey levels between the darkest and the lightest pixel; below, nothing is drawn
Mask = NDArray[np.bool_]


def fit(ink: Grey, spec: ImageSpec) -> Grey:
    """Bring a picture into the frame.

    Parameters
    ----------
    ink : uint8 array of shape (H, W)
        0 = paper.
    spec : ImageSpec
        Its `fit`, `margin` and `interpolation` are used.

    Returns
    -------
    image : uint8 array of shape (size, size)
    """
    if spec.fit == "stretch":
        return _resize(ink, spec.size, spec.size, spec.interpolation)
    if spec.fit == "ink":
        return _fit_ink(ink, spec)
    box = _scale(ink, spec)
    return _place(box, spec.size, (spec.size - len(box)) // 2, (spec.size - box.shape[1]) // 2)


def otsu(ink: Grey) -> tuple[float, Grey]:
    """Otsu's level, and the picture with 255 above it and 0 elsewhere."""
    level, image = cv2.threshold(ink, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return level, image.astype(np.uint8, copy=False)


def flatten(grey: Grey) -> Grey:
    """Take away light that falls from one side: a plane through the medians of the four edges.

    Where opposite edges differ by more than `STEEPEST` grey levels one of them is no paper, and the
    picture stays as it is.
    """
    down = float(np.median(grey[-1])) - float(np.median(grey[0]))
    across = float(np.median(grey[:, -1])) - float(np.median(grey[:, 0]))
    if max(abs(down), abs(across)) > STEEPEST or (down, across) == (0, 0):
        return grey
    rows, columns = (np.linspace(-0.5, 0.5, count) for count in grey.shape)
    plane = down * rows[:, None] + across * columns
    return np.clip(np.round(grey - plane), 0, 255).astype(np.uint8)


def clean(ink: Grey) -> Grey:
    """Clear uneven paper and bring pale ink to 255; between them the edges of strokes stay grey.

    What lies below 0.6 of Otsu's level becomes paper, the mean of what lies above the level becomes
    255, and the rest is stretched between them in a straight line.
    """
    level, inked = otsu(ink)
    if not inked.any():
        return ink
    low, high = CLEARED * level, float(ink[inked > 0].mean())
    table = np.clip((np.arange(256) - low) / (high - low), 0, 1) * 255
    return np.asarray(np.round(table).astype(np.uint8)[ink])


def _fit_ink(ink: Grey, spec: ImageSpec) -> Grey:
    """Crop to the ink, scale it to the frame less its margin, centre of mass to the middle."""
    inked = ink > otsu(ink)[0] / 2  # half the level: thin, pale ends of strokes belong to it
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    if not len(rows):
        return np.zeros((spec.size, spec.size), np.uint8)
    box = _scale(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], spec)
    top, left = (_start(box.sum(axis=axis, dtype=np.int64), spec.size) for axis in (1, 0))
    return _place(box, spec.size, top, left)


def _start(profile: NDArray[np.int64], size: int) -> int:
    """Where a box begins whose centre of mass, by its `profile`, is in the middle of `size`."""
    weights = profile if profile.any() else np.ones_like(profile)
    centre = float(weights @ np.arange(len(weights))) / float(weights.sum())
    return min(max(round((size - 1) / 2 - centre), 0), size - len(profile))


def _scale(picture: Grey, spec: ImageSpec) -> Grey:
    """Longest side to the frame less its margin, aspect kept, no side below a pixel."""
    side = max(1, round(spec.size * (1 - 2 * spec.margin)))
    rows, columns = (max(1, round(n * side / max(picture.shape))) for n in picture.shape)
    return _resize(picture, rows, columns, spec.interpolation)


def _resize(picture: Grey, rows: int, columns: int, how: Interpolation) -> Grey:
    """Resize; ``area`` shrinks first, each axis by itself, for it averages only when shrinking."""
    if how == "area":
        smaller = min(rows, picture.shape[0]), min(columns, picture.shape[1])
        picture = _resampled(picture, smaller, cv2.INTER_AREA)
    return _resampled(picture, (rows, columns), ENLARGE[how])


def _resampled(picture: Grey, shape: tuple[int, ...], interpolation: int) -> Grey:
    """As OpenCV does it; what has the shape already stays."""
    if picture.shape == shape:
        return picture
    resized = cv2.resize(picture, shape[::-1], interpolation=interpolation)
    return resized.astype(np.uint8, copy=False)


def _place(box: Grey, size: int, top: int, left: int) -> Grey:
    frame = np.zeros((size, size), np.uint8)
    frame[top : top + box.shape[0], left : left + box.shape[1]] = box
    return frame


cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # the errors are ours to tell


def load(path: Path | str | bytes) -> bytes:
    """Read a file's bytes; raises PictureError when that cannot be done."""
    try:
        file = os.open(path, READ)  # half the time of open(), an eighth of a small picture's
        try:
            return _whole(file)
        finally:
            os.close(file)
    except IsADirectoryError:
        raise PictureError("a folder, not a picture") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte in it
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PictureError(reason[:1].lower() + reason[1:]) from None


def _whole(file: int) -> bytes:
    """All bytes of an open file; of a pipe too, whose size is told as 0."""
    size = os.fstat(file).st_size
    if size > MAX_BYTES:
        raise PictureError(f"more than {MAX_BYTES >> 20} MiB: not a picture")
    data = os.read(file, size + 1)
    if len(data) != size:
        data += b"".join(iter(lambda: os.read(file, 1 << 20), b""))
    return data


def read(path: Path | str | bytes) -> Pixels:
    """Read a picture file: `decode` of its bytes."""
    return decode(load(path))


def decode(data: bytes) -> Pixels:
    """Decode a picture: PNG, JPEG, BMP, TIFF, WebP, PGM and whatever else OpenCV reads.

    JPEG pictures are turned as their EXIF orientation says. Of a file with several pages the first
    is taken.

    Returns
    -------
    pixels : uint8 or uint16 array of shape (H, W), (H, W, 3) RGB or (H, W, 4) RGBA

    Raises
    ------
    PictureError
        If there is no picture in `data`, it is cut short, it has more than 50 million pixels, or
        its pixels are neither 8 nor 16 bits. The message is the reason alone.
    """
    if not data:
        raise PictureError("empty file")
    oriented = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH  # UNCHANGED would ignore the orientation
    flags = oriented if data.startswith(b"\xff\xd8") else cv2.IMREAD_UNCHANGED
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        if "CV_IO_MAX_IMAGE" in str(error):
            raise PictureTooLargeError(_too_large(data)) from None
        raise PictureError("truncated or not a picture") from None
    if pixels is None:
        raise PictureError("truncated or not a picture")
    if pixels.ndim == 3 and pixels.shape[2] >= 3:
        pixels = cv2.cvtColor(
            pixels, cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        )
    return _checked(pixels)


def _too_large(data: bytes) -> str:
    allowed = f"{MAX_PIXELS // 1_000_000} megapixels are allowed"
    if data.startswith(b"\x89PNG") and len(data) >= 24:
        columns, rows = struct.unpack(">II", data[16:24])
        return f"{rows:,} x {columns:,} pixels, {allowed}"
    return f"too many pixels, {allowed}"


def _checked(pixels: NDArray[np.generic]) -> Pixels:
    """Say what about `pixels` no picture has, whoever made them."""
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.dtype not in (np.uint8, np.uint16):
        raise PictureError(f"pixels are {pixels.dtype}, expected 8 or 16 bits without sign")
    if pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,), (4,)) or pixels.size == 0:
        raise PictureError(
            f"pixels have the shape {pixels.shape}, expected (H, W) grey, (H, W, 3) or (H, W, 4)"
        )
    rows, columns = pixels.shape[:2]
    if rows * columns > MAX_PIXELS:  # OpenCV may have been loaded before the limit was set
        raise PictureTooLargeError(
            f"{rows:,} x {columns:,} pixels, {MAX_PIXELS // 1_000_000} megapixels are allowed"
        )
    return pixels  # type: ignore[return-value]  # the dtype was checked above


def prepare(pixels: Pixels, spec: ImageSpec) -> Grey:
    """Make a network's input from a picture: grey, ink high on paper 0, fitted to the frame.

    Parameters
    ----------
    pixels : uint8 or uint16 array of shape (H, W), (H, W, 3) RGB or (H, W, 4) RGBA
        Any size from 1x1. Transparent parts are white.
    spec : ImageSpec

    Returns
    -------
    image : uint8 array of shape (size, size)
        0 = paper. The paper level is the median of the picture's edge, whatever its grey; what
        lies on the other side of it than the ink is paper too. A blank picture is all 0.

    Raises
    ------
    PictureError
        If `pixels` is none of the above.
    """
    grey = _grey(_checked(pixels))
    if spec.threshold == "soft":
        return fit(clean(_ink(flatten(grey), spec.ink)), spec)
    ink = _ink(grey, spec.ink)
    return fit(otsu(ink)[1] if spec.threshold == "otsu" else ink, spec)


def _grey(pixels: Pixels) -> Grey:
    """One 8-bit plane: luma of colours, alpha laid over white, 16 bits rounded to 8."""
    plane = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels[..., :3].copy(), cv2.COLOR_RGB2GRAY)
    if pixels.shape[2:] == (4,):
        full = int(np.iinfo(pixels.dtype).max)
        alpha = pixels[..., 3].astype(np.uint32)  # full * full + full // 2 is below 2**32
        plane = (plane * alpha + full * (full - alpha) + full // 2) // full
    if pixels.dtype == np.uint16:
        plane = (plane.astype(np.uint32) + 128) // 257
    return plane.astype(np.uint8, copy=False)


def _ink(grey: Grey, side: Ink) -> Grey:
    """How far each pixel is from the paper, on the ink's side of it."""
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    edge.partition(len(edge) // 2)
    paper = edge[len(edge) // 2]
    if side == "auto":
        # sum of (paper - pixel): what lies below the paper less what lies above
        side = "dark" if int(paper) * grey.size >= cv2.sumElems(grey)[0] else "light"
    ink = paper - np.minimum(grey, paper) if side == "dark" else np.maximum(grey, paper) - paper
    return np.asarray(ink)


def is_blank(images: NDArray[np.uint8]) -> Mask:
    """Whether nothing is drawn: all pixels within 15 grey levels."""
    return np.asarray(np.ptp(images, axis=(1, 2)) < CONTRAST)
