"""The ETL character database: seven sets of fixed-length records, each an `EtlSet`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.identity import Identity
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


def code_field(rows: Rows) -> Codes:
    """The character codes of records whose field `code` alone says which character it is."""
    return np.array(rows["code"], np.int64)


@dataclass(frozen=True)
class Part:
    """A file whose records from number `first` to before `stop` are pictures."""

    path: Path
    first: int
    stop: int


@dataclass(frozen=True, kw_only=True)
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
        From a code to the character, or None for a code without one.
    codes : callable
        From records to the codes that `character` knows.
    dummies : int
        How many records at the beginning of a file are not pictures.
    usable : mapping of int to int
        By the number at the end of a file's name, how many of the file's records after the dummies
        are characters by writers. The records after these are left out.
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
        files, size = self._named(source), self.record.itemsize
        if not files or files[0].stat().st_size % size:
            return None
        return (
            f"{files[0].name} is named like {self.name.upper()} and holds records of {size} bytes"
        )

    def read(self, source: Path) -> Collection:
        """Make a set of a file, or of the files in a folder that are named like this set's.

        Raises
        ------
        InkfoldError
            If there are no such files, one is torn, or a record's code is no character's.
        """
        files = [source] if source.is_file() else self._named(source)
        identities = tuple(map(Identity.of, files))
        parts = [self._part(path) for path in files]
        count = sum(part.stop - part.first for part in parts)
        if count == 0:
            expected = f"files named like {self.name.upper()}'s, as they are unpacked"
            raise nothing_at(source, f"no pictures of {self.name}", expected)
        names = self._names(parts)
        classes = tuple(dict.fromkeys(names[code] for code in sorted(names)))
        places = {name: place for place, name in enumerate(classes)}
        labels = {code: places[name] for code, name in names.items()}
        return Collection(
            name=self.name,
            classes=classes,
            ink="light",
            count=count,
            glyphs=partial(self._glyphs, parts, labels),
            files=identities,
        )

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
        """What is wrong with record number `index`, whose code has no character."""
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
            yield Glyph(
                pixels=pictures[place],
                label=labels[codes[place]],
                source=f"{name}:{first + place}",
                group=self._group(sheets[place]),
            )

    def _group(self, sheet: int) -> str:
        """The group of the pictures on a sheet: all sheets of one writer."""
        if self.sheets == 1:
            return f"sheet {sheet}"
        first = (sheet - 1) // self.sheets * self.sheets + 1
        return f"sheets {first}-{first + self.sheets - 1}"


# Black and white, 63 rows of 64 pixels.
B_FIELDS = {"sheet": (">u2", 0), "code": (">u2", 2), "image": ("(504,)u1", 8)}
B_UNPACK = partial(unpack_bits, rows=63, columns=64)
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
# 16 greys, 127 rows of 128 pixels.
G_SIZE = 8199
G_FIELDS = {"sheet": (">u2", 0), "code": (">u2", 2)}
G_UNPACK = partial(unpack_nibbles, rows=127, columns=128)
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


# JIS X 0201 has no code for these two: numbers above all its codes stand for them.
READ_ONLY = {b"WI": (0x100, "ヰ"), b"WE": (0x101, "ヱ")}


def kana_codes(rows: Rows) -> Codes:
    """The JIS X 0201 code of each record, or the number in `READ_ONLY` for WI and WE."""
    codes = code_field(rows)
    for reading, (code, _) in READ_ONLY.items():
        codes[rows["reading"] == reading] = code
    return codes


def katakana(code: int) -> str | None:
    """The character of ETL1 and ETL6."""
    return dict(READ_ONLY.values()).get(code) or jis_x_0201(code)


def written_in_hiragana(code: int) -> str | None:
    """The character of ETL7, which was written in hiragana and coded as katakana."""
    text = katakana(code)
    return None if text is None else hiragana(text)


# 16 greys, 63 rows of 64 pixels.
M_RECORD = layout(
    2052, reading=("S2", 2), sheet=(">u2", 4), code=("u1", 6), image=("(2016,)u1", 32)
)
M_UNPACK = partial(unpack_nibbles, rows=63, columns=64)
ETL1 = EtlSet(
    name="etl1",
    files=r"ETL1C?[-_]?\d+",
    record=M_RECORD,
    unpack=M_UNPACK,
    character=katakana,
    codes=kana_codes,
)
ETL6 = replace(ETL1, name="etl6", files=r"ETL6C?[-_]?\d+")
ETL7 = replace(ETL1, name="etl7", files=r"ETL7[LS]C?[-_]?\d+", character=written_in_hiragana)
