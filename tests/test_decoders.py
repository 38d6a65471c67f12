"""Every format of pictures is decoded to the pixels that were written, upright, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inkfold.decoders import upright
from inkfold.errors import PictureError
from inkfold.picture import decode
from tests.worlds.drawn_pictures import corner, encode, save

# How each orientation's stored pixels are seen, as the EXIF standard draws it.
SEEN: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    1: lambda stored: stored,
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: lambda stored: np.swapaxes(stored, 0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(np.swapaxes(stored, 0, 1), 2),
    8: np.rot90,
}
WRITTEN: dict[str, dict[str, Any]] = {
    "PNG": {},
    "JPEG": {"quality": 95},
    "WEBP": {"lossless": True},
    "AVIF": {"quality": 95},
    "TIFF": {},
    "HEIF": {"quality": 95},
}


def grey(pixels: NDArray[Any]) -> NDArray[np.float64]:
    """The mean of the colours, without alpha."""
    return (pixels if pixels.ndim == 2 else pixels[..., :3].mean(axis=2)).astype(np.float64)


def alike(pixels: NDArray[Any], picture: NDArray[Any]) -> bool:
    """Whether a lossy format has the picture, pixel by pixel on the average within 8 levels."""
    same_shape = pixels.shape[:2] == picture.shape[:2]
    return same_shape and bool(np.abs(grey(pixels) - picture).mean() < 8)


@pytest.mark.parametrize("orientation", SEEN)
@pytest.mark.parametrize("planes", [1, 3, 4])
@pytest.mark.parametrize("name", WRITTEN)
def test_every_format_is_turned_as_its_orientation_says(
    name: str, planes: int, orientation: int
) -> None:
    """A picture that is stored in any of the eight orientations is decoded as it is to be seen."""
    if name == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    if name == "JPEG" and planes == 4:
        pytest.skip("JPEG has no alpha")
    stored = corner() if planes == 1 else np.dstack([corner()] * 3 + [np.full((24, 40), 255)])
    stored = stored[..., :planes] if planes > 1 else stored

    data = save(name, stored.astype(np.uint8), orientation=orientation, **WRITTEN[name])

    assert alike(decode(data), SEEN[orientation](corner()))


@pytest.mark.parametrize("name", ["PNG", "WEBP"])
def test_an_orientation_that_does_not_exist_turns_nothing(name: str) -> None:
    """An EXIF orientation of 9, and EXIF that is damaged, leave a picture as it is stored."""
    assert alike(decode(save(name, corner(), orientation=9)), corner())
    assert alike(decode(save(name, corner(), exif=b"Exif\0\0II*\0\xff\xff\0\0")), corner())


def test_a_picture_that_is_turned_twice_over_is_turned_once() -> None:
    """An AVIF file with a rotation of its own and the same in EXIF is turned by the first alone."""
    exif = np.frombuffer(b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0", np.uint8)
    try:
        _, written = cv2.imencodeWithMetadata(
            ".avif", corner(), [cv2.IMAGE_METADATA_EXIF], [exif], [cv2.IMWRITE_AVIF_QUALITY, 95]
        )
    except (cv2.error, AttributeError):
        pytest.skip("this OpenCV does not write EXIF into AVIF")
    data = written.tobytes()

    assert b"irot" in data
    assert exif.tobytes() in data
    assert alike(decode(data), SEEN[6](corner()))


def test_turning_keeps_depth_and_alpha() -> None:
    """A 16-bit grey PNG with an orientation is turned, and keeps its 16 bits."""
    levels = np.arange(6, dtype=np.uint16).reshape(2, 3) * 9000

    pixels = decode(save("PNG", levels, orientation=6))

    assert pixels.dtype == np.uint16
    assert np.array_equal(pixels, np.rot90(levels, -1))
    assert upright(np.zeros((2, 3, 4), np.uint8), 5).shape == (3, 2, 4)


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_an_avif_of_any_depth_has_white_paper(bits: int) -> None:
    """AVIF of 10 and 12 bits is as light as one of 8 bits, not 64 times darker."""
    levels = corner().astype(np.uint32) * ((1 << bits) - 1) // 255
    settings = [cv2.IMWRITE_AVIF_DEPTH, bits, cv2.IMWRITE_AVIF_QUALITY, 100]
    depth = np.uint8 if bits == 8 else np.uint16
    try:
        data = cv2.imencode(".avif", levels.astype(depth), settings)[1].tobytes()
    except cv2.error:
        pytest.skip("this OpenCV does not write AVIF")

    assert alike(decode(data), corner())


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("planes", [1, 3, 4])
def test_jpeg_2000_gives_the_pixels_that_were_written(planes: int, bare: bool) -> None:
    """JPEG 2000 without loss, in boxes or as a bare codestream, is decoded exactly."""
    picture = corner() if planes == 1 else np.dstack([corner()] * planes)

    assert np.array_equal(decode(save("JPEG2000", picture, no_jp2=bare)), picture)


def test_jpeg_2000_of_sixteen_bits_stays_so() -> None:
    """Levels of 16 bits come out of JPEG 2000 without loss."""
    levels = corner().astype(np.uint16) * 257

    assert np.array_equal(decode(save("JPEG2000", levels)), levels)


@pytest.mark.parametrize("name", ["GIF", "AVIF", "JPEG2000", "HEIF"])
@pytest.mark.parametrize("share", [0.95, 0.5, 0.05])
def test_a_file_that_is_cut_short_is_refused(name: str, share: float) -> None:
    """Of every format a file that ends early is refused: a part of a picture is no picture."""
    if name == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    data = save(name, noise)

    with pytest.raises(PictureError, match="truncated or not a picture"):
        decode(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"P2\n3 2\n255\n1 2 3\n4 5 60", [[1, 2, 3], [4, 5, 60]]),
        (b"P2\n3 2\n255\n1 2 3\n4 5 60\n", [[1, 2, 3], [4, 5, 60]]),
        (b"P1\n3 2\n1 0 1\n0 1 0", [[0, 255, 0], [255, 0, 255]]),
        (b"P3\n1 2\n255\n1 2 3 4 5 6", [[[1, 2, 3]], [[4, 5, 6]]]),
    ],
)
def test_a_plain_text_picture_may_end_without_a_line_end(data: bytes, expected: list[Any]) -> None:
    """The last number of an ASCII PBM, PGM or PPM file counts, with a line end after it or not."""
    assert decode(data).tolist() == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"P5\n4 1\n15\n\x00\x05\x0a\x0f", [[0, 85, 170, 255]]),
        (b"P5\n2 1\n255\n\x07\xff", [[7, 255]]),
        (b"P5\n2 1\n1000\n\x01\xf4\x03\xe8", [[32768, 65535]]),
        (b"P6 1 1 100 \x32\x00\x64", [[[128, 0, 255]]]),
    ],
)
def test_white_is_the_largest_level_that_a_raw_file_names(data: bytes, expected: list[Any]) -> None:
    """A PGM file whose white is 15 is not sixteen times too dark."""
    assert decode(data).tolist() == expected


def test_a_plain_text_picture_with_too_few_numbers_is_refused() -> None:
    """An ASCII PGM file that lacks its last pixel is refused."""
    with pytest.raises(PictureError, match="truncated"):
        decode(b"P2\n3 2\n255\n1 2 3\n4 5")


def test_a_transparent_gif_has_alpha() -> None:
    """The transparent colour of a GIF file is decoded as alpha 0."""
    data = save("GIF", corner(), transparency=255)

    assert np.array_equal(decode(data)[..., 3] == 0, corner() == 255)


def test_heic_is_decoded_where_its_library_is_installed() -> None:
    """A HEIC file, in grey or colours, is decoded as an array of 8 bits."""
    pytest.importorskip("pillow_heif").register_heif_opener()

    for picture in (corner(), np.dstack([corner()] * 3)):
        pixels = decode(save("HEIF", picture, quality=95))
        assert pixels.dtype == np.uint8
        assert alike(pixels, corner())


def test_heic_without_its_library_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without pillow-heif a HEIC file is named, with the extra that reads it."""
    monkeypatch.setattr("inkfold.extras.find_spec", lambda _name: None)

    with pytest.raises(PictureError, match=r"HEIC .*pip install 'inkfold\[heic\]'"):
        decode(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50))


def test_opencv_reads_what_it_read_before() -> None:
    """PNG, BMP and WebP without an orientation are decoded to OpenCV's own pixels."""
    picture = np.random.default_rng(0).integers(0, 256, (9, 7, 3)).astype(np.uint8)

    for ending in (".png", ".bmp", ".webp"):
        data = encode(ending, picture)
        own = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        assert own is not None
        assert np.array_equal(decode(data), own[..., ::-1])
