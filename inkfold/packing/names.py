"""The names of classes, as the names of folders give them."""

from __future__ import annotations

import io
import re
from urllib.parse import unquote

from inkfold.class_names import normal
from inkfold.dataset.class_folders import COLUMNS, LIST, folder_names
from inkfold.errors import PictureError
from inkfold.packing.source import Source
from inkfold.picture_files import readable

KEPT = re.compile(rb"(?:.*/)?[0-9a-f]{32}\.png")  # what a canvas calls a drawing that it keeps


class ClassNames:
    """Gives class folders their classes' names.

    A name is text in Unicode's form NFC, so that the same name from another system is the same
    class. A folder that Inkfold itself named gets back its class's name: it stands in an export's
    list, or it holds drawings that a canvas kept. Other names with ``%`` are left as they are.

    Parameters
    ----------
    source : Folder or Archive
        What is packed, in which an export has its list.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._exported: dict[str, str] | None = None
        self.unescaped = 0

    def of(self, folder: bytes, first: bytes) -> str:
        """The class of a folder; `first` is the path of one picture in it."""
        name = readable(folder)
        original = self._listed().get(name)
        if original is None and b"%" in folder and KEPT.fullmatch(first):
            plain = unquote(name)
            original = plain if plain and folder_names([plain]) == [name] else None
        if original is None:
            return normal(name)
        self.unescaped += original != name
        return original

    def _listed(self) -> dict[str, str]:
        """The class of each folder in an export's list; none if there is no such list."""
        if self._exported is None:
            self._exported = exported_classes(self._source)
        return self._exported


def exported_classes(source: Source) -> dict[str, str]:
    """By folder name, the classes in the list that an export wrote; empty without such a list."""
    import csv

    try:
        opened = source.open(LIST.encode())
        with io.TextIOWrapper(opened, encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            if tuple(next(rows, ())) != COLUMNS:
                return {}
            return {row[0].split("/")[-2]: row[1] for row in rows if "/" in row[0]}
    except (OSError, PictureError, UnicodeDecodeError, csv.Error, IndexError):
        return {}
