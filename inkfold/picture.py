"""A picture file becomes pixels, and pixels become a network's input: one way, used everywhere.

`read` and `decode` give pixels, `prepare` makes an image of them: grey, ink high on paper 0, and
fitted to the frame that an `ImageSpec` describes.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from inkfold.decoders import decoded, upright
from inkfold.errors import PictureError, PictureTooLargeError
from inkfold.headers.checked import checked
from inkfold.headers.limits import MAX_PIXELS
from inkfold.headers.orientation import UPRIGHT, orientation
from inkfold.photograph.capture import is_photograph
from inkfold.photograph.written import written
from inkfold.spec import ImageSpec, Ink, Interpolation

Grey = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Pixels = NDArray[np.uint8] | NDArray[np.uint16]
READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)  # without O_BINARY Windows changes line ends
MAX_BYTES = 1 << 30  # 50 megapixels of 16-bit RGBA are 0.4 GB: a larger file is no picture
DEPTHS = np.dtype(np.uint8), np.dtype(np.uint16)  # compared at once where types take a microsecond
BAND = 1 << 20  # numbers that are worked on at a time where a picture is large
STEEPEST = 128  # largest difference in grey levels between opposite edges that light may make
CLEARED = 0.6  # share of Otsu's level up to which `clean` sees paper
CONTRAST = 16  # least grey levels between the darkest and the lightest pixel of a drawing
ENLARGE = {"area": cv2.INTER_LINEAR, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


def read(path: Path | str | bytes) -> Pixels:
    """The pixels of a picture file: `decode` of its bytes.

    Parameters
    ----------
    path : Path, str or bytes

    Returns
    -------
    pixels : uint8 or uint16 array of shape (H, W), (H, W, 3) RGB or (H, W, 4) RGBA

    Raises
    ------
    PictureError
        If the file cannot be read, or holds no picture that `decode` takes. PictureError is an
        InkfoldError; its message is the reason alone, without the path.

    Examples
    --------
    >>> from inkfold import read
    >>> pixels = read("a.png")
    >>> pixels.shape, pixels.dtype
    ((256, 224), dtype('uint8'))
    """
    return decode(load(path))


def load(path: Path | str | bytes) -> bytes:
    """The bytes of a file; raises PictureError if it cannot be read or is too large.

    Too many open files are no fault of the picture: that error is raised as it is.
    """
    try:
        file = os.open(path, READ)  # saves half of open()'s time, an eighth of a small picture's
        try:
            return _whole(file)
        finally:
            os.close(file)
    except IsADirectoryError:
        raise PictureError("a folder, not a picture") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte in it
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PictureError(reason[:1].lower() + reason[1:]) from None


def _whole(file: int) -> bytes:
    """All bytes of an open file, or of a pipe, whose size the system gives as 0."""
    size = os.fstat(file).st_size
    if size > MAX_BYTES:
        raise PictureError(f"more than {MAX_BYTES >> 20} MiB: not a picture")
    data = os.read(file, size + 1)
    if len(data) != size:
        data += b"".join(iter(lambda: os.read(file, 1 << 20), b""))
    return data


def decode(data: bytes) -> Pixels:
    """The pixels of a picture file in any of the formats that docs/packing.md lists.

    A picture is turned as its EXIF orientation says. Of a file with several pages or frames the
    first is taken.

    Returns
    -------
    pixels : uint8 or uint16 array of shape (H, W), (H, W, 3) RGB or (H, W, 4) RGBA

    Raises
    ------
    PictureError
        If `data` holds no picture, or one in a format that is not read; is cut short or damaged;
        has more than 50 million pixels, or pixels of neither 8 nor 16 bits; or would take memory
        or time out of proportion to decode (`headers`). The message is the reason alone.
    """
    if not data:
        raise PictureError("empty file")
    pixels = _checked(decoded(checked(data)))
    turned = orientation(data)
    return pixels if turned == UPRIGHT else upright(pixels, turned)


def _checked(pixels: NDArray[np.generic]) -> Pixels:
    """The pixels, if their type and shape are a picture's; raises PictureError otherwise."""
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.dtype not in DEPTHS:
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


class Preparation(NamedTuple):
    """A prepared picture.

    Attributes
    ----------
    image : uint8 array of shape (size, size)
        The network's input, 0 = paper, 255 = ink.
    photograph : bool
        Whether the picture was taken for a photograph.
    """

    image: Grey
    photograph: bool


