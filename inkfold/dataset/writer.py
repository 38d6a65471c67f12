"""Writing the packed dataset, format 1, a chunk of 256 rows at a time.

`writing_dataset` opens a file, its `DatasetWriter` opens one split after another, and a
`SplitWriter` takes `Rows`. Chunks are deflated by igzip, in this process or in a worker, and handed
to HDF5 as they are. `read_rows` and `stored_chunk` read chunks back, to copy them to another file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import h5py
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from inkfold import __version__
from inkfold.dataset.arrays import SplitArrays
from inkfold.dataset.damage import TEXTS, damaged, reading
from inkfold.dataset.digests import check_digests, chunk_digest, split_digest
from inkfold.dataset.reader import FORMAT, VERSION
from inkfold.dataset.shard_folder import replacing_shards
from inkfold.dataset.split import CHUNK
from inkfold.errors import InkfoldError
from inkfold.hdf5_faults import no_write_lost
from inkfold.output import naming, new_file
from inkfold.program import typed
from inkfold.spec import ImageSpec

NOTHING: Mapping[str, bytes] = MappingProxyType({})  # no array is deflated yet
NO_COMPANION: AbstractContextManager[object] = contextlib.nullcontext()
STORED = 8  # bytes at a chunk's beginning that are not compressed: see `deflate`
ZLIB = b"\x78\x01"  # the head of a stream: deflate, a window of 32 KiB, the fastest level
LIBRARIES = ("h5py", "isal", "numpy", "opencv-python-headless")


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Consecutive rows of a split, as `SplitWriter.append` takes them.

    Attributes
    ----------
    images : uint8 array of shape (n, H, W)
    labels : int32 array of shape (n,)
    source : bytes array of shape (n,)
        Where each picture came from, in UTF-8.
    digest : uint8 array of shape (n, 16)
        As `digests` makes them.
    origin : int64 array of shape (n,), or None
        Row of the original before augmentation; only in the train split of an augmented file.
    copy : int32 array of shape (n,), or None
        0 for an original, 1 to K for its copies; only together with `origin`.
    group : bytes array of shape (n,), or None
        Writer, page or sheet in UTF-8, where these are known.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int32]
    source: NDArray[np.bytes_]
    digest: NDArray[np.uint8]
    origin: NDArray[np.int64] | None = None
    copy: NDArray[np.int32] | None = None
    group: NDArray[np.bytes_] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, part: slice | NDArray[Any]) -> Self:
        """Some of the rows: those of a slice, of a mask, or of row numbers."""
        return type(self)(**{name: array[part] for name, array in self.items()})

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """The rows of all parts, one part after the other; all parts have the same arrays."""
        names = [name for name, _ in parts[0].items()]
        return cls(
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        )

    def items(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Name and array of each part that is not None, in the order of the file."""
        for name in ("images", "labels", "source", "digest", "origin", "copy", "group"):
            array = getattr(self, name)
            if array is not None:
                yield name, array


@contextmanager
def writing_dataset(
    path: Path,
    classes: Sequence[str],
    spec: ImageSpec,
    *,
    overwrite: bool,
    companion: AbstractContextManager[object] = NO_COMPANION,
) -> Iterator[DatasetWriter]:
    """Open a dataset for writing; the file takes its name when the block ends without an error.

    A `companion` is another output about this one, as `new_file` gives it. It gets its name when
    the dataset is complete, right before the dataset gets its own.
    """
    with (
        replacing_shards(path),
        new_file(path, overwrite=overwrite) as part,
        companion,
        new_hdf5(part, path) as file,
    ):
        yield DatasetWriter(file, classes, spec)


@contextmanager
def new_hdf5(part: Path, path: Path) -> Iterator[h5py.File]:
    """A new HDF5 file at `part`, which is to become `path`; closed whole when the block ends.

    Raises
    ------
    InkfoldError, OSError
        If the disk takes less than is written; `path` is named.
    """
    with naming(path):
        file = h5py.File(part, "w")
    _limit_index_cache(file)
    with no_write_lost(path):
        try:
            yield file
        except BaseException as error:
            with contextlib.suppress(RuntimeError):  # on a full disk closing fails as well
                file.close()
            if isinstance(error, OSError) and error.filename is None:
                error.filename = str(path)  # HDF5 gives the error's number alone
            raise
        file.close()


def _limit_index_cache(file: h5py.File) -> None:
    """Limit the memory in which HDF5 keeps its index of chunks, which grows with their number.

    HDF5's own limit is 2 MiB, counted in the size of the nodes on the disk. In memory the nodes are
    eight times as large: 14 MB for 1.6 million rows.
    """
    cache = file.id.get_mdc_config()
    cache.set_initial_size = True
    cache.initial_size = cache.min_size = cache.max_size = 256 << 10
    file.id.set_mdc_config(cache)


