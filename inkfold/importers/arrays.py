"""Arrays of bytes in files, read from front to back, and what is said when they are torn."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO
from zipfile import BadZipFile

import numpy as np
from isal import igzip
from isal.igzip_lib import IsalError
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.importers.collection import Collection, Glyph, Official

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


@dataclass(frozen=True)
class Part:
    """One side of a set: pictures (N, H, W) and labels (N,) in files, and which side it is."""

    images: Stream
    labels: Stream
    split: Official | None


def labelled(
    name: str,
    parts: Sequence[Part],
    names: Mapping[int, str] | None,
    *,
    transposed: bool = False,
) -> Collection:
    """A set of light ink on dark ground.

    Parameters
    ----------
    name : str
    parts : sequence of Part
    names : mapping of int to str, optional
        The class of each label, in label order. Without it the labels' numbers are the names, from
        0 to the largest that there is.
    transposed : bool
        Whether the files hold columns where rows should be.

    Raises
    ------
    InkfoldError
        If the numbers of pictures and labels differ, a label has no name, or a label file is torn.
    """
    labels = [_labels(part) for part in parts]
    if names is None:
        last = max((int(some.max()) for some in labels if len(some)), default=0)
        names = {number: str(number) for number in range(last + 1)}
    places = np.full(256, -1, np.int64)
    places[list(names)] = range(len(names))
    for part, some in zip(parts, labels, strict=True):
        _check_labels(part.labels, some, places, names)
    numbers = [places[some] for some in labels]
    glyphs = partial(_glyphs, tuple(parts), numbers, transposed)
    count = sum(map(len, labels))
    return Collection(name, tuple(names.values()), "light", count, glyphs)


def _labels(part: Part) -> NDArray[np.uint8]:
    images, labels = part.images, part.labels
    if len(images) != len(labels):
        raise InkfoldError(
            f"{images.path} holds {len(images):,} pictures, {labels.path.name} holds "
            f"{len(labels):,} labels; expected as many: do they belong together?"
        )
    return labels.whole()


def _check_labels(
    stream: Stream, labels: NDArray[np.uint8], places: NDArray[np.int64], names: Mapping[int, str]
) -> None:
    """Refuse a label without a name, and say at which byte it stands."""
    outside = np.flatnonzero(places[labels] < 0)
    if len(outside):
        at = int(outside[0])
        raise InkfoldError(
            f"{stream.path}: label {labels[at]} at byte {stream.start + at:,} of its content "
            f"(picture {at:,}), expected one of the {len(names)} from {min(names)} to {max(names)} "
            f"of the class map; {AGAIN}, or the map that belongs to it"
        )


def _glyphs(
    parts: tuple[Part, ...], numbers: list[NDArray[np.int64]], transposed: bool
) -> Iterator[Glyph]:
    for part, labels in zip(parts, numbers, strict=True):
        file, at = part.images.path.name, 0
        for block in part.images.blocks():
            upright = block.transpose(0, 2, 1) if transposed else block
            for pixels, label in zip(upright, labels[at : at + len(block)].tolist(), strict=True):
                yield Glyph(pixels, label, f"{file}:{at}", part.split)
                at += 1
