"""A dataset as files of plain arrays: one .npz of NumPy, or pairs of IDX files as MNIST has them.

Ink is high on paper 0, as in the dataset. Arrays are written as they are read, 256 rows at a time.
"""

from __future__ import annotations

import csv
import io
import struct
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from inkfold.dataset.export_rows import Rows
from inkfold.dataset.reader import Dataset
from inkfold.dataset.split import Split
from inkfold.errors import InkfoldError

NPZ = "dataset.npz"
LABEL = np.dtype("<i8")
IDX_NAMES = {"train": "train", "validation": "validation", "test": "t10k"}  # MNIST's own names
CLASSES, CLASS_MAP = "classes.txt", "classmap.csv"
MOST = 256  # classes, where a label is one byte


def write_npz(folder: Path, dataset: Dataset, splits: Sequence[Split], rows: Rows) -> None:
    """Write ``dataset.npz``: x_SPLIT and y_SPLIT of each split, and the names of the classes.

    x is uint8 (N, H, W), y int64 (N,), ``classes`` an array of texts: `numpy.load` needs no pickle.
    """
    with zipfile.ZipFile(folder / NPZ, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for split in splits:
            labels = split.labels[split.originals]
            shape = len(labels), *split.images.shape[1:]
            with _array(archive, f"x_{split.name}", np.dtype(np.uint8), shape) as images:
                for chunk in rows(split):
                    images.write(chunk.images.tobytes())
            with _array(archive, f"y_{split.name}", LABEL, labels.shape) as numbers:
                numbers.write(labels.astype(LABEL).tobytes())
        names = np.array(dataset.classes)
        with _array(archive, "classes", names.dtype, names.shape) as texts:
            texts.write(names.tobytes())


@contextmanager
def _array(
    archive: zipfile.ZipFile, name: str, dtype: np.dtype[np.generic], shape: tuple[int, ...]
) -> Iterator[IO[bytes]]:
    """An array of an .npz file: its header is written, its numbers are to be written row by row."""
    described = np.lib.format.dtype_to_descr(dtype)
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        header = {"descr": described, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        yield file


def check_idx(dataset: Dataset) -> None:
    """Refuse classes that IDX and the list beside it cannot hold.

    Raises
    ------
    InkfoldError
        If there are more than 256, or a name holds a line end.
    """
    if len(dataset.classes) > MOST:
        raise InkfoldError(
            f"{dataset.path}: {len(dataset.classes):,} classes, and the labels of IDX are bytes, "
            f"which tell {MOST} apart; take --format npz or parquet"
        )
    for name in dataset.classes:
        if "\n" in name or "\r" in name:
            raise InkfoldError(
                f"{dataset.path}: the class {name!r} holds a line end, which separates names in "
                f"{CLASSES}; take --format npz or parquet"
            )


def write_idx(folder: Path, dataset: Dataset, splits: Sequence[Split], rows: Rows) -> None:
    """Write MNIST's pairs of files, of splits that have pictures, and the names of the classes.

    ``classes.txt`` has a name a line, in label order; ``classmap.csv`` is a class map as KMNIST has
    it, by which `importers.idx` names the classes.
    """
    for split in splits:
        labels = split.labels[split.originals]
        if not len(labels):
            continue
        name = IDX_NAMES[split.name]
        with (folder / f"{name}-images-idx3-ubyte").open("wb") as file:
            file.write(struct.pack(">4I", 0x803, len(labels), *split.images.shape[1:]))
            for chunk in rows(split):
                file.write(chunk.images.tobytes())
        head = struct.pack(">2I", 0x801, len(labels))
        path = folder / f"{name}-labels-idx1-ubyte"
        path.write_bytes(head + labels.astype(np.uint8).tobytes())
    lines = "".join(f"{name}\n" for name in dataset.classes)
    (folder / CLASSES).write_text(lines, encoding="utf-8", newline="")
    (folder / CLASS_MAP).write_text(_class_map(dataset.classes), encoding="utf-8", newline="")


def _class_map(classes: Sequence[str]) -> str:
    """Label, code points and name of each class; for programs, so that no name is changed."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("index", "codepoint", "char"))
    for label, name in enumerate(classes):
        writer.writerow((label, " ".join(f"U+{ord(sign):04X}" for sign in name), name))
    return table.getvalue()
