"""NIST Special Database 19, second edition, sorted by class: ``by_class/4a/hsf_0/*.png``.

The folder ``train_4a`` repeats the pictures of ``hsf_0`` to ``hsf_3``, ``hsf_6`` and ``hsf_7``, so
it is read only where those are missing. ``hsf_4`` is the official test.
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


@dataclass(frozen=True, kw_only=True)
class Part:
    """A folder of pictures of one class and one side.

    Attributes
    ----------
    folder : Path
        Under the set's own folder.
    character : str
        The class.
    split : {"train", "test"}
    count : int
        How many pictures there are.
    """

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
    return Collection(
        name="nist-sd19",
        classes=classes,
        ink="dark",
        count=count,
        glyphs=partial(_glyphs, root, parts, classes),
    )


def _root(source: Path) -> Path:
    """The folder ``by_class`` in `source`, or `source` itself."""
    return source / "by_class" if (source / "by_class").is_dir() else source


def _parts(root: Path, name: str) -> list[Part]:
    """The folders of one class that are read; they hold each picture once."""
    character = chr(int(name, 16))
    if not "!" <= character <= "~":
        found = f"{root / name}: the folder of a class is named {name}"
        raise InkfoldError(f"{found}, expected a character's ASCII code, 21 to 7e; remove it")
    train = [_part(root, Path(name, hsf), character, "train") for hsf in TRAIN]
    again = _part(root, Path(name, f"train_{name}"), character, "train")
    single = sum(part.count for part in train)
    if 0 < single < again.count:
        found = f"{root / again.folder} holds {again.count:,} pictures"
        beside = f"{', '.join(TRAIN)} beside it {single:,}"
        raise InkfoldError(
            f"{found} and {beside}, though it repeats them; unpack them again or remove either"
        )
    test = _part(root, Path(name, TEST), character, "test")
    return [*(train if single else [again]), test]


def _part(root: Path, folder: Path, character: str, split: Official) -> Part:
    """A folder and how many pictures it holds; 0 if there is no such folder."""
    count = len(pictures_in(root / folder))
    return Part(folder=folder, character=character, split=split, count=count)


def _glyphs(root: Path, parts: list[Part], classes: tuple[str, ...]) -> Iterator[Glyph]:
    for part in parts:
        label = classes.index(part.character)
        for name in pictures_in(root / part.folder):
            path = part.folder / name
            pixels = read_grey(root / path)
            yield Glyph(pixels=pixels, label=label, source=as_text(path), split=part.split)
