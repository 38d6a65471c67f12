"""Arrays of bytes in files, read from front to back, and what is said when they are torn."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from zipfile import BadZipFile

import numpy as np
from isal import igzip
from isal.igzip_lib import IsalError
from numpy.typing import NDArray

from inkfold.errors import InkfoldError

BLOCK = 256  # records that are read at a time
AGAIN = "download it again"
# isal's stub declares its error as an instance
DAMAGE: tuple[type[Exception], ...] = (EOFError, OSError, zlib.error, BadZipFile, IsalError)  # type: ignore[assignment]


@dataclass(frozen=True)
class Stream:
    """An array of uint8 in a file.

    Parameters
    ----------
    path : Path
    opened : callable
        Opens the (uncompressed) bytes at their beginning.
    start : int
        Where in these the array begins.
    shape : tuple of int
        Records first.
    """

    path: Path
    opened: Callable[[], AbstractContextManager[IO[bytes]]]
    start: int
    shape: tuple[int, ...]

    def __len__(self) -> int:
        return self.shape[0]

    def whole(self) -> NDArray[np.uint8]:
        """All of it."""
        blocks = list(self.blocks())
        return np.concatenate(blocks) if blocks else np.empty(self.shape, np.uint8)

    def blocks(self) -> Iterator[NDArray[np.uint8]]:
        """All of it, up to 256 records at a time.

        Raises
        ------
        InkfoldError
            If the file ends before the array does, or goes on after it.
        """
        record, at = math.prod(self.shape[1:]), self.start
        with self.opened() as file:
            take(file, self.path, 0, self.start)
            for first in range(0, len(self), BLOCK):
                count = min(BLOCK, len(self) - first)
                data = take(file, self.path, at, count * record)
                at += count * record
                yield np.frombuffer(data, np.uint8).reshape(count, *self.shape[1:])
            if take(file, self.path, at, 1, torn=False):
                raise InkfoldError(
                    f"{self.path}: goes on after byte {at:,}, where its {len(self):,} records of "
                    f"{record} bytes end; {AGAIN}"
                )


def opened(path: Path) -> AbstractContextManager[IO[bytes]]:
    """The bytes of a file, inflated where it is gzip."""
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    stream: AbstractContextManager[IO[bytes]] = (
        igzip.open(path, "rb") if compressed else path.open("rb")
    )
    return stream


def head(path: Path, count: int) -> bytes:
    """The first bytes, fewer where there are not so many or they cannot be read."""
    try:
        with opened(path) as file:
            return file.read(count)
    except DAMAGE:
        return b""


def take(file: IO[bytes], path: Path, at: int, count: int, *, torn: bool = True) -> bytes:
    """Read `count` bytes, of which the first is number `at`.

    Raises
    ------
    InkfoldError
        If the file is damaged; if it ends before, unless `torn` is false.
    """
    data = b""
    try:
        while len(data) < count and (more := file.read(count - len(data))):
            data += more
    except EOFError:
        pass  # a compressed file without its end: the bytes are fewer, which is told below
    except DAMAGE as error:
        raise InkfoldError(
            f"{path}: damaged somewhere after byte {at:,} of its content ({error}); {AGAIN}"
        ) from None
    if torn and len(data) < count:
        raise InkfoldError(
            f"{path}: ends at byte {at + len(data):,} of its content, expected {count:,} bytes "
            f"from byte {at:,} on; {AGAIN}"
        )
    return data
