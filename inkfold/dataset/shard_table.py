"""Which shards a dataset is made of: the table in its index, and the names of the files.

A sharded dataset is an index, NAME.h5, and the folder NAME.shards beside it, whose files hold the
rows (docs/formats.md). The index lists every shard with its size and its two digests: HDF5 itself
reads a shard that is missing as zeros.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.damage import damaged, reading
from inkfold.dataset.digests import CHUNK
from inkfold.output import place_of
from inkfold.spec import SPLITS

TABLE = "shards"  # the name of the index's table
FOLDER = "folder"  # the table's attribute: the name of the shards' folder
ENDING = ".shards"
SHARD_FORMAT = "inkfold-shard"
SHARD_VERSION = 1
DIGEST, SHA256 = 32, 64  # hexadecimal digits
# a name that this package gives a shard: split, number, the beginning of its plan's digest
SHARD_NAME = re.compile(rf"(?:{'|'.join(SPLITS)})-\d{{5,}}-[0-9a-f]{{8}}\.h5")


@dataclass(frozen=True, kw_only=True)
class Shard:
    """What the index says of one shard.

    Attributes
    ----------
    name : str
        Of the file, in the folder of shards.
    split : str
    first : int
        The row of the split that the shard begins with.
    rows : int
    size : int
        Of the file, in bytes.
    digest : str
        What the file says of all that it stores: BLAKE2b-128, in hexadecimal digits.
    sha256 : str
        Of the file, in hexadecimal digits.
    """

    name: str
    split: str
    first: int
    rows: int
    size: int
    digest: str
    sha256: str


def shard_folder(path: Path) -> Path:
    """The folder for the shards of the dataset at `path`: beside the file, where a link leads."""
    place = place_of(path)
    return place.with_name((place.stem if place.suffix == ".h5" else place.name) + ENDING)


def shard_name(split: str, number: int, plan: str) -> str:
    """The file's name of a shard.

    The plan's digest is part of it, so that the shards of a new dataset and of the one that it
    replaces lie in one folder until the new index stands.
    """
    return f"{split}-{number:05d}-{plan[:8]}.h5"


def table_of(shards: Sequence[Shard]) -> NDArray[Any]:
    """The table as it is stored, a row for each shard: names and digests as texts, and integers."""
    longest = max((len(shard.name.encode()) for shard in shards), default=1)
    widths = {"name": longest, "split": max(map(len, SPLITS)), "digest": DIGEST, "sha256": SHA256}
    kinds = [
        (each.name, h5py.string_dtype("utf-8", widths[each.name]) if each.name in widths else "<i8")
        for each in fields(Shard)
    ]
    rows = [
        tuple(value.encode() if isinstance(value, str) else value for value in astuple(shard))
        for shard in shards
    ]
    return np.array(rows, dtype=kinds)


def listed_shards(path: Path, file: h5py.File) -> tuple[Path, list[Shard]]:
    """The folder and the shards that an index lists.

    Parameters
    ----------
    path : Path
        The dataset's path; the folder lies beside the file that it leads to.
    file : h5py.File
        The open index.

    Raises
    ------
    InkfoldError
        If the table is damaged, names a file outside of the folder, or lists shards that do not
        follow one another in each split.
    """
    with reading(path, f"/{TABLE}"):
        array = file[TABLE]
        folder = array.attrs[FOLDER]
        rows = array[:]
        found = [_shard(row) for row in rows]
    if not isinstance(folder, str) or not _is_name(folder):
        raise damaged(path, f"/{TABLE}", f"its folder is {folder!a}, expected a folder's name")
    next_row = dict.fromkeys(SPLITS, 0)
    for shard in found:
        if not _is_name(shard.name):
            raise damaged(path, f"/{TABLE}", f"lists {shard.name!a}, expected a file's name")
        if shard.split not in SPLITS or shard.rows < 1 or shard.first != next_row[shard.split]:
            raise damaged(path, f"/{TABLE}", f"{shard.name}: its rows do not follow those before")
        if shard.first % CHUNK:
            raise damaged(path, f"/{TABLE}", f"{shard.name}: begins within a chunk of {CHUNK} rows")
        next_row[shard.split] += shard.rows
    return place_of(path).with_name(folder), found


def _shard(row: np.void) -> Shard:
    """A shard from a row of the table."""
    return Shard(
        name=row["name"].decode(),
        split=row["split"].decode(),
        first=int(row["first"]),
        rows=int(row["rows"]),
        size=int(row["size"]),
        digest=row["digest"].decode(),
        sha256=row["sha256"].decode(),
    )


def _is_name(text: str) -> bool:
    """Whether a text names a file in a folder, and nothing outside of it."""
    return text not in ("", ".", "..") and not re.search(r"[/\\\0]", text)


def from_record(record: object) -> Shard | None:
    """A shard from what JSON held; None if that is no shard."""
    kinds = {each.name: str if each.type == "str" else int for each in fields(Shard)}
    if not isinstance(record, dict) or set(record) != set(kinds):
        return None
    if not all(type(record[name]) is kind for name, kind in kinds.items()):
        return None
    return Shard(**record)
