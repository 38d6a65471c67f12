"""The files of a public set: finding them by their names, listing folders, reading pictures.

Listing a folder does not use `picture_files.walk`: a set's layout says which folders hold pictures,
so one folder is listed at a time, and hidden files, other files and links need no report.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError, PictureError
from inkfold.identity import Identity
from inkfold.importers.collection import Official
from inkfold.picture import read
from inkfold.picture_files import readable

SIDES: dict[str, Official] = {
    "train": "train",
    "validation": "validation",
    "test": "test",
    "t10k": "test",
}
SIDE_ORDER: dict[Official | None, int] = {"train": 0, "validation": 1, "test": 2, None: 3}
LEVELS = 5  # of folders, in which files of a format are looked for
GLANCE = 10_000  # files and folders that are looked at to recognise a format
# sides as words of any name
SIDE_WORDS: dict[str, Official] = SIDES | {
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "testing": "test",
}
XTRAIN = re.compile(r"^([xy])(train|test|val)$")  # as notebooks call arrays


@dataclass(frozen=True)
class SideFiles:
    """The files of one side of a set.

    Attributes
    ----------
    name : str
        The set's name, as far as it is part of the files' names.
    split : {"train", "validation", "test"}, optional
        The side, if it is part of the files' names.
    files : mapping of str to Path
        By the kind of content ("images", "labels"), as the pattern of names calls it.
    """

    name: str
    split: Official | None
    files: Mapping[str, Path]


def find(source: Path, pattern: re.Pattern[str]) -> list[SideFiles]:
    """The sides of all sets at `source` whose file names match; empty if nothing can be listed.

    Parameters
    ----------
    source : Path
        A folder; a file, which stands for itself and the files that belong to it in its folder; or
        the beginning of names ("gzip/emnist-balanced").
    pattern : re.Pattern
        With the groups "name", "split" (a key of `SIDES`) and, where a side is several files,
        "kind". Of a file and its compressed copy, the file that is not compressed is taken.
    """
    folder = source if source.is_dir() else source.parent
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_file())
    except OSError:
        return []
    sides: dict[tuple[str, Official | None], dict[str, Path]] = {}
    for name in names:
        match = pattern.fullmatch(name)
        if match is None or not (source.is_dir() or name.startswith(_beginning(source, pattern))):
            continue
        side = match["name"], SIDES.get((match["split"] or "").lower())
        kind = match.groupdict().get("kind", "pictures").lower()
        sides.setdefault(side, {}).setdefault(kind, folder / name)
    return [SideFiles(*side, files) for side, files in sorted(sides.items(), key=_order)]


def identities(sides: Iterable[SideFiles]) -> tuple[Identity, ...]:
    """Which files the sides are, taken before they are read for the first time."""
    return tuple(Identity.of(path) for side in sides for path in side.files.values())


def _beginning(source: Path, pattern: re.Pattern[str]) -> str:
    """How the names of the files at `source` begin."""
    match = pattern.fullmatch(source.name) if source.is_file() else None
    if match is None:
        return source.name
    return source.name[: match.start("kind")] if "kind" in match.groupdict() else source.name


def _order(item: tuple[tuple[str, Official | None], dict[str, Path]]) -> tuple[str, int]:
    """By name, train before validation before test."""
    (name, split), _ = item
    return name, SIDE_ORDER[split]


def one_set(source: Path, sides: list[SideFiles], kinds: tuple[str, ...], expected: str) -> str:
    """The name of the only set that the sides belong to.

    Raises
    ------
    InkfoldError
        If there is no side, there are several sets, or a side lacks a file of one of the `kinds`.
    """
    if not sides:
        raise nothing_at(source, "no such files here", expected)
    names = sorted({side.name for side in sides})
    if len(names) > 1:
        folder = source if source.is_dir() else source.parent
        raise InkfoldError(
            f"{source} holds {len(names)} sets: {', '.join(map(repr, names))}; name one by the "
            f"beginning of its files, as {str(folder / names[0])!r}"
        )
    for side in sides:
        for kind in kinds:
            if kind not in side.files:
                path = next(iter(side.files.values()))
                raise InkfoldError(f"{path}: its {kind} file is not beside it; expected {expected}")
    return names[0] or (source if source.is_dir() else source.parent).absolute().name.lower()


def words_of(name: str) -> list[str]:
    """The words of a name in small letters: csv, train, images of "csvTrainImages"."""
    words = re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())
    return [part for word in words for part in XTRAIN.sub(r"\1 \2", word).split()]


def words_but_sides(name: str) -> list[str]:
    """The words of a name without those that say a side, which the files of one set share."""
    return [word for word in words_of(name) if word not in SIDE_WORDS]


def side_of(words: Iterable[str]) -> Official | None:
    """The side of a set that words name; None if none of them does, or two name different sides."""
    sides = {SIDE_WORDS[word] for word in words if word in SIDE_WORDS}
    return sides.pop() if len(sides) == 1 else None


def as_text(path: Path) -> str:
    r"""A path with forward slashes; bytes in it that are not UTF-8 become ``\xff``."""
    return readable(os.fsencode(path.as_posix()))


def nothing_at(source: Path, lack: str, expected: str) -> InkfoldError:
    """The error that there is no set at `source`; `lack` is the reason if the path exists."""
    reason = lack if source.exists() else "no such file or folder"
    return InkfoldError(f"{source}: {reason}; expected {expected}")


def pictures_in(folder: Path) -> list[str]:
    """The names of the PNG files in a folder, sorted; empty if there is no such folder.

    Raises
    ------
    InkfoldError
        If the folder may not be read.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if _is_picture(entry.name))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise InkfoldError(f"{folder} cannot be read: {error.strerror}; allow it") from None


