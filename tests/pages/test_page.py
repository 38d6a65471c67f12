"""Pages that are whole or not written, and their pictures, read back by OpenCV."""

from __future__ import annotations

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest
from jinja2 import UndefinedError
from numpy.typing import NDArray

from inkfold.dataset.reader import open_dataset
from inkfold.pages.page import RULE, cells, data_uris, png, sprites, write_page
from tests.worlds.bands import picture, write_dataset


def decode(data: bytes) -> NDArray[np.uint8]:
    """A PNG file's pixels as ink."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    return (255 - pixels).astype(np.uint8)


def content(address: str) -> bytes:
    """The file in a ``data:`` address."""
    return base64.b64decode(address.split(",")[1])


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (40, 32)])
def test_ink_is_dark_and_comes_back(shape: tuple[int, int]) -> None:
    """8 bits keep every grey; 4 bits keep paper and ink, and the nearest of 16 greys between."""
    ink = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)

    assert np.array_equal(decode(png(ink)), ink)
    rounded = decode(png(ink, bits=4)).astype(int)
    assert np.abs(rounded - ink).max() <= 8
    for level in (0, 255):
        flat = np.full(shape, level, np.uint8)
        assert np.array_equal(decode(png(flat, bits=4)), flat)


def test_tiles_of_a_cell_stand_in_reading_order_with_a_line_between() -> None:
    """Four tiles, two in a row, become two rows with a line of one pixel between all of them."""
    tiles = np.stack([np.full((2, 3), value, np.uint8) for value in (1, 2, 3, 4)])[None]
    r = RULE

    assert cells(tiles, 2).tolist() == [
        [
            [1, 1, 1, r, 2, 2, 2],
            [1, 1, 1, r, 2, 2, 2],
            [r, r, r, r, r, r, r],
            [3, 3, 3, r, 4, 4, 4],
            [3, 3, 3, r, 4, 4, 4],
        ]
    ]


def test_a_sprite_holds_a_hundred_cells_one_below_the_other() -> None:
    """230 cells make three sprites, and cell 117 is the eighteenth of the second."""
    laid = np.random.default_rng(0).integers(0, 256, (230, 4, 6)).astype(np.uint8)
    decoded = [decode(content(address)) for address in sprites(laid)]

    assert [sprite.shape for sprite in decoded] == [(400, 6), (400, 6), (120, 6)]
    assert np.array_equal(decoded[1][17 * 4 : 18 * 4], laid[117])


def test_pictures_come_in_the_order_asked_for(tmp_path: Path) -> None:
    """HDF5 takes rows in rising order only; a caller may ask in any order, and twice for one."""
    write_dataset(tmp_path / "d.h5", {"test": ((0, 1, 2, 3), (0, 1, 2, 3))})

    with open_dataset(tmp_path / "d.h5") as dataset:
        addresses = data_uris(dataset.test.images, np.array([3, 0, 3]))
        assert data_uris(dataset.test.images, np.array([], np.int64)) == []

    assert addresses[0] == addresses[2] != addresses[1]
    assert np.array_equal(decode(content(addresses[1])), picture(0))


def test_a_page_that_lacks_a_figure_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that the template needs and the caller forgot is an error; text is escaped."""
    monkeypatch.setattr("inkfold.pages.page.TEMPLATES", tmp_path)
    (tmp_path / "page.css").write_text("p { color: red }")
    (tmp_path / "t.html.j2").write_text("<style>{{ style }}</style><p>{{ figure }}</p>")

    with pytest.raises(UndefinedError, match="figure"):
        write_page(tmp_path / "p.html", "t.html.j2")
    assert not (tmp_path / "p.html").exists()
    write_page(tmp_path / "p.html", "t.html.j2", figure="a < b")
    assert (tmp_path / "p.html").read_text() == ("<style>p { color: red }</style><p>a &lt; b</p>")
