"""Writing a packed dataset: chunks are deflated by igzip and handed to HDF5 as they are."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from inkfold import __version__
from inkfold.dataset.reader import CHUNK, FORMAT, VERSION
from inkfold.errors import InkfoldError
from inkfold.output import new_file
from inkfold.spec import ImageSpec

NOTHING: Mapping[str, bytes] = MappingProxyType({})
LIBRARIES = ("h5py", "isal", "numpy", "opencv-python-headless", "scipy")


@dataclass(frozen=True)
class Rows:
    """Consecutive rows of a split: what `SplitWriter.append` takes.

    `images` uint8 (n, H, W), `labels` int32 (n,), `source` bytes (n,) in UTF-8, `digest` uint8
    (n, 16); `origin` int64 (n,) and `copy` int32 (n,) for the train split of an augmented file;
    `group` bytes (n,) in UTF-8 where writers, pages or sheets are known.
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

    def items(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Name and array of each part that is there, in the order of the file."""
        for name in ("images", "labels", "source", "digest", "origin", "copy", "group"):
            array = getattr(self, name)
            if array is not None:
                yield name, array


def digests(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """BLAKE2b-128 of each picture's pixels: uint8 (n, H, W) -> uint8 (n, 16)."""
    joined = b"".join(hashlib.blake2b(image, digest_size=16).digest() for image in images)
    return np.frombuffer(joined, np.uint8).reshape(len(images), 16)


def deflate(chunk: NDArray[Any]) -> bytes:
    """Compress up to 256 rows to one whole chunk as HDF5's deflate filter reads it.

    Rows that are missing from the last chunk of a split are zeros.
    """
    if len(chunk) < CHUNK:
        padding = np.zeros((CHUNK - len(chunk), *chunk.shape[1:]), chunk.dtype)
        chunk = np.concatenate([chunk, padding])
    return bytes(isal_zlib.compress(np.ascontiguousarray(chunk), 1))


class SplitWriter:
    """Writes rows to one split, a chunk at a time."""

    def __init__(self, group: h5py.Group, count: int, like: Rows) -> None:
        self._name = group.name
        self._count = count
        self._next = 0
        self._types = {name: array.dtype for name, array in like.items()}
        chunks = -(-count // CHUNK)
        self._written = np.zeros(chunks, bool)
        self._digests = np.zeros((chunks, 16), np.uint8)  # of each chunk's labels and digests
        self._stored: dict[str, h5py.h5d.DatasetID] = {}
        for name, array in like.items():
            stored = group.create_dataset(
                name,
                shape=(count, *array.shape[1:]),
                maxshape=(None, *array.shape[1:]),  # or a split could not be shorter than a chunk
                chunks=(CHUNK, *array.shape[1:]),
                dtype=_stored_type(array),
                compression="gzip",
                compression_opts=1,
            )
            self._stored[name] = stored.id  # looking it up for each chunk took a third of the time

    def append(self, rows: Rows, *, deflated: Mapping[str, bytes] = NOTHING) -> None:
        """Write the chunk after the one before: 256 rows, or fewer at the end of the split.

        Parameters
        ----------
        rows : Rows
        deflated : mapping of str to bytes
            `deflate` of those arrays for which a worker has made it already; of "images" the array
            then only tells the type, and may hold no picture.
        """
        self.write(self._next, rows, deflated=deflated)
        self._next += len(rows)

    def write(self, at: int, rows: Rows, *, deflated: Mapping[str, bytes] = NOTHING) -> None:
        """Write the chunk that begins at row `at`: each chunk once, in any order."""
        chunk, misplaced = divmod(at, CHUNK)
        fits = 0 <= at < self._count and len(rows) == min(CHUNK, self._count - at)
        if misplaced or not fits or self._written[chunk]:
            raise ValueError(f"{len(rows)} rows cannot be written at {at} of {self._count}")
        for name, array in rows.items():
            self._write_chunk(name, array, at, deflated.get(name) or deflate(array))
        summary = hashlib.blake2b(rows.labels.tobytes(), digest_size=16)
        summary.update(rows.digest.tobytes())
        self._digests[chunk] = np.frombuffer(summary.digest(), np.uint8)
        self._written[chunk] = True

    def _write_chunk(self, name: str, array: NDArray[Any], at: int, data: bytes) -> None:
        if array.dtype != self._types[name]:
            raise ValueError(
                f"{name} is {array.dtype}, the split was begun with {self._types[name]}"
            )
        offset = (at,) + (0,) * (array.ndim - 1)
        self._stored[name].write_direct_chunk(offset, data)

    def finish(self) -> bytes:
        """Digest over labels and pixel digests in row order; ValueError when rows are missing."""
        if not self._written.all():
            missing = int((~self._written).sum())
            raise ValueError(f"{self._name}: {missing} chunks were never written")
        summary = hashlib.blake2b(self._name.encode(), digest_size=16)
        summary.update(self._digests.tobytes())
        return summary.digest()


class DatasetWriter:
    """Writes one dataset file; made by `writing_dataset`."""

    def __init__(self, file: h5py.File, classes: Sequence[str], spec: ImageSpec) -> None:
        self._file = file
        self._hash = hashlib.blake2b(digest_size=16)
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = VERSION
        file.attrs["spec"] = spec.to_json()
        names = np.array([name.encode() for name in classes], dtype=np.bytes_)
        file.create_dataset("classes", data=names.astype(_stored_type(names)))
        self._hash.update("\0".join([spec.to_json(), *classes]).encode())

    @contextmanager
    def split(self, name: str, count: int, *, like: Rows) -> Iterator[SplitWriter]:
        """Write the split `name` of `count` rows; splits are written one after another.

        `like` holds any rows, also none: it gives the arrays' types and shapes.
        """
        writer = SplitWriter(self._file.create_group(name), count, like)
        yield writer
        self._hash.update(writer.finish())

    def finish(self, provenance: dict[str, Any]) -> None:
        """Write the provenance; versions and the fingerprint are added here."""
        libraries = {name: version(name) for name in LIBRARIES} | {
            "hdf5": h5py.version.hdf5_version,
            "python": platform.python_version(),
        }
        full = provenance | {
            "version": __version__,
            "libraries": libraries,
            "fingerprint": self._hash.hexdigest(),
        }
        text = json.dumps(full, sort_keys=True, ensure_ascii=False)
        self._file.attrs["provenance"] = text


@contextmanager
def writing_dataset(
    path: Path, classes: Sequence[str], spec: ImageSpec, *, overwrite: bool
) -> Iterator[DatasetWriter]:
    """Open a dataset for writing; the file takes its name when the block ends without an error."""
    with new_file(path, overwrite=overwrite) as part:
        file = h5py.File(part, "w")
        _keep_little(file)
        try:
            yield DatasetWriter(file, classes, spec)
        except BaseException as error:
            with contextlib.suppress(RuntimeError):  # on a full disk closing fails as well
                file.close()
            if isinstance(error, OSError) and error.filename is None:
                error.filename = str(path)  # HDF5 tells the number only
            raise
        try:
            file.close()
        except RuntimeError as error:
            raise InkfoldError(
                f"{path}: HDF5 cannot finish it ({str(error).splitlines()[0]}); "
                "is the disk full? free it or choose another place with -o"
            ) from None


def _keep_little(file: h5py.File) -> None:
    """Bound what HDF5 keeps in memory of where the chunks are, which grows with their number.

    It counts 2 MiB by default, as the nodes are on the disk; in memory they are eight times as
    large, 14 MB for 1.6 million rows.
    """
    cache = file.id.get_mdc_config()
    cache.set_initial_size = True
    cache.initial_size = cache.min_size = cache.max_size = 256 << 10
    file.id.set_mdc_config(cache)


def _stored_type(array: NDArray[Any]) -> Any:  # noqa: ANN401, h5py has no types
    """Strings are stored as UTF-8 of fixed length: they compress, and readers see text."""
    if array.dtype.kind == "S":
        return h5py.string_dtype("utf-8", array.dtype.itemsize)
    return array.dtype


def read_rows(group: h5py.Group, start: int, stop: int) -> Rows:
    """Rows of a split that is not augmented: some of one chunk, from its beginning."""
    for name in ("source", "group"):
        if name in group and group[name].dtype.kind != "S":
            raise InkfoldError(
                f"{group.file.filename}: {group.name}/{name} is not of fixed length, as format 1 "
                "has it; pack the dataset again with: python create_dataset.py FOLDER"
            )
    part = slice(start, min(stop, len(group["images"])))
    names = [name for name in ("labels", "source", "digest", "group") if name in group]
    return Rows(_pictures(group["images"], part), **{name: group[name][part] for name in names})


def _pictures(images: h5py.Dataset, part: slice) -> NDArray[np.uint8]:
    """Inflated by igzip where they are stored as ours are: a sixth of HDF5's time."""
    stored = stored_chunk(images, part.start)
    if stored is None:
        return np.asarray(images[part])
    chunk = np.frombuffer(isal_zlib.decompress(stored), np.uint8).reshape(images.chunks)
    return chunk[: part.stop - part.start]


def stored_chunk(images: h5py.Dataset, at: int) -> bytes | None:
    """The bytes of the chunk at row `at`; None where it is not stored as this package stores it."""
    filters = images.id.get_create_plist()
    if images.chunks != (CHUNK, *images.shape[1:]) or filters.get_nfilters() != 1:
        return None
    if filters.get_filter(0)[0] != h5py.h5z.FILTER_DEFLATE:
        return None
    chunk = images.id.get_chunk_info_by_coord((at, 0, 0))
    if chunk.byte_offset is None or chunk.filter_mask:  # never written, or written uncompressed
        return None
    return bytes(images.id.read_direct_chunk((at, 0, 0))[1])
