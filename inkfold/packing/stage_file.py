"""Stage files: the prepared pictures of one piece of work, bucket by bucket.

A worker writes one beside the output, where every worker sees it. It holds a table with where each
bucket begins, the facts of all pictures in the order of the listing, what the fingerprint is made
of, and then the buckets: heads, images, and texts of the pictures that could be used. A worker that
is killed leaves a part that nobody reads; the piece is worked on again, to the same bytes.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.output import naming
from inkfold.packing.buckets import Buckets
from inkfold.packing.large_arrays import Rows, taken
from inkfold.packing.plan import Packing
from inkfold.packing.stage import FACTS, FILES, Files, Prepared, Staged, prepare_files, summary_of
from inkfold.picture_files import readable

# Of each bucket: how many pictures are before it, and the byte of the file where it begins.
ENTRY = np.dtype([("before", "<i8"), ("begin", "<i8")])
# Of each picture in a bucket: its number in the listing, and the digest of its pixels.
HEAD = np.dtype([("place", "<i8"), ("pixels", np.uint8, (16,))])


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A piece of work, and where its stage file is to be.

    Attributes
    ----------
    files : Files
    groups : tuple of bytes, optional
        The name of each picture's group.
    first : int
        The number of the first file in the listing.
    path : Path
        Of the stage file, absolute.
    buckets : Buckets
    """

    files: Files
    groups: tuple[bytes, ...] | None
    first: int
    path: Path
    buckets: Buckets


@dataclass(frozen=True)
class StagedPiece:
    """What a worker answers: what became of the files that are not plainly in the stage file.

    Attributes
    ----------
    count : int
        Files of the piece.
    bad, further
        As in `Prepared`.
    """

    count: int
    bad: tuple[tuple[int, str], ...]
    further: tuple[int, ...]


def stage_piece(piece: Piece) -> StagedPiece:
    """Prepare one piece of work and write its stage file; runs in a worker.

    Raises
    ------
    InkfoldError
        If this machine does not see the scratch folder.
    OSError
        If the disk is full, with the file's path.
    """
    if not piece.path.parent.is_dir():
        raise InkfoldError(
            f"{piece.path.parent}: {socket.gethostname()} does not see this folder; let every "
            "worker see it, or choose another place with -o"
        )
    done = prepare_files(piece.files)
    write_stage_file(piece, done)
    return StagedPiece(len(piece.files.paths), done.bad, done.further)


def write_stage_file(piece: Piece, done: Prepared) -> None:
    """Write what became of a piece of work beside its place, and rename it."""
    part = piece.path.with_name(f"{piece.path.name}.{secrets.token_hex(8)}.part")
    try:
        with naming(piece.path):
            with part.open("wb") as file:
                for data in _content(piece, done):
                    file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(piece.path)
    finally:
        with suppress(OSError):  # an earlier error, or the success, is what counts
            part.unlink()


def _content(piece: Piece, done: Prepared) -> Iterator[bytes]:
    """The bytes of a stage file, one part after another."""
    keys = piece.buckets.keys(done.facts["file"][:, 0])
    good = np.ones(len(keys), bool)
    good[[place for place, _ in done.bad]] = False
    order = np.argsort(keys, kind="stable")
    order = order[good[order]]
    numbers = piece.buckets.numbers(keys[order])
    texts = [_texts(piece, place) for place in order.tolist()]
    each = HEAD.itemsize + done.images[0].size
    ends = np.cumsum([0, *(len(text) + each for text in texts)])
    summary = summary_of(piece.files.paths, done.facts, [place for place, _ in done.bad])
    table = np.empty(len(piece.buckets) + 1, ENTRY)
    table["before"] = np.searchsorted(numbers, np.arange(len(table)))
    table["begin"] = table.nbytes + done.facts.nbytes + len(summary) + ends[table["before"]]
    yield from (table.tobytes(), done.facts.tobytes(), summary)
    for bucket in np.unique(numbers).tolist():
        inside = slice(table["before"][bucket], table["before"][bucket + 1])
        heads = np.empty(inside.stop - inside.start, HEAD)
        heads["place"] = order[inside] + piece.first
        heads["pixels"] = done.facts["pixels"][order[inside]].copy().view(np.uint8)
        yield heads.tobytes()
        for at in range(inside.start, inside.stop, FILES):  # no second copy of many images
            yield done.images[order[at : min(at + FILES, inside.stop)]].tobytes()
        yield b"".join(texts[inside])


def _texts(piece: Piece, place: int) -> bytes:
    """Path and group of a picture, each with a zero byte behind it."""
    source = readable(piece.files.paths[place]).encode()
    return source + b"\0" + (piece.groups[place] if piece.groups else b"") + b"\0"


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """The pictures of one bucket in one stage file.

    Attributes
    ----------
    heads : array of `HEAD` of shape (n,)
    images : uint8 array of shape (n, H, W)
    texts : list of bytes
        Path and group of each picture, and an empty text at the end: 2 n + 1.
    """

    heads: NDArray[np.void]
    images: NDArray[np.uint8]
    texts: list[bytes]


