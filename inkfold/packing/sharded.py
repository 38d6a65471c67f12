"""Packing in shards: workers sort the pictures into buckets, and write the shards from these.

No picture goes through this process. It has the stage files written, plans from the facts in them,
writes down which picture each row is, and has every shard written by a worker.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.crew import Crew
from inkfold.dataset.index import ShardWriter, writing_shards
from inkfold.packing.large_arrays import BATCH, Rows
from inkfold.packing.listing import Listing
from inkfold.packing.pack_shard import ROW, ShardTask, like, pack_shard
from inkfold.packing.packed_rows import widths_of
from inkfold.packing.plan import Packing, Plan
from inkfold.packing.scratch import Spool
from inkfold.packing.source import Source
from inkfold.packing.stage import Notes, pieces
from inkfold.packing.stage_file import Piece, StagedBuckets, StagedFacts, StageFiles, stage_piece
from inkfold.spec import SPLITS, ImageSpec
from inkfold.tally import Tally
from inkfold.workers import Progress


def stage_in_buckets(
    source: Source,
    paths: Spool,
    names: Spool | None,
    spec: ImageSpec,
    files: StageFiles,
    *,
    crew: Crew,
    advance: Callable[[int], None],
) -> StagedBuckets:
    """Have every file of a listing prepared, and put into buckets.

    Parameters
    ----------
    source : Folder or Archive
        What `paths` lie in.
    paths, names : Spool
        The files, and the names of their groups; None where there are no groups.
    spec : ImageSpec
    files : StageFiles
        Which stage files are written.
    crew : Crew
    advance : callable
        Called with the number of files after each piece of work.
    """
    notes, summary = Notes(good=np.ones(len(paths), bool)), hashlib.blake2b(digest_size=16)
    work, start = _pieces(source, paths, names, spec, files), 0
    for number, done in enumerate(crew.in_order(stage_piece, work)):
        if done.bad or done.further:
            texts = paths.read(start, start + done.count)
            notes.add(start, texts, bad=done.bad, further=done.further)
        summary.update(files.summary(number))
        advance(done.count)
        start += done.count
    return StagedBuckets(
        files=files,
        facts=StagedFacts(files),
        good=notes.good,
        fingerprint=summary.hexdigest(),
        unreadable=notes.unreadable,
        further=notes.further,
    )


def _pieces(
    source: Source, paths: Spool, names: Spool | None, spec: ImageSpec, stage: StageFiles
) -> Iterator[Piece]:
    """The pieces of work, each with its stage file."""
    each = stage.buckets.files
    for number, files in enumerate(pieces(source, paths, spec, each)):
        first = number * each
        yield Piece(
            files=files,
            groups=None if names is None else tuple(names.read(first, first + each)),
            first=first,
            path=stage.path(number),
            buckets=stage.buckets,
        )


@dataclass(frozen=True, kw_only=True)
class Shards:
    """What the shards of a dataset are made of.

    Attributes
    ----------
    listing : Listing
    staged : StagedBuckets
    packing : Packing
    plan : Plan
    names : Spool, optional
        The name of each picture's group.
    """

    listing: Listing
    staged: StagedBuckets
    packing: Packing
    plan: Plan
    names: Spool | None


@dataclass(frozen=True)
class Written:
    """What a user should know of the pictures in the shards.

    Attributes
    ----------
    blank : Tally
        Pictures without ink.
    kept : int
        Shards that an earlier run had written.
    """

    blank: Tally
    kept: int = 0


def write_shards(
    output: Path,
    shards: Shards,
    *,
    crew: Crew,
    overwrite: bool,
    progress: Progress,
    provenance: Callable[[Tally], dict[str, Any]],
) -> Written:
    """Have all shards written by the crew, and write the index.

    Parameters
    ----------
    output : Path
        The index.
    shards : Shards
    crew : Crew
    overwrite : bool
        Whether an existing `output` is replaced.
    progress : callable
        As `pack` takes it.
    provenance : callable
        Gives the record of how the file was made, from the blank pictures.

    Raises
    ------
    InkfoldError
        As `writing_shards`, `pack_shard` and `Crew.in_order`.
    """
    files, packing = shards.staged.files, shards.packing
    place, widths = files.folder / "rows", widths_of(shards.listing.paths, shards.names)
    digest = _write_rows(place, shards)
    identity = {
        "tool": "create_dataset",
        "options": packing.recorded(),
        "seed": packing.seed,
        "source": shards.staged.fingerprint,
        "order": digest,
        "widths": widths,
    }
    blank, orders = Tally(), shards.plan.orders
    writing = writing_shards(
        output,
        shards.plan.classes,
        packing.spec,
        rows=files.rows,
        plan=identity,
        overwrite=overwrite,
    )
    with writing as writer, progress("writing", sum(map(len, orders))) as advance:
        for done in crew.in_order(pack_shard, _tasks(writer, shards, place, widths)):
            writer.add(done.written)
            blank.include(done.blank)
            advance(done.written.shard.rows)
        none = like(packing.spec.size, widths, grouped=shards.names is not None)
        writer.finish(provenance(blank), dict.fromkeys(SPLITS, none))
    return Written(blank, writer.kept)


def _write_rows(path: Path, shards: Shards) -> str:
    """Write down which picture each row is; the digest of that, and of the groups' names."""
    listing, summary = shards.listing, hashlib.blake2b(digest_size=16)
    with path.open("wb") as file:
        for order in shards.plan.orders:
            for start in range(0, len(order), BATCH):
                chosen = order[start : start + BATCH]
                some = np.empty(len(chosen), ROW)
                some["place"] = _places(listing, chosen)
                some["label"] = shards.plan.number[listing.labels(chosen)]
                summary.update(some.tobytes())
                file.write(some.tobytes())
        file.flush()
        os.fsync(file.fileno())
    for name in shards.names or ():
        summary.update(name + b"\0")
    return summary.hexdigest()


