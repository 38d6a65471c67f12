"""CSV: in each line a label and the pixels, row by row; EMNIST, MNIST and A_Z as Kaggle has them.

EMNIST's files hold the pictures transposed, the others upright; files are known by their names.
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
from inkfold.importers.files import SideFiles, find, identities, one_set

NAMES = re.compile(r"(?P<name>.*?)(?:(?:^|[-_ ])(?P<split>train|test))?\.csv", re.IGNORECASE)
EXPECTED = "a CSV file with a label and the pixels of a square picture in each line"
HEAD = 1 << 16  # bytes that hold the first two lines of any such file
MARK = b"\xef\xbb\xbf"  # the byte order mark, with which some programs begin text in UTF-8
MOST = 1 << 16  # classes; a larger number is no label


@dataclass(frozen=True, kw_only=True)
class Table:
    """One CSV file.

    Attributes
    ----------
    path : Path
    split : {"train", "test"}, optional
    heading : bool
        Whether the first line names the columns.
    side : int
        Height and width of each picture, in pixels.
    """

    path: Path
    split: Official | None
    heading: bool
    side: int


def recognise(source: Path) -> str | None:
    """Why `source` seems to be label and pixels in CSV; None if it does not."""
    for side in find(source, NAMES):
        path = side.files["pictures"]
        fields = _fields(path)
        if _side(fields[-1]):
            return f"{path.name} has {len(fields[-1])} numbers a line: a label and a square"
    return None


def read(source: Path) -> Collection:
    """Make a set of the files at `source`.

    Raises
    ------
    InkfoldError
        If there are no such files or those of several sets, or a line differs from the others.
    """
    sides = find(source, NAMES)
    if source.is_dir():
        sides = [side for side in sides if _side(_fields(side.files["pictures"])[-1])]
    name = one_set(source, sides, ("pictures",), EXPECTED)
    files = identities(sides)
    tables = tuple(map(_table, sides))
    emnist = name.lower().startswith("emnist-")
    mapping = tables[0].path.parent / f"{name}-mapping.txt"
    labels = [_labels(table) for table in tables]
    last = max(int(numbers.max()) for numbers in labels)
    names = _names(name, mapping if emnist else None, last)
    for table, numbers in zip(tables, labels, strict=True):
        _check_labels(table, numbers, names)
    places = {label: place for place, label in enumerate(names)}
    return Collection(
        name=re.sub(r"\W+", "-", name.lower()),
        classes=tuple(names.values()),
        ink="light",
        count=sum(map(len, labels)),
        glyphs=partial(_glyphs, tables, places, emnist),
        files=files,
    )


def _names(name: str, mapping: Path | None, last: int) -> dict[int, str]:
    """The class of each label, by the set's name; by default the numbers from 0 to `last`."""
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
    """The side of the square picture in a line, in pixels; 0 if it is no line of such numbers."""
    side = math.isqrt(len(fields) - 1)
    square = side > 1 and side * side == len(fields) - 1
    return side if square and all(field.strip().isdigit() for field in fields) else 0


def _table(side: SideFiles) -> Table:
    """What a file's first lines say of it; raises InkfoldError if they hold no picture."""
    path = side.files["pictures"]
    fields = _fields(path)
    if not _side(fields[-1]):
        raise InkfoldError(
            f"{path}: {len(fields[-1])} fields in its first lines, the first is {fields[-1][0]!r}; "
            "expected a label and as many pixels as a square has, 785 for 28 x 28, all numbers"
        )
    return Table(path=path, split=side.split, heading=not _side(fields[0]), side=_side(fields[-1]))


def _check_labels(table: Table, labels: NDArray[np.int64], names: dict[int, str]) -> None:
    """Refuse a label without a class, and name its line in the file."""
    outside = np.flatnonzero(~np.isin(labels, list(names)))
    if len(outside):
        at = int(outside[0])
        raise InkfoldError(
            f"{table.path}: label {labels[at]} in line {at + 1 + table.heading}, expected one of "
            f"the {len(names)} from {min(names)} to {max(names)}"
        )


def _labels(table: Table) -> NDArray[np.int64]:
    """All labels of a file; its pixels are not checked."""
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
    """The lines with a picture, without heading and empty lines."""
    with table.path.open("rb") as file:
        if file.read(len(MARK)) != MARK:
            file.seek(0)
        yield from islice((line for line in file if line.strip()), int(table.heading), None)


def _glyphs(tables: tuple[Table, ...], places: dict[int, int], transposed: bool) -> Iterator[Glyph]:
    for table in tables:
        lines, at = _lines(table), 0
        while block := list(islice(lines, BLOCK)):
            values = _values(table, block, at)
            pictures = values[:, 1:].astype(np.uint8).reshape(-1, table.side, table.side)
            pictures = pictures.transpose(0, 2, 1) if transposed else pictures
            for pixels, label in zip(pictures, values[:, 0].tolist(), strict=True):
                yield Glyph(
                    pixels=pixels,
                    label=places[label],
                    source=f"{table.path.name}:{at}",
                    split=table.split,
                )
                at += 1


def _values(table: Table, lines: list[bytes], at: int) -> NDArray[np.int64]:
    """Labels and pixels of consecutive lines, the first of which is picture number `at`.

    Raises
    ------
    InkfoldError
        If a line does not hold a label and the pixels of a picture.
    """
    columns = 1 + table.side**2
    try:
        values = np.loadtxt(lines, np.int64, delimiter=",", ndmin=2, comments=None)
    except ValueError:
        values = np.empty((0, 0), np.int64)
    fits = values.shape == (len(lines), columns)
    if fits and values[:, 1:].min() >= 0 and values[:, 1:].max() <= 255:
        return values
    first = at + 1 + table.heading
    faults = ((number, _fault(line, columns)) for number, line in enumerate(lines, first))
    number, fault = next((number, fault) for number, fault in faults if fault)
    raise InkfoldError(
        f"{table.path}: line {number} has {fault}, expected a label and {columns - 1} numbers from "
        "0 to 255; is the file cut short?"
    )


def _fault(line: bytes, columns: int) -> str | None:
    """Why a line does not hold a label and the pixels of a picture; None if it does."""
    fields = [field.strip() for field in line.split(b",")]
    if len(fields) != columns:
        return f"{len(fields)} fields"
    wrong = (f for f in fields[1:] if not f.isdigit() or len(f) > 9 or int(f) > 255)
    return next((repr(field[:20]) for field in wrong), None)
