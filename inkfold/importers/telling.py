"""What is told of the files of a set: their names as text, and that there are none."""

from __future__ import annotations

import os
from pathlib import Path

from inkfold.errors import InkfoldError
from inkfold.picture_files import readable


def as_text(path: Path) -> str:
    r"""A path with forward slashes; bytes in it that are no UTF-8 become ``\xff``."""
    return readable(os.fsencode(path.as_posix()))


def nothing_at(source: Path, found: str, expected: str) -> InkfoldError:
    """The error that there is no set at `source`: `found`, or that there is nothing at all."""
    what = found if source.exists() else "no such file or folder"
    return InkfoldError(f"{source}: {what}; expected {expected}")
