"""IDX: MNIST, Fashion-MNIST and KMNIST as they are published, compressed or not."""

from __future__ import annotations

import math
import re
import struct
from functools import partial
from pathlib import Path

from inkfold.errors import InkfoldError
from inkfold.importers.arrays import AGAIN, Part, Stream, head, labelled, opened, take
from inkfold.importers.class_maps import map_beside
from inkfold.importers.collection import Collection
from inkfold.importers.files import find, one_set

PICTURES, LABELS = 0x00000803, 0x00000801  # unsigned bytes of three and of one dimension
NAMES = re.compile(
    r"(?P<name>.*?)(?:(?:^|[-_])(?P<split>train|t10k|test))?[-_.]?(?P<kind>images|labels)"
    r"[-._]idx[13][-._]ubyte(\.gz)?",
    re.IGNORECASE,
)
EXPECTED = "train-images-idx3-ubyte and train-labels-idx1-ubyte, t10k-... too, each may end in .gz"


def looks_like(path: Path, magic: int) -> bool:
    """Whether a file, gzip or not, begins with the magic number."""
    return head(path, 4) == struct.pack(">I", magic)


def idx_stream(path: Path, magic: int) -> Stream:
    """Read the header of an IDX file.

    Raises
    ------
    InkfoldError
        If it has another magic number, or ends before its header does; if it is not compressed,
        also if its length is another than the header tells.
    """
    with opened(path) as file:
        found = int.from_bytes(take(file, path, 0, 4), "big")
        if found != magic:
            raise InkfoldError(
                f"{path}: magic number 0x{found:08X} at byte 0, expected 0x{magic:08X} for "
                f"{'pictures' if magic == PICTURES else 'labels'} in bytes; is it an IDX file?"
            )
        dimensions = magic & 0xFF
        shape = struct.unpack(f">{dimensions}I", take(file, path, 4, 4 * dimensions))
    start = 4 + 4 * dimensions
    if dimensions == 3 and not all(shape[1:]):
        raise InkfoldError(f"{path}: pictures of {shape[1]} x {shape[2]} pixels at byte 8; {AGAIN}")
    _check_length(path, start, shape)
    return Stream(path, partial(opened, path), start, shape)


def _check_length(path: Path, start: int, shape: tuple[int, ...]) -> None:
    """Before anything is read of a file that is not compressed."""
    with path.open("rb") as file:
        if file.read(2) == b"\x1f\x8b":
            return
    size, expected = path.stat().st_size, start + math.prod(shape)
    if size != expected:
        raise InkfoldError(
            f"{path}: {size:,} bytes, but its header tells of {shape[0]:,} records, which end at "
            f"byte {expected:,}; {AGAIN}"
        )


def recognise(source: Path) -> str | None:
    """Why `source` seems to be IDX, but not EMNIST's; None where it does not."""
    for side in find(source, NAMES):
        images = side.files.get("images")
        if images and not _is_emnist(side.name) and looks_like(images, PICTURES):
            return f"{images.name} begins as an IDX file of pictures does"
    return None


def read(source: Path) -> Collection:
    """Make a set of the pairs of files at `source`.

    Raises
    ------
    InkfoldError
        If there are none, or a file is torn or another than its name says.
    """
    found = find(source, NAMES)
    name = one_set(source, found, ("images", "labels"), EXPECTED)
    if any(_is_emnist(side.name) for side in found):
        raise InkfoldError(
            f"{source}: EMNIST's files hold their pictures transposed, and their classes in a "
            "mapping; import them as emnist"
        )
    parts = [
        Part(
            idx_stream(side.files["images"], PICTURES),
            idx_stream(side.files["labels"], LABELS),
            side.split,
        )
        for side in found
    ]
    folder = parts[0].images.path.parent
    return labelled(name, parts, map_beside(folder, "kmnist_classmap.csv", "classmap.csv"))


def _is_emnist(name: str) -> bool:
    return name.lower().startswith("emnist")
