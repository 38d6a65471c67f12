"""The pictures in archives, to be read one by one: what a path of an archive stands for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from inkfold.archives.url import ENDINGS, SCHEME, place
from inkfold.errors import InkfoldError, PictureError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from inkfold.archives.archive import Archive
    from inkfold.archives.members import Read
    from inkfold.archives.spans import File

TOGETHER = 1024  # members of an object that are read by one request, where they lie close together
Load = Callable[[], bytes]
Picture = TypeVar("Picture")


class Archives:
    """Takes archives among paths for what they hold; a context, at whose end scratch is removed.

    Parameters
    ----------
    stack : ExitStack
        Closed when the pictures have been read; a compressed tar file is unpacked to a folder for
        temporary files, which is removed then.
    far : bool
        Whether other machines read the pictures, who do not see that folder.
    """

    def __init__(self, stack: ExitStack, *, far: bool = False) -> None:
        self._stack, self._far = stack, far
        self._opened: list[Archive] = []

    def expand(
        self, paths: Iterable[str], make: Callable[[str, Load], Picture]
    ) -> Iterator[str | Picture]:
        """The paths, and in place of each archive its pictures, in the order of their names.

        Parameters
        ----------
        paths : iterable of str
            As they were given, addresses of objects among them.
        make : callable
            ``make(name, load)`` makes a picture, whose name is the archive's path, a slash, and
            its path in the archive; `load` gives its bytes, or raises PictureError. What cannot be
            used of an archive comes as a picture that cannot be read.
        """
        for path in paths:
            if not is_archive(path):
                yield path
                continue
            for name, load in self._pictures(path):
                yield make(name, load)

    def check_unchanged(self) -> None:
        """Refuse what was read if an archive changed meanwhile.

        Raises
        ------
        InkfoldError
            If an archive was replaced, written to or removed since it was listed.
        """
        for archive in self._opened:
            archive.check_unchanged()

    def _pictures(self, path: str) -> Iterator[tuple[str, Load]]:
        """The pictures in an archive, by name."""
        try:
            archive = self._open(path)
        except (InkfoldError, OSError) as error:
            yield path, partial(_fail, _reason(path, error))
            return
        for name, reason in archive.refused.first:
            yield f"{path}/{name}", partial(_fail, reason)
        if more := archive.refused.count - len(archive.refused.first):
            yield path, partial(_fail, f"{more:,} more of its members cannot be used")
        pictures = _members(archive, path)
        first = next(pictures, None)
        if first is None and not archive.refused.count:
            yield path, partial(_fail, "no pictures in this archive")
        elif first is not None:
            yield first
            yield from pictures

    def _open(self, path: str) -> Archive:
        import tempfile  # where no archive is given, none of this is loaded

        from inkfold.archives.archive import Archive

        where, scratch = place(path), Path(os.devnull)
        if path.lower().endswith((".gz", ".tgz")):
            if self._far:
                raise InkfoldError(
                    f"{path}: the workers of a cluster read no compressed tar file; unpack it, or "
                    "make a zip file of it"
                )
            scratch = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        archive = Archive(where, scratch)
        self._opened.append(archive)
        return archive


def is_archive(path: str) -> bool:
    """Whether a path is an address, or names an archive by its ending and is a file."""
    if SCHEME.match(path):
        return True
    return path.lower().endswith(ENDINGS) and os.path.isfile(path)  # noqa: PTH113, str


class Members:
    """Some members of an archive, which one request reads if they lie close together.

    It travels to workers, who read the archive themselves.

    Parameters
    ----------
    file : bytes or StoredObject
        As `Archive` has it.
    members : array of `MEMBER` of shape (n,)
    """

    def __init__(self, file: File, members: NDArray[np.void]) -> None:
        self._file, self._members = file, members
        self._read: Read | None = None
        self._lock = Lock()

    def __reduce__(self) -> tuple[type[Members], tuple[File, NDArray[np.void]]]:
        return Members, (self._file, self._members)

    def load(self, at: int) -> bytes:
        """The bytes of the member number `at`; raises PictureError if they cannot be read."""
        from inkfold.archives.members import read_member
        from inkfold.archives.spans import reader

        with self._lock:  # threads share what was read
            if self._read is None:
                self._read = reader(self._file, self._members)
        return read_member(self._read, self._members[at])


def _members(archive: Archive, path: str) -> Iterator[tuple[str, Load]]:
    """Each picture in an archive, with the function that gives its bytes."""
    entries = archive.entries()
    pictures = (
        entry.path for entry in entries if entry.kind == "file" and archive.is_picture(entry.path)
    )
    while some := list(islice(pictures, TOGETHER)):
        members = Members(archive.file, archive.members(some))
        for at, inner in enumerate(some):
            name = f"{path}/{os.fsdecode(archive.full_path(inner))}"
            yield name, partial(members.load, at)


def _fail(reason: str) -> bytes:
    """What stands in place of bytes that cannot be read."""
    raise PictureError(reason)


def _reason(path: str, error: Exception) -> str:
    """Why an archive cannot be read, without its path."""
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return str(error).removeprefix(f"{path}: ")