def _tasks(
    writer: ShardWriter, shards: Shards, rows: Path, widths: tuple[int, int]
) -> Iterator[ShardTask]:
    """The shards to be written, each with the buckets that its rows lie in."""
    counts = {name: len(order) for name, order in zip(SPLITS, shards.plan.orders, strict=True)}
    ends = np.cumsum(_in_buckets(shards), axis=1)
    firsts = dict(zip(SPLITS, np.cumsum([0, *counts.values()]).tolist(), strict=False))
    for slot in writer.slots(counts):
        bucket, parts = overlaps(ends[SPLITS.index(slot.split)], slot.first, slot.rows)
        yield ShardTask(
            slot=slot,
            stage=shards.staged.files,
            rows=rows,
            begin=firsts[slot.split] + slot.first,
            bucket=bucket,
            counts=parts,
            widths=widths,
            grouped=shards.names is not None,
        )


def overlaps(ends: NDArray[np.int64], first: int, rows: int) -> tuple[int, NDArray[np.int64]]:
    """Which buckets some rows of a split lie in.

    Parameters
    ----------
    ends : int64 array of shape (B,)
        The row after the last one of each bucket.
    first, rows : int
        The first row, and how many.

    Returns
    -------
    bucket : int
        The first bucket with one of these rows.
    counts : int64 array
        How many of them are in this bucket and in each that follows, up to the last.

    Examples
    --------
    Of the buckets with the rows 0 to 4, 5 to 7, none, and 8 to 19, the rows 6 to 10 are in three:

    >>> import numpy as np
    >>> from inkfold.packing.sharded import overlaps
    >>> overlaps(np.array([5, 8, 8, 20]), 6, 5)
    (1, array([2, 0, 3]))
    """
    begin = int(np.searchsorted(ends, first, side="right"))
    end = int(np.searchsorted(ends, first + rows, side="left")) + 1
    cuts = np.minimum([first, *ends[begin:end].tolist()], first + rows)
    return begin, np.diff(cuts)


def _in_buckets(shards: Shards) -> NDArray[np.int64]:
    """How many rows of each split lie in each bucket, (3, B)."""
    stage = shards.staged.files
    split = np.full(stage.count, -1, np.int8)
    for number, order in enumerate(shards.plan.orders):
        for start in range(0, len(order), BATCH):
            split[_places(shards.listing, order[start : start + BATCH])] = number
    counts = np.zeros((len(SPLITS), len(stage.buckets)), np.int64)
    for file in range(len(stage)):
        start = file * stage.buckets.files
        keys = stage.buckets.keys(stage.facts(file)["file"][:, 0])
        own = split[start : start + len(keys)]
        for number in range(len(SPLITS)):
            buckets = stage.buckets.numbers(keys[own == number])
            counts[number] += np.bincount(buckets, minlength=len(stage.buckets))
    return counts


def _places(listing: Listing, rows: Rows) -> Rows:
    """The numbers, in the order in which they were found, of pictures by rows of the listing."""
    return rows if listing.order is None else listing.order[rows]