class DatasetWriter:
    """Writes one dataset file; made by `writing_dataset`."""

    def __init__(self, file: h5py.File, classes: Sequence[str], spec: ImageSpec) -> None:
        self._file = file
        self._hash = hashlib.blake2b(digest_size=16)
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = VERSION
        file.attrs["spec"] = spec.to_json()
        names = np.array([name.encode() for name in classes], dtype=np.bytes_)
        # flushed while an error can be raised: h5py would close, and so write, it when it is freed
        file.create_dataset("classes", data=names.astype(stored_type(names))).flush()
        self._hash.update("\0".join([spec.to_json(), *classes]).encode())

    @contextmanager
    def split(self, name: str, count: int, *, like: Rows) -> Iterator[SplitWriter]:
        """Write the split `name` of `count` rows; splits are written one after another.

        `like` gives the arrays' types and shapes; it may hold any rows, or be empty.
        """
        writer = SplitWriter(self._file.create_group(name), count, like)
        yield writer
        self._hash.update(writer.finish())

    def finish(self, provenance: dict[str, Any]) -> None:
        """Write how the file was made; versions and the fingerprint are added here."""
        self._describe(provenance | versions() | {"fingerprint": self._hash.hexdigest()})

    def repeat(self, path: Path, provenance: dict[str, Any]) -> None:
        """Write how the dataset at `path` was made, of which this file is a copy.

        Raises
        ------
        InkfoldError
            If what was written gives another fingerprint.
        """
        found = self._hash.hexdigest()
        if found != provenance["fingerprint"]:
            raise damaged(
                path,
                "its attribute provenance",
                f"fingerprint {provenance['fingerprint'][:12]!a}..., its rows give {found[:12]}...",
            )
        self._describe(provenance)

    def _describe(self, provenance: dict[str, Any]) -> None:
        text = json.dumps(provenance, sort_keys=True, ensure_ascii=False)
        self._file.attrs["provenance"] = text


def versions() -> dict[str, Any]:
    """The versions of this package and of the libraries that the bytes of a file depend on."""
    libraries = {name: version(name) for name in LIBRARIES} | {
        "hdf5": h5py.version.hdf5_version,
        "python": platform.python_version(),
    }
    return {"version": __version__, "libraries": libraries}


