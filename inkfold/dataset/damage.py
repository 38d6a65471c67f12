"""Damage of a dataset file, told in one line: the file, the place in it, and what to do.

h5py and igzip answer damage with errors of a dozen types, some of them only when a chunk is read.
`reading` translates them all, and `Stored` is an array that reads itself so. `check_layout` and
`check_labels` are what opening a file checks of format 1 (docs/formats.md): attributes, names,
types, shapes and labels, which are read in any case. `inkfold check` reads all the rest.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.program import typed
from inkfold.records import PROVENANCE, check_fields, parsed
from inkfold.spec import SPLITS, ImageSpec

NEEDED = ("images", "labels", "source", "digest")
TYPES = {
    "images": "uint8",
    "labels": "int32",
    "digest": "uint8",
    "origin": "int64",
    "copy": "int32",
}
TEXTS = ("source", "group")
DENSEST = 1100  # bytes that deflate makes of one at the most: 1,032, and some room
SLACK = 1 << 20  # bytes that an array may have in any file: a chunk holds 256 rows, written or not


def _advice() -> str:
    return f"restore it from a copy, or pack it again with: {typed('create_dataset')} FOLDER"


def damaged(path: Path | str, place: str, found: str) -> InkfoldError:
    """The error about a damaged dataset: the file, the place in it, what was found, what to do."""
    return InkfoldError(f"{path}: {place}: {found}; {_advice()}")


@contextmanager
def reading(path: Path | str, place: str) -> Iterator[None]:
    """Translate whatever h5py or igzip raise within the block, which calls nothing else.

    Parameters
    ----------
    path : Path or str
    place : str
        The part of the file that is read, as "/train/images".

    Raises
    ------
    InkfoldError
        If the part cannot be read.
    """
    try:
        yield
    except InkfoldError:
        raise
    except MemoryError:
        raise damaged(path, place, "more bytes than there is memory for") from None
    except Exception as error:  # damage comes as any type: OSError, KeyError, ValueError ...
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            raise  # the file is whole, this process has too many open
        raise damaged(path, place, f"cannot be read ({reason(error)})") from None


def close(file: h5py.File) -> None:
    """Close a file that was read, unless it is closed already.

    Raises
    ------
    InkfoldError
        If the disk reports a fault even then, as a file system of a network does.
    """
    if file:
        with reading(file.filename, "its end"):
            file.close()


def reason(error: Exception) -> str:
    """The first line of an error's message, without what a terminal would act on."""
    text = str(error).strip() or type(error).__name__
    return "".join(c if c.isprintable() else " " for c in text.splitlines()[0])[:200]


class Stored(h5py.Dataset):  # type: ignore[misc]  # h5py has no types
    """An array of a dataset file whose damage is an `InkfoldError` when it is read.

    A selection that is a mistake of the caller raises what h5py raises for it.
    """

    def __init__(self, array: h5py.Dataset, path: Path) -> None:
        super().__init__(array.id)
        self._path, self._place = path, str(array.name)

    def __getitem__(self, selection: Any, new_dtype: Any = None) -> Any:  # noqa: ANN401, h5py's signature
        """What h5py reads."""
        try:
            return super().__getitem__(selection, new_dtype=new_dtype)
        except (OSError, RuntimeError, SystemError, MemoryError) as error:
            with reading(self._path, self._place):
                raise error from None
        return None


def check_layout(path: Path, file: h5py.File, shards: int | None = None) -> None:
    """Refuse a file whose attributes or arrays differ from format 1.

    Of the arrays only names, types, shapes and sizes are looked at, not their content.

    Parameters
    ----------
    path : Path
    file : h5py.File
    shards : int, optional
        Bytes of the shards that hold the arrays, where `file` is an index.

    Raises
    ------
    InkfoldError
        Naming the first attribute or array that differs.
    """
    with reading(path, "its list of arrays"):
        _check_arrays(path, file, shards)
    with reading(path, "its attributes"):
        spec, provenance = file.attrs["spec"], file.attrs["provenance"]
    try:
        size = ImageSpec.from_json(spec).size
    except InkfoldError as error:
        raise InkfoldError(f"{path}: its attribute spec: {error}") from None
    place = f"{path}: its attribute provenance"
    advice = _advice()
    check_fields(parsed(provenance, place, advice), PROVENANCE, place=place, advice=advice)
    for split in SPLITS:
        shape = file[split]["images"].shape[1:]
        if shape != (size, size):
            found = f"pictures of {shape}, the spec says {(size, size)}"
            raise damaged(path, f"/{split}/images", found)


