"""The picture files of a set that is made of them."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inkfold.errors import InkfoldError, PictureError
from inkfold.picture import read


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
