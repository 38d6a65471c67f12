"""Class maps: which character each label stands for, in files beside a set, or as is known.

EMNIST's six maps are facts that its paper tells (Cohen, Afshar, Tapson and van Schaik, "EMNIST: an
extension of MNIST to handwritten letters", 2017): digits, capitals, then small letters, of which
ByMerge and Balanced keep the eleven that differ from their capitals. The labels of Letters begin
at 1, and a capital and its small letter are one class.
"""

from __future__ import annotations

import codecs
import csv
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase, digits

from inkfold.errors import InkfoldError

MERGED = digits + ascii_uppercase + "abdefghnqrt"
EMNIST = {
    "byclass": dict(enumerate(digits + ascii_uppercase + ascii_lowercase)),
    "bymerge": dict(enumerate(MERGED)),
    "balanced": dict(enumerate(MERGED)),
    "letters": dict(enumerate(ascii_uppercase, 1)),
    "digits": dict(enumerate(digits)),
    "mnist": dict(enumerate(digits)),
}


def emnist_classes(folder: Path, name: str) -> dict[int, str]:
    """The class of each label of EMNIST's variant `name` ("emnist-letters"), by label.

    A mapping file in the folder is taken before the map that is known.

    Raises
    ------
    InkfoldError
        If the variant is unknown and there is no file, the file has another content, or it gives a
        label a character that the variant's own map does not.
    """
    path = folder / f"{name}-mapping.txt"
    variant = name.lower().removeprefix("emnist-")
    known = EMNIST.get(variant)
    if known is None or path.is_file():
        names = emnist_map(path)
        for label, character in names.items() if known else ():
            same = character.upper() if variant == "letters" else character
            if known and known.get(label) != same:
                raise InkfoldError(
                    f"{path}: label {label} is {character!r}, in EMNIST's own map of {variant} it "
                    f"is {known.get(label, 'no label')!r}; remove the file, or rename the set's "
                    "files if they are another set"
                )
        return names
    return known


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
