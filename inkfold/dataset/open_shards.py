"""The shards of an open dataset: each checked before it is read, a few of them open at a time.

HDF5 reads a missing shard as zeros, so shards are never read through the index. Opening a dataset
looks at all of them; whoever reads a part of it, as a worker does, looks at those that it reads.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

import h5py

from inkfold.dataset.damage import close, damaged, reading
from inkfold.dataset.shard_table import SHARD_FORMAT, SHARD_VERSION, Shard, shard_folder
from inkfold.errors import InkfoldError
from inkfold.identity import Identity
from inkfold.spec import SPLITS

OPEN = 16  # shards that are open at a time, if not told otherwise


class OpenShards:
    """Reads the shards that an index lists.

    Parameters
    ----------
    index : Path
        The dataset's path, for messages.
    folder : Path
    shards : sequence of Shard
    """

    def __init__(self, index: Path, folder: Path, shards: Sequence[Shard]) -> None:
        self.index, self.folder, self.shards = index, folder, tuple(shards)
        self.at_most = OPEN
        self._open: OrderedDict[str, tuple[h5py.File, Identity]] = OrderedDict()
        self._groups: dict[str, h5py.Group] = {}
        self._seen: dict[str, Identity] = {}
        self._lock = RLock()  # another thread shall not close a shard that this one reads
        self._of_split: dict[str, list[Shard]] = {}
        for shard in shards:
            self._of_split.setdefault(shard.split, []).append(shard)

    @property
    def size(self) -> int:
        """Bytes of all shards together, as the index says."""
        return sum(shard.size for shard in self.shards)

    def rows(self, split: str) -> int:
        """Rows of a split, as the index says."""
        return sum(shard.rows for shard in self._of_split.get(split, ()))

    def check(self, index: h5py.File) -> None:
        """Refuse shards that are missing or others than the index lists, or hold other arrays.

        Raises
        ------
        InkfoldError
            Naming the first of them.
        """
        for split in SPLITS:
            rows, listed = len(index[split]["images"]), self.rows(split)
            if rows != listed:
                found = f"{rows:,} rows, its shards have {listed:,}"
                raise damaged(self.index, f"/{split}/images", found)
        for shard in self.shards:
            with self._lock:
                self._check_arrays(shard, self._file(shard), index[shard.split])
                self._close_beyond(1)

    @contextmanager
    def at(self, split: str, row: int) -> Iterator[tuple[h5py.Group, Shard]]:
        """The arrays of the shard that holds a row, to be read within the block.

        Raises
        ------
        InkfoldError
            If the shard is missing, differs from what the index lists, or was replaced since it
            was opened first.
        """
        shards = self._of_split[split]
        shard = shards[bisect_right(shards, row, key=lambda each: each.first) - 1]
        with self._lock:
            file = self._file(shard)
            if shard.name not in self._groups:  # a look into the file for each chunk takes a tenth
                with reading(file.filename, f"/{split}"):
                    self._groups[shard.name] = file[split]
            yield self._groups[shard.name], shard

    def check_unchanged(self) -> None:
        """Refuse shards that were written to since they were opened, of those that are open.

        Raises
        ------
        InkfoldError
            Naming the first of them.
        """
        with self._lock:
            for file, identity in self._open.values():
                identity.check(_descriptor(file))

    def check_all_unchanged(self) -> None:
        """Refuse shards that were written to, replaced or removed since they were opened first."""
        self.check_unchanged()
        for identity in self._seen.values():
            identity.check()

    def close(self) -> None:
        """Close the shards that are open."""
        with self._lock:
            self._close_beyond(0)

    def _file(self, shard: Shard) -> h5py.File:
        """The open file of a shard, which is at its place still."""
        if shard.name in self._open:
            self._open.move_to_end(shard.name)
            file, identity = self._open[shard.name]
            identity.check()
            return file
        path = self.folder / shard.name
        file = self._opened(path, shard)
        try:
            identity = Identity.of(path, _descriptor(file))
            self._seen.setdefault(shard.name, identity).check(_descriptor(file))
        except BaseException:
            close(file)
            raise
        self._open[shard.name] = file, identity
        self._close_beyond(self.at_most)
        return file

    def _opened(self, path: Path, shard: Shard) -> h5py.File:
        try:
            size = path.stat().st_size
        except OSError as error:
            raise InkfoldError(
                f"{path}: this shard of {self.index} cannot be read ({error.strerror}); "
                f"{self._advice()}"
            ) from None
        if size != shard.size:
            raise self._another(path, f"{size:,} bytes, expected {shard.size:,}")
        with reading(path, "its beginning"):
            file = h5py.File(path, "r")
        try:
            self._check_attributes(path, file, shard)
        except BaseException:
            close(file)
            raise
        return file

    def _check_attributes(self, path: Path, file: h5py.File, shard: Shard) -> None:
        with reading(path, "its attributes"):
            kind, digest = _fixed_text(file, "format"), _fixed_text(file, "digest")
            version = file.attrs.get("format_version")
        if kind != SHARD_FORMAT or version != SHARD_VERSION:
            raise self._another(path, "no shard of format 1")
        if digest != shard.digest:
            raise self._another(path, "a shard of another dataset or run")

    def _another(self, path: Path, found: str) -> InkfoldError:
        return InkfoldError(
            f"{path}: is not the shard that {self.index} lists ({found}); {self._advice()}"
        )

    def _advice(self) -> str:
        """What to do, where a folder of another name may be the reason."""
        own = shard_folder(self.index)
        if own != self.folder and own.is_dir() and not self.folder.exists():
            return f"give the folder {own.name} its old name back, {self.folder.name}"
        return (
            f"move {self.folder.name} with {self.index.name}, restore both from a copy, or make "
            "the dataset again"
        )

    def _check_arrays(self, shard: Shard, file: h5py.File, expected: h5py.Group) -> None:
        """Refuse arrays of other names, types or shapes than those of the index."""
        path = self.folder / shard.name
        with reading(path, f"/{shard.split}"):
            group = file[shard.split]
            found = {name: _kind(group[name]) for name in group}
            wanted = {name: (shard.rows, *_kind(expected[name])[1:]) for name in expected}
            elsewhere = [name for name in group if group[name].is_virtual or group[name].external]
        if elsewhere:
            raise damaged(path, f"/{shard.split}/{elsewhere[0]}", "lies in another file")
        if found != wanted:
            name = min(found.items() ^ wanted.items())[0]
            raise damaged(path, f"/{shard.split}/{name}", "differs from what the index says of it")

    def _close_beyond(self, count: int) -> None:
        while len(self._open) > count:
            name, (file, _) = self._open.popitem(last=False)
            self._groups.pop(name, None)
            close(file)


def _kind(array: h5py.Dataset) -> tuple[int, tuple[int, ...], str]:
    """Rows, the rest of the shape, and the type of an array."""
    return len(array), tuple(array.shape[1:]), array.dtype.str


def _fixed_text(file: h5py.File, name: str) -> str | None:
    """An attribute of fixed length: only texts of variable length lie in heaps, see hdf5_heaps."""
    if name not in file.attrs or file.attrs.get_id(name).dtype.kind != "S":
        return None
    return bytes(file.attrs[name]).decode()


def _descriptor(file: h5py.File) -> int:
    """The number under which the operating system knows the open file."""
    return int(file.id.get_vfd_handle())
