"""What is packed: a folder, or an archive that stands for one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias

from inkfold.archives.url import ENDINGS, Place, Url
from inkfold.errors import InkfoldError
from inkfold.picture_files import Entry, is_picture, walk
from inkfold.tally import Tally

if TYPE_CHECKING:
    from inkfold.archives.archive import Archive

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

    def unchanged(self) -> AbstractContextManager[None]:
        """A block that reads files; each is read once, and may change before."""
        return nullcontext()

    def entries(self) -> Iterator[Entry]:
        """What the folder holds, in a fixed order."""
        return walk(os.fsencode(self.path))

    def is_picture(self, path: bytes) -> bool:
        """Whether a file counts as a picture, by suffix or first bytes."""
        return is_picture(os.fsencode(self.path), path)

    def open(self, path: bytes) -> IO[bytes]:
        """A file in the folder, opened; raises OSError if there is none."""
        return (self.path / os.fsdecode(path)).open("rb")

    def members(self, _paths: Iterable[bytes]) -> None:
        """Files need no place: their paths are enough."""
        return


Source: TypeAlias = "Folder | Archive"


def open_source(place: Place, scratch: Path) -> Source:
    """The folder or archive at `place`; `scratch` is a folder for what an archive needs.

    Raises
    ------
    InkfoldError
        If there is neither, or the archive cannot be read.
    """
    require_source(place)
    if isinstance(place, Path) and place.is_dir():
        return Folder(place)
    from inkfold.archives.archive import Archive

    return Archive(place, scratch)


def require_source(place: Place) -> None:
    """Refuse what is neither a folder nor an archive by its ending.

    Raises
    ------
    InkfoldError
        If there is nothing at `place`, or another file; of an object in a store the ending alone
        is looked at.
    """
    if isinstance(place, Url):
        place.require_archive()
        return
    if not place.exists():
        raise InkfoldError(f"{place}: no such folder; {EXPECTED}")
    if not place.is_dir() and not place.name.lower().endswith(ENDINGS):
        raise InkfoldError(f"{place} is a file; {EXPECTED}, or one of {', '.join(ENDINGS)}")
