"""Which column of a CSV file is the label, and which are pixels: by its heading, or by its values.

Where the values allow two readings, neither is taken.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from inkfold.errors import InkfoldError
from inkfold.importers.arrays import head
from inkfold.importers.labels import MOST, NAMES, number_of

HEAD = 1 << 20  # bytes that hold the first two lines of any such file
MARK = b"\xef\xbb\xbf"  # the byte order mark, with which some programs begin text in UTF-8
SEPARATORS = b",", b";", b"\t"
INDEX = re.compile(r"|unnamed.*|(image[ _]?)?id|index|idx")  # columns that number the lines
PIXEL = re.compile(r"(?:pixel|pix|px|p)[ _-]?(\d+)|(\d+)[x_](\d+)")
PAPER = 0.8  # share of one value, black or white, above which a column is a corner of pictures
NAME_IT = "name the column with --label-column NAME, first, last or a number from 1"


@dataclass(frozen=True, kw_only=True)
class Look:
    """The first lines of a CSV file.

    Attributes
    ----------
    path : Path
    separator : bytes
    heading : bool
        Whether the first line names the columns.
    names : tuple of str
        The columns' names in small letters; empty where they have none, or not one for each.
    columns : int
    labelled : {"first", "last"}, optional
        Where the label stands by a heading that does not name every column ("label,pixels").
    """

    path: Path
    separator: bytes
    heading: bool
    names: tuple[str, ...]
    columns: int
    labelled: str | None

    def lines(self) -> Iterator[bytes]:
        """The lines with a picture, without heading and empty lines."""
        return lines_of(self.path, heading=self.heading)

    def fields(self, line: bytes) -> list[bytes]:
        """The fields of a line, without blanks and quotation marks around them."""
        return fields_of(line, self.separator)

    def field(self, line: bytes, column: int) -> bytes:
        """One field of a line; empty where the line has fewer. The ends are found at once."""
        if b'"' not in line and column in (0, self.columns - 1):
            cut = line.partition if column == 0 else line.rstrip().rpartition
            return cut(self.separator)[column and -1].strip()
        fields = self.fields(line)
        return fields[column] if column < len(fields) else b""

    def shown(self, column: int) -> str:
        """A column as a message names it."""
        name = f"{self.names[column]!r}, " if self.names else ""
        return f"column {name}{column + 1} of {self.columns}"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What the columns of a CSV file are.

    Attributes
    ----------
    look : Look
    label : int, optional
        The column of the label; None where the labels are in a file of their own.
    pixels : tuple of int
        The columns of the pixels, row by row.
    shape : (H, W)
        Of each picture, in pixels.
    """

    look: Look
    label: int | None
    pixels: tuple[int, ...]
    shape: tuple[int, int]

    @property
    def plain(self) -> bool:
        """Whether a line is a label and the pixels, and nothing else."""
        return self.label == 0 and self.pixels == tuple(range(1, self.look.columns))

    def note(self) -> str | None:
        """What a user should know of it; None where it is plain."""
        if self.plain or self.label is None:
            return None
        used = {self.label, *self.pixels}
        rest = [at for at in range(self.look.columns) if at not in used]
        out = f"; left out: {', '.join(map(self.look.shown, rest[:5]))}" if rest else ""
        return f"{self.look.path.name}: the label is {self.look.shown(self.label)}{out}"


def lines_of(path: Path, *, heading: bool) -> Iterator[bytes]:
    """The lines of a file, without its heading, its byte order mark and empty lines."""
    with path.open("rb") as file:
        if file.read(len(MARK)) != MARK:
            file.seek(0)
        yield from islice((line for line in file if line.strip()), int(heading), None)


def fields_of(line: bytes, separator: bytes) -> list[bytes]:
    """The fields of a line, without blanks and quotation marks around them.

    A separator between quotation marks is part of its field: the label may be a comma.
    """
    if b'"' in line:
        text = line.decode("latin-1")  # each byte a letter, and back again
        cut = next(csv.reader([text], delimiter=separator.decode(), skipinitialspace=True), [])
        return [field.strip().encode("latin-1") for field in cut]
    return [field.strip() for field in line.strip(b"\r\n ").split(separator)]