def check_classes(path: Path, classes: Sequence[str]) -> None:
    """Refuse two classes of one name, with an `InkfoldError`."""
    if len(set(classes)) != len(classes):
        twice = next(name for name in classes if classes.count(name) > 1)
        raise damaged(path, "/classes", f"holds {twice!a} twice, expected each name once")


def check_labels(path: Path, split: str, classes: int, labels: Iterable[NDArray[np.int32]]) -> None:
    """Refuse labels of a split that no class has.

    Parameters
    ----------
    path : Path
    split : str
    classes : int
        How many there are.
    labels : iterable of int32 arrays
        All labels, in pieces.

    Raises
    ------
    InkfoldError
        Naming the first row with such a label.
    """
    start = 0
    for numbers in labels:
        lowest, highest = numbers.min(initial=0), numbers.max(initial=-1)
        if lowest < 0 or highest >= classes:
            at = int(np.flatnonzero((numbers < 0) | (numbers >= classes))[0])
            found = f"row {start + at} has label {numbers[at]}, expected 0 to {classes - 1}"
            raise damaged(path, f"/{split}/labels", found)
        start += len(numbers)


def _check_arrays(path: Path, file: h5py.File, shards: int | None) -> None:
    names = ["classes"] + [f"{split}/{name}" for split in SPLITS for name in NEEDED]
    missing = [name for name in names if name not in file]
    if missing:
        raise InkfoldError(f"{path}: {missing[0]} is missing; pack it again")
    size = path.stat().st_size
    classes = _array(path, file, "classes", size)
    if not _is_text(classes) or classes.ndim != 1:
        raise damaged(path, "/classes", f"{classes.dtype} {classes.shape}, expected strings (C,)")
    for split in SPLITS:
        _check_split(path, file, split, size, shards)


def _check_split(path: Path, file: h5py.File, split: str, size: int, shards: int | None) -> None:
    names = [n for n in (*NEEDED, "group", "origin", "copy") if f"{split}/{n}" in file]
    arrays = {name: _array(path, file, f"{split}/{name}", size, shards=shards) for name in names}
    for name, array in arrays.items():
        if name in TEXTS and (not _is_text(array) or array.ndim != 1):
            found = f"{array.dtype} {array.shape}, expected strings (N,)"
            raise damaged(path, f"/{split}/{name}", found)
        dimensions = {"images": 3, "digest": 2}.get(name, 1)
        if name in TYPES and (array.dtype != TYPES[name] or array.ndim != dimensions):
            found = (
                f"{array.dtype} {array.shape}, expected {TYPES[name]} in {dimensions} dimensions"
            )
            raise damaged(path, f"/{split}/{name}", found)
    rows = {name: len(array) for name, array in arrays.items()}
    if len(set(rows.values())) != 1:
        raise InkfoldError(f"{path}: /{split} holds arrays of different lengths {rows}; pack again")
    if arrays["digest"].shape[1] != 16:
        width = arrays["digest"].shape[1]
        raise damaged(path, f"/{split}/digest", f"{width} bytes a row, expected 16")
    if ("origin" in arrays) != ("copy" in arrays):
        raise damaged(path, f"/{split}", "one of origin and copy without the other")


def _array(
    path: Path, file: h5py.File, name: str, size: int, *, shards: int | None = None
) -> h5py.Dataset:
    """An array of the file; none that lies in another file, or is larger than the file can hold.

    Arrays of an index lie in its shards, of `shards` bytes; they are read there alone.
    """
    array = file[name]
    if not isinstance(array, h5py.Dataset):
        raise damaged(path, f"/{name}", "a folder, expected an array")
    in_shards = bool(array.is_virtual) and shards is not None
    if array.file.id != file.id or (array.is_virtual and not in_shards) or array.external:
        raise damaged(path, f"/{name}", "lies in another file, which format 1 does not allow")
    if in_shards:
        size += shards or 0
    if array.shape is None or array.dtype.itemsize * int(np.prod(array.shape, dtype=object)) > (
        DENSEST * size + SLACK
    ):
        raise damaged(path, f"/{name}", f"shape {array.shape}, more than the file can hold")
    return array


def _is_text(array: h5py.Dataset) -> bool:
    return h5py.check_string_dtype(array.dtype) is not None
