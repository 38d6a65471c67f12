"""A JPEG 2000 file claims the size of its grid, in one way."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from inkfold.errors import PictureError
from inkfold.headers.checked import checked
from inkfold.headers.jpeg2000 import codestream, jp2
from inkfold.picture import decode
from tests.worlds.drawn_pictures import corner, save
from tests.worlds.hostile_pictures import jpeg_2000


def test_the_size_is_that_of_the_codestream() -> None:
    """Rows and columns are the grid's, in boxes and without them."""
    assert jp2(save("JPEG2000", corner()))[:2] == (24, 40)
    assert codestream(save("JPEG2000", corner(), no_jp2=True))[:2] == (24, 40)


def test_a_header_of_another_size_is_refused() -> None:
    """A box that claims another size than the codestream is refused, by the reason of damage."""
    data = save("JPEG2000", corner())
    place = data.index(b"ihdr") + 4

    with pytest.raises(PictureError, match="truncated or not a picture"):
        decode(data[:place] + struct.pack(">II", 30_000, 30_000) + data[place + 8 :])


def test_small_blocks_and_tiles_take_memory() -> None:
    """The claim of memory grows with the number of tiles."""
    one, many = (codestream(jpeg_2000(1024, 1, side)) for side in (1024, 16))

    assert many[2] > one[2] + 4095 * 1024


def test_damage_in_any_byte_is_answered() -> None:
    """A file that is cut anywhere, or with a byte changed, gives a claim or a PictureError."""
    data = save("JPEG2000", corner())
    rng = np.random.default_rng(0)
    for length in range(2, len(data)):
        changed = bytearray(data)
        changed[int(rng.integers(2, len(data)))] ^= int(rng.integers(1, 256))
        for damaged in (data[:length], bytes(changed)):
            try:
                checked(damaged)
            except PictureError:
                continue
