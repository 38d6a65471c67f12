"""npz: KMNIST and Kuzushiji-49 as they are published, one array ``arr_0`` in each file."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np

from inkfold.errors import InkfoldError
from inkfold.importers.arrays import AGAIN, DAMAGE, Part, Stream, labelled
from inkfold.importers.class_maps import map_beside
from inkfold.importers.collection import Collection
from inkfold.importers.files import find, identities, one_set

NAMES = re.compile(
    r"(?P<name>.*?)[-_]?(?P<split>train|test)?[-_]?(?P<kind>imgs|labels)\.npz", re.IGNORECASE
)
EXPECTED = "X-train-imgs.npz and X-train-labels.npz, X-test-... too"
INSIDE = "arr_0.npy"
UNREADABLE: tuple[type[Exception], ...] = (ValueError, *DAMAGE)
# what zipfile raises where it opens a damaged file; the second and third where a damaged entry
# seems to be compressed in an unknown way, or encrypted
NOT_A_ZIP: tuple[type[Exception], ...] = (
    *(ValueError, NotImplementedError, RuntimeError, struct.error),
    *DAMAGE,
)


def recognise(source: Path) -> str | None:
    """Why `source` seems to be the Kuzushiji sets' npz files; None if it does not."""
    for side in find(source, NAMES):
        path = side.files.get("imgs")
        if path and zipfile.is_zipfile(path):
            return f"{path.name} is named as the Kuzushiji sets' files are and is a zip"
    return None


def read(source: Path) -> Collection:
    """Make a set of the pairs of files at `source`.

    Raises
    ------
    InkfoldError
        If there are no such files or those of several sets, or a file is torn.
    """
    sides = find(source, NAMES)
    name = one_set(source, sides, ("imgs", "labels"), EXPECTED)
    files = identities(sides)
    parts = [
        Part(
            images=_stream(side.files["imgs"], 3),
            labels=_stream(side.files["labels"], 1),
            split=side.split,
        )
        for side in sides
    ]
    folder = parts[0].images.path.parent
    names = map_beside(folder, f"{name}_classmap.csv")
    return labelled(name.lower(), parts, names, files=files)


def _stream(path: Path, dimensions: int) -> Stream:
    """Read the header of the array in a file; raises InkfoldError if it is not as expected."""
    with _opened(path) as file:
        try:
            version = np.lib.format.read_magic(file)
            reader = {(1, 0): np.lib.format.read_array_header_1_0}.get(
                version, np.lib.format.read_array_header_2_0
            )
            shape, by_columns, dtype = reader(file)
        except UNREADABLE as error:
            raise InkfoldError(f"{path}: {INSIDE} is no NumPy array ({error}); {AGAIN}") from None
        start = file.tell()
    if dtype != np.uint8 or len(shape) != dimensions or (by_columns and dimensions > 1):
        raise InkfoldError(
            f"{path}: {INSIDE} is {dtype} of shape {shape}, expected uint8 of {dimensions} "
            f"dimension{'s' if dimensions > 1 else ''}, row by row"
        )
    return Stream(path=path, opened=partial(_opened, path), start=start, shape=shape)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open the array in a zip file, at the array's first byte."""
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
            names = archive.namelist()
            file = stack.enter_context(archive.open(INSIDE)) if INSIDE in names else None
        except NOT_A_ZIP as error:
            raise InkfoldError(f"{path}: a damaged zip, or none ({error}); {AGAIN}") from None
        if file is None:
            raise InkfoldError(f"{path}: holds {names[:5]}, expected {INSIDE}; {AGAIN}")
        yield file