def prepare(pixels: Pixels, spec: ImageSpec) -> Grey:
    """Make a network's input from pixels: grey, ink high on paper 0, fitted to the frame.

    Parameters
    ----------
    pixels : uint8 or uint16 array of shape (H, W), (H, W, 3) RGB or (H, W, 4) RGBA
        Any size from 1x1. Transparent parts are white.
    spec : ImageSpec

    Returns
    -------
    image : uint8 array of shape (size, size)
        0 = paper. The paper's level is the median of the picture's edge, whatever its grey; where
        ink is darker than the paper, lighter pixels count as paper, and the reverse. Of a
        photograph the image shows what is written on its sheet. A blank picture gives an image of
        zeros.

    Raises
    ------
    PictureError
        If `pixels` have another type or shape, or are more than 50 million.

    Examples
    --------
    >>> import numpy as np
    >>> from inkfold import ImageSpec, prepare
    >>> pixels = np.full((60, 60), 250, np.uint8)  # a light sheet
    >>> pixels[10:50, 20:30] = 50  # a dark, upright stroke
    >>> prepare(pixels, ImageSpec(size=6))
    array([[  0,   0,   0,   0,   0,   0],
           [  0,   0, 200,   0,   0,   0],
           [  0,   0, 200,   0,   0,   0],
           [  0,   0, 200,   0,   0,   0],
           [  0,   0, 200,   0,   0,   0],
           [  0,   0,   0,   0,   0,   0]], dtype=uint8)

    The same with the settings of a trained network, which `Classifier.predict` expects:

    >>> from inkfold import load_bundle, newest_bundle, read
    >>> image = prepare(read("a.png"), load_bundle(newest_bundle()).spec)
    >>> image.shape
    (32, 32)
    """
    return preparation(pixels, spec).image


def preparation(pixels: Pixels, spec: ImageSpec) -> Preparation:
    """What `prepare` makes of a picture, and whether it was prepared as a photograph."""
    grey = as_grey(_checked(pixels))
    photograph = spec.capture == "photo" or (spec.capture == "auto" and is_photograph(grey))
    image = _of_photograph(grey, spec) if photograph else _of_scan(grey, spec)
    return Preparation(image, photograph)


def _of_photograph(grey: Grey, spec: ImageSpec) -> Grey:
    """The image of what is written in a photograph."""
    return fit(clean(written(grey, spec.ink)), spec.for_photographs())


def _of_scan(grey: Grey, spec: ImageSpec) -> Grey:
    """The image of a clean picture: its paper is one level, and all else is ink."""
    if spec.threshold == "soft":
        return fit(clean(_ink(flatten(grey), spec.ink)), spec)
    ink = _ink(grey, spec.ink)
    return fit(otsu(ink)[1] if spec.threshold == "otsu" else ink, spec)