def look_at(path: Path) -> Look | None:
    """The first lines of a CSV file; None if they are not two lines of fields with numbers."""
    lines = [line for line in head(path, HEAD).removeprefix(MARK).split(b"\n")[:2] if line.strip()]
    if not lines:
        return None
    separator = max(SEPARATORS, key=lines[-1].count)
    first, sample = fields_of(lines[0], separator), fields_of(lines[-1], separator)
    heading = len(lines) > 1 and _is_heading(first, len(sample))
    if sum(field.isdigit() for field in sample) < len(sample) - 2:
        return None
    texts = [field.decode("utf-8", "backslashreplace").lower() for field in first]
    whole = heading and len(texts) == len(sample)
    labelled = None
    if heading and not whole and texts[0] in NAMES:
        labelled = "first"
    elif heading and not whole and texts[-1] in NAMES:
        labelled = "last"
    return Look(
        path=path,
        separator=separator,
        heading=heading,
        names=tuple(texts) if whole else (),
        columns=len(sample),
        labelled=labelled,
    )


def _is_heading(fields: Sequence[bytes], columns: int) -> bool:
    """Whether a first line names columns: few of its fields are numbers, or they are 0, 1, 2..."""
    if len(fields) != columns or 2 * sum(field.isdigit() for field in fields) < columns:
        return True
    numbers = [number_of(field.decode("latin-1")) for field in fields]
    return columns > 2 and numbers in (list(range(columns)), list(range(1, columns + 1)))


def is_square(count: int) -> bool:
    """Whether so many pixels are a square picture of 2 x 2 at least."""
    return count >= 4 and math.isqrt(count) ** 2 == count


def seems_labelled(look: Look) -> bool:
    """Whether a file's first lines are a label and the pixels of a picture."""
    free = _free(look)
    others = [at for at in free if not look.names or look.names[at] not in NAMES]
    if len(others) < len(free):
        return len(_numbered(look.names)) > 3 or is_square(len(others))
    return is_square(len(free) - 1)


def layout_of(look: Look, wanted: str | None) -> Layout:
    """What the columns of a file are; its values are read where the heading does not say.

    Parameters
    ----------
    look : Look
    wanted : str, optional
        The label's column as a user gives it: a name, "first", "last" or a number from 1.

    Raises
    ------
    InkfoldError
        If no column, or more than one, can be the label, or the others are no picture.
    """
    named = [at for at, name in enumerate(look.names) if name in NAMES]
    if wanted is not None:
        label = _wanted(look, wanted)
    elif len(named) > 1:
        raise InkfoldError(
            f"{look.path}: {' and '.join(map(look.shown, named[:5]))} may each be the label; "
            f"{NAME_IT}"
        )
    elif named:
        label = named[0]
    elif look.labelled:
        label = 0 if look.labelled == "first" else look.columns - 1
    else:
        label = _first_or_last(look)
    return _with_pixels(look, label)


def unlabelled(look: Look) -> Layout | None:
    """The layout of a file of pictures without labels; None if it is no such file."""
    free = _free(look)
    named = any(name in NAMES for name in look.names)
    return None if named or not is_square(len(free)) else _with_pixels(look, None)


def _wanted(look: Look, wanted: str) -> int:
    """The column that a user names."""
    word = wanted.strip().lower()
    if look.names.count(word) == 1:
        return look.names.index(word)
    number = number_of(word)
    place = {"first": 1, "last": look.columns}.get(word, -1 if number is None else number)
    if not 1 <= place <= look.columns:
        names = ", ".join(map(repr, look.names[:5])) or "no names"
        raise InkfoldError(
            f"{look.path}: no column {wanted!r} among its {look.columns} ({names}); {NAME_IT}"
        )
    return place - 1


def _free(look: Look) -> list[int]:
    """The columns that do not number the lines."""
    return [
        at for at in range(look.columns) if not look.names or not INDEX.fullmatch(look.names[at])
    ]


def _numbered(names: Sequence[str]) -> dict[int, tuple[int, int]]:
    """The columns that a heading calls pixels, with their place: (0, N) or (row, column)."""
    found = {at: match for at, name in enumerate(names) if (match := PIXEL.fullmatch(name))}
    return {at: (int(m[2] or 0), int(m[3] or m[1])) for at, m in found.items()}


