"""The arrays in an npz file, each in NumPy's own format in a zip, read from front to back."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tokenize import TokenError
from typing import IO

import numpy as np

from inkfold.errors import InkfoldError
from inkfold.importers.arrays import AGAIN, DAMAGE, Stream

# NumPy cuts a header that is no dict into tokens, as if Python 2 had written it
UNREADABLE: tuple[type[Exception], ...] = (ValueError, TypeError, SyntaxError, TokenError, *DAMAGE)
# what zipfile raises where it opens a damaged file; the second and third where a damaged entry
# seems to be compressed in an unknown way, or encrypted
NOT_A_ZIP: tuple[type[Exception], ...] = (
    *(ValueError, NotImplementedError, RuntimeError, struct.error),
    *DAMAGE,
)


def npy_names(path: Path) -> list[str]:
    """The arrays in an npz file, with the ending .npy; raises InkfoldError if it is no zip."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [name for name in archive.namelist() if name.endswith(".npy")]
    except NOT_A_ZIP as error:
        raise InkfoldError(f"{path}: a damaged zip, or none ({error}); {AGAIN}") from None


def npy_stream(path: Path, inside: str) -> Stream:
    """Read the header of the array `inside` a file.

    Raises
    ------
    InkfoldError
        If there is no such array, or it is stored column by column.
    """
    with _opened(path, inside) as file:
        try:
            version = np.lib.format.read_magic(file)
            reader = {(1, 0): np.lib.format.read_array_header_1_0}.get(
                version, np.lib.format.read_array_header_2_0
            )
            shape, by_columns, dtype = reader(file)
        except UNREADABLE as error:
            raise InkfoldError(f"{path}: {inside} is no NumPy array ({error}); {AGAIN}") from None
        start = file.tell()
    if by_columns and len(shape) > 1:
        raise InkfoldError(
            f"{path}: {inside} is {dtype} of shape {shape}, stored column by column, expected row "
            "by row; save it with numpy.ascontiguousarray"
        )
    return Stream(
        path=path, opened=partial(_opened, path, inside), start=start, shape=shape, dtype=dtype
    )


@contextmanager
def _opened(path: Path, inside: str) -> Iterator[IO[bytes]]:
    """Open the array in a zip file, at the array's first byte."""
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
            names = archive.namelist()
            file = stack.enter_context(archive.open(inside)) if inside in names else None
        except NOT_A_ZIP as error:
            raise InkfoldError(f"{path}: a damaged zip, or none ({error}); {AGAIN}") from None
        if file is None:
            raise InkfoldError(f"{path}: holds {names[:5]}, expected {inside}; {AGAIN}")
        yield file
