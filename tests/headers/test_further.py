"""Whether a file has further frames, which is said because only the first is read."""

from __future__ import annotations

import io
import zlib

import pytest
from PIL import Image

from inkfold.headers.further import has_further_frames
from inkfold.picture import decode
from tests.worlds.drawn_pictures import corner, encode, save
from tests.worlds.hostile_pictures import chunk, head


def frames(name: str, count: int) -> bytes:
    """A file of so many frames, all different."""
    pictures = [Image.fromarray(corner() // (number + 1)) for number in range(count)]
    file = io.BytesIO()
    pictures[0].save(file, name, save_all=True, append_images=pictures[1:])
    return file.getvalue()


@pytest.mark.parametrize("name", ["GIF", "PNG", "WEBP", "AVIF", "TIFF"])
def test_an_animation_is_told_from_a_picture(name: str) -> None:
    """Of two frames the second is noticed; a file of one frame has none, in every format."""
    assert has_further_frames(frames(name, 2))
    assert not has_further_frames(frames(name, 1))
    assert not has_further_frames(save(name, corner()))


@pytest.mark.parametrize("ending", [".jpg", ".bmp", ".pgm", ".webp"])
def test_other_formats_have_one_frame(ending: str) -> None:
    """A file in a format without animations has no further frame."""
    assert not has_further_frames(encode(ending, corner()))


def test_damage_behind_the_first_frame_is_no_error() -> None:
    """Every beginning of an animated file is answered without an error."""
    for name in ("GIF", "PNG", "WEBP", "AVIF", "TIFF"):
        data = frames(name, 2)
        for length in range(2, len(data)):
            has_further_frames(data[:length])


def test_the_letters_of_a_chunk_among_the_pixels_mean_nothing() -> None:
    """A PNG file whose pixels happen to spell the mark of an animation is a picture."""
    letters = zlib.compress(b"\0acTLeXIf" * 8, level=0)  # stored as they are
    data = head(8, 8) + chunk(b"IDAT", letters) + chunk(b"IEND", b"")

    assert not has_further_frames(data)
    assert decode(data).tolist() == [list(b"acTLeXIf")] * 8
