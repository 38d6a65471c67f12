"""The files of a set: in a folder, beside a file, or by the beginning of their names."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError, PictureError
from inkfold.importers.collection import Official
from inkfold.picture import read
from inkfold.picture_files import readable

SIDES: dict[str, Official] = {"train": "train", "test": "test", "t10k": "test"}


@dataclass(frozen=True)
class Found:
    """The files of one side of a set.

    `name` is the set's, as far as the files' names tell; `split` its side, None where no name
    tells; `files` by what they hold ("images", "labels"), as the pattern calls it.
    """

    name: str
    split: Official | None
    files: Mapping[str, Path]


def find(source: Path, pattern: re.Pattern[str]) -> list[Found]:
    """The sides of all sets at `source` whose file names match; none where nothing can be read.

    Parameters
    ----------
    source : Path
        A folder; a file, which stands for itself and what belongs to it in its folder; or the
        beginning of names ("gzip/emnist-balanced").
    pattern : re.Pattern
        With the groups "name", "split" (a key of `SIDES`) and, where a side is several files,
        "kind". A file that is compressed gives way to the same one that is not.
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
    return [Found(*side, files) for side, files in sorted(sides.items(), key=_order)]


def _beginning(source: Path, pattern: re.Pattern[str]) -> str:
    """What the names of the files that are meant begin with."""
    match = pattern.fullmatch(source.name) if source.is_file() else None
    if match is None:
        return source.name
    return source.name[: match.start("kind")] if "kind" in match.groupdict() else source.name


def _order(item: tuple[tuple[str, Official | None], dict[str, Path]]) -> tuple[str, str]:
    """By name, train before test."""
    (name, split), _ = item
    return name, {"train": "0", "test": "1"}.get(split or "", "2")


def one_set(source: Path, found: list[Found], kinds: tuple[str, ...], expected: str) -> str:
    """The name of the only set in `found`, each side of it whole.

    Raises
    ------
    InkfoldError
        If there is none, there are several, or a side lacks one of `kinds`.
    """
    if not found:
        what = "no such file or folder" if not source.exists() else "no such files here"
        raise InkfoldError(f"{source}: {what}; expected {expected}")
    names = sorted({side.name for side in found})
    if len(names) > 1:
        folder = source if source.is_dir() else source.parent
        raise InkfoldError(
            f"{source} holds {len(names)} sets: {', '.join(map(repr, names))}; name one by the "
            f"beginning of its files, as {str(folder / names[0])!r}"
        )
    for side in found:
        for kind in kinds:
            if kind not in side.files:
                there = next(iter(side.files.values()))
                raise InkfoldError(
                    f"{there}: its {kind} file is not beside it; expected {expected}"
                )
    return names[0] or (source if source.is_dir() else source.parent).absolute().name.lower()


def as_text(path: Path) -> str:
    r"""A path with forward slashes; bytes in it that are no UTF-8 become ``\xff``."""
    return readable(os.fsencode(path.as_posix()))


def nothing_at(source: Path, found: str, expected: str) -> InkfoldError:
    """The error that there is no set at `source`: `found`, or that there is nothing at all."""
    what = found if source.exists() else "no such file or folder"
    return InkfoldError(f"{source}: {what}; expected {expected}")


def pictures_in(folder: Path) -> list[str]:
    """The names of the PNG files in a folder, sorted; none where there is no such folder.

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
    """The names of the folders in a folder, hidden ones left out, sorted; none if it is none."""
    try:
        with os.scandir(folder) as entries:
            return sorted(e.name for e in entries if not e.name.startswith(".") and e.is_dir())
    except OSError:
        return []


def read_grey(path: Path) -> NDArray[np.uint8]:
    """Read a picture as one plane of 8 bits.

    Raises
    ------
    InkfoldError
        If it cannot be read, or is neither grey nor coloured with 8 bits.
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
