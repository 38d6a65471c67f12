"""A TIFF file is decoded rightly, whatever its bits and compression, or refused: never a blank."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from inkfold.errors import PictureError
from inkfold.headers.further import has_further_frames
from inkfold.picture import decode
from tests.worlds.drawn_pictures import corner, save
from tests.worlds.tiff_files import packed_bits, tiff_file

SCANNED = ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group4", "group3", "tiff_ccitt")
UNREAD = {
    34712: "JPEG 2000",
    33003: "JPEG 2000",
    33005: "JPEG 2000",
    50002: "JPEG XL",
    22610: "JPEG XR",
    34934: "JPEG XR",
    34933: "PNG",
    34925: "LZMA",
    50001: "WebP",
    4711: "compression 4711",
}


def scanned(compression: str) -> bytes:
    """A page of 64 x 64 in one strip: noise with a dark square, of 1 bit where it must be."""
    page = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    page[10:50, 10:50] = 0
    one_bit = compression in ("group4", "group3", "tiff_ccitt")
    return save("TIFF", page > 127 if one_bit else page, compression=compression)


def strip_of(data: bytes) -> tuple[int, int]:
    """Where the only strip begins and ends."""
    with Image.open(io.BytesIO(data)) as page:
        assert isinstance(page, Image.Image)
        place, length = page.tag_v2[273][0], page.tag_v2[279][0]  # type: ignore[attr-defined]  # a TIFF's
    return place, place + length


@pytest.mark.parametrize("compression", SCANNED)
def test_a_whole_page_is_read(compression: str) -> None:
    """A page in every compression that scanners write is decoded as Pillow decodes it."""
    data = scanned(compression)
    with Image.open(io.BytesIO(data)) as page:
        expected = np.asarray(page.convert("L"))

    assert np.abs(decode(data).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("compression", SCANNED)
def test_a_strip_that_ends_early_is_refused(compression: str) -> None:
    """A strip of half its length leaves no blank half of a page: the file is refused."""
    data = scanned(compression)
    start, end = strip_of(data)
    length = (end - start).to_bytes(4, "little")
    tag = data.index(b"\x17\x01\x04\0\1\0\0\0" + length)

    halved = data[: tag + 8] + ((end - start) // 2).to_bytes(4, "little") + data[tag + 12 :]

    with pytest.raises(PictureError, match="damaged"):
        decode(halved)


@pytest.mark.parametrize("compression", [name for name in SCANNED if name != "tiff_ccitt"])
def test_a_strip_whose_end_is_zeros_is_refused(compression: str) -> None:
    """A strip that was overwritten with zeros from its middle on is refused."""
    data = scanned(compression)
    start, end = strip_of(data)
    middle = (start + end) // 2

    with pytest.raises(PictureError, match="damaged"):
        decode(data[:middle] + bytes(end - middle) + data[end:])


def test_deflated_data_with_a_changed_byte_are_refused() -> None:
    """Deflated data bear a sum, so that even pixels of a plausible grey are seen to be wrong."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    strip = bytearray(zlib.compress(noise.tobytes(), 0))  # stored: any byte is a grey
    good = tiff_file(64, 64, [bytes(strip)], compression=8)
    strip[1000] ^= 0x80

    assert np.array_equal(decode(good), noise)
    with pytest.raises(PictureError, match="damaged"):
        decode(tiff_file(64, 64, [bytes(strip)], compression=8))


@pytest.mark.parametrize("compression", [1, 8])
def test_a_missing_strip_is_refused(compression: int) -> None:
    """A page with one strip too few, or with a strip outside the file, is refused."""
    halves = [corner()[:12].tobytes(), corner()[12:].tobytes()]
    strips = [zlib.compress(half) if compression == 8 else half for half in halves]
    whole = tiff_file(40, 24, strips, compression=compression)
    rows = {278: (4, [12])}
    first, beyond = [len(whole) - len(strips[1])], [len(whole) + 9]

    assert np.array_equal(decode(whole), corner())
    for data in (
        tiff_file(40, 24, strips[:1], compression=compression, tags=rows),
        tiff_file(40, 24, strips, compression=compression, tags={273: (4, first + beyond)}),
        tiff_file(40, 24, strips, compression=compression, tags={273: (4, [0, *first])}),
        whole[:-20],
    ):
        with pytest.raises(PictureError, match="damaged"):
            decode(data)


