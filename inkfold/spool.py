"""What is too much for memory and needed again: texts and pictures in scratch files."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BATCH = 4096


class Spool:
    """Byte strings in a scratch file, in the order they came; 8 bytes of memory for each.

    Append all, then read.
    """

    def __init__(self, path: Path) -> None:
        self._write = path.open("wb")
        self._read = path.open("rb", buffering=0)  # seeks must not read whole buffers
        self._ends = array("q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, text: bytes) -> None:
        """Add one at the end."""
        self._write.write(text)
        self._ends.append(self._ends[-1] + len(text))

    def __getitem__(self, at: int) -> bytes:
        """The string number `at`, from 0."""
        return self.read(at, at + 1)[0]

    def read(self, start: int, stop: int) -> list[bytes]:
        """The strings from `start` to before `stop`."""
        self._write.flush()
        ends = self._ends[start : stop + 1]
        self._read.seek(ends[0])
        data = self._read.read(ends[-1] - ends[0])
        return [data[a - ends[0] : b - ends[0]] for a, b in pairwise(ends)]

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self), BATCH):
            yield from self.read(start, min(start + BATCH, len(self)))

    def close(self) -> None:
        """Let go of the file."""
        self._write.close()
        self._read.close()


class Pictures:
    """Pictures of one size in a scratch file; a mapped file would count as memory."""

    def __init__(self, path: Path, size: int) -> None:
        self._write = path.open("wb")
        self._read = path.open("rb", buffering=0)
        self._size = size

    def append(self, images: NDArray[np.uint8]) -> None:
        """Add uint8 (n, size, size) at the end."""
        self._write.write(np.ascontiguousarray(images).data)

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.uint8]:
        """The pictures `rows`, in that order: uint8 (n, size, size)."""
        self._write.flush()
        images = np.empty((len(rows), self._size, self._size), np.uint8)
        for image, row in zip(images, rows, strict=True):
            self._read.seek(int(row) * image.nbytes)
            self._read.readinto(image.data)
        return images

    def close(self) -> None:
        """Let go of the file."""
        self._write.close()
        self._read.close()
