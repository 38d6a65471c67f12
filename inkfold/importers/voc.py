"""Pascal VOC: an XML file for each picture, with the boxes of its objects."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

from inkfold.importers.collection import Collection
from inkfold.importers.page_crops import (
    MARGIN,
    Box,
    Page,
    picture_at,
)
from inkfold.importers.xml_files import number_in, parsed, text_of
from inkfold.importers.xml_pages import page_of, xml_set, xml_with_root

ROOT = "annotation"
FOLDERS = ("", "../JPEGImages", "../images", "../Images", "images", "..")


def recognise(source: Path) -> str | None:
    """Why `source` seems to be Pascal VOC; None if it does not."""
    name = xml_with_root(source, ROOT)
    return name and f"{name} is an annotation of a picture, as Pascal VOC has them"


def read(source: Path, margin: float = MARGIN) -> Collection:
    """Make a set of the boxes in the annotations at `source`.

    Parameters
    ----------
    source : Path
        An annotation, or a folder with annotations in it or in folders in it.
    margin : float
        Around each box, as a share of its longer side.

    Raises
    ------
    InkfoldError
        If there is no annotation, or no box.
    """
    return xml_set("voc", source, ROOT, _page, margin)


def _page(source: Path, path: Path) -> Page:
    """One annotation; raises PictureError if it is torn or its picture is not there."""
    root = parsed(path)
    picture = picture_at((path.parent / folder for folder in FOLDERS), text_of(root, "filename"))
    found = [_box(each) for each in root.iter("object")]
    sides = (number_in(text_of(root, "size", "height")), number_in(text_of(root, "size", "width")))
    return page_of(source, path, picture, found, sides)


def _box(element: Element) -> Box | str:
    """The box of an object; the reason if it has none.

    Pixels are counted from 1, and the last row and column belong to the box (the set's development
    kit, 2012).
    """
    name = text_of(element, "name")
    sides = ("ymin", "xmin", "ymax", "xmax")
    top, left, bottom, right = (number_in(text_of(element, "bndbox", side)) for side in sides)
    if not name:
        return "an object without a name"
    if top is None or left is None or bottom is None or right is None:
        return f"{name!r}: an object without a box"
    return Box(top=top - 1, left=left - 1, bottom=bottom, right=right, name=name)
