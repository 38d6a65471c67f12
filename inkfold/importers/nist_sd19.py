"""NIST Special Database 19, second edition, sorted by class: ``by_class/4a/hsf_0/*.png``.

The folder ``train_4a`` holds the pictures of ``hsf_0`` to ``hsf_3``, ``hsf_6`` and ``hsf_7`` once
more, so it is read only where those are not there. ``hsf_4`` is the official test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from inkfold.errors import InkfoldError
from inkfold.importers.collection import Collection, Glyph, Official
from inkfold.importers.files import as_text, folders_in, nothing_at, pictures_in, read_grey

TRAIN = tuple(f"hsf_{part}" for part in (0, 1, 2, 3, 6, 7))
TEST = "hsf_4"
HEX = re.compile(r"[0-9a-f]{2}", re.I)


@dataclass(frozen=True)
class Part:
    """A folder of pictures under the set's own, all of one class and split."""

    folder: Path
    character: str
    split: Official
    count: int


def recognise(source: Path) -> str | None:
    """Why `source` seems to be of this format: class folders with hsf or train folders in them."""
    root = _root(source)
    for name in folders_in(root):
        inside = folders_in(root / name) if HEX.fullmatch(name) else []
        parts = [part for part in inside if part in (*TRAIN, TEST, f"train_{name}")]
        if parts:
            twice = " (train folders repeat the hsf folders: one of the two is read)"
            again = twice if f"train_{name}" in parts and set(parts) & set(TRAIN) else ""
            return f"it holds {name}/{parts[0]}, a class of NIST's by_class{again}"
    return None


def read(source: Path) -> Collection:
    """Make a set of ``by_class`` or of the folder that it lies in.

    Raises
    ------
    InkfoldError
        If it holds no pictures, a folder's name is no character's code, or a train folder holds
        more than the hsf folders that it should repeat.
    """
    root = _root(source)
    names = [name for name in folders_in(root) if HEX.fullmatch(name)]
    parts = [part for name in names for part in _parts(root, name) if part.count]
    if not parts:
        expected = "by_class with folders like 4a/hsf_0 in it"
        raise nothing_at(source, "no pictures of NIST's by_class", expected)
    classes = tuple(sorted({part.character for part in parts}))
    count = sum(part.count for part in parts)
    return Collection("nist-sd19", classes, "dark", count, partial(_glyphs, root, parts, classes))


def _root(source: Path) -> Path:
    return source / "by_class" if (source / "by_class").is_dir() else source


def _parts(root: Path, name: str) -> list[Part]:
    """The folders of one class that are read, each picture in one of them."""
    character = chr(int(name, 16))
    if not "!" <= character <= "~":
        found = f"{root / name}: the folder of a class is named {name}"
        raise InkfoldError(f"{found}, expected a character's ASCII code, 21 to 7e; remove it")
    train = [Part(Path(name, hsf), character, "train", _count(root / name / hsf)) for hsf in TRAIN]
    again = Path(name, f"train_{name}")
    single, double = sum(part.count for part in train), _count(root / again)
    if 0 < single < double:
        found = (
            f"{root / again} holds {double:,} pictures and {', '.join(TRAIN)} beside it {single:,}"
        )
        raise InkfoldError(f"{found}, though it repeats them; unpack them again or remove either")
    if single == 0:
        train = [Part(again, character, "train", double)]
    return [*train, Part(Path(name, TEST), character, "test", _count(root / name / TEST))]


def _count(folder: Path) -> int:
    return len(pictures_in(folder))


def _glyphs(root: Path, parts: list[Part], classes: tuple[str, ...]) -> Iterator[Glyph]:
    for part in parts:
        label = classes.index(part.character)
        for name in pictures_in(root / part.folder):
            path = part.folder / name
            yield Glyph(read_grey(root / path), label, as_text(path), part.split)
