"""Arrays in files, compressed or not, read block by block from front to back."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile

import numpy as np
from isal import igzip
from isal.igzip_lib import IsalError
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.identity import Identity
from inkfold.importers.collection import Collection, Glyph, Official
from inkfold.spec import Ink

BLOCK = 256  # records that are read together
AGAIN = "download it again"
# isal's stub declares its error as an instance
DAMAGE: tuple[type[Exception], ...] = (EOFError, OSError, zlib.error, BadZipFile, IsalError)  # type: ignore[assignment]


@dataclass(frozen=True, kw_only=True)
class Stream:
    """An array in a file, uint8 unless it says otherwise.

    Attributes
    ----------
    path : Path
    opened : callable
        Opens the file's content, uncompressed, at its first byte.
    start : int
        The byte of the content at which the array begins.
    shape : tuple of int
        The first is the number of records.
    dtype : numpy.dtype
    """

    path: Path
    opened: Callable[[], AbstractContextManager[IO[bytes]]]
    start: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.uint8))

    def __len__(self) -> int:
        return self.shape[0]

    def whole(self) -> NDArray[Any]:
        """The whole array."""
        blocks = list(self.blocks())
        return np.concatenate(blocks) if blocks else np.empty(self.shape, self.dtype)

    def blocks(self) -> Iterator[NDArray[Any]]:
        """The whole array, up to 256 records at a time.

        Raises
        ------
        InkfoldError
            If the file ends before the array does, or continues after it.
        """
        record, at = math.prod(self.shape[1:]) * self.dtype.itemsize, self.start
        with self.opened() as file:
            take(file, self.path, 0, self.start)
            for first in range(0, len(self), BLOCK):
                count = min(BLOCK, len(self) - first)
                data = take(file, self.path, at, count * record)
                at += count * record
                yield np.frombuffer(data, self.dtype).reshape(count, *self.shape[1:])
            if take(file, self.path, at, 1, torn=False):
                raise InkfoldError(
                    f"{self.path}: goes on after byte {at:,}, where its {len(self):,} records of "
                    f"{record} bytes end; {AGAIN}"
                )


@dataclass(frozen=True)
class Part:
    """One side of a set, or a set without sides.

    Attributes
    ----------
    images : Stream of shape (N, H, W)
    labels : Stream of shape (N,)
    split : {"train", "validation", "test"}, optional
    """

    images: Stream
    labels: Stream
    split: Official | None


def labelled(
    name: str,
    parts: Sequence[Part],
    names: Mapping[int, str] | None,
    *,
    files: tuple[Identity, ...],
    transposed: bool = False,
) -> Collection:
    """Make a set of light ink on dark ground.

    Parameters
    ----------
    name : str
    parts : sequence of Part
    names : mapping of int to str, optional
        The class of each label, in label order. By default the classes are the numbers from 0 to
        the largest label.
    files : tuple of Identity
        The files of the parts, as they were before they were read.
    transposed : bool
        Whether the files hold columns where rows should be.

    Raises
    ------
    InkfoldError
        If the numbers of pictures and labels differ, a label has no name, or a label file is torn.
    """
    labels = [_labels(part) for part in parts]
    if names is None:
        last = max((int(side.max()) for side in labels if len(side)), default=0)
        names = {number: str(number) for number in range(last + 1)}
    places = np.full(256, -1, np.int64)
    places[list(names)] = range(len(names))
    for part, side in zip(parts, labels, strict=True):
        _check_labels(part.labels, side, places, names)
    numbers = [places[side] for side in labels]
    return Collection(
        name=name,
        classes=tuple(names.values()),
        ink="light",
        count=sum(map(len, labels)),
        glyphs=partial(_glyphs, tuple(parts), numbers, transposed),
        files=files,
    )


def _labels(part: Part) -> NDArray[np.uint8]:
    """The labels of a side; raises InkfoldError if there are not as many as pictures."""
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
    """Refuse a label without a class, and name its byte in the file."""
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
                yield Glyph(pixels=pixels, label=label, source=f"{file}:{at}", split=part.split)
                at += 1


def ink_of(pictures: NDArray[np.uint8]) -> Ink:
    """Whether the ink of pictures, (n, H, W), is dark or light: most edges are paper."""
    edges = [pictures[:, 0], pictures[:, -1], pictures[:, :, 0], pictures[:, :, -1]]
    papers = np.median(np.concatenate(edges, axis=1), axis=1)
    return "dark" if np.median(papers) > 127 else "light"


def opened(path: Path) -> AbstractContextManager[IO[bytes]]:
    """Open a file's content, which is inflated if the file is gzip."""
    stream: AbstractContextManager[IO[bytes]] = (
        igzip.open(path, "rb") if is_gzip(path) else path.open("rb")
    )
    return stream


def is_gzip(path: Path) -> bool:
    """Whether a file begins as gzip does."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def head(path: Path, count: int) -> bytes:
    """The first `count` bytes of a file's content; fewer if it is shorter, none if unreadable."""
    try:
        with opened(path) as file:
            return file.read(count)
    except DAMAGE:
        return b""


def take(file: IO[bytes], path: Path, at: int, count: int, *, torn: bool = True) -> bytes:
    """Read the next `count` bytes of a file's content, which begin at byte `at`.

    Raises
    ------
    InkfoldError
        If the file is damaged, or if it is too short and `torn` is true.
    """
    data = b""
    try:
        while len(data) < count and (more := file.read(count - len(data))):
            data += more
    except EOFError:
        pass  # a compressed file without its end has too few bytes, which is reported below
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