class SplitWriter:
    """Writes the rows of one split, a chunk at a time; made by `DatasetWriter.split`."""

    def __init__(self, group: h5py.Group, count: int, like: Rows) -> None:
        self._name = group.name
        self._count = count
        self._next = 0
        self._types = {name: array.dtype for name, array in like.items()}
        chunks = -(-count // CHUNK)
        self._written = np.zeros(chunks, bool)
        self._digests = np.zeros((chunks, 16), np.uint8)  # BLAKE2b of a chunk's labels and digests
        self._stored: dict[str, h5py.h5d.DatasetID] = {}
        for name, array in like.items():
            stored = group.create_dataset(
                name,
                shape=(count, *array.shape[1:]),
                maxshape=(None, *array.shape[1:]),  # lets a split be shorter than a chunk
                chunks=(CHUNK, *array.shape[1:]),
                dtype=stored_type(array),
                compression="gzip",
                compression_opts=1,
            )
            self._stored[name] = stored.id  # a lookup for each chunk took a third of the time

    def append(self, rows: Rows, *, deflated: Mapping[str, bytes] = NOTHING) -> None:
        """Write the next chunk: 256 rows, or fewer at the end of the split.

        Parameters
        ----------
        rows : Rows
        deflated : mapping of str to bytes
            The arrays that a worker has put through `deflate` already, by name. If "images" is
            among them, ``rows.images`` gives only the type and may be empty.
        """
        self.write(self._next, rows, deflated=deflated)
        self._next += len(rows)

    def write(self, at: int, rows: Rows, *, deflated: Mapping[str, bytes] = NOTHING) -> None:
        """Write the chunk that begins at row `at`; chunks come in any order, each exactly once.

        Raises
        ------
        ValueError
            If the rows are no whole chunk of the split, it was written before, or a type differs
            from that of the split.
        """
        chunk, misplaced = divmod(at, CHUNK)
        fits = 0 <= at < self._count and len(rows) == min(CHUNK, self._count - at)
        if misplaced or not fits or self._written[chunk]:
            raise ValueError(f"{len(rows)} rows cannot be written at {at} of {self._count}")
        for name, array in rows.items():
            self._write_chunk(name, array, at, deflated.get(name) or deflate(array))
        summary = chunk_digest(rows.labels, rows.digest)
        self._digests[chunk] = np.frombuffer(summary, np.uint8)
        self._written[chunk] = True

    def _write_chunk(self, name: str, array: NDArray[Any], at: int, data: bytes) -> None:
        if array.dtype != self._types[name]:
            raise ValueError(
                f"{name} is {array.dtype}, the split was begun with {self._types[name]}"
            )
        offset = (at,) + (0,) * (array.ndim - 1)
        self._stored[name].write_direct_chunk(offset, data)

    def finish(self) -> bytes:
        """The digest over labels and pixel digests in row order, as `split_digest`."""
        return split_digest(self._name, [self.digests()])

    def digests(self) -> bytes:
        """The digest of each chunk's labels and pixel digests, 16 bytes a chunk, in row order.

        Raises
        ------
        ValueError
            If a chunk was never written.
        """
        if not self._written.all():
            missing = int((~self._written).sum())
            raise ValueError(f"{self._name}: {missing} chunks were never written")
        return self._digests.tobytes()


def stored_type(array: NDArray[Any]) -> Any:  # noqa: ANN401, h5py has no types
    """The type of an array in the file: strings are UTF-8 of fixed length, which compresses."""
    if array.dtype.kind == "S":
        return h5py.string_dtype("utf-8", array.dtype.itemsize)
    return array.dtype


def deflate(chunk: NDArray[Any]) -> bytes:
    """Compress up to 256 rows to one whole chunk as HDF5's deflate filter reads it.

    Rows that are missing from the last chunk of a split are zeros. The first bytes are stored as
    they are, and igzip compresses the rest with them as its dictionary, which costs 4 bytes a
    chunk: at the start of data without a dictionary igzip (levels 1 and 2 of ISA-L 2.32.1) hashes
    the address of its own state in place of the data, so that about every fourth process wrote
    other bytes for the same rows (docs/decisions/0016-first-byte.md).

    Notes
    -----
    The stream is made of the parts that RFC 1950 and RFC 1951 (3.2.4, stored blocks) describe.
    """
    if len(chunk) < CHUNK:
        padding = np.zeros((CHUNK - len(chunk), *chunk.shape[1:]), chunk.dtype)
        chunk = np.concatenate([chunk, padding])
    data = np.ascontiguousarray(chunk).reshape(-1).view(np.uint8)
    first = data[:STORED].tobytes()
    stream = isal_zlib.compressobj(1, wbits=-15, zdict=first)
    stored = b"\0" + struct.pack("<HH", len(first), 0xFFFF ^ len(first)) + first
    rest = stream.compress(data[STORED:]) + stream.flush()
    return b"".join((ZLIB, stored, rest, struct.pack(">I", isal_zlib.adler32(data))))


def read_rows(arrays: SplitArrays, start: int, stop: int) -> Rows:
    """Read rows of a split that is not augmented, from the beginning of a chunk, none beyond it.

    Raises
    ------
    InkfoldError
        If sources or groups are stored as strings of variable length.
    """
    stop = min(stop, arrays.rows)
    with arrays.at(start) as (group, first, _):
        path, part = group.file.filename, slice(start - first, stop - first)
        read = {}
        for name in ("images", "labels", "source", "digest", "group"):
            if name not in arrays:
                continue
            place = f"{group.name}/{name}"
            with reading(path, f"{place}, rows {part.start} to {part.stop - 1}"):
                array = group[name]
                if name in TEXTS and array.dtype.kind != "S":
                    raise InkfoldError(
                        f"{path}: {place} is not of fixed length, as format 1 has it; pack the "
                        f"dataset again with: {typed('create_dataset')} FOLDER"
                    )
                read[name] = np.asarray(array[part]) if name in TEXTS else _numbers(array, part)
        check_digests(path, arrays.name, part.start, read["images"], read["digest"])
    return Rows(**read)


def _numbers(array: h5py.Dataset, part: slice) -> NDArray[Any]:
    """Rows of one chunk, inflated by igzip in a sixth of HDF5's time where that is possible."""
    stored = _stored_chunk(array, part.start) if part.stop > part.start else None
    if stored is None:
        return np.asarray(array[part])
    chunk = np.frombuffer(isal_zlib.decompress(stored), array.dtype).reshape(array.chunks)
    return chunk[: part.stop - part.start]


def stored_chunk(arrays: SplitArrays, name: str, at: int) -> bytes | None:
    """The deflated bytes of an array's chunk at row `at`; None if `deflate` made no such chunk."""
    with (
        arrays.at(at) as (group, first, _),
        reading(group.file.filename, f"{group.name}/{name}, rows from {at - first}"),
    ):
        return _stored_chunk(group[name], at - first)


def _stored_chunk(array: h5py.Dataset, at: int) -> bytes | None:
    filters = array.id.get_create_plist()
    if array.chunks != (CHUNK, *array.shape[1:]) or filters.get_nfilters() != 1:
        return None
    if filters.get_filter(0)[0] != h5py.h5z.FILTER_DEFLATE:
        return None
    place = (at,) + (0,) * (array.ndim - 1)
    chunk = array.id.get_chunk_info_by_coord(place)
    if chunk.byte_offset is None or chunk.filter_mask:  # never written, or not compressed
        return None
    return bytes(array.id.read_direct_chunk(place)[1])
