"""Class maps: files beside a set that say which character each label stands for."""

from __future__ import annotations

import codecs
import csv
from pathlib import Path

from inkfold.errors import InkfoldError


def emnist_map(path: Path) -> dict[int, str]:
    """Read ``emnist-X-mapping.txt``: the class of each label, by label.

    Each line holds a label and its ASCII codes, the first of which names the class (Letters has
    two, the capital first).

    Raises
    ------
    InkfoldError
        If there is no such file, or a line has another content.
    """
    if not path.is_file():
        raise InkfoldError(
            f"{path}: no such file; put the mapping there that came with the set: it tells which "
            "character each label is"
        )
    names: dict[int, str] = {}
    lines = path.read_bytes().removeprefix(codecs.BOM_UTF8).splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            label, code, *_ = map(int, line.split())
        except ValueError:
            label = code = -1
        if not (0 <= label < 256 and 32 < code < 127) or label in names:
            raise InkfoldError(
                f"{path}: line {number} is {line[:40]!r}, expected a new label from 0 to 255 and "
                "the ASCII code of its character"
            )
        names[label] = chr(code)
    return _sorted(path, names)


def csv_map(path: Path) -> dict[int, str]:
    """Read a class map of the Kuzushiji sets: the class of each label, by label.

    After a heading each line holds index, code point and character.

    Raises
    ------
    InkfoldError
        If a line has another content.
    """
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = list(csv.reader(file))  # a byte order mark is part of the heading
    names: dict[int, str] = {}
    for number, row in enumerate(rows[1:], 2):
        if not row:
            continue
        if len(row) < 3 or not row[0].isdecimal() or int(row[0]) > 255 or not row[2]:
            raise InkfoldError(
                f"{path}: line {number} is {','.join(row)[:40]!r}, expected index, code point and "
                "character"
            )
        names[int(row[0])] = row[2]
    return _sorted(path, names)


def map_beside(folder: Path, *names: str) -> dict[int, str] | None:
    """The first of the class maps `names` that lies in a folder; None if it holds none of them."""
    paths = (folder / name for name in names)
    return next((csv_map(path) for path in paths if path.is_file()), None)


def _sorted(path: Path, names: dict[int, str]) -> dict[int, str]:
    """The class map by label; raises InkfoldError if it is empty or repeats a character."""
    if not names:
        raise InkfoldError(f"{path}: no class in it; expected a line for each")
    if len(set(names.values())) < len(names):
        raise InkfoldError(
            f"{path}: one character for two labels; expected a different one for each"
        )
    return dict(sorted(names.items()))
