"""CASIA-HWDB: Chinese characters in .gnt files, one file a writer, dark on white."""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.identity import Identity
from inkfold.importers.collection import Collection, Glyph, Official
from inkfold.importers.files import as_text, nothing_at

HEADER = struct.Struct("<I2sHH")  # size of the whole record, GB code, width, height
LOOK = 2000  # files and folders that are looked at to recognise a set
HINT = "unpack or copy the file again"


def recognise(source: Path) -> str | None:
    """Why `source` seems to be of this format: it holds files named .gnt."""
    try:
        paths = source.rglob("*") if source.is_dir() else iter([source])
        named = next(filter(_is_gnt, itertools.islice(paths, LOOK)), None)
    except OSError:
        return None
    return f"{named.name} is named like CASIA's .gnt files" if named else None


def read(source: Path) -> Collection:
    """Make a set of a .gnt file, or of the .gnt files in a folder and in the folders inside it.

    Raises
    ------
    InkfoldError
        If there is no .gnt file, a file ends inside a record, a record's sizes do not agree, or its
        code is no character's.
    """
    files = [source] if source.is_file() else _files(source)
    if not files:
        raise nothing_at(source, "no .gnt files", "CASIA-HWDB's, unpacked")
    identities = tuple(map(Identity.of, files))
    count, tags = 0, set[bytes]()
    for path in files:
        for _, tag, _, _ in _records(path, _mapped(path)):
            count += 1
            tags.add(tag)
    classes = tuple(sorted({_character(tag) for tag in tags}))
    places = {name: place for place, name in enumerate(classes)}
    labels = {tag: places[_character(tag)] for tag in tags}
    return Collection(
        name="casia",
        classes=classes,
        ink="dark",
        count=count,
        glyphs=partial(_glyphs, source, files, labels),
        files=identities,
    )


def _files(source: Path) -> list[Path]:
    """The .gnt files at or under `source`, by path.

    `picture_files.walk` would take files before folders, and so the writers in another order.
    """
    if source.is_dir():
        return sorted(path for path in source.rglob("*") if _is_gnt(path))
    return [source] if _is_gnt(source) else []


def _is_gnt(path: Path) -> bool:
    return path.suffix.lower() == ".gnt" and path.is_file()


def _mapped(path: Path) -> NDArray[np.uint8]:
    """A file's bytes, mapped: a file may hold all writers of a set."""
    if path.stat().st_size == 0:
        raise InkfoldError(f"{path} is empty; {HINT}")
    return np.memmap(path, np.uint8, "r")


def _records(path: Path, data: NDArray[np.uint8]) -> Iterator[tuple[int, bytes, int, int]]:
    """Of each picture the byte at which its pixels begin, its GB code, rows and columns."""
    start = 0
    while start < len(data):
        where = f"{path}: byte {start:,}"
        rest = len(data) - start
        if rest < HEADER.size:
            torn = f"{where}: the file ends after {rest} bytes of a record"
            raise InkfoldError(f"{torn}, expected {HEADER.size} or more; {HINT}")
        size, tag, columns, rows = HEADER.unpack(data[start : start + HEADER.size].tobytes())
        if size != HEADER.size + rows * columns or not rows * columns:
            sizes = f"{where}: a record of {size:,} bytes with {columns} x {rows} pixels"
            expected = f"expected {HEADER.size} bytes and one a pixel, and a pixel or more"
            raise InkfoldError(f"{sizes}, {expected}; {HINT}")
        if size > rest:
            torn = f"{where}: the file ends after {rest:,} bytes of a record"
            raise InkfoldError(f"{torn}, expected {size:,}; {HINT}")
        if not _character(tag):
            found = f"{path}: byte {start + 4:,}: the code {tag.hex()}"
            raise InkfoldError(f"{found}, expected a character's in GB18030; {HINT}")
        yield start + HEADER.size, tag, rows, columns
        start += size


def _character(tag: bytes) -> str:
    """The character of a GB code of two bytes, the second zero for ASCII; "" for no character."""
    try:
        text = tag.rstrip(b"\0").decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return text if len(text) == 1 else ""


def _glyphs(source: Path, files: list[Path], labels: Mapping[bytes, int]) -> Iterator[Glyph]:
    for path in files:
        name = as_text(path.relative_to(source if source.is_dir() else source.parent))
        split = _official(name)
        # a file is a writer, unless all writers are in one file
        group = as_text(Path(path.stem)) if len(files) > 1 else None
        data = _mapped(path)
        for index, (place, tag, rows, columns) in enumerate(_records(path, data)):
            yield Glyph(
                pixels=np.array(data[place : place + rows * columns]).reshape(rows, columns),
                label=labels[tag],
                source=f"{name}:{index}",
                split=split,
                group=group,
            )


def _official(path: str) -> Official | None:
    """The side that a path names: HWDB1.1trn_gnt/1001-c.gnt, Gnt1.0Test/1241-c.gnt."""
    if re.search(r"(?<![a-z])(trn|train)", path.lower()):
        return "train"
    return "test" if re.search(r"(?<![a-z])(tst|test)", path.lower()) else None
