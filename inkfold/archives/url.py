"""The address of an archive in an object store."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from inkfold.errors import InkfoldError
from inkfold.extras import need

LIBRARIES = {"s3": ("fsspec", "s3fs"), "gs": ("fsspec", "gcsfs"), "memory": ("fsspec",)}
SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://")  # two letters at least: one is a drive of Windows
ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz")  # of an archive, here and on a disk


@dataclass(frozen=True)
class Url:
    """An address such as ``s3://bucket/letters.zip``, with those words of a Path that are needed.

    Attributes
    ----------
    text : str
        As it was given.
    """

    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def scheme(self) -> str:
        """What stands before ``://``."""
        return self.text.partition("://")[0]

    @property
    def name(self) -> str:
        """What stands behind the last slash."""
        return self.text.rpartition("/")[2]

    def require_archive(self) -> None:
        """Refuse an address from which nothing is read.

        Raises
        ------
        InkfoldError
            If the scheme is none of ours, the library that reads it is not installed, or the name
            is not that of an archive.
        """
        if self.scheme not in LIBRARIES:
            known = ", ".join(f"{scheme}://" for scheme in LIBRARIES)
            raise InkfoldError(
                f"{self}: {self.scheme}:// is not read; expected one of {known}, or a path on a "
                "disk"
            )
        if not self.name.lower().endswith(ENDINGS):
            raise InkfoldError(
                f"{self}: no archive by its ending; pictures in an object store are read from one "
                f"of {', '.join(ENDINGS)}: pack the folder into a zip file and upload that"
            )
        need(f"{self}: {self.scheme}://", *LIBRARIES[self.scheme])


Place: TypeAlias = "Path | Url"


def place(text: str) -> Place:
    """The address or the path that a user means."""
    return Url(text) if SCHEME.match(text) else Path(text)
