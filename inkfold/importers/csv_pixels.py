"""CSV: in each line a label and the pixels, row by row; EMNIST, MNIST and A_Z as Kaggle has them.

EMNIST's files hold the pictures transposed, the others upright; files are known by their names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.identity import Identity
from inkfold.importers.arrays import BLOCK, ink_of
from inkfold.importers.class_maps import emnist_classes
from inkfold.importers.collection import Collection, Glyph, Official
from inkfold.importers.csv_labels import LabelFile, label_pairs
from inkfold.importers.csv_layout import Layout, layout_of, look_at, seems_labelled
from inkfold.importers.files import SideFiles, find, identities, one_set
from inkfold.importers.labels import Labels, classes_of, number_of, odd_one, places_in
from inkfold.spec import Ink

NAMES = re.compile(r"(?P<name>.*?)(?:(?:^|[-_ ])(?P<split>train|test))?\.csv", re.IGNORECASE)
EXPECTED = "a CSV file with a label and the pixels of a square picture in each line"


@dataclass(frozen=True, kw_only=True)
class Table:
    """One CSV file of pictures.

    Attributes
    ----------
    path : Path
    split : {"train", "validation", "test"}, optional
    layout : Layout
    labels : LabelFile, optional
        The file of the labels, where they are not among the columns.
    """

    path: Path
    split: Official | None
    layout: Layout
    labels: LabelFile | None = None

    @property
    def heading(self) -> bool:
        """Whether the first line names the columns."""
        return self.layout.look.heading


def recognise(source: Path) -> str | None:
    """Why `source` seems to be label and pixels in CSV; None if it does not."""
    for side in find(source, NAMES):
        path = side.files["pictures"]
        look = look_at(path)
        if look and seems_labelled(look):
            return f"{path.name} has {look.columns} numbers a line: a label and a square"
    try:
        pairs = label_pairs(source)
    except InkfoldError:  # several: reading them says so
        return "it holds CSV files of pictures and of labels"
    for images, labels in pairs:
        return f"{images.look.path.name} has a square of numbers a line, {labels.path.name} labels"
    return None


def read(source: Path, label_column: str | None = None) -> Collection:
    """Make a set of the files at `source`.

    Parameters
    ----------
    source : Path
    label_column : str, optional
        The column of the label: its name, "first", "last" or its number from 1. By default the
        heading says it, and where it does not, the values.

    Raises
    ------
    InkfoldError
        If there are no such files or those of several sets, a line differs from the others, or
        more than one column may be the label.
    """
    pairs = label_pairs(source) if label_column is None else []
    if pairs:
        _check_alone(source, pairs)
        files = tuple(
            Identity.of(path)
            for images, labels in pairs
            for path in (images.look.path, labels.path)
        )
        tables = tuple(
            Table(path=images.look.path, split=labels.split, layout=images, labels=labels)
            for images, labels in pairs
        )
        return _collection(pairs[0][1].name or source.absolute().name, tables, files)
    sides = find(source, NAMES)
    if source.is_dir():
        sides = [side for side in sides if _is_labelled(side.files["pictures"], label_column)]
    name = one_set(source, sides, ("pictures",), EXPECTED)
    files = identities(sides)
    known = name.lower().startswith(("emnist-", "a_z"))  # their label stands first
    column = "first" if known and label_column is None else label_column
    return _collection(name, tuple(_table(side, column) for side in sides), files)


def _is_labelled(path: Path, label_column: str | None) -> bool:
    """Whether a file in the folder belongs to the set."""
    look = look_at(path)
    return look is not None and (label_column is not None or seems_labelled(look))


def _check_alone(source: Path, pairs: Sequence[tuple[Layout, LabelFile]]) -> None:
    """Refuse pairs of files beside a file that holds labels and pictures."""
    for side in find(source, NAMES) if source.is_dir() else []:
        path = side.files["pictures"]
        if _is_labelled(path, None):
            raise InkfoldError(
                f"{source}: {path.name} holds pictures with labels, {pairs[0][0].look.path.name} "
                "pictures whose labels are in another file; name one of the two"
            )


def _collection(name: str, tables: Sequence[Table], files: tuple[Identity, ...]) -> Collection:
    """The set of these files."""
    labels = [_labels(table) for table in tables]
    emnist = name.lower().startswith("emnist-")
    names = _names(name, labels, tables)
    places = [places_in(list(names), column) for column in labels]
    for table, column, known in zip(tables, labels, places, strict=True):
        _check_labels(table, column, known, list(names))
    ink: Ink = "light" if emnist or name.lower().startswith("a_z") else _ink(tables[0])
    notes = [note for table in tables if (note := _note(table))]
    if ink == "dark":
        notes.append(f"{tables[0].path.name}: the edges of its pictures are light, the ink is dark")
    numbers = [known[column.places] for column, known in zip(labels, places, strict=True)]
    return Collection(
        name=re.sub(r"\W+", "-", name.lower()),
        classes=tuple(names.values()),
        ink=ink,
        count=sum(map(len, labels)),
        glyphs=partial(_glyphs, tuple(tables), numbers, emnist),
        files=files,
        notes=tuple(notes),
    )


def _names(name: str, labels: Sequence[Labels], tables: Sequence[Table]) -> dict[str, str]:
    """The class of each label, by the set's name; by default the labels themselves."""
    if name.lower().startswith("emnist-"):
        folder = tables[0].path.parent
        return {str(number): letter for number, letter in emnist_classes(folder, name).items()}
    if name.lower().startswith("a_z"):
        return {str(number): chr(ord("A") + number) for number in range(26)}
    if odd := odd_one(labels):
        table, text = tables[odd[0]], odd[1]
        line = labels[odd[0]].first(text) + 1 + table.heading
        raise _no_label(table, line, text.encode())
    return {text: text for text in classes_of(labels, str(tables[0].path))}


