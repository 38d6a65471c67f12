"""The drawings that a user keeps: PNG files in class folders, ready for ``create_dataset.py``."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import cv2
import numpy as np
from numpy.typing import NDArray

from inkfold.dataset.class_folders import folder_names
from inkfold.errors import InkfoldError
from inkfold.output import new_file, sweep_all

ATTEMPTS = 5  # at keeping a drawing while others remove its class's folder


@dataclass(frozen=True)
class KeptDrawing:
    """A kept drawing: the name of its class, its class folder, and its file in that folder."""

    name: str
    folder: str
    file: str

    @property
    def number(self) -> str:
        """The identifier of the drawing in web addresses: 16 hexadecimal digits."""
        path = f"{self.folder}/{self.file}".encode(errors="surrogateescape")
        return hashlib.blake2b(path, digest_size=8).hexdigest()


@dataclass(frozen=True)
class KeptDrawings:
    """A collection of kept drawings: a folder of class folders.

    Parameters
    ----------
    folder : Path
        Created when the first drawing is kept; nothing is ever written outside of it.
    """

    folder: Path

    def keep(self, pixels: NDArray[np.uint8], name: str) -> KeptDrawing:
        """Write a picture as a PNG file into the folder of the class `name`.

        Parameters
        ----------
        pixels : uint8 array of shape (H, W)
        name : str
            Any text that is not blank. Characters that a file system does not take are escaped in
            the folder's name, as ``inkfold export`` does it.

        Raises
        ------
        InkfoldError
            If `name` is blank, or the file cannot be written.
        """
        if not name.strip():
            raise InkfoldError("the class has no name; give the character that was drawn")
        (folder,) = folder_names([name])
        path = self.folder / folder / f"{uuid.uuid4().hex}.png"
        data = cv2.imencode(".png", pixels)[1].tobytes()
        for attempt in range(ATTEMPTS):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with new_file(path, overwrite=False) as part:
                    part.write_bytes(data)
                break
            except OSError as error:
                # the last drawing of the class was removed at the same time, with the folder
                gone = isinstance(error, FileNotFoundError | FileExistsError)
                if gone and attempt + 1 < ATTEMPTS:
                    continue
                raise InkfoldError(
                    f"the drawing cannot be kept ({error.strerror}); choose another folder with "
                    "--keep"
                ) from None
        return KeptDrawing(unquote(folder), folder, path.name)

    def sweep(self) -> None:
        """Remove what a process left that was killed while it kept a drawing.

        To be called before this process keeps one.
        """
        for folder in _entries(self.folder):
            sweep_all(folder)

    def list(self) -> list[KeptDrawing]:
        """Every kept drawing, sorted by class folder and file name."""
        files = sorted(self._files(), key=lambda path: path.parts[-2:])
        return [
            KeptDrawing(unquote(path.parent.name), path.parent.name, path.name)
            for path in files
            if not path.name.startswith(".") and self._is_inside(path)
        ]

    def _files(self) -> Iterator[Path]:
        """The PNG files in the class folders; a folder that vanishes meanwhile holds none."""
        for folder in _entries(self.folder):
            yield from (path for path in _entries(folder) if path.name.endswith(".png"))

    def _is_inside(self, path: Path) -> bool:
        """Whether `path` is a file of the collection and not a link that leads out of it."""
        return path.is_file() and path.resolve().is_relative_to(self.folder.resolve())

    def path(self, number: str) -> Path | None:
        """The file of the drawing with this number; None if there is no such drawing."""
        drawing = next((kept for kept in self.list() if kept.number == number), None)
        return None if drawing is None else self.folder / drawing.folder / drawing.file

    def read(self, number: str) -> bytes | None:
        """The PNG file of the drawing with this number; None if there is none to be read."""
        path = self.path(number)
        try:
            return None if path is None else path.read_bytes()
        except OSError:  # removed meanwhile, for example
            return None

    def remove(self, number: str) -> bool:
        """Delete a drawing, and its class folder when that is empty then.

        Returns
        -------
        removed : bool
            False if there is no drawing with this number, or another process removed it first.

        Raises
        ------
        InkfoldError
            If the file cannot be deleted.
        """
        path = self.path(number)
        if path is None:
            return False
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise InkfoldError(
                f"the drawing cannot be deleted ({error.strerror}); check the permissions of the "
                "folder of --keep"
            ) from None
        with suppress(OSError):  # it holds other drawings, or has gone
            path.parent.rmdir()
        return True


def _entries(folder: Path) -> list[Path]:
    """What a folder holds; nothing if it is no folder, or cannot be read."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []
