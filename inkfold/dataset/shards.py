"""One shard of a dataset, written by whoever works on it: a process here, or one of a cluster.

A shard holds consecutive rows of one split in a file of its own. It is written beside its place and
renamed, so that a worker that is killed leaves no half shard; if two workers write the same one,
both write the same bytes, and the last to finish wins.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from inkfold.dataset.digests import digests_of_chunks
from inkfold.dataset.shard_table import SHARD_FORMAT, SHARD_VERSION, Shard
from inkfold.dataset.split import CHUNK
from inkfold.dataset.writer import Rows, SplitWriter, deflate, new_hdf5
from inkfold.errors import InkfoldError

Chunk = tuple[Rows, Mapping[str, bytes]]  # 256 rows, and those of their arrays that are deflated


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A shard that is to be there; `index.ShardWriter.slots` gives them.

    Attributes
    ----------
    folder : Path
        The folder of shards, absolute: a worker may have another working folder.
    name : str
        Of the file.
    split : str
    first : int
        The row of the split that the shard begins with; whole chunks are before it.
    rows : int
    known : Shard or None
        What an earlier run of the same plan says of the file.
    """

    folder: Path
    name: str
    split: str
    first: int
    rows: int
    known: Shard | None = None

    @property
    def chunks(self) -> range:
        """The numbers of the shard's chunks, counted in the split."""
        return range(self.first // CHUNK, -(-(self.first + self.rows) // CHUNK))


@dataclass(frozen=True)
class WrittenShard:
    """What a worker answers.

    Attributes
    ----------
    shard : Shard
    digests : bytes
        16 bytes a chunk, in row order, of which the fingerprint is made.
    kept : bool
        Whether an earlier run had written the shard.
    """

    shard: Shard
    digests: bytes
    kept: bool = False


def write_shard(slot: Slot, *, like: Rows, chunks: Iterable[Chunk]) -> WrittenShard:
    """Write a shard, unless an earlier run has written it whole; runs in a worker.

    Parameters
    ----------
    slot : Slot
    like : Rows
        Gives the arrays' types and shapes; it may hold any rows, or be empty.
    chunks : iterable of (Rows, mapping of str to bytes)
        The rows, 256 at a time, and as `SplitWriter.append` takes them what is deflated of them
        already. Nothing is taken of it where the shard is there.

    Returns
    -------
    written : WrittenShard

    Raises
    ------
    InkfoldError
        If this machine does not see the folder.
    OSError
        If the disk is full, with the shard's path.
    """
    if slot.known is not None and (digests := _digests_if_whole(slot, slot.known)) is not None:
        return WrittenShard(slot.known, digests, kept=True)
    if not slot.folder.is_dir():
        raise InkfoldError(
            f"{slot.folder}: {socket.gethostname()} does not see this folder; let every worker "
            "see it, or choose another place with -o"
        )
    path = slot.folder / slot.name
    host = re.sub(r"\W", "-", socket.gethostname())
    # in containers two processes may have the same host and number
    part = path.with_name(f".{slot.name}.{host}-{secrets.token_hex(4)}.{os.getpid()}.part")
    try:
        digest, digests = _write(part, path, slot, like, chunks)
        size, sha256 = part.stat().st_size, sha256_of(part, sync=True)
        part.replace(path)
    except OSError as error:
        if error.errno is not None and error.filename in (None, str(part)):
            error.filename = str(path)
        raise
    finally:
        with suppress(OSError):  # an earlier error, or the success, is what counts
            part.unlink()
    shard = Shard(
        name=slot.name,
        split=slot.split,
        first=slot.first,
        rows=slot.rows,
        size=size,
        digest=digest,
        sha256=sha256,
    )
    return WrittenShard(shard, digests)


def _write(
    part: Path, path: Path, slot: Slot, like: Rows, chunks: Iterable[Chunk]
) -> tuple[str, bytes]:
    """Write the file; the digest of all that it stores, and those of its chunks."""
    stored = hashlib.blake2b(digest_size=16)
    with new_hdf5(part, path) as file:
        file.attrs["format"] = np.bytes_(SHARD_FORMAT)
        file.attrs["format_version"] = SHARD_VERSION
        out = SplitWriter(file.create_group(slot.split), slot.rows, like)
        for rows, done in chunks:
            deflated = {
                name: done[name] if name in done else deflate(array) for name, array in rows.items()
            }
            for name, data in deflated.items():
                stored.update(f"{name} {len(data)} ".encode() + data)
            out.append(rows, deflated=deflated)
        digests = out.digests()
        file.attrs["digest"] = np.bytes_(stored.hexdigest())
    return stored.hexdigest(), digests


def _digests_if_whole(slot: Slot, known: Shard) -> bytes | None:
    """The digests of the chunks of a shard that an earlier run wrote; None if it must be written.

    All of it is read, which takes a small part of the time of making it.
    """
    path = slot.folder / slot.name
    place = (known.name, known.split, known.first, known.rows)
    if place != (slot.name, slot.split, slot.first, slot.rows):
        return None
    try:
        if path.stat().st_size != known.size or sha256_of(path) != known.sha256:
            return None
        with h5py.File(path, "r") as file:
            group = file[slot.split]
            labels, digest = group["labels"][:], group["digest"][:]
    except OSError:
        return None
    return digests_of_chunks(labels, digest)


def sha256_of(path: Path, *, sync: bool = False) -> str:
    """The SHA-256 of a file, in hexadecimal digits; with `sync` its bytes are on the disk then."""
    with path.open("rb") as file:
        if sync:
            os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()
