"""What is packed: a folder, or an archive that stands for one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from inkfold.errors import InkfoldError
from inkfold.picture_files import Entry, is_picture, walk
from inkfold.tally import Tally

if TYPE_CHECKING:
    from inkfold.packing.archive import Archive

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz")  # of an archive
EXPECTED = "expected a folder with one folder of pictures per class"


class Folder:
    """A folder on the disk, with the same words as an `Archive`.

    Attributes
    ----------
    path : Path
    file : bytes
        The folder that the paths lie in, absolute.
    refused : Tally
        Always empty: whoever reads a file says what is wrong with it.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.file, self.refused = path, os.fsencode(path.absolute()), Tally()

    def entries(self) -> Iterator[Entry]:
        """What the folder holds, in a fixed order."""
        return walk(os.fsencode(self.path))

    def is_picture(self, path: bytes) -> bool:
        """Whether a file counts as a picture, by suffix or first bytes."""
        return is_picture(os.fsencode(self.path), path)

    def members(self, _paths: Iterable[bytes]) -> None:
        """Files need no place: their paths are enough."""
        return


Source: TypeAlias = "Folder | Archive"


def open_source(path: Path, scratch: Path) -> Source:
    """The folder or archive at `path`; `scratch` is a folder for what an archive needs.

    Raises
    ------
    InkfoldError
        If there is neither, or the archive cannot be read.
    """
    require_source(path)
    if path.is_dir():
        return Folder(path)
    from inkfold.packing.archive import Archive

    return Archive(path, scratch)


def require_source(path: Path) -> None:
    """Refuse a path that is neither a folder nor an archive by its ending.

    Raises
    ------
    InkfoldError
        If there is nothing at `path`, or another file.
    """
    if not path.exists():
        raise InkfoldError(f"{path}: no such folder; {EXPECTED}")
    if not path.is_dir() and not path.name.lower().endswith(ENDINGS):
        raise InkfoldError(f"{path} is a file; {EXPECTED}, or one of {', '.join(ENDINGS)}")
