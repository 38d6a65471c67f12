"""Class folders on the disk: which pictures there are, in constant memory and a fixed order."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.packing.scratch import Spool
from inkfold.picture_files import Ancestors, folder_identity, is_picture, kind_of, readable

NAMED = 2000  # how many are remembered by name; all are counted


@dataclass
class Tally:
    """Things counted, the first of them by name: ``(what, why)``."""

    count: int = 0
    first: list[tuple[str, str]] = field(default_factory=list)

    def add(self, what: str, why: str) -> None:
        """Count one more."""
        self.count += 1
        if len(self.first) < NAMED:
            self.first.append((what, why))


@dataclass(frozen=True)
class Listing:
    """What a scan found.

    `classes` are the folders with at least one picture file, by name; `paths` the files under the
    root, class by class; `ends` int64 (C,) how many files there are up to the end of each class;
    `empty` the folders without any.
    """

    classes: tuple[str, ...]
    paths: Spool
    ends: NDArray[np.int64]
    empty: tuple[str, ...]
    ignored: Tally

    def labels(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
        """The class, from 0, of the files number `rows`."""
        return np.searchsorted(self.ends, rows, side="right").astype(np.int32)


def require_folder(root: Path) -> None:
    """Refuse what is no folder.

    Raises
    ------
    InkfoldError
        If there is nothing at `root`, or a file.
    """
    expected = "expected a folder with one folder of pictures per class"
    if not root.exists():
        raise InkfoldError(f"{root}: no such folder; {expected}")
    if not root.is_dir():
        raise InkfoldError(f"{root} is a file; {expected}")


def scan(root: Path, paths: Spool) -> Listing:
    """Find the pictures of every class.

    A class is a folder directly under `root`; folders inside it belong to it. Names are taken in
    the order of their bytes, files before folders. Links are followed, but not into a folder that
    they lie in. Files count as pictures by their suffix or, failing that, by their first bytes.

    Parameters
    ----------
    root : Path
    paths : Spool
        Empty; gets the files' paths under `root`, with forward slashes.

    Raises
    ------
    InkfoldError
        If `root` is no folder, or holds no class folder, or no class folder holds a picture.
    """
    require_folder(root)
    top, ignored, ends = os.fsencode(root), Tally(), array("q")
    classes: list[str] = []
    empty: list[str] = []
    files, folders = _entries(top, b"", ignored)
    for name in files:
        ignored.add(readable(name), "lies beside the class folders")
    for folder in folders:
        before = len(paths)
        for path in _pictures(top, folder, ignored):
            paths.append(path)
        if len(paths) > before:
            classes.append(readable(folder))
            ends.append(len(paths))
        else:
            empty.append(readable(folder))
    if not classes:
        raise InkfoldError(_nothing(root, top, files, folders))
    if len(set(classes)) < len(classes):
        raise InkfoldError(f"{root}: two class folders have the same name once it is text; rename")
    return Listing(tuple(classes), paths, np.array(ends, np.int64), tuple(empty), ignored)


def _nothing(root: Path, top: bytes, files: list[bytes], folders: list[bytes]) -> str:
    if any(is_picture(top, name) for name in files):
        return f"{root}: pictures lie directly in it; expected one folder per class: {root}/CLASS"
    if not folders:
        return f"{root} holds no folders; expected one folder of pictures per class"
    found = f"{root}: no pictures in its {len(folders)} folders"
    return f"{found}; expected PNG, JPEG, BMP, TIFF, WebP or PGM files"


def _pictures(top: bytes, folder: bytes, ignored: Tally) -> Iterator[bytes]:
    """Paths under `top` of the pictures in one class folder and in the folders inside it."""
    waiting: list[tuple[bytes, Ancestors]] = [(folder, folder_identity(top))]
    while waiting:
        here, above = waiting.pop()
        itself = folder_identity(top + b"/" + here)
        if itself & above:
            ignored.add(readable(here), "a link to a folder that it lies in")
            continue
        files, folders = _entries(top, here, ignored)
        for path in files:
            if is_picture(top, path):
                yield path
            else:
                ignored.add(readable(path), "not a picture")
        waiting += [(path, above | itself) for path in reversed(folders)]


def _entries(top: bytes, here: bytes, ignored: Tally) -> tuple[list[bytes], list[bytes]]:
    """Paths under `top` of the files and of the folders in the folder `here`, each sorted."""
    files: list[bytes] = []
    folders: list[bytes] = []
    try:
        with os.scandir(top + b"/" + here) as entries:
            for entry in entries:
                path = here + b"/" + entry.name if here else entry.name
                kind = "hidden" if entry.name.startswith(b".") else kind_of(entry)
                if kind == "folder":
                    folders.append(path)
                elif kind == "file":
                    files.append(path)
                else:
                    ignored.add(readable(path), kind)
    except OSError as error:
        ignored.add(readable(here), f"folder cannot be read: {error.strerror}")
    return sorted(files), sorted(folders)