def _note(table: Table) -> str | None:
    """How a file was read, where another reading may come to a user's mind."""
    if table.labels:
        return f"{table.path.name}: the labels are those of {table.labels.path.name}"
    return table.layout.note()


def _table(side: SideFiles, label_column: str | None) -> Table:
    """What a file's lines say of it; raises InkfoldError if they hold no labelled picture."""
    path = side.files["pictures"]
    look = look_at(path)
    if look is None or (label_column is None and not seems_labelled(look)):
        found = "no numbers" if look is None else f"{look.columns} fields"
        raise InkfoldError(
            f"{path}: {found} in its first lines; expected a label and as many pixels as a square "
            "has, 785 for 28 x 28, all numbers, or the name of the label's column in a heading"
        )
    return Table(path=path, split=side.split, layout=layout_of(look, label_column))


def _check_labels(
    table: Table, labels: Labels, known: NDArray[np.int64], names: Sequence[str]
) -> None:
    """Refuse a label without a class, and name its line in the file."""
    outside = np.flatnonzero(known[labels.places] < 0)
    if len(outside):
        at = int(outside[0])
        text = labels.texts[labels.places[at]]
        shown = text if number_of(text) is not None else repr(text)
        raise InkfoldError(
            f"{table.path}: label {shown} in line {at + 1 + table.heading}, expected one of "
            f"the {len(names)} from {names[0]} to {names[-1]}"
        )


def _labels(table: Table) -> Labels:
    """All labels of a file; its pixels are not checked."""
    if table.labels:
        labels = table.labels.read()
        count = sum(1 for _ in table.layout.look.lines())
        if len(labels) != count:
            raise InkfoldError(
                f"{table.path} holds {count:,} pictures, {table.labels.path.name} holds "
                f"{len(labels):,} labels; expected as many: do they belong together?"
            )
        return labels
    return Labels.of(_texts(table))


def _texts(table: Table) -> Iterator[str]:
    """The label of each line of a file."""
    look, label = table.layout.look, table.layout.label
    for number, line in enumerate(look.lines(), 1 + look.heading):
        field = b"" if label is None else look.field(line, label)
        if not field or len(field) > 200 or (field.isdigit() and len(field) > 9):
            raise _no_label(table, number, line if label == 0 else field)
        yield field.decode("utf-8", "backslashreplace")


def _no_label(table: Table, line: int, found: bytes) -> InkfoldError:
    """The error of a line whose label is none."""
    has = "begins with" if table.layout.label == 0 else "has the label"
    return InkfoldError(
        f"{table.path}: line {line} {has} {found[:20]!r}, expected a label from 0, or texts in "
        "every line"
    )


def _ink(table: Table) -> Ink:
    """Whether ink is dark or light, by the first pictures of a file."""
    block = list(islice(table.layout.look.lines(), BLOCK))
    return ink_of(_values(table, block, 0).reshape(-1, *table.layout.shape))


def _glyphs(
    tables: tuple[Table, ...], numbers: list[NDArray[np.int64]], transposed: bool
) -> Iterator[Glyph]:
    for table, labels in zip(tables, numbers, strict=True):
        lines, at = table.layout.look.lines(), 0
        while block := list(islice(lines, BLOCK)):
            pictures = _values(table, block, at).reshape(-1, *table.layout.shape)
            pictures = pictures.transpose(0, 2, 1) if transposed else pictures
            for pixels, label in zip(pictures, labels[at : at + len(block)].tolist(), strict=True):
                yield Glyph(
                    pixels=pixels,
                    label=label,
                    source=f"{table.path.name}:{at}",
                    split=table.split,
                )
                at += 1


def _values(table: Table, lines: list[bytes], at: int) -> NDArray[np.uint8]:
    """The pixels of consecutive lines, uint8 (n, H * W); the first is picture number `at`.

    Raises
    ------
    InkfoldError
        If a line does not hold a label and the pixels of a picture.
    """
    layout = table.layout
    look = layout.look
    try:
        values = _numbers(layout, lines)
    except (ValueError, IndexError):
        values = np.empty((0, 0), np.int64)
    fits = values.shape == (len(lines), len(layout.pixels))
    if fits and values.min() >= 0 and values.max() <= 255:
        return values.astype(np.uint8)
    first = at + 1 + table.heading
    faults = (
        (number, _fault(look.fields(line), layout)) for number, line in enumerate(lines, first)
    )
    number, fault = next((number, fault) for number, fault in faults if fault)
    label = "" if layout.label is None else "a label and "
    raise InkfoldError(
        f"{table.path}: line {number} has {fault}, expected {label}{len(layout.pixels)} numbers "
        "from 0 to 255; is the file cut short?"
    )


def _numbers(layout: Layout, lines: list[bytes]) -> NDArray[np.int64]:
    """The pixels of lines; raises ValueError or IndexError where a line has others or none."""
    look = layout.look
    quotes = any(b'"' in line for line in lines)
    if any(line.count(look.separator) + 1 != look.columns for line in lines) and not quotes:
        raise ValueError
    return np.loadtxt(
        lines,
        np.int64,
        delimiter=look.separator.decode(),
        ndmin=2,
        comments=None,
        quotechar='"' if quotes else None,
        usecols=layout.pixels,
    )


def _fault(fields: Sequence[bytes], layout: Layout) -> str | None:
    """Why the fields of a line do not hold the pixels of a picture; None if they do."""
    if len(fields) != layout.look.columns:
        return f"{len(fields)} fields"
    pixels = (fields[at] for at in layout.pixels)
    wrong = (f for f in pixels if not f.isdigit() or len(f) > 9 or int(f) > 255)
    return next((repr(field[:20]) for field in wrong), None)
