"""Omniglot: folders ALPHABET/characterNN of PNG files, one by each of twenty drawers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from inkfold.errors import InkfoldError
from inkfold.importers.collection import Collection, Glyph
from inkfold.importers.files import as_text, folders_in, nothing_at, pictures_in, read_grey

PARTS = ("images_background", "images_evaluation")
CHARACTER = re.compile(r"character\d+")
LOOK = 5  # folders that are looked into to recognise the set
DRAWER = re.compile(r"\d+_(\d+)\.png", re.I)


def recognise(source: Path) -> str | None:
    """Why `source` seems to be Omniglot: folders of characters in folders of alphabets."""
    for part in _parts(source):
        for alphabet in folders_in(source / part)[:LOOK]:
            for character in folders_in(source / part / alphabet)[:1]:
                if CHARACTER.fullmatch(character):
                    folder = Path(part, alphabet, character).as_posix()
                    return f"it holds {folder}, an alphabet's character as in Omniglot"
    return None


def read(source: Path) -> Collection:
    """Make a set of the folder with ``images_background`` and ``images_evaluation``, or of one.

    Raises
    ------
    InkfoldError
        If it holds no characters, or a picture's name does not name its drawer.
    """
    folders = {
        as_text(Path(alphabet, character)): Path(part, alphabet, character)
        for part in _parts(source)
        for alphabet in folders_in(source / part)
        for character in folders_in(source / part / alphabet)
        if CHARACTER.fullmatch(character)
    }
    counts = {name: len(pictures_in(source / folder)) for name, folder in folders.items()}
    classes = tuple(sorted(name for name, count in counts.items() if count))
    if not classes:
        expected = "ALPHABET/characterNN/NNNN_NN.png in it or in its images_background"
        raise nothing_at(source, "no pictures of Omniglot", expected)
    return Collection(
        name="omniglot",
        classes=classes,
        ink="dark",
        count=sum(counts.values()),
        glyphs=partial(_glyphs, source, [folders[name] for name in classes]),
    )


def _parts(source: Path) -> list[str]:
    """The folders under `source` that hold the alphabets."""
    return [part for part in PARTS if (source / part).is_dir()] or ["."]


def _glyphs(source: Path, folders: list[Path]) -> Iterator[Glyph]:
    for label, folder in enumerate(folders):
        for name in pictures_in(source / folder):
            path = folder / name
            drawer = DRAWER.fullmatch(name)
            if drawer is None:
                expected = "expected NNNN_NN.png, the character's number and the drawer's"
                raise InkfoldError(f"{source / path}: {expected}; rename or remove it")
            yield Glyph(
                pixels=read_grey(source / path),
                label=label,
                source=as_text(path),
                group=as_text(Path(folder.parent.name, drawer[1])),
            )
