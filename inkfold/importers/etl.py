"""The ETL character database: what its sets have in common. Each is an `EtlSet` in its module."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.importers.collection import Collection, Glyph
from inkfold.importers.etl_records import (
    Rows,
    count_records,
    hiragana,
    jis_x_0201,
    jis_x_0208,
    layout,
    mapped_rows,
    read_rows,
    unpack_bits,
    unpack_nibbles,
)
from inkfold.importers.files import as_text, nothing_at

BLOCK = 256  # records that are read and unpacked together: 2 MB of the largest
Codes = NDArray[np.int64]
B_FIELDS = {"sheet": (">u2", 0), "code": (">u2", 2), "image": ("(504,)u1", 8)}
B_UNPACK = partial(unpack_bits, rows=63, columns=64)
G_SIZE = 8199
G_FIELDS = {"sheet": (">u2", 0), "code": (">u2", 2)}
G_UNPACK = partial(unpack_nibbles, rows=127, columns=128)
M_RECORD = layout(
    2052, reading=("S2", 2), sheet=(">u2", 4), code=("u1", 6), image=("(2016,)u1", 32)
)
M_UNPACK = partial(unpack_nibbles, rows=63, columns=64)
READ_ONLY = {b"WI": (0x100, "ヰ"), b"WE": (0x101, "ヱ")}  # JIS X 0201 has no code for these two


def code_field(rows: Rows) -> Codes:
    """The character codes of records whose field `code` is all that tells the character."""
    return np.array(rows["code"], np.int64)


@dataclass(frozen=True)
class Part:
    """One file: its records from number `first` up to `stop` are pictures."""

    path: Path
    first: int
    stop: int


@dataclass(frozen=True)
class EtlSet:
    """One set of the database: files of fixed-length records, light ink on dark.

    Parameters
    ----------
    name : str
        "etl8b".
    files : str
        Regular expression that the names of its files match, upper or lower case.
    record : dtype
        With the fields `code`, `sheet` and `image`.
    unpack : callable
        From the field `image` of N records to uint8 (N, rows, columns).
    character : callable
        From a code to the character, or None where there is none.
    codes : callable
        From records to the codes that `character` knows.
    dummies : int
        How many records at a file's beginning are none.
    usable : mapping of int to int
        By the number at the end of a file's name: how many of its records after the dummies are
        characters by writers; those after them are left out.
    sheets : int
        How many sheets, one after the other, a writer filled.
    """

    name: str
    files: str
    record: np.dtype[np.void]
    unpack: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
    character: Callable[[int], str | None]
    codes: Callable[[Rows], Codes] = code_field
    dummies: int = 0
    usable: Mapping[int, int] = field(default_factory=dict)
    sheets: int = 1

    def recognise(self, source: Path) -> str | None:
        """Why `source` seems to be of this set: its files' names, and sizes that fit."""
        named = self._named(source)
        if not named or named[0].stat().st_size % self.record.itemsize:
            return None
        size = self.record.itemsize
        return (
            f"{named[0].name} is named like {self.name.upper()} and holds records of {size} bytes"
        )

    def read(self, source: Path) -> Collection:
        """Make a set of a file, or of the files in a folder that are named like this set's.

        Raises
        ------
        InkfoldError
            If there are none, one is torn, or a record's code is no character's.
        """
        files = [source] if source.is_file() else self._named(source)
        parts = [self._part(path) for path in files]
        count = sum(part.stop - part.first for part in parts)
        if count == 0:
            expected = f"files named like {self.name.upper()}'s, as they are unpacked"
            raise nothing_at(source, f"no pictures of {self.name}", expected)
        names = self._names(parts)
        classes = tuple(dict.fromkeys(names[code] for code in sorted(names)))
        places = {name: place for place, name in enumerate(classes)}
        labels = {code: places[name] for code, name in names.items()}
        return Collection(self.name, classes, "light", count, partial(self._glyphs, parts, labels))

    def _named(self, source: Path) -> list[Path]:
        """The files at or in `source` that are named like this set's, by name."""
        try:
            paths = sorted(source.iterdir()) if source.is_dir() else [source]
            return [p for p in paths if re.fullmatch(self.files, p.name, re.I) and p.is_file()]
        except OSError:
            return []

    def _part(self, path: Path) -> Part:
        """Which records of a file are pictures."""
        count = count_records(path, self.record)
        number = re.search(r"\d+$", path.name)
        usable = self.usable.get(int(number[0]), count) if number else count
        return Part(path, self.dummies, max(self.dummies, min(count, self.dummies + usable)))

    def _names(self, parts: list[Part]) -> dict[int, str]:
        """The character of every code that occurs."""
        names: dict[int, str] = {}
        for part in parts:
            rows = mapped_rows(part.path, self.record, part.first, part.stop)
            codes, places = np.unique(self.codes(rows), return_index=True)
            for code, place in zip(codes.tolist(), places.tolist(), strict=True):
                name = self.character(code)
                if name is None:
                    raise InkfoldError(self._unknown(part.path, part.first + place, code))
                names[code] = name
        return names

    def _unknown(self, path: Path, index: int, code: int) -> str:
        fields: Any = self.record.fields
        place = index * self.record.itemsize + fields["code"][1]
        found = f"{path}: byte {place:,} (record {index:,}): character code {code:#x}"
        return f"{found}, expected one of {self.name.upper()}'s JIS code; unpack or copy it again"

    def _glyphs(self, parts: list[Part], labels: Mapping[int, int]) -> Iterator[Glyph]:
        for part in parts:
            for first in range(part.first, part.stop, BLOCK):
                yield from self._block(part, first, min(BLOCK, part.stop - first), labels)

    def _block(
        self, part: Part, first: int, count: int, labels: Mapping[int, int]
    ) -> Iterator[Glyph]:
        """The pictures of `count` records."""
        rows = read_rows(part.path, self.record, first, count)
        pictures = self.unpack(rows["image"])
        codes, sheets = self.codes(rows).tolist(), rows["sheet"].tolist()
        name = as_text(Path(part.path.name))
        for place in range(count):
            source = f"{name}:{first + place}"
            group = self._group(sheets[place])
            yield Glyph(pictures[place], labels[codes[place]], source, group=group)

    def _group(self, sheet: int) -> str:
        """Whose pictures these are, by the sheets that one writer filled."""
        if self.sheets == 1:
            return f"sheet {sheet}"
        first = (sheet - 1) // self.sheets * self.sheets + 1
        return f"sheets {first}-{first + self.sheets - 1}"


