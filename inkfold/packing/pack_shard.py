"""One shard of a packed dataset, gathered from the stage files by whoever works on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.shards import Chunk, Slot, WrittenShard, write_shard
from inkfold.dataset.split import CHUNK
from inkfold.dataset.writer import NOTHING, Rows
from inkfold.errors import InkfoldError
from inkfold.packing.stage_file import StageFiles
from inkfold.picture import is_blank
from inkfold.tally import Tally

# Of each row of the dataset, split by split in the order of the file: the number of its picture in
# the listing, and its label.
ROW = np.dtype([("place", "<i8"), ("label", "<i4")])


@dataclass(frozen=True, kw_only=True)
class ShardTask:
    """A shard to be packed.

    Attributes
    ----------
    slot : Slot
    stage : StageFiles
    rows : Path
        Scratch file with a `ROW` for each row of the dataset, absolute.
    begin : int
        Where the shard's rows begin in it.
    bucket : int
        The first bucket with rows of the shard.
    counts : int64 array
        How many rows of the shard are in this bucket and in each that follows.
    widths : tuple of (int, int)
        Bytes of a path and of a group's name.
    grouped : bool
        Whether the pictures have groups.
    """

    slot: Slot
    stage: StageFiles
    rows: Path
    begin: int
    bucket: int
    counts: NDArray[np.int64]
    widths: tuple[int, int]
    grouped: bool


@dataclass(frozen=True)
class PackedShard:
    """What a worker answers: the shard, and its pictures without ink."""

    written: WrittenShard
    blank: Tally = field(default_factory=Tally)


def pack_shard(task: ShardTask) -> PackedShard:
    """Write one shard, unless an earlier run has written it whole; runs in a worker.

    Raises
    ------
    InkfoldError
        If this machine does not see the scratch folder or the folder of shards, or a scratch file
        was damaged meanwhile.
    OSError
        If the disk is full, with the shard's path.
    """
    blank = Tally()
    written = write_shard(task.slot, like=empty(task), chunks=_chunks(task, blank))
    if written.kept:
        with h5py.File(task.slot.folder / task.slot.name, "r") as file:
            group = file[task.slot.split]
            for at in range(0, task.slot.rows, CHUNK):
                part = slice(at, at + CHUNK)
                _note_blank(group["images"][part], group["source"][part], blank)
    return PackedShard(written, blank)


def _note_blank(images: NDArray[np.uint8], source: NDArray[np.bytes_], blank: Tally) -> None:
    """Count the images without ink."""
    for path in source[is_blank(images)].tolist():
        blank.add(path.decode(), "blank")


def empty(task: ShardTask) -> Rows:
    """No rows, of the types and shapes that the shard has."""
    return like(task.stage.size, task.widths, grouped=task.grouped)


def like(size: int, widths: tuple[int, int], *, grouped: bool) -> Rows:
    """No rows of a packed dataset, of its types and shapes; `widths` as in `ShardTask`."""
    return Rows(
        images=np.empty((0, size, size), np.uint8),
        labels=np.empty(0, np.int32),
        source=np.empty(0, f"S{widths[0]}"),
        digest=np.empty((0, 16), np.uint8),
        group=np.empty(0, f"S{widths[1]}") if grouped else None,
    )


def _chunks(task: ShardTask, blank: Tally) -> Iterator[Chunk]:
    """The rows of a shard, 256 at a time; the last may be fewer."""
    rest = empty(task)
    for run in _runs(task):
        begin = (CHUNK - len(rest)) % CHUNK
        head = Rows.joined([rest, run.rows(0, min(begin, len(run)), task)])
        if len(head) == CHUNK:
            yield _chunk(head, blank)
            head = empty(task)
        for start in range(begin, len(run), CHUNK):
            head = run.rows(start, min(start + CHUNK, len(run)), task)
            if len(head) == CHUNK:
                yield _chunk(head, blank)
                head = empty(task)
        rest = Rows.joined([head])  # a copy, for a view would keep the whole run
        del run, head
    if len(rest):
        yield _chunk(rest, blank)


def _chunk(rows: Rows, blank: Tally) -> Chunk:
    _note_blank(rows.images, rows.source, blank)
    return rows, NOTHING


@dataclass(frozen=True, kw_only=True)
class _Run:
    """Consecutive rows of a shard, all of one bucket.

    Attributes
    ----------
    labels : int32 array of shape (n,)
    images : uint8 array of shape (n, H, W)
    digest : uint8 array of shape (n, 16)
    source, group : list of bytes
    """

    labels: NDArray[np.int32]
    images: NDArray[np.uint8]
    digest: NDArray[np.uint8]
    source: list[bytes]
    group: list[bytes]

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, start: int, stop: int, task: ShardTask) -> Rows:
        """Some of the rows."""
        part = slice(start, stop)
        group = np.array(self.group[part], f"S{task.widths[1]}") if task.grouped else None
        return Rows(
            images=self.images[part],
            labels=self.labels[part],
            source=np.array(self.source[part], f"S{task.widths[0]}"),
            digest=self.digest[part],
            group=group,
        )


def _runs(task: ShardTask) -> Iterator[_Run]:
    """The rows of a shard, bucket by bucket; those of a large bucket in several runs."""
    at = task.begin
    for bucket, count in enumerate(task.counts.tolist(), task.bucket):
        for start in range(0, count, task.stage.buckets.run):
            wanted = min(task.stage.buckets.run, count - start)
            yield _run(task, bucket, _planned(task.rows, at + start, wanted))
        at += count


def _planned(path: Path, begin: int, count: int) -> NDArray[np.void]:
    """Some `ROW`s of the scratch file."""
    with path.open("rb", buffering=0) as file:
        data = os.pread(file.fileno(), count * ROW.itemsize, begin * ROW.itemsize)
    if len(data) < count * ROW.itemsize:
        raise _damaged(path)
    return np.frombuffer(data, ROW)


def _run(task: ShardTask, bucket: int, planned: NDArray[np.void]) -> _Run:
    """Gather rows of one bucket from every stage file, each of which is read from front to back."""
    count, size = len(planned), task.stage.size
    order = np.argsort(planned["place"])
    places = planned["place"][order]
    run = _Run(
        labels=planned["label"].astype(np.int32),
        images=np.empty((count, size, size), np.uint8),
        digest=np.empty((count, 16), np.uint8),
        source=[b""] * count,
        group=[b""] * count,
    )
    missing = np.ones(count, bool)
    for number in range(len(task.stage)):
        found = task.stage.bucket(number, bucket)
        at = np.minimum(np.searchsorted(places, found.heads["place"]), count - 1)
        there = np.flatnonzero(places[at] == found.heads["place"])  # the others go elsewhere
        rows = order[at[there]]
        run.images[rows] = found.images[there]
        run.digest[rows] = found.heads["pixels"][there]
        for row, place in zip(rows.tolist(), there.tolist(), strict=True):
            run.source[row], run.group[row] = found.texts[2 * place : 2 * place + 2]
        missing[rows] = False
    if missing.any():
        raise _damaged(task.stage.folder)
    return run


def _damaged(path: Path) -> InkfoldError:
    return InkfoldError(
        f"{path}: a scratch file lacks pictures that were written to it; let nothing write there, "
        "and repeat the command"
    )
