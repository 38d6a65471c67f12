"""HASYv2: symbols in PNG files that a CSV file lists with their names and writers."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from inkfold.errors import InkfoldError
from inkfold.identity import Identity
from inkfold.importers.collection import Collection, Glyph, Official
from inkfold.importers.files import nothing_at, read_grey

ALL = "hasy-data-labels.csv"
FOLD: dict[str, Official] = {"train.csv": "train", "test.csv": "test"}
COLUMNS = ["path", "symbol_id", "latex", "user_id"]
Row = tuple[str, str, str, str]


def recognise(source: Path) -> str | None:
    """Why `source` seems to be of this format: a CSV file with HASYv2's columns."""
    for table in _tables(source):
        try:
            with table.open("rb") as file:
                head = file.readline(100)
        except OSError:
            return None
        if head.decode("utf-8-sig", "replace").strip() == ",".join(COLUMNS):
            return f"{table.name} has HASYv2's columns {', '.join(COLUMNS)}"
    return None


def read(source: Path) -> Collection:
    """Make a set of HASYv2's folder, of one of its CSV files, or of the folder of a fold.

    Raises
    ------
    InkfoldError
        If there is no such CSV file, or a row of it does not have the four columns.
    """
    tables = _tables(source)
    if not tables:
        expected = f"{ALL}, or train.csv and test.csv of a fold"
        raise nothing_at(source, "no CSV file of HASYv2", expected)
    files = tuple(map(Identity.of, tables))
    symbols: dict[str, str] = {}
    count = 0
    for table in tables:
        for _, symbol, latex, _ in _rows(table):
            symbols[symbol] = latex
            count += 1
    if count == 0:
        raise InkfoldError(f"{source}: {tables[0].name} lists no pictures; unpack it again")
    names = _names(symbols)
    classes = tuple(sorted(names.values()))
    labels = {symbol: classes.index(name) for symbol, name in names.items()}
    return Collection(
        name="hasy",
        classes=classes,
        ink="dark",
        count=count,
        glyphs=partial(_glyphs, tables, labels),
        files=files,
    )


def _tables(source: Path) -> list[Path]:
    """The CSV files to read: the one of the whole set, or the two of a fold."""
    if source.suffix.lower() == ".csv":
        return [source] if source.is_file() else []
    if (source / ALL).is_file():
        return [source / ALL]
    return [source / name for name in FOLD if (source / name).is_file()]


def _rows(table: Path) -> Iterator[Row]:
    """The rows after the first, which names the columns."""
    expected = f"expected {','.join(COLUMNS)}; unpack it again"
    with table.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file)
        for number in itertools.count(1):
            try:
                row = next(lines, None)
            except (csv.Error, UnicodeDecodeError) as error:
                raise InkfoldError(f"{table}: line {number}: {error}, {expected}") from None
            if row is None:
                return
            if len(row) != len(COLUMNS) or (number == 1 and row != COLUMNS):
                found = f"{table}: line {number}: {','.join(row)[:60]!r}"
                raise InkfoldError(f"{found}, {expected}")
            if number > 1:
                yield row[0], row[1], row[2], row[3]


def _names(symbols: Mapping[str, str]) -> dict[str, str]:
    """The class of each symbol: its LaTeX, with the symbol's number where two share the LaTeX."""
    times = Counter(symbols.values())
    return {
        symbol: latex if times[latex] == 1 else f"{latex} ({symbol})"
        for symbol, latex in symbols.items()
    }


def _glyphs(tables: list[Path], labels: Mapping[str, int]) -> Iterator[Glyph]:
    for table in tables:
        split = FOLD.get(table.name) if len(tables) > 1 else None
        for path, symbol, _, user in _rows(table):
            source = Path(*Path(path).parts[-2:]).as_posix()  # the paths of a fold begin with ../..
            yield Glyph(
                pixels=read_grey(table.parent / path),
                label=labels[symbol],
                source=source,
                split=split,
                group=user,
            )
