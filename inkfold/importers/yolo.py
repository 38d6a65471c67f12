"""YOLO: a text file for each picture, with a line of class and box for each object."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from inkfold.errors import InkfoldError, PictureError
from inkfold.identity import Identity
from inkfold.importers.collection import Collection
from inkfold.importers.files import GLANCE, files_below, nothing_at
from inkfold.importers.labels import number_of
from inkfold.importers.page_crops import (
    MARGIN,
    Box,
    Page,
    Unread,
    crops,
    name_under,
    side_under,
)
from inkfold.importers.xml_files import number_in
from inkfold.importers.yolo_names import LISTS, names_at
from inkfold.picture_formats import SUFFIXES

EXPECTED = "folders images and labels, with classes.txt or data.yaml"
BEYOND = 1.001  # shares that are rounded may pass 1 a little


def recognise(source: Path) -> str | None:
    """Why `source` seems to be YOLO; None if it does not."""
    try:
        found = _names(source)
    except (InkfoldError, OSError):
        return None
    if found is None:
        return None
    for path in _label_files(source, GLANCE):
        return f"{found[0].name} names classes, {path.name} has boxes of a picture"
    return None


def read(source: Path, margin: float = MARGIN) -> Collection:
    """Make a set of the boxes in the text files at `source`.

    Parameters
    ----------
    source : Path
        The folder of images and labels, or their parent; also a folder in which each text file
        lies beside its picture.
    margin : float
        Around each box, as a share of its longer side.

    Raises
    ------
    InkfoldError
        If there are no such files, the names of the classes are missing, or there is no box.
    """
    paths = list(_label_files(source))
    if not paths:
        raise nothing_at(source, "no text files of boxes here", EXPECTED)
    found = _names(source)
    if found is None:
        raise InkfoldError(
            f"{source}: nothing says what its classes are called; put classes.txt with a name in "
            "each line there, or data.yaml with names"
        )
    files = tuple(map(Identity.of, [found[0], *paths]))
    pages = partial(_pages, source, paths, found[1])
    return crops(pages, margin, source=source, files=files)


def _names(source: Path) -> tuple[Path, dict[int, str]] | None:
    """The classes of a set: from its folder, the one above, or a folder in it."""
    folder = source if source.is_dir() else source.parent
    if not folder.is_dir():
        return None
    below = sorted(path for path in folder.glob("*") if path.is_dir())
    places = (folder, *below, *(place / "labels" for place in below), folder.parent)
    return next((found for place in places if (found := names_at(place))), None)


def _label_files(source: Path, most: int | None = None) -> Iterator[Path]:
    """The text files in folders called labels, and those beside a picture of the same name."""
    for path in files_below(source, ".txt", most):
        if path.name not in LISTS and ("labels" in path.parts or _pictures_of(path)):
            yield path


def _pictures_of(path: Path) -> list[Path]:
    """The pictures that have a text file's name, beside it or in images where it is in labels."""
    parts = path.parent.parts
    folders = [path.parent]
    if "labels" in parts:
        at = len(parts) - 1 - parts[::-1].index("labels")
        folders.append(Path(*parts[:at], "images", *parts[at + 1 :]))
    found = []
    for suffix in map(os.fsdecode, SUFFIXES):
        for written in (suffix, suffix.upper()):
            found += [folder / f"{path.stem}{written}" for folder in folders]
    return sorted({picture.resolve() for picture in found if picture.is_file()})


def _pages(source: Path, paths: list[Path], names: Mapping[int, str]) -> Iterator[Page | Unread]:
    for path in paths:
        try:
            yield _page(source, path, names)
        except PictureError as error:
            yield Unread(name_under(source, path), str(error))


def _page(source: Path, path: Path, names: Mapping[int, str]) -> Page:
    """One text file; raises PictureError if its picture is not there, or there are two."""
    pictures = _pictures_of(path)
    if len(pictures) != 1:
        shown = " and ".join(picture.name for picture in pictures)
        raise PictureError(
            f"{shown} may each be its picture" if pictures else "its picture is not there"
        )
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    found = [_box(line, at, names) for at, line in enumerate(lines, 1) if line.strip()]
    return Page(
        name=name_under(source, pictures[0]),
        picture=pictures[0],
        boxes=tuple(box for box in found if isinstance(box, Box)),
        left_out=tuple(box for box in found if isinstance(box, str)),
        shares=True,
        split=side_under(source, path),
    )


def _box(line: str, at: int, names: Mapping[int, str]) -> Box | str:
    """The box in a line: class, middle, width and height, in shares of the page."""
    fields = line.split()
    numbers = [number_in(field) for field in fields[1:]]
    if len(fields) != 5:
        return f"line {at} has {len(fields)} fields, expected a class and a box: 5"
    label = number_of(fields[0])
    if label is None or label not in names:
        return f"line {at}: class {fields[0]!r} has no name"
    column, row, width, height = (-1.0 if number is None else number for number in numbers)
    if not all(0 <= share <= BEYOND for share in (column, row, width, height)):
        return (
            f"line {at}: a box of {' '.join(fields[1:])}, expected shares of the page from 0 to 1"
        )
    return Box(
        top=row - height / 2,
        left=column - width / 2,
        bottom=row + height / 2,
        right=column + width / 2,
        name=names[label],
    )
