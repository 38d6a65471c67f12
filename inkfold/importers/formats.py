"""The formats that can be imported: an explicit list, in the order in which they are tried."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from inkfold.importers.collection import Collection


class Format(Protocol):
    """What the module of a format gives."""

    def recognise(self, source: Path) -> str | None:
        """Why `source` seems to be of this format, in a phrase; None where it does not."""

    def read(self, source: Path) -> Collection:
        """Make a set of the files at `source`, or raise InkfoldError."""


FORMATS: dict[str, Format] = {}
