"""CSV: in each line a label and the pixels, row by row; EMNIST, MNIST and A_Z as Kaggle has them.

EMNIST's files hold the pictures transposed, the others upright: their names tell.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.importers.arrays import BLOCK, head
from inkfold.importers.class_maps import emnist_map
from inkfold.importers.collection import Collection, Glyph, Official
from inkfold.importers.files import Found, find, one_set

NAMES = re.compile(r"(?P<name>.*?)(?:(?:^|[-_ ])(?P<split>train|test))?\.csv", re.IGNORECASE)
EXPECTED = "a CSV file with a label and the pixels of a square picture in each line"
HEAD = 1 << 16  # bytes that hold the first two lines of any such file
MARK = b"\xef\xbb\xbf"  # with which some programs begin text in UTF-8
MOST = 1 << 16  # classes; a number above it is no label


@dataclass(frozen=True)
class Table:
    """One file: its side, whether its first line is a heading, and the pictures' side."""

    path: Path
    split: Official | None
    heading: bool
    side: int


def recognise(source: Path) -> str | None:
    """Why `source` seems to be label and pixels in CSV; None where it does not."""
    for found in find(source, NAMES):
        path = found.files["pictures"]
        fields = _fields(path)
        if _side(fields[-1]):
            return f"{path.name} has {len(fields[-1])} numbers a line: a label and a square"
    return None


def read(source: Path) -> Collection:
    """Make a set of the files at `source`.

    Raises
    ------
    InkfoldError
        If there are none or those of several sets, or a line is not like the others.
    """
    found = find(source, NAMES)
    if source.is_dir():
        found = [side for side in found if _side(_fields(side.files["pictures"])[-1])]
    name = one_set(source, found, ("pictures",), EXPECTED)
    tables = tuple(map(_table, found))
    emnist = name.lower().startswith("emnist-")
    mapping = tables[0].path.parent / f"{name}-mapping.txt"
    labels = [_labels(table) for table in tables]
    names = _names(name, mapping if emnist else None, max(int(some.max()) for some in labels))
    for table, some in zip(tables, labels, strict=True):
        _check_labels(table, some, names)
    places = {label: place for place, label in enumerate(names)}
    glyphs = partial(_glyphs, tables, places, emnist)
    short = re.sub(r"\W+", "-", name.lower())
    return Collection(short, tuple(names.values()), "light", sum(map(len, labels)), glyphs)


def _names(name: str, mapping: Path | None, last: int) -> dict[int, str]:
    """The class of each label, as far as the file's name tells."""
    if mapping is not None:
        return emnist_map(mapping)
    if name.lower().startswith("a_z"):
        return {number: chr(ord("A") + number) for number in range(26)}
    return {number: str(number) for number in range(min(last + 1, MOST))}


def _fields(path: Path) -> list[list[bytes]]:
    """The first two lines, each cut at its commas."""
    lines = head(path, HEAD).removeprefix(MARK).split(b"\n")[:2]
    return [line.strip().split(b",") for line in lines if line.strip()] or [[b""]]


def _side(fields: list[bytes]) -> int:
    """The side of the square pictures in a line of numbers; 0 where it is no such line."""
    side = math.isqrt(len(fields) - 1)
    square = side > 1 and side * side == len(fields) - 1
    return side if square and all(field.strip().isdigit() for field in fields) else 0


def _table(found: Found) -> Table:
    path = found.files["pictures"]
    fields = _fields(path)
    if not _side(fields[-1]):
        raise InkfoldError(
            f"{path}: {len(fields[-1])} fields in its first lines, the first is {fields[-1][0]!r}; "
            "expected a label and as many pixels as a square has, 785 for 28 x 28, all numbers"
        )
    return Table(path, found.split, heading=not _side(fields[0]), side=_side(fields[-1]))


def _check_labels(table: Table, labels: NDArray[np.int64], names: dict[int, str]) -> None:
    outside = np.flatnonzero(~np.isin(labels, list(names)))
    if len(outside):
        at = int(outside[0])
        raise InkfoldError(
            f"{table.path}: label {labels[at]} in line {at + 1 + table.heading}, expected one of "
            f"the {len(names)} from {min(names)} to {max(names)}"
        )


def _labels(table: Table) -> NDArray[np.int64]:
    """All labels; the pixels are not looked at."""
    labels = []
    for number, line in enumerate(_lines(table), 1 + table.heading):
        label = line.partition(b",")[0].strip()
        if not label.isdigit() or len(label) > 9:
            raise InkfoldError(
                f"{table.path}: line {number} begins with {line[:20]!r}, expected a label from 0"
            )
        labels.append(int(label))
    return np.array(labels, np.int64)


def _lines(table: Table) -> Iterator[bytes]:
    """The lines with a picture; empty ones at the end are none."""
    with table.path.open("rb") as file:
        if file.read(len(MARK)) != MARK:
            file.seek(0)
        yield from islice((line for line in file if line.strip()), int(table.heading), None)


def _glyphs(tables: tuple[Table, ...], places: dict[int, int], transposed: bool) -> Iterator[Glyph]:
    for table in tables:
        lines, at = _lines(table), 0
        while some := list(islice(lines, BLOCK)):
            values = _values(table, some, at)
            pictures = values[:, 1:].astype(np.uint8).reshape(-1, table.side, table.side)
            pictures = pictures.transpose(0, 2, 1) if transposed else pictures
            for pixels, label in zip(pictures, values[:, 0].tolist(), strict=True):
                yield Glyph(pixels, places[label], f"{table.path.name}:{at}", table.split)
                at += 1


def _values(table: Table, lines: list[bytes], at: int) -> NDArray[np.int64]:
    """Labels and pixels of some lines, of which the first is picture number `at`."""
    columns = 1 + table.side**2
    try:
        values = np.loadtxt(lines, np.int64, delimiter=",", ndmin=2, comments=None)
    except ValueError:
        values = np.empty((0, 0), np.int64)
    fits = values.shape == (len(lines), columns)
    if fits and values[:, 1:].min() >= 0 and values[:, 1:].max() <= 255:
        return values
    first = at + 1 + table.heading
    wrong = ((number, _wrong(line, columns)) for number, line in enumerate(lines, first))
    number, found = next((number, found) for number, found in wrong if found)
    raise InkfoldError(
        f"{table.path}: line {number} has {found}, expected a label and {columns - 1} numbers from "
        "0 to 255; is the file cut short?"
    )


def _wrong(line: bytes, columns: int) -> str | None:
    """What about a line is not as it should be."""
    fields = [field.strip() for field in line.split(b",")]
    if len(fields) != columns:
        return f"{len(fields)} fields"
    wrong = (f for f in fields[1:] if not f.isdigit() or len(f) > 9 or int(f) > 255)
    return next((repr(field[:20]) for field in wrong), None)
