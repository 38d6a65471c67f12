"""IDX: MNIST, Fashion-MNIST and KMNIST as they are published, compressed with gzip or not."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from inkfold.errors import InkfoldError
from inkfold.importers.arrays import AGAIN, Part, Stream, head, is_gzip, labelled, opened, take
from inkfold.importers.class_maps import map_beside
from inkfold.importers.collection import Collection
from inkfold.importers.files import SideFiles, find, identities, one_set

PICTURES, LABELS = 0x00000803, 0x00000801  # unsigned bytes of three and of one dimension
NAMES = re.compile(
    r"(?P<name>.*?)(?:(?:^|[-_])(?P<split>train|validation|t10k|test))?[-_.]?(?P<kind>images|labels)"
    r"[-._]idx[13][-._]ubyte(\.gz)?",
    re.IGNORECASE,
)
EXPECTED = "train-images-idx3-ubyte and train-labels-idx1-ubyte, t10k-... too, each may end in .gz"


def recognise(source: Path) -> str | None:
    """Why `source` seems to be IDX, but not EMNIST's; None if it does not."""
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
        If there are no such files or those of several sets, or a file is torn or does not hold what
        its name says.
    """
    sides = find(source, NAMES)
    name = one_set(source, sides, ("images", "labels"), EXPECTED)
    if any(_is_emnist(side.name) for side in sides):
        raise InkfoldError(
            f"{source}: EMNIST's files hold their pictures transposed, and their classes in a "
            "mapping; import them as emnist"
        )
    files = identities(sides)
    parts = idx_parts(sides)
    folder = parts[0].images.path.parent
    names = map_beside(folder, "kmnist_classmap.csv", "classmap.csv")
    return labelled(name, parts, names, files=files)


def looks_like(path: Path, magic: int) -> bool:
    """Whether a file's content, compressed or not, begins with the magic number."""
    return head(path, 4) == struct.pack(">I", magic)


def _is_emnist(name: str) -> bool:
    return name.lower().startswith("emnist")


def idx_parts(sides: Sequence[SideFiles]) -> list[Part]:
    """The pictures and labels of each side; raises what `idx_stream` raises."""
    return [
        Part(
            images=idx_stream(side.files["images"], PICTURES),
            labels=idx_stream(side.files["labels"], LABELS),
            split=side.split,
        )
        for side in sides
    ]


def idx_stream(path: Path, magic: int) -> Stream:
    """Read the header of an IDX file.

    Raises
    ------
    InkfoldError
        If the magic number differs, the file ends inside its header, or, for a file that is not
        compressed, its length differs from what the header says.
    """
    with opened(path) as file:
        number = int.from_bytes(take(file, path, 0, 4), "big")
        if number != magic:
            raise InkfoldError(
                f"{path}: magic number 0x{number:08X} at byte 0, expected 0x{magic:08X} for "
                f"{'pictures' if magic == PICTURES else 'labels'} in bytes; is it an IDX file?"
            )
        dimensions = magic & 0xFF
        shape = struct.unpack(f">{dimensions}I", take(file, path, 4, 4 * dimensions))
    start = 4 + 4 * dimensions
    if dimensions == 3 and not all(shape[1:]):
        raise InkfoldError(f"{path}: pictures of {shape[1]} x {shape[2]} pixels at byte 8; {AGAIN}")
    _check_length(path, start, shape)
    return Stream(path=path, opened=partial(opened, path), start=start, shape=shape)


def _check_length(path: Path, start: int, shape: tuple[int, ...]) -> None:
    """Refuse a file, unless compressed, whose length differs from what its header says."""
    size, expected = path.stat().st_size, start + math.prod(shape)
    if size != expected and not is_gzip(path):
        raise InkfoldError(
            f"{path}: {size:,} bytes, but its header tells of {shape[0]:,} records, which end at "
            f"byte {expected:,}; {AGAIN}"
        )