def _bands(pixels: Pixels) -> Iterator[slice]:
    """The rows of a picture, in bands of up to a megapixel: what is made of a band stays small."""
    rows = max(1, BAND // pixels.shape[1])
    return (slice(start, start + rows) for start in range(0, len(pixels), rows))


def as_grey(pixels: Pixels) -> Grey:
    """One 8-bit plane: luma of colours, alpha laid over white, 16 bits rounded to 8."""
    if pixels.ndim == 2 and pixels.dtype == np.uint8:
        return pixels  # type: ignore[return-value]  # the dtype was checked above
    if pixels.size <= BAND:
        return _grey_band(pixels)
    grey = np.empty(pixels.shape[:2], np.uint8)
    for band in _bands(pixels):
        grey[band] = _grey_band(pixels[band])
    return grey


def _grey_band(pixels: Pixels) -> Grey:
    """`as_grey` of a few rows."""
    plane = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels[..., :3].copy(), cv2.COLOR_RGB2GRAY)
    if pixels.shape[2:] == (4,):
        full = int(np.iinfo(pixels.dtype).max)
        alpha = pixels[..., 3].astype(np.uint32)  # full * full + full // 2 is below 2**32
        plane = (plane * alpha + full * (full - alpha) + full // 2) // full
    if pixels.dtype == np.uint16:
        plane = (plane.astype(np.uint32) + 128) // 257
    return plane.astype(np.uint8, copy=False)


def flatten(grey: Grey) -> Grey:
    """Remove light that falls from one side: a plane through the medians of the four edges.

    Where opposite edges differ by more than `STEEPEST` grey levels, one of them is not paper, and
    the picture is returned unchanged.
    """
    down = float(np.median(grey[-1])) - float(np.median(grey[0]))
    across = float(np.median(grey[:, -1])) - float(np.median(grey[:, 0]))
    if max(abs(down), abs(across)) > STEEPEST or (down, across) == (0, 0):
        return grey
    rows, columns = (np.linspace(-0.5, 0.5, count) for count in grey.shape)
    flat = np.empty(grey.shape, np.uint8)
    for band in _bands(grey):
        plane = down * rows[band, None] + across * columns
        flat[band] = np.clip(np.round(grey[band] - plane), 0, 255)
    return flat


def _ink(grey: Grey, side: Ink) -> Grey:
    """How many levels each pixel lies from the paper, on the ink's side of it; elsewhere 0."""
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    edge.partition(len(edge) // 2)
    paper = edge[len(edge) // 2]
    if side == "auto":
        # the sign of the sum of (paper - pixel) says on which side of the paper more ink lies
        side = "dark" if int(paper) * grey.size >= cv2.sumElems(grey)[0] else "light"
    ink = paper - np.minimum(grey, paper) if side == "dark" else np.maximum(grey, paper) - paper
    return np.asarray(ink)


def clean(ink: Grey) -> Grey:
    """Clear uneven paper and raise pale ink to 255; the edges of strokes between them stay grey.

    Levels up to 0.6 of Otsu's level become 0, the mean of all levels above Otsu's becomes 255, and
    a straight line leads from one to the other.
    """
    level, inked = otsu(ink)
    if not inked.any():
        return ink
    low, high = CLEARED * level, float(ink[inked > 0].mean())
    table = np.clip((np.arange(256) - low) / (high - low), 0, 1) * 255
    return np.asarray(np.round(table).astype(np.uint8)[ink])


def otsu(ink: Grey) -> tuple[float, Grey]:
    """Otsu's level, and the picture with 255 above that level and 0 elsewhere."""
    level, image = cv2.threshold(ink, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return level, image.astype(np.uint8, copy=False)


def fit(ink: Grey, spec: ImageSpec) -> Grey:
    """Bring ink on paper 0 into the frame.

    Parameters
    ----------
    ink : uint8 array of shape (H, W)
        0 = paper.
    spec : ImageSpec
        Its `size`, `fit`, `margin` and `interpolation` are used.

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


def _fit_ink(ink: Grey, spec: ImageSpec) -> Grey:
    """Crop to the ink, scale it to the frame less its margin, centre of mass to the middle."""
    inked = ink > otsu(ink)[0] / 2  # half of Otsu's level, so that thin, pale ends are kept
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    if not len(rows):
        return np.zeros((spec.size, spec.size), np.uint8)
    box = _scale(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], spec)
    top, left = (_start(box.sum(axis=axis, dtype=np.int64), spec.size) for axis in (1, 0))
    return _place(box, spec.size, top, left)


def _start(profile: NDArray[np.int64], size: int) -> int:
    """The place along an axis of `size` pixels where the box begins, centred by its mass.

    `profile` is the sum of the box's ink at each place along that axis. The box stays in the frame,
    even where its centre of mass then misses the middle.
    """
    weights = profile if profile.any() else np.ones_like(profile)
    centre = float(weights @ np.arange(len(weights))) / float(weights.sum())
    return min(max(round((size - 1) / 2 - centre), 0), size - len(profile))


def _scale(picture: Grey, spec: ImageSpec) -> Grey:
    """Bring the longest side to the frame less its margin, aspect kept, no side below a pixel."""
    side = max(1, round(spec.size * (1 - 2 * spec.margin)))
    rows, columns = (max(1, round(n * side / max(picture.shape))) for n in picture.shape)
    return _resize(picture, rows, columns, spec.interpolation)


def _resize(picture: Grey, rows: int, columns: int, how: Interpolation) -> Grey:
    """Resize; ``area``, which averages only where it shrinks, first shrinks each axis by itself."""
    if how == "area":
        smaller = min(rows, picture.shape[0]), min(columns, picture.shape[1])
        picture = _resampled(picture, smaller, cv2.INTER_AREA)
    return _resampled(picture, (rows, columns), ENLARGE[how])


def _resampled(picture: Grey, shape: tuple[int, ...], interpolation: int) -> Grey:
    """The picture in `shape`, as OpenCV resizes it; unchanged where it has that shape."""
    if picture.shape == shape:
        return picture
    resized = cv2.resize(picture, shape[::-1], interpolation=interpolation)
    return resized.astype(np.uint8, copy=False)


def _place(box: Grey, size: int, top: int, left: int) -> Grey:
    """A frame of `size` x `size` zeros with the box at row `top` and column `left`."""
    frame = np.zeros((size, size), np.uint8)
    frame[top : top + box.shape[0], left : left + box.shape[1]] = box
    return frame


def is_blank(images: NDArray[np.uint8]) -> Mask:
    """Whether nothing is drawn on each of the images (n, H, W): all pixels within 15 levels."""
    return np.asarray(np.ptp(images, axis=(1, 2)) < CONTRAST)


def shrunk(images: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Square images (..., H, H) averaged down to `side` x `side`; smaller ones as they are."""
    if images.shape[-1] <= side:
        return images
    flat = images.reshape(-1, *images.shape[-2:])
    small = [cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in flat]
    return np.reshape(np.array(small, np.uint8), (*images.shape[:-2], side, side))
