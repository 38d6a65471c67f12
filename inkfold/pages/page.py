"""One self-contained HTML page: a template, its style, and every picture inside as data.

A page of thousands of pictures holds them as sprites: one PNG file for a hundred cells, of which
the page's style shows one at a time.
"""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inkfold.output import write_text

if TYPE_CHECKING:
    import h5py

CELLS = 100  # in one sprite, one below the other: browsers decode what is on the screen
RULE = 85  # ink of the line between tiles: a light grey that cannot be taken for a stroke
TEMPLATES = Path(__file__).parent / "templates"


def write_page(path: Path, template: str, **content: object) -> None:
    """Write the page that `render_page` makes."""
    write_text(path, render_page(template, **content))


def render_page(template: str, **content: object) -> str:
    """Fill in ``templates/TEMPLATE`` with `content`.

    Text is escaped for HTML; a name that the template needs and `content` lacks is an error. The
    template finds the shared style sheet as `style`.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    return environment.get_template(template).render(content, style=style)


def data_uris(images: h5py.Dataset, rows: NDArray[np.int64]) -> list[str]:
    """The pictures of some rows as PNG in ``data:`` addresses, dark ink on white paper.

    Parameters
    ----------
    images : h5py.Dataset
        The images of a split, uint8 (N, H, W).
    rows : int64 array of shape (n,)
        In any order.

    Returns
    -------
    addresses : list of str, length n
    """
    if not len(rows):
        return []
    unique, places = np.unique(rows, return_inverse=True)
    chosen = images[unique]  # HDF5 takes rows in rising order only
    addresses = [png_uri(255 - image) for image in chosen]
    return [addresses[place] for place in places.tolist()]


def png_uri(image: NDArray[np.uint8]) -> str:
    """A grey picture, uint8 (H, W), as a ``data:`` address."""
    import cv2

    encoded = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1]
    return data_uri(encoded.tobytes(), "image/png")


def data_uri(content: bytes, kind: str) -> str:
    """A file's bytes as a ``data:`` address; `kind` is its media type."""
    return f"data:{kind};base64,{b64encode(content).decode('ascii')}"


def sprites(cells: NDArray[np.uint8], *, bits: int = 8) -> list[str]:
    """Cells, uint8 (n, h, w), as ``data:`` addresses of PNG files with 100 cells in each."""
    parts = [cells[start : start + CELLS] for start in range(0, len(cells), CELLS)]
    return [
        data_uri(png(part.reshape(-1, part.shape[2]), bits=bits), "image/png") for part in parts
    ]


def cells(tiles: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """Lay the tiles of each cell side by side, with a line of one pixel between them.

    Parameters
    ----------
    tiles : uint8 (n, k, H, W)
        `k` is a multiple of `columns`.
    columns : int
        Tiles in a row of a cell.

    Returns
    -------
    cells : uint8 (n, rows * (H + 1) - 1, columns * (W + 1) - 1)
        ``rows = k / columns``.
    """
    n, k, height, width = tiles.shape
    rows = k // columns
    ruled = np.pad(tiles, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=RULE)
    laid = ruled.reshape(n, rows, columns, height + 1, width + 1).transpose(0, 1, 3, 2, 4)
    return laid.reshape(n, rows * (height + 1), columns * (width + 1))[:, :-1, :-1]


def png(ink: NDArray[np.uint8], *, bits: int = 8) -> bytes:
    """A grey PNG file, dark ink on white paper.

    Parameters
    ----------
    ink : uint8 (H, W)
        0 = paper, 255 = ink.
    bits : {4, 8}
        With 4 bits there are 16 greys, and the file is less than half as large.
    """
    grey = 255 - ink
    height, width = grey.shape
    if bits == 4:
        grey = _pairs(grey)
    rows = np.pad(grey, ((0, 0), (1, 0)))  # each row begins with the number of its filter: 0, none
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    body = zlib.compress(np.ascontiguousarray(rows).tobytes(), 9)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", body), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _pairs(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pack two pixels of 16 greys into a byte, the left one first."""
    levels = ((grey.astype(np.uint16) + 8) // 17).astype(np.uint8)
    even = np.pad(levels, ((0, 0), (0, levels.shape[1] % 2)))
    return np.asarray(even[:, 0::2] << 4 | even[:, 1::2], np.uint8)


def _chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file: length, name, data, checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