def _is_picture(name: str) -> bool:
    return name.lower().endswith(".png") and not name.startswith(".")


def folders_in(folder: Path) -> list[str]:
    """The names of the folders in a folder, without hidden ones, sorted; empty if unreadable."""
    try:
        with os.scandir(folder) as entries:
            shown = (entry for entry in entries if not entry.name.startswith("."))
            return sorted(entry.name for entry in shown if entry.is_dir())
    except OSError:
        return []


def files_below(source: Path, suffix: str, most: int | None = None) -> Iterator[Path]:
    """The files with an ending at a source, and in the folders inside it, five levels deep.

    Hidden files, and folders that are hidden, links or unreadable, are left out. Each folder's
    files come sorted, before those of the folders in it.

    Parameters
    ----------
    source : Path
        A file, or a folder.
    suffix : str
        In small letters: ".xml".
    most : int, optional
        How many files and folders are looked at; by default all.
    """
    if source.is_file():
        yield from [source] if source.suffix.lower() == suffix else []
        return
    left = most if most is not None else sys.maxsize
    level = [source]
    for _ in range(LEVELS):
        below = []
        for folder in level:
            try:
                with os.scandir(folder) as entries:
                    listed = list(islice(entries, left))
            except OSError:
                continue
            left -= len(listed)
            for entry in sorted(listed, key=lambda entry: entry.name):
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    below.append(Path(entry.path))
                elif entry.name.lower().endswith(suffix) and entry.is_file():
                    yield Path(entry.path)
        level = below


def read_grey(path: Path) -> NDArray[np.uint8]:
    """Read a picture as grey pixels: uint8 (H, W).

    Raises
    ------
    InkfoldError
        If the picture cannot be read, or does not have 8 bits, grey or coloured.
    """
    try:
        pixels = read(path)
    except PictureError as error:
        raise InkfoldError(f"{path}: {error}; unpack or copy the set again") from None
    if pixels.dtype != np.uint8 or pixels.shape[2:] not in ((), (3,)):
        found = f"{path}: {pixels.dtype} pixels in {pixels.shape[2:] or 1} channels"
        raise InkfoldError(f"{found}, expected 8 bits, grey or coloured; unpack the set again")
    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return np.asarray(grey, np.uint8)
