"""An AVIF or HEIC file claims the largest size that its boxes or its coded data give."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from inkfold.errors import PictureError, PictureTooLargeError
from inkfold.headers.boxes import boxes
from inkfold.headers.checked import checked
from inkfold.headers.heif import heif
from inkfold.headers.items import items
from tests.worlds import hostile_pictures
from tests.worlds.drawn_pictures import corner, save


def box(kind: bytes, contents: bytes) -> bytes:
    """A box of this kind."""
    return struct.pack(">I4s", 8 + len(contents), kind) + contents


def with_size(data: bytes, rows: int, columns: int) -> bytes:
    """The same AVIF file, whose box says another size."""
    place = data.index(b"ispe") + 8
    return data[:place] + struct.pack(">II", columns, rows) + data[place + 8 :]


def test_the_size_is_that_of_the_boxes_and_of_the_coded_data() -> None:
    """A small size in the boxes hides no large one in the data, nor the other way round."""
    data = save("AVIF", corner())

    assert heif(data)[:2] == (24, 40)
    assert heif(with_size(data, 7, 8))[:2] == (24, 40)
    assert heif(with_size(data, 300, 200))[:2] == (300, 200)


def test_an_animation_has_the_size_of_its_track() -> None:
    """The sequence header of a film, which is longer than a picture's, is read too."""
    frames = [Image.fromarray(corner()), Image.fromarray(255 - corner())]
    file = io.BytesIO()
    frames[0].save(file, "AVIF", save_all=True, append_images=frames[1:])
    data = file.getvalue()
    track = data.index(b"tkhd")
    (length,) = struct.unpack_from(">I", data, track - 4)
    sides = track - 4 + length - 8

    assert heif(data)[:2] == (24, 40)
    wide = data[:sides] + struct.pack(">II", 300 << 16, 200 << 16) + data[sides + 8 :]
    assert heif(wide)[:2] == (200, 300)
    assert heif(data.replace(b"meta", b"free").replace(b"tkhd", b"free"))[:2] == (24, 40)


def test_coded_data_that_claim_much_are_refused() -> None:
    """Data of 16,384 x 16,384 pixels in boxes of 64 x 64 are refused before they are decoded."""
    with pytest.raises(PictureTooLargeError, match="16,384 x 16,384 pixels"):
        checked(hostile_pictures.avif())


def test_a_heic_file_is_judged_by_its_coded_data_too() -> None:
    """The parameter sets of HEVC give the size of the frame, in units of eight pixels."""
    pytest.importorskip("pillow_heif").register_heif_opener()
    data = save("HEIF", np.dstack([corner()] * 3))

    rows, columns, _ = heif(data)
    small = data
    for _ in range(data.count(b"ispe")):
        place = small.index(b"ispe") + 8
        small = small[: place - 4] + b"\0\0\0\0" + struct.pack(">II", 1, 1) + small[place + 8 :]
        small = small.replace(b"ispe", b"ISPE", 1)
    assert 24 <= rows <= 64
    assert 40 <= columns <= 64
    assert heif(small)[0] >= 24


def test_boxes_of_every_form_are_walked() -> None:
    """A box may have a length of 64 bits, or reach to the end of the file."""
    long = struct.pack(">I4sQ", 1, b"long", 19) + b"abc"
    last = struct.pack(">I4s", 0, b"last") + b"de"
    data = box(b"free", b"x") + long + last

    kinds = [(kind, data[start:end]) for kind, start, end in boxes(data, 0, len(data))]

    assert kinds == [(b"free", b"x"), (b"long", b"abc"), (b"last", b"de")]


def test_damaged_boxes_are_refused_at_once() -> None:
    """A box shorter than its head, a million boxes, and items that share their data are refused."""
    start = box(b"ftyp", b"avif\0\0\0\0avif")
    entry = struct.pack(">HHHII", 1, 0, 1, 0, 4000)
    contents = b"\0\0\0\0\x44\0" + struct.pack(">H", 300) + entry * 300
    many = start + box(b"free", b"") * 1_000_000
    sharing = box(b"iloc", contents)
    with pytest.raises(PictureError):
        checked(start + struct.pack(">I4s", 4, b"meta"))
    with pytest.raises(PictureError):
        list(boxes(many, 0, len(many)))
    with pytest.raises(PictureError):
        list(items(sharing, 0, len(sharing)))


def test_every_beginning_of_a_file_is_answered() -> None:
    """A file that is cut anywhere, or whose bytes are changed, gives a claim or a PictureError."""
    data = save("AVIF", corner())
    rng = np.random.default_rng(0)
    for length in range(12, len(data)):
        changed = bytearray(data)
        changed[int(rng.integers(12, len(data)))] ^= int(rng.integers(1, 256))
        for damaged in (data[:length], bytes(changed)):
            try:
                checked(damaged)
            except PictureError:
                continue
