"""Texts and records that are too many for memory, in scratch files."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from inkfold.packing.large_arrays import Rows, batches, taken

BATCH = 4096
STEP = 16  # the place of every 16th text is kept in memory: half a byte for each text


class Spool:
    """Texts without zero bytes in a scratch file, in the order in which they were appended.

    Append all, then read.

    Parameters
    ----------
    path : Path
        Of the scratch file.

    Attributes
    ----------
    order : array of row numbers of shape (N,), optional
        Once it is set, number `i` is the text that was appended as number ``order[i]``.
    """

    def __init__(self, path: Path) -> None:
        self._write = path.open("wb")
        self._read = path.open("rb", buffering=0)  # seeks must not read whole buffers
        self._count = 0
        self._end = 0
        self._places = array("q")
        self.order: Rows | None = None

    def __len__(self) -> int:
        return self._count

    def append(self, text: bytes) -> None:
        """Add a text at the end."""
        if self._count % STEP == 0:
            self._places.append(self._end)
        self._end += self._write.write(text + b"\0")
        self._count += 1

    def __getitem__(self, at: int) -> bytes:
        """The text number `at`, from 0."""
        place = at if self.order is None else int(self.order[at])
        return self.read(place, place + 1)[0]

    def read(self, start: int, stop: int) -> list[bytes]:
        """The texts appended as number `start` to before `stop`, fewer at the end."""
        self._write.flush()
        skipped, after = start % STEP, -(-stop // STEP)
        begin = self._places[start // STEP]
        end = self._places[after] if after < len(self._places) else self._end
        texts = os.pread(self._read.fileno(), end - begin, begin).split(b"\0")[:-1]
        return texts[skipped : skipped + stop - start]

    def __iter__(self) -> Iterator[bytes]:
        """All texts, in the order in which they were appended."""
        for start in range(0, len(self), BATCH):
            yield from self.read(start, start + BATCH)

    def close(self) -> None:
        """Close the scratch file."""
        self._write.close()
        self._read.close()


class Records:
    """Records of one type in a scratch file.

    The file is read, not mapped: mapped pages would count as this program's memory.

    Parameters
    ----------
    path : Path
        Of the scratch file.
    dtype : numpy dtype
        May have fields, and a shape.

    Attributes
    ----------
    order : array of row numbers of shape (N,), optional
        Once it is set, number `i` is the record that was appended as number ``order[i]``.
    """

    def __init__(self, path: Path, dtype: DTypeLike) -> None:
        self._write = path.open("wb")
        self._read = path.open("rb", buffering=0)
        self._dtype = np.dtype(dtype)
        self.order: Rows | None = None
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, records: NDArray[Any]) -> None:
        """Add records at the end."""
        if records.shape[1:] != self._dtype.shape or records.dtype != self._dtype.base:
            raise ValueError(f"{records.dtype} {records.shape} is not records of {self._dtype}")
        self._write.write(np.ascontiguousarray(records).tobytes())
        self._count += len(records)

    def take(self, rows: NDArray[np.integer[Any]]) -> NDArray[Any]:
        """The records number `rows`, in that order."""
        self._write.flush()
        size, file = self._dtype.itemsize, self._read.fileno()
        data = np.empty(len(rows) * size, np.uint8)
        view = data.data
        for part in batches(len(rows)):
            places = rows[part] if self.order is None else self.order[rows[part]]
            for at, place in enumerate(places.tolist(), part.start):
                view[at * size : (at + 1) * size] = os.pread(file, size, place * size)
        return data.view(self._dtype.base).reshape(len(rows), *self._dtype.shape)

    def column(self, name: str, word: int) -> NDArray[Any]:
        """Element number `word` of the field `name` of every record: shape (N,)."""
        field = self._dtype[name]
        values = np.empty(len(self), field.base)
        self._write.flush()
        self._read.seek(0)
        for start in range(0, len(self), BATCH):
            data = self._read.read(BATCH * self._dtype.itemsize)
            values[start : start + BATCH] = np.frombuffer(data, self._dtype)[name][:, word]
        return values if self.order is None else taken(values, self.order)

    def close(self) -> None:
        """Close the scratch file."""
        self._write.close()
        self._read.close()
