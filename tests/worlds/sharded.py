"""Datasets in shards for tests, made of datasets in one file."""

from __future__ import annotations

from pathlib import Path

from inkfold.dataset.index import writing_shards
from inkfold.dataset.reader import open_dataset
from inkfold.dataset.shards import write_shard
from inkfold.dataset.split import CHUNK
from inkfold.dataset.writer import NOTHING, read_rows
from inkfold.spec import SPLITS


def write_sharded(source: Path, target: Path, rows: int = CHUNK, *, overwrite: bool = False) -> int:
    """The rows of a dataset written as shards of so many rows; how many an earlier run had."""
    with open_dataset(source) as packed:
        groups = {split.name: split.arrays for split in packed.splits}
        like = {name: read_rows(groups[name], 0, 0) for name in SPLITS}
        counts = {name: len(packed.split(name)) for name in SPLITS}
        plan = {"fingerprint": packed.fingerprint}
        with writing_shards(
            target, packed.classes, packed.spec, rows=rows, plan=plan, overwrite=overwrite
        ) as out:
            for slot in out.slots(counts):
                group, starts = groups[slot.split], [at * CHUNK for at in slot.chunks]
                chunks = ((read_rows(group, at, at + CHUNK), NOTHING) for at in starts)
                out.add(write_shard(slot, like=like[slot.split], chunks=chunks))
            out.finish(packed.provenance, like)
        return out.kept
