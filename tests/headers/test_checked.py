"""A small file cannot make a decoder take much: its headers are checked first."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inkfold.errors import PictureError, PictureTooLargeError
from inkfold.headers.checked import FORMATS, checked
from inkfold.headers.limits import MAX_PIXELS, ORDINARY
from inkfold.picture import decode
from tests.worlds import hostile_pictures
from tests.worlds.drawn_pictures import raw_png
from tests.worlds.hostile_pictures import READ, REFUSED, scans

ROOM = 400 << 20  # bytes of address space beyond what a child has when OpenCV is loaded
READER = """
import re, resource, sys
from inkfold.errors import PictureError
from inkfold.picture import read
def peak():
    return int(re.search(r"VmPeak:\\s+(\\d+)", open("/proc/self/status").read())[1]) << 10
before = peak()
resource.setrlimit(resource.RLIMIT_AS, (before + (4 << 30), before + (4 << 30)))
try:
    read(sys.argv[1])
    print(peak() - before, "read")
except PictureError as error:
    print(peak() - before, "refused")
"""


def read_in_a_child(path: Path) -> tuple[int, str]:
    """The address space that a process took at most to read a picture, and what came of it.

    A limit of 4 GB keeps the machine safe where the check is missing.
    """
    done = subprocess.run(
        [sys.executable, "-c", READER, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    taken, answer = done.stdout.split()
    return int(taken), answer


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of memory that holds is Linux's")
@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_claims_much_is_refused_in_little_memory(name: str, tmp_path: Path) -> None:
    """A picture file of less than 8 MB that claims gigabytes is refused without allocating them."""
    path = tmp_path / "picture"
    path.write_bytes(REFUSED[name]())

    taken, answer = read_in_a_child(path)

    assert path.stat().st_size < ORDINARY
    assert answer == "refused"
    assert taken < ROOM


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of memory that holds is Linux's")
@pytest.mark.parametrize("name", READ)
def test_a_good_picture_with_much_beside_it_is_read_in_little_memory(
    name: str, tmp_path: Path
) -> None:
    """What lies beside the pixels of a good picture, such as compressed texts, is not unpacked."""
    path = tmp_path / "picture"
    path.write_bytes(READ[name]())

    taken, answer = read_in_a_child(path)

    assert answer == "read"
    assert taken < ROOM


@pytest.mark.parametrize(
    "name",
    [
        "JPEG, 400 progressive scans",
        "PNG, pixels that inflate to 1 GB",
        "BMP, 49 megapixels of 32 bits",
        "TIFF, 49 megapixels of 16 planes",
        "AVIF, coded data of 268 megapixels",
        "JPEG 2000, 49 megapixels of 4 planes",
        "JPEG 2000, 65,536 tiles",
        "JPEG 2000, 25,769 million packets",
    ],
)
def test_what_is_out_of_proportion_is_told_with_both_numbers(name: str) -> None:
    """The message names what the file asks for and what is allowed, as "too large" and not bad."""
    with pytest.raises(PictureTooLargeError, match=r"\d.*(allowed|expected)"):
        checked(REFUSED[name]())


def test_a_scan_hidden_behind_a_remark_is_counted() -> None:
    """Repeated scans count, even behind an end marker in a remark and a remark of length 0."""
    with pytest.raises(PictureTooLargeError, match="million samples in the scans"):
        checked(hostile_pictures.hidden_scans())


def test_small_pictures_may_have_any_number_of_scans() -> None:
    """The bound is on the work of all scans, so that a small JPEG of many scans is decoded."""
    grey = np.full((16, 16), 128, np.uint8)
    data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    last = data.rindex(b"\xff\xda")

    assert decode(data[:-2] + data[last:-2] * 1000 + data[-2:]).shape[:2] == (16, 16)
    assert checked(scans(3)) == scans(3)


PLANES: list[tuple[int, ...]] = [(), (3,), (4,)]
SHAPES = [(1, 1), (1, 9), (7, 5), (64, 48), (130, 257)]
WRITTEN: dict[str, list[list[int]]] = {
    ".png": [[], [cv2.IMWRITE_PNG_COMPRESSION, 0], [cv2.IMWRITE_PNG_BILEVEL, 1]],
    ".jpg": [
        [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive, cv2.IMWRITE_JPEG_RST_INTERVAL, restart]
        for progressive, restart in itertools.product((0, 1), (0, 1))
    ],
    ".bmp": [[]],
    ".tif": [[cv2.IMWRITE_TIFF_COMPRESSION, number] for number in (1, 5, 8, 32773, 32946)]
    + [[cv2.IMWRITE_TIFF_COMPRESSION, 5, cv2.IMWRITE_TIFF_ROWSPERSTRIP, 3]],
    ".webp": [[], [cv2.IMWRITE_WEBP_QUALITY, 30]],
    ".pgm": [[cv2.IMWRITE_PXM_BINARY, 0], []],
    ".ppm": [[cv2.IMWRITE_PXM_BINARY, 0], []],
    ".pam": [[]],
    ".gif": [[]],
    ".ras": [[]],
}


@pytest.mark.parametrize("ending", WRITTEN)
def test_whatever_opencv_writes_is_decoded_as_before(ending: str) -> None:
    """Every picture that OpenCV writes, with any setting, passes, also with bytes after its end."""
    rng = np.random.default_rng(0)
    for sides, planes, bits in itertools.product(SHAPES, PLANES, (8, 16)):
        if ending in (".ras", ".gif") and (not planes or bits == 16):
            continue
        noise = rng.integers(0, 1 << bits, sides + planes)
        picture: NDArray[np.uint8] | NDArray[np.uint16]
        picture = noise.astype(np.uint8) if bits == 8 else noise.astype(np.uint16)
        for settings in WRITTEN[ending]:
            try:
                done, written = cv2.imencode(ending, picture, settings)
            except cv2.error:
                continue  # a depth or a number of planes that the format has not
            if not done or (expected := cv2.imdecode(written, cv2.IMREAD_UNCHANGED)) is None:
                continue
            data = written.tobytes()
            assert decode(data).shape[:2] == expected.shape[:2]
            assert np.array_equal(decode(data), decode(data + b"bytes after the end"))


@pytest.mark.parametrize("animated", [".png", ".webp", ".gif"])
def test_of_an_animation_the_first_frame_is_read(animated: str, tmp_path: Path) -> None:
    """An animated PNG, WebP or GIF is a picture: its first frame."""
    path = tmp_path / f"moving{animated}"
    frames = [np.full((20, 30, 4), level, np.uint8) for level in (255, 90)]
    animation = cv2.Animation()
    animation.frames, animation.durations = frames, [100, 100]
    assert cv2.imwriteanimation(str(path), animation)

    assert decode(path.read_bytes()).shape[:2] == (20, 30)


def big_endian_tiff(picture: NDArray[np.uint8]) -> bytes:
    """A TIFF file of the kind "MM", uncompressed, in one strip."""
    rows, columns = picture.shape
    numbers = [columns, rows, 8, 1, 1, 122, 1, rows, rows * columns]
    tags = (256, 257, 258, 259, 262, 273, 277, 278, 279)
    entries = b"".join(
        tag.to_bytes(2, "big") + b"\0\4\0\0\0\1" + number.to_bytes(4, "big")
        for tag, number in zip(tags, numbers, strict=True)
    )
    return b"MM\0*\0\0\0\x08\0\x09" + entries + bytes(4) + picture.tobytes()


def test_a_big_endian_tiff_is_read() -> None:
    """A TIFF file in the other order of bytes is decoded exactly."""
    picture = np.arange(35, dtype=np.uint8).reshape(5, 7)

    assert np.array_equal(decode(big_endian_tiff(picture)), picture)


@pytest.mark.parametrize("size", [12, 40, 52, 56, 108, 124])
def test_bitmaps_with_every_header_are_read(size: int) -> None:
    """A bitmap of OS/2 (12 bytes of header), of Windows (40) and of version 5 (124) is decoded."""
    body = bytes(range(5, 17)) + bytes(range(50, 62))  # 2 rows of 4 pixels, the lower one first
    short = size == 12
    sides = b"".join(side.to_bytes(2 if short else 4, "little") for side in (4, 2))
    rest = bytes(size - 16) if not short else b""
    data = b"BM" + (14 + size + len(body)).to_bytes(4, "little") + bytes(4)
    data += (14 + size).to_bytes(4, "little") + size.to_bytes(4, "little") + sides
    data += b"\1\0\x18\0" + rest + body

    pixels = decode(data)
    assert pixels.shape[:2] == (2, 4)
    assert (pixels[0] > pixels[1]).all()
    if not short:  # OpenCV makes a bitmap of OS/2 grey
        assert pixels[1, 0].tolist() == [7, 6, 5]


def test_remarks_of_a_png_file_are_left_out_and_nothing_else() -> None:
    """Texts and profiles are not given to libpng; palette, transparency and pixels are."""
    rows, palette = [b"\0\1"], bytes([200, 100, 50, 10, 20, 90])
    bare = raw_png(rows, 2, depth=8, colour=3, PLTE=palette, tRNS=b"\x00")
    noted = raw_png(rows, 2, depth=8, colour=3, PLTE=palette, tRNS=b"\x00", tEXt=b"a\0b", iCCP=b"x")

    assert checked(noted) == bare
    assert checked(bare) is bare


def test_an_animation_cut_after_its_first_frame_is_still_read(tmp_path: Path) -> None:
    """Of an animated PNG that is cut short behind its first frame, that frame is decoded."""
    path = tmp_path / "moving.png"
    rng = np.random.default_rng(0)
    animation = cv2.Animation()
    animation.frames = [rng.integers(0, 256, (20, 30, 4)).astype(np.uint8) for _ in range(2)]
    animation.durations = [100, 100]
    assert cv2.imwriteanimation(str(path), animation)
    whole = path.read_bytes()

    second = whole.rindex(b"fdAT")
    for end in (second + 40, second + 6, second - 4):  # OpenCV wants the second frame's head
        assert np.array_equal(decode(whole[:end]), decode(whole))
    with pytest.raises(PictureError):
        decode(whole[: whole.index(b"IDAT") + 40])


@pytest.mark.parametrize("beginning", FORMATS)
def test_a_file_that_ends_in_its_header_is_refused(beginning: bytes) -> None:
    """Of every format, each length of the beginning gives a PictureError and no other error."""
    for length in range(2, 70):
        for filler in (b"\0", b"\xff", b"\x01\x10"):
            data = (beginning + filler * 70)[:length]
            with pytest.raises(PictureError):
                decode(data)


def test_the_limits_grow_with_the_file() -> None:
    """A large file may take more: 49 megapixels of 16-bit RGBA are read from a file of 400 MB."""
    header = b"P7\nWIDTH 7000\nHEIGHT 7000\nDEPTH 4\nMAXVAL 65535\nTUPLTYPE RGB_ALPHA\nENDHDR\n"

    assert MAX_PIXELS >= 7000 * 7000
    assert len(checked(header + bytes(7000 * 7000 * 8))) > ORDINARY