@dataclass(frozen=True, kw_only=True)
class StageFiles:
    """The stage files of a listing.

    Attributes
    ----------
    folder : Path
        Absolute.
    count : int
        Pictures of the listing.
    size : int
        Height and width of an image, in pixels.
    rows : int
        Of a shard that is to be made of them.
    buckets : Buckets
    """

    folder: Path
    count: int
    size: int
    rows: int
    buckets: Buckets

    def __len__(self) -> int:
        """How many stage files there are."""
        return len(range(0, self.count, self.buckets.files))

    def path(self, number: int) -> Path:
        """The stage file number `number`."""
        return self.folder / f"{number:07d}.stage"

    def facts(self, number: int) -> NDArray[np.void]:
        """The facts of one stage file: an array of `FACTS`."""
        count = min(self.buckets.files, self.count - number * self.buckets.files)
        with self._open(number) as file:
            return np.frombuffer(self._read(file, self._table_size, count * FACTS.itemsize), FACTS)

    def summary(self, number: int) -> bytes:
        """The part of one stage file that the listing's fingerprint is made of."""
        count = min(self.buckets.files, self.count - number * self.buckets.files)
        begin = self._table_size + count * FACTS.itemsize
        with self._open(number) as file:
            end = np.frombuffer(self._read(file, 0, ENTRY.itemsize), ENTRY)["begin"].item()
            return self._read(file, begin, end - begin)

    def bucket(self, number: int, bucket: int) -> Bucket:
        """The pictures of a bucket in one stage file."""
        with self._open(number) as file:
            entry = self._read(file, bucket * ENTRY.itemsize, 2 * ENTRY.itemsize)
            (before, begin), (after, end) = np.frombuffer(entry, ENTRY).tolist()
            data = self._read(file, begin, end - begin)
        count, image = after - before, self.size**2
        texts = count * (HEAD.itemsize + image)
        images = np.frombuffer(data, np.uint8, count * image, count * HEAD.itemsize)
        return Bucket(
            heads=np.frombuffer(data, HEAD, count),
            images=images.reshape(count, self.size, self.size),
            texts=data[texts:].split(b"\0"),
        )

    @property
    def _table_size(self) -> int:
        return (len(self.buckets) + 1) * ENTRY.itemsize

    @contextmanager
    def _open(self, number: int) -> Iterator[int]:
        """A stage file, open to read."""
        try:
            file = os.open(self.path(number), os.O_RDONLY)
        except FileNotFoundError:
            raise InkfoldError(
                f"{self.path(number)} is gone, or {socket.gethostname()} does not see it; let "
                "nothing remove it, and every worker see it; then repeat the command"
            ) from None
        try:
            yield file
        finally:
            os.close(file)

    def _read(self, file: int, begin: int, count: int) -> bytes:
        """So many bytes; Linux reads at most 2 GiB at a time.

        Raises
        ------
        InkfoldError
            If the file is shorter.
        """
        data = os.pread(file, count, begin) if count else b""
        if len(data) < count:
            raise InkfoldError(
                f"{self.folder}: a scratch file is shorter than it was written; let nothing write "
                "there, and repeat the command"
            )
        return data


def stage_files(scratch: Path, count: int, packing: Packing, *, rows: int, far: bool) -> StageFiles:
    """The stage files for a listing of `count` pictures in the folder `scratch`.

    Parameters
    ----------
    scratch : Path
    count : int
    packing : Packing
    rows : int
        Of a shard.
    far : bool
        As in `Crew`.
    """
    size = packing.spec.size
    buckets = Buckets.of(count, size, seed=packing.seed, rows=rows, far=far)
    return StageFiles(folder=scratch.absolute(), count=count, size=size, rows=rows, buckets=buckets)


@dataclass(frozen=True, kw_only=True)
class StagedBuckets(Staged):
    """All files of a listing, whose images are in stage files."""

    files: StageFiles


class StagedFacts:
    """The facts of all pictures in stage files, as `Records` give them.

    Parameters
    ----------
    stage : StageFiles

    Attributes
    ----------
    order : array of row numbers of shape (N,), optional
        Once it is set, number `i` is the picture that was staged as number ``order[i]``.
    """

    def __init__(self, stage: StageFiles) -> None:
        self._stage = stage
        self.order: Rows | None = None

    def column(self, name: str, word: int) -> NDArray[Any]:
        """Element number `word` of the field `name` of every picture's facts: shape (N,)."""
        values = np.empty(self._stage.count, FACTS[name].base)
        for number in range(len(self._stage)):
            some = self._stage.facts(number)[name][:, word]
            start = number * self._stage.buckets.files
            values[start : start + len(some)] = some
        return values if self.order is None else taken(values, self.order)

    def take(self, rows: Rows) -> NDArray[Any]:
        """The facts of the pictures number `rows`, in that order; files are read in their order."""
        places = rows if self.order is None else taken(self.order, rows)
        found = np.empty(len(places), FACTS)
        order = np.argsort(places, kind="stable")
        numbers = places[order] // self._stage.buckets.files
        starts = np.flatnonzero(np.diff(numbers, prepend=-1))
        for start, stop in pairwise([*starts.tolist(), len(order)]):
            number, some = int(numbers[start]), order[start:stop]
            found[some] = self._stage.facts(number)[
                places[some] - number * self._stage.buckets.files
            ]
        return found
