"""The index of a sharded dataset, and the run that has its shards written.

`writing_shards` makes the folder ready and gives a `ShardWriter`. Its `slots` say which shards are
to be there; workers write them by `shards.write_shard`; `ShardWriter.add` takes what they answer,
in the order of the slots, and `ShardWriter.finish` writes the index, last of all.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.damage import damaged, reading
from inkfold.dataset.digests import split_digest
from inkfold.dataset.shard_folder import begin_run, end_run, leave_run, note, own_shards
from inkfold.dataset.shard_table import (
    FOLDER,
    TABLE,
    Shard,
    listed_shards,
    shard_folder,
    shard_name,
    table_of,
)
from inkfold.dataset.shards import Slot, WrittenShard
from inkfold.dataset.split import CHUNK
from inkfold.dataset.writer import (
    DatasetWriter,
    Rows,
    SplitWriter,
    new_hdf5,
    stored_type,
    versions,
)
from inkfold.errors import InkfoldError
from inkfold.locks import only_writer
from inkfold.output import check_free, new_file, sync_folder
from inkfold.spec import SPLITS, ImageSpec

ABSENT = {"labels": -1, "origin": -1, "copy": -1}  # what HDF5 reads where a shard is missing


@contextmanager
def writing_shards(
    path: Path,
    classes: Sequence[str],
    spec: ImageSpec,
    *,
    rows: int,
    plan: Mapping[str, Any],
    overwrite: bool,
) -> Iterator[ShardWriter]:
    """Have a sharded dataset written; it is there when the block has called `finish` and ends.

    If the block ends with an error, finished shards stay for the next run of the same plan, and
    a dataset that was to be replaced stays as it was.

    Parameters
    ----------
    path : Path
        The index; the shards lie in the folder beside it.
    classes : sequence of str
    spec : ImageSpec
    rows : int
        Rows of a shard, a multiple of 256; the last of a split may have fewer.
    plan : mapping
        All else that the bytes of the shards depend on, as JSON: tool, options, seed, and the
        fingerprint of what is read. It must depend on nothing that differs from run to run.
    overwrite : bool

    Raises
    ------
    InkfoldError
        If `path` exists and `overwrite` is false, the folder of shards holds what is not ours, or
        an unfinished run with another plan and `overwrite` is false, or another process writes it.
    """
    if rows < CHUNK or rows % CHUNK:
        raise ValueError(f"shards of {rows} rows; expected a multiple of {CHUNK}")
    check_free(path, overwrite=overwrite)
    everything = dict(plan, classes=list(classes), spec=spec.to_json(), rows=rows, **versions())
    text = json.dumps(everything, sort_keys=True)
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    folder = shard_folder(path).absolute()
    with only_writer(folder):
        journal = begin_run(path, digest, overwrite=overwrite)
        writer = ShardWriter(path, classes, spec, rows=rows, plan=digest, known=journal.shards)
        try:
            yield writer
            replaced = own_shards(path)
            writer.write_index(overwrite=overwrite)
        except BaseException:
            leave_run(folder)
            raise
        listed = {shard.name for shard in writer.shards}
        end_run(folder, [each for each in replaced if each.name not in listed])


class ShardWriter:
    """Has one sharded dataset written; made by `writing_shards`.

    Attributes
    ----------
    folder : Path
        Where the shards are written, absolute.
    shards : list of Shard
        Those that are there, in the order in which they came.
    kept : int
        How many of them an earlier run had written.
    """

    def __init__(
        self,
        path: Path,
        classes: Sequence[str],
        spec: ImageSpec,
        *,
        rows: int,
        plan: str,
        known: Mapping[str, Shard],
    ) -> None:
        self.folder = shard_folder(path).absolute()
        self.shards: list[Shard] = []
        self.kept = 0
        self._path, self._classes, self._spec = path, classes, spec
        self._rows, self._plan, self._known = rows, plan, known
        self._digests: dict[str, list[bytes]] = {name: [] for name in SPLITS}
        self._finish: tuple[dict[str, Any], Mapping[str, Rows]] | None = None

    def slots(self, counts: Mapping[str, int]) -> Iterator[Slot]:
        """The shards of a dataset with so many rows in "train", "validation" and "test"."""
        for split in SPLITS:
            for number, first in enumerate(range(0, counts[split], self._rows)):
                name = shard_name(split, number, self._plan)
                yield Slot(
                    folder=self.folder,
                    name=name,
                    split=split,
                    first=first,
                    rows=min(self._rows, counts[split] - first),
                    known=self._known.get(name),
                )

    def add(self, written: WrittenShard) -> None:
        """Take what a worker answered; shards come in the order of the slots."""
        if written.kept:
            self.kept += 1
        else:
            note(self.folder, written.shard)
        self.shards.append(written.shard)
        self._digests[written.shard.split].append(written.digests)

    def finish(self, provenance: dict[str, Any], like: Mapping[str, Rows]) -> None:
        """Say how the dataset was made, as `DatasetWriter.finish`; nothing is added afterwards.

        Parameters
        ----------
        provenance : dict
            As a dataset of one file has it.
        like : mapping of str to Rows
            For each split its arrays' types and shapes, as `write_shard` was given them.
        """
        self._finish = provenance, like

    def write_index(self, *, overwrite: bool) -> None:
        """Write the index; `writing_shards` does it at the end.

        Raises
        ------
        ValueError
            If `finish` was not called.
        """
        if self._finish is None:
            raise ValueError(f"{self._path}: finish was not called")
        provenance, like = self._finish
        self._check_seen()
        sync_folder(self.folder)
        with (
            new_file(self._path, overwrite=overwrite) as part,
            new_hdf5(part, self._path) as file,
        ):
            index = IndexWriter(file, self._classes, self._spec)
            table = file.create_dataset(TABLE, data=table_of(self.shards))
            table.attrs[FOLDER] = self.folder.name
            table.flush()
            for name in SPLITS:
                shards = [shard for shard in self.shards if shard.split == name]
                index.add(name, shards, self._digests[name], like[name], self.folder.name)
            index.finish(provenance)

    def _check_seen(self) -> None:
        """Refuse shards that workers wrote where this process does not see them."""
        for shard in self.shards:
            path = self.folder / shard.name
            if not path.is_file() or path.stat().st_size != shard.size:
                raise InkfoldError(
                    f"{path}: a worker wrote this shard, and it is not here; choose a place with "
                    "-o that this machine and every worker share"
                )


class IndexWriter(DatasetWriter):
    """Writes an index: the attributes of a dataset, and arrays that lie in the shards."""

    def add(
        self, name: str, shards: Sequence[Shard], digests: Sequence[bytes], like: Rows, folder: str
    ) -> None:
        """Write the arrays of the split `name`: what lies in shards is mapped by relative paths."""
        group = self._file.create_group(name)
        if shards:
            for array_name, array in like.items():
                _map(group, array_name, array, shards, folder)
        else:
            SplitWriter(group, 0, like)
        self._hash.update(split_digest(group.name, digests))


def _map(
    group: h5py.Group, name: str, like: NDArray[Any], shards: Sequence[Shard], folder: str
) -> None:
    """A virtual array, as HDF5 calls one whose parts lie in other files."""
    rest = like.shape[1:]
    count = sum(shard.rows for shard in shards)
    space = h5py.h5s.create_simple((count, *rest))
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_obj_track_times(False)
    if name in ABSENT:
        properties.set_fill_value(np.array(ABSENT[name], like.dtype))
    for shard in shards:
        space.select_hyperslab((shard.first,) + (0,) * len(rest), (shard.rows, *rest))
        source = h5py.h5s.create_simple((shard.rows, *rest))
        array = f"{group.name}/{name}".encode()
        properties.set_virtual(space, _source(folder, shard), array, source)
    kind = h5py.h5t.py_create(stored_type(like), logical=True)
    space.select_all()
    h5py.h5d.create(group.id, name.encode(), kind, space, properties)


def check_maps(path: Path, file: h5py.File) -> None:
    """Refuse an index whose virtual arrays do not lead to the shards that it lists.

    This package reads shards by the list, plain HDF5 by the arrays.

    Raises
    ------
    InkfoldError
        Naming the first array that leads elsewhere.
    """
    folder, shards = listed_shards(path, file)
    for split in SPLITS:
        listed = [shard for shard in shards if shard.split == split]
        for name in file[split]:
            place = f"/{split}/{name}"
            with reading(path, place):
                wanted = [
                    (_source(folder.name, shard), place, shard.first, shard.first + shard.rows - 1)
                    for shard in listed
                ]
                if _sources(file[split][name]) != wanted:
                    raise damaged(path, place, f"does not lead to the shards in /{TABLE}")


def _sources(array: h5py.Dataset) -> list[tuple[bytes, str, int, int]]:
    """Where the parts of a virtual array lie: file, array, and its first and last row here."""
    if not array.is_virtual:
        return []
    properties = array.id.get_create_plist()
    found = []
    for number in range(properties.get_virtual_count()):
        low, high = properties.get_virtual_vspace(number).get_select_bounds()
        file = os.fsencode(properties.get_virtual_filename(number))
        found.append((file, properties.get_virtual_dsetname(number), int(low[0]), int(high[0])))
    return found


def _source(folder: str, shard: Shard) -> bytes:
    """A shard's path as HDF5 has it, which takes %b for a number."""
    return os.fsencode(f"{folder}/{shard.name}".replace("%", "%%"))
