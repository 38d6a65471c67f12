"""npz: KMNIST and Kuzushiji-49 as they are published, one array ``arr_0`` in each file.

Files of other names are read by `npz_arrays`.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np

from inkfold.errors import InkfoldError
from inkfold.importers import npz_arrays
from inkfold.importers.arrays import Part, Stream, labelled
from inkfold.importers.class_maps import map_beside
from inkfold.importers.collection import Collection
from inkfold.importers.files import find, identities, one_set
from inkfold.importers.npy import npy_stream

NAMES = re.compile(
    r"(?P<name>.*?)[-_]?(?P<split>train|test)?[-_]?(?P<kind>imgs|labels)\.npz", re.IGNORECASE
)
EXPECTED = "X-train-imgs.npz and X-train-labels.npz, X-test-... too"
INSIDE = "arr_0.npy"


def recognise(source: Path) -> str | None:
    """Why `source` seems to be the Kuzushiji sets' npz files; None if it does not."""
    for side in find(source, NAMES):
        path = side.files.get("imgs")
        if path and zipfile.is_zipfile(path):
            return f"{path.name} is named as the Kuzushiji sets' files are and is a zip"
    return npz_arrays.recognise(source)


def read(source: Path, label_column: str | None = None) -> Collection:
    """Make a set of the pairs of files at `source`, or of the arrays in files of other names.

    Parameters
    ----------
    source : Path
    label_column : str, optional
        The array of the labels, in files of other names.

    Raises
    ------
    InkfoldError
        If there are no such files or those of several sets, or a file is torn.
    """
    sides = find(source, NAMES)
    if label_column is not None or (not sides and npz_arrays.files_at(source)):
        return npz_arrays.read(source, label_column)
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
    stream = npy_stream(path, INSIDE)
    if stream.dtype != np.uint8 or len(stream.shape) != dimensions:
        raise InkfoldError(
            f"{path}: {INSIDE} is {stream.dtype} of shape {stream.shape}, expected uint8 of "
            f"{dimensions} dimension{'s' if dimensions > 1 else ''}, row by row"
        )
    return stream
