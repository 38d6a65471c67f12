"""Which file a path names, so that whoever opens the path again notices another file.

A program that reads a path twice, in a worker or at a later step, may find another file there, or
the same file with other bytes. It then stops: what was read of both would be mixed.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from inkfold.errors import InkfoldError


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A file as it was when it was opened first.

    Attributes
    ----------
    path : Path
    machine : str
        Name of the machine that saw the file: another one may number files and devices otherwise.
    device, inode : int
        Which file it is.
    size : int
        In bytes.
    modified : int
        When the file was last written, in nanoseconds since 1970.
    fingerprint : str
        What the file says of its own content; empty where it says nothing.
    """

    path: Path
    machine: str
    device: int
    inode: int
    size: int
    modified: int
    fingerprint: str = ""

    @classmethod
    def of(cls, path: Path, descriptor: int | None = None, *, fingerprint: str = "") -> Self:
        """The identity of the file at `path`, or of the open file `descriptor` found there.

        Raises
        ------
        OSError
            If there is no such file.
        """
        status = path.stat() if descriptor is None else os.fstat(descriptor)
        return cls(
            path=path,
            machine=socket.gethostname(),
            device=status.st_dev,
            inode=status.st_ino,
            size=status.st_size,
            modified=status.st_mtime_ns,
            fingerprint=fingerprint,
        )

    def check(self, descriptor: int | None = None) -> None:
        """Refuse another file at the path, or as the open file `descriptor`.

        Raises
        ------
        InkfoldError
            If the file is gone, is another one, or was written to.
        """
        try:
            now = Identity.of(self.path, descriptor)
        except OSError:
            raise self._changed("it is gone") from None
        elsewhere = now.machine != self.machine  # where files and devices have other numbers
        if not elsewhere and (now.device, now.inode) != (self.device, self.inode):
            raise self._changed("another file is in its place")
        if (now.size, now.modified) != (self.size, self.modified):
            raise self._changed("it was written to")

    def check_fingerprint(self, fingerprint: str) -> None:
        """Refuse a file that says of its content what differs from `fingerprint`.

        Raises
        ------
        InkfoldError
            If the fingerprints differ.
        """
        if fingerprint != self.fingerprint:
            raise self._changed("its fingerprint is another")

    @contextmanager
    def unchanged(self, descriptor: int | None = None) -> Iterator[None]:
        """A block that reads the file, which must be the same before and after it.

        Raises
        ------
        InkfoldError
            As `check`; also in place of an error that the block raises, where the file changed.
        """
        self.check(descriptor)
        try:
            yield
        except Exception:
            self.check(descriptor)
            raise
        self.check(descriptor)

    def _changed(self, how: str) -> InkfoldError:
        return InkfoldError(
            f"{self.path}: changed while it was read ({how}); run it again, and let nothing write "
            "there meanwhile"
        )


@contextmanager
def all_unchanged(files: Iterable[Identity]) -> Iterator[None]:
    """A block that reads files, which must be the same before and after it; see `Identity`."""
    with ExitStack() as stack:
        for file in files:
            stack.enter_context(file.unchanged())
        yield
