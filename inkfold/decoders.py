"""Which library decodes a picture file: OpenCV most of them, Pillow and pillow-heif the rest.

What OpenCV decodes wrongly or not at all is decoded by Pillow: AVIF and JPEG 2000 of 10 and 12 bits
are too dark in OpenCV, which turns no AVIF picture either, and a damaged strip of a TIFF file comes
out blank. Pillow and pillow-heif are imported when they are first needed.
"""

from __future__ import annotations

import io
import logging
import struct
import warnings
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from inkfold.errors import PictureError
from inkfold.headers.boxes import AVIF, brands
from inkfold.headers.limits import UNREADABLE
from inkfold.headers.plain import largest_level
from inkfold.headers.tiff import decoder
from inkfold.headers.tiff_blocks import DAMAGED
from inkfold.quiet import QUIET

if TYPE_CHECKING:
    from PIL import Image

Plugin = Literal["AVIF", "JPEG2000", "TIFF"]
ORIENTED = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH  # UNCHANGED would ignore the orientation
SILENT = logging.NullHandler()
PLAIN_TEXT = (b"P1", b"P2", b"P3")
RAW = (b"P5", b"P6")
# What Pillow raises when a file is damaged; its plugins have no one error of their own.
FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    RuntimeError,
    struct.error,
)
KEPT = ("L", "RGB", "RGBA", "I;16")  # Pillow's modes that need no conversion
CONVERTED = {"1": "L", "LA": "RGBA", "La": "RGBA", "PA": "RGBA", "RGBa": "RGBA"}  # others to RGB

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # we report errors ourselves


def decoded(data: bytes) -> NDArray[Any]:
    """The pixels of a file that `headers.checked` has passed: grey, RGB or RGBA.

    JPEG and TIFF pictures are turned by their EXIF, AVIF and HEIC by their own rotation and mirror.

    Raises
    ------
    PictureError
        If the file is cut short or damaged. The message is the reason alone.
    """
    start = data[:2]
    if start == b"\x89P":  # the usual case, where a microsecond counts
        return _by_opencv(data)
    if start[:1] == b"\0" or start == b"\xffO":  # in boxes, or a bare JPEG 2000
        known = brands(data)
        if known and not known & AVIF:
            return _heic(data)
        return _by_pillow(data, "AVIF" if known else "JPEG2000")
    return _tiff(data) if start in (b"II", b"MM") else _plainly(data, start)


def _plainly(data: bytes, start: bytes) -> NDArray[Any]:
    """The pixels of a file that OpenCV decodes rightly, with what it has to be told."""
    if start == b"\xff\xd8":
        return _by_opencv(data, ORIENTED)
    if start in PLAIN_TEXT:
        return _by_opencv(data + b"\n")  # without a line end OpenCV refuses the last number
    pixels = _by_opencv(data)
    return _to_full_scale(pixels, largest_level(data)) if start in RAW else pixels


def _tiff(data: bytes) -> NDArray[Any]:
    """The pixels of a TIFF file, by the library that `headers.tiff.decoder` names."""
    how = decoder(data)
    if how == "both":
        _require_whole(data)
    if how != "pillow":
        try:
            return _by_opencv(data)
        except PictureError:
            if how == "opencv":
                raise
    return _by_pillow(data, "TIFF")


def _by_opencv(data: bytes, flags: int = cv2.IMREAD_UNCHANGED) -> NDArray[Any]:
    try:
        with QUIET:
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        raise PictureError(UNREADABLE) from None
    if pixels is None:
        raise PictureError(UNREADABLE)
    if pixels.ndim == 3 and pixels.shape[2] >= 3:
        pixels = cv2.cvtColor(
            pixels, cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        )
    return pixels


def _to_full_scale(pixels: NDArray[Any], largest: int) -> NDArray[Any]:
    """Levels from 0 to `largest` as levels of 8 or 16 bits."""
    full = int(np.iinfo(pixels.dtype).max)
    if largest in (0, full):
        return pixels
    scaled = (np.minimum(pixels, largest).astype(np.uint32) * full + largest // 2) // largest
    return np.asarray(scaled.astype(pixels.dtype))


def _by_pillow(data: bytes, name: Plugin) -> NDArray[Any]:
    """The pixels, turned as the file says: of 8 bits, or grey of 16."""
    from PIL import ImageOps

    try:
        with QUIET, _opened(data, name) as picture:
            picture.load()
            ImageOps.exif_transpose(picture, in_place=True)
            return _pixels(picture)
    except FAULTS:
        raise PictureError(UNREADABLE) from None


def _opened(data: bytes, name: Plugin) -> Image.Image:
    """A file as Pillow opens it, by one of its plugins alone."""
    # Pillow imports forty plugins where it does not find the one that is asked for
    from PIL import AvifImagePlugin, Image, Jpeg2KImagePlugin, TiffImagePlugin  # noqa: F401

    if name not in Image.OPEN:
        raise PictureError(f"{name} is not read by this build of Pillow; save the picture as PNG")
    # Pillow warns of damaged remarks, and logs what it refuses: our messages name the file
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").addHandler(SILENT)
    try:
        return Image.open(io.BytesIO(data), formats=[name])
    except Image.DecompressionBombError:  # of a size that contradicts the one that was checked
        raise PictureError(UNREADABLE) from None


def _pixels(picture: Image.Image) -> NDArray[Any]:
    """The pixels of a loaded picture, in a mode that has one meaning."""
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    elif picture.mode not in KEPT:
        picture = picture.convert(CONVERTED.get(picture.mode, "RGB"))
    return np.asarray(picture)


def _require_whole(data: bytes) -> None:
    """Refuse a TIFF file of which Pillow cannot decode every strip."""
    try:
        with QUIET, _opened(data, "TIFF") as picture:
            picture.load()
    except FAULTS:
        raise PictureError(DAMAGED) from None


def _heic(data: bytes) -> NDArray[Any]:
    """The pixels of the main picture of a HEIC file, of 8 bits."""
    import pillow_heif

    try:
        return np.asarray(pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True))
    except FAULTS:
        raise PictureError(UNREADABLE) from None


def upright(pixels: NDArray[Any], turned: int) -> NDArray[Any]:
    """The pixels of a picture that is stored in an EXIF orientation, as it is to be seen.

    Parameters
    ----------
    pixels : array of shape (H, W) or (H, W, C)
    turned : int
        1 is upright, 2 mirrored left to right, 3 upside down, 4 mirrored top to bottom; of 5 to 8
        rows and columns are exchanged, and then 6 and 7 are mirrored left to right, 7 and 8 top to
        bottom.

    Returns
    -------
    pixels : array of shape (H, W, ...), of 5 to 8 (W, H, ...)
    """
    rows = -1 if turned in (3, 4, 7, 8) else 1
    columns = -1 if turned in (2, 3, 6, 7) else 1
    if turned >= 5:
        pixels = pixels.swapaxes(0, 1)
    return np.ascontiguousarray(pixels[::rows, ::columns])
