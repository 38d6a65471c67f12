"""A table that says which picture shows what: CSV, TSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from inkfold.archives.url import Place, Url
from inkfold.byte_marks import LONGEST, marked_encoding
from inkfold.class_names import normal
from inkfold.errors import InkfoldError, PictureError
from inkfold.extras import need
from inkfold.packing.layout import SPLIT_NAMES, split_of
from inkfold.packing.listing import NO_SIDE, Gathering, Listing
from inkfold.packing.source import Folder, Source
from inkfold.tally import Tally

# what people call these columns; compared in small letters, without spaces and underscores
COLUMN_NAMES = {
    "path": ("path", "file", "filename", "filepath", "image", "img", "imagepath", "picture"),
    "label": ("label", "class", "target", "character", "char", "symbol", "category", "glyph"),
    "split": ("split", "subset", "partition", "set", "usage"),
    "group": ("group", "writer", "writerid", "author", "page", "sheet", "user"),
}
NEEDED = ("path", "label")
ENDINGS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".jsonl": "", ".ndjson": "", ".parquet": ""}
BATCH = 4096  # rows of a Parquet file that are read together
csv.field_size_limit(1 << 20)

Record = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One picture, as a table names it.

    Attributes
    ----------
    number : int
        The row's number in the table, from 1, without the heading.
    path, label : str
        As they stand in the table, without spaces around them.
    split, group : str
        Empty where the table has no such column, or nothing in it.
    """

    number: int
    path: str
    label: str
    split: str
    group: str


def labelled(source: Source, table: Place, columns: Mapping[str, str], scratch: Path) -> Listing:
    """List the pictures that a table names.

    Parameters
    ----------
    source : Folder or Archive
        What the table's paths lie in.
    table : Path or Url
        A file; or the path of the archive, a slash, and that of a table in it.
    columns : mapping of str to str
        The table's columns for "path", "label", "split" and "group", where their names do not say
        it.
    scratch : Path
        Existing folder for the files that hold paths.

    Raises
    ------
    InkfoldError
        If the table cannot be read, lacks a column, has several that may be meant, names a split
        that is none, or names no picture.
    """
    inside = str(table).removeprefix(f"{source.path}/")
    if isinstance(source, Folder) or inside == str(table):
        if isinstance(table, Url):
            raise InkfoldError(f"{table}: no such table; expected one on a disk, or SOURCE/TABLE")
        return _labelled(source, table, columns, scratch)
    copy = scratch / PurePosixPath(inside).name
    try:
        copy.write_bytes(source.read(os.fsencode(inside)))
        return _labelled(source, copy, columns, scratch)
    except PictureError as error:
        raise InkfoldError(f"{table}: {error}; expected a table in the archive") from None
    except InkfoldError as error:  # it speaks of the copy
        raise InkfoldError(str(error).replace(str(copy), str(table))) from None


def _labelled(source: Source, table: Path, columns: Mapping[str, str], scratch: Path) -> Listing:
    """As `labelled`, of a table that is a file."""
    chosen = _columns(table, columns)
    twice = _repeated(table, chosen)
    ignored, refused = Tally(), Tally()
    taken: dict[str, str] = {}  # the labels of paths that stand in several rows
    with Gathering(scratch) as gathering:
        for row in _rows(table, chosen):
            path, reason = _under(source, row)
            if reason:
                refused.add(row.path or f"row {row.number}", reason)
                continue
            if _key(row.path) in twice:
                if row.path in taken:
                    _count_again(row, taken[row.path], ignored, refused)
                    continue
                taken[row.path] = row.label
            gathering.add(path, normal(row.label), side=_side(table, row), group=row.group)
        if not len(gathering):
            first = f"; the first row: {refused.first[0][1]}" if refused.count else ""
            raise InkfoldError(
                f"{table}: names no picture{first}; expected a path and a label a row"
            )
        found = ", ".join(f"{kind}={column}" for kind, column in chosen.items())
        said = f"labels from {table.name}: columns {found}"
        return gathering.listing(ignored=ignored, refused=refused, remarks=(said,))


