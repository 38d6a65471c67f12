"""Class folders on the disk: which pictures they hold, in constant memory and a fixed order."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError
from inkfold.packing.scratch import Spool
from inkfold.picture_files import is_picture, readable, walk
from inkfold.tally import Tally


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The pictures of a dataset to be, class by class.

    Attributes
    ----------
    classes : tuple of str
        The classes with at least one picture file, in label order.
    paths : Spool
        The files' paths under the root, class by class.
    ends : int64 array of shape (C,)
        How many files there are up to the end of each class.
    empty : tuple of str
        The classes without picture files.
    ignored : Tally
        What else the root holds, and why it was left out.
    """

    classes: tuple[str, ...]
    paths: Spool
    ends: NDArray[np.int64]
    empty: tuple[str, ...]
    ignored: Tally

    def labels(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
        """The label of each of the files number `rows`."""
        return np.searchsorted(self.ends, rows, side="right").astype(np.int32)


def scan(root: Path, paths: Spool) -> Listing:
    """List the pictures of every class.

    A class is a folder directly under `root`; folders inside it belong to it. Names are taken in
    the order of their bytes, files before folders. Links are followed, except to a folder that
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
    top, ignored = os.fsencode(root), Tally()
    counts: dict[bytes, int] = {}  # pictures in each class folder
    beside: list[bytes] = []
    for entry in walk(top):
        folder, _, inside = entry.path.partition(b"/")
        if folder and not inside and entry.kind in ("folder", "circle"):
            counts[folder] = 0
        if entry.reason:
            ignored.add(readable(entry.path), entry.reason)
        elif entry.kind == "file" and not inside:
            beside.append(folder)
            ignored.add(readable(folder), "lies beside the class folders")
        elif entry.kind == "file" and is_picture(top, entry.path):
            paths.append(entry.path)
            counts[folder] += 1
        elif entry.kind == "file":
            ignored.add(readable(entry.path), "not a picture")
    classes = tuple(readable(folder) for folder, count in counts.items() if count)
    if not classes:
        raise InkfoldError(_no_classes(root, len(counts), beside))
    if len(set(classes)) < len(classes):
        raise InkfoldError(f"{root}: two class folders have the same name once it is text; rename")
    return Listing(
        classes=classes,
        paths=paths,
        ends=np.cumsum([count for count in counts.values() if count], dtype=np.int64),
        empty=tuple(readable(folder) for folder, count in counts.items() if not count),
        ignored=ignored,
    )


def require_folder(root: Path) -> None:
    """Refuse a root that is not a folder.

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


def _no_classes(root: Path, folders: int, beside: list[bytes]) -> str:
    """Why no class was found: by the number of folders, and the files beside them."""
    if any(is_picture(os.fsencode(root), name) for name in beside):
        return f"{root}: pictures lie directly in it; expected one folder per class: {root}/CLASS"
    if not folders:
        return f"{root} holds no folders; expected one folder of pictures per class"
    empty = f"{root}: no pictures in its {folders} folders"
    return f"{empty}; expected PNG, JPEG, BMP, TIFF, WebP or PGM files"