@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_grey_of_few_bits_is_read(bits: int, photometric: int) -> None:
    """Grey of 1, 2, 4 and 8 bits, with 0 as white or as black, has its levels from 0 to 255."""
    most = (1 << bits) - 1
    levels = (np.arange(28) * 7 % (most + 1)).reshape(4, 7).astype(np.uint8)
    data = tiff_file(7, 4, [packed_bits(levels, bits)], bits=[bits], photometric=photometric)

    expected: NDArray[np.int_] = levels.astype(int) * 255 // most
    assert np.array_equal(decode(data), expected if photometric else 255 - expected)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_a_palette_of_few_bits_is_read(bits: int) -> None:
    """The colours of a palette with 4, 16 or 256 places are those that the file gives."""
    most = (1 << bits) - 1
    levels = (np.arange(28) * 3 % (most + 1)).reshape(4, 7).astype(np.uint8)
    reds = [level * 257 * (255 // most) for level in range(most + 1)]
    palette = {320: (3, reds + reds[::-1] + [0] * (most + 1))}
    data = tiff_file(7, 4, [packed_bits(levels, bits)], bits=[bits], photometric=3, tags=palette)

    red = levels * (255 // most)
    assert np.array_equal(decode(data), np.dstack([red, 255 - red, np.zeros_like(red)]))


@pytest.mark.parametrize("compression", UNREAD)
def test_a_compression_that_is_not_read_is_named(compression: int) -> None:
    """A compression that OpenCV would decode to a blank page is refused by its name."""
    data = tiff_file(40, 24, [corner().tobytes()], compression=compression)

    with pytest.raises(PictureError, match=f"^{UNREAD[compression]} inside a TIFF file"):
        decode(data)


def test_what_opencv_decodes_to_wrong_pixels_is_refused() -> None:
    """16-bit colours in separate planes, and PackBits with a predictor, are not read."""
    planes = [np.full((4, 5), level, np.uint16).tobytes() for level in (1, 2, 3)]
    apart = tiff_file(
        5, 4, planes, bits=[16] * 3, photometric=2, tags={278: (4, [4]), 284: (3, [2])}
    )
    packed = b"".join(b"\x27" + row.tobytes() for row in corner())  # 40 bytes as they are
    plain = tiff_file(40, 24, [packed], compression=32773)

    assert np.array_equal(decode(plain), corner())
    with pytest.raises(PictureError, match="planes of more than 8 bits"):
        decode(apart)
    with pytest.raises(PictureError, match="predictor"):
        decode(tiff_file(40, 24, [packed], compression=32773, tags={317: (3, [2])}))


def test_tiles_are_read() -> None:
    """A page in uncompressed tiles, which OpenCV refuses, is decoded exactly."""
    page = np.pad(corner(), ((0, 8), (0, 8)))
    tiles = b"".join(page[row : row + 16, :48].tobytes() for row in (0, 16))

    def tiled(place: int) -> bytes:
        places = {324: (4, [place, place + 768]), 325: (4, [768, 768])}
        no_strips = {tag: (4, list[int]()) for tag in (273, 278, 279)}
        sides = {322: (4, [48]), 323: (4, [16])}
        return tiff_file(40, 24, [tiles], tags=no_strips | sides | places)

    whole = tiled(len(tiled(0)) - len(tiles))
    assert np.array_equal(decode(whole), corner())
    with pytest.raises(PictureError, match="damaged"):
        decode(whole[:-1])


def test_a_page_in_strips_and_tiles_at_once_is_refused() -> None:
    """A file that names both strips and tiles says two things, and is not read."""
    tags = {322: (4, [16]), 323: (4, [16]), 324: (4, [200]), 325: (4, [256])}

    with pytest.raises(PictureError, match="truncated or not a picture"):
        decode(tiff_file(16, 16, [bytes(256)], tags=tags))


def test_zstandard_is_read() -> None:
    """Zstandard, which OpenCV does not decode, is read by Pillow."""
    try:
        data = save("TIFF", corner(), compression="zstd")
    except (OSError, KeyError):
        pytest.skip("this Pillow does not write it")

    assert np.array_equal(decode(data), corner())


def test_a_raw_file_of_a_camera_is_refused_in_place_of_its_thumbnail() -> None:
    """A first page that is a small version of another one, and a DNG file, are refused."""
    thumbnail = tiff_file(40, 24, [corner().tobytes()], tags={254: (4, [1])})
    negative = tiff_file(40, 24, [corner().tobytes()], tags={50706: (4, [1])})

    for data in (thumbnail, negative):
        with pytest.raises(PictureError, match="raw file of a camera"):
            decode(data)


def test_damaged_remarks_are_no_warning() -> None:
    """A tag whose numbers lie outside of the file, which no pixel needs, is no warning."""
    data = save("TIFF", corner(), compression="tiff_lzw", tiffinfo={270: "a remark of some length"})
    place = data.index(b"\x0e\1\2\0") + 8

    assert np.array_equal(
        decode(data[:place] + struct.pack("<I", len(data) + 99) + data[place + 4 :]), corner()
    )


def test_what_pillow_logs_does_not_appear(capfd: pytest.CaptureFixture[str]) -> None:
    """A page with more planes than Pillow decodes is refused, and nothing is printed."""
    data = tiff_file(4, 4, [bytes(16)] * 1, bits=[8] * 9, compression=5)

    with pytest.raises(PictureError, match="damaged"):
        decode(data)
    assert capfd.readouterr() == ("", "")


def test_further_pages_are_seen_and_masks_are_not() -> None:
    """A second page counts as further; a circle of directories and a mask do not."""
    page = Image.fromarray(corner())
    several, alone = io.BytesIO(), io.BytesIO()
    page.save(several, "TIFF", save_all=True, append_images=[page])
    page.save(alone, "TIFF")
    strips = [corner().tobytes()]
    circle = tiff_file(40, 24, strips, following=8)
    mask = tiff_file(40, 24, strips, following=len(tiff_file(40, 24, strips)))
    mask += struct.pack("<HHHIII", 1, 254, 4, 1, 4, 0)

    assert has_further_frames(several.getvalue())
    assert not has_further_frames(alone.getvalue())
    assert not has_further_frames(circle)
    assert not has_further_frames(mask)