def _count_again(row: Row, label: str, ignored: Tally, refused: Tally) -> None:
    """Count a path that stood in an earlier row, with its label there."""
    if row.label == label:
        ignored.add(row.path, f"row {row.number} again")
    else:
        refused.add(row.path, f"row {row.number} again is {row.label!r}, before it was {label!r}")


def _under(source: Source, row: Row) -> tuple[bytes, str]:
    """The row's path under the source, and why the row cannot be used; empty if it can."""
    root = source.path if isinstance(source.path, Path) else None
    if not row.path:
        return b"", f"row {row.number} has no path"
    if not row.label:
        return b"", f"row {row.number} has no label"
    if "\0" in row.path:
        return b"", f"row {row.number} has a zero byte in its path"
    pure = PurePosixPath(row.path)
    if "\\" in row.path and not (root and (root / row.path).exists()):
        pure = PurePosixPath(*PureWindowsPath(row.path).parts)
    if pure.is_absolute():
        if root is None or not pure.is_relative_to(root.absolute()):
            return b"", f"lies outside of {source.path}"
        pure = pure.relative_to(root.absolute())
    if ".." in pure.parts:
        return b"", f"leads out of {source.path}"
    return os.fsencode(str(pure)), ""


def _side(table: Path, row: Row) -> int:
    """The split that a row says; `NO_SIDE` if it says none."""
    if not row.split:
        return NO_SIDE
    side = split_of(row.split.encode())
    if side == NO_SIDE:
        known = ", ".join(sorted(name.decode() for name in SPLIT_NAMES))
        raise InkfoldError(
            f"{table}: row {row.number} has the split {row.split!r}, expected one of {known}; mend "
            "it, or name another column with --columns split=COLUMN"
        )
    return side


def _key(path: str) -> int:
    digest = hashlib.blake2b(path.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def _repeated(table: Path, columns: Mapping[str, str]) -> frozenset[int]:
    """The keys of the paths that stand in several rows; a row takes 8 bytes of memory."""
    keys: NDArray[np.int64] = np.fromiter(
        (_key(row.path) for row in _rows(table, columns)), np.int64
    )
    values, counts = np.unique(keys, return_counts=True)
    return frozenset(values[counts > 1].tolist())


def _rows(table: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    """The rows of a table."""
    with _records(table) as (_, records):
        for number, record in enumerate(records, 1):
            found = {name: record.get(column) for name, column in columns.items()}
            texts = {name: _text(value) for name, value in found.items()}
            yield Row(
                number=number,
                path=texts["path"],
                label=texts["label"],
                split=texts.get("split", ""),
                group=texts.get("group", ""),
            )


def _text(value: object) -> str:
    """A cell as text: a number as it is written, nothing as an empty text."""
    if value is None or value != value:  # noqa: PLR0124, NaN is what some tables have for nothing
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace").strip()
    return str(value).strip()


def _columns(table: Path, given: Mapping[str, str]) -> dict[str, str]:
    """The table's column of each kind; raises InkfoldError where that is missing or unclear."""
    with _records(table) as (names, _):
        columns = dict(given)
        for kind, column in given.items():
            if kind not in COLUMN_NAMES:
                raise InkfoldError(
                    f"--columns {kind}={column}: expected one of {', '.join(COLUMN_NAMES)} before ="
                )
            if column not in names:
                raise InkfoldError(f"{table} has no column {column!r}, it has {_listed(names)}")
        for kind, usual in COLUMN_NAMES.items():
            if kind in columns:
                continue
            found = [
                name for name in names if _plain(name) in usual and name not in columns.values()
            ]
            if len(found) > 1:
                raise InkfoldError(
                    f"{table}: {' and '.join(map(repr, found))} may both be the {kind}; say which "
                    f"with --columns {kind}={found[0]}"
                )
            if found:
                columns[kind] = found[0]
            elif kind in NEEDED:
                raise InkfoldError(
                    f"{table} has no column that is called {', '.join(usual[:4])} or the like, it "
                    f"has {_listed(names)}; name it with --columns {kind}=COLUMN"
                )
    return columns


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "").replace("-", "")


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names[:10])) + (" and more" if len(names) > 10 else "")