def _with_pixels(look: Look, label: int | None) -> Layout:
    """The layout with this label; raises InkfoldError if the other columns are no picture."""
    numbered = {at: place for at, place in _numbered(look.names).items() if at != label}
    if len(numbered) > 3:
        pixels = tuple(sorted(numbered, key=numbered.__getitem__))
        rows = len({row for row, _ in numbered.values()})
        repeated = len(set(numbered.values())) < len(numbered)
    else:
        others = (at for at in _free(look) if at != label)
        pixels = tuple(at for at in others if not look.names or look.names[at] not in NAMES)
        rows, repeated = 1, False
    count = len(pixels)
    if rows > 1 and count % rows == 0 and not repeated:
        return Layout(look=look, label=label, pixels=pixels, shape=(rows, count // rows))
    if repeated or not is_square(count):
        besides = "" if label is None else f" beside the label ({look.shown(label)})"
        found = "two columns of one name" if repeated else f"{count} columns"
        raise InkfoldError(
            f"{look.path}: {found}{besides}, expected as many pixels as a square has, or columns "
            f"called pixel0, pixel1... or 1x1, 1x2...; {NAME_IT}"
        )
    side = math.isqrt(count)
    return Layout(look=look, label=label, pixels=pixels, shape=(side, side))


def _first_or_last(look: Look) -> int:
    """The label's column where no heading names it: the first or the last, by all their values."""
    free = _free(look)
    if not is_square(len(free) - 1):
        shown = f"a heading without one of {', '.join(sorted(NAMES))}" if look.names else "none"
        raise InkfoldError(
            f"{look.path}: {look.columns} fields a line, which are no label and square picture, "
            f"and its heading names no label ({shown}); {NAME_IT}"
        )
    ends = free[0], free[-1]
    values: tuple[Counter[bytes], Counter[bytes]] = Counter(), Counter()
    for line in look.lines():
        if line.count(look.separator) + 1 < look.columns:
            continue  # a torn line, which is reported when it is read
        for counts, column in zip(values, ends, strict=True):
            counts[look.field(line, column)] += 1
    likely = [at for at, counts in zip(ends, values, strict=True) if _is_like_labels(counts)]
    first, last = (_shown(counts) for counts in values)
    if len(likely) == 2:
        raise InkfoldError(
            f"{look.path}: its label may be the first column ({first}) or the last ({last}); say "
            "which with --label-column first or --label-column last"
        )
    label = likely or [
        at
        for at, counts in zip(ends, values, strict=True)
        if len(counts) > 1 and not _is_paper(counts)
    ]
    # the other end is then a corner of pictures: one value that is no paper is a label of one class
    other = values[0] if label == [ends[1]] else values[1]
    if len(label) != 1 or (len(other) == 1 and not _is_paper(other)):
        raise InkfoldError(
            f"{look.path}: neither the first column ({first}) nor the last ({last}) is surely the "
            f"label; {NAME_IT}"
        )
    return label[0]


def _is_like_labels(counts: Counter[bytes]) -> bool:
    """Whether a column's values are like labels: texts, or most numbers up to the largest.

    A corner of pictures holds black or white in most lines, or few of the levels up to 255.
    """
    if len(counts) < 2:
        return False
    numbers = {text: number_of(text.decode("latin-1")) for text in counts}
    texts = [counts[text] for text, number in numbers.items() if number is None]
    if texts:  # one alone among numbers is a damaged number
        return len(texts) == len(counts) or min(texts) > 1
    largest = max(number for number in numbers.values() if number is not None)
    return not _is_paper(counts) and largest < min(MOST, 2 * len(counts))


def _is_paper(counts: Counter[bytes]) -> bool:
    """Whether a column holds black, or white, in most lines."""
    return max(counts[b"0"], counts[b"255"]) > PAPER * counts.total()


def _shown(counts: Counter[bytes]) -> str:
    """The values of a column in a message."""
    common = ", ".join(text[:12].decode("utf-8", "backslashreplace") for text in list(counts)[:4])
    return f"{len(counts):,} different values: {common}{'...' if len(counts) > 4 else ''}"