ETL8B = EtlSet(
    name="etl8b",
    files=r"ETL8B2?[-_]?C?\d",
    record=layout(512, **B_FIELDS),
    unpack=B_UNPACK,
    character=jis_x_0208,
    dummies=1,
    usable={3: 50_560},  # then 956 model images
    sheets=10,
)
ETL9B = EtlSet(
    name="etl9b",
    files=r"ETL9B[-_]?\d",
    record=layout(576, **B_FIELDS),
    unpack=B_UNPACK,
    character=jis_x_0208,
    dummies=1,
    usable={5: 121_440},  # then 3,036 pictures that the publisher calls uncertain
)
ETL8G = EtlSet(
    name="etl8g",
    files=r"ETL8G[-_]?\d+",
    record=layout(G_SIZE, **G_FIELDS, image=("(8128,)u1", 60)),
    unpack=G_UNPACK,
    character=jis_x_0208,
    usable={33: 0},  # beyond the 160 writers, 5 in each of 32 files
    sheets=10,
)
ETL9G = EtlSet(
    name="etl9g",
    files=r"ETL9G[-_]?\d+",
    record=layout(G_SIZE, **G_FIELDS, image=("(8128,)u1", 64)),
    unpack=G_UNPACK,
    character=jis_x_0208,
)


def codes(rows: Rows) -> Codes:
    """The JIS code of each record, or a number above all codes for those that it cannot say."""
    found = code_field(rows)
    for reading, (code, _) in READ_ONLY.items():
        found[rows["reading"] == reading] = code
    return found


def katakana(code: int) -> str | None:
    """The character of ETL1 and ETL6."""
    return dict(READ_ONLY.values()).get(code) or jis_x_0201(code)


def written_in_hiragana(code: int) -> str | None:
    """The character of ETL7, which was written in hiragana and coded as katakana."""
    text = katakana(code)
    return None if text is None else hiragana(text)


ETL1 = EtlSet("etl1", r"ETL1C?[-_]?\d+", M_RECORD, M_UNPACK, katakana, codes)
ETL6 = EtlSet("etl6", r"ETL6C?[-_]?\d+", M_RECORD, M_UNPACK, katakana, codes)
ETL7 = EtlSet("etl7", r"ETL7[LS]C?[-_]?\d+", M_RECORD, M_UNPACK, written_in_hiragana, codes)