@contextmanager
def _records(table: Path) -> Iterator[tuple[list[str], Iterator[Record]]]:
    """The names of a table's columns, and its rows by column."""
    ending = table.suffix.lower()
    if ending not in ENDINGS:
        raise InkfoldError(
            f"{table}: the ending {ending!r} is of no table that is read here; expected one of "
            f"{', '.join(ENDINGS)}"
        )
    if not table.is_file():
        raise InkfoldError(f"{table}: no such file; expected a table with paths and labels")
    try:
        if ending == ".parquet":
            yield _parquet(table)
            return
        with table.open(encoding=_encoding(table), newline="") as file:
            yield _json(table, file) if not ENDINGS[ending] else _csv(table, file, ENDINGS[ending])
    except UnicodeDecodeError as error:
        raise InkfoldError(
            f"{table}: byte {error.start:,} is not {error.encoding}; save the table as UTF-8"
        ) from None
    except csv.Error as error:
        raise InkfoldError(f"{table} is no table of text: {error}; save it as CSV again") from None


def _encoding(table: Path) -> str:
    """The encoding that a file's mark says; UTF-8 without one."""
    with table.open("rb") as file:
        return marked_encoding(file.read(LONGEST))


def _csv(table: Path, file: IO[str], separator: str) -> tuple[list[str], Iterator[Record]]:
    """A table of text; a heading without a comma but with semicolons or tabs says its separator."""
    heading = file.readline()
    if separator not in heading:
        separator = next((other for other in ";\t" if other in heading), separator)
    file.seek(0)
    reader = csv.reader(file, delimiter=separator)
    names = [name.strip() for name in next(reader, [])]
    if len(set(names)) < len(names):
        raise InkfoldError(f"{table}: two columns have the same name ({_listed(names)}); rename")
    return names, _dictionaries(table, names, reader)


def _dictionaries(table: Path, names: list[str], rows: Iterator[list[str]]) -> Iterator[Record]:
    for number, row in enumerate((row for row in rows if row), 1):
        if len(row) != len(names):
            raise InkfoldError(
                f"{table}: row {number} has {len(row)} cells, the heading has {len(names)}; quote "
                "cells that hold the separator"
            )
        yield dict(zip(names, row, strict=True))


def _json(table: Path, file: IO[str]) -> tuple[list[str], Iterator[Record]]:
    """JSON lines: an object a line; the columns are the first one's names."""
    lines = (line for line in file if line.strip())
    first = next(lines, None)
    if first is None:
        return [], iter(())
    beginning = _object(table, 1, first)
    rest = (_object(table, number, line) for number, line in enumerate(lines, 2))

    def records() -> Iterator[Record]:
        yield beginning
        yield from rest

    return list(beginning), records()


def _object(table: Path, number: int, line: str) -> Record:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise InkfoldError(f"{table}: line {number} is no JSON: {error}; mend it") from None
    if not isinstance(value, dict):
        raise InkfoldError(f'{table}: line {number} holds no object, expected {{"path": ...}}')
    return value


def _parquet(table: Path) -> tuple[list[str], Iterator[Record]]:
    need(f"{table}: Parquet", "pyarrow")
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(table)
    except (pa.ArrowInvalid, OSError) as error:
        raise InkfoldError(f"{table} is no Parquet file: {error}; write it again") from None
    names = file.schema_arrow.names
    batches = file.iter_batches(batch_size=BATCH)
    return names, (row for batch in batches for row in batch.to_pylist())
