"""Picture files of every kind become pixels, and those that cannot be used get a reason."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inkfold import picture
from inkfold.errors import PictureError
from inkfold.headers.limits import MAX_PIXELS
from inkfold.picture import decode, fit, load, prepare, read, shrunk
from inkfold.spec import ImageSpec
from tests.worlds.drawn_pictures import encode, glyph, raw_png

FORMATS = (".png", ".jpg", ".bmp", ".tif", ".webp", ".pgm")
LOSSY = {".jpg": 60, ".webp": 60}  # largest difference in grey levels that is allowed


def ramp(rows: int = 5, columns: int = 7) -> NDArray[np.uint8]:
    """A picture without symmetry, in which every pixel has its own grey."""
    return np.arange(20, 20 + rows * columns * 4, 4, dtype=np.uint8).reshape(rows, columns)


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_gives_the_grey_picture_that_was_written(ending: str) -> None:
    """A grey picture is decoded exactly, or nearly from a lossy format, as one or three planes."""
    picture = cv2.resize(ramp(), (28, 20), interpolation=cv2.INTER_LINEAR).astype(np.uint8)

    pixels = decode(encode(ending, picture))

    planes = pixels if pixels.ndim == 3 else pixels[..., None]
    assert pixels.dtype == np.uint8
    assert np.abs(planes.astype(int) - picture[..., None]).max() <= LOSSY.get(ending, 0)


@pytest.mark.parametrize("ending", [".png", ".bmp", ".tif"])
def test_colours_come_as_red_green_blue(ending: str) -> None:
    """Decoded colours are in the order red, green, blue, which is the reverse of OpenCV's."""
    picture = np.dstack([ramp(), ramp() // 2, ramp() // 4])

    assert np.array_equal(decode(encode(ending, picture)), picture)


@pytest.mark.parametrize("ending", [".jpg", ".webp"])
def test_lossy_formats_keep_the_order_of_colours(ending: str) -> None:
    """A red picture is red after a lossy format, not blue."""
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 220

    mean = decode(encode(ending, red)).reshape(-1, 3).mean(axis=0)

    assert np.abs(mean - [220, 0, 0]).max() < 12


@pytest.mark.parametrize("ending", [".png", ".tif", ".pgm"])
def test_sixteen_bits_stay_sixteen_bits(ending: str) -> None:
    """Levels of 16 bits are decoded without loss, with no rounding to 8 bits."""
    picture = ramp().astype(np.uint16) * 257 + 3

    pixels = decode(encode(ending, picture))

    assert pixels.dtype == np.uint16
    assert np.array_equal(pixels, picture)


@pytest.mark.parametrize("ending", [".png", ".tif", ".webp"])
def test_alpha_is_the_fourth_plane(ending: str) -> None:
    """Alpha comes after the three colours, which only WebP changes a little."""
    picture = np.dstack([ramp(), ramp() // 2, ramp() // 4, np.full_like(ramp(), 255)])
    picture[0, :, 3] = 0

    pixels = decode(encode(ending, picture))

    assert pixels.shape == (5, 7, 4)
    assert np.array_equal(pixels[..., 3], picture[..., 3])
    if ending != ".webp":
        assert np.array_equal(pixels[1:], picture[1:])


def test_a_one_bit_png_is_black_and_white() -> None:
    """The bits of a black-and-white PNG become 0 and 255: 0b101 is white, black, white."""
    pixels = decode(raw_png([b"\xa0", b"\x40"], 3, depth=1, colour=0))

    assert pixels.tolist() == [[255, 0, 255], [0, 255, 0]]


def test_a_palette_becomes_its_colours() -> None:
    """A pixel of a palette picture gets the red, green and blue of its place in the palette."""
    palette = bytes([200, 100, 50, 10, 20, 90])

    pixels = decode(raw_png([b"\x00\x01"], 2, depth=8, colour=3, PLTE=palette))

    assert pixels.tolist() == [[[200, 100, 50], [10, 20, 90]]]


def test_a_palette_with_a_transparent_colour_has_alpha() -> None:
    """A palette's transparent place is decoded as alpha 0, and is paper after preparing."""
    palette = bytes([0, 0, 0, 0, 0, 0])
    rows = [b"\0\0\0\0", b"\0\1\1\0", b"\0\0\0\0"]
    pixels = decode(raw_png(rows, 4, depth=8, colour=3, PLTE=palette, tRNS=b"\x00"))

    image = prepare(pixels, ImageSpec(size=4, fit="stretch", interpolation="linear"))

    assert pixels.shape == (3, 4, 4)
    assert pixels[:, :, 3].tolist() == [[0] * 4, [0, 255, 255, 0], [0] * 4]
    assert image[1:3, 1:3].min() > 0
    assert image[:, [0, 3]].max() == 0


def test_grey_with_alpha_keeps_its_alpha() -> None:
    """A PNG of grey with alpha (colour type 4) has its alpha in the last plane."""
    pixels = decode(raw_png([b"\x00\xff\x00\x00"], 2, depth=8, colour=4))

    assert pixels[..., 3].tolist() == [[255, 0]]


def exif(jpeg: bytes, orientation: int) -> bytes:
    """The same JPEG file with an EXIF block that says how the camera was held."""
    tiff = b"II*\0" + struct.pack("<IH", 8, 1)
    tiff += struct.pack("<HHIHHI", 0x0112, 3, 1, orientation, 0, 0)
    block = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]


def test_a_photograph_is_turned_as_its_exif_says() -> None:
    """A JPEG with EXIF orientation 6 is turned by a quarter to the right."""
    picture = np.full((16, 32), 250, np.uint8)
    picture[:, :8] = 10  # stored: dark at the left, so shown: dark at the top

    pixels = decode(exif(encode(".jpg", picture), 6))

    grey = pixels if pixels.ndim == 2 else pixels[..., 0]
    assert grey.shape == (32, 16)
    assert grey[:7].max() < 40
    assert grey[10:].min() > 200


def test_of_several_pages_the_first_is_read(tmp_path: Path) -> None:
    """Of a TIFF file with several pages, as scanners write, the first page is decoded."""
    path = str(tmp_path / "pages.tif")
    assert cv2.imwritemulti(path, [np.full((4, 6), 9, np.uint8), np.full((8, 8), 99, np.uint8)])

    assert decode(Path(path).read_bytes()).tolist() == [[9] * 6] * 4


def _refusal(data: bytes) -> str:
    with pytest.raises(PictureError) as caught:
        decode(data)
    return str(caught.value)


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("share", [0.9, 0.5, 0.05])
def test_a_picture_cut_short_is_refused(ending: str, share: float) -> None:
    """A file that ends early is refused, even where OpenCV could decode its first part."""
    data = encode(ending, glyph(np.random.default_rng(0), 64, 64))

    assert _refusal(data[: int(len(data) * share)]) == "truncated or not a picture"


def test_an_empty_file_and_a_text_are_refused() -> None:
    """An empty file and a text are refused, each with its own reason."""
    assert _refusal(b"") == "empty file"
    assert _refusal(b"Dear Sir or Madam, " * 20) == "truncated or not a picture"


def _refusal_elsewhere(data: bytes) -> str:
    """The refusal in a process of its own: in this one OpenCV may have loaded without the limit."""
    program = "import sys; from inkfold.picture import decode; decode(sys.stdin.buffer.read())"
    done = subprocess.run(
        [sys.executable, "-c", program], input=data, capture_output=True, check=False
    )
    assert done.returncode == 1
    return done.stderr.decode().splitlines()[-1].partition(": ")[2]


def test_more_than_fifty_megapixels_are_refused_by_their_header() -> None:
    """A small file whose header promises 20,000 x 30,000 pixels is refused before decoding."""
    png = raw_png([b"\0"] * 30_000, 20_000, depth=8, colour=0)

    assert _refusal_elsewhere(png) == "30,000 x 20,000 pixels, 50 megapixels are allowed"


def test_a_large_bitmap_is_refused_too() -> None:
    """A bitmap with too many pixels is refused as well, not only a PNG file."""
    header = b"BM" + struct.pack("<IHHI", 54, 0, 0, 54)
    header += struct.pack("<IiiHHIIiiII", 40, 9000, 9000, 1, 24, 0, 0, 0, 0, 0, 0)

    assert (
        _refusal_elsewhere(header + bytes(100)) == "9,000 x 9,000 pixels, 50 megapixels are allowed"
    )


def test_the_limit_is_the_same_for_opencv_and_for_us() -> None:
    """The limit that OpenCV reads when it is loaded is equal to the one in `inkfold.picture`."""
    assert os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] == str(MAX_PIXELS)


def test_floating_point_pixels_are_refused() -> None:
    """A TIFF file of floating-point pixels is refused with a message that names their type."""
    data = encode(".tif", np.ones((4, 4), np.float32))

    assert _refusal(data) == "pixels are float32, expected 8 or 16 bits without sign"


def test_reading_says_why_a_file_cannot_be_read(tmp_path: Path) -> None:
    """The reason is a few words in lower case, to be printed after the path."""
    (tmp_path / "loop.png").symlink_to("loop.png")

    def reason(path: Path | str) -> str:
        with pytest.raises(PictureError) as caught:
            read(path)
        return str(caught.value)

    assert reason(tmp_path / "none.png") == "no such file or directory"
    assert reason(tmp_path) == "a folder, not a picture"
    assert reason(tmp_path / "loop.png") == "too many levels of symbolic links"
    assert reason("nul\0.png") == "embedded null byte"


def test_a_file_without_permission_to_read_is_refused(tmp_path: Path) -> None:
    """A file that the user may not read is refused with "permission denied"."""
    path = tmp_path / "mine.png"
    path.write_bytes(encode(".png", ramp()))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user, the superuser, may read every file")

    with pytest.raises(PictureError, match="permission denied"):
        read(path)


def test_any_name_can_be_read(tmp_path: Path) -> None:
    """A file's name may hold newlines, emoji, quotes, and bytes that are not UTF-8."""
    for name in (b"new\nline \xf0\x9f\x98\x80 'q\".png", b"\xff\xfe.png"):
        path = os.fsencode(tmp_path) + b"/" + name
        Path(os.fsdecode(path)).write_bytes(encode(".png", ramp()))

        assert np.array_equal(read(path), ramp())
        assert np.array_equal(read(Path(os.fsdecode(path))), ramp())


@pytest.mark.parametrize("length", [0, 1, 70_000])
def test_a_pipe_is_read_to_its_end(length: int) -> None:
    """A pipe, whose size is given as 0 and whose bytes come in pieces, is read to its end."""
    source, sink = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.stdout.write('a' * {length})"], stdout=sink
    ):
        os.close(sink)
        assert load(f"/dev/fd/{source}") == b"a" * length
    os.close(source)


def test_the_ink_is_on_the_side_where_more_of_it_lies() -> None:
    """The side is decided by the sums below and above the paper; of equal sums ink is dark."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        grey = rng.integers(0, 256, rng.integers(1, 7, 2)).astype(np.uint8)
        grey[rng.random(grey.shape) < 0.5] = grey[0, 0]
        edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
        paper = int(np.sort(edge)[len(edge) // 2])
        below = np.maximum(paper - grey.astype(int), 0)
        above = np.maximum(grey.astype(int) - paper, 0)
        expected = below if below.sum() >= above.sum() else above
        side = max(grey.shape)
        spec = ImageSpec(size=side, fit="stretch")
        assert np.array_equal(prepare(grey, spec), fit(expected.astype(np.uint8), spec))
    even = np.full((5, 5), 100, np.uint8)
    even[2, 1:3] = 90, 110
    assert prepare(even, ImageSpec(size=5)).tolist()[2] == [0, 10, 0, 0, 0]


def test_a_file_too_large_for_any_picture_is_not_read(tmp_path: Path) -> None:
    """A file of 3 GiB that is called .png is refused by its size, before it fills the memory."""
    path = tmp_path / "disk.png"
    with path.open("wb") as file:
        file.truncate(3 << 30)  # sparse: takes no room

    with pytest.raises(PictureError, match="more than 1024 MiB"):
        read(path)


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((4, 4), np.int32), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4), np.uint8)],
)
def test_preparing_refuses_arrays_that_are_not_pictures(pixels: NDArray[Any]) -> None:
    """An array of another type, with two planes, or without pixels raises a PictureError."""
    with pytest.raises(PictureError):
        prepare(pixels, ImageSpec())


@pytest.mark.parametrize("planes", [(), (3,), (4,)])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_a_large_picture_is_made_grey_and_flat_as_a_small_one(
    planes: tuple[int, ...], depth: type[np.unsignedinteger[Any]]
) -> None:
    """Working band by band gives the pixels of the whole picture at once, bit for bit."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, np.iinfo(depth).max + 1, (1300, 1100, *planes)).astype(depth)
    pixels[:, :300] //= 2
    grey = picture.as_grey(pixels)
    rows, columns = (np.linspace(-0.5, 0.5, count) for count in grey.shape)
    down = np.median(grey[-1]) - np.median(grey[0])
    across = np.median(grey[:, -1]) - np.median(grey[:, 0])
    light = down * rows[:, None] + across * columns

    assert across
    assert np.array_equal(grey, picture._grey_band(pixels))
    assert np.array_equal(picture.flatten(grey), np.clip(np.round(grey - light), 0, 255))


def test_preparing_refuses_too_many_pixels() -> None:
    """An array of 100 megapixels is refused even where OpenCV's own limit did not apply."""
    pixels = np.broadcast_to(np.uint8(0), (10_000, 10_000))

    with pytest.raises(PictureError, match="10,000 x 10,000 pixels, 50 megapixels"):
        prepare(pixels, ImageSpec())


def test_larger_images_are_averaged_and_smaller_ones_stay() -> None:
    """Every 2 x 2 pixels of a larger image become their mean; a smaller one is the same array."""
    large = np.arange(16, dtype=np.uint8).reshape(1, 1, 4, 4) * 4

    assert shrunk(large, 2).tolist() == [[[[10, 18], [42, 50]]]]
    assert shrunk(large, 9) is large
