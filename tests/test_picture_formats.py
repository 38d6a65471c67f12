"""What counts as a picture agrees with what is decoded, and formats that are not read are named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inkfold.errors import PictureError
from inkfold.picture import decode
from inkfold.picture_files import is_picture
from inkfold.picture_formats import FORMATS, HEAD, SUFFIXES, format_of, named_as_a_picture
from tests.worlds.drawn_pictures import corner, encode, save

READ: dict[str, Callable[[], bytes]] = {
    "PNG": lambda: save("PNG", corner()),
    "JPEG": lambda: save("JPEG", corner()),
    "BMP": lambda: save("BMP", corner()),
    "TIFF": lambda: save("TIFF", corner()),
    "BigTIFF": lambda: save("TIFF", corner(), big_tiff=True),
    "WebP": lambda: save("WEBP", corner()),
    "GIF": lambda: save("GIF", corner()),
    "PBM": lambda: encode(".pbm", corner()),
    "PGM": lambda: encode(".pgm", corner()),
    "PGM in plain text": lambda: b"P2\n3 2\n255\n1 2 3\n4 5 6",
    "PPM": lambda: encode(".ppm", np.dstack([corner()] * 3)),
    "PNM with a remark": lambda: b"P5 # drawn by hand\n3 2\n255\nabcdef",
    "PAM": lambda: encode(".pam", corner()),
    "Sun raster": lambda: encode(".ras", np.dstack([corner()] * 3)),
    "AVIF": lambda: save("AVIF", corner()),
    "JPEG 2000": lambda: save("JPEG2000", corner()),
    "JPEG 2000, a codestream": lambda: save("JPEG2000", corner(), no_jp2=True),
}
NAMED: dict[str, bytes] = {
    "JPEG XL": b"\xff\x0a" + bytes(40),
    "JPEG XL ": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40),
    "JPEG XR": b"II\xbc\1" + bytes(40),
    "PSD": b"8BPS\0\1" + bytes(40),
    "XCF": b"gimp xcf v011\0" + bytes(40),
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "PDF": b"%PDF-1.7\n" + bytes(40),
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "DjVu": b"AT&TFORM" + bytes(40),
    "ICO": b"\0\0\1\0\1\0\x20\x20" + bytes(40),
    "OpenEXR": b"v/1\1\2\0\0\0" + bytes(40),
    "Radiance HDR": b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n",
    "PFM": b"Pf\n1 1\n-1.0\n" + bytes(4),
    "PCX": b"\n\5\1\x08" + bytes(124),
    "QOI": b"qoif" + bytes(40),
    "DDS": b"DDS " + bytes(124),
    "the raw format of a camera": b"II*\0\x10\0\0\0CR\2\0" + bytes(40),
    "the raw format of a camera ": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(40),
}


@pytest.mark.parametrize("name", READ)
def test_what_is_decoded_counts_as_a_picture(name: str, tmp_path: Path) -> None:
    """A file in each format that is read is a picture by its first bytes, whatever its name."""
    data = READ[name]()
    (tmp_path / "bare").write_bytes(data)

    assert decode(data).size
    assert is_picture(bytes(tmp_path), b"bare")
    known = format_of(data[:HEAD])
    assert known is not None
    assert known.read


@pytest.mark.parametrize("name", NAMED)
def test_a_format_that_is_not_read_counts_and_is_named(name: str, tmp_path: Path) -> None:
    """A file in another format of pictures counts as one, so that its refusal is reported."""
    (tmp_path / "bare").write_bytes(NAMED[name])

    assert is_picture(bytes(tmp_path), b"bare")
    with pytest.raises(PictureError, match=f"^{name.strip()} is not read; save the picture as PNG"):
        decode(NAMED[name])


def test_formats_without_a_mark_at_their_beginning_are_named_too() -> None:
    """TGA has its mark at the end, DICOM after 128 bytes, and SVG after the head of its XML."""
    xml = b'<?xml version="1.0"?>\n<!-- a drawing -->\n<svg xmlns=""/>'
    for name, data in (
        ("TGA", save("TGA", corner())),
        ("TGA", save("TGA", np.dstack([corner()] * 3))),
        ("DICOM", bytes(128) + b"DICM" + bytes(40)),
        ("SVG", xml),
    ):
        with pytest.raises(PictureError, match=f"^{name} is not read"):
            decode(data)


@pytest.mark.parametrize(
    "name", ["a.txt", "a.json", "a.xml", "a.csv", "Thumbs.db", "a.hdr", "desktop.ini", "a.mp4"]
)
def test_what_lies_beside_pictures_is_none(name: str, tmp_path: Path) -> None:
    """Texts, tables, films and the files of a desktop are not pictures."""
    (tmp_path / name).write_bytes(b"P1\nP2\nP3\n" if name == "a.txt" else b"\xd0\xcf\x11\xe0" * 8)

    assert not is_picture(bytes(tmp_path), name.encode())


def test_every_suffix_is_known_in_capitals_too(tmp_path: Path) -> None:
    """An empty file counts as a picture by each suffix, in small letters and capitals."""
    assert len(set(SUFFIXES)) == len(SUFFIXES)
    assert {known.name for known in FORMATS if known.read} >= {"GIF", "AVIF", "HEIC"}
    for suffix in SUFFIXES:
        assert is_picture(bytes(tmp_path), b"none" + suffix)
        assert is_picture(bytes(tmp_path), b"none" + suffix.upper())


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (b"a/1.png", True),
        (b"a/1.PnG", True),
        (b"a/1.tar.jpeg", True),
        (b"a/png", False),
        (b"png", False),
        (b"a.png/1", False),
        (b"a/1.png.txt", False),
        (b"a/1.", False),
        (b"a/.png", True),
    ],
)
def test_a_name_is_a_pictures_by_its_last_suffix(path: bytes, *, named: bool) -> None:
    """Case does not count; a folder's suffix does not, nor a suffix before the last one."""
    assert named_as_a_picture(path) == named
