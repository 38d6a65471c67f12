"""An augmented dataset in shards: each is made, written and hashed by a worker.

A chunk of the new train split is a chunk of originals or a copy of one, by a permutation that the
seed fixes; a worker makes those of its shard from the dataset alone. What travels back is a record
of some 200 bytes a shard and 16 bytes a chunk. The rows and the fingerprint are those of one file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from inkfold.augmentation.augment import (
    Augmentation,
    Task,
    check_augmentation,
    chunks_of,
    copied_chunk,
    no_rows,
    places_of,
    provenance_of,
)
from inkfold.crew import Crew
from inkfold.dataset.arrays import SplitArrays
from inkfold.dataset.index import writing_shards
from inkfold.dataset.reader import Dataset, reopened
from inkfold.dataset.shards import Chunk, Slot, WrittenShard, write_shard
from inkfold.dataset.split import CHUNK
from inkfold.dataset.writer import read_rows
from inkfold.identity import Identity
from inkfold.spec import SPLITS


@dataclass(frozen=True, kw_only=True)
class ShardTask:
    """One shard of the augmented dataset, to be written by a worker.

    Attributes
    ----------
    dataset : Identity
        The packed dataset, which must be the file that the other workers read.
    originals : int
        Rows of its train split.
    augmentation : Augmentation
    slot : Slot
    """

    dataset: Identity
    originals: int
    augmentation: Augmentation
    slot: Slot


@dataclass(frozen=True)
class Sharded:
    """What was written.

    Attributes
    ----------
    counts : dict of str to int
        As of `check_augmentation`.
    shards : int
        All shards of the dataset.
    kept : int
        Shards that an earlier run had written.
    """

    counts: dict[str, int]
    shards: int
    kept: int


def augment_shards(
    dataset: Dataset,
    target: Path,
    augmentation: Augmentation,
    rows: int,
    *,
    crew: Crew,
    overwrite: bool = False,
    advance: Callable[[int], None] = lambda _rows: None,
) -> Sharded:
    """Write `dataset` to `target` and shards beside it, with copies of each training picture.

    Parameters
    ----------
    dataset : Dataset
    target : Path
        The index.
    augmentation : Augmentation
    rows : int
        Of a shard; a multiple of 256.
    crew : Crew
        Writes the shards; they lie beside `target`, where every worker sees them.
    overwrite : bool
    advance : callable
        Called with the number of new training rows whenever a shard is there.

    Returns
    -------
    written : Sharded

    Raises
    ------
    InkfoldError
        As `check_augmentation` and `writing_shards`; or if a worker finds another file at the
        dataset's path, or this one with other bytes.
    """
    counts = check_augmentation(dataset, target, augmentation, overwrite=overwrite)
    provenance = provenance_of(dataset, augmentation, counts)
    # the size stands for how the pictures are compressed, and for texts, which no fingerprint holds
    plan = provenance | {"bytes": dataset.size}
    with writing_shards(
        target, dataset.classes, dataset.spec, rows=rows, plan=plan, overwrite=overwrite
    ) as writer:
        source = replace(dataset.identity, path=dataset.path.absolute())  # workers are elsewhere
        tasks = (
            ShardTask(
                dataset=source,
                originals=counts["originals"],
                augmentation=augmentation,
                slot=slot,
            )
            for slot in writer.slots(counts)
        )
        for written in crew.in_order(augmented_shard, tasks):
            writer.add(written)
            if written.shard.split == "train":
                advance(written.shard.rows)
        dataset.check_unchanged()
        like = {name: read_rows(dataset.split(name).arrays, 0, 0) for name in SPLITS}
        writer.finish(provenance, like | {"train": no_rows(dataset.train.arrays)})
        return Sharded(counts, len(writer.shards), writer.kept)


def augmented_shard(task: ShardTask) -> WrittenShard:
    """Make a shard and write it; runs in a worker."""
    slot = task.slot
    with reopened(task.dataset) as splits:
        arrays = splits[slot.split]
        if slot.split == "train":
            return write_shard(slot, like=no_rows(arrays), chunks=_made(arrays, task))
        copied = (copied_chunk(arrays, chunk * CHUNK) for chunk in slot.chunks)
        return write_shard(slot, like=read_rows(arrays, 0, 0), chunks=copied)


def _made(train: SplitArrays, task: ShardTask) -> Iterator[Chunk]:
    """The chunks of a shard of the train split, in the order of its rows."""
    places = places_of(task.originals, task.augmentation)
    for chunk in task.slot.chunks:
        originals, number = places.content(chunk)
        piece = Task(
            dataset=task.dataset,
            chunk=originals,
            first=number,
            last=number + 1,
            augmentation=task.augmentation,
        )
        for made in chunks_of(train, piece):
            yield made.rows, made.deflated
