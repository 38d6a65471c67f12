"""The embeddings of all pictures, in a scratch file: for memory 128 bytes a picture are many."""

from __future__ import annotations

import os
import tempfile
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

DENSE = 4  # pictures read for each one that is wanted, up to which they are read at once


class Embeddings:
    """Vectors that are appended in order and taken by their places; a context that ends the file.

    The file has no name, and lies in the folder for temporary files (TMPDIR). It is read, not
    mapped: mapped pages would count as this program's memory.

    Parameters
    ----------
    axes : int
        Numbers in a vector.
    """

    def __init__(self, axes: int) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115, it ends with the context
        self._axes = axes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def append(self, vectors: NDArray[np.float32]) -> None:
        """Add vectors, float32 (n, k), at the end."""
        self._file.write(np.ascontiguousarray(vectors, np.float32).tobytes())

    def __getitem__(self, places: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """The vectors at some places, which ascend: float32 (n, k)."""
        if not len(places):
            return np.empty((0, self._axes), np.float32)
        self._file.flush()
        first, last = int(places[0]), int(places[-1])
        if last - first < DENSE * len(places):
            return np.asarray(self._read(first, last + 1)[places - first])
        return np.concatenate([self._read(place, place + 1) for place in places.tolist()])

    def _read(self, start: int, stop: int) -> NDArray[np.float32]:
        """The vectors from a place to before another one."""
        size = 4 * self._axes
        data = os.pread(self._file.fileno(), (stop - start) * size, start * size)
        return np.asarray(np.frombuffer(data, np.float32).reshape(-1, self._axes))
